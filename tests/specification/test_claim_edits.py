"""Claims that people pin, drop, name and comment on: kept over new minings, and respected by what tells and checks."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from specminer import CheckOptions, check
from specminer._support.errors import FileFormatError
from specminer.specification import (
    ClaimEdit,
    ClaimPart,
    claims_template,
    edit_specification,
    edits_path,
    encode_specification,
    list_claims,
    read_edits,
)
from specminer.specification.deviation import Severity
from tests.support.command import specminer
from tests.support.cut_datasets import recording, specification
from tests.support.specifications import HOSTILE_NAMES

TOTAL = "total = the sum of accounts[].balance"


def _id(text: str, part: ClaimPart) -> str:
    return next(
        item.id for item in list_claims(specification("savings")) if (item.text, item.part) == (text, part)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the specification of a dataset's first part."""
    path = tmp_path_factory.mktemp("claims")
    (path / "automaton.json").write_bytes(encode_specification(specification("savings")))
    return path


def test_a_dropped_claim_is_neither_checked_nor_told(folder: Path) -> None:
    claim = _id(TOTAL, ClaimPart.INVARIANT)
    assert TOTAL in specminer("check", "automaton.json", "savings", cwd=folder).out
    (folder / "automaton.toml").write_text(f"[claim.{claim}]\ndrop = true\n")
    told = specminer("check", "automaton.json", "savings", cwd=folder).out
    assert TOTAL not in told
    assert "accountsOpen = the number of" in told
    assert specminer("report", "automaton.json", "--format", "json", cwd=folder).code == 0
    assert TOTAL not in (folder / "report.json").read_text()
    other = specminer("diff", "automaton.json", "automaton.json", "--exit-code", cwd=folder)
    assert other.code == 0
    listed = json.loads(specminer("claims", "automaton.json", "--format", "json", cwd=folder).out)["claims"]
    assert [item["text"] for item in listed if item["dropped"]] == [TOTAL]
    (folder / "automaton.toml").unlink()


def test_name_and_comment_are_told_where_a_claim_is_broken(folder: Path) -> None:
    claim = _id(TOTAL, ClaimPart.INVARIANT)
    text = f'[claim.{claim}]\nname = "solvency"\ncomment = "see the audit"\n'
    (folder / "automaton.toml").write_text(text)
    assert (
        f"{TOTAL} [solvency: see the audit]"
        in specminer("check", "automaton.json", "savings", cwd=folder).out
    )
    (folder / "automaton.toml").unlink()


def test_what_breaks_a_pinned_claim_is_broken() -> None:
    spec = specification("savings")
    rest = CheckOptions(first_block=recording("savings").cut + 1)
    found = check(spec, "savings", options=rest).findings
    weak = next(
        item for item in found if item.severity is Severity.UNUSUAL and item.claim.startswith("before close")
    )
    edits = {_id(weak.claim, ClaimPart.INVARIANT): ClaimEdit(pin=True)}
    again = check(spec, "savings", options=replace(rest, edits=edits)).findings
    assert {item.severity for item in again if item.claim == weak.claim} == {Severity.BROKEN}
    assert len(again) == len(found)


def test_a_pinned_claim_is_kept_though_the_mining_no_longer_makes_it(tmp_path: Path) -> None:
    spec = specification("savings")
    chosen = [
        next(item for item in list_claims(spec) if item.text == TOTAL),
        next(item for item in list_claims(spec) if item.about == "withdraw" and item.text == "not frozen"),
        next(item for item in list_claims(spec) if item.part is ClaimPart.EFFECT),
    ]
    poorer = edit_specification(spec, {item.id: ClaimEdit(drop=True) for item in chosen})
    made = {item.id for item in list_claims(poorer)}
    assert not made & {item.id for item in chosen}
    path = tmp_path / "automaton.json"
    path.write_bytes(encode_specification(poorer))
    lines = claims_template(list_claims(spec)).splitlines()
    wanted = [f"# [claim.{item.id}]" for item in chosen]
    text = []
    for number, line in enumerate(lines):
        if line in wanted:
            text += [item[2:] for item in (line, lines[number + 1], lines[number + 5])]
    (tmp_path / "automaton.toml").write_text("\n".join(text))
    edits = read_edits(edits_path(path))
    richer = edit_specification(poorer, edits)
    assert {item.id for item in list_claims(richer)} == {item.id for item in list_claims(spec)}
    assert TOTAL in {item.claim for item in check(path, "savings").findings}
    told = specminer("claims", "automaton.json", cwd=tmp_path).out
    assert told.count("pinned; this mining does not make it") == 3
    asked = check(richer, "savings", options=CheckOptions(first_block=0))
    assert asked.unjudged == check(spec, "savings", options=CheckOptions(first_block=0)).unjudged


def test_a_condition_that_is_dropped_leaves_the_others() -> None:
    spec = specification("savings")
    claim = next(item for item in list_claims(spec) if item.about == "withdraw" and item.text == "amount > 0")
    guards = edit_specification(spec, {claim.id: ClaimEdit(drop=True)}).guards
    (guard,) = [item for item in guards if item.scope == "withdraw" and "frozen" in item.text]
    (before,) = [item for item in spec.guards if item.scope == "withdraw" and "frozen" in item.text]
    assert len(guard.conditions) == len(before.conditions) - 1
    assert guard.text == before.text.replace("amount > 0 and ", "")
    assert guard.smt == before.smt.replace("(not (<= |amount| 0)) ", "")


def test_the_same_claim_has_the_same_identifier_in_another_mining() -> None:
    spec = specification("savings")
    whole = list_claims(spec)
    reordered = replace(
        spec,
        guards=spec.guards[::-1],
        invariants=spec.invariants[::-1],
        states=tuple(replace(state, visits=state.visits + 1) for state in spec.states),
    )
    assert {item.id for item in list_claims(reordered)} == {item.id for item in whole}
    assert len({item.id for item in whole}) == len(whole)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[claim.x\n", "line 1"),
        ("a = 1\n", "expected tables [claim.ID] alone, but there is 'a'"),
        ("claim = 3\n", "'claim' is no table"),
        ("[claim]\nx = 3\n", "[claim.x]: expected a table, got 3"),
        ("[claim.x]\npinned = true\n", "expected pin, drop, name, comment, content, got 'pinned'"),
        ("[claim.x]\npin = 1\n", "pin expects true or false, got 1"),
        ("[claim.x]\nname = 1\n", "name expects a text in quotes, got 1"),
        ("[claim.x]\npin = true\ndrop = true\n", "pinned or dropped, not both"),
        ("[claim.x]\ncontent = '{'\n", "content is not as `specminer claims --template` writes it"),
        ("[claim.x]\ncontent = '" + "[" * 90_000 + "'\n", "content is not as"),
        ("[claim.x]\npin = true\n", "claim x is pinned, but the specification does not make it"),
        ("[claim.x]\npin = true\ncontent = '{}'\n", "its content is not given"),
    ],
)
def test_what_cannot_be_meant_is_said(folder: Path, text: str, told: str) -> None:
    path = folder / "automaton.toml"
    path.write_text(text)
    with pytest.raises(FileFormatError, match="claim") as caught:
        edit_specification(specification("savings"), read_edits(path))
    assert told in str(caught.value) or told in caught.value.message
    done = specminer("check", "automaton.json", "savings", cwd=folder)
    assert done.code == 2
    assert "Traceback" not in done.err
    path.unlink()


def test_the_template_is_toml_that_changes_nothing_and_says_all(folder: Path) -> None:
    spec = specification("savings")
    text = specminer("claims", "automaton.json", "--template", cwd=folder).out
    assert tomllib.loads(text) == {}
    tables = "\n".join(
        line[2:] for line in text.splitlines() if line.startswith(("# [claim.", "# content ="))
    )
    (folder / "all.toml").write_text(tables)
    edits = read_edits(folder / "all.toml")
    assert {name: edit.content for name, edit in edits.items()} == {
        item.id: item.content for item in list_claims(spec)
    }


def test_hostile_claims_stay_texts(tmp_path: Path) -> None:
    spec = specification("savings")
    first, *others = spec.invariants
    names = [name for name in HOSTILE_NAMES if "\ud800" not in name]
    spec = replace(spec, invariants=(*(replace(first, text=name) for name in names), *others))
    (tmp_path / "automaton.json").write_bytes(encode_specification(spec))
    text = claims_template(list_claims(spec))
    assert tomllib.loads(text) == {}
    assert text.replace("\n", "").isprintable()
    tables = "\n".join(
        line[2:] for line in text.splitlines() if line.startswith(("# [claim.", "# content ="))
    )
    (tmp_path / "all.toml").write_text(tables)
    contents = [edit.content for edit in read_edits(tmp_path / "all.toml").values()]
    assert {item.invariant.text for item in contents if item and item.invariant} >= set(names)
    done = specminer("claims", "automaton.json", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.replace("\n", "").isprintable()
