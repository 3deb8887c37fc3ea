"""Lines of plain text that fit a terminal: widths are counted in cells, so that wide characters keep the columns."""

from __future__ import annotations

import textwrap

from rich.cells import cell_len, set_cell_size


def paragraph(text: str, columns: int, lead: str = "") -> list[str]:
    """Wrap safe text below a heading, two cells in; ``lead`` stands before its first line."""
    first = f"  {lead}"
    lines = textwrap.wrap(
        text, columns, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False
    )
    return [cut(line, columns) for line in lines]


def cut(text: str, width: int) -> str:
    """Cut text to ``width`` cells, the last of them ``…``."""
    return text if cell_len(text) <= width else set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def pad(text: str, width: int) -> str:
    """Cut or fill text to ``width`` cells."""
    return set_cell_size(cut(text, width), width)
