"""What exported records tell of their blocks: time, hash, and the values that code can ask for.

Explorers tell of a block little more than its time; rows of public data sets, joined with those of blocks, tell its
base fee, beneficiary, gas limit and randomness too. All records of a block have to agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from specminer.history.trace import NO_HASH, WORD_LIMIT, Address, Block, Hash, Word
from specminer.sources.export_fields import (
    Fields,
    RecordError,
    describe_value,
    is_given,
    read_address,
    read_number,
)

_BASE_FEE: Final = ("baseFeePerGas", "base_fee_per_gas", "blockBaseFeePerGas", "block_base_fee_per_gas")
_BENEFICIARY: Final = ("miner", "block_miner", "blockMiner", "beneficiary", "feeRecipient", "fee_recipient")
_GAS_LIMIT: Final = ("blockGasLimit", "block_gas_limit")
_RANDOMNESS: Final = ("prevRandao", "prev_randao")
_MIXED: Final = ("mixHash", "mix_hash")
_DIFFICULTY: Final = ("difficulty", "block_difficulty", "blockDifficulty")
BLOCK_FIELDS: Final = (
    *(*_BASE_FEE, *_BENEFICIARY, *_GAS_LIMIT, "gas_limit"),
    *(*_RANDOMNESS, *_MIXED, *_DIFFICULTY),
)
"""All names under which a record may tell of its block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockValues:
    """What code in a block can ask of it; ``None`` where a record does not tell."""

    base_fee: int | None = None
    """Wei for each gas."""
    beneficiary: Address | None = None
    gas_limit: int | None = None
    randomness: Word | None = None
    """Previous randomness, or the difficulty where there was that instead."""


def block_values(fields: Fields) -> BlockValues | None:
    """Read what a record tells of its block apart from number, hash and time; ``None`` if it tells nothing.

    Raises:
        RecordError: a field is malformed.

    """
    beneficiary = _name(fields, _BENEFICIARY)
    values = BlockValues(
        base_fee=_amount(fields, _BASE_FEE),
        beneficiary=None if beneficiary is None else read_address(fields, beneficiary),
        gas_limit=_gas_limit(fields),
        randomness=_randomness(fields),
    )
    return None if values == BlockValues() else values


def _name(fields: Fields, names: Iterable[str]) -> str | None:
    return next((name for name in names if is_given(fields, name)), None)


def _amount(fields: Fields, names: Iterable[str], limit: int = WORD_LIMIT) -> int | None:
    name = _name(fields, names)
    return None if name is None else _word(fields, name, limit)


def _word(fields: Fields, name: str, limit: int = WORD_LIMIT) -> int:
    """Read a number in decimal or hexadecimal digits."""
    value = fields[name]
    if isinstance(value, str) and value[:2] == "0x" and 2 < len(value) <= 66:
        try:
            number = int(value[2:], 16) if value[2:].isalnum() else limit
        except ValueError:
            number = limit
        if number < limit:
            return number
        raise RecordError(
            f"{name} should be a number below 2**{limit.bit_length() - 1}, got {describe_value(value)}"
        )
    return read_number(fields, name, limit)


def _gas_limit(fields: Fields) -> int | None:
    """Return the block's gas limit; ``gas_limit`` is the transaction's where no other field is."""
    limit = _amount(fields, _GAS_LIMIT, 1 << 63)
    if limit is None and is_given(fields, "gas_limit") and is_given(fields, "gas"):
        limit = _word(fields, "gas_limit", 1 << 63)
    return limit


def _randomness(fields: Fields) -> Word | None:
    """Return what the opcode for it gave: the difficulty, or the randomness once there was none.

    A mix hash alone does not tell which of both it was.
    """
    randomness = _amount(fields, _RANDOMNESS)
    if randomness is not None:
        return Word(randomness)
    difficulty = _amount(fields, _DIFFICULTY)
    if difficulty == 0:
        mixed = _amount(fields, _MIXED)
        return None if mixed is None else Word(mixed)
    return None if difficulty is None else Word(difficulty)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRecord:
    """What one record tells of its block."""

    number: int
    hash: Hash | None
    timestamp: int | None
    """Unix seconds."""
    values: BlockValues | None
    source: str
    """The record, for messages."""


def merge_blocks(records: Iterable[BlockRecord]) -> dict[int, Block]:
    """Return the blocks of all records by their numbers, each with what all of its records tell together.

    Raises:
        RecordError: two records tell otherwise of one block, or a block is earlier than an older one; names both.

    """
    blocks: dict[int, Block] = {}
    sources: dict[tuple[int, str], str] = {}
    for record in records:
        block = blocks.get(record.number, Block(number=record.number, hash=NO_HASH, timestamp=None))
        known_fields = _known_fields(record)
        for name, value in known_fields.items():
            first = sources.setdefault((record.number, name), record.source)
            earlier = getattr(block, name)
            if first != record.source and earlier != value:
                raise RecordError(
                    f"{record.source} and {first} are of block {record.number}, but tell different values of "
                    f"its {_NOUNS[name]} ({_show_value(value)} and {_show_value(earlier)}): one of the lists is wrong, "
                    "or of another chain"
                )
        blocks[record.number] = replace(block, **known_fields)
    _check_times([blocks[number] for number in sorted(blocks)], sources)
    return blocks


_NOUNS: Final = {
    "hash": "hash",
    "timestamp": "time (timeStamp)",
    "base_fee": "base fee",
    "beneficiary": "beneficiary",
    "gas_limit": "gas limit",
    "randomness": "randomness",
}


def _show_value(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else f"{value}"


def _known_fields(record: BlockRecord) -> dict[str, Any]:
    """Return the fields of a block that a record tells."""
    values = record.values or BlockValues()
    all_fields: dict[str, Any] = {
        "hash": record.hash,
        "timestamp": record.timestamp,
        "base_fee": values.base_fee,
        "beneficiary": values.beneficiary,
        "gas_limit": values.gas_limit,
        "randomness": values.randomness,
    }
    return {name: value for name, value in all_fields.items() if value is not None}


def _check_times(blocks: Sequence[Block], sources: dict[tuple[int, str], str]) -> None:
    last: Block | None = None
    for block in blocks:
        if block.timestamp is None:
            continue
        if last is not None and last.timestamp is not None and block.timestamp < last.timestamp:
            raise RecordError(
                f"the time (timeStamp) of {sources[block.number, 'timestamp']}, {block.timestamp} in block "
                f"{block.number}, is earlier than {last.timestamp} of the older block {last.number} in "
                f"{sources[last.number, 'timestamp']}; times of a chain's blocks only rise, so one of both is wrong"
            )
        last = block
