"""Follows the entities of a recording through the states that were written down, by its storage alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from specminer.contracts.interface import Interface, from_artifact
from specminer.history.trace import AccessKind, Invocation, InvocationKind, Transaction
from specminer.sources.tracefile import TraceFile
from tests.support.third_party.conditions import ENTITY
from tests.support.third_party.life_terms import Scope, Typed
from tests.support.third_party.recording import Recording
from tests.support.third_party.storage_places import layout_of
from tests.support.third_party.written_states import WHOLE, WrittenLife

Key = int | str
"""An entity: the number of its key, or :data:`WHOLE`."""
_WORD: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedCall:
    """An invocation of the contract, and whom it concerns."""

    transaction: str
    """Hash, ``0x...``."""
    position: int
    """Among the invocations of the transaction."""
    function: str
    accepted: bool
    keys: tuple[Key, ...]
    """The entities that it concerns, each once; none if its arguments do not fit."""
    partners: tuple[Key, ...] = ()
    """Entities that take part in it without being what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The storage at one time, and the time."""

    words: Mapping[int, int]
    now: int
    """Unix seconds of the block."""
    block: int
    """Its number."""


@dataclass(frozen=True, kw_only=True)
class FollowedLives:
    """A recording, call by call."""

    recording: Recording
    life: WrittenLife

    @cached_property
    def calls(self) -> tuple[FollowedCall, ...]:
        """All invocations of the contract in the order of their beginnings, its creation included."""
        return tuple(self._followed)

    def states(self, call: int, key: Key, *, after: bool) -> frozenset[str]:
        """Return the states that an entity is in before a call, or behind it, at the call's time.

        Behind means before the next call that its transaction makes beside it, or else after the transaction.
        """
        moment = self._moments[call][after]
        names: dict[str, Typed | int] = dict(self._values) | {"now": moment.now, "block": moment.block}
        if key != WHOLE:
            names[ENTITY] = int(key)
        scope = Scope(layout=self._layout, words=moment.words, names=names)
        return frozenset(name for name, text in self.life.states.items() if scope.number(text))

    def transitions(self) -> Iterator[tuple[str, str, str]]:
        """Yield each step of each entity: source, function or ``clock``, target."""
        last: dict[Key, frozenset[str]] = {}
        for number, call in enumerate(self.calls):
            for key in call.keys:
                before, after = (self.states(number, key, after=late) for late in (False, True))
                for source in last.get(key, before) - before:
                    yield from ((source, "clock", target) for target in before - last[key])
                if call.accepted:
                    yield from (
                        (source, call.function.partition("(")[0], target)
                        for source in before
                        for target in after
                    )
                last[key] = after

    @cached_property
    def artifact(self) -> Mapping[str, Any]:
        """The ABI and the storage layout, as they lie in the recording."""
        loaded: Mapping[str, Any] = json.loads(self.recording.artifact_file.read_text())
        return loaded

    @cached_property
    def _interface(self) -> Interface:
        return from_artifact(self.recording.artifact())

    @cached_property
    def _layout(self) -> Any:
        return layout_of(self.artifact, self.life.layout)

    @cached_property
    def _values(self) -> dict[str, Typed | int]:
        """What constants and immutables are, of those that arguments of the constructor tell."""
        creation = next(self._all)[1]
        given = self._constructor_arguments(creation)
        scope = Scope(layout=self._layout, words={}, names=given)
        return {name: scope.number(text) for name, text in self.life.values.items()}

    def _constructor_arguments(self, creation: Invocation) -> dict[str, Typed | int]:
        """Return what the constructor was given, if that is of fixed size."""
        inputs: list[dict[str, Any]] = next(
            (each["inputs"] for each in self.artifact["abi"] if each["type"] == "constructor"), []
        )
        if creation.kind is not InvocationKind.CONSTRUCTOR or any(
            each["type"].endswith(("]", "bytes", "string")) for each in inputs
        ):
            return {}
        types = [each["type"] for each in inputs]
        values = decode(types, creation.data[-_WORD * len(types) :]) if types else ()
        return {each["name"]: Typed(each["type"], value) for each, value in zip(inputs, values, strict=True)}

    @property
    def _all(self) -> Iterator[tuple[Transaction, Invocation]]:
        """Yield the invocations of the contract itself."""
        file = TraceFile(self.recording.trace_file)
        address = file.header.record.address
        for transaction in file.transactions():
            for invocation in transaction.invocations:
                if invocation.contract == address:
                    yield transaction, invocation

    @cached_property
    def _moments(self) -> tuple[tuple[Moment, Moment], ...]:
        """For each call the storage before it, and before the next call beside it or else after its transaction."""
        moments = []
        words: dict[int, int] = {}
        for transaction, invocations in self._by_transaction:
            writes = sorted(
                (access.position, access.slot, access.after)
                for invocation in invocations
                for access in invocation.accesses
                if access.kind is AccessKind.WRITE and not access.undone and access.after is not None
            )
            after = dict(words)
            after.update({slot: value for _, slot, value in writes})
            now, block = transaction.block.timestamp or 0, transaction.block.number
            found = []
            for invocation in invocations:
                begin = min((access.position for access in invocation.accesses), default=None)
                before = dict(words)
                if invocation.parent is not None or invocation is not invocations[0]:
                    before.update({slot: value for at, slot, value in writes if begin is None or at < begin})
                found.append(before)
            for number, before in enumerate(found):
                following = number + 1  # a call that its transaction makes beside this one, not in it
                beside = (
                    following < len(found) and invocations[following].parent == invocations[number].parent
                )
                left = found[following] if beside else after
                moments.append(
                    (Moment(words=before, now=now, block=block), Moment(words=left, now=now, block=block))
                )
            words = after
        return tuple(moments)

    @property
    def _by_transaction(self) -> Iterator[tuple[Transaction, list[Invocation]]]:
        current: Transaction | None = None
        gathered: list[Invocation] = []
        for transaction, invocation in self._all:
            if current is not None and transaction.hash != current.hash:
                yield current, gathered
                gathered = []
            current = transaction
            gathered.append(invocation)
        if current is not None:
            yield current, gathered

    @property
    def _followed(self) -> Iterator[FollowedCall]:
        for number, (transaction, invocation) in enumerate(self._all):
            function = self._interface.function_name(invocation.kind, invocation.data)
            yield FollowedCall(
                transaction="0x" + transaction.hash.hex(),
                position=invocation.position,
                function=function,
                accepted=invocation.outcome.accepted,
                keys=(WHOLE,)
                if self.life.entities is None
                else self._keys(number, invocation, self.life.entities.get(function, ())),
                partners=self._keys(number, invocation, self.life.partners.get(function, ())),
            )

    def _keys(self, number: int, invocation: Invocation, expressions: tuple[str, ...]) -> tuple[Key, ...]:
        """Return the keys that expressions give, each once; none if the arguments do not fit."""
        names = self._values | self._arguments(invocation)
        scope = Scope(layout=self._layout, words=self._moments[number][False].words, names=names)
        try:
            return tuple(dict.fromkeys(scope.number(text) for text in expressions))
        except KeyError:
            if self._arguments(invocation).keys() <= {"sender", "paid"}:  # calldata of another form
                return ()
            raise

    def _arguments(self, invocation: Invocation) -> dict[str, Typed | int]:
        names: dict[str, Typed | int] = {
            "sender": Typed("address", "0x" + invocation.sender.hex()),
            "paid": Typed("uint256", invocation.value),
        }
        function = self._interface.functions.get(invocation.data[:4])
        if function is None or invocation.kind is InvocationKind.CONSTRUCTOR:
            return names
        try:
            values = decode(function.types, invocation.data[4:])
        except DecodingError:
            return names
        pairs = zip(function.arguments, function.types, values, strict=True)
        told: dict[str, Typed | int] = {name: Typed(type_, value) for name, type_, value in pairs}
        written = {
            name.removesuffix("_"): value for name, value in told.items()
        }  # value_, beside the ether sent
        return written | told | names
