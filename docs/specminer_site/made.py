"""What the directives share: texts of the code as nodes, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

_CODE: Final = re.compile(r":\w+:`[~.]?(.+?)`|``(.+?)``|`(.+?)`|(?<![\w-])(--[a-z][a-z-]+)")
"""Roles and literals of docstrings, code in help texts, and options, which these name without marks."""


Cells = list[list[nodes.Node]]
"""A row of a table, its cells as inline nodes."""


class Made(SphinxDirective):
    """A directive without arguments whose body is only shown where no site is built."""

    has_content = True

    def section(self, title: str | nodes.Node, anchor: str) -> nodes.section:
        """Return a section that links can point to."""
        found = nodes.section(ids=[anchor], names=[anchor])
        heading = nodes.title()
        heading += nodes.Text(title) if isinstance(title, str) else title
        found += heading
        self.state.document.note_explicit_target(found, found)
        return found


def inline(text: str) -> list[nodes.Node]:
    """Return a text with its code in literals; nothing else in it means anything."""
    found: list[nodes.Node] = []
    end = 0
    for match in _CODE.finditer(text):
        found.append(nodes.Text(text[end : match.start()]))
        code = next(group for group in match.groups() if group)
        found.append(nodes.literal(code, code))
        end = match.end()
    found.append(nodes.Text(text[end:]))
    return [item for item in found if item.astext()]


def code(text: str) -> nodes.literal:
    """Return a text as code."""
    return nodes.literal(text, text)


def paragraph(text: str) -> nodes.paragraph:
    """Return a text as a paragraph."""
    return nodes.paragraph("", "", *inline(text))


def listing(text: str, language: str) -> nodes.literal_block:
    """Return a text as a block of code."""
    return nodes.literal_block(text, text, language=language)


def table(heads: Sequence[str], rows: Iterable[Sequence[list[nodes.Node]]]) -> nodes.table:
    """Return a table, its cells given as inline nodes."""
    group = nodes.tgroup(cols=len(heads))
    group += [nodes.colspec(colwidth=1) for _ in heads]
    head, body = nodes.thead(), nodes.tbody()
    head += _row([[nodes.Text(text)] for text in heads])
    body += [_row(cells) for cells in rows]
    group += [head, body]
    return nodes.table("", group)


def _row(cells: Sequence[list[nodes.Node]]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", nodes.paragraph("", "", *cell))
    return row
