"""A specification in any of the formats it is drawn or exported in."""

from __future__ import annotations

from typing import Final, Literal, get_args

from specminer._support.errors import UsageError, plain
from specminer.presentation.dot import to_dot
from specminer.presentation.graphml import to_graphml
from specminer.presentation.graphviz_layout import render_dot
from specminer.presentation.mermaid import to_mermaid
from specminer.presentation.picture_options import PictureOptions
from specminer.specification import Specification

Format = Literal["svg", "png", "pdf", "dot", "mermaid", "graphml"]
SUFFIXES: Final[dict[Format, str]] = {
    "svg": "svg",
    "png": "png",
    "pdf": "pdf",
    "dot": "dot",
    "mermaid": "mmd",
    "graphml": "graphml",
}
"""How the files are called."""


def draw(spec: Specification, format: Format, options: PictureOptions | None = None) -> bytes:  # noqa: A002
    """Return ``spec`` drawn in ``format``; options mean nothing to GraphML, which holds everything.

    Raises:
        RenderError: there is no renderer, it failed, or it took too long.
        UsageError: there is no such format.

    """
    if format not in get_args(Format):
        raise UsageError(f"expected a format of {', '.join(get_args(Format))}, got {plain(format)}")
    if format == "graphml":
        return to_graphml(spec).encode()
    if format == "mermaid":
        return to_mermaid(spec, options).encode()
    source = to_dot(spec, options)
    return source.encode() if format == "dot" else render_dot(source, format)
