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
from typing import Any, Final

from specminer.errors import FileFormatError, plain
from specminer.specification import Edge, Specification, TransitionKind

_TOKEN: Final = re.compile(r"\s*(\(|\)|\|[^|\\]*\||[0-9]+|[a-z]+|[-=<>+*]+)")
_OPERATORS: Final = frozenset({"and", "or", "not", "=>", "=", "<", "<=", "+", "-", "*"})
_SORTS: Final[dict[str, tuple[int, ...]]] = {
    "Bool": (),
    "Int": (0, 1 << 256),
    "Signed Int": (-1 << 255, 1 << 255),
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
    def _sorts(self) -> dict[str, str]:
        return _declared(self.spec.symbols)

    @cached_property
    def _events(self) -> dict[str, int]:
        return {
            event: place
            for place, event in enumerate(sorted({edge.symbol for edge in self.spec.transitions}))
        }

    @cached_property
    def _functions(self) -> dict[str, int]:
        names = {edge.function for edge in self.spec.transitions} | {
            str(g.get("scope")) for g in self.spec.guards
        }
        return {name: place for place, name in enumerate(sorted(names))}

    def _variables(self) -> Iterator[str]:
        """Yield the interaction's variables, before and after a step, and that a step changes none of them."""
        for name, sort in self._sorts.items():
            yield from _declaration(name, sort)
            yield from _declaration(_after(name), sort)
        same = " ".join(f"(= {_after(name)} {name})" for name in self._sorts)
        yield f"(define-fun |unchanged| () Bool {f'(and {same} true)' if same else 'true'})"

    def _states(self) -> Iterator[str]:
        for state in self.spec.states:
            yield f"; state {state.id}: {plain(state.name, 300)}"
            term = "true" if state.smt is None else _checked(state.smt, self._sorts)
            yield f"(define-fun |state {state.id}| () Bool {term})"
            yield f"(define-fun |state {state.id}'| () Bool {_renamed(term, {n: _after(n) for n in self._sorts})})"

    def _guards(self) -> Iterator[str]:
        declared: set[str] = set()
        for name, number in self._functions.items():
            yield f"; function {number}: {plain(name, 300)}"
        for place, guard in enumerate(self._of_functions.values()):
            yield f"; guard of {plain(guard.get('scope'), 300)}: {plain(guard.get('text'), 300)}"
            yield from self._guard(f"guard {place}", guard, str(guard.get("scope")), {}, declared)
        for place, edge in enumerate(self.spec.transitions):
            if edge.condition is not None:
                yield f"; guard of transition {place}: {plain(edge.condition.get('whole'), 300)}"
                state = edge.condition.get("state")
                yield from self._guard(
                    f"transition {place}",
                    edge.condition,
                    edge.function,
                    state if isinstance(state, dict) else {},
                    declared,
                )

    def _guard(
        self, name: str, guard: Mapping[str, Any], function: str, state: Mapping[str, str], declared: set[str]
    ) -> Iterator[str]:
        sorts = _declared(guard.get("symbols"))
        number = self._functions[function]
        called = {
            symbol: state[symbol] if state.get(symbol) in self._sorts else f"|{number}: {symbol[1:]}"
            for symbol in sorts
        }
        for symbol, sort in sorts.items():
            if called[symbol] not in self._sorts and called[symbol] not in declared:
                declared.add(called[symbol])
                yield from _declaration(called[symbol], sort)
        term = _checked(str(guard.get("smt", "true")), sorts)
        yield f"(define-fun |{name}| () Bool {_renamed(term, called)})"

    @cached_property
    def _of_functions(self) -> dict[str, Mapping[str, Any]]:
        """What functions require, for transitions of which nothing else is told."""
        told = {edge.function for edge in self.spec.transitions if edge.condition is not None}
        return {
            str(guard["scope"]): guard
            for guard in self.spec.guards
            if guard.get("kind") == "required" and guard.get("text") and str(guard.get("scope")) not in told
        }

    def _steps(self) -> Iterator[str]:
        for event, place in self._events.items():
            yield f"; event {place}: {plain(event, 300)}"
        for name in ("from", "to", "event"):
            yield f"(declare-fun |{name}| () Int)"
        steps = [self._step(place, edge) for place, edge in enumerate(self.spec.transitions)]
        yield f"(define-fun |initial| () Bool (= |from| {self.spec.initial}))"
        yield "(define-fun |step| () Bool (or"
        yield from (f"  {step}" for step in steps)
        yield "  false))"
        yield "(assert |step|)"
        yield "(check-sat)"

    def _step(self, place: int, edge: Edge) -> str:
        parts = [
            f"(= |from| {edge.source})",
            f"(= |to| {edge.target})",
            f"(= |event| {self._events[edge.symbol]})",
            f"|state {edge.source}|",
        ]
        if edge.outcome != "returned":
            parts.append("|unchanged|")
        elif edge.condition is not None:
            parts.append(f"|transition {place}|")
        elif edge.kind is TransitionKind.CALL and edge.function in self._of_functions:
            parts.append(f"|guard {list(self._of_functions).index(edge.function)}|")
        parts.append(f"|state {edge.target}'|")
        return f"(and {' '.join(parts)})"


def _declared(symbols: object) -> dict[str, str]:
    """Return names that are quoted symbols, with sorts that there are."""
    found = symbols if isinstance(symbols, dict) else {}
    return {
        name: sort
        for name, sort in sorted(found.items())
        if sort in _SORTS and re.fullmatch(r"\|[^|\\]*\|", name) and name[1:-1].isprintable()
    }


def _declaration(name: str, sort: str) -> Iterator[str]:
    yield f"(declare-fun {name} () {sort.removeprefix('Signed ')})"
    if _SORTS[sort]:
        low, high = _SORTS[sort]
        least = str(low) if low >= 0 else f"(- {-low})"
        yield f"(assert (and (<= {least} {name}) (< {name} {high})))"


def _after(name: str) -> str:
    return f"{name[:-1]}'|"


def _renamed(term: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\|[^|\\]*\|", lambda match: names.get(match[0], match[0]), term)


def _checked(term: str, sorts: Mapping[str, str]) -> str:
    """Return a term if it is one and no more: what stands in a document is not trusted to be.

    Raises:
        FileFormatError: it is none.

    """
    at = depth = terms = 0
    while at < len(term.rstrip()):
        match = _TOKEN.match(term, at)
        token = match[1] if match else ""
        known = (
            token in sorts or token in _OPERATORS or token in ("(", ")", "true", "false") or token.isdecimal()
        )
        if match is None or not known:
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
