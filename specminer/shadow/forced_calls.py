"""A recorded call whose decisions are forced: it runs as recorded up to the first one, and then leaves the recording.

From there on it explores the code: at each jump that is not forced it goes the way that its values lead it. Storage is
what the recording knows of it, and zero where it knows nothing; calls of other contracts succeed and answer with one;
what of the block, or the price of gas, is not known is zero.
Such a run is no execution that ever was. It tells which decisions the code makes one after another, not what they are
worth.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from specminer.evm.alone import MAX_STEPS, CallRecording, open_frame, prepare
from specminer.evm.calling import enter_call, enter_creation
from specminer.evm.execution_events import Question, SlotRead, SlotWrite
from specminer.evm.execution_recorder import Reports
from specminer.evm.forks import Fork
from specminer.evm.frame import BlockContext, Frame, FrameKind
from specminer.evm.halts import Halt, LimitReached
from specminer.evm.interpreter import run_frames
from specminer.evm.opcodes import Op
from specminer.evm.program import BlockEnd, CodeBlock, InstructionSet
from specminer.evm.taped_instructions import (
    LAST_PRECOMPILED,
    UNKNOWN_VALUE,
    CallEnding,
    Tape,
    TapeContradicted,
    TapeEnded,
    taped_instructions,
)
from specminer.evm.world import World
from specminer.shadow.arena import Arena
from specminer.shadow.note import ShadowNote
from specminer.shadow.observer import Shadow
from specminer.shadow.record import ShadowRecord
from specminer.shadow.shadow_instructions import shadowing

_ROOM: Final = 16 << 20
"""Bytes that the record of a forced run may take, about."""
_ASSUMED_ANSWER: Final = (1).to_bytes(32, "big")
_ASSUMED: Final = {Op.EXTCODESIZE: 1}
"""What is assumed where the recording knows nothing; zero for the others."""


FactOf = Callable[[int, bool], tuple[int, bool]]
"""From a node and whether it is not zero to the fact that this is: equal facts about the world are equal."""


class FrameEnding(NamedTuple):
    """Where in which code a frame ended."""

    code_address: int | None
    counter: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedRun:
    """What a call did whose decisions were forced."""

    record: ShadowRecord
    """Its decisions as they were taken; :attr:`ShadowRecord.inputs` has assumed values as well."""
    halt: Halt | None
    output: bytes
    ended: bool
    """Whether it came to an end within its bounds."""
    ending: FrameEnding | None
    """Where the frame halted that made the call end; ``None`` if the call returned or did not end."""
    calls_after: int
    """How many calls of other contracts were made after the first forced decision, questions (STATICCALL) left out."""
    constant_jumps: int
    """How many conditional jumps after that were decided upon what follows from the code alone."""
    opcodes: int
    """How many opcodes it took."""
    gas: int
    """What it took if every address and slot was warm; more on the chain."""
    contradicted: bool
    """Whether it ended because it did something else than was recorded."""


class ForcedTape(Tape):
    """A recording that a call follows until it is :attr:`free`."""

    def __init__(self, recording: CallRecording, codes: Mapping[int, bytes]) -> None:
        super().__init__(
            recording.contract, recording.accesses, recording.answers, recording.questions, codes
        )
        self.free = False
        self.world: World | None = None
        self.calls = 0
        """Calls of other contracts since it is free, those left out that may only answer."""
        self._values = _first_values(recording.accesses)
        self._last_answers = _last_answers(recording.questions)
        self._transient: dict[int, int] = {}

    def leave(self) -> None:
        """Follow the recording no more: what it does not know is assumed from now on."""
        self.free = True
        self.unknown = ()

    def _put(self, values: dict[int, int], slot: int, value: int) -> None:
        assert self.world is not None  # set before anything runs
        self.world.put(values, slot, value)

    def read(self, slot: int) -> int:
        """Return what a slot holds."""
        if self.free:
            return self._values.get(slot, 0)
        value = super().read(slot)
        self._values[slot] = value
        return value

    def before(self, slot: int) -> int:
        """Return what a slot held before a write."""
        return self._values.get(slot, 0) if self.free else super().before(slot)

    def write(self, slot: int, value: int) -> None:
        """Take in a write."""
        if not self.free:
            super().write(slot, value)
        self._put(self._values, slot, value)

    def store_transient(self, slot: int, value: int) -> None:
        """Take in a write to transient storage."""
        self._put(self._transient, slot, value)

    def ask(self, opcode: int, operand: int) -> int:
        """Return what an opcode pushes."""
        if not self.free:
            return super().ask(opcode, operand)
        if opcode == Op.TLOAD and operand in self._transient:
            return self._transient[operand]
        return self._last_answers.get((opcode, operand), _ASSUMED.get(Op(opcode), 0))

    def answer(self, kind: FrameKind, to: int, value: int) -> CallEnding:
        """Return the answer of a call."""
        if not self.free:
            return super().answer(kind, to, value)
        if not kind.creates and 0 < to <= LAST_PRECOMPILED:  # of storage that is not known, zero is assumed
            return CallEnding(kind, to, value, 1, b"", computed=True)
        self.calls += kind is not FrameKind.STATICCALL
        return CallEnding(kind, to, value, 1, b"" if kind.creates else _ASSUMED_ANSWER)

    def refuses(self, kind: FrameKind, to: int) -> bool:
        """Return whether the next call never begins."""
        return not self.free and super().refuses(kind, to)


def _first_values(accesses: Sequence[SlotRead | SlotWrite]) -> dict[int, int]:
    """Return what slots held when the call began."""
    values: dict[int, int] = {}
    for access in accesses:
        value = access.value if isinstance(access, SlotRead) else access.before
        if value != UNKNOWN_VALUE:
            values.setdefault(access.slot, value)
    return values


def _last_answers(questions: Sequence[Question] | None) -> dict[tuple[int, int], int]:
    return {(item.opcode, item.argument): item.value for item in questions or ()}


class ForcedShadow(Shadow):
    """Keeps the shadow, and turns some decisions round."""

    def __init__(
        self, contract: int, arena: Arena, flips: Collection[int], tape: ForcedTape, fact: FactOf
    ) -> None:
        super().__init__([contract], arena, room=_ROOM, foundation=taped_instructions)
        self.flips = flips
        """Positions among the decisions of the record."""
        self.tape = tape
        self._fact = fact
        self._facts: dict[int, bool] = {}
        """What was forced: later decisions upon the same fact follow it."""
        self.constant_jumps = 0
        """Conditional jumps upon what follows from the code, since the call left its recording."""
        self.ends: list[tuple[int, Halt | None, bytes, FrameEnding]] = []
        """Of each frame that ended: the number of decisions until then, how, with what, and where."""

    def way(self, position: int, condition: int, natural: bool) -> bool:
        """Return which way a jump goes that by its value would go the ``natural`` way.

        Args:
            position: of the decision in the record.
            condition: the node that is decided upon.
            natural: the way of its value.

        """
        if position in self.flips:
            self.tape.leave()
            node, holds = self._fact(condition, not natural)
            self._facts[node] = holds
            return not natural
        if self._facts:
            node, holds = self._fact(condition, natural)
            return natural == (self._facts.get(node, holds) is holds)
        return natural

    def watch(self, fork: Fork) -> InstructionSet:
        """Return instructions that keep the shadow and may turn a jump round."""
        return _forcing(fork, self.reports)

    def leave(self, frame: Frame) -> None:
        """Note how a frame ended."""
        super().leave(frame)
        ending = FrameEnding(frame.code_address, frame.block.last if frame.code else 0)
        self.ends.append((len(self.records[0].decisions), frame.halt, frame.output, ending))

    def origin(self) -> FrameEnding | None:
        """Return where the halt began that went up through all frames to the outermost."""
        if not self.ends or self.ends[-1][1] is None:
            return None
        _, _, output, ending = self.ends[-1]
        for _, halt, text, inner in reversed(self.ends):
            if halt is None or text != output:
                break
            ending = inner
        return ending


def _force_jump(base: BlockEnd) -> BlockEnd:
    """Return a conditional jump that is turned round where the shadow says so."""

    def end(stack: list[int], frame: Any, block: CodeBlock) -> Frame | None:
        note: ShadowNote = frame.note
        condition, shadow = note.marks[-2], note.recorder
        assert isinstance(shadow, ForcedShadow)
        if condition is None:
            shadow.constant_jumps += shadow.tape.free
        else:
            natural = bool(stack[-2])
            jumps = shadow.way(len(note.record.decisions), condition, natural)
            if jumps is not natural:
                stack[-2] = int(jumps)
        return base(stack, frame, block)

    return end


@cache
def _forcing(fork: Fork, reports: Reports) -> InstructionSet:
    rules = shadowing(fork, reports)
    ends = {**rules.ends, Op.JUMPI: _force_jump(rules.ends[Op.JUMPI])}
    return InstructionSet(
        rules.costs, rules.handlers, ends, rules.located_opcodes, (rules.falls, rules.stops, rules.fails)
    )


def force(
    recording: CallRecording,
    fork: Fork,
    block: BlockContext,
    codes: Mapping[int, bytes],
    *,
    arena: Arena,
    flips: Collection[int],
    fact: FactOf,
    max_steps: int = MAX_STEPS,
    gas_price: int = 0,
    recorded: bool = True,
    tape: ForcedTape | None = None,
) -> ForcedRun | None:
    """Run a recorded call with some of its decisions forced.

    Args:
        recording: the call; it must be one that :func:`~specminer.evm.alone.pursue` proves.
        fork: the rules.
        block: what code can ask of the block.
        codes: the contract's code, and that of the contracts to which it delegates, by address.
        arena: the one of the call's own run, so that equal expressions are one node.
        flips: positions of the decisions to force, among those of the record.
        fact: what a decision upon a node says; what was forced once stays so.
        max_steps: how many opcodes it may take.
        gas_price: in wei.
        recorded: whether it is a call that was recorded; one that is made up follows nothing from its beginning, and
            of the recording only the first values of storage are taken.
        tape: what it hears from, of this recording; by default one that it follows until a decision is forced.

    Returns:
        What it did; ``None`` if nothing can run.

    """
    if not recording.kind.creates and recording.contract not in codes:
        return None
    tape = ForcedTape(recording, codes) if tape is None else tape
    prepare(tape, recording)
    if not recorded:
        tape.leave()
    shadow = ForcedShadow(recording.contract, arena, flips, tape, fact)
    frame = open_frame(recording, fork, block, codes, tape)
    run = frame.run
    tape.world = run.world
    run.origin, run.gas_price, run.steps = recording.origin, gas_price, max_steps
    run.observer, run.watched_instructions = shadow, shadow.watch(fork)
    ended, contradicted = True, False
    try:
        if recording.kind.creates:
            run_frames(enter_creation(frame, recording.data))
        else:
            code = codes[recording.contract]
            run_frames(enter_call(frame, code, recording.contract, transfer=False, precompiled=False))
    except (TapeEnded, LimitReached) as end:
        ended, contradicted = False, isinstance(end, TapeContradicted)
    if not shadow.records:
        return None
    return ForcedRun(
        record=shadow.records[0],
        halt=frame.halt,
        output=frame.output,
        ended=ended,
        ending=shadow.origin() if ended else None,
        calls_after=tape.calls,
        constant_jumps=shadow.constant_jumps,
        opcodes=max_steps - max(run.steps, 0),
        gas=recording.gas - frame.gas,
        contradicted=contradicted,
    )
