"""Contracts that call one another, from the list of each: faithful together, while each alone says what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from specminer._support.keccak import keccak
from specminer.contracts.artifact import AbiEntry, Artifact, parse
from specminer.contracts.fitting_abi import fitting_artifact
from specminer.history.trace import Address, Transaction
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.command import Done, specminer
from tests.support.exporting import write_txlist
from tests.support.salesroom import Salesroom, compiled, drive

pytestmark = pytest.mark.node
Room = tuple[Anvil, Salesroom, dict[str, Path]]
FAITHFUL = "100.00% ended as on the chain and 100.00% used exactly the same gas"
NAMES = ("token", "vault", "sale")


@pytest.fixture(scope="module")
def room(
    tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Anvil, Salesroom, dict[str, Path]]]:
    folder = tmp_path_factory.mktemp("salesroom")
    with Anvil() as anvil:
        driven = drive(anvil)
        lists = {
            name: write_txlist(anvil, folder / f"{name}.json", [getattr(driven, name).address])
            for name in NAMES
        }
        yield anvil, driven, lists


def run(database: str, cwd: Path, *files: Path | str) -> Done:
    return specminer("import", *files, "--db", database, "--fork", "cancun", "--chain-id", "31337", cwd=cwd)


def held(database: Path, contracts: Mapping[str, str]) -> dict[str, list[Any]]:
    """Return what the database holds of each contract, without which source it came from and what only that tells."""
    with TraceStore(str(database)) as store:
        return {
            name: [_facts(item) for item in store.transactions(31337, Address(bytes.fromhex(address[2:])))]
            for name, address in contracts.items()
        }


def _facts(item: Transaction) -> tuple[Any, ...]:
    calls = [
        (call.kind, call.sender, call.value, call.data, call.outcome, call.accesses, call.depth)
        for call in item.invocations
    ]
    return item.hash, item.block.number, item.index, item.sender, item.gas_used, item.succeeded, calls


def test_together_they_are_what_a_node_recorded(room: Room, tmp_path: Path) -> None:
    anvil, driven, lists = room
    contracts = {name: getattr(driven, name).address for name in NAMES}
    with Node(Endpoint(anvil.url)) as node, TraceStore(str(tmp_path / "node.db")) as store:
        for address in contracts.values():
            collect(store, node, Address(bytes.fromhex(address[2:])))
    recorded = held(tmp_path / "node.db", contracts)
    assert all(len(items) > 10 for items in recorded.values())
    for number, order in enumerate(permutations(NAMES)):
        if number not in (2, 5):
            continue
        done = run(f"{number}.db", tmp_path, *(lists[name] for name in order))
        assert done.code == 0, done.text
        assert FAITHFUL in done.out
        assert "missing" not in done.out
        assert held(tmp_path / f"{number}.db", contracts) == recorded


def test_alone_each_says_what_is_missing(room: Room, tmp_path: Path) -> None:
    _, driven, lists = room
    done = run("sale.db", tmp_path, lists["sale"])
    assert done.code == 0, done.text
    assert f"missing: {driven.vault.address} (" in done.out
    for name in ("token", "vault"):  # called by the sale, which is not there
        done = run(f"{name}.db", tmp_path, lists[name])
        assert done.code == 0, done.text
        assert "missing: calls of other contracts" in done.out


def test_what_was_missing_is_added_by_a_later_run(room: Room, tmp_path: Path) -> None:
    """Whatever the order, the same history as at once; a list that was there already adds nothing."""
    _, driven, lists = room
    contracts = {name: getattr(driven, name).address for name in NAMES}
    assert run("once.db", tmp_path, *lists.values()).code == 0
    for order in (("sale", "token", "vault"), ("vault", "token", "sale")):
        database = f"{order[0]}.db"
        for name in order:
            done = run(database, tmp_path, lists[name])
            assert done.code == 0, done.text
        assert FAITHFUL in done.out, order
        assert held(tmp_path / database, contracts) == held(tmp_path / "once.db", contracts), order
        again = run(database, tmp_path, lists["vault"])
        assert "nothing new" in again.out


def test_lists_that_contradict_each_other_are_refused_and_nothing_is_kept(room: Room, tmp_path: Path) -> None:
    _, _, lists = room
    records = json.loads(lists["token"].read_text())
    records[-1]["value"] = "12"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(records))
    done = run("h.db", tmp_path, lists["token"], wrong)
    assert (done.code, done.out) == (2, "")
    assert f"tell different things of transaction {records[-1]['hash']} (value: 0 and 12)" in done.err
    assert [item.name for item in tmp_path.iterdir()] == ["wrong.json"]


def test_lists_that_have_nothing_to_do_with_each_other_stay_apart(room: Room, tmp_path: Path) -> None:
    """The second is executed alone: the first has as many records as before."""
    _, _, lists = room
    with Anvil() as other:
        path = write_txlist(other, tmp_path / "other.json") if drive(other, rounds=1) else tmp_path
    records = json.loads(path.read_text())
    for record in records:  # another chain's addresses, so that nothing is shared
        for field in ("to", "contractAddress"):
            record[field] = record[field] and "0x77" + record[field][4:]
        record["hash"] = "0x77" + record["hash"][4:]
    path.write_text(json.dumps([record for record in records if record["contractAddress"]][:1]))
    assert run("h.db", tmp_path, lists["vault"]).code == 0
    done = run("h.db", tmp_path, path)
    assert done.code == 0, done.text
    assert "executed 1 by" in done.out


def test_each_contract_gets_its_own_abi(room: Room, tmp_path: Path) -> None:
    """Of several files, or of a folder that holds other files as well."""
    _, driven, lists = room
    folder = tmp_path / "abis"
    folder.mkdir()
    for name in ("Token", "Vault", "Sale", "Spare"):
        abi = [function("spare")] if name == "Spare" else compiled()[name]["abi"]
        (folder / f"{name}.json").write_text(json.dumps({"contractName": name, "abi": abi}))
    (folder / "package.json").write_text('{"name": "salesroom"}')
    files = [argument for path in sorted(folder.glob("[A-Z]*")) for argument in ("--abi", path)]
    for database, chosen in (("files.db", files), ("folder.db", ["--abi", folder])):
        done = run(database, tmp_path, *lists.values(), *chosen)
        assert done.code == 0, done.text
        with TraceStore(str(tmp_path / database)) as store:
            for name in NAMES:
                address = Address(bytes.fromhex(getattr(driven, name).address[2:]))
                stored = store.record(31337, address).artifact
                assert stored is not None
                assert parse(stored, name).name == name.title()


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "inputs": [], "outputs": [], "stateMutability": "view"}


def test_the_abis_of_a_proxy_are_those_of_all_that_ran() -> None:
    """Of both facets, or of both versions; the layout is that of the newest. What never ran is left out."""

    def artifact(name: str, *functions: str, slots: int = 0) -> Artifact:
        word = {"encoding": "inplace", "label": "uint256", "numberOfBytes": "32"}
        members = [{"label": f"v{slot}", "slot": str(slot), "type": "t"} for slot in range(slots)]
        layout = {"storage": members, "types": {"t": word}}
        abi = tuple(AbiEntry(name=item) for item in functions)
        return Artifact(name=name, abi=abi, storage_layout=layout if slots else None)

    def code(*functions: str) -> bytes:
        return b"".join(b"\x63" + keccak(f"{item}()".encode())[:4] for item in functions)

    first, second = artifact("V1", "a", "b", slots=1), artifact("V2", "a", "b", "c", slots=2)
    other, proxy = artifact("Other", "x", "y"), artifact("Proxy", "upgrade")
    found = fitting_artifact(
        [first, other, second, proxy], [code("upgrade"), code("a", "b"), code("a", "b", "c")]
    )
    assert found is not None
    assert {entry.name for entry in found.abi} == {"a", "b", "c", "upgrade"}
    assert found.storage_layout == second.storage_layout
    assert fitting_artifact([other, proxy], [code("a", "b")]) is None
    assert fitting_artifact([other], [code("a", "b")]) is other
    facets = fitting_artifact([other, first], [code("x", "y"), code("a", "b")])
    assert facets is not None
    assert {entry.name for entry in facets.abi} == {"a", "b", "x", "y"}
