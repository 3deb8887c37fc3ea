"""A large automaton is drawn as a quotient of 8 states and 30 lines, which says so; the document holds it all."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.presentation.dot import to_dot
from specminer.presentation.folding import MAX_COMPARED, fold_states, folding
from specminer.presentation.mermaid import to_mermaid
from specminer.presentation.picture_content import Content
from specminer.presentation.picture_options import PictureOptions
from specminer.specification import Edge, Specification, State, encode_specification
from tests.support.command import specminer
from tests.support.mined import mined
from tests.support.specifications import edge, hostile, specification

FOLDED = PictureOptions()
WHOLE = PictureOptions(fold=False)


def state(number: int, name: str, visits: int, *, ends: int = 0, predicates: tuple[str, ...] = ()) -> State:
    return State(id=number, name=name, predicates=predicates or (name,), visits=visits, ends=ends)


def order() -> Specification:
    """Build: an order is made, paid, sent and received; open and late orders are cancelled, unpaid ones time out."""
    states = (
        State(id=0, name="start", predicates=(), visits=0, ends=0),
        state(1, "open, early", 400, predicates=("open", "early")),
        state(2, "open, late", 90, predicates=("open", "late")),
        state(3, "paid", 350),
        state(4, "sent", 340),
        state(5, "received", 330, ends=330),
        state(6, "disputed", 30),
        state(7, "refunded", 25, ends=25),
        state(8, "cancelled", 60, ends=60),
        state(9, "lost", 5, ends=5),
    )
    moves = (
        edge(0, "make", 1, 400),
        edge(1, "pay", 3, 300),
        edge(1, "wait", 2, 90),
        edge(1, "cancel", 8, 10),
        edge(2, "pay", 3, 50),
        edge(2, "cancel", 8, 40),
        edge(3, "send", 4, 340),
        edge(3, "pay", 3, 7, rejected=True),
        edge(4, "receive", 5, 305),
        edge(4, "dispute", 6, 30),
        edge(4, "lose", 9, 5),
        edge(6, "refund", 7, 25),
        edge(6, "receive", 5, 5),
        edge(8, "pay", 8, 4, rejected=True),
        edge(7, "pay", 7, 3, rejected=True),
    )
    return specification("Orders", states, moves)


def flows(spec: Specification) -> Counter[tuple[str, str]]:
    """Return how often each event happened with each outcome."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in spec.transitions:
        counts[item.event, item.outcome] += item.count
    return counts


def drawn_states(source: str) -> int:
    return len(re.findall(r'\bclass="?(?:state|start)\b', source))


def drawn_lines(source: str) -> int:
    return len(re.findall(r"^\s*\S+ -> \S+ \[", source, re.MULTILINE))


def test_a_small_automaton_is_drawn_as_it_is() -> None:
    spec = replace(order(), states=order().states[:8], transitions=order().transitions[:3])
    content = Content(spec=spec, options=FOLDED)
    assert content.folding is None
    assert content.drawn_specification is spec
    assert to_dot(spec, FOLDED) == to_dot(spec, WHOLE)


def test_what_is_alike_or_rare_is_folded_and_the_picture_says_so() -> None:
    spec = order()
    source = to_dot(spec)
    assert drawn_states(source) == 8
    assert drawn_states(to_dot(spec, WHOLE)) == 10
    content = Content(spec=spec, options=FOLDED)
    assert content.folding is not None
    boxes = {frozenset(item.name for item in box.states) for box in content.folding.boxes}
    assert frozenset({"open, early", "open, late", "paid"}).isdisjoint({"received", "cancelled"})
    assert all("paid" not in names and "sent" not in names for names in boxes), boxes
    folded_states = sum(map(len, boxes))
    assert f"{folded_states} of 10 states folded into" in source
    assert "folded" not in to_dot(spec, WHOLE)
    for names in boxes:
        assert all(name in source.replace("or ", "") for name in names if ", " not in name)
    assert "dashed" in source


def test_a_box_is_called_after_what_its_states_have_in_common() -> None:
    spec = order()
    chosen = folding(spec, 9)
    assert chosen is not None
    assert [sorted(item.name for item in box.states) for box in chosen.boxes] == [["lost", "refunded"]]
    joined = fold_states(spec, chosen)
    assert joined.states[-1].name == "2 states"
    assert (joined.states[-1].visits, joined.states[-1].ends) == (30, 30)
    alike = replace(
        spec,
        states=tuple(
            replace(item, name=f"over, {item.name}", predicates=("over", item.name))
            if item.id in (7, 9)
            else item
            for item in spec.states
        ),
    )
    again = folding(alike, 9)
    assert again is not None
    assert fold_states(alike, again).states[-1].name == "over"
    assert fold_states(alike, again).states[-1].predicates == ("over",)
    rows = [
        "".join(run.text for run in row)
        for row in Content(spec=alike, options=PictureOptions(most_states=9)).state(
            fold_states(alike, again).states[-1]
        )
    ]
    assert rows[:3] == ["over", "refunded", "or lost"]


def test_nothing_is_lost_and_nothing_is_made_up() -> None:
    spec = order()
    chosen = folding(spec, 5)
    assert chosen is not None
    joined = fold_states(spec, chosen)
    assert len(joined.states) == 5
    assert flows(joined) == flows(spec)
    assert sum(item.visits for item in joined.states) == sum(item.visits for item in spec.states)
    assert sum(item.ends for item in joined.states) == sum(item.ends for item in spec.states)
    for before, after in zip(spec.transitions, joined.transitions, strict=True):
        assert (after.source, after.target) == (
            chosen.box_ids.get(before.source, before.source),
            chosen.box_ids.get(before.target, before.target),
        )


@given(st.integers(2, 30), st.integers(1, 14), st.randoms(use_true_random=False))
def test_any_automaton_is_folded_to_the_limit_but_for_its_start(
    number: int, limit: int, draw: object
) -> None:
    pick = draw.randrange  # type: ignore[attr-defined]
    states = tuple(state(row, f"s{row}", pick(100)) for row in range(number))
    moves = tuple(edge(pick(number), "abc"[pick(3)], pick(number), 1 + pick(50)) for _ in range(2 * number))
    spec = specification("Any", states, moves)
    chosen = folding(spec, limit)
    if chosen is None:
        assert number <= max(2, limit)
        return
    joined = fold_states(spec, chosen)
    assert len(joined.states) == max(2, limit)
    assert spec.initial not in chosen.box_ids
    assert flows(joined) == flows(spec)


def test_very_many_states_are_folded_without_comparing_all_pairs() -> None:
    states = tuple(state(row, f"s{row}", 1000 - row) for row in range(1000))
    chosen = folding(specification("Many", states, (edge(0, "go", 1, 5),)), 8)
    assert chosen is not None
    assert len(chosen.box_ids) > 1000 - MAX_COMPARED


def crowded() -> tuple[Edge, ...]:
    """Return a transition for each pair of eight states, some of which are rare."""
    return tuple(
        edge(source, f"move{target}", target, 1 + 10 * ((source * 3 + target * 5) % 7))
        for source in range(8)
        for target in range(1, 8)
    )


def test_no_more_than_thirty_lines_are_drawn_and_what_is_hidden_is_counted() -> None:
    spec = specification("Crowd", order().states[:8], crowded())
    source = to_dot(spec)
    assert drawn_lines(source) == 30
    hidden = sorted(item.count for item in spec.transitions)
    told = re.search(r"([\d,]+) rare transitions \(([\d,]+) events\) hidden", source)
    assert told is not None
    assert int(told[1]) == len(spec.transitions) - 30
    assert sum(hidden[: int(told[1])]) <= int(told[2].replace(",", ""))
    assert drawn_lines(to_dot(spec, WHOLE)) > 30
    assert drawn_lines(to_dot(spec, PictureOptions(min_share=0.0))) == len(spec.transitions)
    kept = Content(spec=spec, options=FOLDED).selection.lines
    reached = {0}
    while more := {line.target for line in kept if line.source in reached} - reached:
        reached |= more
    assert reached == set(range(8)), "each state still has a way in"


def test_mermaid_folds_alike() -> None:
    chart = to_mermaid(order())
    assert len(re.findall(r"^ {2}s\d+\(", chart, re.MULTILINE)) == 8
    assert "of 10 states folded into" in chart
    assert "folded" not in to_mermaid(order(), WHOLE)


def test_hostile_states_are_folded() -> None:
    source = to_dot(hostile())
    assert drawn_states(source) == 8
    assert len(source) < 100_000


def test_a_dataset_with_ten_states_is_drawn_with_eight() -> None:
    spec = mined("tender").specification
    assert len(spec.states) > 8
    source = to_dot(spec)
    assert drawn_states(source) == 8
    assert drawn_lines(source) <= 30


def test_the_command_unfolds(tmp_path: Path) -> None:
    (tmp_path / "automaton.json").write_bytes(encode_specification(order()))

    def source(*options: str) -> str:
        done = specminer("render", "automaton.json", "--format", "dot", *options, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), done.text
        return (tmp_path / "automaton.dot").read_text()

    assert drawn_states(source()) == drawn_states(source("--fold")) == 8
    assert drawn_states(source("--no-fold")) == 10
    done = specminer("render", "automaton.json", "--format", "graphml", cwd=tmp_path)
    assert done.code == 0
    assert (tmp_path / "automaton.graphml").read_text().count("<node ") == 10


@pytest.mark.parametrize("limit", range(2, 10))
def test_the_alarming_is_folded_last(limit: int) -> None:
    spec = order()
    chosen = folding(spec, limit, alarming={4, 9})
    assert chosen is not None
    if limit >= 4:
        assert not {4, 9} & set(chosen.box_ids)
