"""One history, recorded on a node and written in every format of transactions, is the same history again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specminer import import_history
from specminer.errors import FileFormatError
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.tables import FORMATS, cryo_transaction, write_parquet

Recorded = tuple[list[Record], list[Any]]


@pytest.fixture(scope="module")
def recorded(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Return the records of a till that was used, and what an import of the explorer's list makes of them."""
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=4)
        records = txlist(anvil)
    folder = tmp_path_factory.mktemp("formats")
    return records, held(folder, FORMATS["explorer-json"](folder, records))


def held(folder: Path, files: list[Path]) -> list[Any]:
    done = import_history(folder / "h.db", *files, chain_id=31337)
    assert "100.00% ended as on the chain and 100.00% used exactly the same gas" in done.summary
    with TraceStore(str(folder / "h.db")) as store:
        (contract,) = store.contracts()
        found = store.transactions(31337, contract.address)
        # tables of blocks tell more of a block than an explorer's list
        return [replace(item, block=replace(item.block, beneficiary=None)) for item in found]


@pytest.mark.node
@pytest.mark.parametrize("name", [name for name in FORMATS if name != "explorer-json"])
def test_each_format_gives_the_same_history(recorded: Recorded, tmp_path: Path, name: str) -> None:
    records, expected = recorded
    assert len(expected) > 40
    assert held(tmp_path, FORMATS[name](tmp_path, records)) == expected


@pytest.mark.node
def test_a_table_in_pieces_is_put_together(recorded: Recorded, tmp_path: Path) -> None:
    """Tools write a file for each range of blocks."""
    records, _ = recorded
    files = []
    for start in range(0, len(records), 20):
        (folder := tmp_path / str(start)).mkdir()
        files += FORMATS["query-parquet"](folder, records[start : start + 20])
    assert held(tmp_path, files[::-1]) == recorded[1]


@pytest.mark.parametrize("cut", [4, 100, 900])
def test_a_damaged_parquet_file_is_refused(tmp_path: Path, cut: int) -> None:
    record = {
        "blockNumber": "5",
        "transactionIndex": "0",
        "hash": "0x" + "11" * 32,
        "nonce": "0",
        "from": "0x" + "22" * 20,
        "to": "",
        "value": "0",
        "input": "0x00",
        "gas": "50000",
        "gasUsed": "50000",
        "gasPrice": "1",
        "txreceipt_status": "1",
    }
    path = write_parquet(tmp_path / "a.parquet", [cryo_transaction(record)])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(FileFormatError, match=r"a\.parquet is a damaged Parquet file"):
        import_history(tmp_path / "h.db", path, chain_id=1)
    assert not (tmp_path / "h.db").exists()


@pytest.mark.node
def test_balances_of_the_first_block_are_no_transactions(recorded: Recorded, tmp_path: Path) -> None:
    records, expected = recorded
    first = {
        **records[0],
        "hash": "GENESIS_" + records[0]["from"],
        "blockNumber": "0",
        "transactionIndex": "0",
    }
    assert held(tmp_path, FORMATS["explorer-json"](tmp_path, [first, *records])) == expected


@pytest.mark.node
def test_numbers_as_nodes_write_them(recorded: Recorded, tmp_path: Path) -> None:
    records, expected = recorded
    names = ("blockNumber", "transactionIndex", "nonce", "value", "gas", "gasPrice", "gasUsed", "timeStamp")
    told = [record | {name: hex(int(record[name])) for name in names} for record in records]
    assert held(tmp_path, FORMATS["explorer-json"](tmp_path, told)) == expected
