"""Two specifications compared: what differs by their code, and what by more than chance."""

from __future__ import annotations

from collections.abc import Mapping

from specminer.comparison.actor_comparison import actor_differences, known_callers
from specminer.comparison.automaton_comparison import automaton_differences, paired_states, paired_transitions
from specminer.comparison.chance import ChanceTest
from specminer.comparison.claim_comparison import (
    function_differences,
    invariant_differences,
    refusal_differences,
    rejection_differences,
    role_differences,
)
from specminer.comparison.cut_shares import CutShares
from specminer.comparison.difference import ComparedEvidence, Comparison, Difference, Ground, Subject
from specminer.comparison.effect_comparison import effect_differences, idle_differences
from specminer.comparison.guard_comparison import GuardComparison
from specminer.specification import Specification


def compare(
    before: Specification,
    after: Specification,
    *,
    of_before: ComparedEvidence | None = None,
    of_after: ComparedEvidence | None = None,
    cuts: CutShares | None = None,
) -> Comparison:
    """Compare two specifications.

    Args:
        before: the first one.
        after: the second one, best mined with the first one's abstraction.
        of_before: what the first history says of the second's specification, where that history is at hand.
        of_after: what the second one says of the first's specification.
        cuts: the shares along the history, if these are two parts of one and nothing but time sets them apart.

    """
    chance = ChanceTest(cuts)
    states, numbers = paired_states(before, after)
    transitions = paired_transitions(before, after, numbers, chance)
    guards = GuardComparison(before, after)
    idle = tuple({} if evidence is None else evidence.idle for evidence in (of_before, of_after))
    refused = tuple({} if evidence is None else evidence.refusals for evidence in (of_before, of_after))
    conditions = list(guards.differences())
    callers = (
        known_callers(before) if of_before is None else of_before.callers,
        known_callers(after) if of_after is None else of_after.callers,
    )
    differences = [
        *conditions,
        *refusal_differences(refused[1], is_gone=True),
        *refusal_differences(refused[0], is_gone=False),
        *effect_differences(before, after, chance, set().union(*idle)),
        *role_differences(before, after, {item.scope for item in conditions}),
        *actor_differences(before, after, *callers, chance),
        *function_differences(before, after, chance),
        *rejection_differences(before, after, chance),
        *automaton_differences(states, transitions),
    ]
    uncompared: Mapping[str, int] = guards.uncompared
    if of_before is None and of_after is None:
        claims = {item.text for item in before.invariants} ^ {item.text for item in after.invariants}
        if claims:
            uncompared = {
                **uncompared,
                "invariants of one document only, whose history is not at hand": len(claims),
            }
    if of_before is not None and of_after is not None:
        differences += idle_differences(before, after, of_before.idle, of_after.idle, chance)
    if of_after is not None:
        differences += invariant_differences(before, of_after.claims, chance, is_gone=True)
    if of_before is not None:
        differences += invariant_differences(after, of_before.claims, chance, is_gone=False)
    if chance.drifting:
        what = "counts that differ, but as clearly at other cuts of this history"
        uncompared = {**uncompared, what: chance.drifting}
    return Comparison(
        before=before,
        after=after,
        differences=tuple(sorted(differences, key=_weight)),
        states=states,
        transitions=transitions,
        uncompared=uncompared,
    )


def _weight(item: Difference) -> tuple[object, ...]:
    """Order differences: what the code says first, then by subject, then the least likely by chance."""
    return (
        item.ground is not Ground.CODE,
        tuple(Subject).index(item.subject),
        item.probability or 0.0,
        item.scope,
        item.sentence,
    )
