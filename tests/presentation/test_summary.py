"""The summary in the terminal: what it tells, its width, and that foreign text stays harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from specminer.presentation.summary import summary
from specminer.specification import HistorySummary, InteractionsSummary, Specification, State
from tests.support.specifications import auction, edge, horses, hostile, specification


def test_it_tells_what_was_read_and_what_that_cannot_see() -> None:
    text = summary(auction())
    assert text.startswith("Specification of SimpleAuction\n")
    assert "5,100,000, 589 transactions with 589 calls, 76 of them rejected." in " ".join(text.split())
    assert "Traced by: debug_traceTransaction." in text
    assert "99.75% ended as on the chain and 99.00% used exactly the same gas; 1 that differ" in " ".join(
        text.split()
    )
    assert "  ! Calls to view functions leave no trace" in text
    assert "Function names come from the ABI" in text


def test_how_names_were_found_is_told_to_the_end() -> None:
    names = (
        "Functions and arguments are named by the ABI; "
        + "variables by one thing and another, " * 12
        + "and so on."
    )
    spec = auction()
    text = summary(replace(spec, history=replace(spec.history, names=names)))
    assert names in " ".join(text.split())


def test_it_tells_how_the_history_was_split() -> None:
    assert "Interactions (40)\n  mode: instance\n  Each of the 40 instances" in summary(auction())
    assert "mode: projection, one for each token" in summary(horses())


def test_states_are_told_in_words() -> None:
    text = summary(auction())
    assert "  start: the initial state\n" in text
    assert "  open: 412 visits, 5 interactions end here\n      also: highestBidder != 0; not ended\n" in text
    assert "  owner = this contract: 39 visits, 1 interaction ends here" in summary(horses())


def test_transitions_are_a_table_sorted_by_count_within_their_source() -> None:
    rows = summary(auction()).partition("from open (465 events)\n")[2].splitlines()[:4]
    assert rows == [
        "  bid         -> (stays)     310   66.7%  155",
        "  withdraw    -> (stays)      65   14.0%   32",
        "✗ bid         -> rejected     58   12.5%   29",
        "  auctionEnd  -> ended        32    6.9%   16",
    ]


def test_a_long_table_is_cut() -> None:
    text = summary(horses(), rows=5)
    assert text.endswith("… and 28 more in automaton.json\n")
    assert "more in automaton.json" not in summary(horses())


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("build", [auction, horses, hostile])
def test_no_line_is_wider_than_the_terminal(build: Callable[[], Specification], width: int) -> None:
    lines = summary(build(), width=width).splitlines()
    assert max(map(cell_len, lines)) <= width


def test_a_history_that_lacks_everything_is_still_told() -> None:
    spec = replace(auction(), history=HistorySummary(), interactions=InteractionsSummary(), transitions=())
    assert "? transactions with ? calls, ? of them rejected" in " ".join(summary(spec).split())


@given(st.text(), st.text(), st.integers(40, 100))
def test_any_text_leaves_one_harmless_line_each(name: str, event: str, width: int) -> None:
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name=name, predicates=(event,), visits=1, ends=1),
    )
    text = summary(specification(name, states, (edge(0, event, 1, 1),)), width=width)
    assert not any(unicodedata.category(char)[0] == "C" for char in text if char != "\n")
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert text == summary(specification(name, states, (edge(0, event, 1, 1),)), width=width)
