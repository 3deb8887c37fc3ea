"""Writes the numbers of a text with their units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from specminer.specification.measure import DISTANCE, Measure, MeasureKind, group, spell
from specminer.specification.quantity_parsing import (
    Expression,
    Name,
    Number,
    Operation,
    comparisons,
    expression,
)
from specminer.specification.unit_inference import Scope, Units

_FACTOR: Final = re.compile(r"(?<=[*/%] )\d{8,78}(?![\w.,]*\w)")
"""A factor that has no unit."""
_Quantities = Iterator[tuple[Number, Measure | None]]


@dataclass(frozen=True, slots=True)
class Rewriter:
    """Writes texts of one specification for readers."""

    units: Units
    """What its terms measure."""
    _texts: dict[tuple[int, str], str] = field(default_factory=dict, repr=False, compare=False)
    """Texts that were written, by the identity of their scope: many stand at many places."""
    _scopes: dict[int, Scope] = field(default_factory=dict, repr=False, compare=False)
    """Keeps the scopes alive whose identities stand in ``_written``."""

    def condition(self, text: str, scope: Scope) -> str:
        """Return a condition, an effect or an invariant with the units of its numbers."""
        key = id(scope), text
        if key not in self._texts:
            self._scopes[id(scope)] = scope
            self._texts[key] = self._with_units(text, scope)
        return self._texts[key]

    def _with_units(self, text: str, scope: Scope) -> str:
        quantities: list[tuple[Number, Measure | None]] = []
        for item in comparisons(text):
            measure = self.units.of(item.left, scope) or self.units.of(item.right, scope)
            quantities += self._quantities(item.left, measure, scope)
            quantities += self._quantities(item.right, measure, scope)
        rewritten = _replace_places(text, quantities)
        return _FACTOR.sub(lambda factor: group(int(factor[0])), rewritten)

    def value(self, text: str, measure: Measure | None, scope: Scope) -> str:
        """Return an expression that measures something with the units of its numbers."""
        term = expression(text)
        return text if term is None else _replace_places(text, self._quantities(term, measure, scope))

    def _quantities(self, term: Expression, measure: Measure | None, scope: Scope) -> _Quantities:
        """Yield the numbers of an expression that are added, compared or met, with what each measures."""
        if isinstance(term, Number):
            yield term, measure
        elif isinstance(term, Name):
            if term.example is not None:
                yield term.example, self.units.of_name(term.text, scope) or measure
        elif term.sign in ("+", "-", "min"):
            left, right = self._sides(term, measure, scope)
            yield from self._quantities(term.left, left, scope)
            yield from self._quantities(term.right, right, scope)
        else:
            yield from self._factors(term, scope)

    def _sides(
        self, operation: Operation, measure: Measure | None, scope: Scope
    ) -> tuple[Measure | None, Measure | None]:
        """Return what numbers on both sides of a sum or difference measure."""
        own = self.units.of(operation, scope) or measure
        if own is None or own.kind not in DISTANCE:
            return own, own
        span = DISTANCE[own.kind]
        if operation.sign == "min":
            return own, own
        if self.units.of(operation.left, scope) == own:
            return own, span
        return (span, own) if self.units.of(operation.right, scope) == own else (None, None)

    def _factors(self, operation: Operation, scope: Scope) -> _Quantities:
        """Yield the values that names met in a product or a quotient; numbers that are factors have no unit."""
        for part in (operation.left, operation.right):
            if isinstance(part, Name) and part.example is not None:
                yield part.example, self.units.of_name(part.text, scope)
            elif isinstance(part, Operation):
                yield from self._quantities(part, None, scope)


def _replace_places(text: str, quantities: _Quantities | list[tuple[Number, Measure | None]]) -> str:
    """Return a text in which numbers are written otherwise, from its end to its beginning."""
    for number, measure in sorted(quantities, key=lambda item: -item[0].start):
        replacement = group(number.value) if _is_zero(number, measure) else spell(number.value, measure)
        text = text[: number.start] + replacement + text[number.end :]
    return text


def _is_zero(number: Number, measure: Measure | None) -> bool:
    return not number.value and (measure is None or measure.kind is not MeasureKind.PART)
