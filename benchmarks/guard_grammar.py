"""Contracts drawn from a grammar of guards: variables, functions, what they check, what they change.

A contract is a value that :mod:`benchmarks.guard_solidity` writes as source and :mod:`benchmarks.guard_bytecode` as
bytecode. :mod:`benchmarks.guard_drawing` draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from specminer._support.keccak import keccak

STAGES: Final = ("Idle", "Open", "Busy", "Closed", "Ended")
"""Members of the enum that every contract has."""


class Kind(Enum):
    """What a value is."""

    UINT = auto()
    INT = auto()
    ADDRESS = auto()
    BOOL = auto()
    STAGE = auto()
    """A member of the enum."""
    ROLE = auto()
    """32 bytes that stand for a role."""
    BYTES = auto()
    """A text of any length; only its length is asked."""
    LIST = auto()
    """An array of numbers; only its length is asked."""


class Hint(Enum):
    """What numbers a value usually takes."""

    AMOUNT = auto()
    COUNT = auto()
    """A few."""
    KEY = auto()
    TIME = auto()
    BLOCK = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class Type:
    """The type of a value."""

    kind: Kind
    bits: int = 256
    hint: Hint = Hint.NONE

    @property
    def signed(self) -> bool:
        """Whether it has negative values."""
        return self.kind is Kind.INT

    @property
    def name(self) -> str:
        """Return it as Solidity has it."""
        match self.kind:
            case Kind.UINT | Kind.INT:
                return f"{'int' if self.signed else 'uint'}{self.bits}"
            case Kind.STAGE:
                return "Stage"
            case Kind.ROLE:
                return "bytes32"
            case Kind.LIST:
                return "uint256[]"
        return self.kind.name.lower()

    @property
    def abi(self) -> str:
        """Return it as the ABI has it."""
        return "uint8" if self.kind is Kind.STAGE else self.name

    @property
    def dynamic(self) -> bool:
        """Whether it has a length."""
        return self.kind in (Kind.BYTES, Kind.LIST)

    @property
    def limits(self) -> tuple[int, int]:
        """The least and the greatest value of a number."""
        if self.kind is Kind.STAGE:
            return 0, len(STAGES) - 1
        if self.signed:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1


ADDRESS: Final = Type(Kind.ADDRESS, 160)
BOOL: Final = Type(Kind.BOOL, 8)
STAGE: Final = Type(Kind.STAGE, 8)
ROLE: Final = Type(Kind.ROLE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value lies: a slot and some of its bits."""

    slot: int
    shift: int = 0


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: a value, or rows of one or several values under keys."""

    name: str
    slot: int
    keys: tuple[Type, ...] = ()
    fields: tuple[tuple[str, Type, Place], ...] = ()
    """Name, type and place behind the slot of each value; a single one without a name is no struct."""


# -- expressions --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    """A number of the code."""

    value: int
    type: Type


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of the function."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Stored:
    """A value in storage."""

    variable: Variable
    field: int
    keys: tuple[Expression, ...] = ()

    @property
    def type(self) -> Type:
        """Its type."""
        return self.variable.fields[self.field][1]


class Fact(Enum):
    """What a call brings with it."""

    SENDER = auto()
    VALUE = auto()
    NOW = auto()
    BLOCK = auto()
    BALANCE = auto()
    """The contract's."""


@dataclass(frozen=True, slots=True)
class Context:
    """A fact of the call."""

    fact: Fact

    @property
    def type(self) -> Type:
        """Its type."""
        return ADDRESS if self.fact is Fact.SENDER else Type(Kind.UINT)


@dataclass(frozen=True, slots=True)
class Length:
    """How long an argument is."""

    argument: Argument

    @property
    def type(self) -> Type:
        """Its type."""
        return Type(Kind.UINT)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two numbers of one kind, added and the like."""

    sign: str
    left: Expression
    right: Expression

    @property
    def type(self) -> Type:
        """Its type: computed in 256 bits."""
        return Type(self.left.type.kind)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two values of one kind."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Truth:
    """A stored truth, or its opposite."""

    value: Stored
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions of which all hold, or at least one."""

    word: str
    """``and`` or ``or``."""
    parts: tuple[Condition, ...]


Expression = Constant | Argument | Stored | Context | Length | Arithmetic
Condition = Comparison | Truth | Junction


# -- statements ---------------------------------------------------------------------------------------


class Voice(Enum):
    """How a rejection speaks."""

    TEXT = auto()
    ERROR = auto()
    """A custom error."""
    ERROR_VALUE = auto()
    """A custom error with a value."""
    NOTHING = auto()
    ASSERT = auto()


class Spot(Enum):
    """Where a check stands."""

    INLINE = auto()
    MODIFIER = auto()
    INTERNAL = auto()
    """In a function that is called for it."""


@dataclass(frozen=True, slots=True)
class Check:
    """What has to hold."""

    condition: Condition
    voice: Voice
    spot: Spot
    number: int
    """Of the check in its contract."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Statements where a condition holds, and others where it does not."""

    condition: Condition
    then: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value that is stored."""

    target: Stored
    value: Expression


Statement = Check | Branch | Assignment


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its checks come before what it changes."""

    name: str
    arguments: tuple[Argument, ...]
    payable: bool
    body: tuple[Statement, ...]

    @property
    def selector(self) -> bytes:
        """The first four bytes of its calldata."""
        types = ",".join(item.type.abi for item in self.arguments)
        return keccak(f"{self.name}({types})".encode())[:4]


@dataclass(slots=True)
class Contract:
    """A contract with what its numbers are like."""

    name: str
    variables: tuple[Variable, ...]
    functions: tuple[Function, ...]
    initial: tuple[Assignment, ...]
    """What the constructor stores."""
    scale: int
    """One unit of an amount."""
    roles: dict[str, int] = field(default_factory=dict)
    """Values of constants of roles, by name."""

    def constants(self) -> list[int]:
        """Return all numbers that the functions compare or compute with, ascending."""
        return self._values(lambda type_: type_.kind in (Kind.UINT, Kind.INT))

    def durations(self) -> list[int]:
        """Return all seconds that the functions compare or compute with, ascending."""
        return self._values(lambda type_: type_.hint is Hint.TIME)

    def _values(self, wanted: Callable[[Type], bool]) -> list[int]:
        """Return the constants of some types in the functions, each once, ascending."""
        return sorted(
            {
                item.value
                for function in self.functions
                for statement in function.body
                for item in expressions(statement)
                if isinstance(item, Constant) and wanted(item.type)
            }
        )


def expressions(item: Statement | Condition | Expression) -> Iterator[Expression]:
    """Yield all expressions of a statement, a condition or an expression, the outer ones first."""
    parts: tuple[Statement | Condition | Expression, ...]
    match item:
        case Check(condition=condition):
            parts = (condition,)
        case Branch():
            parts = (item.condition, *item.then, *item.otherwise)
        case Assignment():
            parts = (item.target, item.value)
        case Comparison() | Arithmetic():
            parts = (item.left, item.right)
        case Truth():
            parts = (item.value,)
        case Junction():
            parts = item.parts
        case Stored():
            parts = item.keys
        case Length():
            parts = (item.argument,)
        case _:
            parts = ()
    if isinstance(item, Expression):
        yield item
    for part in parts:
        yield from expressions(part)
