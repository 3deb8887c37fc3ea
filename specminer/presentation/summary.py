"""The summary of a specification in plain text, as `--verbose` shows it after mining.

What was read and what that cannot see, how it was split into interactions, the states in words and the
transitions with their counts. No colours, no dependence on the terminal: the same specification and width
give the same text. Widths are counted in terminal cells, so that wide characters keep the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from rich.cells import cell_len

from specminer._support.errors import plain
from specminer._support.text import count_of, show_number, unknown_part
from specminer.presentation.automaton_sections import observer_text
from specminer.presentation.brief import brief_sentences
from specminer.presentation.confidence_text import (
    confidence_sentences,
    invariant_sentences,
    surprise_sentences,
)
from specminer.presentation.effect_sections import MAX_FUNCTIONS, effect_sentences
from specminer.presentation.fidelity import fidelity_text, inferred_lead, unknown_text
from specminer.presentation.guard_sentences import (
    explained_text,
    guard_texts,
    kind_texts,
    read_only_texts,
    redundant_text,
    role_texts,
    sibling_texts,
    transition_texts,
)
from specminer.presentation.history_sections import lasting_text
from specminer.presentation.implementation_timeline import upgrade_texts
from specminer.presentation.lives_text import code_note, life_texts, lives_lead
from specminer.presentation.surprising_transactions import transaction_sentences, unjudged_sentence
from specminer.presentation.text_layout import cut, pad, paragraph
from specminer.specification import Edge, Specification, State
from specminer.specification.readable_specification import for_readers

MAX_ROWS: Final = 60
"""Transitions listed at most, unless told otherwise."""
SURPRISING: Final = 3
"""The most surprising of all are told, unless more are asked for."""
INVARIANTS: Final = 12
"""Invariants told at most, some of each kind."""
_INFERRED: Final = 5
"""Facts that were inferred told at most; the report lists all."""
MAX_PAIRS: Final = 6
"""Pairs of transitions of one event told at most."""
MIN_WIDTH: Final = 40
"""Terminals narrower than this many columns are not catered for."""


def summary(
    spec: Specification, *, width: int = 80, rows: int = MAX_ROWS, surprising: int = SURPRISING
) -> str:
    """Describe ``spec`` in lines of at most ``width`` cells, ending in a newline.

    ``rows`` is the number of transitions listed at most, ``surprising`` that of what stands out; the rest is in
    ``automaton.json``.
    """
    spec, columns = for_readers(spec), max(width, MIN_WIDTH)
    parts = [
        [cut(f"Specification of {plain(spec.name)}", columns)],
        [line for text in brief_sentences(spec) for line in paragraph(text, columns)],
        _read(spec, columns),
        _split(spec, columns),
        _states(spec, columns),
        _transitions(spec, columns, rows),
        _guards(spec, columns),
        _read_only_guards(spec, columns),
        _roles(spec, columns),
        _effects(spec, columns),
        _invariants(spec, columns),
        _confidence(spec, columns),
        _surprise(spec, columns, surprising),
        _transactions_ranked(spec, columns, surprising),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _read(spec: Specification, columns: int) -> list[str]:
    """Return what the history holds and where it is blind."""
    history = spec.history
    contracts = [plain(address, 60) for address in spec.contracts]
    where = contracts[0] if len(contracts) == 1 else f"{len(contracts):,} contracts"
    what = (
        f"blocks {show_number(history.first_block)} to {show_number(history.last_block)}, "
        f"{count_of(history.transactions, 'transaction')} with "
        f"{count_of(history.invocations, 'call')}, {show_number(history.rejected)} of them rejected"
    )
    lines = ["History"]
    lines += paragraph(f"{where} on chain {spec.chain_id}: {what}.", columns)
    if history.selection:
        lines += paragraph(plain(history.selection, 1000), columns)
    if history.source:
        lines += paragraph(f"Traced by: {plain(history.source)}.", columns)
    if history.fidelity:
        text = fidelity_text(history.fidelity)
        lines += paragraph(f"{text[0].upper()}{text[1:]}.", columns)
    if history.unknown:
        lines += paragraph(unknown_text(history.unknown, history.invocations), columns)
    lines += _lives(spec, columns)
    if history.names:
        lines += paragraph(plain(history.names, 1000), columns)
    lasting = lasting_text(spec)
    if lasting:
        lines += paragraph(plain(lasting, 1000), columns)
    if history.inferred:
        text = inferred_lead(len(history.inferred))
        lines += paragraph(f"{text[0].upper()}{text[1:]}:", columns)
        for fact in history.inferred[:_INFERRED]:
            lines += paragraph(plain(fact, 1000), columns, "- ")
        if len(history.inferred) > _INFERRED:
            lines += paragraph(
                f"{len(history.inferred) - _INFERRED:,} more, which the report lists", columns, "- "
            )
    for limit in history.limits:
        lines += paragraph(plain(limit, 1000), columns, "! ")
    return lines


def _lives(spec: Specification, columns: int) -> list[str]:
    """Return the lives of contracts that destroyed themselves."""
    lines: list[str] = []
    for text in (lives_lead(spec.history), code_note(spec.history)):
        lines += paragraph(text, columns) if text else []
    for text in upgrade_texts(spec.history):
        lines += paragraph(text, columns)
    for text in life_texts(spec.history):
        lines += paragraph(text, columns, "- ")
    return lines


def _split(spec: Specification, columns: int) -> list[str]:
    """Return how the history was split into interactions."""
    split = spec.interactions
    sort_text = f", one for each {plain(split.sort.name, 60)}" if split.sort else ""
    lines = [f"Interactions ({show_number(split.count)})"]
    lines += paragraph(f"mode: {split.mode.value if split.mode else '?'}{sort_text}", columns)
    if split.explanation:
        lines += paragraph(plain(split.explanation, 2000), columns)
    view = spec.second_view
    if view is not None:
        size = f"{count_of(len(view.states), 'state')}, {count_of(len(view.transitions), 'transition')}"
        lines += paragraph(f"{plain(view.interactions.explanation, 2000)} It has {size}.", columns)
    return lines


def _read_only_guards(spec: Specification, columns: int) -> list[str]:
    """Return what read-only functions require that rejected calls."""
    texts = read_only_texts(spec)
    lines = ["Read-only functions that rejected calls"] if texts else []
    for text in texts:
        lines += paragraph(text, columns, "- ")
    return lines


def _guards(spec: Specification, columns: int) -> list[str]:
    """Return when functions are accepted."""
    texts = guard_texts(spec)
    if not texts:
        return []
    share = explained_text(spec)
    lines = ["Guards", *(paragraph(share, columns) if share else [])]
    for text in kind_texts(spec):
        lines += paragraph(text, columns)
    for text in (*texts, *transition_texts(spec)):
        lines += paragraph(text, columns, "- ")
    pairs = sibling_texts(spec)
    if pairs:
        lines += paragraph("Where one event leads to several states:", columns)
    for text in pairs[:MAX_PAIRS]:
        lines += paragraph(text, columns, "- ")
    if len(pairs) > MAX_PAIRS:
        lines += paragraph(f"… and {len(pairs) - MAX_PAIRS:,} more in automaton.json", columns)
    return lines


def _roles(spec: Specification, columns: int) -> list[str]:
    """Return who may call what."""
    texts = role_texts(spec)
    lines = ["Roles"] if texts else []
    for text in texts:
        lines += paragraph(text, columns, "- ")
    return lines


def _effects(spec: Specification, columns: int) -> list[str]:
    """Return what accepted calls of the functions with most calls do."""
    texts = effect_sentences(spec)
    if not texts:
        return []
    lines = ["Effects", *paragraph("x' is the value after the call, x the one before.", columns)]
    for text in texts[:MAX_FUNCTIONS]:
        lines += paragraph(text, columns, "- ")
    rest = len(texts) - MAX_FUNCTIONS
    if rest > 0:
        lines.append(cut(f"… and of {count_of(rest, 'more function')} in automaton.json", columns))
    return lines


def _is_told(predicate: str, texts: set[str]) -> bool:
    """Return whether a predicate is among texts: ``state = Queued`` as ``state queued`` too."""
    return predicate in texts or predicate.replace(" = ", " ").lower() in texts


def _states(spec: Specification, columns: int) -> list[str]:
    """Return each state in words."""
    lines = [f"States ({len(spec.states):,})"]
    for state in spec.states:
        name = _name(state)
        if state.id == spec.initial:
            stuck = f"; {count_of(state.ends, 'interaction')} never left it" if state.ends else ""
            lines.append(cut(f"  {name}: the initial state{stuck}", columns))
            continue
        visits = f"{count_of(state.visits, 'visit')}{unknown_part(state.unknown)}"
        counts = f"{visits}{_ends(state)}"
        one = f"  {name}: {counts}"
        if cell_len(one) <= columns:
            lines.append(one)
        else:
            lines += [f"  {cut(name, columns - 3)}:", *paragraph(counts, columns, "    ")]
        name_parts = {name, *name.split(", ")}
        holds = [
            text for text in (plain(raw, 120) for raw in state.predicates) if not _is_told(text, name_parts)
        ]
        if holds:
            lines += paragraph("also: " + "; ".join(holds), columns, "    ")
    sentence = observer_text(spec)
    return lines + (paragraph(sentence, columns) if sentence else [])


def _ends(state: State) -> str:
    """Return how many interactions end in a state, as the end of a phrase; nothing if none does."""
    return f", {count_of(state.ends, 'interaction ends', 'interactions end')} here" if state.ends else ""


def _transitions(spec: Specification, columns: int, rows: int) -> list[str]:
    """Return the table of transitions, grouped by source, the most frequent first."""
    names = {state.id: _name(state) for state in spec.states}
    order = {state.id: number for number, state in enumerate(spec.states)}
    ranked = sorted(
        spec.transitions,
        key=lambda edge: (
            edge.source != spec.initial,
            order.get(edge.source, len(order)),
            -edge.count,
            edge.event,
            edge.target,
            edge.outcome,
            edge.kind.value,
        ),
    )
    outflow: dict[int, int] = {}
    for edge in ranked:
        outflow[edge.source] = outflow.get(edge.source, 0) + edge.count
    edges = ranked[: max(rows, 0)]
    cells = [_row(edge, names, outflow[edge.source]) for edge in edges]
    widths = _widths([_HEADER, *cells], columns)
    title = "share: of the events that leave the source state; in: number of interactions; ✗: rejected"
    lines = [f"Transitions ({len(spec.transitions):,})", *paragraph(title, columns), _line(_HEADER, widths)]
    for source, group in groupby(zip(edges, cells, strict=True), key=lambda pair: pair[0].source):
        events = f" ({count_of(outflow[source], 'event')})"
        lines.append(cut(f"from {names.get(source, '?')}", columns - len(events)) + events)
        lines += [_line(row, widths) for _, row in group]
    if len(ranked) > len(edges):
        lines.append(f"… and {len(ranked) - len(edges):,} more in automaton.json")
    return lines


def _invariants(spec: Specification, columns: int) -> list[str]:
    """Return some of what held, of each kind what rests on most cases."""
    texts = invariant_sentences(spec.invariants, INVARIANTS)
    if not texts:
        return []
    lines = [f"Invariants ({len(spec.invariants):,})"]
    for text in texts:
        lines += paragraph(text, columns)
    if len(spec.invariants) > len(texts):
        lines.append(f"  … and {len(spec.invariants) - len(texts):,} more in automaton.json")
    rest = redundant_text(spec)
    return [*lines, *(paragraph(rest, columns) if rest else [])]


def _confidence(spec: Specification, columns: int) -> list[str]:
    """Return how sure one may be."""
    lines = [line for text in confidence_sentences(spec.confidence) for line in paragraph(text, columns)]
    return ["Confidence", *lines] if lines else []


def _surprise(spec: Specification, columns: int, limit: int) -> list[str]:
    """Return what stands out, the most surprising first."""
    lead, items = surprise_sentences(spec.surprise, limit)
    if not lead:
        return []
    lines = ["Most surprising", *paragraph(lead, columns)]
    for number, text in enumerate(items, 1):
        lines += paragraph(text, columns, f"{number}. ")
    return lines


def _transactions_ranked(spec: Specification, columns: int, limit: int) -> list[str]:
    """Return the transactions that stand out, and what was never judged."""
    lead, items = transaction_sentences(spec.surprise, limit)
    missed = unjudged_sentence(spec.surprise)
    if not lead:
        return paragraph(missed, columns) if missed else []
    lines = ["Most surprising transactions", *paragraph(lead, columns)]
    for number, text in enumerate(items, 1):
        lines += paragraph(text, columns, f"{number}. ")
    return [*lines, *(paragraph(missed, columns) if missed else [])]


_HEADER: Final = ("event", "to", "count", "share", "in")
"""The columns: two texts, then figures."""


def _row(edge: Edge, names: dict[int, str], outflow: int) -> tuple[str, ...]:
    rejected = edge.outcome != "returned"
    stays = edge.source == edge.target
    event = ("✗ " if rejected else "  ") + (plain(edge.event, 80).strip() or "(no name)")
    target = "rejected" if rejected and stays else "(stays)" if stays else names.get(edge.target, "?")
    share = f"{edge.count / outflow:.1%}" if outflow else ""
    return event, target, f"{edge.count:,}{unknown_part(edge.unknown)}", share, f"{edge.interaction_count:,}"


def _widths(rows: Sequence[tuple[str, ...]], columns: int) -> list[int]:
    """Return the columns' widths: figures whole, the two texts share what is left."""
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(_HEADER))]
    room = columns - sum(widths[2:]) - len("  " * 3) - len(" -> ")
    if widths[0] + widths[1] > room:
        target = min(widths[1], max(room // 2, room - widths[0]))
        widths[:2] = [room - target, target]
    return widths


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    arrow = "    " if row is _HEADER else " -> "
    event, target = (pad(text, width) for text, width in zip(row[:2], widths[:2], strict=True))
    figures = "".join(f"  {text:>{width}}" for text, width in zip(row[2:], widths[2:], strict=True))
    return f"{event}{arrow}{target}{figures}"


def _name(state: State) -> str:
    return plain(state.name, 80).strip() or f"state {state.id}"
