"""Transactions that found other values in storage than those before them left: an answer of the node was wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from specminer.history.slot_values import SlotValues, contradicting
from specminer.history.trace import Address, Hash, Transaction
from specminer.sources.trace_matching import Envelope
from specminer.sources.tracing import TracerChoice

MAX_CONFIRMED: Final = 20
"""Transactions of a chunk in a row that contradict others, are traced again, and were right."""

KnownValues = Callable[[int], SlotValues]
"""Returns what the contract's slots held before a block, as far as is known."""


def nothing_known(_block: int) -> SlotValues:
    """Return that nothing is known of what the slots held."""
    return SlotValues()


class ContradictionCheck:
    """Follows one contract's storage from chunk to chunk; ``note`` hears what a user should know."""

    def __init__(
        self,
        tracing: TracerChoice,
        contract: Address,
        values_before: KnownValues,
        note: Callable[[str], None],
    ) -> None:
        self._tracing = tracing
        self._contract = contract
        self._values_before = values_before
        self._note = note
        self._node_values = SlotValues()
        self._node_values_at = -1
        """The block before which the slots held these values."""

    def forget(self) -> None:
        """Look up anew what the slots held before the next chunk."""
        self._node_values_at = -1

    def advance(self, block: int) -> None:
        """Take note that the next chunk begins at a block, right behind the last one."""
        self._node_values_at = block

    def resolve(
        self, transactions: list[Transaction], envelopes: Sequence[Envelope], first: int
    ) -> tuple[list[Transaction], bool]:
        """Trace again, one by one, what contradicts what others left in a chunk that begins at block ``first``.

        What is put right may show that another transaction is wrong, which had agreed with it; so this goes on until
        all that contradicts others was traced again.

        Return the transactions as they are then, and whether the node was asked.
        """
        if self._node_values_at != first:
            self._node_values = self._values_before(first)
        by_hash: dict[Hash, Envelope] = {}
        traced_again: set[int] = set()
        changed, confirmed = False, 0
        while True:
            values = self._node_values.copy()
            doubtful = contradicting(transactions, self._contract, values) - traced_again
            if not doubtful or confirmed >= MAX_CONFIRMED:
                break
            by_hash = by_hash or {envelope.hash: envelope for envelope in envelopes}
            for row in sorted(doubtful):
                traced_again.add(row)
                wrong = self._trace_again(transactions, row, by_hash[transactions[row].hash])
                changed, confirmed = changed or wrong, 0 if wrong else confirmed + 1
                if confirmed >= MAX_CONFIRMED:
                    break
        if changed:
            transactions = [transaction for transaction in transactions if transaction.invocations]
            self._note(
                "what a node answered to a batch contradicted itself; it was asked for again, one by one"
            )
        self._node_values, self._node_values_at = values, -1
        return transactions, bool(traced_again)

    def _trace_again(self, transactions: list[Transaction], row: int, envelope: Envelope) -> bool:
        """Trace one of the transactions alone, and take what comes in its place; return whether it was another."""
        again = self._tracing.again(envelope)
        if again is None or again.tracer is not transactions[row].tracer or again == transactions[row]:
            return False
        transactions[row] = again
        return True
