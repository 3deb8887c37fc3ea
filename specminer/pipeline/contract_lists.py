"""Many contracts at once: collected in one pass over their chain, mined one by one, listed on one page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import ChainError, ClusterError, FileFormatError, UsageError
from specminer._support.text import count_of
from specminer.pipeline.cluster import DaskOptions
from specminer.pipeline.contract_list import ListedContract, read_contract_list
from specminer.pipeline.dask_source import DaskSource
from specminer.pipeline.database_names import find_families
from specminer.pipeline.explorer_source import ExplorerOptions
from specminer.pipeline.inputs import open_existing, parse_address, read_artifact
from specminer.pipeline.listed_mining import (
    ListedMining,
    ListedResult,
    MiningPiece,
    failure_row,
    mine_into,
    mine_piece,
    write_piece,
)
from specminer.pipeline.listed_updates import UpdatePiece, update_piece
from specminer.pipeline.node_source import OpenNode
from specminer.pipeline.output import make_folder, prepare_folder, replace_file
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.selecting import SelectionOptions
from specminer.pipeline.shared_database import SharedDatabase, share
from specminer.pipeline.source import ALL_BLOCKS, BlockRange, HistorySource, OpenSource, UpdateRequest
from specminer.pipeline.state import MineOptions
from specminer.presentation.overview import ListedFamily, OverviewRow, to_json, to_page
from specminer.store import TraceStore

EVERYTHING: Final = SelectionOptions()
"""All blocks of each contract of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractUpdate:
    """What a collection did for one contract of a list."""

    name: str
    address: str
    added: int
    """Transactions, or records of an explorer, that are new in the database."""
    failure: str | None = None
    """Why nothing of it was collected; ``None`` if it was."""

    def __str__(self) -> str:
        """Return a line for people."""
        label = self.address if self.name == self.address else f"{self.name} ({self.address})"
        if self.failure is not None:
            return f"{label}: not collected: {self.failure}"
        return f"{label}: {count_of(self.added, 'new transaction')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Many specifications, and the page that lists them."""

    rows: tuple[OverviewRow, ...]
    page: Path
    document: Path
    families: tuple[ListedFamily, ...] = ()
    """Contracts of one code and one factory, in the order of the list."""

    @property
    def failures(self) -> tuple[OverviewRow, ...]:
        """The contracts that could not be mined."""
        return tuple(row for row in self.rows if row.failure is not None)


def collect_contracts(
    database: str | PathLike[str],
    contracts: str | PathLike[str],
    source: HistorySource,
    *,
    chain_id: int | None = None,
    blocks: BlockRange = ALL_BLOCKS,
    observer: Observer = SILENT,
) -> tuple[ContractUpdate, ...]:
    """Read the transactions of all contracts of a list into a database; from a node in one pass over its chain.

    A contract that is not there is left out and told.

    Args:
        database: its path, or its URL (``postgresql://USER@HOST/NAME``); made if it is not there.
        contracts: the file that lists them: ``ADDRESS [NAME|- [ABI]]`` a line.
        source: :class:`NodeOptions` or :class:`ExplorerOptions`, or a :class:`DaskSource` of one of them.
        chain_id: the chain that is meant; an explorer has to be told, a node's is compared with it.
        blocks: what to read; by default from the creation of each contract to the newest final block.
        observer: sees notes and progress, one for all contracts.

    Raises:
        UsageError: the range, the URL, a header, a key or the chain cannot be right.
        FileFormatError: the list or an ABI is malformed.
        ChainError: the source failed; what was collected before is kept.
        ClusterError: the Dask workers cannot be reached, or failed; what was collected before is kept.
        StoreError: the database failed, or holds another chain of the same id.

    """
    entries = read_contract_list(Path(contracts))
    blocks.check()
    if source.from_creation and blocks.first is not None:
        raise UsageError(
            f"--from-block does not go with --{source.noun}: a history is executed again from the creation on"
        )
    for item in entries:
        _artifact(item)  # all are right before the first is collected
    if isinstance(source, DaskSource) and isinstance(source.source, ExplorerOptions):
        return tuple(_collect_on_workers(str(database), source, entries, (chain_id, blocks), observer))
    with source.open(chain_id) as opened, TraceStore(str(database), observer.note) as store:
        if isinstance(opened, OpenNode):
            return _collect_from_node(store, opened, entries, blocks, observer)
        return tuple(_collect_each(store, opened, entries, blocks, observer))


def _artifact(item: ListedContract) -> object:
    try:
        return read_artifact(item.abi)
    except FileFormatError as error:
        raise FileFormatError(f"line {item.line} of the list: {error.message}") from None


def _collect_from_node(
    store: TraceStore,
    opened: OpenNode,
    entries: Sequence[ListedContract],
    blocks: BlockRange,
    observer: Observer,
) -> tuple[ContractUpdate, ...]:
    from specminer.pipeline.joint_collecting import JointRequest, collect_jointly

    if opened.verify is not None:
        raise UsageError("--verify compares one contract with the node: it does not go with --contracts")
    collected = collect_jointly(
        store,
        opened.node,
        [JointRequest(address=item.address, artifact=read_artifact(item.abi)) for item in entries],
        chain_id=opened.chain_id,
        blocks=blocks,
        observer=observer,
    )
    return tuple(
        ContractUpdate(
            name=item.name,
            address=checksum_address(item.address),
            added=done.added,
            failure=done.failure,
        )
        for item, done in zip(entries, collected, strict=True)
    )


def _collect_each(
    store: TraceStore,
    opened: OpenSource,
    entries: Sequence[ListedContract],
    blocks: BlockRange,
    observer: Observer,
) -> Iterator[ContractUpdate]:
    for item in entries:
        address = checksum_address(item.address)
        request = UpdateRequest(contract=item.address, artifact=read_artifact(item.abi), blocks=blocks)
        try:
            added, failure = opened.update(store, request, observer).added, None
        except ChainError as error:
            added, failure = 0, error.message
        yield ContractUpdate(name=item.name, address=address, added=added, failure=failure)


def _collect_on_workers(
    database: str,
    source: DaskSource,
    entries: Sequence[ListedContract],
    scope: tuple[int | None, BlockRange],
    observer: Observer,
) -> Iterator[ContractUpdate]:
    """Let workers execute what an explorer lists, contract by contract; they write to the database by themselves.

    ``scope`` are the chain and the blocks.

    Raises:
        ClusterError: the workers cannot be reached, or failed.
        StoreError: a worker cannot reach the database.

    """
    explorer, (chain_id, blocks) = source.source, scope
    assert isinstance(explorer, ExplorerOptions)
    explorer = explorer.with_key()
    with TraceStore(database, observer.note):  # is made here, or brought up to date
        shared = share(database)
    pieces = (
        UpdatePiece(
            database=shared,
            source=explorer,
            chain_id=chain_id,
            contract=item.address,
            artifact=read_artifact(item.abi),
            blocks=blocks,
        )
        for item in entries
    )
    with source.workers.open() as cluster:
        for item, done in zip(entries, cluster.in_order(update_piece, pieces), strict=True):
            added, failure = 0, None
            if isinstance(done, ClusterError):
                failure = done.message
            else:
                added, failure = done.added, done.failure
                for text in done.notes:
                    observer.note(f"{item.name}: {text}")
            yield ContractUpdate(
                name=item.name, address=checksum_address(item.address), added=added, failure=failure
            )


def mine_contracts(
    database: str | PathLike[str],
    contracts: str | PathLike[str],
    folder: str | PathLike[str],
    *,
    selection: SelectionOptions = EVERYTHING,
    options: MineOptions | None = None,
    report: bool = True,
    observer: Observer = SILENT,
) -> Overview:
    """Mine each contract of a list from a database, and write a page that lists all specifications.

    Each contract gets a folder of its name with what ``mine`` writes; beside them stand ``index.html`` and
    ``index.json``. A contract that cannot be mined is listed with the reason.

    Args:
        database: its path, or its URL (``postgresql://USER@HOST/NAME``).
        contracts: the file that lists them: ``ADDRESS [NAME|- [ABI]]`` a line.
        folder: where the page and the folders are written.
        selection: which part of each history, and of which chain; the contracts are those of the list.
        options: how to split and tune; ``None`` for the defaults.
        report: whether each contract's ``report.html`` is written.
        observer: sees notes and progress.

    Raises:
        ClusterError: the Dask workers cannot be reached, or failed.
        FileFormatError: the list or an ABI is malformed.
        OutputError: the folder cannot be written to.
        UsageError: the range of blocks is empty.

    """
    entries = read_contract_list(Path(contracts))
    selection.blocks.check()
    for item in entries:
        _artifact(item)
    target = Path(folder)
    prepare_folder(target)
    minings = [
        ListedMining(
            name=item.name,
            address=item.address,
            artifact=read_artifact(item.abi),
            selection=selection,
            options=replace(options or MineOptions(), workers=None),
            report=report,
        )
        for item in entries
    ]
    workers = None if options is None else options.workers
    if workers is None:
        results = _mine_here(str(database), minings, target, observer)
    else:
        results = _mine_on_workers(str(database), minings, target, workers, observer)
    rows: list[OverviewRow] = []
    pictures: list[bytes | None] = []
    for result in results:
        rows.append(result.row)
        pictures.append(result.picture)
    make_folder(target)
    families = _families(str(database), rows)
    replace_file(target / "index.json", to_json(rows, families))
    replace_file(target / "index.html", to_page(rows, pictures, families).encode())
    return Overview(
        rows=tuple(rows), page=target / "index.html", document=target / "index.json", families=families
    )


def _families(database: str, rows: Sequence[OverviewRow]) -> tuple[ListedFamily, ...]:
    """Return which of the contracts that were mined have one code and one factory."""
    listed_by_chain: dict[int, list[str]] = {}
    for row in rows:
        if row.chain_id is not None and row.failure is None:
            listed_by_chain.setdefault(row.chain_id, []).append(row.address)
    families: dict[ListedFamily, None] = {}
    with open_existing(database) as store:
        for chain_id, addresses in listed_by_chain.items():
            groups = find_families(store, chain_id, list(map(parse_address, addresses)))
            for group in dict.fromkeys(groups.values()):
                members = tuple(
                    address for address in addresses if groups.get(parse_address(address)) == group
                )
                families[ListedFamily(factory=group.summary.factory, contracts=members)] = None
    return tuple(item for item in families if len(item.contracts) > 1)


def _mine_here(
    database: str, minings: Sequence[ListedMining], folder: Path, observer: Observer
) -> Iterator[ListedResult]:
    """Mine the contracts one after another."""
    for item in minings:
        observer.note(f"mining {item.name}")
        yield mine_into(folder / item.name, database, item, observer)


def _mine_on_workers(
    database: str, minings: Sequence[ListedMining], folder: Path, workers: DaskOptions, observer: Observer
) -> Iterator[ListedResult]:
    """Mine the contracts on Dask workers, which read the database by themselves.

    Raises:
        ClusterError: the workers cannot be reached, or failed.
        StoreError: a worker cannot reach the database.

    """
    shared = share(database)
    pieces = (MiningPiece(database=shared, mining=item) for item in minings)
    with workers.open() as cluster:
        observer.note(
            f"mining {count_of(len(minings), 'contract')} on {count_of(cluster.processes, 'Dask worker')}"
        )
        for item, done in zip(minings, cluster.in_order(mine_piece, pieces), strict=True):
            if isinstance(done, ClusterError):
                yield failure_row(item, done)
                continue
            observer.note(f"mined {item.name}")
            for text in done.notes:
                observer.note(text)
            write_piece(done, folder / item.name)
            yield _named_here(done.result, shared, database)


def _named_here(result: ListedResult, shared: SharedDatabase, database: str) -> ListedResult:
    """Return a result whose reason names the file of the database as it was given here."""
    failure = result.row.failure
    if failure is None or shared.file is None:
        return result
    return replace(result, row=replace(result.row, failure=failure.replace(str(shared.file.path), database)))
