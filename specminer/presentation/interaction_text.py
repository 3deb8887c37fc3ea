"""The documents about interactions as plain text for a terminal; foreign texts are escaped and cut."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from specminer._support.addresses import ends_of
from specminer._support.errors import plain
from specminer._support.text import list_some
from specminer._support.units import amount

Document = dict[str, Any]

MAX_NAME: Final = 46
MAX_LISTED: Final = 12
"""Variables and the like that a line lists at most."""


def table(
    rows: Sequence[Sequence[object]], head: Sequence[str], width: int, right: Iterable[int] = ()
) -> str:
    """Return rows under a head; the last column is cut to what the width leaves."""
    texts = [[plain(cell, 500) for cell in row] for row in rows]
    sizes = [max(map(cell_len, column)) for column in zip(head, *texts, strict=True)]
    rest = max(16, width - sum(sizes[:-1]) - 2 * (len(head) - 1))
    flushed = set(right)
    lines = []
    for row in [list(head), *texts]:
        cells = [
            " " * (size - cell_len(cell)) + cell
            if number in flushed
            else cell + " " * (size - cell_len(cell))
            for number, (cell, size) in enumerate(zip(row[:-1], sizes[:-1], strict=True))
        ]
        last = row[-1] if cell_len(row[-1]) <= rest else set_cell_size(row[-1], rest - 1) + "…"
        lines.append("  ".join([*cells, last]).rstrip())
    return "\n".join(lines)


def overview_text(rows: Sequence[Document], about: Document, width: int) -> str:
    """Return the list of interactions as a table."""
    head = ["interaction", "events", "side effects", "blocks", "actors", "word"]
    cells = [
        [
            plain(row["name"], MAX_NAME),
            f"{row['length']:,}",
            f"{row['side_effects']:,}",
            _span(row["first_block"], row["last_block"]),
            row["actors"],
            row["word"],
        ]
        for row in rows
    ]
    if not any(row["side_effects"] for row in rows):
        head, cells = _without(head, 2), [_without(row, 2) for row in cells]
    numbers = [column for column, name in enumerate(head) if name in ("events", "side effects", "actors")]
    body = table(cells, head, width, right=numbers) if rows else "none"
    word = "A word is what happened, in order: ×3 three times, ✗ rejected, (f) a side effect of f."
    return f"{_paragraph(about['explanation'], width)}\n\n{body}\n\n{_paragraph(word, width)}\n"


def _without(row: list[Any], column: int) -> list[Any]:
    return [*row[:column], *row[column + 1 :]]


def _span(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}–{last}"


def _paragraph(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        plain(text, 3000),
        width=width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def explanation_text(document: Document, width: int) -> str:
    """Return the explanation of a split."""
    parts = [_paragraph(document["explanation"], width), _sorts(document, width)]
    parts += [_environment(document, width), _rejections(document, width), _independence(document, width)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _sorts(document: Document, width: int) -> str:
    if not document["sorts"]:
        return "Sorts of entities\n" + _paragraph("none: no storage is kept under keys", width, "  ")
    lines = ["Sorts of entities (--interactions SORT takes another)"]
    for sort in document["sorts"]:
        mark = " (chosen)" if sort["chosen"] else ""
        weights = _weights(sort)
        weights += " × 0.1 (trivial)" if sort["trivial"] else ""
        weights += " × 0.5 (derived: calls seldom name them)" if sort["derived"] else ""
        title = f"{plain(sort['name'], MAX_NAME)}{mark}: score {sort['score']:.3f} = {weights}"
        lines.append(_paragraph(title, width, "  "))
        lines.append(_paragraph(f"keys of {_some(sort['ports'])}", width, "    "))
        lines.append(
            _paragraph(
                f"{sort['entities']:,} entities, {sort['long']:,} with two accepted calls or more, "
                f"{sort['mean_length']:.1f} on average; {sort['mode']}: the busiest has {sort['largest']:.0%} of the "
                f"calls, the largest linked group {sort['linked']:.0%}",
                width,
                "    ",
            )
        )
        role_texts = [
            f"{item['function']} by {item['role']} ({item['support']:.0%})" for item in sort["roles"]
        ]
        unique_texts = list(dict.fromkeys(role_texts))
        lines.append(
            _paragraph(
                f"named in {_some(unique_texts)}" if unique_texts else "named in no call", width, "    "
            )
        )
    whole = document["contract"]
    if whole is not None:
        single = " × 0.5 (a single interaction)" if whole["single"] else ""
        title = f"the contract as a whole: score {whole['score']:.3f} = {_weights(whole)}{single}"
        lines.append(_paragraph(title, width, "  "))
    return "\n".join(lines)


def _weights(rating: Document) -> str:
    """Return what a score is made of."""
    decides = rating["decides"]
    guard_text = f"guard {rating['guard']:.2f}" if decides is None else f"decides {decides:.2f}"
    return (
        f"coverage {rating['coverage']:.2f} × ({rating['alpha']:.2f} · {guard_text} + "
        f"{1 - rating['alpha']:.2f} · setlike {rating['setlike']:.2f})"
    )


def _some(names: Sequence[object]) -> str:
    return list_some([plain(name, 60) for name in names[:MAX_LISTED]], len(names))


def _environment(document: Document, width: int) -> str:
    lines = ["What links nothing"]
    environment = document["environment"]
    if environment:
        lines.append(_paragraph(f"environment, shared by all: {_some(environment)}", width, "  "))
    if document["outside"]:
        calls = [f"{name} {count:,}" for name, count in document["outside"].items()]
        lines.append(_paragraph(f"calls that are about no entity: {_some(calls)}", width, "  "))
    return "\n".join(lines) if len(lines) > 1 else ""


def _rejections(document: Document, width: int) -> str:
    judged = document["rejections"]
    if not judged["attached"] + judged["loose"]:
        return ""
    share = judged["attached"] / (judged["attached"] + judged["loose"])
    lines = [
        "Rejections",
        _paragraph(
            f"{share:.0%} of the {judged['attached'] + judged['loose']:,} rejected calls belong to an interaction. "
            "Contradicted: accepted elsewhere after the same accepted events, so a datum forbade it, not the protocol. "
            "Comparable: another interaction came as far and went on.",
            width,
            "  ",
        ),
    ]
    if judged["functions"]:
        rows = [
            (
                f"  {plain(item['function'], 40)}",
                f"{item['rejected']:,}",
                f"{item['comparable']:,}",
                f"{item['contradicted']:,}",
                f"{item['rate']:.0%}",
                item["verdict"],
            )
            for item in judged["functions"]
        ]
        head = ("  function", "rejected", "comparable", "contradicted", "rate", "worth")
        lines.append(table(rows, head, width, right=(1, 2, 3, 4)))
    return "\n".join(lines)


def _independence(document: Document, width: int) -> str:
    independence, executed = document["independence"], document["execution"]
    lines = ["Are the interactions independent?"]
    if independence["events"]:
        parts = [
            f"{independence['independent'] / independence['events']:.0%} of their calls read nothing that another's "
            "call wrote"
        ]
        for key, what in (
            ("environment", "read only environment that others wrote"),
            ("own", "read storage of their own that another's call wrote"),
            ("others", "read another's storage"),
            ("unknown", "read values that are not known"),
        ):
            if independence.get(key):
                parts.append(f"{independence[key] / independence['events']:.0%} {what}")
        lines.append(_paragraph(f"On the recorded reads: {'; '.join(parts)}.", width, "  "))
        for key, what in (("shared", "shared environment"), ("changed", "own storage that others write")):
            if independence[key]:
                counts = [f"{name} ({count:,})" for name, count in independence[key].items()]
                lines.append(_paragraph(f"{what}: {_some(counts)}", width, "    "))
    lines.append(_paragraph(_executed_text(executed), width, "  "))
    return "\n".join(lines)


def _executed_text(executed: Document | None) -> str:
    if executed is None:
        return "Not executed again: that needs one contract with its code, and entities."
    if not executed["calls"]:
        return f"Executed again alone: none of {executed['failed']:,} calls runs here even from the recorded storage."
    text = (
        f"Executed again alone, the environment as recorded: {executed['held']:,} of {executed['calls']:,} calls of "
        f"{executed['interactions']:,} interactions ended with the same outcome and the same effects on their entity "
        f"({executed['share']:.1%})"
    )
    if executed["functions"]:
        counts = [f"{name} ({count:,})" for name, count in executed["functions"].items()]
        text += f"; the others: {_some(counts)}"
    if executed["failed"]:
        text += f"; {executed['failed']:,} do not run here even from the recorded storage"
    return text + "."


def timeline_text(document: Document, width: int) -> str:
    """Return the life of one interaction, event by event."""
    lines = [plain(document["name"], 200), ""]
    for event in document["events"]:
        lines.append(_event(event))
        if event["outcome"] != "returned" and event["kind"] == "call":
            reason = event["reason"] or event["outcome"]
            lines.append(_paragraph(f"✗ {event['outcome']}: {reason}", width, "    "))
        for payment in event["payments"] or ():
            paid = "all it holds" if payment["value"] is None else amount(payment["value"])
            lines.append(f"    pays {paid} to {ends_of(payment['to'])}")
        for change in event["changes"]:
            before = "?" if change["before"] is None else change["before"]
            lines.append(
                _paragraph(
                    f"{plain(change['location'], 120)}: {plain(before, 80)} → {plain(change['after'], 80)}",
                    width,
                    "    ",
                )
            )
    return "\n".join(lines) + "\n"


def _event(event: Document) -> str:
    when = f"{event['block']}  {_time(event['timestamp'])}"
    if event["kind"] == "time":
        return f"{when}time: {plain(event['function'], 60)}"
    arguments = ", ".join(
        f"{plain(name, 40)}={plain(value, 80)}" for name, value in event["arguments"].items()
    )
    called = f"{plain(event['function'], 60)}({arguments})"
    if event["role"] is not None:
        called += f" as {plain(event['role'], 40)}"
    if event["kind"] == "passive":
        called = f"side effect of {called}"
    value = f" with {amount(event['value'])}" if event["value"] != "0" else ""
    return f"{when}{ends_of(event['sender'])}  {called}{value}"


def _time(timestamp: int | None) -> str:
    if timestamp is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S}  "
    except (OverflowError, ValueError, OSError):
        return f"{timestamp}  "


def races_text(races: Sequence[Document], width: int) -> str:
    """Return the races, two lines each."""
    rejections = sum(race["lost"] for race in races)
    one = len(races) == 1
    lines = [
        _paragraph(
            f"{len(races):,} {'race' if one else 'races'}: a call read or overwrote what another sender's "
            f"call about the same entity had written in the same block; {rejections:,} times the later one was "
            "rejected.",
            width,
        )
    ]
    for race in races:
        first, second = race["first"], race["second"]
        lines.append("")
        lines.append(f"block {race['block']}, {plain(race['interaction'], 100)}: {_some(race['locations'])}")
        lines.append(f"  first   {_runner(first)}")
        lines.append(f"  second  {_runner(second)}{'  ✗ lost' if race['lost'] else ''}")
    return "\n".join(lines) + "\n"


def _runner(call: Document) -> str:
    value = f" with {amount(call['value'])}" if call["value"] != "0" else ""
    return f"{call['transaction']}  {ends_of(call['sender'])}  {plain(call['function'], 60)}{value}"
