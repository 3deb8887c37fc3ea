"""Contracts that no list creates come from a file of the chain's state: a genesis file, or what a node dumps."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specminer import import_history
from specminer._support.errors import FileFormatError
from specminer.history.trace import Address, Transaction
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.tables import octets, write_json

FAITHFUL = "100.00% ended as on the chain and 100.00% used exactly the same gas"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """A till behind a proxy that was there before its list begins."""

    proxy: str
    records: list[Record]
    """From the dump on."""
    dump: str
    """What the node answered to anvil_dumpState."""
    later: str
    """The same at the end."""
    collected: list[Transaction]
    """What a node tells of the same transactions."""


@pytest.fixture(scope="module")
def lived(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    with Anvil() as anvil:
        owner = anvil.accounts[0]
        code = anvil.deploy(owner, till.compiled()["Till"])
        proxy = anvil.deploy(owner, till.compiled()["Proxy"], code.address)
        used = anvil.at(proxy.address, till.compiled()["Till"]["abi"])
        anvil.block([used.call(owner, "start")])
        anvil.block([used.call(who, "put", value=7) for who in anvil.accounts[1:6]])
        dump, last = anvil.rpc("anvil_dumpState"), anvil.block_number()
        till.drive(anvil, used, rounds=2)
        records = [item for item in txlist(anvil, [proxy.address]) if int(item["blockNumber"]) > last]
        contract = Address(octets(proxy.address))
        folder = tmp_path_factory.mktemp("state")
        with Node(Endpoint(anvil.url)) as node, TraceStore(str(folder / "h.db")) as store:
            collect(store, node, contract)
            collected = list(store.transactions(31337, contract))
        hashes = {item["hash"] for item in records}
        return Lived(
            proxy=proxy.address,
            records=records,
            dump=dump,
            later=anvil.rpc("anvil_dumpState"),
            collected=[item for item in collected if f"0x{item.hash.hex()}" in hashes],
        )


def as_genesis(dump: str) -> dict[str, Any]:
    """Return a dump's accounts as a genesis file has them."""
    accounts = json.loads(gzip.decompress(octets(dump)))["accounts"]
    alloc = {
        address[2:]: {
            "balance": str(int(account["balance"], 16)),
            "code": account["code"],
            "storage": account["storage"],
        }
        for address, account in accounts.items()
    }
    return {"config": {"chainId": 31337}, "difficulty": "0x0", "alloc": alloc}


def facts(items: list[Transaction]) -> list[Any]:
    return [
        (item.hash, [(call.outcome, call.accesses, call.code) for call in item.invocations]) for item in items
    ]


@pytest.mark.node
@pytest.mark.parametrize("form", ["answer", "file", "genesis", "alloc"])
def test_a_state_has_the_contracts_that_no_list_creates(lived: Lived, tmp_path: Path, form: str) -> None:
    document = json.loads(gzip.decompress(octets(lived.dump)))
    state = tmp_path / "state"
    if form == "answer":
        state.write_text(json.dumps(lived.dump))
    elif form == "file":
        state.write_text(json.dumps(document))
    elif form == "genesis":
        state.write_text(json.dumps(as_genesis(lived.dump)))
    else:
        state.write_text(json.dumps(as_genesis(lived.dump)["alloc"]))
    listed = write_json(tmp_path / "list.json", lived.records)
    done = import_history(tmp_path / "h.db", listed, state, chain_id=31337)
    assert FAITHFUL in done.summary
    assert "missing" not in done.summary
    with TraceStore(str(tmp_path / "h.db")) as store:
        contract = Address(octets(lived.proxy))
        items = list(store.transactions(31337, contract))
        assert len(items) > 30
        assert facts(items) == facts(lived.collected)
        record = store.record(31337, contract)
        assert [code for _, code in record.implementations] == [
            bytes.fromhex(till.compiled()["Till"]["evm"]["deployedBytecode"]["object"])
        ]
    again = import_history(tmp_path / "h.db", listed, state, chain_id=31337)
    assert "nothing new" in again.summary


@pytest.mark.node
def test_of_a_later_state_only_the_code_is_believed(lived: Lived, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.write_text(lived.later)
    listed = write_json(tmp_path / "list.json", lived.records)
    heard: list[str] = []

    class Listener:
        def note(self, text: str) -> None:
            heard.append(text)

        def progress(self, seen: Any) -> None:
            pass

    import_history(tmp_path / "h.db", listed, state, chain_id=31337, observer=Listener())
    assert [text for text in heard if "not as they were before each transaction" in text]
    with TraceStore(str(tmp_path / "h.db")) as store:
        items = list(store.transactions(31337, Address(octets(lived.proxy))))
    first = items[0].invocations[0]
    assert first.accesses
    assert first.accesses[0].after is None, "what the storage held at the beginning is not known"
    known = {item.hash: [call.outcome.accepted for call in item.invocations] for item in lived.collected}
    assert {item.hash: [call.outcome.accepted for call in item.invocations] for item in items} == known


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"alloc": {"0x12": {}}}', "no address with an account behind it"),
        ('{"alloc": {"%s": {"balance": "x"}}}' % ("11" * 20), "balance should be"),
        ('{"alloc": {"%s": {"code": "0xzz"}}}' % ("11" * 20), "code should be"),
        ('{"alloc": {"%s": {"storage": []}}}' % ("11" * 20), "storage should be an object"),
        ('{"alloc": {', "no state in JSON"),
        ('"0x1f8b08"', "damaged dump"),
    ],
)
def test_what_is_no_state_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "state"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=match):
        import_history(tmp_path / "h.db", path, chain_id=31337)
    assert not (tmp_path / "h.db").exists()
