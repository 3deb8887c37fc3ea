"""The transactions that created a contract, and whether it lived at its address before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from specminer._support.errors import ChainError, InvalidNodeResponse
from specminer.history.trace import Address, Hash
from specminer.sources import contract_logs, finder
from specminer.sources.chain_blocks import creation_block
from specminer.sources.emptiness import ASKS, check_transactions
from specminer.sources.lookahead import in_parallel
from specminer.sources.node import Node, octets, result_of
from specminer.sources.way import BlockHits, Way


class CreationSearch:
    """Looks for the creations of one contract; ``note`` hears what a user should know."""

    def __init__(self, node: Node, contract: Address, note: Callable[[str], None]) -> None:
        self._node = node
        self._contract = contract
        self._note = note
        self._block_transactions: tuple[int, tuple[list[Any], list[Any]]] | None = None
        """A block, its transactions, and those that created the contract."""

    def forget(self) -> None:
        """Ask for all anew: the chain may have changed."""
        self._block_transactions = None

    def add(self, hits: BlockHits, created_in: int) -> BlockHits:
        """Add the creation: the transaction whose receipt names the contract, else all of that block.

        Ways of finding differ in whether they report creations; a trace decides in the end.
        """
        hashes, direct = self._creating_in(created_in)
        creations = [Hash(octets(text, "a transaction hash", 32)) for text in direct or hashes]
        own = hits.get(created_in, {})
        merged = hits | {created_in: dict.fromkeys(creations, not direct) | own}
        return {number: merged[number] for number in sorted(merged) if merged[number]}

    def earlier_life(self, created: int, choose: Callable[[], tuple[Way, str | None]]) -> int | None:
        """Return the first block of an earlier life of a contract that a block created; ``None`` if there was none.

        ``choose`` returns the way of finding, which may ask the node.

        Only what another contract created can be created again at its address (CREATE2). Where the node filters traces,
        all earlier calls are found, else only logs.
        """
        if created == 0:
            return None
        way, (_, direct) = in_parallel(choose, lambda: self._creating_in(created))
        if direct:
            return None
        try:
            if way[0] is Way.TRACE_FILTER:
                for _, _, hits in finder.find(self._node, way, self._contract, 0, created - 1):
                    if hits:
                        return min(hits)
                return None
            logged = contract_logs.find_logging_transactions(
                self._node, self._contract, 0, created - 1, asks=ASKS
            )
            earlier = creation_block(self._node, self._contract, min(logged)) if logged else None
        except ChainError as error:
            self._note(f"whether the contract lived before block {created} cannot be told ({error})")
            return None
        if earlier is not None:
            self._note(
                f"the contract lived before block {created}, where it was created again: it was first created in "
                f"block {earlier}"
            )
        return earlier

    def known_in(self, block: int) -> list[Hash]:
        """Return the transactions of a block that created the contract themselves, if they were asked for already."""
        if self._block_transactions is None or self._block_transactions[0] != block:
            return []
        return [Hash(octets(text, "a transaction hash", 32)) for text in self._block_transactions[1][1]]

    def _creating_in(self, block: int) -> tuple[list[Any], list[Any]]:
        """Return the transactions of a block, and those that created the contract themselves, without another one."""
        if self._block_transactions is None or self._block_transactions[0] != block:
            hashes = self._hashes_in(block)
            self._block_transactions = block, (hashes, self._creating(hashes))
        return self._block_transactions[1]

    def _hashes_in(self, block: int) -> list[Any]:
        def reader(answers: list[Any]) -> list[Any]:
            answer = result_of(answers[0])
            hashes = answer.get("transactions") if isinstance(answer, dict) else None
            if not isinstance(hashes, list):
                raise InvalidNodeResponse(f"the node returned no block {block}, which created the contract")
            check_transactions(answer)
            return hashes

        return self._node.read([("eth_getBlockByNumber", (hex(block), False))], reader)

    def _creating(self, hashes: Sequence[Any]) -> list[Any]:
        """Return those of some transactions whose receipts name the contract as created."""
        receipts = self._node.batch([("eth_getTransactionReceipt", (text,)) for text in hashes])
        address = f"0x{self._contract.hex()}"
        return [
            text
            for text, receipt in zip(hashes, receipts, strict=True)
            if isinstance(receipt, dict) and str(receipt.get("contractAddress")).lower() == address
        ]
