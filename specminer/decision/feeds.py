"""Where the sources of a run's expressions stand in the history, so that calls like it can be looked at as columns."""

from __future__ import annotations

from typing import Final, NamedTuple

from specminer.evm.frame import FrameKind
from specminer.evm.taped_instructions import is_precompiled
from specminer.shadow.arena import SOURCES, UNKNOWN, Arena, operands_of
from specminer.shadow.record import ShadowRecord

_OF_THE_CALL: Final = frozenset({"data_size", "sender", "origin", "value", "this", "time", "block", "chain"})
_OF_THE_BLOCK: Final = frozenset({"base_fee", "beneficiary", "gas_limit", "randomness"})
_ENVIRONMENT: Final = frozenset(
    {"balance", "own_balance", "code_size", "code_hash", "block_hash", "blob_hash", "transient"}
)
_CALL_ANSWERS: Final = frozenset({"answer", "answer_size", "success", "created"})
_DELEGATING: Final = (FrameKind.DELEGATECALL, FrameKind.CALLCODE)
MAX_NODES: Final = 4_000
"""Nodes that the conditions and effects of a path may be made of, so that calls are matched to it."""


class Feed(NamedTuple):
    """Which column a source is read from."""

    kind: str
    """``access``, ``told``, ``fixed``, ``calldata at``, or the kind of the source; ``slot``, ``call_kind``, ``call_to``
    and ``call_value`` are what a call did."""
    number: int = 0
    """Of the access, the answer, or the question; for ``fixed`` the value itself; for calldata the offset, or the node
    that says it."""
    start: int = 0
    """First byte of a word of an answer; for ``calldata at`` what is added to the offset."""


class FeedReader:
    """Finds the feeds of one run's sources."""

    def __init__(self, record: ShadowRecord, *, answers_recorded: bool) -> None:
        """Prepare; where answers were not recorded, they are what they were taken to be."""
        self._record = record
        self._numbers: dict[int, int | None] = {}
        """For the numbers of calls: which of the recorded answers is theirs; ``None`` where the result follows from the
        path. Calls whose answers followed from values are not there."""
        outside = 0
        for call in record.calls:
            inside = not is_precompiled(call.to) and (
                call.kind in _DELEGATING or (call.to == record.contract and not call.kind.creates)
            )
            if answers_recorded or not is_precompiled(call.to) or call.kind.creates:
                self._numbers[call.number] = None if inside or not answers_recorded else outside
            outside += not inside

    def feed(self, node: int) -> Feed | None:
        """Return where a source is read from; ``None`` if no column has it."""
        record = self._record
        plain = plain_feed(record.arena, node)
        if plain is not None:
            return plain
        key = record.arena.key(node)
        kind = key[0]
        if kind == "storage":
            return _number_feed("access", record.read_at.get(node))
        if kind in _ENVIRONMENT:
            return _number_feed("told", record.told_at.get(node))
        if kind in _CALL_ANSWERS and key[1] in self._numbers:
            number = self._numbers[key[1]]
            if number is None:
                value = record.inputs.get(node)
                return None if value is None else Feed("fixed", value)
            return Feed(kind, number, key[2] if kind == "answer" else 0)
        return None


def plain_feed(arena: Arena, node: int) -> Feed | None:
    """Return where a source is read from that has the same column in all calls; ``None`` for others."""
    key = arena.key(node)
    kind = key[0]
    if kind == "calldata":
        return Feed(kind, key[1]) if len(key) == 2 else Feed("calldata at", key[1], key[2])
    return Feed(kind) if kind in _OF_THE_CALL or kind in _OF_THE_BLOCK else None


def _number_feed(kind: str, number: int | None) -> Feed | None:
    return None if number is None else Feed(kind, number)


def gather(arena: Arena, node: int, visited: set[int], reader: FeedReader, feeds: dict[int, Feed]) -> bool:
    """Collect the feeds of everything that a node is made of.

    Args:
        arena: holds the node.
        node: the expression.
        visited: nodes that were looked at; grows.
        reader: finds feeds.
        feeds: what was found, by source; grows.

    Returns:
        Whether all of it can be read from columns.

    """
    left = [node]
    while left:
        item = left.pop()
        if item in visited:
            continue
        if item == UNKNOWN or len(visited) > MAX_NODES:
            return False
        visited.add(item)
        key = arena.key(item)
        kind = key[1] if key[0] == "opaque" else key[0]
        if kind in SOURCES:
            feed = reader.feed(item)
            if feed is None:
                return False
            feeds[item] = feed
            if feed.kind == "calldata at":
                left.append(feed.number)
        else:
            left += operands_of(key)
    return True
