"""Write a contract's history to a trace file."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import export_history
from specminer._support.addresses import checksum_address
from specminer.cli.shared_options import chain_option, database_option
from specminer.pipeline.inputs import parse_address


@click.command("export")
@click.argument("address")
@chain_option
@database_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The trace file; ending .gz or .zst compresses. By default ADDRESS.jsonl.gz.",
)
def command(address: str, chain_id: int | None, database: str, out: Path | None) -> None:
    """Write the history of the contract at ADDRESS from the database to a trace file.

    The file holds everything that mining needs, to keep or to hand on: `specminer mine FILE` mines it,
    `specminer import FILE` puts it into another database.
    """
    path = out or Path(f"{checksum_address(parse_address(address))}.jsonl.gz")
    count = export_history(database, address, path, chain_id=chain_id)
    click.echo(f"{path}: {count:,} transactions")
