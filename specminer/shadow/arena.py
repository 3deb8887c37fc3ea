"""Expressions: nodes that are made once each, bounded in number and in depth, in a normal form.

A node is an integer; what it stands for is :meth:`Arena.key`: its kind, then its operands, which are nodes made before
it, then what else belongs to it. Simplifying never changes what a node evaluates to.

Words of the calldata are ``("calldata", offset)``; where the offset itself is computed from sources, ``("calldata",
node, added)``: the word at the value of a node, which is no operand, and what is added to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from specminer.shadow.foreign_calls import CallNumbers
from specminer.shadow.packing import packed_piece

MASK: Final = (1 << 256) - 1
Key = tuple[Any, ...]
Part = tuple[int, int, int]
"""(node, first, count): ``count`` of the node's 32 bytes from ``first`` on, the highest byte being 0."""

OPERANDS: Final = {
    **dict.fromkeys(
        ("constant", "calldata", "answer", "answer_size", "success", "created", "gas", "data_size"), 0
    ),
    **dict.fromkeys(
        ("sender", "origin", "value", "this", "time", "block", "base_fee", "chain", "beneficiary"), 0
    ),
    **dict.fromkeys(("randomness", "gas_limit", "gas_price", "blob_base_fee", "blob_hash", "own_balance"), 0),
    **dict.fromkeys(
        ("balance", "code_size", "code_hash", "block_hash", "storage", "transient", "external_code"), 1
    ),
    **dict.fromkeys(("not", "iszero", "field", "shifted", "clz"), 1),
    **dict.fromkeys(
        ("add", "mul", "sub", "div", "sdiv", "mod", "smod", "exp", "signextend", "lt", "slt", "eq"), 2
    ),
    **dict.fromkeys(("and", "or", "xor", "byte", "shl", "shr", "sar"), 2),
    **dict.fromkeys(("addmod", "mulmod"), 3),
}
"""How many operands each kind has; those with parts (``join``, ``keccak``) are not listed."""
SOURCES: Final = frozenset(
    {
        *(
            "calldata",
            "answer",
            "answer_size",
            "success",
            "created",
            "gas",
            "data_size",
            "sender",
            "origin",
            "value",
        ),
        *(
            "this",
            "time",
            "block",
            "base_fee",
            "chain",
            "beneficiary",
            "randomness",
            "gas_limit",
            "gas_price",
        ),
        *("blob_base_fee", "blob_hash", "own_balance", "balance", "code_size", "code_hash", "block_hash"),
        *("storage", "transient", "external_code"),
    }
)
"""Kinds whose values come from outside."""
TRUTHS: Final = frozenset({"lt", "slt", "eq", "iszero", "success"})
"""Kinds that are 0 or 1."""
_COMMUTING: Final = frozenset({"add", "mul", "and", "or", "xor", "eq"})
_DIVISIONS: Final = frozenset({"div", "sdiv", "mod", "smod"})
_BITS: Final = {"sender": 160, "origin": 160, "this": 160, "beneficiary": 160, "created": 160}
"""Kinds that never have more bits than that."""
_MAX_SUMMANDS: Final = 32
"""Summands that two sums are compared by."""
UNKNOWN: Final = 0
"""The node of words of which nothing is known any more, because there was no room for their expressions."""


class Arena:
    """Holds nodes. It may serve many runs, so that equal expressions of different calls are one node."""

    def __init__(self, *, max_nodes: int = 1 << 17, max_depth: int = 128, max_parts: int = 64) -> None:
        """Prepare; what is beyond the bounds becomes opaque."""
        self.max_nodes = max_nodes
        self.max_depth = max_depth
        self.max_parts = max_parts
        self._keys: list[Key] = [("unknown",)]
        self._depths: list[int] = [0]
        self._ids: dict[Key, int] = {}
        self.constants: dict[int, int] = {}
        """Nodes of constants with their values."""
        self.opaque: set[int] = set()
        """Nodes whose expression became too deep: what they held has to be noted like that of sources."""
        self.foreign = CallNumbers(max_nodes)
        """The calls whose answers are sources."""
        self._interned: dict[tuple[Any, ...], int | None] = {}
        self._sites: dict[Key, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def key(self, node: int) -> Key:
        """Return the kind of a node, its operands and what else belongs to it."""
        return self._keys[node]

    def kind(self, node: int) -> str:
        """Return the kind of a node; ``opaque`` for one whose expression became too deep."""
        kind: str = self._keys[node][0]
        return kind

    def depth(self, node: int) -> int:
        """Return how deep a node's expression is; a source has 1."""
        return self._depths[node]

    def constant(self, value: int) -> int:
        """Return the node of a constant."""
        key = ("constant", value)
        node = self._ids.get(key)
        if node is None:
            node = self._append(key, 1)
            if node:
                self.constants[node] = value
        return node

    def node(self, *key: Any) -> int:
        """Return the node with a key, as it is; :meth:`make` simplifies."""
        node = self._ids.get(key)
        if node is not None:
            return node
        deepest = 0
        for operand in operands_of(key):
            if not operand:
                return UNKNOWN
            depth = self._depths[operand]
            if depth > deepest:
                deepest = depth
        if deepest >= self.max_depth:
            opaque = ("opaque", *key)
            node = self._ids.get(opaque)
            if node is None:
                node = self._append(opaque, 1)
                if node:
                    self.opaque.add(node)
            return node
        return self._append(key, deepest + 1)

    def is_subtracted(self, first: int, second: int) -> bool:
        """Return whether some expression takes the second node away from the first one."""
        value = self.constants.get(second)
        if value is None:
            return ("sub", first, second) in self._ids
        less = self._ids.get(("constant", -value & MASK))
        return less is not None and ("add", first, less) in self._ids

    def divides(self, node: int) -> bool:
        """Return whether some expression is divided by a node."""
        return any(key[0] in _DIVISIONS and key[2] == node for key in self._keys[node + 1 :])

    def _append(self, key: Key, depth: int) -> int:
        node = len(self._keys)
        if node >= self.max_nodes:
            return UNKNOWN
        self._keys.append(key)
        self._depths.append(depth)
        self._ids[key] = node
        return node

    def site(self, key: Key) -> int:
        """Return the number of a place in the code, the same for the same key; 0 if there is no room for more."""
        number = self._sites.get(key)
        if number is None:
            if len(self._sites) >= self.max_nodes:
                return 0
            number = self._sites[key] = len(self._sites) + 1
        return number

    def bits(self, node: int) -> int:
        """Return a number of bits that a node's value never exceeds."""
        key = self._keys[node]
        kind = key[0]
        if kind == "field":
            return int(key[3])
        if kind == "constant":
            return int(key[1]).bit_length()
        return 1 if kind in TRUTHS else _BITS.get(kind, 256)

    def combine(self, kind: str, first: int | None, second: int | None, left: int, right: int) -> int | None:
        """Return the node of an operation, as :meth:`make` does; operands without a node are constants.

        Args:
            kind: the operation.
            first: the node of its first operand.
            second: the node of its second operand.
            left: the value of the first.
            right: the value of the second.

        """
        key = (kind, first, second, left if first is None else right if second is None else 0)
        cached = self._interned.get(key, -1)
        if cached != -1:
            return cached
        node = self.make(
            kind,
            self.constant(left) if first is None else first,
            self.constant(right) if second is None else second,
        )
        if len(self._interned) >= self.max_nodes:
            self._interned.clear()
        self._interned[key] = node
        return node

    def make(self, kind: str, first: int, second: int) -> int | None:
        """Return the node of two operands in normal form; ``None`` if its value follows from no source."""
        if not first or not second:
            return UNKNOWN
        constants = self.constants
        if kind == "gt" or kind == "sgt":
            kind, first, second = ("lt" if kind == "gt" else "slt"), second, first
        elif kind in _COMMUTING and (
            first in constants or (second < first and second not in constants)
        ):  # constants stand behind, other operands in the order in which they were made
            first, second = second, first
        if first in constants:
            left, right = constants[first], constants.get(second)
            if right is not None:
                return None
            return self._with_constant_first(kind, left, first, second)
        if second in constants:
            return self._with_constant(kind, first, constants[second], second)
        if first == second:
            if kind in ("sub", "xor", "lt", "slt", "eq", "mod", "smod"):
                return None
            if kind in ("and", "or"):
                return first
        if kind in ("add", "sub"):
            rest = self._rest(kind, first, second)
            if rest != UNKNOWN:
                return rest
        return self.node(kind, first, second)

    def _rest(self, kind: str, first: int, second: int) -> int | None:
        """Return what is left of a sum or difference of which a part is taken away, or added, again.

        ``None`` if its value follows from no source, :data:`UNKNOWN` if it stays as it is.
        """
        left, right = self._keys[first], self._keys[second]
        if kind == "add":
            if left[0] == "sub" and left[2] == second:  # (x - y) + y
                return int(left[1])
            return int(right[1]) if right[0] == "sub" and right[2] == first else UNKNOWN
        if left[0] == "add" and second in left[1:3]:  # (x + y) - y
            other = left[2] if left[1] == second else left[1]
            return None if other in self.constants else int(other)
        if right[0] == "sub" and right[1] == first:  # x - (x - y)
            return int(right[2])
        return self._distance(first, second) if right[0] == "add" else UNKNOWN

    def _distance(self, first: int, second: int) -> int | None:
        """Return what a sum has beyond another one, all of whose summands it has: the distance of two places.

        ``None`` if it follows from no source, :data:`UNKNOWN` if the other sum has more.
        """
        summands, more = self._summands(first)
        others, less = self._summands(second)
        left = Counter(summands)
        left.subtract(others)
        if min(left.values(), default=0) < 0:
            return UNKNOWN
        total: int | None = None
        for node in left.elements():
            total = node if total is None else self.make("add", total, node)
            if not total:
                return UNKNOWN
        return None if total is None else self.make("add", total, self.constant((more - less) & MASK))

    def _summands(self, node: int) -> tuple[list[int], int]:
        """Return the nodes that are added up in one, and the constant that is added besides; some may be sums."""
        summands: list[int] = []
        waiting, constant = [node], 0
        while waiting:
            item = waiting.pop()
            key = self._keys[item]
            if key[0] == "add" and len(waiting) + len(summands) < _MAX_SUMMANDS:
                waiting += key[1:3]
            elif item in self.constants:
                constant += self.constants[item]
            else:
                summands.append(item)
        return summands, constant

    def _with_constant_first(self, kind: str, left: int, first: int, second: int) -> int | None:
        """Simplify where the first operand is a constant (shifts, and what does not commute)."""
        if kind in ("shl", "shr") and left >= 256:
            return None
        if kind == "shl":
            return self.shift(second, left)
        if kind == "shr":
            return self.field(second, left, 256 - left)
        if kind == "sar" and not left:
            return second
        if kind == "byte":
            return self.field(second, 8 * (31 - left), 8) if left < 32 else None
        if kind == "signextend" and left >= 31:
            return second
        if kind in ("div", "sdiv", "mod", "smod") and not left:
            return None
        if kind == "lt" and not left:  # 0 < x is not not x, as a number
            return self.iszero(self.iszero(second))
        if kind == "lt" and left >= (1 << self.bits(second)) - 1:
            return None  # no value of the operand is larger
        return self.node(kind, first, second)

    def _with_constant(self, kind: str, first: int, right: int, second: int) -> int | None:
        """Simplify where only the second operand is a constant."""
        if right == 0:
            if kind in ("add", "sub", "or", "xor"):
                return first
            if kind in ("mul", "and", "div", "sdiv", "mod", "smod", "lt", "exp"):
                return None  # zero, or one for a power
            if kind in ("shl", "shr", "sar", "byte"):
                return None
            if kind == "eq":
                return self.iszero(first)
        elif kind == "and":
            return self._mask(first, right, second)
        elif right & (right - 1) == 0:
            shift = right.bit_length() - 1
            if kind == "mul":
                return self.shift(first, shift)
            if kind == "div":
                return self.field(first, shift, 256 - shift)
            if kind == "mod":
                return self.field(first, 0, shift) if shift else None
        if kind in ("eq", "lt") and right >> self.bits(first):
            return None  # no value of the operand is as large
        if kind == "eq" and right == 1 and self.bits(first) == 1:
            return first
        if kind == "sub":
            return self.make("add", first, self.constant(-right & MASK))
        if kind == "add":
            key = self._keys[first]
            if key[0] == "add" and key[2] in self.constants:  # (x + c) + d
                total = (self.constants[key[2]] + right) & MASK
                return self.make("add", key[1], self.constant(total))
        return self.node(kind, first, second)

    def _mask(self, node: int, mask: int, second: int) -> int | None:
        low = (mask & -mask).bit_length() - 1
        width = mask.bit_length() - low
        if mask >> low == (1 << width) - 1:
            part = self.field(node, low, width)
            return None if part is None else self.shift(part, low)
        if mask & ((1 << self.bits(node)) - 1) == 0:
            return None
        return self.node("and", node, second)

    def field(self, node: int, shift: int, bits: int) -> int | None:
        """Return ``bits`` bits of a node's value, the lowest ``shift`` left away.

        Of a word that the code put together from several values it is the value that stands there.
        """
        if not node:
            return UNKNOWN
        bits = min(bits, 256 - shift)
        width = self.bits(node)
        if not shift and bits >= width:
            return node
        if shift >= width or bits <= 0:
            return None
        bits = min(bits, width - shift)
        key = self._keys[node]
        if key[0] == "field":
            return self.field(key[1], key[2] + shift, min(bits, key[3] - shift))
        if key[0] == "shifted":
            if shift >= key[2]:
                return self.field(key[1], shift - key[2], bits)
            return self.shift(self.field(key[1], 0, shift + bits - key[2]), key[2] - shift)
        if key[0] == "constant":
            return None
        if key[0] in ("or", "and"):
            piece = packed_piece(self, key, shift, bits)
            if piece is not None:
                return self.field(*piece) if piece[0] else None
        if key[0] == "join" and shift % 8 == bits % 8 == 0:
            part = _part_with(key[1], 32 - (shift + bits) // 8, bits // 8)
            if part is not None:  # it lies within bytes of one origin
                inner, first, _ = part
                return None if inner in self.constants else self.field(inner, 8 * (32 - first) - bits, bits)
        return self.node("field", node, shift, bits)

    def shift(self, node: int | None, shift: int) -> int | None:
        """Return a node's value shifted to the left."""
        if not node:
            return node
        if not shift:
            return node
        key = self._keys[node]
        if key[0] == "shifted":
            return self.shift(key[1], key[2] + shift) if key[2] + shift < 256 else None
        return self.node("shifted", node, shift)

    def iszero(self, node: int | None) -> int | None:
        """Return the node of ISZERO; differences that are zero are equations."""
        if not node:
            return node
        kind, *rest = self._keys[node]
        if kind == "iszero" and self.bits(rest[0]) == 1:
            inner: int = rest[0]
            return inner
        if kind in ("sub", "xor"):
            return self.make("eq", rest[0], rest[1])
        if kind == "add" and rest[1] in self.constants:
            return self.make("eq", rest[0], self.constant(-self.constants[rest[1]] & MASK))
        return self.node("iszero", node)

    def invert(self, node: int) -> int | None:
        """Return the node of NOT."""
        if not node:
            return UNKNOWN
        key = self._keys[node]
        inner: int = key[1] if key[0] == "not" else self.node("not", node)
        return inner

    def parts(self, kind: str, parts: tuple[Part, ...]) -> int | None:
        """Return the node of a word or a hash that is made of bytes of other nodes.

        Args:
            kind: ``join`` for a word, ``keccak`` for the hash of the bytes.
            parts: what stands there, from the first byte on.

        """
        if all(node in self.constants for node, _, _ in parts):
            return None
        if len(parts) > self.max_parts or not all(node for node, _, _ in parts):
            return UNKNOWN
        if kind == "join" and len(parts) == 1:
            return parts[0][0]
        return self.node(kind, parts)

    def sources(self, node: int) -> frozenset[int]:
        """Return the sources that a node depends on, also through opaque nodes."""
        return frozenset(item for item in self.below(node) if self._keys[item][0] in SOURCES)

    def below(self, node: int) -> Iterator[int]:
        """Yield a node and everything that it is made of, each once, operands first."""
        nodes, left = {node}, [node]
        while left:
            for operand in operands_of(self._keys[left.pop()]):
                if operand not in nodes:
                    nodes.add(operand)
                    left.append(operand)
        yield from sorted(nodes)


def _part_with(parts: tuple[Part, ...], start: int, count: int) -> Part | None:
    """Return the bytes of a part that stand at some place in a word; ``None`` if they are not all of one part."""
    position = 0
    for node, first, size in parts:
        if position <= start and start + count <= position + size:
            return node, first + start - position, count
        position += size
    return None


def operands_of(key: Key) -> tuple[int, ...]:
    """Return the nodes that a key is made of."""
    kind = key[0]
    if kind == "opaque":
        return operands_of(key[1:])
    if kind == "join" or kind == "keccak":
        return tuple(part[0] for part in key[1])
    return key[1 : 1 + OPERANDS.get(kind, 0)]


def strip_negations(arena: Arena, node: int) -> tuple[int, bool]:
    """Return a condition without the negations around it, and whether it is to be true."""
    holds = True
    while arena.kind(node) == "iszero":
        node, holds = arena.key(node)[1], not holds
    return node, holds


Inputs = Mapping[int, int]
"""What the sources, and opaque nodes, held."""
