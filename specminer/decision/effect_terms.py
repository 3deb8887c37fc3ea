"""What effects are called: a variable and the value that it gets, a receiver and an amount, a call, an event."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from specminer._support.keccak import keccak
from specminer.contracts.artifact import MAX_NAME, AbiEntry, Parameter
from specminer.contracts.interface import canonical
from specminer.contracts.usual_enums import enum_members_of
from specminer.decision.algebra import linear_form
from specminer.decision.answer_terms import SIGNER, cut_parts, open_parts
from specminer.decision.argument_names import read_type, value_kind
from specminer.decision.packed_elements import PackedElement
from specminer.decision.phrases import Phrase, Strength, join_phrases, list_sources
from specminer.decision.wording import Wording
from specminer.decision.writes import FieldLeft, SlotLeft, SlotPlace, field_left
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.shadow.arena import UNKNOWN, Arena, Inputs, Part
from specminer.shadow.evaluation import evaluate
from specminer.shadow.record import CallEffect, LogEffect
from specminer.specification import EffectKind

MAX_ARGUMENTS: Final = 8
"""Arguments of an event that are shown."""
MAX_LIST: Final = 240
"""Characters of an event's arguments; of longer ones the sources are named."""
_ARGUMENT: Final = 80
"""Characters of one of them, where not all fit."""
MAX_TERMS: Final = 8
"""Terms of a sum that are put in order."""
_COMPUTED: Final = ("add", "sub", "mul", "div", "exp", "mod", "shifted")
"""Operations whose result a compiler cuts to the type of a field before it is written there."""
_LENGTH: Final = re.compile(r"length\((.+)\)", re.DOTALL)
_FIRST: Final = re.compile(r"\[0\]$")


class EffectName(NamedTuple):
    """What an effect is called; equal ones are one effect."""

    kind: EffectKind
    target: str
    expression: str
    readable: bool = True
    each: bool = False
    member: str = ""
    """The name of the value that is written, where the variable is an enum."""

    @property
    def text(self) -> str:
        """Return it as people read it."""
        if self.kind is EffectKind.WRITTEN:
            return f"{self.target}' = {self.member or self.expression}"
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
        self._stored_nodes: dict[SlotPlace, int] = {}
        self._effect_names: dict[tuple[SlotPlace, int, int, int | None, int], EffectName] = {}
        self._events = self._event_entries()

    def _event_entries(self) -> dict[int, AbiEntry]:
        artifact = self._names.artifact
        events: dict[int, AbiEntry] = {}
        for entry in () if artifact is None else artifact.abi:
            if entry.type == "event" and not entry.anonymous:
                signature = f"{entry.name}({','.join(map(canonical, entry.inputs))})"
                events[int.from_bytes(keccak(signature.encode("utf-8", "surrogatepass")), "big")] = entry
        return events

    # -- storage ------------------------------------------------------------------------------------

    def add_slot(self, slot: SlotPlace, runs: Sequence[int]) -> None:
        """Take in a slot, and in which runs it was written."""
        if slot not in self._stored_nodes:
            node = self._arena.constant(slot.slot) if slot.node is None else slot.node
            self._stored_nodes[slot] = self._wording.stored_node(node, runs) if node else UNKNOWN

    def variable(self, slot: SlotPlace) -> tuple[int, int]:
        """Return the node of what a slot held, and the row of its variable, or ``MISSING``."""
        node = self._stored_nodes[slot]
        return node, self._terms.name_stored(node).variable if node else MISSING

    def keys(self, slot: SlotPlace) -> tuple[str, ...]:
        """Return the keys of the entry to which a slot belongs, as expressions, the outermost first."""
        node = self._stored_nodes[slot]
        return self._terms.name_stored(node).keys if node else ()

    def is_signed(self, slot: SlotPlace, depth: int, facts: Mapping[int, bool]) -> bool:
        """Return whether it is among some facts that the key of an entry is who signed something."""
        key = self.keys(slot)[depth]
        for node, holds in facts.items():
            if holds and self._arena.kind(node) == "eq":
                names = [self._wording.term(item).name for item in self._arena.key(node)[1:3]]
                if key in names and any(name.startswith(SIGNER) for name in names):
                    return True
        return False

    def fields(self, slot: SlotLeft) -> list[tuple[int, FieldLeft]]:
        """Return what was left in each field of a slot that was written, with the field's position."""
        node, row = self.variable(slot.slot_place)
        if not node:
            return []
        if row == MISSING:
            return [(0, item) for item in slot.fields]
        items = [
            (position, item)
            for position, field in enumerate(self._names.locations.variables[row].fields)
            if (item := field_left(self._arena, slot, field.shift, field.width)) is not None
        ]
        return items or [(0, item) for item in slot.fields]

    def is_text(self, slot: SlotPlace) -> bool:
        """Return whether a slot holds a string or bytes, or the length of one that does not fit into it."""
        node = self._stored_nodes[slot]
        return bool(node) and self._terms.name_stored(node).kind is ValueKind.TEXT

    def apart(self, slot: SlotPlace, other: SlotPlace) -> str | None:
        """Return what tells two entries of a variable apart: ``sender != to``; ``None`` if no one key does."""
        first, second = (self._terms.name_stored(self._stored_nodes[item]) for item in (slot, other))
        if first.variable == MISSING or first.variable != second.variable:
            return None
        different = [pair for pair in zip(first.keys, second.keys, strict=True) if pair[0] != pair[1]]
        if len(different) != 1:
            return None
        return " != ".join(sorted(different[0], key=lambda key: (key == "sender", key)))

    def name_write(self, slot: SlotLeft) -> list[tuple[EffectName, bool]]:
        """Return what was written to a slot, field by field, and whether it made a difference.

        Left out is what puts there what was there, whatever that was; other expressions make a difference, even if
        their values did not.
        """
        if slot.element is not None:
            return [(self._element(slot, slot.element), True)]
        names = []
        for _, item in self.fields(slot):
            constant = item.value if item.node is None else 0
            key = (slot.slot_place, item.shift, item.bits, item.node, constant)
            name = self._effect_names.get(key)
            if name is None:
                name = self._effect_names[key] = self._name(slot, item)
            if item.node is None:
                names.append((name, item.value != item.before))
            elif self._differs(slot, item):
                names.append((name, True))
        return names

    def _differs(self, slot: SlotLeft, item: FieldLeft) -> bool:
        """Return whether an expression is not the one of what was there."""
        if not item.node:
            return item.value != item.before
        old = self._arena.field(
            slot.before_node or self._stored_nodes[slot.slot_place], item.shift, item.bits
        )
        if not old or old == item.node:
            return old != item.node
        first, second = (linear_form(self._arena, node, item.bits) for node in (old, item.node))
        return first is None or second is None or not first.same(second)

    def _element(self, slot: SlotLeft, item: PackedElement) -> EffectName:
        """Return what is written to one of several elements that share a slot."""
        target = self._terms.name_stored(self._stored_nodes[slot.slot_place], 0, item.bits)
        name = _FIRST.sub("", target.text)
        if name != target.text or not target.text.endswith("]"):
            name = f"{name}[{self._terms.phrase(item.position).text}]"
        value = self._value(item.node, target, item.bits)
        constant = self._arena.constants.get(item.node)
        member = _member(target, constant)
        return EffectName(EffectKind.WRITTEN, name, value.text, not value.cut, member=member)

    def _name(self, slot: SlotLeft, item: FieldLeft) -> EffectName:
        target = self._terms.name_stored(self._stored_nodes[slot.slot_place], item.shift, item.bits)
        constant = item.value if item.node is None else self._arena.constants.get(item.node)
        if target.kind is ValueKind.TEXT:
            value = self._text(item)
        elif item.node is None:
            value = self._constant(item.value, target, item.bits)
        else:
            value = self._value(item.node, target, item.bits)
        member = _member(target, constant)
        return EffectName(EffectKind.WRITTEN, target.text, value.text, not value.cut, member=member)

    def _constant(self, constant: int, target: Phrase, bits: int) -> Phrase:
        if target.kind is ValueKind.INT and constant >> (bits - 1):
            constant += (1 << 256) - (1 << bits)
        return Phrase(text=self._names.constants.text(constant, target.kind))

    def _value(self, node: int, target: Phrase, bits: int) -> Phrase:
        """Return a new value; it is cut to the field's bits anyway, and begins with the old one if that is added to."""
        constant = self._arena.constants.get(node)
        if constant is not None:
            return self._constant(constant, target, bits)
        key = self._arena.key(node)
        if key[0] == "field" and key[2:4] == (0, bits) and self._is_whole(key[1]):
            node = key[1]
        value = self._terms.phrase(node)
        if value.cut:
            return value
        terms = self._terms_of_sum(node)
        old = next((item for item in terms if item[0] == "+" and item[1].text == target.text), None)
        if old is None or terms[0] == old:
            return value
        joint = old[1]
        for sign, phrase in terms:
            if phrase is not old[1]:
                joint = join_phrases([joint, phrase], sign, Strength.SUM, value.kind)
        return joint

    def _is_whole(self, node: int) -> bool:
        """Return whether an expression is one value, of which a field may hold the lowest bits."""
        kind = self._arena.kind(node)
        return kind in _COMPUTED or (kind == "storage" and self._terms.phrase(node).bits == 256)

    def _terms_of_sum(self, node: int) -> list[tuple[str, Phrase]]:
        """Return what a sum adds and takes away, with the signs, in the order of the code."""
        pending, terms = [("+", node)], list[tuple[str, Phrase]]()
        while pending:
            sign, item = pending.pop()
            key = self._arena.key(item)
            constant = self._arena.constants.get(item)
            if key[0] in ("add", "sub") and len(terms) + len(pending) < MAX_TERMS:
                opposite = "-" if sign == "+" else "+"
                pending += [(opposite if key[0] == "sub" else sign, key[2]), (sign, key[1])]
            elif constant is not None and constant >> 255:
                less = self._terms.constant((1 << 256) - constant, ValueKind.UINT)
                terms.append(("-" if sign == "+" else "+", less))
            else:
                terms.append((sign, self._terms.phrase(item)))
        return terms

    def _text(self, item: FieldLeft) -> Phrase:
        """Return what a string, or its length, was made of."""
        if item.node is None:
            return Phrase(text="a text of the code" if item.value else "an empty text", cut=bool(item.value))
        sources = self._terms.sources(item.node)
        names = {phrase.source or phrase.text for phrase in sources if phrase.variable == MISSING}
        if len(names) == 1:
            return Phrase(text=names.pop().removeprefix("length(").removesuffix(")"))
        return Phrase(text=f"an expression of {list_sources(sources)}" if sources else "a text", cut=True)

    # -- calls --------------------------------------------------------------------------------------

    def name_call(self, call: CallEffect) -> EffectName:
        """Return what a call of another contract is called."""
        question = self._terms.answers.question(call.number)
        return EffectName(EffectKind.CALLED, question.text, "", not question.cut)

    def name_payment(self, call: CallEffect) -> EffectName:
        """Return what a payment is called."""
        receiver = (
            self._terms.answers.receiver(call.number)
            if call.to_node is None
            else self._terms.phrase(call.to_node)
        )
        amount = (
            Phrase(text=f"{call.value:,} wei".replace(",", ""))
            if call.value_node is None
            else self._terms.phrase(call.value_node)
        )
        return EffectName(EffectKind.PAID, receiver.text, amount.text, not (receiver.cut or amount.cut))

    # -- events -------------------------------------------------------------------------------------

    def name_log(self, log: LogEffect, inputs: Inputs) -> EffectName:
        """Return what an event is called, given what the sources of the call held."""
        entry = self._events.get(log.topics[0]) if log.topics and log.nodes[0] is None else None
        if entry is None:
            first = f"event 0x{log.topics[0] >> 224:08x}" if log.topics else "an event without a name"
            return EffectName(EffectKind.LOGGED, first, "")
        phrases = self._arguments(log, entry, inputs)
        more = ", …" if len(phrases) > MAX_ARGUMENTS else ""
        texts = [item.text for item in phrases[:MAX_ARGUMENTS]]
        readable = not any(item.cut for item in phrases)
        if len(", ".join(texts)) > MAX_LIST:
            readable = False
            texts = [
                text if len(text) <= _ARGUMENT else item.source or "…"
                for text, item in zip(texts, phrases, strict=False)
            ]
        arguments = ", ".join(texts)
        if len(arguments) > MAX_LIST:
            return EffectName(EffectKind.LOGGED, entry.name[:MAX_NAME], "(…)", False)
        return EffectName(EffectKind.LOGGED, entry.name[:MAX_NAME], f"({arguments}{more})", readable)

    def _arguments(self, log: LogEffect, entry: AbiEntry, inputs: Inputs) -> list[Phrase]:
        """Return what an event tells, in the order of its declaration."""
        phrases: list[Phrase] = []
        data = open_parts(self._arena, log.data or ())
        topic, start = 1, 0
        for item in entry.inputs:
            kind = read_type(item.type, item.components)
            members = self._members(item)
            single = kind.words == 1 and not kind.members and kind.element is None
            value = value_kind(kind.spelling)[0] if single else ValueKind.BYTES
            if item.indexed:
                has_topic = topic < len(log.topics)
                phrases.append(
                    self._word(log.nodes[topic], log.topics[topic], value, members)
                    if has_topic
                    else Phrase(text="…", cut=True)
                )
                topic += 1
                continue
            if single:
                phrases.append(self._bytes(cut_parts(data, start, 32), value, members))
            elif kind.is_text:
                phrases.append(self._logged_text(data, start, inputs))
            else:
                phrases.append(Phrase(text="…"))
            start += 32 * (kind.words or 1)
        return phrases

    def _logged_text(self, data: tuple[Part, ...], head: int, inputs: Inputs) -> Phrase:
        """Return the text that an event tells, of which a word says where it begins."""
        unknown = Phrase(text="…")
        offset = cut_parts(data, head, 32)
        if len(offset) != 1 or offset[0][1:] != (0, 32) or not offset[0][0]:
            return unknown
        try:
            begin = evaluate(self._arena, offset[0][0], inputs)
        except KeyError:
            return unknown
        length = cut_parts(data, begin, 32)
        if len(length) != 1 or not length[0][0]:
            return unknown
        match = _LENGTH.fullmatch(self._terms.phrase(length[0][0]).text)
        return unknown if match is None else Phrase(text=match[1])

    def _members(self, item: Parameter) -> tuple[str, ...]:
        """Return the names of the values of what an event tells, if it is an enum."""
        artifact = self._names.artifact
        return enum_members_of(artifact, item.enum) if artifact is not None and item.is_enum else ()

    def _logged_constant(self, value: int, kind: ValueKind, members: tuple[str, ...]) -> Phrase:
        return Phrase(
            text=members[value] if value < len(members) else self._names.constants.text(value, kind)
        )

    def _word(self, node: int | None, value: int, kind: ValueKind, members: tuple[str, ...]) -> Phrase:
        if node is None:
            return self._logged_constant(value, kind, members)
        return self._terms.phrase(node)

    def _bytes(self, parts: tuple[Part, ...], kind: ValueKind, members: tuple[str, ...]) -> Phrase:
        """Return a word of an event's data."""
        if sum(count for _, _, count in parts) != 32:
            return Phrase(text="…", cut=True)
        constants = self._arena.constants
        if all(node in constants for node, _, _ in parts):
            value = 0
            for node, first, count in parts:
                part = constants[node] >> 8 * (32 - first - count) & ((1 << 8 * count) - 1)
                value = value << 8 * count | part
            return self._logged_constant(value, kind, members)
        return self._terms.bytes_phrase(parts)


def _member(target: Phrase, value: int | None) -> str:
    """Return the name of a value of a variable; empty if the variable is no enum whose members are known."""
    return "" if value is None or value >= len(target.members) else target.members[value]
