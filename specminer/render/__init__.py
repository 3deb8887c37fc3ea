"""Pictures of a specification: DOT source, and SVG, PNG or PDF laid out from it."""

from specminer.render.dot import PictureOptions, to_dot
from specminer.render.layout import PictureFormat, render_dot, renderer

__all__ = ["PictureFormat", "PictureOptions", "render_dot", "renderer", "to_dot"]
