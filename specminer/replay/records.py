"""What a record of an export stands for: the call to execute, and what it tells of its block."""

from __future__ import annotations

from specminer._support.creation_addresses import creation_address
from specminer._support.errors import FileFormatError
from specminer.history.trace import NO_ADDRESS, Block
from specminer.replay.machine_calls import Call, Surroundings
from specminer.replay.step_reporting import address_of
from specminer.sources.export_blocks import merge_blocks
from specminer.sources.exported import ExportedCall, ExportedTransaction

INNER_GAS = 10_000_000
"""Gas of an internal call where the export does not tell it."""
BLOCK_GAS = 30_000_000
"""The block's gas limit where nothing tells it."""


def call_of(record: ExportedTransaction) -> Call:
    """Return the call that a record stands for.

    Raises:
        FileFormatError: it creates a contract, but nothing tells where.

    """
    created = record.created
    if record.to is None and created is None:
        if record.nonce is None:
            raise FileFormatError(
                f"record {record.record} creates a contract, but has neither contractAddress nor nonce: nothing tells "
                "its address; add one of them"
            )
        created = address_of(creation_address(int.from_bytes(record.sender, "big"), record.nonce))
    return Call(
        sender=record.sender,
        to=record.to,
        created=created,
        value=record.value,
        data=record.data,
        gas=record.gas,
        gas_price=record.gas_price or 0,
        nonce=record.nonce,
        transaction=record.hash,
    )


def inner_call(call: ExportedCall) -> Call:
    """Return the call that an internal call of another transaction stands for."""
    return Call(
        sender=call.sender,
        to=call.to,
        value=call.value,
        data=call.data,
        gas=INNER_GAS if call.gas is None else call.gas,
        origin=call.sender,
        transaction=call.hash,
    )


def block_of(record: ExportedTransaction | ExportedCall) -> Block:
    """Return what a record alone tells of its block."""
    return merge_blocks([record.of_block()])[record.block]


def surroundings(
    record: ExportedTransaction | ExportedCall, chain_id: int, block: Block | None = None
) -> Surroundings:
    """Return what is known of a record's block; where the time is not, its number stands for it, else zeros."""
    known_block = block_of(record) if block is None else block
    return Surroundings(
        chain_id=chain_id,
        number=record.block,
        timestamp=record.block if known_block.timestamp is None else known_block.timestamp,
        gas_limit=max(BLOCK_GAS, record.gas or 0) if known_block.gas_limit is None else known_block.gas_limit,
        base_fee=known_block.base_fee or 0,
        beneficiary=known_block.beneficiary or NO_ADDRESS,
        randomness=known_block.randomness or 0,
    )
