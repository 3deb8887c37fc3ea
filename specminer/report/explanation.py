"""Why an abstraction was chosen, in plain text: what each predicate is worth, and the front to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.cells import cell_len

from specminer.errors import plain
from specminer.report.layout import cut, paragraph
from specminer.specification import Specification

MAX_ALIASES: Final = 4
"""Other forms of a predicate that are listed."""
_ADVICE: Final = "install one with `pip install 'specminer[smt]'`"


def explanation(spec: Specification, *, width: int = 80) -> str:
    """Describe the choice in lines of at most ``width`` cells, ending in a newline."""
    abstraction = spec.abstraction
    lines = ["Abstraction"]
    lines += paragraph(_origin(abstraction), width)
    chosen = abstraction.get("chosen")
    for item in chosen if isinstance(chosen, list | tuple) else ():
        if isinstance(item, Mapping):
            lines += _predicate(item, width)
    facets = abstraction.get("facets")
    if isinstance(facets, list | tuple) and facets:
        shown = "; ".join(plain(text, 80) for text in facets[:12])
        more = f"; and {len(facets) - 12} more" if len(facets) > 12 else ""
        lines += paragraph(f"Kinds of entities, never states, as they do not change: {shown}{more}.", width)
    lines += paragraph(_proofs(abstraction), width)
    lines += ["", *_front(spec, width)]
    return "\n".join(lines) + "\n"


def _origin(abstraction: Mapping[str, Any]) -> str:
    source = "what happened before and storage" if abstraction.get("used_history") else "storage"
    return (
        f"Preset {plain(abstraction.get('preset', '?'), 20)}; predicates over {source}; "
        f"{plain(abstraction.get('candidates', '?'), 20)} candidates, "
        f"{plain(abstraction.get('evaluations', '?'), 20)} combinations compared; seed "
        f"{plain(abstraction.get('seed', '?'), 20)}."
    )


def _predicate(item: Mapping[str, Any], width: int) -> list[str]:
    """Return one predicate: its text, then what speaks for it."""
    facts = []
    gain, stability = item.get("gain_bits"), item.get("stability")
    if isinstance(gain, int | float):
        facts.append(f"gains {gain:,.1f} bits")
    if isinstance(stability, int | float):
        facts.append(f"pays in {stability:.0%} of random halves of the history")
    else:
        facts.append("its stability was not measured")
    if item.get("tier") == "history":
        facts.append("speaks of earlier events, not of storage")
    if item.get("fixed"):
        facts.append("fixed by the definition")
    if item.get("weak") and not item.get("fixed"):
        facts.append("WEAK: chance may have chosen it")
    lines = [cut(f"  {plain(item.get('predicate', '?'), 200)}", width)]
    lines += paragraph("; ".join(facts), width, "  ")
    aliases = item.get("aliases")
    if isinstance(aliases, list | tuple) and aliases:
        proved = item.get("equivalent")
        known = set(proved) if isinstance(proved, list | tuple) else set()
        shown = [
            plain(text, 80) + (" (means the same, proved)" if text in known else "")
            for text in aliases[:MAX_ALIASES]
        ]
        more = f", and {len(aliases) - MAX_ALIASES} more" if len(aliases) > MAX_ALIASES else ""
        lines += paragraph(f"always together with: {'; '.join(shown)}{more}", width, "  ")
    return lines


def _proofs(abstraction: Mapping[str, Any]) -> str:
    solver = abstraction.get("solver")
    if solver:
        return f"Equivalences were proved by {plain(solver, 40)}."
    return f"No solver is installed, so no equivalence is proved; the automaton is the same. To prove, {_ADVICE}."


def _front(spec: Specification, width: int) -> list[str]:
    """Return the table of the automata to choose from."""
    rows = [("point", "states", "edges", "bits", "precision", "unseen", "")]
    for place, point in enumerate(spec.front, start=1):
        metrics = point.metrics
        marks = [text for text, set_ in (("chosen", point.chosen), ("knee", point.knee)) if set_]
        rows.append(
            (
                str(place),
                str(point.states),
                _figure(metrics.get("transitions"), ".0f"),
                _figure(metrics.get("description_length"), ",.0f"),
                _figure(metrics.get("precision"), ".3f"),
                _figure(metrics.get("held_out_acceptance"), ".3f"),
                ", ".join(marks),
            )
        )
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["The front, from readable to precise (--states N or --point N takes another)"]
    for row in rows:
        cells = [f"{text:>{width_}}" for text, width_ in zip(row[:-1], widths, strict=False)]
        lines.append(cut(f"  {'  '.join(cells)}  {row[-1]}".rstrip(), width))
    told = (
        "bits: its description with the history; precision: share of what it allows that was seen; unseen: "
    )
    return lines + paragraph(f"{told}share of the interactions that the others foretell.", width)


def _figure(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else "?"
