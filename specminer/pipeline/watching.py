"""Follows a chain: what is new is collected, judged by a specification, and what does not fit is delivered."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from specminer._support.errors import ChainError, UsageError
from specminer._support.text import count_of
from specminer.contracts.artifact import Artifact
from specminer.history.trace import Address, Hash
from specminer.monitoring.journal import DeliveryJournal, Notice
from specminer.monitoring.metrics import WatchCounters
from specminer.monitoring.receivers import FindingReceiver, NotDelivered
from specminer.monitoring.state_file import StateFile
from specminer.pipeline.checking import CheckOptions, check_history
from specminer.pipeline.inputs import parse_address
from specminer.pipeline.mining import mine
from specminer.pipeline.output import replace_file
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.source import OpenSource, UpdateRequest
from specminer.pipeline.state import options_of
from specminer.pipeline.stored_checking import StoredCheck
from specminer.pipeline.transaction_list import TransactionList
from specminer.presentation.check_result import finding_document
from specminer.specification import DEFAULT_LISTED, ClaimEdits, Specification, encode_specification
from specminer.specification.address_names import AddressNames
from specminer.specification.deviation import CheckResult, Deviation, Severity
from specminer.store import TraceStore

WATCHED_LEAST: Final = 500
"""Calls of a history from which on something is kept; fewer than for a single check, since it is used at each round."""
LONGEST_PAUSE: Final = 300.0
"""Seconds between two rounds at most, while the node fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How a chain is followed."""

    interval: float = 12.0
    """Seconds between two rounds."""
    least: Severity = Severity.UNKNOWN
    """What is delivered: findings so bad, or worse."""
    once: bool = False
    """Whether one round is all."""
    metrics: Path | None = None
    """The file for the counters; ``None`` for none."""
    learn: Path | None = None
    """The specification's file, if it is mined anew after each round that brought something; ``None`` to keep it."""
    edits: ClaimEdits = field(default_factory=dict)
    """What was decided about single claims."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """A specification and the chain that it is held against."""

    specification: Specification
    store: TraceStore
    source: OpenSource
    journal: DeliveryJournal
    receivers: Sequence[FindingReceiver]
    options: WatchOptions
    artifact: Artifact | None = None
    state: StateFile | None = None
    """What is kept of the history that was read; ``None`` to read all of it in each round that brings something."""
    kept_from: int = WATCHED_LEAST
    """Calls of a history from which on something is kept."""
    observer: Observer = SILENT
    sleep: Callable[[float], None] = time.sleep
    counters: WatchCounters = field(default_factory=WatchCounters)
    _transaction_list: TransactionList = field(init=False)
    _is_compared: bool = False
    """Whether what the list held when it was last accepted was compared with the journal, and nothing was replaced."""
    _checks: StoredCheck | None = None

    def __post_init__(self) -> None:
        """Prepare; nothing is read."""
        self._transaction_list = TransactionList(self.store, self.specification.chain_id, self._contracts())

    def run(self) -> None:
        """Follow the chain until interrupted; a failing node is asked again, with growing pauses.

        Raises:
            UsageError: the specification names no contract, or does not fit the history.
            StoreError: the database or the journal failed.

        """
        pause = self.options.interval
        while True:
            try:
                self.round()
                pause = self.options.interval
            except ChainError as error:
                if self.options.once:
                    raise
                self.counters.failed_rounds += 1
                pause = min(LONGEST_PAUSE, 2 * pause)
                self.observer.note(f"{error.message}; it is asked again in {pause:.0f} seconds")
            self._write_counters()
            if self.options.once:
                return
            self.sleep(pause)

    def round(self) -> None:
        """Read what is new, judge it, and deliver what does not fit, and what was left from before.

        Raises:
            ChainError: the node failed; what was found before is kept.

        """
        for address in self._contracts():
            self.source.update(self.store, UpdateRequest(contract=address), self.observer)
        self._judge()
        self.counters.last_block = self._last_block()
        self.counters.last_round = round(time.time(), 3)
        self._deliver()

    def _contracts(self) -> list[Address]:
        return [parse_address(text) for text in self.specification.contracts]

    def _last_block(self) -> int | None:
        """Return the newest block that was read."""
        chain = self.specification.chain_id
        ends = [last for item in self._contracts() for _, last in self.store.ranges(chain, item)]
        return max(ends, default=None)

    def _judge(self) -> None:
        """Judge what is new, and take back what is no longer there; the history is read only if something is new."""
        if not self._transaction_list.renew():
            self._is_compared = False
        new, removals = self._changes()
        if not new and not removals:
            self._accept()
            return
        findings: tuple[Deviation, ...] = ()
        if new:
            result = self._check(CheckOptions(transactions=tuple(new), edits=self.options.edits))
            findings = result.at_least(self.options.least)
        names = AddressNames.of(self.specification)
        self.journal.record(new, ((item, finding_document(item, names)) for item in findings), removals)
        self._accept()
        self.counters.transactions += len(new)
        self.counters.findings.update(item.severity for item in findings)
        self.counters.withdrawn += len(removals)
        if removals:
            self.observer.note(
                f"{count_of(len(removals), 'transaction')} that were judged are no longer part of the chain"
            )
        if new and self.options.learn is not None:
            self._learn(self.options.learn)

    def _changes(self) -> tuple[dict[str, int], list[str]]:
        """Return the transactions that have yet to be judged, with their blocks, and those judged that are gone."""
        after = -1 if self.specification.history.last_block is None else self.specification.history.last_block
        present = _by_text(
            self._transaction_list.added() if self._is_compared else self._transaction_list.behind(-1)
        )
        judged_hashes = {} if self._is_compared else self.journal.judged_transactions()
        new = {text: block for text, block in present.items() if block > after and text not in judged_hashes}
        return new, [text for text in judged_hashes if text not in present]

    def _accept(self) -> None:
        """Take what the list holds for judged, so that the next round looks at what comes then."""
        self._transaction_list.accept()
        self._is_compared = True

    def _check(self, options: CheckOptions) -> CheckResult:
        """Judge transactions; of the history before them only what bears on them is read, if a state is kept."""
        if self.state is None:
            return check_history(
                self.specification,
                self.store.history(self.specification.chain_id, self._contracts()),
                options,
                artifact=self.artifact,
                observer=self.observer,
            )
        if self._checks is None or self._checks.specification is not self.specification:
            self._checks = StoredCheck(
                specification=self.specification,
                store=self.store,
                contracts=self._contracts(),
                state=self.state,
                artifact=self.artifact,
                observer=self.observer,
                min_calls=self.kept_from,
                transaction_list=self._transaction_list,
            )
        return self._checks.result(options)

    def _learn(self, path: Path) -> None:
        """Mine the specification anew with its own abstraction, and replace its file."""
        history = self.store.history(self.specification.chain_id, self._contracts())
        options = options_of(self.specification, surprising=DEFAULT_LISTED)
        try:
            mined = mine(history, options, artifact=self.artifact, name=self.specification.name)
        except UsageError as error:
            self.observer.note(f"nothing was learned: {error.message}")
            return
        self.specification = replace(mined.specification, address_names=self.specification.address_names)
        replace_file(path, encode_specification(self.specification))

    def _deliver(self) -> None:
        """Deliver what has yet to be delivered, in order; behind one that a receiver does not take, the rest waits."""
        for message in self.journal.pending():
            try:
                for receiver in self.receivers:
                    receiver.deliver(message)
            except NotDelivered as trouble:
                self.counters.failed_deliveries += 1
                noun = "withdrawal" if message.notice is Notice.WITHDRAWN else "finding"
                self.observer.note(f"a {noun} could not be delivered, and is delivered again: {trouble}")
                return
            self.journal.mark(message)

    def _write_counters(self) -> None:
        if self.options.metrics is not None:
            replace_file(self.options.metrics, self.counters.text().encode())


def _by_text(transactions: Mapping[Hash, int]) -> dict[str, int]:
    return {f"0x{name.hex()}": block for name, block in transactions.items()}
