"""Runs a read-only function on storage as far as it is known, and remembers what its result depended on.

Unlike a recorded call (:mod:`specminer.evm.alone`) such a call never happened: what it asks for is looked up, and where
that is not known, its result is not. What it asked for, in its order, is the only thing that its result depends on. So
runs are kept as a tree: the same answers to the same questions need no further run.

A function that writes, logs, creates or takes too long is no observer.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from specminer.evm.alone import CallRecording, open_frame
from specminer.evm.calling import enter_call
from specminer.evm.forks import Fork
from specminer.evm.frame import BlockContext, FrameKind
from specminer.evm.halts import Halt, LimitReached
from specminer.evm.interpreter import run_frames
from specminer.evm.opcodes import Op
from specminer.evm.taped_instructions import CallEnding, Tape, TapeEnded, is_precompiled

MAX_STEPS: Final = 20_000
"""Opcodes that a read-only function may take."""
_GAS: Final = 10_000_000
"""What it may spend: memory stays bounded."""
_CLOCKS: Final = (Op.TIMESTAMP, Op.NUMBER)
_RECORDED_OPCODES: Final = (Op.CHAINID,)


class QuestionKind(Enum):
    """What a function asks for."""

    SLOT = "slot"
    CLOCK = "clock"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class ViewQuestion:
    """One thing that a function asks for."""

    kind: QuestionKind
    subject: int
    """A slot, an opcode, or an address."""
    data: bytes = b""
    """What another contract is called with."""


class Knowledge(Protocol):
    """What is known at a moment of a history."""

    def slot(self, slot: int) -> int | None:
        """Return what a slot of the contract holds; ``None`` if that is not known, as below."""

    def clock(self, opcode: int) -> int | None:
        """Return the time (Unix seconds) or the number of the block."""

    def answer(self, to: int, data: bytes) -> tuple[bool, bytes] | None:
        """Return whether a call of another contract succeeds, and what it answers."""


class Ending(Enum):
    """How a run ended."""

    VALUE = "value"
    REFUSED = "refused"
    """The code reverted: the function has no value there."""
    UNKNOWN = "unknown"
    """It asks for what is not known, or cannot be known from a history."""
    UNFIT = "unfit"
    """It writes, or takes too long: it is no observer."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a run said."""

    ending: Ending
    output: bytes = b""


_UNKNOWN: Final = Observation(Ending.UNKNOWN)


@dataclass(slots=True)
class _QuestionNode:
    """A question with what followed each answer."""

    question: ViewQuestion
    following: dict[object, _QuestionNode | Observation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewCode:
    """Where and how a function runs."""

    contract: int
    codes: Mapping[int, bytes]
    """Code of the contract and of those to which it delegates, by address."""
    fork: Fork
    chain_id: int


class ViewRuns:
    """The runs of one read-only function with one calldata."""

    def __init__(self, code: ViewCode, data: bytes) -> None:
        self._code, self._data = code, data
        self._root: _QuestionNode | Observation | None = None
        self.slots: set[int] = set()
        """What it ever read."""

    def observe(self, knowledge: Knowledge) -> tuple[Observation, int]:
        """Return what the function says by what is known, and how many opcodes that took: none if it was run before."""
        node = self._root
        while isinstance(node, _QuestionNode):
            answer = _look_up(node.question, knowledge)
            if answer is None:
                return _UNKNOWN, 0
            node = node.following.get(answer)
        if node is not None:
            return node, 0
        path, observation, steps = _run(self._code, self._data, knowledge)
        self.slots.update(question.subject for question in path if question.kind is QuestionKind.SLOT)
        self._remember(path, observation)
        return observation, steps

    def _remember(self, path: Mapping[ViewQuestion, object], observation: Observation) -> None:
        """Add a run to the tree; a question without an answer is its end."""
        parent: _QuestionNode | None = None
        answer: object = None
        for question, reply in path.items():
            following = self._root if parent is None else parent.following.get(answer)
            node = following if isinstance(following, _QuestionNode) else _QuestionNode(question)
            self._link(parent, answer, node)
            parent, answer = node, reply
            if reply is None:
                return
        self._link(parent, answer, observation)

    def _link(self, parent: _QuestionNode | None, answer: object, node: _QuestionNode | Observation) -> None:
        if parent is None:
            self._root = node
        else:
            parent.following[answer] = node


def _look_up(question: ViewQuestion, knowledge: Knowledge) -> int | tuple[bool, bytes] | None:
    match question.kind:
        case QuestionKind.SLOT:
            return knowledge.slot(question.subject)
        case QuestionKind.CLOCK:
            return knowledge.clock(question.subject)
        case QuestionKind.CALL:
            return knowledge.answer(question.subject, question.data)


class _ViewTape(Tape):
    """Answers a call that never happened from what is known, and notes what it asked for."""

    hears_data = True

    def __init__(self, code: ViewCode, knowledge: Knowledge) -> None:
        super().__init__(code.contract, (), None, None, code.codes)
        self.knowledge = knowledge
        self.path: dict[ViewQuestion, int | tuple[bool, bytes] | None] = {}
        self.unknown = _Opcodes(self)

    def look_up(self, question: ViewQuestion) -> int | tuple[bool, bytes] | None:
        """Return the answer to a question, which is noted."""
        if question not in self.path:
            self.path[question] = _look_up(question, self.knowledge)
        return self.path[question]

    def read(self, slot: int) -> int:
        value = self.look_up(ViewQuestion(QuestionKind.SLOT, slot))
        if not isinstance(value, int):
            raise TapeEnded(f"it reads slot {slot:#x}, whose value is not known")
        return value

    def ask(self, opcode: int, operand: int) -> int:
        if opcode == Op.TLOAD:
            return 0  # nothing is left of other transactions
        if opcode == Op.EXTCODESIZE and operand in self.codes:
            return len(self.codes[operand])
        return super().ask(opcode, operand)

    def answer(self, kind: FrameKind, to: int, value: int) -> CallEnding:
        if is_precompiled(to):
            return CallEnding(kind, to, value, 1, b"", computed=True)
        reply = None if value else self.look_up(ViewQuestion(QuestionKind.CALL, to, self.data))
        if not isinstance(reply, tuple):
            raise TapeEnded(f"it calls 0x{to:040x}, whose answer is not known")
        succeeded, output = reply
        return CallEnding(kind, to, value, int(succeeded), output)


class _Opcodes(Container[int]):
    """The opcodes that ask for what is not known of the block; what is asked for is noted."""

    def __init__(self, tape: _ViewTape) -> None:
        self._tape = tape

    def __contains__(self, opcode: object) -> bool:
        if opcode in _CLOCKS and isinstance(opcode, int):
            return self._tape.look_up(ViewQuestion(QuestionKind.CLOCK, int(opcode))) is None
        return opcode not in _RECORDED_OPCODES


def _run(
    code: ViewCode, data: bytes, knowledge: Knowledge
) -> tuple[Mapping[ViewQuestion, object], Observation, int]:
    """Run a function; return what it asked for and was told, what it said, and how many opcodes it took."""
    tape = _ViewTape(code, knowledge)
    recording = CallRecording(
        contract=code.contract,
        kind=FrameKind.CALL,
        caller=0,
        value=0,
        data=data,
        gas=_GAS,
        halt=None,
        output=None,
        origin=0,
        static=True,
    )
    time, number = (knowledge.clock(int(opcode)) for opcode in _CLOCKS)
    block = BlockContext(chain_id=code.chain_id, number=number or 0, timestamp=time or 0)
    frame = open_frame(recording, code.fork, block, code.codes, tape)
    run = frame.run
    run.steps = MAX_STEPS
    observation = _UNKNOWN
    try:
        run_frames(
            enter_call(frame, code.codes[code.contract], code.contract, transfer=False, precompiled=False)
        )
        observation = _end_observation(frame.halt, frame.output)
    except TapeEnded:
        pass
    except LimitReached:
        observation = Observation(Ending.UNFIT)
    return tape.path, observation, MAX_STEPS - run.steps


def _end_observation(halt: Halt | None, output: bytes) -> Observation:
    if halt is None:
        return Observation(Ending.VALUE, output)
    return Observation(Ending.UNFIT if halt is Halt.STATIC_WRITE else Ending.REFUSED)
