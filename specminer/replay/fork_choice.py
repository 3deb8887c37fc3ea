"""Which one fork a chain without a known schedule follows: the one whose gas fits the record best.

A sample from the beginning is executed under every fork; those that fit less well than the best drop out, and
the rest go on with more of it. What nodes say of the storage that transactions left counts as their gas does. Among
equals the newest is taken: it understands the most opcodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from specminer.replay.engine import MachineMaker
from specminer.replay.fork_schedule import Rules, rules_of_fork
from specminer.replay.machine_calls import FORKS, VirtualMachine
from specminer.replay.records import call_of, surroundings
from specminer.sources.exported import ExportedTransaction
from specminer.sources.storage_diffs import StorageDiffs

ROUNDS: Final = (20, 80, 200)
"""Transactions after which the forks are compared."""
EVIDENCE: Final = 0.5
"""Gas is evidence on a chain if at least this share of a sample used exactly the recorded gas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkFit:
    """A fork, and how well it fits the sample."""

    rules: Rules
    name: str
    sample: int
    status: float
    """Share of the sample that ended as recorded."""
    gas: float
    """Share that used exactly the recorded gas, of those where it is recorded; 0 if there are none."""

    @property
    def gas_is_evidence(self) -> bool:
        """Whether other gas than recorded means that something went otherwise."""
        return self.gas >= EVIDENCE


@dataclass(slots=True)
class _Trial:
    name: str
    rules: Rules
    machine: VirtualMachine
    execution_count: int = 0
    status: int = 0
    gas: int = 0
    measured_count: int = 0
    storage: int = 0
    """Net writes of which nodes tell the same."""

    @property
    def rank(self) -> tuple[int, int]:
        """How much of what is recorded it fits; more is better."""
        return self.gas + self.storage, self.status


def choose(
    records: Sequence[ExportedTransaction],
    chain_id: int,
    maker: MachineMaker,
    note: Callable[[str], None],
    diffs: StorageDiffs | None = None,
) -> ForkFit:
    """Return the fork that fits the records best, and what ``diffs`` tell of the storage that they left.

    ``note`` hears of a difference between the two engines.
    """
    left = [_trial(name, rules_of_fork(name), maker.make(None, note)) for name in FORKS]
    for upto in ROUNDS:
        for trial in left:
            _advance(trial, records[:upto], chain_id, diffs or {})
        best = max(trial.rank for trial in left)
        left = [trial for trial in left if trial.rank == best]
        if upto >= len(records) or len(left) == 1:
            break
    return _choice(left[-1])


def measure(
    records: Sequence[ExportedTransaction],
    chain_id: int,
    name: str,
    rules: Rules,
    maker: MachineMaker,
    note: Callable[[str], None],
) -> ForkFit:
    """Return how well given rules fit the beginning of the records; see :func:`choose`."""
    trial = _trial(name, rules, maker.make(None, note))
    _advance(trial, records[: ROUNDS[0]], chain_id, {})
    return _choice(trial)


def _trial(name: str, rules: Rules, machine: VirtualMachine) -> _Trial:
    return _Trial(name=name, rules=rules, machine=machine)


def _advance(
    trial: _Trial, records: Sequence[ExportedTransaction], chain_id: int, diffs: StorageDiffs
) -> None:
    for record in records[trial.execution_count :]:
        rules = trial.rules(record.block, record.timestamp)
        call = call_of(record)
        contracts = [address for address in (call.to, call.created) if address is not None]
        execution = trial.machine.run(call, surroundings(record, chain_id), rules, contracts)
        trial.status += record.succeeded in (None, execution.succeeded)
        trial.measured_count += record.gas_used is not None
        trial.gas += record.gas_used == execution.gas_used
        values_after = {
            slot: item.after for slot, item in diffs.get(record.hash, {}).items() if slot[0] in contracts
        }
        trial.storage += sum(trial.machine.storage(*slot) == value for slot, value in values_after.items())
    trial.execution_count = max(trial.execution_count, len(records))


def _choice(trial: _Trial) -> ForkFit:
    return ForkFit(
        rules=trial.rules,
        name=trial.name,
        sample=trial.execution_count,
        status=trial.status / max(1, trial.execution_count),
        gas=trial.gas / max(1, trial.measured_count),
    )
