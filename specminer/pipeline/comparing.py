"""Compares two specifications, two histories, or two parts of one history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.errors import UsageError
from specminer.comparison.compare import compare
from specminer.comparison.difference import ComparedEvidence, Comparison
from specminer.comparison.guard_language import DEMANDED, followed_functions
from specminer.contracts.artifact import Artifact
from specminer.decision.coded_effects import IdleEffect, idle_effects_of
from specminer.decision.function_writes import writes_of
from specminer.decoding import HistoryContext
from specminer.history.contract_history import History
from specminer.inference.entity_terms import Entities
from specminer.inference.function_guards import functions_of
from specminer.inference.invariant_search import propose
from specminer.monitoring.call_terms import CallTerms
from specminer.monitoring.guard_breaches import GuardCheck
from specminer.monitoring.judged_calls import JudgedCalls
from specminer.pipeline.assessment import find_invariants
from specminer.pipeline.automata import choose_abstraction, count_transitions
from specminer.pipeline.division import decode_history, divide
from specminer.pipeline.document import build_specification
from specminer.pipeline.effecting import find_effects
from specminer.pipeline.following import execute_calls, follow_decisions
from specminer.pipeline.guarding import causes, find_guards, find_implications
from specminer.pipeline.part_shares import cut_shares
from specminer.pipeline.progress import SILENT, Observer
from specminer.pipeline.state import MineOptions, Mining, Stage, options_of
from specminer.specification import Confidence, Specification, Surprise
from specminer.specification.deviation import Severity

_ALL_STAGES: Final[tuple[Stage, ...]] = (
    decode_history,
    execute_calls,
    follow_decisions,
    divide,
    choose_abstraction,
)
"""What both parts of a history share."""
_PART: Final[tuple[Stage, ...]] = (
    execute_calls,
    follow_decisions,
    count_transitions,
    find_effects,
    find_invariants,
    find_guards,
    find_implications,
    build_specification,
)
"""What is found in each part."""
_ALL: Final = (*_ALL_STAGES, *_PART[2:])
"""What is found in a whole history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedHistory:
    """A history, or the document that was mined from it, to be compared."""

    specification: Specification | None = None
    """The document; ``None`` if only the history is at hand."""
    history: History | None = None
    artifact: Artifact | None = None


def compare_histories(
    before: ComparedHistory, after: ComparedHistory, *, observer: Observer = SILENT
) -> tuple[Comparison, tuple[str, ...]]:
    """Compare two specifications, mined first where only histories are at hand.

    The second history is mined with the first one's abstraction, so that states are the same; if that does not fit,
    with its own.

    Returns:
        The comparison, and notes as sentences.

    Raises:
        UsageError: one of them has neither a document nor a history.

    """
    notes: list[str] = []
    one, first = _mine_history(before, None, notes, observer)
    two, second = _mine_history(after, one, notes, observer)
    comparison = compare(
        one,
        two,
        of_before=None if first is None else _evidence(first, two),
        of_after=None if second is None else _evidence(second, one),
    )
    return comparison, tuple(notes)


def _mine_history(
    item: ComparedHistory, first: Specification | None, notes: list[str], observer: Observer
) -> tuple[Specification, Mining | None]:
    """Return a specification, and what it was mined from; ``first`` is one whose abstraction is tried."""
    if item.specification is not None:
        return item.specification, None
    if item.history is None:
        raise UsageError("a comparison takes two specifications or histories")
    options = MineOptions(surprising=0)
    start = Mining(history=item.history, options=options, artifact=item.artifact, observer=observer)
    start = _drop_ranking(start)
    if first is not None:
        try:
            mining = _run(_ALL, replace(start, options=options_of(first)))
        except UsageError as error:
            notes.append(
                "the second history has an abstraction of its own, as the first one's does not fit it: "
                f"{error.message}"
            )
        else:
            return mining.specification, mining
    mining = _run(_ALL, start)
    return mining.specification, mining


def _drop_ranking(mining: Mining) -> Mining:
    """Return a start without what is not compared: another split, confidence and surprise."""
    return replace(mining, second=None, confidence=Confidence(), surprise=Surprise())


def compare_parts(
    history: History,
    block: int | None = None,
    *,
    artifact: Artifact | None = None,
    observer: Observer = SILENT,
) -> tuple[Comparison, tuple[str, ...]]:
    """Compare what happened before a block with what happened from it on.

    Both parts are told apart by one abstraction, that of the whole history; what storage held is known from all of it.
    Use changes with time wherever a history is cut. Unless other code runs from the block on, counts differ only if
    hardly any other block cuts the history as clearly.

    Args:
        history: both parts.
        block: the first of the later part; ``None`` for the last upgrade of the code.
        artifact: the contract's ABI and layout, instead of what is stored.
        observer: sees how far long work is.

    Returns:
        The comparison, and notes as sentences.

    Raises:
        UsageError: one of the parts is empty, or there was no upgrade.

    """
    start = Mining(history=history, options=MineOptions(surprising=0), artifact=artifact, observer=observer)
    mining = _run(_ALL_STAGES, start)
    notes: list[str] = []
    if block is None:
        upgrades = upgrade_blocks(mining)
        if not upgrades:
            raise UsageError(
                "no upgrade of the code is known in this history; give the block to cut it at: --at BLOCK"
            )
        block = upgrades[-1]
        notes.append(f"the history is cut at block {block:,}, where other code ran for the first time")
        if len(upgrades) > 1:
            notes.append(
                f"other code ran for the first time in blocks {', '.join(map(str, upgrades[:-1]))}, too"
            )
    blocks = mining.history.transaction_block[mining.history.invocation_transaction]
    later = blocks >= block
    if later.all() or not later.any():
        begin, end = int(blocks.min()), int(blocks.max())
        raise UsageError(
            f"--at {block}: the history goes from block {begin} to {end}; choose a later block than the first, and "
            "none behind the last"
        )
    first, second = (
        _run(_PART, _drop_ranking(replace(mining, context=mining.context.within(window))))
        for window in (~later, later)
    )
    one, two = first.specification, second.specification
    comparison = compare(
        replace(one, history=replace(one.history, last_block=block - 1)),
        replace(two, history=replace(two.history, first_block=block)),
        of_before=_evidence(first, two),
        of_after=_evidence(second, one),
        cuts=None if _is_upgrade(mining, block) else cut_shares(mining, block),
    )
    return comparison, tuple(notes)


def _is_upgrade(mining: Mining, block: int) -> bool:
    """Return whether the first calls from a block on ran code that was not there before."""
    blocks = mining.history.transaction_block[mining.history.invocation_transaction]
    first = int(blocks[blocks >= block].min())
    return any(block <= item <= first for item in upgrade_blocks(mining))


def upgrade_blocks(mining: Mining) -> list[int]:
    """Return the blocks in which code first ran that replaced other code, ascending."""
    history = mining.history
    first: dict[int, int] = {}
    for runs in mining.runs:
        for run in runs.runs:
            block = int(history.transaction_block[history.invocation_transaction[run.invocation]])
            if run.code:
                first[run.code] = min(first.get(run.code, block), block)
    return sorted(set(first.values()))[1:]


def _run(stages: Sequence[Stage], mining: Mining) -> Mining:
    return reduce(lambda state, stage: stage(state), stages, mining)


def _evidence(mining: Mining, claimed: Specification) -> ComparedEvidence:
    """Return what a history says of another one's specification."""
    texts = {item.text for item in claimed.invariants}
    claims = {
        item.text: (item.exceptions, len(item.cases))
        for item in propose(mining.context, mining.tuning, mining.interactions)
        if item.text in texts and len(item.cases)
    }
    idle: dict[tuple[str, str], IdleEffect] = {}
    for number, item in mining.followed_functions.items():
        writes = writes_of(item.decisions, item.wording)
        idle |= idle_effects_of(item.decisions, writes, item.wording, mining.context.calls.functions[number])
    return ComparedEvidence(
        claims=claims,
        idle=idle,
        callers=_callers(mining.context),
        refusals=_broken_requirements(mining, claimed),
    )


def _broken_requirements(mining: Mining, claimed: Specification) -> dict[tuple[str, str], str]:
    """Return the conditions that another specification requires and that accepted calls of seldom functions break.

    What the code of such a function asks is not known from its own calls. Conditions count that the other history knows
    from enough calls.
    """
    seldom = followed_functions(claimed) - followed_functions(mining.specification)
    guards = tuple(guard for guard in claimed.guards if guard.scope in seldom and guard.kind in DEMANDED)
    if not guards:
        return {}
    context = mining.context
    reasons = causes(mining.history, context.interface)
    functions = functions_of(
        context, reasons, Entities(context, mining.interactions), mining.followed_functions
    )
    check = GuardCheck(
        replace(claimed, guards=guards),
        JudgedCalls(context=context, interactions=mining.interactions, is_judged=context.is_accepted),
        tuple(map(CallTerms, functions)),
        reasons,
    )
    return {
        (item.function, item.claim): ", ".join(f"{name} = {value}" for name, value in item.values.items())
        for item in check.findings()
        if item.severity is Severity.BROKEN
    }


def _callers(context: HistoryContext) -> dict[str, Counter[str]]:
    """Return how many accepted calls of each function each account sent."""
    callers: dict[str, Counter[str]] = {}
    for row in np.flatnonzero(context.is_accepted).tolist():
        account = checksum_address(context.history.addresses[int(context.history.invocation_sender[row])])
        callers.setdefault(context.calls.name(row), Counter())[account] += 1
    return callers
