"""A report as a reader sees it: the same values, with units where the code shows what they measure."""

from __future__ import annotations

from dataclasses import replace

from specminer.quantity import Scope, Units, for_readers, spell_text, units_of
from specminer.report.document import HistoryEvidence, Report, TransitionUse
from specminer.specification import Edge


def readable_report(report: Report) -> Report:
    """Return a copy whose texts and examples tell numbers with their units; the JSON keeps the exact ones."""
    units, evidence = units_of(report.specification), report.evidence
    return replace(
        report,
        specification=for_readers(report.specification),
        evidence=evidence and _evidence(evidence, report.specification.transitions, units),
    )


def _evidence(evidence: HistoryEvidence, edges: tuple[Edge, ...], units: Units) -> HistoryEvidence:
    taken = evidence.transitions
    if len(taken) != len(edges):
        return evidence
    return replace(
        evidence,
        transitions=tuple(_rewrite_use(item, edge, units) for item, edge in zip(taken, edges, strict=True)),
    )


def _rewrite_use(item: TransitionUse, edge: Edge, units: Units) -> TransitionUse:
    scope = Scope(edge.function)
    return replace(
        item,
        examples=tuple(
            replace(
                example,
                arguments={
                    name: spell_text(value, units.of_name(name, scope)) or value
                    for name, value in example.arguments.items()
                },
            )
            for example in item.examples
        ),
    )
