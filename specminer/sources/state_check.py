"""Compares what ``trace_filter`` leaves out with the contract's state: what changed it was a transaction.

A node whose index has holes, or that lags, answers ``trace_filter`` without an error. Before the first and behind the
last transaction that was found in a span of blocks, and in a span in which none was found, the contract's state must
stay what it is. ``eth_getProof`` tells the root of its storage, its nonce and its code at a block. A state that comes
back to what it was is not noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from specminer._support.errors import InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address
from specminer.sources.node import Node, came
from specminer.sources.way import BlockHits

Fingerprint = tuple[str, str, str]
"""Root of the storage, hash of the code, nonce."""
_FIELDS: Final = ("storageHash", "codeHash", "nonce")


class StateCheck:
    """Checks what was found of one contract."""

    def __init__(self, node: Node, contract: Address) -> None:
        self._node = node
        self._contract = contract
        self._has_past_states = True
        """Whether the node tells states of the past: most keep none."""
        self._fingerprints: dict[int, Fingerprint] = {}

    def agrees(self, first: int, last: int, hits: BlockHits, created_in: int | None) -> bool:
        """Return whether the contract stayed the same where nothing was found in the blocks ``first .. last``.

        ``created_in`` is the block that created the contract, which counts as found. What the node does not tell
        agrees.
        """
        numbers = [number for number, rows in hits.items() if rows]
        if created_in is not None and first <= created_in <= last:
            numbers.append(created_in)
        try:
            return all(
                low >= high or self._fingerprint(low) == self._fingerprint(high)
                for low, high in _gaps(first, last, numbers)
                if self._has_past_states
            )
        except (InvalidNodeResponse, NodeRefused):
            self._has_past_states = False
            return True

    def forget(self) -> None:
        """Ask for all anew: the chain may have changed."""
        self._fingerprints.clear()

    def _fingerprint(self, block: int) -> Fingerprint:
        if block not in self._fingerprints:
            self._fingerprints[block] = self._node.read_one(
                ("eth_getProof", (f"0x{self._contract.hex()}", [], hex(block))), _read_fingerprint
            )
        return self._fingerprints[block]


def _gaps(first: int, last: int, numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of blocks at whose ends the state must be the same if nothing was missed."""
    before = max(0, first - 1)
    if not numbers:
        yield before, last
        return
    yield before, min(numbers) - 1
    yield max(numbers), last


def _read_fingerprint(answer: Any) -> Fingerprint:
    """Read what identifies an account's state.

    Raises:
        InvalidNodeResponse: something of it is missing.

    """
    if not isinstance(answer, dict):
        raise InvalidNodeResponse(f"eth_getProof should answer an account, got {came(answer)}")
    root, code, nonce = (answer.get(field) for field in _FIELDS)
    if not isinstance(root, str) or not isinstance(code, str) or not isinstance(nonce, str):
        raise InvalidNodeResponse("eth_getProof answered an account without storage, code or nonce")
    return root, code, nonce
