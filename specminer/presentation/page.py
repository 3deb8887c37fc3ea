"""The report as one HTML file: no network, a strict Content-Security-Policy, every table readable without scripts.

Foreign texts reach the page in two ways: through the template, which escapes them, and as JSON whose ``<``, ``>`` and
``&`` are escaped, and which the script only ever sets as text. On both ways :func:`specminer._support.errors.plain`
takes out control and direction characters first.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from specminer._support.errors import RenderError, UsageError, plain
from specminer._support.text import show_number
from specminer._support.units import amount, moment
from specminer.presentation.automaton_sections import MAX_TRANSITIONS
from specminer.presentation.brief import brief
from specminer.presentation.claim_sections import required_guards
from specminer.presentation.passage_sections import followed_text, told_text
from specminer.presentation.picture import FOLDED, UNFOLDED, boxes, is_folded, night, picture
from specminer.presentation.readable_report import readable_report
from specminer.presentation.report_document import Report, TransitionUse
from specminer.presentation.section import TextPiece, interval_text, left_out, transaction_cell
from specminer.presentation.sections import NO_EVIDENCE, Group, groups
from specminer.presentation.sentences import (
    address_link,
    elapsed_text,
    outflows,
    share,
    short_hashes,
    transition_sentence,
)
from specminer.specification import Edge, Occurrence, Specification, TokenSummary, TransitionKind
from specminer.specification.address_names import AddressNames
from specminer.specification.exact import exact_values

MAX_TEXT: Final = 1_500
"""Characters of one text on the page."""
MAX_CONTRACTS: Final = 5
FOLDED_ROWS: Final = 8
"""A longer table is folded until it is asked for, searched or printed."""
MAX_PICTURES: Final = 7
"""Points of the front that are drawn."""
PICTURE_BYTES: Final = 900_000
"""For all pictures together; the chosen automaton's is drawn in any case."""
TIMELINE_EVENTS: Final = 600
"""Events in the page's timelines together."""
THRESHOLDS: Final = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of all events that the slider can hide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPoint:
    """A point of the front with its pictures, as SVG."""

    specification: Specification
    picture: str
    unfolded: str | None
    """All states and lines; ``None`` if the picture shows them, or there was no room."""

    @property
    def size(self) -> int:
        """Characters of both."""
        return len(self.picture) + len(self.unfolded or "")


def to_html(report: Report) -> str:
    """Return the page; the same report gives the same bytes with the same renderer."""
    report = readable_report(report)
    spec = report.specification
    points, chosen_index, note = _points(spec)
    views = _views(spec) if points else []
    drawn = [*points, *(item for item, _ in views)]
    lives = _timelines(report)
    style, script = asset("page.css") + night(_drawings(drawn)), asset("page.js")
    evidence = report.evidence
    total = evidence.timelines.total if evidence else 0
    timelines_note = (
        left_out(len(lives), total, "interactions")
        + " The most surprising and one of each variant come first."
    ).strip()
    section_groups = groups(report)
    drawn_flows = [
        item.chart for group in section_groups for item in group.sections if 'class="flows"' in item.chart
    ]
    style += night(drawn_flows, inside="flows")
    data = {
        "chosen": chosen_index,
        "thresholds": THRESHOLDS,
        "second": len(points) if views else None,
        "points": [_point(report, item.specification) for item in drawn] or [_point(report, spec)],
        "variants": [item.steps for item in evidence.variants.items] if evidence else [],
        "examples": [item.example for item in evidence.variants.items] if evidence else [],
        "timelines": lives,
        "timelinesNote": timelines_note,
    }
    return (
        environment()
        .get_template("page")
        .render(
            token=spec.history.token,
            name=spec.name,
            contracts=[
                TextPiece(text=item, url=address_link(spec.chain_id, item))
                for item in spec.contracts[:MAX_CONTRACTS]
            ],
            more_contracts=f" and {len(spec.contracts) - MAX_CONTRACTS:,} more"
            if len(spec.contracts) > MAX_CONTRACTS
            else "",
            chain_id=spec.chain_id,
            numbers=_numbers(report),
            brief=_brief(report, section_groups),
            fold_from=FOLDED_ROWS,
            has_evidence=evidence is not None,
            no_evidence=NO_EVIDENCE,
            pictures=[
                {"shown": Markup(item.picture), "unfolded": item.unfolded and Markup(item.unfolded)}
                for item in drawn
            ],
            pictures_note=note,
            fronts=len(points),
            tabs=[_tab(spec), *(name for _, name in views)] if views else [],
            view_note=spec.second_view.interactions.explanation if views and spec.second_view else "",
            chosen=chosen_index,
            thresholds=THRESHOLDS,
            has_timelines=bool(lives),
            timelines_note=timelines_note,
            groups=section_groups,
            charts={
                item.id: Markup(item.chart)
                for group in section_groups
                for item in group.sections
                if item.chart
            },
            data=_data(data),
            style=Markup(style),
            script=Markup(script),
            style_hash=style_hash(style),
            script_hash=style_hash(script),
        )
    )


def _brief(report: Report, section_groups: Sequence[Group]) -> list[dict[str, str | None]]:
    """Return the five sentences, each with the section that tells it at length and what it rests on."""
    spec = report.specification
    sections = {section.id for group in section_groups for section in group.sections}
    history = spec.history
    rests = (
        f"{', '.join(spec.contracts[:MAX_CONTRACTS])} on chain {spec.chain_id}, blocks "
        f"{show_number(history.first_block)} to {show_number(history.last_block)}"
    )
    return [
        {
            "subject": item.subject,
            "text": item.text,
            "section": item.section if item.section in sections else None,
            "evidence": f"transaction {item.evidence}; {rests}" if item.evidence else rests,
        }
        for item in brief(spec)
    ]


def mark_exact(text: str, token: TokenSummary | None = None, exact: str = "") -> Markup:
    """Return a text as HTML in which numbers in large units tell on hover what they are exactly.

    ``exact`` is what the whole text is exactly, if that is known.
    """
    plain_text = _text(text)
    if exact:
        return Markup('<span class="exact" title="{}">{}</span>').format(_text(exact), plain_text)
    parts, end = [], 0
    for span in exact_values(plain_text, token):
        parts.append(escape(plain_text[end : span.start]))
        parts.append(
            Markup('<span class="exact" title="{}">{}</span>').format(
                span.text, plain_text[span.start : span.end]
            )
        )
        end = span.end
    return Markup("").join([*parts, escape(plain_text[end:])])


def environment() -> Environment:
    """Return an environment that escapes everything and shows foreign texts without control characters."""
    names = ("comparison", "overview", "page", "table", "transaction")
    sources = {name: asset(f"{name}.html.jinja") for name in names}

    def load(name: str) -> str | None:
        return sources.get(name)

    jinja_environment = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: (
            value if isinstance(value, Markup) or not isinstance(value, str) else _text(value)
        ),
    )
    jinja_environment.filters["exact"] = mark_exact
    return jinja_environment


def asset(name: str) -> str:
    """Return a file that pages are made of, as text."""
    return (files("specminer.presentation") / "assets" / name).read_text(encoding="utf-8")


def style_hash(text: str) -> Markup:
    """Return what the Content-Security-Policy calls a text by; base64 needs no escaping."""
    return Markup("sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())


def _text(value: str) -> str:
    return plain(value, MAX_TEXT)


def _data(value: Any) -> Markup:
    """Return JSON that cannot end the element it stands in."""
    text = msgspec.json.encode(_safe(value)).decode()
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def _safe(value: Any) -> Any:
    """Return a document with all its texts made safe."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(key): _safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    return value


def _numbers(report: Report) -> list[tuple[str, str, str]]:
    """Return counts for the head of the page: what is counted, the number, and what it is exactly if that is more."""
    spec, evidence = report.specification, report.evidence
    facts = spec.history
    counts = [
        ("Interactions", spec.interactions.count),
        ("Calls", facts.invocations),
        ("Rejected calls", facts.rejected),
        ("Transactions", facts.transactions),
        ("States", len(spec.states)),
        ("Transitions", len(spec.transitions)),
    ]
    numbers = [(label, f"{value:,}", "") for label, value in counts if value is not None]
    if evidence and evidence.flows:
        numbers.append(_ether("Ether in", sum(int(item.value) for item in evidence.flows)))
    if evidence and evidence.money.payouts:
        numbers.append(_ether("Ether out", sum(int(item.value) for item in evidence.money.payouts)))
    return numbers


def _ether(label: str, wei: int) -> tuple[str, str, str]:
    return label, amount(str(wei)), f"{wei:,} wei"


def _drawings(points: Sequence[DrawnPoint]) -> Iterator[str]:
    for item in points:
        yield item.picture
        if item.unfolded is not None:
            yield item.unfolded


def _points(spec: Specification) -> tuple[list[DrawnPoint], int, str]:
    """Return the points of the front with their pictures, which of them is the chosen one, and what is missing."""
    try:
        own = _draw_point(spec)
    except RenderError as error:
        return [], 0, f"No picture: {error.message}"
    middle = next((index for index, point in enumerate(spec.front) if point.chosen), 0)
    order = sorted(
        (index for index, point in enumerate(spec.front) if not point.chosen),
        key=lambda index: abs(index - middle),
    )
    drawn, size, missing = {middle: own}, own.size, 0
    for index in order:
        drawn_point = _other(spec, index) if len(drawn) < MAX_PICTURES and size < PICTURE_BYTES else None
        if drawn_point is None:
            missing += 1
            continue
        drawn[index], size = drawn_point, size + drawn_point.size
    indices = sorted(drawn)
    note = f"{missing:,} more automata of the front are in automaton.json only." if missing else ""
    return [drawn[index] for index in indices], indices.index(middle), note


def _views(spec: Specification) -> list[tuple[DrawnPoint, str]]:
    """Return the second view with its pictures and the name of its tab; nothing if there is none."""
    other = spec.seen_otherwise()
    if other is None:
        return []
    try:
        return [(_draw_point(other), _tab(other))]
    except RenderError:
        return []


def _tab(spec: Specification) -> str:
    """Return what a view is called."""
    sort = spec.interactions.sort
    return f"By {sort.name}" if sort is not None else "As a whole"


def _draw_point(spec: Specification) -> DrawnPoint:
    """Return a point with its pictures; the unfolded one is left out where it fails or takes too long.

    Raises:
        RenderError: there is no renderer, it failed, or it took too long.

    """
    folded, whole = picture(spec, FOLDED), None
    if is_folded(spec):
        with suppress(RenderError):
            whole = picture(spec, UNFOLDED)
    if whole is not None and len(whole) > PICTURE_BYTES:
        whole = None
    return DrawnPoint(specification=spec, picture=folded, unfolded=whole)


def _other(spec: Specification, index: int) -> DrawnPoint | None:
    try:
        return _draw_point(spec.at(index))
    except (RenderError, UsageError):
        return None


def _point(report: Report, spec: Specification) -> dict[str, Any]:
    leaving, guards = outflows(spec), required_guards(spec)
    own = spec is report.specification and report.evidence is not None
    return {
        "boxes": [{"id": box.id, "states": [state.id for state in box.states]} for box in boxes(spec)],
        "states": [
            {
                "id": state.id,
                "name": state.name,
                "predicates": state.predicates,
                "visits": state.visits,
                "ends": state.ends,
            }
            for state in spec.states
        ],
        "edges": [
            _edge(
                spec,
                index,
                edge,
                leaving[edge.source],
                edge.guard or (guards.get(edge.function) if edge.kind is TransitionKind.CALL else None),
                report.evidence.transitions[index] if own and report.evidence else None,
            )
            for index, edge in enumerate(spec.transitions[:MAX_TRANSITIONS])
        ],
    }


def _edge(
    spec: Specification, index: int, edge: Edge, outflow: int, guard: str | None, use: TransitionUse | None
) -> dict[str, Any]:
    return {
        "place": index,
        "source": edge.source,
        "target": edge.target,
        "event": edge.event,
        "rejected": edge.outcome != "returned",
        "sentence": transition_sentence(spec, edge, outflow, guard=False),
        "count": edge.count,
        "share": share(edge.count, outflow),
        "interactions": edge.interaction_count,
        "senders": edge.senders,
        "guard": "nothing besides what follows from the state" if guard == "true" else guard,
        "follows": followed_text(edge.condition),
        "told": told_text(edge.condition),
        "holds": interval_text(edge.condition and edge.condition.interval),
        "first": _at(edge.first),
        "last": _at(edge.last),
        "elapsed": elapsed_text(use.elapsed) if use and use.elapsed else None,
        "roles": _roles(spec, edge),
        "value": amount(use.value) if use and use.value != "0" and edge.outcome == "returned" else None,
        "valueExact": f"{int(use.value):,} wei" if use else None,
        "paid": _paid_text(use) if edge.outcome == "returned" else None,
        "paidExact": f"{int(use.paid):,} wei" if use and use.paid is not None else None,
        "witnesses": _pieces(spec, *edge.witnesses[: 10 if use else 3]),
        "examples": [
            {
                "block": example.block,
                "transaction": _pieces(spec, example.transaction)[0],
                "sender": example.sender,
                "value": "" if example.value == "0" else amount(example.value),
                "arguments": example.arguments,
                "reason": example.reason,
            }
            for example in (use.examples if use else ())
        ],
    }


def _roles(spec: Specification, edge: Edge) -> str | None:
    """Return to whom the function is reserved."""
    if edge.kind is not TransitionKind.CALL:
        return None
    roles = [
        f"{role.name} ({'required' if edge.function in role.required else 'observed'})"
        for role in spec.roles
        if edge.function in role.functions
    ]
    return "; ".join(roles) or None


def _paid_text(use: TransitionUse | None) -> str | None:
    if use is None or use.paid == "0":
        return None
    return "not known" if use.paid is None else amount(use.paid)


def _pieces(spec: Specification, *transactions: str) -> list[dict[str, str | None]]:
    return [{"text": item.text, "url": item.url} for item in transaction_cell(spec.chain_id, *transactions)]


def _at(occurrence: Occurrence) -> str:
    time = moment(occurrence.timestamp)
    return f"block {occurrence.block:,}" + (f", {time} UTC" if time else "")


def _timelines(report: Report) -> list[dict[str, Any]]:
    """Return lives for the page, as long as there is room."""
    if report.evidence is None:
        return []
    names = {state.id: state.name for state in report.specification.states}
    lives: list[dict[str, Any]] = []
    room = TIMELINE_EVENTS
    for life in report.evidence.timelines.items:
        if room <= 0:
            break
        events = [_event(report.specification, names, event) for event in life["events"][:room]]
        room -= len(events)
        lives.append({"name": life["name"], "length": life["length"], "events": events})
    return lives


def _event(spec: Specification, names: dict[int, str], event: dict[str, Any]) -> dict[str, Any]:
    edge, spell = spec.transitions[event["transition"]], AddressNames.of(spec).spell
    return {
        "block": event["block"],
        "time": moment(event["timestamp"]),
        "event": edge.event,
        "rejected": edge.outcome != "returned",
        "reason": event["reason"],
        "sender": short_hashes(spell(event["sender"])),
        "value": "" if event["value"] == "0" else amount(event["value"]),
        "paid": "; ".join(
            f"{'all that is held' if item['value'] is None else amount(item['value'])} to "
            + short_hashes(spell(item["to"]))
            for item in event["payments"] or ()
        ),
        "arguments": short_hashes(
            spell(", ".join(f"{name} = {value}" for name, value in event["arguments"].items()))
        ),
        "state": names.get(edge.target, "?"),
        "changes": short_hashes(
            spell(
                "; ".join(
                    f"{change['location']}: {change['before'] if change['before'] is not None else '?'} → "
                    f"{change['after']}"
                    for change in event["changes"]
                )
            ),
        ),
        "transaction": _pieces(spec, event["transaction"])[0],
    }
