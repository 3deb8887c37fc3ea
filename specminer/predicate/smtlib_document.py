"""A specification as SMT-LIB 2: states, guards and the transition relation, for any solver that reads the format.

A step goes from a state to a state by an event. ``|from|`` and ``|to|`` are the states' numbers, ``|event|`` is the
event's; comments tell their names. What holds in a state is said of the interaction's variables, before the step and,
with a prime, after it; a rejected call leaves them as they are. What a guard says besides belongs to the function
called, so that no name of one function is another's.

Source: Barrett, Fontaine and Tinelli, The SMT-LIB Standard, version 2.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from specminer._support.errors import FileFormatError, plain
from specminer.predicate.syntax import apply, assertion, declaration, definition, number, symbol
from specminer.specification import (
    Edge,
    Guard,
    GuardKind,
    Specification,
    SymbolSort,
    TransitionGuard,
    TransitionKind,
)

_TOKEN: Final = re.compile(r"\s*(\(|\)|\|[^|\\]*\||[0-9]+|[a-z]+|[-=<>+*]+)")
_OPERATORS: Final = frozenset({"and", "or", "not", "=>", "=", "<", "<=", "+", "-", "*"})
_SORTS: Final[dict[SymbolSort, tuple[int, ...]]] = {
    SymbolSort.BOOLEAN: (),
    SymbolSort.WORD: (0, 1 << 256),
    SymbolSort.SIGNED: (-1 << 255, 1 << 255),
}
"""What symbols are, with the least value of a number and the first one that is too large."""
_DEEP: Final = 200
"""Parentheses in one another in a term that is written down."""


def smtlib(spec: Specification) -> str:
    """Return a script that declares everything and asks whether some step is possible.

    Raises:
        FileFormatError: a term of the document is none, or speaks of what it does not declare.

    """
    return "\n".join(_Script(spec).lines()) + "\n"


@dataclass(frozen=True)
class _Script:
    spec: Specification

    def lines(self) -> Iterator[str]:
        spec = self.spec
        body = [*self._variables(), *self._states(), *self._guards(), *self._steps()]
        yield f"; {plain(spec.name, 300)}"
        yield "(set-info :smt-lib-version 2.6)"
        yield f"(set-logic {'QF_NIA' if any('(* ' in line for line in body) else 'QF_LIA'})"
        yield from body

    @cached_property
    def _sorts(self) -> dict[str, SymbolSort]:
        return _declarable(self.spec.symbols)

    @cached_property
    def _events(self) -> dict[str, int]:
        return {
            event: index
            for index, event in enumerate(sorted({edge.symbol for edge in self.spec.transitions}))
        }

    @cached_property
    def _functions(self) -> dict[str, int]:
        names = {edge.function for edge in self.spec.transitions} | {
            guard.scope for guard in self.spec.guards
        }
        return {name: index for index, name in enumerate(sorted(names))}

    def _variables(self) -> Iterator[str]:
        """Yield the interaction's variables, before and after a step, and that a step changes none of them."""
        for name, sort in self._sorts.items():
            yield from _declaration(name, sort)
            yield from _declaration(_after(name), sort)
        same = [apply("=", _after(name), name) for name in self._sorts]
        yield definition("|unchanged|", apply("and", *same, "true") if same else "true")

    def _states(self) -> Iterator[str]:
        for state in self.spec.states:
            yield f"; state {state.id}: {plain(state.name, 300)}"
            term = "true" if state.smt is None else _check_term(state.smt, self._sorts)
            name = symbol(f"state {state.id}")
            yield definition(name, term)
            yield definition(_after(name), _rename(term, {each: _after(each) for each in self._sorts}))

    def _guards(self) -> Iterator[str]:
        declared: set[str] = set()
        for name, index in self._functions.items():
            yield f"; function {index}: {plain(name, 300)}"
        for position, guard in enumerate(self._of_functions):
            yield f"; {guard.kind.value} guard of {plain(guard.scope, 300)}: {plain(guard.text, 300)}"
            yield from self._guard(f"guard {position}", guard, guard.scope, {}, declared)
        for position, edge in enumerate(self.spec.transitions):
            if edge.condition is not None:
                yield f"; guard of transition {position}: {plain(edge.condition.whole, 300)}"
                yield from self._guard(
                    f"transition {position}", edge.condition, edge.function, edge.condition.state, declared
                )

    def _guard(
        self,
        name: str,
        guard: Guard | TransitionGuard,
        function: str,
        state: Mapping[str, str],
        declared: set[str],
    ) -> Iterator[str]:
        sorts = _declarable(guard.symbols)
        function_number = self._functions[function]
        called = {
            name: state[name] if state.get(name) in self._sorts else f"|{function_number}: {name[1:]}"
            for name in sorts
        }
        for local, sort in sorts.items():
            if called[local] not in self._sorts and called[local] not in declared:
                declared.add(called[local])
                yield from _declaration(called[local], sort)
        term = _check_term(guard.smt, sorts)
        yield definition(symbol(name), _rename(term, called))

    @cached_property
    def _of_functions(self) -> tuple[Guard, ...]:
        """What functions demand, by code or by what was learned, for transitions of which nothing else is told."""
        guarded_functions = {edge.function for edge in self.spec.transitions if edge.condition is not None}
        return tuple(
            guard
            for guard in self.spec.guards
            if guard.kind is not GuardKind.OBSERVED and guard.text and guard.scope not in guarded_functions
        )

    def _steps(self) -> Iterator[str]:
        for event, index in self._events.items():
            yield f"; event {index}: {plain(event, 300)}"
        for name in ("from", "to", "event"):
            yield declaration(symbol(name), "Int")
        steps = [self._step(index, edge) for index, edge in enumerate(self.spec.transitions)]
        yield definition("|initial|", apply("=", "|from|", number(self.spec.initial)))
        yield definition("|step|", "(or\n  " + "\n  ".join([*steps, "false"]) + ")")
        yield assertion("|step|")
        yield "(check-sat)"

    def _step(self, position: int, edge: Edge) -> str:
        parts = [
            apply("=", "|from|", number(edge.source)),
            apply("=", "|to|", number(edge.target)),
            apply("=", "|event|", number(self._events[edge.symbol])),
            symbol(f"state {edge.source}"),
        ]
        if edge.outcome != "returned":
            parts.append("|unchanged|")
        elif edge.condition is not None:
            parts.append(symbol(f"transition {position}"))
        elif edge.kind is TransitionKind.CALL:
            parts += [
                symbol(f"guard {position}")
                for position, guard in enumerate(self._of_functions)
                if guard.scope == edge.function
            ]
        parts.append(symbol(f"state {edge.target}", after=True))
        return apply("and", *parts)


def _declarable(symbols: Mapping[str, SymbolSort]) -> dict[str, SymbolSort]:
    """Return those symbols, by name, whose names are quoted as the format wants it."""
    return {
        name: symbols[name]
        for name in sorted(symbols)
        if re.fullmatch(r"\|[^|\\]*\|", name) and name[1:-1].isprintable()
    }


def _declaration(name: str, sort: SymbolSort) -> Iterator[str]:
    yield declaration(name, "Bool" if sort is SymbolSort.BOOLEAN else "Int")
    if _SORTS[sort]:
        low, high = _SORTS[sort]
        yield assertion(apply("and", apply("<=", number(low), name), apply("<", name, number(high))))


def _after(name: str) -> str:
    return f"{name[:-1]}'|"


def _rename(term: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\|[^|\\]*\|", lambda match: names.get(match[0], match[0]), term)


def _check_term(term: str, sorts: Mapping[str, SymbolSort]) -> str:
    """Return a term if it is one and no more: what stands in a document is not trusted to be.

    Raises:
        FileFormatError: it is none.

    """
    at = depth = terms = 0
    while at < len(term.rstrip()):
        match = _TOKEN.match(term, at)
        token = match[1] if match else ""
        is_allowed = (
            token in sorts or token in _OPERATORS or token in ("(", ")", "true", "false") or token.isdecimal()
        )
        if match is None or not is_allowed:
            raise FileFormatError(
                f"expected an SMT-LIB term over declared symbols but got '{plain(term, 100)}'"
            )
        terms += depth == 0 and token != ")"
        depth += (token == "(") - (token == ")")
        if depth < 0 or depth > _DEEP or terms > 1:
            break
        at = match.end()
    if depth or terms != 1:
        raise FileFormatError(
            f"expected one SMT-LIB term, nested less than {_DEEP} deep, but got '{plain(term, 100)}'"
        )
    return term
