"""Amounts, times and spans of time as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Final

from specminer._support.errors import plain

_EXACT: Final = Context(prec=400)
"""Holds every amount that can be written down here: words have 78 digits."""
_MOST_DECIMALS: Final = 80
"""Of a token: more are nonsense, as words have 78 digits."""
_LAST_YEAR: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_GWEI: Final = 10**9
_ETHER_FROM: Final = 10**14
"""Wei: smaller amounts of at least a gwei are told in gwei."""
_SPANS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def moment(timestamp: int | None, *, seconds: bool = False) -> str:
    """Return a time in UTC, ``2018-03-01 12:30``; nothing where it is not known."""
    if timestamp is None or not 0 <= timestamp < _LAST_YEAR:
        return ""
    return datetime.fromtimestamp(timestamp, UTC).strftime(
        "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    )


def day(timestamp: int | None) -> str:
    """Return the day of a time in UTC, ``2018-03-01``; nothing where it is not known."""
    return moment(timestamp).partition(" ")[0]


def duration(seconds: int) -> str:
    """Return a span of time, exact: ``3 days``, ``1 hour 30 minutes``, ``-1 second``."""
    rest, parts = abs(seconds), list[str]()
    for size, name in _SPANS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:,} {name if count == 1 else f'{name}s'}")
    return ("-" if seconds < 0 else "") + (" ".join(parts) or "0 seconds")


def amount(wei: str, *, exact: bool = False) -> str:
    """Return wei for people: ``12 wei``, ``3 gwei``, ``0.5 ETH``.

    Args:
        wei: decimal digits; another text is returned as it is, made harmless.
        exact: whether all digits are told, rather than six with ``≈`` before them.

    """
    try:
        number = int(wei)
    except ValueError:
        return plain(wei, 80)
    if abs(number) < _GWEI:
        return f"{number:,} wei"
    decimals, unit = (9, "gwei") if abs(number) < _ETHER_FROM else (18, "ETH")
    return f"{_shift_point(number, decimals, exact=exact)} {unit}"


def token_amount(number: int, decimals: int | None, *, exact: bool = False) -> str:
    """Return an amount of a token for people, without its unit; in its smallest unit if its decimals are not known."""
    if not decimals or decimals > _MOST_DECIMALS:
        return f"{number:,}"
    return _shift_point(number, decimals, exact=exact)


def percentage(number: int, whole: int) -> str:
    """Return a part of a whole, a power of ten: 250 of 10,000 is ``2.5%``."""
    return f"{_EXACT.divide(Decimal(100 * number), Decimal(whole)).normalize(_EXACT):,f}%"


def _shift_point(number: int, decimals: int, *, exact: bool) -> str:
    """Return a number with its point moved; to six digits unless exact, ``≈`` where that is not the same."""
    value = _EXACT.divide(Decimal(number), Decimal(10**decimals))
    digits = Decimal(1).scaleb(-decimals if exact else -max(0, 5 - value.adjusted()))
    rounded = _EXACT.quantize(value, digits)
    text = f"{rounded:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{'' if rounded == value else '≈ '}{text}"
