"""Transactions of a trace file as an explorer would list them, so that what a node recorded is executed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from specminer.history.trace import NO_HASH, Address, Invocation, Transaction
from specminer.pipeline import Export
from specminer.sources.exported import CallType, ExportedCall, ExportedTransaction
from specminer.sources.tracefile import Header


def rebuilt_export(header: Header, transactions: Sequence[Transaction], origin: str) -> Export:
    """Return a trace file's transactions as an export: calls of other contracts as internal calls of theirs.

    The gas price is not in a trace file. Contracts that the traced one delegates to are known by their code.
    """
    direct = [item for item in transactions if is_direct(item)]
    return Export(
        transactions=tuple(rebuilt_transaction(item, row) for row, item in enumerate(direct, 1)),
        calls=tuple(_rebuilt_calls(item for item in transactions if not is_direct(item))),
        origin=origin,
        codes=dict(header.record.implementations),
    )


def is_direct(item: Transaction) -> bool:
    """Return whether a transaction calls or creates the traced contract itself."""
    return bool(item.invocations) and item.invocations[0].depth == 0


def rebuilt_transaction(item: Transaction, record: int) -> ExportedTransaction:
    """Return a direct transaction as an explorer's record."""
    call = item.invocations[0]
    return ExportedTransaction(
        hash=item.hash,
        block=item.block.number,
        block_hash=None if item.block.hash == NO_HASH else item.block.hash,
        index=item.index,
        timestamp=item.block.timestamp,
        sender=item.sender,
        to=item.to,
        created=call.contract if item.to is None else None,
        value=item.value,
        gas=item.gas,
        gas_price=None,
        gas_used=item.gas_used,
        nonce=item.nonce,
        succeeded=item.succeeded,
        data=call.data,
        record=record,
    )


def _rebuilt_calls(transactions: Iterable[Transaction]) -> Iterable[ExportedCall]:
    outermost = ((item, call) for item in transactions for call in item.invocations if call.parent is None)
    for record, (item, call) in enumerate(outermost, 1):
        yield _rebuilt_call(item, call, record)


def _rebuilt_call(item: Transaction, call: Invocation, record: int) -> ExportedCall:
    return ExportedCall(
        hash=item.hash,
        block=item.block.number,
        index=item.index,
        timestamp=item.block.timestamp,
        sender=call.sender,
        to=Address(call.contract),
        created=None,
        value=call.value,
        type=CallType.CALL,
        gas=call.gas,
        gas_used=call.gas_used,
        data=call.data,
        succeeded=call.outcome.accepted,
        trace=(call.position,),
        record=record,
    )
