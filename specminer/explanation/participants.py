"""The addresses that took part in a transaction, and what the history knows of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.explanation.actor_table import Actor
from specminer.explanation.known_names import KnownNames
from specminer.explanation.transaction_document import Participant
from specminer.history.flows import TransactionFlows
from specminer.history.trace import NO_ADDRESS, Address, Transaction

MAX_PARTICIPANTS: Final = 100
_FUNCTIONS: Final = 6
"""Functions that are named of one participant."""


def participants(
    parts: Sequence[Transaction],
    context: HistoryContext,
    transaction: int,
    flows: TransactionFlows,
    names: KnownNames,
    actors: Mapping[str, Actor],
) -> tuple[tuple[Participant, ...], int]:
    """Return who took part in the transaction of a row, in order of appearance, and how many did."""
    did = _what_each_did(parts, flows, names)
    people = [
        _participant(address, tuple(texts), context, transaction, names, actors)
        for address, texts in list(did.items())[:MAX_PARTICIPANTS]
    ]
    return tuple(people), len(did)


def _what_each_did(
    parts: Sequence[Transaction], flows: TransactionFlows, names: KnownNames
) -> dict[Address, list[str]]:
    item = parts[0]
    did: dict[Address, dict[str, None]] = {item.sender: {"sent the transaction": None}}
    if item.to is not None:
        did.setdefault(item.to, {})["was called by the transaction"] = None
    for part in parts:
        for call in part.invocations:
            decoded = names.call(call.contract, call.kind, call.data, call.code)
            own = did.setdefault(call.sender, {})
            if sum(text.startswith("called ") for text in own) < _FUNCTIONS:
                own[f"called {decoded.function or 'the contract'}"] = None
            did.setdefault(call.contract, {})
    for flow in flows.ether:
        if flow.position != -1:
            did.setdefault(flow.recipient, {})["was paid ether"] = None
    for moved in flows.tokens:
        did.setdefault(moved.sender, {})["gave tokens"] = None
        did.setdefault(moved.recipient, {})["got tokens"] = None
        did.setdefault(moved.token, {})["is a token that moved"] = None
    did.pop(NO_ADDRESS, None)
    return {address: list(texts) for address, texts in did.items()}


def _participant(
    address: Address,
    texts: tuple[str, ...],
    context: HistoryContext,
    transaction: int,
    names: KnownNames,
    actors: Mapping[str, Actor],
) -> Participant:
    text = checksum_address(address)
    actor = actors.get(text)
    kind = actor.kind if actor is not None else "unknown"
    if "is a token that moved" in texts and kind == "unknown":
        kind = "contract"
    return Participant(
        address=text,
        name=names.name(address),
        kind=kind,
        parts=texts,
        first=actor.first.transaction if actor is not None else None,
        first_block=actor.first.block if actor is not None else None,
        transactions_before=_transactions_before(context, address, transaction),
        roles=actor.roles if actor is not None else (),
    )


def _transactions_before(context: HistoryContext, address: Address, transaction: int) -> int:
    """Return in how many earlier transactions of the history an address was the sender, or called."""
    history = context.history
    rows = [row for row, item in enumerate(history.addresses) if item == address]
    if not rows:
        return 0
    sent = np.flatnonzero(np.equal(history.transaction_origin, rows[0]))
    called = history.invocation_transaction[np.equal(history.invocation_sender, rows[0])]
    both = np.union1d(sent, called)
    return int((both < transaction).sum())
