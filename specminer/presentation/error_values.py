"""Values of errors with their units: what an error tells is what the failed condition compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from specminer.presentation.report_document import HistoryEvidence
from specminer.specification import Specification
from specminer.specification.measure import Measure, spell
from specminer.specification.quantity_parsing import expression
from specminer.specification.unit_inference import Units, scope_of

_ERROR: Final = re.compile(r"([A-Za-z_$][\w$]{0,99})\(([^()\"']{0,1000})\)")
"""An error with its values."""
_DIGITS: Final = re.compile(r"\d{1,78}")
_TELLING: Final = 10_000
"""Smaller values are equal by chance."""
_Place = tuple[str, str, int]
"""A function, an error, and the place of a value of it."""


@dataclass(frozen=True, slots=True)
class ErrorUnits:
    """What the values of errors measure."""

    measures: Mapping[_Place, Measure]
    """By function, error and place, of those where every rejected call that can be compared agrees."""

    def spell(self, function: str, text: str) -> str:
        """Return the reason of a rejection with units; values of which nothing is known in groups of digits."""
        return _ERROR.sub(lambda found: self._spell(function, found), text)

    def _spell(self, function: str, found: re.Match[str]) -> str:
        shown = [
            self._value(part.strip(), self.measures.get((function, found[1], place)))
            for place, part in enumerate(found[2].split(","))
        ]
        return f"{found[1]}({', '.join(shown)})"

    def _value(self, text: str, measure: Measure | None) -> str:
        return spell(int(text), measure) if _DIGITS.fullmatch(text) else text


def error_units(spec: Specification, evidence: HistoryEvidence, units: Units) -> ErrorUnits:
    """Compare what errors told with what the conditions compared that failed in the same transactions."""
    compared = dict(_compared(spec, units))
    agreed: dict[_Place, Measure] = {}
    refuted: set[_Place] = set()
    for function, transaction, text in _told(spec, evidence):
        met = compared.get((function, transaction))
        error = _ERROR.fullmatch(text.removesuffix("."))
        if met is None or error is None:
            continue
        for place, part in enumerate(error[2].split(",")):
            if not _DIGITS.fullmatch(part.strip()) or int(part) < _TELLING:
                continue
            key, measures = (function, error[1], place), met.get(int(part), frozenset())
            if len(measures) == 1 and agreed.setdefault(key, next(iter(measures))) in measures:
                continue
            refuted.add(key)
    return ErrorUnits({key: measure for key, measure in agreed.items() if key not in refuted})


def _compared(
    spec: Specification, units: Units
) -> Iterator[tuple[tuple[str, str], dict[int, frozenset[Measure]]]]:
    """Yield for functions and transactions the values that failed conditions compared, with what they measure."""
    found: dict[tuple[str, str], dict[int, frozenset[Measure]]] = {}
    for guard in spec.guards:
        scope = scope_of(guard)
        for witness in (
            item for reason in guard.reasons for cause in reason.causes for item in cause.witnesses
        ):
            values = found.setdefault((guard.scope, witness.transaction), {})
            for term, value in witness.values.items():
                parsed = expression(term)
                measure = None if parsed is None else units.of(parsed, scope)
                if measure is not None and _DIGITS.fullmatch(value):
                    values[int(value)] = values.get(int(value), frozenset()) | {measure}
    yield from found.items()


def _told(spec: Specification, evidence: HistoryEvidence) -> Iterable[tuple[str, str, str]]:
    """Yield functions, transactions of rejected calls, and what these told."""
    for item in evidence.rejections.items:
        yield item.function, item.first.transaction, item.example
    for edge, taken in zip(spec.transitions, evidence.transitions, strict=True):
        for example in taken.examples:
            yield edge.function, example.transaction, example.reason
