"""What this installation, a database and a node can do."""

from __future__ import annotations

from os import PathLike

from specminer.pipeline import examination
from specminer.pipeline.node_source import NodeOptions
from specminer.sources.survey import Finding


def examine(database: str | PathLike[str] | None = None) -> tuple[Finding, ...]:
    """Return what this installation can do, and what a database holds; asking does not make one."""
    findings = tuple(examination.examine_installation())
    return findings if database is None else (*findings, examination.examine_database(str(database)))


def examine_node(options: NodeOptions) -> tuple[Finding, ...]:
    """Return what a node can do, each of its methods and tracers tried on a recent transaction.

    Raises:
        UsageError: its URL or a header is malformed.
        ChainError: it does not answer.

    """
    with options.connect() as node:
        return tuple(examination.examine_node(node))
