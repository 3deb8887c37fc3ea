"""Hostile bytecode is bounded by gas, and by limits that a user can set; what is stopped leaves nothing behind."""

from __future__ import annotations

import pytest

from specminer.chain.execution.fork import FORKS, Surroundings
from specminer.chain.execution.machine import Call, Execution, Machine
from specminer.chain.execution.replay import call_of
from specminer.chain.limits import MAX_GAS, MAX_STEPS
from tests.support.bytecode import CONTRACT, COUNT, LOOP, MEMORY, OWNER, RECURSION, creation

AROUND = Surroundings(chain_id=1, number=1, timestamp=1, gas_limit=1 << 40)


def deployed(runtime: bytes, rules: str, max_steps: int = MAX_STEPS, max_gas: int = MAX_GAS) -> Machine:
    machine = Machine(max_steps=max_steps, max_gas=max_gas)
    made = machine.run(call_of(creation(runtime)), AROUND, rules, [CONTRACT])
    assert made.succeeded
    assert machine.code(CONTRACT) == runtime
    return machine


def called(machine: Machine, rules: str, gas: int) -> Execution:
    call = Call(sender=OWNER, to=CONTRACT, value=0, data=b"", gas=gas)
    return machine.run(call, AROUND, rules, [CONTRACT])


@pytest.mark.parametrize("rules", FORKS)
def test_every_fork_runs_a_contract(rules: str) -> None:
    machine = deployed(COUNT, rules)
    for number in range(1, 4):
        assert called(machine, rules, 100_000).succeeded
        assert machine.storage(CONTRACT, 0) == number


@pytest.mark.parametrize("rules", FORKS)
def test_an_endless_loop_ends_with_its_gas(rules: str) -> None:
    done = called(deployed(LOOP, rules), rules, 100_000)
    assert (done.error, done.gas_used, done.limited) == ("out of gas", 100_000, False)


@pytest.mark.parametrize("rules", FORKS)
def test_far_memory_costs_gas_and_no_memory(rules: str) -> None:
    done = called(deployed(MEMORY, rules), rules, 10_000_000)
    assert (done.error, done.gas_used) == ("out of gas", 10_000_000)


@pytest.mark.parametrize("rules", FORKS)
def test_calls_nest_as_deep_as_the_rules_allow(rules: str) -> None:
    done = called(deployed(RECURSION, rules), rules, 1 << 33)
    assert done.error in (None, "out of gas")  # before EIP-150 a call could not ask for all the gas
    assert not done.limited


def test_too_many_opcodes_are_stopped_and_undone() -> None:
    machine = deployed(LOOP, "cancun", max_steps=10_000)
    before = machine.save()
    done = called(machine, "cancun", 10_000_000)
    assert (done.limited, done.succeeded, done.steps) == (True, False, ())
    assert machine.save() == before
    assert called(machine, "cancun", 25_000).error == "out of gas", "the machine still runs"


def test_too_much_gas_is_not_even_begun() -> None:
    machine = deployed(COUNT, "cancun", max_gas=1_000_000)
    assert called(machine, "cancun", 1_000_001).limited
    assert called(machine, "cancun", 1_000_000).succeeded
    assert machine.storage(CONTRACT, 0) == 1


def test_a_saved_machine_goes_on_as_the_other() -> None:
    one, other = deployed(COUNT, "istanbul"), Machine()
    called(one, "istanbul", 100_000)
    other.restore(one.save())
    assert other.save() == one.save()
    for rules in ("istanbul", "london", "osaka"):
        assert called(one, rules, 100_000) == called(other, rules, 100_000)
    assert other.storage(CONTRACT, 0) == 4
    assert other.save() == one.save()


def test_what_is_no_saved_state_is_refused() -> None:
    with pytest.raises(ValueError, match="no saved state"):
        Machine().restore(b"something else")
