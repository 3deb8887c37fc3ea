"""Checks that a trace is the trace of the transaction that was asked for, by its content.

A node, or the gateway before it, may exchange answers. So whatever a trace shows of its transaction is
compared with the transaction and its receipt: sender, receiver or created address, calldata, value, the gas
that was used, how it ended, and what the contracts logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from specminer._support.errors import InvalidNodeResponse
from specminer.contracts.transaction_types import SET_CODE, is_foreign, name_type
from specminer.history.trace import Address, Block, Hash, Outcome
from specminer.history.tracer_steps import Enter, RecordedSteps


@dataclass(frozen=True, slots=True)
class ReceiptLog:
    """A log entry of a receipt."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A transaction as the chain holds it, before tracing."""

    hash: Hash
    block: Block
    index: int
    sender: Address
    to: Address | None
    created: Address | None
    value: int
    gas: int
    gas_used: int
    block_gas_used: int | None
    """Gas used in its block up to its end; ``None`` where the receipt does not say."""
    nonce: int
    data: bytes
    succeeded: bool | None
    """``None`` before Byzantium, when receipts did not say."""
    logs: tuple[ReceiptLog, ...] | None
    """What the receipt says was logged, in order; ``None`` where it does not say."""
    type: int | None = None
    """As EIP-2718 counts, on the chain that it is of; ``None`` if it is not told."""
    of_system: bool = False
    """Whether the chain itself made it; it need not have a trace."""

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"transaction 0x{self.hash.hex()}"

    @property
    def free_nonce(self) -> bool:
        """Whether its sender's nonce need not be its own, plus one behind it.

        It may let accounts delegate (EIP-7702), its sender among them; and what rollups receive has no nonces.
        """
        return self.type == SET_CODE or is_foreign(self.type)

    @property
    def peculiarity(self) -> str:
        """What it is if it is none of the usual transactions, for messages; else empty."""
        return name_type(self.type, of_system=self.of_system)


def check_outermost(first: Enter, envelope: Envelope) -> None:
    """Check that the outermost frame is the call that the transaction makes.

    Raises:
        InvalidNodeResponse: sender, receiver, calldata or value differ.

    """
    to = envelope.created if envelope.to is None else envelope.to
    differing = [
        what
        for what, actual, expected in (
            ("sender", first.sender, envelope.sender),
            ("receiver", first.to, first.to if to is None else to),
            ("calldata", first.data, envelope.data),
            ("value", first.value, envelope.value),
        )
        if actual != expected
    ]
    if differing:
        raise InvalidNodeResponse(
            f"the trace of {envelope.name} is of another transaction ({', '.join(differing)} differ)"
        )


def check_end(outcome: Outcome, envelope: Envelope) -> None:
    """Check that a transaction ended as its receipt says.

    Raises:
        InvalidNodeResponse: it did not.

    """
    if envelope.succeeded is not None and outcome.accepted != envelope.succeeded:
        raise InvalidNodeResponse(f"the trace of {envelope.name} ended otherwise than its receipt says")


def check_gas(gas_used: int, envelope: Envelope) -> None:
    """Check the gas that a trace says was used; some nodes count from the beginning of the block.

    Raises:
        InvalidNodeResponse: it is not what the receipt says.

    """
    if gas_used not in (envelope.gas_used, envelope.block_gas_used):
        raise InvalidNodeResponse(
            f"the trace of {envelope.name} used {gas_used:,} gas, but its receipt says {envelope.gas_used:,}"
        )


def check_nonce(nonce: int, step: int, envelope: Envelope) -> None:
    """Check the sender's nonce that a trace shows, ``step`` more than the transaction's on this node.

    It tells apart transactions that are alike in everything else.

    Raises:
        InvalidNodeResponse: it is another transaction's.

    """
    if nonce != envelope.nonce + step and not envelope.free_nonce:
        raise InvalidNodeResponse(f"the trace of {envelope.name} is of another transaction (nonce differs)")


def check_logs(recorded: RecordedSteps, envelope: Envelope, contracts: Sequence[Address]) -> None:
    """Check that what the contracts logged and that stayed is what the receipt says they logged.

    Raises:
        InvalidNodeResponse: it is not.

    """
    if envelope.logs is None:
        return
    traced = sorted(
        (event.position, call.contract, event.topics, event.data)
        for call in recorded.invocations
        for event in call.events
        if not event.undone
    )
    of_trace = [(contract, topics, data) for _, contract, topics, data in traced]
    of_receipt = [(log.address, log.topics, log.data) for log in envelope.logs if log.address in contracts]
    if of_trace != of_receipt:
        raise InvalidNodeResponse(
            f"the trace of {envelope.name} shows {len(of_trace)} log entries of the contract that its receipt does "
            f"not confirm; the receipt has {len(of_receipt)}"
        )
