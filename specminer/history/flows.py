"""Tokens and ether that a transaction moves, from its log entries, calls and payments.

Token flows are read from log entries with the standard events, whoever emits them: the token's ABI need not be known.
A log entry is a claim of the contract that emitted it, no proof that a balance changed.

Source: ERC-20, ERC-721 (``Transfer``), ERC-1155 (``TransferSingle``, ``TransferBatch``). Tokens from before ERC-721
was final, and some old ERC-20 ones, index no field of ``Transfer``; the event then does not say whether its number is
an amount or an identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from specminer._support.keccak import keccak
from specminer.history.trace import Address, ForeignLog, Invocation, Transaction

_WORD: Final = 32
_ADDRESS: Final = 20
MAX_BATCH: Final = 1_000
"""Tokens of one ``TransferBatch`` that are read; more do not fit into the data that a recording holds."""

TRANSFER: Final = keccak(b"Transfer(address,address,uint256)")
TRANSFER_SINGLE: Final = keccak(b"TransferSingle(address,address,address,uint256,uint256)")
TRANSFER_BATCH: Final = keccak(b"TransferBatch(address,address,address,uint256[],uint256[])")
TRANSFER_TOPICS: Final = (TRANSFER, TRANSFER_SINGLE, TRANSFER_BATCH)
"""First topics of log entries that tell of token flows."""


class TokenStandard(Enum):
    """What kind of token moved, as far as its log entry says."""

    FUNGIBLE = "ERC-20"
    """``amount`` is told, no ``identifier``."""
    UNIQUE = "ERC-721"
    """``identifier`` is told; the amount is 1."""
    MULTIPLE = "ERC-1155"
    """Both are told."""
    UNSTATED = "transfer"
    """``amount`` holds what the event tells, which may be an amount or an identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFlow:
    """A token that moved, as a log entry says."""

    token: Address
    """The contract that emitted the log entry."""
    standard: TokenStandard
    sender: Address
    """Zero where the token was created."""
    recipient: Address
    """Zero where it was destroyed."""
    amount: int | None
    """In the token's smallest unit; ``None`` if the recorded data were cut before it."""
    identifier: int | None = None
    """Which token of the contract; ``None`` for a fungible one, or if the recorded data were cut before it."""
    log: int | None = None
    """Position among all log entries of the transaction that lasted; ``None`` if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EtherFlow:
    """Ether that moved."""

    sender: Address
    recipient: Address
    amount: int | None
    """Wei, more than none; ``None`` if the tracer could not see how much."""
    position: int
    """How many accesses and events of the transaction came before, as far as the invocation that pays tells it; of what
    came in with an invocation: -1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFlows:
    """Everything that a transaction moved for good, as far as it was recorded."""

    tokens: tuple[TokenFlow, ...]
    """By log entry."""
    ether: tuple[EtherFlow, ...]
    """What came with the transaction, then what came in with calls of the traced contracts and left them, in order."""
    tokens_known: bool
    """Whether log entries of other contracts were recorded; if not, ``tokens`` has those of traced contracts alone."""
    ether_known: bool
    """Whether payments of every traced contract were recorded. Ether between two other contracts never is."""


def read_transfers(
    token: Address, topics: tuple[bytes, ...], data: bytes, log: int | None = None
) -> Iterator[TokenFlow]:
    """Yield the token flows of one log entry; none if it tells of none, or not in the way of the standards.

    Args:
        token: who emitted it.
        topics: 32 bytes each.
        data: its data, perhaps cut.
        log: its position among the transaction's log entries that lasted.

    """
    if not topics or topics[0] not in TRANSFER_TOPICS:
        return
    if topics[0] == TRANSFER:
        yield from _transfer(token, topics, data, log)
        return
    if len(topics) != 4:
        return
    sender, recipient = _address(topics[2]), _address(topics[3])
    if sender is None or recipient is None:
        return
    pairs: Iterable[tuple[int | None, int | None]] = (
        [(_word(data, 0), _word(data, 1))] if topics[0] == TRANSFER_SINGLE else _batch(data)
    )
    for identifier, amount in pairs:
        yield TokenFlow(
            token=token,
            standard=TokenStandard.MULTIPLE,
            sender=sender,
            recipient=recipient,
            amount=amount,
            identifier=identifier,
            log=log,
        )


def _transfer(token: Address, topics: tuple[bytes, ...], data: bytes, log: int | None) -> Iterator[TokenFlow]:
    """Read ``Transfer``, whose indexed fields stand in the topics and whose others in the data."""
    fields = [*topics[1:], *(data[at : at + _WORD] for at in range(0, len(data), _WORD))]
    if len(fields) < 3 or len(fields[2]) != _WORD:
        return
    sender, recipient = _address(fields[0]), _address(fields[1])
    if sender is None or recipient is None:
        return
    standards = {3: TokenStandard.FUNGIBLE, 4: TokenStandard.UNIQUE}
    standard = standards.get(len(topics), TokenStandard.UNSTATED)
    number, unique = int.from_bytes(fields[2], "big"), standard is TokenStandard.UNIQUE
    yield TokenFlow(
        token=token,
        standard=standard,
        sender=sender,
        recipient=recipient,
        amount=1 if unique else number,
        identifier=number if unique else None,
        log=log,
    )


def _batch(data: bytes) -> Iterator[tuple[int | None, int | None]]:
    """Yield identifiers and amounts of ``TransferBatch``: two arrays, each behind an offset and its length."""
    starts = [_word(data, index) for index in (0, 1)]
    first = None if starts[0] is None else _at(data, starts[0])
    for index in range(min(first or 0, MAX_BATCH)):
        identifier, amount = (
            None if start is None else _at(data, start + _WORD * (index + 1)) for start in starts
        )
        if identifier is None and amount is None:
            # the rest was cut; one flow says that there was more
            yield None, None
            return
        yield identifier, amount


def _word(data: bytes, index: int) -> int | None:
    return _at(data, index * _WORD)


def _at(data: bytes, start: int) -> int | None:
    """Return the word at a byte, ``None`` if the data end before."""
    text = data[start : start + _WORD] if start < len(data) else b""
    return int.from_bytes(text, "big") if len(text) == _WORD else None


def _address(word: bytes) -> Address | None:
    """Return the address in a word; ``None`` if it holds more than an address."""
    if len(word) != _WORD or any(word[: _WORD - _ADDRESS]):
        return None
    return Address(word[_WORD - _ADDRESS :])


def lasting_logs(item: Transaction) -> list[tuple[int | None, Address, tuple[bytes, ...], bytes]]:
    """Return all known log entries that lasted: position among them, who emitted it, topics, data; in order.

    Positions of the traced contracts' own are those that the log entries of others leave free; ``None`` where those of
    others were not recorded.
    """
    own = sorted(
        (
            (event.position, call.contract, event.topics, event.data)
            for call in item.invocations
            for event in call.events
            if not event.undone
        ),
        key=lambda log: log[0],
    )
    if item.logs is None:
        return [(None, *log[1:]) for log in own]
    traced = {call.contract for call in item.invocations}
    others: dict[int, ForeignLog] = {log.index: log for log in item.logs if log.address not in traced}
    entries: list[tuple[int | None, Address, tuple[bytes, ...], bytes]] = [
        (index, log.address, log.topics, log.data) for index, log in others.items()
    ]
    free = (index for index in range(len(own) + len(others)) if index not in others)
    entries += [(index, *log[1:]) for index, log in zip(free, own, strict=False)]
    return sorted(entries, key=lambda log: log[0] or 0)


def transaction_flows(item: Transaction) -> TransactionFlows:
    """Return what a transaction moved; linear in its log entries, calls and payments."""
    tokens = [
        flow
        for index, address, topics, data in lasting_logs(item)
        for flow in read_transfers(address, topics, data, index)
    ]
    return TransactionFlows(
        tokens=tuple(tokens),
        ether=tuple(_ether(item)),
        tokens_known=item.logs is not None,
        ether_known=all(call.payments is not None for call in item.invocations),
    )


def _ether(item: Transaction) -> Iterator[EtherFlow]:
    traced = {call.contract for call in item.invocations if call.payments is not None}
    direct = any(not call.depth for call in item.invocations)
    if item.value and item.succeeded and item.to is not None and not direct:
        yield EtherFlow(sender=item.sender, recipient=item.to, amount=item.value, position=-1)
    for call in item.invocations:
        yield from _of_invocation(call, traced)


def _of_invocation(call: Invocation, traced: set[Address]) -> Iterator[EtherFlow]:
    """Yield what came with an invocation, unless the payment of a traced contract tells it, and what it paid."""
    if call.value and call.outcome.accepted and call.sender not in traced:
        yield EtherFlow(sender=call.sender, recipient=call.contract, amount=call.value, position=-1)
    for payment in call.payments or ():
        if not payment.undone and payment.value != 0:
            yield EtherFlow(
                sender=call.contract, recipient=payment.to, amount=payment.value, position=payment.position
            )
