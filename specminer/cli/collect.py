"""``specminer collect``: from a node into the database."""

from __future__ import annotations

from pathlib import Path

import click
from eth_utils.address import to_checksum_address

from specminer.chain.node import Node
from specminer.cli.console import Screen
from specminer.cli.options import (
    address_of,
    artifact_of,
    artifact_option,
    chain_option,
    check_blocks,
    database_option,
    endpoint_of,
    node_options,
    quiet_option,
    range_options,
)
from specminer.errors import UsageError
from specminer.pipeline import collect as run
from specminer.store import TraceStore


@click.command(short_help="Read a contract's transactions from a node into the database.")
@click.argument("address")
@node_options
@artifact_option
@chain_option
@range_options
@database_option
@quiet_option
def collect(
    address: str,
    rpc: str | None,
    headers: tuple[str, ...],
    artifact: Path | None,
    chain_id: int | None,
    first: int | None,
    last: int | None,
    database: str,
    quiet: bool,
) -> None:
    """Read a contract's transactions from a node into the database.

    Finds every transaction that calls ADDRESS, directly or from other contracts, and records its storage
    accesses. May be interrupted at any moment; the next run continues. What is there is not read again.
    """
    contract = address_of(address)
    if not rpc:
        raise UsageError("collect needs a node: give --rpc URL, or set SPECMINER_RPC")
    check_blocks(first, last)
    abi = artifact_of(artifact)
    endpoint = endpoint_of(rpc, headers)
    with TraceStore(database) as store, Node(endpoint) as node, Screen(quiet=quiet) as screen:
        done = run(
            store, node, contract, artifact=abi, chain_id=chain_id, first=first, last=last, listener=screen
        )
        total = store.transaction_count(done.chain_id, contract)
    click.echo(
        f"{to_checksum_address(contract)}: {done.added:,} new transactions in blocks {done.first:,} to "
        f"{done.last:,} of chain {done.chain_id}; {total:,} in {store.label}"
    )
