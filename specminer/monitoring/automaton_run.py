"""Events beyond the automaton: transitions that it does not have, or hardly ever took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer._support.text import list_some
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.monitoring.judged_calls import JudgedCalls
from specminer.specification import Edge, Specification, State, TransitionKind
from specminer.specification.deviation import Basis, Deviation, Severity

RARE: Final = 0.02
"""A transition is unusual if at most this share of the interactions that could take it did, with 95 % confidence."""
_MAX_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomatonRun:
    """The events of a history as transitions: some that a specification has, others that it has not."""

    calls: JudgedCalls
    states: Sequence[State]
    """Of the history."""
    edges: Sequence[Edge]
    """All transitions that the history took."""
    transition: IntColumn
    """The one that each event took; shape (n,)."""
    known_states: Mapping[int, int]
    """The specification's state of each that it has."""
    uncertain: BoolColumn
    """Events before or after which the state is only assumed; shape (n,)."""


@dataclass(frozen=True, slots=True)
class _TransitionTable:
    """What a specification says of transitions, ready to be looked up."""

    transitions: Mapping[tuple[int, str, int], Edge]
    from_state: Mapping[tuple[int, str], Sequence[Edge]]
    by_symbol: Mapping[str, Sequence[Edge]]
    names: Mapping[int, str]


def _tabulate(specification: Specification) -> _TransitionTable:
    from_state: dict[tuple[int, str], list[Edge]] = defaultdict(list)
    by_symbol: dict[str, list[Edge]] = defaultdict(list)
    for edge in specification.transitions:
        from_state[edge.source, edge.symbol].append(edge)
        by_symbol[edge.symbol].append(edge)
    return _TransitionTable(
        transitions={(edge.source, edge.symbol, edge.target): edge for edge in specification.transitions},
        from_state=from_state,
        by_symbol=by_symbol,
        names={state.id: state.name for state in specification.states},
    )


def unknown_transitions(specification: Specification, run: AutomatonRun) -> Iterator[Deviation]:
    """Yield the judged events that took a transition that the specification does not have, or hardly ever saw.

    A rejected call that stays in its state is left out: whether it had to be rejected, guards tell.
    """
    table, calls = _tabulate(specification), run.calls
    names = {state.id: state.name for state in run.states}
    odd = {
        index: assessment
        for index, edge in enumerate(run.edges)
        if (assessment := _judge_edge(table, run, edge, names))
    }
    is_odd = np.zeros(len(run.edges), dtype=np.bool_)
    is_odd[list(odd)] = True
    events = np.flatnonzero(
        calls.is_judged[calls.interactions.invocation] & ~run.uncertain & is_odd[run.transition]
    )
    for event in events.tolist():
        index = int(run.transition[event])
        edge, (severity, sentence, nearest) = run.edges[index], odd[index]
        row = int(calls.interactions.invocation[event])
        yield Deviation(
            severity=severity,
            basis=Basis.TRANSITION,
            function=edge.function,
            interaction=calls.interaction(event),
            where=calls.where(row),
            invocation=row,
            sentence=sentence,
            claim=""
            if nearest is None
            else f"{table.names[nearest.source]} -> {table.names[nearest.target]}",
            witness=nearest.witnesses[0] if nearest is not None and nearest.witnesses else None,
        )


def _judge_edge(
    table: _TransitionTable, run: AutomatonRun, edge: Edge, names: Mapping[int, str]
) -> tuple[Severity, str, Edge | None] | None:
    """Return what is to be said of all events that took a transition; ``None`` if it fits."""
    source, target = run.known_states.get(edge.source), run.known_states.get(edge.target)
    transition = None
    if source is not None and target is not None:
        transition = table.transitions.get((source, edge.symbol, target))
    if transition is None:
        if edge.outcome == "reverted":
            return None
        return Severity.UNKNOWN, *_new(table, edge, source, target, names)
    if not transition.reached or transition.interval is None or transition.interval[1] > RARE:
        return None
    sentence = (
        f"{edge.event} led from '{table.names[transition.source]}' to '{table.names[transition.target]}', as in only "
        f"{transition.interaction_count:,} of {transition.reached:,} interactions before"
    )
    return Severity.UNUSUAL, sentence, transition


def _new(
    table: _TransitionTable, edge: Edge, source: int | None, target: int | None, names: Mapping[int, str]
) -> tuple[str, Edge | None]:
    """Return what is new about a transition, and the known one that comes nearest."""
    verb = "happened" if edge.kind is not TransitionKind.CALL else "was accepted"
    elsewhere = table.by_symbol.get(edge.symbol, ())
    if not elsewhere:
        return f"{edge.event} {verb}, which it never was before" if verb == "was accepted" else (
            f"{edge.event} {verb} for the first time"
        ), None
    before = names.get(edge.source, "") if source is None else table.names[source]
    if source is None:
        return f"{edge.event} {verb} in a state that was never reached before: '{before}'", elsewhere[0]
    here = table.from_state.get((source, edge.symbol), ())
    if not here:
        states = [f"'{table.names[item.source]}' ({item.count:,})" for item in _most(elsewhere)]
        examples = list_some(states[:_MAX_EXAMPLES], len(states))
        return (
            f"{edge.event} {verb} in state '{before}', where it never was before, only in {examples}",
            elsewhere[0],
        )
    after = names.get(edge.target, "") if target is None else table.names[target]
    states = [f"'{table.names[item.target]}' ({item.count:,})" for item in _most(here)]
    examples = list_some(states[:_MAX_EXAMPLES], len(states))
    if source == target:
        return f"{edge.event} left state '{before}' as it was; before it led to {examples}", here[0]
    where = f"'{after}'" if target is not None else f"a state that was never reached before, '{after}'"
    return f"{edge.event} led from '{before}' to {where}; before it led to {examples}", here[0]


def _most(edges: Sequence[Edge]) -> list[Edge]:
    """Return transitions by their counts, one for each pair of states."""
    return sorted(edges, key=lambda item: (-item.count, item.source, item.target))
