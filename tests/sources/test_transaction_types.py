"""Transactions of rollups and other chains are kept as they are; what the chain itself does is named as missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from specminer import import_history
from specminer._support.errors import FileFormatError
from specminer.contracts.transaction_types import is_foreign, name_type, type_of
from specminer.history.trace import Address, Fidelity
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil, Deployed
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.tables import write_json

Rollup = tuple[Anvil, Deployed, list[Record], list[str]]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("0x7e", 0x7E),
        ("0x7E", 0x7E),
        ("126", 0x7E),
        (126, 0x7E),
        ("2.0", 2),
        ("legacy", None),
        ("0xff", None),
    ],
)
def test_types_are_read_as_tools_write_them(text: Any, kind: int | None) -> None:
    assert type_of(text) == kind


def test_only_types_of_other_chains_are_named() -> None:
    assert [name_type(kind, of_system=False) for kind in (None, 0, 2, 4)] == [""] * 4
    assert "retryable" in name_type(0x69, of_system=False)
    assert name_type(0x33, of_system=False) == "type 0x33, of the chain's own"
    assert is_foreign(0x33)


@pytest.fixture(scope="module")
def rollup(tools: Path) -> Iterator[Rollup]:
    """Use a till on a node of a rollup, now and then by deposits from the chain below."""
    with Anvil(hardfork="isthmus", extra=("--network", "optimism")) as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        deposits = []
        for number, (who, function) in enumerate([(0, "start"), (1, "take"), (2, "put")]):
            data = deployed.encode(function)
            deposit = {
                "type": "0x7e",
                "from": anvil.accounts[who],
                "to": deployed.address,
                "sourceHash": f"0x{number + 1:064x}",
                "mint": "0x5",
                "gas": "0x50000",
                "value": "0x5" if function == "put" else "0x0",
                "isSystemTx": False,
                "input": data,
            }
            deposits.append(anvil.rpc("eth_sendTransaction", deposit))
        till.drive(anvil, deployed, rounds=2)
        records = txlist(anvil)
        yield anvil, deployed, records, deposits


@pytest.mark.node
def test_deposits_are_collected_from_a_node(rollup: Rollup, tmp_path: Path) -> None:
    anvil, deployed, records, deposits = rollup
    contract = Address(bytes.fromhex(deployed.address[2:]))
    with Node(Endpoint(anvil.url)) as node, TraceStore(str(tmp_path / "h.db")) as store:
        done = collect(store, node, contract)
        assert (done.gaps, done.added) == (0, len(records))
        calls = {f"0x{item.hash.hex()}": item.invocations[0] for item in store.transactions(31337, contract)}
    assert [calls[name].outcome.accepted for name in deposits] == [True, False, True]


@pytest.mark.node
def test_deposits_are_executed_again(rollup: Rollup, tmp_path: Path) -> None:
    """A list tells their type; whatever gas they are said to have used, their values are known."""
    _, deployed, records, deposits = rollup
    told = [
        record | ({"type": "126", "gasUsed": "320000"} if record["hash"] in deposits else {"type": "2"})
        for record in records
    ]
    done = import_history(tmp_path / "h.db", write_json(tmp_path / "a.json", told), chain_id=31337)
    assert "100.00% ended as on the chain" in done.summary
    with TraceStore(str(tmp_path / "h.db")) as store:
        marks = {
            f"0x{item.hash.hex()}": item.fidelity
            for item in store.transactions(31337, Address(bytes.fromhex(deployed.address[2:])))
        }
    assert {marks[name] for name in deposits} == {Fidelity.UNCHECKED}
    assert {mark for name, mark in marks.items() if name not in deposits} == {Fidelity.EXACT}


@pytest.mark.node
def test_what_the_chain_itself_does_is_named_as_missing(rollup: Rollup, tmp_path: Path) -> None:
    """A state sync among the contract's transactions is no creation, and the history says that it lacks it."""
    _, deployed, records, _ = rollup
    nobody = "0x" + "00" * 20
    sync = records[-1] | {
        "hash": "0x" + "5c" * 32,
        "from": nobody,
        "to": nobody,
        "gasPrice": "0",
        "input": "0x",
    }
    sync |= {"nonce": "0", "value": "0", "gas": "0", "gasUsed": "0", "contractAddress": ""}
    sync["transactionIndex"] = str(int(sync["transactionIndex"]) + 1)
    for kind in ("0x7f", ""):
        folder = tmp_path / (kind or "none")
        folder.mkdir()
        path = write_json(folder / "a.json", [*records, sync | {"type": kind}])
        done = import_history(folder / "h.db", path, chain_id=31337)
        assert "100.00% ended as on the chain and 100.00% used exactly the same gas" in done.summary
        with TraceStore(str(folder / "h.db")) as store:
            (contract,) = store.contracts()
            assert f"0x{contract.address.hex()}" == deployed.address.lower()
            told = [text for text in store.limits(31337, contract.address) if sync["hash"] in text]
        assert len(told) == 1
        assert "cannot be executed again" in told[0]


@pytest.mark.node
def test_balances_of_the_first_block_are_told(rollup: Rollup, tmp_path: Path) -> None:
    _, _, records, _ = rollup
    balance = records[0] | {"hash": "GENESIS_" + records[0]["from"], "blockNumber": "0"}
    balance["transactionIndex"] = "0"
    heard: list[str] = []

    class Listener:
        def note(self, text: str) -> None:
            heard.append(text)

        def progress(self, seen: Any) -> None:
            pass

    path = write_json(tmp_path / "a.json", [balance, balance, *records])
    import_history(tmp_path / "h.db", path, chain_id=31337, observer=Listener())
    assert [text for text in heard if "2 balances of the chain's first block" in text]
    with pytest.raises(FileFormatError, match="holds no transactions"):
        import_history(tmp_path / "g.db", write_json(tmp_path / "b.json", [balance]), chain_id=31337)
