"""Hostile bytecode is bounded by gas, and by limits that a user can set; what is stopped leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specminer.replay.fast_machine import FastMachine
from specminer.replay.limits import MAX_GAS, MAX_RECORDED, MAX_STEPS
from specminer.replay.machine_calls import FORKS, Call, ExecutedCall, Surroundings, VirtualMachine
from specminer.replay.records import call_of
from specminer.replay.reference_machine import Machine
from tests.support.bytecode import CONTRACT, COUNT, LOOP, MEMORY, OWNER, RECURSION, creation

AROUND = Surroundings(chain_id=1, number=1, timestamp=1, gas_limit=1 << 40)

new_machine: type[FastMachine | Machine] = FastMachine


@pytest.fixture(params=[FastMachine, Machine], ids=["fast", "reference"], autouse=True)
def _either_machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "new_machine", request.param)


def deployed(
    runtime: bytes, rules: str, max_steps: int = MAX_STEPS, max_gas: int = MAX_GAS
) -> VirtualMachine:
    machine = new_machine(max_steps=max_steps, max_gas=max_gas)
    made = machine.run(call_of(creation(runtime)), AROUND, rules, [CONTRACT])
    assert made.succeeded
    assert machine.code(CONTRACT) == runtime
    return machine


def called(machine: VirtualMachine, rules: str, gas: int) -> ExecutedCall:
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
    done = called(deployed(RECURSION, rules, max_gas=1 << 33), rules, 1 << 33)
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
    one, other = deployed(COUNT, "istanbul"), new_machine()
    called(one, "istanbul", 100_000)
    other.restore(one.save())
    assert other.save() == one.save()
    for rules in ("istanbul", "london", "osaka"):
        assert called(one, rules, 100_000) == called(other, rules, 100_000)
    assert other.storage(CONTRACT, 0) == 4
    assert other.save() == one.save()


def test_what_is_no_saved_state_is_refused() -> None:
    with pytest.raises(ValueError, match="no saved state"):
        new_machine().restore(b"something else")


def precompiled(number: int) -> bytes:
    """Return code that hands its calldata on to a precompiled contract, and keeps whether that returned."""
    return bytes.fromhex(f"36600060003760006000366000600060{number:02x}5af160005500")


def handed(
    number: int, data: bytes, rules: str, gas: int = 10_000_000
) -> tuple[VirtualMachine, ExecutedCall]:
    machine = deployed(precompiled(number), rules)
    call = Call(sender=OWNER, to=CONTRACT, value=0, data=data, gas=gas)
    return machine, machine.run(call, AROUND, rules, [CONTRACT])


@pytest.mark.parametrize("rules", FORKS[FORKS.index("byzantium") :])
def test_lengths_that_no_gas_pays_for_run_out_of_gas(rules: str) -> None:
    machine, done = handed(5, b"\xff" * 96, rules)
    assert (done.succeeded, done.limited) == (True, False)
    assert machine.storage(CONTRACT, 0) == 0, "the call of MODEXP failed"


@pytest.mark.parametrize(
    ("number", "data"),
    [(8, bytes(192 * 400)), (9, (1 << 20).to_bytes(4, "big") + bytes(208) + b"\x01"), (15, bytes(384 * 200))],
    ids=["pairing", "blake2", "bls pairing"],
)
def test_precompiled_contracts_that_take_long_count_by_their_time(number: int, data: bytes) -> None:
    assert handed(number, data, "prague", gas=20_000_000)[1].limited


def test_rounds_that_the_gas_does_not_pay_for_are_not_counted() -> None:
    machine, done = handed(9, b"\xff" * 4 + bytes(208) + b"\x01", "prague", gas=200_000)
    assert (done.succeeded, done.limited) == (True, False)
    assert machine.storage(CONTRACT, 0) == 0


def test_ether_that_no_chain_has_does_not_end_the_program() -> None:
    machine = deployed(COUNT, "cancun")
    for most, limited in ((2**256 - 1, False), (2**256 - 1, True), (1, True), (0, False)):
        call = Call(sender=OWNER, to=CONTRACT, value=most, data=b"", gas=100_000)
        done = machine.run(call, AROUND, "cancun", [CONTRACT])
        assert (done.limited, done.succeeded) == (limited, not limited)
    assert machine.storage(CONTRACT, 0) == 2


def test_calldata_that_is_passed_on_again_and_again_does_not_fill_the_memory() -> None:
    machine = deployed(bytes.fromhex("5b6000600062" + "2dc6c0" + "600060006112345af150600056"), "cancun")
    assert called(machine, "cancun", 30_000_000).limited, "without a limit it records some 200 GB"
    once = called(machine, "cancun", 17_482_000)
    assert (once.limited, once.error) == (False, "out of gas")
    assert MAX_RECORDED / 2 < once.size < MAX_RECORDED
    assert called(machine, "cancun", 17_482_000).limited, "the transactions of a block share the room"
    other = replace(AROUND, number=AROUND.number + 1)
    call = Call(sender=OWNER, to=CONTRACT, value=0, data=b"", gas=17_482_000)
    assert machine.run(call, other, "cancun", [CONTRACT]).size == once.size
