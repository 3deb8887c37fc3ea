"""The usual path: from state to state, what most often comes next.

It begins in the initial state and takes the line that most events leave by, repetitions (events that keep the
state) and changes of a flag of the whole contract aside; a deadline that is reached counts. It ends where more
interactions end than leave by that line, or where the line leads back to a state that the path has been in.
"""

from __future__ import annotations

from collections.abc import Sequence

from specminer.presentation.line_selection import Line
from specminer.specification import Specification, TransitionKind


def usual_path(spec: Specification, lines: Sequence[Line]) -> tuple[int, ...]:
    """Return the states of the usual path over ``lines``, the initial one first; empty if nothing leaves that.

    Of lines with equal counts, the one to the state with the smallest number is taken.
    """
    onwards: dict[int, Line] = {}
    for line in sorted(lines, key=lambda line: (-line.count, line.target)):
        if line.source != line.target and any(edge.kind is not TransitionKind.PHASE for edge in line.edges):
            onwards.setdefault(line.source, line)
    ends = {state.id: state.ends for state in spec.states if state.id != spec.initial}
    path = [spec.initial]
    while path[-1] in onwards:
        onward = onwards[path[-1]]
        if onward.target in path or onward.count < ends.get(onward.source, 0):
            break
        path.append(onward.target)
    return tuple(path) if len(path) > 1 else ()
