"""The stages of mining: each fills in its own fields of one immutable value, in the order in which they stand."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import numpy as np
import pytest

from specminer.history.contract_history import History
from specminer.pipeline import MineOptions, import_traces, mine
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import STAGES
from specminer.pipeline.state import Mining
from specminer.specification import encode_specification
from specminer.store import TraceStore

CHANGED = {("choose_abstraction", "interactions")}
"""What a stage may change though another one filled it in."""


@cache
def history() -> History:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset("escrow").traces)
        return store.history(record.chain_id, [record.address])


def start() -> Mining:
    return Mining(history=history(), options=MineOptions())


@cache
def states() -> tuple[Mining, ...]:
    """Return what is known before the first stage, and after each."""
    known = [start()]
    for stage in STAGES:
        known.append(stage(known[-1]))
    return tuple(known)


def values(mining: Mining) -> dict[str, object]:
    return {field.name: getattr(mining, field.name) for field in fields(mining)}


def test_each_stage_fills_in_the_fields_that_name_it_and_leaves_the_others() -> None:
    for stage, before, after in zip(STAGES, states()[:-1], states()[1:], strict=True):
        own = {
            field.name for field in fields(Mining) if f"the stage {stage.__name__} has" in told(field.name)
        }
        changed = {name for name, value in values(after).items() if value is not values(before)[name]}
        assert own
        assert own <= changed <= own | {name for other, name in CHANGED if other == stage.__name__}


def told(name: str) -> str:
    """Return what a field says that is asked for before its stage ran; nothing of what mining begins with."""
    try:
        getattr(start(), name).anything  # noqa: B018
    except AttributeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("position", range(1, len(STAGES)), ids=[stage.__name__ for stage in STAGES[1:]])
def test_a_stage_that_runs_too_early_says_which_is_missing(position: int) -> None:
    with pytest.raises(AttributeError, match=r"the stage \w+ has yet to run"):
        STAGES[position](start())


def test_the_stages_make_what_mine_makes() -> None:
    mined = mine(history(), MineOptions())
    assert encode_specification(states()[-1].specification) == encode_specification(mined.specification)


def test_columns_of_the_context_are_computed_once() -> None:
    context = states()[1].context
    for name in ("is_event", "is_call", "is_accepted", "is_rejected", "is_constructor", "word_limbs"):
        assert getattr(context, name) is getattr(context, name)
    events, calls = context.is_event, context.is_call
    assert not np.any(calls & ~events)
    assert not np.any(context.is_accepted & context.is_rejected)
    assert not np.any((context.is_accepted | context.is_rejected) & ~calls)
    words = [int.from_bytes(row.astype(">u8").tobytes(), "big") for row in context.word_limbs]
    assert words == list(context.history.words)


def test_lasting_accesses_stand_by_variable_then_in_their_order() -> None:
    context = states()[1].context
    rows = context.lasting_accesses
    assert len(rows)
    assert context.history.accepted[context.accesses.invocation[rows]].all()
    variable = context.locations.variable[context.accesses.slot[rows]]
    assert np.all(np.diff(variable) >= 0)
    assert np.all(np.diff(rows)[np.diff(variable) == 0] > 0)
