"""The last fallback: prestateTracer and callTracer, which every node with debug methods has.

The call frames and their outcomes are exact, and so are the logs that lasted; undone ones are not shown. Of
the storage only what each transaction found and left is known; all of it is put into the first invocation
of the contract that lasted, as one read of each slot it touched and one write of each slot it changed.
Changes in a transaction that failed are not known at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from specminer._support.errors import InvalidNodeResponse
from specminer.history.trace import NO_ADDRESS, Address
from specminer.history.tracer_steps import Enter, Exit, LogStep, Read, Step, Write
from specminer.sources.node import octets, quantity
from specminer.sources.trace_matching import Envelope

CALL_OPTIONS: dict[str, Any] = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
PRESTATE_OPTIONS: dict[str, Any] = {"tracer": "prestateTracer"}
DIFF_OPTIONS: dict[str, Any] = {"tracer": "prestateTracer", "tracerConfig": {"diffMode": True}}


def check_call_trace(trace: Any) -> dict[str, Any]:
    """Return a callTracer answer if it is one; for unknown transactions nodes answer an empty success.

    Raises:
        InvalidNodeResponse: it lacks what every call has.

    """
    if not isinstance(trace, dict) or "type" not in trace or "from" not in trace:
        raise InvalidNodeResponse("the node returned an empty call trace for a transaction that it holds")
    return trace


def decode(
    calls: Any, prestate: Any, difference: Any, envelope: Envelope, contracts: Sequence[Address]
) -> list[Step]:
    """Translate the three answers into steps.

    Raises:
        InvalidNodeResponse: an answer is empty, malformed or of another transaction.

    """
    root = check_call_trace(calls)
    _check_sender(prestate, envelope)
    _check_sender(difference.get("pre") if isinstance(difference, dict) else None, envelope)
    before = _storage(prestate)
    changed = _changes(difference)
    pending = {contract: (before.get(contract, {}), changed.get(contract, {})) for contract in contracts}
    steps = list(_frames(root, pending))
    first, last = steps[0], steps[-1]
    if not isinstance(first, Enter) or not isinstance(last, Exit):
        raise InvalidNodeResponse("the call trace has no outermost call")
    steps[0] = Enter(first.kind, first.sender, first.to, envelope.gas, first.value, first.data)
    steps[-1] = Exit(envelope.gas_used, last.output, last.error)
    return steps


def _check_sender(accounts: Any, envelope: Envelope) -> None:
    """Check by its sender's nonce that what a transaction found is of this transaction.

    Raises:
        InvalidNodeResponse: it is not.

    """
    by_address = (
        {str(key).lower(): value for key, value in accounts.items()} if isinstance(accounts, dict) else {}
    )
    sender = by_address.get(f"0x{envelope.sender.hex()}")
    nonce = sender.get("nonce", 0) if isinstance(sender, dict) else None  # zero is left out
    if isinstance(nonce, str):
        nonce = quantity(nonce, "nonce")
    if nonce != envelope.nonce:
        raise InvalidNodeResponse(
            f"what the prestateTracer says of {envelope.name} is of another transaction"
        )


def find_cleared_slots(steps: Sequence[Step]) -> list[Write]:
    """Return the writes of zero: some nodes report a slot that was only read as if it was cleared."""
    return [step for step in steps if isinstance(step, Write) and step.value == 0 and step.before]


_Slots = dict[int, int]
_Changes = dict[int, tuple[int, int]]


def _frames(root: dict[str, Any], pending: dict[Address, tuple[_Slots, _Changes]]) -> Iterator[Step]:
    """Walk the frames in order; with a stack, because they nest deeper than Python's own."""
    waiting: list[tuple[dict[str, Any], bool] | Step] = [(root, True)]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, tuple):
            yield item
            continue
        frame, lasting = item
        lasting = lasting and not frame.get("error")
        yield from _opening(frame, pending, lasting)
        waiting.append(
            Exit(
                quantity(frame.get("gasUsed", "0x0"), "gasUsed"),
                octets(frame.get("output") or "0x", "output"),
                str(frame["error"]) if frame.get("error") else None,
            )
        )
        inside: list[tuple[int, int, tuple[dict[str, Any], bool] | Step]] = [
            (row, 1, (check_call_trace(call), lasting)) for row, call in enumerate(frame.get("calls") or ())
        ]
        inside += _logs(frame)
        # a log's position is the number of calls made before it
        inside.sort(key=lambda entry: entry[:2])
        waiting += [entry[2] for entry in reversed(inside)]


def _opening(
    frame: dict[str, Any], pending: dict[Address, tuple[_Slots, _Changes]], lasting: bool
) -> Iterator[Step]:
    """Yield a frame's entry and its storage."""
    kind = str(frame["type"])
    to = Address(octets(frame["to"], "to", 20)) if frame.get("to") else NO_ADDRESS
    sender = Address(octets(frame["from"], "from", 20))
    yield Enter(
        kind,
        sender,
        to,
        quantity(frame.get("gas", "0x0"), "gas"),
        quantity(frame.get("value") or "0x0", "value"),
        octets(frame.get("input") or "0x", "input"),
    )
    delegated = kind in ("DELEGATECALL", "CALLCODE")
    owner = sender if delegated else to
    if not delegated and owner in pending:
        slots, changed = pending[owner]
        yield from (Read(owner, slot, value) for slot, value in sorted(slots.items()))
        if lasting:
            yield from (Write(owner, slot, old, new) for slot, (old, new) in sorted(changed.items()))
            del pending[owner]
        else:
            pending[owner] = ({}, changed)


def _logs(frame: dict[str, Any]) -> Iterator[tuple[int, int, Step]]:
    """Yield the logs that a frame emitted itself, each with its place among the frame's calls."""
    delegated = str(frame["type"]) in ("DELEGATECALL", "CALLCODE")
    text = frame["from"] if delegated else frame.get("to")
    owner = Address(octets(text, "an address", 20)) if text else NO_ADDRESS
    for log in frame.get("logs") or ():
        topics = tuple(octets(topic, "topic", 32) for topic in log.get("topics", ()))
        position = quantity(log.get("position") or "0x0", "position of a log")
        yield position, 0, LogStep(owner, topics, octets(log.get("data") or "0x", "log data"))


def _storage(accounts: Any) -> dict[Address, _Slots]:
    if not isinstance(accounts, dict):
        raise InvalidNodeResponse("the prestateTracer returned no accounts")
    return {
        Address(octets(address, "an address", 20)): {
            quantity(slot, "slot"): quantity(value, "value")
            for slot, value in (account.get("storage") or {}).items()
        }
        for address, account in accounts.items()
    }


def _changes(difference: Any) -> dict[Address, _Changes]:
    if not isinstance(difference, dict) or "pre" not in difference or "post" not in difference:
        raise InvalidNodeResponse("the prestateTracer returned no difference")
    old, new = _storage(difference["pre"]), _storage(difference["post"])
    return {
        address: {
            # a slot that is missing on one side is zero there
            slot: (old.get(address, {}).get(slot, 0), new.get(address, {}).get(slot, 0))
            for slot in old.get(address, {}).keys() | new.get(address, {}).keys()
        }
        for address in old.keys() | new.keys()
    }
