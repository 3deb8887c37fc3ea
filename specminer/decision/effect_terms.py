"""What effects are called: a variable and the value that it gets, a receiver and an amount, a call, an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from specminer._support.keccak import keccak
from specminer.chain.artifact import MAX_NAME, Entry
from specminer.chain.interface import canonical
from specminer.decision.answer_terms import cut_parts
from specminer.decision.argument_names import read_type, value_kind
from specminer.decision.phrases import Phrase, Strength, joined, listed
from specminer.decision.wording import Wording
from specminer.decision.writes import FieldLeft, Place, SlotLeft, field_left, seen_through
from specminer.evm.shadow.arena import UNKNOWN, Arena, Part
from specminer.evm.shadow.record import CallEffect, LogEffect
from specminer.history import MISSING
from specminer.location import ValueKind
from specminer.specification import EffectKind

MAX_ARGUMENTS: Final = 8
"""Arguments of an event that are shown."""
MAX_LIST: Final = 240
"""Characters of an event's arguments; of longer ones the sources are named."""
_ARGUMENT: Final = 80
"""Characters of one of them."""


class EffectName(NamedTuple):
    """What an effect is called; equal ones are one effect."""

    kind: EffectKind
    target: str
    expression: str
    readable: bool = True
    each: bool = False

    @property
    def text(self) -> str:
        """Return it as people read it."""
        if self.kind is EffectKind.WRITTEN:
            return f"{self.target}' = {self.expression}"
        if self.kind is EffectKind.PAID:
            return f"pays {self.expression} to {self.target}"
        return f"{'calls' if self.kind is EffectKind.CALLED else 'logs'} {self.target}{self.expression}"


class EffectTerms:
    """Names the effects of one function's runs."""

    def __init__(self, wording: Wording, arena: Arena) -> None:
        self._wording = wording
        self._terms = wording.expressions
        self._names = wording.names
        self._arena = arena
        self._stored: dict[Place, int] = {}
        self._written: dict[tuple[Place, int, int, int | None, int], EffectName] = {}
        self._events = self._event_entries()

    def _event_entries(self) -> dict[int, Entry]:
        artifact = self._names.artifact
        found: dict[int, Entry] = {}
        for entry in () if artifact is None else artifact.abi:
            if entry.type == "event" and not entry.anonymous:
                signature = f"{entry.name}({','.join(map(canonical, entry.inputs))})"
                found[int.from_bytes(keccak(signature.encode("utf-8", "surrogatepass")), "big")] = entry
        return found

    # -- storage ------------------------------------------------------------------------------------

    def place(self, place: Place, runs: Sequence[int]) -> None:
        """Take in a slot, and in which runs it was written."""
        if place not in self._stored:
            node = self._arena.constant(place.slot) if place.node is None else place.node
            self._stored[place] = self._wording.stored(node, runs) if node else UNKNOWN

    def variable(self, place: Place) -> tuple[int, int]:
        """Return the node of what a slot held, and the row of its variable, or ``MISSING``."""
        node = self._stored[place]
        return node, self._terms.stored(node).variable if node else MISSING

    def fields(self, slot: SlotLeft) -> list[tuple[int, FieldLeft]]:
        """Return what was left in each field of a slot that was written, with the field's position."""
        node, row = self.variable(slot.place)
        if not node:
            return []
        if row == MISSING:
            return [(0, item) for item in slot.fields]
        found = [
            (position, item)
            for position, field in enumerate(self._names.locations.variables[row].fields)
            if (item := field_left(self._arena, slot, field.shift, field.width)) is not None
        ]
        return found or [(0, item) for item in slot.fields]

    def written(self, slot: SlotLeft) -> list[tuple[EffectName, FieldLeft]]:
        """Return what was written to a slot, field by field."""
        found = []
        for _, item in self.fields(slot):
            constant = item.value if item.node is None else 0
            key = (slot.place, item.shift, item.bits, item.node, constant)
            name = self._written.get(key)
            if name is None:
                name = self._written[key] = self._name(slot, item)
            found.append((name, item))
        return found

    def _name(self, slot: SlotLeft, item: FieldLeft) -> EffectName:
        target = self._terms.stored(self._stored[slot.place], item.shift, item.bits)
        if target.kind is ValueKind.TEXT:
            value = self._text(item)
        elif item.node is None:
            constant = item.value
            if target.kind is ValueKind.INT and constant >> (item.bits - 1):
                constant += (1 << 256) - (1 << item.bits)
            value = Phrase(text=self._names.constants.text(constant, target.kind))
        else:
            value = self._value(item.node, target)
        return EffectName(EffectKind.WRITTEN, target.text, value.text, not value.cut)

    def _value(self, node: int, target: Phrase) -> Phrase:
        """Return a new value; what is added to the old one stands behind that."""
        node = seen_through(self._arena, node)
        value, key = self._terms.phrase(node), self._arena.key(node)
        if key[0] != "add" or value.cut or key[2] in self._arena.constants:
            return value
        first, second = self._terms.phrase(key[1]), self._terms.phrase(key[2])
        if second.text != target.text or first.text == target.text:
            return value
        return joined([second, first], "+", Strength.SUM, value.kind)

    def _text(self, item: FieldLeft) -> Phrase:
        """Return what a string, or its length, was made of."""
        if item.node is None:
            return Phrase(text="a text of the code" if item.value else "an empty text", cut=bool(item.value))
        sources = self._terms.sources(item.node)
        names = {phrase.source or phrase.text for phrase in sources if phrase.variable == MISSING}
        if len(names) == 1:
            return Phrase(text=names.pop().removeprefix("length(").removesuffix(")"))
        return Phrase(text=f"an expression of {listed(sources)}" if sources else "a text", cut=True)

    # -- calls --------------------------------------------------------------------------------------

    def called(self, call: CallEffect) -> EffectName:
        """Return what a call of another contract is called."""
        asked = self._terms.answers.question(call.number)
        return EffectName(EffectKind.CALLED, asked.text, "", not asked.cut)

    def paid(self, call: CallEffect) -> EffectName:
        """Return what a payment is called."""
        receiver = (
            self._terms.answers.receiver(call.number)
            if call.to_node is None
            else self._terms.phrase(seen_through(self._arena, call.to_node))
        )
        amount = (
            Phrase(text=f"{call.value:,} wei".replace(",", ""))
            if call.value_node is None
            else self._terms.phrase(seen_through(self._arena, call.value_node))
        )
        return EffectName(EffectKind.PAID, receiver.text, amount.text, not (receiver.cut or amount.cut))

    # -- events -------------------------------------------------------------------------------------

    def logged(self, log: LogEffect) -> EffectName:
        """Return what an event is called."""
        entry = self._events.get(log.topics[0]) if log.topics and log.nodes[0] is None else None
        if entry is None:
            first = f"event 0x{log.topics[0] >> 224:08x}" if log.topics else "an event without a name"
            return EffectName(EffectKind.LOGGED, first, "")
        phrases = self._arguments(log, entry)
        shown = ", ".join(
            item.text if len(item.text) <= _ARGUMENT else item.source or "…"
            for item in phrases[:MAX_ARGUMENTS]
        )
        more = ", …" if len(phrases) > MAX_ARGUMENTS else ""
        if len(shown) > MAX_LIST:
            return EffectName(EffectKind.LOGGED, entry.name[:MAX_NAME], "(…)", False)
        readable = not any(item.cut for item in phrases)
        return EffectName(EffectKind.LOGGED, entry.name[:MAX_NAME], f"({shown}{more})", readable)

    def _arguments(self, log: LogEffect, entry: Entry) -> list[Phrase]:
        """Return what an event tells, in the order of its declaration."""
        phrases: list[Phrase] = []
        topic, start = 1, 0
        for item in entry.inputs:
            kind = read_type(item.type, item.components)
            single = kind.words == 1 and not kind.members and kind.element is None
            value = value_kind(kind.spelling)[0] if single else ValueKind.BYTES
            if item.indexed:
                known = topic < len(log.topics)
                phrases.append(
                    self._word(log.nodes[topic], log.topics[topic], value)
                    if known
                    else Phrase(text="…", cut=True)
                )
                topic += 1
                continue
            phrases.append(
                self._bytes(cut_parts(log.data or (), start, 32), value) if single else Phrase(text="…")
            )
            start += 32 * (kind.words or 1)
        return phrases

    def _word(self, node: int | None, value: int, kind: ValueKind) -> Phrase:
        if node is None:
            return Phrase(text=self._names.constants.text(value, kind))
        return self._terms.phrase(seen_through(self._arena, node))

    def _bytes(self, parts: tuple[Part, ...], kind: ValueKind) -> Phrase:
        """Return a word of an event's data."""
        if sum(count for _, _, count in parts) != 32:
            return Phrase(text="…", cut=True)
        constants = self._arena.constants
        if all(node in constants for node, _, _ in parts):
            value = 0
            for node, first, count in parts:
                part = constants[node] >> 8 * (32 - first - count) & ((1 << 8 * count) - 1)
                value = value << 8 * count | part
            return Phrase(text=self._names.constants.text(value, kind))
        return self._terms.bytes_phrase(parts)
