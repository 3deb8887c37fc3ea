"""Which contracts are mined, and where their history comes from: the targets of ``specminer mine``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from specminer.errors import StoreError, UsageError, plain
from specminer.pipeline import children, collect, import_traces, same_code, sibling_artifact
from specminer.store import TraceStore
from specminer.trace import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the history comes from, as given on the command line."""

    targets: tuple[str, ...] = ()
    same_code_as: str | None = None
    created_by: str | None = None
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
    artifact: Artifact | None = None
    """That of a contract of the same code, where neither the user gave one nor the contracts have one."""


def trace_files(source: Source) -> list[Path]:
    """Return the trace files that the targets name; none if they are addresses.

    Raises:
        UsageError: there is no target, one is neither address, file nor dataset, or they are of both kinds.

    """
    if source.same_code_as is not None or source.created_by is not None:
        if source.targets:
            option = "--created-by" if source.created_by is not None else "--same-code-as"
            raise UsageError(f"give either contracts or {option}, not both: it finds contracts by itself")
        return []
    if not source.targets:
        raise UsageError(
            "nothing to mine was given: name a contract's address, a dataset or a trace file, or give "
            "--same-code-as or --created-by ADDRESS"
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
        ordered = store.by_creation(chain_id, found)
        return store, Chosen(
            chain_id=chain_id, contracts=tuple(_first(source, ordered)), selection=_told(source, ordered)
        )
    if source.explorer:  # what is wrong with it is told before a database is made
        explorer_of(source.explorer, source.key_name, source.chain_id)
    place = source.database if source.rpc or source.explorer else existing(source.database)
    wanted = _Wanted(source, artifact, screen, stack.enter_context(TraceStore(place)), stack)
    return wanted.store, wanted.chosen()


def _first(source: Source, ordered: list[Address]) -> list[Address]:
    """Keep as many of the contracts as were asked for."""
    if source.instances is not None and len(ordered) == 1 and not (source.same_code_as or source.created_by):
        raise UsageError(
            "--instances chooses among several contracts, but one was given; to mine all contracts with its code, "
            f"give --same-code-as {to_checksum_address(ordered[0])}"
        )
    return ordered[: source.instances]


def _told(source: Source, ordered: list[Address], more: str = "") -> str | None:
    """Say how several contracts were chosen."""
    every = f"{len(ordered):,} contracts" if len(ordered) != 1 else "1 contract"
    code = " but for immutables and metadata"
    if source.created_by is not None:
        like = f", those with the code of {_shown(source.same_code_as)}{code}" if source.same_code_as else ""
        what = f"{every} created by {_shown(source.created_by)}{like}"
    elif source.same_code_as is not None:
        what = f"{every} in the database with the code of {_shown(source.same_code_as)},{code}"
    elif len(ordered) > 1:
        what = f"{every}, as given"
    else:
        return None
    if source.instances is not None and source.instances < len(ordered):
        what = f"the first {source.instances:,} by creation of {what}"
    return f"{what[0].upper()}{what[1:]}{more}."


def _shown(text: str | None) -> str:
    return to_checksum_address(address_of(text or ""))


class _Wanted:
    """Contracts of a database, brought up to date from a node or an explorer if one is given."""

    def __init__(
        self, source: Source, artifact: Artifact | None, screen: Screen, store: TraceStore, stack: ExitStack
    ) -> None:
        self.source, self.artifact, self.screen, self.store = source, artifact, screen, store
        self.done: set[Address] = set()
        self.explorer: Explorer | None = None
        if source.explorer:
            self.explorer = stack.enter_context(
                explorer_of(source.explorer, source.key_name, source.chain_id)
            )
        self.node: Node | None = None
        if source.rpc:
            self.node = stack.enter_context(Node(endpoint_of(source.rpc, source.headers)))

    def chosen(self) -> Chosen:
        """Return the contracts that are meant, their histories at hand."""
        source, more = self.source, ""
        like = None if source.same_code_as is None else address_of(source.same_code_as)
        if source.created_by is not None:
            chain_id = self.at_hand([address_of(source.created_by)], factory=True)
            if like is not None:
                self.at_hand([like])
            made = children(self.store, chain_id, address_of(source.created_by), like=like, node=self.node)
            found, blocks = list(made.contracts), made.blocks
            if not found:
                raise StoreError(
                    f"of the {made.total:,} contracts that {_shown(source.created_by)} created none is there with "
                    "this code; collect them with --rpc URL, or look for another code"
                )
            if made.unknown:
                more = (
                    f"; {made.unknown:,} more are left out, because they have no code any more or, without --rpc, are "
                    "not in the database"
                )
        elif like is not None:
            chain_id = self.at_hand([like])
            found, blocks = same_code(self.store, chain_id, like), {}
            creator = self.store.factory(chain_id, like) if self.node is not None else None
            if creator is not None:
                self.at_hand([creator], factory=True)
                made = children(self.store, chain_id, creator, like=like, node=self.node)
                found, blocks = [*found, *made.contracts], made.blocks
        else:
            found, blocks = [address_of(text) for text in source.targets], {}
            chain_id = self.at_hand(found)
        ordered = self.store.by_creation(chain_id, found)
        kept = _first(source, ordered)
        self.at_hand([contract for contract in kept if contract not in self.done], blocks)
        named = None
        if self.artifact is None and (source.created_by or source.same_code_as):
            named = sibling_artifact(self.store, chain_id, kept)
        if named is not None:
            self.screen.note(
                f"names come from the ABI stored with {to_checksum_address(named[0])}, which has the same code"
            )
        return Chosen(
            chain_id=chain_id,
            contracts=tuple(kept),
            selection=_told(source, ordered, more),
            artifact=None if named is None else named[1],
        )

    def at_hand(
        self,
        contracts: Sequence[Address],
        blocks: Mapping[Address, int] | None = None,
        *,
        factory: bool = False,
    ) -> int:
        """Make sure that the database has the contracts, up to date if there is a source; return the chain.

        The ABI that was given is not a ``factory``'s.
        """
        self.done.update(contracts)
        store, source, artifact = self.store, self.source, None if factory else self.artifact
        if self.explorer is not None:
            return _explored(store, self.explorer, self.node, source, contracts, artifact, self.screen)
        if self.node is not None:
            return _collected(store, self.node, source, contracts, artifact, self.screen, blocks or {})
        return chain_of(store, contracts, source.chain_id) if contracts else 0


def _collected(
    store: TraceStore,
    node: Node,
    source: Source,
    contracts: Sequence[Address],
    artifact: Artifact | None,
    screen: Screen,
    blocks: Mapping[Address, int],
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
            created=blocks.get(contract),
            observer=screen,
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
    from specminer.pipeline import Rulebook, collect_explored  # loads the machine

    for contract in contracts:
        found, imported = collect_explored(
            store,
            explorer,
            contract,
            Rulebook(chain_id=explorer.chain_id),
            artifact=artifact,
            node=node,
            last=source.last,
            observer=screen,
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
