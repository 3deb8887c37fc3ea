"""The table of events says what was in storage after each event: nothing else, and nothing later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.decoding import summarize_accesses
from specminer.decoding.slot_resolution import locate
from specminer.decoding.storage_layout import Layout
from specminer.history.contract_history import MISSING, History
from specminer.history.trace import Tracer
from specminer.interaction import Interactions, Mode
from specminer.learning.event_table import EventTable
from specminer.learning.table_building import build, symbol_of
from tests.support.divisions import divided, history_of
from tests.support.histories import (
    ACCOUNTS,
    CHAIN,
    CONTRACTS,
    Simulated,
    balance_slot,
    simulate,
    simulations,
    stored,
)
from tests.support.layouts import NAMED, layout_of
from tests.support.step_histories import made


def table_of(
    history: History,
    interactions: Interactions,
    layout: Layout | None = None,
    functions: list[str] | None = None,
) -> EventTable:
    names = functions or ["f" if not data else data[:4].hex() for data in history.invocation_data]
    return build(history, summarize_accesses(history), locate(history, layout), interactions, names)


def shown(table: EventTable, variable: str) -> list[int | None]:
    """Return a variable's value after each event."""
    names = [item.name for item in table.variables]
    row = table.values[names.index(variable)]
    return [None if value == MISSING else table.words[value] for value in row]


def expected(
    simulated: Simulated, history: History, split: Interactions, slot: int | None
) -> list[int | None]:
    """Return a slot's value after each event; ``None`` as the slot: the account's own entry."""
    touched = set(np.asarray(history.access_slot).tolist())
    seen = {history.words[row] for row in touched}
    created = bool(simulated.transactions) and not simulated.initial[CONTRACTS[0]]
    initial = simulated.initial[CONTRACTS[0]]
    result: list[int | None] = []
    before: dict[int, int | None] = {}
    following: dict[tuple[int, int], dict[int, int]] = {}
    storage: list[dict[int, int]] = []
    accepts = history.accepted[split.invocation] | split.passive
    for row, number, lasts in reversed(list(zip(split.invocation, split.slice, accepts, strict=True))):
        transaction = int(history.invocation_transaction[row])
        storage.append(following.get((number, transaction), simulated.left[row]))
        if lasts:
            following[number, transaction] = simulated.found[row]
    storage.reverse()
    for place, (row, number, passive) in enumerate(
        zip(split.invocation, split.slice, split.passive, strict=True)
    ):
        own = slot
        if own is None:
            entity = split.entities[number]
            assert entity is not None
            own = next(balance_slot(item) for item in ACCOUNTS if int.from_bytes(item, "big") == entity)
        known = created or own in seen
        start: int | None = initial.get(own, 0) if known else None
        accepted = bool(history.accepted[row]) or bool(passive)
        value = storage[place].get(own, 0) if known else None
        before[number] = value if accepted else before.get(number, start)
        result.append(before[number])
    return result


@settings(max_examples=60)
@given(simulations(max_size=15))
def test_values_are_those_that_the_next_event_finds(simulated: Simulated) -> None:
    history = history_of(simulated)
    whole = divided(history, Mode.WHOLE)
    table = table_of(history, whole)
    for variable in table.variables:
        slot = int(variable.name.removeprefix("slot"))
        assert shown(table, variable.name) == expected(simulated, history, whole, slot)
    by_sender = divided(history, Mode.SENDER)
    table = table_of(history, by_sender, NAMED)
    assert {item.name for item in table.variables} <= {"balances[sender]"}
    for variable in table.variables:
        assert shown(table, variable.name) == expected(simulated, history, by_sender, None)


@settings(max_examples=30)
@given(simulations(), st.sampled_from([Mode.WHOLE, Mode.SENDER]))
def test_rejected_events_change_no_value(simulated: Simulated, mode: Mode) -> None:
    history = history_of(simulated)
    interactions = divided(history, mode)
    table = table_of(history, interactions)
    accepted = history.accepted[interactions.invocation]
    assert np.array_equal(table.rejected, ~accepted & ~interactions.passive)
    for event in np.flatnonzero(table.rejected):
        if event and table.interaction[event] == table.interaction[event - 1]:
            assert np.array_equal(table.values[:, event], table.values[:, event - 1])


@settings(max_examples=30)
@given(simulations(), st.sampled_from([Mode.WHOLE, Mode.SENDER]))
def test_values_do_not_depend_on_rejected_events(simulated: Simulated, mode: Mode) -> None:
    history = history_of(simulated)
    interactions = divided(history, mode)
    full = table_of(history, interactions)
    keep = ~full.rejected
    cut = replace(
        interactions,
        slice=interactions.slice[keep],
        invocation=interactions.invocation[keep],
        passive=interactions.passive[keep],
        role=interactions.role[keep],
    )
    part = table_of(history, cut)
    assert part.variables == full.variables
    for variable in full.variables:
        kept = [value for value, stays in zip(shown(full, variable.name), keep, strict=True) if stays]
        assert shown(part, variable.name) == kept


@settings(max_examples=20)
@given(simulations(tracers=tuple(Tracer)), st.sampled_from([Mode.WHOLE, Mode.SENDER]))
def test_names_change_nothing_but_names(simulated: Simulated, mode: Mode) -> None:
    history = history_of(simulated)
    one = table_of(history, divided(history, mode, NAMED), NAMED)
    hostile = layout_of("x", "x", "balances[sender]", "", "balances")
    other = table_of(history, divided(history, mode, hostile), hostile)
    assert np.array_equal(one.values, other.values)
    assert one.words == other.words
    assert (one.symbols, one.symbol.tolist()) == (other.symbols, other.symbol.tolist())
    assert len({item.name for item in other.variables}) == len(other.variables)


@settings(max_examples=20)
@given(simulations(tracers=tuple(Tracer)))
def test_symbols_tell_rejected_and_passive_events_apart(simulated: Simulated) -> None:
    history = history_of(simulated)
    interactions = divided(history, Mode.SENDER)
    functions = [("f", "f (rejected)", "side effect of f")[row % 3] for row in range(len(history))]
    table = table_of(history, interactions, functions=functions)
    assert list(table.symbols) == sorted(set(table.symbols))
    meanings: dict[int, tuple[str, bool, bool]] = {}
    for event, row in enumerate(interactions.invocation):
        meaning = (functions[row], bool(table.rejected[event]), bool(interactions.passive[event]))
        assert meanings.setdefault(int(table.symbol[event]), meaning) == meaning
    assert len(set(meanings.values())) == len(meanings) == len(table.symbols)


def test_symbols_read_well() -> None:
    assert symbol_of("bid", rejected=False, passive=False) == "bid"
    assert symbol_of("bid", rejected=True, passive=False) == "bid (rejected)"
    assert symbol_of("bid", rejected=False, passive=True) == "side effect of bid"
    assert symbol_of("send", "_to", rejected=False, passive=False) == "send as _to"
    assert symbol_of("send", "_to", rejected=True, passive=False) == "send as _to (rejected)"


def test_unknown_before_the_first_access_only_without_the_creation() -> None:
    late = made([(0, "r", 1, 4, 4)], [(0, "w", 2, 7, 8)], [(0, "w", 1, 4, 5)])
    table = table_of(late, divided(late, Mode.WHOLE))
    assert shown(table, "slot1") == [4, 4, 5]
    assert shown(table, "slot2") == [7, 8, 8]
    late.access_before[late.access_slot == late.access_slot[1]] = MISSING
    table = table_of(late, divided(late, Mode.WHOLE))
    assert shown(table, "slot2") == [None, 8, 8]
    created = simulate(4, 10)
    history = history_of(created)
    table = table_of(history, divided(history, Mode.WHOLE))
    assert not np.any(table.values == MISSING)


def test_an_undone_write_that_was_read_leaves_no_trace() -> None:
    history = made(
        [(0, "u", 1, 3, 9), (0, "r", 1, 9, 9), (1, "r", 1, 9, 9)], [(0, "r", 2, 0, 0)], parents=(None, 0)
    )
    table = table_of(history, divided(history, Mode.WHOLE))
    assert shown(table, "slot1") == [3, 3, 3]


def test_a_call_inside_another_finds_what_was_written_so_far() -> None:
    history = made([(0, "w", 1, 0, 1), (1, "r", 1, 1, 1), (0, "w", 1, 1, 2)])
    whole = divided(history, Mode.WHOLE)
    assert whole.invocation.tolist() == [0, 1]
    assert shown(table_of(history, whole), "slot1") == [1, 2]


def test_a_call_without_accesses_keeps_the_values_of_the_one_before() -> None:
    history = made([(0, "w", 1, 0, 1)], [(0, "w", 1, 1, 2), (2, "w", 1, 2, 3)], parents=(None, None, None))
    assert len(history) == 4  # the second call of the second transaction accesses nothing
    assert shown(table_of(history, divided(history, Mode.WHOLE)), "slot1") == [1, 2, 2, 3]


def test_equal_slots_of_two_contracts_are_two_variables() -> None:
    history = made([(0, "w", 1, 0, 5), (1, "w", 1, 0, 6)], parents=(None, None), contracts=CONTRACTS)
    table = table_of(history, divided(history, Mode.WHOLE))
    assert [item.name for item in table.variables] == ["slot1", "slot1 #2"]
    assert shown(table, "slot1") == [5, 5]


def test_an_empty_history_gives_an_empty_table() -> None:
    with stored([]) as store:
        history = store.history(CHAIN, [CONTRACTS[0]])
    for mode in (Mode.WHOLE, Mode.SENDER, None):
        table = table_of(history, divided(history, mode))
        assert len(table) == 0
        assert table.values.shape == (0, 0)


def test_an_account_is_named_by_its_checksum() -> None:
    history = history_of(simulate(4, 10))
    names = divided(history, Mode.SENDER).names
    assert set(names) <= {to_checksum_address(account) for account in ACCOUNTS}


def test_a_value_is_known_up_to_the_last_call_that_found_it_and_unknown_until_one_finds_another() -> None:
    """Somebody unseen wrote in between: nothing tells when, so neither value is claimed there."""
    history = made(
        [(0, "w", 1, 0, 5)],
        [(0, "w", 2, 0, 1)],
        [(0, "r", 1, 5, 5)],
        [(0, "w", 2, 1, 2)],
        [(0, "r", 1, 7, 7)],
    )
    table = table_of(history, divided(history, Mode.WHOLE))
    assert shown(table, "slot1") == [5, 5, None, None, 7]
    assert shown(table, "slot2") == [0, 1, 1, 2, 2]
