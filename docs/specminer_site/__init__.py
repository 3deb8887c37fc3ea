"""The parts of the site that are made from the code: commands, formats, the catalogue, an example.

Each is a directive. Its body is what a page that shows plain Markdown has in its place; the site leaves it out.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from .commands import Commands
from .example import Example, make_examples
from .fields import Catalogue, Fields, Metrics, Tables
from .outside import unlink_what_is_outside


def setup(app: Sphinx) -> dict[str, Any]:
    """Register what the pages use."""
    app.add_directive("commands", Commands)
    app.add_directive("example", Example)
    app.add_directive("fields", Fields)
    app.add_directive("tables", Tables)
    app.add_directive("metrics", Metrics)
    app.add_directive("catalogue", Catalogue)
    app.connect("doctree-read", unlink_what_is_outside)
    app.connect("build-finished", make_examples)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
