"""The picture of two specifications in one: what is new, what is gone, what is taken more or less often.

Signs say it as well as colours: ``+`` and thick lines for what is new, ``−`` and dashed lines for what is gone, ``±``
for what is taken more or less often than chance explains. What is the same is thin and grey.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import graphviz

from specminer._support.addresses import ends_of
from specminer.comparison.difference import (
    Change,
    Comparison,
    Difference,
    PairedState,
    PairedTransition,
    Subject,
)
from specminer.presentation.dot import FONT, initial_dot
from specminer.presentation.label_markup import markup, node_name, phrase, rows_label, shorten, wrap
from specminer.presentation.theme import LIGHT, Theme
from specminer.specification import TransitionKind

MAX_ROWS: Final = 6
"""Transitions of one line that are written at it."""
MAX_STATES: Final = 40
"""States that are drawn; those without a difference, and seldom visited, are left out first."""
_ACCOUNT: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_SIGNS: Final = {
    Change.ADDED: "+",
    Change.GONE: "−",
    Change.MORE_OFTEN: "±",
    Change.LESS_OFTEN: "±",
}


def joint_dot(compared: Comparison, theme: Theme = LIGHT) -> str:
    """Return the picture of a comparison as DOT source; the same comparison gives the same bytes."""
    lines: dict[tuple[int, int], list[PairedTransition]] = defaultdict(list)
    for item in compared.transitions:
        lines[item.source, item.target].append(item)
    state_ids = _drawn_states(compared, lines)
    drawn = {pair: items for pair, items in sorted(lines.items()) if state_ids >= {*pair}}
    actors = {item.scope: item for item in compared.differences if item.subject is Subject.ACTOR}
    graph = _graph(compared, _elsewhere(actors, drawn, theme), theme)
    for state in compared.states:
        if state.id in state_ids:
            graph.node(node_name(state.id), **_box(compared, state, lines, theme))
    for (source, target), items in drawn.items():
        graph.edge(node_name(source), node_name(target), **_arrow(items, actors, theme))
    return str(graph.source)


def _elsewhere(
    actors: Mapping[str, Difference],
    drawn: Mapping[tuple[int, int], Sequence[PairedTransition]],
    theme: Theme,
) -> list[str]:
    """Return who else calls functions that are drawn at no line, and holds roles, as rows."""
    functions = {
        _called_function(item) for items in drawn.values() for item in _order_items(items)[:MAX_ROWS]
    }
    rows = [
        f"{markup(shorten(scope, 40))}: {', '.join(_callers(item, theme))}"
        for scope, item in actors.items()
        if scope not in functions
    ]
    more = [f"… {len(rows) - MAX_ROWS:,} more"] if len(rows) > MAX_ROWS else []
    return [*rows[:MAX_ROWS], *more]


def _graph(compared: Comparison, rows: Sequence[str], theme: Theme) -> graphviz.Digraph:
    one, two = compared.before, compared.after
    name = two.name if one.name == two.name else f"{one.name} and {two.name}"
    title = f'<B><FONT POINT-SIZE="20">{markup(shorten(name, 80))}</FONT></B>'
    legend = "+ new    − gone    ± taken more or less often; counts: interactions before → after"
    if any(item.subject is Subject.ACTOR for item in compared.differences):
        legend += "    by: other callers"
    return graphviz.Digraph(
        name="difference",
        graph_attr={
            "charset": "UTF-8",
            "label": rows_label([title, markup(legend), *rows], theme.background, padding=1),
            "labelloc": "t",
            "fontname": FONT,
            "fontsize": "12",
            "fontcolor": theme.ink,
            "bgcolor": theme.background,
            "outputorder": "edgesfirst",
            "pad": "0.2",
            "nodesep": "0.5",
            "ranksep": "0.55",
        },
        node_attr={"fontname": FONT, "fontsize": "12", "fontcolor": theme.ink},
        edge_attr={"fontname": FONT, "fontsize": "11", "fontcolor": theme.ink, "arrowsize": "0.8"},
    )


def _drawn_states(compared: Comparison, lines: dict[tuple[int, int], list[PairedTransition]]) -> set[int]:
    """Return the states that are drawn: at most so many, those with differences first."""
    differing = {
        state
        for (source, target), items in lines.items()
        if any(item.change is not None for item in items)
        for state in (source, target)
    }
    initial = compared.before.initial
    ordered = sorted(
        compared.states,
        key=lambda state: (state.id != initial, state.id not in differing, -_visits(state), state.id),
    )
    return {state.id for state in ordered[:MAX_STATES]}


def _visits(state: PairedState) -> int:
    return sum(item.visits for item in (state.before, state.after) if item is not None)


def _box(
    compared: Comparison,
    state: PairedState,
    lines: dict[tuple[int, int], list[PairedTransition]],
    theme: Theme,
) -> dict[str, str]:
    if state.id == compared.before.initial:
        return initial_dot(theme)
    change = _state_change(state, lines)
    sign = f"{_SIGNS[change]} " if change else ""
    rows = [f"<B>{markup(row)}</B>" for row in wrap(f"{sign}{phrase(state.name, 120)}", 30, 4)]
    return {
        "shape": "box",
        "style": "rounded,filled,dashed" if change is Change.GONE else "rounded,filled",
        "fillcolor": theme.lightest,
        "color": _colour(change, theme),
        "penwidth": "2.4" if change else "1.2",
        "margin": "0.14,0.08",
        "label": rows_label(rows),
        "tooltip": markup(phrase(state.name, 200)),
    }


def _state_change(state: PairedState, lines: dict[tuple[int, int], list[PairedTransition]]) -> Change | None:
    """Return whether a state is new or gone, by more than chance."""
    into = [
        item for (source, target), items in lines.items() if target == state.id != source for item in items
    ]
    changes = {item.change for item in into}
    if Change.ADDED in changes and all(item.before is None for item in into):
        return Change.ADDED
    if Change.GONE in changes and all(item.after is None for item in into):
        return Change.GONE
    return None


def _order_items(items: Sequence[PairedTransition]) -> list[PairedTransition]:
    """Return the transitions of one line in the order in which they are written."""
    return sorted(items, key=lambda item: (item.change is None, -_traversals(item), item.symbol))


def _arrow(
    items: Sequence[PairedTransition], actors: Mapping[str, Difference], theme: Theme
) -> dict[str, str]:
    ordered = _order_items(items)
    changes = [item.change for item in ordered if item.change is not None]
    rows: list[str] = []
    for item in ordered[:MAX_ROWS]:
        actor = actors.get(_called_function(item) or "")
        rows += [_row(item, theme), *(() if actor is None else _callers(actor, theme))]
    if len(ordered) > MAX_ROWS:
        rows.append(f'<FONT COLOR="{theme.soft}">… {len(ordered) - MAX_ROWS:,} more</FONT>')
    only = changes[0] if changes and len(set(changes)) == 1 and len(changes) == len(ordered) else None
    return {
        "label": rows_label(rows, theme.background, padding=1, margin=4),
        "color": _colour(only if only else (Change.MORE_OFTEN if changes else None), theme),
        "penwidth": "2.6" if changes else "1.0",
        "style": "dashed" if only is Change.GONE else "solid",
    }


def _row(item: PairedTransition, theme: Theme) -> str:
    before = 0 if item.before is None else item.before.interaction_count
    after = 0 if item.after is None else item.after.interaction_count
    sign = f"{_SIGNS[item.change]} " if item.change else ""
    text = markup(f"{sign}{shorten(item.symbol, 48)}")
    counts = f'<FONT COLOR="{theme.count}">{before:,} → {after:,}</FONT>'
    colour = _colour(item.change, theme) if item.change else theme.soft
    label = f'<FONT COLOR="{colour}">{text}</FONT>'
    return f"<B>{label}</B> {counts}" if item.change else f"{label} {counts}"


def _called_function(item: PairedTransition) -> str | None:
    """Return the function whose accepted calls a transition is; ``None`` if it is of others."""
    edge = item.after or item.before
    if edge is None or edge.kind is not TransitionKind.CALL or edge.outcome != "returned":
        return None
    return edge.function


def _callers(item: Difference, theme: Theme) -> list[str]:
    """Return who calls in the second history, and who no longer does, as rows."""
    by = "by " if "(" in f"{item.before}{item.after}" else ""  # not before the holders of a role
    texts = [f"{sign} {by}{text}" for sign, text in (("+", item.after), ("−", item.before)) if text]
    short = [_ACCOUNT.sub(lambda match: ends_of(match[0]), text) for text in texts]
    return [f'<FONT COLOR="{theme.usual}">{markup(shorten(text, 60))}</FONT>' for text in short]


def _colour(change: Change | None, theme: Theme) -> str:
    if change is Change.GONE:
        return theme.rejected
    return theme.passive if change is None else theme.usual


def _traversals(item: PairedTransition) -> int:
    return sum(edge.interaction_count for edge in (item.before, item.after) if edge is not None)
