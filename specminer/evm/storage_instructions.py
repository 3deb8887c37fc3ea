"""Storage, transient storage and logs."""

from __future__ import annotations

from typing import Final

from specminer.evm.forks import COLD_SLOT, LOG_BYTE, STIPEND, STORAGE_SET, STORAGE_UPDATE, Fork, StorageRule
from specminer.evm.frame import Frame, Log
from specminer.evm.halts import FrameHalted, GasShort, Halt
from specminer.evm.memory_instructions import reach
from specminer.evm.opcodes import Op
from specminer.evm.program import Handler, Site


def warm_slots(frame: Frame) -> set[int]:
    """Return the warm slots of the frame's account."""
    slots = frame.warm_slots
    if slots is None:
        slots = frame.warm_slots = frame.run.warm_slots.setdefault(frame.address, set())
    return slots


def sload(stack: list[int], frame: Frame, argument: Site) -> None:
    """SLOAD before access lists."""
    slot = stack[-1]
    value = frame.storage.get(slot)
    stack[-1] = frame.run.world.load_slot(frame.account, slot) if value is None else value


def sload_warming(stack: list[int], frame: Frame, argument: Site) -> None:
    """SLOAD that costs more for a cold slot."""
    slot = stack[-1]
    slots = warm_slots(frame)
    if slot not in slots:
        gas = frame.gas - COLD_SLOT
        if gas < 0:
            raise GasShort
        frame.gas = gas
        frame.run.world.add(slots, slot)
    value = frame.storage.get(slot)
    stack[-1] = frame.run.world.load_slot(frame.account, slot) if value is None else value


def current(frame: Frame, slot: int) -> int:
    """Return what a slot of the frame's account holds; a call alone is told by its tape."""
    tape = frame.run.tape
    if tape is not None:
        return tape.before(slot)
    value = frame.storage.get(slot)
    return frame.run.world.load_slot(frame.account, slot) if value is None else value


def _store(stack: list[int], frame: Frame, cost: int, refund: int) -> None:
    gas = frame.gas - cost
    if gas < 0:
        raise GasShort
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    frame.gas = gas
    run = frame.run
    run.refund += refund
    slot = stack.pop()
    run.world.set_slot(frame.account, slot, stack.pop())


def sstore(stack: list[int], frame: Frame, argument: Site) -> None:
    """SSTORE priced by the value before and the one after."""
    slot, value = stack[-1], stack[-2]
    before = current(frame, slot)
    cost = STORAGE_SET if value and not before else STORAGE_UPDATE
    _store(stack, frame, cost, frame.run.fork.clear_refund if before and not value else 0)


def original(frame: Frame, slot: int, before: int) -> int:
    """Return what a slot held when the transaction began; ``before`` is what it holds now."""
    values = frame.originals
    if values is None:
        values = frame.originals = frame.run.originals.setdefault(frame.address, {})
    return values.setdefault(slot, before)


def net_refund(fork: Fork, first: int, before: int, value: int, read: int, update: int) -> int:
    """Return what a write gives back, or takes back.

    Args:
        fork: the rules.
        first: the value at the transaction's start.
        before: the value until now.
        value: the value from now on.
        read: what a write costs that changes nothing.
        update: what a first change of a value costs.

    """
    if before == value:
        return 0
    refund = 0
    if first:
        if not before:
            refund -= fork.clear_refund
        elif not value:
            refund += fork.clear_refund
    if first == value:
        refund += (update if first else STORAGE_SET) - read
    return refund


def sstore_net(stack: list[int], frame: Frame, argument: Site) -> None:
    """SSTORE priced also by the value at the transaction's start (EIP-2200)."""
    if frame.gas + argument.prepaid_gas <= STIPEND:
        raise GasShort
    slot, value, fork = stack[-1], stack[-2], frame.run.fork
    before = current(frame, slot)
    first = original(frame, slot, before)
    cost = (STORAGE_UPDATE if first else STORAGE_SET) if first == before != value else fork.sload
    _store(stack, frame, cost, net_refund(fork, first, before, value, fork.sload, STORAGE_UPDATE))


def sstore_warming(stack: list[int], frame: Frame, argument: Site) -> None:
    """SSTORE that costs more for a cold slot (EIP-2929)."""
    if frame.gas + argument.prepaid_gas <= STIPEND:
        raise GasShort
    slot, value, fork = stack[-1], stack[-2], frame.run.fork
    before = current(frame, slot)
    first = original(frame, slot, before)
    slots = warm_slots(frame)
    update = STORAGE_UPDATE - COLD_SLOT - fork.sload
    cost = (update if first else STORAGE_SET) if first == before != value else fork.sload
    cold = slot not in slots
    if cold:
        cost += COLD_SLOT + fork.sload
    _store(stack, frame, cost, net_refund(fork, first, before, value, fork.sload, update))
    if cold:
        frame.run.world.add(slots, slot)


def tload(stack: list[int], frame: Frame, argument: Site) -> None:
    """TLOAD."""
    stack[-1] = frame.run.transient.get((frame.address, stack[-1]), 0)


def tstore(stack: list[int], frame: Frame, argument: Site) -> None:
    """TSTORE."""
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    slot = stack.pop()
    frame.run.world.put(frame.run.transient, (frame.address, slot), stack.pop())


def log(stack: list[int], frame: Frame, argument: Site) -> None:
    """LOG0 to LOG4."""
    offset, size, count = stack[-1], stack[-2], argument.count
    reach(frame, offset, size, LOG_BYTE * size)
    if frame.static:
        raise FrameHalted(Halt.STATIC_WRITE)
    topics = tuple(stack[-3 : -3 - count : -1])
    del stack[-2 - count :]
    frame.run.logs.append(
        Log(address=frame.address, topics=topics, data=bytes(frame.memory[offset : offset + size]))
    )


HANDLERS: Final[dict[int, Handler]] = {
    Op.SLOAD: sload,
    Op.SSTORE: sstore,
    Op.TLOAD: tload,
    Op.TSTORE: tstore,
    **dict.fromkeys(range(Op.LOG0, Op.LOG4 + 1), log),
}
BY_RULE: Final[dict[StorageRule, dict[int, Handler]]] = {
    StorageRule.SIMPLE: {},
    StorageRule.NET: {Op.SSTORE: sstore_net},
    StorageRule.ACCESS_LIST: {Op.SLOAD: sload_warming, Op.SSTORE: sstore_warming},
}
"""What replaces that under the rules of later forks."""
LOCATED: Final = frozenset(HANDLERS)
"""Opcodes that may run out of gas, or halt their frame, and so have to know where they are."""
