"""The sections about the automaton: its states, transitions, variants, what is rare, the front."""

from __future__ import annotations

from typing import Final

from specminer._support.errors import plain
from specminer._support.text import count_of, join_words, with_unknown
from specminer._support.units import amount, moment
from specminer.presentation.report_document import HistoryEvidence, Report, Variant
from specminer.presentation.section import (
    Cell,
    Row,
    Section,
    TextPiece,
    cell,
    left_out,
    row,
    transaction_cell,
)
from specminer.presentation.sentences import elapsed_text, outflows, share, transition_sentence
from specminer.specification import Edge, Specification, TransitionKind

MAX_TRANSITIONS: Final = 1_000
"""Rows of the table of transitions."""
WITNESSES: Final = 3
"""Transactions that a row names; the details on the page, and the document, have all."""
RARE: Final = 0.01
"""A transition that carries less of its source's events is rare."""
LATE: Final = 0.9
"""A transition that was first seen after this share of the history is new."""
MAX_RARE: Final = 100


def observer_text(spec: Specification) -> str:
    """Return which functions of the contract tell states apart, in a sentence; nothing if none does."""
    functions = [plain(item, 100) for item in spec.abstraction.observers]
    if not functions:
        return ""
    lead = "States are told apart by what the contract's own functions return, run on the storage known at each event"
    return f"{lead}: {join_words(functions, 'and')}."


def state_section(spec: Specification) -> Section:
    """Return the states and what holds in them."""
    sentence = observer_text(spec)
    return Section(
        id="states",
        title="States",
        lead=(sentence,) if sentence else (),
        header=("State", "What holds there", "Visits", "Interactions that end here"),
        figures=frozenset({2, 3}),
        rows=tuple(
            row(
                f"{state.name} (initial)" if state.id == spec.initial else state.name,
                "; ".join(state.predicates) or "nothing has happened yet",
                with_unknown(state.visits, state.unknown),
                state.ends,
            )
            for state in spec.states
        ),
    )


def transition_section(report: Report) -> Section:
    """Return every transition as a sentence with its evidence, in the specification's order."""
    spec = report.specification
    leaving = outflows(spec)
    edges = spec.transitions[:MAX_TRANSITIONS]
    lead = ["Each sentence is counted from the history, and its transactions are the evidence."]
    if any(edge.interval for edge in edges):
        lead.append(
            "The interval says how sure the share of the interactions is that take a transition once they "
            "reach its source (95 %, Wilson)."
        )
    return Section(
        id="transitions",
        title="Transitions",
        lead=tuple(lead),
        header=("What happens", "Count", "Share", "First and last", "Evidence"),
        figures=frozenset({1, 2}),
        rows=tuple(
            row(
                transition_sentence(spec, edge, leaving[edge.source]) + _more(report.evidence, index, edge),
                with_unknown(edge.count, edge.unknown),
                share(edge.count, leaving[edge.source]),
                _when(edge),
                _witnesses(spec, edge),
                index=index,
            )
            for index, edge in enumerate(edges)
        ),
        note=left_out(len(edges), len(spec.transitions), "transitions"),
    )


def _more(evidence: HistoryEvidence | None, index: int, edge: Edge) -> str:
    """Return further sentences: how long after the event before, the interval, how it is called."""
    text = ""
    use = evidence.transitions[index] if evidence else None
    if use and use.elapsed:
        text += f" Time: {elapsed_text(use.elapsed)}."
    if use and edge.outcome == "returned":
        moved = [
            f"{amount(value)} {way}"
            for value, way in ((use.value, "came in"), (use.paid or "0", "went out"))
            if value != "0"
        ]
        text += f" Ether: {' and '.join(moved)}." if moved else ""
    if edge.interval is not None and edge.reached is not None:
        low, high = edge.interval
        text += (
            f" Of {count_of(edge.reached, 'interaction')} that left its source, {edge.interaction_count:,} took it "
            f"(interval {100 * low:.1f} % to {100 * high:.1f} %)."
        )
    if use and use.examples and edge.kind is TransitionKind.CALL:
        example = use.examples[0]
        arguments = ", ".join(f"{name} = {value}" for name, value in example.arguments.items())
        if arguments:
            text += f" Example: {edge.function}({arguments})."
        if example.reason:
            text += (
                " No reason was given."
                if example.reason == "no reason given"
                else f" Reason then given: {example.reason.removesuffix('.')}."
            )
    return text


def _witnesses(spec: Specification, edge: Edge) -> Cell:
    """Return the first witnesses, and how many more the automaton's document has."""
    pieces = transaction_cell(spec.chain_id, *edge.witnesses[:WITNESSES])
    more = len(edge.witnesses) - WITNESSES
    return (*pieces, TextPiece(text=f"and {more} more in automaton.json")) if more > 0 else pieces


def _when(edge: Edge) -> str:
    first, last = _at(edge.first.block, edge.first.timestamp), _at(edge.last.block, edge.last.timestamp)
    return first if first == last else f"{first} – {last}"


def _at(block: int, timestamp: int | None) -> str:
    time = moment(timestamp)
    return f"block {block:,}" + (f" ({time} UTC)" if time else "")


def second_view_section(spec: Specification) -> Section | None:
    """Return the transitions of the history as it is split by what is nearly as good."""
    other = spec.seen_otherwise()
    if other is None:
        return None
    leaving = outflows(other)
    edges = other.transitions[:MAX_TRANSITIONS]
    return Section(
        id="second-view",
        title="Second view",
        lead=(other.interactions.explanation,),
        header=("What happens", "Count", "Share", "First and last", "Evidence"),
        figures=frozenset({1, 2}),
        rows=tuple(
            row(
                transition_sentence(other, edge, leaving[edge.source]),
                with_unknown(edge.count, edge.unknown),
                share(edge.count, leaving[edge.source]),
                _when(edge),
                _witnesses(other, edge),
            )
            for edge in edges
        ),
        note=left_out(len(edges), len(other.transitions), "transitions"),
    )


def variant_section(report: Report) -> Section | None:
    """Return the ways interactions went."""
    evidence, spec = report.evidence, report.specification
    if evidence is None or not evidence.variants.items:
        return None
    whole = spec.interactions.count or 0
    variants = evidence.variants
    return Section(
        id="variants",
        title="Variants",
        lead=(
            f"{count_of(whole, 'interaction')} went {count_of(variants.total, 'different way')} through the automaton. "
            "Rejected calls, and repetitions of a transition in a row, are not told apart.",
        ),
        header=("Interactions", "Share", "Events", "Way", "For example"),
        figures=frozenset({0, 1, 2}),
        rows=tuple(
            row(
                item.count,
                share(item.count, whole),
                f"{item.least:,}" if item.least == item.most else f"{item.least:,} to {item.most:,}",
                _way(spec, item),
                item.example,
                index=index,
            )
            for index, item in enumerate(variants.items)
        ),
        note=left_out(len(variants.items), variants.total, "variants"),
    )


def _way(spec: Specification, variant: Variant) -> str:
    """Return the events of a variant in words."""
    steps = [spec.transitions[index].event for index in variant.steps]
    return (", ".join(steps) or "nothing was accepted") + (", …" if variant.cut else "")


def rare_section(spec: Specification) -> Section | None:
    """Return the transitions that were rare, or first seen late."""
    leaving = outflows(spec)
    first, last = spec.history.first_block, spec.history.last_block
    late = None if first is None or last is None else first + LATE * (last - first)
    rare_rows: list[tuple[int, int, Row]] = []
    for index, edge in enumerate(spec.transitions):
        why = []
        if edge.count == 1:
            why.append("happened once")
        elif edge.count < RARE * leaving[edge.source]:
            why.append(f"{share(edge.count, leaving[edge.source])} of what happens there")
        if late is not None and edge.first.block > late and edge.count < leaving[edge.source]:
            why.append("first seen in the last tenth of the blocks")
        if why:
            line = row(
                transition_sentence(spec, edge, 0),
                "; ".join(why),
                edge.first.block,
                transaction_cell(spec.chain_id, edge.first.transaction),
            )
            rare_rows.append((edge.count, index, line))
    if not rare_rows:
        return None
    rarest = sorted(rare_rows, key=lambda item: item[:2])[:MAX_RARE]
    return Section(
        id="rare",
        title="Rare and first-time transitions",
        lead=("Attacks, mistakes and new habits begin as rare transitions; so do harmless ones.",),
        header=("What happened", "Why it is listed", "Block", "First transaction"),
        figures=frozenset({2}),
        rows=tuple(line for _, _, line in rarest),
        note=left_out(len(rarest), len(rare_rows), "transitions"),
    )


def front_section(spec: Specification) -> Section | None:
    """Return the automata from readable to precise, the chosen one marked."""
    if len(spec.front) < 2:
        return None
    return Section(
        id="front",
        title="From readable to precise",
        lead=(
            "The same history under abstractions that distinguish less or more. Acceptance: the share of held-out "
            "interactions that the automaton accepts; precision: the share of what it allows that was seen.",
        ),
        header=("States", "Description length (bits)", "Precision", "Acceptance", "Distinguishes", ""),
        figures=frozenset({0, 1, 2, 3}),
        rows=tuple(
            row(
                point.states,
                _metric(point.metrics, "description_length", "{:,.0f}"),
                _metric(point.metrics, "precision", "{:.2f}"),
                _metric(point.metrics, "held_out_acceptance", "{:.2f}"),
                "; ".join(point.predicates) or "nothing",
                cell("chosen" if point.chosen else "knee" if point.knee else ""),
            )
            for point in spec.front
        ),
    )


def _metric(metrics: dict[str, float], name: str, form: str) -> str:
    return form.format(metrics[name]) if name in metrics else ""
