"""Evaluates conditions as the specification words them, on a call and the storage that it meets.

Numbers are integers without bounds, as the document says. What cannot be read, or speaks of what is not known before
the call, has no value: then the condition decides nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from benchmarks.condition_terms import with_whole_names
from benchmarks.guard_driving import DrawnCall, Play, Value, field_of, row_slot
from benchmarks.guard_grammar import STAGES, Kind, Place, Type
from benchmarks.recorded_chain import CONTRACT
from specminer.specification import Guard, SymbolSort
from tests.support.third_party.conditions import RELATIONS, parsed

_BYTES: Final = re.compile(r"bytes(\d+)to(\d+)")
_SLOT: Final = re.compile(r"slot(\d+)")
_MAPPING: Final = re.compile(r"mapping(\d+|0x[0-9a-f]+)")
_MEMBER: Final = re.compile(r"`([^`+]+)\+(\d+)((?:\.\w+)?)`")
"""A slot behind an entry's first: ``mapping9[key]+1``."""
_CAST: Final = re.compile(r"(u?)int(\d+)")


class Unclear(Exception):
    """A condition speaks of what has no value here."""


class Situation:
    """What conditions are evaluated on: a call, and the contract that it is made to."""

    def __init__(self, play: Play, call: DrawnCall) -> None:
        """Look at a call that is about to be made."""
        self.play = play
        self.call = call
        self.arguments = call.named()
        self.signed = False
        """Whether the comparison at hand reads storage without a type as signed numbers."""
        self.variables = {item.name: item for item in play.contract.variables}
        self.facts: dict[str, int] = {
            "sender": call.sender,
            "origin": call.sender,
            "value": call.value,
            "now": call.time,
            "block": call.block,
            "this": CONTRACT,
            "false": 0,
            "true": 1,
            **play.contract.roles,
            **{name: number for number, name in enumerate(STAGES)},
        }

    def accepts(self, guard: Guard) -> tuple[bool | None, ...]:
        """Return of each condition whether it holds; ``None`` if it has no value."""
        signed = frozenset(
            name.strip("|").removeprefix("(").removesuffix(")")
            for name, sort in guard.symbols.items()
            if sort is SymbolSort.SIGNED
        )
        return tuple(self.holds(item.text, guard.names, signed) for item in guard.conditions)

    def holds(self, text: str, short: Mapping[str, str], signed: frozenset[str]) -> bool | None:
        """Return whether a condition holds."""
        tree = _parsed(with_whole_names(text, short))
        if tree is None:
            return None
        return self._truth(tree, signed)

    # -- truths -------------------------------------------------------------------------------------

    def _truth(self, node: ast.expr, signed: frozenset[str]) -> bool | None:
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(item, signed) for item in node.values]
            deciding = isinstance(node.op, ast.Or)
            return deciding if deciding in parts else None if None in parts else not deciding
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self._truth(node.operand, signed)
            return None if inner is None else not inner
        try:
            if isinstance(node, ast.Compare):
                return self._comparison(node, signed)
            return self._number(node) != 0
        except Unclear:
            return None

    def _comparison(self, node: ast.Compare, signed: frozenset[str]) -> bool:
        terms = [node.left, *node.comparators]
        self.signed = any(_written(item) in signed for item in terms)
        values = [self._number(item) for item in terms]
        return all(
            RELATIONS[type(sign)](left, right)
            for sign, left, right in zip(node.ops, values, values[1:], strict=False)
        )

    # -- numbers ------------------------------------------------------------------------------------

    def _number(self, node: ast.expr) -> int:
        match node:
            case ast.Constant(value=int() as number):
                return number
            case ast.UnaryOp(op=ast.USub()):
                return -self._number(node.operand)
            case ast.UnaryOp(op=ast.Not()) | ast.BoolOp() | ast.Compare():
                truth = self._truth(node, frozenset())
                if truth is None:
                    raise Unclear
                return int(truth)
            case ast.BinOp():
                return _computed(node.op, self._number(node.left), self._number(node.right))
            case ast.Call(func=ast.Name(id=word), args=[argument]):
                return self._applied(word, argument)
            case ast.Name(id=name) if name in self.facts:
                return self.facts[name]
            case ast.Name(id=name) if name in self.arguments:
                value = self.arguments[name]
                if not isinstance(value, int):
                    raise Unclear
                return value
            case ast.Attribute(value=ast.Name(id="this"), attr="balance"):
                return self.play.balance
        return self._storage(node)

    def _applied(self, word: str, argument: ast.expr) -> int:
        if word == "length" and isinstance(argument, ast.Name):
            value: Value | None = self.arguments.get(argument.id)
            if isinstance(value, bytes | list):
                return len(value)
            raise Unclear
        cast = _CAST.fullmatch(word)
        if cast is None and word != "address":
            raise Unclear
        bits = 160 if cast is None else int(cast[2])
        kept = self._number(argument) & ((1 << bits) - 1)
        return kept - (1 << bits) if cast is not None and not cast[1] and kept >> (bits - 1) else kept

    def _storage(self, node: ast.expr) -> int:
        keys: list[int] = []
        name, behind, place = "", 0, node
        if isinstance(place, ast.Attribute):
            name, place = place.attr, place.value
        if isinstance(place, ast.Call) and isinstance(place.func, ast.Name) and place.func.id == "member_of":
            behind, place = self._number(place.args[1]), place.args[0]
        while isinstance(place, ast.Subscript):
            keys.insert(0, self._number(place.slice))
            place = place.value
        if not isinstance(place, ast.Name):
            raise Unclear
        variable = self.variables.get(place.id)
        if variable is not None:
            fields = [place for place, item in enumerate(variable.fields) if item[0] == name]
            if len(fields) != 1 or len(keys) != len(variable.keys):
                raise Unclear
            return self.play.stored(variable, fields[0], keys)
        return self._numbered(place.id, keys, behind, name)

    def _numbered(self, name: str, keys: list[int], behind: int, part: str) -> int:
        """Return storage that is named by its slot: ``slot3.bytes0to7``, ``mapping5[sender][2]``."""
        base = _SLOT.fullmatch(name) or _MAPPING.fullmatch(name)
        bits = _BYTES.fullmatch(part)
        if base is None or (part and bits is None):
            raise Unclear
        word = self.play.word(row_slot(int(base[1], 0), keys) + behind)
        low, high = (int(bits[1]), int(bits[2])) if bits is not None else (0, 31)
        kind = Type(Kind.INT if self.signed else Kind.UINT, 8 * (high - low + 1))
        return field_of(word, Place(0, 8 * low), kind)


def _computed(sign: ast.operator, left: int, right: int) -> int:
    match sign:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div() if right:
            return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        case ast.Mod() if right:
            return abs(left) % abs(right) * (1 if left >= 0 else -1)
        case ast.Pow() if 0 <= right <= 256:
            return int(left**right)
        case ast.BitAnd():
            return left & right
        case ast.BitOr():
            return left | right
        case ast.BitXor():
            return left ^ right
    raise Unclear


@cache
def _parsed(text: str) -> ast.expr | None:
    """Return a condition as an expression of Python; ``None`` if it is none."""
    try:
        return parsed(_MEMBER.sub(r"member_of(\1, \2)\3", text))
    except SyntaxError:
        return None


@cache
def _written(node: ast.expr) -> str:
    """Return an expression as the specification words it."""
    return ast.unparse(node).replace("==", "=")
