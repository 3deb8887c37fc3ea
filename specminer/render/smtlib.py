"""A specification as SMT-LIB 2: states, guards and the transition relation, for any solver that reads the format.

A step goes from a state to a state by an event. ``|from|`` and ``|to|`` are the states' numbers, ``|event|`` is the
event's; comments tell their names. A guard speaks of the values that the call met, which belong to the function
called, so that no name of one function is another's.

Source: Barrett, Fontaine and Tinelli, The SMT-LIB Standard, version 2.6.
"""

from __future__ import annotations

import re
from typing import Any, Final

from specminer.errors import plain
from specminer.specification import Specification

_QUOTED: Final = re.compile(r"\|([^|\\]*)\|")
_SORTS: Final = frozenset({"Int", "Bool"})


def smtlib(spec: Specification) -> str:
    """Return a script that declares everything and asks whether some step is possible."""
    events = sorted({edge.symbol for edge in spec.transitions})
    number = {event: place for place, event in enumerate(events)}
    guards = [guard for guard in spec.guards if guard.get("kind") == "required" and guard.get("text")]
    lines = [f"; {_comment(spec.name)}", "(set-logic ALL)", *_guards(guards)]
    lines += [f"; state {state.id}: {_comment(state.name)}" for state in spec.states]
    lines += [f"; event {place}: {_comment(event)}" for place, event in enumerate(events)]
    lines += [f"(declare-fun |{name}| () Int)" for name in ("from", "to", "event")]
    guarded = {str(guard["scope"]): place for place, guard in enumerate(guards)}
    steps = []
    for edge in spec.transitions:
        parts = [f"(= |from| {edge.source})", f"(= |to| {edge.target})", f"(= |event| {number[edge.symbol]})"]
        if edge.function in guarded and edge.kind.value == "call":
            met = f"|guard {guarded[edge.function]}|"
            parts.append(met if edge.outcome == "returned" else "true")
        steps.append(f"  (and {' '.join(parts)})")
    body = "\n".join(["(or", *steps, ")"]) if steps else "false"
    lines += [
        f"(define-fun |initial| () Bool (= |from| {spec.initial}))",
        f"(define-fun |step| () Bool {body})",
        "(assert |step|)",
        "(check-sat)",
    ]
    return "\n".join(lines) + "\n"


def _guards(guards: list[dict[str, Any]]) -> list[str]:
    """Return the guards as definitions over symbols of their own."""
    lines: list[str] = []
    for place, guard in enumerate(guards):
        lines.append(
            f"; guard {place}: {_comment(guard.get('scope', ''))}: {_comment(guard.get('text', ''))}"
        )
        symbols = guard.get("symbols")
        for name, sort in sorted(symbols.items()) if isinstance(symbols, dict) else ():
            if sort in _SORTS and _QUOTED.fullmatch(name):
                own = _own(name, place)
                lines.append(f"(declare-fun {own} () {sort})")
                if sort == "Int":
                    lines.append(f"(assert (and (<= (- {1 << 255}) {own}) (< {own} {1 << 256})))")
        lines.append(f"(define-fun |guard {place}| () Bool {_own(str(guard.get('smt', 'true')), place)})")
    return lines


def _own(text: str, place: int) -> str:
    return _QUOTED.sub(lambda match: f"|{place}: {match[1]}|", text)


def _comment(text: object) -> str:
    return plain(text, 300)
