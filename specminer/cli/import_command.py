"""Fill the database from explorers' exports or trace files."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import import_history
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.shared_options import (
    ARTIFACT_HELP,
    chain_option,
    database_option,
    execution_options,
    quiet_option,
)
from specminer.cli.source_options import node_options
from specminer.pipeline.explorer_source import ReplayOptions


@click.command("import")
@click.argument(
    "files", metavar="FILES", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path)
)
@click.option(
    "--abi",
    "artifacts",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help=ARTIFACT_HELP,
)
@chain_option
@click.option(
    "--internal",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An export of internal calls (txlistinternal); the same as giving it as one more FILE.",
)
@execution_options
@node_options
@database_option
@quiet_option
@bundle_options
def command(
    files: tuple[Path, ...],
    artifacts: tuple[Path, ...],
    chain_id: int | None,
    internal: Path | None,
    replay: ReplayOptions,
    database: str,
    quiet: bool,
) -> None:
    """Fill the database from FILES: what block explorers export (txlist), or trace files.

    An export, JSON or CSV, holds transactions or internal calls without traces. They are executed again here, from the
    creation of the contract on, and compared with how they ended on the chain; no node is needed. An interrupted
    import continues, and a longer export of the same contract goes on where the shorter one ended.

    Give the exports of contracts that call one another together, in any order. What a list says is kept: if a contract
    is named as missing, import its list later into the same database. With --rpc, code and storage of contracts
    that no list creates are read from a node.

    --abi may be repeated, or name a folder: each contract gets the ABI whose functions its code has, a proxy those of
    all its implementations.

    A trace file, as `export` writes it, is read whole or not at all.

    \b
      specminer import txlist.json.gz --abi abi.json --chain-id 1 --db h.db
      specminer import token.json sale.json vault.csv --chain-id 1 --db h.db
      specminer import history.jsonl.gz --db h.db
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    with Screen(quiet=quiet) as screen:
        collection = import_history(
            database,
            *files,
            chain_id=chain_id,
            abi=artifacts,
            internal=internal,
            replay=replay,
            observer=screen,
        )
    click.echo(collection.summary)
