"""Without a solver the result is the same; what it would have proved is left open, and that is said."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
from hypothesis import given, settings

from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EventTable
from specminer.learning.tune import tune
from specminer.learning.tuning_result import Tuning
from specminer.presentation.abstraction_explanation import explanation
from specminer.specification import AbstractionSummary
from specminer.specification.abstraction_entries import Weights
from tests.support.event_tables import life_cycle, tables
from tests.support.specifications import auction

LOOSE = Definition(weights=Weights(predicates=0.05, transitions=0.05))


MODULES = ("specminer.predicate.smt", "specminer.learning.description", "specminer.learning.tune")


def uninstall(patch: pytest.MonkeyPatch) -> None:
    """Make specminer find no solver."""
    for module in MODULES:
        patch.setattr(importlib.import_module(module), "solver_name", lambda: None)


@pytest.fixture
def no_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    uninstall(monkeypatch)


def without_proofs(tuning: Tuning) -> list[object]:
    """Return the front without what only a solver can tell."""
    return [
        (
            point.states,
            point.metrics,
            point.merged_states,
            point.definition,
            [replace(item, equivalent=()) for item in point.predicates],
        )
        for point in tuning.front
    ]


TUNED = tune(life_cycle(), Definition())


def test_the_life_cycle_is_the_same(no_solver: None) -> None:
    again = tune(life_cycle(), Definition())
    assert again.solver is None
    assert without_proofs(again) == without_proofs(TUNED)
    assert (again.state_after == TUNED.state_after).all()
    assert all(item.equivalent == () for item in again.predicates)


@settings(max_examples=20)
@given(tables())
def test_any_table_gives_the_same(table: EventTable) -> None:
    proved = tune(table, LOOSE)
    with pytest.MonkeyPatch.context() as patch:
        uninstall(patch)
        assert without_proofs(tune(table, LOOSE)) == without_proofs(proved)


def test_what_is_missing_is_said() -> None:
    told = explanation(replace(auction(), abstraction=AbstractionSummary(preset="balanced")))
    assert "No solver is installed" in told
    assert "specminer[smt]" in " ".join(told.split())
