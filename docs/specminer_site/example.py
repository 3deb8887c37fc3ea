"""A dataset that is mined while the site is built, so that its pages can show a real report."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from specminer.cli.app import main

FOLDER = "example"


class Example(SphinxDirective):
    """``example NAME``: a link to the report of a dataset."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a paragraph with the link, and have the report made when the pages are written."""
        name = self.arguments[0]
        made = self.env.metadata.setdefault(self.env.docname, {})
        made["examples"] = f"{made.get('examples', '')} {name}".strip()
        up = "../" * self.env.docname.count("/")
        link = nodes.reference("", f"Open the report of {name}", refuri=f"{up}{FOLDER}/{name}/report.html")
        return [nodes.paragraph("", "", link)]


def make_examples(app: Sphinx, error: Exception | None) -> None:
    """Mine what the pages link to."""
    wanted = {name for data in app.env.metadata.values() for name in str(data.get("examples", "")).split()}
    for name in sorted(wanted if error is None else ()):
        with redirect_stdout(StringIO()):
            code = main(["mine", name, "--quiet", "--out", str(Path(app.outdir) / FOLDER / name)])
        if code != 0:
            raise RuntimeError(f"the example {name} could not be mined")
