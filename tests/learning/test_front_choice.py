"""Choosing from the front: presets, weights, other points without mining again, and the tuned definition used again."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specminer.specification import Edge, Specification, State, read_specification
from tests.support.command import Done, environment, specminer

DATASET = "auction_house"


class Folder:
    """A working folder to mine in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mine(self, *arguments: str) -> Done:
        return specminer("mine", *arguments, "--quiet", cwd=self.path, env=environment(COLUMNS="100"))

    def mined(self, out: str, *arguments: str) -> Specification:
        done = self.mine(*arguments, "--out", out)
        assert (done.code, done.err) == (0, ""), done.err
        return read_specification(self.path / out / "automaton.json")

    def document(self, out: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / out / "automaton.json").read_bytes())
        return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    made = Folder(tmp_path_factory.mktemp("front"))
    made.mined("first", DATASET)
    return made


def without_history(specification: Specification) -> tuple[list[State], list[Edge]]:
    """Return states and transitions without what only the history tells of them."""
    return (
        [replace(state, smt=None) for state in specification.states],
        [replace(edge, guard=None, condition=None) for edge in specification.transitions],
    )


def test_the_tuned_definition_gives_the_same_automaton(folder: Folder) -> None:
    first = read_specification(folder.path / "first" / "automaton.json")
    again = folder.mined("again", DATASET, "--abstraction", "first/abstraction.toml")
    assert again.states == first.states
    assert again.transitions == first.transitions
    assert again.metrics == first.metrics
    assert len(again.front) == 1
    written = tomllib.loads((folder.path / "first" / "abstraction.toml").read_text(encoding="utf-8"))
    assert written["state"]["only"] is True
    assert written["state"]["fix"] == [item.predicate for item in first.abstraction.chosen]


def test_every_point_of_the_front_can_be_taken_without_mining_again(folder: Folder) -> None:
    first = read_specification(folder.path / "first" / "automaton.json")
    assert len(first.front) > 2
    for place, point in enumerate(first.front, start=1):
        taken = folder.mined("taken", "first/automaton.json", "--point", str(place))
        assert len(taken.states) == point.states
        assert [other.chosen for other in taken.front].index(True) == place - 1
        assert taken.automaton.states == {state.id for state in taken.states}
        mined = folder.mined("mined", DATASET, "--states", str(point.states))
        assert without_history(mined) == without_history(taken)
        fixed = folder.mined("fixed", DATASET, "--abstraction", "taken/abstraction.toml")
        assert (fixed.states, fixed.transitions) == (mined.states, mined.transitions)
        assert (fixed.invariants, fixed.siblings, fixed.surprise) == (
            mined.invariants,
            mined.siblings,
            mined.surprise,
        )
    chosen = next(place for place, point in enumerate(first.front, start=1) if point.chosen)
    folder.mined("back", "taken/automaton.json", "--point", str(chosen))
    assert folder.document("back")["transitions"] == folder.document("first")["transitions"]


def test_presets_lie_where_they_say(folder: Folder) -> None:
    sizes = {
        preset: len(folder.mined(preset, DATASET, "--preset", preset).states)
        for preset in ("readable", "balanced", "precise")
    }
    assert sizes["readable"] <= sizes["balanced"] <= sizes["precise"]


def test_weights_move_the_choice(folder: Folder) -> None:
    few = folder.mined("few", DATASET, "--weights", "states=20,transitions=3")
    many = folder.mined("many", DATASET, "--weights", "precision=8, predicates=0.1")
    assert len(few.states) < len(many.states)
    assert few.abstraction.weights.states == 20.0


def test_the_choice_is_explained(folder: Folder) -> None:
    done = folder.mine("first/automaton.json", "--explain", "--out", "explained")
    assert done.code == 0
    for text in ("Abstraction", "bits", "random halves", "chosen", "knee", "The front"):
        assert text in done.out
    assert max(map(len, done.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("first/automaton.json",), "was mined already; give --states N or --point N"),
        (("first/automaton.json", "--states", "40"), "no automaton of 40 states is on the front"),
        (("first/automaton.json", "--point", "40"), "there is no point 40 on the front"),
        (("first/automaton.json", "--point", "1", "--states", "2"), "give one of them"),
        ((DATASET, "--weights", "state=1"), "did you mean 'states'?"),
        ((DATASET, "--weights", "states"), "NAME=NUMBER"),
        ((DATASET, "--weights", "states=-1"), "0 or more"),
        ((DATASET, "--weights", "states=nan"), "0 or more"),
        ((DATASET, "--abstraction", "erc2"), "did you mean 'erc20'?"),
        ((DATASET, "--abstraction", "nowhere/at/all.toml"), "neither a shipped abstraction nor a file"),
        ((DATASET, "--abstraction", "."), "neither a shipped abstraction nor a file"),
    ],
)
def test_what_cannot_be_chosen(folder: Folder, arguments: tuple[str, ...], complaint: str) -> None:
    done = folder.mine(*arguments)
    assert done.code == 2
    assert complaint in done.err


def test_a_damaged_document_is_refused(folder: Folder) -> None:
    whole = (folder.path / "first" / "automaton.json").read_text(encoding="utf-8")
    (folder.path / "damaged.json").write_text(whole[: len(whole) // 2], encoding="utf-8")
    done = folder.mine("damaged.json", "--states", "3")
    assert done.code == 2
    assert "damaged.json is not JSON" in done.err


def test_abstractions_are_listed_shown_and_checked(folder: Folder) -> None:
    def run(*arguments: str) -> Done:
        return specminer("abstractions", *arguments, cwd=folder.path)

    listed = run("list")
    names = [line.split()[0] for line in listed.out.splitlines()]
    assert {"default", "erc20", "erc721", "auction", "escrow", "timelock", "governance", "crowdsale"} <= set(
        names
    )
    for name in names:
        assert run("show", name).out.startswith("name = ")
        checked = run("check", name)
        assert (checked.code, checked.err) == (0, "")
    assert "nothing else is searched for" in run("check", "first/abstraction.toml").out
    (folder.path / "bad.toml").write_text('name = "a"\n[state]\nfixed = []\n', encoding="utf-8")
    bad = run("check", "bad.toml")
    assert bad.code == 2
    assert "bad.toml: unknown key 'state.fixed'; did you mean 'fix'?" in bad.err
    assert run("show", "erc2").code == 2


def test_definitions_refine_others_but_not_themselves(folder: Folder) -> None:
    (folder.path / "mine.toml").write_text(
        'name = "mine"\nrefines = "auction"\n[state]\nfix = ["auctions.phase = 1"]\n', encoding="utf-8"
    )
    checked = specminer("abstractions", "check", "mine.toml", cwd=folder.path)
    assert "highestBidder = 0" in checked.out
    assert "fixes      auctions.phase = 1" in checked.out
    mined = folder.mined("refined", DATASET, "--abstraction", "mine.toml")
    assert "auctions[·].phase = Settled" in [item.predicate for item in mined.abstraction.chosen]
    (folder.path / "one.toml").write_text('name = "one"\nrefines = "two.toml"\n', encoding="utf-8")
    (folder.path / "two.toml").write_text('name = "two"\nrefines = "one.toml"\n', encoding="utf-8")
    looped = specminer("abstractions", "check", "one.toml", cwd=folder.path)
    assert looped.code == 2
    assert "leads back to itself" in looped.err
