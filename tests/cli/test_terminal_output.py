"""What reaches a terminal or a pipe: results on one stream, notes on the other, and no foreign control codes."""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support import till
from tests.support.anvil import PROJECT, Anvil
from tests.support.command import COLD, Done, environment, specminer
from tests.support.refusing_node import RefusingNode

EVIL: Final = "\x1b[31mevil</svg><script>\u202e"
CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def node(tools: Path) -> Iterator[tuple[Anvil, str]]:
    """Start a chain with a till that was used."""
    with Anvil() as anvil:
        deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
        till.drive(anvil, deployed, rounds=1)
        yield anvil, deployed.address


def _abi() -> list[dict[str, Any]]:
    abi: list[dict[str, Any]] = till.compiled()["Till"]["abi"]
    return abi


def check_plain(done: Done) -> None:
    """Check that nothing but text and line ends came out."""
    assert CONTROL.search(done.out) is None
    assert CONTROL.search(done.err) is None


def test_a_pipe_gets_neither_bar_nor_colour(node: tuple[Anvil, str], tmp_path: Path) -> None:
    anvil, address = node
    for number, more in enumerate(({}, {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "TTY_COMPATIBLE": "1"})):
        options = ("--rpc", anvil.url, "--db", f"{number}.db", "--out", "o")
        done = specminer(
            "mine", address, *options, cwd=tmp_path, env=environment(TERM="xterm-256color", **more)
        )
        assert done.code == 0, done.text
        check_plain(done)
        assert done.err.startswith("reading ")
        assert "%" not in done.err


def test_quiet_says_nothing_but_results(node: tuple[Anvil, str], tmp_path: Path) -> None:
    anvil, address = node
    with RefusingNode(anvil.url, lambda method, _: "no" if method.startswith("trace_") else None) as front:
        loud = specminer("mine", address, "--rpc", front.url, "--db", "1.db", "--out", "o", cwd=tmp_path)
        options = ("--rpc", front.url, "--db", "2.db", "--out", "o", "--quiet")
        quiet = specminer("mine", address, *options, cwd=tmp_path)
    assert loud.code == quiet.code == 0
    assert quiet.err == ""
    assert quiet.out == loud.out
    check_plain(loud)


def test_a_terminal_gets_a_bar_on_standard_error_only(node: tuple[Anvil, str], tmp_path: Path) -> None:
    anvil, address = node
    for more in ((), ("--quiet",)):
        ours, theirs = pty.openpty()
        with RefusingNode(anvil.url, lambda *_: None, delay=0.02) as slow:
            options = ["--rpc", slow.url, "--db", f"{len(more)}.db", "--out", "o", *more]
            process = subprocess.Popen(
                [sys.executable, "-c", COLD, "mine", address, *options],
                cwd=tmp_path,
                env=environment(TERM="xterm-256color", COLUMNS="100"),
                stdout=subprocess.PIPE,
                stderr=theirs,
            )
            os.close(theirs)
            shown = b"".join(iter(partial(_read, ours), b""))
            out, _ = process.communicate()
        os.close(ours)
        assert process.returncode == 0, shown
        assert b"\x1b" not in out
        assert (b"collecting" in shown) == (not more)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""


def test_a_hostile_abi_reaches_neither_terminal_nor_picture(node: tuple[Anvil, str], tmp_path: Path) -> None:
    anvil, address = node
    abi = [{**entry, "name": EVIL} if entry.get("name") == "put" else entry for entry in _abi()]
    selector = {"type": "function", "name": "take", "inputs": [{"type": EVIL, "name": EVIL}], "outputs": []}
    for number, document in enumerate(
        (
            {"contractName": EVIL, "abi": abi},
            {"contractName": EVIL, "abi": [*abi, selector], "storageLayout": _layout()},
        )
    ):
        (tmp_path / "evil.json").write_text(json.dumps(document))
        options = ("--rpc", anvil.url, "--db", f"{number}.db", "--abi", "evil.json", "--out", "o")
        done = specminer("mine", address, *options, cwd=tmp_path)
        check_plain(done)
        if done.code != 0:
            assert done.code == 2
            assert len([line for line in done.err.splitlines() if line.startswith("error: ")]) == 1
            continue
        picture = (tmp_path / "o" / "automaton.svg").read_text()
        assert CONTROL.search(picture) is None
        assert "<script>" not in picture


def _layout() -> dict[str, Any]:
    """Return the till's layout with evil names."""
    layout: dict[str, Any] = json.loads(json.dumps(till.compiled()["Till"]["storageLayout"]))
    for item in layout["storage"]:
        item["label"] = EVIL + item["label"]
    return layout


def test_hostile_names_of_functions_and_variables_are_escaped(
    node: tuple[Anvil, str], tmp_path: Path
) -> None:
    """The selectors must match for a name to be used: the traces carry an artifact whose entry says so."""
    anvil, address = node
    (tmp_path / "till.json").write_text(
        json.dumps({"abi": _abi(), "storageLayout": _layout(), "contractName": EVIL})
    )
    options = ("--rpc", anvil.url, "--db", "h.db", "--abi", "till.json", "--out", "o")
    done = specminer("mine", address, *options, cwd=tmp_path)
    assert done.code == 0, done.text
    check_plain(done)
    assert "\\x1b[31mevil" in done.out
    picture = (tmp_path / "o" / "automaton.svg").read_text()
    assert CONTROL.search(picture) is None
    assert "<script>" not in picture
    done = specminer("mine", address, "--db", "h.db", "--forbid", "evil", "--out", "o", cwd=tmp_path)
    assert done.code == 2
    check_plain(done)


@pytest.mark.slow
def test_a_hostile_reason_of_a_revert_is_escaped(tmp_path: Path) -> None:
    packed = (PROJECT / "datasets" / "auction_house" / "traces.jsonl.gz").read_bytes()
    reason = EVIL.encode()
    data = (
        "0x08c379a0"
        + (32).to_bytes(32, "big").hex()
        + len(reason).to_bytes(32, "big").hex()
        + reason.ljust(64, b"\0").hex()
    )
    lines = []
    for line in gzip.decompress(packed).splitlines():
        document = json.loads(line)
        for call in document.get("invocations", ()):
            if call["outcome"] != "returned":
                call["output"] = data
        lines.append(json.dumps(document))
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    done = specminer("mine", "t.jsonl", "--out", "o", cwd=tmp_path)
    assert done.code == 0, done.text
    check_plain(done)
    for path in (tmp_path / "o").iterdir():
        assert CONTROL.search(path.read_text().replace("\t", " ")) is None


def test_a_hostile_node_is_quoted_safely(node: tuple[Anvil, str], tmp_path: Path) -> None:
    anvil, address = node
    with RefusingNode(anvil.url, lambda *_: EVIL + "\n" * 50 + "error: x" * 500) as front:
        done = specminer("mine", address, "--rpc", front.url, "--db", "h.db", cwd=tmp_path)
    assert done.code == 3
    check_plain(done)
    assert len(done.err.splitlines()) == 1
    assert len(done.err) < 1000


def test_hostile_arguments_are_quoted_safely(tmp_path: Path) -> None:
    for arguments in (
        ["mine", EVIL],
        ["mine", "0x" + EVIL],
        ["datasets", "show", EVIL],
        [EVIL],
        ["mine", "auction_house", f"--{EVIL}"],
        ["mine", "auction_house", "--forbid", EVIL],
        ["mine", "auction_house", "--abi", EVIL],
        ["mine", "auction_house", "--abstraction", EVIL],
        ["mine", "auction_house", "--seed", EVIL],
        ["import", EVIL, "--db", EVIL],
        ["mine", "0x" + "11" * 20, "--db", EVIL],
        ["import", PROJECT / "datasets" / "auction_house" / "traces.jsonl.gz", "--db", f"{EVIL}/h.db"],
        ["demo", "--out", f"/proc/{EVIL}"],
    ):
        done = specminer(*arguments, cwd=tmp_path)
        assert done.code in (2, 3), done.text
        check_plain(done)
        assert "Traceback" not in done.err
