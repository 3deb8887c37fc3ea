"""What is odd about a history, the heaviest first: one list of what the sections of the report tell one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from specminer._support.text import count_of
from specminer.presentation.fidelity import unknown_text
from specminer.presentation.report_document import HistoryEvidence, Report
from specminer.presentation.section import Cell, Section, cell, left_out, row, transaction_cell
from specminer.presentation.sentences import short_hashes, times
from specminer.specification import Specification

MAX_FINDINGS: Final = 40
MAX_ALARMS: Final = 15
"""Transactions, and interactions, above the threshold that are listed."""
MAX_RANKED: Final = 3
"""Transactions below the threshold that are listed."""
MAX_TEXT: Final = 400
"""Characters of a sentence that was written elsewhere."""
_REASONS: Final = 3


class Weight(IntEnum):
    """How heavy a finding is."""

    ALARM = 0
    """It is above the threshold of alarms."""
    LOOK = 1
    """It can be meant so, and somebody should look."""
    NOTE = 2
    """It limits what the report can say."""

    @property
    def text(self) -> str:
        """The weight in words."""
        return ("alarm", "worth a look", "limit")[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeighedFinding:
    """Something odd."""

    weight: Weight
    text: str
    """A sentence, raw."""
    bits: float | None = None
    """How improbable it is, where that was measured."""
    transactions: tuple[str, ...] = ()
    """What shows it."""


def findings(report: Report) -> tuple[WeighedFinding, ...]:
    """Return what is odd, alarms first; of one weight the most improbable first, then in the order of the report."""
    spec, evidence = report.specification, report.evidence
    all_findings = [*_transactions(spec), *_interactions(spec)]
    all_findings += [*_evidence(evidence)] if evidence is not None else []
    all_findings += [*_rejections(spec), *_limits(spec, evidence)]
    return tuple(sorted(all_findings, key=lambda item: (item.weight, -(item.bits or 0.0))))


def findings_section(report: Report) -> Section:
    """Return the findings as a section; that there are none is worth saying."""
    spec, all_findings = report.specification, findings(report)
    if not all_findings:
        return Section(id="findings", title="Findings", lead=("Nothing stands out.",))
    first_findings = all_findings[:MAX_FINDINGS]
    return Section(
        id="findings",
        title="Findings",
        lead=(
            "What somebody should look at, the heaviest first. An alarm is improbable by what the rest of the history "
            "shows; that alone does not make it wrong. The sections below tell each at length.",
        ),
        header=("Weight", "Finding", "Bits", "Evidence"),
        figures=frozenset({2}),
        rows=tuple(
            row(
                item.weight.text,
                item.text,
                "" if item.bits is None else f"{item.bits:.1f}",
                _cell(spec, item.transactions),
            )
            for item in first_findings
        ),
        note=left_out(len(first_findings), len(all_findings), "findings"),
    )


def _cell(spec: Specification, transactions: tuple[str, ...]) -> Cell:
    return transaction_cell(spec.chain_id, *transactions) if transactions else cell("")


def _transactions(spec: Specification) -> Iterator[WeighedFinding]:
    """Yield the transactions above the threshold, or the first of the others if none is."""
    measured = spec.surprise.transactions
    ranked = () if measured is None else measured.ranked
    flagged = [item for item in ranked if item.flagged]
    for item in flagged[:MAX_ALARMS] or ranked[:MAX_RANKED]:
        reasons = "; ".join(item.reasons[:_REASONS]) or item.text
        rest = len(item.reasons) - _REASONS
        more = f" ({count_of(rest, 'more reason')})" if rest > 0 else ""
        yield WeighedFinding(
            weight=Weight.ALARM if item.flagged else Weight.LOOK,
            text=f"A transaction stands out: {short_hashes(reasons[:MAX_TEXT]).rstrip('.')}{more}.",
            bits=item.score,
            transactions=(item.transaction,),
        )
    if len(flagged) > MAX_ALARMS:
        yield WeighedFinding(
            weight=Weight.ALARM,
            text=f"{len(flagged) - MAX_ALARMS:,} more transactions are above the threshold.",
        )


def _interactions(spec: Specification) -> Iterator[WeighedFinding]:
    flagged = [item for item in spec.surprise.interactions if item.flagged]
    for item in flagged[:MAX_ALARMS]:
        yield WeighedFinding(
            weight=Weight.ALARM,
            text=f"An interaction stands out: {short_hashes(item.text[:MAX_TEXT]).rstrip('.')}.",
            bits=item.score,
            transactions=tuple(dict.fromkeys(event.transaction for event in item.events))[:_REASONS],
        )


def _evidence(evidence: HistoryEvidence) -> Iterator[WeighedFinding]:
    """Yield calls within calls, payments that failed unnoticed, and races."""
    for call in evidence.reentries.items:
        if call.accepted:
            yield WeighedFinding(
                weight=Weight.LOOK,
                text=f"{call.function} was called {count_of(call.count, 'time')} while {call.inside} was still "
                f"running, and {call.accepted:,} of these calls were accepted.",
                transactions=(call.first.transaction,),
            )
    for unpaid in evidence.money.unpaid.items:
        yield WeighedFinding(
            weight=Weight.LOOK,
            text=f"{count_of(unpaid.payments, 'payment')} failed in calls of {unpaid.function} that were accepted "
            "all the same.",
            transactions=(unpaid.first.transaction,),
        )
    if evidence.races.total:
        rejections = sum(bool(item.get("lost")) for item in evidence.races.items)
        text = (
            f"Calls of different senders in one block depended on their order {times(evidence.races.total)}"
        )
        yield WeighedFinding(
            weight=Weight.LOOK,
            text=f"{text}{f'; the later call was rejected in {rejections:,}' if rejections else ''}.",
        )


def _rejections(spec: Specification) -> Iterator[WeighedFinding]:
    """Yield the functions whose rejections no condition explains, the most frequent first."""
    rejected: dict[str, int] = {}
    explained: dict[str, int] = {}
    for guard in spec.guards:
        if guard.rejected:
            rejected[guard.scope] = max(rejected.get(guard.scope, 0), guard.rejected)
            explained[guard.scope] = explained.get(guard.scope, 0) + guard.explained
    missing = {
        scope: count - explained[scope] for scope, count in rejected.items() if count > explained[scope]
    }
    for scope in sorted(missing, key=lambda scope: (-missing[scope], scope))[:_REASONS]:
        yield WeighedFinding(
            weight=Weight.LOOK,
            text=f"No condition explains {missing[scope]:,} of the {rejected[scope]:,} rejected calls of {scope}.",
        )


def _limits(spec: Specification, evidence: HistoryEvidence | None) -> Iterator[WeighedFinding]:
    """Yield what the history cannot show."""
    history = spec.history
    for text in history.limits:
        yield WeighedFinding(weight=Weight.NOTE, text=text)
    if history.unknown:
        yield WeighedFinding(weight=Weight.NOTE, text=unknown_text(history.unknown, history.invocations))
    if evidence is not None and evidence.unseen:
        functions = ", ".join(evidence.unseen[:6])
        more = f" and {len(evidence.unseen) - 6:,} more" if len(evidence.unseen) > 6 else ""
        yield WeighedFinding(
            weight=Weight.NOTE,
            text=f"Nobody called {functions}{more}, so nothing is known of what they do.",
        )
