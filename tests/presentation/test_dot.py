"""The DOT source: what is drawn, what is hidden, and that foreign text stays text."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.presentation.dot import to_dot
from specminer.presentation.graphviz_layout import render_dot, renderer
from specminer.presentation.label_markup import markup, phrase, wrap
from specminer.presentation.line_selection import depth, rejections, select
from specminer.presentation.picture_content import Content
from specminer.presentation.picture_options import PictureOptions
from specminer.specification import (
    Guard,
    GuardCondition,
    GuardKind,
    InteractionsSummary,
    Specification,
    State,
    Surprise,
    SurpriseUnit,
    SurprisingEvent,
    SurprisingInteraction,
    TransitionKind,
)
from tests.support.drawings import drawing, groups, written
from tests.support.specifications import HOSTILE_NAMES, SAMPLES, auction, edge, horses, hostile, specification

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"
UPDATE = "SPECMINER_UPDATE_SNAPSHOTS"
"""Set in the environment, the stored pictures are written instead of compared."""

drawn = pytest.mark.skipif(renderer() is None, reason="missing part: dot or pygraphviz")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_source_is_the_stored_one(name: str) -> None:
    stored = SNAPSHOTS / f"{name}.dot"
    source = to_dot(SAMPLES[name]())
    if os.environ.get(UPDATE):
        stored.write_text(source, encoding="utf-8")
    assert source == stored.read_text(encoding="utf-8")


def test_the_order_of_states_and_transitions_does_not_matter() -> None:
    spec = horses()
    mixed = replace(spec, states=spec.states[::-1], transitions=spec.transitions[::-1])
    assert to_dot(mixed) == to_dot(spec)


def test_up_to_four_states_run_left_to_right() -> None:
    assert "rankdir=LR" in to_dot(auction())
    assert "rankdir=TB" in to_dot(horses())


def test_rejected_calls_are_lines_in_the_state_and_never_loops() -> None:
    spec = specification(
        "X",
        (
            State(id=0, name="start", predicates=(), visits=0, ends=0),
            State(id=1, name="on", predicates=(), visits=1, ends=1),
        ),
        (edge(0, "go", 1, 1), edge(1, "stop", 1, 7, rejected=True), edge(0, "halt", 0, 3, rejected=True)),
    )
    source = to_dot(spec)
    assert ">✗ </FONT><FONT" in source
    assert ">stop</FONT>" in source
    assert "s1 -> s1" not in source
    assert "✗ rejected before the beginning: halt 3" in source
    assert [found.event for found in rejections(spec, 1)] == ["stop"]


def test_parallel_transitions_are_one_line_with_the_rarest_summed_up() -> None:
    source = to_dot(horses())
    assert source.count("s5 -> s5") == 1
    assert "<I>+2 rarer</I>" in source
    assert ">approve<" not in source


def test_a_single_sixth_event_is_named_rather_than_summed_up() -> None:
    states = (State(id=0, name="start", predicates=(), visits=0, ends=0),)
    spec = specification("X", states, tuple(edge(0, f"event{n}", 0, 1) for n in range(6)))
    assert "rarer" not in to_dot(spec)
    assert "event5" in to_dot(spec)


def test_roles_are_italic_and_passive_lines_dashed() -> None:
    source = to_dot(horses())
    assert "stallionWith<I> as mareId</I>" in source
    line = next(line for line in source.splitlines() if "s6 -> s1" in line)
    assert "style=dashed" in line
    assert "side effect of sweep" in line


def test_switches_of_the_contract_are_dotted() -> None:
    spec = auction()
    phase = edge(1, "enable", 3, 9, kind=TransitionKind.PHASE)
    assert "style=dotted" in to_dot(replace(spec, transitions=(*spec.transitions, phase)))


def test_the_usual_path_goes_on_when_a_deadline_is_reached_but_not_when_the_contract_is_switched() -> None:
    spec = auction()
    largest = 10 * max(item.count for item in spec.transitions)
    for kind in (TransitionKind.TIME, TransitionKind.PHASE):
        passing = edge(1, "endTime reached", 3, largest, kind=kind)
        content = Content(
            spec=replace(spec, transitions=(*spec.transitions, passing)), options=PictureOptions()
        )
        assert ((1, 3) in content.usual_lines) == (kind is TransitionKind.TIME)


def test_title_counts_and_guards_stand_above_the_picture() -> None:
    source = to_dot(auction())
    assert ">SimpleAuction</FONT></B>" in source
    assert "40 contracts, 589 calls, 76 rejected" in source
    assert "<B>bid</B>" in source
    guard = " needs value &gt; highestBid and now ≤ auctionEndTime (required; explains 68 of 70 rejections)"
    assert guard in source
    assert "606 token histories, 2,053 events, 18 rejected; 3 rare transitions (10 events) hidden" in to_dot(
        horses()
    )


def test_guards_are_said_without_the_interactions_own_key() -> None:
    def heading(text: str) -> str:
        guard = Guard(scope="buy", text=text, kind=GuardKind.REQUIRED, explained=3, rejected=4)
        spec = replace(horses(), guards=(guard,))
        return "".join(
            run.text for row in Content(spec=spec, options=PictureOptions()).heading() for run in row
        )

    assert "buy needs value ≥ price and owner ≠ sender (required; explains 3 of 4 rejections)" in heading(
        "value >= horses[_tokenId].price and horseToOwner[_tokenId] != sender"
    )
    both = (
        replace(horses().transitions[0], function="buy", role="b"),
        replace(horses().transitions[0], function="buy"),
    )
    content = Content(spec=replace(horses(), transitions=both), options=PictureOptions())
    assert content._guard_text("buy", "owner[_tokenId] = sender") == "owner of tokenId = sender"
    assert "pending returns of sender ≠ 0" in heading("pendingReturns[sender] != 0")
    assert "a[_tokenId].price < b[_tokenId].price" in heading("a[_tokenId].price < b[_tokenId].price")
    assert "m[a][b] > 0" in heading("m[a][b] > 0")
    assert "…" in heading("x" * 100_000)


def test_hiding_keeps_coverage_outflow_and_ways_in() -> None:
    spec = horses()
    for coverage in (1.0, 0.985, 0.9, 0.5, 0.0):
        selection = select(spec, coverage, 0.05)
        shown = sum(line.count for line in selection.lines)
        assert shown >= coverage * (shown + selection.hidden_events)
        assert set(depth(selection.lines, spec.initial)) == {state.id for state in spec.states}
        pairs = {(line.source, line.target) for line in selection.lines}
        assert (6, 1) in pairs, "all of its source's outflow"
    assert select(spec, 1.0, 0.05).hidden_transitions == 0


def test_what_was_alarming_is_never_hidden() -> None:
    spec = horses()
    options = (0.0, 1.1, 1.0)
    hidden = {(line.source, line.target) for line in select(spec, 1.0, 0.0).lines}
    hidden -= {(line.source, line.target) for line in select(spec, *options).lines}
    assert hidden
    source, target = min(hidden)
    edge = next(item for item in spec.transitions if (item.source, item.target) == (source, target))
    call = SurprisingEvent(event=edge.event, transaction=edge.witnesses[0])
    life = SurprisingInteraction(interaction="7", flagged=True, events=(call,), text="odd")
    flagged = (
        Surprise(unit=SurpriseUnit.INTERACTION, interactions=(life,)),
        Surprise(unit=SurpriseUnit.EVENT, events=(replace(call, flagged=True),)),
    )
    for told in flagged:
        shown = select(replace(spec, surprise=told), *options)
        assert (source, target) in {(line.source, line.target) for line in shown.lines}
    harmless = (
        Surprise(unit=SurpriseUnit.INTERACTION, interactions=(replace(life, flagged=False),)),
        Surprise(unit=SurpriseUnit.EVENT, events=(call, replace(call, event="another", flagged=True))),
        Surprise(),
    )
    for told in harmless:
        assert select(replace(spec, surprise=told), *options) == select(spec, *options)


def test_a_specification_without_transitions_is_drawn() -> None:
    states = (State(id=0, name="start", predicates=(), visits=0, ends=0),)
    assert "s0 [" in to_dot(specification("", states, (), interactions=InteractionsSummary()))


def test_predicates_are_phrased_for_people() -> None:
    assert phrase("x != 0", 40) == "x ≠ 0"
    assert phrase("a <= b and c >= d", 40) == "a ≤ b and c ≥ d"
    assert phrase("not (status = 2)", 40) == "status ≠ 2"
    assert phrase("not ended", 40) == "not ended"
    for whole in ("not ended, bids = 0", "not (ended and bids = 0)", "not ended = 0"):
        assert phrase(whole, 40) == whole, "a negation of something else than one comparison stays as it is"
    assert phrase("a <=> b", 40) == "a <=> b"
    assert phrase("owner = 0x5FbDB2315678afecb367f032d93F642f64180aa3", 40) == "owner = 0x5FbD…0aa3"


@given(st.text(), st.integers(1, 30), st.integers(1, 4))
def test_wrapping_respects_its_limits(text: str, width: int, lines: int) -> None:
    rows = wrap(text, width, lines)
    assert 1 <= len(rows) <= lines
    assert all(len(row) <= max(width, len("(no name)")) for row in rows)


def test_markup_escapes_what_graphviz_or_xml_would_read() -> None:
    assert markup('</TD>\\N "&amp;"') == "&lt;/TD&gt;\\\\N &quot;&amp;amp;&quot;"


def small(name: str, event: str) -> Specification:
    """Return a specification of two states in which every text is one of two."""
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        State(id=1, name=name, predicates=(event,), visits=1, ends=1),
    )
    transitions = (edge(0, event, 1, 1), edge(1, event, 1, 2, rejected=True))
    return specification(name, states, transitions)


def spoken(text: str) -> str:
    """Return text as it is compared: without blanks, which a renderer may set as it likes."""
    return re.sub(r"\s", "", text)


def check_drawing(name: str, event: str) -> None:
    """Assert that the drawing is XML of nothing but drawing, and holds the texts as text."""
    options = PictureOptions()
    root = drawing(render_dot(to_dot(small(name, event)), "svg"))
    assert len(groups(root, "node")) == 2
    (arrow,) = map(written, groups(root, "label"))
    box = written(groups(root, "state")[0])
    told = spoken("".join(wrap(phrase(event, 3 * options.event_width), options.event_width, 2)))
    assert arrow == f"{told}1"
    for line in wrap(phrase(name, 3 * options.name_width), options.name_width, 8):
        assert spoken(line) in box
    assert f"✗{told}2" in box


@drawn
@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=range(len(HOSTILE_NAMES)))
def test_hostile_names_come_out_as_text(name: str) -> None:
    check_drawing(name, name)


@pytest.mark.slow
@drawn
@settings(max_examples=40)
@given(st.text(max_size=120), st.text(max_size=120))
def test_any_name_comes_out_as_text(name: str, event: str) -> None:
    check_drawing(name, event)


@drawn
def test_a_wholly_hostile_specification_is_drawn_small() -> None:
    source = to_dot(hostile(), PictureOptions(fold=False))
    assert len(source) < 100_000
    assert len(groups(drawing(render_dot(source)), "node")) == len(HOSTILE_NAMES) + 1


def test_a_short_picture_tells_whole_conditions_and_counts_the_rest() -> None:
    long = f"checkpoints[{'x' * 170}] * supply / 100 <= votes"
    texts = ("count > 0", long, "owner = sender or open", "f(a, b, c) = 12345678901234567890", "late != 0")
    conditions = tuple(GuardCondition(text=text) for text in texts)
    guard = Guard(
        scope="vote",
        text=" and ".join(f"({text})" if " or " in text else text for text in texts),
        conditions=conditions,
        kind=GuardKind.REQUIRED,
        explained=7,
        rejected=7,
    )
    spec = replace(auction(), guards=(guard,))

    def told(options: PictureOptions) -> list[str]:
        return ["".join(run.text for run in row) for row in Content(spec=spec, options=options).guards()]

    assert " ".join(told(PictureOptions())) == (
        "vote needs count > 0 and (owner = sender or open) and f(a, b, c) = 12345678901234567890 and late ≠ 0 "
        "and 1 more condition (required; explains 7 of 7 rejections)"
    )
    assert "* supply / 100 ≤ votes and (owner = sender or open)" in " ".join(
        told(PictureOptions(labels="full"))
    )
    only = replace(guard, text=long, conditions=conditions[1:2])
    content = Content(spec=replace(spec, guards=(only,)), options=PictureOptions())
    assert "…" in "".join(run.text for row in content.guards() for run in row)


def test_a_line_neither_begins_nor_ends_with_a_sign_of_comparison() -> None:
    text = (
        "transferFrom needs allowance[from][sender] = MAX or value ≤ allowance[from][sender] and not paused"
    )
    for width in range(46, 80):
        rows = wrap(text, width, 9)
        assert " ".join(rows) == text
        assert not {row.split()[0] for row in rows} & {"=", "≤"}
        assert not {row.split()[-1] for row in rows[:-1]} & {"=", "≤", "not", "or", "and"}
