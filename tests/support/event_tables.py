"""Tables of events for tests: drawn at random, and one with a life cycle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from specminer.automaton import Automaton, Transition
from specminer.history.contract_history import IntColumn
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.history_folds import folds
from specminer.learning.metric import Finalist, measure
from specminer.learning.objective import Objective
from specminer.learning.quotient import quotient
from specminer.learning.vocabulary import Vocabulary
from specminer.specification.abstraction_entries import Weights

WORDS = (7, 0, (1 << 256) - 1, 1, 2, 1 << 255, 1 << 100)


def table_of(
    interactions: Sequence[Sequence[tuple[str, Sequence[int]]]],
    variables: Sequence[EntityVariable],
    rejected: Sequence[str] = (),
) -> EventTable:
    """Build a table from the events of each interaction: (symbol, word of each variable; -1 unknown)."""
    events = [(number, *event) for number, events in enumerate(interactions) for event in events]
    symbols = tuple(sorted({symbol for _, symbol, _ in events}))
    words = tuple(sorted({word for _, _, values in events for word in values if word >= 0}))
    row = {word: position for position, word in enumerate(words)} | {-1: -1}
    values = np.array([[row[word] for word in values] for _, _, values in events], dtype=np.int64)
    return EventTable(
        symbols=symbols,
        symbol=np.array([symbols.index(symbol) for _, symbol, _ in events], dtype=np.int64),
        interaction=np.array([number for number, _, _ in events], dtype=np.int64),
        rejected=np.array([symbol in rejected for _, symbol, _ in events], dtype=np.bool_),
        variables=tuple(variables),
        values=values.reshape(len(events), len(variables)).T,
        words=words,
    )


@st.composite
def tables(draw: st.DrawFn) -> EventTable:
    """Up to 5 interactions of up to 6 events over up to 4 variables; some values unknown, calls rejected."""
    kinds = draw(st.lists(st.sampled_from(ValueKind), max_size=4))
    lengths = draw(st.lists(st.integers(1, 6), max_size=5))
    n = sum(lengths)
    rejected = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    interaction = np.repeat(np.arange(len(lengths)), lengths)
    values = np.array(
        [draw(st.lists(st.integers(-1, len(WORDS) - 1), min_size=n, max_size=n)) for _ in kinds],
        dtype=np.int64,
    ).reshape(len(kinds), n)
    for event in range(1, n):
        if rejected[event] and interaction[event] == interaction[event - 1]:
            values[:, event] = values[:, event - 1]
    symbol = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return EventTable(
        symbols=("f", "g", "h", "f (rejected)", "g (rejected)", "h (rejected)"),
        symbol=np.array(symbol, dtype=np.int64) + 3 * np.array(rejected, dtype=np.int64),
        interaction=interaction.astype(np.int64),
        rejected=np.array(rejected, dtype=np.bool_),
        variables=tuple(EntityVariable(name=f"v{row}", kind=kind) for row, kind in enumerate(kinds)),
        values=values,
        words=WORDS,
        accepted_as=(0, 1, 2, 0, 1, 2),
    )


def objective_of(table: EventTable, made: Vocabulary, weights: Weights) -> Objective:
    """Return the objective over a whole vocabulary."""
    return Objective(quotient(table, made), made, weights)


def measured(table: EventTable, made: Vocabulary, selection: Sequence[int]) -> dict[str, float]:
    """Return all metrics of the automaton that a selection makes."""
    objective = objective_of(table, made, Weights())
    graph = objective.quotient
    symbols = max(1, len(table.symbols))
    refused = np.zeros(symbols, dtype=np.bool_)
    refused[table.symbol[table.rejected]] = True
    return measure(
        Finalist(
            counts=objective.counts(tuple(selection)),
            graph=graph,
            blocks=graph.coarsen(selection),
            folds=folds(graph, 0),
            rejected=refused,
            accepted_as=np.array(table.accepted_as or range(symbols), dtype=np.int64),
            literals=float(len(selection)),
        )
    )


def life_cycle() -> EventTable:
    """Auctions that are Open, then Bidding, then Closed, beside a counter that grows with every event."""
    draw = np.random.default_rng(1)
    counter = 0
    interactions = []
    for _ in range(60):
        events: list[tuple[str, tuple[int, int]]] = []
        bids = int(draw.integers(1, 6))
        for symbol, phase in [("create", 0), *[("bid", 1)] * bids, ("close", 2), ("withdraw", 2)]:
            counter += 1
            events.append((symbol, (phase, counter)))
            if symbol == "close" and draw.random() < 0.5:
                events.append(("bid (rejected)", (phase, counter)))
        interactions.append(events)
    phases = EntityVariable(name="phase", kind=ValueKind.ENUM, members=("Open", "Bidding", "Closed"))
    noise = EntityVariable(name="counter", kind=ValueKind.UINT)
    return table_of(interactions, (phases, noise), rejected=("bid (rejected)",))


def words_of(table: EventTable) -> list[list[str]]:
    """Return the symbols of each interaction."""
    count = int(table.interaction.max(initial=-1)) + 1
    result: list[list[str]] = [[] for _ in range(count)]
    for number, symbol in zip(table.interaction, table.symbol, strict=True):
        result[number].append(table.symbols[symbol])
    return result


def automaton_of(table: EventTable, before: IntColumn, after: IntColumn) -> Automaton:
    """Return the automaton whose edges are the events."""
    counts: dict[tuple[int, str, int], int] = {}
    for source, symbol, target in zip(before, table.symbol, after, strict=True):
        key = (int(source), table.symbols[symbol], int(target))
        counts[key] = counts.get(key, 0) + 1
    return Automaton(
        states=frozenset({0, *(int(state) for state in before), *(int(state) for state in after)}),
        transitions=tuple(
            Transition(source=source, symbol=symbol, target=target, count=count)
            for (source, symbol, target), count in sorted(counts.items())
        ),
        initial_state=0,
    )
