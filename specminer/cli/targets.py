"""Which contracts are mined, and where their history comes from: the targets of ``specminer mine``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from eth_utils.address import to_checksum_address

from specminer.chain.artifact import Artifact
from specminer.chain.explorer import Explorer
from specminer.chain.node import Node
from specminer.cli.console import Screen
from specminer.cli.options import address_of, chain_of, endpoint_of, existing, explorer_of, is_address
from specminer.datasets import datasets, suggestion
from specminer.errors import UsageError, plain
from specminer.pipeline import Rulebook, collect, collect_explored, import_traces, same_code
from specminer.store import TraceStore
from specminer.trace import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the history comes from, as given on the command line."""

    targets: tuple[str, ...] = ()
    same_code_as: str | None = None
    instances: int | None = None
    rpc: str | None = None
    explorer: str | None = None
    key_name: str | None = None
    """Name of the environment variable that holds the explorer's key."""
    headers: tuple[str, ...] = ()
    chain_id: int | None = None
    first: int | None = None
    last: int | None = None
    database: str = ""
    doubtful: bool = False
    """Whether transactions are mined whose values are in doubt (see :class:`specminer.trace.Fidelity`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The contracts to mine, by creation, and how they were chosen if they are several."""

    chain_id: int
    contracts: tuple[Address, ...]
    selection: str | None = None


def trace_files(source: Source) -> list[Path]:
    """Return the trace files that the targets name; none if they are addresses.

    Raises:
        UsageError: there is no target, one is neither address, file nor dataset, or they are of both kinds.

    """
    if source.same_code_as is not None:
        if source.targets:
            raise UsageError(
                "give either contracts or --same-code-as, not both: it finds all contracts of one code by itself"
            )
        return []
    if not source.targets:
        raise UsageError(
            "nothing to mine was given: name a contract's address, a dataset or a trace file, or give "
            "--same-code-as ADDRESS"
        )
    files = [path for target in source.targets if not is_address(target) for path in _trace_files(target)]
    if files and any(map(is_address, source.targets)):
        raise UsageError(
            "addresses and files are mined one or the other way: import the files into the --db first"
        )
    return files


def _trace_files(target: str) -> list[Path]:
    """Return the paths of a dataset's traces or of a trace file; what is neither gets told what there is."""
    shipped = {item.name: item.trace_files for item in datasets()}
    if target in shipped:
        return list(shipped[target])
    if not Path(target).is_file():
        if "://" in target or target.lower().startswith("0x"):
            address_of(target)
        raise UsageError(
            f"'{plain(target, 80)}' is not an address (0x and 40 hexadecimal digits), no file and no dataset; "
            f"{suggestion(target)}"
        )
    return [Path(target)]


def choose(
    source: Source, files: Sequence[Path], artifact: Artifact | None, stack: ExitStack, screen: Screen
) -> tuple[TraceStore, Chosen]:
    """Open the database that holds the history, fill it with what is missing, and choose the contracts.

    Raises:
        SpecminerError: a file, the node or the database is not as it should be; nothing half-read is kept.

    """
    if files:
        if source.rpc or source.explorer:
            screen.note(
                f"the {'explorer' if source.explorer else 'node'} is not used: everything is in the file"
            )
        store = stack.enter_context(TraceStore("sqlite://"))
        chain_id, found = _from_files(store, files, source.chain_id)
    else:
        named = [address_of(text) for text in _named(source)]
        client = (
            stack.enter_context(explorer_of(source.explorer, source.key_name, source.chain_id))
            if source.explorer
            else None
        )
        node = stack.enter_context(Node(endpoint_of(source.rpc, source.headers))) if source.rpc else None
        place = source.database if node or client else existing(source.database)
        store = stack.enter_context(TraceStore(place))

        def bring(contracts: Sequence[Address]) -> int:
            if client is not None:
                return _explored(store, client, node, source, contracts, artifact, screen)
            if node is not None:
                return _collected(store, node, source, contracts, artifact, screen)
            return chain_of(store, contracts, source.chain_id)

        chain_id, found = bring(named), named
        if source.same_code_as is not None:
            found = same_code(store, chain_id, named[0])
            if len(found) > 1:
                bring(found)
    ordered = store.by_creation(chain_id, found)
    return store, _counted(source, chain_id, ordered)


def _named(source: Source) -> Sequence[str]:
    return source.targets if source.same_code_as is None else (source.same_code_as,)


def _counted(source: Source, chain_id: int, ordered: list[Address]) -> Chosen:
    """Keep the first of the contracts, as many as asked for, and say how they were chosen."""
    if source.instances is not None and len(ordered) == 1 and source.same_code_as is None:
        raise UsageError(
            "--instances chooses among several contracts, but one was given; to mine all contracts with its code, "
            f"give --same-code-as {to_checksum_address(ordered[0])}"
        )
    kept = ordered[: source.instances]
    if source.same_code_as is not None:
        shown = to_checksum_address(address_of(source.same_code_as))
        every = f"{len(ordered):,} contracts" if len(ordered) != 1 else "1 contract"
        what = f"{every} in the database with the code of {shown}, but for immutables and metadata"
    else:
        what = f"{len(ordered):,} contracts, as given"
    if len(kept) < len(ordered):
        what = f"the first {len(kept):,} by creation of {what}"
    told = source.same_code_as is not None or len(ordered) > 1
    return Chosen(
        chain_id=chain_id, contracts=tuple(kept), selection=f"{what[0].upper()}{what[1:]}." if told else None
    )


def _collected(
    store: TraceStore,
    node: Node,
    source: Source,
    contracts: Sequence[Address],
    artifact: Artifact | None,
    screen: Screen,
) -> int:
    """Bring the contracts up to date with the chain; return its id."""
    chain_id = 0
    for contract in contracts:
        done = collect(
            store,
            node,
            contract,
            artifact=artifact,
            chain_id=source.chain_id,
            first=source.first,
            last=source.last,
            listener=screen,
        )
        chain_id = done.chain_id
        new = f"{done.added:,} new transactions" if done.added else "nothing new"
        whose = f" of {to_checksum_address(contract)}" if len(contracts) > 1 else ""
        screen.note(f"{new}{whose} in blocks {done.first:,} to {done.last:,}; they are in {store.label}")
    return chain_id


def _explored(
    store: TraceStore,
    explorer: Explorer,
    node: Node | None,
    source: Source,
    contracts: Sequence[Address],
    artifact: Artifact | None,
    screen: Screen,
) -> int:
    """Read what an explorer lists of the contracts and execute it again; return the chain's id."""
    for contract in contracts:
        found, imported = collect_explored(
            store,
            explorer,
            contract,
            Rulebook(chain_id=explorer.chain_id),
            artifact=artifact,
            node=node,
            last=source.last,
            listener=screen,
        )
        new = f"{found.read:,} new records" if found.read else "nothing new"
        whose = f" of {to_checksum_address(contract)}" if len(contracts) > 1 else ""
        screen.note(
            f"{new}{whose} from the explorer; {imported.executed:,} were executed again by {imported.rules}; they "
            f"are in {store.label}"
        )
    return explorer.chain_id


def _from_files(store: TraceStore, files: Sequence[Path], chain_id: int | None) -> tuple[int, list[Address]]:
    """Load trace files."""
    chains: dict[int, Path] = {}
    contracts = []
    for path in files:
        record = import_traces(store, path)
        if chain_id not in (None, record.chain_id):
            raise UsageError(f"{plain(path)} is of chain {record.chain_id}, but --chain-id says {chain_id}")
        chains.setdefault(record.chain_id, path)
        contracts.append(record.address)
    if len(chains) > 1:
        (one, first), (other, second) = list(chains.items())[:2]
        raise UsageError(
            f"contracts that are mined together are of one chain, but {plain(first)} is of chain {one} and "
            f"{plain(second)} of chain {other}"
        )
    return next(iter(chains)), contracts
