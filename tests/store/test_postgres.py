"""Histories in PostgreSQL: the same content, the same results and the same promises as in a file."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from specminer._support.errors import StoreError
from specminer.history.trace import Address, Tracer, Transaction
from specminer.history.words import Words
from specminer.store import TraceStore, schema
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.collecting import content
from tests.support.command import SECONDS, environment, specminer, start
from tests.support.histories import CHAIN, CONTRACTS, block_of, part_of, record_of, simulate, stored
from tests.support.postgres import PASSWORD, Database

OWN, OTHER = CONTRACTS
DATASETS: Final = Path(__file__).parent.parent.parent / "datasets"
ESCROW: Final = DATASETS / "escrow" / "traces.jsonl.gz"
HOLD: Final = """
import sys
from specminer.store import TraceStore, schema
with TraceStore(sys.argv[1]) as store, store._writing() as connection:
    connection.execute(schema.limit.delete())
    print("writing", flush=True)
    sys.stdin.read()
"""
"""Writes until its input ends, or it is killed."""


def fill(location: str, transactions: tuple[Transaction, ...]) -> None:
    """Store two contracts' parts of a history in pieces, some of them twice, and mend one."""
    last = transactions[-1].block.number
    with TraceStore(location) as store:
        for contract in CONTRACTS:
            store.register_contract(record_of(contract))
            for first, end in ((0, last // 2), (last // 2 + 1, last), (0, last)):
                inside = [item for item in transactions if first <= item.block.number <= end]
                store.add(
                    CHAIN,
                    contract,
                    part_of(inside, contract),
                    complete=(first, end),
                    limits=["b", "é", "Z", "a"],
                )
        store.mend(CHAIN, OWN, part_of(transactions[-3:], OWN))


@pytest.mark.parametrize("tracer", [Tracer.EXECUTION, Tracer.STRUCT_LOGS])
def test_both_kinds_hold_the_same(postgres: Database, tmp_path: Path, tracer: Tracer) -> None:
    transactions = simulate(11, 60, tracers=(tracer,)).transactions
    file = str(tmp_path / "h.db")
    for location in (file, postgres.url):
        fill(location, transactions)
    expected, found = content(file), content(postgres.url)
    for table, rows in expected.items():
        assert found[table] == rows, table
    assert expected["access"]
    with TraceStore(file) as one, TraceStore(postgres.url) as other:
        for contract in CONTRACTS:
            assert list(one.transactions(CHAIN, contract)) == list(other.transactions(CHAIN, contract))
            assert one.limits(CHAIN, contract) == other.limits(CHAIN, contract)
        equal_columns(one.history(CHAIN, CONTRACTS), other.history(CHAIN, CONTRACTS))


def equal_columns(one: object, other: object) -> None:
    """Check that two values of columns are equal, in the order of what they list."""
    for field in fields(one):  # type: ignore[arg-type]
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, Words):
            left, right = left.column, right.column
        if isinstance(left, np.ndarray):
            assert left.dtype == right.dtype, field.name
            assert np.array_equal(left, right), field.name
        elif hasattr(left, "__dataclass_fields__") and not isinstance(left, tuple):
            equal_columns(left, right)
        elif isinstance(left, dict):
            assert list(left.items()) == list(right.items()), field.name
        else:
            assert left == right, field.name


@pytest.mark.parametrize("name", ["escrow", "auction_house"])
def test_what_is_mined_is_the_same_to_the_byte(postgres: Database, tmp_path: Path, name: str) -> None:
    written = {}
    for kind, location in (("file", "h.db"), ("server", postgres.url)):
        done = specminer("import", DATASETS / name / "traces.jsonl.gz", "--db", location, cwd=tmp_path)
        assert done.code == 0, done.text
        address = done.out.split(":")[0]
        done = specminer("mine", address, "--db", location, "--out", kind, cwd=tmp_path)
        assert done.code == 0, done.text
        written[kind] = {path.name: path.read_bytes() for path in (tmp_path / kind).iterdir()}
    assert written["file"].keys() == written["server"].keys() >= {"automaton.json", "report.html"}
    for file, data in written["file"].items():
        assert written["server"][file] == data, file


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[tuple[str, str]]:
    """Start a chain on which a till was used, and give its URL and the till's address."""
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=25)
        yield anvil.url, deployed.address


def test_several_collectors_at_once_leave_what_one_leaves(
    chain: tuple[str, str], postgres: Database, tmp_path: Path
) -> None:
    url, address = chain
    done = specminer("collect", address, "--rpc", url, "--db", "h.db", cwd=tmp_path)
    assert done.code == 0, done.text
    arguments = ("collect", address, "--rpc", url, "--db", postgres.url)
    for process in [start(*arguments, cwd=tmp_path) for _ in range(3)]:
        _, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, err
        assert PASSWORD not in err
    assert content(postgres.url) == content(str(tmp_path / "h.db"))


def test_a_collector_that_is_killed_leaves_whole_chunks_and_no_lock(
    chain: tuple[str, str], postgres: Database, tmp_path: Path
) -> None:
    url, address = chain
    done = specminer("collect", address, "--rpc", url, "--db", "h.db", cwd=tmp_path)
    assert done.code == 0, done.text
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, postgres.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "writing\n"
        collector = start("collect", address, "--rpc", url, "--db", postgres.url, cwd=tmp_path)
        assert collector.stderr is not None
        heard = ""
        while "waiting for it" not in heard:
            line = collector.stderr.readline()
            assert line, heard
            heard += line
        assert PASSWORD not in heard
        holder.send_signal(signal.SIGKILL)
        _, err = collector.communicate(timeout=SECONDS)
        assert collector.returncode == 0, err
    assert content(postgres.url) == content(str(tmp_path / "h.db"))


def test_a_lock_is_waited_for_as_long_as_the_url_says(postgres: Database) -> None:
    heard: list[str] = []
    with (
        TraceStore(postgres.url) as holder,
        TraceStore(f"{postgres.url}?timeout=0.3", heard.append) as waiting,
    ):
        with holder._writing():
            with pytest.raises(StoreError, match=r"another process writes to it, and was waited for 0.3 s"):
                waiting.register_contract(record_of())
        assert len(heard) == 1
        assert "waiting for it, for up to 0.3 s" in heard[0]
        assert PASSWORD not in heard[0]
        waiting.register_contract(record_of())
        assert waiting.record(CHAIN, OWN) == record_of()


def test_readers_see_the_database_as_it_was_and_wait_for_nobody(postgres: Database) -> None:
    transactions = simulate(5, 20).transactions
    with (
        stored(transactions, location=postgres.url) as store,
        TraceStore(f"{postgres.url}?timeout=0") as reader,
        store._writing() as connection,
    ):
        connection.execute(schema.limit.delete())
        connection.execute(schema.gap.delete())
        seen = reader.transactions(CHAIN, OWN)
        first = next(seen)
        connection.execute(schema.recording.delete())
        connection.commit()
        # the reader began before, and goes on with what was there
        assert [first, *seen] == list(transactions)
        assert list(reader.transactions(CHAIN, OWN)) == []


def test_the_tables_are_made_once_by_whoever_comes_first(postgres: Database) -> None:
    failures: list[BaseException] = []

    def open_it() -> None:
        try:
            TraceStore(postgres.url).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert content(postgres.url)["schema_version"] == [(len(schema.MIGRATIONS) + 1,)]


def test_a_role_that_may_only_select_mines_but_adds_nothing(postgres: Database, tmp_path: Path) -> None:
    done = specminer("import", ESCROW, "--db", postgres.url, cwd=tmp_path)
    assert done.code == 0, done.text
    address = done.out.split(":")[0]
    reader = postgres.reader()
    before = content(postgres.url)
    done = specminer("mine", address, "--db", reader, "--out", "out", cwd=tmp_path)
    assert done.code == 0, done.text
    assert (tmp_path / "out" / "automaton.json").exists()
    done = specminer("import", ESCROW, "--db", reader, cwd=tmp_path)
    assert done.code == 3
    assert "a role that may only SELECT can mine what is there, but not add to it" in done.err
    assert content(postgres.url) == before


def test_upkeep_is_the_same_as_of_a_file(postgres: Database, tmp_path: Path) -> None:
    for location in ("h.db", postgres.url):
        done = specminer("import", ESCROW, "--db", location, cwd=tmp_path)
        assert done.code == 0, done.text
        address = done.out.split(":")[0]
        done = specminer("db", "check", "--db", location, cwd=tmp_path)
        assert (done.code, done.out) == (0, "the database is sound\n"), done.text
        done = specminer("db", "prune", address, "--yes", "--db", location, cwd=tmp_path)
        assert done.code == 0, done.text
        done = specminer("db", "vacuum", "--db", location, cwd=tmp_path)
        assert done.code == 0, done.text
    assert content(postgres.url) == content(str(tmp_path / "h.db"))
    assert content(postgres.url)["invocation"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE schema_version SET version = 99", "has schema version 99.*update specminer"),
        ("DELETE FROM schema_version", "does not say which version"),
        ("DROP TABLE schema_version", "none of specminer's"),
    ],
)
def test_a_database_of_another_version_is_refused(postgres: Database, change: str, message: str) -> None:
    TraceStore(postgres.url).close()
    postgres.execute(change)
    with pytest.raises(StoreError, match=message):
        TraceStore(postgres.url)


def test_a_foreign_database_is_refused_and_left_as_it_is(postgres: Database) -> None:
    postgres.execute("CREATE TABLE users (name text)")
    with pytest.raises(StoreError, match="none of specminer's"):
        TraceStore(postgres.url)
    postgres.execute("DROP TABLE users")  # else its rows would be looked for below
    TraceStore(postgres.url).close()


def test_what_a_file_cannot_hold_a_server_cannot_either(postgres: Database) -> None:
    with TraceStore(postgres.url) as store:
        store.register_contract(record_of())
        with pytest.raises(StoreError, match="negative or too large"):
            store.add(CHAIN, OWN, simulate(5, 3).transactions, complete=(0, 1 << 63), tip=block_of(1 << 63))
        assert store.ranges(CHAIN, OWN) == []


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "'; DROP TABLE gap; --", "\\x00\\N\t\n"])
def test_any_text_of_a_stranger_is_stored_the_same(postgres: Database, tmp_path: Path, text: str) -> None:
    contents = []
    for location in (str(tmp_path / "h.db"), postgres.url):
        with TraceStore(location) as store:
            store.register_contract(record_of())
            store.add(CHAIN, OWN, [], complete=(0, 5), tip=block_of(5), limits=[text])
            contents.append(store.limits(CHAIN, OWN))
    assert contents[0] == contents[1]
    assert "\0" not in contents[0][0]


WRONG: Final = (
    ("127.0.0.1", "nowhere.invalid"),
    (PASSWORD, "falschgeheim"),
    ("/history", "/nosuchdatabase"),
    ("keeper:", "nobody-by-this-name:"),
    ("@127.0.0.1:", "@127.0.0.1:x"),
    ("postgresql:", "postgresql+psycopg2:"),
    ("postgresql://", "postgresql:/"),
    ("", "?sslmode=nonsense"),
    ("", "?password=othergeheim&port=1"),
    ("", "?timeout=geheim"),
    ("", "?nonsense=geheim"),
)
"""What is replaced in a URL by what, so that it does not work any more."""


def broken(url: str, change: tuple[str, str]) -> str:
    """Return a URL that does not work."""
    old, new = change
    changed = url.replace(old, new, 1) if old else url + new
    assert changed != url
    return changed


@pytest.mark.parametrize("change", WRONG)
def test_no_failure_shows_a_password(postgres: Database, change: tuple[str, str]) -> None:
    with pytest.raises(StoreError) as caught:
        TraceStore(broken(postgres.url, change))
    assert "geheim" not in str(caught.value)
    assert "geheim" not in repr(caught.value.__cause__)
    assert "geheim" not in repr(caught.value.values)


@pytest.mark.parametrize("debug", [{}, {"SPECMINER_DEBUG": "1"}])
@pytest.mark.parametrize("change", [WRONG[1], WRONG[4], WRONG[8]])
def test_no_command_shows_a_password(
    postgres: Database, tmp_path: Path, change: tuple[str, str], debug: dict[str, str]
) -> None:
    env = environment(SPECMINER_DB=broken(postgres.url, change), **debug)
    done = specminer("doctor", cwd=tmp_path, env=env)
    assert "✗ database" in done.text
    assert "geheim" not in done.text
    done = specminer("import", ESCROW, cwd=tmp_path, env=env)
    assert done.code == 3, done.text
    assert "geheim" not in done.text
    assert "Traceback" not in done.text


def test_an_address_is_an_address(postgres: Database) -> None:
    with TraceStore(postgres.url.replace("postgresql:", "postgres:")) as store:
        assert store.label == f"postgresql://keeper:***@127.0.0.1:{postgres.server.port}/{postgres.name}"
        assert store.contracts() == []
        assert store.implementations_of(CHAIN) == {}
        assert store.by_creation(CHAIN, [Address(OWN), Address(OTHER)]) == [OWN, OTHER]
