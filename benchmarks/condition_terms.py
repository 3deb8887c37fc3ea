"""Reads conditions, as sources are listed and as guards are worded, into formulas of a solver that can be compared.

Both notations become one tree: local names and constants are replaced by what they stand for, casts are dropped,
products are multiplied out, a hash is the set of what it is of, a signer is that of the function, and whether a call
succeeds is told by receiver and function, without arguments. Immutables and literal addresses are one symbol, and the
clock of votes (ERC-6372) is the block. What remains are numbers between 0 and ``MAX``; products are taken to fit as
well, and no sender is the zero address.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import z3

from tests.support.third_party.conditions import RELATIONS, parsed

MAX: Final = 2**256 - 1
IMPLEMENTATION: Final = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC
"""The slot of ERC-1967."""
SOLVER_MS: Final = 2000
"""Milliseconds for a question to the solver; what takes longer is not shown."""
_PHRASES: Final = re.compile(r"\b(?:(hash|success|signer|answer size|offset|code size) of|(payment) to) ")
_END: Final = re.compile(r" (?:and|or|=|!=|<=?|>=?|[-+*/%]) ")
_LATER: Final = re.compile(r" \((?:value|asked) ([\w ]+)\)| #(\d+)")
_BITS: Final = re.compile(r"\[bits (\d+) to (\d+)\]")
_CAST: Final = re.compile(r"address|u?int\d*|bytes\d+")
_NUMBER: Final = re.compile(r"(?:, |^address )(\d+)$")
_NAMESPACED: Final = re.compile(r"(\w+)Storage\._(\w+), ERC-7201")
_UNREADABLE: Final = re.compile(r"…|\ban (?:unknown )?expression\b")
_FATE: Final = re.compile(r"(success of [\w.\[\]]*)\([^()]*…[^()]*\)")
"""Whether a call succeeds is told without arguments; some of them may be left out."""
_SYMMETRIC: Final = (ast.Mult, ast.BitXor, ast.BitAnd, ast.BitOr)
_SENDERS: Final = frozenset({"sender", "origin"})
"""Never the zero address."""
_ADDRESS: Final = re.compile(r"\b0x(?!0{16})[0-9a-f]{40}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable:
    """A condition as a formula."""

    formula: Any
    """Of z3."""
    comparable: bool
    """Whether all that it speaks of has an expression; what is in words is a symbol that equals nothing."""


def with_whole_names(text: str, short: Mapping[str, str]) -> str:
    """Return a condition with the whole names of the terms that it calls by short ones."""
    if not short:
        return text
    terms = "|".join(map(re.escape, sorted(short, key=len, reverse=True)))
    return re.sub(rf"(?<![\w.])(?:{terms})(?!\w)", lambda match: short[match[0]], text)


def python_text(text: str) -> str:
    """Return a guard's wording with calls in place of phrases: ``hash(a, b) = c`` for ``hash of a, b = c``."""
    text = _FATE.sub(r"\1()", text.replace("`", "").replace("(…)", "()"))
    text = _BITS.sub(r".bits\1to\2", text)
    text = _LATER.sub(lambda match: f".later_{(match[1] or match[2]).replace(' ', '_')}", text)
    text = _ADDRESS.sub("IMMUTABLE", text)
    text = text.replace("gas left", "gasleft").replace("chain id", "chain_id")
    while matches := list(_PHRASES.finditer(text)):
        phrase = matches[-1]
        word = (phrase[1] or phrase[2]).replace(" ", "_")
        end = _extent(text, phrase.end(), commas=word == "hash")
        text = f"{text[: phrase.start()]}{word}({text[phrase.end() : end]}){text[end:]}"
    return text


def _extent(text: str, begin: int, *, commas: bool) -> int:
    """Return where the operand that begins there ends."""
    depth = 0
    for place in range(begin, len(text)):
        depth += (text[place] in "([") - (text[place] in ")]")
        ends = (text[place] == "," and not commas) or _END.match(text, place) is not None
        if depth < 0 or (depth == 0 and ends):
            return place
    return len(text)


class _Exchange(ast.NodeTransformer):
    """Puts one expression in the place of another."""

    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self._old, self._new = ast.dump(old), new

    def visit(self, node: ast.AST) -> Any:
        """Return the expression, or the other one in its place."""
        return self._new if ast.dump(node) == self._old else self.generic_visit(node)


@dataclass(slots=True, kw_only=True)
class Reader(ast.NodeTransformer):
    """Reads the conditions of one function."""

    names: Mapping[str, str]
    """What local names and constants stand for, as expressions or in words."""
    asked: frozenset[str] = frozenset()
    """Functions of other contracts of whose calls it is listed that they succeed; their answers count as that."""
    symbols: dict[str, Any] = field(default_factory=dict)
    """Numbers of the solver by text."""
    products: set[str] = field(default_factory=set)
    """The texts of those symbols that are products."""
    factors: dict[str, Any] = field(default_factory=dict)
    """What is multiplied, as terms of the solver, by text."""
    worded: bool = False
    """Whether the condition at hand speaks of what has no expression."""

    def read(self, text: str, short: Mapping[str, str] | None = None) -> Comparable:
        """Return a condition as a formula, ``short`` are its short names; one that cannot be read equals no other."""
        text = with_whole_names(text, short or {})
        self.worded = _UNREADABLE.search(python_text(text)) is not None
        try:
            tree = parsed(python_text(text))
        except SyntaxError:
            self.worded = True
        if self.worded:
            return Comparable(formula=self._symbol(f"words: {text}") != 0, comparable=False)
        formula = self._truth(self.visit(tree))
        return Comparable(formula=formula, comparable=not self.worded)

    def follows(self, formula: Any, premises: Iterable[Any]) -> bool:
        """Return whether a formula is shown to follow from others, which do not contradict each other."""
        solver = z3.Solver()
        solver.set("timeout", SOLVER_MS)
        for text, symbol in self.symbols.items():
            solver.add(
                symbol >= int(text in _SENDERS), symbol < MAX if text in self.products else symbol <= MAX
            )
        solver.add(*premises)
        return bool(solver.check() != z3.unsat and solver.check(z3.Not(formula)) == z3.unsat)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a name by what it stands for."""
        meaning = self.names.get(node.id)
        if node.id == "MAX":
            return ast.Constant(MAX)
        if meaning is None:
            return node
        if number := _NUMBER.search(meaning):
            return ast.Constant(int(number[1]))
        if "immutable" in meaning:
            return ast.Name("IMMUTABLE")
        if field_of := _NAMESPACED.match(meaning):
            return ast.Attribute(ast.Name(field_of[1]), field_of[2])
        if meaning == "slot of ERC-1967" and node.id.isupper():
            return ast.Constant(IMPLEMENTATION)
        if meaning.startswith(("keccak('", "slot of")):
            return node
        try:
            tree: ast.expr = self.visit(parsed(meaning))
        except SyntaxError:
            self.worded = True
            return node
        return tree

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace hashes, signers, casts and the fate of calls by their normal forms."""
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if word in ("success", "succeeds", "payment", "call"):
            return self._fate(node.args[0] if word.startswith("succe") else node)
        if word in ("keccak", "hash"):
            leaves = {
                item.id
                for each in node.args
                for item in ast.walk(self.visit(each))
                if isinstance(item, ast.Name)
            }
            return ast.Call(
                ast.Name("hash"), [ast.Name(name) for name in sorted(leaves - {"hash", "keccak"})], []
            )
        if word == "code_size":
            code = ast.Attribute(self.visit(node.args[0]), "code")
            return ast.Call(ast.Name("length"), [code], [])
        if word == "signer":
            return ast.Name("signer")
        if _CAST.fullmatch(word) and len(node.args) == 1 and not word.startswith("int"):
            tree: ast.expr = self.visit(node.args[0])
            return tree
        if isinstance(node.func, ast.Attribute) and node.func.attr == "clock":
            return ast.Name("block")
        if isinstance(node.func, ast.Attribute) and node.func.attr in self.asked:
            return self._fate(node)
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Write the length of an array as that of a text."""
        self.generic_visit(node)
        return ast.Call(ast.Name("length"), [node.value], []) if node.attr == "length" else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Bring the operands of a product, and of what joins bits, into one order."""
        self.generic_visit(node)
        if isinstance(node.op, _SYMMETRIC) and ast.unparse(node.right) < ast.unparse(node.left):
            return ast.BinOp(node.right, node.op, node.left)
        return node

    def _fate(self, call: ast.expr) -> ast.expr:
        """Return what tells whether a call succeeded: by its receiver and function."""
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            return ast.Attribute(ast.Attribute(self.visit(call.func.value), call.func.attr), "succeeds")
        if isinstance(call, ast.Call) and call.args:
            return ast.Attribute(ast.Attribute(self.visit(call.args[0]), "call"), "succeeds")
        tree: ast.expr = self.visit(call)
        return tree

    def _truth(self, node: ast.expr) -> Any:
        chosen = next((item for item in ast.walk(node) if isinstance(item, ast.IfExp)), None)
        if isinstance(node, ast.Compare) and chosen is not None:
            test = self._truth(chosen.test)
            first, second = (
                self._truth(_Exchange(chosen, item).visit(copy.deepcopy(node)))
                for item in (chosen.body, chosen.orelse)
            )
            return z3.And(z3.Implies(test, first), z3.Implies(z3.Not(test), second))
        if isinstance(node, ast.BoolOp):
            parts = [self._truth(item) for item in node.values]
            return z3.And(*parts) if isinstance(node.op, ast.And) else z3.Or(*parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return z3.Not(self._truth(node.operand))
        if isinstance(node, ast.Compare):
            terms = [node.left, *node.comparators]
            return z3.And(*map(self._relation, terms, node.ops, terms[1:]))
        return self._number(node) != 0

    def _relation(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> Any:
        if isinstance(sign, ast.LtE | ast.Lt) and isinstance(right, ast.BinOp):
            left, right, sign = right, left, ast.GtE() if isinstance(sign, ast.LtE) else ast.Gt()
        fits = isinstance(sign, ast.GtE) and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add)
        if fits and ast.unparse(right) in (ast.unparse(left.left), ast.unparse(left.right)):  # type: ignore[attr-defined]
            return self._number(left) <= MAX  # a sum that is less than one of its parts has wrapped around
        return RELATIONS[type(sign)](self._number(left), self._number(right))

    def _number(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return z3.IntVal(node.value)
        if isinstance(node, ast.Compare | ast.BoolOp) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        ):
            return z3.If(self._truth(node), z3.IntVal(1), z3.IntVal(0))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._number(node.operand)
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node)
        return self._symbol(ast.unparse(node))

    def _arithmetic(self, node: ast.BinOp) -> Any:
        left, right = z3.simplify(self._number(node.left)), z3.simplify(self._number(node.right))
        fixed = z3.is_int_value(right)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult() if fixed or z3.is_int_value(left):
                return left * right
            case ast.Pow() if fixed and z3.is_int_value(left):
                return z3.IntVal(left.as_long() ** right.as_long())
            case ast.Div() if fixed:
                return left / right
            case ast.Mod() if fixed:
                return left % z3.IntVal(right.as_long() if right.as_long() > 0 else MAX)
        if isinstance(node.op, ast.Mult):
            return z3.Sum(
                [factor * self._monomial(names) for names, factor in self._polynomial(node).items()]
            )
        dividend, divisor = (sorted(self._polynomial(item).items()) for item in (node.left, node.right))
        return self._symbol(f"{type(node.op).__name__} of {dividend} by {divisor}")

    def _polynomial(self, node: ast.expr) -> dict[tuple[str, ...], int]:
        """Return a term as a sum of products: what each is multiplied with, by the names of its factors."""
        total: Counter[tuple[str, ...]] = Counter()
        match node:
            case ast.Constant(int(value)):
                total[()] = value
            case ast.BinOp(left, ast.Add() | ast.Sub() as sign, right):
                total.update(self._polynomial(left))
                (total.update if isinstance(sign, ast.Add) else total.subtract)(self._polynomial(right))
            case ast.BinOp(left, ast.Mult(), right):
                for (names, one), (others, other) in product(
                    self._polynomial(left).items(), self._polynomial(right).items()
                ):
                    total[tuple(sorted((*names, *others)))] += one * other
            case _:
                value = z3.simplify(self._number(node))
                if z3.is_int_value(value):
                    total[()] = value.as_long()
                else:
                    name = ast.unparse(node)
                    self.factors[name] = value
                    total[name,] = 1
        return {names: factor for names, factor in total.items() if factor}

    def _monomial(self, names: tuple[str, ...]) -> Any:
        if not names:
            return z3.IntVal(1)
        if len(names) == 1:
            return self.factors[names[0]]
        text = " * ".join(names)
        self.products.add(text)
        return self._symbol(text)

    def _symbol(self, text: str) -> Any:
        return self.symbols.setdefault(text, z3.Int(text))
