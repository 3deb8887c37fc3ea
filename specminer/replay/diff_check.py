"""Compares what was executed again with what nodes say of the storage that each transaction found and left.

- A slot in doubt takes the value that it is said to have held; where a believed slot is said to have held another one,
  that value is taken if the transaction ends as on the chain with it.
- Each net write of an execution that ended as on the chain is compared. Where both agree, the value is believed; where
  they do not, it is in doubt, since one of them is wrong.
- Of a transaction that could not be explained, what it is said to have left is taken.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from specminer.history.trace import Address, Hash
from specminer.replay.assumptions import Assumption, ExecutionJob, Trials
from specminer.replay.doubt import Doubt
from specminer.replay.settlement import SettledRecord
from specminer.replay.unseen_causes import Slot, touched_slots
from specminer.sources.storage_diffs import SlotEvidence, StorageDiffs


@dataclass(slots=True, kw_only=True)
class DiffCounts:
    """What the comparison found."""

    transactions: int = 0
    """Transactions of which something is told."""
    comparisons: int = 0
    """Net writes that were compared, ..."""
    agreed: int = 0
    """... and those of them that were executed alike."""
    repaired: int = 0
    """Values taken from what is told: they were not known, or somebody unseen had written them."""
    contradictions: list[Hash] = field(default_factory=list)
    """Transactions of which another write is told than was executed."""


class DiffCheck:
    """Knows what is told of transactions, and uses it before and after each is executed."""

    def __init__(self, trials: Trials, diffs: StorageDiffs) -> None:
        self.counts = DiffCounts()
        self._trials = trials
        self._diffs = diffs

    def of(self, transaction: Hash, contracts: Collection[Address]) -> dict[Slot, SlotEvidence]:
        """Return what is told of contracts' slots in a transaction; nothing if nothing is."""
        diff = self._diffs.get(transaction, {})
        return {slot: evidence for slot, evidence in diff.items() if slot[0] in contracts}

    def before(self, job: ExecutionJob, diff: Mapping[Slot, SlotEvidence], doubt: Doubt) -> None:
        """Take the values that slots are said to have held where they are needed, or explain what was recorded."""
        machine = self._trials.machine
        values_before = {slot: item.before for slot, item in diff.items() if item.before is not None}
        differing = {slot: value for slot, value in values_before.items() if machine.storage(*slot) != value}
        if differing and not all(slot in doubt for slot in differing):
            execution = self._trials.attempt(job, Assumption(guesses=differing))
            if not self._trials.fits(job, execution):
                differing = {slot: value for slot, value in differing.items() if slot in doubt}
        for slot, value in differing.items():
            machine.put(*slot, value)
        confirmed = [
            slot for slot in values_before if slot in doubt and machine.storage(*slot) == values_before[slot]
        ]
        doubt.remove([*confirmed, *differing])
        self.counts.repaired += len({*confirmed, *differing})

    def after(
        self, job: ExecutionJob, diff: Mapping[Slot, SlotEvidence], settled: SettledRecord, doubt: Doubt
    ) -> SettledRecord:
        """Compare what a transaction left with what is told; return it without doubts that this removed."""
        self.counts.transactions += 1
        values_after = {slot: item.after for slot, item in diff.items() if item.after is not None}
        machine = self._trials.machine
        if not settled.fidelity.explained:
            if job.record.succeeded is not False:
                for slot, value in values_after.items():
                    machine.put(*slot, value)
                doubt.remove(values_after)
                self.counts.repaired += len(values_after)
            return settled
        agreed_slots = {slot for slot, value in values_after.items() if machine.storage(*slot) == value}
        other = (values_after.keys() - agreed_slots) | self._unlisted_changes(diff, values_after, settled)
        self.counts.comparisons += len(agreed_slots) + len(other)
        self.counts.agreed += len(agreed_slots)
        doubt.remove(agreed_slots)
        if other:
            doubt.add(other)
            self.counts.contradictions.append(job.record.hash)
        return replace(settled, dependent=(settled.dependent - agreed_slots) | other)

    def _unlisted_changes(
        self, diff: Mapping[Slot, SlotEvidence], values_after: Mapping[Slot, int], settled: SettledRecord
    ) -> set[Slot]:
        """Return slots that changed in the execution, of contracts of which changes are told, but not these."""
        covered_contracts = {slot[0] for slot in values_after}
        machine = self._trials.machine
        return {
            slot
            for slot, before in touched_slots(settled.execution.steps).items()
            if slot[0] in covered_contracts and slot not in diff and before is not None
            if machine.storage(*slot) != before
        }
