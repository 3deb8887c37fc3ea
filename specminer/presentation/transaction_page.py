"""The explanation of one transaction as an HTML page, Markdown, and a screenful of text.

The page needs no network and no script, and has the look of the report.
"""

from __future__ import annotations

import textwrap
from typing import Final

from markupsafe import Markup

from specminer._support.addresses import ends_of
from specminer._support.errors import plain
from specminer._support.units import amount, moment
from specminer.explanation import Explanation
from specminer.presentation.markdown import escape_text, section_lines
from specminer.presentation.page import asset, environment, style_hash
from specminer.presentation.picture import night
from specminer.presentation.section import without_empty_columns
from specminer.presentation.sentences import transaction_link
from specminer.presentation.text_layout import cut, paragraph
from specminer.presentation.transaction_sections import (
    call_text,
    movement_text,
    result_text,
    short_hash,
    transaction_sections,
    with_unit,
)

MAX_CALLS: Final = 12
"""Calls that the text for a terminal shows."""
MAX_LINES: Final = 8
"""Lines of each of its other lists."""
_MAX_LINE: Final = 2_000
_MAX_ROWS: Final = 3
"""Rows of one call, flow or change in the terminal."""


def transaction_html(explanation: Explanation) -> str:
    """Return the page; the same explanation gives the same bytes with the same renderer."""
    sections = [without_empty_columns(section) for section in transaction_sections(explanation)]
    charts = {section.id: Markup(section.chart) for section in sections if section.chart}
    style = asset("page.css") + night((str(chart) for chart in charts.values()), inside="flows")
    return (
        environment()
        .get_template("transaction")
        .render(
            name=explanation.name,
            chain_id=explanation.chain_id,
            hash=explanation.transaction.hash,
            short=short_hash(explanation),
            link=transaction_link(explanation.chain_id, explanation.transaction.hash),
            numbers=_numbers(explanation),
            summary=explanation.summary,
            sections=sections,
            charts=charts,
            style=Markup(style),
            style_hash=style_hash(style),
        )
    )


def _numbers(explanation: Explanation) -> list[tuple[str, str]]:
    item = explanation.transaction
    numbers = [("Block", f"{item.block:,}")]
    if item.timestamp is not None:
        numbers.append(("When (UTC)", moment(item.timestamp, seconds=True)))
    numbers.append(("Result", "succeeded" if item.succeeded else "failed"))
    if item.value != "0":
        numbers.append(("Ether sent", amount(item.value)))
    if explanation.unusual is not None and explanation.unusual.score:
        numbers.append(
            (
                "Score",
                f"{explanation.unusual.score:.1f} bits{', an alarm' if explanation.unusual.flagged else ''}",
            )
        )
    if explanation.rank is not None and explanation.of is not None:
        numbers.append(("Rank", f"{explanation.rank:,} of {explanation.of:,}"))
    return numbers


def transaction_markdown(explanation: Explanation) -> str:
    """Return the explanation as CommonMark with tables; ends in a newline."""
    lines = [
        f"# Transaction {short_hash(explanation)}",
        "",
        f"{explanation.transaction.hash} of {escape_text(explanation.name, 120)} on chain {explanation.chain_id}.",
        "",
        "; ".join(f"{label.lower()}: {value}" for label, value in _numbers(explanation)) + ".",
        "",
        "## What happened",
        "",
        *(f"- {escape_text(text, _MAX_LINE)}" for text in explanation.summary),
        "",
    ]
    for section in transaction_sections(explanation):
        lines += section_lines(without_empty_columns(section), level=2)
    return "\n".join(lines).rstrip() + "\n"


def transaction_text(explanation: Explanation, width: int) -> str:
    """Return the explanation in about one screen of lines of at most ``width`` cells."""
    numbers = "; ".join(f"{label.lower()} {value}" for label, value in _numbers(explanation))
    parts = [f"Transaction {explanation.transaction.hash}\n{_join_text(numbers, width)}"]
    parts.append("\n".join(_join_text(text, width, "- ") for text in explanation.summary))
    calls = [_call_line(explanation, index) for index in range(min(len(explanation.calls), MAX_CALLS))]
    parts.append(_list("Calls", calls, explanation.calls_total, width))
    moved = [
        f"{movement_text(explanation, item)}: {_name(explanation, item.sender)} → {_name(explanation, item.recipient)}"
        for item in explanation.movements
    ]
    parts.append(_list("Flows", moved, explanation.movements_total, width))
    changes = [
        f"{item.location}: {with_unit(item.before, item.before_shown)} → "
        f"{with_unit(item.after, item.after_shown)}"
        for item in explanation.storage
    ]
    parts.append(_list("Storage", changes, len(explanation.storage), width))
    parts.append("\n".join(_join_text(text, width) for text in explanation.notes[:2]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _name(explanation: Explanation, address: str) -> str:
    return explanation.names.get(address) or ends_of(address)


def _call_line(explanation: Explanation, index: int) -> str:
    call = explanation.calls[index]
    value = f" with {amount(call.value)}" if call.value != "0" else ""
    result = result_text(call)
    mark = f"  ! {', '.join(call.unusual)}" if call.unusual else ""
    on = f" on {_name(explanation, call.callee)}" if call.callee else ""
    return f"{call_text(call)}{on}{value}{f'  {result}' if result else ''}{mark}"


def _list(title: str, lines: list[str], total: int, width: int) -> str:
    if not lines:
        return ""
    limit = MAX_CALLS if title == "Calls" else MAX_LINES
    rows = [row for line in lines[:limit] for row in _hanging(plain(line, _MAX_LINE), width)]
    if total > limit:
        rows.append(f"  … and {total - limit:,} more (--format html, md or json has them)")
    return "\n".join([title, *rows])


def _hanging(text: str, width: int) -> list[str]:
    """Break a safe text into at most ``_MAX_ROWS`` rows, those behind the first further in."""
    rows = textwrap.wrap(text, width, initial_indent="  ", subsequent_indent=" " * 6, break_on_hyphens=False)
    rows = [*rows[: _MAX_ROWS - 1], " ".join(rows[_MAX_ROWS - 1 :])] if len(rows) > _MAX_ROWS else rows
    return [cut(row, width) for row in rows]


def _join_text(text: str, width: int, lead: str = "") -> str:
    return "\n".join(paragraph(plain(text, _MAX_LINE), width, lead))
