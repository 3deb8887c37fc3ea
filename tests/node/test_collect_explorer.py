"""``collect --explorer``: what an explorer lists is executed again, and the database is that of ``import``."""

from __future__ import annotations

import gzip
import json
import re
import signal
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from specminer.history.trace import Address, InvocationKind
from specminer.store import TraceStore
from tests.support.command import Done, environment, specminer, start
from tests.support.exports import CODE, CREATED, SENDER, Record, call, counted, transaction
from tests.support.local_explorer import LocalExplorer, Query, Served, ok, refused
from tests.support.real import RealDatabase, folder_of

CONTRACT: Final = Address(bytes.fromhex(CREATED[2:]))
KEY: Final = "geheim0123456789KEY"
ABI: Final = '[{"type":"function","name":"tick","inputs":[],"outputs":[]}]'
Tables = dict[str, list[tuple[Any, ...]]]


def dump(database: Path, *without: str) -> Tables:
    """Return a database's content."""
    with closing(sqlite3.connect(database)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr)
            for name in names
            if name not in without
        }


def collected(
    server: LocalExplorer, folder: Path, *more: str, database: str = "h.db", address: str = CREATED
) -> Done:
    """Run the command against an explorer."""
    options = ["--explorer", server.url, "--chain-id", "1", "--db", database, *more]
    return specminer("collect", address, *options, cwd=folder, env=environment(MY_KEY=KEY))


def imported(
    records: Sequence[Record], folder: Path, *more: str, database: str, calls: Sequence[Record] = ()
) -> Tables:
    """Import the same records from files; return the database's content."""
    (folder / "txlist.json").write_text(json.dumps(list(records)))
    (folder / "calls.json").write_text(json.dumps(list(calls)))
    (folder / "abi.json").write_text(ABI)
    inner = ["--internal", "calls.json"] if calls else []
    options = [*inner, "--chain-id", "1", "--db", database, *more]
    done = specminer("import", "txlist.json", *options, cwd=folder)
    assert done.code == 0, done.text
    return dump(folder / database)


@pytest.mark.slow
def test_the_database_is_that_of_an_import(tmp_path: Path) -> None:
    records = counted(2_040, each_block=7)
    calls = [call(number, 100 + number, **{"from": SENDER, "to": CREATED}) for number in range(5_000, 5_010)]
    with LocalExplorer(Served(transactions=records, calls=calls, abi=ABI, key=KEY)) as server:
        done = collected(server, tmp_path, "--explorer-key-env", "MY_KEY")
        assert done.code == 0, done.text
        assert (
            "read 2,050 new records from the explorer up to block 9,999,936; it lists 2,050 in all"
            in done.out
        )
        again = collected(server, tmp_path, "--explorer-key-env", "MY_KEY")
        assert again.code == 0, again.text
        assert "read 0 new records" in again.out
    expected = imported(records, tmp_path, "--abi", "abi.json", database="i.db", calls=calls)
    found = dump(tmp_path / "h.db")
    assert [row[1:4] for row in found.pop("explorer_page")] == [
        (CONTRACT, "txlist", 0),
        (CONTRACT, "txlist", 1),
        (CONTRACT, "txlist", 2),
        (CONTRACT, "txlistinternal", 0),
    ]
    assert expected.pop("explorer_page") == []
    assert found.pop("listed_record") == []
    assert len(expected.pop("listed_record")) == len(records) + len(calls)
    assert found == expected
    with TraceStore(str(tmp_path / "h.db")) as store:
        told = list(store.transactions(1, CONTRACT))
        after = told[len(records) - 1].invocations[0].accesses[-1].after
        assert after is not None
        assert after >= 2_039
        # with the gas that the list gives the calls behind cannot count, though the chain says that they did
        assert told[-1].invocations[0].outcome.accepted
        assert told[-1].invocations[0].accesses[-1].after is None
        assert b"tick" in (store.record(1, CONTRACT).artifact or b"")


def test_no_secret_is_kept_or_shown(tmp_path: Path) -> None:
    def change(query: Query, answer: Any) -> Any:
        if query["action"] == "getabi":
            return refused("I know your " + json.dumps(query))
        return answer

    with LocalExplorer(Served(transactions=counted(5), key=KEY), change) as server:
        for more in ((), ("--quiet",)):
            done = collected(server, tmp_path, "--explorer-key-env", "MY_KEY", *more)
            assert done.code == 0, done.text
            assert KEY not in done.text
        url = f"http://alice:{KEY}pw@127.0.0.1:9/api/{KEY}path?apikey={KEY}query"
        dead = specminer(
            "collect", CREATED, "--explorer", url, "--chain-id", "1", "--db", "x.db", cwd=tmp_path
        )
        assert dead.code == 3
        assert KEY not in dead.text
        assert "http://127.0.0.1:9 cannot be reached" in dead.err
        assert {query["apikey"] for query in server.seen} == {KEY}
    for path in tmp_path.rglob("*"):
        assert KEY.encode() not in path.read_bytes(), path


# -- interrupted ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_quota_that_is_used_up_and_renewed(tmp_path: Path) -> None:
    records = counted(2_100, each_block=7)
    with LocalExplorer(Served(transactions=records, abi=ABI)) as server:
        assert collected(server, tmp_path, database="whole.db").code == 0
        needed = len(server.seen)
        for quota in range(needed):
            server.seen.clear()
            server.served.quota = quota
            done = collected(server, tmp_path)
            if done.code == 0:
                break
            assert done.code == 3, done.text
            assert "go on when the quota is renewed" in done.err.splitlines()[-1]
        server.seen.clear()
        server.served.quota = None
        assert collected(server, tmp_path).code == 0
    assert dump(tmp_path / "h.db") == dump(tmp_path / "whole.db")


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on(tmp_path: Path) -> None:
    records = counted(2_100, each_block=7)

    def slow(_query: Query, answer: Any) -> Any:
        time.sleep(0.05)
        return answer

    with LocalExplorer(Served(transactions=records, abi=ABI), slow) as server:
        assert collected(server, tmp_path, database="whole.db").code == 0
        options = ["--explorer", server.url, "--chain-id", "1", "--db", "h.db"]
        for count in (2, 3, 5):
            server.seen.clear()
            process = start("collect", CREATED, *options, cwd=tmp_path)
            while len(server.seen) < count and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.communicate()
        server.seen.clear()
        assert collected(server, tmp_path).code == 0
        starts = [int(query["startblock"]) for query in server.asked("txlist")]
        assert starts[0] > 100, "what was read before is not read again"
    assert dump(tmp_path / "h.db") == dump(tmp_path / "whole.db")


# -- a chain that grows or changes ------------------------------------------------------------------


@pytest.mark.slow
def test_only_what_is_new_is_read_and_executed(tmp_path: Path) -> None:
    records = counted(1_500, each_block=7)
    with LocalExplorer(Served(transactions=records[:1_111], abi=ABI)) as server:
        assert collected(server, tmp_path).code == 0
        server.served.transactions = records
        server.seen.clear()
        done = collected(server, tmp_path)
        assert done.code == 0, done.text
        assert "read 389 new records" in done.out
        assert len(server.asked("txlist")) == 2
        assert server.asked("getabi") == []
    expected = imported(records, tmp_path, "--abi", "abi.json", database="i.db")
    del expected["explorer_page"], expected["listed_record"]
    assert dump(tmp_path / "h.db", "explorer_page", "listed_record") == expected


def test_blocks_that_are_not_final_are_not_read(tmp_path: Path) -> None:
    records = counted(30)  # in blocks 100 to 163
    with LocalExplorer(Served(transactions=records, head=128 + 64)) as server:
        done = collected(server, tmp_path)
        assert "up to block 128" in done.out
        with TraceStore(str(tmp_path / "h.db")) as store:
            assert store.transaction_count(1, CONTRACT) == 15
        assert collected(server, tmp_path, "--to-block", "110").code == 0
        beyond = collected(server, tmp_path, "--to-block", "129")
        assert beyond.code == 2
        assert "lies beyond the newest usable block, 128" in beyond.err


def test_an_explorer_that_tells_otherwise_is_read_anew(tmp_path: Path) -> None:
    records = counted(20)
    with LocalExplorer(Served(transactions=records)) as server:
        assert collected(server, tmp_path).code == 0
        before = dump(tmp_path / "h.db")
        changed = [*records[:-1], transaction(99, 142, 9, gasUsed="")]
        server.served.transactions = changed
        done = collected(server, tmp_path)
        assert done.code == 3, done.text
        assert "no longer tells what it told of block 142" in done.err
        assert "collect into a new one (--db)" in done.err
        assert dump(tmp_path / "h.db") == before
        # but before anything was executed the list is read anew
        server.served.transactions = records
        server.served.quota = len(server.seen) + 3  # the newest block, the first page, what would follow it
        assert collected(server, tmp_path, database="other.db").code == 3
        server.served.transactions, server.served.quota = changed, None
        done = collected(server, tmp_path, database="other.db")
        assert done.code == 0, done.text
        assert "the list is read anew" in done.err
    with TraceStore(str(tmp_path / "other.db")) as store:
        assert len(store.pages(1, CONTRACT, "txlist")) == 1
        assert store.transaction_count(1, CONTRACT) == 20


def test_a_list_that_is_unfinished_is_read_anew(tmp_path: Path) -> None:
    calls = [
        call(900, 105, **{"from": SENDER, "to": CREATED}),
        call(901, 110, **{"from": SENDER, "to": CREATED}),
    ]
    status = "2"

    def change(query: Query, answer: Any) -> Any:
        unfinished = query["action"] == "txlistinternal" and status == "2"
        return answer | {"status": "2", "result": answer["result"][1:]} if unfinished else answer

    with LocalExplorer(Served(transactions=counted(7), calls=calls), change) as server:
        assert collected(server, tmp_path).code == 0
        with TraceStore(str(tmp_path / "h.db")) as store:
            assert any("had not processed" in text for text in store.limits(1, CONTRACT))
            assert store.pages(1, CONTRACT, "txlistinternal") == []
            assert store.transaction_count(1, CONTRACT) == 8
        status = "1"
        assert collected(server, tmp_path).code == 0
    with TraceStore(str(tmp_path / "h.db")) as store:
        assert store.transaction_count(1, CONTRACT) == 9


def test_a_damaged_page_is_told(tmp_path: Path) -> None:
    with LocalExplorer(Served(transactions=counted(20))) as server:
        assert collected(server, tmp_path).code == 0
        with closing(sqlite3.connect(tmp_path / "h.db")) as connection:
            connection.execute("UPDATE explorer_page SET records = x'00'")
            connection.commit()
        done = collected(server, tmp_path)
    assert done.code == 3
    assert "damaged page" in done.err


# -- how the contract came to be --------------------------------------------------------------------


def test_a_contract_that_another_contract_created(tmp_path: Path) -> None:
    factory = "0x" + "fa" * 20
    creation: dict[str, Any] = {
        "contractAddress": CREATED,
        "contractCreator": SENDER,
        "txHash": f"0x{77:064x}",
        "contractFactory": factory,
        "creationBytecode": CODE,
    }
    made = call(76, 99, type="create", contractAddress=CREATED, to="", value="5") | {"from": factory}
    with LocalExplorer(Served(transactions=counted(7)[1:], calls=[made], creation=creation)) as server:
        done = collected(server, tmp_path)
        assert done.code == 0, done.text
    with TraceStore(str(tmp_path / "h.db")) as store:
        found = list(store.transactions(1, CONTRACT))
        assert [item.block.number for item in found] == [99, 100, 100, 107, 107, 107, 114]
        constructor = found[0].invocations[0]
        assert (constructor.kind, constructor.value) == (InvocationKind.CONSTRUCTOR, 5)
        assert constructor.sender == bytes.fromhex("fa" * 20)
        assert found[-1].invocations[0].accesses[-1].after == 6
        assert any("created by another contract" in text for text in store.limits(1, CONTRACT))


def test_a_creation_that_the_list_lacks_is_asked_for(tmp_path: Path) -> None:
    creation = {"contractAddress": CREATED, "contractCreator": SENDER, "txHash": f"0x{1:064x}"}
    sent = {
        "hash": f"0x{1:064x}",
        "blockHash": counted(1)[0]["blockHash"],
        "blockNumber": hex(100),
        "transactionIndex": "0x1",
        "from": SENDER,
        "to": None,
        "value": "0x0",
        "gas": hex(3_000_000),
        "gasPrice": "0x1",
        "nonce": "0x0",
        "input": CODE,
    }
    served = Served(transactions=counted(7)[1:], creation=creation, node={f"0x{1:064x}": sent})
    with LocalExplorer(served) as server:
        done = collected(server, tmp_path)
    assert done.code == 0, done.text
    with TraceStore(str(tmp_path / "h.db")) as store:
        assert store.transaction_count(1, CONTRACT) == 7
        assert not any("created by another contract" in text for text in store.limits(1, CONTRACT))


@pytest.mark.parametrize(
    "creation", [None, {"contractAddress": CREATED, "contractCreator": SENDER, "txHash": f"0x{1:064x}"}]
)
def test_a_creation_that_cannot_be_told(tmp_path: Path, creation: dict[str, Any] | None) -> None:
    with LocalExplorer(Served(transactions=counted(7)[1:], creation=creation)) as server:
        done = collected(server, tmp_path)
    assert done.code == 3
    assert "creat" in done.err
    assert "(--rpc)" in done.err


def test_an_account_that_is_no_contract(tmp_path: Path) -> None:
    own = [transaction(0, 100, 1, input=CODE, contractAddress="0x" + "99" * 20) | {"from": CREATED}]
    for records in ([], own):
        with LocalExplorer(Served(transactions=records)) as server:
            done = collected(server, tmp_path, database=f"{len(records)}.db")
        assert done.code == 3
        assert "does not know how 0xc0c0" in done.err


# -- what else it may say ---------------------------------------------------------------------------


def test_an_explorer_without_internal_calls_or_abi(tmp_path: Path) -> None:
    def change(query: Query, answer: Any) -> Any:
        if query["action"] == "txlistinternal":
            return refused("Error! Missing Or invalid Action name")
        return ok('{"a": "\x1b[31m"') if query["action"] == "getabi" else answer

    with LocalExplorer(Served(transactions=counted(7)), change) as server:
        done = collected(server, tmp_path)
    assert done.code == 0, done.text
    assert "refused txlistinternal" in done.err
    assert "the explorer's ABI is not JSON" in done.err
    with TraceStore(str(tmp_path / "h.db")) as store:
        assert any("gives no internal calls" in text for text in store.limits(1, CONTRACT))


def test_an_explorer_that_does_not_tell_its_newest_block(tmp_path: Path) -> None:
    with LocalExplorer(Served(transactions=counted(7), head=None)) as server:
        done = collected(server, tmp_path)
        assert done.code == 0, done.text
        assert "does not tell its newest block" in done.err
        assert {query["endblock"] for query in server.asked("txlist")} == {"9999999999"}
        assert collected(server, tmp_path, "--to-block", "200").code == 0


def test_blockscout(tmp_path: Path) -> None:
    records = [
        {name: value for name, value in record.items() if name != "functionName"} for record in counted(50)
    ]
    with LocalExplorer(Served(transactions=records, abi=ABI, blockscout=True, cap=10)) as server:
        done = collected(server, tmp_path)
        assert done.code == 0, done.text
    with TraceStore(str(tmp_path / "h.db")) as store:
        assert store.transaction_count(1, CONTRACT) == 50


def test_mining_from_an_explorer(tmp_path: Path) -> None:
    tick = "0x" + function_signature_to_4byte_selector("tick()").hex()
    first, *calls = counted(60)
    records = [first, *(record | {"input": tick} for record in calls)]
    with LocalExplorer(Served(transactions=records, abi=ABI)) as server:
        options = ["--explorer", server.url, "--chain-id", "1", "--db", "h.db"]
        done = specminer("mine", CREATED, *options, "--out", "one", cwd=tmp_path)
        assert done.code == 0, done.text
        assert "60 new records from the explorer; 60 were executed again" in done.err
        again = specminer("mine", CREATED, *options, "--out", "two", cwd=tmp_path)
        assert again.code == 0, again.text
        assert "nothing new from the explorer; 0 were executed again" in again.err
        refusal = specminer("mine", CREATED, "--explorer", server.url, "--db", "x.db", cwd=tmp_path)
        assert refusal.code == 2
        assert not (tmp_path / "x.db").exists()
    done = specminer("mine", CREATED, "--db", "h.db", "--out", "three", cwd=tmp_path)
    assert done.code == 0, done.text
    found = {(tmp_path / name / "automaton.json").read_bytes() for name in ("one", "two", "three")}
    assert len(found) == 1
    assert b"tick" in found.pop()


# -- wrong use --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--explorer", "http://127.0.0.1:9/api"], "give --chain-id"),
        (["--explorer", "127.0.0.1:9/api", "--chain-id", "1"], "--explorer wants the URL"),
        (
            ["--explorer", "http://127.0.0.1:9/api?chainid=5", "--chain-id", "1"],
            "asks for chain 5, but --chain-id",
        ),
        (
            ["--explorer", "http://127.0.0.1:9/api", "--chain-id", "1", "--explorer-key-env", KEY],
            "give the name of a variable",
        ),
        (
            ["--explorer", "http://127.0.0.1:9/api", "--chain-id", "1", "--from-block", "5"],
            "--from-block does not go",
        ),
        ([], "give --rpc URL .* or --explorer URL"),
        (["--explorer-key-env", "MY_KEY"], "give --rpc URL .* or --explorer URL"),
    ],
)
def test_wrong_use(tmp_path: Path, options: list[str], match: str) -> None:
    done = specminer("collect", CREATED, "--db", "h.db", *options, cwd=tmp_path, env=environment(MY_KEY=KEY))
    assert done.code == 2
    assert KEY not in done.text
    assert list(tmp_path.iterdir()) == []
    assert re.search(match, done.err), done.err


# -- real histories ---------------------------------------------------------------------------------


def test_a_real_history_served_by_an_explorer_is_the_one_imported_from_its_file(
    real_database: RealDatabase, tmp_path: Path
) -> None:
    folder = folder_of("MobSquads")
    records = json.loads(gzip.decompress((folder / "txlist.json.gz").read_bytes()))
    address = records[0]["contractAddress"]
    served = Served(
        address=address,
        transactions=records,
        abi=(folder / "abi.json").read_text(),
        head=20_000_000,
        limit_every=5,
        key=KEY,
    )
    with LocalExplorer(served) as server:
        done = collected(server, tmp_path, "--explorer-key-env", "MY_KEY", address=address)
        assert done.code == 0, done.text
        assert len(server.asked("txlist")) >= 2
    assert dump(tmp_path / "h.db", "explorer_page", "listed_record") == dump(
        real_database("MobSquads"), "explorer_page", "listed_record"
    )
