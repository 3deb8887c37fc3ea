"""Opening a database: its version, whose it is, who else has it open, and what messages show."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from specminer._support.errors import StoreError
from specminer.store import TraceStore, schema
from tests.support.histories import CHAIN, CONTRACTS, record_of, simulate, stored, without_answers
from tests.support.other_user import as_other_user, public_folder

CURRENT = len(schema.MIGRATIONS) + 1


def query(path: Path, text: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(text).fetchall()
        connection.commit()
        return rows


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "history.db"
    with stored(simulate(5, 20).transactions, location=str(path)):
        pass
    return path


def add_column(connection: sa.Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE chain ADD COLUMN name TEXT")


def fill_column(connection: sa.Connection) -> None:
    connection.exec_driver_sql("UPDATE chain SET name = 'chain ' || id")


def fail(connection: sa.Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE half (x)")
    raise RuntimeError("killed in the middle")


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every table's columns: name, type, whether it may be null, place in the key."""
    tables = [str(row[0]) for row in query(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: sorted((row[1], row[2], row[3], row[5]) for row in query(path, f"PRAGMA table_info({name})"))
        for name in tables
    }


def test_answers_of_a_database_that_has_none_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    given = simulate(5, 20).transactions
    with stored(given, location=str(path)):
        pass
    with closing(sqlite3.connect(path)) as connection:  # as version 7 of the tables left it
        added = ("external_call", "frame_code", "environment_answer", "foreign_log", "contract_code")
        for table in (*added, "listed_record"):
            connection.execute(f"DROP TABLE {table}")
        for table, names in (
            ("block", ("base_fee", "beneficiary", "gas_limit", "randomness")),
            ("recording", ("logs",)),
            ("invocation", ("external_calls", "frame_codes", "environment_answers")),
        ):
            for name in names:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
        connection.execute("UPDATE schema_version SET version = 7")
        connection.commit()
    with TraceStore(str(path)) as store:
        assert tuple(store.transactions(CHAIN, CONTRACTS[0])) == tuple(map(without_answers, given))
        assert store.record(CHAIN, CONTRACTS[0]) == replace(record_of(), codes=())
        known = simulate(5, 20).transactions[-1]
        store.mend(CHAIN, CONTRACTS[0], [known], gaps=(), unconcerned=())
        *others, last = store.transactions(CHAIN, CONTRACTS[0])
        assert last == known
        assert list(map(without_answers, others)) == list(map(without_answers, given[:-1]))


def test_a_database_of_the_first_version_becomes_a_current_one(tmp_path: Path) -> None:
    old, fresh = tmp_path / "old.db", tmp_path / "fresh.db"
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript((Path(__file__).parent.parent / "snapshots" / "schema-1.sql").read_text())
    for path in (old, fresh):
        TraceStore(str(path)).close()
    assert query(old, "SELECT version FROM schema_version") == [(CURRENT,)]
    assert columns(old) == columns(fresh)


def migrate(path: Path, *steps: schema.Migration) -> None:
    with TraceStore(str(path)) as store, store._writing() as connection:
        schema.prepare(connection, (*schema.MIGRATIONS, *steps))


def test_an_older_database_is_brought_up_to_date(database: Path) -> None:
    migrate(database, add_column, fill_column)
    assert query(database, "SELECT version FROM schema_version") == [(CURRENT + 2,)]
    assert query(database, "SELECT name FROM chain") == [("chain 1",)]
    with closing(sqlite3.connect(database)) as connection:
        engine = sa.create_engine(f"sqlite:///{database}")
        with engine.begin() as current:
            later = (*schema.MIGRATIONS, add_column, fill_column)
            schema.prepare(current, later)  # nothing is left to do
            assert schema.is_current(current, later)
        engine.dispose()
        assert connection.execute("SELECT count(*) FROM recording").fetchone() == (20,)


@pytest.mark.parametrize("steps", [(fail,), (add_column, fail), (add_column, fill_column, fail)])
def test_a_migration_that_fails_leaves_the_old_version(
    database: Path, steps: tuple[schema.Migration, ...]
) -> None:
    before = query(database, "SELECT sql FROM sqlite_master ORDER BY name")
    with pytest.raises(RuntimeError, match="killed"):
        migrate(database, *steps)
    assert query(database, "SELECT version FROM schema_version") == [(CURRENT,)]
    assert query(database, "SELECT sql FROM sqlite_master ORDER BY name") == before
    with TraceStore(str(database)) as store:
        assert store.transaction_count(CHAIN, CONTRACTS[0]) == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE schema_version SET version = 99", "has schema version 99.*update specminer"),
        ("UPDATE schema_version SET version = 0", "does not say which version"),
        ("DELETE FROM schema_version", "does not say which version"),
        ("DROP TABLE schema_version", "none of specminer's"),
    ],
)
def test_a_database_of_another_version_is_refused(database: Path, change: str, message: str) -> None:
    query(database, change)
    with pytest.raises(StoreError, match=message):
        TraceStore(str(database))


@pytest.mark.parametrize("table", ["users", "schema_version"])
def test_a_foreign_database_is_refused_and_left_as_it_is(tmp_path: Path, table: str) -> None:
    path = tmp_path / "foreign.db"
    query(path, f"CREATE TABLE {table} (version INTEGER)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="none of specminer's"):
        TraceStore(str(path))
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["foreign.db"]


@pytest.mark.parametrize("text", [b"not a database at all, but long enough" * 40, b"{}"])
def test_another_file_is_refused_and_left_as_it_is(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(text)
    with pytest.raises(StoreError, match="not a database"):
        TraceStore(str(path))
    assert path.read_bytes() == text


def test_a_damaged_database_is_a_store_error(database: Path) -> None:
    data = bytearray(database.read_bytes())
    data[4096 : len(data)] = b"\xa5" * (len(data) - 4096)
    database.write_bytes(data)
    with pytest.raises(StoreError), TraceStore(str(database)) as store:
        list(store.transactions(CHAIN, CONTRACTS[0]))


@pytest.mark.parametrize(
    ("location", "message"),
    [
        (".", "is a folder"),
        ("missing/folder/h.db", "does not exist"),
        ("sqlite:///missing/folder/h.db", "unable to open"),
        ("~nobody-by-this-name/h.db", "cannot be opened|does not exist"),
        ("nul\0l.db", "cannot be opened|does not exist"),
        ("x" * 5000 + "/h.db", "cannot be opened|does not exist"),
    ],
)
def test_what_cannot_be_opened_is_a_store_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=message):
        TraceStore(location)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "location",
    [
        "nosuch://user:s3cret@host/db",
        "postgresql+nodriver://user:s3cret@host/db",
        "postgresql://user:s3cret@host:port/db",
        "postgresql:/user:s3cret@host/db",
        "postgre-sql://user:s3cret@host/db",
        "://user:s3cret@host/db",
        "sqlite://user:s3cret@host/db",
        "sqlite:////tmp/missing/h.db?password=s3cret",
        "sqlite:///h.db?timeout=s3cret",
        "sqlite:///h.db?s3cret=s3cret",
        "mysql+pymysql://user:s3cret@127.0.0.1:1/db",
    ],
)
def test_no_message_shows_a_password(location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as caught:
        TraceStore(location)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(caught.value.__cause__)


def test_a_label_shows_no_options(database: Path) -> None:
    with TraceStore(f"sqlite:///{database}?timeout=5") as store:
        assert store.label == f"sqlite:///{database}"


def test_readers_do_not_wait_for_a_writer(database: Path) -> None:
    assert query(database, "PRAGMA journal_mode") == [("wal",)]
    with TraceStore(str(database)) as writer, writer._writing() as connection:
        connection.execute(schema.limit.delete())
        connection.execute(schema.recording.delete())
        code = (
            "import sys; from specminer.store import TraceStore\n"
            "with TraceStore(sys.argv[1]) as store: print(sum(item.transactions for item in store.contracts()))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(database)],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,  # the writer does not end before
        )
        assert done.stdout == "20\n"


def test_a_locked_database_is_a_store_error(database: Path) -> None:
    with (
        TraceStore(f"sqlite:///{database}?timeout=0.1") as store,
        closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        assert store.transaction_count(CHAIN, CONTRACTS[0]) == 20
        with pytest.raises(StoreError, match=r"locked; another process writes to it"):
            store.register_contract(record_of())
        other.execute("ROLLBACK")
        store.register_contract(record_of())


def test_a_read_only_database_can_be_read(database: Path) -> None:
    with TraceStore(f"sqlite:///file:{database}?mode=ro&uri=true") as store:
        assert store.transaction_count(CHAIN, CONTRACTS[0]) == 20
        with pytest.raises(StoreError, match="readonly"):
            store.register_contract(record_of())
    with pytest.raises(StoreError):
        TraceStore(f"sqlite:///file:{database}.new?mode=ro&uri=true")


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_file_in_a_read_only_folder_can_be_read(journal: str) -> None:
    transactions = simulate(5, 20).transactions
    with public_folder() as folder:
        path = folder / "history #1%.db"
        with stored(transactions, location=str(path)):
            pass
        query(path, f"PRAGMA journal_mode={journal}")
        path.chmod(0o444)
        folder.chmod(0o555)
        before = path.read_bytes()

        def read() -> str:
            with TraceStore(str(path)) as store:
                assert tuple(store.transactions(CHAIN, CONTRACTS[0])) == transactions
                with pytest.raises(StoreError, match="it can be read and mined, but not added to"):
                    store.register_contract(record_of())
                return store.label

        assert as_other_user(read).startswith(f"sqlite:///{folder}/history ")
        assert path.read_bytes() == before
        assert [item.name for item in folder.iterdir()] == [path.name]


def test_a_file_in_a_read_only_folder_is_read_while_another_process_writes() -> None:
    with public_folder() as folder:
        path = folder / "history.db"
        with stored(simulate(5, 20).transactions, location=str(path)) as writer:
            writer.note_limit(CHAIN, CONTRACTS[0], "new", replacing="nothing")
            for item in folder.iterdir():
                item.chmod(0o444)
            folder.chmod(0o555)

            def read() -> str:
                with TraceStore(str(path)) as store:
                    return " ".join(store.limits(CHAIN, CONTRACTS[0]))

            assert as_other_user(read) == "new"  # it stands in the log beside the file only


def test_an_older_database_that_may_not_be_written_says_what_to_do() -> None:
    with public_folder() as folder:
        path = folder / "old.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(
                (Path(__file__).parent.parent / "snapshots" / "schema-1.sql").read_text()
            )
        path.chmod(0o444)
        folder.chmod(0o555)

        def read() -> str:
            with pytest.raises(StoreError) as caught:
                TraceStore(str(path))
            return str(caught.value)

        assert "is of an older version: open it once where it may be written" in as_other_user(read)


def test_a_locked_database_is_waited_for(database: Path) -> None:
    heard: list[str] = []
    with (
        TraceStore(str(database), heard.append) as store,
        closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other,
    ):
        store.register_contract(record_of())
        assert heard == []
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(1.5, other.execute, ["ROLLBACK"])
        timer.start()
        store.register_contract(record_of())
        timer.join()
        assert heard == [
            f"another process writes to the database sqlite:///{database}: waiting for it, for up to 300 s"
        ]


def test_a_file_that_is_locked_to_readers_is_waited_for(database: Path) -> None:
    query(database, "PRAGMA journal_mode=delete")
    heard: list[str] = []
    with closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match=r"was waited for 0.1 s"):
            TraceStore(f"sqlite:///{database}?timeout=0.1")
        timer = threading.Timer(1.5, other.execute, ["ROLLBACK"])
        timer.start()
        with TraceStore(str(database), heard.append) as store:
            assert store.transaction_count(CHAIN, CONTRACTS[0]) == 20
        timer.join()
    assert len(heard) == 1


def test_chains_of_one_id_are_told_apart_by_their_first_block(database: Path) -> None:
    one, other = (CONTRACTS[0] + bytes([number]) * 12 for number in (1, 2))
    with TraceStore(str(database)) as store:
        store.register_chain(7, None)
        store.register_chain(7, one)  # type: ignore[arg-type]
        store.register_chain(7, None)
        with pytest.raises(StoreError, match="another chain with id 7"):
            store.register_chain(7, other)  # type: ignore[arg-type]


def test_a_full_disk_is_told_and_nothing_is_there_by_halves(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    simulated = simulate(5, 200)
    with TraceStore(str(path)):
        pass
    pages = int(str(query(path, "PRAGMA page_count")[0][0]))

    def fill_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages + 4}")

    sa.event.listen(sa.Engine, "connect", fill_up)
    try:
        with pytest.raises(StoreError, match="is full; make room on the disk and run the same again"):
            stored(simulated.transactions, location=str(path))
    finally:
        sa.event.remove(sa.Engine, "connect", fill_up)
    with TraceStore(str(path)) as store:
        assert list(store.flaws()) == []
        assert store.contracts() == []
    with stored(simulated.transactions, location=str(path)) as store:
        assert store.transaction_count(CHAIN, CONTRACTS[0]) == len(simulated.transactions)
