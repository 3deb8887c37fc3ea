"""A call that does not decide upon what tells states apart is no evidence against telling them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.history_folds import folds, held_out_acceptance
from specminer.learning.quotient import quotient
from specminer.learning.unaffected import similar_steps
from specminer.learning.vocabulary import vocabulary
from specminer.specification.abstraction_entries import Tier
from tests.support.event_tables import table_of

VARIABLES = [
    EntityVariable(name="paid", kind=ValueKind.BOOL, storage_field=(0, 0)),
    EntityVariable(name="banned", kind=ValueKind.BOOL, storage_field=(1, 0)),
]
LIVES = 20
NOTHING: Mapping[str, frozenset[str]] = {}


def subscriptions(
    *, accessed: Mapping[str, frozenset[str]] = NOTHING, decided: Mapping[str, frozenset[str]] = NOTHING
) -> EventTable:
    """Return subscriptions, all paid in the end; one is banned then, the others before."""
    usual = [("join", (0, 0)), ("ban", (0, 1)), ("pardon", (0, 0)), ("pay", (1, 0))]
    late = [("join", (0, 0)), ("pay", (1, 0)), ("ban", (1, 1)), ("pardon", (1, 0))]
    return replace(
        table_of([*[usual] * (LIVES - 1), late], VARIABLES),
        accessed_variables=accessed,
        decided_variables=decided,
    )


def accepted(table: EventTable) -> float:
    """Return the share of lives that other parts accept, by steps that are alike as well."""
    candidates = vocabulary(table, Definition()).only(Tier.STORAGE)
    graph = quotient(table, candidates)
    selection = tuple(range(len(candidates.predicates)))
    alike = similar_steps(table, candidates, graph, selection)
    return held_out_acceptance(graph, folds(graph, 0), graph.coarsen(selection), alike=alike)


def test_where_nothing_is_known_of_the_code_steps_are_alike_in_one_state_alone() -> None:
    assert accepted(subscriptions()) == pytest.approx(1 - 1 / LIVES)


def test_a_call_does_alike_in_states_that_its_code_does_not_look_at() -> None:
    own = frozenset({"banned"})
    assert accepted(subscriptions(accessed={"ban": own, "pardon": own})) == pytest.approx(1.0)


def test_what_a_call_accesses_without_deciding_upon_it_tells_where_it_leads() -> None:
    both = frozenset({"banned", "paid"})
    calls = dict.fromkeys(("ban", "pardon"), both)
    decided = dict.fromkeys(("ban", "pardon"), frozenset({"banned"}))
    assert accepted(subscriptions(accessed=calls, decided=decided)) == pytest.approx(1 - 1 / LIVES)
    assert accepted(subscriptions(accessed=calls, decided=calls)) == pytest.approx(1 - 1 / LIVES)


def test_what_a_call_resets_leads_to_one_state_from_wherever_it_comes() -> None:
    """As a listing that is deleted: the code never asks whether it had been paid."""
    usual = [("list", (0, 1)), ("cancel", (0, 0))]
    late = [("list", (0, 1)), ("pay", (1, 1)), ("cancel", (0, 0))]
    paid = [("list", (0, 1)), ("pay", (1, 1))]
    table = table_of([*[usual] * 12, late, *[paid] * 7], VARIABLES)
    both = frozenset({"banned", "paid"})
    assert accepted(replace(table, accessed_variables={"cancel": both})) == pytest.approx(1 - 1 / LIVES)
    known = replace(
        table, accessed_variables={"cancel": both}, decided_variables={"cancel": frozenset({"banned"})}
    )
    assert accepted(known) == pytest.approx(1.0)
