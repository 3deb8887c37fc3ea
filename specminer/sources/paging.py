"""Reads a whole list from an explorer, page by page, so that nothing is lost and nothing comes twice.

An explorer gives at most a page at a time, and only the first 10,000 records from a starting block. So the
next page is asked for from the block of the last record on, and what of that block came before is dropped; only a
block that fills a whole page is read by page numbers. That also makes a list that was cut anywhere continue
where it stopped, and shows whether the explorer still tells the same.

A page that is shorter than asked for is the end, unless the explorer gives shorter pages than it is
asked for: so if the very first one is short, what would follow it is asked for once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from specminer._support.errors import ChainError, InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address, Hash
from specminer.sources.explorer import ExplorerClient, TooMuch
from specminer.sources.export_blocks import BLOCK_FIELDS
from specminer.sources.export_fields import RecordError
from specminer.sources.exported import (
    ExportedCall,
    ExportedTransaction,
    call_of,
    check_follows,
    transaction_of,
)
from specminer.sources.reading_progress import ListingKind

PAGE: Final = 1_000
"""Records of a page: what a free key gets at most."""
LEAST_PAGE: Final = 10
WINDOW: Final = 10_000
"""Records from a starting block that an explorer gives at most."""
MAX_RECORDS: Final = 2_000_000
"""Of a list; an explorer that goes on after that is not believed."""
NO_END: Final = 9_999_999_999
"""The last block asked for where the newest is not known."""


_KEPT_FIELDS: Final[Mapping[ListingKind, tuple[str, ...]]] = {
    ListingKind.TRANSACTIONS: (
        "blockNumber",
        "blockHash",
        "timeStamp",
        "hash",
        "nonce",
        "transactionIndex",
        "from",
        "to",
        "value",
        "gas",
        "gasPrice",
        "gasUsed",
        "isError",
        "txreceipt_status",
        "input",
        "contractAddress",
        *BLOCK_FIELDS,
    ),
    ListingKind.CALLS: (
        "blockNumber",
        "timeStamp",
        "hash",
        "transactionHash",
        "from",
        "to",
        "value",
        "contractAddress",
        "input",
        "type",
        "callType",
        "gas",
        "gasUsed",
        "traceId",
        "index",
        "isError",
        "errCode",
        *BLOCK_FIELDS,
    ),
}
"""What of a record is kept; the rest (such as the number of confirmations) changes or is not needed."""


class ChangedListing(ChainError):
    """The explorer no longer tells what it told before: the chain was reorganised, or it tells lies."""


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record: the text that is kept, and what it says."""

    text: bytes
    item: ExportedTransaction | ExportedCall


def keep_record(listing: ListingKind, fields: Mapping[str, Any]) -> KeptRecord:
    """Return what is kept of a record.

    Raises:
        RecordError: a field is missing or malformed.

    """
    item = transaction_of(fields, 0) if listing is ListingKind.TRANSACTIONS else call_of(fields, 0)
    kept_fields = {name: fields[name] for name in _KEPT_FIELDS[listing] if name in fields}
    return KeptRecord(msgspec.json.encode(kept_fields, order="sorted"), item)


class Pages:
    """One list of one contract, in the blocks ``first .. last``; :meth:`new` yields what is not known yet."""

    def __init__(
        self, explorer: ExplorerClient, listing: ListingKind, address: Address, first: int, last: int
    ) -> None:
        self.complete = True
        """False once the explorer said that it has not processed all blocks."""
        self._explorer = explorer
        self._listing = listing
        self._address = address
        self._last = last
        self._start = first
        self._size = PAGE
        self._tail: Counter[bytes] = Counter()
        """What was taken of the block ``_start``."""
        self._hashes: set[Hash] = set()
        self._count = 0

    def know(self, records: Iterable[KeptRecord]) -> None:
        """Take in what was read before, in order; reading goes on from its last block."""
        for record in records:
            self._take(record)

    def _take(self, record: KeptRecord) -> None:
        if record.item.block > self._start:
            self._start = record.item.block
            self._tail.clear()
        self._tail[record.text] += 1
        self._count += 1
        if isinstance(record.item, ExportedTransaction):
            self._hashes.add(record.item.hash)

    def new(self) -> Iterator[list[KeptRecord]]:
        """Yield what is new, a page at a time, in the order of blocks.

        Raises:
            NodeUnreachable: no answer, after all tries.
            NodeRefused: the explorer answered with an error.
            InvalidNodeResponse: a page holds what cannot be in it.
            ChangedListing: what was read before is no longer there.

        """
        number, honest = 1, False
        missing = Counter(self._tail)
        while True:
            start = self._start
            try:
                page = self._page(start, number)
            except TooMuch:
                if self._size <= LEAST_PAGE:
                    raise
                self._size, number, missing = max(self._size // 2, LEAST_PAGE), 1, Counter(self._tail)
                continue
            short = len(page) < self._size
            end = short and (honest or not page or not self._gives_short_pages(page, start))
            fresh = self._fresh(page, start, missing)
            if end:  # before anything of a page is handed on that contradicts what came before
                self._check_all_there(missing, start)
            for record in fresh:
                self._take(record)
            if self._count > MAX_RECORDS:
                raise self._invalid_answer(f"it gave more than {MAX_RECORDS:,} records")
            if fresh:
                yield fresh
            if end:
                return
            if short:
                self._size = len(page)
            honest = True
            if self._start > start:
                number, missing = 1, Counter(self._tail)
                continue
            number += 1
            if number * self._size > WINDOW:
                raise NodeRefused(
                    f"{self._explorer.endpoint.label} gives no more than {WINDOW:,} records of block {start}, and "
                    "there are more; collect from a node (--rpc)"
                )

    def _page(self, start: int, number: int, size: int | None = None) -> list[KeptRecord]:
        """Return a page's records, each checked by itself."""
        size = self._size if size is None else size
        records, complete = self._explorer.records(
            self._listing.value,
            self._address,
            startblock=start,
            endblock=self._last,
            page=number,
            offset=size,
        )
        self.complete &= complete
        if len(records) > size:
            raise self._invalid_answer(f"it gave {len(records)} records where {size} were asked for")
        page: list[KeptRecord] = []
        before = start
        for row, fields in enumerate(records, 1):
            try:
                if not isinstance(fields, Mapping):
                    raise RecordError("it should be an object")
                record = keep_record(self._listing, fields)
                block = record.item.block
                if not before <= block <= self._last:
                    raise RecordError(
                        f"blockNumber is {block}, expected {before} to {self._last}: blocks in order, and of the "
                        "range asked for"
                    )
                if self._address not in (record.item.sender, record.item.to, record.item.created):
                    raise RecordError("it does not concern the contract asked for")
            except RecordError as error:
                text = self._explorer.endpoint.redact(error)
                raise self._invalid_answer(f"record {row} of the page from block {start}: {text}") from None
            before = block
            page.append(record)
        return page

    def _fresh(self, page: Sequence[KeptRecord], start: int, missing: Counter[bytes]) -> list[KeptRecord]:
        """Return what of a page is new; ``missing`` is what is still expected of the block ``start``."""
        fresh = []
        for record in page:
            if record.item.block == start and missing[record.text] > 0:
                missing[record.text] -= 1
            else:
                fresh.append(record)
        if page and page[-1].item.block > start:
            self._check_all_there(missing, start)
        hashes: set[Hash] = set()
        for record in fresh:
            if isinstance(record.item, ExportedTransaction):
                if record.item.hash in self._hashes or record.item.hash in hashes:
                    raise ChangedListing(
                        f"{self._explorer.endpoint.label} tells of transaction 0x{record.item.hash.hex()} twice, and "
                        "not the same: the chain was reorganised, or the explorer is not reliable"
                    )
                hashes.add(record.item.hash)
        return fresh

    def _check_all_there(self, missing: Counter[bytes], start: int) -> None:
        if missing.total():
            raise ChangedListing(
                f"{self._explorer.endpoint.label} no longer tells what it told of block {start}: the chain was "
                "reorganised there, or the explorer is not reliable"
            )

    def _gives_short_pages(self, page: Sequence[KeptRecord], start: int) -> bool:
        """Whether more follows a short page: then the explorer gives shorter pages than it is asked for."""
        behind = self._page(start, 2, len(page))
        return bool(behind) and [record.text for record in behind] != [record.text for record in page]

    def _invalid_answer(self, what: str) -> InvalidNodeResponse:
        return InvalidNodeResponse(
            f"{self._explorer.endpoint.label} gave an answer to {self._listing.value} that cannot be: {what}"
        )


def in_order(records: Sequence[KeptRecord]) -> tuple[ExportedTransaction, ...]:
    """Return transactions in the chain's order, numbered; explorers keep the order of blocks, not always within.

    Raises:
        RecordError: they contradict each other.

    """
    items = [record.item for record in records if isinstance(record.item, ExportedTransaction)]
    if all(item.index is not None for item in items):
        items.sort(key=lambda item: (item.block, item.index))
    numbered = [replace(item, record=row) for row, item in enumerate(items, 1)]
    for row in range(1, len(numbered)):
        check_follows(numbered[row], numbered[row - 1])
    return tuple(numbered)
