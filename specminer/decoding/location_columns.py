"""What every storage slot of a history means, as columns: variables, the keys that lead into them, fields.

This is what interactions and abstractions work on. A history accesses ``s`` distinct (contract, slot) pairs,
numbered by :func:`specminer.history.contract_history.slots` (``AccessSummary.slot`` and ``Slots.access`` hold these
numbers). :class:`Locations` has one row for each::

    locations = locate(history, layout)
    touched = touches(history)
    variable = locations.variable[touched.slot]       # of each touch: row in locations.variables
    first_key = locations.keys[touched.slot, 0]       # its first key: code in locations.key_table, or MISSING
    locations.text(int(touched.slot[0]))              # "auctions[7].highestBid"

A *variable* is all that differs in keys alone: ``auctions[].highestBid`` over all auctions is one. Each key
position of its path is a *port*; variables that branch off behind the same key share the port, so that
``auctions[7].highestBid`` and ``auctions[7].bidder`` have the same port and the same key. A slot may pack
several *fields*; they share the slot's row, and each says which bits are its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import zip_longest

import numpy as np

from specminer.decoding.storage_values import Key, ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.history.trace import WORD_LIMIT
from specminer.history.words import WordArray, find, from_integers, limbs


class PortKind(Enum):
    """What a key position is."""

    MAPPING = "mapping"
    ARRAY = "array"
    """An index: of an array of fixed or variable length, or of storage that looks like one."""
    TEXT = "text"
    """The number of a 32-byte piece of a long ``string`` or ``bytes``."""
    UNRESOLVED = "unresolved"
    """Not a key: the slot, or the base that was hashed, of storage that nothing explains."""


class Resolution(Enum):
    """How it is known which keys lead to a slot."""

    FIXED = "fixed"
    """It has a constant slot: no keys, or only indices of arrays of fixed length."""
    PREIMAGE = "preimage"
    """A tracer saw what was hashed."""
    DICTIONARY = "dictionary"
    """Trying found what must have been hashed."""
    UNRESOLVED = "unresolved"


RESOLUTIONS = tuple(Resolution)
"""``Locations.resolution`` holds positions in this tuple."""


class NameSource(Enum):
    """Where a variable's name comes from, the most trusted first."""

    LAYOUT = "layout"
    """A compiler's storage layout."""
    STANDARD = "standard"
    """A slot with a name of its own, such as ERC-1967's."""
    GETTER = "getter"
    """A function of the ABI that reads it."""
    NUMBER = "number"
    """None: it is called after its slot, as ``slot3``, ``mapping3``."""


@dataclass(frozen=True, slots=True)
class Field:
    """Some bits of a slot: ``width`` bits, ``shift`` bits from the right."""

    text: str
    """What follows the last key: ``.highestBid``, nothing; without keys the whole name."""
    kind: ValueKind
    shift: int = 0
    width: int = 256
    getters: tuple[str, ...] = ()
    """Functions of the ABI that read exactly these bits and nothing else, given the keys in their order."""
    enum: str = ""
    """The enum's name as the compiler spells it, ``Shop.Phase``, where the layout tells it."""
    members: tuple[str, ...] = ()
    """The names of an enum's values in their order, where they are known."""

    def extract(self, word: int) -> int:
        """Return the field's value from its slot's word; signed values are sign-extended to 256 bits."""
        value = (word >> self.shift) & ((1 << self.width) - 1)
        if self.kind is ValueKind.INT and value >> (self.width - 1):
            value += WORD_LIMIT - (1 << self.width)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPosition:
    """A key position in the paths of one or more variables."""

    name: str
    """The path up to and with this key: ``auctions[]``, ``bigs[].inner[]``; unique in a table."""
    port_kind: PortKind
    kind: ValueKind
    """The keys' type; ``WORD`` where unknown."""
    depth: int
    """Column in ``Locations.keys``."""
    parent: int
    """Row of the port one key before, or ``MISSING``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageVariable:
    """All storage that differs in keys alone, one slot wide."""

    pieces: tuple[str, ...]
    """The text before each key: ``("auctions",)``, ``("bigs", ".inner")``; empty without keys."""
    ports: tuple[int, ...]
    """Row in ``Locations.ports`` of each key, the outermost first."""
    fields: tuple[Field, ...]
    """What is packed in the slot, at least one, the rightmost first."""
    naming: NameSource

    @property
    def has_name(self) -> bool:
        """Whether it has a real name, not that of its slot."""
        return self.naming is not NameSource.NUMBER

    def text(self, keys: tuple[str, ...] | None = None, field: int = 0) -> str:
        """Return a field's name; ``keys`` fill the brackets, which are empty otherwise.

        The names with empty brackets are unique in a table, over all variables and fields.
        """
        pairs = zip_longest(self.pieces, keys or (), fillvalue="")
        path = "".join(f"{piece}[{key}]" for piece, key in pairs)
        return f"{path}{self.fields[field].text}"

    def spellings(self, keys: tuple[str, ...] | None = None, field: int = 0) -> tuple[str, ...]:
        """Return the names that a field's getters give it: ``ownerOf[]`` where ``cityIndexToOwner`` is read."""
        pieces = (
            f"[{key}]" for _, key in zip_longest(self.ports, (keys or ())[: len(self.ports)], fillvalue="")
        )
        brackets = "".join(pieces)
        return tuple(f"{name}{brackets}" for name in self.fields[field].getters)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTable:
    """The keys of mappings and the indices of arrays, each once; ``k`` codes: words first, then texts."""

    words: WordArray
    """Ascending; code ``c`` below ``len(words)`` is ``words[c]``."""
    texts: tuple[bytes, ...]
    """Keys of other lengths than 32 bytes, ascending; code ``len(words) + i`` is ``texts[i]``."""

    def __len__(self) -> int:
        return len(self.words) + len(self.texts)

    def data(self, code: int) -> bytes:
        """Return a key's bytes: 32 for a word; the text itself otherwise."""
        if code < len(self.words):
            return bytes(self.words[code]).ljust(32, b"\0")
        return self.texts[code - len(self.words)]

    def word(self, code: int) -> int | None:
        """Return a key as an integer; ``None`` for a text."""
        return int.from_bytes(self.data(code), "big") if code < len(self.words) else None

    def text(self, code: int, kind: ValueKind) -> str:
        """Return a key as people read it, given its type."""
        return str(Key(self.data(code), kind))

    def find(self, words: WordArray) -> IntColumn:
        """Return the code of each word, or ``MISSING``: how arguments and senders are compared with keys."""
        return find(self.words, words)

    @property
    def numbers(self) -> IntColumn:
        """Return each key as a number where it is a word below 2**62, else ``MISSING``; shape (k,)."""
        parts = limbs(self.words)
        small = (parts[:, :3] == 0).all(axis=1) & (parts[:, 3] < np.uint64(1 << 62))
        low_limbs = np.where(small, parts[:, 3], np.uint64(0)).astype(np.int64)
        texts = np.full(len(self.texts), MISSING, dtype=np.int64)
        return np.concatenate([np.where(small, low_limbs, MISSING), texts])

    @property
    def like_addresses(self) -> BoolColumn:
        """Whether each key lies in ``2**96 .. 2**160 - 1``, as nearly all addresses do; shape (k,)."""
        low, high = np.searchsorted(self.words, from_integers([1 << 96, 1 << 160]))
        is_like_address = np.zeros(len(self), dtype=np.bool_)
        is_like_address[low:high] = True
        return is_like_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Locations:
    """What each of ``s`` (contract, slot) pairs means.

    Rows are numbered by :func:`specminer.history.contract_history.slots`.

    Equal storage of several contracts of one history (instances of the same code) is one variable with
    the same ports; the contract of a row tells it apart. Nothing here depends on the order of a history's
    accesses; variables and ports stand in the order of their names.
    """

    variable: IntColumn
    """Row in ``variables``; shape (s,). Every pair has one: what nothing explains belongs to a variable
    whose only port is ``PortKind.UNRESOLVED``, with its slot as the key."""
    keys: IntColumn
    """Codes in ``key_table``, the outermost first, ``MISSING`` behind the last; shape (s, d), d the most keys
    that a pair has, at least 1. ``keys[row, :len(variables[variable[row]].ports)]`` are all given."""
    resolution: IntColumn
    """Position in ``RESOLUTIONS``; shape (s,)."""
    variables: tuple[StorageVariable, ...]
    ports: tuple[KeyPosition, ...]
    key_table: KeyTable

    @property
    def port(self) -> IntColumn:
        """Row in ``ports`` of each pair's keys, ``MISSING`` where there is none; the shape of ``keys``."""
        table = np.full((len(self.variables), self.keys.shape[1]), MISSING, dtype=np.int64)
        for row, variable in enumerate(self.variables):
            table[row, : len(variable.ports)] = variable.ports
        return table[self.variable]

    def text(self, row: int, field: int = 0) -> str:
        """Return the name of a pair with its keys: ``auctions[7].highestBid``."""
        variable = self.variables[int(self.variable[row])]
        keys = tuple(
            self.key_table.text(int(code), self.ports[port].kind)
            for code, port in zip(self.keys[row], variable.ports, strict=False)
        )
        return variable.text(keys, field)
