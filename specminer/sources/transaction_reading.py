"""Reads some transactions from a node: their blocks, themselves, their receipts and traces. Any thread may do so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from specminer._support.errors import InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address, Block, Gap, Hash, Tracer, Transaction
from specminer.sources.chain_blocks import block_at, read_block
from specminer.sources.envelopes import TipChanged, check_receipt, check_transaction, envelope_of
from specminer.sources.lookahead import in_parallel
from specminer.sources.node import Node, Request, result_of
from specminer.sources.trace_matching import Envelope
from specminer.sources.tracing import SAMPLES, TracerChoice, TraceResult

GROUP: Final = 25
"""Transactions read at a time by one thread."""
_TRACED: Final = {Tracer.JAVASCRIPT: 16, Tracer.STRUCT_LOGS: 4, Tracer.PRESTATE: 8}
"""Transactions whose traces are held at a time by one thread, before they are decoded."""
_LARGE: Final = 24
"""Threads that hold opcode logs at a time."""
MAX_FAILURES: Final = 25
"""Transactions in a row without a trace, after which a node is taken to have stopped tracing."""

TransactionKey = tuple[int, Hash]
"""Block number and hash of a transaction to read."""


@dataclass(slots=True, kw_only=True)
class Reading:
    """What came of some transactions; the envelopes are ordered by block and index."""

    envelopes: list[Envelope]
    transactions: list[Transaction] = field(default_factory=list)
    gaps: list[Gap]
    notes: list[str] = field(default_factory=list)
    """What a user should know of it."""
    stop_reason: str | None = None
    """How the node had stopped tracing by then, as the end of a sentence; ``None`` if it goes on."""

    @property
    def of_system(self) -> frozenset[Hash]:
        """Transactions that the chain itself made, which need not have traces."""
        return frozenset(envelope.hash for envelope in self.envelopes if envelope.of_system)


class Notes:
    """Hears notes, and keeps back those of threads that read ahead until it is their turn."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._local = threading.local()

    def __call__(self, text: str) -> None:
        """Hear a note."""
        delayed: list[str] | None = getattr(self._local, "delayed", None)
        if delayed is None:
            self._note(text)
        else:
            delayed.append(text)

    @contextmanager
    def delay(self) -> Iterator[list[str]]:
        """Yield a list that gets what this thread notes."""
        delayed: list[str] = []
        self._local.delayed = delayed
        try:
            yield delayed
        finally:
            self._local.delayed = None


class TransactionReader:
    """Reads transactions of one contract."""

    def __init__(self, node: Node, contract: Address, notes: Notes) -> None:
        self.tracing = TracerChoice(node, [contract], notes)
        self.trace_count = 0
        """Transactions traced so far, whether anybody has taken them or not."""
        self._node = node
        self._contract = contract
        self._notes = notes
        self._lock = threading.Lock()
        self._failures = 0
        """Transactions in a row that could not be traced, in the order in which the node answered."""
        self._stop_reason: str | None = None
        self._room = threading.Semaphore(_LARGE)
        self._choice_notes: list[str] = []
        """What a user should know of the tracer, until a reading brings it."""
        self._trial: threading.Event | None = None
        """Set once whoever came first has tried a tracer; the others wait for it."""

    def read(
        self, keys: Sequence[TransactionKey], *, patient: bool, suspected: Collection[Hash] = ()
    ) -> Reading:
        """Read transactions and trace them; what cannot be read is a gap.

        It stops after ``MAX_FAILURES`` in a row that cannot be traced, whichever thread asked for them; those are not
        counted that are only ``suspected``.

        Raises:
            TipChanged: a transaction moved, and the caller is ``patient`` enough to look for it again.
            NodeRefused: the node traces nothing.

        """
        if self._node.helpers is not None:
            reading = self._node.helpers.read(self._contract, keys, patient=patient, suspected=suspected)
            self.trace_count += len(reading.transactions)
            return reading
        with self._notes.delay() as notes, self._turn() as first:
            answers, traces = self._answers(keys, first=first)
            envelopes, gaps = self._envelopes(keys, answers, patient=patient)
            with self._lock:
                notes += self._choice_notes
                self._choice_notes = []
            reading = Reading(envelopes=envelopes, gaps=gaps, notes=notes)
            self._wait_for_trial(first=first)
            for traced in self._trace(envelopes, traces):
                reading.transactions += traced.transactions
                reading.gaps += traced.gaps
                reading.stop_reason = self._stopped_after(traced, {*suspected, *reading.of_system})
                if reading.stop_reason is not None:
                    break
            return reading

    def choose_tracer(self, keys: Sequence[TransactionKey]) -> None:
        """Choose a tracer by transactions that will be read later; notes come with the first reading.

        Raises:
            NodeRefused: the node traces none of them.

        """
        with self._notes.delay() as notes, self._turn() as first:
            if first:
                answers, traces = self._answers(keys, first=True)
                envelopes, _ = self._envelopes(keys, answers, patient=False)
                if envelopes:
                    self.tracing.choose(envelopes, traces)
                    self._choice_notes = notes

    def _stopped_after(self, traced: TraceResult, suspected: Collection[Hash]) -> str | None:
        """Count what could not be traced; return how the node has stopped tracing, if it has."""
        failed = [gap for gap in traced.gaps if gap.hash not in suspected]
        with self._lock:
            self._failures = 0 if traced.transactions else self._failures + len(failed)
            if self._stop_reason is None and self._failures >= MAX_FAILURES:
                self._stop_reason = (
                    f"{self._failures} transactions in a row could not be recorded ({failed[-1].reason})"
                )
            return self._stop_reason

    def _answers(
        self, keys: Sequence[TransactionKey], *, first: bool
    ) -> tuple[list[Any], Mapping[Hash, Any]]:
        """Return the answers to :func:`_requests_of`, and JavaScript traces that came in the same round trip.

        There are none of these where traces are large. As long as no tracer is chosen, whoever comes first asks for
        those of a few transactions, each alone, so that no answer can be another's.
        """
        tracer, requests = self.tracing.tracer, _requests_of(keys)
        if tracer is None and first:
            traced = self._trace_requests(keys[:SAMPLES])
            answers, traces = in_parallel(
                lambda: self._node.batch(requests), lambda: self._node.each(list(traced.values()), patience=0)
            )
            return answers, dict(zip(traced, traces, strict=True))
        if tracer is not Tracer.JAVASCRIPT:
            return self._node.batch(requests), {}
        traced = self._trace_requests(keys)
        answers = self._node.batch([*requests, *traced.values()])
        return answers, dict(zip(traced, answers[len(requests) :], strict=True))

    @contextmanager
    def _turn(self) -> Iterator[bool]:
        """Yield whether nobody came before, and let the others wait until the first is done."""
        with self._lock:
            first = self._trial is None
            trial = self._trial = self._trial or threading.Event()
        try:
            yield first
        finally:
            if first:
                trial.set()

    def _wait_for_trial(self, *, first: bool) -> None:
        if self._trial is not None and not first:
            self._trial.wait()

    def _trace_requests(self, keys: Sequence[TransactionKey]) -> Mapping[Hash, Request]:
        return {hash_: self.tracing.requests(Tracer.JAVASCRIPT, hash_)[0] for _, hash_ in keys}

    def _trace(self, envelopes: Sequence[Envelope], answers: Mapping[Hash, Any]) -> Iterator[TraceResult]:
        """Trace transactions, some at a time; ``answers`` are JavaScript traces that are there already."""
        if not envelopes:
            return
        tracer = self.tracing.choose(envelopes, answers)
        size = _TRACED[tracer]
        traces = answers if tracer is Tracer.JAVASCRIPT else {}
        for start in range(0, len(envelopes), size):
            with self._room if tracer is Tracer.STRUCT_LOGS else nullcontext():
                traced = self.tracing.record(envelopes[start : start + size], traces)
            self.trace_count += len(traced.transactions)
            yield traced

    def envelopes(self, keys: Sequence[TransactionKey], *, patient: bool) -> tuple[list[Envelope], list[Gap]]:
        """Read blocks, transactions and receipts; ordered by block and index. What cannot be read is a gap.

        Raises:
            TipChanged: a transaction moved, and the caller is ``patient`` enough to look for it again.

        """
        return self._envelopes(keys, self._node.batch(_requests_of(keys)), patient=patient)

    def _envelopes(
        self, keys: Sequence[TransactionKey], answers: Sequence[Any], *, patient: bool
    ) -> tuple[list[Envelope], list[Gap]]:
        """Read what a node answered to :func:`_requests_of`; see :meth:`envelopes`."""
        numbers = _numbers_of(keys)
        blocks = self._read_blocks(numbers, answers[: len(numbers)])
        envelopes: list[Envelope] = []
        gaps: list[Gap] = []
        for row, (number, hash_) in enumerate(keys):
            pair = answers[len(numbers) + row], answers[len(numbers) + len(keys) + row]
            try:
                envelopes.append(self._envelope(hash_, blocks[number], pair))
            except TipChanged as error:
                if patient:
                    raise
                gaps.append(Gap(hash=hash_, block=number, reason=str(error)))
            except (NodeRefused, InvalidNodeResponse) as error:
                gaps.append(Gap(hash=hash_, block=number, reason=str(error)))
        return sorted(envelopes, key=lambda envelope: (envelope.block.number, envelope.index)), gaps

    def _envelope(self, hash_: Hash, block: Block, answers: tuple[Any, Any]) -> Envelope:
        """Read a transaction; where the answers of a batch cannot be, ask for it alone."""
        try:
            return _read_envelope(hash_, block, answers)
        except (TipChanged, NodeRefused, InvalidNodeResponse) as error:
            envelope = self._read_alone(hash_, block)
            if isinstance(error, InvalidNodeResponse):
                self.tracing.doubt_batches(error)
            return envelope

    def _read_alone(self, hash_: Hash, block: Block) -> Envelope:
        """Ask for a transaction and its receipt, each until it is whole, and for both again until they fit."""

        def read(row: int, answer: Any) -> Any:
            (check_receipt if row else check_transaction)(hash_, answer)
            return answer

        requests = _requests_for(hash_)
        pair = self._node.read_each(requests, read)
        try:
            return envelope_of(hash_, pair[0], pair[1], block)
        except InvalidNodeResponse:
            return self._node.read(requests, lambda alone: _read_envelope(hash_, block, (alone[0], alone[1])))

    def _read_blocks(self, numbers: Sequence[int], answers: Sequence[Any]) -> dict[int, Block]:
        """Read blocks; where an answer of a batch cannot be, the block is asked for alone."""
        blocks: dict[int, Block] = {}
        for number, answer in zip(numbers, answers, strict=True):
            try:
                blocks[number] = read_block(result_of(answer), number)
            except InvalidNodeResponse as error:
                blocks[number] = block_at(self._node, number)
                self.tracing.doubt_batches(error)
        return blocks


def _block_request(number: int) -> Request:
    return "eth_getBlockByNumber", (hex(number), False)


def _requests_for(hash_: Hash) -> list[Request]:
    text = "0x" + hash_.hex()
    return [("eth_getTransactionByHash", (text,)), ("eth_getTransactionReceipt", (text,))]


def _numbers_of(keys: Sequence[TransactionKey]) -> list[int]:
    """Return the blocks of some transactions, each once."""
    return list(dict.fromkeys(number for number, _ in keys))


def _requests_of(keys: Sequence[TransactionKey]) -> list[Request]:
    """Return the requests for the blocks of some transactions, for themselves, and for their receipts."""
    pairs = [_requests_for(hash_) for _, hash_ in keys]
    blocks = [_block_request(number) for number in _numbers_of(keys)]
    return blocks + [transaction for transaction, _ in pairs] + [receipt for _, receipt in pairs]


def _read_envelope(hash_: Hash, block: Block, answers: tuple[Any, Any]) -> Envelope:
    transaction, receipt = map(result_of, answers)
    return envelope_of(hash_, transaction, receipt, block)
