"""What the terminal shows after mining: one screen, tables and colours by rich, foreign text never read as markup."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import unicodedata
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from specminer.presentation.first_screen import ROWS, short_summary
from specminer.specification import (
    Guard,
    GuardKind,
    ReplayFidelity,
    Specification,
    State,
    encode_specification,
)
from tests.support.command import COLD, environment, specminer
from tests.support.mined import mined
from tests.support.specifications import HOSTILE_NAMES, auction, edge, hostile, specification

MARKUP = "[bold red]x[/bold red][link=file:///etc]y[/link]:smiley:"
CODES = re.compile(r"\x1b\[[0-9;]*m")


def test_it_fits_on_a_screen_and_hides_no_limit() -> None:
    spec = mined("escrow").specification
    lines = short_summary(spec, width=100).splitlines()
    assert len(lines) <= 40
    assert all(cell_len(line) <= 100 for line in lines)
    assert [line.split() for line in lines if line.startswith("status paid ")] == [
        ["status", "paid", "127", "72"]
    ]
    assert re.search(
        r"^release +status = Shipped and buyer = sender +40 of 40$", "\n".join(lines), re.MULTILINE
    )
    limit = "Calls from within other contracts are missing."
    assert f"! {limit}" in short_summary(
        replace(spec, history=replace(spec.history, limits=(limit,))), width=100
    )
    poor = ReplayFidelity(transactions=10, status=0.9, gas=0.8, unexplained=1)
    told = short_summary(replace(spec, history=replace(spec.history, fidelity=poor)), width=100)
    assert "! Of 10 transactions executed again, 90.00% ended as on the chain" in told
    perfect = ReplayFidelity(transactions=10, status=1.0, gas=1.0)
    told = short_summary(replace(spec, history=replace(spec.history, fidelity=perfect)), width=100)
    assert "executed again" not in told


@pytest.mark.parametrize("more", [1, 2])
def test_it_counts_what_it_leaves_out_and_leaves_no_row_out_alone(more: int) -> None:
    states = tuple(
        State(id=number, name=f"s{number}", predicates=(), visits=1, ends=0) for number in range(ROWS + more)
    )
    guards = tuple(
        Guard(scope=f"f{number}", text="x > 0", kind=GuardKind.REQUIRED, explained=1, rejected=1)
        for number in range(ROWS + 3)
    )
    spec = replace(specification("Many", states, (edge(0, "f0", 1, 1),)), guards=guards)
    lines = short_summary(spec).splitlines()
    assert ("… and 2 more" in lines) == (more == 2)
    assert "… and 3 more" in lines


def test_foreign_text_is_no_markup() -> None:
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name=MARKUP, predicates=(), visits=1, ends=1),
    )
    guard = Guard(scope=MARKUP, text=MARKUP, kind=GuardKind.REQUIRED, explained=1, rejected=1)
    spec = replace(specification(MARKUP, states, (edge(0, MARKUP, 1, 1),)), guards=(guard,))
    plain = short_summary(spec, width=300)
    assert plain.count(MARKUP) == 9, plain
    assert "\x1b" not in plain
    painted = short_summary(spec, width=300, colour=True)
    assert CODES.sub("", painted).replace(" ", "") == plain.replace(" ", "")
    assert "\x1b]8" not in painted, "no links"


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("colour", [False, True])
def test_hostile_names_keep_lines_within_the_terminal(width: int, colour: bool) -> None:
    for spec in (hostile(HOSTILE_NAMES), auction()):
        lines = CODES.sub("", short_summary(spec, width=width, colour=colour)).splitlines()
        assert max(map(cell_len, lines)) <= width
        assert all(line.isprintable() for line in lines)


@given(st.text(), st.text(), st.integers(40, 100))
def test_any_text_leaves_harmless_lines(name: str, event: str, width: int) -> None:
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name=name, predicates=(event,), visits=1, ends=1),
    )
    text = short_summary(specification(name, states, (edge(0, event, 1, 1),)), width=width)
    assert not any(unicodedata.category(char)[0] == "C" for char in text if char != "\n")
    assert all(cell_len(line) <= width for line in text.splitlines())


def test_a_contract_without_a_name_and_addresses_in_conditions_are_told_shortly() -> None:
    spec, address = auction(), "0x" + "Ab" * 20
    assert short_summary(spec).startswith(f"SimpleAuction, {spec.contracts[0]} on chain ")
    unnamed = replace(spec, name=f"{spec.contracts[0][:6]}…{spec.contracts[0][-4:]}")
    assert short_summary(unnamed).startswith(f"Contract, {spec.contracts[0]} on chain ")
    guard = Guard(
        scope="f", text=f"success of {address}.g()", kind=GuardKind.REQUIRED, explained=1, rejected=1
    )
    assert "success of 0xAbAb…AbAb.g()" in short_summary(replace(spec, guards=(guard,)))


def _folder(tmp_path: Path, spec: Specification) -> list[str]:
    (tmp_path / "automaton.json").write_bytes(encode_specification(spec))
    return ["mine", "automaton.json", "--explain", "--out", "again", "--no-report"]


@pytest.mark.parametrize("verbose", [False, True])
def test_a_terminal_gets_colours_and_nobody_else(tmp_path: Path, verbose: bool) -> None:
    command = _folder(tmp_path, auction()) + (["--verbose"] if verbose else [])
    forced = environment(TERM="xterm-256color", FORCE_COLOR="1", COLUMNS="100")
    piped = specminer(*command, cwd=tmp_path, env=forced)
    assert piped.code == 0, piped.text
    assert "\x1b" not in piped.out
    shown = _in_terminal(command, tmp_path, environment(TERM="xterm-256color"))
    assert "\x1b[1m" in shown
    assert CODES.sub("", shown).replace(" ", "") == piped.out.replace(" ", "")
    for other in (environment(TERM="xterm-256color", NO_COLOR="1"), environment(TERM="dumb")):
        assert _in_terminal(command, tmp_path, other) == piped.out


def _in_terminal(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    """Return what a command writes into a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", COLD, *command], cwd=folder, env=variables, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b"".join(iter(partial(_read, ours), b""))
    os.close(ours)
    assert process.wait() == 0, shown
    return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other side is closed
        return b""
