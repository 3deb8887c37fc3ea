"""An invariant: a claim with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.statistics import training_size, wilson
from specminer.history.contract_history import BoolColumn, History, IntColumn, RowColumn
from specminer.predicate import Formula
from specminer.specification import ClaimScope, Derivation, InvariantEntry, LaterCases, Template

RARE: Final = 0.01
"""A failure that is more frequent elsewhere is no surprise."""
MAX_JUDGED: Final = 1_000
"""Failures of one claim that are judged one by one."""
TOLERANCE: Final = 0.003
"""A claim may fail in this share of its cases."""
MIN_CASES: Final = 10
"""A claim rests on so many cases, or it is none."""
ONCE: Final = 20
"""A claim of so many cases may fail in one transaction more: it may be the attack that is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What held in the history, with few or no exceptions."""

    scope: ClaimScope
    """What it is about."""
    template: Template
    text: str
    smt: str | None
    cases: IntColumn | RowColumn
    """Rows of the invocations in which it could have failed; ascending, one a case."""
    holds: BoolColumn
    """In which of them it did hold."""
    unknown: int = 0
    """In how many more cases it may have failed: a value is not known."""
    surprising: bool = True
    """Whether an exception is a reason to look closer."""
    formula: Formula | None = field(default=None, compare=False)
    """The claim in the language of the states, where it speaks of an interaction's variables at one moment."""
    premises: tuple[Formula, ...] = field(default=(), compare=False)
    """If not empty, the claim follows from these: what describes the state, and stronger claims about it."""
    derivation: Derivation | None = None
    """How far it follows from what the code computes."""
    untested: bool = False
    """Whether hardly anything happened that could have broken it."""
    strict: bool = False
    """Whether it is no claim if it failed more often than :data:`TOLERANCE` allows, though in one transaction."""

    @property
    def exceptions(self) -> int:
        """In how many cases it failed."""
        return int((~self.holds).sum())

    def tolerable(self, history: History) -> bool:
        """Whether it is a claim: enough cases, most of them known, hardly any exception, or all in one transaction."""
        count = len(self.cases)
        if self.untested or count < MIN_CASES or self.exceptions > count // 5 or self.unknown > count:
            return False
        if self.exceptions <= TOLERANCE * count:
            return True
        if self.strict:
            return False
        broken = history.invocation_transaction[self.cases[~self.holds]]
        return count >= ONCE and bool((broken == broken[0]).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceptions:
    """The cases in which a claim failed, judged by all others."""

    invocation: IntColumn | RowColumn
    """Shape (x,), ascending."""
    bits: npt.NDArray[np.float64]
    """How improbable the failure is by the cases of other units."""
    held_count: int
    """How often it held."""


def exceptions(item: Invariant, history: History, unit: IntColumn) -> Exceptions:
    """Return what broke a claim; what also fails elsewhere in more than one of a hundred cases has no bits.

    ``unit`` is as for :func:`entry_of`; cases of the same unit, or the same transaction, prove nothing.
    Source: Krichevsky and Trofimov 1981, the half a failure that everything has.
    """
    failed = ~item.holds
    rows = item.cases[failed][:MAX_JUDGED]
    transaction = history.invocation_transaction
    bits = np.zeros(len(rows))
    for index, row in enumerate(rows.tolist()):
        other = (unit[item.cases] != unit[row]) & (transaction[item.cases] != transaction[row])
        total, wrong = int(other.sum()), int((other & failed).sum())
        if total and wrong <= RARE * total:
            bits[index] = np.log2((total + 1) / (wrong + 0.5))
    return Exceptions(invocation=rows, bits=bits, held_count=int(item.holds.sum()))


def entry_of(item: Invariant, history: History, unit: IntColumn) -> InvariantEntry:
    """Return an invariant as it stands in the specification.

    ``unit`` gives for each invocation an interaction that it belongs to, or a number of its own.
    """
    later = item.cases >= training_size(len(history))
    support, broken = len(item.cases), item.exceptions
    witnesses = np.unique(history.invocation_transaction[item.cases[~item.holds]])[:5]
    return InvariantEntry(
        scope=item.scope,
        text=item.text,
        smt=item.smt,
        kind=item.template,
        support=support,
        exceptions=broken,
        interactions=len(np.unique(unit[item.cases])),
        interval=wilson(support - broken, support),
        test=LaterCases(support=int(later.sum()), exceptions=int((later & ~item.holds).sum())),
        broken_by=tuple(f"0x{history.transaction_hash[row].hex()}" for row in witnesses.tolist()),
        derivation=item.derivation,
        unknown=item.unknown or None,
    )
