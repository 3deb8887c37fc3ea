"""Real histories, executed again: the end of each transaction is the chain's."""

from __future__ import annotations

import pytest

from specminer.history.trace import Fidelity
from specminer.store import TraceStore
from tests.support.real import AZURE, MAINNET, PRIVATE, RealDatabase


@pytest.mark.parametrize("name", MAINNET)
def test_histories_of_the_main_chain(real_database: RealDatabase, name: str) -> None:
    with TraceStore(str(real_database(name))) as store:
        (contract,) = store.contracts()
        history = store.history(1, [contract.address])
    total = sum(history.fidelity.values())
    assert total == len(history.transaction_hash) > 1_500
    assert 1 - history.fidelity.get(Fidelity.STATUS, 0) / total >= 0.999
    assert history.fidelity.get(Fidelity.EXACT, 0) / total >= 0.999


@pytest.mark.parametrize("name", AZURE)
def test_histories_of_a_private_chain_whose_fork_is_found(real_database: RealDatabase, name: str) -> None:
    with TraceStore(str(real_database(name))) as store:
        contracts = [item.address for item in store.contracts()]
        history = store.history(PRIVATE, contracts)
    assert len(contracts) >= 80
    assert dict(history.fidelity) == {Fidelity.EXACT: len(history.transaction_hash)}
