"""The demo, the shipped datasets and trace files: everything that needs no node."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from specminer.pipeline.datasets import list_datasets
from specminer.specification import Mode, TransitionKind, read_specification
from tests.support.anvil import PROJECT
from tests.support.command import cold, environment, specminer

TRACES: Final = PROJECT / "datasets" / "auction_house" / "traces.jsonl.gz"
ADDRESS: Final = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
FILES: Final = ("abstraction.toml", "automaton.dot", "automaton.json", "automaton.svg", "report.html")
NOWHERE: Final = Path("/proc/sys")
"""A folder in which even root cannot make a file."""


def contents(folder: Path) -> dict[str, bytes]:
    assert sorted(path.name for path in folder.iterdir()) == list(FILES)
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.slow
@pytest.mark.skipif(not NOWHERE.is_dir(), reason="no /proc on this system")
def test_the_demo_needs_no_home_no_network_and_no_working_folder(tmp_path: Path) -> None:
    env = environment(
        SPECMINER_DB="nosql://nowhere", SPECMINER_RPC="http://127.0.0.1:9", http_proxy="http://127.0.0.1:9"
    )
    done = cold("demo", "--out", tmp_path / "o", cwd=NOWHERE, env=env)
    assert (done.code, done.err) == (0, ""), done.text
    contents(tmp_path / "o")
    done = specminer("demo", cwd=NOWHERE)
    assert done.code == 2
    assert "give --out another" in done.err


@pytest.mark.slow
def test_the_demo_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    said = []
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        env = environment(PYTHONHASHSEED=name)
        said.append(cold("demo", "--out", "o", cwd=tmp_path / name, env=env))
    assert said[0].code == 0
    assert said[0] == said[1]
    assert contents(tmp_path / "1" / "o") == contents(tmp_path / "2" / "o")


def test_the_demo_says_what_it_found_and_where_the_files_are(tmp_path: Path) -> None:
    done = specminer("demo", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    *_, specification, abstraction, picture, page = done.out.splitlines()
    assert abstraction.split(maxsplit=1) == ["abstraction", "AuctionHouse/abstraction.toml"]
    assert specification.split(maxsplit=1) == ["specification", "AuctionHouse/automaton.json"]
    assert picture.split(maxsplit=1) == ["picture", "AuctionHouse/automaton.svg"]
    assert page.split(maxsplit=1) == ["report", "AuctionHouse/report.html"]
    assert (tmp_path / "AuctionHouse" / "automaton.json").is_file()
    assert "bid" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_the_picture_is_an_svg_that_names_the_functions(tmp_path: Path) -> None:
    specminer("demo", "--out", "o", cwd=tmp_path)
    root = ET.parse(tmp_path / "o" / "automaton.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = " ".join(root.itertext())
    assert "bid" in text
    assert "settle" in text


def test_the_specification_is_the_automaton_it_says(tmp_path: Path) -> None:
    specminer("demo", "--out", "o", cwd=tmp_path)
    spec = read_specification(tmp_path / "o" / "automaton.json")
    assert spec.contracts == (ADDRESS,)
    called = {edge.function for edge in spec.transitions if edge.kind is TransitionKind.CALL}
    assert called == {"bid", "cancel", "create", "settle"}
    assert spec.automaton.states == frozenset(state.id for state in spec.states)
    assert spec.history.rejected is not None
    assert spec.history.rejected > 100
    assert spec.interactions.mode is Mode.PARTITION
    assert spec.interactions.sort is not None
    assert spec.interactions.sort.name == "auctionId"


@pytest.mark.slow
def test_the_dataset_its_file_and_the_database_give_the_same(tmp_path: Path) -> None:
    runs: list[tuple[str | Path, ...]] = [
        ("demo", "--out", "demo"),
        ("mine", "auction_house", "--out", "dataset"),
        ("mine", TRACES, "--out", "file"),
        ("import", TRACES, "--db", "h.db"),
        ("mine", ADDRESS, "--db", "h.db", "--out", "database"),
        ("mine", ADDRESS.lower(), "--db", f"sqlite:///{tmp_path}/h.db", "--out", "url"),
        ("mine", ADDRESS, "--db", "h.db", "--chain-id", "31337", "--from-block", "0", "--out", "options"),
    ]
    for run in runs:
        done = specminer(*run, cwd=tmp_path)
        assert done.code == 0, done.text
    first, *others = [contents(path) for path in tmp_path.iterdir() if path.is_dir()]
    assert len(others) == 5
    assert all(other == first for other in others)


@pytest.mark.parametrize("name", ["t.jsonl", "t.jsonl.gz", "t.jsonl.zst"])
def test_export_and_import_give_the_history_back(tmp_path: Path, name: str) -> None:
    assert specminer("import", TRACES, "--db", "a.db", cwd=tmp_path).code == 0
    done = specminer("export", ADDRESS, "--db", "a.db", "--out", name, cwd=tmp_path)
    assert (done.code, done.out) == (0, f"{name}: 374 transactions\n")
    done = specminer("import", name, "--db", "b.db", cwd=tmp_path)
    assert done.code == 0, done.text
    assert "374 transactions of chain 31337" in done.out
    assert specminer("import", name, "--db", "b.db", cwd=tmp_path).code == 0, "a second time changes nothing"
    assert _dump(tmp_path / "a.db") == _dump(tmp_path / "b.db")
    specminer("export", ADDRESS, "--db", "b.db", "--out", f"again-{name}", cwd=tmp_path)
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    if name.endswith(".gz"):
        assert (tmp_path / name).read_bytes() == TRACES.read_bytes()


def _dump(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    connection = sqlite3.connect(database)
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables = {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}
    connection.close()
    return tables


def test_an_export_without_a_name_is_named_after_the_contract(tmp_path: Path) -> None:
    specminer("import", TRACES, "--db", "a.db", cwd=tmp_path)
    done = specminer("export", ADDRESS.lower(), "--db", "a.db", cwd=tmp_path)
    assert done.out == f"{ADDRESS}.jsonl.gz: 374 transactions\n"
    assert (tmp_path / f"{ADDRESS}.jsonl.gz").read_bytes() == TRACES.read_bytes()


def test_the_datasets_are_listed_and_shown(tmp_path: Path) -> None:
    listed = specminer("datasets", "list", cwd=tmp_path)
    assert listed.code == 0
    assert [line.split()[0] for line in listed.out.splitlines()] == [item.name for item in list_datasets()]
    for item in list_datasets():
        shown = specminer("datasets", "show", item.name, cwd=tmp_path)
        assert shown.code == 0
        assert item.address in shown.out
        assert f"specminer mine {item.name}" in shown.out
        assert str(item.traces) in shown.out
        assert item.traces.is_file()


HOSTILE: Final = {
    "up": "../../etc",
    "root": "/etc/passwd",
    "dots": "..",
    "dot": ".",
    "empty": "",
    "device": "con",
    "device with a number": "LPT1",
    "long": "A" * 300,
    "emoji": "🦄🦄",
    "control": "a\x1b[31mb\x00c\nd",
    "an option": "-rf",
    "spaces": "   ",
    "backslashes": "..\\..\\x",
    "a surrogate": "\ud800",
}


def _renamed(name: str) -> Callable[[dict[str, Any]], None]:
    def change(header: dict[str, Any]) -> None:
        header["contract"]["artifact"]["contractName"] = name

    return change


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_contracts_name_cannot_lead_out_of_the_working_folder(tmp_path: Path, name: str) -> None:
    header, *lines = gzip.decompress(TRACES.read_bytes()).splitlines(keepends=True)
    document = json.loads(header)
    _renamed(HOSTILE[name])(document)
    text = json.dumps(document).encode() + b"\n" + b"".join(lines)
    folder = tmp_path / "deep" / "er" / "work"
    folder.mkdir(parents=True)
    (folder / "t.jsonl").write_bytes(text)
    done = specminer("mine", "t.jsonl", cwd=folder)
    if name == "a surrogate" and done.code == 2:
        return  # a lone surrogate is no text, and may be refused
    assert done.code == 0, done.text
    made = [path for path in folder.iterdir() if path.is_dir()]
    assert len(made) == 1
    assert 1 <= len(made[0].name) <= 60
    assert made[0].name.lower() not in ("con", "lpt1")
    assert made[0].name.replace("_", "").replace("-", "").isalnum()
    assert not made[0].name.startswith("-")
    contents(made[0])
    assert len(list(tmp_path.rglob("*"))) == 3 + 1 + 1 + len(FILES)
    assert "\x1b" not in done.text


@pytest.mark.slow
def test_an_output_folder_may_have_any_name(tmp_path: Path) -> None:
    name = os.fsdecode("ein Ordner\n\x1b[31m \xff".encode("latin-1"))
    done = cold("demo", "--out", name, cwd=tmp_path)
    assert done.code == 0, done.text
    assert "\x1b" not in done.text
    contents(tmp_path / name)


@pytest.mark.slow
def test_what_else_is_in_the_output_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "notes.txt").write_text("mine")
    (tmp_path / "o" / "automaton.dot").write_text("old")
    assert specminer("demo", "--out", "o", cwd=tmp_path).code == 0
    assert (tmp_path / "o" / "notes.txt").read_text() == "mine"
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == sorted([*FILES, "notes.txt"])
    assert (tmp_path / "o" / "automaton.dot").read_text() != "old"
