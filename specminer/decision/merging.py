"""Clauses that say the same become one; those that another one implies are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from specminer.decision.clause_shapes import same_shape
from specminer.decision.clauses import ClauseDraft
from specminer.decision.implications import all_imply
from specminer.decision.paths import MAX_OUTPUTS, PathCondition
from specminer.decision.sites import Loops
from specminer.shadow.arena import Arena


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedClauses:
    """Clauses, and what became of those that they were made of."""

    drafts: list[ClauseDraft]
    position: dict[int, int]
    """From the position of an earlier draft to that of the one which says it now."""


def merge(arena: Arena, drafts: Sequence[ClauseDraft], loops: Loops) -> MergedClauses:
    """Merge clauses: equal ones, weaker ones with stronger ones, and those of the rounds of a loop.

    A clause is stronger than another if each of its conditions implies one of the other's: whatever violates the weaker
    one violates it as well. A weaker one stays if it rejected calls and has conditions of its own.

    Args:
        arena: holds the expressions.
        drafts: the clauses.
        loops: those of the function; elsewhere what is alike at one site is not of one element and of another.

    """
    target = list(range(len(drafts)))
    for number, draft in enumerate(drafts):
        stronger = [
            other
            for other, item in enumerate(drafts)
            if other != number and _is_stronger(arena, item, draft, earlier=other < number)
        ]
        if stronger:
            target[number] = min(stronger, key=lambda other: (len(drafts[other].conditions), other))
        elif loops.repeats(draft.site) and (same := _first_round(arena, drafts, number)) is not None:
            target[number] = same
            drafts[same].each = True
    for number in range(len(drafts)):
        if target[number] != number:
            _take_in(drafts[_end(target, number)], drafts[number])
    rest = [number for number in range(len(drafts)) if target[number] == number]
    rest.sort(
        key=lambda number: (not drafts[number].rejected_runs, -len(drafts[number].rejected_runs), number)
    )
    rank = {number: index for index, number in enumerate(rest)}
    return MergedClauses(
        drafts=[drafts[number] for number in rest],
        position={number: rank[_end(target, number)] for number in range(len(drafts))},
    )


def _is_stronger(arena: Arena, strong: ClauseDraft, weak: ClauseDraft, *, earlier: bool) -> bool:
    """Return whether what violates the weaker clause violates the stronger one; of equal ones the earlier counts."""
    first, second = frozenset(strong.conditions), frozenset(weak.conditions)
    if weak.rejected_runs and not first <= second:
        return False  # its calls met another condition than the stronger one's
    if not all_imply(arena, strong.conditions, weak.conditions):
        return False
    return earlier or not all_imply(arena, weak.conditions, strong.conditions)


def _first_round(arena: Arena, drafts: Sequence[ClauseDraft], number: int) -> int | None:
    """Return the clause that demands the same in the first round of a loop; ``None`` if that is this one.

    Expressions of earlier rounds are made before those of later ones.
    """
    draft = drafts[number]
    rounds = [other for other, item in enumerate(drafts) if _demand_alike(arena, item, draft)]
    first = min([*rounds, number], key=lambda other: (drafts[other].conditions[0].node, other))
    return None if first == number else first


def _demand_alike(arena: Arena, first: ClauseDraft, second: ClauseDraft) -> bool:
    left, right = _one_round(arena, first.conditions), _one_round(arena, second.conditions)
    return (
        first.site == second.site
        and first.check == second.check
        and len(left) == len(right)
        and all(_are_alike(arena, one, other) for one, other in zip(left, right, strict=True))
    )


def _are_alike(arena: Arena, first: PathCondition, second: PathCondition) -> bool:
    equations = [arena.kind(item.node) == "eq" for item in (first, second)]
    plain = [arena.kind(item.node) not in ("eq", "lt", "slt") for item in (first, second)]
    opposite = any(equations) and any(plain)  # that it is zero is an equation as well
    return first.holds == (second.holds != opposite) and same_shape(arena, first.node, second.node)


def _one_round(arena: Arena, conditions: Sequence[PathCondition]) -> list[PathCondition]:
    """Return the conditions without those that say of another round of a loop what one before them says."""
    distinct: list[PathCondition] = []
    for condition in conditions:
        if not any(_are_alike(arena, other, condition) for other in distinct[1:]):
            distinct.append(condition)
    return distinct


def _end(target: Sequence[int], number: int) -> int:
    """Follow what clauses became, to the end."""
    while target[number] != number:
        number = target[number]
    return number


def _take_in(draft: ClauseDraft, other: ClauseDraft) -> None:
    draft.rejected_runs += other.rejected_runs
    draft.each |= other.each and draft.conditions == other.conditions
    for output in other.outputs:
        if len(draft.outputs) < MAX_OUTPUTS:
            draft.outputs[output] = None
