"""Transactions after which an invariant of the specification no longer holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer.history.contract_history import IntColumn
from specminer.inference.invariant_claim import Invariant
from specminer.monitoring.judged_calls import JudgedCalls
from specminer.specification import Derivation, InvariantEntry, Specification
from specminer.specification.deviation import SURE, Basis, Deviation, Severity

FIRST_CASES: Final = 1_000
"""Cases of each invariant that are remembered."""


@dataclass(frozen=True, slots=True)
class InvariantCheck:
    """The invariants of a specification, evaluated on a history."""

    specification: Specification
    calls: JudgedCalls
    proposed: Iterable[Invariant]
    """All that may have held in the history, with its cases."""
    evaluated_cases: dict[str, IntColumn] = field(default_factory=dict)
    """The texts of the invariants that could be evaluated, each with the invocations of its first cases."""

    def findings(self) -> Iterator[Deviation]:
        """Yield what broke an invariant, invariant by invariant."""
        entries = {item.text: item for item in self.specification.invariants}
        for claim in self.proposed:
            entry = entries.get(claim.text)
            if entry is None or claim.text in self.evaluated_cases:
                continue
            self.evaluated_cases[claim.text] = claim.cases[:FIRST_CASES].astype(np.int64)
            broken = claim.cases[~claim.holds & self.calls.is_judged[claim.cases]]
            for row in np.unique(broken).tolist():
                yield self._breach(entry, row)

    @property
    def unevaluated_count(self) -> int:
        """How many invariants could not be evaluated, once :meth:`findings` is exhausted."""
        return len({item.text for item in self.specification.invariants} - set(self.evaluated_cases))

    def _breach(self, entry: InvariantEntry, row: int) -> Deviation:
        function, count = self.calls.function(row), entry.support - entry.exceptions
        return Deviation(
            severity=_severity(entry),
            basis=Basis.INVARIANT,
            function=function,
            where=self.calls.where(row),
            invocation=row,
            sentence=f"{function} broke what held in {count:,} of {entry.support:,} cases: {entry.text}",
            claim=entry.text,
        )


def _severity(entry: InvariantEntry) -> Severity:
    """Return how bad it is that an invariant fails: by what it rests on, and how often it held."""
    if entry.exceptions:
        return Severity.UNUSUAL
    low = 0.0 if entry.interval is None else entry.interval[0]
    if entry.kind.is_strict:
        sure = entry.derivation is Derivation.EXACT or low >= SURE
        return Severity.BROKEN if sure else Severity.UNKNOWN
    return Severity.UNKNOWN if low >= SURE else Severity.UNUSUAL
