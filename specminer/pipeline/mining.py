"""From a history to a specification: names, interactions, abstraction, automaton, evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final

import numpy as np
from eth_utils.address import to_checksum_address

from specminer._support.text import suggest
from specminer.abstraction import Definition, EventTable, RejectedCalls, default
from specminer.abstraction.catalogue import fitting
from specminer.abstraction.context import with_arguments, with_calls
from specminer.abstraction.passive import kept_events, without_bookkeeping
from specminer.abstraction.phases import flags
from specminer.abstraction.table import build
from specminer.chain.artifact import Artifact
from specminer.chain.interface import Interface
from specminer.confidence import reached
from specminer.decoding import ROLLED_BACK, HistoryContext, decode
from specminer.decoding.accesses import Dependencies, dependencies
from specminer.errors import UsageError, plain
from specminer.history import MISSING, RETURNED, History, IntColumn
from specminer.interaction import Analysis, Interactions, analyse, event_text, split
from specminer.invariant import search
from specminer.pipeline.facts import gaps
from specminer.pipeline.guarding import guarded
from specminer.pipeline.judging import judged, with_interval
from specminer.pipeline.phasing import Built, Phasing, chosen_flags
from specminer.report.fidelity import fidelity_of
from specminer.specification import (
    MAX_WITNESSES,
    AbstractionSummary,
    Alternative,
    ChosenPredicate,
    Edge,
    FrontPoint,
    HistorySummary,
    InteractionsSummary,
    Occurrence,
    Specification,
    State,
    TransitionKind,
    front_place,
)
from specminer.surprise import LISTED
from specminer.tuning import FrontPoint as TunedPoint
from specminer.tuning import Preset, Tuning, tune

_ROOT: Final = re.compile(r"[\[.\s]")
"""Where the name of a variable ends and its keys, fields or a comparison begin."""
_KNOWN_SHARE: Final = 0.5
"""If the ABI knows fewer of the calls, it is probably another contract's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MineOptions:
    """What a user can set."""

    interactions: str | None = None
    """``whole``, ``instance``, ``sender`` or a sort's name; ``None`` lets the data decide."""
    definition: Definition | None = None
    """``None`` for the shipped default."""
    forbid: tuple[str, ...] = ()
    """Variables or predicates that no state may use."""
    seed: int = 0
    preset: Preset | None = None
    """``None`` for the default."""
    surprising: int = LISTED
    """How many of the most surprising interactions and events are listed."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Weights that hold instead of the definition's."""
    states: int | None = None
    """Of the front the automaton with so many states is taken, instead of the chosen one."""
    point: int | None = None
    """Of the front this point is taken, counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """The specification, and what it was made of, for those who look closer."""

    specification: Specification
    history: History
    interface: Interface
    analysis: Analysis
    interactions: Interactions
    dependencies: Dependencies
    table: EventTable
    tuning: Tuning
    notes: tuple[str, ...]
    """What a user should know, as sentences."""


def mine(
    history: History,
    options: MineOptions,
    *,
    artifact: Artifact | None = None,
    name: str | None = None,
    selection: str | None = None,
) -> Mined:
    """Mine the history of a contract, or of several together, which share one ABI.

    ``artifact`` overrides those stored with them; ``selection`` says how several contracts were chosen.

    Raises:
        StoreError: the history holds no invocation.
        UsageError: the definition asks for what the history does not have.
        FileFormatError: the artifact's storage layout is malformed.

    """
    context = decode(history, artifact)
    analysis = analyse(context)
    interactions = split(analysis, options.interactions)
    functions = [context.calls.functions[row] for row in context.calls.function.tolist()]
    definition = _definition(options, context.interface)
    interactions = _mapped(history, interactions, functions, definition)
    events = [definition.called.get(function, function) for function in functions]
    flagged = flags(context, interactions)
    wished = replace(definition, forbid=(*definition.forbid, *options.forbid))
    chosen, asked_for = chosen_flags(flagged, interactions, functions, wished)
    phasing = Phasing(
        flags=chosen,
        asked=asked_for,
        context=context,
        interactions=interactions,
        build=lambda split: _built(context, split, events),
    )
    table = phasing.table(())
    declared = _declared(context.artifact) | {flag.name for flag in flagged}
    definition = replace(
        definition, forbid=(*definition.forbid, *_forbidden(options.forbid, table, declared))
    )
    tuning = tune(table, definition, options.seed, options.preset, phasing)
    place = front_place([len(point.states) for point in tuning.front], options.states, options.point)
    tuning = tuning if place is None else tuning.at(place)
    built = phasing.built(tuning.phases)
    interactions = built.interactions
    limits = [*_limits(history, context.known_share), *context.notes]
    facts = HistorySummary(
        first_block=history.first_block,
        last_block=history.last_block,
        transactions=len(history.transaction_hash),
        invocations=len(history),
        rejected=_rejected(history),
        source=", ".join(tracer.value for tracer in history.tracers),
        fidelity=fidelity_of(history.fidelity),
        limits=tuple(limits),
        names=_names(context),
        locations=context.coverage.rounded(),
        selection=selection or None,
    )
    outside = Counter(functions[row] for row in interactions.track.tolist())
    edges = tuple(_edges(history, interactions, (functions, events), tuning, point) for point in tuning.front)
    asked = () if definition.lenient else tuning.unmatched
    missed = ", ".join(plain(text, 80) for text in asked if text not in options.forbid)
    unmatched = f"nothing in this history matches {missed}, which the abstraction mentions" if missed else ""
    specification = _specification(
        name or context.title, history, facts, interactions, dict(sorted(outside.items())), tuning, edges
    )
    held = search(context, tuning, interactions)
    specification, learned, told = guarded(
        specification, context, context.interface, interactions, tuning, held
    )
    return Mined(
        specification=judged(
            specification, context, interactions, tuning, learned, (held, told), options.surprising
        ),
        history=history,
        interface=context.interface,
        analysis=analysis,
        interactions=interactions,
        dependencies=dependencies(context.accesses),
        table=tuning.table,
        tuning=tuning,
        notes=tuple(filter(None, (unmatched, _left_out(built.bookkeeping), _fitted(definition)))),
    )


def _built(context: HistoryContext, interactions: Interactions, events: Sequence[str]) -> Built:
    """Return the table of events of some interactions; ``events`` gives what each invocation counts as."""
    history = context.history
    table = build(history, context.accesses, context.locations, interactions, events)
    table = with_arguments(with_calls(table, history, interactions), history, interactions, context.calls)
    table, kept, bookkeeping = without_bookkeeping(table, interactions)
    return Built(
        table=replace(table, entity=_entity(interactions)), interactions=kept, bookkeeping=bookkeeping
    )


def _definition(options: MineOptions, interface: Interface) -> Definition:
    """Return the definition asked for, or the shipped one whose interface fits, or the default."""
    signatures = {function.signature for function in interface.functions.values()}
    definition = options.definition or fitting(signatures) or default()
    if options.weights:
        definition = replace(definition, weights=replace(definition.weights, **options.weights))
    return definition


def _mapped(
    history: History, interactions: Interactions, functions: Sequence[str], definition: Definition
) -> Interactions:
    """Return the interactions with those events that the definition wants."""
    if definition.rejected is RejectedCalls.DROP:
        interactions = kept_events(
            interactions, history.accepted[interactions.invocation] | interactions.passive
        )
    if definition.drop:
        dropped = np.isin(np.array(functions, dtype=object), list(definition.drop))
        interactions = kept_events(interactions, ~dropped[interactions.invocation])
    if not definition.roles:
        interactions = replace(interactions, role=np.full_like(interactions.role, MISSING))
    return interactions


def _left_out(bookkeeping: Sequence[str]) -> str:
    if not bookkeeping:
        return ""
    shown = ", ".join(plain(name, 80) for name in bookkeeping)
    return f"left out of the states, as calls that do not name the entity change it all the time: {shown}"


def _fitted(definition: Definition) -> str:
    if not definition.lenient:
        return ""
    return (
        f"the ABI fits the shipped abstraction '{plain(definition.name)}', which was used "
        "(--abstraction default mines without)"
    )


def _entity(interactions: Interactions) -> str:
    """Return what an interaction is about."""
    return interactions.sort.name if interactions.sort else ""


def _names(context: HistoryContext) -> str:
    """Say where the names of functions and variables came from."""
    source = context.interface.source
    absent = "" if context.layout_used else "; no storage layout was given"
    return f"{source[0].upper()}{source[1:]}. {context.coverage.text}{absent}."


def _specification(
    name: str,
    history: History,
    facts: HistorySummary,
    interactions: Interactions,
    outside: dict[str, int],
    tuning: Tuning,
    edges: Sequence[tuple[Edge, ...]],
) -> Specification:
    """Put the document together.

    ``outside`` counts the calls in no interaction, by function; ``edges`` are those of each point of the front.
    """
    chosen = next(place for place, point in enumerate(tuning.front) if point.chosen)
    return Specification(
        name=name,
        contracts=tuple(to_checksum_address(item.address) for item in history.contracts),
        chain_id=history.contracts[0].chain_id,
        history=facts,
        interactions=InteractionsSummary(
            mode=interactions.mode,
            sort=interactions.sort,
            count=len(interactions.names),
            explanation=interactions.explanation,
            outside=outside,
        ),
        abstraction=_abstraction(tuning, tuning.chosen),
        states=_states(tuning.chosen),
        initial=0,
        transitions=edges[chosen],
        metrics=_rounded(tuning.metrics),
        front=tuple(
            FrontPoint(
                states=len(point.states),
                metrics=_rounded(point.metrics),
                predicates=tuple(predicate.text for predicate in point.predicates),
                chosen=point.chosen,
                knee=point.knee,
                abstraction=None if point.chosen else _abstraction(tuning, point),
                automaton=None
                if point.chosen
                else Alternative(states=_states(point), transitions=edges[place]),
            )
            for place, point in enumerate(tuning.front)
        ),
    )


def _rounded(metrics: Mapping[str, float]) -> dict[str, float]:
    """Cut metrics where sums of logarithms begin to differ between machines."""
    return {name: round(value, 6) for name, value in metrics.items()}


def _declared(artifact: Artifact | None) -> frozenset[str]:
    """Return the names of the variables that the storage layout declares."""
    layout = artifact.storage_layout if artifact is not None else None
    return frozenset(str(item["label"]) for item in layout["storage"]) if layout else frozenset()


def _forbidden(asked: Sequence[str], table: EventTable, declared: frozenset[str]) -> list[str]:
    """Return what to forbid: a bare name stands for all fields and entries of the variable.

    Raises:
        UsageError: a name is no variable's; else a typing error would go unnoticed.

    """
    names = [variable.name for variable in table.variables]
    found: list[str] = []
    for wish in asked:
        variable = _ROOT.split(wish.strip())[0]
        matching = [name for name in names if wish in (name, _ROOT.split(name)[0])]
        known = {*names, *declared, *(_ROOT.split(name)[0] for name in names)}
        if not matching and variable not in known:
            hint = suggest(wish, sorted(known), _listed(known))
            raise UsageError(f"--forbid: this history has no variable '{plain(wish, 80)}'; {hint}")
        found += matching or ([wish] if variable != wish else [])
    return found


def _listed(known: Collection[str]) -> str:
    shown = ", ".join(plain(name, 40) for name in sorted(known)[:10])
    return f"there are {shown}{', …' if len(known) > 10 else ''}" if known else "there are none"


def _rejected(history: History) -> int:
    """Return how many calls were rejected; those that their callers rolled back are not."""
    outcome = history.invocation_outcome
    return int(np.sum((outcome != RETURNED) & (outcome != ROLLED_BACK)))


def _limits(history: History, known: float) -> Iterator[str]:
    """Yield what a history cannot show; ``known`` is the share of the calls whose selectors the ABI given knows."""
    yield from (*history.limits, *gaps(history))
    if known == 0:
        yield (
            "the ABI knows none of the selectors that were called, so it was not used; it is probably another "
            "contract's (for a proxy, give the implementation's)"
        )
    elif known < _KNOWN_SHARE:
        yield (
            f"the ABI knows only {known:.0%} of the calls' selectors; it is probably another contract's "
            "(for a proxy, give the implementation's)"
        )


def _states(point: TunedPoint) -> tuple[State, ...]:
    return tuple(
        State(
            id=item.id,
            name=item.name,
            predicates=item.predicates,
            visits=item.visits,
            ends=item.ends,
            phrases=item.phrases,
        )
        for item in point.states
    )


def _abstraction(tuning: Tuning, point: TunedPoint) -> AbstractionSummary:
    """Return the definition that makes a point's automaton again, and why its predicates were chosen."""
    definition = point.definition.document
    return AbstractionSummary(
        **{item.name: getattr(definition, item.name) for item in fields(definition)},
        chosen=tuple(
            ChosenPredicate(
                predicate=item.text,
                price=item.price,
                tier=item.tier,
                gain_bits=round(item.gain, 3),
                stability=item.stability,
                weak=item.weak,
                fixed=item.fixed,
                aliases=item.aliases,
                equivalent=item.equivalent,
            )
            for item in point.predicates
        ),
        facets=tuning.facets,
        candidates=tuning.candidates,
        evaluations=tuning.evaluations,
        used_history=tuning.used_history,
        preset=tuning.preset,
        solver=tuning.solver,
        seed=tuning.seed,
    )


def _edges(
    history: History,
    interactions: Interactions,
    called: tuple[Sequence[str], Sequence[str]],
    tuning: Tuning,
    point: TunedPoint,
) -> tuple[Edge, ...]:
    """Group the events into transitions with their evidence, ordered by source, target and event.

    ``called`` gives each invocation's function, and the event that it counts as.
    """
    columns = np.stack([tuning.before(point), tuning.after(point), tuning.table.symbol], axis=1)
    keys, group = np.unique(columns, axis=0, return_inverse=True)
    order = np.lexsort((interactions.invocation, group.ravel()))
    starts = np.searchsorted(group.ravel()[order], np.arange(len(keys) + 1))
    left = reached(tuning, point)
    return tuple(
        with_interval(
            _edge(history, interactions, called, tuning, key, order[starts[row] : starts[row + 1]]),
            int(left[key[0]]),
        )
        for row, key in enumerate(keys)
    )


def _edge(
    history: History,
    interactions: Interactions,
    called: tuple[Sequence[str], Sequence[str]],
    tuning: Tuning,
    key: IntColumn,
    events: IntColumn,
) -> Edge:
    """Return one transition; ``events`` are its rows in the table, in chain order."""
    rows = interactions.invocation[events]
    passive, rejected = bool(interactions.passive[events[0]]), bool(tuning.table.rejected[events[0]])
    function, event = (names[rows[0]] for names in called)
    place = int(interactions.role[events[0]])
    role = interactions.roles[place] if place != MISSING else None
    phase = interactions.phase_of(int(events[0]))
    kind = TransitionKind.PASSIVE if passive else TransitionKind.CALL
    kind = kind if phase is None else TransitionKind.PHASE
    transactions = history.invocation_transaction[rows]
    witnesses = dict.fromkeys(int(item) for item in transactions[: MAX_WITNESSES * 20])
    return Edge(
        source=int(key[0]),
        target=int(key[1]),
        event=event_text(event, role, passive=passive, phase=phase) + tuning.condition(int(key[2])),
        function=function,
        role=role,
        kind=kind,
        outcome="reverted" if rejected else "returned",
        count=len(events),
        interaction_count=len(np.unique(interactions.slice[events])),
        senders=len(np.unique(history.invocation_sender[rows])),
        first=_occurrence(history, int(transactions[0])),
        last=_occurrence(history, int(transactions[-1])),
        witnesses=tuple(_hash(history, item) for item in list(witnesses)[:MAX_WITNESSES]),
    )


def _hash(history: History, transaction: int) -> str:
    return f"0x{history.transaction_hash[transaction].hex()}"


def _occurrence(history: History, transaction: int) -> Occurrence:
    time = int(history.transaction_time[transaction])
    return Occurrence(
        transaction=_hash(history, transaction),
        block=int(history.transaction_block[transaction]),
        timestamp=time if time >= 0 else None,
    )
