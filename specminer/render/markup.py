r"""Foreign text inside Graphviz' HTML-like labels.

Function, variable and contract names come from ABIs, layouts and chains: anyone may have written them.
Three layers read a label: the XML parser (``& < > "``), Graphviz' escapes (``\N`` is the node's name, even
in an HTML-like label) and the terminal or browser that shows the result (control and direction characters,
which :func:`specminer.errors.plain` takes out).
"""

from __future__ import annotations

import html
import re
from typing import Final

from specminer.errors import plain

NO_NAME: Final = "(no name)"
"""Stands for a text of nothing but blanks, which Graphviz takes for an empty label: a syntax error."""

_SIGNS: Final = {"!=": "≠", "<=": "≤", ">=": "≥", "==": "="}
_COMPARISON: Final = re.compile(r"(?<![=<>!])(!=|<=|>=|==)(?![=<>!])")
_HEX: Final = re.compile(r"\b0x([0-9a-fA-F]{4})[0-9a-fA-F]{12,}([0-9a-fA-F]{4})\b")
_NEGATED: Final = re.compile(r"^(?:not |!) ?\(?([^()&|=<>!]+?) ?==? ?([^()&|=<>! ]+)\)?$")


def shorten(text: str, limit: int) -> str:
    """Return ``text`` as one safe line of at most ``limit`` characters, cut with ``…``."""
    shown = plain(text, limit)
    return shown if shown.strip() else NO_NAME


def phrase(predicate: str, limit: int) -> str:
    """Return a predicate for people: ``≠``, ``≤``, ``≥``, no ``not (a = b)``, long words shortened.

    The text is escaped for a terminal, not yet for a label.
    """
    text = plain(predicate, 4 * limit)
    text = _NEGATED.sub(r"\1 != \2", text)
    text = _COMPARISON.sub(lambda found: _SIGNS[found[0]], text)
    return shorten(_HEX.sub(r"0x\1…\2", text), limit)


def wrap(text: str, width: int, lines: int) -> list[str]:
    """Break ``text`` at blanks into at most ``lines`` lines of ``width``; what does not fit ends in ``…``."""
    rows: list[str] = []
    rest = text.strip()
    while rest and len(rows) < lines - 1 and len(rest) > width:
        cut = rest.rfind(" ", 1, width + 1)
        cut = width if cut <= 0 else cut
        rows.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*rows, shorten(rest, width)] if rest or not rows else rows


def markup(text: str) -> str:
    """Return safe text as a part of an HTML-like label, to be shown as it is."""
    # Graphviz 2.43 takes a lone ] for the end of a section of its own making
    return html.escape(text.replace("\\", "\\\\"), quote=True).replace("]", "&#93;")


def font(content: str, *, color: str | None = None, size: int | None = None) -> str:
    """Wrap markup into a font."""
    attributes = (f' COLOR="{color}"' if color else "") + (f' POINT-SIZE="{size}"' if size else "")
    return f"<FONT{attributes}>{content}</FONT>"


def table(rows: list[str], *, padding: int = 0, margin: int = 0) -> str:
    """Return an HTML-like label of centred rows; ``margin`` points stay free on its left and right."""
    side = f'<TD WIDTH="{margin}"></TD>' if margin else ""
    body = "".join(f"<TR>{side}<TD>{row}</TD>{side}</TR>" for row in rows)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{body}</TABLE>>'


def thousands(number: int) -> str:
    """Return a number for people: ``1,329``."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """Return ``1 call`` or ``1,329 calls``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
