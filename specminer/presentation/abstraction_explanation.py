"""Why an abstraction was chosen, in plain text: what each predicate is worth, and the front to choose from."""

from __future__ import annotations

from typing import Final

from rich.cells import cell_len

from specminer._support.errors import plain
from specminer._support.text import join_words, show_number
from specminer.presentation.text_layout import cut, paragraph
from specminer.specification import AbstractionSummary, ChosenPredicate, Specification, Tier

MAX_ALIASES: Final = 4
"""Other forms of a predicate that are listed."""
_ADVICE: Final = "install one with `pip install 'specminer[smt]'`"


def explanation(spec: Specification, *, width: int = 80) -> str:
    """Describe the choice in lines of at most ``width`` cells, ending in a newline."""
    abstraction = spec.abstraction
    lines = ["Abstraction"]
    lines += paragraph(_origin(abstraction), width)
    for item in abstraction.chosen:
        lines += _predicate(item, width)
    facets = abstraction.facets
    if facets:
        facet_text = "; ".join(plain(text, 80) for text in facets[:12])
        more = f"; and {len(facets) - 12} more" if len(facets) > 12 else ""
        lines += paragraph(
            f"Kinds of entities, never states, as they do not change: {facet_text}{more}.", width
        )
    lines += paragraph(_proofs(abstraction), width)
    lines += ["", *_front(spec, width)]
    return "\n".join(lines) + "\n"


def _origin(abstraction: AbstractionSummary) -> str:
    source = "what happened before and storage" if abstraction.used_history else "storage"
    preset = "?" if abstraction.preset is None else plain(abstraction.preset, 20)
    return (
        f"Preset {preset}; predicates over {source}; "
        f"{show_number(abstraction.candidates, '')} candidates, "
        f"{show_number(abstraction.evaluations, '')} combinations compared; seed "
        f"{show_number(abstraction.seed, '')}."
    )


def _predicate(item: ChosenPredicate, width: int) -> list[str]:
    """Return one predicate: its text, then what speaks for it."""
    facts = []
    if item.gain_bits is not None:
        facts.append(f"gains {item.gain_bits:,.1f} bits")
    if item.stability is not None:
        facts.append(f"pays in {item.stability:.0%} of random halves of the history")
    else:
        facts.append("its stability was not measured")
    if item.tier is Tier.HISTORY:
        facts.append("speaks of earlier events, not of storage")
    if item.observers:
        facts.append(f"what {_functions(item.observers)} returned where storage was known")
    if item.fixed:
        facts.append("fixed by the definition")
    if item.weak and not item.fixed:
        facts.append("WEAK: chance may have chosen it")
    lines = [cut(f"  {plain(item.predicate, 200)}", width)]
    lines += paragraph("; ".join(facts), width, "  ")
    aliases = item.aliases
    if aliases:
        proved = set(item.equivalent)
        alias_texts = [
            plain(text, 80) + (" (means the same, proved)" if text in proved else "")
            for text in aliases[:MAX_ALIASES]
        ]
        more = f", and {len(aliases) - MAX_ALIASES} more" if len(aliases) > MAX_ALIASES else ""
        lines += paragraph(f"always together with: {'; '.join(alias_texts)}{more}", width, "  ")
    return lines


def _functions(signatures: tuple[str, ...]) -> str:
    return join_words([plain(item, 100) for item in signatures], "and")


def _proofs(abstraction: AbstractionSummary) -> str:
    if abstraction.solver:
        return f"Equivalences were proved by {plain(abstraction.solver, 40)}."
    return f"No solver is installed, so no equivalence is proved; the automaton is the same. To prove, {_ADVICE}."


def _front(spec: Specification, width: int) -> list[str]:
    """Return the table of the automata to choose from."""
    rows = [("point", "states", "edges", "bits", "precision", "unseen", "")]
    for number, point in enumerate(spec.front, start=1):
        metrics = point.metrics
        marks = [text for text, set_ in (("chosen", point.chosen), ("knee", point.knee)) if set_]
        rows.append(
            (
                str(number),
                str(point.states),
                show_number(metrics.get("transitions"), ".0f"),
                show_number(metrics.get("description_length"), ",.0f"),
                show_number(metrics.get("precision"), ".3f"),
                show_number(metrics.get("held_out_acceptance"), ".3f"),
                ", ".join(marks),
            )
        )
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["The front, from readable to precise (--states N or --point N takes another)"]
    for row in rows:
        cells = [f"{text:>{width_}}" for text, width_ in zip(row[:-1], widths, strict=False)]
        lines.append(cut(f"  {'  '.join(cells)}  {row[-1]}".rstrip(), width))
    legend = (
        "bits: its description with the history; precision: share of what it allows that was seen; unseen: "
    )
    return lines + paragraph(
        f"{legend}share of the interactions that an automaton learned from the others accepts.", width
    )
