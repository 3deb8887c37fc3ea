"""Tells in which unit a block's time is given."""

from __future__ import annotations

from typing import Final

LAST_SECOND: Final = 253_402_300_800
"""Unix seconds of the year 10000: a number beyond is no time in seconds."""
_UNITS: Final = ((10**17, 10**9), (10**14, 10**6), (LAST_SECOND, 10**3))
"""From which number on a time is in nano-, micro- and milliseconds, and how many of them a second has."""


def unix_seconds(number: int) -> int:
    """Return a time in Unix seconds; some chains, and tables on the way, count in smaller units."""
    return next((number // unit for least, unit in _UNITS if number >= least), number)
