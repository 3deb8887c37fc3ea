"""Typed expressions in languages that call variables by the names of the source: Scribble, CVL, Daikon's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from specminer.decoding.storage_values import ValueKind
from specminer.export.expression_reading import compare_words
from specminer.export.expressions import (
    ArgumentValue,
    CallWord,
    Cast,
    Constant,
    Expression,
    GetterCall,
    Junction,
    MachineOperation,
    Negation,
    UnsayableError,
    VariableRead,
    WordComparison,
)
from specminer.export.solidity_names import is_identifier

_ORDERED: Final = (ValueKind.UINT, ValueKind.INT, ValueKind.WORD)
"""Kinds whose values are compared with numbers as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a language writes what all of them say."""

    words: Mapping[str, str]
    """Parts of the call."""
    prefix: str = ""
    """What stands before a variable of the contract."""
    getter: str = "{}()"
    signs: Mapping[str, str] = field(default_factory=dict)
    """Signs that differ; an empty one is not there."""
    zero_address: str = "0"
    enum: str = ""
    """How an enum's value is made a number; empty if it cannot be."""
    cast: str = ""
    """How the lowest bits are said, with the type, the number of bits and the part; empty if they cannot be."""

    def text(self, expression: Expression) -> str:
        """Return an expression in the language.

        Raises:
            UnsayableError: it has none.

        """
        match expression:
            case Constant():
                if expression.type.kind is ValueKind.BOOL:
                    return "true" if expression.value else "false"
                return str(expression.value)
            case CallWord():
                if expression.word not in self.words:
                    raise UnsayableError(f"'{expression.word}' has no expression there")
                return self.words[expression.word]
            case ArgumentValue():
                return _name(expression.name)
            case GetterCall():
                return self.getter.format(_name(expression.name))
            case VariableRead():
                return self.variable(expression, self.text)
            case MachineOperation():
                left, right = self.text(expression.left), self.text(expression.right)
                return f"({left} {self._sign(expression.sign)} {right})"
            case Cast():
                return self._cast(expression)
            case WordComparison():
                return self._comparison(expression)
            case Junction():
                sign = self._sign("and" if expression.every else "or")
                return "(" + f" {sign} ".join(self.text(part) for part in expression.parts) + ")"
            case Negation():
                return f"{self._sign('not')}({self.text(expression.part)})"

    def variable(self, read: VariableRead, key: Callable[[Expression], str]) -> str:
        """Return a variable with its keys, each as the function ``key`` writes it."""
        text = self.prefix + _name(read.root)
        if read.type.kind is ValueKind.TEXT and read.steps[-1:] != ("length",):
            raise UnsayableError("it speaks of a text")
        for step in read.steps:
            if isinstance(step, str):
                text += f".{_name(step)}"
            elif isinstance(step, int):
                text += f"[{step}]"
            else:
                text += f"[{key(step)}]"
        return text

    def _sign(self, sign: str) -> str:
        operator = self.signs.get(sign, sign)
        if not operator:
            raise UnsayableError(f"the language has no '{sign}'")
        return operator

    def _cast(self, cast: Cast) -> str:
        if cast.type.kind is ValueKind.ADDRESS or not self.cast:
            raise UnsayableError("the language has no such conversion")
        kind = "int" if cast.type.kind is ValueKind.INT else "uint"
        return self.cast.format(kind=kind, bits=cast.type.bits, part=self.text(cast.part))

    def _comparison(self, comparison: WordComparison) -> str:
        left, right = comparison.left, comparison.right
        sides = self._side(left, right, self._plain(left)), self._side(right, left, self._plain(right))
        return f"({sides[0]} {self._sign(comparison.sign)} {sides[1]})"

    def change(self, target: VariableRead, text: str, value: Expression) -> tuple[str, str]:
        """Return the two sides of an equation between a target, which is written as ``text``, and its new value.

        Raises:
            UnsayableError: the language cannot say it.

        """
        compare_words("=", target, value)
        return self._side(target, value, text), self._side(value, target, self._plain(value))

    def _plain(self, side: Expression) -> str:
        return str(side.value) if isinstance(side, Constant) else self.text(side)

    def _side(self, side: Expression, other: Expression, text: str) -> str:
        """Return one side of a comparison, as the type of the other asks for it."""
        if isinstance(side, Constant):
            return self._constant(side, other)
        if side.type.kind is ValueKind.ENUM and isinstance(other, Constant):
            if not self.enum:
                raise UnsayableError("the names of an enum's values are not known")
            return self.enum.format(text)
        return text

    def _constant(self, constant: Constant, other: Expression) -> str:
        kind = constant.type.kind if constant.type.kind is ValueKind.BOOL else other.type.kind
        if kind is ValueKind.BOOL:
            return "true" if constant.value else "false"
        if kind is ValueKind.ADDRESS:
            if constant.value:
                raise UnsayableError("it compares with an address")
            return self.zero_address
        if kind not in (*_ORDERED, ValueKind.ENUM):
            raise UnsayableError("it compares with a number what is none")
        return str(constant.value)


def _name(name: str) -> str:
    if not is_identifier(name):
        raise UnsayableError("it speaks of a name that is no identifier")
    return name
