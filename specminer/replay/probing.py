"""Runs a contract's read-only functions on made-up storage, to learn which variables they read.

A getter that returns a part of what one slot holds, whatever that is, names this slot. Each slot is given a
random value that depends on its number alone; a few kinds of randomness are tried, because code refuses some
values: an enum out of range, the header of a text of astronomic length, an index beyond an array of fixed length.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from specminer.contracts.abi_values import decode_values
from specminer.contracts.artifact import MAX_NAME, AbiEntry, Parameter
from specminer.contracts.interface import canonical, selector
from specminer.contracts.probe import Getter, Probe, ProbedGetter
from specminer.history.trace import Address
from specminer.history.tracer_steps import HashStep, Read
from specminer.replay.fast_machine import FastMachine
from specminer.replay.machine_calls import Basics, Call, Surroundings

MAX_GETTERS: Final = 300
"""Functions of an ABI that are run at most."""
MAX_VALUES: Final = 32
"""Arguments, or values returned, of one function at most."""
_RULES: Final = "osaka"
_GAS: Final = 300_000
MAX_WORK: Final = 50_000_000
"""Gas that all runs together may use: what an ABI asks for is bounded, however many functions it lists."""
_OPCODES: Final = 10_000
_CONTRACT: Final = Address(b"\x5e" * 20)
_CALLER: Final = Address(b"\xca" * 20)
_SURROUNDINGS: Final = Surroundings(
    chain_id=1, number=20_000_000, timestamp=1_700_000_000, gas_limit=30_000_000
)


class _SlotValues(Enum):
    """What is made up for slots."""

    ANY = "any"
    """Any 32 bytes."""
    SPARSE = "sparse"
    """Each byte is zero as often as not: tells flags apart."""
    FLAGS = "flags"
    """Each byte is 0 or 1: in the range of every enum."""
    TEXT = "text"
    """The header of a text of 31 bytes."""
    ADDRESS = "address"
    """Up to 20 bytes: for Vyper, which reads whole slots."""
    BYTE = "byte"
    BIT = "bit"


class _Arguments(Enum):
    WIDE = "wide"
    """Different from each other and from offsets in structs."""
    NARROW = "narrow"
    """0 to 2: in the range of enums and of short arrays."""


_PLANS: Final = (
    (_SlotValues.ANY, _Arguments.WIDE),
    (_SlotValues.TEXT, _Arguments.WIDE),
    (_SlotValues.SPARSE, _Arguments.WIDE),
    (_SlotValues.FLAGS, _Arguments.WIDE),
    (_SlotValues.ANY, _Arguments.NARROW),
    (_SlotValues.TEXT, _Arguments.NARROW),
    (_SlotValues.SPARSE, _Arguments.NARROW),
    (_SlotValues.FLAGS, _Arguments.NARROW),
)
_VYPER_PLANS: Final = tuple(
    (values, arguments)
    for arguments in _Arguments
    for values in (_SlotValues.ANY, _SlotValues.ADDRESS, _SlotValues.BYTE, _SlotValues.BIT)
)
_ENOUGH, _ENOUGH_FLAGS = 8, 48
"""Runs that return, by which a getter is understood: where all its values are wide, and where some are a byte."""
_SIMPLE: Final = re.compile(
    r"address|bool|string|bytes([1-9]|[12][0-9]|3[012])?|u?int(8|16|24|32|40|48|56|64|72|80|88|96"
    r"|1(04|12|20|28|36|44|52|60|68|76|84|92)|2(00|08|16|24|32|40|48|56))?",
    re.ASCII,
)
_LONGEST: Final = 1 << 16
"""Elements of an array of fixed length at most, that its end is looked for."""


@dataclass(frozen=True, slots=True)
class _MadeUp:
    """Storage and accounts that are made up."""

    values: _SlotValues
    seed: int

    def basics(self, address: bytes) -> Basics | None:
        del address
        return Basics(balance=1)

    def storage(self, address: bytes, slot: int) -> int:
        del address
        key = self.seed.to_bytes(8, "big")
        word = blake2b(slot.to_bytes(32, "big"), digest_size=32, key=key).digest()
        match self.values:
            case _SlotValues.ANY:
                pass
            case _SlotValues.SPARSE:
                zeros = blake2b(word, digest_size=32, key=key).digest()
                word = bytes(byte if zero & 1 else 0 for byte, zero in zip(word, zeros, strict=True))
            case _SlotValues.FLAGS:
                word = bytes(byte & 1 for byte in word)
            case _SlotValues.TEXT:
                word = bytes(byte & 0x7F for byte in word[:31]) + b"\x3e"
            case _SlotValues.ADDRESS:
                word = word[:20].rjust(32, b"\0")
            case _SlotValues.BYTE:
                word = word[:1].rjust(32, b"\0")
            case _SlotValues.BIT:
                word = bytes([word[0] & 1]).rjust(32, b"\0")
        return int.from_bytes(word, "big")


def getters(entries: Iterable[AbiEntry]) -> list[tuple[bytes, Getter, tuple[Parameter, ...]]]:
    """Return the read-only functions that can be asked, with their selectors and what they return, tuples closed."""
    candidates: list[tuple[bytes, Getter, tuple[Parameter, ...]]] = []
    for entry in entries:
        if entry.type != "function" or not (entry.constant or entry.state_mutability in ("view", "pure")):
            continue
        inputs = [(item.name[:MAX_NAME], item.type) for item in entry.inputs]
        outputs = _flatten_parameters(entry.outputs)
        fitting = max(len(inputs), len(outputs)) <= MAX_VALUES and all(_simple(kind) for _, kind in inputs)
        if fitting and any(_simple(kind) for _, kind in outputs):
            getter = Getter(name=entry.name[:MAX_NAME], inputs=tuple(inputs), outputs=tuple(outputs))
            candidates.append((selector(entry), getter, entry.outputs))
    return candidates[:MAX_GETTERS]


def _flatten_parameters(parameters: Sequence[Parameter]) -> list[tuple[str, str]]:
    leaves: list[tuple[str, str]] = []
    for item in parameters:
        leaves += (
            _flatten_parameters(item.components)
            if item.type == "tuple"
            else [(item.name[:MAX_NAME], item.type)]
        )
    return leaves


def _simple(kind: str) -> bool:
    return _SIMPLE.fullmatch(kind) is not None


def probe(
    codes: Sequence[bytes], entries: Iterable[AbiEntry], seed: int = 0, *, vyper: bool = False
) -> list[ProbedGetter]:
    """Run an ABI's getters; ``codes`` are the runtime codes that may have them, the likeliest first.

    Getters of which no run returned are left out. ``vyper`` says that no compiler made the code that packs values.
    """
    return list(_probe_once(tuple(codes), tuple(entries), seed, vyper))


@lru_cache(maxsize=8)
def _probe_once(
    codes: Sequence[bytes], entries: Iterable[AbiEntry], seed: int, vyper: bool
) -> list[ProbedGetter]:
    """Run an ABI's getters; who checks transactions as they come asks the same code again and again."""
    probed_getters: list[ProbedGetter] = []
    work = 0
    for number, (selected, getter, returned) in enumerate(getters(entries)):
        for code in codes:
            if work > MAX_WORK:
                return probed_getters
            rng = random.Random(seed * MAX_GETTERS + number)
            runner = _Runner(code, selected, getter, returned, rng, _VYPER_PLANS if vyper else _PLANS)
            probes = tuple(runner.runs())
            limit = runner.limit() if probes else None
            work += runner.work
            if probes:
                probed_getters.append(ProbedGetter(getter=getter, probes=probes, limit=limit, vyper=vyper))
                break
    return probed_getters


class _Runner:
    """Runs one getter of one code."""

    def __init__(
        self,
        code: bytes,
        selected: bytes,
        getter: Getter,
        returned: Sequence[Parameter],
        rng: random.Random,
        plans: Sequence[tuple[_SlotValues, _Arguments]],
    ) -> None:
        self.code = code
        self.selector = selected
        self.getter = getter
        self.return_types = returned
        self.work = 0
        """Gas used so far."""
        self.rng = rng
        texts = [kind in ("string", "bytes") for _, kind in getter.outputs]
        useless = (
            {_SlotValues.TEXT}
            if not any(texts)
            else set(_SlotValues) - {_SlotValues.TEXT}
            if all(texts)
            else set()
        )
        self.plans = [
            plan for plan in plans if plan[0] not in useless and (getter.inputs or plan[1] is _Arguments.WIDE)
        ]

    def runs(self) -> Iterator[Probe]:
        """Yield runs that return, under all plans that lead to any."""
        small = any(kind in ("bool", "uint8", "int8") for _, kind in self.getter.outputs)
        enough = _ENOUGH_FLAGS if small else _ENOUGH
        done = 0
        for attempt in range(2 * enough):
            if not self.plans or done >= enough:
                return
            plan = self.plans[attempt % len(self.plans)]
            arguments = tuple(_argument(kind, plan[1], self.rng) for _, kind in self.getter.inputs)
            run = self._run(plan[0], arguments)
            if run is None:
                self.plans.remove(plan)
                continue
            done += 1
            yield run
            if not run.reads:  # a constant
                return

    def limit(self) -> int | None:
        """Return where an array of fixed length ends, if the getter reads one by its only argument."""
        if len(self.getter.inputs) != 1 or not self.getter.inputs[0][1].startswith(("uint", "int")):
            return None
        if not self.plans or any(plan[1] is _Arguments.WIDE for plan in self.plans):
            return None
        values = self.plans[0][0]
        low, high = 0, 4
        while high <= _LONGEST and self._returns(values, high):
            low, high = high, high * 4
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._returns(values, middle) else (low, middle)
        return high if high <= _LONGEST else None

    def _returns(self, values: _SlotValues, index: int) -> bool:
        return self._run(values, (index.to_bytes(32, "big"),)) is not None

    def _run(self, values: _SlotValues, arguments: tuple[bytes, ...]) -> Probe | None:
        machine = FastMachine(_MadeUp(values, self.rng.getrandbits(64)), max_steps=_OPCODES)
        machine.use(_RULES)
        machine.install(_CONTRACT, self.code)
        data = self.selector + _encode_call(arguments, self.getter)
        call = Call(sender=_CALLER, origin=_CALLER, to=_CONTRACT, value=0, data=data, gas=_GAS)
        done = machine.run(call, _SURROUNDINGS, _RULES, (_CONTRACT,), keep=False)
        self.work += done.gas_used
        answers = _decode_output(self.return_types, done.output) if done.succeeded else None
        if answers is None:
            return None
        reads: dict[int, int] = {}
        for step in done.steps:
            if isinstance(step, Read):
                reads.setdefault(step.slot, step.value)
        hashed = dict.fromkeys(step.data for step in done.steps if isinstance(step, HashStep))
        return Probe(arguments=arguments, reads=tuple(reads.items()), preimages=tuple(hashed), values=answers)


def _argument(kind: str, arguments: _Arguments, rng: random.Random) -> bytes:
    if kind in ("string", "bytes"):
        return b"key %d" % rng.getrandbits(40)
    if kind == "bool":
        return rng.getrandbits(1).to_bytes(32, "big")
    if kind == "address":
        return rng.getrandbits(160).to_bytes(32, "big")
    if kind.startswith("bytes"):
        size = int(kind[5:] or 32)
        return rng.randbytes(size).ljust(32, b"\0")
    if arguments is _Arguments.NARROW:
        return rng.randrange(3).to_bytes(32, "big")
    bits = int(kind.lstrip("uint") or 256)
    return (rng.getrandbits(min(bits - 1, 20)) | 1 << min(bits - 1, 20) >> 1).to_bytes(32, "big")


def _encode_call(arguments: Sequence[bytes], getter: Getter) -> bytes:
    head, tail = b"", b""
    for (_, kind), data in zip(getter.inputs, arguments, strict=True):
        if kind in ("string", "bytes"):
            head += (32 * len(arguments) + len(tail)).to_bytes(32, "big")
            tail += len(data).to_bytes(32, "big") + data.ljust(-(-len(data) // 32) * 32, b"\0")
        else:
            head += data
    return head + tail


def _decode_output(parameters: Sequence[Parameter], data: bytes) -> tuple[int | bytes, ...] | None:
    """Return the values returned as words and texts, tuples opened up; ``None`` if they do not fit the types."""
    values = decode_values([canonical(item) for item in parameters], data)
    return None if values is None else tuple(_flat(parameters, values))


def _flat(parameters: Sequence[Parameter], values: Sequence[Any]) -> Iterator[int | bytes]:
    for item, value in zip(parameters, values, strict=True):
        if item.type == "tuple":
            yield from _flat(item.components, value)
        elif not _simple(item.type):
            yield b""  # an array: nothing is learned from it
        elif item.type == "address":
            yield int(value, 16)
        elif isinstance(value, int):
            yield value % (1 << 256)
        elif isinstance(value, str):
            yield value.encode("utf-8", "surrogateescape")
        else:
            yield value if item.type == "bytes" else int.from_bytes(value.ljust(32, b"\0"), "big")
