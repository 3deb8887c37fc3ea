"""``specminer diff``: what it prints and draws, its exit codes, and what it says of what cannot be compared."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from specminer import diff
from specminer.comparison.difference import Change, Comparison, Difference, Ground, Subject
from specminer.presentation.comparison_page import comparison_html, comparison_markdown
from specminer.presentation.comparison_text import MAX_SHOWN, comparison_json, comparison_text
from specminer.presentation.graphviz_layout import render_dot
from specminer.presentation.joint_picture import MAX_STATES, joint_dot
from specminer.presentation.markdown import escape_text
from specminer.specification import encode_specification
from tests.support.command import specminer
from tests.support.specifications import HOSTILE_NAMES, auction, edge, hostile, specification, states


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the upgrade of the loans changed."""
    folder = tmp_path_factory.mktemp("diff")
    done = specminer("diff", "loans", "--out", "upgrade", cwd=folder)
    assert done.code == 0
    (folder / "printed.txt").write_text(done.out)
    (folder / "said.txt").write_text(done.err)
    return folder


def test_the_upgrade_is_told_and_drawn(upgrade: Path) -> None:
    printed = (upgrade / "printed.txt").read_text()
    assert "The code differs\n  repay" in printed
    assert "for example" in printed
    assert "the history is cut at block 212" in (upgrade / "said.txt").read_text()
    told = json.loads((upgrade / "upgrade" / "difference.json").read_text())
    assert (told["format"], told["version"]) == ("specminer/diff", 1)
    assert told["differences"][0]["scope"] == "repay"
    picture = (upgrade / "upgrade" / "difference.svg").read_text()
    assert "+ askExtension" in picture
    assert (upgrade / "upgrade" / "difference.dot").read_text().startswith("digraph")


def test_the_page_and_the_markdown_tell_the_same(upgrade: Path) -> None:
    page = (upgrade / "upgrade" / "difference.html").read_text()
    told = json.loads((upgrade / "upgrade" / "difference.json").read_text())
    markdown = (upgrade / "upgrade" / "difference.md").read_text()
    for item in told["differences"]:
        assert html.escape(item["sentence"], quote=True).replace("&#x27;", "&#39;") in page
        assert f"| {escape_text(item['scope'])} |" in markdown
        assert f"| {escape_text(item['sentence'])} |" in markdown
    assert "<script" not in page
    assert page.count("<svg") == 1
    assert "default-src 'none'" in page


def test_json_is_the_same_as_the_file(upgrade: Path) -> None:
    done = specminer("diff", "loans", "--format", "json", "--quiet", cwd=upgrade)
    assert done.out == (upgrade / "upgrade" / "difference.json").read_text()


def test_a_difference_can_be_an_exit_code(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(encode_specification(auction()))
    (tmp_path / "b.json").write_bytes(encode_specification(auction()))
    same = specminer("diff", "a.json", "b.json", "--exit-code", cwd=tmp_path)
    assert same.code == 0
    assert "no difference beyond chance" in same.out
    assert specminer("diff", "loans", "--exit-code", "--quiet", cwd=tmp_path).code == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("a.json", "b.json", "c.json"), "two things at most"),
        (("a.json", "loans", "--at", "3"), "--at cuts one history"),
        (("a.json",), "give B"),
        (("missing.json", "a.json"), "missing.json"),
        (("auction_house",), "--at BLOCK"),
        (("auction_house", "--at", "1"), "the history goes from block"),
    ],
)
def test_what_cannot_be_compared(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    (tmp_path / "a.json").write_bytes(encode_specification(auction()))
    done = specminer("diff", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_hostile_names_stay_texts() -> None:
    one = hostile()
    other = replace(one, name=HOSTILE_NAMES[0], transitions=one.transitions[: len(one.transitions) // 2])
    compared = diff(one, other)
    text = comparison_text(compared)
    assert text.replace("\n", "").isprintable()
    page = comparison_html(compared)
    assert "<script" not in page.lower()
    assert "<img" not in page
    assert "<" not in re.sub(r"&lt;", "", comparison_markdown(compared))
    picture = render_dot(joint_dot(compared), "svg").decode()
    assert "<script" not in picture.lower()
    assert "onerror" not in picture.replace("onerror=alert(1)&gt;", "")


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if "\ud800" not in name])
def test_a_hostile_sentence_is_shown_as_it_is(name: str) -> None:
    item = Difference(
        subject=Subject.GUARD,
        change=Change.GONE,
        ground=Ground.CODE,
        scope=name,
        before=name,
        sentence=name,
        example={name: name},
    )
    compared = Comparison(before=auction(), after=auction(), differences=(item,) * (MAX_SHOWN + 3))
    text = comparison_text(compared)
    assert text.replace("\n", "").isprintable()
    assert "… and 3 more" in text
    assert json.loads(comparison_json(compared))["differences"][0]["sentence"] == name


def test_a_large_automaton_is_drawn_in_part() -> None:
    many = 3 * MAX_STATES
    lines = tuple(edge(0, f"f{number}", number, 5) for number in range(1, many))
    one = specification("made", states(many), lines)
    source = joint_dot(diff(one, one))
    assert source.count("shape=box") == MAX_STATES - 1
