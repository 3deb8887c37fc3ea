"""The picture of a specification as DOT source.

What is drawn where: a small black dot is the initial state; a box is a state, its name in bold, the other
predicates small, how often it was visited and how many interactions end there, darker the more visits;
an arrow stands for all transitions of one pair of states, wider by the square root of its count. Rejected
calls keep the state: they are red lines marked ``✗`` inside it, never loops. Effects of calls that do not
name the interaction are dashed and grey, switches of the whole contract dotted. The same specification
and options give the same bytes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

import graphviz

from specminer.errors import plain
from specminer.render.markup import counted, font, markup, phrase, shorten, table, thousands, wrap
from specminer.render.selection import Line, Selection, depth, rejections, select
from specminer.specification import Edge, Specification, State, TransitionKind

INK: Final = "#1a1a1a"
SOFT: Final = "#4d4d4d"
"""Second texts; dark enough to read in print on the darkest fill."""
COUNT: Final = "#6b6b6b"
STROKE: Final = "#33507f"
REJECTED: Final = "#b3261e"
PASSIVE: Final = "#7d7d7d"
LIGHTEST: Final = (247, 250, 255)
DARKEST: Final = (198, 215, 243)
"""Fills of the least and the most visited state."""
FONT: Final = "Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions:
    """How much a picture shows; the defaults suit a page."""

    coverage: float = 0.985
    """The share of events that is never hidden."""
    outflow: float = 0.05
    """A line that carries this share of its source's outflow is never hidden."""
    left_to_right: int = 4
    """Up to this many states, the initial one included, the picture runs from left to right."""
    events: int = 5
    """Events named on one line; the rest is ``+k rarer``."""
    rejections: int = 5
    """Rejected calls named in one state."""
    predicates: int = 5
    """Predicates listed below a state's name."""
    guards: int = 4
    """Guards listed below the title."""
    name_width: int = 28
    """Characters in a line of a state."""
    event_width: int = 40
    """Characters of an event's name."""


def to_dot(spec: Specification, options: PictureOptions | None = None) -> str:
    """Return the picture of ``spec`` as DOT source."""
    chosen = options or PictureOptions()
    selection = select(spec, chosen.coverage, chosen.outflow)
    sideways = len(spec.states) <= chosen.left_to_right
    graph = graphviz.Digraph(
        name=_title(spec.name),
        graph_attr={
            "rankdir": "LR" if sideways else "TB",
            "charset": "UTF-8",
            "label": table(_heading(spec, selection, chosen), padding=1),
            "labelloc": "t",
            "fontname": FONT,
            "fontsize": "12",
            "fontcolor": INK,
            "bgcolor": "white",
            "pad": "0.25",
            "nodesep": "0.45" if sideways else "0.5",
            "ranksep": "0.55" if sideways else "0.6",
        },
        node_attr={"fontname": FONT, "fontsize": "11", "fontcolor": INK, "color": STROKE},
        edge_attr={"fontname": FONT, "fontsize": "12", "fontcolor": INK, "color": STROKE, "arrowsize": "0.8"},
    )
    busiest = max((state.visits for state in spec.states if state.id != spec.initial), default=0)
    for state in sorted(spec.states, key=lambda state: (state.id != spec.initial, state.id)):
        if state.id == spec.initial:
            graph.node(_node(state.id), **_start())
        else:
            loop = _loop_room(selection, state.id, chosen, sideways)
            graph.node(_node(state.id), **_box(spec, state, busiest, chosen), **loop)
    widest = max((line.count for line in selection.lines), default=1)
    depths = depth(selection.lines, spec.initial)
    loops = {line.source for line in selection.lines if line.source == line.target and len(line.edges) > 2}
    for line in selection.lines:
        port = {} if sideways else _port(line, depths, loops)
        graph.edge(
            _node(line.source), _node(line.target), **_arrow(line, widest, chosen, spec.initial), **port
        )
    return str(graph.source)


def _node(state: int) -> str:
    return f"s{state}" if state >= 0 else f"m{-state}"


def _title(name: str) -> str:
    """Return the graph's name, which becomes the title of the SVG: letters, digits and little else."""
    return " ".join(re.sub(r"[^\w .,()]", " ", plain(name, 80)).split()) or "specification"


def _start() -> dict[str, str]:
    return {
        "shape": "circle",
        "style": "filled",
        "fillcolor": "black",
        "color": "black",
        "label": "",
        "width": "0.2",
        "fixedsize": "true",
    }


def _heading(spec: Specification, selection: Selection, options: PictureOptions) -> list[str]:
    """Return the rows above the picture: name, counts, guards, what is rejected at the start."""
    rows = [font(f"<B>{markup(shorten(spec.name, 60))}</B>", size=20)]
    rows.append(font(markup(_counts(spec, selection)), color=SOFT, size=12))
    rows += [font(markup(text), color=REJECTED, size=12) for text in _guards(spec, options)]
    refused = rejections(spec, spec.initial)
    if refused:
        shown = [_event(edge, options) for edge in refused[: options.rejections]]
        rest = len(refused) - len(shown)
        listed = ", ".join(shown) + (f", +{rest} rarer" if rest else "")
        rows.append(font(f"rejected in the initial state: {listed}", color=REJECTED, size=12))
    return [*rows, font(" ", size=12)]  # keeps the picture off the title


def _counts(spec: Specification, selection: Selection) -> str:
    calls = [edge for edge in spec.transitions if edge.kind is TransitionKind.CALL]
    rejected = sum(edge.count for edge in calls if edge.outcome != "returned")
    # In a projection one call stands in the slice of every entity that it names.
    noun = "event" if spec.interactions.get("mode") == "projection" else "call"
    interactions = spec.interactions.get("count")
    parts = [counted(interactions, "interaction")] if isinstance(interactions, int) else []
    stuck = sum(state.ends for state in spec.states if state.id == spec.initial)
    if parts and stuck:
        parts[0] += f" ({thousands(stuck)} never left the start)"
    parts.append(counted(sum(edge.count for edge in calls), noun))
    parts.append(f"{thousands(rejected)} rejected")
    hidden = selection.hidden_transitions
    if not hidden:
        return ", ".join(parts)
    events = counted(selection.hidden_events, "event")
    return f"{', '.join(parts)}; {counted(hidden, 'rare transition')} ({events}) hidden"


def _guards(spec: Specification, options: PictureOptions) -> list[str]:
    """Return the required guards that explain most rejections, as sentences."""
    ranked = []
    for guard in spec.guards:
        explained, rejected = guard.get("explained"), guard.get("rejected")
        if guard.get("kind") == "required" and isinstance(explained, int) and isinstance(rejected, int):
            ranked.append((-explained, str(guard.get("scope", "")), str(guard.get("text", "")), rejected))
    return [
        f"{shorten(scope, options.event_width)} needs {phrase(text, 80)}"
        f"   (explains {thousands(-negative)} of {counted(rejected, 'rejection')})"
        for negative, scope, text, rejected in sorted(ranked)[: options.guards]
        if negative < 0
    ]


def _box(spec: Specification, state: State, busiest: int, options: PictureOptions) -> dict[str, str]:
    share = math.sqrt(state.visits / busiest) if busiest else 0.0
    tone = "".join(
        f"{round(low + (high - low) * share):02x}" for low, high in zip(LIGHTEST, DARKEST, strict=True)
    )
    return {
        "shape": "box",
        "style": "rounded,filled",
        "fillcolor": f"#{tone}",
        "penwidth": "1.2",
        "margin": "0.16,0.09",
        "label": table(_box_rows(spec, state, options)),
    }


def _loop_room(selection: Selection, state: int, options: PictureOptions, sideways: bool) -> dict[str, str]:
    """Return the box's least size beside its loop's label, around which Graphviz leads no other line."""
    for line in selection.lines:
        if line.source == line.target == state:
            shown, rest = _shown(line, options)
            if not sideways:
                return {"height": f"{0.25 * (len(shown) + bool(rest)):.2f}"}
            longest = max(len(edge.event) + len(thousands(edge.count)) for edge in shown)
            return {"width": f"{0.1 * min(longest, options.event_width + 8) + 0.2:.2f}"}
    return {}


def _port(line: Line, depths: dict[int, int], loops: set[int]) -> dict[str, str]:
    """Return where a line enters a state whose loop has a tall label: from above, not through it."""
    downwards = depths.get(line.source, 0) < depths.get(line.target, 0)
    return {"headport": "n"} if downwards and line.target in loops else {}


def _shown(line: Line, options: PictureOptions) -> tuple[tuple[Edge, ...], tuple[Edge, ...]]:
    """Return the transitions of a line that are named and the rest; one left over is named too."""
    named = options.events + (len(line.edges) == options.events + 1)
    return line.edges[:named], line.edges[named:]


def _box_rows(spec: Specification, state: State, options: PictureOptions) -> list[str]:
    width = options.name_width
    name = phrase(state.name, 3 * width)
    rows = [font(f"<B>{markup(line)}</B>", size=14) for line in wrap(name, width, 3)]
    told = {name, *name.split(", ")}
    others = [text for text in (phrase(raw, width + 8) for raw in state.predicates) if text not in told]
    rows += [font(markup(text), color=INK, size=12) for text in others[: options.predicates]]
    if len(others) > options.predicates:
        rows.append(font(f"+{len(others) - options.predicates} more", color=SOFT, size=11))
    ends = f" · {thousands(state.ends)} end here" if state.ends else ""
    rows.append(font(counted(state.visits, "visit") + ends, color=SOFT, size=11))
    refused = rejections(spec, state.id)
    named = options.rejections + (len(refused) == options.rejections + 1)
    rows += [font(_event(edge, options), color=REJECTED, size=12) for edge in refused[:named]]
    if len(refused) > named:
        rest = sum(edge.count for edge in refused[named:])
        text = f"✗ <I>+{len(refused) - named} rarer</I> {thousands(rest)}"
        rows.append(font(text, color=REJECTED, size=12))
    return rows


def _event(edge: Edge, options: PictureOptions) -> str:
    """Return the markup of one event with its count, the role in italics."""
    role = f" as {edge.role}" if edge.role is not None else ""
    if role and edge.event.endswith(role) and edge.event != role:
        room = max(options.event_width - len(role), options.event_width // 2)
        text = markup(shorten(edge.event.removesuffix(role), room))
        text += f" <I>as {markup(shorten(edge.role or '', options.event_width // 2))}</I>"
    else:
        text = markup(shorten(edge.event, options.event_width))
    if edge.outcome != "returned":
        return f"✗ {text} {thousands(edge.count)}"
    if edge.kind is TransitionKind.PASSIVE:
        text = font(text, color=COUNT)
    return f"{text} {font(thousands(edge.count), color=COUNT)}"


def _arrow(line: Line, widest: int, options: PictureOptions, initial: int) -> dict[str, str]:
    shown, rest = _shown(line, options)
    rows = [
        font(_event(edge, options), color=REJECTED) if edge.outcome != "returned" else _event(edge, options)
        for edge in shown
    ]
    if rest:
        count = font(thousands(sum(edge.count for edge in rest)), color=COUNT)
        rows.append(f"<I>+{len(rest)} rarer</I> {count}")
    share = math.sqrt(line.count / widest)
    attributes = {
        "label": table(rows, padding=1, margin=6),
        "penwidth": f"{1.3 + 3.9 * share:.2f}",
        "weight": str(1 + round(8 * share) + (4 if line.source == initial else 0)),
    }
    kinds = {edge.kind for edge in line.edges}
    if kinds == {TransitionKind.PASSIVE}:
        attributes |= {"style": "dashed", "color": PASSIVE}
    elif kinds == {TransitionKind.PHASE}:
        attributes |= {"style": "dotted"}
    return attributes
