"""Mermaid: charts that a real browser draws, small enough for code-hosting pages, with foreign text as text."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.presentation.mermaid import MAX_LINES, MAX_TEXT, escape, to_mermaid
from specminer.presentation.picture_options import PictureOptions
from specminer.specification import State
from tests.support.anvil import MissingPart
from tests.support.browser import loaded, mermaid, mermaid_page
from tests.support.specifications import HOSTILE_NAMES, auction, edge, horses, hostile, specification

Draw = Callable[[str], str]


@pytest.fixture
def draw(tmp_path: Path, browser: str) -> Draw:
    """Return what draws a chart in a browser and gives the HTML of the drawing; skip the test if there is none."""
    try:
        mermaid()
    except MissingPart as error:
        pytest.skip(str(error))

    def drawn(chart: str) -> str:
        page = loaded(mermaid_page(chart), tmp_path)
        assert "<title>drawn</title>" in page, re.findall("<title>.*</title>", page)
        return page.split('<div id="chart">')[1].split("<script")[0]

    return drawn


def shown(drawing: str) -> str:
    """Return the text of a drawing without blanks and without the joiner that :func:`escape` sets."""
    text = html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", drawing, flags=re.DOTALL))
    return re.sub(r"[\s\u2060]", "", text)


def test_a_chart_is_drawn_with_its_states_and_lines(draw: Draw) -> None:
    drawing = draw(to_mermaid(horses()))
    text = shown(drawing)
    for words in (
        "forsale",
        "createGen0Horse452",
        "stallionWithasmareId37",
        "sideeffectofsweep37",
        "+2rarer5",
    ):
        assert words in text
    assert "606tokenhistories,2,053events,18rejected;3raretransitions(10events)hidden" in text
    assert drawing.count('class="node ') == len(horses().states) + 1, "one is the notes"
    assert "needsvalue>highestBid" in shown(draw(to_mermaid(auction())))


def test_hostile_names_are_drawn_as_text_and_nothing_runs(draw: Draw) -> None:
    drawing = draw(to_mermaid(hostile(), PictureOptions(fold=False)))
    for element in ("<script", "<img", "<a ", "<iframe", "<table"):
        assert element not in drawing
    assert not re.search(r"<[^>]*\son\w+=", drawing)
    assert not re.search(r"<[^>]*\s(?:xlink:)?(?:href|src)=", drawing)
    text = shown(drawing)
    for name in (
        "</script><imgsrc=xonerror=alert(1)>",
        "</TD><B>",
        'a"b\\nc',
        "%s%n{0}",
        "\\N\\G\\E\\",
        "]]><!---->",
    ):
        assert name in text
    assert "&amp;&lt;script&gt;&bogus;&#60;" in text
    assert "\\u202egnp.\\u200b\\u2066x" in text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_holds_no_sign_that_means_something(text: str) -> None:
    shown = escape(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9 .,=()+/-]|#\d+;)*", shown)
    back = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), shown)
    assert back.replace("\u2060", "") == text.replace("\u2060", "")


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_every_line_of_a_hostile_chart_is_of_the_grammar(name: str) -> None:
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name=name, predicates=(name,), visits=1, ends=1),
    )
    moves = (edge(0, name, 1, 1), edge(1, name, 1, 2, rejected=True), edge(0, name, 0, 2, rejected=True))
    text = r"(?:<(?:/?[bi]|br)>|[A-Za-z0-9 .,=()+/-]|#\d+;)*"
    head, *lines = to_mermaid(specification(name, states, moves)).split("flowchart LR\n")
    assert re.fullmatch(r'---\ntitle: "[\w .,:;()-]*"\n---\n', head)
    for line in "".join(lines).splitlines():
        assert re.fullmatch(
            rf'  (?:notes\["{text}"\]:::notes|s0\(\(" "\)\):::start|s1\("{text}"\):::\w+'
            rf'|s0 [=-]+>\|"{text}"\| s1|linkStyle 0 [\w:#,.-]+|classDef \w+ [\w:#,.-]+|notes ~~~ s0)',
            line,
        ), line


def test_large_automata_stay_within_the_limits_of_the_pages() -> None:
    count = 60
    states = tuple(State(id=n, name=f"state {n}", predicates=(), visits=1, ends=1) for n in range(count))
    moves = tuple(
        edge(a, f"functionWithARatherLongName{a}To{b}", b, 1 + (a * b) % 7)
        for a in range(count)
        for b in range(count)
    )
    spec = specification("Large", states, moves)
    for own in (PictureOptions(), PictureOptions(labels="full"), PictureOptions(min_share=0)):
        options = replace(own, fold=False)
        chart = to_mermaid(spec, options)
        assert len(chart) <= MAX_TEXT
        drawn = len(re.findall(r"^  s\d+ [=-]", chart, flags=re.MULTILINE))
        assert count - 1 <= drawn <= MAX_LINES
        assert f"{count * count - drawn:,} rare transitions" in chart


def test_options_are_followed() -> None:
    assert "flowchart TB" in to_mermaid(auction(), PictureOptions(direction="TB"))
    assert to_mermaid(replace(auction(), transitions=auction().transitions[::-1])) == to_mermaid(auction())
    assert "approve" in to_mermaid(horses(), PictureOptions(labels="full"))
    assert "approve" not in to_mermaid(horses())
