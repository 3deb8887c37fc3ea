"""Fill the database from an explorer's export or a trace file."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import import_history
from specminer.cli.bundles import bundled
from specminer.cli.console import Screen
from specminer.cli.options import (
    artifact_option,
    chain_option,
    database_option,
    execution_options,
    quiet_option,
)
from specminer.cli.sources import node_options
from specminer.pipeline.sources.explorer import ReplayOptions


@click.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@artifact_option
@chain_option
@click.option(
    "--internal",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The explorer's export of internal calls (txlistinternal) for the same contract.",
)
@execution_options
@node_options
@database_option
@quiet_option
@bundled
def command(
    file: Path,
    artifact: Path | None,
    chain_id: int | None,
    internal: Path | None,
    replay: ReplayOptions,
    database: str,
    quiet: bool,
) -> None:
    """Fill the database from FILE: what a block explorer exports (txlist), or a trace file.

    An export, JSON or CSV, holds transactions without traces. They are executed again here, from the creation of the
    contract on, and compared with how they ended on the chain; no node is needed. With --rpc, code and storage
    of contracts that the export does not create are read from a node. An interrupted import continues, and a longer
    export of the same contract goes on where the shorter one ended.

    A trace file, as `export` writes it, is read whole or not at all.

    \b
      specminer import txlist.json.gz --abi abi.json --chain-id 1 --db h.db
      specminer import history.jsonl.gz --db h.db
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    with Screen(quiet=quiet) as screen:
        collection = import_history(
            database,
            file,
            chain_id=chain_id,
            abi=artifact,
            internal=internal,
            replay=replay,
            observer=screen,
        )
    click.echo(collection.summary)
