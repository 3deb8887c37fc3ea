"""Files of labels: the three forms give the same names, and whatever else is in a file is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from specminer._support.errors import FileFormatError
from specminer.pipeline.label_file import MAX_NAME, read_labels
from tests.support.command import specminer

TOKEN, POOL = "0x" + "11" * 20, "0x" + "22" * 20
FORMS = (
    f"{TOKEN},Token\n{POOL},Pool of it\n",
    f"# mine\nname,address,note\nToken,{TOKEN},x\nPool of it,{POOL},\n",
    f"address;label\n{TOKEN};Token\n{POOL};Pool of it\n",
    f'{{"{TOKEN}": "Token", "{POOL}": "Pool of it"}}',
    f'[{{"address": "{TOKEN}", "name": "Token"}}, {{"address": "{POOL}", "label": "Pool of it"}}]',
    f'"{TOKEN}" = "Token"\n{POOL} = "Pool of it"\n',
    f'[labels]\n"{TOKEN}" = "Token"\n"{POOL}" = "Pool of it"\n',
)


@pytest.mark.parametrize("text", FORMS)
def test_the_forms_give_the_same_names(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels"
    path.write_text(text)
    assert read_labels(path) == {TOKEN: "Token", POOL: "Pool of it"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "holds no labels"),
        (f"{TOKEN},Token\n0x12,Pool\n", "line 2"),
        (f"{TOKEN}\n", "line 1"),
        (f'{{"{TOKEN}": 5}}', "key 1"),
        ('{"a"', "cannot be read as labels"),
        ('[{"name": "Token"}]', "entry 1"),
        ("[" * 100_000, "line 1"),
        ('{"a":' * 100_000, "cannot be read as labels"),
        ("[labels]\nx = ", "cannot be read as labels"),
        (f"0x{'aB' * 20},Token", "line 1"),
    ],
)
def test_what_is_no_label_is_refused_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "labels"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=place):
        read_labels(path)


def test_long_names_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"{TOKEN},{'x' * 5_000}\n")
    assert read_labels(path) == {TOKEN: "x" * MAX_NAME}


def test_actors_are_called_as_the_file_says(tmp_path: Path) -> None:
    plain = specminer("actors", "escrow", "--fast", "--format", "csv", cwd=tmp_path)
    address = next(part for part in plain.out.replace("\n", ",").split(",") if len(part) == 42)
    path = tmp_path / "labels.csv"
    path.write_text(f"{address},\x1b[31m<b>Mallory</b>\n")
    named = specminer("actors", "escrow", "--fast", "--labels", str(path), "--limit", "500", cwd=tmp_path)
    assert named.code == 0, named.err
    assert "Mallory" in named.out
    assert "\x1b" not in named.out
    wrong = specminer("actors", "escrow", "--fast", "--labels", str(tmp_path / "none"), cwd=tmp_path)
    assert wrong.code == 2
    assert "Traceback" not in wrong.err
