"""Differences have units for people, and exact numbers for programs."""

from __future__ import annotations

import json

from specminer.comparison.difference import Change, Comparison, Difference, Ground, Subject
from specminer.presentation.comparison_page import comparison_html, comparison_markdown
from specminer.presentation.comparison_text import comparison_json, comparison_text
from tests.support.readable_outputs import unreadable_numbers, visible_text
from tests.support.specifications import auction

SENTENCE = (
    "bid asks more: 'value >= 5000000000000000' instead of 'value >= 1000000000000000', though it's 'not so'"
)


def compared() -> Comparison:
    difference = Difference(
        subject=Subject.GUARD,
        change=Change.STRONGER,
        ground=Ground.CODE,
        scope="bid",
        before="value >= 1000000000000000",
        after="value >= 5000000000000000",
        sentence=SENTENCE,
        example={"value": "2000000000000000", "other": "7"},
    )
    return Comparison(before=auction(), after=auction(), differences=(difference,))


def test_people_read_units() -> None:
    text = comparison_text(compared())
    assert "'value >= 0.005 ETH' instead of 'value >= 0.001 ETH', though it's 'not so'" in text
    assert "for example value = 0.002 ETH, other = 7" in text
    page = visible_text(comparison_html(compared()))
    assert "'value >= 0.005 ETH'" in page.replace("'value >= \n0.005 ETH\n'", "'value >= 0.005 ETH'")
    for shown in (text, page, comparison_markdown(compared())):
        assert unreadable_numbers(shown) == []


def test_programs_read_exact_numbers() -> None:
    (told,) = json.loads(comparison_json(compared()))["differences"]
    assert told["sentence"] == SENTENCE
    assert told["before"] == "value >= 1000000000000000"
    assert told["example"]["value"] == "2000000000000000"
