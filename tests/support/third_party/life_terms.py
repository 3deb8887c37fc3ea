"""Evaluates the expressions in ``tests/data/states``: conditions over storage, keys made of arguments."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

from eth_abi.abi import encode
from eth_abi.packed import encode_packed
from eth_utils.crypto import keccak

from tests.support.third_party.conditions import RELATIONS, parsed
from tests.support.third_party.storage_places import Layout, Place, Words

_OPERATIONS: Final[Mapping[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """A value of the ABI with its type."""

    type: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What names mean at one moment."""

    layout: Layout
    words: Words
    """The storage."""
    names: Mapping[str, Typed | int]
    """Arguments, constants, ``now`` and the like; they come before variables."""

    def number(self, text: str) -> int:
        """Return the value of an expression; of a condition 0 or 1.

        Raises:
            KeyError: a name or a field is not there.
            TypeError: it is no number, or an operation has none.
        """
        return self._number(_parsed(text))

    def _number(self, node: ast.expr) -> int:
        value = self._value(node)
        if isinstance(value, Place):
            return value.value(self.words)
        if isinstance(value, Typed):
            return as_number(value.value)
        return value

    def _value(self, node: ast.expr) -> Typed | Place | int:
        match node:
            case ast.Constant(value=int(value)):
                return value
            case ast.Name(id=name):
                plain_name = name.removesuffix("_") if name not in self.names else name
                return self.names[plain_name] if plain_name in self.names else self.layout.place(name)
            case ast.Subscript(value=of, slice=key):
                return self._place(of).item(self._number(key))
            case ast.Attribute(value=of, attr=name):
                return self._place(of).field(name)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return int(not self._number(operand))
            case ast.BoolOp(op=op, values=values):
                results = (self._number(each) for each in values)
                return int(all(results) if isinstance(op, ast.And) else any(results))
            case ast.BinOp(left=left, op=operation, right=right):
                return _OPERATIONS[type(operation)](self._number(left), self._number(right))
            case ast.Compare(left=left, ops=[comparison], comparators=[right]):
                return int(RELATIONS[type(comparison)](self._number(left), self._number(right)))
            case ast.Call(func=ast.Name(id=function), args=arguments):
                return self._call(function, arguments)
        raise TypeError(f"cannot evaluate {ast.unparse(node)}")

    def _place(self, node: ast.expr) -> Place:
        value = self._value(node)
        if not isinstance(value, Place):
            raise TypeError(f"{ast.unparse(node)} is no storage")
        return value

    def _call(self, function: str, arguments: Sequence[ast.expr]) -> Typed | int:
        if function == "length":
            return self._number(arguments[0])
        if function == "keccak_text":
            return Typed("bytes32", keccak(text=self._text(arguments[0])))
        values = [self._value(each) for each in arguments]
        typed = [value for value in values if isinstance(value, Typed)]
        if len(typed) < len(values):
            raise TypeError(f"{function} wants arguments with types")
        parts = ([value.type for value in typed], [value.value for value in typed])
        match function:
            case "keccak":
                return Typed("bytes32", keccak(encode(*parts)))
            case "packed_keccak":
                return Typed("bytes32", keccak(encode_packed(*parts)))
            case "packed_sha256":
                return Typed("bytes32", sha256(encode_packed(*parts)).digest())
        raise TypeError(f"there is no function {function}")

    def _text(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value)
        value = self._value(node)
        if not isinstance(value, Typed):
            raise TypeError(f"{ast.unparse(node)} is no text")
        return str(value.value)


def as_number(value: Any) -> int:
    """Return a number, address or hash as a number; raises ``TypeError`` for anything else."""
    if isinstance(value, bytes):
        return int.from_bytes(value)
    if isinstance(value, str):
        return int(value, 16)
    if isinstance(value, int):
        return int(value)
    raise TypeError(f"{value!r} is no number")


@cache
def _parsed(text: str) -> ast.expr:
    return parsed(text)
