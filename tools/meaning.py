"""Compares outputs byte for byte, except SMT-LIB texts and TOML, which are compared by what they mean.

SMT-LIB stands in ``.smt2`` files, in what `export-smt` prints, and in the strings ``smt`` and ``script`` of JSON. Its
texts are equal if they agree after unfolding of ``let``, and up to white space, the order of declarations and
assertions, the order of arguments where it does not matter, and bars around names that need none; where they still
differ, z3 decides, if it is installed. Comments are compared as text.

Source: Barrett, Fontaine and Tinelli, The SMT-LIB Standard, version 2.6.
"""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Final

Expression = str | tuple["Expression", ...]
"""An s-expression: an atom, or a list of expressions."""

_TOKEN: Final = re.compile(r'\(|\)|\|[^|]*\||"(?:[^"]|"")*"|[^\s()|";]+')
_COMMENT: Final = re.compile(r"(?m)^\s*;(.*)$")
_SIMPLE: Final = re.compile(r"\|([A-Za-z~!@$%^&*_+=<>.?/-][A-Za-z0-9~!@$%^&*_+=<>.?/-]*)\|")
_EMBEDDED: Final = re.compile(r'("(?:smt|script)":\s*)("(?:[^"\\]|\\.)*")')
_ORDERLESS: Final = frozenset({"and", "or", "=", "distinct", "+", "*"})
_NESTING: Final = frozenset({"and", "or", "+", "*"})
_BOOLEAN: Final = frozenset({"and", "or", "not", "=>", "xor"})
_COMPARISONS: Final = frozenset({"<", "<=", ">", ">="})
_TIMEOUT: Final = 20_000
"""Milliseconds that z3 may take for one question."""
_WIDTH: Final = 160
"""Characters that are shown of a line that differs."""


@dataclass(frozen=True, slots=True)
class Content:
    """An output, divided into what is compared byte for byte and what is compared by meaning."""

    lines: tuple[str, ...]
    """The text, with a mark for each SMT-LIB text in it; of TOML its values as JSON."""
    terms: tuple[str, ...]
    """The SMT-LIB texts, in order."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two outputs differ first."""

    where: str
    """The number of the line, or of the SMT-LIB text."""
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.where}\n  - {self.first}\n  + {self.second}"


def content(path: Path, *, pictures: bool = True) -> Content:
    """Read an output; without ``pictures`` an SVG picture, whose layout Graphviz chose, counts as a mark."""
    data = path.read_bytes()
    name = path.name
    if name.endswith(".gz"):
        data, name = gzip.decompress(data), name.removesuffix(".gz")
    text = data.decode("utf-8", "surrogateescape")
    if name.endswith(".toml"):
        return Content(_lines(_toml_values(text)), ())
    if name.endswith(".smt2") or name == "export-smt.stdout":
        return Content((), (text,))
    if not pictures and name.endswith((".svg", ".html")):
        text = re.sub(r"(?s)<svg.*?</svg>", "(picture)", text)
    terms = tuple(json.loads(match[2]) for match in _EMBEDDED.finditer(text))
    return Content(_lines(_EMBEDDED.sub(r'\1"(SMT-LIB)"', text)), terms)


def _toml_values(text: str) -> str:
    """Return the values of a TOML text in an order of their own; a text that is no TOML as it is."""
    try:
        return json.dumps(tomllib.loads(text), indent=1, sort_keys=True, default=str, ensure_ascii=False)
    except tomllib.TOMLDecodeError:
        return text


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.splitlines(keepends=True))


def difference(first: Content, second: Content) -> Difference | None:
    """Return where two outputs differ first; None if they agree."""
    for number, (one, other) in enumerate(zip_longest(first.lines, second.lines), 1):
        if one != other:
            return Difference(f"line {number}", *_excerpts(one, other))
    for number, (one, other) in enumerate(zip_longest(first.terms, second.terms), 1):
        if one is None or other is None or not same_smtlib(one, other):
            return Difference(f"SMT-LIB text {number}", *_excerpts(one, other))
    return None


def _excerpts(first: str | None, second: str | None) -> tuple[str, str]:
    """Return what stands around the first character that differs."""
    pairs = enumerate(zip(first or "", second or "", strict=False))
    shorter = min(len(first or ""), len(second or ""))
    begin = max(0, next((index for index, (one, other) in pairs if one != other), shorter) - _WIDTH // 3)
    return _excerpt(first, begin), _excerpt(second, begin)


def _excerpt(text: str | None, begin: int) -> str:
    return "(nothing)" if text is None else repr(text[begin : begin + _WIDTH])


def same_smtlib(first: str, second: str) -> bool:
    """Return whether two SMT-LIB texts mean the same, as far as their form or z3 shows it."""
    if first == second:
        return True
    if _COMMENT.findall(first) != _COMMENT.findall(second):
        return False
    try:
        one, other = normal_form(first), normal_form(second)
    except (ValueError, RecursionError):
        return False
    return one == other or _equivalent(one, other)


def normal_form(text: str) -> tuple[Expression, ...]:
    """Return the expressions of a text, or its commands, in the form in which they are compared.

    Raises:
        ValueError: the parentheses do not match.

    """
    expressions = [_normal(expression, {}) for expression in _parsed(text)]
    sorted_commands = {
        name: sorted((each for each in expressions if _is_command(each, name)), key=repr)
        for name in ("declare-fun", "assert")
    }
    others = [each for each in expressions if not any(_is_command(each, name) for name in sorted_commands)]
    return (*sorted_commands["declare-fun"], *others, *sorted_commands["assert"])


def _is_command(expression: Expression, name: str) -> bool:
    return isinstance(expression, tuple) and expression[:1] == (name,)


def _parsed(text: str) -> list[Expression]:
    stack: list[list[Expression]] = [[]]
    for token in _TOKEN.findall(re.sub(r"(?m)^\s*;.*$", "", text)):
        if token == "(":
            stack.append([])
        elif token == ")":
            if len(stack) == 1:
                raise ValueError("there is a ')' too many")
            finished = tuple(stack.pop())
            stack[-1].append(finished)
        else:
            stack[-1].append(_SIMPLE.sub(r"\1", token))
    if len(stack) > 1:
        raise ValueError("there is a '(' too many")
    return stack[0]


def _normal(expression: Expression, bound: dict[str, Expression]) -> Expression:
    if isinstance(expression, str):
        return bound.get(expression, expression)
    match expression:
        case ("let", tuple() as bindings, body):
            values = {str(binding[0]): _normal(binding[1], bound) for binding in bindings}
            return _normal(body, bound | values)
        case ("declare-const", name, sort):
            return ("declare-fun", name, (), sort)
    parts = tuple(_normal(part, bound) for part in expression)
    operator = parts[0] if parts and isinstance(parts[0], str) else ""
    arguments = list(parts[1:])
    if operator in _NESTING:
        arguments = [
            inner for part in arguments for inner in (part[1:] if part[:1] == (operator,) else (part,))
        ]
    if operator in _ORDERLESS:
        arguments.sort(key=repr)
        return (operator, *arguments)
    return parts


def _equivalent(first: Sequence[Expression], second: Sequence[Expression]) -> bool:
    """Ask z3 whether two terms, or two scripts with all that they define, always have the same value."""
    if len(first) == len(second) == 1 and not any(_is_command(text[0], "assert") for text in (first, second)):
        sorts = _sorts_of((first[0], second[0]))
        header = "".join(f"(declare-fun {name} () {sort})" for name, sort in sorts.items())
        return _same_models(*(f"{header}(assert {written(text[0])})" for text in (first, second)))
    if _frame(first) != _frame(second):
        return False
    named = [each[1] for each in first if isinstance(each, tuple) and each[0] == "define-fun"]
    questions = [[f"(assert {written(name)})" for name in named] for _ in (first, second)]
    for text, asked in zip((first, second), questions, strict=True):
        asked.append("".join(written(each) for each in text if _is_command(each, "assert")))
    headers = [
        "".join(written(e) for e in text if _is_command(e, "declare-fun") or _is_command(e, "define-fun"))
        for text in (first, second)
    ]
    return all(
        _same_models(headers[0] + one, headers[1] + other) for one, other in zip(*questions, strict=True)
    )


def _frame(text: Sequence[Expression]) -> list[Expression]:
    """Return the commands of a script, of a definition its name and sort only, without what is asserted."""
    commands = (each for each in text if not _is_command(each, "assert"))
    return [each[:-1] if _is_command(each, "define-fun") else each for each in commands]


def written(expression: Expression) -> str:
    """Return an s-expression as text."""
    return expression if isinstance(expression, str) else f"({' '.join(map(written, expression))})"


def _sorts_of(terms: Sequence[Expression]) -> dict[str, str]:
    """Return the symbols of terms: truth values where they stand for one, numbers elsewhere."""
    symbols: dict[str, str] = {}

    def visit(expression: Expression, sort: str) -> None:
        if isinstance(expression, str):
            if not expression.isdecimal() and expression not in ("true", "false"):
                symbols[expression] = "Bool" if "Bool" in (sort, symbols.get(expression)) else "Int"
            return
        operator, arguments = expression[0], expression[1:]
        of_truths = operator in _BOOLEAN or (
            operator in ("=", "distinct") and any(_is_truth(part, symbols) for part in arguments)
        )
        for part in arguments:
            visit(part, "Bool" if of_truths else "Int")

    for _ in range(3):  # what one part says of a symbol is used in the others
        for term in terms:
            visit(term, "Bool")
    return symbols


def _is_truth(expression: Expression, symbols: dict[str, str]) -> bool:
    if isinstance(expression, str):
        return expression in ("true", "false") or symbols.get(expression) == "Bool"
    return expression[0] in _BOOLEAN | _COMPARISONS | {"=", "distinct"}


def _same_models(first: str, second: str) -> bool:
    try:
        import z3
    except ImportError:
        return False
    solver = z3.Solver()
    solver.set("timeout", _TIMEOUT)
    try:
        one, other = (z3.And(*z3.parse_smt2_string(text)) for text in (first, second))
    except z3.Z3Exception:
        return False
    solver.add(one != other)
    return bool(solver.check() == z3.unsat)


def differing_files(
    first: dict[str, Path], second: dict[str, Path], read: Callable[[Path], Content] = content
) -> Iterator[tuple[str, Difference]]:
    """Yield each output of two folders that differs, or that only one of them has."""
    for name in sorted(first.keys() | second.keys()):
        if name not in first or name not in second:
            there = ("there", "missing") if name in first else ("missing", "there")
            yield name, Difference("the file", *there)
        elif first[name].read_bytes() != second[name].read_bytes():
            found = difference(read(first[name]), read(second[name]))
            if found is not None:
                yield name, found
