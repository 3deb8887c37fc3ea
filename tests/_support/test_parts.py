"""Columns in files and work in parts change nothing: the same bytes as with all in memory at once."""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.steps import limited
from specminer._support import parts, scratch
from specminer._support.scratch import ColumnWriter, in_file, is_mapped
from specminer._support.texts import TextWriter
from specminer._support.unused_memory import give_back
from specminer.cli.app import main
from specminer.decoding import decode
from specminer.history.contract_history import History
from specminer.history.words import Words, from_integers
from specminer.inference.field_changes import _of_transactions
from specminer.pipeline import MineOptions, import_traces, mine, mining
from specminer.pipeline.datasets import dataset
from specminer.specification import encode_specification
from specminer.store import TraceStore


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put every column into a file."""
    monkeypatch.setattr(scratch, "FILE_THRESHOLD", 0)


@pytest.fixture
def in_parts(files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides, work on seven rows at a time."""
    monkeypatch.setattr(parts, "PART_ROWS", 7)


def _history(name: str) -> History:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        return store.history(record.chain_id, [record.address])


@cache
def _whole(name: str) -> bytes:
    mined = mine(_history(name), MineOptions())
    assert not is_mapped(mined.history.access_slot)
    return encode_specification(mined.specification)


@pytest.mark.parametrize("most", [1, 7])
def test_a_history_in_parts_and_files_gives_the_same_specification(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _whole("tender")
    monkeypatch.setattr(scratch, "FILE_THRESHOLD", 0)
    monkeypatch.setattr(parts, "PART_ROWS", most)
    mined = mine(_history("tender"), MineOptions())
    assert is_mapped(mined.history.access_slot)
    assert is_mapped(mined.context.accesses.touch)
    assert encode_specification(mined.specification) == whole


def test_values_of_several_calls_of_a_transaction_are_the_same_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = decode(_history("token"))
    touches = np.arange(len(context.accesses.slot), dtype=np.int32)
    whole = _of_transactions(context, touches)
    assert len(whole.rows) < len(touches)  # some transactions touch a slot in several calls
    monkeypatch.setattr(parts, "PART_ROWS", 7)
    found = _of_transactions(context, touches)
    for name in ("rows", "value_before", "value_after"):
        assert np.array_equal(getattr(found, name), getattr(whole, name))
        assert getattr(found, name).dtype == getattr(whole, name).dtype


def test_memory_is_given_back_behind_the_stages_of_a_large_history(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _whole("tender")
    times: list[int] = []

    def count_and_give_back() -> None:
        times.append(1)
        give_back()

    monkeypatch.setattr(mining, "give_back", count_and_give_back)
    mine(_history("tender"), MineOptions())
    assert not times
    monkeypatch.setattr(mining, "LARGE", 1)
    assert encode_specification(mine(_history("tender"), MineOptions()).specification) == whole
    assert len(times) >= len(mining.STAGES)


def test_a_process_gets_no_more_memory_of_its_own_than_it_is_allowed() -> None:
    program = [sys.executable, "-c", "import sys; bytearray(int(sys.argv[1]))"]
    with limited(100_000_000):
        subprocess.run([*program, "1000"], check=True)
        refused = subprocess.run([*program, "100000000"], check=False, capture_output=True, text=True)
    assert "MemoryError" in refused.stderr
    subprocess.run([*program, "100000000"], check=True)


def test_files_and_parts_write_the_same_pictures_and_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("whole", "parts"):
        if folder == "parts":
            request.getfixturevalue("in_parts")
        mine_to(folder)
    names = sorted(path.name for path in Path("whole").iterdir())
    assert "automaton.json" in names
    assert "report.html" in names
    assert names == sorted(path.name for path in Path("parts").iterdir())
    for name in names:
        assert Path("whole", name).read_bytes() == Path("parts", name).read_bytes()


def mine_to(folder: str) -> None:
    assert main(["mine", "channel", "--out", folder]) == 0


@given(st.lists(st.binary(max_size=70)), st.data())
def test_texts_are_a_sequence_of_bytes(listed: list[bytes], data: st.DataObject) -> None:
    writer = TextWriter()
    cut = data.draw(st.integers(0, len(listed)))
    writer.extend(listed[:cut])
    writer.extend(listed[cut:])
    texts = writer.texts()
    assert len(texts) == len(listed)
    assert list(texts) == [texts[row] for row in range(len(texts))] == listed
    assert texts == listed
    assert texts != [*listed, b""]
    assert texts.sizes.tolist() == [len(item) for item in listed]
    start = data.draw(st.integers(-3, len(listed)))
    assert texts[start:] == tuple(listed[start:])
    rows = data.draw(st.lists(st.integers(0, len(listed) - 1)) if listed else st.just([]))
    assert list(texts.take(np.array(rows, dtype=np.int64))) == [listed[row] for row in rows]
    with pytest.raises(IndexError):
        texts[len(listed)]


@given(st.lists(st.one_of(st.integers(0, (1 << 256) - 1), st.integers(0, 3))), st.integers(0, 3))
def test_words_are_a_sequence_of_integers(listed: list[int], wanted: int) -> None:
    words = Words(from_integers(listed))
    assert list(words) == [words[row] for row in range(len(words))] == listed
    assert words[1:] == tuple(listed[1:])
    assert (wanted in words) == (wanted in listed)
    assert "0" not in words  # type: ignore[comparison-overlap]
    assert -1 not in words
    if wanted in listed:
        assert words.index(wanted) == listed.index(wanted)
    else:
        with pytest.raises(ValueError, match="no such word"):
            words.index(wanted)
    assert from_integers(words) is words.column


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 20))
def test_parts_hold_each_row_once_and_no_group_is_cut(group: list[int], most: int) -> None:
    column = np.array(group, dtype=np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_ROWS", most)
        found = [rows.tolist() for rows in parts.rows_by_group(column, 10)]
        stretches = list(parts.spans_of_groups(np.sort(column)))
        spans = list(parts.spans(len(group)))
    assert sorted(row for rows in found for row in rows) == list(range(len(group)))
    held = [{group[row] for row in rows} for rows in found]
    assert sum(map(len, held)) == len(set(group))
    for rows, groups in zip(found, held, strict=True):
        assert rows == sorted(rows)
        assert len(rows) <= most or len(groups) == 1
    ordered = sorted(group)
    assert [item for stretch in stretches for item in ordered[stretch]] == ordered
    assert sum(len(set(ordered[stretch])) for stretch in stretches) == len(set(group))
    assert all(
        stretch.stop - stretch.start <= most or len(set(ordered[stretch])) == 1 for stretch in stretches
    )
    assert [row for span in spans for row in range(span.start, span.stop)] == list(range(len(group)))


def test_a_large_column_can_only_be_read_and_leaves_no_file(files: None, tmp_path: Path) -> None:
    column = np.arange(24, dtype=np.int32).reshape(4, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path))
        found = in_file(column[:, ::2])
    assert is_mapped(found)
    assert is_mapped(found[1])
    assert found.dtype == column.dtype
    assert np.array_equal(found, column[:, ::2])
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1
    assert in_file(found) is found
    assert not list(tmp_path.iterdir())


_TEMPORARY = tempfile.TemporaryFile


class _FullDisk:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, room: int) -> None:
        self._file = _TEMPORARY(buffering=0)
        self._room = room

    def write(self, data: memoryview) -> int:
        taken = data[: self._room]
        self._room -= len(taken)
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(taken)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.mark.parametrize("room", [0, 5, 20])
def test_on_a_full_disk_columns_stay_in_memory(
    room: int, files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "_PIECE", 8)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: _FullDisk(room))
    writer = ColumnWriter()
    for number in range(16):
        writer.append(bytes([number, number]))
    column = writer.column(np.uint8)
    assert not is_mapped(column)
    assert column.tolist() == [number // 2 for number in range(32)]


def test_a_folder_that_is_missing_keeps_columns_in_memory(
    files: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    column = np.arange(5)
    assert not is_mapped(in_file(column))
    assert in_file(column).tolist() == [0, 1, 2, 3, 4]
