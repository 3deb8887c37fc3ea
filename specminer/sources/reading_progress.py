"""What reading a chain tells whoever watches it. Here, so that an observer needs to load nothing that reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specminer.sources.way import Way


class ListingKind(Enum):
    """Which list of an explorer."""

    TRANSACTIONS = "txlist"
    CALLS = "txlistinternal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Told to the observer after each group of transactions."""

    block: int
    """All blocks before this one are done."""
    first: int
    last: int
    transactions: int
    retries: int = 0
    """Requests that were sent again so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Told to the observer before long work."""

    blocks: int
    requests: int
    """To find the transactions; each transaction found takes about four more."""
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRead:
    """Told to the observer while a list is read."""

    listing: ListingKind
    records: int
    """Read so far, those of earlier runs included."""
    block: int
    """The last one read."""
