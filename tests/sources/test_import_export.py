"""``specminer import`` of an explorer's export: continues when stopped, grows, and says what is missing."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

import pytest

from specminer.store import TraceStore
from tests.support import crowdsale, relay, till
from tests.support.anvil import Anvil
from tests.support.command import SECONDS, Done, specminer, start
from tests.support.exporting import txlist, write_txlist

Tables = dict[str, list[tuple[Any, ...]]]
CHAIN: Final = ("--chain-id", "31337")


@pytest.fixture(scope="module")
def export(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Use a till some 1,200 times; return the export, which makes three chunks, and the till's address."""
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=75)
        path = write_txlist(anvil, tmp_path_factory.mktemp("export") / "txlist.json")
    return path, deployed.address


def run(path: Path, database: str, cwd: Path, *more: str) -> Done:
    return specminer("import", path, "--db", database, "--fork", "cancun", *CHAIN, *more, cwd=cwd)


def tables(database: Path) -> Tables:
    """Return every table's rows but how far the replay is: the state holds them in the order of execution."""
    connection = sqlite3.connect(database)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    return found


@pytest.fixture(scope="module")
def reference(export: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("reference")
    done = run(export[0], "h.db", folder)
    assert done.code == 0, done.text
    assert "100.00% ended as on the chain and 100.00% used exactly the same gas" in done.out
    return tables(folder / "h.db")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_import_that_was_stopped_is_completed_by_the_next(
    export: tuple[Path, str], reference: Tables, tmp_path: Path, number: signal.Signals
) -> None:
    # both engines, so that there is time to stop it; the next run goes on with one
    arguments = ("import", export[0], "--db", "h.db", "--fork", "cancun", "--engine", "both", *CHAIN)
    total = len(json.loads(export[0].read_text()))
    stopped = 0
    for _ in range(4):
        process = start(*arguments, cwd=tmp_path)
        _wait_for_chunk(tmp_path / "h.db", stopped, process)
        now = _done(tmp_path / "h.db")
        if now < total:
            process.send_signal(number)
            process.communicate(timeout=SECONDS)
            assert process.returncode in (0, 130, -signal.SIGKILL)  # 0: it was through before the signal came
            stopped = now if process.returncode else stopped
        else:
            process.communicate(timeout=SECONDS)
            break
    done = run(export[0], "h.db", tmp_path)
    assert done.code == 0, done.text
    assert stopped > 0, "no run was stopped after a chunk; make the export longer"
    assert tables(tmp_path / "h.db") == reference


def _done(database: Path) -> int:
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            row = connection.execute("SELECT max(done) FROM replay").fetchone()
        return int(row[0] or 0)
    except sqlite3.OperationalError:
        return 0


def _wait_for_chunk(database: Path, before: int, process: Any) -> None:
    """Wait until another chunk is stored, or the process has ended, and then a moment."""
    for _ in range(6_000):
        if _done(database) > before or process.poll() is not None:
            break
        time.sleep(0.01)
    time.sleep(random.Random(before).random() / 5)


def test_a_longer_export_goes_on_where_the_shorter_ended(
    export: tuple[Path, str], reference: Tables, tmp_path: Path
) -> None:
    records = json.loads(export[0].read_text())
    shorter = tmp_path / "shorter.json"
    middle = next(
        row
        for row in range(700, len(records))
        if records[row]["blockNumber"] != records[row - 1]["blockNumber"]
    )
    shorter.write_text(json.dumps(records[:middle]))
    first = run(shorter, "h.db", tmp_path)
    assert f"executed {middle:,} by" in first.out
    then = run(export[0], "h.db", tmp_path)
    assert f"executed {len(records) - middle:,} by" in then.out
    again = run(export[0], "h.db", tmp_path)
    assert "nothing new" in again.out
    assert tables(tmp_path / "h.db") == reference


def test_other_rules_execute_it_anew(export: tuple[Path, str], reference: Tables, tmp_path: Path) -> None:
    wrong = specminer("import", export[0], "--db", "h.db", "--fork", "london", *CHAIN, cwd=tmp_path)
    assert "100.00% ended as on the chain" not in wrong.out, "london does not know PUSH0"
    right = run(export[0], "h.db", tmp_path)
    assert "executed anew" in right.err
    assert "100.00% ended as on the chain and 100.00% used exactly the same gas" in right.out
    with sqlite3.connect(tmp_path / "h.db") as connection:
        marks = connection.execute("SELECT fidelity, count(*) FROM recording GROUP BY 1").fetchall()
        left = connection.execute("SELECT count(*) FROM transaction_").fetchone()
    assert marks == [("exact", len(reference["recording"]))]
    assert left == (len(reference["transaction_"]),)


def test_a_shorter_export_changes_nothing(
    export: tuple[Path, str], reference: Tables, tmp_path: Path
) -> None:
    assert run(export[0], "h.db", tmp_path).code == 0
    shorter = tmp_path / "shorter.json"
    shorter.write_text(json.dumps(json.loads(export[0].read_text())[:100]))
    done = run(shorter, "h.db", tmp_path)
    assert done.code == 0, done.text
    assert "nothing new" in done.out
    other = json.loads(shorter.read_text())
    other[-1]["hash"] = "0x" + "77" * 32
    shorter.write_text(json.dumps(other))
    done = run(shorter, "h.db", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert re.search(r"two transactions have place \d+ .* one of them is wrong", done.err)
    assert tables(tmp_path / "h.db") == reference


def test_mining_needs_no_node(export: tuple[Path, str], tmp_path: Path) -> None:
    abi = tmp_path / "abi.json"
    abi.write_text(json.dumps(till.compiled()["Till"]["abi"]))
    assert run(export[0], "h.db", tmp_path, "--abi", str(abi)).code == 0
    done = specminer("mine", export[1], "--db", "h.db", "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.text
    document = json.loads((tmp_path / "out" / "automaton.json").read_text())
    assert document["history"]["source"] == "re-execution"
    fidelity = document["history"]["fidelity"]
    assert (fidelity["status"], fidelity["gas"], fidelity["unexplained"]) == (1, 1, 0)
    assert fidelity["transactions"] == document["history"]["transactions"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda records: [{**records[0], "contractAddress": "", "nonce": ""}, *records[1:]],
            r"record 1.*nonce",
        ),
        (lambda records: [*records[:9], {**records[9], "gas": "many"}], r"record 10: .*gas"),
        (lambda records: [*records[:9], *records[8:]], r"record 10: hash 0x"),
        (lambda records: [*records[:9], *reversed(records[9:])], r"record \d+: "),
        (lambda records: [], r"holds no transactions"),
        (lambda records: [{**records[0], "input": "0x123"}], r"record 1: .*input"),
    ],
)
def test_a_wrong_export_leaves_nothing(
    export: tuple[Path, str], tmp_path: Path, change: Any, message: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(change(json.loads(export[0].read_text()))))
    done = run(path, "h.db", tmp_path)
    assert done.code == 2, done.text
    assert done.out == ""
    assert re.search(message, done.err, re.DOTALL), done.err
    assert "Traceback" not in done.text
    if (tmp_path / "h.db").exists():
        assert not tables(tmp_path / "h.db")["invocation"]


def test_an_export_without_the_creation_keeps_its_calls(export: tuple[Path, str], tmp_path: Path) -> None:
    """Without the contract's code the calls are known, with it what they do as well; the note says what is missing."""
    records = json.loads(export[0].read_text())[1:]
    path = tmp_path / "later.json"
    path.write_text(json.dumps(records))
    done = run(path, "calls.db", tmp_path)
    assert done.code == 0, done.text
    assert "does not create the contract" in done.err
    assert "--code FILE" in done.err
    assert len(tables(tmp_path / "calls.db")["invocation"]) >= len(records)
    assert not tables(tmp_path / "calls.db")["access"]
    code = tmp_path / "code.txt"
    code.write_text(f"0x{_runtime_code(export, tmp_path)}\n")
    done = run(path, "code.db", tmp_path, "--code", str(code))
    assert done.code == 0, done.text
    assert "--code FILE" not in done.err
    assert tables(tmp_path / "code.db")["access"]


def _runtime_code(export: tuple[Path, str], folder: Path) -> str:
    run(export[0], "whole.db", folder)
    with TraceStore(str(folder / "whole.db")) as store:
        (record,) = store.contracts()
        return store.record(record.chain_id, record.address).code.hex()


@pytest.mark.parametrize("content", ["", "0x", "no code at all", "0x123"])
def test_what_holds_no_code_is_refused(export: tuple[Path, str], tmp_path: Path, content: str) -> None:
    (tmp_path / "code.txt").write_text(content)
    done = run(export[0], "h.db", tmp_path, "--code", str(tmp_path / "code.txt"))
    assert (done.code, done.out) == (2, "")
    assert "holds no runtime code; expected hexadecimal digits" in done.err


def test_the_chain_must_be_told(export: tuple[Path, str], tmp_path: Path) -> None:
    done = specminer("import", export[0], "--db", "h.db", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "give --chain-id" in done.err
    assert not (tmp_path / "h.db").exists()


def test_an_unknown_fork(export: tuple[Path, str], tmp_path: Path) -> None:
    done = specminer("import", export[0], "--db", "h.db", "--fork", "berlni", *CHAIN, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "no fork 'berlni'; expected auto or one of frontier" in done.err
    assert list(tmp_path.iterdir()) == []


def test_limits_can_be_set(export: tuple[Path, str], tmp_path: Path) -> None:
    done = run(export[0], "h.db", tmp_path, "--max-steps", "60")
    assert done.code == 0, done.text
    assert "100.00% ended as on the chain" not in done.out


@pytest.fixture(scope="module")
def relayed(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Use a till through a relay and directly; keep the node, the till's export, and its internal calls."""
    folder = tmp_path_factory.mktemp("relayed")
    with Anvil() as anvil:
        owner, *people = anvil.accounts
        deployed = anvil.deploy(owner, till.compiled()["Till"])
        between = relay.deploy_relay(anvil, owner)
        anvil.block([deployed.call(owner, "start")])
        put = deployed.encode("put")
        for row in range(12):
            who = people[row % 4]
            call = between.call(who, "forward", deployed.address, put, value=100 + row)
            anvil.block([call if row % 3 else deployed.call(who, "put", value=7)])
        anvil.block([deployed.call(people[0], "take"), deployed.call(people[9], "take", gas=100_000)])
        export = write_txlist(anvil, folder / "txlist.json", [deployed.address])
        calls = [
            {
                "blockNumber": item["blockNumber"],
                "timeStamp": item["timeStamp"],
                "hash": item["hash"],
                "from": between.address,
                "to": deployed.address,
                "value": item["value"],
                "contractAddress": "",
                "input": put,
                "type": "call",
                "gas": "500000",
                "gasUsed": "",
                "isError": "0",
            }
            for item in txlist(anvil, [between.address])
            if item["to"]
        ]
        internal = folder / "internal.json"
        internal.write_text(json.dumps(calls))
        yield anvil, export, internal, deployed.address


def held(database: Path, address: str, cwd: Path) -> list[dict[str, Any]]:
    """Return the calls of the contract in order, from its trace file."""
    out = cwd / "h.jsonl"
    done = specminer("export", address, "--db", database.name, "--out", out, cwd=cwd)
    assert done.code == 0, done.text
    lines = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    return [call | {"fidelity": line["fidelity"]} for line in lines for call in line["invocations"]]


def test_internal_calls_alone_are_refused_and_leave_nothing(relayed: Any, tmp_path: Path) -> None:
    """No file where there was none; where there was a database, it is as before, and takes them with their list."""
    _, export, internal, address = relayed
    done = run(internal, "h.db", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert "holds no transactions, only internal calls" in done.err
    assert list(tmp_path.iterdir()) == []
    assert run(export, "h.db", tmp_path).code == 0
    assert run(internal, "h.db", tmp_path).code == 0
    assert sum(call["kind"] == "internal" for call in held(tmp_path / "h.db", address, tmp_path)) == 8


def test_calls_of_other_contracts_are_missing_and_that_is_said(relayed: Any, tmp_path: Path) -> None:
    _, export, _, address = relayed
    assert run(export, "h.db", tmp_path).code == 0
    calls = held(tmp_path / "h.db", address, tmp_path)
    assert {call["kind"] for call in calls} == {"constructor", "external"}
    done = specminer("mine", address, "--db", "h.db", "--out", "out", cwd=tmp_path)
    assert "calls that other contracts made are not in it" in " ".join(done.out.split())


def test_internal_calls_are_executed_where_they_are_exported(relayed: Any, tmp_path: Path) -> None:
    _, export, internal, address = relayed
    done = run(export, "h.db", tmp_path, "--internal", str(internal))
    assert done.code == 0, done.text
    calls = held(tmp_path / "h.db", address, tmp_path)
    inside = [call for call in calls if call["kind"] == "internal"]
    assert len(inside) == 8
    assert {call["outcome"] for call in inside} == {"returned"}
    assert {call["depth"] for call in inside} == {1}


def test_contracts_that_the_export_lacks_come_from_a_node(relayed: Any, tmp_path: Path) -> None:
    """The till's own creation is left out of the export: its code and storage are the node's."""
    anvil, export, _, address = relayed
    records = json.loads(export.read_text())
    later = tmp_path / "later.json"
    later.write_text(json.dumps(records[1:]))
    done = run(later, "h.db", tmp_path, "--rpc", anvil.url)
    assert done.code == 0, done.text
    assert "100.00% ended as on the chain" in done.out
    calls = held(tmp_path / "h.db", address, tmp_path)
    assert [call["kind"] for call in calls] == ["external"] * (len(records) - 1)


@pytest.fixture(scope="module")
def sale(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Drive a crowdsale that hands out a token; export its own transactions only, without the token's."""
    with Anvil() as anvil:
        address = crowdsale.drive(anvil).address
        path = write_txlist(anvil, tmp_path_factory.mktemp("sale") / "txlist.json", [address])
        yield anvil, path, address


def test_a_contract_that_is_not_at_hand_is_named(sale: Any, tmp_path: Path) -> None:
    _, path, address = sale
    done = run(path, "h.db", tmp_path)
    assert done.code == 0, done.text
    assert "100.00% ended as on the chain" not in done.out
    mined = specminer("mine", address, "--db", "h.db", "--out", "out", cwd=tmp_path)
    told = " ".join(mined.out.split())
    assert (
        "contracts that were called are not at hand and answered nothing: 0x5fbdb2315678afecb367"
        in told.lower()
    )


def test_a_contract_that_is_not_at_hand_is_read_from_a_node(sale: Any, tmp_path: Path) -> None:
    """The token's balances change from block to block, so its storage has to be that of the block before."""
    anvil, path, _ = sale
    done = run(path, "h.db", tmp_path, "--rpc", anvil.url)
    assert done.code == 0, done.text
    assert "100.00% ended as on the chain" in done.out, done.out


def test_an_export_that_lacks_what_was_executed_changes_nothing(
    export: tuple[Path, str], reference: Tables, tmp_path: Path
) -> None:
    """As long as the one before, but one transaction is another: nothing says that the chain never held the first."""
    assert run(export[0], "h.db", tmp_path).code == 0
    records = json.loads(export[0].read_text())
    lost = records[40]["hash"]
    records[40]["hash"] = "0x" + "77" * 32
    other = tmp_path / "other.json"
    other.write_text(json.dumps(records))
    done = run(other, "h.db", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert f"{lost} of what was imported before" in done.err
    assert tables(tmp_path / "h.db") == reference
