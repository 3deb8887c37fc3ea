"""Several contracts mined together: each is one interaction, as if it were mined alone."""

from __future__ import annotations

import numpy as np
import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.decoding import summarize_accesses
from specminer.decoding.slot_resolution import locate
from specminer.history.contract_history import MISSING, History
from specminer.interaction import Interactions, Mode
from specminer.learning.event_table import EventTable
from specminer.learning.table_building import build
from specminer.store import TraceStore
from tests.support.divisions import divided
from tests.support.histories import CHAIN, CONTRACTS, Simulated, part_of, record_of, simulate, simulations
from tests.support.recordings import database


def tabled(history: History, mode: Mode | None) -> tuple[Interactions, EventTable]:
    touched, locations = summarize_accesses(history), locate(history)
    interactions = divided(history, mode, reading=False)
    names = [data[:4].hex() for data in history.invocation_data]
    return interactions, build(history, touched, locations, interactions, names)


Told = dict[str, list[tuple[str, dict[str, int | None]]]]


def told(history: History, mode: Mode | None, variables: set[str]) -> Told:
    """Return each interaction's events by its name, with the values of variables that the history has."""
    interactions, table = tabled(history, mode)
    result: Told = {name: [] for name in interactions.names}
    for event in range(len(table)):
        values = {
            variable.name: None if value == MISSING else table.words[value]
            for variable, value in zip(table.variables, table.values[:, event], strict=True)
            if variable.name in variables
        }
        name = interactions.names[table.interaction[event]]
        result[name].append((table.symbols[table.symbol[event]], values))
    return result


def names_of(history: History, mode: Mode) -> set[str]:
    return {variable.name for variable in tabled(history, mode)[1].variables}


@settings(max_examples=60)
@given(simulations(max_size=15, contracts=2), st.booleans())
def test_each_contract_is_told_as_if_it_were_alone(simulated: Simulated, alone: bool) -> None:
    with database(simulated.transactions, alone=alone) as store:
        together = store.history(CHAIN, CONTRACTS)
        for contract in CONTRACTS:
            single = store.history(CHAIN, [contract])
            known = names_of(single, Mode.WHOLE)
            expected = told(single, Mode.WHOLE, known)["all"]
            name = to_checksum_address(contract)
            for mode in (None, Mode.INSTANCE):
                assert told(together, mode, known).get(name, []) == expected


@settings(max_examples=60)
@given(simulations(max_size=15, contracts=2), st.booleans())
def test_each_account_is_told_as_if_its_contract_were_alone(simulated: Simulated, alone: bool) -> None:
    with database(simulated.transactions, alone=alone) as store:
        together = store.history(CHAIN, CONTRACTS)
        found = told(together, Mode.SENDER, names_of(together, Mode.SENDER))
        assert all(" at " in name for name in found)
        for contract in CONTRACTS:
            single = store.history(CHAIN, [contract])
            known = names_of(single, Mode.SENDER)
            here = f" at {to_checksum_address(contract)}"
            expected = told(single, Mode.SENDER, known)
            shown = told(together, Mode.SENDER, known)
            assert {f"{name}{here}": events for name, events in expected.items()} == {
                name: events for name, events in shown.items() if name.endswith(here)
            }


@settings(max_examples=30)
@given(simulations(max_size=12, contracts=2))
def test_interactions_stand_in_the_order_of_the_contracts(simulated: Simulated) -> None:
    with database(simulated.transactions, alone=True) as store:
        history = store.history(CHAIN, CONTRACTS)
    interactions, _ = tabled(history, None)
    assert interactions.mode is Mode.INSTANCE
    active = np.unique(history.invocation_contract[interactions.invocation]).tolist()
    assert interactions.names == tuple(to_checksum_address(CONTRACTS[contract]) for contract in active)
    assert interactions.entities == (None,) * len(active)
    assert np.all(np.diff(interactions.slice) >= 0)
    assert set(interactions.slice.tolist()) == set(range(len(active)))


def test_where_a_creation_is_missing_values_begin_unknown_elsewhere_with_zero() -> None:
    simulated = simulate(3, 14, contracts=CONTRACTS)
    whole, cut = (part_of(simulated.transactions, contract) for contract in CONTRACTS)
    last = simulated.transactions[-1].block.number
    with TraceStore("sqlite://") as store:
        store.add_history(record_of(CONTRACTS[0]), whole, complete=(10, last))
        store.add_history(record_of(CONTRACTS[1]), cut[1:], complete=(11, last))
        history = store.history(CHAIN, CONTRACTS)
        alone = store.history(CHAIN, CONTRACTS[1:])
    interactions, table = tabled(history, None)
    assert interactions.names == tuple(to_checksum_address(contract) for contract in CONTRACTS)
    assert not np.any(table.values[:, table.interaction == 0] == MISSING)
    known = names_of(alone, Mode.WHOLE)
    single = told(alone, Mode.WHOLE, known)["all"]
    assert any(single[0][1].values()), "its first event finds what the missing ones left"
    assert told(history, None, known)[interactions.names[1]] == single


@pytest.mark.parametrize("mode", [None, Mode.INSTANCE, Mode.WHOLE, Mode.SENDER])
def test_no_events_no_interactions(mode: Mode | None) -> None:
    with database([], alone=False) as store:
        history = store.history(CHAIN, CONTRACTS)
    interactions, table = tabled(history, mode)
    assert len(table) == 0
    assert interactions.names == (("all",) if mode is Mode.WHOLE else ())


def test_one_contract_may_be_split_by_instance_too() -> None:
    with database(simulate(4, 10).transactions, alone=False) as store:
        history = store.history(CHAIN, CONTRACTS[:1])
    known = names_of(history, Mode.WHOLE)
    one = told(history, Mode.INSTANCE, known)
    assert one == {to_checksum_address(CONTRACTS[0]): told(history, Mode.WHOLE, known)["all"]}
    assert "as asked" in tabled(history, Mode.INSTANCE)[0].explanation
