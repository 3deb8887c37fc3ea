"""``specminer doctor``: what this installation, the database and a node can do."""

from __future__ import annotations

import click
import msgspec

from specminer.chain.node import Node
from specminer.chain.survey import Finding, usable
from specminer.cli.options import database_option, endpoint_of, format_option, node_options
from specminer.errors import plain
from specminer.pipeline.examination import examine_database, examine_installation, examine_node

_SIGNS = {True: "✓", False: "✗", None: "·"}


@click.command()
@node_options
@database_option
@format_option
def doctor(rpc: str | None, headers: tuple[str, ...], database: str, form: str) -> int:
    """Tell what works here: renderers, solver, database; with --rpc, what the node can do.

    Each of the node's methods and tracers is tried on a recent transaction. Exit code 1 if the node offers no
    way to trace transactions.
    """
    findings = [*examine_installation(), examine_database(database)]
    asked: list[Finding] = []
    if rpc:
        with Node(endpoint_of(rpc, headers)) as node:
            asked = list(examine_node(node))
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([*findings, *asked]), indent=2))
    else:
        click.echo("\n".join(map(_line, [*findings, *asked])))
        if not rpc:
            click.echo("\nGive --rpc URL to see what a node can do.")
    return 0 if not asked or usable(asked) else 1


def _line(item: Finding) -> str:
    return f"{_SIGNS[item.works]} {item.what:<24} {plain(item.detail, 400)}"
