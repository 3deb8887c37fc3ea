"""Which code ran when in a proxy's storage, and what changed it: for diamonds, beacons, UUPS, clones and the like.

Nothing here knows a kind of proxy. The traces tell to which contract each call was handed on whole. A transaction
changed that if it wrote the address of such a contract into the proxy's storage, or over it, whatever the slot. Where
none did and a function's calls went to another contract all the same, something outside changed it: a beacon, or a
delegation.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.decoding.standard_slots import proxy_slots
from specminer.history.contract_history import CONSTRUCTOR, MISSING, History, IntColumn
from specminer.history.trace import Address
from specminer.specification import ImplementationChange, ImplementationSummary

MAX_FUNCTIONS: Final = 60
"""Functions that are named of one implementation."""
MAX_CHANGES: Final = 1_000
"""Changes that are told."""
_ADDRESS: Final = (1 << 160) - 1


@dataclass(slots=True)
class _Change:
    """What one transaction did to the addresses of implementations."""

    row: int
    """The first invocation that wrote one."""
    overwritten_addresses: set[Address] = field(default_factory=set)
    """Addresses that were overwritten."""
    written_addresses: set[Address] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handed:
    """A call that a proxy handed on."""

    row: int
    code: Address


_HandedRows = dict[tuple[int, Address], IntColumn]
"""Rows of the calls that were handed on whole, ascending, by the contract's place in the history and whose code ran."""


def history_of_code(
    context: HistoryContext,
) -> tuple[tuple[ImplementationSummary, ...], tuple[ImplementationChange, ...]]:
    """Return the contracts to which whole calls were handed on, and what changed that.

    The former stand in the order in which they ran first, the latter in chain order; both are empty for what is no
    proxy.
    """
    rows_by_code = _handed_rows(context.history)
    return (_summaries(context, rows_by_code), _changes(context, rows_by_code)) if rows_by_code else ((), ())


def _handed_rows(history: History) -> _HandedRows:
    rows = np.flatnonzero(history.invocation_kind != CONSTRUCTOR)
    if not len(rows):
        return {}
    owners, codes = history.invocation_contract[rows].astype(np.int64), history.invocation_code[rows]
    pairs, group, counts = np.unique(
        owners * len(history.addresses) + codes, return_inverse=True, return_counts=True
    )
    parts = np.split(rows[np.argsort(group, kind="stable")], np.cumsum(counts)[:-1])
    rows_by_code: _HandedRows = {}
    for pair, part in zip(pairs.tolist(), parts, strict=True):
        owner, code = divmod(pair, len(history.addresses))
        if history.addresses[code] != history.contracts[owner].address:
            rows_by_code[owner, history.addresses[code]] = part
    return rows_by_code


def _summaries(context: HistoryContext, rows_by_code: _HandedRows) -> tuple[ImplementationSummary, ...]:
    history, calls = context.history, context.calls
    parts: dict[Address, list[IntColumn]] = defaultdict(list)
    for (_, code), rows in rows_by_code.items():
        parts[code].append(rows)
    summaries = []
    for code, own in parts.items():
        rows = np.concatenate(own)
        blocks = history.transaction_block[history.invocation_transaction[rows]]
        names = sorted({calls.functions[function] for function in np.unique(calls.function[rows]).tolist()})
        summaries.append(
            ImplementationSummary(
                address=checksum_address(code),
                first_block=int(blocks.min()),
                last_block=int(blocks.max()),
                calls=len(rows),
                functions=tuple(names[:MAX_FUNCTIONS]),
            )
        )
    return tuple(sorted(summaries, key=lambda item: (item.first_block, item.address)))


def _changes(context: HistoryContext, rows_by_code: _HandedRows) -> tuple[ImplementationChange, ...]:
    storage_changes = _written_changes(context.history, {code for _, code in rows_by_code})
    changes: list[tuple[int, ImplementationChange]] = []
    for (contract, _), change in storage_changes.items():
        if change.overwritten_addresses != change.written_addresses:
            changes.append((change.row, _told_change(context, contract, change)))
    contracts = Counter(contract for contract, _ in rows_by_code)
    for contract in (contract for contract, codes in contracts.items() if codes > 1):
        calls = [
            _Handed(row=row, code=code)
            for (owner, code), rows in rows_by_code.items()
            if owner == contract
            for row in rows.tolist()
        ]
        own = [change for (owner, _), change in storage_changes.items() if owner == contract]
        changes += _outside_changes(context, contract, sorted(calls, key=lambda call: call.row), own)
    return tuple(change for _, change in sorted(changes, key=lambda item: item[0]))[:MAX_CHANGES]


def _written_changes(history: History, implementations: set[Address]) -> dict[tuple[int, int], _Change]:
    """Return what transactions wrote of implementations' addresses, by contract and row of the transaction."""
    words = _words_with(history, implementations)
    writes = history.access_write & ~history.access_undone
    writes &= history.accepted[history.access_invocation]
    slots = [
        row for row in np.unique(history.access_slot[writes]).tolist() if history.words[row] in proxy_slots()
    ]
    writes &= (
        np.isin(history.access_slot, slots)
        | np.isin(history.access_before, list(words))
        | np.isin(history.access_after, list(words))
    )
    changes: dict[tuple[int, int], _Change] = {}
    for row in np.flatnonzero(writes).tolist():
        before, after = int(history.access_before[row]), int(history.access_after[row])
        fixed = int(history.access_slot[row]) in slots
        over = _addresses_in(history, before, words, fixed=fixed)
        into = _addresses_in(history, after, words, fixed=fixed)
        if over == into:
            continue
        invocation = int(history.access_invocation[row])
        key = int(history.invocation_contract[invocation]), int(history.invocation_transaction[invocation])
        change = changes.setdefault(key, _Change(row=invocation))
        change.overwritten_addresses |= over
        change.written_addresses |= into
    return changes


def _words_with(history: History, implementations: Iterable[Address]) -> Mapping[int, frozenset[Address]]:
    """Return the words that hold an implementation's address somewhere, by row, with the addresses."""
    addresses_by_word: dict[int, frozenset[Address]] = {}
    address_by_number = {int.from_bytes(address, "big"): address for address in implementations}
    word_rows = np.unique(
        np.concatenate(
            [history.access_before[history.access_write], history.access_after[history.access_write]]
        )
    )
    for row in word_rows[word_rows != MISSING].tolist():
        word = history.words[row]
        if word < 1 << 64:
            continue
        inside = {address_by_number.get(word >> 8 * shift & _ADDRESS) for shift in range(13)} - {None}
        if inside:
            addresses_by_word[row] = frozenset(address for address in inside if address is not None)
    return addresses_by_word


def _addresses_in(
    history: History, row: int, words: Mapping[int, frozenset[Address]], *, fixed: bool
) -> frozenset[Address]:
    """Return the implementations whose address a word holds; any address, in a slot that holds nothing else."""
    if fixed and row != MISSING:
        word = history.words[row]
        return frozenset() if not word else frozenset((Address((word & _ADDRESS).to_bytes(20, "big")),))
    return words.get(row, frozenset())


def _told_change(context: HistoryContext, contract: int, change: _Change) -> ImplementationChange:
    history = context.history
    transaction = int(history.invocation_transaction[change.row])
    return ImplementationChange(
        contract=checksum_address(history.contracts[contract].address),
        block=int(history.transaction_block[transaction]),
        transaction=f"0x{history.transaction_hash[transaction].hex()}",
        function=context.calls.name(change.row),
        added=_checksum_addresses(change.written_addresses - change.overwritten_addresses),
        removed=_checksum_addresses(change.overwritten_addresses - change.written_addresses),
    )


def _outside_changes(
    context: HistoryContext, contract: int, calls: list[_Handed], storage_changes: list[_Change]
) -> Iterator[tuple[int, ImplementationChange]]:
    """Yield the changes that nothing in the contract's own storage explains, with the call that shows each."""
    history = context.history
    last: dict[bytes, _Handed] = {}
    reported_codes: list[tuple[int, Address]] = []
    transactions = history.invocation_transaction
    for item in calls:
        selector = history.invocation_data[item.row][:4]
        before = last.get(selector)
        last[selector] = item
        if before is None or before.code == item.code:
            continue
        span = int(transactions[before.row]), int(transactions[item.row])
        if any(span[0] <= int(transactions[change.row]) <= span[1] for change in storage_changes):
            continue
        if any(span[0] < int(transactions[row]) and code == item.code for row, code in reported_codes):
            continue  # another function showed it before
        reported_codes.append((item.row, item.code))
        older = max(
            (other.row for other in calls if other.code == before.code and other.row < item.row),
            default=before.row,
        )
        yield (
            item.row,
            ImplementationChange(
                contract=checksum_address(history.contracts[contract].address),
                block=int(history.transaction_block[span[1]]),
                after_block=int(history.transaction_block[int(transactions[older])]),
                beacon=_beacon(history, item),
                added=_checksum_addresses((item.code,)),
                removed=_checksum_addresses((before.code,)),
            ),
        )


def _beacon(history: History, item: _Handed) -> str | None:
    """Return the contract that told a proxy, in a call, whose code to run; ``None`` if none did."""
    columns = history.answers
    if columns is None or columns.invocation_calls[item.row] == MISSING:
        return None
    word = item.code.rjust(32, b"\0")
    rows = columns.calls(item.row)
    for row in range(rows.start, rows.stop):
        if columns.call_succeeded[row] and columns.outputs[int(columns.call_output[row])] == word:
            return checksum_address(history.addresses[int(columns.call_to[row])])
    return None


def _checksum_addresses(addresses: Iterable[Address]) -> tuple[str, ...]:
    return tuple(checksum_address(address) for address in sorted(addresses))
