"""The stage of effects: what the accepted calls of functions do, as their code says it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specminer.decision.branch_exploring import explore_branches
from specminer.decision.branch_writes import Branches, SlotVariables, branches_of, take_in_branches
from specminer.decision.coded_effects import effects_of
from specminer.decision.function_writes import FunctionWrites, writes_of
from specminer.decision.laws import FunctionChanges, changes_of, laws_of
from specminer.decision.open_ways import OpenWays, demanded_fields, take_in
from specminer.pipeline.state import Mining
from specminer.shadow.arena import Arena
from specminer.specification import Effect


def find_effects(mining: Mining) -> Mining:
    """Tell what calls write, pay, call and log, by function, as far as its code could be followed."""
    context = mining.context
    names, function = context.calls.functions, context.calls.function
    accepted = np.bincount(function[context.is_event & context.history.accepted], minlength=len(names))
    created = set(function[context.is_constructor].tolist())
    effects: list[Effect] = []
    changes: list[FunctionChanges] = []
    open_ways = OpenWays()
    function_writes: list[tuple[Arena, FunctionWrites]] = []
    branches_by_function: dict[str, Branches] = {}
    for number, item in sorted(mining.followed_functions.items()):
        decisions, name = item.decisions, names[number]
        writes = writes_of(decisions, item.wording)
        changes.append(changes_of(decisions, writes, name, int(accepted[number]), creates=number in created))
        variables = context.locations.variables
        take_in(open_ways, decisions, writes, name, variables, creates=number in created)
        open_ways.demanded_fields[name] = demanded_fields(decisions, item.wording, variables)
        effects += effects_of(decisions, writes, item.wording, name)
        function_writes.append((decisions.runs.arena, writes))
        branches_by_function[name] = branches_of(
            step for path in decisions.paths if path.returned for step in path.visits or path.steps
        )
    slot_variables = SlotVariables.of(context, function_writes)
    for branches in explore_branches(context, mining.runs):
        take_in_branches(
            open_ways, branches, slot_variables, branches_by_function.get(branches.name, frozenset())
        )
    call_count = int(accepted[sorted(mining.followed_functions)].sum()) if mining.followed_functions else 0
    laws = laws_of(changes, context.locations.variables, whole=call_count == int(accepted.sum()))
    laws = {text: derivation for text, derivation in laws.items() if text not in open_ways.courses}
    return replace(mining, laws=laws, effects=tuple(effects), open_ways=open_ways)
