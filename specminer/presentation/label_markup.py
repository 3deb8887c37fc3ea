r"""Foreign text inside Graphviz' HTML-like labels.

Function, variable and contract names come from ABIs, layouts and chains: anyone may have written them.
Three layers read a label: the XML parser (``& < > "``), Graphviz' escapes (``\N`` is the node's name, even
in an HTML-like label) and the terminal or browser that shows the result (control and direction characters,
which :func:`specminer._support.errors.plain` takes out).
"""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import Final

from specminer._support.errors import plain

NO_NAME: Final = "(no name)"
"""Stands for a text of nothing but blanks, which Graphviz takes for an empty label: a syntax error."""

_SIGNS: Final = {"!=": "≠", "<=": "≤", ">=": "≥", "==": "="}
_COMPARISON: Final = re.compile(r"(?<![=<>!])(!=|<=|>=|==)(?![=<>!])")
_COMPARISONS: Final = frozenset({"=", "≠", "<", "≤", ">", "≥"})
_PREFIX_WORDS: Final = _COMPARISONS | {"and", "if", "not", "or", "+", "-", "*", "/"}
"""Words that belong to the next one."""
_HEX: Final = re.compile(r"\b0x([0-9a-fA-F]{4})[0-9a-fA-F]{12,}([0-9a-fA-F]{4})\b")
_INNER: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=_)(?=[^_])")
_NEGATION_PATTERN: Final = re.compile(r"^(?:not |!) ?\(([^()&|=<>!\s]+) ?==? ?([^()&|=<>!\s]+)\)$")


def shorten(text: str, limit: int) -> str:
    """Return ``text`` as one safe line of at most ``limit`` characters, cut with ``…``."""
    line = plain(text, limit)
    return line if line.strip() else NO_NAME


def phrase(predicate: str, limit: int) -> str:
    """Return a predicate for people: ``≠``, ``≤``, ``≥``, no ``not (a = b)``, long words shortened.

    The text is escaped for a terminal, not yet for a label.
    """
    text = plain(predicate, 4 * limit)
    text = _NEGATION_PATTERN.sub(r"\1 != \2", text)
    text = _COMPARISON.sub(lambda match: _SIGNS[match[0]], text)
    return shorten(_HEX.sub(r"0x\1…\2", text), limit)


def wrap(text: str, width: int, lines: int) -> list[str]:
    """Break ``text`` into at most ``lines`` lines of ``width``; what does not fit ends in ``…``.

    Lines break at blanks, but for those around a sign of comparison, else within a word where a new one begins
    (``camelCase``, ``snake_case``), else anywhere, and are made about equally long.
    """
    rows = fill(text.strip(), width, lines)
    if len(rows) < 2 or rows[-1].endswith("…"):
        return rows
    for narrower in range(width - 1, width // 2, -1):
        tighter = fill(text.strip(), narrower, lines)
        if len(tighter) > len(rows) or tighter[-1].endswith("…"):
            break
        if _awkward(tighter) <= _awkward(rows):
            rows = tighter
    return rows


def fill(text: str, width: int, lines: int) -> list[str]:
    """Break ``text`` as :func:`wrap` does, but each line as long as it may be."""
    rows: list[str] = []
    rest = text
    while rest and len(rows) < lines - 1 and len(rest) > width:
        cut = _blank(rest, width)
        if cut <= 0:
            inner = [match.start() for match in _INNER.finditer(rest, 1, width + 1)]
            cut = inner[-1] if inner else width
        rows.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*rows, shorten(rest, width)] if rest or not rows else rows


def _awkward(rows: list[str]) -> int:
    """Return how many lines end where those of :func:`_blank` do not."""
    pairs = ((before.rsplit(" ", 1)[-1], after.split(" ", 1)[0]) for before, after in pairwise(rows))
    return sum(last in _PREFIX_WORDS or first in _COMPARISONS for last, first in pairs)


def _blank(text: str, width: int) -> int:
    """Return the place of the blank at which a line ends; -1 if it has none.

    A sign of comparison neither begins a line nor ends it, nor does a word end it that belongs to what follows.
    """
    last = cut = text.rfind(" ", 1, width + 1)
    while cut > width // 3:
        before = text[:cut].rsplit(" ", 1)[-1]
        after = text[cut + 1 :].split(" ", 1)[0]
        if before not in _PREFIX_WORDS and after not in _COMPARISONS:
            return cut
        cut = text.rfind(" ", 1, cut)
    return last


def wrap_parts(text: str, width: int, lines: int) -> list[str]:
    """Break a list of parts, separated by ``, ``: behind a comma where that will do, else as :func:`wrap` does."""
    rows: list[str] = []
    parts = text.strip().split(", ")
    for number, part in enumerate(parts):
        piece = part if number == len(parts) - 1 else f"{part},"
        if rows and len(rows[-1]) + 1 + len(piece) <= width:
            rows[-1] += f" {piece}"
        else:
            rows += wrap(piece, width, lines) if piece.strip() else []
    if not rows or len(rows) > lines:
        return wrap(text, width, lines)
    return rows


def markup(text: str) -> str:
    """Return safe text as a part of an HTML-like label, to be shown as it is."""
    # Graphviz 2.43 takes a lone ] for the end of a section of its own making
    return html.escape(text.replace("\\", "\\\\"), quote=True).replace("]", "&#93;")


def rows_label(rows: list[str], background: str | None = None, *, padding: int = 0, margin: int = 0) -> str:
    """Return an HTML-like label of centred rows.

    ``background`` keeps what passes below legible apart; ``margin`` points around it stay free.
    """
    colour = f' BGCOLOR="{background}"' if background else ""
    start = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}"{colour}>'
    body = f"{start}{''.join(f'<TR><TD>{row}</TD></TR>' for row in rows)}</TABLE>"
    if not margin:
        return f"<{body}>"
    side = f'<TD WIDTH="{margin}" HEIGHT="{margin}"></TD>'
    outer = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">'
    empty = f"<TR><TD></TD>{side}<TD></TD></TR>"
    return f"<{outer}{empty}<TR>{side}<TD>{body}</TD>{side}</TR>{empty}</TABLE>>"


def left_rows(rows: list[str]) -> str:
    """Return a table of rows that all begin at the left, as one row of a label."""
    body = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{body}</TABLE>'


def node_name(state: int) -> str:
    """Return what the node of a state is called in a picture's source."""
    return f"s{state}" if state >= 0 else f"m{-state}"


def thousands(number: int) -> str:
    """Return a number for people: ``1,329``."""
    return f"{number:,}"
