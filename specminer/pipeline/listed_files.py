"""Files that list transactions and internal calls: told apart by what they hold, and put together by contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from specminer._support.errors import FileFormatError, plain
from specminer._support.text import count_of, list_some
from specminer.history.trace import NO_ADDRESS, Address, Hash
from specminer.sources.export_fields import RecordError
from specminer.sources.export_supplements import BlockRow, Receipt, RecordKind, complete_all
from specminer.sources.exported import ExportedCall, ExportedTransaction
from specminer.sources.listings import ListedWorld, Listing, main_contract, merge_lists
from specminer.sources.nested_traces import read_nested
from specminer.sources.saved_traces import SavedTraces, read_saved, read_trace_table
from specminer.sources.state_dumps import ChainState, read_state
from specminer.sources.storage_diffs import StorageDiffs, add_diffs, read_diffs
from specminer.sources.txlist import (
    FileKind,
    kind_of,
    kind_of_records,
    read_blocks,
    read_calls,
    read_receipts,
    read_transactions,
)

_MAX_NAMES: Final = 3
"""Files that a message names."""
_CHECKED: Final = 1_000
"""Internal calls that are looked at to tell whose list they are."""

Codes = Callable[[Address | None], dict[Address, bytes]]


def read_world(paths: Sequence[Path], codes: Codes, note: Callable[[str], None]) -> ListedWorld:
    """Read lists of transactions and of internal calls, in any order; calls belong to the contract that they concern.

    Tables of receipts and blocks complete the transactions; ``note`` hears of files that are not used. ``codes`` tells
    the runtime code of the first contract, if it was given.

    Raises:
        FileFormatError: a file is malformed, empty, or contradicts another.

    """
    listings: list[Listing] = []
    inner: list[tuple[Path, tuple[ExportedCall, ...]]] = []
    receipts: dict[Hash, Receipt] = {}
    blocks: dict[int, BlockRow] = {}
    traces: SavedTraces = {}
    diffs: StorageDiffs = {}
    state: ChainState | None = None
    for path in paths:
        kind = kind_of(path)
        if kind is FileKind.SAVED:
            _add_traces(traces, read_saved(path))
            continue
        if kind is FileKind.STATE:
            if state is not None:
                raise FileFormatError(f"{plain(path)} is a second file of a state; give one")
            state = read_state(path)
            continue
        if kind is FileKind.NESTED:
            nested = read_nested(path)
            inner.append((path, tuple(nested.calls)))
            add_diffs(diffs, nested.diffs)
            if nested.unplaced and not nested.diffs:
                note(
                    f"{plain(path)} does not tell the blocks of {count_of(nested.unplaced, 'call')}, which are not "
                    "used; trace_block and trace_transaction tell them"
                )
            continue
        match kind_of_records(path):
            case RecordKind.CALL:
                inner.append((path, read_calls(path)))
            case RecordKind.TRACE:
                _add_traces(traces, read_trace_table(path))
            case RecordKind.RECEIPT:
                receipts |= read_receipts(path)
            case RecordKind.BLOCK:
                blocks |= read_blocks(path)
            case RecordKind.STORAGE_READ | RecordKind.STORAGE_DIFF:
                add_diffs(diffs, read_diffs(path))
            case RecordKind.LOG:
                note(f"{plain(path)} holds logs, which are not used; transactions are executed again")
            case RecordKind.UNUSED:
                note(
                    f"{plain(path)} is a table that is not used; transactions, blocks, traces and storage differences "
                    "are read (docs/how-to/formats.md)"
                )
            case None if len(paths) > 1:
                pass
            case _:
                transactions = read_transactions(path, note)
                listings.append(
                    Listing(owner=_owner(transactions), origin=str(path), transactions=transactions)
                )
    listings = [_complete(item, receipts, blocks) for item in listings]
    owners = {item.owner for item in listings}
    for path, calls in inner:
        if calls:
            listings.append(Listing(owner=_find_owner(calls, owners), origin=str(path), calls=calls))
    if not listings and not traces:
        names = [plain(path) for path in paths[:_MAX_NAMES]]
        raise FileFormatError(
            f"{list_some(names, len(paths))} hold no transactions and no internal calls; give the list or "
            "table of the contract's transactions as well"
        )
    lists = [_join_files([item for item in listings if item.owner == owner]) for owner in _each(listings)]
    owner = next((item.owner for item in lists), None)
    return ListedWorld(lists=tuple(lists), codes=codes(owner), traces=traces, state=state, diffs=diffs)


def _add_traces(traces: SavedTraces, more: SavedTraces) -> None:
    for transaction, answers in more.items():
        traces.setdefault(transaction, {}).update(answers)


def _complete(listing: Listing, receipts: Mapping[Hash, Receipt], blocks: Mapping[int, BlockRow]) -> Listing:
    try:
        return replace(listing, transactions=complete_all(listing.transactions, receipts, blocks))
    except RecordError as error:
        raise FileFormatError(f"{plain(listing.origin)}: {error}") from None


def _each(lists: Sequence[Listing]) -> list[Address]:
    return list(dict.fromkeys(item.owner for item in lists))


def _join_files(lists: Sequence[Listing]) -> Listing:
    """Return the files of one contract as one list: its pages, its internal calls."""
    if len(lists) == 1:
        return lists[0]
    merged_list = merge_lists(lists)
    return Listing(
        owner=lists[0].owner,
        origin=lists[0].origin,
        transactions=merged_list.transactions,
        calls=merged_list.calls,
    )


def _owner(transactions: Sequence[ExportedTransaction]) -> Address:
    """Return the contract whose list this is."""
    main = main_contract(transactions)
    if main is None:  # nothing but creations
        from specminer.replay.records import call_of

        main = call_of(transactions[0]).created
    return main or NO_ADDRESS


def _find_owner(calls: Sequence[ExportedCall], owners: Collection[Address]) -> Address:
    """Return the contract whose internal calls these are: one that has a list of transactions, if any is concerned."""
    counts: Counter[Address] = Counter()
    for call in calls[:_CHECKED]:
        counts.update({item for item in (call.sender, call.to, call.created) if item is not None})
    return min(counts, key=lambda item: (item not in owners, -counts[item], item))
