"""The benchmark's histories that are cut short: each contract keeps the beginning of its life."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.azure import cut_short
from specminer.history.contract_history import MISSING
from tests.support.histories import CHAIN, CONTRACTS, Simulated, simulations
from tests.support.recordings import database


@settings(max_examples=25)
@given(simulations(), st.integers(0, 9))
def test_each_contract_keeps_the_beginning_of_its_life(simulated: Simulated, seed: int) -> None:
    with database(simulated.transactions, alone=False) as store:
        whole = store.history(CHAIN, list(CONTRACTS))
    cut = cut_short(whole, seed)
    for contract in range(len(CONTRACTS)):
        before = [
            whole.invocation_data[row]
            for row in np.flatnonzero(whole.invocation_contract == contract).tolist()
        ]
        after = [
            cut.invocation_data[row] for row in np.flatnonzero(cut.invocation_contract == contract).tolist()
        ]
        assert after == before[: len(after)]
        assert bool(after) == bool(before)
    assert np.array_equal(cut_short(whole, seed).invocation_transaction, cut.invocation_transaction)


@settings(max_examples=25)
@given(simulations(), st.integers(0, 9))
def test_accesses_and_callers_are_those_of_the_invocations_kept(simulated: Simulated, seed: int) -> None:
    with database(simulated.transactions, alone=False) as store:
        whole = store.history(CHAIN, list(CONTRACTS))
    cut = cut_short(whole, seed)
    names = ("invocation_transaction", "invocation_position")
    place = {tuple(int(getattr(whole, name)[row]) for name in names): row for row in range(len(whole))}
    for row in range(len(cut)):
        old = place[tuple(int(getattr(cut, name)[row]) for name in names)]
        own = cut.access_slot[cut.access_invocation == row]
        assert np.array_equal(own, whole.access_slot[whole.access_invocation == old])
        parent, before = cut.invocation_parent[row], whole.invocation_parent[old]
        assert (parent == MISSING) == (before == MISSING)
        if parent != MISSING:
            assert cut.invocation_data[parent] == whole.invocation_data[before]
