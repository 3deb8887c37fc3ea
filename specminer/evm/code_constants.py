"""The numbers in a contract's code: what its conditions may compare with.

No number is learned from a history: between what was accepted and what was rejected lie many, and only one that the
code computes with can be the condition's. What the code does with a number tells what it is: selectors are compared
with the call's, pieces of strings are written to memory or shifted, addresses of code are jumped to, the stipend of
a transfer is gas. None of these is a bound.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from specminer.evm.opcodes import ENDS_BLOCK, GIVES, TAKES, Op, immediate_size

_COMPARING: Final = frozenset({Op.LT, Op.GT, Op.SLT, Op.SGT, Op.EQ})
_COMPUTING: Final = frozenset(
    {Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.SDIV, Op.MOD, Op.SMOD, Op.ADDMOD, Op.MULMOD}
)
_ENDS: Final = frozenset({*ENDS_BLOCK, Op.INVALID}) - {
    Op.CREATE,
    Op.CALL,
    Op.CALLCODE,
    Op.DELEGATECALL,
    Op.CREATE2,
}
_NEVER_CONTINUES: Final = frozenset({Op.STOP, Op.JUMP, Op.RETURN, Op.REVERT, Op.INVALID, Op.SELFDESTRUCT})
_SELECTOR_SIZE: Final = 4
_STIPEND: Final = 2300
"""Gas that comes with ether: ``transfer`` and ``send`` give it by hand where no ether is sent."""
SMALL: Final = 256
"""Numbers below stand in any code: sizes and places in memory."""
_PRINTABLE: Final = frozenset(range(0x20, 0x7F))
_LONG_TEXT: Final = 6
"""From so many printable characters on a number is a piece of a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """Numbers in code, ascending."""

    comparands: tuple[int, ...]
    """Those that are compared."""
    handed_on: tuple[int, ...]
    """Those that a block leaves to the next: what becomes of them is not seen."""
    operands: tuple[int, ...]
    """Those that are added, multiplied and the like."""

    def __contains__(self, number: int) -> bool:
        return number in self.comparands or number in self.handed_on or number in self.operands

    def between(self, inside: int, outside: int, *, computed: bool = False) -> int | None:
        """Return the number that tells ``inside`` from ``outside``: the nearest to what was accepted.

        Args:
            inside: a number that was accepted.
            outside: a number that was rejected.
            computed: whether something may be added to the number first.

        """
        least, most = min(inside, outside), max(inside, outside)
        handed_on = self.handed_on[bisect_left(self.handed_on, SMALL) :]
        for numbers in (self.comparands, handed_on, self.operands if computed else ()):
            low, high = bisect_left(numbers, least), bisect_right(numbers, most)
            if low < high:
                return numbers[low] if inside < outside else numbers[high - 1]
        return None


NONE: Final = Constants(comparands=(), handed_on=(), operands=())


class _Instruction(NamedTuple):
    counter: int
    opcode: int
    pushed_number: int | None
    """The number that it pushes."""


def constants(codes: bytes | Sequence[bytes], selectors: Collection[int] = ()) -> Constants:
    """Return the numbers that codes compute with; ``selectors`` are known ones, of functions and errors."""
    compared: set[int] = set()
    handed_on: set[int] = set()
    computed: set[int] = set()
    names: set[int] = set(selectors)
    for code in (codes,) if isinstance(codes, bytes) else codes:
        instructions = tuple(_instructions(code))
        targets = {item.counter for item in instructions if item.opcode == Op.JUMPDEST}
        used = _Uses(targets)
        for block in _reachable(_blocks(instructions)):
            used.follow(block)
        compared |= used.comparands
        handed_on |= used.handed_on
        computed |= used.operands
        names |= used.selectors
    return Constants(
        comparands=_numbers(compared, names),
        handed_on=_numbers(handed_on - compared, names),
        operands=_numbers(computed - compared - handed_on, names),
    )


def _numbers(candidates: Collection[int], selectors: Collection[int]) -> tuple[int, ...]:
    return tuple(sorted(number for number in candidates if _is_number(number, selectors)))


def _instructions(code: bytes) -> Iterator[_Instruction]:
    counter = 0
    while counter < len(code):
        opcode = code[counter]
        size = immediate_size(opcode)
        data = code[counter + 1 : counter + 1 + size]
        pushed = int.from_bytes(data, "big") if size else 0 if opcode == Op.PUSH0 else None
        yield _Instruction(counter, opcode, pushed)
        counter += 1 + size


def _blocks(instructions: Sequence[_Instruction]) -> list[Sequence[_Instruction]]:
    """Return the basic blocks, in the order of the code."""
    starts = {0, len(instructions)}
    for index, item in enumerate(instructions):
        if item.opcode == Op.JUMPDEST:
            starts.add(index)
        if item.opcode in _ENDS:
            starts.add(index + 1)
    return [instructions[start:end] for start, end in pairwise(sorted(starts))]


def _reachable(blocks: Sequence[Sequence[_Instruction]]) -> list[Sequence[_Instruction]]:
    """Return the blocks that may run: the first, those that follow one that may, and those whose address one pushes.

    What stands behind the code, such as metadata, is none.
    """
    number_of = {block[0].counter: number for number, block in enumerate(blocks)}
    reachable: set[int] = set()
    open_ = [0] if blocks else []
    while open_:
        number = open_.pop()
        if number in reachable:
            continue
        reachable.add(number)
        block = blocks[number]
        if block[-1].opcode not in _NEVER_CONTINUES and number + 1 < len(blocks):
            open_.append(number + 1)
        for item in block:
            target = number_of.get(item.pushed_number) if item.pushed_number is not None else None
            if target is not None and blocks[target][0].opcode == Op.JUMPDEST:
                open_.append(target)
    return [blocks[number] for number in sorted(reachable)]


class _Uses:
    """What blocks do with the numbers that they push."""

    def __init__(self, targets: Collection[int]) -> None:
        self._targets = targets
        self.comparands: set[int] = set()
        self.handed_on: set[int] = set()
        self.operands: set[int] = set()
        self.selectors: set[int] = set()

    def follow(self, block: Sequence[_Instruction]) -> None:
        """Follow the numbers on the stack through one basic block; what it finds there is not known."""
        stack: list[int | None] = []
        for index, item in enumerate(block):
            pops, pushes = TAKES[item.opcode], GIVES[item.opcode]
            if item.pushed_number is not None:
                stack.append(item.pushed_number)
                continue
            stack[:0] = [None] * (pops - len(stack))
            if Op.DUP1 <= item.opcode <= Op.DUP16:
                stack.append(stack[-pops])
            elif Op.SWAP1 <= item.opcode <= Op.SWAP16:
                stack[-1], stack[-pops] = stack[-pops], stack[-1]
            else:
                operands = stack[len(stack) - pops :]
                del stack[len(stack) - pops :]
                self._use(block, index, operands)
                stack += [None] * pushes
        # what is handed on to another block may be compared there; where it leads to is no number
        self.handed_on |= {number for number in stack if number is not None and number not in self._targets}

    def _use(self, block: Sequence[_Instruction], index: int, operands: Sequence[int | None]) -> None:
        numbers = {number for number in operands if number is not None}
        opcode = block[index].opcode
        if opcode in _COMPARING:
            if opcode == Op.EQ and _branches(block, index):
                self.selectors |= {
                    number
                    for number in numbers
                    if number.bit_length() > 8 * (_SELECTOR_SIZE - 1)
                    and number.bit_length() <= 8 * _SELECTOR_SIZE
                }
            self.comparands |= numbers
        elif opcode in _COMPUTING and len(numbers) < len(operands):
            self.operands |= numbers - {_STIPEND}


def _branches(block: Sequence[_Instruction], index: int) -> bool:
    """Whether a comparison decides at once where to go on, as the search for the called function does."""
    rest = [item.opcode for item in block[index + 1 : index + 4]]
    if rest[:1] == [Op.ISZERO]:
        del rest[0]
    return len(rest) >= 2 and Op.PUSH1 <= rest[0] <= Op.PUSH32 and rest[1] == Op.JUMPI


def _is_number(number: int, selectors: Collection[int]) -> bool:
    """Whether a number may be a bound: it is no selector, alone or in front of a word, and no piece of a text."""
    if number in selectors or (number >> 224 and not number & ((1 << 224) - 1)):
        return False
    text = number.to_bytes(32, "big").strip(b"\x00")
    return len(text) < _LONG_TEXT or not _PRINTABLE.issuperset(text)
