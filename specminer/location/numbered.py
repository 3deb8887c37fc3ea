"""Names slots after the constants they were computed from, where no layout explains them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np

from specminer.history import MISSING, IntColumn
from specminer.location.building import Building, Trail
from specminer.location.columns import Field, Naming, PortKind
from specminer.location.paths import ARRAY, Hashes
from specminer.location.places import NAMED_BASES, ValueKind
from specminer.words import WordArray, find, from_integers, word_at

MAX_FIELDS: Final = 64
"""More different offsets behind the hashes of one mapping are taken for indices, not for fields of a struct."""


class NumberedWalk:
    """Assigns all slots that have no variable yet."""

    def __init__(self, known: Hashes, building: Building, constants: Collection[int]) -> None:
        """Prepare; a hash-like root is a variable's only if it stands among the ``constants``."""
        self._known = known
        self._building = building
        self._found = building.found
        self._constants = np.sort(from_integers(constants))
        self.roots: WordArray = from_integers([])
        """What nothing explains, ascending, each once."""

    def run(self) -> None:
        """Walk from the roots outwards."""
        rows = np.flatnonzero(self._building.variable == MISSING)
        if not len(rows):
            return
        self._building.forget_keys(rows)
        roots, group = np.unique(self._found.root[rows], return_inverse=True)
        (limit,) = from_integers([NAMED_BASES])
        lost = (roots >= limit) & (find(self._constants, roots) == MISSING)
        self.roots = roots[lost]
        for number, part in _split(np.where(lost[group], MISSING, group), rows):
            if number == MISSING:
                self._unexplained(part, (np.cumsum(lost) - 1)[group[lost[group]]])
                continue
            word = word_at(roots, number)
            name = str(word) if word < NAMED_BASES else f"{word:#066x}"
            ends = self._found.depth[part] == 0
            self._leaf(part[ends], Trail(tail=f"slot{name}"))
            self._hashed(part[~ends], 0, Trail(tail=f"mapping{name}"), Trail(tail=f"array{name}"))

    def _unexplained(self, rows: IntColumn, root: IntColumn) -> None:
        trail = self._building.port(Trail(tail="unresolved"), PortKind.UNRESOLVED, ValueKind.WORD)
        self._building.key_hash[0][rows] = len(self._known.image) + root
        ends = self._found.depth[rows] == 0
        self._leaf(rows[ends], trail)
        self._hashed(rows[~ends], 0, trail, trail)

    def _leaf(self, rows: IntColumn, trail: Trail) -> None:
        if len(rows):
            self._building.leaf(rows, trail, [Field("", ValueKind.WORD)], Naming.NUMBER)

    def _hashed(self, rows: IntColumn, step: int, mapping: Trail, array: Trail) -> None:
        """Walk behind the hash ``step``, under the name of a mapping or of an array."""
        if not len(rows):
            return
        hashed = self._found.hash[rows, step]
        arrays = self._known.form[hashed] == ARRAY
        if np.any(~arrays):
            inside = rows[~arrays]
            inner = self._building.port(mapping, PortKind.MAPPING, ValueKind.WORD)
            self._building.key_hash[len(mapping.ports)][inside] = hashed[~arrays]
            self._fields(inside, step, inner)
        if np.any(arrays):
            # the stride is unknown without a layout: each slot is an element
            self._indexed(rows[arrays], step, array)

    def _fields(self, rows: IntColumn, step: int, trail: Trail) -> None:
        offset = self._found.offset[rows, step]
        parts = list(_split(offset, rows))
        if len(parts) > MAX_FIELDS:
            self._indexed(rows, step, trail)
            return
        for number, part in parts:
            self._end(part, step, trail.behind(f"+{number}" if number else ""))

    def _indexed(self, rows: IntColumn, step: int, trail: Trail) -> None:
        inner = self._building.port(trail, PortKind.ARRAY, ValueKind.UINT)
        self._building.key_number[len(trail.ports)][rows] = self._found.offset[rows, step]
        self._end(rows, step, inner)

    def _end(self, rows: IntColumn, step: int, trail: Trail) -> None:
        ends = self._found.depth[rows] == step + 1
        self._leaf(rows[ends], trail)
        self._hashed(rows[~ends], step + 1, trail, trail)


def _split(code: IntColumn, rows: IntColumn) -> Iterator[tuple[int, IntColumn]]:
    """Yield each code, ascending, with its rows."""
    order = np.argsort(code, kind="stable")
    values, starts = np.unique(code[order], return_index=True)
    yield from zip(values.tolist(), np.split(rows[order], starts[1:]), strict=True)
