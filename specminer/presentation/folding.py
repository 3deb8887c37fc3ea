"""A large automaton with some of its states joined, so that a picture stays readable.

A folded picture is a quotient: a box stands for all of its states, each event that leaves or enters one of them is an
event of the box, and what leads from one of them to another stays in it. Joined are the two states that cost least,
again and again: the bits that it takes to tell what happens next, and where interactions end, if they are not told
apart, more where less of what holds in them is the same. So states that are rare, or alike, are joined first; those at
which something alarming happened last. The document holds the automaton as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import log2
from typing import Final

from specminer._support.text import count_of
from specminer.specification import Specification, State

MAX_COMPARED: Final = 64
"""Of more states the rarest are one box before any are compared: pairs grow with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedBox:
    """States that are drawn as one."""

    id: int
    """What transitions call the box by; no state is called so."""
    states: tuple[State, ...]
    """The most visited first."""

    @property
    def common(self) -> tuple[str, ...]:
        """The parts of their names that all of them have."""
        parts = [state.name.split(", ") for state in self.states]
        return tuple(part for part in parts[0] if all(part in other for other in parts[1:]))

    def apart(self, state: State) -> str:
        """Return what the name of one of them says more."""
        return ", ".join(part for part in state.name.split(", ") if part not in self.common) or state.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """Which boxes stand for several states."""

    boxes: tuple[FoldedBox, ...]

    @property
    def box_ids(self) -> Mapping[int, int]:
        """The id of the box of each folded state."""
        return {state.id: box.id for box in self.boxes for state in box.states}

    def box(self, id: int) -> FoldedBox | None:  # noqa: A002
        """Return a box by its id; ``None`` if there is no such box."""
        return next((box for box in self.boxes if box.id == id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StateGroup:
    """Some states, and what is known of them together."""

    ids: tuple[int, ...]
    happens: Counter[tuple[str, str]]
    """How often each event with its outcome leaves them, and how often interactions end in them."""
    holds: frozenset[str]
    """The predicates that hold in all of them."""
    sure: bool
    """Whether they are joined with others only if nothing else is left."""

    def join(self, other: _StateGroup) -> _StateGroup:
        return _StateGroup(
            ids=tuple(sorted(self.ids + other.ids)),
            happens=self.happens + other.happens,
            holds=self.holds & other.holds,
            sure=self.sure or other.sure,
        )

    def cost(self, other: _StateGroup) -> tuple[bool, float, tuple[int, ...], tuple[int, ...]]:
        """Return what pairs are compared by."""
        loss = _bits(self.happens + other.happens) - _bits(self.happens) - _bits(other.happens)
        differ = max(len(self.holds), len(other.holds)) - len(self.holds & other.holds)
        return self.sure or other.sure, round((1.0 + loss) * (1 + differ), 6), self.ids, other.ids


def _bits(counts: Mapping[tuple[str, str], int]) -> float:
    """Return the bits to tell some events one by one from their frequencies."""
    total = sum(counts.values())
    return sum(count * (log2(total) - log2(count)) for count in counts.values())


def folding(spec: Specification, limit: int, alarming: Collection[int] = ()) -> Folding | None:
    """Return what to fold, so that no more than ``limit`` states are drawn, boxes and the initial one included.

    Args:
        spec: the specification.
        limit: how many states are drawn; two at least.
        alarming: ids of the states that are folded only if all others are.

    Returns:
        ``None`` where there is nothing to fold.

    """
    limit = max(2, limit)
    if len(spec.states) <= limit:
        return None
    groups = _groups(spec, alarming)
    while len(groups) + 1 > limit:
        pairs = ((one, other) for index, one in enumerate(groups) for other in groups[index + 1 :])
        one, other = min(pairs, key=lambda pair: pair[0].cost(pair[1]))
        groups = [group for group in groups if group is not one and group is not other]
        groups.append(one.join(other))
    states = {state.id: state for state in spec.states}
    above = max(states) + 1
    several = sorted(group.ids for group in groups if len(group.ids) > 1)
    return Folding(
        boxes=tuple(
            FoldedBox(
                id=above + index,
                states=tuple(
                    sorted((states[own] for own in ids), key=lambda state: (-state.visits, state.id))
                ),
            )
            for index, ids in enumerate(several)
        )
    )


def _groups(spec: Specification, alarming: Collection[int]) -> list[_StateGroup]:
    """Return the states but the initial one, each a group of its own; of very many the rarest together."""
    happens: dict[int, Counter[tuple[str, str]]] = {state.id: Counter() for state in spec.states}
    for edge in spec.transitions:
        happens[edge.source][edge.event, edge.outcome] += max(1, edge.count)
    others = sorted(
        (state for state in spec.states if state.id != spec.initial),
        key=lambda state: (state.id not in alarming, -state.visits, state.id),
    )
    groups = [
        _StateGroup(
            ids=(state.id,),
            happens=happens[state.id] + Counter({("", f"end in {state.id}"): max(0, state.ends)}),
            holds=frozenset(state.predicates),
            sure=state.id in alarming,
        )
        for state in others
    ]
    head, rest = groups[: MAX_COMPARED - 1], groups[MAX_COMPARED - 1 :]
    return [*head, reduce(_StateGroup.join, rest)] if rest else head


def fold_states(spec: Specification, folding: Folding) -> Specification:
    """Return a specification in which boxes stand for folded states; parallel transitions are not added up."""
    box_ids = folding.box_ids
    names = {state.name for state in spec.states}
    return replace(
        spec,
        states=(
            *(state for state in spec.states if state.id not in box_ids),
            *(_state(box, names) for box in folding.boxes),
        ),
        transitions=tuple(
            replace(
                edge,
                source=box_ids.get(edge.source, edge.source),
                target=box_ids.get(edge.target, edge.target),
            )
            for edge in spec.transitions
        ),
    )


def _state(box: FoldedBox, names: Collection[str]) -> State:
    common = ", ".join(box.common)
    others: Sequence[frozenset[str]] = [frozenset(state.predicates) for state in box.states]
    return State(
        id=box.id,
        name=common if common and common not in names else count_of(len(box.states), "state"),
        predicates=tuple(text for text in box.states[0].predicates if all(text in other for other in others)),
        visits=sum(state.visits for state in box.states),
        ends=sum(state.ends for state in box.states),
        unknown=sum(state.unknown or 0 for state in box.states) or None,
    )
