"""The conditions of a specification as Solidity modifiers, one a function.

A modifier holds the conditions that the function's code demands, as ``require`` statements over the contract's own
variables and the function's arguments. A condition that Solidity cannot say, or whose types the document leaves open,
is a comment: no statement may refuse what the contract accepts.

Types are known only in part: of arguments and parts of the call, and of what is compared with them. A comparison with
a number is written so that the compiler refuses it for a type whose value is not that number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from specminer._support.errors import plain
from specminer.contracts.artifact import Artifact
from specminer.export.conditions import ExportCondition, FunctionConditions, function_conditions
from specminer.export.export_text import ExportText
from specminer.export.expressions import UnsayableError
from specminer.export.function_claims import LeftOut
from specminer.export.solidity_names import (
    Kind,
    SolidityScope,
    Term,
    function_entry,
    function_scope,
    is_identifier,
)
from specminer.export.solidity_words import literal
from specminer.predicate import Formula
from specminer.specification import Specification

_ENUM_LIMIT: Final = 256
"""Enums have at most so many members."""
_IS_ZERO: Final = """\
    // Whether a value is zero, or a text empty, whatever its type.
    function specminerIsZero(bytes memory encoded) private pure returns (bool) {
        if (encoded.length == 32) return abi.decode(encoded, (uint256)) == 0;
        if (encoded.length != 64) return false;
        (, uint256 size) = abi.decode(encoded, (uint256, uint256));
        return size == 0;
    }"""
_SIGNS: Final = {True: "==", False: "!="}


def solidity(specification: Specification, artifact: Artifact) -> ExportText:
    """Return an abstract contract with a modifier for each function that demands something.

    Args:
        specification: what was mined.
        artifact: the contract's ABI, which tells the types of arguments.

    """
    functions = [_Function.of(item, artifact) for item in function_conditions(specification)]
    kinds: dict[str, Kind] = {}
    _learn_kinds(functions, kinds)
    name = specification.name if is_identifier(specification.name) else None
    blocks = ["\n".join(function.lines(kinds, number)) for number, function in enumerate(functions)]
    if any("specminerIsZero(" in block for block in blocks):
        blocks.append(_IS_ZERO)
    head = [
        "// SPDX-License-Identifier: UNLICENSED",
        "pragma solidity >=0.8.0;",
        "",
        f"// What the code of {plain(specification.name, 200)} demanded in its recorded calls, as modifiers.",
        "// Import the contract's source above. The modifiers are checked before the function's body.",
    ]
    base = "" if name is None else f" is {name}"
    lines = [*head, f"abstract contract {name or ''}Guards{base} {{", "\n\n".join(blocks), "}", ""]
    left_out = tuple(item for function in functions for item in function.left_out(kinds))
    return ExportText(text="\n".join(lines), left_out=left_out)


def _learn_kinds(functions: Sequence[_Function], kinds: dict[str, Kind]) -> None:
    """Note what comparisons tell of types, until no function adds anything."""
    size = -1
    while len(kinds) > size:
        size = len(kinds)
        for function in functions:
            function.learn_kinds(kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Function:
    conditions: FunctionConditions
    scope: SolidityScope | None
    """``None`` if the ABI does not have the function, or has several of the name."""
    types: Mapping[str, str] = field(default_factory=dict)
    """The types of the arguments that are single words."""

    @classmethod
    def of(cls, demanded: FunctionConditions, artifact: Artifact) -> _Function:
        entry = function_entry(artifact, demanded.function)
        if entry is None:
            return cls(conditions=demanded, scope=None)
        scope = function_scope(artifact, entry)
        types = {name: item.type for name, item in scope.arguments.items() if item is not None}
        return cls(conditions=demanded, scope=scope, types=types)

    def learn_kinds(self, kinds: dict[str, Kind]) -> None:
        """Note what comparisons tell of types."""
        for condition in self.conditions.conditions:
            if condition.formula is not None and self.scope is not None:
                self._translation(condition, self.scope, kinds).learn(condition.formula)

    def _translation(
        self, condition: ExportCondition, scope: SolidityScope, kinds: dict[str, Kind]
    ) -> _Translation:
        return _Translation(
            names=condition.names, scope=scope, kinds=kinds, function=self.conditions.function
        )

    def lines(self, kinds: dict[str, Kind], number: int) -> Iterator[str]:
        """Yield the function's modifier; ``number`` stands in names that no other has."""
        function = self.conditions.function
        body: list[str] = []
        arguments: set[str] = set()
        for condition in self.conditions.conditions:
            try:
                translation = self._translate(condition, kinds)
                body.append(f"require({translation.text}, {literal(condition.text, 120)});")
                arguments |= translation.arguments
            except UnsayableError as reason:
                body.append(f"// not stated: {plain(condition.text, 300)}")
                body.append(f"// because {plain(reason, 300)}")
        suffix = function if is_identifier(function) else f"{number}_"
        parameters = ", ".join(f"{kind} {name}" for name, kind in self.types.items() if name in arguments)
        yield f"    // {plain(function, 300)}"
        yield f"    modifier guard_{suffix}({parameters}) {{"
        yield from (f"        {line}" for line in [*body, "_;"])
        yield "    }"

    def left_out(self, kinds: dict[str, Kind]) -> Iterator[LeftOut]:
        """Yield the conditions that Solidity cannot say."""
        for condition in self.conditions.conditions:
            try:
                self._translate(condition, kinds)
            except UnsayableError as reason:
                yield LeftOut(scope=self.conditions.function, text=condition.text, reason=str(reason))

    def _translate(self, condition: ExportCondition, kinds: dict[str, Kind]) -> _Statement:
        if condition.formula is None:
            raise UnsayableError(condition.obstacle)
        if self.scope is None:
            raise UnsayableError("the ABI has no function of this name, or more than one")
        translation = self._translation(condition, self.scope, kinds)
        text = translation.truth(condition.formula)
        terms = [self.scope.term(name) for name in condition.names.values()]
        return _Statement(text=text, arguments=frozenset[str]().union(*(item.arguments for item in terms)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    text: str
    arguments: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Translation:
    """Writes a formula of one condition."""

    names: Mapping[str, str]
    scope: SolidityScope
    kinds: dict[str, Kind]
    """What is known of terms by group; those of arguments carry the function."""
    function: str

    def learn(self, formula: Formula) -> None:
        """Note what the comparisons of a formula tell of types."""
        if not (formula.is_equals() or formula.is_lt() or formula.is_le()):
            for part in formula.args():
                self.learn(part)
            return
        sides = [self.term(part) for part in formula.args() if part.is_symbol()]
        known_kind = next(
            (self.kind(side) for side in sides if side and self.kind(side) is not Kind.OPEN), None
        )
        if len(sides) == 2 and known_kind is not None:
            for side in sides:
                if side is not None and self.kind(side) is Kind.OPEN:
                    self.kinds[self._key(side)] = known_kind

    def term(self, symbol: Formula) -> Term | None:
        """Return the expression of a symbol, ``None`` if it has none."""
        try:
            return self.scope.term(self.names[symbol.symbol_name()])
        except UnsayableError:
            return None

    def _key(self, term: Term) -> str:
        return f"{self.function} {term.group}" if term.group.startswith("argument ") else term.group

    def kind(self, term: Term) -> Kind:
        """Return what is known of a term's type."""
        return term.kind if term.kind is not Kind.OPEN else self.kinds.get(self._key(term), Kind.OPEN)

    def truth(self, formula: Formula) -> str:
        """Return a formula as a Boolean expression.

        Raises:
            UnsayableError: it has none.

        """
        if formula.is_symbol():
            return self.scope.term(self.names[formula.symbol_name()]).text
        if formula.is_bool_constant():
            return "true" if formula.is_true() else "false"
        if formula.is_and() or formula.is_or():
            sign = " && " if formula.is_and() else " || "
            return "(" + sign.join(self.truth(part) for part in formula.args()) + ")"
        if formula.is_not():
            return self._comparison(formula.arg(0), holds=False)
        if formula.is_implies():
            left, right = formula.args()
            return f"({self._comparison(left, holds=False)} || {self.truth(right)})"
        return self._comparison(formula, holds=True)

    def _comparison(self, formula: Formula, *, holds: bool) -> str:
        """Return a comparison, or that it does not hold."""
        if formula.is_iff():
            left, right = (self.truth(part) for part in formula.args())
            return f"({left}) {_SIGNS[holds]} ({right})"
        if formula.is_equals():
            return self._equality(formula.arg(0), formula.arg(1), _SIGNS[holds])
        if formula.is_lt() or formula.is_le():
            sign = {(True, True): "<", (True, False): ">="} | {(False, True): "<=", (False, False): ">"}
            return self._order(formula.arg(0), formula.arg(1), sign[formula.is_lt(), holds])
        if holds:
            raise UnsayableError("it holds an operator that is not translated")
        return f"!({self.truth(formula)})" if not formula.is_symbol() else f"!{self.truth(formula)}"

    def _equality(self, left: Formula, right: Formula, sign: str) -> str:
        if left.is_int_constant():
            left, right = right, left
        if not right.is_int_constant():
            return f"{self._name_symbol(left).text} {sign} {self._beside(left, right)}"
        term, number = self._name_symbol(left), int(right.constant_value())
        kind = self.kind(term)
        if kind is Kind.ADDRESS:
            return f"{term.text} {sign} {_address(number)}"
        if number == 0 and kind in (Kind.OPEN, Kind.BYTES):
            return f"{'!' if sign == '!=' else ''}specminerIsZero(abi.encode({term.text}))"
        return f"{self._number(term, number)} {sign} {number}"

    def _order(self, left: Formula, right: Formula, sign: str) -> str:
        if left.is_int_constant():
            term, number = self._name_symbol(right), int(left.constant_value())
            return f"{number} {sign} {self._number(term, number)}"
        if right.is_int_constant():
            term, number = self._name_symbol(left), int(right.constant_value())
            return f"{self._number(term, number)} {sign} {number}"
        return f"{self._name_symbol(left).text} {sign} {self._beside(left, right)}"

    def _beside(self, left: Formula, right: Formula) -> str:
        """Return the right side of a comparison of two terms."""
        one, other = self._name_symbol(left), self._name_symbol(right)
        kinds = {self.kind(one), self.kind(other)} - {Kind.OPEN}
        if len(kinds) > 1:
            raise UnsayableError("it compares values of different types")
        return other.text

    def _number(self, term: Term, number: int) -> str:
        """Return a term to be compared with a number; of no other type it compiles."""
        kind = self.kind(term)
        if kind in (Kind.NUMBER, Kind.SIGNED):
            return term.text
        if kind is not Kind.OPEN:
            raise UnsayableError("it compares with a number what is none")
        return term.text if number >= _ENUM_LIMIT or number < 0 else f"uint256({term.text})"

    def _name_symbol(self, symbol: Formula) -> Term:
        if not symbol.is_symbol():
            raise UnsayableError("it computes with values")
        return self.scope.term(self.names[symbol.symbol_name()])


def _address(number: int) -> str:
    if not 0 <= number < 1 << 160:
        raise UnsayableError("it compares an address with what is none")
    return f"address(uint160({number}))" if number else "address(0)"
