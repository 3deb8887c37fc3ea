"""Whether an account has given allowances, or keeps anything else for others, may be a state of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from specminer import MineOptions
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, IntColumn
from specminer.learning.abstraction_definition import Definition
from specminer.learning.event_table import EntityVariable, EventTable
from specminer.learning.history_folds import Folds
from specminer.learning.nested_entries import with_nested_entries
from specminer.learning.quotient import Quotient
from specminer.learning.tune import tune
from specminer.pipeline.mining import MiningResult
from tests.support.event_tables import table_of
from tests.support.mined import mined, mined_anew

ALLOWANCES = "allowance[·][any]"


@pytest.fixture(scope="module")
def token() -> MiningResult:
    """Mine the token, with states that tell allowances apart."""
    definition = Definition(name="asked", phases=(), fix=("balanceOf[] = 0", ALLOWANCES))
    return mined_anew("token", MineOptions(definition=definition))


def test_states_tell_of_allowances_where_the_definition_asks_for_them(token: MiningResult) -> None:
    names = {state.name for state in token.specification.states}
    assert {"balance > 0, has allowance", "balance = 0, no allowance"} <= names


def test_what_is_told_is_what_was_granted_and_spent(token: MiningResult) -> None:
    """Follow every write to an allowance by hand, and compare behind the last event of each transaction."""
    table, interactions = token.tuning.table, token.interactions
    history, context = token.history, token.analysis.context
    position = [variable.name for variable in table.variables].index(ALLOWANCES)
    (row,) = (
        number
        for number, variable in enumerate(context.locations.variables)
        if variable.text() == "allowance[][]"
    )
    slot = context.accesses.slot[context.accesses.touch]
    written: list[tuple[int, int, int, int]] = []
    for access in np.flatnonzero(history.access_write & ~history.access_undone).tolist():
        number = int(slot[access])
        if context.locations.variable[number] == row:
            owner = context.locations.key_table.word(int(context.locations.keys[number, 0]))
            transaction = int(history.invocation_transaction[history.access_invocation[access]])
            written.append((transaction, owner or 0, number, history.words[history.access_after[access]]))
    checked = 0
    moments = history.invocation_transaction[interactions.invocation]
    goes_on = (table.interaction[1:] == table.interaction[:-1]) & (moments[1:] == moments[:-1])
    for event in np.flatnonzero(~table.rejected & ~np.append(goes_on, False)).tolist():
        owner = interactions.entities[int(table.interaction[event])]
        moment = int(moments[event])
        held: dict[int, int] = {}
        for transaction, keeper, number, value in written:
            if keeper == owner and transaction <= moment:
                held[number] = value
        told = table.words[table.values[position, event]]
        assert told == any(held.values()), event
        checked += told
    assert checked > 100


def test_nobody_asks_and_it_is_no_candidate() -> None:
    run = mined("token")
    assert all(ALLOWANCES not in predicate.text for predicate in run.tuning.vocabulary)
    assert ALLOWANCES in [variable.name for variable in run.tuning.table.variables]


@dataclass(frozen=True)
class Unphased:
    """A table without flags; halves of it agree as ``agreed`` says, by the number of states."""

    events: EventTable
    agreed: dict[int, float]
    names: tuple[str, ...] = ()
    all_required: bool = False

    def table(self, names: tuple[str, ...]) -> EventTable:
        assert not names
        return self.events

    def is_shared(self, name: str) -> bool:
        raise AssertionError(name)

    def agreements(self, table: EventTable, graph: Quotient, blocks: IntColumn, cut: Folds) -> list[float]:
        return [self.agreed.get(len(np.unique(blocks)), 0.5)]


def account_lives(*, telling: bool) -> EventTable:
    """Return accounts that give leave, are drawn from while it lasts, and take it back; or that obey no rule."""
    draw = random.Random(5)
    lives: list[list[tuple[str, Sequence[int]]]] = []
    for _ in range(60):
        given, events = 0, [("open", (0,))]
        for _ in range(10):
            if given and (not telling or draw.random() < 0.7):
                events.append(("draw", (1,)))
            elif not telling and draw.random() < 0.5:
                events.append(("draw", (0,)))
            if draw.random() < 0.4:
                given = 1 - given
                events.append(("allow" if given else "revoke", (given,)))
        lives.append(list(events))
    variable = EntityVariable(name=ALLOWANCES, kind=ValueKind.BOOL, entries=(0, 0))
    return table_of(lives, [variable], [])


def test_it_tells_states_apart_where_that_pays_and_unseen_parts_bear_it_out() -> None:
    table = account_lives(telling=True)
    found = tune(table, Definition(), phased=Unphased(table, {}))
    assert [predicate.text for predicate in found.predicates] == [ALLOWANCES]


def test_it_tells_none_where_halves_of_the_history_disagree() -> None:
    table = account_lives(telling=True)
    plain = tune(replace(table, variables=(replace(table.variables[0], entries=None),)), Definition())
    states = len(plain.states)
    found = tune(table, Definition(), phased=Unphased(table, {states: 0.1, 2: 1.0}))
    assert ALLOWANCES not in [predicate.text for predicate in found.predicates]


def test_an_entry_that_somebody_unseen_changed_is_unknown_from_there_on(token: MiningResult) -> None:
    history, context, interactions = token.history, token.analysis.context, token.interactions
    slot = context.accesses.slot[context.accesses.touch]
    mine = np.array([variable.text() == "allowance[][]" for variable in context.locations.variables])
    rows = np.flatnonzero(mine[context.locations.variable[slot]])
    late = rows[len(rows) // 2]
    before = history.access_before.copy()
    before[late] = history.words.index(max(history.words))
    position = [variable.name for variable in token.tuning.table.variables].index(ALLOWANCES)
    bare = replace(
        token.tuning.table,
        variables=token.tuning.table.variables[:position],
        values=token.tuning.table.values[:position],
    )
    doubted = replace(history, access_before=before)
    functions = [context.calls.functions[row] for row in context.calls.function.tolist()]
    told = with_nested_entries(bare, doubted, context.accesses, context.locations, interactions, functions)
    unknown = told.values[-1] == MISSING
    assert unknown.any()
    assert len(np.unique(told.interaction[unknown])) == 1
