"""Which code ran when in a proxy's storage, and what changed it: for diamonds, beacons, UUPS, clones and the like.

Nothing here knows a kind of proxy. The traces tell to which contract each call was handed on whole. A transaction
changed that if it wrote the address of such a contract into the proxy's storage, or over it, whatever the slot. Where
none did and a function's calls went to another contract all the same, something outside changed it: a beacon, or a
delegation.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.decoding.standard_slots import proxy_slots
from specminer.history.contract_history import CONSTRUCTOR, MISSING, History
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
    over: set[Address] = field(default_factory=set)
    """Addresses that were overwritten."""
    into: set[Address] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handed:
    """Calls that a proxy handed on, in chain order."""

    row: int
    code: Address


def implementations(context: HistoryContext) -> tuple[ImplementationSummary, ...]:
    """Return the contracts to which whole calls were handed on, in the order in which they ran first."""
    history = context.history
    rows: dict[Address, list[int]] = defaultdict(list)
    for calls in _handed_calls(history).values():
        for item in calls:
            rows[item.code].append(item.row)
    blocks = history.transaction_block[history.invocation_transaction]
    found = []
    for code, own in rows.items():
        ran = blocks[np.array(own)]
        names = sorted({context.calls.name(row) for row in own})
        found.append(
            ImplementationSummary(
                address=checksum_address(code),
                first_block=int(ran.min()),
                last_block=int(ran.max()),
                calls=len(own),
                functions=tuple(names[:MAX_FUNCTIONS]),
            )
        )
    return tuple(sorted(found, key=lambda item: (item.first_block, item.address)))


def implementation_changes(context: HistoryContext) -> tuple[ImplementationChange, ...]:
    """Return what changed the code that answers a proxy's calls, in chain order; nothing if nothing did."""
    history = context.history
    handed = _handed_calls(history)
    known = {item.code for calls in handed.values() for item in calls}
    if not known:
        return ()
    written = _written_changes(history, known)
    found: list[tuple[int, ImplementationChange]] = []
    for (contract, _), change in written.items():
        if change.over != change.into:
            found.append((change.row, _told_change(context, contract, change)))
    for contract, calls in handed.items():
        own = [change for (owner, _), change in written.items() if owner == contract]
        found += _outside_changes(context, contract, calls, own)
    return tuple(change for _, change in sorted(found, key=lambda item: item[0]))[:MAX_CHANGES]


def _handed_calls(history: History) -> dict[int, list[_Handed]]:
    """Return the calls that each contract handed on, by its place in the history."""
    delegated = history.invocation_kind != CONSTRUCTOR
    found: dict[int, list[_Handed]] = defaultdict(list)
    owners, codes = history.invocation_contract.tolist(), history.invocation_code.tolist()
    for row in np.flatnonzero(delegated).tolist():
        code = history.addresses[codes[row]]
        if code != history.contracts[owners[row]].address:
            found[owners[row]].append(_Handed(row=row, code=code))
    return found


def _written_changes(history: History, known: set[Address]) -> dict[tuple[int, int], _Change]:
    """Return what transactions wrote of implementations' addresses, by contract and row of the transaction."""
    words = _words_with(history, known)
    slots = {row for row, word in enumerate(history.words) if word in proxy_slots()}
    kept = history.access_write & ~history.access_undone
    kept &= history.accepted[history.access_invocation]
    found: dict[tuple[int, int], _Change] = {}
    for row in np.flatnonzero(kept).tolist():
        before, after = int(history.access_before[row]), int(history.access_after[row])
        fixed = int(history.access_slot[row]) in slots
        over = _addresses_in(history, before, words, fixed=fixed)
        into = _addresses_in(history, after, words, fixed=fixed)
        if over == into:
            continue
        invocation = int(history.access_invocation[row])
        place = int(history.invocation_contract[invocation]), int(history.invocation_transaction[invocation])
        change = found.setdefault(place, _Change(row=invocation))
        change.over |= over
        change.into |= into
    return found


def _words_with(history: History, known: Iterable[Address]) -> Mapping[int, frozenset[Address]]:
    """Return the words that hold an implementation's address somewhere, by row, with the addresses."""
    found: dict[int, frozenset[Address]] = {}
    wanted = {int.from_bytes(address, "big"): address for address in known}
    written = np.unique(
        np.concatenate(
            [history.access_before[history.access_write], history.access_after[history.access_write]]
        )
    )
    for row in written[written != MISSING].tolist():
        word = history.words[row]
        if word < 1 << 64:
            continue
        inside = {wanted.get(word >> 8 * shift & _ADDRESS) for shift in range(13)} - {None}
        if inside:
            found[row] = frozenset(address for address in inside if address is not None)
    return found


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
        added=_shown(change.into - change.over),
        removed=_shown(change.over - change.into),
    )


def _outside_changes(
    context: HistoryContext, contract: int, calls: list[_Handed], written: list[_Change]
) -> Iterator[tuple[int, ImplementationChange]]:
    """Yield the changes that nothing in the contract's own storage explains, with the call that shows each."""
    history = context.history
    last: dict[bytes, _Handed] = {}
    told: list[tuple[int, Address]] = []
    transactions = history.invocation_transaction
    for item in calls:
        selector = history.invocation_data[item.row][:4]
        before = last.get(selector)
        last[selector] = item
        if before is None or before.code == item.code:
            continue
        span = int(transactions[before.row]), int(transactions[item.row])
        if any(span[0] <= int(transactions[change.row]) <= span[1] for change in written):
            continue
        if any(span[0] < int(transactions[row]) and code == item.code for row, code in told):
            continue  # another function showed it before
        told.append((item.row, item.code))
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
                added=_shown((item.code,)),
                removed=_shown((before.code,)),
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


def _shown(addresses: Iterable[Address]) -> tuple[str, ...]:
    return tuple(checksum_address(address) for address in sorted(addresses))
