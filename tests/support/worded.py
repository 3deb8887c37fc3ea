"""What tests ask of wordings: the relations of all decisions, and whether they say what the code decided."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from specminer.decision import ConditionRelation, FunctionRuns, Sign, Wording

_SIGNS: Final[dict[Sign, Callable[[int, int], bool]]] = {
    Sign.EQUAL: operator.eq,
    Sign.DIFFERENT: operator.ne,
    Sign.LESS: operator.lt,
    Sign.AT_MOST: operator.le,
    Sign.GREATER: operator.gt,
    Sign.AT_LEAST: operator.ge,
}


def last_conditions(wording: Wording, runs: FunctionRuns) -> Counter[str]:
    """Return the texts of what each rejected call decided last, with how many calls did."""
    found: Counter[str] = Counter()
    for run in runs.runs:
        if not run.accepted and run.record.decisions:
            last = run.record.decisions[-1]
            relation = wording.relation((last.condition, last.taken))
            found["" if relation is None else relation.text] += 1
    return found


def relations(wording: Wording, runs: FunctionRuns) -> Iterator[tuple[int, bool, ConditionRelation]]:
    """Yield each decision once: its node, the way that was taken, and what that is called."""
    seen = {(item.condition, item.taken) for run in runs.runs for item in run.record.decisions}
    for node, taken in sorted(seen):
        relation = wording.relation((node, taken))
        if relation is not None:
            yield node, taken, relation


def contradictions(wording: Wording, runs: FunctionRuns) -> list[str]:
    """Return the relations that do not hold where their condition does, or hold where it does not."""
    found = []
    for node, taken, relation in relations(wording, runs):
        right = relation.right
        left = wording.column(relation.left.node)
        other = [right] * len(left) if isinstance(right, int) else wording.column(right.node)
        for value, one, two in zip(wording.column(node), left, other, strict=True):
            if value is None or one is None or two is None:
                continue
            if relation.signed:
                one, two = (item - (1 << 256) if item >> 255 else item for item in (one, two))
            if _SIGNS[relation.sign](one, two) != ((value != 0) == taken):
                found.append(f"{relation.text}: {one} and {two}")
    return found
