"""``specminer collect``: from a node, or from a block explorer, into the database."""

from __future__ import annotations

from contextlib import ExitStack
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
    execution_options,
    explorer_of,
    explorer_options,
    node_options,
    quiet_option,
    range_options,
)
from specminer.cli.traces import imported_text
from specminer.errors import UsageError
from specminer.pipeline import Explored, Rulebook, collect_explored
from specminer.pipeline import collect as run
from specminer.store import TraceStore


@click.command()
@click.argument("address")
@node_options
@explorer_options
@artifact_option
@chain_option
@range_options
@execution_options
@database_option
@quiet_option
def collect(
    address: str,
    rpc: str | None,
    headers: tuple[str, ...],
    explorer: str | None,
    key_name: str | None,
    artifact: Path | None,
    chain_id: int | None,
    first: int | None,
    last: int | None,
    fork: str,
    max_steps: int,
    max_gas: int,
    database: str,
    quiet: bool,
) -> None:
    """Read a contract's transactions from a node or a block explorer into the database.

    From a node (--rpc), every transaction that calls ADDRESS is found, directly or from other contracts, and its
    storage accesses are recorded. From an explorer (--explorer), all that it lists of ADDRESS is read and executed
    again here, from the creation of the contract on, as `import` does; a node given besides is asked for the code
    and storage of other contracts. May be interrupted at any moment; the next run continues. What is there is not
    read again.

    \b
      specminer collect 0xADDRESS --rpc http://127.0.0.1:8545
      specminer collect 0xADDRESS --explorer https://HOST/api --explorer-key-env MY_KEY --chain-id 1
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    contract = address_of(address)
    check_blocks(first, last)
    abi = artifact_of(artifact)
    if explorer is not None:
        if first is not None:
            raise UsageError(
                "--from-block does not go with --explorer: a history is executed again from the creation on"
            )
        client = explorer_of(explorer, key_name, chain_id)
        rulebook = Rulebook(chain_id=client.chain_id, fork=fork, max_steps=max_steps, max_gas=max_gas)
        with ExitStack() as stack:
            stack.enter_context(client)
            screen = stack.enter_context(Screen(quiet=quiet))
            helper = stack.enter_context(Node(endpoint_of(rpc, headers))) if rpc else None
            store = stack.enter_context(TraceStore(database))
            found, imported = collect_explored(
                store, client, contract, rulebook, artifact=abi, node=helper, last=last, observer=screen
            )
            label = store.label
        click.echo(explored_text(found) + "\n" + imported_text(imported, client.chain_id, label))
        return
    if not rpc:
        raise UsageError(
            "collect needs a node or an explorer: give --rpc URL (or set SPECMINER_RPC) or --explorer URL"
        )
    endpoint = endpoint_of(rpc, headers)
    with TraceStore(database) as store, Node(endpoint) as node, Screen(quiet=quiet) as screen:
        done = run(
            store, node, contract, artifact=abi, chain_id=chain_id, first=first, last=last, observer=screen
        )
        total = store.transaction_count(done.chain_id, contract)
    click.echo(
        f"{to_checksum_address(contract)}: {done.added:,} new transactions in blocks {done.first:,} to "
        f"{done.last:,} of chain {done.chain_id}; {total:,} in {store.label}"
    )


def explored_text(found: Explored) -> str:
    """Return what was read from an explorer, for the terminal."""
    until = "" if found.last is None else f" up to block {found.last:,}"
    total = len(found.transactions) + len(found.calls)
    return f"read {found.read:,} new records from the explorer{until}; it lists {total:,} in all"
