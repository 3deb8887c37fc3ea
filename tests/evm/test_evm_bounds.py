"""Hostile code stays bounded, and the engine raises nothing but its own results."""

from __future__ import annotations

import random
import sys

import pytest

from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext
from specminer.evm.halts import Halt
from specminer.evm.instruction_sets import instruction_set
from specminer.evm.opcodes import Op
from specminer.evm.program import MAX_REMEMBERED, InstructionSet
from specminer.evm.transaction_execution import EvmTransaction, Result, execute
from specminer.evm.world import World
from tests.support.programs import push

SENDER, CONTRACT = 1 << 100, 1 << 101
LONDON = instruction_set(FORKS["london"])


def run(code: bytes, *, fork: str = "prague", gas: int = 1_000_000, max_steps: int = 1_000_000) -> Result:
    world = World()
    world.set_balance(world.account(SENDER), 1 << 90)
    world.set_code(world.account(CONTRACT), code)
    transaction = EvmTransaction(sender=SENDER, to=CONTRACT, gas=gas)
    return execute(world, FORKS[fork], BlockContext(), transaction, max_steps=max_steps)


def calling_itself() -> bytes:
    """Return code that counts its depth in slot 0 and calls itself with all gas."""
    count = push(0) + bytes([Op.SLOAD]) + push(1) + bytes([Op.ADD]) + push(0) + bytes([Op.SSTORE])
    return count + push(0) * 5 + bytes([Op.ADDRESS, Op.GAS, Op.CALL, Op.STOP])


@pytest.mark.parametrize(("fork", "depth"), [("homestead", 1_025), ("prague", None)])
def test_calls_go_as_deep_as_the_rules_allow_without_a_deep_python_stack(
    fork: str, depth: int | None
) -> None:
    world = World()
    world.set_code(world.account(CONTRACT), calling_itself())
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(__import__("inspect").stack()) + 60)
    try:
        # before EIP-150 a call that asks for more gas than there is fails; so each asks for less
        code = calling_itself()
        if fork == "homestead":
            code = code.replace(bytes([Op.GAS]), bytes([Op.GAS]) + push(60_000) + bytes([Op.SWAP1, Op.SUB]))
        world.set_code(world.account(CONTRACT), code)
        transaction = EvmTransaction(sender=SENDER, to=CONTRACT, gas=200_000_000)
        result = execute(world, FORKS[fork], BlockContext(), transaction)
    finally:
        sys.setrecursionlimit(before)
    assert result.succeeded
    reached = world.slot(CONTRACT, 0)
    assert reached == depth if depth is not None else 300 < reached <= 1_025


def test_endless_code_ends_with_its_gas() -> None:
    result = run(bytes([Op.JUMPDEST]) + push(0) + bytes([Op.JUMP]))
    assert (result.halt, result.gas_used) == (Halt.OUT_OF_GAS, 1_000_000)


def test_a_limit_of_steps_stops_for_good_and_nothing_stays() -> None:
    world = World()
    world.set_code(
        world.account(CONTRACT), push(1) + push(1) + bytes([Op.SSTORE, Op.JUMPDEST]) + push(5) + b"\x56"
    )
    transaction = EvmTransaction(sender=SENDER, to=CONTRACT, gas=1_000_000)
    result = execute(world, FORKS["prague"], BlockContext(), transaction, max_steps=1_000)
    assert result.limited
    assert not result.succeeded
    assert (world.slot(CONTRACT, 1), world.account(SENDER).nonce) == (0, 0)


@pytest.mark.parametrize("offset", [1 << 31, 1 << 32, 1 << 64, (1 << 256) - 1])
@pytest.mark.parametrize(
    "opcode", [Op.MLOAD, Op.MSTORE, Op.MSTORE8, Op.KECCAK256, Op.RETURN, Op.LOG0, Op.CREATE]
)
def test_memory_out_of_reach_costs_all_gas(opcode: int, offset: int) -> None:
    code = push(32) + push(offset) + (push(0) if opcode == Op.CREATE else b"") + bytes([opcode])
    assert run(code).halt is Halt.OUT_OF_GAS


@pytest.mark.parametrize("address", [1, 5, 7, 8, 9, 10, 14, 15, 17])
def test_what_takes_long_for_its_gas_counts_against_the_steps(address: int) -> None:
    calls = (
        push(0) + push(0) + push(2_000) + push(0) + push(0) + push(address) + bytes([Op.GAS, Op.CALL, Op.POP])
    )
    code = (
        bytes([Op.JUMPDEST])
        + push(0xFFFFFF << 232)
        + push(0)
        + bytes([Op.MSTORE])
        + calls
        + push(0)
        + b"\x56"
    )
    result = run(code, gas=1 << 28, max_steps=3_000)
    assert result.limited or result.halt is Halt.OUT_OF_GAS


@pytest.mark.parametrize("seed", range(30))
def test_random_bytes_end_somehow(seed: int) -> None:
    draw = random.Random(seed)
    for fork in FORKS:
        code = draw.randbytes(draw.randrange(1, 300))
        result = run(code, fork=fork, gas=21_000 + draw.randrange(500_000))
        assert result.limited or result.gas_used >= 21_000


def test_a_long_run_without_a_jump_is_cut_into_blocks() -> None:
    code = (push(1) + push(1) + bytes([Op.ADD, Op.POP])) * 4_000
    result = run(code)
    assert result.succeeded
    assert result.gas_used == 21_000 + 4_000 * 11


def test_programs_that_were_long_not_used_are_forgotten() -> None:
    rules = InstructionSet(
        [*LONDON.costs],
        LONDON.handlers,
        LONDON.ends,
        LONDON.located_opcodes,
        (LONDON.falls, LONDON.stops, LONDON.fails),
    )
    first = rules.program(bytes([Op.STOP]))
    for number in range(200):
        rules.program(number.to_bytes(2, "big") + bytes(40_000))
        assert rules.program(bytes([Op.STOP])) is first, "it is used all the time"
        assert rules.cached_bytes <= MAX_REMEMBERED
    assert rules.program(bytes(1 << 20)) is not rules.program(bytes(1 << 20)), "too large to be kept"


def test_creations_from_much_memory_count_as_long_as_they_take() -> None:
    """Before there was a limit on creation code, each creation could take a megabyte of it for the price of none."""
    size = 1 << 20
    loop = (
        bytes([Op.JUMPDEST]) + push(size) + push(0) + push(0) + bytes([Op.CREATE, Op.POP]) + push(0) + b"\x56"
    )
    assert run(loop, fork="london", gas=1 << 28, max_steps=100_000).limited


@pytest.mark.parametrize(("fork", "tip"), [("berlin", 10), ("london", 3)])
def test_the_beneficiary_gets_what_is_not_burnt(fork: str, tip: int) -> None:
    world = World()
    world.set_balance(world.account(SENDER), 1 << 60)
    block = BlockContext(base_fee=7, coinbase=5)
    transaction = EvmTransaction(sender=SENDER, to=CONTRACT, gas=50_000, gas_price=10, value=1)
    result = execute(world, FORKS[fork], block, transaction, charge_fees=True)
    assert result.succeeded
    assert world.account(5).balance == tip * result.gas_used
    assert world.account(SENDER).balance == (1 << 60) - 10 * result.gas_used - 1
