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
_MIN_VALUE: Final = 10_000
"""Smaller values are equal by chance."""
_ArgumentKey = tuple[str, str, int]
"""A function, an error, and the place of a value of it."""


@dataclass(frozen=True, slots=True)
class ErrorUnits:
    """What the values of errors measure."""

    measures: Mapping[_ArgumentKey, Measure]
    """By function, error and place, of those where every rejected call that can be compared agrees."""

    def spell(self, function: str, text: str) -> str:
        """Return the reason of a rejection with units; values of which nothing is known in groups of digits."""
        return _ERROR.sub(lambda match: self._spell(function, match), text)

    def _spell(self, function: str, match: re.Match[str]) -> str:
        value_texts = [
            self._value(part.strip(), self.measures.get((function, match[1], index)))
            for index, part in enumerate(match[2].split(","))
        ]
        return f"{match[1]}({', '.join(value_texts)})"

    def _value(self, text: str, measure: Measure | None) -> str:
        return spell(int(text), measure) if _DIGITS.fullmatch(text) else text


def error_units(spec: Specification, evidence: HistoryEvidence, units: Units) -> ErrorUnits:
    """Compare what errors told with what the conditions compared that failed in the same transactions."""
    values_by_call = dict(_compared_values(spec, units))
    agreed: dict[_ArgumentKey, Measure] = {}
    refuted: set[_ArgumentKey] = set()
    for function, transaction, text in _read_error_texts(spec, evidence):
        values = values_by_call.get((function, transaction))
        error = _ERROR.fullmatch(text.removesuffix("."))
        if values is None or error is None:
            continue
        for index, part in enumerate(error[2].split(",")):
            if not _DIGITS.fullmatch(part.strip()) or int(part) < _MIN_VALUE:
                continue
            key, measures = (function, error[1], index), values.get(int(part), frozenset())
            if len(measures) == 1 and agreed.setdefault(key, next(iter(measures))) in measures:
                continue
            refuted.add(key)
    return ErrorUnits({key: measure for key, measure in agreed.items() if key not in refuted})


def _compared_values(
    spec: Specification, units: Units
) -> Iterator[tuple[tuple[str, str], dict[int, frozenset[Measure]]]]:
    """Yield for functions and transactions the values that failed conditions compared, with what they measure."""
    values_by_call: dict[tuple[str, str], dict[int, frozenset[Measure]]] = {}
    for guard in spec.guards:
        scope = scope_of(guard)
        for witness in (
            item for reason in guard.reasons for cause in reason.causes for item in cause.witnesses
        ):
            values = values_by_call.setdefault((guard.scope, witness.transaction), {})
            for term, value in witness.values.items():
                parsed = expression(term)
                measure = None if parsed is None else units.of(parsed, scope)
                if measure is not None and _DIGITS.fullmatch(value):
                    values[int(value)] = values.get(int(value), frozenset()) | {measure}
    yield from values_by_call.items()


def _read_error_texts(spec: Specification, evidence: HistoryEvidence) -> Iterable[tuple[str, str, str]]:
    """Yield functions, transactions of rejected calls, and what these told."""
    for item in evidence.rejections.items:
        yield item.function, item.first.transaction, item.example
    for edge, use in zip(spec.transitions, evidence.transitions, strict=True):
        for example in use.examples:
            yield edge.function, example.transaction, example.reason
