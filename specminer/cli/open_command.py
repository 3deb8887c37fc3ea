"""Show the report of an earlier run in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from specminer._support.errors import OutputError, UsageError, plain

REPORT = "report.html"


@click.command("open")
@click.argument("where", type=click.Path(path_type=Path), default=Path(), metavar="[FOLDER|FILE]")
def command(where: Path) -> None:
    """Show the report of an earlier run in the browser.

    Takes the FOLDER that `specminer mine` wrote, or a FILE in it; by default the newest report in this folder or in one
    below it.

    \b
      specminer open
      specminer open out
      specminer open attack.html
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    page = find_page(where)
    click.echo(plain(page, 4096))
    if not webbrowser.open(page.resolve().as_uri()):
        raise OutputError(f"no browser could be started here; open {plain(page)} yourself")


def find_page(where: Path) -> Path:
    """Return the page that is meant: the file itself, or the newest report in a folder or in one below it.

    Raises:
        UsageError: there is none.

    """
    if where.is_file():
        beside = where if where.suffix.lower() in (".html", ".htm", ".svg", ".pdf") else where.parent / REPORT
        if beside.is_file():
            return beside
        raise UsageError(
            f"there is no {REPORT} beside {plain(where)}; `specminer report {plain(where)}` writes one"
        )
    pages = [page for page in (where / REPORT, *where.glob(f"*/{REPORT}")) if page.is_file()]
    if not pages:
        raise UsageError(
            f"there is no {REPORT} in {plain(where)} or in a folder in it; `specminer mine` writes one, and so does "
            "`specminer report`"
        )
    return max(pages, key=lambda page: (page.stat().st_mtime_ns, str(page)))
