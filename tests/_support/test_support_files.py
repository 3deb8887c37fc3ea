"""Files are read bounded, and written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from specminer._support.errors import FileFormatError
from specminer._support.files import read_bounded, replacing


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(b"12345")
    assert read_bounded(path, 5, "a number") == b"12345"
    with pytest.raises(FileFormatError, match=r"some\.json is larger than 0 MiB; that is not a number"):
        read_bounded(path, 4, "a number")
    for other in (tmp_path, tmp_path / "nowhere", f"{path}\0"):
        with pytest.raises(FileFormatError, match="cannot be read"):
            read_bounded(other, 5, "a number")


def test_a_file_is_replaced_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    with replacing(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["out.txt"]
    assert path.read_text() == "new"


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_what_fails_leaves_the_file_and_nothing_beside_it(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise failure

    with pytest.raises(failure):
        fail()
    assert [item.name for item in tmp_path.iterdir()] == ["out.txt"]
    assert path.read_text() == "old"
