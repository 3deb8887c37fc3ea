"""Chooses a tracer that the node really runs, and records transactions with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from specminer._support.errors import ChainError, InvalidNodeResponse, NodeRefused
from specminer.history.answer_log import foreign_logs
from specminer.history.trace import (
    NO_ADDRESS,
    AccessKind,
    Address,
    ForeignLog,
    Gap,
    Hash,
    Tracer,
    Transaction,
)
from specminer.history.tracer_steps import (
    Enter,
    Exit,
    MalformedSteps,
    Step,
    creations,
    outcome_of,
    record_steps,
)
from specminer.sources import javascript, prestate, struct_logs
from specminer.sources.node import Node, Request, octets, quantity, result_of
from specminer.sources.recent_calls import recent_calls
from specminer.sources.trace_matching import (
    Envelope,
    check_end,
    check_gas,
    check_logs,
    check_nonce,
    check_outermost,
)
from specminer.sources.untraceable import untraceable
from specminer.sources.upstream import TIMED_OUT

TRACER_TIMEOUT: Final = "100s"
"""Given to the node; its default of 5 s is too little for large transactions."""
ORDER: Final = (Tracer.JAVASCRIPT, Tracer.STRUCT_LOGS, Tracer.PRESTATE)
"""From the one that sees most to the one that sees least."""
SAMPLES: Final = 3
"""Transactions that a tracer is tried on before the next one is."""
SAMPLE_TRIES: Final = 5
"""How often a sample is traced at most, if what comes is wrong."""
MAX_LOST: Final = 3
"""Transactions whose trace stayed wrong, after which it is asked for ``FEW_TRIES`` times only: it is this node's
way."""
FEW_TRIES: Final = 3
MAX_WRONG: Final = 8
"""Transactions with wrong answers in batches, after which no more batches are sent."""
MAX_NOTES: Final = 10
"""Transactions that are named in notes."""


_tracer_source = lru_cache(maxsize=8)(javascript.tracer_source)


def requests_for(tracer: Tracer, transaction: Hash, contracts: Sequence[Address]) -> list[Request]:
    """Return the requests that record one transaction."""
    text = "0x" + transaction.hex()
    if tracer is Tracer.JAVASCRIPT:
        options: list[dict[str, Any]] = [{"tracer": _tracer_source(tuple(contracts))}]
    elif tracer is Tracer.STRUCT_LOGS:
        options = [struct_logs.OPTIONS]
    else:
        options = [prestate.CALL_OPTIONS, prestate.PRESTATE_OPTIONS, prestate.DIFF_OPTIONS]
    return [("debug_traceTransaction", (text, option | {"timeout": TRACER_TIMEOUT})) for option in options]


def decode(
    tracer: Tracer, envelope: Envelope, answers: Sequence[Any], contracts: Sequence[Address]
) -> Transaction:
    """Turn a tracer's answers into a transaction.

    Raises:
        NodeRefused: the node refused a request.
        InvalidNodeResponse: an answer is empty, malformed or contradicts the receipt.

    """
    results = [result_of(answer) for answer in answers]
    try:
        steps = _steps(tracer, envelope, results, contracts)
        recorded = record_steps(steps, contracts, environment=tracer is not Tracer.PRESTATE)
        created = creations(steps, contracts)
    except MalformedSteps as error:
        raise InvalidNodeResponse(f"the trace of {envelope.name} does not fit together: {error}") from None
    except (TypeError, AttributeError, LookupError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidNodeResponse(
            f"the trace of {envelope.name} is malformed: {type(error).__name__}"
        ) from None
    first, last = steps[0], steps[-1]
    if not isinstance(first, Enter) or not isinstance(last, Exit):
        raise InvalidNodeResponse(f"the trace of {envelope.name} has no outermost call")
    check_outermost(first, envelope)
    outcome = outcome_of(last.error, last.output)
    check_end(outcome, envelope)
    check_logs(recorded, envelope, contracts)
    if envelope.to in contracts and not any(call.depth == 0 for call in recorded.invocations):
        raise InvalidNodeResponse(f"the trace of {envelope.name} does not show the call that it makes")
    return Transaction(
        hash=envelope.hash,
        block=envelope.block,
        index=envelope.index,
        sender=envelope.sender,
        to=envelope.to,
        value=envelope.value,
        gas=envelope.gas,
        gas_used=envelope.gas_used,
        nonce=envelope.nonce,
        succeeded=outcome.accepted,
        tracer=tracer,
        invocations=recorded.invocations,
        preimages=recorded.preimages,
        creations=created,
        logs=_foreign_logs(envelope, contracts),
    )


def _foreign_logs(envelope: Envelope, contracts: Sequence[Address]) -> tuple[ForeignLog, ...] | None:
    """Return what others logged, as the receipt says; ``None`` if it does not say."""
    if envelope.logs is None:
        return None
    return foreign_logs(((log.address, log.topics, log.data) for log in envelope.logs), contracts)


def _steps(
    tracer: Tracer, envelope: Envelope, answers: Sequence[Any], contracts: Sequence[Address]
) -> list[Step]:
    if tracer is Tracer.JAVASCRIPT:
        return javascript.decode(answers[0], envelope)
    if tracer is Tracer.STRUCT_LOGS:
        return struct_logs.decode(answers[0], envelope, contracts)
    calls, before, difference = answers
    return prestate.decode(calls, before, difference, envelope, contracts)


def _gas_of(tracer: Tracer, answers: Sequence[Any]) -> int | None:
    """Return the gas that a trace says the transaction used; ``None`` if it does not say."""
    if tracer is Tracer.STRUCT_LOGS:
        return struct_logs.gas_of(answers[0])
    used = answers[0].get("gasUsed") if isinstance(answers[0], dict) else None
    return None if used is None else quantity(used, "gasUsed")


def _nonce_of(tracer: Tracer, answers: Sequence[Any]) -> int | None:
    """Return the sender's nonce that a trace shows; ``None`` if it shows none."""
    if tracer is not Tracer.JAVASCRIPT or not isinstance(answers[0], dict):
        return None
    nonce = answers[0].get("nonce")
    return nonce if type(nonce) is int else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceResult:
    """What came of tracing transactions."""

    transactions: list[Transaction]
    gaps: list[Gap]
    """Those that no tracer could record."""


class TracerChoice:
    """The tracer in use; steps down where the node refuses or lies, and remembers why."""

    def __init__(self, node: Node, contracts: Sequence[Address], note: Callable[[str], None]) -> None:
        self.node = node
        self.contracts = tuple(contracts)
        self.tracer: Tracer | None = None
        self._note = note
        self._nonce_step: int | None = None
        """What this node's JavaScript tracer shows of a sender's nonce, less the transaction's; where it is known."""
        self._tells_gas: set[Tracer] = set()
        """Tracers that say of the gas used what the node's receipts say, so that a difference counts."""
        self._choosing = threading.Lock()
        self._decoding = threading.Lock()
        """So that threads that decode do not keep the one that asks the node from its turn."""
        self._wrong_traces = 0
        """Transactions whose trace stayed wrong, however often it was asked for."""
        self._note_count = 0
        self._wrong_batches = 0
        """Transactions whose answers in a batch were wrong, and right when they were asked for alone."""

    def requests(self, tracer: Tracer, transaction: Hash) -> list[Request]:
        """Return the requests that record one transaction with a tracer."""
        return requests_for(tracer, transaction, self.contracts)

    def record(
        self, envelopes: Sequence[Envelope], answers: Mapping[Hash, Any] = MappingProxyType({})
    ) -> TraceResult:
        """Trace the transactions, in order; what cannot be traced is a gap.

        ``answers`` are those of a node to the only request of a transaction, where it was sent already.

        Raises:
            NodeRefused: the node has no debug method that works.

        """
        traced = TraceResult(transactions=[], gaps=[])
        if not envelopes:
            return traced
        tracer = self.choose(envelopes)
        for envelope, group in zip(envelopes, self._answers(tracer, envelopes, answers), strict=True):
            try:
                traced.transactions.append(self._decode(tracer, envelope, group, batched=True))
            except (NodeRefused, InvalidNodeResponse) as error:
                self._alone(envelope, tracer, error, traced)
        return traced

    def _answers(
        self, tracer: Tracer, envelopes: Sequence[Envelope], answers: Mapping[Hash, Any]
    ) -> list[list[Any]]:
        """Return what the node answers to the requests of each transaction; it is asked for what is not there yet."""
        groups: list[list[Any]] = []
        missing = [envelope.hash for envelope in envelopes if envelope.hash not in answers]
        requests = [self.requests(tracer, hash_) for hash_ in missing]
        added = iter(self.node.batch([request for group in requests for request in group]))
        widths = dict(zip(missing, map(len, requests), strict=True))
        for envelope in envelopes:
            width = widths.get(envelope.hash)
            groups.append([answers[envelope.hash]] if width is None else list(islice(added, width)))
        return groups

    def choose(
        self, envelopes: Sequence[Envelope], answers: Mapping[Hash, Any] = MappingProxyType({})
    ) -> Tracer:
        """Return the tracer in use; if none is yet, the first that can record some of these transactions.

        ``answers`` are JavaScript traces of some of them that are there already, each asked for alone.

        Raises:
            NodeRefused: the node has no debug method that works.

        """
        with self._choosing:
            if self.tracer is None:
                samples = self._samples(envelopes)
                is_javascript_usable = any(
                    self._shows(sample, answers.get(sample.hash)) for sample in samples
                )
                self.tracer = Tracer.JAVASCRIPT if is_javascript_usable else self._choose(samples)
            return self.tracer

    def again(self, envelope: Envelope) -> Transaction | None:
        """Trace one transaction once more, by itself; ``None`` if the tracer in use cannot."""
        try:  # another process may have recorded it, and chosen its tracer
            return self._one(self.choose([envelope]), envelope)
        except (NodeRefused, InvalidNodeResponse):
            return None

    def _decode(
        self, tracer: Tracer, envelope: Envelope, answers: Sequence[Any], *, batched: bool = False
    ) -> Transaction:
        """Return the transaction that answers tell.

        In a batch, another gas than the receipt's says that answers may be exchanged, and the transaction is asked for
        alone. What comes then is taken as this node's way to count: some leave out what a halt or a creation takes.
        """
        with self._decoding:
            decoded = decode(tracer, envelope, answers, self.contracts)
        if batched and tracer in self._tells_gas and (used := _gas_of(tracer, answers)) is not None:
            check_gas(used, envelope)
        nonce = _nonce_of(tracer, answers)
        if nonce is not None and self._nonce_step is not None:
            check_nonce(nonce, self._nonce_step, envelope)
        return self._without_spurious(decoded) if tracer is Tracer.PRESTATE else decoded

    def _samples(self, envelopes: Sequence[Envelope]) -> list[Envelope]:
        direct = [item for item in envelopes if item.to in self.contracts]
        return list(dict.fromkeys((*direct, *envelopes)))[:SAMPLES]

    def _choose(self, samples: Sequence[Envelope]) -> Tracer:
        """Return the first tracer in ``ORDER`` that can record one of some transactions.

        One transaction may be beyond a node where others are not. Where none can be recorded, recent transactions of
        other contracts show whether the node traces at all.
        """
        failures: dict[Tracer, ChainError] = {}
        for tracer in ORDER:
            for sample in samples:
                error = self._try(tracer, sample)
                if error is None:
                    return self._note_choice(tracer, failures)
                failures.setdefault(tracer, error)
        for tracer in ORDER:
            for sample in recent_calls(self.node, SAMPLES):
                own = TracerChoice(self.node, [sample.to or NO_ADDRESS], self._note)
                if own._try(tracer, sample) is None:
                    self._tells_gas |= own._tells_gas
                    self._nonce_step = own._nonce_step
                    return self._note_choice(tracer, failures)
        raise untraceable(self.node.endpoint.label, failures)

    def _try(self, tracer: Tracer, sample: Envelope) -> ChainError | None:
        """Record a sample; return why it could not be."""
        requests = self.requests(tracer, sample.hash)

        def reader(answers: list[Any]) -> list[Any]:
            decode(tracer, sample, answers, self.contracts)
            return answers

        try:
            self._learn(tracer, sample, self.node.read(requests, reader, tries=SAMPLE_TRIES))
        except (NodeRefused, InvalidNodeResponse) as error:
            return error
        return None

    def _shows(self, sample: Envelope, answer: Any) -> bool:
        """Whether an answer to a request that was sent alone is the JavaScript trace of a sample."""
        try:
            if answer is None:
                return False
            decode(Tracer.JAVASCRIPT, sample, [answer], self.contracts)
            self._learn(Tracer.JAVASCRIPT, sample, [answer])
        except (NodeRefused, InvalidNodeResponse):
            return False
        return True

    def _learn(self, tracer: Tracer, sample: Envelope, answers: Sequence[Any]) -> None:
        """Learn from a sample's answers how this node counts gas and shows nonces."""
        if _gas_of(tracer, answers) in (sample.gas_used, sample.block_gas_used):
            self._tells_gas.add(tracer)
        nonce = _nonce_of(tracer, answers)
        if nonce is not None and not sample.free_nonce and nonce - sample.nonce in (0, 1):
            self._nonce_step = nonce - sample.nonce

    def _note_choice(self, tracer: Tracer, failures: Mapping[Tracer, ChainError]) -> Tracer:
        """Return a tracer, after notes on what better ones cannot do here and what it does not see."""
        for better in ORDER[: ORDER.index(tracer)]:
            self._note(f"the node cannot run the {better.value} tracer ({failures[better]})")
        if tracer.blind_spots:
            self._note(f"traced with {tracer.value}: {tracer.blind_spots}")
        return tracer

    def _alone(
        self,
        envelope: Envelope,
        tracer: Tracer,
        error: NodeRefused | InvalidNodeResponse,
        traced: TraceResult,
    ) -> None:
        """Record one transaction by itself: a batch may be too large, or its answers exchanged."""
        slow = isinstance(error, NodeRefused) and error.code == TIMED_OUT
        for lesser in ORDER[ORDER.index(tracer) + slow :]:
            try:
                traced.transactions.append(self._one(lesser, envelope))
            except (NodeRefused, InvalidNodeResponse) as again:
                if lesser is tracer:
                    error = again
                continue
            if lesser is not tracer:
                self._tell(f"{envelope.name} had to be traced with {lesser.value} ({error})")
            elif isinstance(error, InvalidNodeResponse):
                self.doubt_batches(error)
            return
        kind = f" ({envelope.peculiarity})" if envelope.peculiarity else ""
        self._tell(f"{envelope.name}{kind} cannot be recorded and is left as a gap ({error})")
        reason = f"{envelope.peculiarity}: {error}" if kind else str(error)
        traced.gaps.append(Gap(hash=envelope.hash, block=envelope.block.number, reason=reason))

    def doubt_batches(self, error: InvalidNodeResponse) -> None:
        """Send no batches for a while after answers in them were wrong again and again; one may be this node's way."""
        self._wrong_batches += 1
        if self._wrong_batches >= MAX_WRONG and self.node.takes_batches:
            self._wrong_batches = 0
            self.node.doubt_batches()
            self._note(
                f"requests are sent one by one for a while, because in batches answers were wrong: {error}"
            )

    def _tell(self, text: str) -> None:
        self._note_count += 1
        if self._note_count <= MAX_NOTES:
            self._note(text)
        elif self._note_count == MAX_NOTES + 1:
            self._note("further transactions of this kind are not named")

    def _one(self, tracer: Tracer, envelope: Envelope) -> Transaction:
        requests = self.requests(tracer, envelope.hash)
        tries = FEW_TRIES if self._wrong_traces >= MAX_LOST else None
        try:
            return self.node.read(
                requests, lambda answers: self._decode(tracer, envelope, answers), tries=tries
            )
        except InvalidNodeResponse:
            self._wrong_traces += 1
            raise

    def _without_spurious(self, item: Transaction) -> Transaction:
        """Return a transaction without clearings of slots that the node does not confirm.

        Some nodes list slots that were only read in a difference, with no value behind: as if they were cleared.
        """
        cleared = {
            (call.contract, access.slot): access.before
            for call in item.invocations
            for access in call.accesses
            if access.kind is AccessKind.WRITE and access.after == 0 and access.before and not access.undone
        }
        if not cleared:
            return item
        tag = hex(item.block.number)
        answers = self.node.batch(
            [("eth_getStorageAt", (f"0x{owner.hex()}", f"0x{slot:064x}", tag)) for owner, slot in cleared]
        )
        spurious = {
            slot_key
            for (slot_key, before), answer in zip(cleared.items(), answers, strict=True)
            if isinstance(answer, str) and int.from_bytes(octets(answer, "storage"), "big") == before
        }
        calls = tuple(
            replace(
                call,
                accesses=tuple(
                    access
                    for access in call.accesses
                    if access.kind is AccessKind.READ or (call.contract, access.slot) not in spurious
                ),
            )
            for call in item.invocations
        )
        return replace(item, invocations=calls) if spurious else item
