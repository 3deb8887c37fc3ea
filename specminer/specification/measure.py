"""What a number measures, and how it is written then."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from specminer._support.units import amount, duration, moment, percentage, token_amount

FIRST_TIME: Final = 10**8
"""Unix seconds of 1973: smaller numbers are no dates, though they are compared with the clock."""
_LONG: Final = re.compile(r"""(?<![\w.,'"#…])\d{8,78}(?![\w.,]*\w)(?!['"])""")
"""A number that stands alone."""
GROUPED_FROM: Final = 10_000
"""Numbers from here on have commas between their groups of three digits."""


class MeasureKind(Enum):
    """What a number may measure."""

    WEI = "wei"
    """Ether, counted in wei."""
    TOKEN = "token"
    """A token, counted in its smallest unit."""
    TIME = "time"
    """A moment, in Unix seconds."""
    SPAN = "span"
    """A span of time, in seconds."""
    BLOCK = "block"
    """The number of a block."""
    BLOCKS = "blocks"
    """How many blocks lie between two."""
    PART = "part"
    """A part of a whole: what the code multiplies by it, it divides by the whole."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a number measures."""

    kind: MeasureKind
    """What it is."""
    scale: int = 0
    """The decimals of a token, the whole of a part; 0 for others."""
    symbol: str = ""
    """A token's."""


WEI: Final = Measure(MeasureKind.WEI)
TIME: Final = Measure(MeasureKind.TIME)
SPAN: Final = Measure(MeasureKind.SPAN)
BLOCK: Final = Measure(MeasureKind.BLOCK)
BLOCKS: Final = Measure(MeasureKind.BLOCKS)
DISTANCE: Final = {MeasureKind.TIME: SPAN, MeasureKind.BLOCK: BLOCKS}
"""What lies between two of a kind."""
POINT: Final = {MeasureKind.SPAN: TIME, MeasureKind.BLOCKS: BLOCK}
"""Between what the distances of a kind lie."""


def spell(number: int, measure: Measure | None, *, exact: bool = True) -> str:
    """Return a number with its unit; without one, in groups of digits, where nothing is known of it.

    Args:
        number: the number.
        measure: what it measures.
        exact: whether all digits of an amount are told, rather than six with ``≈`` before them.

    """
    if measure is None or not number:
        return group(number)
    match measure.kind:
        case MeasureKind.WEI:
            return amount(str(number), exact=exact)
        case MeasureKind.TOKEN:
            return f"{token_amount(number, measure.scale, exact=exact)} {measure.symbol or 'tokens'}"
        case MeasureKind.TIME:
            return _date(number) if number >= FIRST_TIME else group(number)
        case MeasureKind.SPAN:
            return duration(number)
        case MeasureKind.BLOCKS:
            return f"{number:,} block{'' if number == 1 else 's'}"
        case MeasureKind.BLOCK:
            return f"{number:,}"
        case MeasureKind.PART:
            return percentage(number, measure.scale)


def spell_text(value: str | None, measure: Measure | None, *, exact: bool = True) -> str:
    """Return a number that a document holds as a text with its unit, as :func:`spell`; nothing if that adds nothing."""
    if measure is None or value is None or len(value) > 80 or not (value.isascii() and value.isdecimal()):
        return ""
    number = spell(int(value), measure, exact=exact)
    return "" if number == value else number


def group(number: int) -> str:
    """Return a number of which nothing is known: from 10,000 on with commas."""
    return f"{number:,}" if abs(number) >= GROUPED_FROM else str(number)


def group_digits(text: str) -> str:
    """Return a text whose long numbers in one piece have commas; what is quoted, or part of a word, stays."""
    return _LONG.sub(lambda match: group(int(match[0])), text)


def _date(number: int) -> str:
    """Return a moment in UTC, to the second unless it is a full minute; numbers beyond all calendars as they are."""
    text = moment(number, seconds=bool(number % 60))
    return f"{text} UTC" if text else group(number)
