"""Reads the text of conditions and effects, and formulas, into typed expressions.

The text is that of :mod:`specminer.decision.expression_terms`: ``or`` binds weakest, then ``and``, ``not``, comparing,
bits, shifts, sums, products, powers. What is no expression of this kind (answers of other contracts, the success of a
payment, lengths of texts) is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from specminer.decoding.storage_values import ValueKind
from specminer.export.expressions import (
    ADDRESS,
    NUMBER,
    Cast,
    Constant,
    Expression,
    Junction,
    MachineOperation,
    Negation,
    UnsayableError,
    ValueType,
    VariableRead,
    WordComparison,
)
from specminer.export.variables import Variables
from specminer.predicate import Formula

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)|(?P<number>0x[0-9a-fA-F]{1,64}|[0-9]{1,78})"
    r"|(?P<sign>\*\*|<<|>>|<=|>=|!=|[-+*/%&|^=<>()\[\].,:']))",
    re.ASCII,
)
_MAX_TOKENS: Final = 400
_MAX_DEPTH: Final = 40
_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_LEVELS: Final = (("&", "|", "^"), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
"""Signs that bind alike, the weakest first."""
_CAST: Final = re.compile(r"(uint|int)([0-9]{1,3})", re.ASCII)
_NO_EXPRESSION: Final = "it speaks of an expression, not of a variable or an argument"
_MINUS: Final = {"=": "!=", "!=": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def read_text(text: str, variables: Variables) -> Expression:
    """Return the expression that a text says.

    Args:
        text: as a specification writes it, with whole names.
        variables: what names mean.

    Raises:
        UnsayableError: the text is no such expression, or speaks of what has no name.

    """
    if text.startswith(("success of ", "not success of ")):
        raise UnsayableError("it speaks of the success of a call")
    reader = _ExpressionReader(text, variables)
    expression = reader.disjunction(0)
    reader.end()
    return expression


def read_condition(formula: Formula, names: Mapping[str, str], variables: Variables) -> Expression:
    """Return the condition that a formula says; ``names`` are the whole names of its symbols.

    Raises:
        UnsayableError: it holds an operator that is not translated, or a name that means nothing.

    """
    if formula.is_symbol():
        return read_text(names[formula.symbol_name()], variables)
    if formula.is_bool_constant() or formula.is_int_constant():
        return Constant(value=int(formula.constant_value()))
    parts = tuple(read_condition(part, names, variables) for part in formula.args())
    if formula.is_and() or formula.is_or():
        return Junction(every=formula.is_and(), parts=parts)
    if formula.is_not():
        return negate(parts[0])
    if formula.is_implies():
        return Junction(every=False, parts=(negate(parts[0]), parts[1]))
    signs = {"=": formula.is_equals() or formula.is_iff(), "<": formula.is_lt(), "<=": formula.is_le()}
    sign = next((sign for sign, holds in signs.items() if holds), None)
    if sign is not None:
        return compare_words(sign, *parts)
    if formula.is_plus() or formula.is_times():
        total = parts[0]
        for part in parts[1:]:
            total = _operation("+" if formula.is_plus() else "*", total, part)
        return total
    raise UnsayableError("it holds an operator that is not translated")


def negate(expression: Expression) -> Expression:
    """Return that something does not hold, as briefly as it can be said."""
    match expression:
        case WordComparison():
            return WordComparison(sign=_MINUS[expression.sign], left=expression.left, right=expression.right)
        case Negation():
            return expression.part
        case _:
            return Negation(part=expression)


def compare_words(sign: str, left: Expression, right: Expression) -> WordComparison:
    """Return a comparison.

    Raises:
        UnsayableError: the sides cannot be compared as words.

    """
    for one, other in ((left, right), (right, left)):
        if isinstance(other, Constant):
            if one.type.kind is ValueKind.TEXT and other.value:
                raise UnsayableError("it compares a text")
            if one.type.kind is ValueKind.BYTES and one.type.bits < 256 and other.value:
                raise UnsayableError("it compares bytes with a constant")
            if other.value < 0 and one.type.kind is not ValueKind.INT:
                raise UnsayableError("it compares with a negative number what has no sign")
    kinds = {left.type.kind, right.type.kind}
    if ValueKind.TEXT in kinds and not any(isinstance(side, Constant) for side in (left, right)):
        raise UnsayableError("it compares a text")
    constants = any(isinstance(side, Constant) for side in (left, right))
    if ValueKind.BYTES in kinds and left.type.bits != right.type.bits and not constants:
        raise UnsayableError("it compares bytes of different lengths")
    return WordComparison(sign=sign, left=left, right=right)


def _operation(sign: str, left: Expression, right: Expression) -> MachineOperation:
    kinds = {left.type.kind, right.type.kind}
    if ValueKind.TEXT in kinds or ValueKind.BYTES in kinds:
        raise UnsayableError("it computes with bytes")
    signed = ValueKind.INT in kinds
    if signed and sign not in ("+", "-", "*"):
        raise UnsayableError(f"it computes '{sign}' with a sign")
    kind = ValueType(kind=ValueKind.INT) if signed else NUMBER
    return MachineOperation(sign=sign, left=left, right=right, type=kind)


class _ExpressionReader:
    """Reads one text, token by token."""

    def __init__(self, text: str, variables: Variables) -> None:
        self._tokens = _tokens(text)
        self._position = 0
        self._variables = variables

    def end(self) -> None:
        """Refuse what stands behind the expression."""
        if self._position < len(self._tokens):
            raise UnsayableError(_NO_EXPRESSION)

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("end", "")

    def _take(self, *texts: str) -> str | None:
        kind, text = self._next()
        if kind != "number" and text in texts:
            self._position += 1
            return text
        return None

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            raise UnsayableError(_NO_EXPRESSION)

    def disjunction(self, depth: int) -> Expression:
        """Read what stands between ``or``."""
        if depth > _MAX_DEPTH:
            raise UnsayableError("it is nested too deep")
        parts = [self._conjunction(depth)]
        while self._take("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Junction(every=False, parts=tuple(parts))

    def _conjunction(self, depth: int) -> Expression:
        parts = [self._negation(depth)]
        while self._take("and"):
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else Junction(every=True, parts=tuple(parts))

    def _negation(self, depth: int) -> Expression:
        times = 0
        while self._take("not"):
            times += 1
        comparison = self._comparison(depth)
        return negate(comparison) if times % 2 else comparison

    def _comparison(self, depth: int) -> Expression:
        left = self._binary(0, depth)
        sign = self._take(*_COMPARISONS)
        return left if sign is None else compare_words(sign, left, self._binary(0, depth))

    def _binary(self, level: int, depth: int) -> Expression:
        if level == len(_LEVELS):
            return self._power(depth)
        left = self._binary(level + 1, depth)
        while (sign := self._take(*_LEVELS[level])) is not None:
            left = _operation(sign, left, self._binary(level + 1, depth))
        return left

    def _power(self, depth: int) -> Expression:
        base = self._atom(depth)
        if self._take("**") is None:
            return base
        exponent = self._power(depth)
        if isinstance(base, Constant) and isinstance(exponent, Constant) and 0 <= exponent.value <= 256:
            return Constant(value=base.value**exponent.value % (1 << 257))
        return _operation("**", base, exponent)

    def _atom(self, depth: int) -> Expression:
        kind, text = self._next()
        self._position += 1
        if kind == "number":
            return Constant(value=int(text, 0))
        if text == "(":
            expression = self.disjunction(depth + 1)
            self._expect(")")
            return expression
        if text == "-" and self._next()[0] == "number":
            _, digits = self._next()
            self._position += 1
            return Constant(value=-int(digits, 0), type=ValueType(kind=ValueKind.INT))
        if kind != "name":
            raise UnsayableError(_NO_EXPRESSION)
        if text in ("true", "false"):
            return Constant(value=int(text == "true"), type=ValueType(kind=ValueKind.BOOL))
        if self._take("("):
            return self._cast(text, depth)
        return self._name(text, depth)

    def _cast(self, name: str, depth: int) -> Expression:
        number_type = _CAST.fullmatch(name)
        kinds = {"uint": ValueKind.UINT, "int": ValueKind.INT}
        if number_type is None and name != "address":
            raise UnsayableError("it speaks of what a function returns")
        part = self.disjunction(depth + 1)
        self._expect(")")
        if number_type is None:
            return Cast(part=part, type=ADDRESS)
        if not 8 <= int(number_type[2]) <= 256:
            raise UnsayableError(_NO_EXPRESSION)
        return Cast(part=part, type=ValueType(kind=kinds[number_type[1]], bits=int(number_type[2])))

    def _name(self, root: str, depth: int) -> Expression:
        steps: list[str | int | Expression] = []
        while True:
            if self._take("."):
                kind, member = self._next()
                self._position += 1
                if kind != "name":
                    raise UnsayableError(_NO_EXPRESSION)
                steps.append(member)
            elif self._take("["):
                steps.append(self.disjunction(depth + 1))
                self._expect("]")
            else:
                break
        term = self._variables.term(root, tuple(steps))
        if self._take("'"):
            if not isinstance(term, VariableRead):
                raise UnsayableError("it speaks of the new value of what is not stored")
            return VariableRead(
                root=term.root, steps=term.steps, type=term.type, position=term.position, after=True
            )
        return term


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) > _MAX_TOKENS:
            raise UnsayableError(_NO_EXPRESSION)
        tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
        position = match.end()
    return tokens
