"""What the opcodes do, and the instruction sets that forks and observers put together from it."""

from __future__ import annotations

from functools import cache

from specminer.evm.forks import Fork, static_costs
from specminer.evm.instructions import arithmetic, calls, control, environment, memory, storage
from specminer.evm.program import BlockEnd, Handler, InstructionSet


@cache
def instruction_set(fork: Fork) -> InstructionSet:
    """Return the instructions of a fork, as they are when nobody observes."""
    return build_instruction_set(fork, {}, {})


def build_instruction_set(
    fork: Fork, handlers: dict[int, Handler], ends: dict[int, BlockEnd], located: frozenset[int] = frozenset()
) -> InstructionSet:
    """Return the instructions of a fork with some replaced.

    Args:
        fork: the rules.
        handlers: what replaces handlers of opcodes inside blocks.
        ends: what replaces the ends of blocks.
        located: further opcodes whose handler wants to know where it stands.

    """
    return InstructionSet(
        static_costs(fork),
        {**base_handlers(fork), **handlers},
        {**base_ends(), **ends},
        memory.LOCATED | environment.LOCATED | storage.LOCATED | located,
        (control.fall, control.stop, control.invalid),
    )


def base_handlers(fork: Fork) -> dict[int, Handler]:
    """Return what the opcodes inside blocks do under a fork's rules."""
    return {
        **arithmetic.HANDLERS,
        **memory.HANDLERS,
        **environment.HANDLERS,
        **storage.HANDLERS,
        **storage.BY_RULE[fork.storage_rule],
    }


def base_ends() -> dict[int, BlockEnd]:
    """Return what the opcodes do that end blocks."""
    return {**control.ENDS, **calls.ENDS}
