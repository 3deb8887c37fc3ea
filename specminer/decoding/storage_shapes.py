"""What is known of storage without a layout: names, structs, strides, packed fields, as a tree of shapes.

A :class:`Shape` is what begins in a slot: a plain value, or the variable whose entries lie behind hashes of it.
An :class:`KeyedEntry` is what lies behind a key: fields by their offset, each a shape again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from specminer.decoding.getters import GetterReading, GetterStep
from specminer.decoding.location_columns import Field, NameSource
from specminer.decoding.storage_values import ValueKind

_GET: Final = re.compile(r"_*[gG]et_?(?=[A-Z])", re.ASCII)
_FAR: Final = 1 << 16
"""Elements of an array of fixed length that are looked for at most where its length is unknown."""


@dataclass(slots=True)
class Shape:
    """What begins in a slot."""

    label: str | None = None
    """Its name, if it has entries that are more than one value."""
    single_slot_name: str | None = None
    """Its name, if its entries turn out to be one slot each."""
    naming: NameSource = NameSource.NUMBER
    parts: list[Field] = field(default_factory=list)
    """Known bits of the slot itself, the rightmost first; a root's have whole names, others begin with a dot."""
    text: bool = False
    """It is a ``string`` or ``bytes``."""
    mapping: KeyedEntry | None = None
    array: KeyedEntry | None = None
    fixed: KeyedEntry | None = None
    """It is the first slot of an array of fixed length."""


@dataclass(slots=True)
class KeyedEntry:
    """What lies behind a key: the entry of a mapping, the element of an array."""

    stride: int = 0
    """Slots of an element; 0 where unknown, and in mappings."""
    elements_per_slot: int = 1
    """Elements that share a slot."""
    length: int = _FAR
    """Elements of an array of fixed length."""
    kind: ValueKind = ValueKind.WORD
    """The key's type."""
    element: Field | None = None
    """An element of which several share a slot."""
    fields: dict[int, Shape] = field(default_factory=dict)

    @property
    def slots(self) -> int:
        """How many slots an array of fixed length takes at most."""
        return (
            -(-self.length // self.elements_per_slot)
            if self.elements_per_slot > 1
            else self.length * max(1, self.stride)
        )


def shapes(readings: Iterable[GetterReading]) -> dict[int, Shape]:
    """Return what getters tell, by root slot."""
    roots: dict[int, Shape] = {}
    by_root: dict[int, list[GetterReading]] = {}
    for item in _together(list(readings)):
        by_root.setdefault(item.root, []).append(item)
    used_names: set[str] = set()
    for root, items in sorted(by_root.items()):
        roots[root] = shape = Shape(naming=NameSource.GETTER)
        _plain(shape, [item for item in items if not item.steps], used_names)
        keyed_readings = [item for item in items if item.steps]
        if keyed_readings:
            chief = _label(shape, keyed_readings, used_names)
            for item in sorted(keyed_readings, key=lambda item: _order(item, chief)):
                _grow(shape, item)
    return {
        root: shape
        for root, shape in roots.items()
        if shape.parts or shape.mapping or shape.array or shape.fixed
    }


def _together(readings: Sequence[GetterReading]) -> list[GetterReading]:
    """Bring the fields of structs in one array of fixed length under one beginning."""
    result = []
    for item in readings:
        first = item.steps[0] if item.steps else None
        if first is not None and first.form == "fixed" and first.stride > 1:
            peers = [
                other.root
                for other in readings
                if other.steps
                and other.steps[0].form == "fixed"
                and other.steps[0].stride == first.stride
                and item.root - first.stride < other.root <= item.root
            ]
            begin = min(peers)
            step = GetterStep("fixed", first.argument, item.root - begin, first.stride)
            item = replace(item, root=begin, steps=(step, *item.steps[1:]))
        result.append(item)
    return result


def trim_name(name: str) -> str:
    """Return what a getter's name says of the variable: ``getPrice`` and ``_price`` speak of ``price``."""
    bare = name.strip("_")
    match = _GET.match(bare)
    if match is not None:
        bare = bare[match.end() :]
        if not bare[1:2].isupper():
            bare = bare[:1].lower() + bare[1:]
    return bare or name


def _name(item: GetterReading) -> str:
    """Return the name that a getter gives to one of its values; empty if none."""
    output = trim_name(item.getter.outputs[item.output][0])
    return trim_name(item.getter.name) if item.values == 1 else output


def _public(item: GetterReading) -> bool:
    """Whether the getter looks like one that a compiler made for a public variable: nothing of it has a name."""
    return not any(name for name, _ in item.getter.inputs) and (
        len(item.getter.outputs) > 1 or not item.getter.outputs[0][0]
    )


def _preference(item: GetterReading) -> tuple[bool, bool, bool, int]:
    trim = trim_name(item.getter.name) != item.getter.name
    return (item.values != 1, not _public(item), trim, -item.width)


def _plain(shape: Shape, items: Sequence[GetterReading], used_names: set[str]) -> None:
    """Name the bits of a root slot, the best evidence first."""
    for item in sorted(items, key=_preference):
        if item.text:
            shape.text = True
        _read_by(shape, item)
        name = _name(item)
        if name and item.values > 1 and trim_name(item.getter.name) == item.getter.name:
            name = f"{item.getter.name}.{name}"  # as a public struct's
        if name and name not in used_names and _add(shape, item, name):
            used_names.add(name)


def _add(shape: Shape, item: GetterReading, text: str) -> bool:
    """Add a field, if its bits are not spoken for."""
    free = all(
        item.shift + item.width <= part.shift or part.shift + part.width <= item.shift for part in shape.parts
    )
    if free:
        getters = (item.getter.name,) if item.values == 1 else ()
        shape.parts.append(Field(text, item.kind, item.shift, item.width, getters))
        shape.parts.sort(key=lambda part: part.shift)
    return free


def _read_by(shape: Shape, item: GetterReading) -> None:
    """Note that a getter reads the bits of a field that is known already."""
    for index, part in enumerate(shape.parts):
        same = (part.shift, part.width) == (item.shift, item.width)
        if same and item.values == 1 and item.getter.name not in part.getters:
            shape.parts[index] = replace(part, getters=(*part.getters, item.getter.name))


def _label(shape: Shape, keyed_readings: Sequence[GetterReading], used_names: set[str]) -> str | None:
    """Name a variable with keys; return the getter whose values name the fields of its entries."""
    counts: dict[str, set[tuple[tuple[GetterStep, ...], int]]] = {}
    for item in keyed_readings:
        counts.setdefault(item.getter.name, set()).add((item.steps, item.shift))
    positions = set.union(*counts.values())
    many = [item for item in keyed_readings if len(counts[item.getter.name]) > 1]
    if len(positions) > 1 and many:
        chief = min(
            many, key=lambda item: (not _public(item), -len(counts[item.getter.name]), item.getter.name)
        )
        name = trim_name(chief.getter.name)
        if name not in used_names:
            used_names.add(name)
            shape.label = name
        return chief.getter.name
    if len(positions) == 1:
        for item in sorted(keyed_readings, key=_preference):
            name = _name(item)
            if name and name not in used_names:
                used_names.add(name)
                shape.single_slot_name = name
                break
    return None


def _order(item: GetterReading, chief: str | None) -> tuple[bool, tuple[bool, bool, bool, int]]:
    return (item.getter.name != chief, _preference(item))


def _grow(shape: Shape, item: GetterReading) -> None:
    """Add one place to the tree."""
    here = shape
    for step in item.steps:
        entry: KeyedEntry | None = getattr(here, step.form)
        if entry is None:
            entry = KeyedEntry(stride=step.stride, elements_per_slot=step.elements_per_slot)
            setattr(here, step.form, entry)
        if (entry.stride, entry.elements_per_slot) != (step.stride, step.elements_per_slot):
            return  # two getters disagree: the first one stands
        entry.kind = _argument_kind(item.getter.inputs[step.argument][1])
        if step.form == "fixed" and item.limit is not None:
            entry.length = min(entry.length, item.limit)
        if item.shift < 0 and step is item.steps[-1]:
            entry.element = Field("", item.kind, 0, item.width)
            return
        here = entry.fields.setdefault(step.offset, Shape(naming=NameSource.GETTER))
    here.text = here.text or item.text
    _read_by(here, item)
    name = _name(item)
    if name and all(part.text != f".{name}" for part in here.parts):
        _add(here, item, f".{name}")


def _argument_kind(kind: str) -> ValueKind:
    if kind in ("bool", "address"):
        return ValueKind(kind)
    if kind.startswith("uint"):
        return ValueKind.UINT
    return ValueKind.INT if kind.startswith("int") else ValueKind.BYTES
