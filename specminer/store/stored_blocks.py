"""Blocks in the database, and how what is learned of one at different times becomes one."""

from __future__ import annotations

from typing import Any

from specminer._support.errors import StoreError
from specminer.history.trace import NO_HASH, Address, Block, Hash, Word
from specminer.store.dictionary_coding import encode_word


def stored_block(row: Any) -> Block:
    """Return the block of a row."""
    return Block(
        number=row.number,
        hash=Hash(row.hash),
        timestamp=row.timestamp,
        base_fee=None if row.base_fee is None else int.from_bytes(row.base_fee, "big"),
        beneficiary=None if row.beneficiary is None else Address(row.beneficiary),
        gas_limit=row.gas_limit,
        randomness=None if row.randomness is None else Word(int.from_bytes(row.randomness, "big")),
    )


def block_values(block: Block) -> dict[str, Any]:
    """Return a block's columns apart from its number."""
    return {
        "hash": block.hash,
        "timestamp": block.timestamp,
        "base_fee": None if block.base_fee is None else encode_word(block.base_fee),
        "beneficiary": block.beneficiary,
        "gas_limit": block.gas_limit,
        "randomness": None if block.randomness is None else encode_word(block.randomness),
    }


def merged_block(old: Block | None, new: Block) -> Block:
    """Return what two sources say of a block.

    Raises:
        StoreError: they tell of different blocks.

    """
    if old is None:
        return new
    times = {old.timestamp, new.timestamp} - {None}
    hashes = {old.hash, new.hash} - {NO_HASH}
    if len(times) > 1 and len(hashes) == 1 and NO_HASH not in (old.hash, new.hash):
        raise StoreError(
            f"block {new.number} with hash 0x{new.hash.hex()} is known with time {old.timestamp}, but came with "
            f"{new.timestamp}: a block has one time, so one of both is wrong, and nothing of this was stored; compare "
            "it with another source, and give --db the path of another file if what is stored is wrong"
        )
    if len(hashes) > 1 or len(times) > 1:
        raise StoreError(
            f"block {new.number} is known with hash 0x{old.hash.hex()} and time {old.timestamp}, but came with "
            f"0x{new.hash.hex()} and {new.timestamp}: it is of another chain with the same id, or a time is "
            "wrong; give each chain its own --db"
        )
    # the hash stands for all that a block says, so what is known first is as good as what comes later
    return Block(
        number=new.number,
        hash=next(iter(hashes), NO_HASH),
        timestamp=next(iter(times), None),
        base_fee=new.base_fee if old.base_fee is None else old.base_fee,
        beneficiary=new.beneficiary if old.beneficiary is None else old.beneficiary,
        gas_limit=new.gas_limit if old.gas_limit is None else old.gas_limit,
        randomness=new.randomness if old.randomness is None else old.randomness,
    )
