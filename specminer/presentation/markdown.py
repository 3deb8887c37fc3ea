"""The report as Markdown, to be pasted into another one: headings, sentences and tables."""

from __future__ import annotations

import re
from typing import Final

from specminer._support.errors import plain
from specminer._support.text import count_of, list_some
from specminer.presentation.brief import brief_sentences
from specminer.presentation.readable_report import readable_report
from specminer.presentation.report_document import Report
from specminer.presentation.section import Row, Section, TextPiece
from specminer.presentation.sections import NO_EVIDENCE, groups

MAX_CELL: Final = 1_500
"""Characters of one text."""
MAX_ROWS: Final = 50
"""Rows of one table; the rest is in the JSON."""
_SPECIAL: Final = re.compile(r"([\\`*_\[\]|~$]|(?<=[a-zA-Z]):(?=//)|(?<=\bwww)\.)", re.IGNORECASE)
"""What would be markup inside a line, or make a link of a text."""
_LEADING: Final = re.compile(r"^([#+=>-]|\d{1,9}(?=[.)](?:\s|$)))")
"""What would make something else of a line that it begins."""


def escape_text(text: str, limit: int = MAX_CELL) -> str:
    """Return foreign text as Markdown that shows it as it is: no markup, no HTML, no link, one line."""
    line = plain(text, limit).strip().replace("&", "&amp;").replace("<", "&lt;")
    line = _SPECIAL.sub(r"\\\1", line)
    return _LEADING.sub(lambda match: f"&#{ord(match[0][0])};{match[0][1:]}", line)


def to_markdown(report: Report) -> str:
    """Return the report as CommonMark with tables; ends in a newline."""
    report = readable_report(report)
    spec = report.specification
    title = escape_text(spec.name, 120)
    contracts = list_some([escape_text(item, 60) for item in spec.contracts[:5]], len(spec.contracts))
    lines = [
        f"# {title}: what the contract did",
        "",
        f"{contracts} on chain {spec.chain_id}. {count_of(len(spec.states), 'state')}, "
        f"{count_of(len(spec.transitions), 'transition')}, mined by specminer.",
        "",
    ]
    lines += [escape_text(" ".join(brief_sentences(spec)), 4 * MAX_CELL), ""]
    if report.evidence is None:
        lines += [NO_EVIDENCE, ""]
    for group in groups(report):
        lines += [f"## {group.title}", ""]
        for section in group.sections:
            lines += section_lines(section)
    return "\n".join(lines).rstrip() + "\n"


def section_lines(section: Section, level: int = 3) -> list[str]:
    """Return the lines of a section under a heading of a level."""
    lines = [f"{'#' * level} {escape_text(section.title)}", ""]
    for text in section.lead:
        lines += [escape_text(text, 4 * MAX_CELL), ""]
    if section.rows:
        lines.append("| " + " | ".join(escape_text(text) for text in section.header) + " |")
        lines.append(
            "|"
            + "|".join(
                " ---: " if column in section.figures else " --- " for column in range(len(section.header))
            )
            + "|"
        )
        lines += [_row(item) for item in section.rows[:MAX_ROWS]]
        lines.append("")
    note = section.note
    if len(section.rows) > MAX_ROWS:
        note = f"The first {MAX_ROWS:,} of {len(section.rows):,} rows. {note}".strip()
    return [*lines, escape_text(note), ""] if note else lines


def _row(item: Row) -> str:
    return "| " + " | ".join(" ".join(map(_piece, pieces)) for pieces in item.cells) + " |"


def _piece(piece: TextPiece) -> str:
    text = escape_text(piece.text)
    return f"[{text}]({piece.url})" if piece.url else text
