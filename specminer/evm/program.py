"""Code, analysed once: jump targets, and basic blocks with the gas and the stack that they need.

A *program* is one contract's code under one :class:`InstructionSet`, that is under the rules of one fork and with
what one kind of observer wants. Its blocks are made when they are first reached, so that code that never runs costs
nothing.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from specminer.evm.opcodes import ENDS_BLOCK, GIVES, TAKES, Op, immediate_size

if TYPE_CHECKING:
    from specminer.evm.frame import Frame

Handler = Callable[[list[int], "Frame", Any], None]
"""Does what an opcode does: (stack, frame, argument). The argument is its immediate or its :class:`Site`."""
BlockEnd = Callable[[list[int], "Frame", "CodeBlock"], "Frame | None"]
"""Ends a block and returns the frame that runs on; ``None`` when the outermost one has ended."""

MAX_STACK: Final = 1024
_MAX_BLOCK: Final = 2_048
"""Opcodes of a block at most; longer runs of code are cut."""
_JUMPDEST, _PUSH1, _PUSH32 = int(Op.JUMPDEST), int(Op.PUSH1), int(Op.PUSH32)
MAX_REMEMBERED: Final = 4 << 20
"""Bytes of code whose programs an instruction set remembers; each byte may become an opcode that takes a hundred."""
_LARGEST: Final = 1 << 16
"""Bytes of a code that is remembered; no contract is as large, but a creation's code may be."""
_TARGETS: Final = re.compile(
    rb"(?:[^\x5b\x60-\x7f]|"
    + b"|".join(rb"\x%02x.{%d}" % (Op.PUSH0 + size, size) for size in range(1, 33))
    + rb")*+\x5b",
    re.DOTALL,
)
"""Everything up to the next jump target: other opcodes, and pushes with their data."""


@dataclass(slots=True)
class Site:
    """Where in a block an opcode stands, for those that need to know."""

    index: int
    """Its number in the block."""
    prepaid_gas: int
    """Gas that the block has paid in advance for the opcodes behind it."""
    counter: int
    """The program counter."""
    count: int = 0
    """For LOG the number of topics."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """One opcode of a code."""

    counter: int
    opcode: int
    immediate: int


class InstructionSet:
    """What each opcode does and costs."""

    def __init__(
        self,
        costs: Sequence[int],
        handlers: dict[int, Handler],
        ends: dict[int, BlockEnd],
        located: frozenset[int],
        jumps: tuple[BlockEnd, BlockEnd, BlockEnd],
    ) -> None:
        """Prepare.

        Args:
            costs: what each opcode costs at least; -1 if there is no such opcode.
            handlers: what those opcodes do that stand inside blocks.
            ends: what those do that end blocks.
            located: opcodes whose argument is their :class:`Site`.
            jumps: what a block does that runs into the next one, that runs out of code, and that meets an opcode
                that does not exist.

        """
        self.costs = costs
        self.handlers = handlers
        self.ends = ends
        self.located_opcodes = located
        self.falls, self.stops, self.fails = jumps
        self._programs: OrderedDict[bytes, Program] = OrderedDict()
        self.cached_bytes = 0
        """Bytes of code whose programs are remembered."""

    def program(self, code: bytes) -> Program:
        """Return the program of a code."""
        program = self._programs.get(code)
        if program is not None:
            self._programs.move_to_end(code)
            return program
        program = Program(code, self)
        if len(code) <= _LARGEST:
            self._programs[code] = program
            self.cached_bytes += len(code)
            while self.cached_bytes > MAX_REMEMBERED:
                forgotten, _ = self._programs.popitem(last=False)
                self.cached_bytes -= len(forgotten)
        return program

    def argument(self, opcode: int, immediate: int, counter: int, index: int, rest: int) -> Any:
        """Return what the handler of an opcode wants to be given.

        Args:
            opcode: the opcode.
            immediate: the word that a PUSH holds.
            counter: its program counter.
            index: its number in the block.
            rest: gas that the block has paid in advance for the opcodes behind it.

        """
        if Op.PUSH0 <= opcode <= Op.PUSH32:
            return immediate
        if opcode in self.located_opcodes:
            return Site(index, rest, counter, _opcode_number(opcode))
        return counter if opcode == Op.PC else _opcode_number(opcode)


def _opcode_number(opcode: int) -> int:
    """Return what an opcode's number says: for DUP and SWAP a place on the stack, for LOG how many topics."""
    if Op.DUP1 <= opcode <= Op.DUP16:
        return Op.DUP1 - opcode - 1
    if Op.SWAP1 <= opcode <= Op.SWAP16:
        return Op.SWAP1 - opcode - 2
    return opcode - Op.LOG0 if Op.LOG0 <= opcode <= Op.LOG4 else 0


class CodeBlock:
    """Opcodes that run one after another, up to one that may lead elsewhere."""

    __slots__ = (
        "body",
        "count",
        "end",
        "following",
        "gas",
        "last",
        "needs",
        "next",
        "program",
        "room",
        "start",
    )

    def __init__(self, program: Program, start: int) -> None:
        self.program = program
        self.start = start
        """Program counter of the first opcode."""
        self.body: tuple[tuple[Handler, Any], ...] = ()
        """What runs, in order; what ends the block is :attr:`end`."""
        self.end: BlockEnd = program.instructions.stops
        self.last = start
        """Program counter of the opcode that ends the block, or of what comes behind it if none does."""
        self.next = start
        """Program counter behind the block."""
        self.following: CodeBlock | None = None
        """The block there, once it has been reached."""
        self.count = 0
        """Opcodes in it."""
        self.gas = 0
        """What all of them cost at least."""
        self.needs = 0
        """Words that have to be on the stack."""
        self.room = MAX_STACK
        """Words that may be on it, so that it does not overflow."""


class Program:
    """A code with its jump targets and its blocks."""

    __slots__ = ("_labels", "_targets", "blocks", "code", "instructions", "jumps")

    def __init__(self, code: bytes, instructions: InstructionSet) -> None:
        self.code = code
        self.instructions = instructions
        self.blocks: dict[int, CodeBlock] = {}
        """By program counter."""
        self.jumps: dict[int, CodeBlock] = {}
        """Blocks that were jumped to, by program counter."""
        self._targets: frozenset[int] | None = None
        self._labels: frozenset[int] | None = None

    @property
    def targets(self) -> frozenset[int]:
        """Where a jump may go."""
        if self._targets is None:
            self._targets = jump_targets(self.code)
        return self._targets

    @property
    def labels(self) -> frozenset[int]:
        """Jump targets that the code pushes and does not jump to at once: where its functions return to."""
        if self._labels is None:
            self._labels = _return_labels(self)
        return self._labels

    def block(self, start: int) -> CodeBlock:
        """Return the block that begins at a program counter."""
        block = self.blocks.get(start)
        if block is None:
            block = self.blocks[start] = self._build(start)
        return block

    def target(self, counter: int) -> CodeBlock | None:
        """Return the block that a jump leads to; ``None`` if it must not go there."""
        if counter not in self.targets:
            return None
        block = self.jumps[counter] = self.block(counter)
        return block

    def decode(self, start: int) -> Iterator[Instruction]:
        """Yield the instructions from a program counter on."""
        code, counter, size = self.code, start, len(self.code)
        while counter < size:
            opcode = code[counter]
            width = immediate_size(opcode)
            yield Instruction(counter, opcode, self._immediate(code, counter, width) if width else 0)
            counter += 1 + width

    def _build(self, start: int) -> CodeBlock:
        rules, block, code = self.instructions, CodeBlock(self, start), self.code
        costs, counter, size = rules.costs, start, len(code)
        parts: list[tuple[int, int, int]] = []  # opcode, program counter, cost of the block up to here
        height = lowest = highest = gas = 0
        while counter < size:
            opcode = code[counter]
            cost = costs[opcode]
            if parts and (opcode == _JUMPDEST or len(parts) >= _MAX_BLOCK):
                block.end = rules.falls
                break
            if cost < 0:
                block.end = rules.fails
                break
            gas += cost
            needed = height - TAKES[opcode]
            if needed < lowest:
                lowest = needed
            height = needed + GIVES[opcode]
            if height > highest:
                highest = height
            if opcode in ENDS_BLOCK:
                block.end = rules.ends[opcode]
                block.last, block.next = counter, counter + 1
                block.count = 1
                break
            parts.append((opcode, counter, gas))
            counter += opcode - 0x5E if _PUSH1 <= opcode <= _PUSH32 else 1
        if not block.count:
            block.last = block.next = counter
        block.count += len(parts)
        block.gas, block.needs, block.room = gas, -lowest, MAX_STACK - highest
        block.body = self._body(gas, parts)
        return block

    def _body(self, gas: int, parts: Sequence[tuple[int, int, int]]) -> tuple[tuple[Handler, Any], ...]:
        rules, code = self.instructions, self.code
        body = []
        for index, (opcode, counter, paid) in enumerate(parts):
            if opcode == _JUMPDEST:
                continue
            if _PUSH1 <= opcode <= _PUSH32:
                argument: Any = self._immediate(code, counter, opcode - 0x5F)
            else:
                argument = rules.argument(opcode, 0, counter, index, gas - paid)
            body.append((rules.handlers[opcode], argument))
        return tuple(body)

    @staticmethod
    def _immediate(code: bytes, counter: int, width: int) -> int:
        """Return the word that a PUSH holds; behind the end of the code stand zeros."""
        end = counter + 1 + width
        value = int.from_bytes(code[counter + 1 : end], "big")
        return value if end <= len(code) else value << 8 * (end - len(code))


def jump_targets(code: bytes) -> frozenset[int]:
    """Return the program counters of all JUMPDEST that are no data of a push."""
    targets, end = [], 0
    while (match := _TARGETS.match(code, end)) is not None:
        end = match.end()
        targets.append(end - 1)
    return frozenset(targets)


def _return_labels(program: Program) -> frozenset[int]:
    """Return the targets in pushes as wide as compilers make those of labels, unless a jump follows at once."""
    width = max(1, ((len(program.code) - 1).bit_length() + 7) // 8)
    labels, latest = set[int](), None
    for item in program.decode(0):
        if latest is not None and item.opcode not in (Op.JUMP, Op.JUMPI):
            labels.add(latest)
        latest = item.immediate if item.opcode == Op.PUSH0 + width else None
    return program.targets & labels
