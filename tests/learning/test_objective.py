"""The objective: one value worked out by hand, and the same from the quotient as from the events."""

from __future__ import annotations

from collections import Counter
from math import inf, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.history.contract_history import IntColumn
from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.metric import METRICS, Direction, Finalist, Metric, MetricError, registry
from specminer.learning.vocabulary import Predicate, TruthColumn, Vocabulary
from specminer.learning.vocabulary import vocabulary as vocabulary_of
from specminer.specification.abstraction_entries import HistoryView, Weights
from tests.support.event_tables import measured, objective_of, table_of, tables


def test_by_hand() -> None:
    # start --a--> off (3), off --b--> on (2), off --a--> off (1), on --a--> off (1).
    # Interactions: a b a | a a | a b. Ends: off, off, on; both have successors.
    flag = EntityVariable(name="on", kind=ValueKind.BOOL)
    interactions = [
        [("a", (0,)), ("b", (1,)), ("a", (0,))],
        [("a", (0,)), ("a", (0,))],
        [("a", (0,)), ("b", (1,))],
    ]
    table = table_of(interactions, [flag])
    made = vocabulary_of(table, Definition(history=HistoryView.NEVER))
    assert [p.text for p in made.predicates] == ["on"]
    found = measured(table, made, (0,))
    label = 1 * -log2(1 / 3) + 2 * -log2(2 / 3)
    end = -3 * log2(3 / 7) - 4 * log2(4 / 7)
    assert found["states"] == 3
    assert found["transitions"] == 4
    assert found["nondeterminism"] == 0
    assert found["label_bits"] == pytest.approx(label)
    assert found["successor_bits"] == pytest.approx(0)
    assert found["end_bits"] == pytest.approx(end)
    assert found["description_length"] == pytest.approx(label + end + log2(7) / 4 * 4)


@given(tables(), st.data())
def test_the_quotient_costs_what_the_events_cost(table: EventTable, data: st.DataObject) -> None:
    made = vocabulary_of(table, Definition())
    weights = Weights(label=1.5, successor=0.5, end=2.0, transitions=0.3, predicates=1.25)
    objective = objective_of(table, made, weights)
    chosen = [position for position in range(len(made.predicates)) if data.draw(st.booleans())]
    expected = naive(table, made.columns[chosen], made.after, weights)
    expected += weights.predicates * code_length([made.predicates[position] for position in chosen], made)
    assert objective.score(chosen).description_length == pytest.approx(expected, abs=1e-6)


def code_length(chosen: list[Predicate], made: Vocabulary) -> float:
    """Return the bits to name predicates, each variable once, from their texts."""
    variables = {p.text: p.text.split(" = ")[0] for p in made.predicates if is_value(p)}
    units = len(set(variables.values())) + sum(not is_value(p) for p in made.predicates)
    bits = sum(p.price * log2(units) for p in chosen if not is_value(p))
    for name in {variables[p.text] for p in chosen if is_value(p)}:
        values = list(variables.values()).count(name)
        taken = sum(variables.get(p.text) == name for p in chosen)
        price = 2.0 if name == "last" else 1.0
        bits += price * (log2(units) + (values > 2))
        if values <= 2 or taken < values - 1:
            bits += price * taken * log2(values)
    return bits


def is_value(predicate: Predicate) -> bool:
    """Whether it compares a variable with a constant."""
    return bool(predicate.formula.is_equals() and predicate.formula.arg(1).is_int_constant())


def naive(table: EventTable, columns: TruthColumn, after: IntColumn, weights: Weights) -> float:
    """Return J without its predicates' price, straight from the definition, event by event."""
    edges: list[tuple[str, int, str]] = []
    ends: list[str] = []
    for event in range(len(table)):
        first = event == 0 or table.interaction[event] != table.interaction[event - 1]
        source = "root" if first else edges[-1][2]
        target = "root" if after[event] < 0 else str(columns[:, after[event]].tolist())
        if first and event:
            ends.append(edges[-1][2])
        edges.append((source, int(table.symbol[event]), target))
    ends += [edges[-1][2]] if edges else []
    leaving, labels, full = (Counter(e[:size] for e in edges) for size in (1, 2, 3))
    label = sum(-log2(labels[e[:2]] / leaving[e[:1]]) for e in edges)
    successor = sum(-log2(full[e] / labels[e[:2]]) for e in edges)
    steps = [e for e, rejected in zip(edges, table.rejected.tolist(), strict=True) if not rejected]
    stops = sum(any(e[0] == end for e in steps) for end in ends)
    goes_on = sum(e[0] != "root" for e in steps)
    p = stops / max(1, stops + goes_on)
    end_bits = -(stops * log2(p) if stops else 0) - (goes_on * log2(1 - p) if goes_on else 0)
    return (
        weights.label * label
        + weights.successor * successor
        + weights.end * end_bits
        + weights.transitions * log2(max(1, len(edges))) * len(full)
    )


def zero(finalist: Finalist) -> float:
    """Measure nothing."""
    return 0.0


def test_a_metric_without_its_facts_is_refused() -> None:
    def metric(name: str = "m", unit: str = "bits", source: str = "us", low: float = 0.0) -> Metric:
        return Metric(
            name=name, low=low, high=inf, better=Direction.LOWER, unit=unit, source=source, measure=zero
        )

    with pytest.raises(MetricError, match="name"):
        metric(name="")
    with pytest.raises(MetricError, match="unit"):
        metric(unit=" ")
    with pytest.raises(MetricError, match="source"):
        metric(source="")
    with pytest.raises(MetricError, match="range"):
        metric(low=inf)
    with pytest.raises(MetricError, match="twice"):
        registry([metric(), metric()])


@given(tables())
def test_metrics_stay_in_their_range(table: EventTable) -> None:
    made = vocabulary_of(table, Definition())
    for selection in ((), tuple(range(len(made.predicates)))):
        for name, value in measured(table, made, selection).items():
            assert METRICS[name].low - 1e-6 <= value <= METRICS[name].high
