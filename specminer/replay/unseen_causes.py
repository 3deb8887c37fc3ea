"""Explains a transaction that ends otherwise than on the chain by a value that somebody unseen must have written.

An export does not show every call: other contracts' calls, above all, are missing. What such a call wrote shows
later, when a transaction that reads the slot ends otherwise here than on the chain. So for each slot that the
transaction looked at, a few values are tried; a value with which it ends exactly as recorded explains it. Which
value the slot really held stays unknown, unless no other value fits (:func:`examine`).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from specminer.history.trace import Address
from specminer.history.tracer_steps import Enter, Exit, Read, Step, Write
from specminer.replay.machine_calls import ExecutedCall

Slot = tuple[Address, int]
"""A contract and the number of a slot in its storage."""
Guesses = Mapping[Slot, int]
"""Values put into slots before a transaction runs."""
Answers = Mapping[Address, int]
"""The word that contracts which are not at hand are assumed to return."""

MAX_SLOTS: Final = 12
"""Slots of one transaction for which other values are tried, those read last first."""
MAX_EXAMINED: Final = 6
"""Slots in doubt of one transaction that are examined one by one; more make all that it writes doubtful."""
_MOST_ARGUMENTS: Final = 6
"""Words of the calldata that are tried as values."""
_MOST_GUESSES: Final = 4
"""Slots of one transaction that hold other values than believed, at most."""
_HUGE: Final = 1 << 200
_ADDRESS: Final = (1 << 160) - 1


def external_reads(steps: Iterable[Step]) -> dict[Slot, int]:
    """Return what a transaction read and had not written itself, with the value, in order of first reading.

    What a frame wrote before it reverted counts as not written.
    """
    reads: dict[Slot, int] = {}
    written: list[set[Slot]] = [set()]
    for step in steps:
        match step:
            case Enter():
                written.append(set())
            case Exit(error=error):
                inner = written.pop()
                if error is None and written:
                    written[-1] |= inner
            case Read(owner, slot, value):
                if not any((owner, slot) in frame for frame in written):
                    reads.setdefault((owner, slot), value)
            case Write(owner, slot, _, _):
                written[-1].add((owner, slot))
            case _:
                pass
    return reads


def lasting_writes(steps: Iterable[Step]) -> dict[Slot, int]:
    """Return the value that each slot written for good holds afterwards."""
    written: list[dict[Slot, int]] = [{}]
    for step in steps:
        match step:
            case Enter():
                written.append({})
            case Exit(error=error):
                inner = written.pop()
                if error is None and written:
                    written[-1] |= inner
            case Write(owner, slot, _, value):
                written[-1][owner, slot] = value
            case _:
                pass
    return written[0]


def touched_slots(steps: Iterable[Step]) -> dict[Slot, int | None]:
    """Return the slots read or written, in order of first access, with what was found there."""
    slots: dict[Slot, int | None] = {}
    for step in steps:
        match step:
            case Read(owner, slot, value):
                slots.setdefault((owner, slot), value)
            case Write(owner, slot, before, _):
                slots.setdefault((owner, slot), before)
            case _:
                pass
    return slots


Nearness = tuple[bool, int]
"""Whether an execution ends like the record, and how far its gas is from the record's, as a negative number."""


def explain(
    base: ExecutedCall,
    hints: Sequence[int],
    attempt: Callable[[Guesses], ExecutedCall],
    nearness: Callable[[ExecutedCall], Nearness],
    doubted_slots: Container[Slot],
    most: int,
) -> dict[Slot, int]:
    """Search values of slots with which a transaction ends as recorded.

    Slots are found one after another, each with the value that brings the transaction nearest to the record; among
    slots that are in doubt already, one with which it gets further before it fails counts as nearer, too.

    Args:
        base: how it ended with the values believed.
        hints: words at hand in the call (:func:`words_of`): an owner's slot may hold the sender, a balance just what is
            withdrawn.
        attempt: runs it with other values in some slots and leaves nothing behind.
        nearness: how near an execution is to the record.
        doubted_slots: slots in doubt.
        most: how many attempts there may be.

    Returns:
        The slots with the values put in; empty if nothing explains it.

    """
    guesses: dict[Slot, int] = {}
    for _ in range(_MOST_GUESSES):
        before = (*nearness(base), len(base.steps))
        nearest, best_guesses, following = before, guesses, base
        for slot, value in _suspects(base):
            for guess in () if slot in guesses else _other_values(value or 0, hints):
                if most <= 0:
                    return {}
                most -= 1
                execution = attempt(guesses | {slot: guess})
                near = nearness(execution)
                if near == (True, 0):
                    return guesses | {slot: guess}
                rank = (*near, len(execution.steps) if slot in doubted_slots else before[2])
                if rank > nearest:
                    nearest, best_guesses, following = rank, guesses | {slot: guess}, execution
        if best_guesses is guesses:
            return {}
        guesses, base = best_guesses, following
    return {}


def other_slots(
    base: ExecutedCall,
    hints: Sequence[int],
    fits: Callable[[Guesses], bool],
    eligible: Callable[[Slot], bool],
    most: int,
) -> frozenset[Slot]:
    """Return the eligible slots of which one value explains a transaction, or may: ``most`` attempts were too few."""
    slots: set[Slot] = set()
    for slot, value in _suspects(base):
        for guess in _other_values(value or 0, hints) if eligible(slot) else ():
            most -= 1
            if most < 0 or fits({slot: guess}):
                slots.add(slot)
                break
    return frozenset(slots)


def _suspects(base: ExecutedCall) -> list[tuple[Slot, int | None]]:
    """Return the slots that may hold another value: a failed call stops at what it read last."""
    slots = list(touched_slots(base.steps).items())
    return (slots if base.succeeded else slots[::-1])[:MAX_SLOTS]


def words_of(sender: Address, value: int, data: bytes) -> tuple[int, ...]:
    """Return the words at hand in a call, each once: the sender first, then the value and the arguments."""
    begin = 4 if len(data) % 32 else 0  # behind the selector, where there is one
    arguments = [int.from_bytes(data[at : at + 32], "big") for at in range(begin, len(data) - 31, 32)]
    words = [int.from_bytes(sender, "big"), value, *arguments[:_MOST_ARGUMENTS]]
    return tuple(word for word in dict.fromkeys(words) if word)


def _other_values(value: int, hints: Sequence[int]) -> Iterator[int]:
    """Yield values that make usual conditions go the other way: flags, owners, balances, allowances."""
    packed = [value & ~_ADDRESS | word for word in hints if 1 << 64 < word <= _ADDRESS]
    guesses = (0, _HUGE, 1, *hints, *packed, value ^ 1 << 160, 2, 3)
    yield from dict.fromkeys(guess for guess in guesses if guess != value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a transaction that read slots in doubt tells of them, and what depends on them."""

    confirmed: frozenset[Slot] = frozenset()
    """Slots whose value is the chain's: with any other value tried, the transaction ends otherwise."""
    dependent: frozenset[Slot] = frozenset()
    """Slots written whose new value may differ with what is in doubt."""
    output: bool = False
    """Whether what it returns, or pays, may differ too."""


def examine(
    base: ExecutedCall,
    doubtful: Sequence[Slot],
    attempt: Callable[[Guesses], ExecutedCall],
    fits: Callable[[ExecutedCall], bool],
) -> Examination:
    """Run a transaction again with other values in the slots in doubt, and compare.

    A written value that stays the same although the value read differs does not depend on it. That is evidence, not
    proof: only a few other values are tried.
    """
    if len(doubtful) > MAX_EXAMINED:
        return Examination(dependent=frozenset(lasting_writes(base.steps)), output=True)
    reads = external_reads(base.steps)
    result = Examination()
    for slot in doubtful:
        passing = _passing([slot], reads, attempt, fits)
        result = compare(base, passing, result)
        if not passing:
            result = replace(result, confirmed=result.confirmed | {slot})
        elif len(passing) < _PASSING:  # one other value is too little to see what depends on it
            result = replace(result, dependent=frozenset(lasting_writes(base.steps)), output=True)
    if len(doubtful) > 1:
        passing = _passing(doubtful, reads, attempt, fits)
        result = compare(base, passing, result)
        result = replace(result, confirmed=frozenset() if passing else result.confirmed)
    return result


def compare(base: ExecutedCall, others: Iterable[ExecutedCall], result: Examination) -> Examination:
    """Add to a result what differs between executions that end as on the chain."""
    writes = lasting_writes(base.steps)
    for execution in others:
        if not _same_path(base, execution):
            return Examination(dependent=frozenset(writes), output=True)
        other = lasting_writes(execution.steps)
        result = replace(
            result,
            dependent=result.dependent | {slot for slot in writes if other.get(slot) != writes[slot]},
            output=result.output or _visible_results(execution) != _visible_results(base),
        )
    return result


def _passing(
    slots: Sequence[Slot],
    reads: Mapping[Slot, int],
    attempt: Callable[[Guesses], ExecutedCall],
    fits: Callable[[ExecutedCall], bool],
) -> list[ExecutedCall]:
    """Return executions that end as on the chain although the slots hold other values; two are enough."""
    passing: list[ExecutedCall] = []
    for alternate in _alternates([reads[slot] for slot in slots]):
        execution = attempt(dict(zip(slots, alternate, strict=True)))
        if fits(execution):
            passing.append(execution)
            if len(passing) == _PASSING:
                break
    return passing


_PASSING: Final = 2
"""Other values that have to fit before a written value counts as independent."""


def _alternates(values: Sequence[int]) -> Iterator[list[int]]:
    """Yield other values for slots, all of them changed: nearby, larger, smaller, bit by bit."""
    bits = max((value.bit_length() for value in values), default=0)
    yield [value ^ 1 for value in values]
    if bits <= 1:  # a flag holds nothing else, an enumeration may
        yield [2 for _ in values]
        yield [3 for _ in values]
    yield [value + (value >> 1) + 7 if value < _HUGE else value - 7 for value in values]
    yield [value >> 1 if value > 1 else _HUGE for value in values]
    yield [0 if value else 1 << 64 for value in values]
    for bit in range(8, bits, 32):
        yield [value ^ 1 << bit for value in values]


def _same_path(base: ExecutedCall, other: ExecutedCall) -> bool:
    """Whether two executions went the same way, as far as their gas and the slots they touched tell."""
    return (
        base.succeeded == other.succeeded
        and base.gas_used == other.gas_used
        and list(touched_slots(base.steps)) == list(touched_slots(other.steps))
    )


def _visible_results(execution: ExecutedCall) -> tuple[bytes, tuple[tuple[Address, int | None], ...]]:
    """Return what others see of an execution: what it returned and whom it paid."""
    paid = tuple((step.to, step.value) for step in execution.steps if isinstance(step, Enter))
    return execution.output, paid
