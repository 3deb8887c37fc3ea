"""Finds amounts, times and spans in a text for people, and says what number each of them is exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Final

from specminer.specification import TokenSummary

_EXACT: Final = Context(prec=400)
_NUMBER: Final = r"(?<![\w.,≈])(?<!≈ )(-?\d{1,3}(?:,\d{3}){0,30}(?:\.\d{1,80})?)"
_UNITS: Final = {"gwei": 9, "ETH": 18}
_SECONDS: Final = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
_PART: Final = re.compile(r"([\d,]+) (day|hour|minute|second)s?")
_SPAN: Final = (
    r"(?<![\w.,≈])(?<!≈ )(-?\d[\d,]* (?:day|hour|minute)s?(?: \d+ (?:hour|minute|second)s?){0,3})\b"
)
_DATE: Final = r"\b(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC)"


@dataclass(frozen=True, slots=True)
class ExactValue:
    """A place in a text, and the number that it tells."""

    start: int
    end: int
    text: str
    """The number with the unit in which the chain counts: ``500,000,000,000,000,000 wei``."""


def exact_values(text: str, token: TokenSummary | None = None) -> Iterator[ExactValue]:
    """Yield the places of a text that tell a number in a larger unit, in their order; rounded ones (``≈``) are none.

    Args:
        text: a text for people.
        token: what the contract counts, if it is a token with decimals.

    """
    units = dict(_UNITS)
    if token is not None and token.symbol.isalnum() and token.decimals <= 80:
        units.setdefault(token.symbol, token.decimals)
    names = "|".join(map(re.escape, units))
    pattern = re.compile(rf"{_NUMBER} ({names})\b|{_SPAN}|{_DATE}")
    for match in pattern.finditer(text):
        number, unit, span, date = match.groups()
        if unit is not None:
            smallest = _EXACT.scaleb(Decimal(number.replace(",", "")), units[unit])
            if smallest == smallest.to_integral_value(context=_EXACT):
                yield ExactValue(match.start(), match.end(), f"{int(smallest):,} {_smallest(unit)}")
        elif span is not None:
            yield ExactValue(match.start(), match.end(), f"{_seconds(span):,} seconds")
        elif date is not None:
            yield from _moment(match)


def _smallest(unit: str) -> str:
    return "wei" if unit in _UNITS else f"of the smallest unit of {unit}"


def _seconds(span: str) -> int:
    total = sum(int(count.replace(",", "")) * _SECONDS[unit] for count, unit in _PART.findall(span))
    return -total if span.startswith("-") else total


def _moment(match: re.Match[str]) -> Iterator[ExactValue]:
    try:
        time = datetime.strptime(match[0], "%Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC)
    except ValueError:
        return
    yield ExactValue(match.start(), match.end(), f"Unix time {int(time.timestamp())}")
