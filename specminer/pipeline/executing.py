"""From an explorer's export into the database, by executing it again, here.

The export is checked whole before anything is executed. Executed transactions are stored in chunks that end at a
block, each in one database transaction together with the machine's state after it: a run that is killed goes on
from there, and so does an export that has grown since.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from typing import Final

from specminer._support.errors import FileFormatError, StoreError, UsageError, plain
from specminer._support.text import count_of
from specminer.contracts.artifact import Artifact
from specminer.contracts.fitting_abi import fitting_artifact
from specminer.history.trace import Address, Block, ContractRecord, Fidelity, Hash, Tracer, Transaction
from specminer.pipeline.explorer_source import AUTO
from specminer.pipeline.progress import SILENT, ExecutionProgress, Observer
from specminer.presentation.fidelity import import_summary
from specminer.replay.diff_check import DiffCounts
from specminer.replay.engine import Engine, MachineMaker
from specminer.replay.export_replay import RecordReplay, ReplayedTransaction
from specminer.replay.foreign_contracts import NodeSource
from specminer.replay.fork_choice import ForkFit, choose, measure
from specminer.replay.fork_schedule import Rules, rules_of_chain, rules_of_fork
from specminer.replay.inferred_facts import separate
from specminer.replay.limits import MAX_GAS, MAX_STEPS
from specminer.replay.placed_accounts import StateMaker, place_accounts
from specminer.replay.records import call_of
from specminer.sources.export_blocks import merge_blocks
from specminer.sources.export_fields import RecordError
from specminer.sources.exported import CallType, ExportedCall, ExportedTransaction
from specminer.sources.listings import main_contract
from specminer.sources.node import Node
from specminer.sources.state_dumps import ChainState, StateAccount
from specminer.sources.storage_diffs import StorageDiffs
from specminer.store import ContractPart, TraceStore

CHUNK: Final = 500
"""Transactions after which a chunk ends, at the next block."""
CHUNK_BYTES: Final = 64 << 20
"""Memory of recorded steps after which it ends as well."""
_MAX_NAMES: Final = 5
"""Addresses that a sentence names at most."""
_EXECUTION_NOTE: Final = (
    "re-executed from an explorer's list of transactions: calls that other contracts made are not in it, so they "
    "are missing"
)
_SPECIFICATION: Final = (
    "re-executed by the executable specification (--engine reference), which records neither what code asked of its "
    "environment nor log entries of other contracts; --engine fast records them"
)

_NOT_CREATED: Final = (
    "the export does not create the contract (another contract did, or it begins later), so what its storage held then "
    "is unknown"
)
_WITHOUT_CODE: Final = (
    "; nor is its code at hand, so only calls and outcomes are known: give its runtime code (--code FILE), or a node "
    "(--rpc)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """How an export is executed."""

    chain_id: int
    fork: str = AUTO
    """A fork's name, or ``auto``: the chain's schedule, else the one fork that fits the recorded gas best."""
    max_steps: int = MAX_STEPS
    """Opcodes in one transaction at most."""
    max_gas: int = MAX_GAS
    """Gas of one transaction at most."""
    infer: bool = True
    """Whether balances, receivers and unseen writes are inferred where the recorded end leaves one choice."""
    engine: Engine = field(default=Engine.FAST, repr=False)
    """What executes. It is not shown: an import that continues may take another one."""

    def maker(self) -> MachineMaker:
        """Return what makes the machines."""
        return MachineMaker(engine=self.engine, max_steps=self.max_steps, max_gas=self.max_gas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What an explorer says of contracts: transactions and, where at hand, internal calls, in chain order."""

    transactions: tuple[ExportedTransaction, ...]
    calls: tuple[ExportedCall, ...] = ()
    origin: str
    """Where it came from, for messages."""
    limits: tuple[str, ...] = ()
    """What it may lack, as sentences."""
    codes: Mapping[Address, bytes] = field(default_factory=dict)
    """Runtime code of contracts, for those whose creation is missing or cannot be executed."""
    state: ChainState | None = None
    """Code and storage of contracts that the lists do not create."""
    diffs: StorageDiffs = field(default_factory=dict)
    """What nodes say of the storage that transactions found and left."""
    owners: frozenset[Address] = frozenset()
    """Contracts whose lists these are: recorded from their first call on even if nothing here creates them."""

    def check(self) -> None:
        """Check that it can be executed.

        Raises:
            FileFormatError: nothing tells the address of a contract that is created, or records contradict each other
                in what they tell of their block.

        """
        _targets(self)
        _known_blocks(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did."""

    contracts: tuple[Address, ...]
    """Those that the database now holds, in the order of their creation."""
    executed: int
    """Records executed by this run."""
    total: int
    fidelity: Mapping[Fidelity, int]
    """Of the transactions executed by this run."""
    rules: str
    """Which rules were taken and why, as a sentence."""
    skipped: Mapping[Address, int]
    """Transactions of this run that went to accounts which the export does not create."""
    missing: Mapping[Address, int] = field(default_factory=dict)
    """Contracts that were called and are not at hand, with the number of transactions."""
    funded: int = 0
    """Transactions that would have failed without ether whose way to the contract no list shows."""
    diff_counts: DiffCounts = field(default_factory=DiffCounts)
    """What the comparison with storage differences found."""
    inferred: tuple[str, ...] = ()
    """What no list shows and nothing else explains, in sentences, each with its reason."""

    def summary(self, chain_id: int, database: str) -> str:
        """Return what was done in lines for a terminal; ``database`` is what to call the database."""
        return import_summary(
            contracts=list(self.contracts),
            executed=self.executed,
            total=self.total,
            fidelity=self.fidelity,
            rules=self.rules,
            skipped=self.skipped,
            missing=self.missing,
            funded=self.funded,
            compared=self.diff_counts,
            inferred=self.inferred,
            chain_id=chain_id,
            database=database,
        )


_Calls = Sequence[tuple[ExportedCall, ...]]
"""Internal calls, grouped by their transaction."""


@dataclass(slots=True)
class _Chunk:
    """What was executed and is not stored yet."""

    first: int
    last: int = 0
    items: list[ReplayedTransaction] = field(default_factory=list)
    codes: dict[Address, set[bytes]] = field(default_factory=dict)
    """Runtime code at each address that was called or ran: several where a contract was created again with another."""

    @property
    def full(self) -> bool:
        """Whether it should be stored once its block is over."""
        return len(self.items) >= CHUNK or sum(item.size for item in self.items) >= CHUNK_BYTES


def import_export(
    store: TraceStore,
    export: Export,
    rulebook: Rulebook,
    *,
    artifact: Artifact | Sequence[Artifact] | None = None,
    node: Node | None = None,
    observer: Observer = SILENT,
) -> ImportResult:
    """Execute an export and fill the database with what happened; continue where an earlier run stopped.

    ``node`` is asked for the code and storage of contracts that the export does not create. Of several ABIs each
    contract gets those that its code has the functions of.

    Raises:
        FileFormatError: the export creates no contract, or does not tell where.
        UsageError: there is no such fork, the rules of a block cannot be told, or the engine is not installed.
        ChainError: the node failed; what was stored before is kept.
        StoreError: the database failed, or holds another chain of the same id.

    """
    return prepare_import(store, export, rulebook, artifact=artifact, node=node, observer=observer)()


def prepare_import(
    store: TraceStore,
    export: Export,
    rulebook: Rulebook,
    *,
    artifact: Artifact | Sequence[Artifact] | None = None,
    node: Node | None = None,
    observer: Observer = SILENT,
) -> Callable[[], ImportResult]:
    """Return what does :func:`import_export`; what needs no execution is checked, nothing is stored yet.

    Raises:
        FileFormatError: the export creates no contract, or does not tell where.
        UsageError: there is no such fork, the rules of a block cannot be told, or the engine is not installed.
        ChainError: the node failed.

    """
    source = None if node is None else NodeSource(node, observer.note)
    targets, created = _targets(export)
    placed = () if export.state is None else tuple(sorted(export.state.accounts.keys() - created))
    existing = _existing(export, created) if source is None and not targets & set(placed) else ()
    rules, choice, name, explained = _rules(export, rulebook, placed, note := _once(observer.note))
    machine = rulebook.maker().make(source, note)
    replay = RecordReplay(
        machine,
        rulebook.chain_id,
        rules,
        targets,
        gas_is_evidence=choice is None or choice.gas_is_evidence,
        codes=export.codes,
        blocks=_known_blocks(export),
        diffs=export.diffs,
        infer=rulebook.infer,
    )
    for contract in existing:
        replay.adopt(contract)
        observer.note(_NOT_CREATED + ("" if contract in export.codes else _WITHOUT_CODE))
    artifacts = tuple(filter(None, (artifact,))) if isinstance(artifact, Artifact | None) else tuple(artifact)
    run = _Import(store, export, rulebook.chain_id, artifacts, source, replay, observer)
    run.unknown_contracts = frozenset(existing)
    run.created_contracts = created
    codes = "".join(f" {address.hex()} {code.hex()}" for address, code in sorted(export.codes.items()))
    run.digest.update(f"{rulebook} {name} {node is not None}{codes}".encode())
    run.place_contracts(placed)
    return lambda: run.run(explained)


class _Import:
    """One run of :func:`import_export`."""

    def __init__(
        self,
        store: TraceStore,
        export: Export,
        chain_id: int,
        artifacts: tuple[Artifact, ...],
        source: NodeSource | None,
        replay: RecordReplay,
        observer: Observer,
    ) -> None:
        self.store = store
        self.export = export
        self.chain = chain_id
        self.artifacts = artifacts
        self._delegated_codes: dict[Address, dict[Address, bytes]] = {}
        """For each contract the code at other addresses that ran in its storage, the newest last."""
        self.source = source
        self.replay = replay
        self.observer = observer
        self.first = export.transactions[0].hash
        self._replaces_earlier = False
        """Whether what was executed before gives way, once the first chunk is executed."""
        self.digest = hashlib.sha256()
        self.creation_blocks: dict[Address, int] = {}
        self.codes: dict[Address, bytes] = {}
        self.skipped: Counter[Address] = Counter()
        self.fidelity: Counter[Fidelity] = Counter()
        self.unknown_contracts: frozenset[Address] = frozenset()
        """Contracts that existed before the export begins, so that nothing is known of their storage."""
        self.created_contracts: frozenset[Address] = frozenset()
        """Contracts that transactions of the export create."""
        self._placed_accounts: dict[Address, StateAccount] = {}
        """Contracts of a file of the chain's state."""
        self._stale: frozenset[Hash] = frozenset()
        """First transactions of exports that were executed before, and are part of this one now."""

    def place_contracts(self, contracts: Sequence[Address]) -> None:
        """Put contracts of a file of the chain's state where they were; before anything is executed.

        What the storage of a later state holds is not what it held, so it is in doubt.
        """
        state, replay = self.export.state, self.replay
        if state is None:
            return
        early = state.block < self.export.transactions[0].block
        for contract in contracts:
            account = state.accounts[contract]
            self.digest.update(repr((contract, account, early)).encode())
            self._placed_accounts[contract] = account
            if contract in replay.targets and early:
                replay.existing_targets.add(contract)
            elif contract in replay.targets:
                replay.adopt(contract)
                self.unknown_contracts |= {contract}
        if contracts and not early:
            self.observer.note(
                f"the state is that of block {state.block:,}: code and storage of other contracts are as they were "
                "then, not as they were before each transaction"
            )

    def run(self, explained: str) -> ImportResult:
        """Do it; ``explained`` says by which rules."""
        blocks = list(_blocks(self.export, self.replay))
        start = self._resume(blocks)
        if not start:
            place_accounts(self.replay.machine, self._placed_accounts)
        done = before = sum(len(records) + len(calls) for records, calls in blocks[:start])
        total = sum(len(records) + len(calls) for records, calls in blocks)
        chunk = _Chunk(first=_number(blocks[start - 1]) + 1 if start else _number(blocks[0]))
        for number, (records, calls) in enumerate(blocks[start:], start + 1):
            self._execute(records, calls, chunk)
            chunk.last = _number((records, calls))
            done += len(records) + len(calls)
            self._digest(records, calls)
            self.observer.progress(ExecutionProgress(done=done, total=total))
            if chunk.full or number == len(blocks):
                self._store(chunk, done, last=number == len(blocks))
                chunk = _Chunk(first=chunk.last + 1)
        return ImportResult(
            contracts=tuple(
                sorted(self.creation_blocks, key=lambda item: (self.creation_blocks[item], item))
            ),
            executed=done - before,
            total=total,
            fidelity={mark: self.fidelity[mark] for mark in Fidelity if self.fidelity[mark]},
            rules=explained,
            skipped=dict(self.skipped),
            missing=dict(self._missing()),
            funded=self.replay.funded,
            diff_counts=self.replay.diff_counts,
            inferred=separate(fact.sentence for fact in self.replay.facts)[1],
        )

    def _missing(self) -> Counter[Address]:
        """Return the contracts that were called and are not at hand."""
        strangers = self.replay.strangers.items()
        return Counter({address: count for address, count in strangers if address not in self.replay.targets})

    def _resume(self, blocks: Sequence[tuple[Sequence[ExportedTransaction], _Calls]]) -> int:
        """Go on from what was stored; return how many blocks are done.

        Raises:
            UsageError: more of what seems to be the same export was executed before, but not all of this one.

        """
        stored_state = self.store.replay(self.chain, self.first)
        hashes = {record.hash for records, _ in blocks for record in records}
        self._stale = frozenset(self.store.replays(self.chain).keys() & hashes - {self.first})
        if self._stale:
            self._check_nothing_lost(blocks)
            self.observer.note("parts of this were executed before; all of it is executed together now")
            self._replaces_earlier = True
            return 0
        if stored_state is None:
            return 0
        done, digest, state = stored_state
        total = sum(len(records) + len(calls) for records, calls in blocks)
        if done > total:
            if self.store.holds(self.chain, [record.hash for records, _ in blocks for record in records]):
                stored_contracts = {
                    item.address for item in self.store.contracts() if item.chain_id == self.chain
                }
                self.replay.existing_targets |= stored_contracts & self.replay.targets
                self._remember()
                return len(blocks)
            raise UsageError(
                f"the database holds a longer export that begins with the same transaction: {done:,} of its records "
                f"were executed, and {plain(self.export.origin)} has {total:,}; give the longer one, or another --db"
            )
        fresh, count = self.digest.copy(), 0
        for position, (records, calls) in enumerate(blocks):
            self._digest(records, calls)
            count += len(records) + len(calls)
            if count == done:
                if self.digest.digest() != digest:
                    break
                try:
                    self.replay.restore(state)
                except ValueError:
                    break
                self._remember()
                self.unknown_contracts |= (
                    self.export.owners
                    & self.replay.existing_targets
                    & self.replay.doubt.contracts - self.created_contracts
                )
                return position + 1
        self.digest = fresh
        self._check_nothing_lost(blocks)
        self.observer.note(
            "this export was executed before by other rules, limits or records; it is executed anew"
        )
        self._replaces_earlier = True
        return 0

    def _check_nothing_lost(self, blocks: Sequence[tuple[Sequence[ExportedTransaction], _Calls]]) -> None:
        """Check that an export holds all that was executed before, so that nothing is lost when it is executed anew.

        Raises:
            UsageError: it does not.

        """
        hashes = {record.hash for records, _ in blocks for record in records}
        hashes |= {group[0].hash for _, calls in blocks for group in calls}
        stored: set[Hash] = set()
        for contract in self.replay.targets:
            stored |= self.store.recorded_by(self.chain, contract, [Tracer.EXECUTION]).keys()
        missing = stored - hashes
        if missing:
            raise UsageError(
                f"{plain(self.export.origin)} begins as an export that was executed before, but lacks {len(missing):,} "
                f"transactions of it, such as 0x{min(missing).hex()}; give an export that has them all (with its "
                "internal calls), or another --db"
            )

    def _remember(self) -> None:
        for contract in self.replay.existing_targets:
            try:
                record = self.store.record(self.chain, contract)
            except StoreError:
                continue
            self.creation_blocks[contract] = record.created_in_block or 0
            self.codes[contract] = record.code
            self._delegated_codes[contract] = dict(record.implementations)

    def _digest(self, records: Sequence[ExportedTransaction], calls: _Calls) -> None:
        for record in records:
            self._add_to_digest(record)
        for group in calls:
            for call in group:
                self._add_to_digest(call)

    def _add_to_digest(self, record: ExportedTransaction | ExportedCall) -> None:
        diffs = self.export.diffs.get(record.hash)
        if diffs:
            self.digest.update(repr(sorted(diffs.items(), key=lambda item: item[0])).encode())
        self.digest.update(repr(replace(record, record=0)).encode())
        if record.block_values is not None:
            self.digest.update(repr(record.block_values).encode())
        if isinstance(record, ExportedTransaction) and not record.gas_is_evidence:
            self.digest.update(f" {record.type}".encode())

    def _execute(self, records: Sequence[ExportedTransaction], calls: _Calls, chunk: _Chunk) -> None:
        number = _number((records, calls))
        if self.source is not None and self.source.block != number:
            self.source.block = number
            self.replay.machine.state.refresh()
        index = -1
        for item in _in_block_order(records, calls):
            position = item[0].index if isinstance(item, tuple) else item.index
            index = index + 1 if position is None else position
            if isinstance(item, tuple):
                for call in item:
                    if call.to is not None:
                        self._exists(call.to)
                self._take(self.replay.inner(item, index), chunk)
            elif item.to is not None and not self._exists(item.to):
                self.skipped[item.to] += 1
            else:
                self._take(self.replay.step(item, index), chunk)

    def _exists(self, contract: Address) -> bool:
        if contract in self.replay.existing_targets:
            return True
        if self.source is not None and self.replay.machine.code(contract):
            self.replay.machine.state.adopt(contract)
            self.replay.existing_targets.add(contract)
            return True
        if contract in self.export.owners:
            self.replay.adopt(contract)
            self.unknown_contracts |= {contract}
            self.observer.note(f"0x{contract.hex()}: {_NOT_CREATED}{_WITHOUT_CODE}")
            return True
        return False

    def _take(self, item: ReplayedTransaction, chunk: _Chunk) -> None:
        self.fidelity[item.fidelity] += 1
        for contract, transaction in item.parts.items():
            self.creation_blocks.setdefault(contract, item.block)
            ran = _code_addresses(transaction)
            for address in {contract, *ran}:
                if code := self.replay.machine.code(address):
                    self.codes[address] = code
                    chunk.codes.setdefault(address, set()).add(code)
        chunk.items.append(item)

    def _store(self, chunk: _Chunk, done: int, *, last: bool) -> None:
        transactions_by_contract: dict[Address, list[Transaction]] = {
            item: [] for item in self.creation_blocks
        }
        for item in chunk.items:
            for contract, transaction in item.parts.items():
                transactions_by_contract[contract].append(transaction)
        limits = self._limits() if last else None
        parts = [
            self._part(contract, transactions_by_contract[contract], chunk, limits)
            for contract in sorted(transactions_by_contract)
        ]
        self.store.add_replayed(
            self.chain,
            parts,
            first=self.first,
            done=done,
            digest=self.digest.digest(),
            state=self.replay.save(),
            forgetting=sorted(self.replay.targets) if self._replaces_earlier else (),
            replacing=sorted(self._stale),
        )
        self._replaces_earlier = False

    def _part(
        self,
        contract: Address,
        transactions: list[Transaction],
        chunk: _Chunk,
        limits: tuple[str, ...] | None,
    ) -> ContractPart:
        created = self.creation_blocks.get(contract)
        ran = {call.code for transaction in transactions for call in transaction.invocations} - {contract}
        inside = {address for transaction in transactions for address in _code_addresses(transaction)}
        return ContractPart(
            record=ContractRecord(
                address=contract,
                chain_id=self.chain,
                code=self.codes.get(contract, b""),
                created_in_block=created,
                implementations=tuple((address, self.codes.get(address, b"")) for address in sorted(ran)),
                artifact=self._artifact(contract, transactions, chunk),
                codes=tuple(sorted({code for address in inside for code in self._codes_at(address, chunk)})),
            ),
            transactions=transactions,
            complete=(max(chunk.first, created or 0), chunk.last),
            limits=None if limits is None else (*limits, *self._inferred(contract)),
        )

    def _inferred(self, contract: Address) -> Iterator[str]:
        """Yield what was inferred of a contract's history, as it is kept among its limits."""
        return (fact.sentence for fact in self.replay.facts if fact.contract == contract)

    def _artifact(
        self, contract: Address, transactions: Sequence[Transaction], chunk: _Chunk
    ) -> bytes | None:
        """Return the ABI that belongs to a contract, as it is stored."""
        if not self.artifacts:
            return None
        delegated = self._delegated_codes.setdefault(contract, {})
        for transaction in transactions:
            for call in transaction.invocations:
                for address in (*(code.address for code in call.codes or ()), call.code):
                    if address != contract:
                        delegated[address] = delegated.pop(address, b"") or self.codes.get(address, b"")
        codes = [*sorted(self._codes_at(contract, chunk)), *delegated.values()]
        artifact = fitting_artifact(self.artifacts, codes)
        return None if artifact is None else artifact.to_json()

    def _codes_at(self, address: Address, chunk: _Chunk) -> set[bytes]:
        """Return the code that an address had in a chunk, or last before it."""
        return chunk.codes.get(address, set()) | ({self.codes[address]} if address in self.codes else set())

    def _limits(self) -> tuple[str, ...]:
        """Return what a reader of this history should know."""
        limits = [*self.export.limits] + ([] if self.export.calls else [_EXECUTION_NOTE])
        if not self.replay.machine.tells_environment:
            limits.append(_SPECIFICATION)
        if self.replay.questions:
            limits.append(
                f"the code asked for {', '.join(sorted(self.replay.questions))}, which an export does not tell; zeros "
                "or assumptions were the answer"
            )
        if self.replay.funded:
            limits.append(
                "ether reached the contract in ways that the export does not show: transactions that succeeded would "
                f"have failed without it ({self.replay.funded:,} times)"
            )
        wrong = self.replay.diff_counts.contradictions
        if wrong:
            limits.append(
                f"storage differences tell another write than was executed of {count_of(len(wrong), 'transaction')}, "
                f"such as 0x{wrong[0].hex()}; these values are unknown"
            )
        without_code = sorted(item for item in self.unknown_contracts if not self.replay.machine.code(item))
        if self.unknown_contracts:
            limits.append(_NOT_CREATED + (_WITHOUT_CODE if without_code else ""))
        strangers = self._missing()
        if strangers:
            most = [address for address, _ in strangers.most_common(_MAX_NAMES)]
            more = len(strangers) - len(most)
            limits.append(
                "contracts that were called are not at hand and answered nothing: "
                + ", ".join(f"0x{address.hex()}" for address in most)
                + (f" and {more} more" if more > 0 else "")
                + (
                    ""
                    if self.source
                    else "; their own lists, imported too, or a node (--rpc) would have their code"
                )
            )
        return tuple(limits)


def _blocks(export: Export, replay: RecordReplay) -> Iterator[tuple[list[ExportedTransaction], _Calls]]:
    """Yield what happened block by block: transactions, then calls that other transactions made."""
    hashes = {record.hash for record in export.transactions}
    inner: dict[int, dict[Hash, list[ExportedCall]]] = {}
    for call in export.calls:
        if (
            call.hash not in hashes
            and call.type in (CallType.CALL, CallType.CALLCODE)
            and call.to in replay.targets
            and call.sender not in replay.targets
        ):
            inner.setdefault(call.block, {}).setdefault(call.hash, []).append(call)
    direct = {
        number: list(records) for number, records in groupby(export.transactions, key=lambda item: item.block)
    }
    for number in sorted({*direct, *inner}):
        yield direct.get(number, []), [_in_tree_order(calls) for calls in inner.get(number, {}).values()]


def _known_blocks(export: Export) -> dict[int, Block]:
    """Return what all records together tell of their blocks.

    Raises:
        FileFormatError: they contradict each other.

    """
    try:
        blocks = (item.of_block() for item in export.transactions)
        return merge_blocks(chain(blocks, (item.of_block() for item in export.calls)))
    except RecordError as error:
        raise FileFormatError(f"{plain(export.origin)}: {error}") from None


def _in_block_order(
    records: Sequence[ExportedTransaction], calls: _Calls
) -> Sequence[ExportedTransaction | tuple[ExportedCall, ...]]:
    """Return what happened in a block in its order; calls whose place is not told come last."""
    items: list[ExportedTransaction | tuple[ExportedCall, ...]] = [*records, *calls]
    if any(record.index is None for record in records):
        return items
    indices = [item[0].index if isinstance(item, tuple) else item.index for item in items]
    last = max((index for index in indices if index is not None), default=-1) + 1
    order = sorted(range(len(items)), key=lambda row: last if indices[row] is None else indices[row] or 0)
    return [items[row] for row in order]


def _in_tree_order(calls: Sequence[ExportedCall]) -> tuple[ExportedCall, ...]:
    """Return the calls of one transaction in the order in which they were made, where the list tells that."""
    if any(call.trace is None for call in calls):
        return tuple(calls)
    return tuple(sorted(calls, key=lambda call: call.trace or ()))


def _number(block: tuple[Sequence[ExportedTransaction], _Calls]) -> int:
    records, calls = block
    return records[0].block if records else calls[0][0].block


def _targets(export: Export) -> tuple[frozenset[Address], frozenset[Address]]:
    """Return the contracts to record: those that the export creates and those that it calls; and the former alone.

    Raises:
        FileFormatError: nothing tells the address of a contract that is created.

    """
    try:
        created = {call_of(item).created for item in export.transactions if item.to is None}
    except FileFormatError as error:
        raise FileFormatError(f"{plain(export.origin)}: {error.message}") from None
    called = {item.to for item in export.transactions}
    return (
        frozenset(item for item in created | called if item is not None),
        frozenset(item for item in created if item is not None),
    )


def _existing(export: Export, created: frozenset[Address]) -> tuple[Address, ...]:
    """Return the contracts that existed before the export begins: those of known code, else the one called most.

    An export that creates nothing is the list of one contract, which another contract created, or which is older.
    """
    called = {item.to for item in export.transactions}
    of_known_code = sorted(item for item in export.codes if item in called and item not in created)
    main = main_contract(export.transactions)
    if of_known_code or created or main is None:
        return tuple(of_known_code)
    return (main,)


def _once(note: Callable[[str], None]) -> Callable[[str], None]:
    """Return what tells of a transaction once: the choice of rules and the history meet the same difference."""
    transactions: set[str] = set()

    def hear(text: str) -> None:
        transaction = text.partition(":")[0]
        if transaction not in transactions:
            transactions.add(transaction)
            note(text)

    return hear


def _rules(
    export: Export, rulebook: Rulebook, placed: Sequence[Address], note: Callable[[str], None]
) -> tuple[Rules, ForkFit | None, str, str]:
    """Return the rules to execute by, how well they fit (``None`` if they are known), a name and a sentence."""
    records, maker = export.transactions, rulebook.maker()
    if export.state is not None:
        accounts = {contract: export.state.accounts[contract] for contract in placed}
        maker = StateMaker(
            engine=maker.engine, max_steps=maker.max_steps, max_gas=maker.max_gas, accounts=accounts
        )
    if rulebook.fork != AUTO:
        rules = rules_of_fork(rulebook.fork)
        choice = measure(records, rulebook.chain_id, rulebook.fork, rules, maker, note)
        return rules, choice, choice.name, f"the rules of {plain(rulebook.fork, 40)}, as asked"
    chain_rules = rules_of_chain(rulebook.chain_id)
    if chain_rules is not None:
        sentence = f"the rules of each block's fork, by the schedule of chain {rulebook.chain_id}"
        return chain_rules, None, "schedule", sentence
    choice = choose(records, rulebook.chain_id, maker, note, export.diffs)
    return (
        choice.rules,
        choice,
        choice.name,
        f"the rules of {choice.name}: of the first {choice.sample} transactions, {choice.status:.1%} end as recorded "
        f"and {choice.gas:.1%} use exactly the recorded gas",
    )


def _code_addresses(transaction: Transaction) -> set[Address]:
    """Return the addresses whose code ran in the invocations of a transaction."""
    calls = transaction.invocations
    return {call.code for call in calls} | {code.address for call in calls for code in call.codes or ()}
