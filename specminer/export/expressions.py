"""Typed expressions: what every export prints in its own language.

A condition of a specification, the new value that an effect tells and the bounds of an invariant are read into these
once (:mod:`specminer.export.expression_reading`). A value is a word of the machine: 256 bits with a type that says how
many of them count and whether there is a sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from specminer.decoding.storage_values import ValueKind


class UnsayableError(ValueError):
    """A language cannot say it; the message is a clause that tells why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueType:
    """How a word is read."""

    kind: ValueKind
    bits: int = 256
    """How many bits count; of ``bytesN`` eight times its length."""


TRUTH = ValueType(kind=ValueKind.BOOL, bits=8)
NUMBER = ValueType(kind=ValueKind.UINT)
ADDRESS = ValueType(kind=ValueKind.ADDRESS, bits=160)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A number; negative only beside values with a sign."""

    value: int
    type: ValueType = ValueType(kind=ValueKind.WORD)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWord:
    """A part of the call: ``sender``, ``origin``, ``value``, ``now``, ``block``, ``this``."""

    word: str
    type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentValue:
    """An argument of the function that is one word."""

    name: str
    """As the source calls it."""
    position: int
    """Bytes from the beginning of the calldata."""
    type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedSlot:
    """A slot whose number the compiler chose."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySlot:
    """The slot of a mapping's entry: the hash of its key and the mapping's own slot."""

    base: Slot
    key: Expression
    key_last: bool
    """Whether the key is hashed behind the slot, as Vyper does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementSlot:
    """The slot of an element of a dynamic array, which begins at the hash of the array's own slot."""

    base: Slot
    index: Expression
    slots: int
    """How many each element takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterSlot:
    """A slot some slots behind another: a member of a struct, an element of an array of fixed length."""

    base: Slot
    slots: int


Slot: TypeAlias = FixedSlot | EntrySlot | ElementSlot | LaterSlot


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePosition:
    """Where a value is stored."""

    slot: Slot
    shift: int
    """Bits below it in the slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableRead:
    """What a variable holds."""

    root: str
    """The contract's variable, as the source calls it."""
    steps: tuple[str | int | Expression, ...]
    """Members by name, elements by number, entries by key."""
    type: ValueType
    position: StoragePosition | None
    """``None`` where no storage layout tells it."""
    after: bool = False
    """Whether after the call, not before it."""

    @property
    def leaf(self) -> tuple[str, ...]:
        """The variable whatever its keys: two places of different leaves are never one."""
        return (self.root, *(step if isinstance(step, str) else "[]" for step in self.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class GetterCall:
    """What a function of the contract without arguments returns, such as that of an immutable value."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineOperation:
    """Arithmetic of the machine, which wraps around at 256 bits."""

    sign: str
    """``+ - * / % ** & | ^ << >>``."""
    left: Expression
    right: Expression
    type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The lowest bits of a word."""

    part: Expression
    type: ValueType


@dataclass(frozen=True, slots=True, kw_only=True)
class WordComparison:
    """Whether two words are ``= != < <= > >=``."""

    sign: str
    left: Expression
    right: Expression

    @property
    def type(self) -> ValueType:
        """A truth value."""
        return TRUTH

    @property
    def signed(self) -> bool:
        """Whether the words are compared with their signs."""
        return ValueKind.INT in (self.left.type.kind, self.right.type.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Junction:
    """Whether all parts hold, or any."""

    every: bool
    parts: tuple[Expression, ...]

    @property
    def type(self) -> ValueType:
        """A truth value."""
        return TRUTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation:
    """Whether a part does not hold."""

    part: Expression

    @property
    def type(self) -> ValueType:
        """A truth value."""
        return TRUTH


Expression: TypeAlias = (
    Constant
    | CallWord
    | ArgumentValue
    | VariableRead
    | GetterCall
    | MachineOperation
    | Cast
    | WordComparison
    | Junction
    | Negation
)


def parts_of(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and all that it is made of, keys of variables included."""
    yield expression
    match expression:
        case MachineOperation() | WordComparison():
            yield from parts_of(expression.left)
            yield from parts_of(expression.right)
        case Cast() | Negation():
            yield from parts_of(expression.part)
        case Junction():
            for part in expression.parts:
                yield from parts_of(part)
        case VariableRead():
            for step in expression.steps:
                if not isinstance(step, str | int):
                    yield from parts_of(step)
        case _:
            pass
