"""What slots hold is kept from one update to the next: the database is read once, and what is kept is what it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from specminer.history.continuity import last_values
from specminer.history.slot_values import LayeredValues, SlotValues
from specminer.pipeline.node_source import NodeOptions, OpenNode
from specminer.pipeline.source import UpdateRequest
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Deployed
from tests.support.collecting import CHAIN, address
from tests.support.machine import compiled


@dataclass(kw_only=True)
class Followed:
    """A contract whose history is brought up to date with one open node."""

    anvil: Anvil
    machine: Deployed
    store: TraceStore
    node: OpenNode
    readings: int = 0

    def write(self, *values: int) -> None:
        """Mine a block for each value, which is written to a slot."""
        peers = [self.machine.address] * 3
        for value in values:
            script = bytes([1, value % 3, value])
            self.anvil.block([self.machine.call(self.anvil.accounts[1], "run", peers, script)])

    def update(self) -> None:
        self.node.update(self.store, UpdateRequest(contract=address(self.machine.address)))

    def held(self) -> SlotValues:
        """Return what is kept; what was not, counts as a reading."""
        contract = address(self.machine.address)

        def read() -> SlotValues:
            self.readings += 1
            return SlotValues(LayeredValues(self.true_values()), created=True)

        span = self.store.ranges(CHAIN, contract)[-1]
        return self.node.memory.values((self.store, CHAIN, contract), span, read)

    def true_values(self) -> dict[int, int]:
        return last_values(self.store.history(CHAIN, [address(self.machine.address)]))


@pytest.fixture
def followed(tools: Path) -> Iterator[Followed]:
    with Anvil() as anvil, TraceStore("sqlite://") as store, NodeOptions(url=anvil.url).open(None) as node:
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        made = Followed(anvil=anvil, machine=machine, store=store, node=node)
        made.write(1, 2, 3)
        made.update()
        made.write(4)
        made.update()
        yield made


def test_later_updates_read_nothing_again(followed: Followed) -> None:
    for values in ((5,), (6, 7), (9,)):
        followed.write(*values)
        followed.update()
        kept = followed.held()
        assert (dict(kept.values), kept.created) == (followed.true_values(), True)
    assert followed.readings == 0


def test_what_is_handed_out_is_independent(followed: Followed) -> None:
    followed.held().values.clear()
    assert followed.held().values == followed.true_values() != {}


def test_replaced_blocks_are_read_again(followed: Followed) -> None:
    followed.anvil.rpc("anvil_rollback", 1)
    followed.write(8)
    followed.update()
    assert followed.held().values == followed.true_values()


def test_what_another_program_stored_is_noticed(followed: Followed) -> None:
    followed.write(5)
    with NodeOptions(url=followed.anvil.url).open(None) as other:
        other.update(followed.store, UpdateRequest(contract=address(followed.machine.address)))
    assert followed.held().values == followed.true_values()
    assert followed.readings == 1


def test_a_copy_of_many_values_is_independent_and_shares_them() -> None:
    values = LayeredValues({slot: slot for slot in range(10_000)})
    expected = dict(values)
    for step in range(1_000):
        values = values.copy()
        values[step * 7 % 10_100] = expected[step * 7 % 10_100] = step
        if step % 3 == 0:
            earlier = values.copy()
            assert earlier.pop(step * 5 % 10_000, None) == expected.get(step * 5 % 10_000)
            values.pop(step, None)
            expected.pop(step, None)
            assert step in earlier or step not in expected
    assert values == expected
    assert len(values) == len(expected)
    values.clear()
    assert not values
