"""What a reader sees who points at a state or a line: everything behind it, as plain text.

At most so many events and witnesses are listed that a tooltip fits a screen; ``automaton.json`` has the rest.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from specminer._support.text import count_of, unknown_part
from specminer.presentation.label_markup import phrase, shorten, thousands
from specminer.presentation.line_selection import Line, rejections
from specminer.specification import Edge, Occurrence, Specification, State

EVENTS: Final = 8
WITNESSES: Final = 3
FACTS: Final = 12
_WIDTH: Final = 100


def state_tooltip(spec: Specification, state: State) -> str:
    """Describe a state: what holds, visits, ends and rejected calls with their first witnesses."""
    first = "Initial state" if state.id == spec.initial else f"State {shorten(state.name, _WIDTH)}"
    rows = [first, *(f"– {phrase(text, _WIDTH)}" for text in state.predicates[:FACTS])]
    if len(state.predicates) > FACTS:
        rows.append(f"– and {count_of(len(state.predicates) - FACTS, 'more predicate')}")
    visits = count_of(state.visits, "visit") + unknown_part(state.unknown)
    rows.append(f"{visits}, {count_of(state.ends, 'interaction')} ended here")
    return "\n".join(rows + _events(rejections(spec, state.id)))


def line_tooltip(spec: Specification, line: Line) -> str:
    """Describe a line: each event with count, interactions, senders, first and last time, first witnesses."""
    names = {state.id: shorten(state.name, _WIDTH) for state in spec.states}
    source, target = names.get(line.source, "?"), names.get(line.target, "?")
    first = f"In {source}" if line.source == line.target else f"From {source} to {target}"
    return "\n".join([f"{first}: {count_of(line.count, 'event')}", *_events(line.edges)])


def _events(edges: tuple[Edge, ...]) -> list[str]:
    rows = [row for edge in edges[:EVENTS] for row in _event(edge)]
    if len(edges) > EVENTS:
        rest = sum(edge.count for edge in edges[EVENTS:])
        rows.append(f"and {count_of(len(edges) - EVENTS, 'rarer transition')} ({count_of(rest, 'event')})")
    return rows


def _event(edge: Edge) -> list[str]:
    outcome = "" if edge.outcome == "returned" else " rejected"
    counts = (
        f"{shorten(edge.event, _WIDTH)}{outcome}: {thousands(edge.count)}{unknown_part(edge.unknown)} in "
        f"{count_of(edge.interaction_count, 'interaction')}, {count_of(edge.senders, 'sender')}"
    )
    rows = [counts]
    if edge.guard == "true":
        rows.append("  guard: all of it follows from the state")
    elif edge.guard:
        rows.append(f"  guard: {phrase(edge.guard, _WIDTH)}")
    rows.append(f"  first {_when(edge.first)}, last {_when(edge.last)}")
    rows += [f"– {shorten(witness, 66)}" for witness in edge.witnesses[:WITNESSES]]
    return rows


def _when(occurrence: Occurrence) -> str:
    block = f"block {thousands(occurrence.block)}"
    try:
        moment = (
            datetime.fromtimestamp(occurrence.timestamp, UTC) if occurrence.timestamp is not None else None
        )
    except (OverflowError, OSError, ValueError):
        moment = None
    return f"{block} ({moment:%Y-%m-%d %H:%M} UTC)" if moment else block
