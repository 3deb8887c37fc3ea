"""Colours in what commands print: headings bold, warnings yellow, rejections red; none where nobody sees them."""

from __future__ import annotations

import os
import sys
from typing import Final

from rich.color import ColorSystem
from rich.style import Style

_HEADING: Final = Style(bold=True)
_WARNING: Final = Style(color="yellow")
_REJECTED: Final = Style(color="red")


def has_colours() -> bool:
    """Return whether standard output is a terminal that shows colours, and nobody wants it without (NO_COLOR)."""
    # FORCE_COLOR and the like must not put codes into a pipe
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


def paint(text: str) -> str:
    """Return a text as it is, or with colours in a terminal that shows them.

    A line is a heading if it is not indented and the next one is. The text is never read as markup.
    """
    if not has_colours():
        return text
    lines = text.split("\n")
    return "\n".join(
        _paint_line(line, following) for line, following in zip(lines, [*lines[1:], ""], strict=True)
    )


def _paint_line(line: str, following: str) -> str:
    bare = line.lstrip()
    if bare.startswith("! "):
        return _render(_WARNING, line)
    if bare.startswith("✗ "):
        return _render(_REJECTED, line)
    heading = line and line == bare and following.startswith(("  ", "✗ "))
    return _render(_HEADING, line) if heading else line


def _render(style: Style, text: str) -> str:
    return style.render(text, color_system=ColorSystem.STANDARD)
