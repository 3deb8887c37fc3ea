"""The yardstick: what counts, what it says of known pairs, and what the exact answers are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from specminer._support.errors import FileFormatError
from specminer.automaton import Automaton, from_edges, includes
from specminer.automaton.declared_protocol import DeclaredProtocol, DeclaredTransition
from specminer.comparison.score import Labels, Spread, harmonic_mean, language, score
from specminer.specification import TransitionKind
from tests.support.automata import automata, spelled
from tests.support.specifications import auction, edge, specification, states


@settings(max_examples=25)
@given(automata())
def test_an_automaton_scores_one_against_itself(automaton: Automaton) -> None:
    found = score(automaton, automaton, seeds=2)
    assert (found.precision.values, found.recall.values, found.f.values) == ((1, 1), (1, 1), (1, 1))
    assert found.mined_in_truth.holds
    assert found.truth_in_mined.holds
    assert found.only_mined == found.only_truth == ()


@settings(max_examples=25)
@given(automata(), automata())
def test_precision_and_recall_change_places(left: Automaton, right: Automaton) -> None:
    there, back = score(left, right, seeds=2), score(right, left, seeds=2)
    assert there.precision == back.recall
    assert there.recall == back.precision
    assert there.f.mean == pytest.approx(back.f.mean)
    assert there.mined_in_truth == back.truth_in_mined
    assert there.only_mined == back.only_truth


@settings(max_examples=25)
@given(automata(), automata())
def test_scores_agree_with_the_exact_answers(mined: Automaton, truth: Automaton) -> None:
    found = score(mined, truth, seeds=2)
    assert all(0 <= value <= 1 for part in (found.precision, found.recall, found.f) for value in part.values)
    if found.mined_in_truth.holds:
        assert found.precision.values == (1, 1)
    else:
        word = found.mined_in_truth.counterexample
        assert word is not None
        assert spelled(mined, word)
        assert not spelled(truth, word)
    assert found.truth_in_mined.holds == includes(mined, truth)


def test_a_share_is_that_of_walks() -> None:
    """The mined one allows b, which the truth does not; one of two symbols, so half of the walks."""
    truth = from_edges([(0, "a", 1, 1)])
    mined = from_edges([(0, "a", 1, 1), (0, "b", 1, 1)])
    found = score(mined, truth, seeds=50)
    assert found.recall.mean == 1
    assert found.precision.mean == pytest.approx(0.5, abs=0.05)
    assert found.precision.deviation > 0
    assert found.mined_in_truth.counterexample == ("b",)
    assert found.truth_in_mined.holds


def test_f_is_averaged_over_the_seeds() -> None:
    left = from_edges([(0, "a", 1, 1), (0, "b", 1, 1)])
    right = from_edges([(0, "a", 1, 1), (0, "c", 1, 1)])
    found = score(left, right, seeds=5)
    for precision, recall, f in zip(found.precision.values, found.recall.values, found.f.values, strict=True):
        assert f == pytest.approx(2 / (1 / precision + 1 / recall))
    assert found.f.mean == pytest.approx(sum(found.f.values) / 5)


def test_nothing_in_common_scores_nothing() -> None:
    found = score(from_edges([(0, "a", 1, 1)]), from_edges([(0, "b", 1, 1)]))
    assert found.f.values == (0.0,) * 10
    assert (found.only_mined, found.only_truth) == (("a",), ("b",))
    assert harmonic_mean(0, 0) == 0


def test_the_deviation_is_the_sample_one() -> None:
    assert Spread(values=(1.0, 2.0, 3.0)).deviation == 1
    assert Spread(values=(0.5,)).deviation == 0


def test_rejected_calls_do_not_count() -> None:
    automaton = language(auction())
    assert automaton.accepts(["constructor", "bid", "auctionEnd", "withdraw"])
    assert not automaton.accepts(["constructor", "bid", "auctionEnd", "bid"])
    assert automaton.input_symbols == {"constructor", "bid", "auctionEnd", "withdraw"}


@pytest.mark.parametrize("kind", [TransitionKind.PASSIVE, TransitionKind.PHASE])
def test_a_move_of_others_makes_no_sound(kind: TransitionKind) -> None:
    """A stake becomes a claim by somebody else's bid: the words know it only by what follows."""
    spec = specification(
        "house",
        states(3),
        (edge(0, "bid", 1, 2), edge(1, "side effect of bid", 2, 2, kind=kind), edge(2, "withdraw", 0, 2)),
    )
    automaton = language(spec)
    assert automaton.accepts(["bid", "withdraw", "bid"])
    assert not automaton.accepts(["bid", "bid"])
    assert automaton.input_symbols == {"bid", "withdraw"}


def test_functions_are_bare_names_and_events_have_roles() -> None:
    spec = specification(
        "horses",
        states(2),
        (edge(0, "breed as mare", 1, 2, role="mare"), edge(0, "breed as stallion", 1, 1, role="stallion")),
    )
    assert language(spec).input_symbols == {"breed"}
    assert len(language(spec).transitions) == 1
    assert language(spec, Labels.EVENTS).input_symbols == {"breed as mare", "breed as stallion"}


def test_an_ignored_label_is_passed_over_on_both_sides() -> None:
    truth = DeclaredProtocol(
        start="new",
        transitions=(
            DeclaredTransition(source="new", function="constructor", target="open", roles=()),
            DeclaredTransition(source="open", function="close", target="closed", roles=()),
        ),
    )
    mined = specification("door", states(2), (edge(0, "close", 1, 3),))
    assert score(language(mined), language(truth)).f.mean == 0
    ignored = ("constructor",)
    found = score(language(mined, ignored=ignored), language(truth, ignored=ignored))
    assert found.f.mean == 1
    assert found.mined_in_truth.holds
    assert found.truth_in_mined.holds


def test_the_walks_of_a_truth_need_no_history() -> None:
    """Scores depend on words only: other counts, other state numbers in the same order, the same score."""
    mined = from_edges([(0, "a", 1, 9), (1, "b", 2, 4), (1, "a", 1, 1)])
    moved = from_edges([(10, "a", 11, 1), (11, "b", 12, 1), (11, "a", 11, 1)], 10)
    truth = from_edges([(0, "a", 1, 1), (1, "b", 1, 1)])
    assert score(mined, truth) == score(moved, truth)


def test_a_specification_that_is_no_automaton_is_told_by_its_file() -> None:
    dangling = replace(auction(), initial=77)
    with pytest.raises(FileFormatError, match=r"some\.json: transitions: the initial state 77"):
        language(dangling, origin="some.json")


def test_what_is_too_large_to_compare_is_left_undecided() -> None:
    def guess(size: int) -> Automaton:
        edges = [(0, "a", 0, 1), (0, "b", 0, 1), (0, "a", 1, 1), (size, "c", size, 1)]
        return from_edges(edges + [(at, way, at + 1, 1) for at in range(1, size) for way in "ab"])

    found = score(guess(30), guess(29), seeds=1)
    assert (found.mined_in_truth.holds, found.mined_in_truth.counterexample) == (None, None)


def test_no_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 seed or more but got 0"):
        score(from_edges([]), from_edges([]), seeds=0)


def test_what_a_truth_never_reaches_is_none_of_its_labels() -> None:
    edges = (("new", "open", "ready"), ("elsewhere", "close", "ready"))
    truth = DeclaredProtocol(
        start="new",
        transitions=tuple(
            DeclaredTransition(source=source, function=function, target=target, roles=())
            for source, function, target in edges
        ),
    )
    assert language(truth).input_symbols == {"open"}
