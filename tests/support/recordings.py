"""Simulated histories as they are recorded: databases of several contracts, headers of trace files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from specminer.history.trace import Address, Invocation, Transaction
from specminer.sources.tracefile import Header
from specminer.store import TraceStore
from tests.support.histories import CONTRACTS, block_of, part_of, record_of


def recorded_alone(item: Transaction, contract: Address) -> Transaction:
    """Return one contract's part with positions of its own, as if no other contract had been recorded."""
    calls = [call for call in item.invocations if call.contract == contract]
    places = [access.position for call in calls for access in call.accesses]
    places = sorted(places + [event.position for call in calls for event in call.events])
    order = {position: rank for rank, position in enumerate(places)}
    number = {call.position: rank for rank, call in enumerate(calls)}

    def renumbered(call: Invocation) -> Invocation:
        return replace(
            call,
            position=number[call.position],
            parent=None if call.parent is None else number[call.parent],
            accesses=tuple(replace(place, position=order[place.position]) for place in call.accesses),
            events=tuple(replace(place, position=order[place.position]) for place in call.events),
        )

    return replace(item, invocations=tuple(renumbered(call) for call in calls))


def database(transactions: Iterable[Transaction], *, alone: bool) -> TraceStore:
    """Return a database of both contracts, each with its part of the transactions."""
    store = TraceStore("sqlite://")
    listed = list(transactions)
    last = max((item.block.number for item in listed), default=10)
    for contract in CONTRACTS:
        part = part_of(listed, contract)
        if alone:
            part = [recorded_alone(item, contract) for item in part]
        store.add_history(record_of(contract), part, complete=(10, last))
    return store


def header_of(transactions: Iterable[Transaction]) -> Header:
    """Return the header under which the transactions stand in a trace file."""
    listed = list(transactions)
    last = max((item.block.number for item in listed), default=10) + 3
    return Header(
        record=record_of(),
        first_block=10,
        last_block=last,
        transactions=len(listed),
        tip=replace(block_of(last), timestamp=None),
        limits=("a limit", "another: ünïcode"),
    )


NEW_FIELDS: Final = {
    "transaction": ("logs",),
    "block": ("base_fee", "beneficiary", "gas_limit", "randomness"),
    "invocation": ("calls", "codes", "environment"),
}
"""Fields of trace files that version 1 does not have."""


def first_version(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return the lines of a trace file as version 1 has them, as JSON gives them."""
    header, *items = map(json.loads, lines)
    header["version"] = 1
    header["contract"].pop("codes", None)
    _drop(header.get("tip") or {}, "block")
    for item in items:
        _drop(item, "transaction")
        _drop(item["block"], "block")
        for call in item["invocations"]:
            _drop(call, "invocation")
    return [header, *items]


def _drop(part: dict[str, Any], kind: str) -> None:
    for name in NEW_FIELDS[kind]:
        part.pop(name, None)
