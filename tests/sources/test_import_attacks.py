"""Files that ``specminer import`` refuses: one message, the exit code of the docs, and nothing kept of any of them."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from specminer import import_history
from specminer._support.errors import FileFormatError
from tests.support.command import Done, specminer
from tests.support.exports import Record, call, counted, transaction
from tests.support.other_user import as_other_user, public_folder
from tests.support.tables import write_json, write_parquet

RECORDS: Final = counted(12)
Files = list[Path]


def broken(folder: Path, text: bytes) -> Files:
    """Return a good list and a file with another content."""
    (folder / "broken").write_bytes(text)
    return [write_json(folder / "good.json", RECORDS), folder / "broken"]


def listed(folder: Path, records: list[Record]) -> Files:
    return [write_json(folder / "broken", records)]


def folder_in_place_of_a_file(folder: Path) -> Files:
    (folder / "broken").mkdir()
    return [folder / "broken"]


def loop_of_links(folder: Path) -> Files:
    (folder / "broken").symlink_to(folder / "broken")
    return [write_json(folder / "good.json", RECORDS), folder / "broken"]


def parquet(folder: Path, cut: int) -> Files:
    path = write_parquet(folder / "broken", [dict(record) for record in RECORDS])
    path.write_bytes(path.read_bytes()[:-cut])
    return [path, write_json(folder / "good.json", RECORDS)]


PACKED: Final = gzip.compress(json.dumps(RECORDS).encode())
ATTACKS: Final[dict[str, tuple[Callable[[Path], Files], str]]] = {
    "missing": (lambda folder: [*listed(folder, RECORDS), folder / "none"], "No such file"),
    "a folder": (folder_in_place_of_a_file, "directory"),
    "a link to itself": (loop_of_links, "cannot be read"),
    "empty": (lambda folder: broken(folder, b""), "broken is empty"),
    "cut gzip": (lambda folder: broken(folder, PACKED[:-20]), "broken is damaged"),
    "gzip magic alone": (lambda folder: broken(folder, b"\x1f\x8b"), "broken is damaged"),
    "zstd magic alone": (lambda folder: broken(folder, b"\x28\xb5\x2f\xfd"), "broken is damaged"),
    "cut list": (lambda folder: broken(folder, json.dumps(RECORDS).encode()[:-30]), "the file is cut off"),
    "cut parquet": (lambda folder: parquet(folder, 9), "broken is a damaged Parquet file"),
    "zeros": (lambda folder: broken(folder, bytes(5_000)), "broken is neither"),
    "nested deep": (lambda folder: broken(folder, b"[" * 300_000), "record 1"),
    "a number too large": (
        lambda folder: listed(folder, [*RECORDS, transaction(12, 900, 1, value="9" * 5_000)]),
        "value should be",
    ),
    "newest first": (lambda folder: listed(folder, RECORDS[::-1]), "oldest first"),
    "a record twice": (lambda folder: listed(folder, [*RECORDS, RECORDS[-1]]), "stands once in an export"),
    "one place twice": (
        lambda folder: [
            write_json(folder / "good.json", RECORDS),
            *listed(folder, [RECORDS[-1] | {"hash": "0x" + "77" * 32}]),
        ],
        "two transactions have place",
    ),
    "another chain's block": (
        lambda folder: [
            write_json(folder / "good.json", RECORDS[:-1]),
            *listed(folder, [RECORDS[-1] | {"blockHash": "0x" + "77" * 32}]),
        ],
        "tell different values of its hash",
    ),
    "internal calls alone": (lambda folder: listed(folder, [call(1, 100)]), "only internal calls"),
    "an internal call twice": (
        lambda folder: [
            write_json(folder / "good.json", RECORDS),
            *listed(folder, [call(1, 100), call(1, 100)]),
        ],
        "a call stands once",
    ),
    "no chain's creation": (
        lambda folder: listed(folder, [RECORDS[0] | {"nonce": "", "contractAddress": ""}]),
        "nonce",
    ),
}


def run(database: str, cwd: Path, *files: Path) -> Done:
    return specminer("import", *files, "--db", database, "--fork", "berlin", "--chain-id", "1", cwd=cwd)


def rows(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    lines = list(connection.iterdump())
    connection.close()
    return lines


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_refused_leaves_nothing(tmp_path: Path, name: str) -> None:
    """Neither a database where there was none, nor anything new in one that was there; with files in either order."""
    work = tmp_path / "work"
    work.mkdir()
    write, words = ATTACKS[name]
    files = write(tmp_path)
    write_json(tmp_path / "kept.json", RECORDS[:2])
    assert run("kept.db", work, tmp_path / "kept.json").code == 0
    before = rows(work / "kept.db")
    for order in (files, files[::-1]):
        done = run("new.db", work, *order)
        assert (done.code, done.out) == (2, ""), done.text
        assert words in " ".join(done.err.split()), done.err
        assert "Traceback" not in done.err
        assert done.err.lower().count("error:") == 1, done.err
        assert [item.name for item in work.iterdir()] == ["kept.db"]
        if name != "internal calls alone":  # these belong to what was imported before
            done = run("kept.db", work, *order)
            assert done.code == 2, done.text
            assert rows(work / "kept.db") == before


def test_order_and_copies_of_files_change_nothing(tmp_path: Path) -> None:
    """Pages of a list in any order, with overlaps, a copy under another name, the same file twice, packed or not."""
    pages = [
        write_json(tmp_path / f"{start}.json", RECORDS[start : start + 6])
        for start in range(0, len(RECORDS), 4)
    ]
    copy = tmp_path / "copy"
    copy.write_bytes(gzip.compress(pages[1].read_bytes()))
    whole = write_json(tmp_path / "whole.json", RECORDS)
    assert run("whole.db", tmp_path, whole).code == 0
    expected = rows(tmp_path / "whole.db")
    for number, files in enumerate((pages, pages[::-1], [*pages, copy, pages[0]], [whole, whole])):
        done = run(f"{number}.db", tmp_path, *files)
        assert done.code == 0, done.text
        assert rows(tmp_path / f"{number}.db") == expected, number
    again = run("whole.db", tmp_path, *pages)
    assert "nothing new" in again.out
    assert rows(tmp_path / "whole.db") == expected


def test_a_file_that_may_not_be_read() -> None:
    """Nor is what could be read kept."""

    def attack() -> str:
        with pytest.raises(FileFormatError, match=r"secret\.json cannot be read: Permission denied"):
            import_history(folder / "writable" / "h.db", good, secret, chain_id=1)
        return ",".join(item.name for item in (folder / "writable").iterdir())

    with public_folder() as folder:
        (folder / "writable").mkdir()
        (folder / "writable").chmod(0o777)
        good = write_json(folder / "good.json", RECORDS)
        secret = write_json(folder / "secret.json", RECORDS)
        secret.chmod(0)
        assert as_other_user(attack) == ""
