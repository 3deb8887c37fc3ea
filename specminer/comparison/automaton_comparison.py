"""Which states and transitions differ: new, gone, or taken more or less often than chance explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from specminer.comparison.chance import ChanceTest
from specminer.comparison.difference import (
    Change,
    Difference,
    Ground,
    PairedState,
    PairedTransition,
    Subject,
    change_of,
)
from specminer.inference.state_matching import StateSet, match_states
from specminer.specification import Edge, Specification

_Key = tuple[int, str, int]


def paired_states(before: Specification, after: Specification) -> tuple[list[PairedState], dict[int, int]]:
    """Return the states of both automata, and the number of each of the second one's; the first one's are kept."""
    number_by_state = match_states(
        StateSet(states=after.states, initial=after.initial, symbols=after.symbols),
        StateSet(states=before.states, initial=before.initial, symbols=before.symbols),
    )
    one_of = {state.id: state for state in before.states}
    pairs: dict[int, PairedState] = {
        number: PairedState(id=number, before=state, after=None) for number, state in one_of.items()
    }
    fresh = max(one_of, default=-1) + 1
    numbers: dict[int, int] = {}
    for state in after.states:
        number = number_by_state.get(state.id)
        if number is None or pairs[number].after is not None:
            number, fresh = fresh, fresh + 1
            pairs[number] = PairedState(id=number, before=None, after=state)
        else:
            pairs[number] = PairedState(id=number, before=one_of[number], after=state)
        numbers[state.id] = number
    return [pairs[number] for number in sorted(pairs)], numbers


def paired_transitions(
    before: Specification, after: Specification, numbers: Mapping[int, int], chance: ChanceTest
) -> list[PairedTransition]:
    """Return the transitions of both automata over joint states, with what differs by more than chance.

    Args:
        before: the first specification, whose states keep their numbers.
        after: the second one.
        numbers: of its states in the joint automaton.
        chance: tells what is more than chance.

    """
    old: dict[_Key, Edge] = {(edge.source, edge.symbol, edge.target): edge for edge in before.transitions}
    new: dict[_Key, Edge] = {
        (numbers[edge.source], edge.symbol, numbers[edge.target]): edge for edge in after.transitions
    }
    keys = sorted({*old, *new})
    left_old, left_new = _count_exits(old), _count_exits(new)
    cases = [
        (
            _traversals(old.get(key)),
            max(left_old.get(key[0], 0), _traversals(old.get(key))),
            _traversals(new.get(key)),
            max(left_new.get(key[0], 0), _traversals(new.get(key))),
        )
        for key in keys
    ]
    differing = chance.differ(Subject.TRANSITION, [(str(key[0]), key[1], str(key[2])) for key in keys], cases)
    fresh = _one_sided_states(old, new, chance)
    return [
        PairedTransition(
            source=key[0],
            symbol=key[1],
            target=key[2],
            before=old.get(key),
            after=new.get(key),
            change=change_of(case) if different else fresh.get(key[0]),
        )
        for key, case, different in zip(keys, cases, differing, strict=True)
    ]


def _one_sided_states(
    old: Mapping[_Key, Edge], new: Mapping[_Key, Edge], chance: ChanceTest
) -> dict[int, Change]:
    """Return the joint states that only one automaton enters, if that is more than chance."""
    totals = [max(_count_exits(edges).values(), default=0) for edges in (old, new)]
    entries = [_count_entries(edges) for edges in (old, new)]
    states = sorted(entries[0].keys() ^ entries[1].keys())
    cases = [
        (
            entries[0].get(state, 0),
            max(totals[0], entries[0].get(state, 0)),
            entries[1].get(state, 0),
            max(totals[1], entries[1].get(state, 0)),
        )
        for state in states
    ]
    differing = chance.differ(Subject.STATE, [(str(state),) for state in states], cases)
    return {
        state: change_of(case)
        for state, case, different in zip(states, cases, differing, strict=True)
        if different
    }


def _count_entries(edges: Mapping[_Key, Edge]) -> dict[int, int]:
    """Return how many interactions entered each joint state, at least: by its most frequent way from elsewhere."""
    entries: dict[int, int] = {}
    for (source, _, target), edge in edges.items():
        if source != target:
            entries[target] = max(entries.get(target, 0), edge.interaction_count)
    return entries


def _count_exits(edges: Mapping[_Key, Edge]) -> dict[int, int]:
    """Return how many interactions left each joint state."""
    exits: dict[int, int] = {}
    for (source, _, _), edge in edges.items():
        exits[source] = max(exits.get(source, 0), edge.reached or 0)
    return exits


def _traversals(edge: Edge | None) -> int:
    return 0 if edge is None else edge.interaction_count


def automaton_differences(
    states: Sequence[PairedState], transitions: Sequence[PairedTransition]
) -> Iterator[Difference]:
    """Yield the states and transitions that differ by more than chance; what leaves a new state goes without saying."""
    names = {state.id: state.name for state in states}
    moved = {item.target for item in transitions if item.change is Change.ADDED}
    left = {item.target for item in transitions if item.change is Change.GONE}
    one_sided: set[int] = set()
    for state in states:
        if state.id in moved and not _is_entered(transitions, state.id, before=True):
            one_sided.add(state.id)
            yield _state(state, Change.ADDED, f"state '{state.name}' is new")
        elif state.id in left and not _is_entered(transitions, state.id, before=False):
            one_sided.add(state.id)
            yield _state(state, Change.GONE, f"state '{state.name}' is no longer reached")
    for item in transitions:
        if item.change is None or item.source in one_sided:
            continue
        edge = item.after or item.before
        way = f"'{names[item.source]}' to '{names[item.target]}'"
        if item.source == item.target:
            way = f"'{names[item.source]}' to itself"
        before, after = _share(item.before), _share(item.after)
        counts = f"{before or 'never'} before, {after or 'never'} after"
        yield Difference(
            subject=Subject.TRANSITION,
            change=item.change,
            ground=Ground.DATA,
            scope=edge.function if edge is not None else "",
            before=before,
            after=after,
            sentence=f"{item.symbol} from {way}: {_verb(item.change)} ({counts})",
        )


def _is_entered(transitions: Sequence[PairedTransition], state: int, *, before: bool) -> bool:
    return any(
        item.target == state and item.source != state and (item.before if before else item.after) is not None
        for item in transitions
    )


def _verb(change: Change) -> str:
    return {
        Change.ADDED: "new",
        Change.GONE: "no longer taken",
        Change.MORE_OFTEN: "taken more often",
        Change.LESS_OFTEN: "taken less often",
    }[change]


def _share(edge: Edge | None) -> str:
    if edge is None:
        return ""
    reached = f" of {edge.reached:,}" if edge.reached else ""
    return f"in {edge.interaction_count:,}{reached} interactions"


def _state(state: PairedState, change: Change, sentence: str) -> Difference:
    is_gone = change is Change.GONE
    return Difference(
        subject=Subject.STATE,
        change=change,
        ground=Ground.DATA,
        scope=state.name,
        before=state.name if is_gone else "",
        after="" if is_gone else state.name,
        sentence=sentence,
    )
