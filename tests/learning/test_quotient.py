"""The finest quotient: its automata accept what they were learned from, coarser ones no less."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.quotient import ROOT, quotient
from specminer.learning.vocabulary import vocabulary
from specminer.specification.abstraction_entries import HistoryView
from tests.support.event_tables import automaton_of, tables, words_of


@given(tables())
def test_the_finest_automaton_accepts_every_interaction(table: EventTable) -> None:
    finest = quotient(table, vocabulary(table, Definition()))
    learned = automaton_of(table, finest.state_before, finest.state_after)
    assert all(learned.accepts(word) for word in words_of(table))


@given(tables(), st.data())
def test_coarser_automata_accept_what_finer_ones_accept(table: EventTable, data: st.DataObject) -> None:
    made = vocabulary(table, Definition())
    finest = quotient(table, made)
    positions = (
        st.lists(st.sampled_from(range(len(made.predicates))), unique=True)
        if made.predicates
        else st.just([])
    )
    finer = data.draw(positions)
    coarser = [position for position in finer if data.draw(st.booleans())]
    blocks = [finest.coarsen(selection) for selection in (finer, coarser)]
    small, large = (automaton_of(table, b[finest.state_before], b[finest.state_after]) for b in blocks)
    for word in data.draw(st.lists(st.lists(st.sampled_from(table.symbols), max_size=5), max_size=20)):
        assert not small.accepts(word) or large.accepts(word)
    assert all(large.accepts(word) for word in words_of(table))


@given(tables())
def test_a_rejected_event_keeps_the_state(table: EventTable) -> None:
    finest = quotient(table, vocabulary(table, Definition()))
    assert (finest.state_before == finest.state_after)[table.rejected].all()
    assert (finest.state_after[~table.rejected] != ROOT).all()


@given(tables())
def test_states_are_the_distinct_valuations_in_order_of_first_visit(table: EventTable) -> None:
    made = vocabulary(table, Definition())
    finest = quotient(table, made)
    numbers: dict[tuple[int, ...], int] = {}
    for event in np.flatnonzero(~table.rejected):
        valuation = tuple(int(value) for value in made.columns[:, made.after[event]])
        assert finest.state_after[event] == numbers.setdefault(valuation, len(numbers) + 1)
        assert tuple(finest.valuations[:, finest.state_after[event]]) == valuation
    assert finest.states == len(numbers) + 1


@given(tables())
def test_edges_and_ends_count_the_events(table: EventTable) -> None:
    finest = quotient(table, vocabulary(table, Definition()))
    edges = zip(finest.source, finest.symbol, finest.target, finest.count, strict=True)
    counted = {(int(s), table.symbols[f], int(t)): int(c) for s, f, t, c in edges}
    learned = automaton_of(table, finest.state_before, finest.state_after)
    assert counted == {(e.source, e.symbol, e.target): e.count for e in learned.transitions}
    assert finest.ends.sum() == len(words_of(table))


def test_many_predicates_do_not_run_into_each_other() -> None:
    # More predicates than fit into one 63-bit code: 30 variables, each with values of its own.
    draw = np.random.default_rng(3)
    table = EventTable(
        symbols=("f",),
        symbol=np.zeros(500, dtype=np.int64),
        interaction=np.arange(500) // 250,
        rejected=np.zeros(500, dtype=np.bool_),
        variables=tuple(EntityVariable(name=f"v{row}", kind=ValueKind.ENUM) for row in range(30)),
        values=np.repeat(draw.integers(0, 3, (30, 50)), 10, axis=1),
        words=(0, 1, 2),
    )
    made = vocabulary(table, Definition(history=HistoryView.NEVER))
    assert len(made.predicates) > 78
    assert quotient(table, made).states == len(np.unique(table.values, axis=1).T) + 1
