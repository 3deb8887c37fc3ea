"""Pictures of a specification: DOT and Mermaid source, SVG, PNG or PDF laid out from it, and GraphML."""

from specminer.render.dot import to_dot
from specminer.render.drawing import SUFFIXES, Format, draw
from specminer.render.graphml import to_graphml
from specminer.render.layout import PictureFormat, render_dot, renderer
from specminer.render.mermaid import to_mermaid
from specminer.render.options import PictureOptions

__all__ = [
    "SUFFIXES",
    "Format",
    "PictureFormat",
    "PictureOptions",
    "draw",
    "render_dot",
    "renderer",
    "to_dot",
    "to_graphml",
    "to_mermaid",
]
