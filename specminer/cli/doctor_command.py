"""Tell what this installation, the database and a node can do."""

from __future__ import annotations

import click
import msgspec

from specminer import Finding, examine, examine_node
from specminer._support.errors import plain
from specminer.cli.bundles import bundle_options
from specminer.cli.shared_options import database_option, format_option
from specminer.cli.source_options import node_options
from specminer.pipeline.node_source import NodeOptions
from specminer.sources.survey import usable

_SIGNS = {True: "✓", False: "✗", None: "·"}


@click.command("doctor")
@node_options
@database_option
@format_option
@bundle_options
def command(node: NodeOptions | None, database: str, form: str) -> int:
    """Tell what works here: renderers, solver, database; with --rpc, what the node can do.

    Each of the node's methods and tracers is tried on a recent transaction. Exit code 1 if the node offers no
    way to trace transactions.
    """
    findings = examine(database)
    node_findings = () if node is None else examine_node(node)
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([*findings, *node_findings]), indent=2))
    else:
        click.echo("\n".join(map(_line, [*findings, *node_findings])))
        if node is None:
            click.echo("\nGive --rpc URL to see what a node can do.")
    return 0 if not node_findings or usable(list(node_findings)) else 1


def _line(item: Finding) -> str:
    return f"{_SIGNS[item.works]} {item.what:<24} {plain(item.detail, 400)}"
