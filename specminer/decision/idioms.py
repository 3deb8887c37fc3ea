"""Idioms that libraries put into contracts: checked sums and products, casts, signatures, questions to others.

Before Solidity 0.8 the source called SafeMath where compilers check today, with a text of the library for what does
not fit. The shape of the expressions tells such a check, not who wrote the text. A difference is more: that a balance
is at least ``amount`` is a condition on the caller's argument, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from specminer._support.keccak import keccak
from specminer.decision.paths import Check, PathCondition, PathStep
from specminer.evm.frame import FrameKind
from specminer.evm.opcodes import Op
from specminer.shadow.arena import MASK, SOURCES, Arena, operands_of

_HALF_OF_THE_CURVE: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""The largest ``s`` of a canonical signature: half of the order of secp256k1."""
_NO_CODE: Final = int.from_bytes(keccak(b""), "big")
"""The hash of the code of an account that has none (EIP-1052)."""
_SIGNATURE_BYTES: Final = 65
_RECOVERY: Final = (27, 28)
"""The values of ``v``."""
_ECRECOVER: Final = 1
_LAST_PRECOMPILED: Final = 0x13
_ERROR: Final = bytes.fromhex("08c379a0")
_CASTS: Final = frozenset(
    bytes.fromhex(item) for item in ("6dfcc650", "327269a7", "24775e06", "a8ce4432", "93dafdf1", "35278d12")
)
"""Errors of OpenZeppelin's SafeCast, one for each direction, and those of Solady's and Solmate's successors."""
_CAST_TEXT: Final = re.compile(r"SafeCast|doesn't fit in|value must be positive")
_ARITHMETIC_TEXT: Final = re.compile(
    r"safe ?math|ds-?math|mul-?div|(?:over|under)flow|\b(?:sub|add|mul)(?:traction|ition|tiplication)?\b",
    re.IGNORECASE,
)
_OF_THE_CALLER: Final = frozenset({"calldata", "value"})
_FROM_OUTSIDE: Final = _OF_THE_CALLER | {"answer", "balance", "own_balance"}
_STORAGE_KINDS: Final = frozenset({"storage", "transient"})
_STACK_ONLY: Final = frozenset({Op.JUMPDEST, Op.POP, *range(0x5F, 0xA0)})  # pushes, copies and exchanges
_MAX_SCANNED: Final = 24
"""Opcodes behind a check among which a subtraction is looked for."""


class RejectionIdiom(NamedTuple):
    """What is known of how a condition that does not hold ends a call."""

    output: bytes
    """What the code reverts with."""
    coded: bool = False
    """Whether no call was rejected by it, so that a decision had to be forced."""
    invalid: bool = False
    """Whether the code halts with INVALID, as old compilers and assertions do."""
    subtracts: bool = False
    """Whether the code subtracts as soon as the condition holds."""
    enums: frozenset[int] = frozenset()
    """Where in the calldata values of enums stand."""


def idiom_of(arena: Arena, condition: PathCondition, rejection: RejectionIdiom) -> Check | None:
    """Return what a condition is for if it is an idiom of a library; ``None`` if it is not, or if that is not known."""
    kind = arena.kind(condition.node)
    if kind == "success":
        return _question(arena, arena.key(condition.node)[1], rejection)
    if is_signature_check(arena, condition):
        return Check.SIGNATURE
    if rejection.coded and _is_about_answers(arena, condition):
        return Check.ANSWER
    if _is_cast(arena, condition, rejection.output):
        return Check.DECODING
    if not rejection.output and _is_member_check(arena, condition, rejection.enums):
        return Check.DECODING
    if is_product_check(arena, condition) or speaks_of_high_word(arena, condition.node):
        return Check.ARITHMETIC
    if rejection.invalid and _is_divisor(arena, condition):
        return Check.ARITHMETIC
    if rejection.coded and (
        _is_internal_sum(arena, condition) or _is_internal_gap(arena, condition, rejection)
    ):
        return Check.ARITHMETIC
    return None


def is_product_check(arena: Arena, condition: PathCondition) -> bool:
    """Return whether a condition says that a product fits: divided by one factor it is the other."""
    if arena.kind(condition.node) != "eq" or not condition.holds:
        return False
    _, left, right = arena.key(condition.node)
    return _is_divided_product(arena, left, right) or _is_divided_product(arena, right, left)


def is_checked_product(arena: Arena, condition: PathCondition, factor: int) -> bool:
    """Return whether a condition says that a product fits: divided by this factor it is the other.

    Of a factor that is a difference, what is decided upon is whether both its sides are equal.
    """
    if arena.kind(condition.node) != "eq":
        return False
    _, left, right = arena.key(condition.node)
    return any(
        _is_divided_product(arena, one, other)
        and factor in (arena.key(one)[2], arena.iszero(arena.key(one)[2]))
        for one, other in ((left, right), (right, left))
    )


def spares_product(arena: Arena, steps: Sequence[PathStep], index: int) -> bool:
    """Return whether a step asks for a factor that is zero: the product needs no check then, and zero follows."""
    node = steps[index].condition.node
    return index + 1 < len(steps) and is_checked_product(arena, steps[index + 1].condition, node)


def speaks_of_high_word(arena: Arena, node: int) -> bool:
    """Return whether a condition is about the upper half of a product with 512 bits, as ``mulDiv`` computes it."""
    key = arena.key(node)
    if key[0] == "eq" and {_low_of_rest(arena, key[1]), _low_of_rest(arena, key[2])} != {None}:
        pairs = ((key[1], key[2]), (key[2], key[1]))
        return any(_is_rest(arena, rest, borrow) for rest, borrow in pairs)
    if key[0] in ("lt", "eq"):
        return any(_is_high_word(arena, item) for item in key[1:3])
    return _is_high_word(arena, node)


def is_fixed(arena: Arena, node: int) -> bool:
    """Return whether a condition depends on the contract's address and the chain's number only.

    So does a cached domain separator that is compared with the one of today.
    """
    sources = arena.sources(node)
    return bool(sources) and all(arena.kind(item) in ("this", "chain") for item in sources)


def is_signature_check(arena: Arena, condition: PathCondition) -> bool:
    """Return whether a condition says that a signature is well-formed: its length, ``v``, the lower half of ``s``."""
    key = arena.key(condition.node)
    if key[0] == "lt":
        bounds = [arena.constants.get(item) for item in key[1:3]]
        return _HALF_OF_THE_CURVE in bounds or _HALF_OF_THE_CURVE + 1 in bounds
    if key[0] != "eq" or key[2] not in arena.constants:
        return False
    value = arena.constants[key[2]]
    if value == _SIGNATURE_BYTES or value in _RECOVERY:
        kinds = {arena.kind(item) for item in value_sources(arena, key[1])}
        return kinds == {"calldata"} and _recovers(arena)
    return False


def value_sources(arena: Arena, node: int) -> frozenset[int]:
    """Return the sources whose values an expression is computed from, not those of the places where they are stored."""
    sources: set[int] = set()
    visited, pending = {node}, [node]
    while pending:
        item = pending.pop()
        key = arena.key(item)
        if key[0] in SOURCES:
            sources.add(item)
            continue
        for operand in operands_of(key):
            if operand not in visited:
                visited.add(operand)
                pending.append(operand)
    return frozenset(sources)


def subtracts_next(code: bytes, counter: int, jumps: bool) -> bool:
    """Return whether code subtracts right behind a conditional jump, before it looks at anything else.

    Args:
        code: that of the frame.
        counter: where the jump stands.
        jumps: whether it jumps, or the code behind it runs.

    """
    if not 0 <= counter < len(code) or code[counter] != Op.JUMPI:
        return False
    offset = counter + 1
    if jumps:
        target = _pushed_before(code, counter)
        if target is None:
            return False
        offset = target
    for _ in range(_MAX_SCANNED):
        if offset >= len(code):
            return False
        opcode = code[offset]
        if opcode == Op.SUB:
            return True
        if opcode not in _STACK_ONLY:
            return False
        offset += 1 + (opcode - 0x5F if 0x5F < opcode <= 0x7F else 0)
    return False


def subtracts_before(arena: Arena, node: int) -> bool:
    """Return whether a decision compares a difference with what it was taken from: ``a - b <= a``."""
    while arena.kind(node) == "iszero":
        node = arena.key(node)[1]
    key = arena.key(node)
    if key[0] != "lt":
        return False
    first, second = (arena.key(item) for item in key[1:3])
    return bool((second[0] == "sub" and second[1] == key[1]) or (first[0] == "sub" and first[1] == key[2]))


def _pushed_before(code: bytes, counter: int) -> int | None:
    """Return where a jump leads whose target is pushed right before it."""
    for width in (2, 1, 3):
        if counter > width and code[counter - width - 1] == 0x5F + width:
            return int.from_bytes(code[counter - width : counter], "big")
    return None


def _question(arena: Arena, number: int, rejection: RejectionIdiom) -> Check:
    """Return what the success of a call is for: what only asks, or computes, is part of reading its answer."""
    call = arena.foreign.call(number)
    if call is None:
        return Check.OWN
    receiver = arena.constants.get(call.to)
    if receiver is not None and 0 < receiver <= _LAST_PRECOMPILED:
        return Check.ANSWER
    return Check.ANSWER if rejection.coded and call.kind is FrameKind.STATICCALL else Check.OWN


def _recovers(arena: Arena) -> bool:
    """Return whether some run recovered a signer."""
    return any(arena.constants.get(call.to) == _ECRECOVER for call in arena.foreign.calls)


def _is_about_answers(arena: Arena, condition: PathCondition) -> bool:
    """Return whether a condition asks for code where the contract calls, or for the size of an answer."""
    key = arena.key(condition.node)
    if _asks_for_code(arena, condition):
        return True
    if key[0] not in ("lt", "slt"):
        return False
    return any(arena.kind(item) == "answer_size" for item in value_sources(arena, condition.node))


def _asks_for_code(arena: Arena, condition: PathCondition) -> bool:
    """Return whether a condition says that there is code at a contract that is called: by its size, or by its hash."""
    key = arena.key(condition.node)
    asks = condition.holds and key[0] in ("code_size", "code_hash")
    if key[0] == "eq" and arena.constants.get(key[2]) == _NO_CODE:
        key = arena.key(key[1])
        asks = not condition.holds and key[0] == "code_hash"
    return asks and any(call.to == key[1] for call in arena.foreign.calls)


def _is_cast(arena: Arena, condition: PathCondition, output: bytes) -> bool:
    if output[:4] not in _CASTS and not _CAST_TEXT.search(_text_of(output)):
        return False
    return arena.kind(condition.node) in ("lt", "slt", "eq", "field")


def _is_member_check(arena: Arena, condition: PathCondition, enums: frozenset[int]) -> bool:
    """Return whether a condition says that an argument is one of an enum's values: it is less than their number."""
    key = arena.key(condition.node)
    if key[0] != "lt":
        return False
    index, bound = (key[1], key[2]) if condition.holds else (key[2], key[1])
    word = arena.key(index)
    if word[0] == "field" and not word[2]:
        word = arena.key(word[1])
    return bound in arena.constants and word[0] == "calldata" and len(word) == 2 and word[1] in enums


def _is_divisor(arena: Arena, condition: PathCondition) -> bool:
    return condition.holds and arena.divides(condition.node)


def _is_internal_sum(arena: Arena, condition: PathCondition) -> bool:
    """Return whether a sum does not wrap around that no argument adds to what is stored."""
    key = arena.key(condition.node)
    if key[0] != "lt" or condition.holds:
        return False
    total = arena.key(key[1])
    if total[0] != "add" or key[2] not in total[1:3]:
        return False
    kinds = [{arena.kind(item) for item in value_sources(arena, part)} for part in total[1:3]]
    return not any(
        added_kinds & _OF_THE_CALLER and stored & _STORAGE_KINDS
        for added_kinds, stored in (kinds, reversed(kinds))
    )


def _is_internal_gap(arena: Arena, condition: PathCondition, rejection: RejectionIdiom) -> bool:
    """Return whether a difference does not wrap around of which nothing comes from the caller or from others."""
    key = arena.key(condition.node)
    if key[0] != "lt" or condition.holds or not arena.is_subtracted(key[1], key[2]):
        return False
    kinds = {arena.kind(item) for item in value_sources(arena, condition.node)}
    if kinds & _FROM_OUTSIDE:
        return False
    if not rejection.output:
        return rejection.invalid or rejection.subtracts
    return _ARITHMETIC_TEXT.search(_text_of(rejection.output)) is not None


def _text_of(output: bytes) -> str:
    """Return the text of a revert that has one."""
    if output[:4] != _ERROR:
        return ""
    size = int.from_bytes(output[36:68], "big")
    return output[68 : 68 + min(size, 256)].decode("utf-8", "replace")


def _is_divided_product(arena: Arena, quotient: int, factor: int) -> bool:
    key = arena.key(quotient)
    if key[0] not in ("div", "sdiv"):
        return False
    product = arena.key(key[1])
    return product[0] == "mul" and set(operands_of(product)) == {key[2], factor}


def _low_of_rest(arena: Arena, node: int) -> int | None:
    """Return the lower half of a product that is taken away from its rest modulo ``2**256 - 1``."""
    key = arena.key(node)
    if key[0] != "sub":
        return None
    rest = arena.key(key[1])
    is_rest = rest[0] == "mulmod" and arena.constants.get(rest[3]) == MASK
    return int(key[2]) if is_rest else None


def _is_rest(arena: Arena, rest: int, borrow: int) -> bool:
    low = _low_of_rest(arena, rest)
    return low is not None and arena.key(borrow) == ("lt", arena.key(rest)[1], low)


def _is_high_word(arena: Arena, node: int) -> bool:
    key = arena.key(node)
    return key[0] == "sub" and _is_rest(arena, key[1], key[2])
