"""The sections of a report in the order in which they are read."""

from __future__ import annotations

from specminer.report.automaton_sections import (
    confidence_section,
    front_section,
    rare_section,
    state_section,
    surprise_section,
    transition_section,
    variant_section,
)
from specminer.report.claim_sections import claim_sections
from specminer.report.document import Report
from specminer.report.history_sections import audit_sections, coverage_section, split_section
from specminer.report.section import Section

NO_EVIDENCE = (
    "The history was not at hand, so variants, timelines, reasons, races and values are missing; "
    "give the database with --db."
)


def sections(report: Report) -> tuple[Section, ...]:
    """Return the sections; those whose data is not there are left out."""
    spec = report.specification
    found = [
        variant_section(report),
        state_section(spec),
        transition_section(report),
        surprise_section(spec),
        *claim_sections(spec),
        *audit_sections(report),
        rare_section(spec),
        split_section(report),
        front_section(spec),
        confidence_section(spec),
        coverage_section(report),
    ]
    return tuple(item for item in found if item is not None)
