"""What a condition of the code is for: the source states it, or a compiler put it there.

Compilers differ in what they check and how a failed check ends, but the expressions give them away: the size of the
calldata, a word compared with itself cut to its type, a sum compared with what was added, a product divided by its
factor. Since Solidity 0.8 a panic code says which it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from specminer.decision.idioms import (
    RejectionIdiom,
    idiom_of,
    is_fixed,
    is_product_check,
    is_signature_check,
    speaks_of_high_word,
)
from specminer.decision.paths import Check, PathCondition
from specminer.shadow.arena import Arena

PANIC: Final = bytes.fromhex("4e487b71")
_PANICS: Final = {
    0x11: Check.ARITHMETIC,
    0x12: Check.ARITHMETIC,
    0x21: Check.DECODING,
    0x22: Check.DECODING,
    0x31: Check.BOUNDS,
    0x32: Check.BOUNDS,
    0x41: Check.MEMORY,
}
"""Checks by the codes of Solidity's panics; 0x01 is an assertion of the source, 0x51 a function that is not set."""
_LARGEST_SIZES: Final = ((1 << 64) - 1, 1 << 32, (1 << 251) - 1)
"""What offsets and lengths in calldata are compared with, by the version of Solidity; the last counts words."""
_NO_CHOICE: Final = (Check.CALLDATA, Check.ANSWER, Check.MEMORY)
"""Checks of conditions that do not qualify others: what they compare belongs to the encoding."""
_WORD_BITS: Final = 256
_MAX_SUMMANDS: Final = 16
_HASHED: Final = 1 << 200
"""Constants from here on are hashes: where the elements of an array begin."""
_NEAR_THE_END: Final = (1 << 256) - (1 << 32)


def check_of(arena: Arena, condition: PathCondition, rejection: RejectionIdiom) -> Check:
    """Return what a condition is for.

    Args:
        arena: holds its node.
        condition: what the code demands.
        rejection: how a call ends for which it does not hold.

    """
    output = rejection.output
    if arena.kind(condition.node) != "success" and output[:4] == PANIC and len(output) == 36:
        return _PANICS.get(int.from_bytes(output[4:], "big"), Check.OWN)
    idiom = idiom_of(arena, condition, rejection)
    if idiom is not None:
        return idiom
    if output or arena.kind(condition.node) == "success":
        return Check.OWN
    return shape_of(arena, condition)


def qualifies(arena: Arena, condition: PathCondition) -> bool:
    """Return whether a condition may qualify another one: what belongs to an encoding, or never changes, does not.

    That a product does not fit into a word is no choice either where ``mulDiv`` goes on with both its words: what it
    computes is the same.
    """
    if shape_of(arena, condition) in _NO_CHOICE:
        return False
    return not is_fixed(arena, condition.node) and not speaks_of_high_word(arena, condition.node)


def shape_of(arena: Arena, condition: PathCondition) -> Check:
    """Return what a condition is for by its expression alone; the rejection says nothing."""
    node = condition.node
    for is_shape, check in _SHAPES:
        if is_shape(arena, node, condition.holds):
            return check
    return Check.OWN


def _is_calldata(arena: Arena, node: int, holds: bool) -> bool:
    del holds
    kinds = {arena.kind(item) for item in arena.sources(node)}
    if "data_size" in kinds:
        return kinds <= {"data_size", "calldata"} and arena.kind(node) != "eq"
    if kinds != {"calldata"}:
        return False
    return _is_inner_size(arena, node) or _compares_pointers(arena, node, frozenset({"calldata"}))


def _is_inner_size(arena: Arena, node: int) -> bool:
    """Return whether what a call of the contract to itself is given suffices for the arguments behind the selector."""
    kind, left, size = (*arena.key(node), 0, 0)[:3]
    if kind not in ("lt", "slt") or size not in arena.constants or arena.constants[size] % 32:
        return False
    key = arena.key(left)
    return key[0] == "add" and arena.constants.get(key[2]) == (1 << 256) - 4


def _is_storage_range(arena: Arena, node: int, holds: bool) -> bool:
    del holds
    return _compares_pointers(arena, node, frozenset({"keccak", "storage"})) and any(
        arena.kind(item) == "keccak" or arena.constants.get(item, 0) >= _HASHED
        for item in _summands(arena, arena.key(node)[1])
    )


def _compares_pointers(arena: Arena, node: int, kinds: frozenset[str]) -> bool:
    """Return whether two sums are compared that have an expression of these kinds in common: where something lies."""
    key = arena.key(node)
    if key[0] not in ("lt", "slt", "eq"):
        return False
    left, right = _summands(arena, key[1]), _summands(arena, key[2])
    return len(left) + len(right) > 2 and any(arena.kind(item) in kinds for item in left & right)


def _summands(arena: Arena, node: int) -> set[int]:
    """Return the expressions that are added up in one, as far as they are not too many."""
    summands: set[int] = set()
    waiting = [node]
    while waiting and len(summands) < _MAX_SUMMANDS:
        item = waiting.pop()
        key = arena.key(item)
        if key[0] == "add":
            waiting += key[1:]
        else:
            summands.add(item)
    return summands


def _is_payability(arena: Arena, node: int, holds: bool) -> bool:
    return arena.kind(node) == "value" and not holds


def _is_answer(arena: Arena, node: int, holds: bool) -> bool:
    if arena.kind(node) == "code_size":
        return holds
    kinds = {arena.kind(item) for item in arena.sources(node)}
    return "answer_size" in kinds and kinds <= {"answer_size", "answer"}


def _is_decoding(arena: Arena, node: int, holds: bool) -> bool:
    kind, *rest = arena.key(node)
    if kind == "eq" and holds:
        return _is_cut(arena, rest[0], rest[1]) or _is_cut(arena, rest[1], rest[0])
    if kind == "field" and not holds:  # nothing stands above the type's bits
        return bool(rest[1] + rest[2] == _WORD_BITS and _is_given(arena, rest[0]))
    if kind == "lt" and not holds:
        return arena.constants.get(rest[0]) in _LARGEST_SIZES and _are_given(arena, rest[1])
    if kind == "lt":
        bound = arena.constants.get(rest[1], 0)
        return bound & (bound - 1) == 0 and bound >= 2 and _is_given(arena, rest[0])
    return False


def _is_given(arena: Arena, node: int) -> bool:
    """Return whether a node is a word of the calldata or of an answer."""
    return arena.kind(node) in ("calldata", "answer")


def _are_given(arena: Arena, node: int) -> bool:
    return {arena.kind(item) for item in arena.sources(node)} <= {"calldata", "answer"}


def _is_cut(arena: Arena, whole: int, part: int) -> bool:
    """Return whether one operand is a given word, and the other the same word cut to a type."""
    if not _is_given(arena, whole):
        return False
    kind, *rest = arena.key(part)
    if kind == "field":
        return bool(rest[0] == whole and rest[1] == 0)
    if kind == "signextend":
        return bool(rest[1] == whole)
    if kind == "shifted":  # bytes4 and its like stand on the left
        return bool(arena.key(rest[0])[:2] == ("field", whole))
    return kind == "iszero" and arena.key(rest[0]) == ("iszero", whole)


def _is_arithmetic(arena: Arena, node: int, holds: bool) -> bool:
    kind, *rest = arena.key(node)
    if kind == "lt" and not holds:  # the sum is smaller than what was added
        key = arena.key(rest[0])
        return key[0] == "add" and rest[1] in key[1:]
    if kind == "lt" and arena.constants.get(rest[1], 0) >= _NEAR_THE_END:  # what is added does not wrap
        return True
    if kind == "eq" and holds and (_is_lower_part(arena, *rest) or _is_lower_part(arena, rest[1], rest[0])):
        return True  # times a power of two it fits
    condition = PathCondition(node, holds)
    return is_product_check(arena, condition) or speaks_of_high_word(arena, node)


def _is_lower_part(arena: Arena, whole: int, part: int) -> bool:
    key = arena.key(part)
    return key[0] == "field" and key[1] == whole and not key[2]


def _is_signature(arena: Arena, node: int, holds: bool) -> bool:
    return is_signature_check(arena, PathCondition(node, holds))


_SHAPES: Final[tuple[tuple[Callable[[Arena, int, bool], bool], Check], ...]] = (
    (_is_calldata, Check.CALLDATA),
    (_is_payability, Check.PAYABILITY),
    (_is_answer, Check.ANSWER),
    (_is_storage_range, Check.MEMORY),
    (_is_decoding, Check.DECODING),
    (_is_arithmetic, Check.ARITHMETIC),
    (_is_signature, Check.SIGNATURE),
)
