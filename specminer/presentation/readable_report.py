"""A report as a reader sees it: the same values, with units where the code shows what they measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from specminer._support.numbered_names import spell_numbered_names
from specminer.presentation.error_values import ErrorUnits, error_units
from specminer.presentation.report_document import HistoryEvidence, Report, TransitionUse
from specminer.presentation.transaction_sections import with_unit
from specminer.specification import Edge, Specification
from specminer.specification.address_names import AddressNames
from specminer.specification.measure import Measure, spell_text
from specminer.specification.readable_specification import for_readers
from specminer.specification.unit_inference import Scope, Units, units_of


def readable_report(report: Report) -> Report:
    """Return a copy whose texts and examples tell numbers with their units, and addresses by their names.

    The JSON keeps the exact ones.
    """
    units, evidence = units_of(report.specification), report.evidence
    names = AddressNames.of(report.specification)
    return replace(
        report,
        specification=for_readers(report.specification),
        evidence=evidence and names.spell_texts(_evidence(evidence, report.specification, units)),
    )


def _evidence(evidence: HistoryEvidence, spec: Specification, units: Units) -> HistoryEvidence:
    uses, edges = evidence.transitions, spec.transitions
    if len(uses) != len(edges):
        return evidence
    errors = error_units(spec, evidence, units)
    rejections, timelines = evidence.rejections, evidence.timelines
    return replace(
        evidence,
        transitions=tuple(
            _rewrite_use(item, edge, units, errors) for item, edge in zip(uses, edges, strict=True)
        ),
        rejections=replace(
            rejections,
            items=tuple(
                replace(item, example=errors.spell(item.function, item.example)) for item in rejections.items
            ),
        ),
        timelines=replace(
            timelines, items=tuple(_rewrite_life(life, edges, units, errors) for life in timelines.items)
        ),
    )


def _rewrite_life(
    life: dict[str, Any], edges: tuple[Edge, ...], units: Units, errors: ErrorUnits
) -> dict[str, Any]:
    """Return a timeline whose arguments, changes and reasons tell numbers with their units."""
    return {
        **life,
        "events": [
            _rewrite_event(event, edges[event["transition"]].function, units, errors)
            for event in life["events"]
        ],
    }


def _rewrite_event(event: dict[str, Any], function: str, units: Units, errors: ErrorUnits) -> dict[str, Any]:
    scope = Scope(function)
    return {
        **event,
        "reason": errors.spell(function, event["reason"]) if event["reason"] else event["reason"],
        "arguments": {
            name: _with_unit(str(value), units.of_name(name, scope))
            for name, value in event["arguments"].items()
        },
        "changes": [
            {
                **change,
                "location": spell_numbered_names(str(change["location"])),
                "before": _changed(change, "before", units),
                "after": _changed(change, "after", units),
            }
            for change in event["changes"]
        ],
    }


def _changed(change: dict[str, Any], which: str, units: Units) -> Any:
    value = change[which]
    return None if value is None else _with_unit(str(value), units.of_name(change["location"], Scope()))


def _with_unit(value: str, measure: Measure | None) -> str:
    return with_unit(value, spell_text(value, measure))


def _rewrite_use(item: TransitionUse, edge: Edge, units: Units, errors: ErrorUnits) -> TransitionUse:
    scope = Scope(edge.function)
    return replace(
        item,
        examples=tuple(
            replace(
                example,
                arguments={
                    name: _with_unit(value, units.of_name(name, scope))
                    for name, value in example.arguments.items()
                },
                reason=errors.spell(edge.function, example.reason),
            )
            for example in item.examples
        ),
    )
