"""Amounts and times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Context, Decimal
from typing import Final

from specminer.errors import plain

_EXACT: Final = Context(prec=400)
"""Holds every amount that can be written down here: words have 78 digits."""
_MOST_DECIMALS: Final = 80
"""Of a token: more are nonsense, as words have 78 digits."""
_LAST_YEAR: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def moment(timestamp: int | None, *, seconds: bool = False) -> str:
    """Return a time in UTC, ``2018-03-01 12:30``; nothing where it is not known."""
    if timestamp is None or not 0 <= timestamp < _LAST_YEAR:
        return ""
    return datetime.fromtimestamp(timestamp, UTC).strftime(
        "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    )


def amount(wei: str) -> str:
    """Return wei for people: ``12 wei``, ``0.5 ETH``; ether to six digits, ``≈`` where that is not exact."""
    try:
        number = int(wei)
    except ValueError:
        return plain(wei, 80)
    return f"{number:,} wei" if abs(number) < 10**9 else f"{_scaled(number, 18)} ETH"


def token_amount(number: int, decimals: int | None) -> str:
    """Return an amount of a token for people, without its unit; in its smallest unit if its decimals are not known."""
    return f"{number:,}" if not decimals or decimals > _MOST_DECIMALS else _scaled(number, decimals)


def _scaled(number: int, decimals: int) -> str:
    """Return a number with its point moved, to six digits, ``≈`` where that is not exact."""
    exact = _EXACT.divide(Decimal(number), Decimal(10**decimals))
    shown = _EXACT.quantize(exact, Decimal(1).scaleb(-max(0, 5 - exact.adjusted())))
    text = f"{shown:,f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{'' if shown == exact else '≈ '}{text}"
