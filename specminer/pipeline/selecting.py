"""Which contracts are looked at, and their history: brought up to date first, where a source is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from specminer._support.addresses import checksum_address, is_address
from specminer._support.errors import StoreError, UsageError, plain
from specminer.contracts.artifact import Artifact, parse
from specminer.decoding import separate_lives
from specminer.history.contract_history import History
from specminer.history.lives import of_life
from specminer.history.trace import Address
from specminer.pipeline.database_names import Neighbours, find_neighbours
from specminer.pipeline.datasets import list_datasets, suggestion
from specminer.pipeline.inputs import (
    ArtifactSource,
    common_chain,
    is_ens_name,
    open_existing,
    parse_address,
    read_artifact,
)
from specminer.pipeline.instances import children, same_code, sibling_artifact
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.recording import Recording
from specminer.pipeline.source import ALL_BLOCKS, BlockRange, HistorySource, OpenSource, UpdateRequest
from specminer.pipeline.traces import import_traces
from specminer.store import TraceStore

if TYPE_CHECKING:  # loads the libraries that ask
    from specminer.sources.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionOptions:
    """Which contracts are meant, and which part of their history.

    Either ``targets``, or ``same_code_as``, or ``created_by``, which ``same_code_as`` may narrow down.
    """

    targets: tuple[str, ...] = ()
    """Addresses of contracts in the database; or names of shipped datasets and paths of trace files."""
    same_code_as: str | None = None
    """The address of a contract: all in the database whose code is equal but for immutables and metadata."""
    created_by: str | None = None
    """The address of a factory: all contracts that it created."""
    instances: int | None = None
    """Of several contracts the first so many by their creation; ``None`` for all."""
    life: int | None = None
    """Of one contract the life of this number, counted from 1 by creation; ``None`` for all, which are told apart."""
    chain_id: int | None = None
    """The chain that is meant; needed only where the database or the source does not tell."""
    blocks: BlockRange = ALL_BLOCKS

    def trace_files(self) -> list[Path]:
        """Return the trace files that the targets name; none if they are addresses.

        Raises:
            UsageError: there is no target, one is neither address, file nor dataset, or they are of both kinds.

        """
        if self.same_code_as is not None or self.created_by is not None:
            if self.targets:
                option = "--created-by" if self.created_by is not None else "--same-code-as"
                raise UsageError(f"give either contracts or {option}, not both: it finds contracts by itself")
            return []
        if not self.targets:
            raise UsageError(
                "nothing to mine was given: name a contract's address, a dataset or a trace file, or give "
                "--same-code-as or --created-by ADDRESS"
            )
        files = [path for target in self.targets if not is_address(target) for path in _trace_files(target)]
        if files and any(map(is_address, self.targets)):
            raise UsageError(
                "addresses and files are mined one or the other way: import the files into the --db first"
            )
        return files

    def first_instances(self, contracts: Sequence[Address]) -> tuple[Address, ...]:
        """Return as many of the contracts, which stand in the order of their creation, as are wanted.

        Raises:
            UsageError: some of several are wanted, but one contract was named.

        """
        if self.instances is not None and len(contracts) == 1 and not (self.same_code_as or self.created_by):
            raise UsageError(
                "--instances chooses among several contracts, but one was given; to mine all contracts with its code, "
                f"give --same-code-as {checksum_address(contracts[0])}"
            )
        return tuple(contracts[: self.instances])

    def sentence(self, contracts: Sequence[Address], more: str = "") -> str | None:
        """Return how several contracts were chosen, ``more`` added; ``None`` for a contract that was named."""
        every = f"{len(contracts):,} contracts" if len(contracts) != 1 else "1 contract"
        code = " but for immutables and metadata"
        if self.created_by is not None:
            like = (
                f", those with the code of {_show_text(self.same_code_as)}{code}" if self.same_code_as else ""
            )
            what = f"{every} created by {_show_text(self.created_by)}{like}"
        elif self.same_code_as is not None:
            what = f"{every} in the database with the code of {_show_text(self.same_code_as)},{code}"
        elif len(contracts) > 1:
            what = f"{every}, as given"
        else:
            return None
        if self.instances is not None and self.instances < len(contracts):
            what = f"the first {self.instances:,} by creation of {what}"
        return f"{what[0].upper()}{what[1:]}{more}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The history of the contracts that were chosen, and how they were."""

    history: History
    sentence: str | None = None
    """How several contracts were chosen."""
    artifact: Artifact | None = None
    """The ABI that was given; else that of a contract of the same code, where the contracts have none."""
    recording: Recording | None = None
    """Where its transactions can be read as values."""
    neighbours: Neighbours = field(default_factory=Neighbours)
    """What the database knows of other contracts."""

    def known_artifact(self) -> Artifact | None:
        """Return the ABI that was given, or the one that is stored with the first contract."""
        stored = self.history.contracts[0].artifact
        return self.artifact or (None if stored is None else parse(stored, "the history"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenContracts:
    """The contracts that were chosen, by creation, and how they were."""

    chain_id: int
    addresses: tuple[Address, ...]
    sentence: str | None = None
    artifact: Artifact | None = None


def choose_contracts(
    store: TraceStore,
    options: SelectionOptions,
    artifact: Artifact | None = None,
    source: OpenSource | None = None,
    observer: Observer = SILENT,
) -> ChosenContracts:
    """Return the contracts of a database that are meant, brought up to date first if there is a source.

    Raises:
        UsageError: an option cannot be right, or contradicts another.
        ChainError: the source failed; what was collected before is kept.
        StoreError: the database failed, or does not hold the contracts.

    """
    return _Choice(store, options, artifact, source, observer).contracts()


def select(
    database: str | PathLike[str] | None,
    options: SelectionOptions,
    *,
    abi: ArtifactSource = None,
    source: HistorySource | None = None,
    observer: Observer = SILENT,
) -> Selection:
    """Read the history of contracts; collect what the database lacks of it if a source is given.

    Args:
        database: its path, or its URL (``postgresql://USER@HOST/NAME``); trace files and datasets need none.
        options: which contracts, and which part of their history.
        abi: the contracts' ABI, or the file that holds it; stored with what is collected.
        source: a node or an explorer.
        observer: sees notes and progress.

    Raises:
        UsageError: an option cannot be right, or contradicts another.
        FileFormatError: a trace file or the ABI is malformed.
        ChainError: the source failed; what was collected before is kept.
        StoreError: the database failed, or does not hold the contracts.

    """
    options.blocks.check()
    artifact = read_artifact(abi)
    files = options.trace_files()
    with ExitStack() as stack:
        if files:
            if source is not None:
                observer.note(f"the {source.noun} is not used: everything is in the file")
            store = stack.enter_context(TraceStore("sqlite://"))
            choice = _from_files(store, files, options)
        else:
            opened = None if source is None else stack.enter_context(source.open(options.chain_id))
            if database is None:
                raise UsageError("contracts are read from a database; give its path or URL")
            location = str(database)
            store = stack.enter_context(
                open_existing(location, observer.note)
                if opened is None
                else TraceStore(location, observer.note)
            )
            choice = choose_contracts(store, options, artifact, opened, observer)
        history = store.history(
            choice.chain_id,
            choice.addresses,
            first=options.blocks.first,
            last=options.blocks.last,
        )
        neighbours = find_neighbours(store, choice.chain_id, history)
        recording = Recording(
            chain_id=choice.chain_id,
            contracts=choice.addresses,
            database=None if files else str(database),
            files=tuple(files),
        )
    if options.life is not None:
        history = life_of(history, options.life)
    return Selection(
        history=history,
        sentence=choice.sentence,
        artifact=artifact or choice.artifact,
        recording=recording,
        neighbours=neighbours,
    )


def life_of(history: History, number: int) -> History:
    """Return what a history of one contract holds of one of its lives, counted from 1.

    Raises:
        UsageError: there are several contracts, or there is no such life.

    """
    if len(history.contracts) != 1:
        raise UsageError(
            f"--life chooses among the lives of one contract, but {len(history.contracts):,} are mined together"
        )
    divided = separate_lives(history)
    count = len(divided.contracts)
    if not 1 <= number <= count:
        lives = f"{count:,} lives; give --life 1 to {count:,}" if count > 1 else "one life only"
        raise UsageError(f"--life {number}: as far as the history shows, the contract has {lives}")
    return history if count == 1 else of_life(divided, number)


def _trace_files(target: str) -> list[Path]:
    """Return the paths of a dataset's traces or of a trace file.

    Raises:
        UsageError: it is neither; the message says what there is.

    """
    shipped = {item.name: item.trace_files for item in list_datasets()}
    if target in shipped:
        return list(shipped[target])
    if not Path(target).is_file():
        if "://" in target or target.lower().startswith("0x") or is_ens_name(target):
            parse_address(target)
        raise UsageError(
            f"'{plain(target, 80)}' is not an address (0x and 40 hexadecimal digits), no file and no dataset; "
            f"{suggestion(target)}"
        )
    return [Path(target)]


def _show_text(text: str | None) -> str:
    return checksum_address(parse_address(text or ""))


def _from_files(store: TraceStore, files: Sequence[Path], options: SelectionOptions) -> ChosenContracts:
    """Load trace files, which have to be of one chain."""
    chains: dict[int, Path] = {}
    contracts = []
    for path in files:
        record = import_traces(store, path)
        if options.chain_id not in (None, record.chain_id):
            raise UsageError(
                f"{plain(path)} is of chain {record.chain_id}, but --chain-id says {options.chain_id}"
            )
        chains.setdefault(record.chain_id, path)
        contracts.append(record.address)
    if len(chains) > 1:
        (one, first), (other, second) = list(chains.items())[:2]
        raise UsageError(
            f"contracts that are mined together are of one chain, but {plain(first)} is of chain {one} and "
            f"{plain(second)} of chain {other}"
        )
    chain_id = next(iter(chains))
    ordered = store.by_creation(chain_id, contracts)
    return ChosenContracts(
        chain_id=chain_id, addresses=options.first_instances(ordered), sentence=options.sentence(ordered)
    )


class _Choice:
    """Contracts of a database, chosen as the options say and brought up to date from a source if there is one."""

    def __init__(
        self,
        store: TraceStore,
        options: SelectionOptions,
        artifact: Artifact | None,
        source: OpenSource | None,
        observer: Observer,
    ) -> None:
        self._store = store
        self._options = options
        self._artifact = artifact
        self._source = source
        self._observer = observer
        self._updated: set[Address] = set()

    def contracts(self) -> ChosenContracts:
        """Return the contracts that are meant, their histories in the database."""
        options, more = self._options, ""
        blocks: dict[Address, int] = {}
        like = None if options.same_code_as is None else parse_address(options.same_code_as)
        if options.created_by is not None:
            chain_id, candidates, blocks, more = self._created_by(parse_address(options.created_by), like)
        elif like is not None:
            chain_id, candidates, blocks = self._same_code(like)
        else:
            candidates = [parse_address(text) for text in options.targets]
            chain_id = self._update(candidates)
        ordered = self._store.by_creation(chain_id, candidates)
        contracts = options.first_instances(ordered)
        self._update([contract for contract in contracts if contract not in self._updated], blocks)
        return ChosenContracts(
            chain_id=chain_id,
            addresses=contracts,
            sentence=options.sentence(ordered, more),
            artifact=self._sibling_artifact(chain_id, contracts),
        )

    @property
    def _node(self) -> Node | None:
        return None if self._source is None else self._source.node

    def _created_by(
        self, factory: Address, like: Address | None
    ) -> tuple[int, list[Address], dict[Address, int], str]:
        """Return the chain, what a factory created, in which blocks, and what to say of those left out."""
        chain_id = self._update([factory], factory=True)
        if like is not None:
            self._update([like])
        offspring = children(self._store, chain_id, factory, like=like, node=self._node)
        if not offspring.contracts:
            raise StoreError(
                f"of the {offspring.total:,} contracts that {checksum_address(factory)} created none is there with "
                "this code; collect them with --rpc URL, or look for another code"
            )
        more = ""
        if offspring.unknown:
            more = (
                f"; {offspring.unknown:,} more are left out, because they have no code any more or, without --rpc, are "
                "not in the database"
            )
        return chain_id, list(offspring.contracts), offspring.blocks, more

    def _same_code(self, like: Address) -> tuple[int, list[Address], dict[Address, int]]:
        """Return the chain, the contracts of one code, and in which blocks they were created if a node was asked."""
        chain_id = self._update([like])
        contracts = same_code(self._store, chain_id, like)
        creator = self._store.factory(chain_id, like) if self._node is not None else None
        if creator is None:
            return chain_id, contracts, {}
        self._update([creator], factory=True)
        offspring = children(self._store, chain_id, creator, like=like, node=self._node)
        return chain_id, [*contracts, *offspring.contracts], offspring.blocks

    def _sibling_artifact(self, chain_id: int, contracts: Sequence[Address]) -> Artifact | None:
        """Return the artifact of a contract of the same code, where none was given and the contracts have none."""
        if self._artifact is not None or not (self._options.created_by or self._options.same_code_as):
            return None
        sibling = sibling_artifact(self._store, chain_id, contracts)
        if sibling is None:
            return None
        self._observer.note(
            f"names come from the ABI stored with {checksum_address(sibling[0])}, which has the same code"
        )
        return sibling[1]

    def _update(
        self,
        contracts: Sequence[Address],
        blocks: Mapping[Address, int] | None = None,
        *,
        factory: bool = False,
    ) -> int:
        """Make sure that the database has the contracts, up to date if there is a source; return the chain.

        ``blocks`` are those that created them. The ABI that was given is not a ``factory``'s.
        """
        self._updated.update(contracts)
        if self._source is None:
            return common_chain(self._store, contracts, self._options.chain_id)
        chain_id = 0
        for contract in contracts:
            request = UpdateRequest(
                contract=contract,
                artifact=None if factory else self._artifact,
                blocks=self._options.blocks,
                created=None if blocks is None else blocks.get(contract),
            )
            update = self._source.update(self._store, request, self._observer)
            chain_id = update.chain_id
            self._observer.note(update.note(self._store.label, with_address=len(contracts) > 1))
        return chain_id
