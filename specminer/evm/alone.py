"""One recorded call on its own: it hears from the recording what it once heard from the world.

Storage that it reads, answers of other contracts and what it asks of accounts come from a :class:`CallRecording`, in
order. What the call does is compared with the recording as it happens: each access with the next recorded one, each
call with its receiver and its ether. If everything agrees and it ends as recorded, with the same output, it is
*proved*: it is the same execution. Otherwise :attr:`Pursuit.reason` says where it left the recording, or what the
recording lacks.

Gas is never proved: what was warm, and what slots held when the transaction began, belongs to the transaction. A call
alone is charged the least that each opcode can cost, so that it never runs out where it did not on the chain, and yet
stays bounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from specminer.evm.calling import enter_call, enter_creation
from specminer.evm.execution_events import (
    Event,
    FailedTransfer,
    FrameEnd,
    FrameStart,
    Question,
    SlotRead,
    SlotWrite,
)
from specminer.evm.forks import Fork
from specminer.evm.frame import BlockContext, Frame, FrameKind, FrameObserver, TransactionRun
from specminer.evm.halts import Halt, LimitReached
from specminer.evm.instruction_sets import build_instruction_set
from specminer.evm.interpreter import run_frames
from specminer.evm.opcodes import Op
from specminer.evm.program import InstructionSet
from specminer.evm.taped_instructions import (
    AlwaysWarm,
    CallEnding,
    Tape,
    TapeContradicted,
    TapeEnded,
    is_precompiled,
    taped_instructions,
)
from specminer.evm.world import World

MAX_STEPS: Final = 2_000_000
"""Opcodes that a call alone may take."""
_SHORT: Final = "it, or a call inside it, ran out of gas, which a call alone does not"
_RICH: Final = 1 << 200
_DELEGATING: Final = (FrameKind.DELEGATECALL, FrameKind.CALLCODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecording:
    """What is known of one call of a contract."""

    contract: int
    """Whose storage it runs on."""
    kind: FrameKind
    caller: int
    value: int
    data: bytes
    """Calldata; for a creation its code."""
    gas: int
    halt: Halt | None
    output: bytes | None
    """What it returned or reverted with; for a creation the code that it left; ``None`` if that is not known."""
    origin: int
    """Who sent the transaction."""
    frame: int = 0
    """Number of its frame in the transaction."""
    static: bool = False
    short_inside: bool = False
    """Whether a delegatecall or a call of itself in it ran out of gas."""
    accesses: Sequence[SlotRead | SlotWrite] = ()
    """In order, with those of delegatecalls and of calls of itself."""
    answers: Sequence[CallEnding] | None = ()
    """Of calls of other contracts and of creations, in order; ``None`` if they were not recorded."""
    assumed: bool | None = None
    """Where answers were not recorded: whether calls are taken to have succeeded, with nothing for an answer."""
    questions: Sequence[Question] | None = None
    """What it was told of accounts, in order; ``None`` if that was not recorded."""
    gas_left: Sequence[int] = ()
    """What GAS pushed, in order, as far as it was recorded."""
    other_halts: frozenset[Halt] = frozenset()
    """Ends that the recording does not tell from ``halt``."""
    unknown: frozenset[int] = frozenset()
    """Opcodes that ask for what is not known of its block and its transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pursuit:
    """How far a call alone went."""

    reason: str | None
    """Why it is not proved; ``None`` if it did what was recorded and ended as recorded."""
    halt: Halt | None = None
    output: bytes = b""
    assuming: bool = False
    """Whether calls whose answers were not recorded were taken to have ended as the recording says."""
    contradicts: bool = False
    """Whether the code does something else than was recorded, although nothing that it asked for is missing."""

    @property
    def proved(self) -> bool:
        """Whether it is the recorded execution."""
        return self.reason is None


def pursue(
    recording: CallRecording,
    fork: Fork,
    block: BlockContext,
    codes: Mapping[int, bytes],
    *,
    gas_price: int = 0,
    observer: FrameObserver | None = None,
    max_steps: int = MAX_STEPS,
) -> Pursuit:
    """Execute a recorded call alone.

    Args:
        recording: the call.
        fork: the rules.
        block: what code can ask of the block.
        codes: the contract's code, and that of the contracts to which it delegates, by address.
        gas_price: in wei.
        observer: who hears of it; if it has instructions of its own, they must stand on ``taped_instructions``.
        max_steps: how many opcodes it may take.

    """
    creates = recording.kind.creates
    if not creates and recording.contract not in codes:
        return Pursuit(reason="its code is not known")
    tape = Tape(recording.contract, recording.accesses, recording.answers, recording.questions, codes)
    prepare(tape, recording)
    frame = open_frame(recording, fork, block, codes, tape)
    run = frame.run
    run.origin, run.gas_price, run.steps = recording.origin, gas_price, max_steps
    run.observer = observer
    run.watched_instructions = run.instructions if observer is None else observer.watch(fork)
    try:
        if creates:
            run_frames(enter_creation(frame, recording.data))
        else:
            code = codes[recording.contract]
            run_frames(enter_call(frame, code, recording.contract, transfer=False, precompiled=False))
    except TapeEnded as ended:
        return Pursuit(
            reason=_reason(recording, str(ended)),
            assuming=tape.assuming,
            contradicts=isinstance(ended, TapeContradicted) and not _is_short(recording),
        )
    except LimitReached:
        return Pursuit(reason="it takes too long")
    reason = _difference(recording, frame, tape)
    return Pursuit(
        reason=reason,
        halt=frame.halt,
        output=frame.output,
        assuming=tape.assuming,
        contradicts=reason is not None and not tape.assuming and not _is_short(recording),
    )


def prepare(tape: Tape, recording: CallRecording) -> None:
    """Tell a tape what else is known of a call, and what is not."""
    tape.gas_left, tape.unknown = iter(recording.gas_left), recording.unknown
    tape.assumed = recording.assumed


def open_frame(
    recording: CallRecording, fork: Fork, block: BlockContext, codes: Mapping[int, bytes], tape: Tape
) -> Frame:
    """Return the frame of a recorded call, and the run that it belongs to, before it begins."""
    world = World()
    for address, code in codes.items():
        if address != recording.contract or not recording.kind.creates:
            world.set_code(world.account(address), code)
    for address in (recording.contract, recording.caller):
        if not (recording.kind.creates and address == recording.contract):
            world.set_balance(world.account(address), _RICH)
    run = TransactionRun(world, fork, block, _alone(fork), {})
    run.tape = tape
    run.warm = AlwaysWarm()
    frame = Frame(run, None, recording.kind, world.account(recording.contract))
    frame.gas = frame.limit = recording.gas
    frame.caller, frame.value, frame.static = recording.caller, recording.value, recording.static
    frame.data = b"" if recording.kind.creates else recording.data
    return frame


@cache
def _alone(fork: Fork) -> InstructionSet:
    return build_instruction_set(fork, *taped_instructions(fork))


def _is_short(recording: CallRecording) -> bool:
    """Return whether the call, or one inside it, ran out of gas: a call alone never does."""
    return recording.halt is Halt.OUT_OF_GAS or recording.short_inside


def _reason(recording: CallRecording, text: str) -> str:
    if _is_short(recording):
        return f"{_SHORT}: {text}"
    return text


def _difference(recording: CallRecording, frame: Frame, tape: Tape) -> str | None:
    """Return in words how a call ended otherwise than recorded."""
    if frame.halt is not recording.halt and frame.halt not in recording.other_halts:
        if recording.halt is Halt.OUT_OF_GAS:
            return _SHORT
        text = f"it ends with {_ending(frame.halt)} where the recording ends with {_ending(recording.halt)}"
        return _reason(recording, text)
    left = tape.describe_rest()
    if left:
        return _reason(recording, f"it ends before {left}")
    if recording.output is not None and frame.output != recording.output:
        return _reason(recording, "its output differs from the recorded one")
    return None


def _ending(halt: Halt | None) -> str:
    return "success" if halt is None else halt.value


@dataclass(slots=True)
class _Open:
    """A frame of a transaction, and the call of a contract that it belongs to."""

    start: FrameStart
    owner: int
    number: int
    recording: _RecordingDraft | None
    """``None`` outside the recorded contracts."""
    outermost: bool
    """Whether it is the call's own frame."""
    answers_of: _RecordingDraft | None
    """Whose answer it becomes."""
    static: bool


@dataclass(slots=True)
class _RecordingDraft:
    """A recording that is being written."""

    short: bool = False
    accesses: list[SlotRead | SlotWrite] = field(default_factory=list)
    answers: list[CallEnding] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def recordings(
    events: Iterable[Event], contracts: frozenset[int] | None, *, with_questions: bool
) -> list[CallRecording]:
    """Return what a recorder's events say of each call of some contracts, in the order in which they ended.

    Args:
        events: of one transaction, from a recorder that was told to note ``questions``.
        contracts: whose calls; ``None`` for all accounts.
        with_questions: whether the answers to questions are told; without them calls that ask cannot be pursued.

    """
    call_recordings: list[CallRecording] = []
    stack: list[_Open] = []
    number = origin = 0
    for event in events:
        if isinstance(event, FrameStart):
            origin = event.sender if not number else origin
            stack.append(_open_frame(event, stack, contracts, number))
            number += 1
        elif isinstance(event, FrameEnd):
            frame = stack.pop()
            _close(frame, event, call_recordings, with_questions, origin)
        else:
            draft = stack[-1].recording if stack else None
            if draft is None:
                continue
            if isinstance(event, SlotRead | SlotWrite):
                draft.accesses.append(event)
            elif isinstance(event, Question) and event.opcode != Op.GAS:  # a call alone has its own gas
                draft.questions.append(event)
            elif isinstance(event, FailedTransfer):
                draft.answers.append(CallEnding(event.kind, event.to, event.value, 0, b"", refused=True))
    return call_recordings


def _open_frame(
    event: FrameStart, stack: list[_Open], contracts: frozenset[int] | None, number: int
) -> _Open:
    outer = stack[-1] if stack else None
    delegated = event.kind in _DELEGATING and outer is not None
    owner = outer.owner if delegated and outer is not None else event.to
    static = (outer is not None and outer.static) or event.kind is FrameKind.STATICCALL
    inside = outer is not None and outer.recording is not None
    if inside and outer is not None and owner == outer.owner and not is_precompiled(event.to):
        return _Open(event, owner, number, outer.recording, False, None, static)
    answers_of = outer.recording if outer is not None else None
    is_outermost = not is_precompiled(event.to) and (contracts is None or owner in contracts)
    draft = _RecordingDraft() if is_outermost else None
    return _Open(event, owner, number, draft, draft is not None, answers_of, static)


def _close(
    frame: _Open, event: FrameEnd, call_recordings: list[CallRecording], with_questions: bool, origin: int
) -> None:
    start, succeeded = frame.start, event.halt is None
    creates = start.kind.creates
    if frame.answers_of is not None:
        result = (start.to if succeeded else 0) if creates else int(succeeded)
        output = b"" if creates and succeeded else event.output
        to = 0 if creates else start.to
        frame.answers_of.answers.append(CallEnding(start.kind, to, start.value, result, output))
    draft = frame.recording
    if draft is None:
        return
    if not frame.outermost:
        draft.short |= event.halt is Halt.OUT_OF_GAS
    else:
        call_recordings.append(
            CallRecording(
                contract=frame.owner,
                kind=start.kind,
                caller=start.sender,
                origin=origin,
                value=start.value,
                data=start.data,
                gas=start.gas,
                halt=event.halt,
                output=event.output,
                frame=frame.number,
                static=frame.static,
                short_inside=draft.short,
                accesses=draft.accesses,
                answers=draft.answers,
                questions=draft.questions if with_questions else None,
            )
        )
