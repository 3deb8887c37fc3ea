"""Read a contract's transactions from a node or an explorer into the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from specminer import collect, estimate_collection
from specminer._support.errors import UsageError
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.contract_list_options import check_alone, collect_list, contracts_option
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    chain_option,
    database_option,
    execution_options,
    quiet_option,
    range_options,
)
from specminer.cli.source_options import SourceOptions, executor_options, source_options, verify_option
from specminer.pipeline.inputs import parse_address, read_artifact
from specminer.pipeline.source import BlockRange


@dataclass(frozen=True, slots=True, kw_only=True)
class _CollectionTarget:
    """What is collected: one contract, or a list of contracts."""

    address: str | None
    contracts: Path | None
    artifact: ArtifactPaths
    chain_id: int | None
    blocks: BlockRange


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mode:
    """How a collection is run."""

    quiet: bool
    dry_run: bool


@click.command("collect")
@click.argument("address", required=False)
@contracts_option
@source_options
@executor_options
@artifact_option
@chain_option
@range_options
@execution_options
@verify_option
@database_option
@quiet_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Tell how many blocks, transactions, requests, bytes and how much time it would take, estimated from a few "
    "samples that are read from the node, and write nothing.",
)
@bundle_options
def command(
    target: _CollectionTarget,
    source: SourceOptions,
    database: str,
    mode: _Mode,
) -> int:
    """Read a contract's transactions from a node or a block explorer into the database.

    From a node (--rpc), every transaction that calls ADDRESS is found, directly or from other contracts, and its
    storage accesses are recorded. From an explorer (--explorer), all that it lists of ADDRESS is read and executed
    again here, from the creation of the contract on, as `import` does; a node given besides is asked for the code
    and storage of other contracts. May be interrupted at any moment; the next run continues. What is there is not
    read again. With --contracts, all contracts of a list are read in one pass over the chain: each block is
    traced once. With --executor dask, the workers of a Dask cluster read from the node, or execute the contracts
    of a list again.

    \b
      specminer collect 0xADDRESS --rpc http://127.0.0.1:8545
      specminer collect 0xADDRESS --explorer https://HOST/api --explorer-key-env MY_KEY --chain-id 1
      specminer collect --contracts contracts.txt --rpc http://127.0.0.1:8545
      specminer collect 0xADDRESS --rpc http://HOST:8545 --executor dask --scheduler tcp://HOST:8786
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    check_alone(target.contracts, {"ADDRESS": target.address, "--abi": target.artifact})
    if target.address is not None:
        parse_address(target.address)
    elif target.contracts is None:
        raise UsageError(
            "nothing to collect was given: name a contract's ADDRESS, or a list of them with --contracts"
        )
    target.blocks.check()
    if source.explorer is not None and source.node is not None and source.node.verify is not None:
        raise UsageError(
            "--verify compares with the node that is collected from: it does not go with --explorer"
        )
    abi = read_artifact(target.artifact)
    if source.source is None:
        raise UsageError(
            "collect needs a node or an explorer: give --rpc URL (or set SPECMINER_RPC) or --explorer URL"
        )
    if mode.dry_run:
        _estimate(target, source, quiet=mode.quiet)
        return 0
    with Screen(quiet=mode.quiet) as screen:
        if target.contracts is not None:
            return collect_list(
                database,
                target.contracts,
                source.source,
                chain_id=target.chain_id,
                blocks=target.blocks,
                observer=screen,
            )
        collection = collect(
            database,
            target.address or "",
            source.source,
            chain_id=target.chain_id,
            abi=abi,
            blocks=target.blocks,
            observer=screen,
        )
    click.echo(collection.summary)
    return 0


def _estimate(target: _CollectionTarget, source: SourceOptions, *, quiet: bool) -> None:
    """Show what a collection would take.

    Raises:
        UsageError: a list of contracts, or an explorer, is given.

    """
    if target.address is None:
        raise UsageError("--dry-run estimates one contract: it does not go with --contracts")
    if source.explorer is not None or source.node is None:
        raise UsageError("--dry-run asks a node for samples: give --rpc URL, without --explorer")
    with Screen(quiet=quiet) as screen:
        estimate = estimate_collection(
            target.address,
            source.node,
            chain_id=target.chain_id,
            blocks=target.blocks,
            observer=screen,
        )
    click.echo(estimate.text)
