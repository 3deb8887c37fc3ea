"""``specminer import`` and ``specminer export``: trace files into and out of the database."""

from __future__ import annotations

from pathlib import Path

import click
from eth_utils.address import to_checksum_address

from specminer.chain.tracefile import TraceFile
from specminer.cli.options import address_of, chain_of, chain_option, database_option, existing
from specminer.errors import OutputError, plain
from specminer.pipeline import export_traces, import_traces
from specminer.store import TraceStore


@click.command("import", short_help="Fill the database from a trace file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@database_option
def import_command(file: Path, database: str) -> None:
    """Fill the database from a trace FILE, as `export` writes it: JSON lines, plain or in gzip or zstd.

    The file is read whole or not at all; what is there already is not added twice.
    """
    TraceFile(file)  # what is no trace file at all leaves no empty database
    with TraceStore(database) as store:
        record = import_traces(store, file)
        count = store.transaction_count(record.chain_id, record.address)
    address = to_checksum_address(record.address)
    click.echo(f"{address}: {count:,} transactions of chain {record.chain_id} in {store.label}")


@click.command("export", short_help="Write a contract's history to a trace file.")
@click.argument("address")
@chain_option
@database_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The trace file; ending .gz or .zst compresses. By default ADDRESS.jsonl.gz.",
)
def export_command(address: str, chain_id: int | None, database: str, out: Path | None) -> None:
    """Write the history of the contract at ADDRESS from the database to a trace file.

    The file holds everything that mining needs, to keep or to hand on: `specminer mine FILE` mines it,
    `specminer import FILE` puts it into another database.
    """
    contract = address_of(address)
    path = out or Path(f"{to_checksum_address(contract)}.jsonl.gz")
    if not path.parent.is_dir():
        raise OutputError(
            f"the folder {plain(path.parent)} does not exist; create it, or give --out another place"
        )
    with TraceStore(existing(database)) as store:
        count = export_traces(store, chain_of(store, contract, chain_id), contract, path)
    click.echo(f"{path}: {count:,} transactions")
