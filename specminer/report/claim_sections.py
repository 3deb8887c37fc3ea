"""The sections about what is claimed to hold: guards, roles, invariants, and what a solver said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from specminer.report.passage_sections import passage_sections
from specminer.report.section import (
    Cell,
    Piece,
    Row,
    Section,
    address_cell,
    interval_text,
    left_out,
    proof_text,
    row,
    texts,
    transaction_cell,
)
from specminer.specification import Specification, entries

MAX_CLAIMS: Final = 300


def claim_sections(spec: Specification) -> Iterator[Section]:
    """Yield what is claimed to hold; what the document does not have is left out."""
    if spec.guards:
        rows = [item for guard in spec.guards for item in _guard(guard)]
        yield Section(
            id="guards",
            title="Guards",
            lead=(
                "Required: a condition that was false in rejected calls and true in the accepted ones. Observed: it "
                "was true in all calls seen, but no rejected call shows that the code demands it. Kept later: learned "
                "on the first 70 % of the history, how many of the later rejections it explains, and how many later "
                "accepted calls it would have refused. Holds in: the 95 % interval (Wilson) of the share of accepted "
                "calls that keep it. Shown form: whether a solver proved that the condition as "
                "written here says what was learned. That the code demands a condition is learned, never proved.",
            ),
            header=(
                "Function",
                "Condition",
                "Kind",
                "Accepted",
                "Explains",
                "Exceptions",
                "Holds in (95 %)",
                "Reasons given",
                "Kept later",
                "Shown form",
            ),
            figures=frozenset({3, 5}),
            rows=tuple(rows[:MAX_CLAIMS]),
            note=left_out(min(len(rows), MAX_CLAIMS), len(rows), "conditions"),
        )
    yield from passage_sections(spec)
    if spec.roles:
        yield Section(
            id="roles",
            title="Functions reserved to a role",
            lead=(
                "Who may call, as the guards say it. Rejects others: calls of others were rejected; otherwise it was "
                "only observed.",
            ),
            header=("Role", "Functions", "Rejects others", "Accounts seen", "The creator's"),
            rows=tuple(_role(spec, item) for item in spec.roles[:MAX_CLAIMS]),
        )
    if spec.invariants:
        yield Section(
            id="invariants",
            title="Invariants",
            lead=(
                "Not proved: these held in the history, as often as the support says. Tested later: learned on the "
                "earlier part, how often they then held and failed in the rest.",
            ),
            header=(
                "Of",
                "Invariant",
                "Kind",
                "Support",
                "Exceptions",
                "Holds in (95 %)",
                "Tested later",
                "Broken by",
            ),
            figures=frozenset({3, 4}),
            rows=tuple(_invariant(spec, item) for item in spec.invariants[:MAX_CLAIMS]),
            note=left_out(min(len(spec.invariants), MAX_CLAIMS), len(spec.invariants), "invariants"),
        )
    if spec.obligations:
        yield Section(
            id="obligations",
            title="What a solver was asked",
            lead=("Each question stands as SMT-LIB 2 in automaton.json, to be asked again.",),
            header=("About", "Claim", "Expected", "Answer", "Result"),
            rows=tuple(
                row(
                    item.get("scope", ""),
                    item.get("claim", ""),
                    item.get("expected", ""),
                    item.get("answer") or "no answer",
                    proof_text(item),
                )
                for item in spec.obligations[:MAX_CLAIMS]
            ),
            note=left_out(min(len(spec.obligations), MAX_CLAIMS), len(spec.obligations), "questions"),
        )


def conditions_by_reason(spec: Specification) -> dict[str, list[tuple[str, str]]]:
    """Return for each function the reasons that its required conditions explain, each with the condition."""
    found: dict[str, list[tuple[str, str]]] = {}
    for guard in spec.guards:
        if guard.get("kind") != "required":
            continue
        for condition in entries(guard.get("conditions")):
            for reason in entries(condition.get("reasons")):
                pair = str(reason.get("text", "")), str(condition.get("text", ""))
                found.setdefault(str(guard.get("scope", "")), []).append(pair)
    return found


def required_guards(spec: Specification) -> dict[str, str]:
    """Return the condition that each function demands, as far as its rejected calls tell."""
    return {
        str(guard.get("scope", "")): str(guard.get("text", ""))
        for guard in spec.guards
        if guard.get("kind") == "required"
    }


def _guard(guard: Mapping[str, Any]) -> Iterator[Row]:
    """Yield a row for each condition of a guard; what is of the whole guard stands in the first."""
    later = guard.get("held_out")
    kept = (
        f"{_figure(later.get('explained'))} of {_figure(later.get('rejected'))}; "
        f"{_figure(later.get('refused'))} of {_figure(later.get('accepted'))} refused"
        if isinstance(later, dict)
        else ""
    )
    conditions = entries(guard.get("conditions")) or [dict(guard)]
    for place, condition in enumerate(conditions):
        reasons = [
            f"{reason.get('text')} ({_figure(reason.get('explained'))} of {_figure(reason.get('rejected'))})"
            for reason in entries(condition.get("reasons"))
        ]
        yield row(
            guard.get("scope", ""),
            condition.get("text", ""),
            guard.get("kind", ""),
            _figure(guard.get("accepted")),
            f"{_figure(condition.get('explained'))} of {_figure(guard.get('rejected'))} rejected"
            if guard.get("rejected")
            else "",
            _figure(condition.get("exceptions")),
            interval_text(condition.get("interval")),
            "; ".join(reasons),
            kept if place == 0 else "",
            proof_text(guard) if guard.get("kind") == "required" else "not proved",
        )


def _role(spec: Specification, item: Mapping[str, Any]) -> Row:
    seen: list[Piece] = []
    addresses = texts(item.get("addresses"))
    for address in addresses[:5]:
        seen += address_cell(spec.chain_id, address)
    if len(addresses) > 5:
        seen.append(Piece(text=f"and {len(addresses) - 5:,} more"))
    accounts: Cell = tuple(seen) or (Piece(text="one for each key" if "[" in str(item.get("name")) else ""),)
    return row(
        item.get("name", ""),
        ", ".join(texts(item.get("functions"))),
        ", ".join(texts(item.get("required"))) or "only observed",
        accounts,
        "yes" if item.get("creator") else "",
    )


def _invariant(spec: Specification, item: Mapping[str, Any]) -> Row:
    scope, test = item.get("scope"), item.get("test")
    of = ", ".join(str(value) for value in scope.values()) if isinstance(scope, dict) else str(scope or "")
    later = (
        f"{_figure(test.get('support'))} held, {_figure(test.get('exceptions'))} failed"
        if isinstance(test, dict)
        else ""
    )
    broken = item.get("broken_by")
    breakers: list[Piece] = []
    for one in list(broken)[:5] if isinstance(broken, list | tuple) else ():
        transaction = one.get("transaction") if isinstance(one, dict) else one
        breakers += transaction_cell(spec.chain_id, str(transaction))
    return row(
        of,
        item.get("text", ""),
        item.get("kind", ""),
        _figure(item.get("support")),
        _figure(item.get("exceptions")),
        interval_text(item.get("interval")),
        later,
        tuple(breakers) or (Piece(text=""),),
    )


def _figure(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, list | tuple):
        return f"{len(value):,}"
    return f"{value:,}" if isinstance(value, int) else str(value)
