"""Reads formulas from the text that :mod:`specminer.predicate.formula_text` describes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from specminer._support.text import nearest
from specminer.decoding.storage_values import text_word
from specminer.predicate.formula_text import KEYWORDS, PLAIN_NAME, members
from specminer.predicate.smt import Formula, FormulaError, FormulaSort, Language

MAX_TEXT: Final = 10_000
"""Characters of a formula, more than which nobody writes."""
MAX_DEPTH: Final = 100
"""Parentheses and negations in one another."""

_TOKEN: Final = re.compile(
    rf"\s*(?:(?P<quoted>`(?:[^`\\]|\\.)*`)|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<number>-?(?:0x[0-9a-fA-F]+|[0-9]+)(?![\w$]))"
    rf"|(?P<word>(?:{'|'.join(KEYWORDS)})(?![\w$]))|(?P<name>{PLAIN_NAME.pattern})|(?P<sign><=|>=|!=|==|=|<|>|\+|\*|\(|\)))",
    re.ASCII | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))", re.DOTALL)
_NEGATIONS: Final = {"!=": "=", ">=": "<", ">": "<="}
"""How a comparison is read that is the opposite of another: ``a >= b`` is ``not a < b``."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    """``name``, ``number``, ``text`` (in quotes), ``sign``, ``word`` (a keyword) or ``end``."""
    text: str
    position: int


def parse(language: Language, text: str) -> Formula:
    """Return the formula that a text stands for, over the symbols of a language.

    Raises:
        FormulaError: it is malformed or names what is not there; the message tells where and what is near.

    """
    if len(text) > MAX_TEXT:
        raise FormulaError(f"a formula of {len(text):,} characters; at most {MAX_TEXT:,} are read")
    return _Parser(language, _tokens(text)).whole()


def names_in(text: str) -> frozenset[str]:
    """Return the names that stand in a text, of variables and of values; none where it cannot be read."""
    if len(text) > MAX_TEXT:
        return frozenset()
    try:
        return frozenset(token.text for token in _tokens(text) if token.kind == "name")
    except FormulaError:
        return frozenset()


def check_form(text: str) -> None:
    """Check that a text has the form of a formula, whatever its names stand for.

    Raises:
        FormulaError: it has not; the message tells where.

    """
    if len(text) > MAX_TEXT:
        raise FormulaError(f"a formula of {len(text):,} characters; at most {MAX_TEXT:,} are read")
    depth, open_operand = 0, True  # whether a variable, a constant, 'not' or '(' has to come next
    for token in _tokens(text):
        token_text = token.text if token.kind == "end" else f"'{token.text}'"
        if open_operand:
            if token.kind in ("name", "number", "text") or token.text in ("true", "false"):
                open_operand = False
            elif token.text == "(" and token.kind == "sign":
                depth += 1
            elif not (token.kind == "word" and token.text == "not"):
                raise FormulaError(
                    f"expected a variable, a constant, 'not' or '(' at character {token.position + 1} "
                    f"but got {token_text}"
                )
        elif token.kind == "end":
            if depth:
                raise FormulaError(f"expected ')' at character {token.position + 1} but got {token_text}")
        elif token.text == ")" and token.kind == "sign" and depth:
            depth -= 1
        elif token.kind not in ("sign", "word") or token.text in ("(", ")", "not", "true", "false"):
            raise FormulaError(f"expected an operator at character {token.position + 1} but got {token_text}")
        else:
            open_operand = True
        if depth > MAX_DEPTH:
            raise FormulaError(f"more than {MAX_DEPTH} parentheses in one another")


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            raise FormulaError(f"cannot read '{stripped[at:].strip()[:20]}' at character {at + 1}")
        kind = str(match.lastgroup)
        value = match[kind]
        start = match.start(kind)
        if kind == "quoted":
            tokens.append(_Token("name", re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL), start))
        elif kind == "text":
            tokens.append(_Token("text", _ESCAPE.sub(_unescape, value[1:-1]), start))
        else:
            tokens.append(_Token(kind, "=" if value == "==" else value, start))
        at = match.end()
    return [*tokens, _Token("end", "the end", len(stripped))]


def _unescape(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return escape[2]
    number = int(escape[1], 16)
    if number > sys.maxunicode:
        raise FormulaError(f"no character has the number {escape[1]}")
    return chr(number)


@dataclass(frozen=True, slots=True)
class _UnresolvedName:
    """A constant, or a name that may be a value of the variable it is compared with."""

    token: _Token


_Operand = Formula | _UnresolvedName


class _Parser:
    """Recursive descent, a method a level of binding."""

    def __init__(self, language: Language, tokens: list[_Token]) -> None:
        self._language = language
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._next]

    def take(self, *texts: str) -> str | None:
        """Step over the next token if it is one of these signs or words."""
        if self.token.kind in ("sign", "word") and self.token.text in texts:
            self._next += 1
            return self._tokens[self._next - 1].text
        return None

    def whole(self) -> Formula:
        """Read all that there is."""
        formula = self._truth(self.disjunction())
        if self.token.kind != "end":
            raise self.error("'and', 'or' or the end")
        return formula

    def error(self, expected: str) -> FormulaError:
        token = self.token
        token_text = token.text if token.kind == "end" else f"'{token.text}'"
        return FormulaError(f"expected {expected} at character {token.position + 1} but got {token_text}")

    def disjunction(self) -> _Operand:
        return self._chain("or", _Parser.conjunction, self._language.disjunction)

    def conjunction(self) -> _Operand:
        return self._chain("and", _Parser.negation, self._language.conjunction)

    def _chain(
        self, word: str, level: Callable[[_Parser], _Operand], join: Callable[..., Formula]
    ) -> _Operand:
        first = level(self)
        parts = []
        while self.take(word):
            parts.append(self._truth(level(self)))
        return join(self._truth(first), *parts) if parts else first

    def negation(self) -> _Operand:
        if not self.take("not"):
            return self.comparison()
        self._deeper()
        inner = self._truth(self.negation())
        self._depth -= 1
        return self._language.negation(inner)

    def comparison(self) -> _Operand:
        left = self.sum()
        sign = self.take("=", "!=", "<", "<=", ">", ">=")
        if sign is None:
            return left
        right = self.sum()
        first, second = self._pair(left, right)
        if sign in ("=", "!="):
            if self._language.is_boolean(first) != self._language.is_boolean(second):
                raise FormulaError("a truth value cannot be compared with a number")
            relation = self._language.equal(first, second)
        else:
            if self._language.is_boolean(first) or self._language.is_boolean(second):
                raise FormulaError(f"expected numbers on both sides of '{sign}' but got a truth value")
            less = _NEGATIONS.get(sign, sign) == "<"
            relation = (self._language.less if less else self._language.at_most)(first, second)
        return self._language.negation(relation) if sign in _NEGATIONS else relation

    def sum(self) -> _Operand:
        return self._arithmetic("+", _Parser.product, self._language.plus)

    def product(self) -> _Operand:
        return self._arithmetic("*", _Parser.operand, self._language.times)

    def _arithmetic(
        self, sign: str, level: Callable[[_Parser], _Operand], join: Callable[..., Formula]
    ) -> _Operand:
        first = level(self)
        parts = []
        while self.take(sign):
            parts.append(self._number(level(self), sign))
        return join(self._number(first, sign), *parts) if parts else first

    def _number(self, operand: _Operand, sign: str) -> Formula:
        """Return an operand of a sum or a product."""
        if isinstance(operand, _UnresolvedName):
            if operand.token.kind != "number":
                raise self._nameless(operand.token, list(self._language.names))
            return self._language.number(int(operand.token.text, 0 if "x" in operand.token.text else 10))
        if self._language.is_boolean(operand):
            raise FormulaError(f"expected numbers on both sides of '{sign}' but got a truth value")
        return operand

    def operand(self) -> _Operand:
        if self.take("("):
            self._deeper()
            inner = self.disjunction()
            self._depth -= 1
            if not self.take(")"):
                raise self.error("')'")
            return inner
        word = self.take("true", "false")
        if word is not None:
            return self._language.truth(word == "true")
        token = self.token
        if token.kind not in ("name", "number", "text"):
            raise self.error("a variable, a constant, 'not' or '('")
        self._next += 1
        symbol = self._language.find(token.text) if token.kind == "name" else None
        return _UnresolvedName(token) if symbol is None else symbol

    def _pair(self, left: _Operand, right: _Operand) -> tuple[Formula, Formula]:
        """Resolve each side of a comparison, with the help of the other."""
        return self._resolve(left, right), self._resolve(right, left)

    def _resolve(self, operand: _Operand, other: _Operand) -> Formula:
        if not isinstance(operand, _UnresolvedName):
            return operand
        token = operand.token
        if token.kind == "number":
            return self._language.number(int(token.text, 0) if "x" in token.text else int(token.text))
        if token.kind == "text":
            return self._language.number(self._stored_text(token, other))
        values: dict[str, int] = {}
        if not isinstance(other, _UnresolvedName) and other.is_symbol():
            values = members(self._language, self._language.declaration(other))
        if token.text in values:
            return self._language.number(values[token.text])
        raise self._nameless(token, [*values, *self._language.names])

    def _stored_text(self, token: _Token, other: _Operand) -> int:
        """Return how the slot of a variable that is compared with a text holds it."""
        declared = None
        if not isinstance(other, _UnresolvedName) and other.is_symbol():
            declared = self._language.declaration(other)
        if declared is None or declared.sort is not FormulaSort.TEXT:
            other_name = f"'{declared.name}'" if declared else "what it is compared with"
            raise FormulaError(f"a text at character {token.position + 1}, but {other_name} holds none")
        word = text_word(token.text)
        if word is None:
            raise FormulaError(
                f"a text of more than 31 bytes at character {token.position + 1}; no slot holds it whole"
            )
        return word

    def _truth(self, operand: _Operand) -> Formula:
        """Return an operand as something that is true or false."""
        if isinstance(operand, _UnresolvedName):
            if operand.token.kind in ("number", "text"):
                raise FormulaError(
                    f"expected something true or false but got the {operand.token.kind} {operand.token.text}"
                )
            raise self._nameless(operand.token, list(self._language.names))
        if not self._language.is_boolean(operand):
            name = self._language.declaration(operand).name if operand.is_symbol() else str(operand)
            raise FormulaError(f"expected something true or false but '{name}' is a number; compare it")
        return operand

    def _nameless(self, token: _Token, names: list[str]) -> FormulaError:
        near = nearest(token.text, names, count=3, cutoff=0.5)
        hint = f"; near are {', '.join(repr(name) for name in near)}" if near else ""
        return FormulaError(f"nothing is called '{token.text}' (character {token.position + 1}){hint}")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError(f"more than {MAX_DEPTH} parentheses and negations in one another")
