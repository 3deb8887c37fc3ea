"""Which expressions are the same but for numbers: those of one condition in different rounds of a loop."""

from __future__ import annotations

from specminer.shadow.arena import UNKNOWN, Arena, Key, operands_of

_MAX_COMPARED = 2_000
"""Pairs of nodes that one comparison looks at."""
MAX_READ = 120
"""Parts of an expression that is read; one that a loop computed has more, and others after each round."""
_HASH_READ = 8
"""Parts that a hash counts for at most."""
_ANSWERS = frozenset({"answer", "success", "answer_size"})
_LARGE = 1 << 64
"""Slots from here on are computed from hashes: elements of arrays, and what lies under keys."""
_NUMBERED = frozenset({"constant", "calldata", "answer", "success", "answer_size", "created", "storage"})
"""Kinds whose numbers (value, offset, number of the call, version) may differ."""


def same_shape(arena: Arena, first: int, second: int) -> bool:
    """Return whether two expressions differ in constants, offsets and the numbers of calls only."""
    pair = (_compared_node(arena, first), _compared_node(arena, second))
    waiting, visited = [pair], {pair}
    while waiting:
        left, right = (_base(arena, node) for node in waiting.pop())
        if left == right:
            continue
        if UNKNOWN in (left, right):
            return False
        one, other = arena.key(left), arena.key(right)
        if _pattern(one) != _pattern(other) or not _ask_alike(arena, one, other):
            return False
        operands, other_operands = _below(one), _below(other)
        if len(operands) != len(other_operands):
            return False
        for pair in zip(operands, other_operands, strict=True):
            if pair not in visited:
                visited.add(pair)
                waiting.append(pair)
        if len(visited) > _MAX_COMPARED:
            return False
    return True


def _ask_alike(arena: Arena, first: Key, second: Key) -> bool:
    """Return whether two answers may be those of one call in a loop: no two variables hold their contracts."""
    if first[0] not in _ANSWERS:
        return True
    calls = arena.foreign.call(first[1]), arena.foreign.call(second[1])
    if None in calls or calls[0] == calls[1]:
        return True
    receivers = {_variable(arena, call.to) for call in calls if call is not None}
    return len(receivers) == 1


def _variable(arena: Arena, receiver: int) -> int | None:
    """Return the slot of the variable of its own that a receiver is read from, or the receiver if it is a constant."""
    if receiver in arena.constants:
        return receiver
    slots = {arena.key(item)[1] for item in arena.below(receiver) if arena.kind(item) == "storage"}
    if len(slots) != 1:
        return None
    slot = slots.pop()
    return int(slot) if arena.constants.get(slot, _LARGE) < _LARGE else None


def _compared_node(arena: Arena, node: int) -> int:
    """Return what a condition compares with a constant; ``0 < x`` and ``0 != x`` are ``x`` in a normal form."""
    key = arena.key(node)
    if key[0] == "lt" and key[1] in arena.constants:
        return int(key[2])
    return int(key[1]) if key[0] == "eq" and key[2] in arena.constants else node


def _base(arena: Arena, node: int) -> int:
    """Return an expression without a constant that is added to it."""
    key = arena.key(node)
    return int(key[1]) if key[0] == "add" and key[2] in arena.constants else node


def _below(key: Key) -> tuple[int, ...]:
    """Return what an expression is made of; of a word of the calldata at a computed offset, how that is computed."""
    if key[0] == "calldata" and len(key) == 3:
        return (int(key[1]),)
    return operands_of(key)


def _pattern(key: Key) -> object:
    """Return what of a key does not depend on the round: its kind, and what does not number anything."""
    kind = key[0]
    if kind in _NUMBERED:
        return kind
    if kind in ("join", "keccak"):
        return kind, tuple((part[1], part[2]) for part in key[1])
    if kind == "opaque":
        return kind, key[1]
    return kind, key[1 + len(operands_of(key)) :]


class Sizes:
    """How large expressions are when they are written down."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self._sizes: dict[int, int] = {}

    def is_complex(self, node: int) -> bool:
        """Return whether an expression has too many parts to be read; where they occur twice they count twice."""
        return node == UNKNOWN or self._size(node) > MAX_READ

    def _size(self, node: int) -> int:
        if node not in self._sizes:
            for item in self._arena.below(node):
                if item not in self._sizes:
                    key = self._arena.key(item)
                    below = sum(self._sizes[operand] for operand in operands_of(key))
                    most = _HASH_READ if key[0] == "keccak" else MAX_READ + 1  # a hash is told by its sources
                    self._sizes[item] = min(1 + below, most)
        return self._sizes[node]
