"""Phases: a flag of the whole contract is an event of those that live through its change, where it matters."""

from __future__ import annotations

import csv
import io
import tomllib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError, UsageError
from specminer.comparison.score import language
from specminer.decoding import HistoryContext
from specminer.decoding.slot_resolution import locate
from specminer.history.contract_history import MISSING, History
from specminer.interaction import Interactions, Mode, analyse, split
from specminer.learning.abstraction_definition import Definition, default, parse
from specminer.learning.definition_toml import dump
from specminer.learning.event_table import EventTable
from specminer.learning.passive_events import kept_events
from specminer.learning.phases import MOST_CHANGES, Flag, flags, with_flags, with_phases
from specminer.learning.table_building import build
from specminer.pipeline import MineOptions, mine
from specminer.pipeline.automata import transition_groups
from specminer.pipeline.mining import MiningResult
from specminer.presentation.dot import to_dot
from specminer.presentation.eventlog import events, to_csv, to_xes
from specminer.specification import AbstractionSummary, Edge, Specification, TransitionKind
from specminer.specification.abstraction_entries import HistoryView, Weights
from tests.support.bazaars import OWNER, Plan, history_of, played
from tests.support.divisions import INTERFACE
from tests.support.divisions import history_of as history_of_simulated
from tests.support.event_tables import automaton_of, words_of
from tests.support.histories import Simulated, simulations
from tests.support.layouts import NAMED
from tests.support.mined import mined as mined_dataset
from tests.support.mined import report_of

OPENED = "phase: isOpen by setOpen"
CLOSED = "phase: not isOpen by setOpen"


@cache
def history_of_plan(plan: Plan) -> History:
    return history_of(played(plan), plan.flag)


def mined(plan: Plan, definition: Definition | None = None, forbid: tuple[str, ...] = ()) -> MiningResult:
    return mine(history_of_plan(plan), MineOptions(definition=definition, forbid=forbid))


def drawn(spec: Specification) -> set[tuple[str, str, str]]:
    """Return the accepted transitions by the names of their states."""
    names = {state.id: state.name for state in spec.states}
    return {
        (names[edge.source], edge.event, names[edge.target])
        for edge in spec.transitions
        if edge.outcome == "returned"
    }


def test_a_flag_that_matters_is_an_event_of_those_that_live_through_it() -> None:
    run = mined(Plan())
    assert drawn(run.specification) == {
        ("start", "create", "status = 1"),
        ("status = 1", "offer", "status = 2, not open"),
        ("status = 2, not open", OPENED, "status = 2, open"),
        ("status = 2, open", "buy", "status = 3"),
    }
    assert run.specification.metrics["nondeterminism"] == 0
    (edge,) = [edge for edge in run.specification.transitions if edge.kind is TransitionKind.PHASE]
    assert (edge.function, edge.role, edge.guard, edge.senders) == ("setOpen", None, None, 1)
    assert len(edge.witnesses) == 1
    assert edge.count == edge.interaction_count < len(run.interactions.names)


def test_what_begins_later_begins_in_the_later_phase() -> None:
    run = mined(Plan(changes=(100, 200, 300)))
    found = drawn(run.specification)
    assert ("start", "create [not isOpen]", "status = 1, not open") in found
    assert ("start", "create [isOpen]", "status = 1, open") in found
    assert ("status = 3", OPENED, "status = 3") in found
    assert run.specification.metrics["nondeterminism"] == 0
    starts = run.tuning.table.starts
    assert not run.interactions.switches[starts].any()
    assert not run.interactions.switches[np.append(starts[1:], len(run.table)) - 1].any()


@pytest.mark.parametrize(
    "plan",
    [
        Plan(matters=False),
        Plan(changes=tuple(range(10, 390, 10))),
        Plan(changes=()),
        Plan(changes=(0,)),
    ],
)
def test_where_no_call_depends_on_it_nothing_is_different(plan: Plan) -> None:
    assert len(range(10, 390, 10)) > MOST_CHANGES
    run = mined(plan)
    assert run.tuning.phases == ()
    without = mined(plan, replace(default(), phases=()))
    told = run.specification.abstraction.events
    assert without.specification.abstraction.events == replace(told, phases=())
    kept = (
        replace(spec, abstraction=AbstractionSummary(), front=())
        for spec in (run.specification, without.specification)
    )
    assert next(kept) == next(kept)


def test_the_automaton_accepts_what_it_was_learned_from() -> None:
    for plan in (Plan(), Plan(changes=(100, 200, 300)), Plan(changes=(60, 90), seed=3)):
        run = mined(plan)
        assert run.tuning.phases == ("isOpen",)
        for point in run.tuning.front:
            learned = automaton_of(run.table, run.tuning.before(point), run.tuning.after(point))
            assert all(learned.accepts(word) for word in words_of(run.table))
            assert sum(state.visits for state in point.states) == len(run.table)


def test_a_definition_can_ask_for_a_flag_and_forbid_it() -> None:
    idle = Plan(matters=False)
    asked = mined(idle, replace(default(), phases=("isOpen",)))
    assert asked.tuning.phases == ("isOpen",)
    assert asked.interactions.switches.any()
    fixed = mined(idle, replace(default(), fix=("isOpen",)))
    assert fixed.tuning.phases == ("isOpen",)
    assert [predicate.text for predicate in fixed.tuning.predicates if predicate.fixed] == ["isOpen"]
    for without in (
        mined(Plan(), replace(default(), forbid=("isOpen",))),
        mined(Plan(), None, ("isOpen",)),
        mined(Plan(), replace(default(), phases=())),
        mined(Plan(), replace(default(), drop=("setOpen",))),
    ):
        assert without.tuning.phases == ()
        assert not without.interactions.switches.any()
    with pytest.raises(UsageError, match="did you mean 'isOpen'"):
        mined(Plan(), replace(default(), phases=("isopen",)))
    with pytest.raises(UsageError, match=r"there are isOpen$|there are nextId, isOpen$"):
        mined(Plan(), replace(default(), phases=("status",)))
    assert mined(Plan(), replace(default(), phases=("status",), lenient=True)).tuning.phases == ()


def test_a_flag_that_is_preferred_may_be_told_apart_although_it_pays_little() -> None:
    cheap = Weights(predicates=0.0, transitions=0.0)
    idle = Plan(matters=False)
    assert mined(idle, replace(default(), weights=cheap)).tuning.phases == ()
    run = mined(idle, replace(default(), weights=cheap, prefer=("isOpen",)))
    assert run.tuning.phases in ((), ("isOpen",))
    assert mined(Plan(), replace(default(), prefer=("isOpen",))).tuning.phases == ("isOpen",)


def test_events_are_mapped_and_history_predicates_pass_over_phases() -> None:
    renamed = mined(Plan(), replace(default(), called={"setOpen": "switch"}))
    assert "phase: isOpen by switch" in {edge.event for edge in renamed.specification.transitions}
    run = mined(Plan(), replace(default(), history=HistoryView.ALWAYS, phases=("isOpen",)))
    texts = [text for item in run.tuning.vocabulary for text in (item.text, *item.aliases)]
    assert any(text.startswith("last = ") for text in texts)
    assert not any("phase:" in text for text in texts)


@pytest.mark.parametrize("plan", [Plan(), Plan(changes=(100, 200, 300))])
def test_the_tuned_definition_gives_the_same_automaton_again(plan: Plan) -> None:
    run = mined(plan)
    for point in run.tuning.front:
        written = dump(point.definition)
        assert tomllib.loads(written)["events"]["phases"] == ["isOpen"]
        again = mined(plan, parse(written, "tuned"))
        assert again.tuning.states == tuple(point.states)
        place = run.tuning.front.index(point)
        other = run.specification.front[place].automaton
        edges = run.specification.transitions if other is None else other.transitions
        assert list(map(_told, again.specification.transitions)) == list(map(_told, edges))


def _told(edge: Edge) -> tuple[object, ...]:
    return edge.source, edge.target, edge.event, edge.kind, edge.outcome, edge.count, edge.witnesses


def test_renaming_a_flag_changes_its_name_and_nothing_else() -> None:
    first, second = mined(Plan()), mined(Plan(flag="zzz and `more`"))
    assert second.tuning.phases == ("zzz and `more`",)
    assert (first.tuning.state_after == second.tuning.state_after).all()
    assert "phase: `zzz and \\`more\\`` by setOpen" in second.table.symbols


def test_phases_stand_in_logs_lives_and_pictures() -> None:
    run = mined(Plan(changes=(100, 200, 300)))
    report = report_of(run)
    evidence = report.evidence
    assert evidence is not None
    logged = [
        *events(
            run.specification,
            run.analysis,
            run.interactions,
            run.interface,
            transition_groups(run.tuning, run.tuning.chosen_point)[1],
        )
    ]
    rows = list(csv.DictReader(io.StringIO(to_csv(iter(logged)))))
    phases = [row for row in rows if row["kind"] == "phase"]
    assert {row["event"] for row in phases} == {OPENED, CLOSED}
    assert {row["function"] for row in phases} == {"setOpen"}
    assert {row["sender"].lower() for row in phases} == {f"0x{OWNER.hex()}"}
    assert f'value="{OPENED}"' in to_xes(run.specification, iter(logged))
    kinds = {event["kind"] for life in evidence.timelines.items for event in life["events"]}
    assert kinds == {"call", "phase"}
    source = to_dot(run.specification)
    assert "style=dotted" in source
    assert "switch of the whole contract" in source
    closed = next(state.id for state in run.specification.states if state.name == "status = 3")
    assert f'id="s{closed}-s{closed}"' not in source  # there the phase means nothing


def test_scores_hear_no_phases() -> None:
    told, plain = (
        language(mined(Plan(), definition).specification)
        for definition in (None, replace(default(), phases=()))
    )
    assert told.input_symbols == plain.input_symbols == {"create", "offer", "buy"}
    assert all(told.accepts(word) for word in (("create", "offer", "buy"), ("create",)))
    assert not told.accepts(("create", "buy"))


def test_what_is_wrong_in_a_file_is_named() -> None:
    with pytest.raises(FileFormatError, match=r"'events\.phases' should be a list of texts"):
        parse('name = "x"\n[events]\nphases = "isOpen"\n', "a.toml")
    kept = parse('name = "x"\n[events]\nphases = []\n', "a.toml")
    assert kept.phases == ()
    assert parse(dump(kept), "") == kept
    assert parse('name = "x"\n', "a.toml").phases is None


def test_a_token_is_paused() -> None:
    run = mined_dataset("token")
    assert run.tuning.phases == ("paused",)
    paused = {state.id for state in run.specification.states if "paused" in state.phrases}
    assert paused
    allowed = {
        edge.function
        for edge in run.specification.transitions
        if edge.source in paused and edge.outcome == "returned" and edge.kind is TransitionKind.CALL
    }
    assert allowed == {"burn"}  # the source forbids transfers and approvals, not burning


@pytest.mark.parametrize("name", ["auction_house", "nft_market"])
def test_a_pause_too_short_to_draw_states_for_is_none(name: str) -> None:
    run = mined_dataset(name)
    context = run.analysis.context
    events = int((~run.interactions.passive).sum())
    found = flags(context, run.interactions)
    assert any(flag.qualifies(events) for flag in found)
    assert not {flag.name for flag in found} & set(
        run.tuning.phases
    )  # deadlines of entities stand there, too


@settings(max_examples=60)
@given(simulations(), st.integers(0, 3))
def test_phases_of_random_histories(simulated: Simulated, most: int) -> None:
    history = history_of_simulated(simulated)
    located = locate(history, NAMED)
    context = HistoryContext.of(history, INTERFACE, located)
    plain = split(analyse(context), Mode.SENDER.value)
    found = flags(context, plain)[: most + 1]
    told = with_phases(plain, context, found)
    assert same(kept_events(told, ~told.switches), plain)
    assert told.switches.sum() <= len(found) * len(plain.slice)
    functions = ["f" if not data else data[:4].hex() for data in history.invocation_data]
    built = build(history, context.accesses, located, told, functions)
    table = with_flags(built, told, found)
    check_flags(table, told, found)
    for row, flag in enumerate(found):
        name = table.variables[table.flags[row]].name
        assert name == flag.name


def same(one: Interactions, other: Interactions) -> bool:
    """Whether two splits have the same events."""
    columns = ("slice", "invocation", "passive", "role")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in columns)


def check_flags(table: EventTable, told: Interactions, found: tuple[Flag, ...]) -> None:
    """Check that flags hold what they held when calls were made, and change by their own events alone."""
    rows = told.invocation
    previous = np.r_[MISSING, np.arange(len(table) - 1)][: len(table)]
    previous[table.starts] = MISSING
    own = ~told.switches & ~table.rejected
    begun = np.zeros(len(table), dtype=np.bool_)
    for row in range(len(table)):
        before = previous[row]
        begun[row] = own[row] or (before != MISSING and begun[before])
        assert begun[row] or not told.switches[row]
    last = np.append(table.starts[1:], len(table))[: len(table.starts)] - 1
    assert not told.switches[last].any()
    for position, flag in zip(table.flags, found, strict=True):
        column = table.values[position]
        for row in np.flatnonzero(begun).tolist():
            value = table.words[int(column[row])]
            if own[row]:
                assert value == flag.values[int(np.searchsorted(flag.invocation, rows[row], side="right"))]
            before = previous[row]
            if before == MISSING or not begun[before] or column[before] == column[row]:
                continue
            switched = told.phase_of(row) == flag.phrase(value)
            assert switched or rows[row] in flag.invocation
    assert set(table.switches) == set(np.unique(table.symbol[told.switches]).tolist())
