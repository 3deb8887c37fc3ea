"""``specminer import`` and ``specminer export``: histories from files into the database, and out of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click
from eth_utils.address import to_checksum_address

from specminer.chain.node import Node
from specminer.chain.tracefile import TraceFile
from specminer.chain.txlist import FileKind, kind_of, read_calls, read_transactions
from specminer.cli.console import Screen
from specminer.cli.options import (
    address_of,
    artifact_of,
    artifact_option,
    chain_of,
    chain_option,
    database_option,
    endpoint_of,
    execution_options,
    existing,
    node_options,
    quiet_option,
)
from specminer.errors import OutputError, UsageError, plain
from specminer.pipeline import (
    Export,
    Imported,
    Rulebook,
    export_traces,
    import_export,
    import_traces,
)
from specminer.report.fidelity import import_summary
from specminer.store import TraceStore


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
def import_command(
    file: Path,
    artifact: Path | None,
    chain_id: int | None,
    internal: Path | None,
    fork: str,
    max_steps: int,
    max_gas: int,
    rpc: str | None,
    headers: tuple[str, ...],
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
    if kind_of(file) is FileKind.TRACES:
        _import_traces(file, database, chain_id)
        return
    if chain_id is None:
        raise UsageError(
            f"{plain(file)} does not say of which chain it is; give --chain-id (1 is Ethereum's main chain)"
        )
    given = artifact_of(artifact)
    rulebook = Rulebook(chain_id=chain_id, fork=fork, max_steps=max_steps, max_gas=max_gas)
    export = Export(
        transactions=read_transactions(file),
        calls=() if internal is None else read_calls(internal),
        origin=str(file),
    )
    with ExitStack() as stack:
        screen = stack.enter_context(Screen(quiet=quiet))
        node = stack.enter_context(Node(endpoint_of(rpc, headers))) if rpc else None
        store = stack.enter_context(TraceStore(database))
        done = import_export(store, export, rulebook, artifact=given, node=node, observer=screen)
        label = store.label
    click.echo(imported_text(done, chain_id, label))


def imported_text(done: Imported, chain_id: int, database: str) -> str:
    """Return what an import did, for the terminal."""
    return import_summary(
        contracts=list(done.contracts),
        executed=done.executed,
        total=done.total,
        fidelity=done.fidelity,
        rules=done.rules,
        skipped=done.skipped,
        chain_id=chain_id,
        database=database,
    )


def _import_traces(file: Path, database: str, chain_id: int | None) -> None:
    header = TraceFile(file).header  # what is no trace file at all leaves no empty database
    if chain_id not in (None, header.record.chain_id):
        raise UsageError(
            f"{plain(file)} is of chain {header.record.chain_id}, but --chain-id says {chain_id}"
        )
    with TraceStore(database) as store:
        record = import_traces(store, file)
        count = store.transaction_count(record.chain_id, record.address)
    address = to_checksum_address(record.address)
    click.echo(f"{address}: {count:,} transactions of chain {record.chain_id} in {store.label}")


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
        count = export_traces(store, chain_of(store, [contract], chain_id), contract, path)
    click.echo(f"{path}: {count:,} transactions")
