"""The sections about guards of single transitions, and about what follows from what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from specminer._support.text import with_unknown
from specminer.presentation.section import (
    Row,
    Section,
    interval_text,
    left_out,
    proof_text,
    row,
    transaction_cell,
)
from specminer.specification import ConditionOrigin, Edge, Specification, TransitionGuard

MAX_ROWS: Final = 300
_STATE_PATTERN: Final = re.compile(r"the state '[^']*'")


def passage_sections(spec: Specification) -> Iterator[Section]:
    """Yield what transitions ask for besides their state, siblings, and claims that follow from others."""
    differing = [
        (edge, edge.condition)
        for edge in spec.transitions
        if edge.condition is not None and differs(edge.condition)
    ]
    if differing:
        names = {state.id: state.name for state in spec.states}
        yield Section(
            id="transition-guards",
            title="Guards of transitions",
            lead=(
                "Where a transition says something else than the guard of its function. Needs: what is not already so "
                "in the state it leaves. Tells: learned from where accepted calls of one event lead. Rejected here: "
                "calls that came to this state; elsewhere: accepted calls of the same event that led to other states.",
            ),
            header=(
                "From",
                "Event",
                "To",
                "Needs",
                "Follows from the state",
                "Learned here",
                "Accepted calls",
                "Exceptions",
                "Holds in (95 %)",
                "Explains here",
                "Tells elsewhere",
                "Kept later",
            ),
            figures=frozenset({6, 7}),
            rows=tuple(_transition(edge, condition, names) for edge, condition in differing[:MAX_ROWS]),
            note=left_out(min(len(differing), MAX_ROWS), len(differing), "transitions"),
        )
    if spec.siblings:
        yield Section(
            id="siblings",
            title="One event, several states",
            lead=(
                "Whether one call can take two transitions of the same event. Exclusive: no call meets both guards. "
                "Missing predicate: the automaton does not use what tells where a call leads. Nondeterministic: "
                "recorded calls meet both, and nothing known tells. Open: a call could, but none or too few did.",
            ),
            header=("Event", "Verdict", "In words", "Meet both", "Witnesses", "Solver"),
            rows=tuple(
                row(
                    " / ".join(dict.fromkeys(pair.events)),
                    pair.verdict.value,
                    pair.text,
                    sum(pair.both),
                    transaction_cell(spec.chain_id, *pair.witnesses[:2]),
                    proof_text(pair.proved),
                )
                for pair in spec.siblings[:MAX_ROWS]
            ),
            note=left_out(min(len(spec.siblings), MAX_ROWS), len(spec.siblings), "pairs"),
        )
    if spec.redundant:
        yield Section(
            id="redundant",
            title="Claims that follow from others",
            lead=("They held, too, but say nothing new, and are told nowhere else.",),
            header=("Of", "Claim", "Kind", "Follows from", "Result"),
            rows=tuple(
                row(
                    claim.scope,
                    claim.text,
                    claim.of.value,
                    claim.because,
                    proof_text(claim.proved),
                )
                for claim in spec.redundant[:MAX_ROWS]
            ),
            note=left_out(min(len(spec.redundant), MAX_ROWS), len(spec.redundant), "claims"),
        )


def differs(condition: TransitionGuard) -> bool:
    """Whether a transition says something else than the guard of its function."""
    return bool(
        condition.not_kept
        or any(
            part.learned is not ConditionOrigin.FUNCTION or part.follows_from or part.here
            for part in condition.parts
        )
    )


def followed_text(condition: TransitionGuard | None) -> str:
    """Return which conditions follow from the state, and from what."""
    parts = () if condition is None else condition.parts
    return "; ".join(
        # that it is the state alone goes without saying
        f"{part.text}{'' if _STATE_PATTERN.fullmatch(part.follows_from) else f' (from {part.follows_from})'}"
        for part in parts
        if part.follows_from
    )


def told_text(condition: TransitionGuard | None) -> str:
    """Return which conditions were learned from this transition's own calls; of the function, which it does without."""
    if condition is None:
        return ""
    own = " and ".join(part.text for part in condition.parts if part.learned is not ConditionOrigin.FUNCTION)
    without = f"does without {' and '.join(condition.not_kept)}" if condition.not_kept else ""
    return "; ".join(filter(None, [own, without]))


def _transition(edge: Edge, condition: TransitionGuard, names: Mapping[int, str]) -> Row:
    test = condition.held_out
    return row(
        names.get(edge.source, "?"),
        edge.event,
        names.get(edge.target, "?"),
        condition.text,
        followed_text(condition),
        told_text(condition),
        condition.accepted,
        with_unknown(condition.exceptions, condition.unknown),
        interval_text(condition.interval),
        _of(condition.explained, condition.rejected),
        _of(condition.told_apart, condition.elsewhere),
        f"{test.explained} of {test.rejected}; {test.refused} of {test.accepted} refused" if test else "",
    )


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" if whole else ""
