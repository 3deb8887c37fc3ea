"""Follows a storage layout down its types, all slots at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decoding.hash_paths import ARRAY, Hashes
from specminer.decoding.location_building import EMPTY_TEXT, Building, Trail
from specminer.decoding.location_columns import Field, NameSource, PortKind
from specminer.decoding.storage_layout import Layout, Member, Type
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.history.words import difference, from_integers

MAX_FIELDS: Final = 64
"""More different places in a struct of unknown fields are taken for indices."""
_FAR: Final = 1 << 62
"""An array that reaches further behind its first slot is left out."""


@dataclass(frozen=True, slots=True)
class _Here:
    """Where a walk stands, for some of the slots."""

    rows: IntColumn
    slot: IntColumn
    """Slots behind the beginning of the type."""
    step: int
    """Hashes already followed."""

    def select(self, which: BoolColumn) -> _Here:
        return _Here(self.rows[which], self.slot[which], self.step)


class LayoutWalk:
    """Assigns the slots that a layout explains; the others keep ``MISSING`` as their variable."""

    def __init__(
        self, layout: Layout, hashes: Hashes, building: Building, naming: NameSource = NameSource.LAYOUT
    ) -> None:
        self._naming = naming
        self._types = layout.types
        self._variables = layout.variables
        self._hashes = hashes
        self._building = building
        self._paths = building.paths

    def run(self) -> None:
        """Walk through all variables."""
        if not self._variables:
            return
        clusters = _clusters(self._variables)
        starts = from_integers(cluster[0].slot for cluster in clusters)
        at = np.searchsorted(starts, self._paths.root, side="right") - 1
        slot = difference(self._paths.root, starts[np.maximum(at, 0)], _FAR)
        at[(slot == MISSING) | (self._building.variable != MISSING)] = MISSING
        for number in np.unique(at[at != MISSING]).tolist():
            rows = np.flatnonzero(at == number)
            self._cluster(clusters[number], _Here(rows, slot[rows], 0), Trail(), "")

    def _cluster(self, members: tuple[Member, ...], here: _Here, trail: Trail, sign: str) -> None:
        """Walk into what shares one slot: a single variable of any type, or several plain ones."""
        here = here.select(here.slot < members[0].slots)
        kinds = [self._types[member.type] for member in members]
        if len(members) == 1 and not kinds[0].plain:
            self._walk(kinds[0], here, trail.behind(sign + members[0].label))
            return
        fields = [
            Field(sign + member.label, kind.kind, member.offset * 8, kind.size * 8, enum=kind.enum)
            for member, kind in zip(members, kinds, strict=True)
        ]
        self._leaf(here, trail, fields)

    def _leaf(self, here: _Here, trail: Trail, fields: list[Field]) -> None:
        rows = here.rows[(self._paths.depth[here.rows] == here.step) & (here.slot == 0)]
        if len(rows):
            self._building.leaf(rows, trail, fields, self._naming)

    def _walk(self, kind: Type, here: _Here, trail: Trail) -> None:
        if not len(here.rows):
            return
        if kind.encoding == "mapping":
            self._mapping(kind, here, trail)
        elif kind.encoding == "dynamic_array":
            self._leaf(here, trail, [Field(".length", ValueKind.UINT)])
            inside = self._enter_hash(here, array=True)
            self._elements(kind, inside, trail)
        elif kind.encoding == "bytes":
            self._leaf(here, trail, [Field("", ValueKind.TEXT)])
            inside = self._enter_hash(here, array=True)
            if len(inside.rows):
                inner = self._add_index(inside, inside.slot, trail, PortKind.TEXT)
                self._leaf(_at_start(inside), inner, [Field("", ValueKind.BYTES)])
        elif kind.encoding in ("inline_array", "inline_bytes", "opaque"):
            self._vyper(kind, here, trail)
        elif kind.members:
            clusters = _clusters(kind.members)
            starts = np.array([min(cluster[0].slot, _FAR) for cluster in clusters], dtype=np.int64)
            at = np.searchsorted(starts, here.slot, side="right") - 1
            for number in np.unique(at).tolist():
                part = here.select(at == number)
                part = _Here(part.rows, part.slot - starts[number], part.step)
                if number != MISSING:
                    self._cluster(clusters[number], part, trail, ".")
        elif kind.base is not None:
            self._elements(kind, here, trail)
        else:
            self._leaf(here, trail, [Field("", kind.kind, 0, kind.size * 8, enum=kind.enum)])

    def _vyper(self, kind: Type, here: _Here, trail: Trail) -> None:
        """Walk into what only Vyper has: arrays and texts in place behind their length, structs without fields."""
        behind = here.select(here.slot > 0)
        behind = _Here(behind.rows, behind.slot - 1, behind.step)
        if kind.encoding == "opaque":
            offsets = np.unique(here.slot)
            if len(offsets) > MAX_FIELDS:
                inner = self._add_index(here, here.slot, trail, PortKind.ARRAY)
                self._leaf(_at_start(here), inner, [Field("", ValueKind.WORD)])
                return
            for number in offsets.tolist():
                text = f"+{number}" if number else ""
                self._leaf(_at_start(here.select(here.slot == number)), trail, [Field(text, ValueKind.WORD)])
            return
        self._leaf(here, trail, [Field(".length", ValueKind.UINT)])
        if kind.encoding == "inline_array":
            self._elements(kind, behind, trail)
        elif len(behind.rows):
            inner = self._add_index(behind, behind.slot, trail, PortKind.TEXT)
            self._leaf(_at_start(behind), inner, [Field("", ValueKind.BYTES)])

    def _enter_hash(self, here: _Here, *, array: bool) -> _Here:
        """Return the slots that lie behind one more hash: an array's, or else a mapping's."""
        inside = self._paths.depth[here.rows] > here.step
        rows = here.rows[inside & (here.slot == 0)]
        forms = self._hashes.form[self._paths.hash[rows, here.step]] if len(rows) else rows
        rows = rows[(forms == ARRAY) == array]
        offset = self._paths.offset[rows, here.step] if len(rows) else rows
        return _Here(rows, offset, here.step + 1)

    def _mapping(self, kind: Type, here: _Here, trail: Trail) -> None:
        key, value = self._types[kind.key or ""], self._types[kind.value or ""]
        inside = self._enter_hash(here, array=False)
        empty = (
            self._enter_hash(here, array=True) if key.encoding == "bytes" else inside.select(inside.rows < 0)
        )
        if not len(inside.rows) + len(empty.rows):
            return
        inner = self._building.port(trail, PortKind.MAPPING, key.kind)
        column = self._building.key_hash[len(trail.ports)]
        column[inside.rows] = self._paths.hash[inside.rows, here.step]
        column[empty.rows] = EMPTY_TEXT  # hashed alone, as an array's slot
        both = _Here(np.r_[inside.rows, empty.rows], np.r_[inside.slot, empty.slot], here.step + 1)
        self._walk(value, both, inner)

    def _add_index(self, here: _Here, index: IntColumn, trail: Trail, keyed: PortKind) -> Trail:
        inner = self._building.port(trail, keyed, ValueKind.UINT)
        self._building.key_number[len(trail.ports)][here.rows] = index
        return inner

    def _elements(self, kind: Type, here: _Here, trail: Trail) -> None:
        """Walk into the elements of an array; ``here.slot`` counts from the first one's slot."""
        if not len(here.rows):
            return
        base = self._types[kind.base or ""]
        if base.size > 16 or kind.encoding == "inline_array":
            width = min(-(-base.size // 32), _FAR)
            inner = self._add_index(here, here.slot // width, trail, PortKind.ARRAY)
            self._walk(base, _Here(here.rows, here.slot % width, here.step), inner)
            return
        # several elements share the slot: the slot is indexed by its first; the last slot may have bits to spare
        packed = 32 // base.size
        within = here.select(here.slot * packed < (_FAR if kind.length is None else kind.length))
        inner = self._add_index(within, within.slot * packed, trail, PortKind.ARRAY)
        bits = base.size * 8
        fields = [
            Field(f"+{at}" if at else "", base.kind, at * bits, bits, enum=base.enum) for at in range(packed)
        ]
        self._leaf(_at_start(within), inner, fields)


def _at_start(here: _Here) -> _Here:
    return _Here(here.rows, np.zeros_like(here.slot), here.step)


def _clusters(members: tuple[Member, ...]) -> list[tuple[Member, ...]]:
    """Group members, which stand in the order of their places, by the slots that they begin in."""
    groups: list[list[Member]] = []
    for member in members:
        if groups and groups[-1][0].slot == member.slot:
            groups[-1].append(member)
        else:
            groups.append([member])
    return [tuple(group) for group in groups]
