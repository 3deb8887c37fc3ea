"""Code is cut into blocks as the machine runs it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.evm.forks import FORKS
from specminer.evm.instruction_sets import instruction_set
from specminer.evm.opcodes import Op, opcode_name
from specminer.evm.program import Program, jump_targets

LONDON = instruction_set(FORKS["london"])


def plainly(code: bytes) -> set[int]:
    """Return the jump targets, found one opcode after the other."""
    targets, counter = set(), 0
    while counter < len(code):
        if code[counter] == Op.JUMPDEST:
            targets.add(counter)
        counter += 1 + max(0, code[counter] - Op.PUSH0 if Op.PUSH1 <= code[counter] <= Op.PUSH32 else 0)
    return targets


@given(st.lists(st.sampled_from([0x5B, 0x60, 0x61, 0x7F, 0x5F, 0x00, 0x0A, 0xFF]), max_size=80).map(bytes))
def test_jump_targets_are_no_data(code: bytes) -> None:
    assert jump_targets(code) == plainly(code)


def test_data_that_is_cut_short_holds_no_target() -> None:
    assert jump_targets(bytes([Op.JUMPDEST, Op.PUSH32, Op.JUMPDEST, Op.JUMPDEST])) == {0}


def test_a_block_knows_what_it_costs_and_needs() -> None:
    # ADD needs two words that the block does not push; then the stack grows by two beyond where it began
    code = bytes([Op.ADD, Op.PUSH1, 1, Op.DUP1, Op.DUP1, Op.STOP])
    block = Program(code, LONDON).block(0)
    assert (block.gas, block.needs, block.room, block.count) == (12, 2, 1024 - 2, 5)
    assert (block.start, block.last, block.next) == (0, 5, 6)


def test_blocks_end_before_a_target_and_behind_a_jump() -> None:
    code = bytes([Op.PUSH1, 4, Op.JUMPI, Op.CALLER, Op.JUMPDEST, Op.CALLER])
    program = Program(code, LONDON)
    assert [(program.block(start).start, program.block(start).next) for start in (0, 3, 4)] == [
        (0, 3),
        (3, 4),
        (4, 6),
    ]
    target = program.target(4)
    assert target is program.block(4)
    assert program.target(3) is None


@pytest.mark.parametrize(
    ("opcode", "name"), [(0x60, "PUSH1"), (0x8F, "DUP16"), (0xA2, "LOG2"), (0x0C, "0x0C")]
)
def test_names_of_opcodes(opcode: int, name: str) -> None:
    assert opcode_name(opcode) == name
