"""How far a mined automaton agrees with the states that were written down of a contract's entities."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.specification import Specification, TransitionKind
from tests.support.third_party.followed_lives import FollowedLives, Key

ENOUGH: Final = 0.9
"""F from which on a split is the written one, or mined states are a written one."""
CLOCK: Final = "clock"
_CREATION: Final = "constructor"

Step = tuple[str, str, str]
"""Source, bare name of a function or :data:`CLOCK`, target; of written states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinedEvent:
    """An event of a mined interaction."""

    interaction: str
    transaction: str
    """Hash, ``0x...``."""
    position: int
    """Of the invocation in the transaction."""
    own: bool
    """The interaction's own call, and no side effect of another's."""
    before: str
    """Name of the state."""
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenState:
    """A written state, and the mined states that stand for it."""

    name: str
    positions: int
    """At how many positions of interactions it holds; a call has two, before and after."""
    mined: frozenset[str]
    """The mined states at most of whose positions it holds."""
    f: float
    """Of the positions in these states and those at which it holds."""

    @property
    def found(self) -> bool:
        """Whether the mined states agree with it."""
        return self.f >= ENOUGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What a comparison gave."""

    entity: float
    """F of the pairs of accepted calls that share an entity."""
    entity_of_all: float
    """The same with rejected calls, whose entity need not exist."""
    states: tuple[WrittenState, ...]
    """Those that the history visits."""
    unvisited: tuple[str, ...]
    """The other written states."""
    steps: Mapping[Step, bool]
    """Of the written transitions those that the history takes, and whether they were found."""
    untaken: tuple[Step, ...]
    """The other written transitions."""

    @property
    def split_found(self) -> bool:
        """Whether the history was split by the written entity."""
        return self.entity >= ENOUGH

    @property
    def counts(self) -> tuple[int, int]:
        """How many of entity, visited states and taken transitions were found, and how many there are."""
        found = self.split_found + sum(state.found for state in self.states) + sum(self.steps.values())
        return found, 1 + len(self.states) + len(self.steps)


def agreement(lives: FollowedLives, events: Sequence[MinedEvent], specification: Specification) -> Agreement:
    """Compare what was mined of a history with what was written down."""
    numbers = {(call.transaction, call.position): number for number, call in enumerate(lives.calls)}
    known = [event for event in events if (event.transaction, event.position) in numbers]
    placed = [(numbers[event.transaction, event.position], event) for event in known]
    states = tuple(_states(lives, placed))
    visited = {state.name for state in states}
    taken = set(lives.transitions())
    written = [step_of(*transition) for transition in lives.life.transitions]
    return Agreement(
        entity=_entity(lives, placed, accepted=True),
        entity_of_all=_entity(lives, placed, accepted=False),
        states=states,
        unvisited=tuple(name for name in lives.life.states if name not in visited),
        steps={step: _has(specification, step, states) for step in written if step in taken},
        untaken=tuple(step for step in written if step not in taken),
    )


def step_of(source: str, event: str, target: str) -> Step:
    """Return a written transition with the bare name of its event: ``mint to it`` is ``mint``."""
    return source, event.split()[0].rstrip(":"), target


def f_measure(both: int, mined: int, written: int) -> float:
    """Return F of two sets of these sizes; 1 if both are empty."""
    return 2 * both / (mined + written) if mined + written else 1.0


def _entity(lives: FollowedLives, placed: Sequence[tuple[int, MinedEvent]], *, accepted: bool) -> float:
    """Return F of the pairs of calls that share an entity, among calls that concern a written one.

    Pairs that share an entity only if partners count are left aside.
    """
    concerned = [number for number in _concerned(lives) if lives.calls[number].accepted or not accepted]
    written = [(number, key) for number in concerned for key in lives.calls[number].keys]
    partners = [(number, key) for number in concerned for key in lives.calls[number].partners]
    own = [(number, event.interaction) for number, event in placed if event.own]
    pairs, allowed, mined = (
        _together(members, concerned) for members in (written, [*written, *partners], own)
    )
    mined &= pairs | ~allowed
    return f_measure(*(int(np.count_nonzero(each)) for each in (pairs & mined, mined, pairs)))


def _concerned(lives: FollowedLives) -> list[int]:
    """Return the calls that concern a written entity, without the creation of the contract."""
    return [number for number, call in enumerate(lives.calls) if call.keys and call.function != _CREATION]


def _together(
    members: Sequence[tuple[int, Key]], rows: Sequence[int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return which pairs of calls have an entity in common; shape (r, r), above the diagonal."""
    row_of = {number: row for row, number in enumerate(rows)}
    columns = {key: column for column, key in enumerate(dict.fromkeys(key for _, key in members))}
    incidence = np.zeros((len(rows), max(1, len(columns))), dtype=np.int64)
    for number, key in members:
        if number in row_of:
            incidence[row_of[number], columns[key]] = 1
    return np.triu(incidence @ incidence.T > 0, k=1)


def _keys(lives: FollowedLives, placed: Sequence[tuple[int, MinedEvent]]) -> dict[str, Key]:
    """Return for each interaction the entity that most of its own calls concern, or involve as a partner."""
    votes: dict[str, Counter[Key]] = defaultdict(Counter)
    for number, event in placed:
        if event.own:
            call = lives.calls[number]
            votes[event.interaction].update({*call.keys, *call.partners})
    return {name: counter.most_common(1)[0][0] for name, counter in votes.items() if counter}


def _positions(
    lives: FollowedLives, placed: Sequence[tuple[int, MinedEvent]]
) -> Iterator[tuple[str | None, frozenset[str]]]:
    """Yield for each position of an entity its mined state and the written ones.

    The mined state is ``None`` for accepted calls that stand in no interaction of that entity.
    """
    keys = _keys(lives, placed)
    events = [
        (number, keys[event.interaction], event.before, event.after)
        for number, event in placed
        if event.interaction in keys
    ]
    covered = {(number, key) for number, key, *_ in events}
    missing = [
        (number, key, None, None)
        for number in _concerned(lives)
        for key in lives.calls[number].keys
        if lives.calls[number].accepted and (number, key) not in covered
    ]
    for number, key, before, after in [*events, *missing]:
        if lives.calls[number].function != _CREATION:
            yield before, lives.states(number, key, after=False)
        yield after, lives.states(number, key, after=True)


def _states(lives: FollowedLives, placed: Sequence[tuple[int, MinedEvent]]) -> Iterator[WrittenState]:
    """Yield the visited written states."""
    total: Counter[str | None] = Counter()
    holds: dict[str, Counter[str | None]] = defaultdict(Counter)
    for mined, names in _positions(lives, placed):
        total[mined] += 1
        for name in names:
            holds[name][mined] += 1
    for name in lives.life.states:
        counts = holds[name]
        if not counts:
            continue
        chosen = {mined for mined, count in counts.items() if mined is not None and 2 * count > total[mined]}
        positions = sum(counts.values())
        both = sum(counts[mined] for mined in chosen)
        yield WrittenState(
            name=name,
            positions=positions,
            mined=frozenset(chosen),
            f=f_measure(both, sum(total[mined] for mined in chosen), positions),
        )


def _has(specification: Specification, step: Step, states: Collection[WrittenState]) -> bool:
    """Return whether the automaton has a written transition between mined states that stand for its ends."""
    source, event, target = step
    stand_for = {state.name: state.mined for state in states if state.found}
    names = {state.id: state.name for state in specification.states}
    return any(
        names[edge.source] in stand_for.get(source, ())
        and names[edge.target] in stand_for.get(target, ())
        and edge.outcome == "returned"
        and (_by_time(edge.kind) if event == CLOCK else edge.function.partition("(")[0] == event)
        for edge in specification.transitions
    )


def _by_time(kind: TransitionKind) -> bool:
    """Return whether nobody's call took a transition, but time that passed."""
    return kind not in (TransitionKind.CALL, TransitionKind.PASSIVE, TransitionKind.PHASE)
