"""The usual path: the most probable way through an automaton, repetitions left out.

Each line that leaves a state has as probability its share of all events that leave it, the interactions that end in it
counted as one more way out; events that keep a state are left out. The usual path is the one from the initial
state to an end whose probability is greatest (Dijkstra over the negative logarithms, so it visits no state twice).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from specminer.render.selection import Line
from specminer.specification import Specification


def usual_path(spec: Specification, lines: Sequence[Line]) -> tuple[int, ...]:
    """Return the states of the usual path over ``lines``, the initial one first; empty if nothing leaves that.

    Of equally probable paths, the one whose states have the smallest numbers.
    """
    leaving: dict[int, list[Line]] = {}
    for line in lines:
        if line.source != line.target:
            leaving.setdefault(line.source, []).append(line)
    ends = {state.id: state.ends for state in spec.states if state.id != spec.initial}
    todo: list[tuple[float, tuple[int, ...]]] = [(0.0, (spec.initial,))]
    done: set[int] = set()
    best: tuple[float, tuple[int, ...]] | None = None
    while todo:
        cost, path = heapq.heappop(todo)
        state = path[-1]
        if best is not None and cost >= best[0]:
            break
        if state in done:
            continue
        done.add(state)
        ways = leaving.get(state, [])
        total = ends.get(state, 0) + sum(line.count for line in ways)
        stops = 1.0 if not ways else ends.get(state, 0) / total
        if len(path) > 1 and stops > 0:
            whole = (cost - math.log(stops), path)
            best = whole if best is None else min(best, whole)
        for line in ways:
            if line.target not in done and line.count:
                heapq.heappush(todo, (cost - math.log(line.count / total), (*path, line.target)))
    return best[1] if best is not None else ()
