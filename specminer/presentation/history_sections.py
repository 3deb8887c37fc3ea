"""The sections about the history: what was read, how it was split, and what an auditor wants listed of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from specminer._support.text import count_of, list_some, show_number
from specminer.presentation.claim_sections import conditions_by_reason
from specminer.presentation.fidelity import fidelity_text, unknown_text
from specminer.presentation.report_document import HistoryEvidence, Report
from specminer.presentation.section import (
    Row,
    Section,
    address_cell,
    cell,
    left_out,
    row,
    texts,
    transaction_cell,
)
from specminer.specification import Specification
from specminer.specification.address_names import AddressNames

MAX_LASTING: Final = 8
"""Variables that held one value, in a sentence."""
MAX_LISTED: Final = 60
"""Variables and functions named in one sentence."""


def coverage_section(report: Report) -> Section:
    """Return what was read, and what that cannot see."""
    spec = report.specification
    facts = spec.history
    lead = [
        f"Blocks {show_number(facts.first_block)} to {show_number(facts.last_block)}: "
        f"{show_number(facts.transactions)} transactions with {show_number(facts.invocations)} calls, "
        f"{show_number(facts.rejected)} of them rejected."
    ]
    if facts.source:
        lead.append(f"Traced by: {facts.source}.")
    if facts.selection:
        lead.append(facts.selection)
    if facts.fidelity:
        text = fidelity_text(facts.fidelity)
        lead.append(f"{text[0].upper()}{text[1:]}.")
    if facts.unknown:
        lead.append(unknown_text(facts.unknown, facts.invocations))
    if facts.names:
        lead.append(facts.names)
    lead += [f"Limit: {text}" for text in facts.limits]
    lead += [f"Inferred: {text}." for text in facts.inferred or ()]
    evidence = report.evidence
    if evidence is not None:
        lead += list(_gaps(evidence))
    return Section(id="coverage", title="Coverage and limits", lead=tuple(lead))


def lasting_section(spec: Specification) -> Section | None:
    """Return what the contract's own variables held all the time."""
    values = spec.history.lasting
    if not values:
        return None
    return Section(
        id="lasting",
        title="Constants of the deployment",
        lead=("These variables held one value all the time, so that no state depends on them.",),
        header=("Variable", "Value", "Since"),
        rows=tuple(
            row(
                item.variable,
                item.value,
                "set once at deployment" if item.deployment else "before the first call",
            )
            for item in values
        ),
    )


def lasting_text(spec: Specification) -> str:
    """Return the same as sentences; nothing if there are none."""
    names, sentences = AddressNames.of(spec), []
    for deployed, lead in ((True, "Set once at deployment"), (False, "Never changed")):
        values = [
            f"{item.variable} = {names.spell(item.value)}"
            for item in spec.history.lasting or ()
            if item.deployment is deployed
        ]
        if values:
            sentences.append(f"{lead}: {list_some(values[:MAX_LASTING], len(values))}.")
    return " ".join(sentences)


def _gaps(evidence: HistoryEvidence) -> Iterator[str]:
    """Yield what the history did not touch, and what has no name."""
    if evidence.unseen:
        yield (
            f"{count_of(len(evidence.unseen), 'function')} of the interface that may change something never occurred, "
            f"so nothing is known of them: {list_some(evidence.unseen[:MAX_LISTED], len(evidence.unseen))}."
        )
    else:
        yield "Every function of the interface that may change something occurred."
    if evidence.unnamed.total:
        names = list_some(evidence.unnamed.items[:MAX_LISTED], evidence.unnamed.total)
        yield f"{count_of(evidence.unnamed.total, 'variable')} known by slot only: {names}."


def split_section(report: Report) -> Section:
    """Return how the history was split, and why."""
    split = report.specification.interactions
    lead = [split.explanation or f"Mode: {split.mode.value if split.mode else '?'}."]
    if split.outside:
        counts = ", ".join(f"{name} {count:,}" for name, count in list(split.outside.items())[:MAX_LISTED])
        lead.append(f"Calls in no interaction: {counts}.")
    details = report.evidence.split if report.evidence else {}
    environment = tuple(texts(details.get("environment")))
    if environment:
        lead.append(
            "Variables that link nothing, because no interaction holds them: "
            f"{list_some(environment[:MAX_LISTED], len(environment))}."
        )
    sorts = [item for item in details.get("sorts", ()) if isinstance(item, dict)]
    if not sorts:
        return Section(id="split", title="How the history was split", lead=tuple(lead))
    lead.append(
        "What an interaction could be about, by score: coverage × (guard and setlike, weighed by the number of "
        "rejections)."
    )
    return Section(
        id="split",
        title="How the history was split",
        lead=tuple(lead),
        header=("About", "Storage", "Score", "Coverage", "Guard", "Setlike", "Entities", "Named by", ""),
        figures=frozenset({2, 3, 4, 5, 6}),
        rows=tuple(_sort(item) for item in sorts),
    )


def _sort(item: dict[str, Any]) -> Row:
    roles = [
        f"{role.get('function')}: {role.get('role')}"
        for role in item.get("roles", ())
        if isinstance(role, dict)
    ]
    roles = list(dict.fromkeys(roles))
    return row(
        item.get("name", ""),
        ", ".join(texts(item.get("ports"))),
        *(f"{item.get(key, 0):.2f}" for key in ("score", "coverage", "guard", "setlike")),
        item.get("entities", 0),
        list_some(tuple(roles[:MAX_LISTED]), len(roles)),
        cell("chosen" if item.get("chosen") else ""),
    )


def rejections_section(spec: Specification, evidence: HistoryEvidence) -> Section | None:
    """Return what was rejected, by reason and by the conditions found."""
    rejections = evidence.rejections
    if not rejections.items:
        return None
    guards = conditions_by_reason(spec)
    return Section(
        id="rejections",
        title="Rejected calls",
        lead=(
            "By function and by the reason that the contract gave"
            + (", with the conditions found." if guards else "."),
        ),
        header=("Function", "Reason", "Calls", "Senders", *(("Needs",) if guards else ()), "First", "Last"),
        figures=frozenset({2, 3}),
        rows=tuple(
            row(
                item.function,
                (item.reason or "no reason given") + (f", first: {item.example}" if item.example else ""),
                item.count,
                item.senders,
                *((_explaining_conditions(guards.get(item.function, []), item.reason),) if guards else ()),
                transaction_cell(spec.chain_id, item.first.transaction),
                transaction_cell(spec.chain_id, item.last.transaction),
            )
            for item in rejections.items
        ),
        note=left_out(len(rejections.items), rejections.total, "reasons"),
    )


def _explaining_conditions(conditions: list[tuple[str, str]], reason: str) -> str:
    """Return the conditions that explain a reason."""
    return " and ".join(dict.fromkeys(text for name, text in conditions if name == reason))


def callers_section(spec: Specification, evidence: HistoryEvidence) -> Section:
    """Return the functions that one account alone calls."""
    reserved = [item for item in evidence.callers if item.senders == 1 and item.accepted > 1]
    lead = (
        "Functions that one account alone called with success, more than once. That is observed; where calls of others "
        "were rejected as well, it is likely demanded."
        if reserved
        else "Every function that was called more than once was called with success by several accounts."
    )
    return Section(
        id="callers",
        title="Functions that only one account calls",
        lead=(lead,),
        header=("Function", "Account", "Calls", "First", "Rejected calls of others", "First rejected")
        if reserved
        else (),
        figures=frozenset({2, 4}),
        rows=tuple(
            row(
                item.function,
                address_cell(spec.chain_id, item.address or ""),
                item.accepted,
                transaction_cell(spec.chain_id, item.first.transaction),
                item.refused,
                transaction_cell(spec.chain_id, item.refusal.transaction) if item.refusal else "",
            )
            for item in reserved
        ),
    )


def reentries_section(spec: Specification, evidence: HistoryEvidence) -> Section:
    """Return the calls within calls; that there are none is worth saying."""
    reentries = evidence.reentries
    if not reentries.items:
        return Section(
            id="reentries",
            title="Re-entrant calls",
            lead=("No call came back into the contract while another was still running.",),
        )
    return Section(
        id="reentries",
        title="Re-entrant calls",
        lead=("Calls that came back into the contract while one of its calls was still running.",),
        header=(
            "Function",
            "While running",
            "Calls",
            "Accepted calls",
            "Most in one transaction",
            "First",
            "Last",
        ),
        figures=frozenset({2, 3, 4}),
        rows=tuple(
            row(
                item.function,
                item.inside,
                item.count,
                item.accepted,
                item.most,
                transaction_cell(spec.chain_id, item.first.transaction),
                transaction_cell(spec.chain_id, item.last.transaction),
            )
            for item in reentries.items
        ),
        note=left_out(len(reentries.items), reentries.total, "pairs of functions"),
    )


def races_section(spec: Specification, evidence: HistoryEvidence) -> Section:
    """Return the races; that there are none is worth saying."""
    races = evidence.races
    if not races.items:
        return Section(
            id="races",
            title="Races",
            lead=("No two calls of different senders met in one interaction's storage within a block.",),
        )
    rejections = sum(bool(item.get("lost")) for item in races.items)
    return Section(
        id="races",
        title="Races",
        lead=(
            "Calls of different senders in one block of which the later read or overwrote what the earlier had "
            "written: their order mattered, or may have. "
            f"In {rejections:,} of {len(races.items):,} shown the later call was rejected.",
        ),
        header=("Block", "Interaction", "Earlier call", "Later call", "Met in", "Later call was"),
        figures=frozenset({0}),
        rows=tuple(_race(spec, item) for item in races.items),
        note=left_out(len(races.items), races.total, "races"),
    )


def _race(spec: Specification, item: dict[str, Any]) -> Row:
    first, second = item["first"], item["second"]
    return row(
        item["block"],
        item["interaction"],
        (*cell(first["function"]), *transaction_cell(spec.chain_id, first["transaction"])),
        (*cell(second["function"]), *transaction_cell(spec.chain_id, second["transaction"])),
        list_some(tuple(texts(item["locations"])[:MAX_LISTED]), len(item["locations"])),
        "rejected" if item["lost"] else "accepted",
    )
