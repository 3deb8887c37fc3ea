"""What the opcodes do, and the instruction sets that forks and observers put together from it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from specminer.evm import arithmetic_instructions as arithmetic
from specminer.evm import call_instructions as calls
from specminer.evm import control_instructions as control
from specminer.evm import environment_instructions as environment
from specminer.evm import memory_instructions as memory
from specminer.evm import storage_instructions as storage
from specminer.evm.forks import Fork, static_costs
from specminer.evm.opcodes import Op
from specminer.evm.program import BlockEnd, Handler, InstructionSet

Instructions = tuple[dict[int, Handler], dict[int, BlockEnd]]
"""What the opcodes inside blocks do, and what those do that end them."""
Foundation = Callable[[Fork], Instructions]
"""From a fork to what its opcodes do."""


@cache
def instruction_set(fork: Fork) -> InstructionSet:
    """Return the instructions of a fork, as they are when nobody observes."""
    return build_instruction_set(fork, *base_instructions(fork))


def base_instructions(fork: Fork) -> Instructions:
    """Return what the opcodes do under a fork's rules."""
    handlers = {
        **arithmetic.HANDLERS,
        **memory.HANDLERS,
        **environment.HANDLERS,
        **storage.HANDLERS,
        **storage.BY_RULE[fork.storage_rule],
    }
    return handlers, {**control.ENDS, **calls.ENDS}


def build_instruction_set(
    fork: Fork, handlers: dict[int, Handler], ends: dict[int, BlockEnd]
) -> InstructionSet:
    """Return an instruction set of handlers and ends of blocks."""
    return InstructionSet(
        static_costs(fork),
        handlers,
        ends,
        memory.LOCATED | environment.LOCATED | storage.LOCATED,
        (control.fall, ends[Op.STOP], control.invalid),
    )
