"""Transactions with transfers of tokens, made by hand."""

from __future__ import annotations

from dataclasses import replace

from specminer.history.flows import TRANSFER
from specminer.history.trace import (
    Address,
    Block,
    ForeignLog,
    Hash,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Tracer,
    Transaction,
)

ALICE, BOB, TOKEN, OTHER, VAULT = (Address(bytes([number]) * 20) for number in range(1, 6))


def word(value: int | bytes) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def transfer(sender: Address, recipient: Address, number: int) -> tuple[tuple[bytes, ...], bytes]:
    return (TRANSFER, word(sender), word(recipient)), word(number)


def invocation(position: int = 0, **changes: object) -> Invocation:
    call = Invocation(
        contract=VAULT,
        code=VAULT,
        position=position,
        parent=None,
        depth=0,
        kind=InvocationKind.EXTERNAL,
        sender=ALICE,
        value=0,
        data=b"",
        outcome=Outcome(kind=OutcomeKind.RETURNED),
        gas=100_000,
        gas_used=50_000,
        payments=(),
    )
    return replace(call, **changes)  # type: ignore[arg-type]


def transaction(*calls: Invocation, logs: tuple[ForeignLog, ...] | None = (), number: int = 1) -> Transaction:
    return Transaction(
        hash=Hash(word(number)),
        block=Block(number=number, hash=Hash(word(1000 + number)), timestamp=number),
        index=0,
        sender=ALICE,
        to=VAULT,
        value=calls[0].value if calls else 0,
        gas=100_000,
        gas_used=50_000,
        nonce=number,
        succeeded=True,
        tracer=Tracer.JAVASCRIPT,
        invocations=calls,
        logs=logs,
    )


def foreign(index: int, address: Address, topics: tuple[bytes, ...], data: bytes) -> ForeignLog:
    return ForeignLog(index=index, address=address, topics=topics, data=data, data_size=len(data))
