"""Splits one interleaved history into interactions: the words that an automaton is learned from.

Three ways so far, behind the interface that later ones share: ``whole`` (the contract's life is one
interaction), ``instance`` (each of several contracts' lives is one) and ``sender`` (one interaction per
account and contract: what it did, and what others did to the storage kept under its address). Which one is
taken by default is decided from the data and always explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from eth_utils.address import to_checksum_address

from specminer.dependency import Touches
from specminer.history import CONSTRUCTOR, OUTCOMES, BoolColumn, History, IntColumn
from specminer.location import NAMED_BASES, Place, Places
from specminer.trace import OutcomeKind

ROLLED_BACK: Final = OUTCOMES.index(OutcomeKind.ROLLED_BACK)
KEYED_SHARE: Final = 0.5
"""``sender`` is taken by default if at least this share of accepted calls changes storage kept under the
address of an account that calls the contract itself."""
MEAN_LENGTH: Final = 1.5
"""... and an account's interaction has at least this many events on average."""


UNEXPLAINED_SHARE: Final = 0.05
"""A slot that looks like a hash, but that no preimage explains, is a variable of the whole contract only if
at least this share of the invocations touches it: a proxy's slots are, entries of mappings are not."""
MAX_UNNAMED: Final = 256
"""Variables of the whole contract without a layout at most: those touched most often."""


class Mode(Enum):
    """How a history is split."""

    WHOLE = "whole"
    INSTANCE = "instance"
    SENDER = "sender"
    PARTITION = "partition"
    PROJECTION = "projection"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """``k`` interactions with ``n`` events, one interaction after another, each in chain order."""

    mode: Mode
    sort: dict[str, Any] | None
    """The sort of entities: name, ports, arguments, score; ``None`` where none is involved."""
    names: tuple[str, ...]
    entities: tuple[int | None, ...]
    """The key as a word, by which the entity's storage is found; ``None`` for no entity."""
    explanation: str
    slice: IntColumn
    """Interaction of each event, ascending; shape (n,), as all columns."""
    invocation: IntColumn
    """Row of the invocation in the history."""
    passive: BoolColumn
    """Not the interaction's own call: somebody else's, which changed its storage."""
    owned: dict[int, IntColumn]
    """For each slot (number in ``Touches.slot``) the interactions that own it."""


def completion_order(history: History) -> IntColumn:
    """Return the invocations in the order in which they end: a re-entrant call before its parent."""
    last = np.arange(len(history))
    for row in np.flatnonzero(history.invocation_parent >= 0)[::-1]:
        parent = history.invocation_parent[row]
        last[parent] = max(last[parent], last[row])
    # of those that end together, the one that began last (the innermost) is first
    return np.lexsort((-np.arange(len(history)), last))


def split(
    history: History, touched: Touches, places: Places, read_only: BoolColumn, mode: Mode | None
) -> Interactions:
    """Split the history; ``read_only`` marks calls of functions that cannot change anything.

    ``mode`` ``None`` chooses. Calls that were rolled back by their callers are no events: they neither
    lasted nor were rejected by the contract.
    """
    rolled_back = history.invocation_outcome == ROLLED_BACK
    events = ~read_only & ~rolled_back
    left_out = [
        f"{count:,} {text}"
        for count, text in (
            (int(np.sum(read_only & ~rolled_back)), "calls of read-only functions"),
            (int(np.sum(rolled_back)), "calls that their callers rolled back"),
        )
        if count
    ]
    suffix = f" Left out: {' and '.join(left_out)}." if left_out else ""
    created = (
        " The constructor belongs to no account." if np.any(history.invocation_kind == CONSTRUCTOR) else ""
    )
    by_sender = _by_sender(history, touched, places, events)
    if mode is Mode.SENDER:
        return _explained(by_sender, f"One interaction per account, as asked.{created}{suffix}")
    if mode is Mode.INSTANCE or (mode is None and len(history.contracts) > 1):
        by_instance = _by_instance(history, touched, places, events)
        reason = "as asked" if mode is Mode.INSTANCE else "because several contracts are mined together"
        return _explained(
            by_instance, f"One interaction per contract, {reason}; each begins with its constructor.{suffix}"
        )
    whole = _whole(history, touched, places, events)
    if mode is Mode.WHOLE:
        return _explained(whole, f"The whole history is one interaction, as asked.{suffix}")
    keyed, length = _keyed_share(history, touched, by_sender, events), _mean_length(by_sender)
    numbers = (
        f"{keyed:.0%} of the accepted calls change storage kept under the address of an account that calls the "
        f"contract (at least {KEYED_SHARE:.0%} are wanted), and an account has {length:.1f} events on average, side "
        f"effects included (at least {MEAN_LENGTH})"
    )
    if keyed >= KEYED_SHARE and length >= MEAN_LENGTH and len(by_sender.names) > 1:
        return _explained(by_sender, f"One interaction per account: {numbers}.{created}{suffix}")
    return _explained(
        whole, f"The whole history is one interaction: {numbers}; too little for one per account.{suffix}"
    )


def _explained(interactions: Interactions, explanation: str) -> Interactions:
    values = {name: getattr(interactions, name) for name in Interactions.__slots__}
    return Interactions(**values | {"explanation": explanation})


def _by_instance(history: History, touched: Touches, places: Places, events: BoolColumn) -> Interactions:
    """Return one interaction for each contract that has events, in the order of ``History.contracts``."""
    order = completion_order(history)
    rows = order[events[order]]
    rows = rows[np.argsort(history.invocation_contract[rows], kind="stable")]
    contracts, slices = np.unique(history.invocation_contract[rows], return_inverse=True)
    number = dict(zip(contracts.tolist(), range(len(contracts)), strict=True))
    owner = _contracts(history, touched)
    return Interactions(
        mode=Mode.INSTANCE,
        sort=None,
        names=tuple(to_checksum_address(history.contracts[contract].address) for contract in number),
        entities=(None,) * len(contracts),
        explanation="",
        slice=slices.astype(np.int64),
        invocation=rows,
        passive=np.zeros(len(rows), dtype=np.bool_),
        owned={
            slot: np.array([number[owner[slot]]], dtype=np.int64)
            for slot in _keyless(history, touched, places)
            if owner[slot] in number
        },
    )


def _contracts(history: History, touched: Touches) -> list[int]:
    """Return the contract of each slot, by the slot's number."""
    owner = np.zeros(int(touched.slot.max(initial=-1)) + 1, dtype=np.int64)
    owner[touched.slot] = history.invocation_contract[touched.invocation]
    return [int(contract) for contract in owner]


def _whole(history: History, touched: Touches, places: Places, events: BoolColumn) -> Interactions:
    order = completion_order(history)
    rows = order[events[order]]
    zero = np.zeros(1, dtype=np.int64)
    return Interactions(
        mode=Mode.WHOLE,
        sort=None,
        names=("all",),
        entities=(None,),
        explanation="",
        slice=np.zeros(len(rows), dtype=np.int64),
        invocation=rows,
        passive=np.zeros(len(rows), dtype=np.bool_),
        owned=dict.fromkeys(_keyless(history, touched, places), zero),
    )


def _keyless(history: History, touched: Touches, places: Places) -> list[int]:
    """Return the slots of variables without keys, so few that a column for each can be held.

    What several contracts keep in slots of one word is one variable.
    """
    touching = np.bincount(touched.word)
    enough = UNEXPLAINED_SHARE * len(history)
    named: list[int] = []
    unnamed: dict[tuple[int, int], list[int]] = {}
    for slot, (row, place) in _places(history, touched, places).items():
        if place.keys:
            continue
        if place.named:
            named.append(slot)
        elif history.words[row] < NAMED_BASES or touching[row] >= enough:
            unnamed.setdefault((-int(touching[row]), history.words[row]), []).append(slot)
    return sorted([*named, *(slot for key in sorted(unnamed)[:MAX_UNNAMED] for slot in unnamed[key])])


def _places(history: History, touched: Touches, places: Places) -> dict[int, tuple[int, Place]]:
    """Return the row of each slot's word, and what it means, by the slot's number."""
    slots, first = np.unique(touched.slot, return_index=True)
    rows = touched.word[first]
    return {int(slot): (int(row), places[history.words[row]]) for slot, row in zip(slots, rows, strict=True)}


def _by_sender(history: History, touched: Touches, places: Places, events: BoolColumn) -> Interactions:
    calls = events & (history.invocation_kind != CONSTRUCTOR)
    order = completion_order(history)
    own = order[calls[order]]
    callers = _callers(history)
    pairs, first = np.unique(callers[own], return_index=True)
    by_first_call = np.argsort(first, kind="stable")
    number = {int(pairs[place]): at for at, place in enumerate(by_first_call)}
    split_pairs = [divmod(pair, len(history.addresses)) for pair in number]
    words = [int.from_bytes(history.addresses[address], "big") for _, address in split_pairs]
    slice_of_word = {
        (contract, word): at for at, ((contract, _), word) in enumerate(zip(split_pairs, words, strict=True))
    }
    owner = _contracts(history, touched)
    owned: dict[int, IntColumn] = {}
    for slot, (_, place) in _places(history, touched, places).items():
        key = place.keys[0].word if len(place.keys) == 1 else None
        if key is not None and (owner[slot], key) in slice_of_word:
            owned[slot] = np.array([slice_of_word[owner[slot], key]], dtype=np.int64)
    slices = np.array([number[int(pair)] for pair in callers[own]], dtype=np.int64)
    passive_slices, passive_rows = _passive(history, touched, owned, number, calls)
    ranks = np.argsort(order, kind="stable")
    all_slices = np.r_[slices, passive_slices]
    all_rows = np.r_[own, passive_rows]
    sorting = np.lexsort((ranks[all_rows], all_slices))
    return Interactions(
        mode=Mode.SENDER,
        sort={"name": "account", "ports": [], "arguments": ["msg.sender"], "score": None},
        names=tuple(_caller_name(history, contract, address) for contract, address in split_pairs),
        entities=tuple(words),
        explanation="",
        slice=all_slices[sorting],
        invocation=all_rows[sorting],
        passive=np.r_[np.zeros(len(own), np.bool_), np.ones(len(passive_rows), np.bool_)][sorting],
        owned=owned,
    )


def _callers(history: History) -> IntColumn:
    """Return for each invocation one number for the contract and its caller; shape (n,)."""
    return history.invocation_contract * len(history.addresses) + history.invocation_sender


def _caller_name(history: History, contract: int, address: int) -> str:
    name = to_checksum_address(history.addresses[address])
    if len(history.contracts) == 1:
        return name
    return f"{name} at {to_checksum_address(history.contracts[contract].address)}"


def _passive(
    history: History,
    touched: Touches,
    owned: dict[int, IntColumn],
    number: dict[int, int],
    calls: BoolColumn,
) -> tuple[IntColumn, IntColumn]:
    """Return (interaction, invocation) of each call that changed another account's storage, once each."""
    owner = np.full(int(touched.slot.max(initial=-1)) + 1, -1, dtype=np.int64)
    for slot, slices in owned.items():
        owner[slot] = slices[0]
    slice_of_pair = np.full(len(history.contracts) * len(history.addresses), -1, dtype=np.int64)
    slice_of_pair[list(number)] = list(number.values())
    affected = owner[touched.slot]
    own = slice_of_pair[_callers(history)[touched.invocation]]
    # a constructor that fills somebody's storage is no call of theirs either
    own = np.where(calls[touched.invocation], own, -1)
    hit = touched.effective_write & (affected >= 0) & (affected != own)
    pairs = np.unique(np.stack([affected[hit], touched.invocation[hit]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _keyed_share(history: History, touched: Touches, by_sender: Interactions, events: BoolColumn) -> float:
    """Return the share of accepted calls that effectively write storage owned by an account."""
    accepted = events & history.accepted & (history.invocation_kind != CONSTRUCTOR)
    owned = np.zeros(int(touched.slot.max(initial=-1)) + 1, dtype=np.bool_)
    owned[list(by_sender.owned)] = True
    writers = np.unique(touched.invocation[touched.effective_write & owned[touched.slot]])
    return float(np.sum(accepted[writers]) / max(1, np.sum(accepted)))


def _mean_length(interactions: Interactions) -> float:
    return len(interactions.slice) / max(1, len(interactions.names))
