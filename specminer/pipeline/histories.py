"""Histories into a database and out of it: from a node, an explorer, an export, a trace file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from specminer._support.addresses import checksum_address
from specminer._support.errors import OutputError, UsageError, plain
from specminer._support.text import count_of
from specminer.contracts.artifact import Artifact
from specminer.pipeline.explorer_source import DEFAULT_REPLAY, ReplayOptions
from specminer.pipeline.inputs import (
    ArtifactSource,
    common_chain,
    open_existing,
    parse_address,
    read_artifact,
    read_artifacts,
)
from specminer.pipeline.listed_files import read_world
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.source import ALL_BLOCKS, BlockRange, HistorySource, UpdateRequest
from specminer.pipeline.traces import export_traces, import_traces
from specminer.sources.listings import ListedWorld
from specminer.sources.tracefile import TraceFile
from specminer.sources.txlist import FileKind, kind_of
from specminer.store import TraceStore
from specminer.store.new_files import removing_empty_file

if TYPE_CHECKING:
    from specminer.pipeline.dry_run import DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What was brought into a database."""

    chain_id: int
    contracts: tuple[str, ...]
    """Their addresses, in the order of their creation."""
    added: int
    """Transactions, or records of an export or an explorer, that this run brought."""
    summary: str
    """What was done, in lines for people."""

    def __str__(self) -> str:
        """Return the summary."""
        return self.summary


def collect(
    database: str | PathLike[str],
    contract: str,
    source: HistorySource,
    *,
    chain_id: int | None = None,
    abi: ArtifactSource = None,
    blocks: BlockRange = ALL_BLOCKS,
    observer: Observer = SILENT,
) -> Collection:
    """Read a contract's transactions from a node or a block explorer into a database; what is there is not read again.

    May be interrupted at any moment; the next call continues.

    Args:
        database: its path, or its URL (``postgresql://USER@HOST/NAME``); made if it is not there.
        contract: its address.
        source: :class:`NodeOptions` or :class:`ExplorerOptions`, or a :class:`DaskSource` of a node.
        chain_id: the chain that is meant; an explorer has to be told, a node's is compared with it.
        abi: the contract's ABI, a storage layout, or both, or the file that holds them; of a proxy several
            files, or a folder. Stored with the history.
        blocks: what to read; by default from the creation of the contract to the newest final block.
        observer: sees notes and progress.

    Raises:
        UsageError: the address, the range, the URL, a header, a key or the chain cannot be right.
        FileFormatError: the ABI is malformed.
        ChainError: the source failed or does not know the contract; what was collected before is kept.
        ClusterError: the Dask workers cannot be reached, or failed; what was collected before is kept.
        StoreError: the database failed, or holds another chain of the same id.

    """
    address = parse_address(contract)
    blocks.check()
    artifact = read_artifact(abi)
    if source.from_creation and blocks.first is not None:
        raise UsageError(
            f"--from-block does not go with --{source.noun}: a history is executed again from the creation on"
        )
    request = UpdateRequest(contract=address, artifact=artifact, blocks=blocks)
    with source.open(chain_id) as opened, TraceStore(str(database), observer.note) as store:
        update = opened.update(store, request, observer)
        return Collection(
            chain_id=update.chain_id,
            contracts=(checksum_address(address),),
            added=update.added,
            summary=update.summary(store),
        )


def estimate_collection(
    contract: str,
    source: NodeOptions,
    *,
    chain_id: int | None = None,
    blocks: BlockRange = ALL_BLOCKS,
    observer: Observer = SILENT,
) -> DryRun:
    """Return what collecting a contract's history from a node would take, estimated from samples; nothing is stored.

    Args:
        contract: its address.
        source: the node.
        chain_id: the chain that is meant; the node's is compared with it.
        blocks: what would be read; by default from the creation of the contract to the newest final block.
        observer: sees notes.

    Raises:
        UsageError: the address or an option is malformed.
        ChainError: the node failed, or serves another chain.

    """
    target = parse_address(contract)
    blocks.check()
    from specminer.pipeline import dry_run  # loads what asks a node

    with source.connect() as node:
        return dry_run.estimate_collection(node, target, chain_id=chain_id, blocks=blocks, observer=observer)


def import_history(
    database: str | PathLike[str],
    *files: str | PathLike[str],
    chain_id: int | None = None,
    abi: ArtifactSource = None,
    internal: str | PathLike[str] | None = None,
    replay: ReplayOptions = DEFAULT_REPLAY,
    observer: Observer = SILENT,
) -> Collection:
    """Fill a database from what block explorers export (executed again here), or from trace files.

    Lists of contracts that call one another are executed together, in the chain's order, whatever the order in which
    they are given. What they say is kept, so that a list that was missing may be imported later, alone.

    Args:
        database: its path, or its URL (``postgresql://USER@HOST/NAME``); made if it is not there.
        files: lists or tables of transactions, internal calls, receipts and blocks, saved answers of tracers, or trace
            files; plain, gzip, zstd, or Parquet. A trace file is read whole or not at all.
        chain_id: the chain of an export, which does not tell; a trace file's is compared with it.
        abi: the contract's ABI, a storage layout, or both, or the file that holds them; for an export only. Of several
            files, or those of a folder, each contract gets what its code has the functions of.
        internal: another list of internal calls (txlistinternal), as one of ``files``.
        replay: how an export is executed; by default no node is asked.
        observer: sees notes and progress.

    Raises:
        UsageError: no file is given, the chain is missing or another, there is no such fork, or blocks overlap with
            what is there.
        FileFormatError: a file is malformed, or two contradict each other; nothing of them was stored, and no database
            is left where none was.
        ChainError: the node failed; what was stored before is kept.
        StoreError: the database failed, or holds another chain of the same id.

    """
    paths = [Path(file) for file in (*files, *([] if internal is None else [internal]))]
    if not paths:
        raise UsageError("no file is given; name an export of transactions, or a trace file")
    traces = [path for path in paths if kind_of(path) is FileKind.TRACES]
    lists = [path for path in paths if path not in traces]
    if lists and chain_id is None:
        raise UsageError(
            f"{plain(lists[0])} does not say of which chain it is; give --chain-id (1 is Ethereum's main chain)"
        )
    for path in traces:
        _check_chain(path, chain_id)
    world = read_world(lists, replay.codes, observer.note) if lists else None
    artifacts = read_artifacts(abi) if lists else ()
    with removing_empty_file(str(database)):
        done = [_import_traces(str(database), path, observer) for path in traces]
        if world is not None and chain_id is not None:
            done.append(_import_lists(str(database), world, chain_id, artifacts, replay, observer))
    return Collection(
        chain_id=done[0].chain_id,
        contracts=tuple(dict.fromkeys(contract for item in done for contract in item.contracts)),
        added=sum(item.added for item in done),
        summary="\n".join(item.summary for item in done),
    )


def _import_lists(
    database: str,
    world: ListedWorld,
    chain_id: int,
    artifacts: tuple[Artifact, ...],
    replay: ReplayOptions,
    observer: Observer,
) -> Collection:
    if world.traces:
        return _import_saved(database, world, chain_id, artifacts, observer)
    from specminer.pipeline.worlds import import_world  # loads the machine

    with ExitStack() as stack:
        node = stack.enter_context(replay.open_node())
        store = stack.enter_context(TraceStore(database, observer.note))
        imported = import_world(
            store, world, replay.rulebook(chain_id), artifact=artifacts, node=node, observer=observer
        )
        return Collection(
            chain_id=chain_id,
            contracts=tuple(map(checksum_address, imported.contracts)),
            added=imported.executed,
            summary=imported.summary(chain_id, store.label),
        )


def _import_saved(
    database: str, world: ListedWorld, chain_id: int, artifacts: tuple[Artifact, ...], observer: Observer
) -> Collection:
    from specminer.pipeline.recorded_files import import_recorded  # loads what asks a node

    with TraceStore(database, observer.note) as store:
        files = import_recorded(store, world, chain_id, artifacts=artifacts, note=observer.note)
        contracts = tuple(map(checksum_address, files.contracts))
        tracers = " and ".join(tracer.value for tracer in files.tracers)
        gaps = (
            f"; {count_of(files.gaps, 'transaction')} without a trace that fits are gaps"
            if files.gaps
            else ""
        )
        return Collection(
            chain_id=chain_id,
            contracts=contracts,
            added=files.transactions,
            summary=f"{', '.join(contracts)}: {count_of(files.transactions, 'transaction')} of chain {chain_id} in "
            f"{store.label}, from traces of {tracers}{gaps}",
        )


def _check_chain(path: Path, chain_id: int | None) -> None:
    header = TraceFile(path).header  # what is no trace file at all leaves no empty database
    if chain_id not in (None, header.record.chain_id):
        raise UsageError(
            f"{plain(path)} is of chain {header.record.chain_id}, but --chain-id says {chain_id}"
        )


def _import_traces(database: str, path: Path, observer: Observer) -> Collection:
    header = TraceFile(path).header
    with TraceStore(database, observer.note) as store:
        record = import_traces(store, path)
        count = store.transaction_count(record.chain_id, record.address)
        address = checksum_address(record.address)
        return Collection(
            chain_id=record.chain_id,
            contracts=(address,),
            added=header.transactions,
            summary=f"{address}: {count:,} transactions of chain {record.chain_id} in {store.label}",
        )


def export_history(
    database: str | PathLike[str], contract: str, file: str | PathLike[str], *, chain_id: int | None = None
) -> int:
    """Write a contract's history to a trace file; return the number of transactions.

    Args:
        database: its path, or its URL (``postgresql://USER@HOST/NAME``).
        contract: its address.
        file: the trace file; a name that ends in ``.gz`` or ``.zst`` compresses.
        chain_id: needed only if the database holds the contract on several chains.

    Raises:
        UsageError: the address is none, or on several chains.
        OutputError: the file cannot be written.
        StoreError: the database does not hold the contract, or blocks with gaps between them.

    """
    address = parse_address(contract)
    path = Path(file)
    if not path.parent.is_dir():
        raise OutputError(
            f"the folder {plain(path.parent)} does not exist; create it, or give --out another place"
        )
    with open_existing(str(database)) as store:
        return export_traces(store, common_chain(store, [address], chain_id), address, path)
