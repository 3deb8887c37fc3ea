"""Reads the texts of conditions and effects for what is compared with what, and where the numbers stand.

The texts are for people, and some are prose in part. What cannot be read is passed over up to the next ``and``, ``or``
or the end of its parentheses; the rest is read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_TEXT: Final = 20_000
"""Characters of a text that are read."""
MAX_DEPTH: Final = 40
"""How deep expressions may be nested."""
MAX_DIGITS: Final = 100
"""Digits of a number."""
_TOKEN: Final = re.compile(
    r"(?P<blank>\s+)|(?P<shown>\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?(?: UTC)?"
    r"|(?:≈ )?\d[\d,]*(?:\.\d+)? (?:ETH|gwei|wei)\b|0x[0-9a-fA-F]+…[0-9a-fA-F]*)"
    r"|(?P<number>0x[0-9a-fA-F]+|\d[\d,]*(?:\.\d+)?(?:[A-Za-z]\w*)?)"
    r"|(?P<quoted>`(?:[^`\\]|\\.)*`)|(?P<name>[A-Za-z_$][\w$]*)|(?P<sign><=|>=|!=|\*\*|≥|≤|≠|[-=<>+*/%^(),\[\].'])|(?P<other>.)",
    re.DOTALL,
)
_COMPARING: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "≥", "≤", "≠"})
_BOOLEAN: Final = frozenset({"and", "or"})
_ENDS: Final = _BOOLEAN | {")", ",", ":", ";"}
"""What may stand behind a comparison."""
_CASTS: Final = re.compile(r"u?int\d*")
_CHOICES: Final = frozenset({"min", "max"})


@dataclass(frozen=True, slots=True)
class Number:
    """A number in decimal digits."""

    value: int
    start: int
    """Where it begins in the text."""
    end: int
    """Where it ends."""


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, an argument, or anything else that has a value."""

    text: str
    example: Number | None = None
    """The value that stands behind it, as in ``amount 12 > deposit 7``."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Two expressions, put together."""

    sign: str
    """``+ - * / % ** ^``, or ``min`` for the lesser or greater of two."""
    left: Expression
    right: Expression


Expression = Number | Name | Operation


@dataclass(frozen=True, slots=True)
class ComparedTerms:
    """Two expressions that are compared; an effect is one, of what is written with what was."""

    left: Expression
    right: Expression


class _Unreadable(Exception):
    """Something that is no expression."""


def comparisons(text: str) -> tuple[ComparedTerms, ...]:
    """Return the comparisons that a text makes, from left to right."""
    return tuple(_Reader(text).comparisons()) if len(text) <= MAX_TEXT else ()


def expression(text: str) -> Expression | None:
    """Return what a text computes; ``None`` if it is no expression."""
    reader = _Reader(text)
    try:
        term = reader.sum(0)
    except _Unreadable:
        return None
    return term if reader.at_end else None


def arguments(text: str) -> tuple[Expression | None, ...]:
    """Return the expressions in a list in parentheses, ``(sender, to, amount)``; ``None`` for what is none."""
    if len(text) > MAX_TEXT or not (text.startswith("(") and text.endswith(")")):
        return ()
    return tuple(expression(part) for part in _split(text[1:-1]))


def names(term: Expression) -> Iterator[Name]:
    """Yield the names in an expression."""
    if isinstance(term, Name):
        yield term
    elif isinstance(term, Operation):
        yield from names(term.left)
        yield from names(term.right)


def _split(text: str) -> Iterator[str]:
    depth = start = 0
    for index, sign in enumerate(text):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            yield text[start:index].strip()
            start = index + 1
    yield text[start:].strip()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def _number(token: _Token) -> Number:
    """Return a number in decimal digits; words have 78."""
    if len(token.text) > MAX_DIGITS or not (token.text.isascii() and token.text.isdecimal()):
        raise _Unreadable
    return Number(int(token.text), token.start, token.end)


class _Reader:
    """Reads one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [
            _Token(match.lastgroup or "other", match[0], match.start(), match.end())
            for match in _TOKEN.finditer(text[:MAX_TEXT])
            if match.lastgroup != "blank"
        ]
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return self._position == len(self._tokens)

    def comparisons(self) -> Iterator[ComparedTerms]:
        """Yield the comparisons."""
        while not self.at_end:
            start = self._position
            comparison = self._comparison()
            if comparison is not None:
                yield comparison
                continue
            self._position = start
            if not self._pass("(", "not", *_ENDS):
                self._skip()

    def _comparison(self) -> ComparedTerms | None:
        """Read a comparison; ``None``, at any place, if there is none here."""
        try:
            left = self.sum(0)
            if not any(self._pass(sign) for sign in _COMPARING):
                return None
            right = self.sum(0)
        except _Unreadable:
            return None
        return ComparedTerms(left, right) if self.at_end or self._next(*_ENDS) else None

    def _skip(self) -> None:
        """Pass over what cannot be read, up to where something new begins."""
        depth = 0
        while not self.at_end:
            token = self._tokens[self._position]
            if not depth and token.text in _ENDS:
                return
            depth += (token.text in "([") - (token.text in ")]")
            self._position += 1

    def sum(self, depth: int) -> Expression:
        """Read an expression."""
        return self._chain(("+", "-"), depth)

    def _chain(self, signs: tuple[str, ...], depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise _Unreadable
        inner = depth + 1
        term = self._product(inner)
        while self._next(*signs):
            sign = self._take().text
            term = Operation(sign, term, self._product(inner))
        if self._next_is("shown"):  # the value that a sum had
            self._take()
        return term

    def _product(self, depth: int) -> Expression:
        term = self._part(depth)
        while self._next("*", "/", "%", "**", "^"):
            sign = self._take().text
            term = Operation(sign, term, self._part(depth))
        return term

    def _part(self, depth: int) -> Expression:
        if self.at_end:
            raise _Unreadable
        token = self._take()
        if token.text == "(":
            term = self.sum(depth)
            if not self._pass(")"):
                raise _Unreadable
            return term
        if token.kind == "number":
            return _number(token)
        if token.kind == "shown":
            return Name(token.text)
        if token.kind == "quoted":
            return self._name(token.text)
        if token.kind != "name" or token.text in _BOOLEAN | {"not"}:
            raise _Unreadable
        if self._next("(") and (_CASTS.fullmatch(token.text) or token.text in _CHOICES):
            return self._read_call(token.text, depth)
        return self._name(self._text[token.start : self._through(token)])

    def _read_call(self, function: str, depth: int) -> Expression:
        """Read what a cast or a choice is of."""
        self._take()
        term = self.sum(depth)
        while function in _CHOICES and self._pass(","):
            term = Operation("min", term, self.sum(depth))
        if not self._pass(")"):
            raise _Unreadable
        return term

    def _through(self, token: _Token) -> int:
        """Read fields, keys and arguments behind a name; return where they end."""
        end = token.end
        while not self.at_end:
            token = self._tokens[self._position]
            if token.text in ("(", "[") and token.start == end:
                end = self._skip_brackets()
            elif token.text == "." and token.start == end and self._position + 1 < len(self._tokens):
                end = self._tokens[self._position + 1].end
                self._position += 2
            elif token.text == "'" and token.start == end:  # the value after the call
                self._position += 1
                return token.start
            else:
                break
        return end

    def _skip_brackets(self) -> int:
        """Pass over a list in brackets; return where it ends."""
        depth = 0
        while not self.at_end:
            token = self._take()
            depth += (token.text in "([") - (token.text in ")]")
            if not depth:
                return token.end
        raise _Unreadable

    def _name(self, text: str) -> Name:
        """Return a name, with the value that stands behind it."""
        if self._next_is("number"):
            return Name(text, _number(self._take()))
        return Name(text)

    def _next_is(self, kind: str) -> bool:
        return not self.at_end and self._tokens[self._position].kind == kind

    def _next(self, *texts: str) -> bool:
        return not self.at_end and self._tokens[self._position].text in texts

    def _pass(self, *texts: str) -> bool:
        if self._next(*texts):
            self._position += 1
            return True
        return False

    def _take(self) -> _Token:
        if self.at_end:
            raise _Unreadable
        self._position += 1
        return self._tokens[self._position - 1]
