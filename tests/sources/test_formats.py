"""One history, recorded on a node and written in every format of transactions, is the same history again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specminer import import_history
from specminer._support.errors import FileFormatError
from specminer.history.trace import Address
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.javascript import tracer_source
from specminer.sources.node import Node
from specminer.sources.prestate import CALL_OPTIONS, DIFF_OPTIONS, PRESTATE_OPTIONS
from specminer.sources.struct_logs import OPTIONS
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.tables import FORMATS, cryo_transaction, octets, write_json, write_lines, write_parquet

Recorded = tuple[list[Record], list[Any]]
Traced = tuple[list[Record], list[Any], dict[str, dict[str, Any]]]


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


@pytest.fixture(scope="module")
def traced(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """Use a till; return its records, what a node tells of it, and the answers of each tracer by transaction."""
    with Anvil(steps_tracing=True) as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=2)
        records = txlist(anvil)
        contract = Address(bytes.fromhex(deployed.address[2:]))
        answers = {
            record["hash"]: {
                name: anvil.rpc("debug_traceTransaction", record["hash"], options)
                for name, options in (
                    ("javascript", {"tracer": tracer_source([contract])}),
                    ("structLogs", OPTIONS),
                    ("calls", CALL_OPTIONS),
                    ("before", PRESTATE_OPTIONS),
                    ("changes", DIFF_OPTIONS),
                )
            }
            for record in records
        }
        folder = tmp_path_factory.mktemp("traced")
        with Node(Endpoint(anvil.url)) as node, TraceStore(str(folder / "node.db")) as store:
            collect(store, node, contract)
            collected = list(store.transactions(31337, contract))
    return records, collected, answers


def imported(folder: Path, records: list[Record], files: list[Path]) -> list[Any]:
    done = import_history(
        folder / "h.db", *files, write_json(folder / "list.json", list(records)), chain_id=31337
    )
    assert "from traces of" in done.summary
    with TraceStore(str(folder / "h.db")) as store:
        (contract,) = store.contracts()
        return list(store.transactions(31337, contract.address))


def without_receipts(items: list[Any]) -> list[Any]:
    """Return transactions without what only receipts and blocks tell."""
    bare = {"base_fee": None, "beneficiary": None, "gas_limit": None, "randomness": None}
    return [replace(item, logs=None, block=replace(item.block, **bare)) for item in items]


@pytest.mark.node
@pytest.mark.parametrize("form", ["cryo", "lines", "array", "block", "files"])
def test_traces_of_our_tracer_are_what_a_node_tells(traced: Traced, tmp_path: Path, form: str) -> None:
    """As cryo's table, as answers saved one on each line, in a list, for a block, or in a file each."""
    records, collected, answers = traced
    # anvil's tracer does not hear the transaction's hash, as geth's does; what is around the answer tells it otherwise
    own = {name: found["javascript"] for name, found in answers.items()}
    if form in ("lines", "array"):
        own = {name: answer | {"tx": name} for name, answer in own.items()}
    files = []
    if form == "cryo":
        rows = [
            {"block_number": 1, "transaction_hash": octets(name), "output": json.dumps(answer), "chain_id": 1}
            for name, answer in own.items()
        ]
        files = [write_parquet(tmp_path / "javascript_traces.parquet", rows)]
    elif form == "lines":
        files = [
            write_lines(
                tmp_path / "a", [{"jsonrpc": "2.0", "id": 7, "result": item} for item in own.values()]
            )
        ]
    elif form == "array":
        files = [write_json(tmp_path / "a", list(own.values()))]
    elif form == "block":
        files = [write_json(tmp_path / "a", [{"txHash": name, "result": item} for name, item in own.items()])]
    else:
        files = [write_json(tmp_path / f"trace-{name}.json", [item]) for name, item in own.items()]
    assert without_receipts(imported(tmp_path, records, files)) == without_receipts(collected)


@pytest.mark.node
@pytest.mark.parametrize(
    "kinds", [("structLogs",), ("calls", "before", "changes")], ids=["structLogs", "prestate"]
)
def test_traces_of_other_tracers_tell_the_same_calls(
    traced: Traced, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    records, collected, answers = traced
    files = [
        write_json(
            tmp_path / kind, [{"txHash": name, "result": found[kind]} for name, found in answers.items()]
        )
        for kind in kinds
    ]
    found = imported(tmp_path, records, files)
    assert [item.hash for item in found] == [item.hash for item in collected]
    for item, known in zip(found, collected, strict=True):
        for call, same in zip(item.invocations, known.invocations, strict=True):
            assert (call.data, call.sender, call.value, call.outcome) == (
                same.data,
                same.sender,
                same.value,
                same.outcome,
            )
    reads = sum(len(call.accesses) for item in found for call in item.invocations)
    assert reads > len(found)


@pytest.mark.node
def test_traces_that_do_not_fit_are_gaps(traced: Traced, tmp_path: Path) -> None:
    """One transaction has no trace, two have each other's: the rest is recorded, these are named."""
    records, collected, answers = traced
    own = {name: found["javascript"] | {"tx": "0x"} for name, found in answers.items()}
    names = list(own)
    own[names[3]], own[names[9]] = own[names[9]], own[names[3]]
    del own[names[5]]
    path = write_json(tmp_path / "a", [{"txHash": name, "result": item} for name, item in own.items()])
    found = imported(tmp_path, records, [path])
    left = {f"0x{item.hash.hex()}" for item in collected} - {f"0x{item.hash.hex()}" for item in found}
    assert names[5] in left
    assert left <= {names[3], names[5], names[9]}
    with TraceStore(str(tmp_path / "h.db")) as store:
        (contract,) = store.contracts()
        assert {f"0x{gap.hash.hex()}" for gap in store.gaps(31337, contract.address)} == left


@pytest.mark.node
def test_traces_without_their_transactions_are_refused(traced: Traced, tmp_path: Path) -> None:
    _, _, answers = traced
    path = write_json(
        tmp_path / "a", [{"txHash": name, "result": found["javascript"]} for name, found in answers.items()]
    )
    with pytest.raises(FileFormatError, match="give a list or table of transactions as well"):
        import_history(tmp_path / "h.db", path, chain_id=31337)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"structLogs": [], "gas": 5}', "does not say of which transaction it is"),
        ('[{"txHash": "0x12", "result": {}}]', "txHash should be 0x and 64 hexadecimal digits"),
        (
            '[{"txHash": "0x' + "11" * 32 + '", "result": 5}]',
            "expected an object that a tracer answered, got 5",
        ),
        ('[{"txHash": "0x' + "11" * 32 + '", "result": {"a": 1}}]', "an answer is none of our tracer"),
        ('{"v": 1, "steps": ' + "[" * 100_000, "nested deeper"),
        ('{"v": 1, "steps": [', "holds no traces"),
    ],
)
def test_what_is_no_trace_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "traces"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=match):
        import_history(tmp_path / "h.db", path, chain_id=31337)
    assert not (tmp_path / "h.db").exists()


@pytest.mark.node
def test_what_the_chain_itself_does_is_a_gap(traced: Traced, tmp_path: Path) -> None:
    """A state sync in the contract's list has no trace; the gap says what it is."""
    records, collected, answers = traced
    nobody = "0x" + "00" * 20
    sync = records[-1] | {
        "hash": "0x" + "5c" * 32,
        "from": nobody,
        "to": nobody,
        "gasPrice": "0",
        "input": "0x",
    }
    sync |= {"nonce": "0", "value": "0", "gas": "0", "gasUsed": "0", "type": "0x7f"}
    sync["transactionIndex"] = str(int(sync["transactionIndex"]) + 1)
    path = write_json(
        tmp_path / "a", [{"txHash": name, "result": found["javascript"]} for name, found in answers.items()]
    )
    assert len(imported(tmp_path, [*records, sync], [path])) == len(collected)
    with TraceStore(str(tmp_path / "h.db")) as store:
        (contract,) = store.contracts()
        (gap,) = store.gaps(31337, contract.address)
    assert gap.reason == "type 0x7f, a state sync of Polygon: the files hold no trace of it"
