"""Names slots after the constants they were computed from, and after getters, where no layout explains them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from specminer.decoding.hash_paths import ARRAY, Hashes
from specminer.decoding.location_building import Building, Trail
from specminer.decoding.location_columns import Field, PortKind
from specminer.decoding.observed_shapes import TEXT_STRIDE, SlotObservations
from specminer.decoding.storage_shapes import KeyedEntry, Shape
from specminer.decoding.storage_values import NAMED_BASES, ValueKind
from specminer.history.contract_history import MISSING, IntColumn
from specminer.history.words import WordArray, difference, find, from_integers, word_at

MAX_FIELDS: Final = 64
"""More different offsets behind the hashes of one mapping are taken for indices, not for fields of a struct."""
_ROOT: Final = -1
"""The step before the first hash."""


class NumberedWalk:
    """Assigns all slots that have no variable yet."""

    def __init__(
        self,
        hashes: Hashes,
        building: Building,
        constants: Collection[int],
        shapes: Mapping[int, Shape],
        observations: SlotObservations | None,
    ) -> None:
        """Prepare; a hash-like root is a variable's only if it stands among ``constants`` or ``shapes``."""
        self._hashes = hashes
        self._building = building
        self._paths = building.paths
        self._constants = np.sort(from_integers({*constants, *shapes}))
        self._shapes = shapes
        self._observations = observations
        self.roots: WordArray = from_integers([])
        """What nothing explains, ascending, each once."""

    def run(self) -> None:
        """Walk from the roots outwards."""
        rows = np.flatnonzero(self._building.variable == MISSING)
        if not len(rows):
            return
        self._building.forget_keys(rows)
        rows = self._assign_fixed_arrays(rows)
        roots, group = np.unique(self._paths.root[rows], return_inverse=True)
        (limit,) = from_integers([NAMED_BASES])
        is_unexplained = (roots >= limit) & (find(self._constants, roots) == MISSING)
        self.roots = roots[is_unexplained]
        for number, part in _split(np.where(is_unexplained[group], MISSING, group), rows):
            if number == MISSING:
                self._name_unexplained(part, (np.cumsum(is_unexplained) - 1)[group[is_unexplained[group]]])
                continue
            word = word_at(roots, number)
            name = str(word) if word < NAMED_BASES else f"{word:#066x}"
            shape = self._shapes.get(word) or Shape()
            ends = self._paths.depth[part] == 0
            self._value(part[ends], Trail(), shape, f"slot{name}")
            self._enter_hash(part[~ends], 0, Trail(), shape, (f"mapping{name}", f"array{name}"))

    def _name_unexplained(self, rows: IntColumn, root: IntColumn) -> None:
        trail = self._building.port(Trail(tail="unresolved"), PortKind.UNRESOLVED, ValueKind.WORD)
        self._building.key_hash[0][rows] = len(self._hashes.image) + root
        self._end(rows, _ROOT, trail, Shape(), "")

    def _assign_fixed_arrays(self, rows: IntColumn) -> IntColumn:
        """Assign what lies in arrays of fixed length that begin at a root; return the other slots."""
        for base, shape in sorted(self._shapes.items()):
            entry = shape.fixed
            if entry is None or base >= NAMED_BASES:
                continue
            following = min((root for root in self._shapes if root > base), default=NAMED_BASES)
            first, behind = from_integers([base, min(base + entry.slots, following, NAMED_BASES)])
            inside = (self._paths.root[rows] >= first) & (self._paths.root[rows] < behind)
            elements = rows[inside]
            if len(elements):
                number = difference(self._paths.root[elements], np.repeat(first, len(elements)), NAMED_BASES)
                self._elements(elements, number, _ROOT, Trail(), shape, entry, f"array{base}")
            rows = rows[~inside]
        return rows

    # -- slots that are no hash's base --------------------------------------------------------------

    def _end(self, rows: IntColumn, step: int, trail: Trail, shape: Shape, default: str) -> None:
        """Assign slots that lie in one place behind the hash ``step``, or behind further hashes of it."""
        ends = self._paths.depth[rows] == step + 1
        self._value(rows[ends], trail, shape, default)
        self._enter_hash(rows[~ends], step + 1, trail.behind(default), shape, ("", ""))

    def _value(self, rows: IntColumn, trail: Trail, shape: Shape, default: str) -> None:
        """Assign slots of one value, or of several whose bits are known."""
        if not len(rows):
            return
        label = shape.single_slot_name if shape.label is None else shape.label
        naming = shape.naming
        if label is not None and shape.array is not None:
            fields = [Field(f"{label}.length", ValueKind.UINT)]
        elif shape.text and len(shape.parts) == 1:
            fields = [Field(shape.parts[0].text, ValueKind.TEXT)]
        elif shape.parts:
            fields = self._with_gaps(rows, shape.parts, default)
        else:
            fields, naming = [Field(default, ValueKind.WORD)], trail.naming
        self._building.leaf(rows, trail, fields, naming)

    def _with_gaps(self, rows: IntColumn, parts: list[Field], default: str) -> list[Field]:
        """Add what is in use between the fields that are known."""
        used_bits = self._observations.used_bits(rows) if self._observations is not None else 0
        fields: list[Field] = []
        end = 0
        for part in [*parts, Field("", ValueKind.WORD, 256, 0)]:
            if (used_bits >> end) & ((1 << max(0, part.shift - end)) - 1):
                name = f"{default}.bytes{end // 8}to{part.shift // 8 - 1}"
                fields.append(Field(name, ValueKind.WORD, end, part.shift - end))
            if part.width:
                fields.append(part)
            end = part.shift + part.width
        return fields

    # -- behind a hash ------------------------------------------------------------------------------

    def _enter_hash(
        self, rows: IntColumn, step: int, trail: Trail, shape: Shape, defaults: tuple[str, str]
    ) -> None:
        """Walk behind the hash ``step``, under the default name of a mapping or of an array."""
        if not len(rows):
            return
        hash_rows = self._paths.hash[rows, step]
        arrays = self._hashes.form[hash_rows] == ARRAY
        if np.any(~arrays):
            self._mapping(rows[~arrays], step, trail, shape, defaults[0])
        if np.any(arrays):
            self._array(rows[arrays], step, trail, shape, defaults[1])

    def _mapping(self, rows: IntColumn, step: int, trail: Trail, shape: Shape, default: str) -> None:
        entry = shape.mapping or KeyedEntry()
        offset = self._paths.offset[rows, step]
        field_offset = offset.copy()
        fixed_fields = {
            base: field for base, field in sorted(entry.fields.items()) if field.fixed is not None
        }
        for base, field in fixed_fields.items():
            slots = field.fixed.slots if field.fixed is not None else 0
            field_offset[(offset >= base) & (offset < base + slots)] = base
        parts = list(_split(field_offset, rows))
        alone = shape.single_slot_name is not None and len(parts) == 1 and parts[0][0] in entry.fields
        inner = self._building.port(
            _name_trail(trail, shape, default, alone=alone), PortKind.MAPPING, entry.kind
        )
        self._building.key_hash[len(trail.ports)][rows] = self._paths.hash[rows, step]
        if len(parts) > MAX_FIELDS:
            self._elements(rows, offset, step, inner, Shape(), KeyedEntry(stride=1), "")
            return
        for number, part in parts:
            field = _field(entry, number, alone=alone)
            if field.fixed is not None:
                behind = self._paths.offset[part, step] - number
                self._elements(part, behind, step, inner, field, field.fixed, _plus(number))
            else:
                self._end(part, step, inner, field, _plus(number))

    def _array(self, rows: IntColumn, step: int, trail: Trail, shape: Shape, default: str) -> None:
        offset = self._paths.offset[rows, step]
        entry, text = shape.array, shape.text
        if entry is None:
            stride = 1
            if self._observations is not None and not text:
                bases = self._hashes.base[self._paths.hash[rows, step]]
                stride = self._observations.stride(rows, bases, offset)
            text = text or stride == TEXT_STRIDE
            entry = KeyedEntry(stride=stride)
            if trail.ports and shape.parts and not text:
                default = ".items"  # the getter speaks of the array's length
        if not text:
            self._elements(rows, offset, step, trail, shape, entry, default)
            return
        name = shape.parts[0].text if shape.parts else None
        here = trail.behind(default if name is None else name, shape.naming if name else None)
        inner = self._building.port(here, PortKind.TEXT, ValueKind.UINT)
        self._building.key_number[len(trail.ports)][rows] = offset
        self._end(rows, step, inner, Shape(), "")

    def _elements(
        self,
        rows: IntColumn,
        number: IntColumn,
        step: int,
        trail: Trail,
        shape: Shape,
        entry: KeyedEntry,
        default: str,
    ) -> None:
        """Walk into the elements of an array; ``number`` counts slots from the first element's."""
        if not len(rows):
            return
        stride = max(1, entry.stride)
        field = number % stride
        parts = list(_split(field, rows))
        packed = entry.element is not None and entry.elements_per_slot > 1
        alone = shape.single_slot_name is not None and (
            packed or (len(parts) == 1 and parts[0][0] in entry.fields)
        )
        here = _name_trail(trail, shape, default, alone=alone)
        inner = self._building.port(here, PortKind.ARRAY, ValueKind.UINT)
        self._building.key_number[len(trail.ports)][rows] = (
            number // stride * (entry.elements_per_slot if packed else 1)
        )
        if entry.element is not None and packed:
            width = entry.element.width
            fields = [
                Field(_plus(at), entry.element.kind, at * width, width)
                for at in range(entry.elements_per_slot)
            ]
            self._building.leaf(rows, inner, fields, inner.naming)
            return
        for at, part in parts:
            self._end(part, step, inner, _field(entry, at, alone=alone), _plus(at))


def _name_trail(trail: Trail, shape: Shape, default: str, *, alone: bool) -> Trail:
    """Return the trail with a variable's name, if it has one, else with its default."""
    name = shape.single_slot_name if alone else shape.label
    return trail.behind(default) if name is None else trail.behind(name, shape.naming)


def _field(entry: KeyedEntry, offset: int, *, alone: bool) -> Shape:
    """Return what is known of a place in an entry; what is alone there takes the variable's name."""
    shape = entry.fields.get(offset) or Shape()
    if not alone:
        return shape
    return replace(shape, single_slot_name="", parts=[replace(part, text="") for part in shape.parts])


def _plus(offset: int) -> str:
    return f"+{offset}" if offset else ""


def _split(code: IntColumn, rows: IntColumn) -> Iterator[tuple[int, IntColumn]]:
    """Yield each code, ascending, with its rows."""
    if not len(rows):
        return
    order = np.argsort(code, kind="stable")
    values, starts = np.unique(code[order], return_index=True)
    yield from zip(values.tolist(), np.split(rows[order], starts[1:]), strict=True)
