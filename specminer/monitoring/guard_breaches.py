"""Calls that were accepted although a guard of the specification does not hold, or rejected for a new reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from specminer._support.statistics import wilson
from specminer.monitoring.call_terms import CallTerms, CheckedCondition, conditions_of, judged_calls
from specminer.monitoring.judged_calls import JudgedCalls
from specminer.specification import Guard, GuardCondition, GuardKind, Specification
from specminer.specification.deviation import SURE, Basis, Deviation, Severity
from specminer.specification.measure import spell_text
from specminer.specification.quantity_rewriting import Rewriter
from specminer.specification.unit_inference import scope_of, units_of


@dataclass(frozen=True)
class GuardCheck:
    """The guards of a specification, asked of the calls of a history."""

    specification: Specification
    calls: JudgedCalls
    functions: Sequence[CallTerms]
    causes: Sequence[str]
    """Why each invocation was rejected, in the contract's own words; empty for accepted ones."""
    unevaluated_counts: Counter[str] = field(default_factory=Counter)
    """How many conditions could not be asked, by function."""
    undecided: Counter[str] = field(default_factory=Counter)
    """In how many accepted calls a condition was not decided, because a value is not known, by function."""

    @cached_property
    def rewriter(self) -> Rewriter:
        """Writes conditions with the units of their numbers."""
        return Rewriter(units_of(self.specification))

    def findings(self) -> Iterator[Deviation]:
        """Yield what does not fit, function by function."""
        for terms in self.functions:
            calls = judged_calls(terms, self.calls.is_judged)
            own = self._guards().get(terms.situation.function, ())
            if calls and own:
                conditions = [self._conditions(terms, guard) for guard in own]
                yield from self._of_function(terms, calls, own, conditions)

    def askable(self) -> dict[str, tuple[str, ...]]:
        """Return which conditions can be asked of each function that has guards, whether calls of it are judged or not.

        A condition stands there as its guard's kind and its text; of a function that the history does not have there
        is nothing.
        """
        texts_by_function: dict[str, tuple[str, ...]] = {}
        for terms in self.functions:
            scope = terms.situation.function
            texts = [
                f"{guard.kind.value}: {condition.text}"
                for guard in self._guards().get(scope, ())
                for condition in _read(terms, guard)[0]
                if condition is not None
            ]
            texts_by_function[scope] = tuple(sorted({*texts_by_function.get(scope, ()), *texts}))
        return texts_by_function

    def _guards(self) -> dict[str, list[Guard]]:
        guards: dict[str, list[Guard]] = {}
        for guard in self.specification.guards:
            guards.setdefault(guard.scope, []).append(guard)
        return guards

    def _conditions(
        self, terms: CallTerms, guard: Guard
    ) -> list[tuple[CheckedCondition, GuardCondition | None]]:
        conditions, lacking = _read(terms, guard)
        if lacking:
            self.unevaluated_counts[guard.scope] += lacking
        entries: Sequence[GuardCondition | None] = guard.conditions
        if len(conditions) != len(entries):
            entries = [None] * len(conditions)
        return [
            (condition, text)
            for condition, text in zip(conditions, entries, strict=True)
            if condition is not None and (text is None or text.version is None or text.version.until is None)
        ]

    def _of_function(
        self,
        terms: CallTerms,
        calls: Sequence[int],
        guards: Sequence[Guard],
        guard_conditions: Sequence[list[tuple[CheckedCondition, GuardCondition | None]]],
    ) -> Iterator[Deviation]:
        reasons = {reason.text for guard in guards for reason in guard.reasons}
        truths = [
            [condition.truths(terms, calls) for condition, _ in conditions] for conditions in guard_conditions
        ]
        accepted, rows = terms.situation.accepted[calls].tolist(), terms.situation.rows[calls].tolist()
        for position, row in enumerate(rows):
            if not accepted[position]:
                refused = any(column[position] is False for columns in truths for column in columns)
                if self.causes[row] not in reasons and not refused:
                    yield self._rejection(terms, row)
        for guard, conditions, columns in zip(guards, guard_conditions, truths, strict=True):
            for (condition, entry), column in zip(conditions, columns, strict=True):
                doubtful = [index for index, holds in enumerate(column) if holds is not True]
                for position in doubtful:
                    if accepted[position] and column[position] is None:
                        self.undecided[guard.scope] += 1
                    elif accepted[position]:
                        yield self._breach(terms, calls[position], guard, condition, entry)

    def _rejection(self, terms: CallTerms, row: int) -> Deviation:
        function, cause = terms.situation.function, self.causes[row]
        why = f"with '{cause}'" if cause else "without a reason"
        return Deviation(
            severity=Severity.UNKNOWN,
            basis=Basis.REJECTION,
            function=function,
            where=self.calls.where(row),
            invocation=row,
            sentence=f"{function} was rejected {why}, as it never was before, and no known condition tells why",
        )

    def _breach(
        self,
        terms: CallTerms,
        call: int,
        guard: Guard,
        condition: CheckedCondition,
        entry: GuardCondition | None,
    ) -> Deviation:
        row = int(terms.situation.rows[call])
        values = condition.values(terms, call)
        read, scope = self.rewriter, scope_of(guard)
        value_texts = ", ".join(
            f"{name} = {spell_text(value, read.units.of_name(name, scope)) or value}"
            for name, value in values.items()
        )
        return Deviation(
            severity=_severity(guard, entry),
            basis=Basis.GUARD,
            function=guard.scope,
            where=self.calls.where(row),
            invocation=row,
            sentence=f"{guard.scope} was accepted although its {guard.kind.value} guard does not hold: "
            f"{read.condition(condition.text, scope)}" + (f" ({value_texts})" if value_texts else ""),
            claim=condition.text,
            values=values,
            witness=_witness(guard, condition.text),
        )


def _read(terms: CallTerms, guard: Guard) -> tuple[list[CheckedCondition | None], int]:
    """Return a guard's conditions over the terms of its function, and how many of them cannot be asked."""
    return conditions_of(
        terms,
        guard.smt,
        guard.symbols,
        [item.text for item in guard.conditions],
        guard.text,
        guard.names,
    )


def _severity(guard: Guard, entry: GuardCondition | None) -> Severity:
    """Return how bad it is that a condition does not hold: by what it rests on, and how often it held."""
    exceptions = guard.exceptions if entry is None else entry.exceptions
    evaluable = guard.accepted - (entry.unknown if entry is not None else 0)
    low = wilson(max(0, evaluable - exceptions), max(0, evaluable))[0]
    if guard.kind in (GuardKind.REQUIRED, GuardKind.CODED):
        return Severity.BROKEN if not exceptions else Severity.UNUSUAL
    if exceptions:
        return Severity.UNUSUAL
    if guard.kind is GuardKind.LEARNED:
        return Severity.BROKEN if low >= SURE else Severity.UNKNOWN
    return Severity.UNKNOWN if low >= SURE else Severity.UNUSUAL


def _witness(guard: Guard, text: str) -> str | None:
    """Return a call that the condition rejected, as far as the specification tells one."""
    for reason in guard.reasons:
        for cause in reason.causes:
            if cause.condition == text and cause.witnesses:
                return cause.witnesses[0].transaction
    return None


def unjudged_conditions(check: GuardCheck) -> Mapping[str, int]:
    """Return how many conditions were not judged, by reason; after :meth:`GuardCheck.findings` is exhausted."""
    counts = {
        "conditions of guards that speak of what no call of the history has": sum(
            check.unevaluated_counts.values()
        ),
        "conditions of guards in calls that do not tell what they speak of": sum(check.undecided.values()),
    }
    return {reason: count for reason, count in counts.items() if count}
