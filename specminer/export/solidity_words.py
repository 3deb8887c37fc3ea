"""Typed expressions in Solidity that reads another contract's storage: all values are words (``uint256``).

A program that uses them has a variable ``c`` with the call (``sender``, ``origin``, ``value``, ``time``, ``number``,
``data``, ``self``) and the functions of :data:`HELPERS`.
"""

from __future__ import annotations

from typing import Final

from specminer._support.errors import plain
from specminer.contracts.artifact import AbiEntry
from specminer.contracts.interface import selector
from specminer.decoding.storage_values import ValueKind
from specminer.export.expressions import (
    ArgumentValue,
    CallWord,
    Cast,
    Constant,
    ElementSlot,
    EntrySlot,
    Expression,
    FixedSlot,
    GetterCall,
    Junction,
    LaterSlot,
    MachineOperation,
    Negation,
    Slot,
    UnsayableError,
    VariableRead,
    WordComparison,
)
from specminer.history.trace import WORD_LIMIT

_FIELDS: Final = {
    "sender": "c.sender",
    "origin": "c.origin",
    "value": "c.value",
    "now": "c.time",
    "block": "c.number",
    "this": "c.self",
}
_SIGNS: Final = {"=": "=="}
_CHECKED: Final = {"/": "_divide", "%": "_rest"}
"""What the machine answers with zero and Solidity refuses."""

HELPERS: Final = """\
    function _bits(uint256 word, uint256 shift, uint256 bits) internal pure returns (uint256) {
        return bits == 256 ? word : (word >> shift) & ((1 << bits) - 1);
    }

    function _extended(uint256 word, uint256 bits) internal pure returns (uint256) {
        if (bits == 256 || word >> (bits - 1) & 1 == 0) return word;
        return word | ~((1 << bits) - 1);
    }

    function _argument(bytes memory data, uint256 position) internal pure returns (uint256 word) {
        for (uint256 i = 0; i < 32; i++) {
            word = (word << 8) | (position + i < data.length ? uint8(data[position + i]) : 0);
        }
    }

    function _entry(uint256 slot, uint256 key) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(key, slot)));
    }

    function _entryKeyLast(uint256 slot, uint256 key) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(slot, key)));
    }

    function _element(uint256 slot, uint256 index, uint256 slots) internal pure returns (uint256) {
        unchecked {
            return uint256(keccak256(abi.encode(slot))) + index * slots;
        }
    }

    function _divide(uint256 one, uint256 other) internal pure returns (uint256) {
        return other == 0 ? 0 : one / other;
    }

    function _rest(uint256 one, uint256 other) internal pure returns (uint256) {
        return other == 0 ? 0 : one % other;
    }

    function _word(bool holds) internal pure returns (uint256) {
        return holds ? 1 : 0;
    }
"""


def word(expression: Expression) -> str:
    """Return an expression of type ``uint256``.

    Raises:
        UnsayableError: it has none.

    """
    match expression:
        case Constant():
            return str(expression.value % WORD_LIMIT)
        case CallWord():
            if expression.word not in _FIELDS:
                raise UnsayableError(f"'{expression.word}' is not known when the call is made")
            return _FIELDS[expression.word]
        case ArgumentValue():
            return _argument_word(expression)
        case VariableRead():
            return _read(expression)
        case GetterCall():
            function = selector(AbiEntry(name=expression.name)).hex()
            return f"_asked(c, 0x{function})"
        case MachineOperation() if expression.sign in _CHECKED:
            name = _CHECKED[expression.sign]
            return f"{name}({word(expression.left)}, {word(expression.right)})"
        case MachineOperation():
            return f"({word(expression.left)} {expression.sign} {word(expression.right)})"
        case Cast():
            return _cast(expression)
        case _:
            return f"_word({truth(expression)})"


def truth(expression: Expression) -> str:
    """Return an expression of type ``bool``.

    Raises:
        UnsayableError: it has none.

    """
    match expression:
        case WordComparison():
            sign = _SIGNS.get(expression.sign, expression.sign)
            sides = [word(side) for side in (expression.left, expression.right)]
            if expression.signed and sign not in ("==", "!="):
                sides = [f"int256({side})" for side in sides]
            return f"({sides[0]} {sign} {sides[1]})"
        case Junction():
            sign = " && " if expression.every else " || "
            return "(" + sign.join(truth(part) for part in expression.parts) + ")"
        case Negation():
            return f"!{truth(expression.part)}"
        case _:
            return f"({word(expression)} != 0)"


def slot_word(slot: Slot) -> str:
    """Return the number of a slot as an expression of type ``uint256``."""
    match slot:
        case FixedSlot():
            return str(slot.number)
        case EntrySlot():
            name = "_entryKeyLast" if slot.key_last else "_entry"
            return f"{name}({slot_word(slot.base)}, {word(slot.key)})"
        case ElementSlot():
            return f"_element({slot_word(slot.base)}, {word(slot.index)}, {slot.slots})"
        case LaterSlot():
            return f"({slot_word(slot.base)} + {slot.slots})"


def literal(text: str, most: int = 200) -> str:
    """Return a text of so many characters at most as a string of Solidity, with its quotes."""
    escaped = plain(text, most).encode("ascii", "backslashreplace").decode()
    return '"' + "".join(f"\\{char}" if char in '"\\' else char for char in escaped) + '"'


def _argument_word(argument: ArgumentValue) -> str:
    text = f"_argument(c.data, {argument.position})"
    match argument.type.kind:
        case ValueKind.INT:
            return f"_extended(_bits({text}, 0, {argument.type.bits}), {argument.type.bits})"
        case ValueKind.BYTES if argument.type.bits < 256:
            return f"_bits({text}, {256 - argument.type.bits}, {argument.type.bits})"
        case _ if argument.type.bits < 256:
            return f"_bits({text}, 0, {argument.type.bits})"
        case _:
            return text


def _read(read: VariableRead) -> str:
    if read.position is None:
        raise UnsayableError("without a storage layout it is not known where the variable is stored")
    slot_value = f"_load(c, {slot_word(read.position.slot)})"
    if read.type.bits == 256:
        return slot_value
    text = f"_bits({slot_value}, {read.position.shift}, {read.type.bits})"
    return f"_extended({text}, {read.type.bits})" if read.type.kind is ValueKind.INT else text


def _cast(cast: Cast) -> str:
    text = f"_bits({word(cast.part)}, 0, {cast.type.bits})"
    return f"_extended({text}, {cast.type.bits})" if cast.type.kind is ValueKind.INT else text
