"""What storage is called: the variable that a slot belongs to, with its keys as expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from specminer.decision.context_names import ContextNames
from specminer.decision.phrases import Origin, Phrase, Strength, join_phrases, together
from specminer.decision.run_values import RunValues
from specminer.decision.slot_paths import ArrayIndex, MappingKey, SlotPath, index_of, slot_path
from specminer.decoding.location_columns import Field, PortKind, StorageVariable
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.shadow.arena import Part

MAX_KEY: Final = 96
"""Characters of a key; of a longer one the sources are named."""
_WORD: Final = 256
_MAX_BEYOND: Final = 16
"""Elements that an index may be away from the one that is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePlace:
    """Where a word of storage belongs."""

    variable: int
    """Row in ``Locations.variables``; ``MISSING`` if nothing explains it."""
    keys: tuple[str, ...]
    key: int = MISSING
    """The node of its only key; ``MISSING`` if it has none, or several, or the code does not compute it."""
    name: str
    """Of the whole word, where no variable is known."""
    origin: Origin
    version: int
    """How many values it had before in the same call."""


class StorageTerms:
    """The storage that the runs of one function looked at."""

    def __init__(
        self,
        names: ContextNames,
        values: RunValues,
        phrase: Callable[[int], Phrase],
        parts_phrase: Callable[[tuple[Part, ...]], Phrase],
    ) -> None:
        """Prepare.

        Args:
            names: those of the history.
            values: what was where in the runs.
            phrase: names an expression.
            parts_phrase: names bytes that are made of expressions.

        """
        self._names = names
        self._values = values
        self._phrase = phrase
        self._parts_phrase = parts_phrase
        self._storage_places: dict[int, StoragePlace] = {}

    def word(self, node: int) -> Phrase:
        """Return what a word that was read is called."""
        return self.bits(node, 0, _WORD)

    def bits(self, node: int, shift: int, width: int) -> Phrase:
        """Return what some bits of a word that was read are called: a field of the variable."""
        stored = self._storage_places.get(node)
        if stored is None:
            stored = self._storage_places[node] = self._stored_at(node)
        if stored.variable == MISSING:
            return self._name_unexplained(stored, shift, width)
        variable = self._names.locations.variables[stored.variable]
        if variable.fields[0].kind is ValueKind.TEXT and shift < 8 and width < _WORD:
            return self._text_shape(stored, variable, shift)
        position, suffix = self._field(stored.variable, variable, shift, width)
        field = variable.fields[position]
        kind, bits = (field.kind, field.width) if not suffix else (ValueKind.WORD, width)
        if kind is ValueKind.WORD and width == 160 and not suffix:
            kind, bits = ValueKind.ADDRESS, 160
        text = f"{variable.text(stored.keys, position)}{suffix}"
        if field.text.startswith("+"):
            text = f"`{text}`"  # a slot behind an entry's first is no sum
        text += _later(stored.version)
        return Phrase(
            text=text,
            kind=kind,
            members=() if suffix else field.members,
            bits=min(bits, width),
            origin=stored.origin,
            variable=stored.variable,
            field=position,
            keys=stored.keys,
            key=stored.key,
            source=variable.text(tuple("…" for _ in stored.keys), position) if len(text) > MAX_KEY else "",
        )

    def element(self, node: int) -> Phrase:
        """Return what an element is called of several that share a slot, where its index chose its bits."""
        whole = self.word(node)
        stored = self._storage_places[node]
        if stored.variable == MISSING:
            return whole
        variable = self._names.locations.variables[stored.variable]
        field = variable.fields[0]
        text = f"{variable.text(stored.keys, 0)}{_later(stored.version)}"
        return replace(whole, text=text, kind=field.kind, members=field.members, bits=field.width, field=0)

    @staticmethod
    def _text_shape(stored: StoragePlace, variable: StorageVariable, shift: int) -> Phrase:
        """Return what the lowest byte of a text's slot tells: its length, or whether it is long."""
        name = variable.text(stored.keys)
        return Phrase(
            text=f"length({name})" if shift else f"{name} is long",
            kind=ValueKind.UINT if shift else ValueKind.BOOL,
            origin=stored.origin,
            variable=stored.variable,
            keys=stored.keys,
            source=name,
        )

    def _name_unexplained(self, stored: StoragePlace, shift: int, width: int) -> Phrase:
        suffix = "" if shift == 0 and width in (_WORD, 160) else _bytes_suffix(shift, width)
        return Phrase(
            text=f"{stored.name}{suffix}{_later(stored.version)}",
            kind=ValueKind.ADDRESS if width == 160 else ValueKind.WORD,
            bits=width,
            origin=stored.origin,
            keys=stored.keys,
        )

    def _field(self, row: int, variable: StorageVariable, shift: int, width: int) -> tuple[int, str]:
        """Return which field some bits are, and what is added to its name if they are a part of it, or more."""
        end = shift + width
        for position, field in enumerate(variable.fields):
            if (field.shift, field.width) == (shift, width):
                return position, ""
        inside = [
            (position, field)
            for position, field in enumerate(variable.fields)
            if field.shift < end and shift < field.shift + field.width
        ]
        if len(inside) > 1:
            return inside[0][0], _others(variable.fields, [position for position, _ in inside[1:]])
        if not inside:
            return 0, _bytes_suffix(shift, width)
        position, field = inside[0]
        if shift <= field.shift and end >= field.shift + field.width:
            return position, ""
        if field.kind is ValueKind.TEXT:
            return position, ""
        used = self._names.used_bits(row)
        mask = ((1 << width) - 1) << shift
        whole = ((1 << field.width) - 1) << field.shift
        alone = field.kind is ValueKind.WORD and not used & whole & ~mask and shift == field.shift
        return position, "" if alone else _bytes_suffix(shift - field.shift, width)

    # -- where a word belongs -----------------------------------------------------------------------

    def _stored_at(self, node: int) -> StoragePlace:
        arena = self._values.arena
        kind, slot, version = arena.key(node)[:3]
        path = slot_path(arena, slot, key_last=self._names.key_last)
        rows = self._rows(node, slot) if kind == "storage" else []
        variables = {int(self._names.locations.variable[row]) for _, row in rows}
        if len(variables) == 1:
            variable = variables.pop()
            layout = self._names.locations.variables[variable]
            ports = [self._names.locations.ports[port] for port in layout.ports]
            if all(port.port_kind is not PortKind.UNRESOLVED for port in ports):
                keys = self._keys(layout, path, rows)
                return StoragePlace(
                    variable=variable,
                    keys=tuple(key.text for key in keys),
                    key=_only_key(path) if len(keys) == 1 else MISSING,
                    name="",
                    origin=Origin.STORED,
                    version=version,
                )
        name, keys = self._name_computed(kind, slot, path)
        return StoragePlace(
            variable=MISSING,
            keys=tuple(key.text for key in keys),
            name=name,
            origin=Origin.STORED,
            version=version,
        )

    def _rows(self, node: int, slot: int) -> list[tuple[int, int]]:
        """Return for some runs that read a slot the run's position and the slot's row."""
        slot_rows: list[tuple[int, int]] = []
        history = self._names.history
        for position in self._values.samples(node):
            word = self._values.value(position, slot)
            contract = int(history.invocation_contract[self._values.runs[position].invocation])
            row = MISSING if word is None else self._names.row(contract, word)
            if row != MISSING:
                slot_rows.append((position, row))
        return slot_rows

    def _keys(
        self, variable: StorageVariable, path: SlotPath | None, rows: Sequence[tuple[int, int]]
    ) -> list[Phrase]:
        """Return the names of a variable's keys, the outermost first."""
        steps = list(path.steps) if path is not None else []
        keys: list[Phrase] = []
        for depth in reversed(range(len(variable.ports))):
            port = self._names.locations.ports[variable.ports[depth]]
            step = steps[-1] if steps else None
            mapping = port.port_kind is PortKind.MAPPING
            phrase: Phrase | None = None
            if step is not None and isinstance(step, MappingKey) == mapping:
                steps.pop()
                if isinstance(step, ArrayIndex):
                    step = replace(step, offset=step.offset or self._beyond(step, depth, rows))
                phrase = self._step(step, port.kind)
            elif isinstance(step, ArrayIndex) and mapping and len(steps) > 1:
                steps.pop()  # an index within an entry that nothing tells apart
                if isinstance(steps[-1], MappingKey):
                    phrase = self._step(steps.pop(), port.kind)
            keys.append(phrase or self._constant_key(depth, port.kind, rows))
        return list(reversed(keys))

    def _beyond(self, step: ArrayIndex, depth: int, rows: Sequence[tuple[int, int]]) -> int:
        """Return how many elements behind its index an element stands, as all runs tell; 0 if they do not agree.

        Where an array begins at a place that is known beforehand, nothing else tells the place of a member from that
        of a neighbour: ``list[length - 1]``.
        """
        index = index_of(self._values.arena, step.terms)
        locations, distances = self._names.locations, set[int]()
        for run, row in rows if index is not None else ():
            code = int(locations.keys[row, depth])
            actual = None if code == MISSING else locations.key_table.word(code)
            computed = self._values.value(run, index or 0)
            if actual is not None and computed is not None:
                distances.add(actual - computed)
        return distances.pop() if len(distances) == 1 and abs(min(distances)) <= _MAX_BEYOND else 0

    def _step(self, step: MappingKey | ArrayIndex, kind: ValueKind) -> Phrase:
        if isinstance(step, MappingKey):
            parts = step.parts
            if len(parts) == 1 and parts[0][1:] == (0, 32):
                return self._short(self._key_phrase(parts[0][0], kind))
            return self._short(self._parts_phrase(parts))
        index = index_of(self._values.arena, step.terms)
        if index is not None:
            phrase = self._phrase(index)
            if step.offset:
                count = Phrase(text=str(abs(step.offset)))
                phrase = join_phrases(
                    [phrase, count], "-" if step.offset < 0 else "+", Strength.SUM, phrase.kind
                )
            return self._short(phrase)
        phrases = [self._phrase(term) for term in step.terms]
        return self._short(Phrase(text=" + ".join(item.text for item in phrases), origin=together(phrases)))

    def _key_phrase(self, node: int, kind: ValueKind) -> Phrase:
        constant = self._values.arena.constants.get(node)
        if constant is None:
            return self._phrase(node)
        return Phrase(text=self._names.constants.text(constant, kind), kind=kind)

    def _constant_key(self, depth: int, kind: ValueKind, rows: Sequence[tuple[int, int]]) -> Phrase:
        """Return a key that the code does not compute: the same in all runs, or one that nothing names."""
        locations = self._names.locations
        codes = {int(locations.keys[row, depth]) for _, row in rows}
        if len(codes) != 1:
            return Phrase(text="…", kind=kind)
        code = codes.pop()
        word = locations.key_table.word(code)
        if word is None:
            return Phrase(text=locations.key_table.text(code, kind), kind=kind)
        return Phrase(text=self._names.constants.text(word, kind), kind=kind)

    @staticmethod
    def _short(phrase: Phrase) -> Phrase:
        if len(phrase.text) <= MAX_KEY:
            return phrase
        return replace(phrase, text=f"{phrase.text[: MAX_KEY - 1]}…")

    def _name_computed(self, kind: str, slot: int, path: SlotPath | None) -> tuple[str, list[Phrase]]:
        """Return a name for what no row of the history explains, from how its slot is computed."""
        word = "transient" if kind == "transient" else "slot"
        if path is None:
            key = self._short(self._phrase(slot))
            return f"{word}[{key.text}]", [key]
        root = str(path.root) if path.root < 1 << 64 else f"{path.root:#x}"
        if not path.steps:
            return f"{word}{root}", []
        mapping = isinstance(path.steps[0], MappingKey)
        keys = [self._step(step, ValueKind.WORD) for step in path.steps]
        start = f"{'transient ' if kind == 'transient' else ''}{'mapping' if mapping else 'array'}{root}"
        return start + "".join(f"[{key.text}]" for key in keys), keys


def _only_key(path: SlotPath | None) -> int:
    """Return the node of the key of a slot in a mapping, if it has one key that is a whole word."""
    steps = [step for step in path.steps if isinstance(step, MappingKey)] if path is not None else []
    if len(steps) != 1 or len(steps[0].parts) != 1 or steps[0].parts[0][1:] != (0, 32):
        return MISSING
    return steps[0].parts[0][0]


def _later(version: int) -> str:
    """Return what tells a value from those that the same place had before."""
    return f" (value {version + 1})" if version else ""


def _bytes_suffix(shift: int, width: int) -> str:
    """Return what tells a part of a word, counted from its right end."""
    if shift % 8 or width % 8:
        return f".bits{shift}to{shift + width - 1}"
    return f".bytes{shift // 8}to{(shift + width) // 8 - 1}"


def _others(fields: Sequence[Field], positions: Sequence[int]) -> str:
    """Return what is added to the name of the first of several fields that are meant together."""
    texts = [fields[position].text.lstrip(".") for position in positions[:3]]
    more = ", …" if len(positions) > 3 else ""
    return f" with {', '.join(texts)}{more}"
