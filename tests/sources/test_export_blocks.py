"""What exports tell of blocks is read, used and stored; what contradicts itself is refused with both records named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import FileFormatError, StoreError
from specminer.history.trace import NO_HASH, Address, Block, Hash, Transaction, Word
from specminer.pipeline.executing import Export, Rulebook, import_export
from specminer.replay.engine import Engine
from specminer.sources.txlist import read_calls, read_transactions
from specminer.store import TraceStore
from tests.support.exports import CREATED, Record, call, counted, transaction, transactions

CONTRACT = Address(bytes.fromhex(CREATED[2:]))
MINER = "0x" + "ab" * 20
VALUES: dict[str, str] = {
    "base_fee_per_gas": "12345678901",
    "miner": MINER,
    "block_gas_limit": "0x1c9c380",
    "difficulty": "0",
    "mix_hash": "0x" + "5a" * 32,
}
"""As a table of transactions has them that was joined with one of blocks."""


def write(path: Path, records: Sequence[Record]) -> Path:
    path.write_text(json.dumps(list(records)), encoding="utf-8")
    return path


def asking(count: int, **fields: str) -> list[Record]:
    """Return records of a contract that puts its block's base fee, beneficiary, randomness and gas limit into slots."""
    code = bytes.fromhex("4860005541600155446002554560035500")
    creation = bytes.fromhex(f"60{len(code):02x}600c60003960{len(code):02x}6000f3") + code
    records = [record | {"gasUsed": "", "value": "0"} | fields for record in transactions(count)]
    records[0]["input"] = "0x" + creation.hex()
    return records


def imported(
    records: Sequence[Record], folder: Path, *, engine: Engine = Engine.FAST, inner: Sequence[Record] = ()
) -> tuple[list[Transaction], list[str]]:
    """Import an export of chain 1 under the newest rules; return its history and its limits."""
    export = Export(
        transactions=read_transactions(write(folder / "list.json", records)),
        calls=read_calls(write(folder / "inner.json", inner)),
        origin="list.json",
    )
    with TraceStore("sqlite://") as store:
        import_export(store, export, Rulebook(chain_id=99, fork="osaka", engine=engine))
        return list(store.transactions(99, CONTRACT)), store.limits(99, CONTRACT)


def stored(history: list[Transaction]) -> list[dict[int, int | None]]:
    return [
        {access.slot: access.after for call in item.invocations for access in call.accesses}
        for item in history[1:]
    ]


@pytest.mark.parametrize("engine", [Engine.FAST, Engine.BOTH])
def test_values_of_blocks_are_what_code_is_told_and_are_stored(tmp_path: Path, engine: Engine) -> None:
    history, limits = imported(asking(3, **VALUES), tmp_path, engine=engine)
    mixed = int("5a" * 32, 16)
    assert stored(history) == [{0: 12345678901, 1: int(MINER, 16), 2: mixed, 3: 30_000_000}] * 2
    block = history[1].block
    assert block == Block(
        number=100,
        hash=Hash(bytes.fromhex(f"{100 + (1 << 200):064x}")),
        timestamp=1_500_001_200,
        base_fee=12345678901,
        beneficiary=Address(bytes.fromhex("ab" * 20)),
        gas_limit=30_000_000,
        randomness=Word(mixed),
    )
    assert not any("asked for" in limit for limit in limits)


def test_what_is_absent_stays_unknown_and_is_said(tmp_path: Path) -> None:
    history, limits = imported(asking(3), tmp_path)
    block = history[1].block
    assert (block.base_fee, block.beneficiary, block.gas_limit, block.randomness) == (None, None, None, None)
    told = next(limit for limit in limits if "asked for" in limit)
    assert "BASEFEE, COINBASE, DIFFICULTY or PREVRANDAO, GASLIMIT" in told


def test_only_what_is_absent_is_said(tmp_path: Path) -> None:
    told = {name: VALUES[name] for name in ("base_fee_per_gas", "block_gas_limit")}
    _, limits = imported(asking(3, **told), tmp_path)
    assert "asked for COINBASE, DIFFICULTY or PREVRANDAO, which" in next(x for x in limits if "asked" in x)


def test_one_record_tells_of_the_block_for_all_of_its_records(tmp_path: Path) -> None:
    records = asking(3)
    records[2] |= VALUES
    history, _ = imported(records, tmp_path)
    assert {item.block.base_fee for item in history} == {12345678901}
    assert len({item.block for item in history}) == 1


@pytest.mark.parametrize(
    ("fields", "randomness"),
    [
        ({"difficulty": "17179869184", "mixHash": "0x" + "11" * 32}, 17179869184),
        ({"difficulty": "0", "mixHash": "0x" + "11" * 32}, int("11" * 32, 16)),
        ({"difficulty": "0"}, None),
        ({"mixHash": "0x" + "11" * 32}, None),
        ({"prevRandao": "0x2a", "difficulty": "0"}, 42),
    ],
)
def test_a_mix_hash_is_randomness_only_where_there_is_no_difficulty(
    tmp_path: Path, fields: Record, randomness: int | None
) -> None:
    path = write(tmp_path / "list.json", [record | fields for record in transactions(1)])
    values = read_transactions(path)[0].block_values
    assert (None if values is None else values.randomness) == randomness


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"base_fee_per_gas": "-1"}, "base_fee_per_gas should be a whole decimal number"),
        ({"base_fee_per_gas": "0x" + "f" * 65}, "base_fee_per_gas should be"),
        ({"miner": "0x12"}, "miner should be 0x and 40 hexadecimal digits"),
        ({"block_gas_limit": "0xffffffffffffffff"}, r"block_gas_limit should be a number below 2\*\*63"),
        ({"difficulty": "many"}, "difficulty should be"),
    ],
)
def test_values_of_blocks_that_cannot_be(tmp_path: Path, fields: dict[str, Any], match: str) -> None:
    path = write(tmp_path / "list.json", [record | fields for record in transactions(2)])
    with pytest.raises(FileFormatError, match=match):
        read_transactions(path)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"timeStamp": "1500000001"}, r"of block 100, but tell different values of its time \(timeStamp\)"),
        (VALUES | {"base_fee_per_gas": "1"}, r"its base fee \(1 and 12345678901\)"),
        (VALUES | {"miner": "0x" + "00" * 20}, "its beneficiary"),
    ],
)
def test_records_of_one_block_that_contradict_each_other_are_named(
    tmp_path: Path, fields: Record, match: str
) -> None:
    """Not "another chain": both lists are files of this run, and each record is named."""
    inner = [call(500, 100, **fields)]
    with pytest.raises(FileFormatError, match=match) as caught:
        imported([record | VALUES for record in counted(3)], tmp_path, inner=inner)
    assert "an internal call of transaction 0x" in caught.value.message
    assert f"transaction 0x{1:064x} (record 1)" in caught.value.message


def test_an_internal_call_before_its_time_is_refused(tmp_path: Path) -> None:
    inner = [call(500, 103, timeStamp="1500000001")]
    with pytest.raises(FileFormatError, match="times of a chain's blocks only rise"):
        imported(counted(6), tmp_path, inner=inner)


def test_another_time_of_a_stored_block_is_called_that(tmp_path: Path) -> None:
    def blocks(store: TraceStore, time: int, hashed: bytes) -> None:
        record = transaction(0, 100, 1, timeStamp=str(time), blockHash="0x" + hashed.hex(), gasUsed="")
        path = write(
            tmp_path / "list.json",
            [record | {"input": counted(1)[0]["input"], "hash": "0x" + f"{time:064x}"}],
        )
        export = Export(transactions=read_transactions(path), origin="list.json")
        import_export(store, export, Rulebook(chain_id=99, fork="osaka"))

    with TraceStore("sqlite://") as store:
        blocks(store, 1_500_000_000, b"\1" * 32)
        with pytest.raises(
            StoreError, match="a block has one time, so one of both is wrong, and nothing of this"
        ):
            blocks(store, 1_500_000_001, b"\1" * 32)
        with pytest.raises(StoreError, match="another chain with the same id, or a time is wrong"):
            blocks(store, 1_500_000_001, b"\2" * 32)
        assert [block.timestamp for block in store.blocks(99)] == [1_500_000_000]
        assert NO_HASH not in {block.hash for block in store.blocks(99)}
