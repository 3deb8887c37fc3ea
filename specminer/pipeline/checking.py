"""Judges transactions by a specification that was mined before."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Final

import numpy as np

from specminer._support.errors import StoreError, UsageError, plain
from specminer.contracts.artifact import Artifact
from specminer.decision.confirmation import confirmed_calls
from specminer.history.contract_history import BoolColumn, History, IntColumn
from specminer.inference.entity_terms import Entities
from specminer.inference.function_guards import functions_of
from specminer.inference.invariant_search import propose
from specminer.inference.state_formulas import StateSpace
from specminer.inference.state_matching import StateSet, match_states
from specminer.monitoring.automaton_run import AutomatonRun, unknown_transitions
from specminer.monitoring.call_terms import CallTerms
from specminer.monitoring.code_breaches import CodeCheck, unseen_changes
from specminer.monitoring.guard_breaches import GuardCheck, unjudged_conditions
from specminer.monitoring.invariant_breaches import InvariantCheck
from specminer.monitoring.judged_calls import JudgedCalls
from specminer.pipeline.automata import choose_abstraction, count_transitions, transition_groups
from specminer.pipeline.division import decode_history, divide
from specminer.pipeline.following import execute_calls, follow_decisions
from specminer.pipeline.guarding import causes
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.state import Mining, options_of
from specminer.predicate.smtlib import expression, symbol_sorts
from specminer.specification import (
    ClaimEdits,
    ClaimPart,
    Specification,
    State,
    edit_specification,
    list_claims,
)
from specminer.specification.deviation import Basis, CheckResult, Deviation, Severity

_HASH: Final = re.compile(r"0x[0-9a-fA-F]{64}")
_STAGES: Final = (
    decode_history,
    execute_calls,
    follow_decisions,
    divide,
    choose_abstraction,
    count_transitions,
)
"""What makes events of a history, by a given abstraction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """Which transactions are judged."""

    first_block: int | None = None
    """Those of this block and later ones; ``None`` for those behind the last block of the specification, or all if the
    history has none of the specification's transactions."""
    last_block: int | None = None
    """Those up to this block; ``None`` for all."""
    transactions: tuple[str, ...] = ()
    """Those alone: hashes, ``0x`` and 64 hexadecimal digits."""
    edits: ClaimEdits = field(default_factory=dict)
    """What was decided about single claims, such as :func:`specminer.specification.read_edits` returns."""


def check_history(
    specification: Specification,
    history: History,
    options: CheckOptions | None = None,
    *,
    artifact: Artifact | None = None,
    observer: Observer = SILENT,
) -> CheckResult:
    """Judge transactions of a history by a specification.

    Args:
        specification: mined from the history's first part, or from that of another contract of the same code.
        history: whole: what was before tells in which state each interaction is.
        options: which transactions are judged.
        artifact: the contract's ABI and layout, instead of what is stored.
        observer: sees how far long work is.

    Raises:
        UsageError: the abstraction does not fit the history, or a hash is none.
        StoreError: the history does not hold a transaction that is to be judged.
        FileFormatError: a claim is pinned of which nothing says what it is.

    """
    options = options or CheckOptions()
    specification = edit_specification(specification, options.edits)
    mining = divide_history(specification, history, artifact, observer)
    judgement = judge(specification, mining, judged_of(mining.history, specification, options))
    return with_notes(judgement.result, specification, options.edits)


def divide_history(
    specification: Specification,
    history: History,
    artifact: Artifact | None = None,
    observer: Observer = SILENT,
) -> Mining:
    """Divide a history into events as a specification does.

    Raises:
        UsageError: its abstraction does not fit the history.

    """
    start = Mining(
        history=history,
        options=replace(options_of(specification), is_explained=False),
        artifact=artifact,
        name=specification.name,
        observer=observer,
    )
    try:
        return reduce(lambda state, stage: stage(state), _STAGES, start)
    except UsageError as error:
        raise UsageError(
            f"the specification of {plain(specification.name, 80)} does not fit this history; is it of another "
            f"contract? {error.message}"
        ) from None


def judge(specification: Specification, mining: Mining, judged: BoolColumn) -> Judgement:
    """Judge some invocations of a history that was divided as the specification says; ``judged`` has shape (n,)."""
    calls = JudgedCalls(context=mining.context, interactions=mining.interactions, is_judged=judged)
    return _Check(specification, mining, calls).judgement()


def with_notes(result: CheckResult, specification: Specification, edits: ClaimEdits) -> CheckResult:
    """Return findings with names and comments of claims; what breaks a pinned claim is broken."""
    if not edits:
        return result
    by_claim = {
        (claim.part, claim.about if claim.part is ClaimPart.GUARD else "", claim.text): edits[claim.id]
        for claim in list_claims(specification)
        if claim.id in edits
    }

    def add_note(item: Deviation) -> Deviation:
        is_guard = item.basis is Basis.GUARD
        part = ClaimPart.GUARD if is_guard else ClaimPart.INVARIANT
        edit = by_claim.get((part, item.function if is_guard else "", item.claim))
        if edit is None or item.basis not in (Basis.GUARD, Basis.INVARIANT):
            return item
        return replace(
            item,
            severity=Severity.BROKEN if edit.pin else item.severity,
            sentence=item.sentence + (f" [{edit.note}]" if edit.note else ""),
        )

    return replace(result, findings=_order_findings([add_note(item) for item in result.findings]))


def judged_of(history: History, specification: Specification, options: CheckOptions) -> BoolColumn:
    """Return which invocations are judged; shape (n,).

    Raises:
        UsageError: a hash is none.
        StoreError: the history does not hold a transaction that is to be judged.

    """
    if options.transactions:
        return _listed_invocations(history, options.transactions)
    first = options.first_block
    if first is None and specification.history.last_block is not None and _is_same(history, specification):
        first = specification.history.last_block + 1
    block = history.transaction_block[history.invocation_transaction]
    judged = np.ones(len(history), dtype=np.bool_)
    if first is not None:
        judged &= block >= first
    if options.last_block is not None:
        judged &= block <= options.last_block
    return judged


def _listed_invocations(history: History, hashes: Collection[str]) -> BoolColumn:
    malformed = [item for item in hashes if not _HASH.fullmatch(item)]
    if malformed:
        raise UsageError(
            f"--transaction: '{plain(malformed[0], 80)}' is no hash; expected 0x and 64 hexadecimal digits"
        )
    rows = {f"0x{item.hex()}": row for row, item in enumerate(history.transaction_hash)}
    missing = [item for item in hashes if item.lower() not in rows]
    if missing:
        raise StoreError(
            f"--transaction: the history does not hold {plain(missing[0], 80)}; collect its block first, or give --rpc"
        )
    transactions = [rows[item.lower()] for item in hashes]
    return np.isin(history.invocation_transaction, transactions)


def _is_same(history: History, specification: Specification) -> bool:
    """Return whether a specification was mined from this history's first part: its witnesses are in it."""
    hashes = {f"0x{item.hex()}" for item in history.transaction_hash}
    return any(edge.first.transaction in hashes for edge in specification.transitions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a check found, and how much of the specification it could ask."""

    result: CheckResult
    guards: GuardCheck
    """Of which function which conditions could be asked."""
    invariants: Mapping[str, IntColumn]
    """The texts of the invariants that could be evaluated, each with the invocations of its first cases."""
    uncertain: int
    """How many judged events begin or end in a state that is only assumed."""


@dataclass(frozen=True, slots=True)
class _Check:
    """A history that was divided as the specification's was, ready to be judged."""

    specification: Specification
    mining: Mining
    calls: JudgedCalls

    def judgement(self) -> Judgement:
        """Return all findings, and what could not be judged."""
        mining, specification = self.mining, self.specification
        history, judged = mining.history, self.calls.is_judged
        reasons = causes(history, mining.context.interface)
        entities = Entities(mining.context, mining.interactions)
        functions = functions_of(mining.context, reasons, entities, mining.followed_functions)
        guards = GuardCheck(specification, self.calls, tuple(map(CallTerms, functions)), reasons)
        invariants = InvariantCheck(
            specification, self.calls, propose(mining.context, mining.tuning, mining.interactions)
        )
        code = CodeCheck(self.calls, confirmed_calls(history, mining.runs))
        run = self._run()
        findings = [
            *unknown_transitions(specification, run),
            *self._unknown_functions(),
            *guards.findings(),
            *invariants.findings(),
            *code.findings(),
            *unseen_changes(self.calls),
        ]
        unjudged = dict(unjudged_conditions(guards))
        if invariants.unevaluated_count:
            unjudged["invariants that speak of what the history does not show"] = invariants.unevaluated_count
        unjudged |= {
            f"calls that could not be executed again: {why}": count for why, count in code.lacks.items()
        }
        doubtful = int((run.uncertain & judged[mining.interactions.invocation]).sum())
        if doubtful:
            unjudged["events whose state is not known"] = doubtful
        blocks = history.transaction_block[history.invocation_transaction[judged]]
        result = CheckResult(
            name=specification.name,
            first_block=int(blocks.min()) if len(blocks) else None,
            last_block=int(blocks.max()) if len(blocks) else None,
            transactions=len(np.unique(history.invocation_transaction[judged])),
            events=int((judged & mining.context.is_event).sum()),
            findings=_order_findings(findings),
            unjudged=unjudged,
        )
        return Judgement(
            result=result,
            guards=guards,
            invariants=invariants.evaluated_cases,
            uncertain=doubtful,
        )

    def _run(self) -> AutomatonRun:
        mining, specification = self.mining, self.specification
        tuning = mining.tuning
        position = next(index for index, point in enumerate(tuning.front) if point.chosen)
        space = StateSpace(tuning)
        formulas = [space.formula(state.id) for state in tuning.states]
        symbols = {symbol for formula in formulas for symbol in space.language.symbols(formula)}
        states = [
            State(
                id=state.id,
                name=state.name,
                predicates=state.predicates,
                visits=state.visits,
                ends=state.ends,
                smt=expression(space.language, formula),
            )
            for state, formula in zip(tuning.states, formulas, strict=True)
        ]
        matches = match_states(
            StateSet(states=states, initial=0, symbols=symbol_sorts(space.language, symbols)),
            StateSet(
                states=specification.states,
                initial=specification.initial,
                symbols=specification.symbols,
            ),
        )
        return AutomatonRun(
            calls=self.calls,
            states=states,
            edges=mining.transitions[position],
            transition=transition_groups(tuning, tuning.chosen_point)[1],
            known_states=matches,
            uncertain=tuning.uncertain(tuning.chosen_point),
        )

    def _unknown_functions(self) -> Iterator[Deviation]:
        """Yield the accepted calls of functions that the specification has never seen accepted."""
        specification, context = self.specification, self.mining.context
        accepted_functions = {
            edge.function for edge in specification.transitions if edge.outcome == "returned"
        }
        accepted_functions |= {guard.scope for guard in specification.guards if guard.accepted}
        accepted_functions |= {effect.function for effect in specification.effects} | set(
            specification.interactions.outside
        )
        for row in np.flatnonzero(context.is_accepted & self.calls.is_judged).tolist():
            function = self.calls.function(row)
            if function not in accepted_functions:
                yield Deviation(
                    severity=Severity.UNKNOWN,
                    basis=Basis.FUNCTION,
                    function=function,
                    where=self.calls.where(row),
                    invocation=row,
                    sentence=f"{function} was accepted, which it never was before",
                )


def _order_findings(findings: Sequence[Deviation]) -> tuple[Deviation, ...]:
    """Return findings in the order of calls, of one call the worst first, each once."""
    once = {(item.invocation, item.sentence): item for item in reversed(findings)}
    return tuple(
        sorted(once.values(), key=lambda item: (item.invocation, -item.severity.rank, item.sentence))
    )
