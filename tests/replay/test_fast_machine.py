"""The engine in the place of the specification's machine: a replay on either is the same, field by field."""

from __future__ import annotations

import pytest

from specminer.evm.opcodes import Op
from specminer.history.trace import Address
from specminer.replay.export_replay import RecordReplay
from specminer.replay.fast_machine import FastMachine
from specminer.replay.machine_calls import Basics, Call, Surroundings, VirtualMachine
from specminer.replay.records import call_of
from specminer.replay.reference_machine import Machine
from tests.support.engine import comparable
from tests.support.programs import push
from tests.support.real import AZURE, MAINNET, history

REPLAYED = 120
AROUND = Surroundings(chain_id=1, number=7, timestamp=9, gas_limit=30_000_000)
SENDER, CONTRACT = Address(b"\1" * 20), Address(b"\2" * 20)
COUNT = push(0) + bytes([Op.SLOAD]) + push(1) + bytes([Op.ADD]) + push(0) + bytes([Op.SSTORE])


@pytest.mark.real
@pytest.mark.parametrize("name", [*AZURE, *MAINNET])
def test_replays_of_real_histories_are_the_same(name: str) -> None:
    records, rules = history(name)
    targets = frozenset(made for record in records if (made := call_of(record).created) is not None)
    replays = [RecordReplay(machine, 1, rules, targets, gas_is_evidence=True) for machine in machines()]
    for record in records[:REPLAYED]:
        one, other = (replay.step(record, record.index or 0) for replay in replays)
        assert comparable(one) == comparable(other)
    one_replay, other_replay = replays
    assert one_replay.questions == other_replay.questions
    assert one_replay.strangers == other_replay.strangers
    assert one_replay.existing_targets == other_replay.existing_targets


def machines() -> list[VirtualMachine]:
    """Return the two machines, empty."""
    return [Machine(), FastMachine()]


def count(machine: VirtualMachine, *, data: bytes = b"", gas: int = 100_000, keep: bool = True) -> int:
    """Call the counter, and return the gas that it used."""
    call = Call(sender=SENDER, to=CONTRACT, value=0, data=data, gas=gas)
    execution = machine.run(call, AROUND, "london", [CONTRACT], keep=keep)
    assert execution.succeeded
    return execution.gas_used


def test_what_one_machine_saves_the_other_restores() -> None:
    reference, fast = Machine(), FastMachine()
    for machine in (reference, fast):
        machine.install(CONTRACT, COUNT)
        machine.put(CONTRACT, 0, 41)
        count(machine)
    restored, restored_fast = Machine(), FastMachine()
    restored.restore(fast.save())
    restored_fast.restore(reference.save())
    assert [machine.storage(CONTRACT, 0) for machine in (restored, restored_fast)] == [42, 42]
    assert restored_fast.code(CONTRACT) == COUNT
    assert count(restored) == count(restored_fast)
    with pytest.raises(ValueError, match="no saved state"):
        FastMachine().restore(b"something else")


def test_effects_can_be_taken_back() -> None:
    machine = FastMachine()
    machine.install(CONTRACT, COUNT)
    first = count(machine, keep=False)
    assert machine.storage(CONTRACT, 0) == 0
    assert count(machine) == first
    machine.state.begin()
    machine.state.begin()
    count(machine)
    assert (machine.storage(CONTRACT, 0), machine.state.depth) == (2, 2)
    machine.state.reset(0)
    assert machine.storage(CONTRACT, 0) == 1


def test_limits_stop_for_good() -> None:
    machine = FastMachine(max_steps=20, max_gas=200_000)
    machine.install(CONTRACT, bytes([Op.JUMPDEST]) + push(0) + bytes([Op.JUMP]))
    call = Call(sender=SENDER, to=CONTRACT, value=0, data=b"", gas=150_000)
    execution = machine.run(call, AROUND, "london")
    assert (execution.limited, execution.error, execution.steps) == (True, "stopped", ())
    too_much = Call(sender=SENDER, to=CONTRACT, value=0, data=b"", gas=200_001)
    assert machine.run(too_much, AROUND, "london").limited


class Node:
    """A source whose contract counts up at each block."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.value = 10

    def basics(self, address: bytes) -> Basics | None:
        self.asked.append(address)
        return Basics(nonce=1, balance=5, code=COUNT) if address == CONTRACT else None

    def storage(self, address: bytes, slot: int) -> int:
        self.asked.append(slot)
        return self.value


def test_a_source_is_asked_once_a_block_unless_its_contract_is_adopted() -> None:
    node = Node()
    machine = FastMachine(node)
    count(machine)
    count(machine)
    assert node.asked.count(0) == 1
    assert machine.storage(CONTRACT, 0) == 12
    node.value = 20
    machine.state.refresh()
    count(machine)
    assert machine.storage(CONTRACT, 0) == 21
    machine.state.adopt(CONTRACT)
    node.value = 30
    machine.state.refresh()
    assert machine.storage(CONTRACT, 0) == 21


def test_accounts_can_be_missing_for_a_while() -> None:
    paid = Address(b"\7" * 20)
    code = push(0) * 4 + push(1) + push(int.from_bytes(paid, "big")) + push(30_000) + bytes([Op.CALL])
    used = []
    for missing in (frozenset[bytes](), frozenset([bytes(paid)])):
        machine = FastMachine()
        machine.install(CONTRACT, code, balance=100)
        machine.state.begin()
        with machine.state.without(missing):
            used.append(count(machine))
        assert bytes(paid) in machine.state.fresh
        machine.state.reset(0)
        machine.state.forget_fresh()
    assert used[1] - used[0] == 25_000
