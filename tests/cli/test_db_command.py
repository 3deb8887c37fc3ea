"""The database is looked after: sizes, damage, what nobody needs, and the space that it gives back."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

import specminer
from specminer._support.errors import StoreError, UsageError
from specminer.store import TraceStore
from specminer.store.schema import metadata
from tests.support import command
from tests.support.collecting import content, database
from tests.support.command import Done
from tests.support.postgres import Database

ESCROW: Final = specminer.dataset("escrow")
LOTTERY: Final = specminer.dataset("lottery")
OTHER_CHAIN: Final = 31338


def on_another_chain(folder: Path) -> Path:
    """Write the second history as one of another chain: both contracts have the same address."""
    path = folder / "other.jsonl"
    header, rest = gzip.decompress(LOTTERY.trace_files[0].read_bytes()).split(b"\n", 1)
    fields = json.loads(header)
    fields["chain_id"] = OTHER_CHAIN
    path.write_bytes(json.dumps(fields).encode() + b"\n" + rest)
    return path


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with two contracts."""
    folder = tmp_path_factory.mktemp("db")
    for traces in (ESCROW.trace_files[0], on_another_chain(folder)):
        specminer.import_history(folder / "h.db", traces)
    return folder / "h.db"


@pytest.fixture
def copy(both: Path, tmp_path: Path) -> Path:
    with database(str(both)) as connection:
        connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return Path(shutil.copy(both, tmp_path / "h.db"))


def run(*words: str) -> Done:
    return command.specminer("db", *words, cwd=Path.cwd())


def change(path: Path, *statements: str) -> None:
    with database(str(path)) as connection:
        for statement in statements:
            assert connection.execute(sa.text(statement)).rowcount != 0
        connection.commit()


def test_sizes_add_up_to_the_file(copy: Path) -> None:
    size = specminer.database_size(copy)
    assert size.size is not None
    assert size.free is not None
    assert sum(table.size or 0 for table in size.tables) + size.free <= size.size == copy.stat().st_size
    assert sum(table.size or 0 for table in size.tables) > 0.9 * size.size
    assert {table.name for table in size.tables} == set(metadata.tables)
    rows = {table.name: table.rows for table in size.tables}
    with database(str(copy)) as connection:
        for name in ("invocation", "access", "word"):
            assert rows[name] == connection.scalar(sa.text(f"SELECT COUNT(*) FROM {name}"))
    assert size.invocations == rows["invocation"] > 100


def test_statistics_are_text_and_json(copy: Path) -> None:
    text = run("stats", "--db", str(copy))
    assert text.code == 0
    assert "bytes/invocation" in text.out
    shown = json.loads(run("stats", "--db", str(copy), "--format", "json").out)
    size = specminer.database_size(copy)
    assert shown["invocations"] == size.invocations
    assert f"{shown['tables'][0]['rows']:,}" in text.out


def test_a_sound_database_is_sound(copy: Path) -> None:
    assert specminer.check_database(copy) == ()
    checked = run("check", "--db", str(copy))
    assert (checked.code, checked.out) == (0, "the database is sound\n")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM word WHERE id = (SELECT MAX(slot_id) FROM access)", "word"),
        ("DELETE FROM invocation WHERE id = (SELECT MAX(id) FROM invocation)", "invocation"),
        ("DELETE FROM payment WHERE invocation_id = (SELECT MIN(invocation_id) FROM payment)", "payment"),
        ("DELETE FROM block WHERE number = (SELECT MAX(block) FROM transaction_)", "lie in blocks"),
        ("UPDATE transaction_ SET hash = X'00' WHERE id = 3", "32 bytes"),
        ("INSERT INTO complete_range SELECT contract_id, last, last + 1 FROM complete_range", "overlap"),
    ],
)
def test_damage_is_found_and_nothing_is_changed(copy: Path, statement: str, said: str) -> None:
    change(copy, statement)
    before = copy.read_bytes()
    checked = run("check", "--db", str(copy))
    assert checked.code == 1, checked.out
    assert said in checked.out
    assert "damaged: " in checked.out
    assert "Traceback" not in checked.err
    assert copy.read_bytes() == before
    found = json.loads(run("check", "--db", str(copy), "--format", "json").out)
    assert any(item["damaged"] for item in found)


def test_blocks_between_ranges_are_noted_and_no_damage(copy: Path) -> None:
    with database(str(copy)) as connection:
        last = connection.scalar(sa.text("SELECT MAX(last) FROM complete_range WHERE contract_id = 1"))
    change(copy, f"INSERT INTO complete_range VALUES (1, {last + 10}, {last + 20})")
    checked = run("check", "--db", str(copy))
    assert checked.code == 0
    assert f"blocks {last + 1:,} to {last + 9:,} are not collected" in checked.out


def test_pages_of_a_file_that_are_damaged_are_found(copy: Path) -> None:
    damaged = bytearray(copy.read_bytes())
    damaged[40 * 4096 : 44 * 4096] = b"\xa5" * 4 * 4096
    copy.write_bytes(damaged)
    checked = run("check", "--db", str(copy))
    assert checked.code in (1, 3)
    assert "damaged" in checked.out or "error: the database" in checked.err
    assert "Traceback" not in checked.err


def test_a_contract_goes_with_all_that_only_it_needs(copy: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.db"
    specminer.import_history(alone, on_another_chain(tmp_path))
    removed = specminer.prune_database(copy, [ESCROW.address], chain_id=31337)
    assert removed["contract"] == 1
    assert specminer.check_database(copy) == ()
    rows, expected = specminer.database_size(copy), specminer.database_size(alone)
    assert {item.name: item.rows for item in rows.tables} == {
        item.name: item.rows for item in expected.tables
    }
    with TraceStore(str(copy)) as left, TraceStore(str(alone)) as other:
        (item,) = left.contracts()
        assert list(left.transactions(item.chain_id, item.address)) == list(
            other.transactions(item.chain_id, item.address)
        )
    before, after = specminer.vacuum_database(copy)
    assert before.size is not None
    assert after.size is not None
    assert after.size < before.size
    assert after.free == 0
    assert copy.stat().st_size == after.size


def test_nothing_is_removed_without_consent(copy: Path) -> None:
    before = copy.read_bytes()
    refused = run("prune", ESCROW.address, "--chain-id", "31337", "--db", str(copy))
    assert refused.code == 2
    assert "--yes" in refused.err
    assert copy.read_bytes() == before
    done = run("prune", ESCROW.address, "--chain-id", "31337", "--yes", "--db", str(copy))
    assert done.code == 0
    assert "of invocation" in done.out
    again = run("prune", "--db", str(copy))
    assert again.out == "there is nothing to remove\n"


def test_values_that_nothing_refers_to_go(copy: Path) -> None:
    change(copy, "INSERT INTO word (id, bytes) VALUES (1000000, X'0123456789abcdef')")
    assert specminer.prune_database(copy) == {"word": 1}
    assert specminer.prune_database(copy) == {}


@pytest.mark.parametrize("words", [("stats",), ("check",), ("prune", "--yes"), ("vacuum",)])
def test_a_database_that_is_not_there_is_not_made(words: tuple[str, ...], tmp_path: Path) -> None:
    refused = run(*words, "--db", str(tmp_path / "none.db"))
    assert refused.code == 3
    assert "there is no database" in refused.err
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_pruned_is_said(copy: Path) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        specminer.prune_database(copy, ["0x12"])
    with pytest.raises(StoreError, match="nothing of 0x"):
        specminer.prune_database(copy, ["0x" + "77" * 20], chain_id=31337)


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    specminer.import_history(path, ESCROW.trace_files[0])
    with database(str(path)) as connection:
        connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    before = content(str(path))
    room = path.stat().st_size // 1024 + 16
    words = ("import", str(on_another_chain(tmp_path)), "--db", str(path))
    done = subprocess.run(
        ["bash", "-c", f'ulimit -f {room}; exec "$@"', "bash", sys.executable, "-c", command.COLD, *words],
        env=command.environment(HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert content(str(path)) == before
    assert specminer.check_database(path) == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        refused = command.specminer("import", ESCROW.trace_files[0], "--db", "h.db", cwd=tmp_path)
    finally:
        tmp_path.chmod(0o700)
    assert refused.code == 3
    assert len(refused.err.splitlines()) == 1


def test_no_home_is_needed(copy: Path) -> None:
    done = command.cold("db", "check", "--db", str(copy), cwd=copy.parent)
    assert "HOME" not in command.environment()
    assert (done.code, done.err) == (0, "")


def test_the_commands_take_a_server(postgres: Database) -> None:
    for traces in ESCROW.trace_files:
        specminer.import_history(postgres.url, traces)
    size = specminer.database_size(postgres.url)
    assert size.size is not None
    assert all(table.size for table in size.tables)
    assert size.invocations > 100
    assert specminer.check_database(postgres.url) == ()
    before, after = specminer.vacuum_database(postgres.url)
    assert before.size is not None
    assert after.size is not None
    assert specminer.prune_database(postgres.url) == {}
    assert specminer.prune_database(postgres.url, [ESCROW.address])["contract"] == 1
    assert specminer.check_database(postgres.url) == ()
    assert specminer.database_size(postgres.url).invocations == 0
