"""Files that list transactions and internal calls: told apart by what they hold, and put together by contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

from specminer.chain.exported import ExportedCall, ExportedTransaction
from specminer.chain.listings import Listing, World, main_contract, merge_lists
from specminer.chain.txlist import lists_calls, read_calls, read_transactions
from specminer.trace import NO_ADDRESS, Address

_CHECKED: Final = 1_000
"""Internal calls that are looked at to tell whose list they are."""

Codes = Callable[[Address | None], dict[Address, bytes]]


def read_world(paths: Sequence[Path], codes: Codes) -> World:
    """Read lists of transactions and of internal calls, in any order; calls belong to the contract that they concern.

    ``codes`` tells the runtime code of the first contract, if it was given.

    Raises:
        FileFormatError: a file is malformed, empty, or contradicts another.

    """
    listed: list[Listing] = []
    inner: list[tuple[Path, tuple[ExportedCall, ...]]] = []
    for path in paths:
        calls = lists_calls(path)
        if calls or (calls is None and len(paths) > 1):
            inner.append((path, read_calls(path)))
        else:
            transactions = read_transactions(path)
            listed.append(Listing(owner=_owner(transactions), origin=str(path), transactions=transactions))
    owners = {item.owner for item in listed}
    for path, found in inner:
        if found:
            listed.append(Listing(owner=_concerned(found, owners), origin=str(path), calls=found))
    lists = [_joined([item for item in listed if item.owner == owner]) for owner in _each(listed)]
    return World(lists=tuple(lists), codes=codes(next((item.owner for item in lists), None)))


def _each(lists: Sequence[Listing]) -> list[Address]:
    return list(dict.fromkeys(item.owner for item in lists))


def _joined(lists: Sequence[Listing]) -> Listing:
    """Return the files of one contract as one list: its pages, its internal calls."""
    if len(lists) == 1:
        return lists[0]
    merged = merge_lists(lists)
    return Listing(
        owner=lists[0].owner,
        origin=lists[0].origin,
        transactions=merged.transactions,
        calls=merged.calls,
    )


def _owner(transactions: Sequence[ExportedTransaction]) -> Address:
    """Return the contract whose list this is."""
    main = main_contract(transactions)
    if main is None:  # nothing but creations
        from specminer.chain.execution.records import call_of

        main = call_of(transactions[0]).created
    return main or NO_ADDRESS


def _concerned(calls: Sequence[ExportedCall], owners: Collection[Address]) -> Address:
    """Return the contract whose internal calls these are: one that has a list of transactions, if any is concerned."""
    found: Counter[Address] = Counter()
    for call in calls[:_CHECKED]:
        found.update({item for item in (call.sender, call.to, call.created) if item is not None})
    return min(found, key=lambda item: (item not in owners, -found[item], item))
