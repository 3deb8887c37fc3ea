"""How the transactions that touch a contract are found, and what is found in blocks.

====================  ===========================================  ==================================
way                   asks                                         misses
====================  ===========================================  ==================================
``TRACE_FILTER``      ``trace_filter`` for ranges of blocks        nothing
``BLOCK_TRACES``      the call trace of every block                nothing
``SCAN``              every block's transactions, and the          internal calls that emit no log of
                      contract's logs                              the contract
====================  ===========================================  ==================================
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from specminer.history.trace import Hash
from specminer.sources.node import octets

BlockHits = dict[int, dict[Hash, bool]]
"""Block number to the transactions found in it, in the order found, with whether each is only *suspected*.

A transaction is suspected where nothing says whether it touches the contract: its own trace has to tell.
"""
NOT_FOR_SIZE: Final = frozenset({401, 402, 403, 404, 405, 429})
"""HTTP codes of refusals that a smaller span does not help."""


class Way(Enum):
    """How transactions are found."""

    TRACE_FILTER = "trace_filter"
    BLOCK_TRACES = "block traces"
    SCAN = "transactions and logs"

    @property
    def limit(self) -> str:
        """What this way may miss, as a sentence; empty if nothing."""
        if self is Way.SCAN:
            return (
                "transactions were found by scanning blocks and logs, because the node traces neither ranges "
                "nor blocks: calls from other contracts that emitted no event of this contract are missing"
            )
        return ""

    @property
    def first_span(self) -> int:
        """How many blocks to ask for at first."""
        return 1_000 if self is Way.TRACE_FILTER else 100

    def requests_for(self, blocks: int) -> int:
        """About how many requests finding takes, apart from tracing what is found."""
        spans = -(-blocks // self.first_span)
        return 2 * spans if self is Way.TRACE_FILTER else blocks + spans


def add_hit(hits: BlockHits, block: int, transaction: Any, *, suspected: bool = False) -> None:
    """Add a transaction that was found in a block, by its hash as a node gives it.

    Raises:
        InvalidNodeResponse: it is no hash.

    """
    transactions = hits.setdefault(block, {})
    key = Hash(octets(transaction, "a transaction hash", 32))
    transactions[key] = transactions.get(key, True) and suspected
