"""The shares that the two parts of a history are compared by, call by call, so that it can be cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specminer._support.addresses import checksum_address
from specminer.comparison.chance import SIGNIFICANCE
from specminer.comparison.cut_shares import CutShares, ShareKey, TimedShare
from specminer.comparison.difference import Subject
from specminer.decision.coded_effects import effect_runs
from specminer.decision.function_writes import writes_of
from specminer.history.contract_history import IntColumn
from specminer.inference.invariant_search import propose
from specminer.pipeline.automata import count_transitions, transition_groups
from specminer.pipeline.guarding import causes
from specminer.pipeline.state import Mining


def cut_shares(mining: Mining, block: int) -> CutShares:
    """Return the shares of a whole history that is cut at a block.

    Args:
        mining: the whole history, with its abstraction.
        block: the first one of the later part.

    """
    blocks = mining.history.transaction_block[mining.history.invocation_transaction].astype(np.int64)
    shares = {
        **dict(_of_calls(mining, blocks)),
        **dict(_of_effects(mining, blocks)),
        **dict(_of_automaton(mining, blocks)),
        **dict(_of_invariants(mining, blocks)),
    }
    return CutShares(shares, np.unique(blocks)[1:], block, SIGNIFICANCE)


def _of_calls(mining: Mining, blocks: IntColumn) -> Iterator[tuple[ShareKey, TimedShare]]:
    """Yield how often functions were accepted, by whom, and why they were rejected."""
    context, history = mining.context, mining.history
    function = context.calls.function
    accepted = np.flatnonzero(context.is_accepted)
    decided = np.flatnonzero(context.is_accepted | context.is_rejected)
    reasons = np.array(causes(history, context.interface), dtype=object)
    for number in np.unique(function[decided]).tolist():
        name = context.calls.functions[number]
        yield (Subject.FUNCTION, (name,)), TimedShare.of(blocks[accepted], function[accepted] == number)
        rows = accepted[function[accepted] == number]
        senders = history.invocation_sender[rows]
        for sender in np.unique(senders).tolist():
            account = checksum_address(history.addresses[sender])
            yield (Subject.ACTOR, (name, account)), TimedShare.of(blocks[rows], senders == sender)
        rows = decided[function[decided] == number]
        rejected = context.is_rejected[rows]
        for reason in sorted(set(reasons[rows[rejected]].tolist())):
            share = TimedShare.of(blocks[rows], rejected & (reasons[rows] == reason))
            yield (Subject.REJECTION, (name, reason)), share


def _of_effects(mining: Mining, blocks: IntColumn) -> Iterator[tuple[ShareKey, TimedShare]]:
    """Yield how often accepted calls did what their functions do."""
    for number, item in sorted(mining.followed_functions.items()):
        name, runs = mining.context.calls.functions[number], item.decisions.runs
        invocations = np.array([run.invocation for run in runs.runs], dtype=np.int64)
        accepted = np.array([run.accepted for run in runs.runs], dtype=np.bool_)
        run_of = np.append(np.arange(len(invocations)), runs.matched_run).astype(np.int64)
        row_of = np.append(invocations, runs.matched_rows).astype(np.int64)
        is_accepted = accepted[run_of]
        run_of, block = run_of[is_accepted], blocks[row_of[is_accepted]]
        writes = writes_of(item.decisions, item.wording)
        for text, happened in effect_runs(item.decisions, writes, item.wording).items():
            hit = np.isin(run_of, sorted(happened))
            yield (Subject.EFFECT, (name, text)), TimedShare.of(block, hit)


def _of_automaton(mining: Mining, blocks: IntColumn) -> Iterator[tuple[ShareKey, TimedShare]]:
    """Yield in how many interactions transitions were taken, and states reached."""
    tuning, interactions = mining.tuning, mining.interactions
    keys, group = transition_groups(tuning, tuning.chosen_point)
    index = next(number for number, point in enumerate(tuning.front) if point.chosen)
    edges = count_transitions(mining).transitions[index]
    source, target = tuning.state_before, tuning.state_after
    block, unit = blocks[interactions.invocation], interactions.slice.astype(np.int64)
    for row, edge in enumerate(edges):
        left = source == keys[row, 0]
        name = str(edge.source), edge.symbol, str(edge.target)
        yield (
            (Subject.TRANSITION, name),
            TimedShare.of(block[left], (group == row)[left], unit[left]),
        )
    for state in np.unique(target).tolist():
        hit = (target == state) & (source != target)
        yield (Subject.STATE, (str(state),)), TimedShare.of(block, hit, unit)


def _of_invariants(mining: Mining, blocks: IntColumn) -> Iterator[tuple[ShareKey, TimedShare]]:
    """Yield how often what might always hold fails."""
    for item in propose(mining.context, mining.tuning, mining.interactions):
        yield (Subject.INVARIANT, (item.text,)), TimedShare.of(blocks[item.cases], ~item.holds)
