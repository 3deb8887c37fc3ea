"""The sections about guards of single transitions, and about what follows from what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from specminer.report.section import Row, Section, interval_text, left_out, proof_text, row, transaction_cell
from specminer.specification import Edge, Specification, entries, items_of

MAX_ROWS: Final = 300
_ALONE: Final = re.compile(r"the state '[^']*'")


def passage_sections(spec: Specification) -> Iterator[Section]:
    """Yield what transitions ask for besides their state, siblings, and claims that follow from others."""
    differing = [edge for edge in spec.transitions if differs(edge)]
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
                "Accepted",
                "Exceptions",
                "Holds in (95 %)",
                "Explains here",
                "Tells elsewhere",
                "Kept later",
            ),
            figures=frozenset({6, 7}),
            rows=tuple(_transition(edge, names) for edge in differing[:MAX_ROWS]),
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
                    " / ".join(dict.fromkeys(map(str, items_of(item.get("events"))))),
                    item.get("verdict", ""),
                    item.get("text", ""),
                    sum(count for count in items_of(item.get("both")) if isinstance(count, int)),
                    transaction_cell(spec.chain_id, *map(str, items_of(item.get("witnesses"))[:2])),
                    proof_text(item),
                )
                for item in spec.siblings[:MAX_ROWS]
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
                    item.get("scope", ""),
                    item.get("text", ""),
                    item.get("of", ""),
                    item.get("because", ""),
                    proof_text(item),
                )
                for item in spec.redundant[:MAX_ROWS]
            ),
            note=left_out(min(len(spec.redundant), MAX_ROWS), len(spec.redundant), "claims"),
        )


def differs(edge: Edge) -> bool:
    """Whether a transition says something else than the guard of its function."""
    return bool(
        edge.condition
        and (
            items_of(edge.condition.get("not_kept"))
            or any(
                part.get("learned") != "function" or part.get("follows_from") or part.get("here")
                for part in parts(edge)
            )
        )
    )


def parts(edge: Edge) -> list[dict[str, Any]]:
    """Return the conditions of a transition."""
    return entries((edge.condition or {}).get("parts"))


def followed_text(edge: Edge) -> str:
    """Return which conditions follow from the state, and from what."""
    told = [(part.get("text", ""), part.get("follows_from")) for part in parts(edge)]
    return "; ".join(
        # that it is the state alone goes without saying
        f"{text}{'' if _ALONE.fullmatch(str(because)) else f' (from {because})'}"
        for text, because in told
        if because
    )


def told_text(edge: Edge) -> str:
    """Return which conditions were learned from this transition's own calls; of the function, which it does without."""
    own = [str(part.get("text", "")) for part in parts(edge) if part.get("learned") != "function"]
    broken = items_of((edge.condition or {}).get("not_kept"))
    without = f"does without {' and '.join(map(str, broken))}" if broken else ""
    return "; ".join(filter(None, [" and ".join(own), without]))


def _transition(edge: Edge, names: Mapping[int, str]) -> Row:
    found = edge.condition or {}
    later = found.get("held_out")
    kept = (
        f"{later.get('explained')} of {later.get('rejected')}; "
        f"{later.get('refused')} of {later.get('accepted')} refused"
        if isinstance(later, dict)
        else ""
    )
    return row(
        names.get(edge.source, "?"),
        edge.event,
        names.get(edge.target, "?"),
        found.get("text", ""),
        followed_text(edge),
        told_text(edge),
        _figure(found.get("accepted")),
        _figure(found.get("exceptions")),
        interval_text(found.get("interval")),
        _of(found, "explained", "rejected"),
        _of(found, "told_apart", "elsewhere"),
        kept,
    )


def _of(found: Mapping[str, Any], part: str, whole: str) -> str:
    return f"{_figure(found.get(part))} of {_figure(found.get(whole))}" if found.get(whole) else ""


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else ""
