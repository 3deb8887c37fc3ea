"""The picture as a Mermaid flowchart, which code-hosting pages draw from a fenced block.

The same rows as in DOT, in what Mermaid can say: names in bold, roles in italics, side effects dotted, the usual path
thick. Such pages refuse more than 50,000 characters or 500 lines, and lay large charts out badly; a chart that would be
larger names fewer events, then hides its rarest lines and says so.

Foreign text stands in quoted strings in which all but letters, digits and a few signs are character references, so that
neither Mermaid's grammar, nor Markdown, nor HTML sees anything in it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from specminer.presentation.label_markup import node_name
from specminer.presentation.line_selection import Line
from specminer.presentation.picture_content import Content, Row
from specminer.presentation.picture_options import PictureOptions
from specminer.specification import Specification, TransitionKind
from specminer.specification.readable_specification import for_readers

MAX_TEXT: Final = 45_000
"""Characters of a chart; the pages' limit is 50,000."""
MAX_LINES: Final = 450
"""Lines of a chart; the pages' limit is 500."""
_SHARES: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Least shares of a line, tried in order while the chart is too large."""
_PLAIN: Final = frozenset(" .,=()+-/")
_UNSAFE: Final = re.compile(r"[^\w .,:;()-]+")
_WIDEST: Final = 8.0
"""Pixels of the most frequent line."""
MIDDLE: Final = "#4a86b8"
"""A blue that stands off white and black pages alike."""


def to_mermaid(spec: Specification, options: PictureOptions | None = None) -> str:
    """Return the picture of ``spec`` as a Mermaid flowchart."""
    spec, picture_options = for_readers(spec), options or PictureOptions()
    brief = replace(
        picture_options,
        labels="short",
        events=1,
        rejections=1,
        predicates=0,
        guards=2,
        event_width=20,
        name_width=20,
    )
    tries = [picture_options, replace(picture_options, labels="short"), brief]
    tries += [
        replace(brief, min_share=share, outflow=1.1)
        for share in _SHARES
        if share > (picture_options.min_share or 0)
    ]
    text = ""
    for attempt in tries:
        content = Content(spec=spec, options=attempt)
        text = _chart(content)
        if len(text) <= MAX_TEXT and len(content.selection.lines) <= MAX_LINES:
            break
    return text


def escape(text: str) -> str:
    """Return text that is shown as it is inside a quoted string of Mermaid."""
    references = "".join(
        char if (char.isascii() and char.isalnum()) or char in _PLAIN else f"#{ord(char)};" for char in text
    )
    # Mermaid makes a line break of a backslash and an n, even of references to them; a word joiner keeps them apart
    return references.replace("#92;n", "#92;#8288;n")


def _chart(content: Content) -> str:
    spec, lines = content.drawn_specification, content.selection.lines
    counts, *notes = content.heading()
    title = f"{content.title}: {_words(counts)}"
    # a title is YAML, in which character references mean nothing: only plain signs are left of it
    rows = ["---", f'title: "{_UNSAFE.sub(" ", title)}"', "---", f"flowchart {content.direction}"]
    if notes:
        rows.append(f'  notes["{"<br>".join(_style_row(row) for row in notes)}"]:::notes')
    for state in sorted(spec.states, key=lambda state: (state.id != spec.initial, state.id)):
        if state.id == spec.initial:
            rows.append(f'  {node_name(state.id)}((" ")):::start')
        else:
            kind = "usual" if state.id in content.usual_states else "state"
            body = "<br>".join(_style_row(row) for row in content.state(state))
            rows.append(f'  {node_name(state.id)}("{body}"):::{kind}')
    rows += [_line(content, line) for line in lines]
    rows += _styles(content, lines)
    rows += [f"  notes ~~~ {node_name(spec.initial)}"] if notes else []
    return "\n".join(rows) + "\n"


def _words(row: Row) -> str:
    return "".join(run.text for run in row)


def _style_row(row: Row) -> str:
    parts = []
    for run in row:
        text = escape(run.text)
        text = f"<b>{text}</b>" if run.bold else text
        parts.append(f"<i>{text}</i>" if run.italic else text)
    return "".join(parts)


def _line(content: Content, line: Line) -> str:
    usual = (line.source, line.target) in content.usual_lines
    quiet = all(edge.kind is TransitionKind.PASSIVE or edge.kind.befalls for edge in line.edges)
    arrow = "-.->" if quiet else "==>" if usual else "-->"
    label = "<br>".join(_style_row(row) for row in content.line(line))
    return f'  {node_name(line.source)} {arrow}|"{label}"| {node_name(line.target)}'


def _styles(content: Content, lines: Sequence[Line]) -> list[str]:
    """Return the colours, which read on light and dark pages, and the widths, by frequency."""
    theme = content.options.colours
    widest = max((line.count for line in lines), default=1)
    rows = [
        f"  linkStyle {number} stroke:{MIDDLE},stroke-width:"
        f"{1.2 + (_WIDEST - 1.2) * math.sqrt(max(line.count, 0) / max(widest, 1)):.1f}px"
        for number, line in enumerate(lines)
    ]
    frame = f"stroke:{MIDDLE},color:{theme.ink}"
    return [
        *rows,
        f"  classDef start fill:{MIDDLE},stroke:{MIDDLE}",
        f"  classDef state fill:{theme.lightest},{frame}",
        f"  classDef usual fill:{theme.darkest},{frame},stroke-width:3px",
        "  classDef notes fill:none,stroke:none",
    ]
