"""Checks that read new transactions only: what bears on them is known from a file beside the specification.

A check divides a history and judges the events of some transactions. What is known of these does not depend on all
that was before, but on what the storage held that they access, on the interactions that they belong to, and on
enough calls of each function to know its terms. So the new transactions are divided and judged together with those
that tell this (:class:`specminer.monitoring.state_file.StateFile`).

The answer counts only if the whole history would give the same: if it is that nothing is found, everything of the
specification could be asked that the whole history could be asked, and no state is assumed. Else the whole
history is read, as without the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from specminer._support.errors import UsageError
from specminer.contracts.artifact import Artifact
from specminer.history.contract_history import BoolColumn, History
from specminer.history.excerpt import excerpt
from specminer.history.trace import Address, Hash
from specminer.monitoring.state_file import SlotKey, StateFile, StateMark, StoredState
from specminer.pipeline.bearing import (
    coverage_of,
    covers,
    find_concerned,
    interaction_visits,
    is_keepable,
    is_sure,
    join_results,
    sample_transactions,
    slot_visits,
)
from specminer.pipeline.checking import (
    CheckOptions,
    Judgement,
    check_history,
    divide_history,
    judge,
    judged_of,
    with_notes,
)
from specminer.pipeline.inputs import open_existing
from specminer.pipeline.part_reading import PartReader
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.selecting import SelectionOptions, choose_contracts
from specminer.pipeline.source import HistorySource
from specminer.pipeline.state import Mining
from specminer.pipeline.transaction_list import TransactionList
from specminer.specification import ClaimEdits, Specification, edit_specification, encode_specification
from specminer.specification.deviation import CheckResult
from specminer.store import TraceStore

MIN_CALLS: Final = 10_000
"""Calls; of fewer nothing is kept, because reading them all costs hardly more."""
SAMPLES: Final = (8, 16, 32, 64, 128)
"""Calls of each function and outcome that a sample holds; the first size that suffices is taken. Of an invariant that
could not be asked of a smaller one it holds cases besides, eight times as many."""
_ROUNDS: Final = 4
"""How often interactions that only dividing reveals are looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHistory:
    """Where a specification's own contracts are stored, and who brings them up to date."""

    database: str
    """Path or URL."""
    state: Path
    """The file that keeps what was read."""
    source: HistorySource | None = None
    artifact: Artifact | None = None


def check_stored(
    specification: Specification,
    stored: StoredHistory,
    options: CheckOptions | None = None,
    *,
    observer: Observer = SILENT,
) -> CheckResult:
    """Judge transactions of a specification's own contracts by reading those only that are new since the last check.

    Raises:
        UsageError: the abstraction does not fit the history, or a hash is none.
        ChainError: the source failed; what was collected before is kept.
        StoreError: the database does not hold the contracts or a transaction that is to be judged, or a file cannot be
            written.

    """
    selection = SelectionOptions(targets=specification.contracts, chain_id=specification.chain_id)
    with ExitStack() as stack:
        opened = (
            None if stored.source is None else stack.enter_context(stored.source.open(specification.chain_id))
        )
        store = stack.enter_context(
            open_existing(stored.database, observer.note)
            if opened is None
            else TraceStore(stored.database, observer.note)
        )
        choice = choose_contracts(store, selection, stored.artifact, opened, observer)
        return StoredCheck(
            specification=specification,
            store=store,
            contracts=choice.addresses,
            state=stack.enter_context(StateFile(stored.state)),
            artifact=stored.artifact,
            observer=observer,
        ).result(options or CheckOptions())


@dataclass(slots=True, kw_only=True)
class StoredCheck:
    """Checks of a specification's own contracts in a database, with a file that keeps what was read.

    Used again and again, it keeps in memory what it read, as long as the database says that it is still there.
    """

    specification: Specification
    store: TraceStore
    contracts: Sequence[Address]
    state: StateFile
    artifact: Artifact | None = None
    observer: Observer = SILENT
    min_calls: int = MIN_CALLS
    """Calls from which on something is kept."""
    transaction_list: TransactionList | None = None
    """The contracts' transactions, if whoever checks keeps the list up to date; ``None`` to read it at each check."""
    _transaction_list: TransactionList = field(init=False)
    _parts: PartReader = field(init=False)
    _replacements: int = 0
    """Those of the list when something was read last."""
    _edited_specification: tuple[ClaimEdits, tuple[Specification, bytes]] | None = None
    """The specification with edits, and a digest of it."""

    def __post_init__(self) -> None:
        """Prepare; nothing is read."""
        arguments = self.store, self.specification.chain_id, self.contracts
        self._parts = PartReader(*arguments)
        self._transaction_list = (
            TransactionList(*arguments) if self.transaction_list is None else self.transaction_list
        )

    def result(self, options: CheckOptions) -> CheckResult:
        """Judge transactions; the findings are those of a check that reads the whole history.

        Raises:
            UsageError: the abstraction does not fit the history, or a hash is none.
            StoreError: the history does not hold a transaction that is to be judged, or the file cannot be written.

        """
        specification, encoded = self._apply_edits(options.edits)
        digest = self._digest(encoded)
        if self.transaction_list is None:
            self._transaction_list.renew()
        if self._transaction_list.replacements != self._replacements:
            self._parts.forget()
            self._replacements = self._transaction_list.replacements
        mark = self._fitting(digest)
        state_result = None if mark is None else self._from_state(specification, options, mark)
        return self._whole(specification, options, digest) if state_result is None else state_result

    def _apply_edits(self, edits: ClaimEdits) -> tuple[Specification, bytes]:
        """Return the specification with what was decided about its claims, and a digest of it."""
        if self._edited_specification is None or self._edited_specification[0] != edits:
            edited = edit_specification(self.specification, edits)
            bare = replace(edited, address_names=None)  # what addresses are called decides nothing
            self._edited_specification = (
                edits,
                (edited, hashlib.sha256(encode_specification(bare)).digest()),
            )
        return self._edited_specification[1]

    def _digest(self, encoded: bytes) -> str:
        """Return what tells a specification and its contracts from others."""
        digest = hashlib.sha256(encoded)
        digest.update(b"" if self.artifact is None else self.artifact.to_json())
        for address in self.contracts:
            record = self.store.record(self.specification.chain_id, address)
            digest.update(repr(record).encode())
        return digest.hexdigest()

    def _fitting(self, digest: str) -> StateMark | None:
        """Return the mark of the file if it was made of this specification and of the beginning of this history."""
        mark, why = self.state.mark, self.state.note
        if mark is not None:
            if mark.specification != digest:
                why = "it was kept for another specification"
            elif (mark.prefix, mark.count) != self._transaction_list.fingerprint(mark.last_block):
                why = "transactions that it was made of were replaced"
        if why:
            self.observer.note(f"the stored state of checks is not used and written anew: {why}")
            return None
        return mark

    def _from_state(
        self, specification: Specification, options: CheckOptions, mark: StateMark
    ) -> CheckResult | None:
        """Return what new transactions alone show; ``None`` if the whole history has to be read."""
        behind = self._transaction_list.behind(mark.last_block)
        fresh = set(behind)
        requested = {Hash(bytes.fromhex(item[2:])) for item in options.transactions if len(item) == 66}
        is_rest = options == CheckOptions(edits=options.edits) and mark.result is not None
        if not mark.coverage or not (is_rest or (requested and requested <= fresh)):
            return None
        if not fresh:
            return None if mark.result is None else with_notes(mark.result, specification, options.edits)
        part = self._part(specification, mark, fresh)
        if part is None:
            return None
        judged = fresh if is_rest else requested
        judgement = judge(specification, part, _among(part, judged)[part.history.invocation_transaction])
        if not is_sure(part, judgement, mark.coverage):
            return None
        result, full_result = judgement.result, None
        if mark.result is not None and judged == fresh:
            full_result = join_results(mark.result, result)
        last = max(behind.values())
        prefix, count = self._transaction_list.fingerprint(last)
        self.state.extend(
            _state_of(
                part,
                _among(part, fresh),
                replace(mark, last_block=last, prefix=prefix, count=count, result=full_result),
            )
        )
        return with_notes(
            full_result if is_rest and full_result is not None else result, specification, options.edits
        )

    def _part(self, specification: Specification, mark: StateMark, fresh: set[Hash]) -> Mining | None:
        """Return new transactions and those that bear on them, divided; ``None`` if these are most of the history."""
        total = mark.count + len(fresh)
        slots: set[SlotKey] = set()
        senders: set[str] = set()
        for number, address in enumerate(self.contracts):
            for item in self._parts.transactions(address, fresh):
                for call in item.invocations:
                    senders.add(call.sender.hex())
                    slots |= {(number, access.slot.to_bytes(32, "big")) for access in call.accesses}
        earlier, _ = self.state.bearing(slots, (), senders)
        for _ in range(_ROUNDS):
            if self.min_calls and len(earlier | fresh) * 2 > total:
                return None
            try:
                part = divide_history(specification, self._parts.read(earlier | fresh), self.artifact)
            except UsageError:
                return None
            if part.history.lives:
                return None
            more, _ = self.state.bearing(slots, find_concerned(part, fresh), senders)
            if more <= earlier:
                return part
            earlier |= more
        return None

    def _whole(self, specification: Specification, options: CheckOptions, digest: str) -> CheckResult:
        """Judge by the whole history, and keep what bears on later transactions."""
        history = self.store.history(specification.chain_id, self.contracts)
        old = self.state.mark
        count = len(history.transaction_hash)
        was_vain = old is not None and not old.coverage and old.specification == digest
        if len(history) < self.min_calls or (was_vain and old is not None and count < 2 * old.count):
            return check_history(
                self.specification, history, options, artifact=self.artifact, observer=self.observer
            )
        mining = divide_history(specification, history, self.artifact, self.observer)
        judgement = judge(specification, mining, judged_of(mining.history, specification, options))
        is_rest = options == CheckOptions(edits=options.edits)
        last = int(history.transaction_block.max(initial=-1))
        prefix, count = self._transaction_list.fingerprint(last)
        mark = StateMark(
            specification=digest,
            last_block=last,
            prefix=prefix,
            count=count,
            coverage=coverage_of(mining, judgement) if is_keepable(mining) else {},
            result=judgement.result if is_rest else None,
        )
        sample = None
        if old is not None and (old.specification, old.coverage) == (mark.specification, mark.coverage):
            old_sample = self.state.sample()
            sample = tuple(sorted(old_sample)) if old_sample <= set(history.transaction_hash) else None
        if sample is None and mark.coverage:
            sample = self._sample(specification, mining, history, judgement)
        if sample is None:
            self.state.write(StoredState(mark=replace(mark, coverage={})))
        else:
            whole = np.ones(len(mining.history.transaction_hash), dtype=np.bool_)
            self.state.write(replace(_state_of(mining, whole, mark), sample=sample))
        return with_notes(judgement.result, specification, options.edits)

    def _sample(
        self, specification: Specification, mining: Mining, history: History, judgement: Judgement
    ) -> tuple[Hash, ...] | None:
        """Return a few transactions of which the specification can be asked as much as of all; ``None`` if none do."""
        more = np.zeros(0, dtype=np.int64)
        for size in SAMPLES:
            sample = np.union1d(sample_transactions(mining, size), more)
            if self.min_calls and len(sample) * 2 > len(history.transaction_hash):
                return None
            rows = np.flatnonzero(np.isin(history.invocation_transaction, sample))
            try:
                part = divide_history(specification, excerpt(history, rows, sample), self.artifact)
            except UsageError:
                continue
            none = np.zeros(len(part.history), dtype=np.bool_)
            part_judgement = judge(specification, part, none)
            if covers(coverage_of(part, part_judgement), coverage_of(mining, judgement)):
                return tuple(history.transaction_hash[row] for row in sample.tolist())
            cases = [
                rows[: 8 * size]
                for text, rows in judgement.invariants.items()
                if text not in part_judgement.invariants
            ]
            more = np.union1d(more, history.invocation_transaction[np.concatenate([more[:0], *cases])])
        return None


def _among(mining: Mining, hashes: Collection[Hash]) -> BoolColumn:
    """Return which transactions of a history are among some; shape (t,)."""
    return np.array([name in hashes for name in mining.history.transaction_hash], dtype=np.bool_)


def _state_of(mining: Mining, is_selected: BoolColumn, mark: StateMark) -> StoredState:
    """Return what some transactions of a divided history leave to be kept."""
    return StoredState(
        mark=mark,
        slots=tuple(slot_visits(mining, is_selected)),
        interactions=tuple(interaction_visits(mining, is_selected)),
    )
