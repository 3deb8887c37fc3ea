"""What a watched frame carries for the shadow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from specminer.evm.execution_recorder import Note
from specminer.shadow.memory_shadows import ShadowMemory
from specminer.shadow.record import ShadowRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from specminer.evm.execution_recorder import EventRecorder
    from specminer.evm.program import CodeBlock, Program


@dataclass(slots=True, kw_only=True)
class PendingCall:
    """A call that a frame is about to make, with where its operands came from."""

    number: int
    data: ShadowMemory
    """Where the calldata came from."""
    data_size: int | None = None
    """The node of its size."""
    value: int | None = None
    """The node of the ether."""
    creates: bool = False
    output_offset: int = 0
    output_size: int = 0


class ShadowNote(Note):
    """The shadow of one frame's stack and memory."""

    __slots__ = (
        "answer",
        "answer_size",
        "caller",
        "data",
        "data_size",
        "dynamic",
        "marks",
        "memory",
        "output",
        "pending",
        "record",
        "site",
        "start_marks",
        "value",
    )

    def __init__(self, recorder: EventRecorder, number: int, record: ShadowRecord) -> None:
        super().__init__(recorder, number)
        self.record = record
        self.marks: list[int | None] = []
        """The nodes of the words on the stack."""
        self.memory = ShadowMemory()
        self.data: ShadowMemory | None = None
        """Where the calldata came from; ``None`` if it is the call's own, a source."""
        self.data_size: int | None = None
        self.dynamic = False
        """Whether it is part of a call of which data chose the function: :attr:`ShadowRecord.dynamic_calls`."""
        self.caller: int | None = None
        self.value: int | None = None
        self.answer: ShadowMemory | None = None
        """Where the last answer came from; ``None`` before the first call."""
        self.answer_size: int | None = None
        self.output: ShadowMemory | None = None
        """Where what it returns came from."""
        self.pending: PendingCall | None = None
        self.start_marks = record.marks()
        self.site = 0
        """Where the call stands that opened the frame, if it belongs to the same call of the contract; else 0."""

    def site_of(self, block: CodeBlock, stack: Sequence[int]) -> int:
        """Return the number of the place where a block ends.

        It is told by the program counter, by the places to which the functions around it return, and by those of the
        calls around the frame. So a function that is called from two places decides at two sites, and a check in a
        loop at one. Of the code its jump targets count: contracts whose immutables differ have the same sites.
        """
        return self.place_of(block.program, block.last, stack)

    def place_of(self, program: Program, counter: int, stack: Sequence[int]) -> int:
        """Return the number of a place in the code, told as :meth:`site_of` says."""
        labels = program.labels
        returns = tuple(word for word in stack if word in labels)
        return self.record.arena.site((self.site, program.targets, counter, returns))
