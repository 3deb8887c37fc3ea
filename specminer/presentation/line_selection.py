"""What a picture shows: parallel transitions merged, rare ones hidden.

A line of the picture stands for all transitions between one pair of states. Lines are hidden rarest first,
only while the lines that stay carry nearly all events, and never one that matters for its source, is
needed to reach a state, or was taken by something alarming: what is rare may be the attack. Where more lines are left
than a picture may have, those that matter for their source are hidden as well. Changes of a flag of the whole contract
that keep the state are not drawn.
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
class DrawnLines:
    """The lines that are drawn, by source and target, and what was left out."""

    lines: tuple[Line, ...]
    hidden_transitions: int
    hidden_events: int


def rejections(spec: Specification, state: int) -> tuple[Edge, ...]:
    """Return the rejected calls that stay in ``state``, the most frequent first."""
    return _rank_edges(edge for edge in spec.transitions if edge.source == state and _stays_rejected(edge))


def depth(lines: Iterable[Line], initial: int) -> dict[int, int]:
    """Return, for each state that ``lines`` lead to, the least number of lines from ``initial``."""
    return _depths(((line.source, line.target) for line in lines), initial)


def select(
    spec: Specification,
    coverage: float,
    outflow: float,
    min_share: float | None = None,
    most: int | None = None,
) -> DrawnLines:
    """Choose the lines to draw.

    Args:
        spec: the specification.
        coverage: the share of events, without rejected calls, that the lines drawn must carry.
        outflow: a line that carries this share of the events leaving its source stays (for a line from
            a state to itself: of all events of that state).
        min_share: hide every line that carries a smaller share of all events, whatever ``coverage`` says, and no
            other one.
        most: how many lines are drawn at most: the rarest are hidden, too, while there are more.

    What was above the threshold of surprise keeps its line in any case.
    """
    lines = _lines(spec)
    total = sum(line.count for line in lines)
    leaving: dict[int, int] = {}
    staying: dict[int, int] = {}
    for line in lines:
        table = staying if line.source == line.target else leaving
        table[line.source] = table.get(line.source, 0) + line.count
    sieve = _Sieve(spec, lines)

    def matters(line: Line) -> bool:
        flow = leaving.get(line.source, 0)
        if line.source == line.target:
            flow += staying[line.source]
        return line.count >= outflow * flow

    for line in sieve.rarest():
        if min_share is not None:
            enough = line.count >= min_share * total
        else:
            enough = sieve.hidden_events + line.count > (1 - coverage) * total
        if enough:
            break
        if not matters(line):
            sieve.hide(line)
    for line in sieve.rarest():
        if most is None or len(sieve.drawn_lines) <= most:
            break
        sieve.hide(line)
    return DrawnLines(
        lines=tuple(sieve.drawn_lines[key] for key in sorted(sieve.drawn_lines)),
        hidden_transitions=sum(len(line.edges) for line in sieve.left_out),
        hidden_events=sieve.hidden_events,
    )


class _Sieve:
    """The lines that are drawn, of which some are hidden one by one."""

    def __init__(self, spec: Specification, lines: Iterable[Line]) -> None:
        self.drawn_lines = {(line.source, line.target): line for line in lines}
        self.left_out: list[Line] = []
        self._initial = spec.initial
        self._alarming = _alarming(spec)
        self._reachable_states = set(_depths(self.drawn_lines, spec.initial))

    @property
    def hidden_events(self) -> int:
        """How many events the hidden lines stand for."""
        return sum(line.count for line in self.left_out)

    def rarest(self) -> list[Line]:
        """Return the lines that are drawn, the rarest first."""
        return sorted(self.drawn_lines.values(), key=lambda line: (line.count, line.source, line.target))

    def hide(self, line: Line) -> None:
        """Hide a line, unless something alarming took it or no other leads to a state."""
        if any(_went(edge, self._alarming) for edge in line.edges):
            return
        rest = {key: other for key, other in self.drawn_lines.items() if other is not line}
        if line.source == line.target or set(_depths(rest, self._initial)) == self._reachable_states:
            self.drawn_lines = rest
            self.left_out.append(line)


def alarming_states(spec: Specification) -> frozenset[int]:
    """Return the ids of the states between which something above the threshold of surprise happened."""
    alarming = _alarming(spec)
    return frozenset(
        state for edge in spec.transitions if _went(edge, alarming) for state in (edge.source, edge.target)
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


def _rank_edges(edges: Iterable[Edge]) -> tuple[Edge, ...]:
    return tuple(sorted(edges, key=lambda edge: (-edge.count, edge.event, edge.outcome, edge.kind.value)))


def _lines(spec: Specification) -> list[Line]:
    pairs: dict[tuple[int, int], list[Edge]] = {}
    for edge in spec.transitions:
        if not (_stays_rejected(edge) or _stays_given(edge)):
            pairs.setdefault((edge.source, edge.target), []).append(edge)
    return [Line(source=a, target=b, edges=_rank_edges(edges)) for (a, b), edges in sorted(pairs.items())]


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
