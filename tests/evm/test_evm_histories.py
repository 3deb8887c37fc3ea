"""The engine executes real histories again: as the chain says, and as the specification does."""

from __future__ import annotations

import pytest

from specminer.replay.records import call_of, surroundings
from specminer.replay.reference_machine import Machine
from tests.support.engine import results
from tests.support.real import AZURE, MAINNET, history

pytestmark = pytest.mark.real

COMPARED = 150
"""Transactions that the specification executes as well; ``python -m benchmarks.engine`` compares all."""
LENT = {"GetTheHorse": 0.99, "ArkToken": 0.999}
"""Shares of exactly the same gas where that of accounts matters which the history does not show."""


@pytest.mark.parametrize("name", [*AZURE, *MAINNET])
def test_histories_end_as_on_the_chain(name: str) -> None:
    records, rules = history(name)
    pairs = list(zip(records, results(records, rules), strict=True))
    assert all(record.succeeded in (None, result.succeeded) for record, result in pairs)
    same = sum(record.gas_used == result.gas_used for record, result in pairs)
    assert same >= LENT.get(name, 1) * len(records)


@pytest.mark.parametrize("name", [*AZURE, *MAINNET])
def test_histories_end_as_the_specification_says(name: str) -> None:
    records, rules = history(name)
    machine = Machine()
    for record, result in zip(records[:COMPARED], results(records[:COMPARED], rules), strict=True):
        fork = rules(record.block, record.timestamp)
        execution = machine.run(call_of(record), surroundings(record, 1), fork, record=False)
        assert (result.succeeded, result.gas_used) == (execution.succeeded, execution.gas_used)
