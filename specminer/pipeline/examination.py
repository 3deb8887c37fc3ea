"""What this installation, its database and a node can do: the content of ``specminer doctor``."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from specminer import __version__
from specminer._support.errors import StoreError, plain
from specminer.pipeline.datasets import list_datasets
from specminer.predicate import solver_name
from specminer.presentation.graphviz_layout import renderer
from specminer.sources.node import Node
from specminer.sources.survey import Finding, survey
from specminer.store import TraceStore
from specminer.store.sqlite import sqlite_path


def examine_installation() -> Iterator[Finding]:
    """Yield what is installed here."""
    python = f"specminer {__version__}, Python {platform.python_version()}, {platform.system()}"
    yield Finding(what="specminer", works=True, detail=python)
    drawn_by = renderer()
    missing = "none: pictures cannot be drawn; install Graphviz, or `pip install pygraphviz`"
    yield Finding(what="renderer", works=drawn_by is not None, detail=drawn_by or missing)
    from specminer.replay.machine_calls import FORKS

    solver = solver_name()
    advice = "none: mining works, but nothing can be proved; `pip install 'specminer[smt]'` brings z3"
    yield Finding(what="solver", works=True if solver else None, detail=solver or advice)
    yield Finding(what="re-execution", works=True, detail=f"forks {FORKS[0]} to {FORKS[-1]}")
    yield _examine_reference()
    yield _examine_signatures()
    yield Finding(what="datasets", works=True, detail=", ".join(item.name for item in list_datasets()))


def _examine_reference() -> Finding:
    """Return whether there is something to compare the engine with."""
    try:
        detail = f"ethereum-execution {version('ethereum-execution')}"
    except PackageNotFoundError:
        advice = "`pip install 'specminer[reference]'` brings the executable specification"
        return Finding(what="comparison", works=None, detail=f"none: nothing checks re-execution; {advice}")
    return Finding(what="comparison", works=True, detail=detail)


def _examine_signatures() -> Finding:
    """Return whether argument types can be recovered from bytecode."""
    try:
        detail = f"evmole {version('evmole')}"
    except PackageNotFoundError:
        advice = "`pip install 'specminer[signatures]'` brings evmole, which may have to be compiled"
        return Finding(what="signatures", works=None, detail=f"none: arguments need an ABI; {advice}")
    return Finding(what="signatures", works=True, detail=detail)


def examine_database(location: str) -> Finding:
    """Return where the database is and what it holds; it is not created by asking."""
    path = sqlite_path(location)
    if path is not None and not path.exists():
        return Finding(
            what="database",
            works=None,
            detail=f"{plain(location)}: not there yet; `collect` or `import` makes it",
        )
    try:
        with TraceStore(location, existing=True) as store:
            contracts = store.contracts()
            label = store.label
    except StoreError as error:
        return Finding(what="database", works=False, detail=error.message)
    size = f", {path.stat().st_size / 1e6:,.1f} MB" if path is not None and path.is_file() else ""
    total = sum(item.transactions for item in contracts)
    return Finding(
        what="database",
        works=True,
        detail=f"{label}{size}; contracts: {len(contracts):,}, transactions: {total:,}",
    )


def examine_node(node: Node) -> Iterator[Finding]:
    """Yield what a node can do.

    Raises:
        ChainError: the node does not answer.
    """
    yield Finding(what="node", works=True, detail=node.endpoint.label)
    yield from survey(node)
