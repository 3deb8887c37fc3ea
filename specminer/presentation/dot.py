"""The picture of a specification as DOT source.

What is drawn where: a small black dot is the initial state; a box is a state, its name in bold, what else holds
small, how often it was visited and how many interactions end there, darker the more visits; an arrow stands for
all transitions of one pair of states, wider by the square root of its count. The usual path is dark, its texts
bold and its states in thick frames. A dashed frame stands for several states of a large automaton. Rejected calls
keep the state: they are red lines marked ``✗`` inside it, never loops. Effects of calls that do not name the
interaction are dashed and grey, switches of the whole contract dotted. A legend below says so, for what the picture
has. The same specification and options give the same bytes.
"""

from __future__ import annotations

import html
import math
import re
from typing import Final

import graphviz

from specminer._support.errors import plain
from specminer.presentation.label_markup import left_rows, markup, node_name, rows_label
from specminer.presentation.legend import legend
from specminer.presentation.line_selection import Line, depth
from specminer.presentation.picture_content import Content, Row
from specminer.presentation.picture_options import PictureOptions
from specminer.presentation.theme import Theme
from specminer.presentation.tooltip import line_tooltip, state_tooltip
from specminer.specification import Specification, State, TransitionKind
from specminer.specification.readable_specification import for_readers

FONT: Final = "Arial,Helvetica,sans-serif"
"""First what is measured alike everywhere: Liberation Sans and the metrics built into Graphviz are Arial's."""


def to_dot(spec: Specification, options: PictureOptions | None = None) -> str:
    """Return the picture of ``spec`` as DOT source."""
    picture_options = options or PictureOptions()
    content = Content(spec=for_readers(spec), options=picture_options)
    graph = _graph(content)
    with graph.subgraph(name="cluster_all") as inside:
        inside.attr(**_frame(content))
        drawn = content.drawn_specification
        for state in sorted(drawn.states, key=lambda state: (state.id != drawn.initial, state.id)):
            if state.id == drawn.initial:
                inside.node(node_name(state.id), **_start(content, state))
            else:
                inside.node(node_name(state.id), **_box(content, state), **_loop_room(content, state.id))
        _add_lines(inside, content)
    return str(graph.source)


def _graph(content: Content) -> graphviz.Digraph:
    theme, sideways = content.options.colours, content.direction == "LR"
    title = f'<B><FONT POINT-SIZE="20">{markup(content.title)}</FONT></B>'
    counts = [_style_row(content, row) for row in content.counts()]
    sentences = [_style_row(content, row) for row in (*content.guards(), *content.rejected_at_start())]
    rows = [title, *counts, *([left_rows(sentences)] if sentences else [])]
    return graphviz.Digraph(
        name=_title(content.title),
        graph_attr={
            "rankdir": content.direction,
            "charset": "UTF-8",
            "label": rows_label(rows, theme.background, padding=1),
            "labelloc": "t",
            "fontname": FONT,
            "fontsize": "12",
            "fontcolor": theme.ink,
            "bgcolor": theme.background,
            "outputorder": "edgesfirst",
            "pad": "0.2",
            "nodesep": "0.45" if sideways else "0.5",
            "ranksep": "0.5" if sideways else "0.55",
        },
        node_attr={"fontname": FONT, "fontsize": "12", "fontcolor": theme.ink},
        edge_attr={"fontname": FONT, "fontsize": "12", "fontcolor": theme.ink, "arrowsize": "0.8"},
    )


def _frame(content: Content) -> dict[str, str]:
    """Return the attributes of the invisible frame around all states, which carries the legend."""
    frame = {"peripheries": "0", "margin": "2", "label": "", "labelloc": "b"}
    if content.options.legend:
        frame["label"] = legend(content)
    return frame


def _title(name: str) -> str:
    """Return the graph's name, which becomes the title of the SVG: letters, digits and little else."""
    return " ".join(re.sub(r"[^\w .,()]", " ", plain(name, 80)).split()) or "specification"


def _tooltip(text: str) -> str:
    """Return a tooltip as Graphviz reads it: no escapes of its own, signs of HTML as character references."""
    return html.escape(text.replace("\\", "\\\\"), quote=False).replace("\n", "\\n")


def _style_row(content: Content, row: Row) -> str:
    theme = content.options.colours
    parts = []
    for run in row:
        text = markup(run.text)
        text = f"<B>{text}</B>" if run.bold else text
        text = f"<I>{text}</I>" if run.italic else text
        colour, size = theme.text(run.tone), f' POINT-SIZE="{run.size}"' if run.size != 12 else ""
        parts.append(f'<FONT COLOR="{colour}"{size}>{text}</FONT>' if size or colour != theme.ink else text)
    return "".join(parts)


def initial_dot(theme: Theme) -> dict[str, str]:
    """Return the attributes of the black dot where everything begins."""
    return {
        "shape": "circle",
        "style": "filled",
        "fillcolor": theme.ink,
        "color": theme.ink,
        "label": "",
        "width": "0.2",
        "fixedsize": "true",
    }


def _start(content: Content, state: State) -> dict[str, str]:
    return initial_dot(content.options.colours) | {
        "id": node_name(state.id),
        "class": "start",
        "tooltip": _tooltip(state_tooltip(content.drawn_specification, state)),
    }


def _box(content: Content, state: State) -> dict[str, str]:
    spec, theme = content.drawn_specification, content.options.colours
    busiest = max((state.visits for state in spec.states if state.id != spec.initial), default=0)
    share = math.sqrt(max(state.visits, 0) / busiest) if busiest > 0 else 0.0
    usual = state.id in content.usual_states
    folded = content.folded_box(state) is not None
    return {
        "shape": "box",
        "style": "rounded,filled,dashed" if folded else "rounded,filled",
        "fillcolor": theme.fill(share),
        "color": theme.usual if usual else theme.line(share),
        "penwidth": "2.4" if usual else "1.2",
        "margin": "0.14,0.08",
        "label": rows_label([_style_row(content, row) for row in content.state(state)]),
        "id": node_name(state.id),
        "class": "state usual" if usual else "state",
        "tooltip": _tooltip(state_tooltip(spec, state)),
    }


def _loop_room(content: Content, state: int) -> dict[str, str]:
    """Return the box's least size beside its loop's label, around which Graphviz leads no other line."""
    for line in content.selection.lines:
        if line.source == line.target == state:
            rows = content.line(line)
            if content.direction == "TB":
                return {"height": f"{0.22 * len(rows):.2f}"}
            longest = max(sum(len(run.text) for run in row) for row in rows)
            return {"width": f"{0.085 * longest + 0.3:.2f}"}
    return {}


def _add_lines(graph: graphviz.Digraph, content: Content) -> None:
    lines, initial = content.selection.lines, content.drawn_specification.initial
    widest = max((line.count for line in lines), default=1)
    depths = depth(lines, initial)
    sideways = content.direction != "TB"
    loops = {
        line.source
        for line in lines
        if line.source == line.target and (sideways or len(content.line(line)) > 1)
    }
    for line in lines:
        port = _port(line, depths, loops, sideways=sideways)
        graph.edge(node_name(line.source), node_name(line.target), **_arrow(content, line, widest), **port)


def _port(line: Line, depths: dict[int, int], loops: set[int], *, sideways: bool) -> dict[str, str]:
    """Return where a line enters or leaves a state whose loop has a tall label: above or below, not through it.

    In a picture that goes from left to right a loop's label is above its state: a line back enters from the right.
    Graphviz ranks what lies on no shortest way otherwise than ``depths``: a line up leaves where Graphviz likes.
    """
    down = depths.get(line.target, 0) - depths.get(line.source, 0)
    if line.source == line.target or not down:
        return {}
    if sideways:
        return {"headport": "e"} if line.target in loops and down < 0 else {}
    ports = {}
    if line.target in loops:
        ports["headport"] = "n" if down > 0 else "s"
    if line.source in loops and down > 0:
        ports["tailport"] = "s"
    return ports


def _arrow(content: Content, line: Line, widest: int) -> dict[str, str]:
    theme = content.options.colours
    share = math.sqrt(max(line.count, 0) / max(widest, 1))
    usual = (line.source, line.target) in content.usual_lines
    kinds = {edge.kind for edge in line.edges}
    colour, classes = theme.line(share), "line usual" if usual else "line"
    attributes: dict[str, str] = {}
    if kinds == {TransitionKind.PASSIVE}:
        attributes, colour, classes = {"style": "dashed"}, theme.passive, f"{classes} passive"
    elif all(kind.befalls for kind in kinds):
        attributes, classes = {"style": "dotted"}, f"{classes} phase"
    tooltip = _tooltip(line_tooltip(content.drawn_specification, line))
    return attributes | {
        "label": rows_label(
            [_style_row(content, row) for row in content.line(line)], theme.background, padding=1, margin=4
        ),
        "penwidth": f"{1.2 + 3.8 * share:.2f}",
        "color": theme.usual if usual else colour,
        "weight": str(1 + round(8 * share) + 8 * usual),
        "id": f"{node_name(line.source)}-{node_name(line.target)}",
        "class": classes,
        "tooltip": tooltip,
        "labeltooltip": tooltip,
    }
