"""Every command in the documentation is run, and prints what stands there.

``make docs-outputs`` writes what they print now into the pages; then read what it changed, and the sentences around it.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import pytest

from specminer.cli.app import app
from tests.support.command import COMMANDS, specminer
from tests.support.transcripts import NOT_RUN, Page, commands, consoles, remade, selected
from tests.support.worlds import WORLDS, world

pytestmark = pytest.mark.slow

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
UPDATE: Final = "SPECMINER_UPDATE_DOCS"
SVG: Final = "{http://www.w3.org/2000/svg}"
PAGES: Final = sorted(
    str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md") if any(consoles(path.read_text()))
)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.node] if name in WORLDS else [], id=name) for name in PAGES
    ],
)
def page(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Page]]:
    """Run a page."""
    name = request.param
    with world(name, tmp_path_factory.mktemp("page"), request) as place:
        yield name, remade((DOCS / name).read_text(), place)


def test_a_page_shows_what_its_commands_print(page: tuple[str, Page]) -> None:
    name, made = page
    if os.environ.get(UPDATE):
        (DOCS / name).write_text(made.text)
    assert (DOCS / name).read_text() == made.text, "make docs-outputs brings the page up to date"


def _prose(text: str) -> str:
    """Return a page without its blocks, comments and the targets of its links."""
    text = re.sub(r"^```.*?^```$|^    .*$|<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"\]\([^)]*\)", "]", text)


FREE: Final = frozenset(
    {"require", "merge", "storageLayout", "forge inspect Contract storageLayout --json", "SPECMINER_RPC"}
    | {"forge test", "vm.mockCall", "test_claims", "test_outcomes", "invariant_claims"}
    | {"SPECMINER_TARGET", "Changed.sol:AuctionHouse", "coverage/", "call_sequences/", "fallback"}
    | {"contractAddr", "senderAddresses", "seqLen", "callSequenceLength", "currentContract.…", "mathint"}
    | {"/// #macro AuctionHouse();", "scribble --macro-path", "#if_succeeds", "old(…)"}
    | {"credible-std", "orig(…)", 'eval "$(_SPECMINER_COMPLETE=bash_source specminer)"', "automaton.state"}
    | {"zsh_source", "_SPECMINER_COMPLETE=fish_source specminer"}
    | {"history.implementations", "history.upgrades"}
)
"""Words of other programs and of shells, fields of documents, and files that only long histories have."""
HELP: Final = " ".join(
    path.read_text() for path in (Path(__file__).parent.parent / "snapshots" / "help").iterdir()
)


def test_numbers_in_sentences_are_those_of_the_outputs(page: tuple[str, Page]) -> None:
    name, made = page
    if name == "install.md":
        pytest.skip("its numbers are versions of other programs")
    shown = " ".join(f"{item.command} {item.shown}" for item in made.ran)
    known = set(re.findall(r"\d+(?:[.,]\d+)*", shown))
    sentences = re.sub(r"`[^`]*`|SMT-LIB \d", "", _prose(made.text))
    assert set(re.findall(r"(?<![\w-])\d+(?:[.,]\d+)*", sentences)) <= known


def test_code_in_sentences_is_in_the_outputs(page: tuple[str, Page]) -> None:
    name, made = page
    printed = " ".join(" ".join(f"{item.command} {item.output}" for item in made.ran).split())
    blocks = " ".join(re.findall(r"^```toml.*?^```$", made.text, flags=re.DOTALL | re.MULTILINE))
    for code in re.findall(r"`([^`]+)`", _prose(made.text)):
        if code.startswith(("--", "specminer ", "$", "make ")) or code in blocks or code in FREE:
            continue
        assert " ".join(code.split()) in printed or code in HELP, (
            f"{name} speaks of `{code}`, which no command there prints"
        )


def _options(command: click.Command) -> set[str]:
    found = {"--help", "-h"}
    for parameter in command.params:
        found |= {*parameter.opts, *parameter.secondary_opts}
    return found


BENCHMARK_OPTIONS: Final = frozenset(
    re.findall(r'add_argument\("(--[a-z-]+)"', (DOCS.parent / "benchmarks" / "__main__.py").read_text())
)
"""What ``python -m benchmarks`` takes."""
ALL_OPTIONS: Final = set().union(*(_options(command) for command in COMMANDS.values())) | {"--version"}


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_commands_and_options_in_sentences_exist(path: Path) -> None:
    text = path.read_text()
    for code in re.findall(r"`(specminer [^`]+)`", text):
        words = code.split()[1:]
        command: click.Command = app
        while words and isinstance(command, click.Group) and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not app or words[0] in ("COMMAND", "--help", "--version"), code
        if command is not app:
            assert {word for word in words if re.match(r"--?[a-z]", word)} <= _options(command), code
    for name in re.findall(r"`(--[a-z-]+)", text):
        assert name in ALL_OPTIONS | BENCHMARK_OPTIONS, name


def test_only_what_installs_is_not_run() -> None:
    skipped = {
        command
        for name in PAGES
        for body, _ in consoles((DOCS / name).read_text())
        for command in commands(body)
        if command.startswith(NOT_RUN)
    }
    targets = set(re.findall(r"^([a-z-]+):", (DOCS.parent / "Makefile").read_text(), flags=re.MULTILINE))
    for command in skipped:
        assert not command.startswith("make ") or command.split()[1] in targets


def test_the_picture_shows_what_is_drawn(tmp_path: Path) -> None:
    shown = DOCS / "pictures" / "auction_house.svg"
    assert specminer("demo", "--out", "out", cwd=tmp_path).code == 0
    drawn = (tmp_path / "out" / "automaton.svg").read_text()
    if os.environ.get(UPDATE):
        shown.write_text(drawn)
    # Graphviz lays out otherwise from version to version; what is written stays
    assert _texts(shown.read_text()) == _texts(drawn)


def _texts(svg: str) -> list[str]:
    return sorted("".join(node.itertext()) for node in ElementTree.fromstring(svg).iter(f"{SVG}text"))


def test_every_world_has_its_page() -> None:
    assert set(WORLDS) <= set(PAGES)


OUTPUT: Final = """One line
wrapped

Guards
  - bid: a and
    b
  - cancel: c
✗ bid -> x

Last
  1
  2
"""


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (None, OUTPUT),
        ("nothing", ""),
        ("One", "One line\nwrapped\n…\n"),
        ("Guards ~ bid:", "…\nGuards\n  - bid: a and\n    b\n…\n"),
        ("Guards ~~ cancel", "  …\n  - cancel: c\n…\n"),
        ("Guards ~ cancel ~ ✗", "…\nGuards\n  …\n  - cancel: c\n✗ bid -> x\n…\n"),
        ("Last : 1", "…\nLast\n  1\n  …\n"),
        ("One; Last", "One line\nwrapped\n…\nLast\n  1\n  2\n"),
    ],
)
def test_parts_of_an_output(wish: str | None, expected: str) -> None:
    assert selected(OUTPUT, wish) == expected
