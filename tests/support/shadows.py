"""A shadow that checks its own law after every opcode."""

from __future__ import annotations

from typing import Any

from specminer.evm.forks import Fork
from specminer.evm.program import BlockEnd, Handler, InstructionSet
from specminer.shadow.arena import UNKNOWN
from specminer.shadow.evaluation import evaluate
from specminer.shadow.note import ShadowNote
from specminer.shadow.observer import Shadow

TOP = 4
"""Words of the stack that are checked after each opcode."""


class CheckedShadow(Shadow):
    """Evaluates what is on top of the stack after every opcode."""

    def __init__(self, *values: Any, every: int = 1, **options: Any) -> None:
        super().__init__(*values, **options)
        self.checked = 0
        self.with_node = 0
        self.unmarked: list[tuple[int, int, int]] = []
        """(frame, program counter of the block, value) of words that follow from the code alone."""
        self._every = every
        self._seen = 0

    def watch(self, fork: Fork) -> InstructionSet:
        rules = super().watch(fork)
        return InstructionSet(
            rules.costs,
            {opcode: self._checked(handler) for opcode, handler in rules.handlers.items()},
            {opcode: self._checked_end(end) for opcode, end in rules.ends.items()},
            rules.located_opcodes,
            (rules.falls, rules.stops, rules.fails),
        )

    def _checked(self, handler: Handler) -> Handler:
        def run(stack: list[int], frame: Any, argument: Any) -> None:
            handler(stack, frame, argument)
            self._seen += 1
            if self._seen % self._every == 0:
                self.check(stack, frame.note)
            if frame.note.marks and frame.note.marks[-1] is None:
                self.unmarked.append((frame.note.number, frame.block.start, stack[-1]))

        return run

    def _checked_end(self, end: BlockEnd) -> BlockEnd:
        def run(stack: list[int], frame: Any, block: Any) -> Any:
            self.check(stack, frame.note)
            following = end(stack, frame, block)
            if following is not None and isinstance(following.note, ShadowNote):
                self.check(following.stack, following.note)
            return following

        return run

    def check(self, stack: list[int], note: ShadowNote) -> None:
        """Compare the words on top of a stack with what their nodes evaluate to."""
        assert len(stack) == len(note.marks)
        record = note.record
        for value, node in zip(stack[-TOP:], note.marks[-TOP:], strict=True):
            self.checked += 1
            if node is not None and node != UNKNOWN:
                self.with_node += 1
                assert node not in record.arena.constants
                worth = evaluate(record.arena, node, record.inputs)
                assert worth == value, f"{record.arena.key(node)} is {worth:#x} instead of {value:#x}"
