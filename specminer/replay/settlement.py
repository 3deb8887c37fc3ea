"""Settles what became of each record: executed as on the chain, explained by an assumption, or unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from specminer.history.trace import NO_ADDRESS, Address, Fidelity
from specminer.history.tracer_steps import UNKNOWN_FAILURE, Enter, Exit
from specminer.replay.assumption_search import (
    NO_REPAIR,
    Repair,
    examine_assumption,
    find_repair,
    rival_writes,
    write_facts,
)
from specminer.replay.assumptions import ATTEMPTS_EACH, NOTHING, ExecutionJob, Trials
from specminer.replay.doubt import Doubt
from specminer.replay.inferred_facts import InferredFact
from specminer.replay.machine_calls import ExecutedCall
from specminer.replay.unseen_causes import Examination, Slot, external_reads, lasting_writes, touched_slots

_BLOCK_FIELDS: Final = {
    "COINBASE": "beneficiary",
    "DIFFICULTY or PREVRANDAO": "randomness",
    "GASLIMIT": "gas_limit",
    "BASEFEE": "base_fee",
}
"""What code asks a block for, and the field of a :class:`specminer.history.trace.Block` that tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledRecord:
    """A record as it was executed in the end; its effects stay in the machine, if it had any on the chain."""

    execution: ExecutedCall
    fidelity: Fidelity
    doubtful: frozenset[Slot] = frozenset()
    """Slots whose values are not known when it begins."""
    dependent: frozenset[Slot] = frozenset()
    """Slots whose new values are not known."""
    wrote: bool = True
    """Whether it may have written."""


class Settler:
    """Executes records on a machine and keeps account of what is not known."""

    def __init__(self, trials: Trials, codes: Mapping[Address, bytes], *, infer: bool = True) -> None:
        self.trials = trials
        self.doubt = Doubt()
        self.questions: Counter[str] = Counter()
        """What the contracts asked for that an export does not tell, with the number of transactions."""
        self.strangers: Counter[Address] = Counter()
        """Contracts called that are not at hand, with the number of transactions."""
        self.funded = 0
        """Transactions that would have failed without ether whose way to the contract the export does not show."""
        self.facts: list[InferredFact] = []
        """What was inferred."""
        self._codes = codes
        self._infer = infer

    def settle(self, job: ExecutionJob) -> SettledRecord:
        """Execute a record, under assumptions if it ends otherwise than on the chain; keep its effects."""
        trials = self.trials
        trials.attempts += ATTEMPTS_EACH
        repair = NO_REPAIR
        execution = failed = trials.run(job, NOTHING)
        if not trials.fits(job, execution):
            fresh = trials.machine.state.fresh
            trials.take_back()
            if job.executable and self._infer and not job.undone:
                repair = find_repair(trials, job, execution, fresh, self.doubt)
            execution = trials.run(job, repair.assumption)
        if job.undone or not job.executable or not trials.fits(job, execution):
            return self._accept_outcome(job, execution)
        assumption = repair.assumption
        doubtful = [
            slot
            for slot in external_reads(execution.steps)
            if slot in self.doubt or slot in assumption.guesses
        ]
        examination = None
        if doubtful or assumption.answers:
            trials.take_back()
            examination = examine_assumption(trials, job, execution, assumption, doubtful)
            if examination.confirmed & assumption.guesses.keys():
                rivals = rival_writes(trials, job, failed, assumption.guesses, self.doubt)
                if rivals:
                    self.doubt.add(rivals)
                    everything = frozenset(lasting_writes(execution.steps))
                    examination = Examination(dependent=everything, output=True)
                else:
                    facts = tuple(write_facts(job, assumption, examination.confirmed))
                    repair = replace(repair, facts=facts)
            execution = trials.run(job, assumption)
        trials.machine.state.commit()
        self._count(job, execution)
        self.funded += bool(assumption.loans)
        self.facts += repair.facts
        return self._accept_execution(job, execution, repair, examination)

    def _accept_execution(
        self,
        job: ExecutionJob,
        execution: ExecutedCall,
        repair: Repair,
        examination: Examination | None,
    ) -> SettledRecord:
        """Take in an execution that ended as on the chain."""
        assumption = repair.assumption
        self.doubt.add(assumption.guesses)
        dependent: frozenset[Slot] = frozenset()
        fidelity = Fidelity.UNCHECKED if repair.open else self.trials.fidelity(job.record, execution)
        if examination is not None:
            self.doubt.remove(examination.confirmed)
            dependent = examination.dependent
            execution = execution if not examination.output else _without_output(execution)
        slots = touched_slots(execution.steps)
        doubtful = frozenset(slot for slot in slots if slot in self.doubt)
        reads = external_reads(execution.steps)
        if assumption.answers:
            fidelity = Fidelity.ANSWER
        elif assumption.guesses:
            fidelity = Fidelity.UNSEEN
        elif any(slot in doubtful for slot in reads):
            fidelity = Fidelity.TAINTED
        written = lasting_writes(execution.steps)
        self.doubt.add(slot for slot in written if slot in dependent)
        self.doubt.remove(slot for slot in written if slot not in dependent)
        return SettledRecord(execution=execution, fidelity=fidelity, doubtful=doubtful, dependent=dependent)

    def _accept_outcome(self, job: ExecutionJob, execution: ExecutedCall) -> SettledRecord:
        """Take in a record of which only the chain's word is known."""
        record, machine = job.record, self.trials.machine
        alike = not execution.limited and record.succeeded in (None, execution.succeeded)
        fidelity = Fidelity.GAS if alike else Fidelity.STATUS
        fidelity = fidelity if job.executable else Fidelity.NOT_EXECUTED
        self._count(job, execution)
        slots = touched_slots(execution.steps)
        doubtful = frozenset(slot for slot in slots if slot in self.doubt) | _mistaken_reads(execution)
        if record.succeeded is False:
            machine.state.reset(0)
        else:
            machine.state.commit()
            # where it ended alike, it may have gone another way; else nothing is known of what it wrote
            self.doubt.add(lasting_writes(execution.steps) if fidelity is Fidelity.GAS else slots)
            target = job.call.to or job.call.created
            if target in job.contracts and (record.to is None or not slots):
                self.doubt.add_contract(target)
                if record.to is None and target in self._codes:
                    machine.install(target, self._codes[target])
        execution = _as_on_the_chain(job, execution)
        return SettledRecord(
            execution=execution, fidelity=fidelity, doubtful=doubtful, wrote=record.succeeded is not False
        )

    def _count(self, job: ExecutionJob, execution: ExecutedCall) -> None:
        recorded_names = {
            name for name, field in _BLOCK_FIELDS.items() if getattr(job.block, field) is not None
        }
        self.questions.update(name for name in execution.unrecorded_opcodes if name not in recorded_names)
        self.strangers.update(execution.strangers)


def _mistaken_reads(execution: ExecutedCall) -> frozenset[Slot]:
    """Return the slots of which one at least held another value than was read, as the execution went another way.

    None if other contracts, blocks or a limit may have led it astray.
    """
    if execution.limited or execution.strangers or execution.unrecorded_opcodes:
        return frozenset()
    return frozenset(external_reads(execution.steps))


def _as_on_the_chain(job: ExecutionJob, execution: ExecutedCall) -> ExecutedCall:
    """Return an execution that ends as the chain says, if only it is known how it ended."""
    record, call = job.record, job.call
    target = call.to or call.created or NO_ADDRESS
    succeeded = execution.succeeded if record.succeeded is None else record.succeeded
    gas_used = call.gas if record.gas_used is None else record.gas_used
    begin = Enter(
        "CREATE" if call.to is None else "CALL", call.sender, target, call.gas, call.value, call.data
    )
    return replace(
        execution,
        steps=(
            *(execution.steps[:-1] or (begin,)),
            Exit(gas_used, b"", None if succeeded else UNKNOWN_FAILURE),
        ),
    )


def _without_output(execution: ExecutedCall) -> ExecutedCall:
    """Return an execution without what it returned and how much it paid, which are not known."""
    steps = [
        replace(step, output=b"") if isinstance(step, Exit) and step.error is None else step
        for step in execution.steps
    ]
    return replace(execution, steps=tuple(steps))
