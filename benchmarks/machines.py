"""Executing real histories again: the engine beside the specification's machine, and beside py-evm.

    python -m benchmarks machines

The measure of the runner; ``benchmarks.engine`` and ``benchmarks.py_evm`` tell more of each comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.engine import by_specification, observed, replays, timed
from benchmarks.py_evm import by_py_evm
from benchmarks.reexecution import read_history
from specminer.evm.execution_recorder import EventRecorder
from specminer.replay.fast_machine import number_of
from specminer.replay.records import call_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """CPU seconds for the transactions of a history, and how far the machines agree."""

    transactions: int
    bare: float
    """Of the engine without a recorder."""
    recording: float
    """Of the engine with the recorder."""
    specification: float
    """Of the specification's machine with its recorder."""
    replay: float
    """Of the whole re-execution by the engine, invocations included."""
    specification_replay: float
    same: int
    """Transactions of which both replays tell the same."""
    py_evm: float | None
    """Of py-evm without a recorder; ``None`` if it is not at hand."""
    agree: int | None
    """Transactions that succeed or fail on py-evm as on the engine."""


def speeds(name: str, folder: Path, python: Path | None) -> Speeds:
    """Execute a real history below a folder on all machines; ``python`` is one that has py-evm."""
    records, rules = read_history(folder, name)
    made = frozenset(made for record in records if (made := call_of(record).created) is not None)
    targets = frozenset(map(number_of, made))
    old, new, same = replays(records, rules)
    theirs, agree = None, None
    if python is not None:
        theirs, others = by_py_evm(name, records, rules, python)
        succeeded = observed(records, rules, EventRecorder(targets))
        agree = sum(one == other for one, other in zip(succeeded, others, strict=True))
    return Speeds(
        transactions=len(records),
        bare=timed(lambda: observed(records, rules, None)),
        recording=timed(lambda: observed(records, rules, EventRecorder(targets))),
        specification=timed(lambda: by_specification(records, rules, made)),
        replay=new,
        specification_replay=old,
        same=same,
        py_evm=theirs,
        agree=agree,
    )
