"""What a picture shows: parallel transitions merged, rare ones hidden.

A line of the picture stands for all transitions between one pair of states. Lines are hidden rarest first,
only while the lines that stay carry nearly all events, and never one that matters for its source, is
needed to reach a state, or was taken by something alarming: what is rare may be the attack. Changes of a flag of the
whole contract that keep the state are not drawn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from specminer.specification import Edge, Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """All transitions from one state to another, the most frequent first."""

    source: int
    target: int
    edges: tuple[Edge, ...]

    @property
    def count(self) -> int:
        """How many events the line stands for."""
        return sum(edge.count for edge in self.edges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The lines that are drawn, by source and target, and what was left out."""

    lines: tuple[Line, ...]
    hidden_transitions: int
    hidden_events: int


def rejections(spec: Specification, state: int) -> tuple[Edge, ...]:
    """Return the rejected calls that stay in ``state``, the most frequent first."""
    return _ranked(edge for edge in spec.transitions if edge.source == state and _stays_rejected(edge))


def depth(lines: Iterable[Line], initial: int) -> dict[int, int]:
    """Return, for each state that ``lines`` lead to, the least number of lines from ``initial``."""
    return _depths(((line.source, line.target) for line in lines), initial)


def select(spec: Specification, coverage: float, outflow: float, min_share: float | None = None) -> Selection:
    """Choose the lines to draw.

    Args:
        spec: the specification.
        coverage: the share of events, without rejected calls, that the lines drawn must carry.
        outflow: a line that carries this share of the events leaving its source stays (for a line from
            a state to itself: of all events of that state).
        min_share: hide every line that carries a smaller share of all events, whatever ``coverage`` says, and no
            other one.

    What was above the threshold of surprise keeps its line in any case.
    """
    alarming = _alarming(spec)
    lines = _lines(spec)
    total = sum(line.count for line in lines)
    leaving: dict[int, int] = {}
    staying: dict[int, int] = {}
    for line in lines:
        table = staying if line.source == line.target else leaving
        table[line.source] = table.get(line.source, 0) + line.count
    drawn = {(line.source, line.target): line for line in lines}
    reached = set(_depths(drawn, spec.initial))
    left_out: list[Line] = []
    hidden = 0

    def over(events: int) -> bool:
        return events > (1 - coverage) * total

    for line in sorted(lines, key=lambda line: (line.count, line.source, line.target)):
        if line.count >= min_share * total if min_share is not None else over(hidden + line.count):
            break
        flow = leaving.get(line.source, 0)
        if line.source == line.target:
            flow += staying[line.source]
        if line.count >= outflow * flow or any(_went(edge, alarming) for edge in line.edges):
            continue
        rest = {key: other for key, other in drawn.items() if other is not line}
        if line.source != line.target and set(_depths(rest, spec.initial)) != reached:
            continue
        drawn = rest
        left_out.append(line)
        hidden += line.count
    return Selection(
        lines=tuple(drawn[key] for key in sorted(drawn)),
        hidden_transitions=sum(len(line.edges) for line in left_out),
        hidden_events=hidden,
    )


def _alarming(spec: Specification) -> frozenset[tuple[str, str]]:
    """Return event and transaction of what was above the threshold of surprise."""
    events = [event for item in spec.surprise.interactions if item.flagged for event in item.events]
    events += [event for event in spec.surprise.events if event.flagged]
    return frozenset((event.event, event.transaction) for event in events)


def _went(edge: Edge, alarming: frozenset[tuple[str, str]]) -> bool:
    """Return whether an alarming call took a transition; of a rare one all transactions are witnesses."""
    return any((edge.event, witness) in alarming for witness in edge.witnesses)


def _stays_rejected(edge: Edge) -> bool:
    return edge.outcome != "returned" and edge.source == edge.target


def _stays_given(edge: Edge) -> bool:
    """Whether a flag of the whole contract changes and means nothing here: that is no line."""
    return edge.kind.befalls and edge.source == edge.target


def _ranked(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=lambda edge: (-edge.count, edge.event, edge.outcome, edge.kind.value)))


def _lines(spec: Specification) -> list[Line]:
    pairs: dict[tuple[int, int], list[Edge]] = {}
    for edge in spec.transitions:
        if not (_stays_rejected(edge) or _stays_given(edge)):
            pairs.setdefault((edge.source, edge.target), []).append(edge)
    return [Line(source=a, target=b, edges=_ranked(edges)) for (a, b), edges in sorted(pairs.items())]


def _depths(pairs: Iterable[tuple[int, int]], start: int) -> dict[int, int]:
    successors: dict[int, list[int]] = {}
    for source, target in pairs:
        successors.setdefault(source, []).append(target)
    depths, todo = {start: 0}, deque([start])
    while todo:
        state = todo.popleft()
        for target in successors.get(state, ()):
            if target not in depths:
                depths[target] = depths[state] + 1
                todo.append(target)
    return depths
