"""What the names in conditions mean: parts of the call, arguments of a function, variables of the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from specminer.contracts.artifact import AbiEntry, Artifact, Parameter
from specminer.decoding.storage_layout import Layout, Type
from specminer.decoding.storage_values import ValueKind
from specminer.export.expressions import (
    ADDRESS,
    NUMBER,
    TRUTH,
    ArgumentValue,
    CallWord,
    Constant,
    ElementSlot,
    EntrySlot,
    Expression,
    FixedSlot,
    GetterCall,
    LaterSlot,
    Slot,
    StoragePosition,
    UnsayableError,
    ValueType,
    VariableRead,
)

SELECTOR_BYTES: Final = 4
CALL_TYPES: Final[Mapping[str, ValueType]] = {
    "sender": ADDRESS,
    "origin": ADDRESS,
    "value": NUMBER,
    "now": NUMBER,
    "block": NUMBER,
    "this": ADDRESS,
    "beneficiary": ADDRESS,
}
"""The words that conditions use for parts of the call."""
_OTHER_WORDS: Final = frozenset({"randomness", "creator", "previous", "newcomer", "last", "argument"})
_UNNAMED: Final = re.compile(r"(?:mapping|slot|array)\d+|bytes\d+to\d+|arg\d+")
"""Storage that is called by its place, and arguments that the ABI gives no name."""
_WORD_TYPE: Final = re.compile(r"(?P<name>uint|int|address|bool|bytes)(?P<size>[0-9]{1,3})?", re.ASCII)
_ARRAY: Final = re.compile(r"(?P<base>.*)\[(?P<count>[0-9]{1,9})?\]", re.ASCII)
_KINDS: Final = {
    "uint": ValueKind.UINT,
    "int": ValueKind.INT,
    "address": ValueKind.ADDRESS,
    "bool": ValueKind.BOOL,
    "bytes": ValueKind.BYTES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """The names that one function's conditions can use."""

    arguments: Mapping[str, ArgumentValue | None]
    """By name; ``None`` for an argument that is no single word."""
    layout: Layout | None
    getters: Mapping[str, GetterCall] = field(default_factory=dict)
    """Functions without arguments that return one word, by name."""
    ambiguous: frozenset[str] = field(default_factory=frozenset)
    """Words for parts of the call, and arguments, that are names of the contract's own variables too."""

    def term(self, root: str, steps: tuple[str | int | Expression, ...]) -> Expression:
        """Return what a name with its members and keys means.

        Raises:
            UnsayableError: it may mean several things, or nothing that has a name in the source.

        """
        if root in self.ambiguous:
            raise UnsayableError(f"'{root}' may be a variable or something else of the call")
        if root in CALL_TYPES and not steps:
            return CallWord(word=root, type=CALL_TYPES[root])
        if root in _OTHER_WORDS and not steps:
            raise UnsayableError(f"'{root}' has no expression there")
        if root in self.arguments:
            argument = self.arguments[root]
            if argument is None or steps:
                raise UnsayableError(f"the argument '{root}' is no single word")
            return argument
        if _UNNAMED.fullmatch(root) or any(isinstance(s, str) and _UNNAMED.fullmatch(s) for s in steps):
            raise UnsayableError("it speaks of what has no name in the source")
        if self.layout is None:
            return VariableRead(root=root, steps=steps, type=ValueType(kind=ValueKind.WORD), position=None)
        if not steps and root in self.getters and not _is_declared(self.layout, root):
            return self.getters[root]
        return _read_stored(self.layout, root, steps)


def function_variables(artifact: Artifact, entry: AbiEntry, layout: Layout | None) -> Variables:
    """Return the names that the conditions of a function can use."""
    own = set() if layout is None else {item.label for item in layout.variables}
    own |= {item.name for item in artifact.abi if item.type == "function" and not item.inputs}
    names = {parameter.name for parameter in entry.inputs}
    return Variables(
        arguments=dict(_arguments(entry)),
        layout=layout,
        getters=dict(_getters(artifact)),
        ambiguous=frozenset((names | CALL_TYPES.keys()) & own | (names & CALL_TYPES.keys())),
    )


def _getters(artifact: Artifact) -> Iterator[tuple[str, GetterCall]]:
    for entry in artifact.abi:
        kind = word_type(entry.outputs[0].type) if len(entry.outputs) == 1 else None
        reads = entry.constant or entry.state_mutability in ("view", "pure")
        if entry.type == "function" and reads and not entry.inputs and kind is not None:
            yield entry.name, GetterCall(name=entry.name, type=kind)


def _is_declared(layout: Layout, name: str) -> bool:
    return any(item.label == name for item in layout.variables)


def word_type(kind: str) -> ValueType | None:
    """Return how a type of the ABI reads its word; ``None`` if it is no single word."""
    match = _WORD_TYPE.fullmatch(kind)
    if match is None or (match["name"] == "bytes" and match["size"] is None):
        return None
    if match["name"] == "address":
        return ADDRESS
    if match["name"] == "bool":
        return TRUTH
    size = int(match["size"] or 256)
    return ValueType(kind=_KINDS[match["name"]], bits=size * 8 if match["name"] == "bytes" else size)


def entry_arguments(entry: AbiEntry) -> Sequence[ArgumentValue]:
    """Return the arguments of a function that are single words and have a name, in order."""
    return [argument for _, argument in _arguments(entry) if argument is not None]


def _arguments(entry: AbiEntry) -> Iterator[tuple[str, ArgumentValue | None]]:
    position = SELECTOR_BYTES
    for parameter in entry.inputs:
        kind = word_type(parameter.type)
        if parameter.name:
            yield (
                parameter.name,
                None if kind is None else ArgumentValue(name=parameter.name, position=position, type=kind),
            )
        position += 32 * (head_words(parameter) or 1)


def head_words(parameter: Parameter) -> int | None:
    """Return how many words a parameter takes in the head; ``None`` for one word that points elsewhere."""
    return _words(parameter.type, parameter.components)


def _words(kind: str, components: Sequence[Parameter]) -> int | None:
    array = _ARRAY.fullmatch(kind)
    if array is not None:
        inner = _words(array["base"], components)
        return None if inner is None or not array["count"] else inner * int(array["count"])
    if kind == "tuple":
        sizes = [head_words(component) for component in components]
        return None if None in sizes else sum(size for size in sizes if size is not None)
    return None if kind in ("string", "bytes") else 1


def _read_stored(layout: Layout, root: str, steps: tuple[str | int | Expression, ...]) -> VariableRead:
    variable = next((item for item in layout.variables if item.label == root), None)
    if variable is None:
        raise UnsayableError("it speaks of what has no name in the storage layout")
    slot: Slot = FixedSlot(number=variable.slot)
    kind, shift = layout.types[variable.type], 8 * variable.offset
    named_steps: list[str | int | Expression] = []
    for position, step in enumerate(steps):
        if step == "length" and position + 1 == len(steps) and kind.encoding == "dynamic_array":
            length_position = StoragePosition(slot=slot, shift=0)
            return VariableRead(root=root, steps=(*named_steps, step), type=NUMBER, position=length_position)
        if isinstance(step, str):
            member = next((item for item in kind.members if item.label == step), None)
            if member is None:
                raise UnsayableError(f"'{root}' has no member '{step}' in the storage layout")
            slot, shift = _later(slot, member.slot), 8 * member.offset
            kind = layout.types[member.type]
            named_steps.append(step)
            continue
        index = Constant(value=step) if isinstance(step, int) else step
        slot, shift, kind = _entry(layout, kind, slot, index)
        named_steps.append(
            index.value if isinstance(index, Constant) and kind.encoding != "mapping" else index
        )
    if not kind.plain and kind.encoding not in ("bytes", "dynamic_array"):
        raise UnsayableError("it speaks of a variable that is no single value")
    told_kind = kind.kind if kind.plain else ValueKind.TEXT
    bits = 8 * kind.size if kind.plain else 256
    return VariableRead(
        root=root,
        steps=tuple(named_steps),
        type=ValueType(kind=told_kind, bits=bits),
        position=StoragePosition(slot=slot, shift=shift),
    )


def _entry(layout: Layout, kind: Type, slot: Slot, index: Expression) -> tuple[Slot, int, Type]:
    """Return where an entry of a mapping or an element of an array stands, and its type."""
    if kind.encoding == "mapping" and kind.value is not None and kind.key is not None:
        if layout.types[kind.key].encoding != "inplace":
            raise UnsayableError("the key of a mapping is a text")
        if layout.types[kind.key].size < 32 and _is_left_aligned(kind.key, layout.types[kind.key]):
            raise UnsayableError("the key of a mapping is short bytes, or may be")
        entry = EntrySlot(base=slot, key=index, key_last=layout.key_last)
        return entry, 0, layout.types[kind.value]
    if kind.base is None:
        raise UnsayableError("it speaks of a part of a variable")
    base = layout.types[kind.base]
    slots, each = -(-base.size // 32), max(1, 32 // base.size)
    if kind.encoding == "dynamic_array" and each == 1:
        return ElementSlot(base=slot, index=index, slots=slots), 0, base
    if kind.encoding == "inplace" and isinstance(index, Constant):
        if kind.length is not None and index.value >= kind.length:
            raise UnsayableError("it speaks of an element behind the end of an array")
        return _later(slot, index.value // each * slots), index.value % each * base.size * 8, base
    raise UnsayableError("it speaks of an element of a packed array")


def _is_left_aligned(name: str, kind: Type) -> bool:
    """Whether words of a type begin at the left, or may: the layout does not tell of types that the source names."""
    return kind.kind is ValueKind.BYTES or name.startswith("t_userDefinedValueType")


def _later(slot: Slot, slots: int) -> Slot:
    if not slots:
        return slot
    match slot:
        case FixedSlot():
            return FixedSlot(number=slot.number + slots)
        case LaterSlot():
            return LaterSlot(base=slot.base, slots=slot.slots + slots)
        case _:
            return LaterSlot(base=slot, slots=slots)
