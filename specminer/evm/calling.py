"""How frames begin and end: snapshots, ether that moves, code that is deposited, answers.

Frames are linked by :attr:`~specminer.evm.frame.Frame.parent`; no Python function calls itself for an inner call, so
that 1,024 of them inside each other take no more of Python's stack than one.
"""

from __future__ import annotations

from typing import Final

from specminer.evm.forks import CODE_BYTE, Fork
from specminer.evm.frame import Frame, FrameKind, TransactionRun
from specminer.evm.halts import FrameHalted, Halt, LimitReached
from specminer.evm.world import Account

CODE_PER_STEP: Final = 64
"""Bytes of creation code that are copied, hashed and searched in the time of an opcode."""
RIPEMD160: Final = 3
"""The precompiled contract whose removal once outlived its call's failure (block 2,675,119)."""


def enter_call(
    frame: Frame, code: bytes, code_address: int, *, transfer: bool, precompiled: bool = True
) -> Frame | None:
    """Begin a call.

    Args:
        frame: the new frame, with everything but its code.
        code: what it runs.
        code_address: where the code is from; a precompiled contract if it is one's address.
        transfer: whether the value moves from the caller to the frame's account.
        precompiled: whether the address may stand for a precompiled contract.

    Returns:
        The frame that runs on: this one, or its parent if it is over already.

    """
    frame.code, frame.code_address = code, code_address
    run = frame.run
    _begin(frame, transfer=transfer)
    contract = run.precompiles.get(code_address)
    if contract is not None:
        if not precompiled:
            return leave(frame, None, b"")
        try:
            frame.gas, output, effort = contract(run.fork, frame.data, frame.gas, run.steps)
        except FrameHalted as halted:
            return leave(frame, halted.halt, b"")
        run.steps -= effort
        if run.steps < 0:
            raise LimitReached
        return leave(frame, None, output)
    if not code:
        return leave(frame, None, b"")
    return _start(frame)


def enter_creation(frame: Frame, code: bytes) -> Frame | None:
    """Begin the creation of a contract at the frame's address, which must be free."""
    run, account = frame.run, frame.account
    world = run.world
    world.make_room(account)
    run.steps -= len(code) // CODE_PER_STEP
    frame.code = code
    frame.mark = world.mark()
    world.clear_storage(account)
    run.created.add(frame.address)
    if run.fork.first_nonce:
        world.raise_nonce(account)
    _begin(frame, transfer=True, mark=frame.mark)
    return _start(frame) if code else leave(frame, None, b"")


def _begin(frame: Frame, *, transfer: bool, mark: int | None = None) -> None:
    run = frame.run
    world = run.world
    frame.mark = world.mark() if mark is None else mark
    frame.log_mark, frame.refund_mark = len(run.logs), run.refund
    if run.fork.empty_accounts and not frame.account.exists:
        world.come_to_be(frame.account)
    if transfer and frame.value:
        world.move(world.account(frame.caller), frame.account, frame.value)
    if run.observer is not None:
        run.observer.enter(frame)


def _start(frame: Frame) -> Frame:
    run = frame.run
    observer = run.observer
    watched = observer is not None and observer.watches(frame.address)
    frame.block = (run.watched_instructions if watched else run.instructions).program(frame.code).block(0)
    return frame


def leave(frame: Frame, halt: Halt | None, output: bytes) -> Frame | None:
    """End a frame, and return its parent, which runs on; ``None`` if it has none."""
    run, creates = frame.run, frame.code_address is None
    if halt is None and creates:
        halt, output = _deposit(frame, run.fork, output)
    if halt is not None:
        if halt is not Halt.REVERT:
            frame.gas = 0
            output = b""
        _take_back(frame, run)
    frame.halt, frame.output = halt, output
    if run.observer is not None:
        run.observer.leave(frame)
    if run.fork.clears_empty:
        _note_empty(frame, run)
    parent = frame.parent
    if parent is None:
        return None
    parent.gas += frame.gas
    if creates:
        parent.stack.append(frame.address if halt is None else 0)
        parent.answer = b"" if halt is None else output
        return parent
    parent.stack.append(1 if halt is None else 0)
    parent.answer = output
    size = min(frame.output_size, len(output))
    if size:
        parent.memory[frame.output_offset : frame.output_offset + size] = output[:size]
    return parent


def _deposit(frame: Frame, fork: Fork, code: bytes) -> tuple[Halt | None, bytes]:
    """Pay for a new contract's code and put it there; return how that ended."""
    if fork.rejects_ef and code[:1] == b"\xef":
        return Halt.INVALID_CODE, b""
    cost = CODE_BYTE * len(code)
    if cost > frame.gas:
        if not fork.deposit_may_fail:
            return Halt.OUT_OF_GAS, b""
        return None, b""
    if fork.max_code is not None and len(code) > fork.max_code:
        return Halt.OUT_OF_GAS, b""
    frame.gas -= cost
    frame.run.world.set_code(frame.account, code)
    return None, code


def _take_back(frame: Frame, run: TransactionRun) -> None:
    outlives = run.fork.clears_empty and (
        RIPEMD160 in run.touched_accounts or (frame.address == RIPEMD160 and frame.parent is not None)
    )
    run.world.revert(frame.mark)
    del run.logs[frame.log_mark :]
    run.refund = frame.refund_mark
    if outlives:
        contract = run.world.account(RIPEMD160)
        if RIPEMD160 not in run.touched_accounts and contract.exists and contract.empty:
            run.world.add(run.touched_accounts, RIPEMD160)


def _note_empty(frame: Frame, run: TransactionRun) -> None:
    account = frame.account
    if frame.halt is None and account.exists and account.empty:
        run.world.add(run.touched_accounts, frame.address)


def new_frame(
    parent: Frame, kind: FrameKind, account: Account, *, gas: int, value: int, data: bytes, caller: int
) -> Frame:
    """Return a frame that a frame opens; what it does not say is its parent's."""
    frame = Frame(parent.run, parent, kind, account)
    frame.gas = frame.limit = gas
    frame.value, frame.data, frame.caller = value, data, caller
    return frame
