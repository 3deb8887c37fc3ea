"""Links that only lead somewhere in the project's folder: the site shows their text, and the path as code."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx


def unlink_what_is_outside(app: Sphinx, doctree: nodes.document) -> None:
    """Replace links to files outside of the site's sources by their texts."""
    source = Path(app.srcdir)
    page = source / app.env.docname
    for link in list(doctree.findall(addnodes.pending_xref)):
        target = (page.parent / str(link["reftarget"]).partition("#")[0]).resolve()
        if link.get("reftype") == "myst" and not target.is_relative_to(source) and target.exists():
            link.replace_self(link.children)
