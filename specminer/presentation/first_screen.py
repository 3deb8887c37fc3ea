"""What the terminal shows after mining: five sentences, what the history cannot show, states, and what calls need.

Tables and colours come from rich. Without colours the same specification and width give the same text. All texts are
made safe and reach rich as plain text, so that a name such as ``[bold]`` is never read as markup.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from specminer._support.errors import plain
from specminer._support.text import count_of
from specminer.presentation.brief import brief
from specminer.presentation.fidelity import fidelity_text, inferred_lead, unknown_text
from specminer.presentation.guard_sentences import conditions_text
from specminer.presentation.sentences import short_hashes
from specminer.presentation.text_layout import cut
from specminer.specification import Guard, GuardKind, Specification, State
from specminer.specification.readable_specification import for_readers

MIN_WIDTH: Final = 40
"""Terminals narrower than this many columns are not catered for."""
ROWS: Final = 6
"""States, and guards, that are listed at most."""
_LINES: Final = 2
"""Lines that the conditions of one function take at most."""


def short_summary(spec: Specification, *, width: int = 80, colour: bool = False) -> str:
    """Describe ``spec`` on one screen of lines of at most ``width`` cells, ending in a newline.

    Args:
        spec: what was mined.
        width: cells of a line.
        colour: whether the text holds the codes of a terminal for bold and colours.

    """
    spec, columns = for_readers(spec), max(width, MIN_WIDTH)
    parts: list[RenderableType | None] = [
        Text(cut(_title(spec), columns), style="bold"),
        _sentences(spec),
        _limits(spec),
        _states(spec, columns),
        _main_guards(spec, columns),
    ]
    return render_parts([part for part in parts if part is not None], width=columns, colour=colour)


def _title(spec: Specification) -> str:
    """Return the contract's name with its address, or with how many contracts there are."""
    addresses = [plain(address, 60) for address in spec.contracts]
    where = addresses[0] if len(addresses) == 1 else count_of(len(addresses), "contract")
    has_name = len(addresses) != 1 or spec.name not in (addresses[0], short_hashes(addresses[0]))
    return f"{plain(spec.name, 100) if has_name else 'Contract'}, {where} on chain {spec.chain_id}"


def render_parts(parts: Sequence[RenderableType], *, width: int, colour: bool) -> str:
    """Return what rich makes of some parts, with an empty line between them."""
    texts = []
    for part in parts:
        console = Console(
            file=io.StringIO(),
            width=width,
            force_terminal=colour,
            color_system="standard" if colour else None,
            no_color=not colour,
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
            _environ={},
        )
        with console.capture() as captured:
            console.print(part)
        texts.append("\n".join(line.rstrip() for line in captured.get().splitlines()))
    return "\n\n".join(texts) + "\n"


def _sentences(spec: Specification) -> RenderableType | None:
    """Return the five sentences, each behind what it is about."""
    table = Table.grid(Column(style="bold", no_wrap=True), Column(overflow="fold"), padding=(0, 2, 0, 0))
    alarms = spec.surprise.transactions is not None and bool(spec.surprise.transactions.flagged)
    for item in brief(spec):
        style = "bold red" if item.evidence and alarms else ""
        table.add_row(Text(item.subject, style=style), Text(item.text))
    return table if table.rows else None


def _limits(spec: Specification) -> RenderableType | None:
    """Return what the history cannot show."""
    history = spec.history
    limits = [plain(text, 1000) for text in history.limits]
    if history.inferred:
        text = inferred_lead(len(history.inferred))
        limits.append(f"{text[0].upper()}{text[1:]}.")
    if history.unknown:
        limits.append(unknown_text(history.unknown, history.invocations))
    if history.fidelity and (history.fidelity.status < 1 or history.fidelity.unexplained):
        text = fidelity_text(history.fidelity)
        limits.append(f"{text[0].upper()}{text[1:]}.")
    table = Table.grid(Column(style="yellow", no_wrap=True), Column(overflow="fold"), padding=(0, 1, 0, 0))
    for text in limits:
        table.add_row(Text("!"), Text(text))
    return table if limits else None


def _states(spec: Specification, columns: int) -> RenderableType:
    """Return the states with their visits and ends, the first in the order of the document."""
    rows = [
        (
            _name(state),
            "" if state.id == spec.initial else f"{state.visits:,}",
            f"{state.ends:,}" if state.ends else "",
        )
        for state in spec.states
    ]
    first_rows = rows[: _limit(len(rows))]
    table = _table(f"States ({len(rows):,})", "visits", "end here")
    room = _room(columns, [row[1:] for row in first_rows], ("visits", "end here"))
    for name, *figures in first_rows:
        table.add_row(Text(cut(name, room)), *map(Text, figures))
    return _with_rest(table, len(rows) - len(first_rows))


def _main_guards(spec: Specification, columns: int) -> RenderableType | None:
    """Return what the functions need whose guards explain most rejections."""
    kinds = (GuardKind.REQUIRED, GuardKind.LEARNED)
    ranked = sorted(
        (guard for guard in spec.guards if guard.kind in kinds and guard.explained),
        key=lambda guard: (-guard.explained, guard.scope),
    )
    if not ranked:
        return None
    first_guards = ranked[: _limit(len(ranked))]
    rows = [(_scope(guard), short_hashes(conditions_text(guard)), _support(guard)) for guard in first_guards]
    table = _table("What calls need", "", "rejections explained")
    table.columns[1].justify = "left"
    table.columns[1].overflow = "fold"
    table.columns[1].no_wrap = False
    scopes = min(max(cell_len(scope) for scope, _, _ in rows), columns // 3)
    table.columns[0].max_width = max(scopes, cell_len("What calls need"))
    room = _room(columns, [(row[2],) for row in rows], ("rejections explained",)) - table.columns[0].max_width
    for scope, text, support in rows:
        table.add_row(Text(scope, style="cyan"), Text(cut(text, max(_LINES * room - 8, 8))), Text(support))
    return _with_rest(table, len(ranked) - len(first_guards))


def _scope(guard: Guard) -> str:
    return plain(guard.scope, 60) + (" (learned)" if guard.kind is GuardKind.LEARNED else "")


def _support(guard: Guard) -> str:
    """Return how many rejections a guard explains, of how many."""
    return f"{guard.explained:,} of {guard.rejected:,}"


def _table(title: str, *figures: str) -> Table:
    """Return a table without lines whose first column has the title as its head."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(title, no_wrap=True, overflow="ellipsis")
    for text in figures:
        table.add_column(text, justify="right", no_wrap=True)
    return table


def _room(columns: int, rows: Sequence[Sequence[str]], header: Sequence[str]) -> int:
    """Return the cells that columns of figures leave of a line."""
    widths = [
        max([cell_len(title), *(cell_len(row[column]) for row in rows)])
        for column, title in enumerate(header)
    ]
    return max(columns - sum(widths) - 2 * (len(widths) + 1), 8)


def _limit(count: int) -> int:
    """Return how many of some rows are shown: one that would be left out alone is."""
    return ROWS + (count == ROWS + 1)


def _with_rest(table: Table, rest: int) -> RenderableType:
    lines: list[RenderableType] = [table]
    if rest > 0:
        lines.append(Text(f"… and {rest:,} more"))
    return Group(*lines)


def _name(state: State) -> str:
    return plain(state.name, 80).strip() or f"state {state.id}"
