"""The first stages: what a history means, and the interactions and events that it is divided into."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from specminer._support.errors import UsageError, plain
from specminer._support.scratch import columns_in_files
from specminer._support.text import list_some, suggest
from specminer.contracts.artifact import Artifact
from specminer.contracts.interface import Interface
from specminer.decision.access_facts import access_facts
from specminer.decision.bare_variables import BareVariables
from specminer.decision.context_names import names_of
from specminer.decision.decided_fields import decided_fields
from specminer.decision.deployment_constants import deployment_constants, with_constants
from specminer.decision.state_conditions import StateCondition, StoredField, state_conditions
from specminer.decoding import HistoryContext, decode
from specminer.history.contract_history import MISSING, History
from specminer.inference.decided_clauses import FollowedFunction
from specminer.interaction import Interactions, analyse, split
from specminer.learning.abstraction_definition import Definition, default
from specminer.learning.call_context import with_arguments, with_calls
from specminer.learning.deadline_events import deadlines
from specminer.learning.definition_catalogue import fitting
from specminer.learning.event_table import ContractParameter, EventTable
from specminer.learning.nested_entries import with_nested_entries
from specminer.learning.passive_events import kept_events, without_bookkeeping
from specminer.learning.phases import flags
from specminer.learning.table_building import build
from specminer.learning.view_observers import Observers
from specminer.pipeline.phasing import BuiltTable, Phasing, chosen_deadlines, chosen_flags
from specminer.pipeline.state import MineOptions, Mining
from specminer.specification.abstraction_entries import RejectedCalls

_ROOT: Final = re.compile(r"[\[.\s]")
"""Where the name of a variable ends and its keys, fields or a comparison begin."""


def decode_history(mining: Mining) -> Mining:
    """Say what the calls and the storage of the history mean.

    Raises:
        StoreError: the history holds no invocation.
        FileFormatError: the artifact's storage layout is malformed.

    """
    context = decode(mining.history, mining.artifact)
    return replace(mining, history=context.history, context=context)  # lives are told apart in it


def divide(mining: Mining) -> Mining:
    """Divide the history into interactions and those into events, as the definition wants them.

    Raises:
        UsageError: the definition or the options ask for what the history does not have.

    """
    analysis = analyse(
        mining.context,
        access_facts(mining.context, mining.runs),
        lambda: state_conditions_of(mining.followed_functions),
    )
    return divide_events(replace(mining, analysis=analysis), split(analysis, mining.options.interactions))


def state_conditions_of(followed: Mapping[int, FollowedFunction]) -> tuple[StateCondition, ...]:
    """Return what the code asks of storage and the clock, where its decisions were followed."""
    return state_conditions((item.decisions, item.wording) for item in followed.values())


def divide_events(mining: Mining, interactions: Interactions) -> Mining:
    """Divide some interactions into events, as the definition wants them.

    Raises:
        UsageError: the definition or the options ask for what the history does not have.

    """
    context, options = mining.context, mining.options
    functions = [context.calls.functions[row] for row in context.calls.function.tolist()]
    definition = _definition(options, context.interface)
    interactions = _map_events(context.history, interactions, functions, definition)
    events = [definition.called.get(function, function) for function in functions]
    flagged = flags(context, interactions)
    requested = replace(definition, forbid=(*definition.forbid, *options.forbid))
    conditions = state_conditions_of(mining.followed_functions)
    constants = deployment_constants(context) if conditions else {}
    observers = Observers(context, forbidden=requested.forbid)
    phasing = Phasing(
        flags=(),
        all_required=False,
        context=context,
        interactions=interactions,
        seed=options.seed,
        observers=observers,
        build=lambda parts: _build_table(
            context,
            parts,
            events,
            lambda table: with_constants(
                conditions,
                constants,
                {
                    StoredField(*variable.storage_field)
                    for variable in table.variables
                    if variable.storage_field
                },
            ),
            definition.fix,
            mining.followed_functions,
        ),
    )
    plain = phasing.table(())
    due = deadlines(plain)
    phase_flags, needs_flags = chosen_flags(flagged, interactions, functions, requested, due)
    phase_deadlines, needs_deadlines = chosen_deadlines(due, plain, requested)
    phasing = replace(
        phasing,
        flags=phase_flags if needs_flags or not needs_deadlines else (),
        deadlines=phase_deadlines if needs_deadlines or not needs_flags else (),
        all_required=needs_flags or needs_deadlines,
    )
    declared = (
        _declared_variables(context.artifact) | {flag.name for flag in flagged} | {item.name for item in due}
    )
    declared |= {item.name for item in observers.functions(interactions)}
    forbidden = _forbidden(options.forbid, phasing.table(()), declared)
    return replace(
        mining,
        interactions=interactions,
        functions=functions,
        events=events,
        definition=replace(definition, forbid=(*definition.forbid, *forbidden)),
        phasing=phasing,
    )


def _build_table(
    context: HistoryContext,
    interactions: Interactions,
    events: Sequence[str],
    conditions_of: Callable[[EventTable], tuple[StateCondition, ...]],
    predicates: Sequence[str],
    followed: Mapping[int, FollowedFunction],
) -> BuiltTable:
    """Return the table of events of some interactions.

    Args:
        context: the history.
        interactions: what it was divided into.
        events: what each invocation counts as.
        conditions_of: what the code asks of the storage of a table.
        predicates: predicates that states have to tell, so that their variables are no bookkeeping.
        followed: what the code of each function decides.

    """
    history = context.history
    key_name = names_of(context).constants.name
    table = build(history, context.accesses, context.locations, interactions, events, key_name)
    table = with_arguments(with_calls(table, history, interactions), history, interactions, context.calls)
    table, remaining, bookkeeping = without_bookkeeping(table, interactions, predicates)
    table = with_nested_entries(table, history, context.accesses, context.locations, remaining, events)
    table = replace(
        table,
        entity=_entity(interactions),
        conditions=conditions_of(table),
        decided_variables=_decided_variables(context, table, remaining, followed),
    )
    return BuiltTable(
        table=columns_in_files(replace(table, parameters=tuple(_parameters(context, remaining, table)))),
        interactions=columns_in_files(remaining),
        bookkeeping=bookkeeping,
    )


def _decided_variables(
    context: HistoryContext,
    table: EventTable,
    interactions: Interactions,
    followed: Mapping[int, FollowedFunction],
) -> dict[str, frozenset[str]]:
    """Return for each event the names of the variables that the code decides upon, where its decisions are known."""
    functions = len(context.calls.functions)
    called = table.symbol * functions + context.calls.function[interactions.invocation]
    fields: dict[str, set[StoredField] | None] = {}
    fields_by_function = {
        function: decided_fields(item.decisions, item.wording) for function, item in followed.items()
    }
    for pair in np.unique(called).tolist():
        symbol, own = table.symbols[pair // functions], fields_by_function.get(pair % functions)
        others = fields.setdefault(symbol, set())
        fields[symbol] = None if own is None or others is None else others | own
    return {
        symbol: frozenset(
            variable.name
            for variable in table.variables
            if variable.name in table.accessed_variables.get(symbol, ())
            and not {variable.storage_field, variable.entries}.isdisjoint(decided)
        )
        for symbol, decided in fields.items()
        if decided is not None
    }


def _parameters(
    context: HistoryContext, interactions: Interactions, table: EventTable
) -> Iterator[ContractParameter]:
    """Yield the variables of the whole contract that conditions on the clock add to those of the table."""
    own = {variable.storage_field for variable in table.variables}
    locations = dict.fromkeys(
        location for item in table.conditions if item.clock for location, _ in item.stored_fields
    )
    bare = BareVariables(context, interactions.invocation)
    for location in locations:
        values = None if tuple(location) in own else bare.column(location)
        if values is not None:
            name = context.locations.variables[location.variable].text(None, location.field)
            yield ContractParameter(
                name=name, storage_field=(location.variable, location.field), values=values
            )


def _entity(interactions: Interactions) -> str:
    """Return what an interaction is about."""
    return interactions.sort.name if interactions.sort else ""


def _definition(options: MineOptions, interface: Interface) -> Definition:
    """Return the definition asked for, or the shipped one whose interface fits, or the default."""
    signatures = {function.signature for function in interface.functions.values()}
    definition = options.definition or fitting(signatures) or default()
    if options.weights:
        definition = replace(definition, weights=replace(definition.weights, **options.weights))
    return definition


def _map_events(
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


def _declared_variables(artifact: Artifact | None) -> frozenset[str]:
    """Return the names of the variables that the storage layout declares."""
    layout = artifact.storage_layout if artifact is not None else None
    return frozenset(str(item["label"]) for item in layout["storage"]) if layout else frozenset()


def _forbidden(wishes: Sequence[str], table: EventTable, declared: frozenset[str]) -> list[str]:
    """Return what to forbid: a bare name stands for all fields and entries of the variable.

    Raises:
        UsageError: a name is no variable's; else a typing error would go unnoticed.

    """
    names = [variable.name for variable in table.variables]
    names_to_forbid: list[str] = []
    for wish in wishes:
        variable = _ROOT.split(wish.strip())[0]
        matching = [name for name in names if wish in (name, _ROOT.split(name)[0])]
        all_names = {*names, *declared, *(_ROOT.split(name)[0] for name in names)}
        if not matching and all_names.isdisjoint((variable, wish.strip())):
            hint = suggest(wish, sorted(all_names), _list_names(all_names))
            raise UsageError(f"--forbid: this history has no variable '{plain(wish, 80)}'; {hint}")
        names_to_forbid += matching or ([wish] if variable != wish else [])
    return names_to_forbid


def _list_names(names: Collection[str]) -> str:
    examples = list_some([plain(name, 40) for name in sorted(names)[:10]], len(names), ", …")
    return f"there are {examples}" if names else "there are none"
