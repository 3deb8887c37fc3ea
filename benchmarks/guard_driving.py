"""Drives drawn contracts: calls drawn at random."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from eth_abi.abi import encode

from benchmarks.guard_grammar import STAGES, Argument, Contract, Function, Hint, Kind, Place, Type, Variable
from benchmarks.recorded_chain import CONTRACT, USERS, RecordedChain
from specminer._support.keccak import keccak

RICH: Final = 1 << 120
TRIES: Final = 6
"""Calls that are tried for one that is accepted."""
ROWS: Final = 4
"""Rows under a number; the first is 0."""

_WORD: Final = 1 << 256

Value = int | bytes | list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCall:
    """A call, and the block in which it is made."""

    function: Function
    arguments: tuple[Value, ...]
    sender: int
    value: int
    time: int
    block: int

    @property
    def data(self) -> bytes:
        """Return the calldata."""
        types = [item.type.abi for item in self.function.arguments]
        values = [_encodable(*item) for item in zip(types, self.arguments, strict=True)]
        return self.function.selector + encode(types, values)

    def named(self) -> dict[str, Value]:
        """Return the arguments by name."""
        return {item.name: value for item, value in zip(self.function.arguments, self.arguments, strict=True)}


def _encodable(kind: str, value: Value) -> object:
    if kind == "address" and isinstance(value, int):
        return value.to_bytes(20, "big")
    if kind == "bytes32" and isinstance(value, int):
        return value.to_bytes(32, "big")
    return bool(value) if kind == "bool" else value


class Play(RecordedChain):
    """A chain on which a drawn contract is called."""

    def __init__(self, contract: Contract, creation: bytes, *, start: int, first_block: int) -> None:
        """Create the contract in a block, at a time in Unix seconds."""
        super().__init__(creation, start=start, first_block=first_block, value=10 * contract.scale)
        self.contract = contract

    def outcome(self, call: DrawnCall) -> bool:
        """Return whether a call would be accepted; nothing is changed."""
        return self.would_accept(call.sender, call.data, call.value, call.time, call.block)

    def make(self, call: DrawnCall) -> bool:
        """Make a call, and record it; return whether it was accepted."""
        return self.call(call.sender, call.data, call.value, call.time, call.block)

    # -- what is stored -----------------------------------------------------------------------------

    def stored(self, variable: Variable, field: int, keys: Sequence[int] = ()) -> int:
        """Return a value in storage, as a number of its type."""
        _, kind, place = variable.fields[field]
        return field_of(self.word(row_slot(variable.slot, keys) + place.slot), place, kind)


def row_slot(slot: int, keys: Iterable[int]) -> int:
    """Return the first slot of a row under keys, which are taken as words; without keys the slot itself."""
    for key in keys:
        slot = int.from_bytes(keccak((key % _WORD).to_bytes(32, "big") + slot.to_bytes(32, "big")), "big")
    return slot


def field_of(word: int, place: Place, kind: Type) -> int:
    """Return the number in some bits of a word."""
    value = word >> place.shift & ((1 << kind.bits) - 1)
    return value - (1 << kind.bits) if kind.signed and value >> (kind.bits - 1) else value


class Caller:
    """Draws calls of a contract."""

    def __init__(self, play: Play, rng: Random) -> None:
        """Prepare to draw."""
        self.play = play
        self.rng = rng
        contract = play.contract
        self.constants = contract.constants() or [1]
        self.durations = contract.durations() or [60]

    def learned(self) -> DrawnCall:
        """Return a call as those of the history are drawn: every other one is one that would be accepted, if any."""
        return self._call(acceptable=0.6)

    def _call(self, *, acceptable: float) -> DrawnCall:
        """Return a call of any function; with some probability one that would be accepted, if a few tries find one."""
        function = self.rng.choice(self.play.contract.functions)
        call = self.plain(function)
        if self.rng.random() < acceptable:
            for _ in range(TRIES):
                if self.play.outcome(call):
                    break
                call = self.plain(function)
        return call

    def plain(self, function: Function) -> DrawnCall:
        """Return a call of a function."""
        rng, play = self.rng, self.play
        if function.payable:
            value = rng.choice((0, 1, 2, 5, 10, 50)) * play.contract.scale
            value = rng.choice((value, value, self._near_amount(256))) % RICH
        else:
            value = 0
        return DrawnCall(
            function=function,
            arguments=tuple(self._argument(item) for item in function.arguments),
            sender=rng.choice(USERS),
            value=value,
            time=play.time + self._gap(),
            block=play.block + rng.choice((1, 1, 2, 10, 100)),
        )

    def boundary(self) -> DrawnCall:
        """Return a call one or several of whose values are beside, or at, what something may be compared with."""
        rng = self.rng
        call = self._call(acceptable=0.7)
        changes: list[Callable[[DrawnCall], DrawnCall]] = [self._time_at_boundary]
        changes += [self._argument_at_boundary] * len(call.function.arguments)
        if call.function.payable:
            changes += [self._value_at_boundary] * 2
        for _ in range(rng.choice((1, 1, 2))):
            call = rng.choice(changes)(call)
        return call

    # -- values -------------------------------------------------------------------------------------

    def _gap(self) -> int:
        rng = self.rng
        pick = rng.random()
        if pick < 0.5:
            return rng.randint(1, 20)
        if pick < 0.85:
            return rng.randint(1, max(2, rng.choice(self.durations) // 6))
        return max(1, rng.choice(self._moments()) + rng.randint(-2, 2) - self.play.time)

    def _moments(self) -> list[int]:
        """Return the times that something may be compared with, those to come."""
        moments = self._values(lambda kind: kind.hint is Hint.TIME)
        found = [item + span for item in moments for span in (0, *self.durations)]
        return [item for item in found if item > self.play.time] or [self.play.time + 1]

    def _values(self, wanted: Callable[[Type], bool]) -> list[int]:
        """Return what is stored of some types."""
        found = []
        for variable in self.play.contract.variables:
            for field, (_, kind, _) in enumerate(variable.fields):
                if wanted(kind):
                    found += [self.play.stored(variable, field, keys) for keys in self._keys(variable)]
        return found

    def _keys(self, variable: Variable) -> list[tuple[int, ...]]:
        keys: list[tuple[int, ...]] = [()]
        for kind in variable.keys:
            if kind.kind is Kind.ROLE:
                choices: Sequence[int] = tuple(self.play.contract.roles.values())
            else:
                choices = USERS if kind.kind is Kind.ADDRESS else range(ROWS)
            keys = [(*before, key) for before in keys for key in choices]
        return keys

    def _near_amount(self, bits: int) -> int:
        rng = self.rng
        stored = self._values(lambda kind: kind.hint is Hint.AMOUNT)
        near = rng.choice(stored if rng.random() < 0.6 else self.constants)
        return max(0, near + rng.choice((-1, 0, 0, 1))) % (1 << bits)

    def _argument(self, item: Argument) -> Value:
        rng, kind = self.rng, item.type
        match kind.kind:
            case Kind.ADDRESS:
                return rng.choice(USERS) if rng.random() < 0.97 else 0
            case Kind.BOOL:
                return rng.randint(0, 1)
            case Kind.STAGE:
                return rng.randrange(len(STAGES))
            case Kind.BYTES:
                return rng.randbytes(rng.choice((0, 1, 2, 3, 4, 5, 9, 40)))
            case Kind.LIST:
                return [rng.randrange(9) for _ in range(rng.choice((0, 1, 1, 2, 3, 4, 5, 9)))]
            case Kind.INT:
                return rng.randint(-12, 12)
        if kind.hint is Hint.KEY:
            return rng.randrange(ROWS)
        if kind.hint is Hint.COUNT:
            return rng.randint(0, 8)
        if rng.random() < 0.4:
            return self._near_amount(kind.bits)
        made = rng.choice((0, 1, 2, 3, 7, 12, 30, 60, 120)) * self.play.contract.scale
        return (made + rng.randrange(self.play.contract.scale + 3)) % (1 << kind.bits)

    # -- boundaries ---------------------------------------------------------------------------------

    def _time_at_boundary(self, call: DrawnCall) -> DrawnCall:
        moment = self.rng.choice(self._moments()) + self.rng.choice((-1, 0, 1))
        return replace(call, time=max(self.play.time + 1, moment))

    def _value_at_boundary(self, call: DrawnCall) -> DrawnCall:
        return replace(call, value=self._number_at_boundary(0, RICH - 1, signed=False))

    def _argument_at_boundary(self, call: DrawnCall) -> DrawnCall:
        rng = self.rng
        place = rng.randrange(len(call.arguments))
        item = call.function.arguments[place].type
        value: Value
        if item.kind is Kind.ADDRESS:
            value = rng.choice((0, CONTRACT, *USERS, *self._values(lambda kind: kind.kind is Kind.ADDRESS)))
        elif item.kind is Kind.BOOL:
            value = rng.randint(0, 1)
        elif item.dynamic:
            size = rng.choice([0, *(number for number in self._near() if 0 <= number <= 40)])
            value = rng.randbytes(size) if item.kind is Kind.BYTES else [1] * size
        else:
            value = self._number_at_boundary(*item.limits, signed=item.signed)
        return replace(call, arguments=(*call.arguments[:place], value, *call.arguments[place + 1 :]))

    def _near(self) -> list[int]:
        found = [*self.constants, *self._values(lambda kind: kind.kind in (Kind.UINT, Kind.INT))]
        return [item + step for item in found for step in (-1, 0, 1)]

    def _number_at_boundary(self, least: int, most: int, *, signed: bool) -> int:
        rng = self.rng
        pick = rng.random()
        if pick < 0.15:
            return max(0, least)
        if pick < 0.25:
            return most
        if pick < 0.3 and signed:
            return least
        return min(most, max(least, rng.choice(self._near())))
