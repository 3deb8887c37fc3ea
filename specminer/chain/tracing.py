"""Chooses a tracer that the node really runs, and records transactions with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from specminer.chain import javascript, prestate, struct_logs
from specminer.chain.node import Node, Request, octets, quantity
from specminer.chain.steps import Enter, MalformedSteps, Step, creations, recorded
from specminer.errors import ChainError, NodeLied, NodeRefused, plain
from specminer.trace import NO_ADDRESS, Address, Block, Hash, Tracer, Transaction

TRACER_TIMEOUT: Final = "100s"
"""Given to the node; its default of 5 s is too little for large transactions."""
ORDER: Final = (Tracer.JAVASCRIPT, Tracer.STRUCT_LOGS, Tracer.PRESTATE)
"""From the one that sees most to the one that sees least."""


class TipChanged(ChainError):
    """A block was replaced while it was being read; the chunk must be read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A transaction as the chain holds it, before tracing."""

    hash: Hash
    block: Block
    index: int
    sender: Address
    to: Address | None
    created: Address | None
    value: int
    gas: int
    gas_used: int
    nonce: int
    data: bytes
    succeeded: bool | None
    """``None`` before Byzantium, when receipts did not say."""


def requests_for(tracer: Tracer, transaction: Hash, contracts: Sequence[Address]) -> list[Request]:
    """Return the requests that record one transaction."""
    text = "0x" + transaction.hex()
    if tracer is Tracer.JAVASCRIPT:
        options: list[dict[str, Any]] = [{"tracer": javascript.tracer_source(contracts)}]
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
        NodeLied: an answer is empty, malformed or contradicts the receipt.

    """
    for answer in answers:
        if isinstance(answer, NodeRefused):
            raise answer
    try:
        steps = _steps(tracer, envelope, answers, contracts)
        seen = recorded(steps, contracts)
        created = creations(steps, contracts)
    except MalformedSteps as error:
        raise NodeLied(f"the trace of {_name(envelope)} does not fit together: {error}") from None
    except (TypeError, AttributeError, RecursionError) as error:
        raise NodeLied(f"the trace of {_name(envelope)} is malformed: {type(error).__name__}") from None
    outermost = next((call for call in seen.invocations if call.depth == 0), None)
    if outermost is None and envelope.to in contracts:
        raise NodeLied(f"the trace of {_name(envelope)} does not show the call that it makes")
    if outermost is not None and outermost.sender != envelope.sender:
        raise NodeLied(f"the trace of {_name(envelope)} is of another transaction")
    succeeded = envelope.succeeded
    if outermost is not None:
        if succeeded is not None and outermost.outcome.accepted != succeeded:
            raise NodeLied(f"the trace of {_name(envelope)} ended otherwise than its receipt says")
        succeeded = outermost.outcome.accepted
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
        succeeded=True if succeeded is None else succeeded,
        tracer=tracer,
        invocations=seen.invocations,
        preimages=seen.preimages,
        creations=created,
    )


def _name(envelope: Envelope) -> str:
    return f"transaction 0x{envelope.hash.hex()}"


def _steps(
    tracer: Tracer, envelope: Envelope, answers: Sequence[Any], contracts: Sequence[Address]
) -> list[Step]:
    if tracer is Tracer.JAVASCRIPT:
        return javascript.decode(answers[0], envelope.gas, envelope.value)
    if tracer is Tracer.STRUCT_LOGS:
        target = envelope.to or envelope.created or NO_ADDRESS
        kind = "CALL" if envelope.to else "CREATE"
        first = Enter(kind, envelope.sender, target, envelope.gas, envelope.value, envelope.data)
        return struct_logs.decode(
            answers[0], first, envelope.succeeded is not False, envelope.gas_used, contracts
        )
    calls, before, difference = answers
    return prestate.decode(calls, before, difference, envelope.gas, envelope.gas_used, contracts)


class TracerChoice:
    """The tracer in use; steps down where the node refuses or lies, and remembers why."""

    def __init__(self, node: Node, contracts: Sequence[Address], note: Callable[[str], None]) -> None:
        self.node = node
        self.contracts = tuple(contracts)
        self.tracer: Tracer | None = None
        self._note = note

    def record(self, envelopes: Sequence[Envelope]) -> list[Transaction]:
        """Trace the transactions, in order.

        Raises:
            NodeRefused: the node has no debug method that works.
            NodeLied: every tracer's answer was refuted.

        """
        if self.tracer is None and envelopes:
            sample = next((item for item in envelopes if item.to in self.contracts), envelopes[0])
            self.tracer = self._choose(sample)
        if self.tracer is None:
            return []
        tracer = self.tracer
        requests = [requests_for(tracer, envelope.hash, self.contracts) for envelope in envelopes]
        answers = self.node.batch([request for group in requests for request in group])
        width = len(requests[0]) if requests else 1
        recorded = []
        for row, envelope in enumerate(envelopes):
            group = answers[row * width : (row + 1) * width]
            try:
                recorded.append(decode(tracer, envelope, group, self.contracts))
            except (NodeRefused, NodeLied) as error:
                recorded.append(self._alone(envelope, tracer, error))
        return recorded

    def _choose(self, sample: Envelope) -> Tracer:
        """Return the first tracer in ``ORDER`` that can record ``sample``."""
        failures = []
        for tracer in ORDER:
            try:
                self._one(tracer, sample)
            except (NodeRefused, NodeLied) as error:
                failures.append((tracer, error))
                continue
            for refused, reason in failures:
                self._note(f"the node cannot run the {refused.value} tracer ({reason})")
            if tracer.blind_spots:
                self._note(f"traced with {tracer.value}: {tracer.blind_spots}")
            return tracer
        reasons = "; ".join(f"{tracer.value}: {reason}" for tracer, reason in failures)
        raise NodeRefused(
            f"{self.node.endpoint.label} offers no way to trace transactions ({reasons}). specminer needs "
            "debug_traceTransaction: an own node, or a provider's plan with debug methods and archive state."
        )

    def _alone(self, envelope: Envelope, tracer: Tracer, error: NodeRefused | NodeLied) -> Transaction:
        """Record one transaction by itself, because a batch of traces may be too large where one is not."""
        if isinstance(error, NodeRefused):
            try:
                return self._one(tracer, envelope)
            except (NodeRefused, NodeLied) as again:
                error = again
        return self._lesser(envelope, tracer, error)

    def _lesser(self, envelope: Envelope, failed: Tracer, error: ChainError) -> Transaction:
        """Record one transaction with a lesser tracer because the chosen one failed on it."""
        for tracer in ORDER[ORDER.index(failed) + 1 :]:
            try:
                recorded = self._one(tracer, envelope)
            except (NodeRefused, NodeLied):
                continue
            self._note(f"{_name(envelope)} had to be traced with {tracer.value} ({error})")
            return recorded
        raise error

    def _one(self, tracer: Tracer, envelope: Envelope) -> Transaction:
        answers = self.node.batch(requests_for(tracer, envelope.hash, self.contracts))
        return decode(tracer, envelope, answers, self.contracts)


def envelope_of(wanted: Hash, transaction: Any, receipt: Any, block: Block) -> Envelope:
    """Read a transaction and its receipt as a node returns them, of any type: unknown fields do not matter.

    Raises:
        TipChanged: the receipt is of another block than the one being read.
        NodeLied: a field that every transaction has is missing or malformed.

    """
    if not isinstance(transaction, dict):
        raise TipChanged("a transaction disappeared from the chain while it was read")
    name = f"transaction 0x{wanted.hex()}"
    if not isinstance(receipt, dict):
        raise TipChanged(f"{name} has no receipt: its block was replaced while it was read")
    if octets(receipt.get("blockHash"), f"blockHash of {name}", 32) != block.hash:
        raise TipChanged(f"{name} moved to another block while it was read")
    kind = plain(transaction.get("type", "0x0"), 10)
    for field in ("hash", "from", "gas", "input", "nonce", "value", "transactionIndex"):
        if transaction.get(field) is None:
            raise NodeLied(
                f"{name} (type {kind}) has no field '{field}'; specminer does not know this kind of "
                "transaction, please report it with the name of the chain"
            )
    if octets(transaction["hash"], f"hash of {name}", 32) != wanted:
        raise NodeLied(f"the node returned another transaction when asked for {name}")
    to, created, status = transaction.get("to"), receipt.get("contractAddress"), receipt.get("status")
    return Envelope(
        hash=wanted,
        block=block,
        index=quantity(transaction["transactionIndex"], f"transactionIndex of {name}"),
        sender=Address(octets(transaction["from"], f"from of {name}", 20)),
        to=Address(octets(to, f"to of {name}", 20)) if to else None,
        created=Address(octets(created, f"contractAddress of {name}", 20)) if created else None,
        value=quantity(transaction["value"], f"value of {name}"),
        gas=quantity(transaction["gas"], f"gas of {name}"),
        gas_used=quantity(receipt.get("gasUsed"), f"gasUsed of {name}"),
        nonce=quantity(transaction["nonce"], f"nonce of {name}"),
        data=octets(transaction["input"], f"input of {name}"),
        succeeded=None if status is None else quantity(status, f"status of {name}") == 1,
    )
