"""Compares what the database says of a contract's storage with what a node holds, at its end and at sampled blocks.

A block's state is what its last transaction left, so only slots are compared whose values the recorded calls tell at
the end of a block. ``eth_getStorageAt`` answers; where a node refuses it, ``eth_getProof`` does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from specminer._support.errors import InvalidNodeResponse, NodeRefused, UsageError
from specminer.history.continuity import ZERO, visits
from specminer.history.contract_history import MISSING, History, slots
from specminer.history.trace import Address
from specminer.pipeline.progress import SILENT, Observer
from specminer.sources.node import Node, Request, octets, quantity
from specminer.store import TraceStore

SEED: Final = 0
"""Of the sample: the same blocks and slots are chosen each time."""
MAX_EXAMPLES: Final = 3
"""Differences that a sentence names at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotDifference:
    """A slot that does not hold what the recorded calls left there."""

    block: int
    slot: int
    recorded_value: int
    node_value: int
    """What the node says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationResult:
    """What a comparison found."""

    comparisons: int
    refusals: int
    """Values that the node would not tell: it keeps no state of their blocks."""
    differences: tuple[SlotDifference, ...]

    @property
    def sentence(self) -> str:
        """What to say of it."""
        if not self.differences:
            text = (
                f"{self.comparisons:,} values of storage slots were compared with the node's, and all agree"
            )
        else:
            examples = "; ".join(
                f"slot {item.slot:#x} after block {item.block}: recorded {item.recorded_value:#x}, "
                f"held {item.node_value:#x}"
                for item in self.differences[:MAX_EXAMPLES]
            )
            text = (
                f"{len(self.differences):,} of {self.comparisons:,} values of storage slots differ from the node's: "
                f"somebody unseen wrote, or a recording is wrong ({examples})"
            )
        return text + (f"; {self.refusals:,} more it would not tell" if self.refusals else "")


@dataclass(frozen=True, slots=True)
class _Value:
    block: int
    slot: int
    value: int


def verify(
    store: TraceStore,
    node: Node,
    chain_id: int,
    contract: Address,
    share: float,
    observer: Observer = SILENT,
) -> VerificationResult:
    """Compare a share of what the database says of storage with a node: at the end, and at sampled blocks.

    Raises:
        UsageError: ``share`` is not above 0 and at most 1.
        ChainError: the node failed.
        StoreError: the database holds nothing of the contract.

    """
    if not 0 < share <= 1:
        raise UsageError(f"--verify wants a share above 0 and at most 1, got {share:g}")
    history = store.history(chain_id, [contract])
    values = list(_sample_values(history, share))
    node_values = _values_at_node(node, contract, values)
    differences = tuple(
        SlotDifference(block=item.block, slot=item.slot, recorded_value=item.value, node_value=node_value)
        for item, node_value in zip(values, node_values, strict=True)
        if node_value is not None and node_value != item.value
    )
    refused = sum(node_value is None for node_value in node_values)
    verified = VerificationResult(
        comparisons=len(values) - refused, refusals=refused, differences=differences
    )
    observer.note(verified.sentence)
    store.note_limit(
        chain_id, contract, verified.sentence if differences else "", replacing="differ from the node's"
    )
    return verified


def _sample_values(history: History, share: float) -> Iterator[_Value]:
    """Yield values to compare: a share of the slots at the end, and of the blocks all slots that were touched there."""
    source = random.Random(SEED)
    slot_visits = visits(history)
    numbered = slots(history)
    block = history.transaction_block[slot_visits.transaction]
    following = np.append(
        slot_visits.slot[1:] == slot_visits.slot[:-1], [False] * min(1, len(slot_visits.slot))
    )
    later = np.append(block[1:], [0] * min(1, len(block)))
    # the last visit of a slot in its block tells what the block left
    closing = ~following | (later != block)
    is_known = closing & (slot_visits.value_after != MISSING)
    sampled_blocks = {number for number in np.unique(block).tolist() if source.random() < share}
    begin, end = history.ranges[-1] if history.ranges else (0, 0)
    for row in np.flatnonzero(is_known).tolist():
        left = int(slot_visits.value_after[row])
        value = 0 if left == ZERO else history.words[left]
        slot = history.words[int(numbered.word[slot_visits.slot[row]])]
        if int(block[row]) in sampled_blocks:
            yield _Value(int(block[row]), slot, value)
        if not following[row] and source.random() < share and block[row] >= begin:
            yield _Value(end, slot, value)


def _values_at_node(node: Node, contract: Address, values: Sequence[_Value]) -> list[int | None]:
    """Return what a node says of values; ``None`` where it says nothing."""
    owner = f"0x{contract.hex()}"
    requests: list[Request] = [
        ("eth_getStorageAt", (owner, f"0x{item.slot:064x}", hex(item.block))) for item in values
    ]
    return [
        _proved_value(node, owner, item) if isinstance(answer, NodeRefused) else _word(answer)
        for item, answer in zip(values, node.batch(requests), strict=True)
    ]


def _word(answer: Any) -> int:
    """Read a word of storage; nodes differ in whether they pad it.

    Raises:
        InvalidNodeResponse: it is none.

    """
    if answer == "0x":
        return 0
    if isinstance(answer, str) and len(answer) % 2:
        return quantity(answer, "storage")
    data = octets(answer, "storage")
    if len(data) > 32:
        raise InvalidNodeResponse(
            f"the node's answer is malformed: storage should be 32 bytes, got {len(data)}"
        )
    return int.from_bytes(data, "big")


def _proved_value(node: Node, owner: str, item: _Value) -> int | None:
    try:
        answer = node.call("eth_getProof", owner, [f"0x{item.slot:064x}"], hex(item.block))
    except NodeRefused:
        return None
    proofs = answer.get("storageProof") if isinstance(answer, dict) else None
    if not isinstance(proofs, list) or len(proofs) != 1 or not isinstance(proofs[0], dict):
        raise InvalidNodeResponse("eth_getProof should answer one storage proof")
    return _word(proofs[0].get("value"))
