"""The stages of guards: found, proved as far as a solver can, and narrowed to the transitions that they tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from specminer.contracts.interface import Interface
from specminer.decoding import HistoryContext
from specminer.history.contract_history import OUTCOMES, RETURNED, History
from specminer.inference.caller_roles import roles
from specminer.inference.competing_transitions import siblings
from specminer.inference.entity_terms import Entities
from specminer.inference.function_guards import learn
from specminer.inference.guard_proofs import obligations
from specminer.inference.implied_claims import RedundancyFilter
from specminer.inference.reasons import StateFacts
from specminer.inference.solver_questions import ObligationLog
from specminer.inference.state_formulas import Frames, StateSpace
from specminer.inference.transition_guards import ways
from specminer.inference.transition_implications import passable
from specminer.pipeline.findings import GuardFindings, Implications
from specminer.pipeline.following import execute, follow
from specminer.pipeline.passing import condition, edge_keys, sibling, state_symbols
from specminer.pipeline.state import Mining
from specminer.predicate.smtlib import expression
from specminer.specification import Guard, GuardKind, Obligation, ObligationSubject


def find_guards(mining: Mining) -> Mining:
    """Find the guards of functions, prove them as far as a solver can, and name the roles in them."""
    context = mining.context
    entities = Entities(context, mining.interactions)
    learned = learn(
        context,
        causes(context.history, context.interface),
        mining.tuning.seed,
        entities,
        mining.followed_functions,
    )
    return replace(
        mining,
        guards=GuardFindings(
            learned_guards=learned,
            read_only=tuple(read_only_guards(context)),
            entities=entities,
            proofs=obligations(learned.guards),
            roles=roles(context, learned.guards),
        ),
    )


def read_only_guards(context: HistoryContext) -> Iterator[Guard]:
    """Yield what read-only functions require that rejected some call, with counts of their own calls."""
    readers = context.of_rejecting_readers()
    if readers is None:
        return
    reasons = causes(context.history, context.interface)
    for item in learn(readers, reasons, followed=follow(readers, execute(readers))).guards:
        if item.guard.kind in (GuardKind.REQUIRED, GuardKind.LEARNED):
            yield item.guard


def find_implications(mining: Mining) -> Mining:
    """Narrow guards to transitions, compare competing transitions, and drop the claims that follow from others."""
    tuning, findings = mining.tuning, mining.guards
    space = StateSpace(tuning)
    frames = Frames(space, findings.entities)
    passages = ways(findings.learned_guards, tuning, mining.interactions, findings.entities)
    of_transitions, of_siblings, of_claims = (
        ObligationLog(about)
        for about in (ObligationSubject.TRANSITION, ObligationSubject.SIBLINGS, ObligationSubject.CLAIM)
    )
    facts = StateFacts(mining.invariants)
    passed = passable(frames, facts, passages, of_transitions)
    pairs = siblings(space, passed, of_siblings)
    claims = RedundancyFilter(space, frames, findings.learned_guards, passages, facts, of_claims)
    dropped, observed = claims.redundant_observed()
    invariants, followed = claims.invariants(mining.invariants, observed)
    return replace(
        mining,
        implications=Implications(
            guards=tuple(
                _add_proofs(item.guard, findings.proofs)
                for position, item in enumerate(findings.learned_guards.guards)
                if position not in dropped
            ),
            invariants=tuple(invariants),
            transitions={
                key: condition(item)
                for key, item in edge_keys(passed, tuning).items()
                if item.way.parts or item.way.broken
            },
            states=tuple(
                expression(space.language, space.formula(state.id)) for state in tuning.chosen_point.states
            ),
            symbols=state_symbols(space, mining.invariants),
            siblings=tuple(sibling(pair, tuning, mining.history) for pair in pairs),
            redundant=(*dropped.values(), *followed),
            obligations=(*of_transitions.obligations, *of_siblings.obligations, *of_claims.obligations),
        ),
    )


def causes(history: History, interface: Interface) -> list[str]:
    """Return for each invocation why it was rejected, without the data that an error carries; else nothing."""
    text_by_error: dict[tuple[int, bytes], str] = {}
    texts = [""] * len(history)
    for row in np.flatnonzero(history.invocation_outcome != RETURNED).tolist():
        key = (int(history.invocation_outcome[row]), history.invocation_output[row])
        if key not in text_by_error:
            text_by_error[key] = interface.cause(OUTCOMES[key[0]], key[1])
        texts[row] = text_by_error[key]
    return texts


def _add_proofs(guard: Guard, claims: Mapping[tuple[str, GuardKind], tuple[Obligation, ...]]) -> Guard:
    """Return a guard with what a solver said of the form in which it is shown."""
    own = claims.get((guard.scope, guard.kind), ())
    return replace(guard, proved=own[0].proved) if own else guard
