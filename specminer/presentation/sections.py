"""The sections of a report in the order in which they are read, in groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from specminer.presentation.actor_text import actor_sections
from specminer.presentation.automaton_sections import (
    front_section,
    rare_section,
    second_view_section,
    state_section,
    transition_section,
    variant_section,
)
from specminer.presentation.claim_sections import claim_sections
from specminer.presentation.effect_sections import effects_section
from specminer.presentation.history_sections import (
    callers_section,
    coverage_section,
    lasting_section,
    races_section,
    reentries_section,
    rejections_section,
    split_section,
)
from specminer.presentation.implementation_timeline import implementations_section, upgrades_section
from specminer.presentation.lives_text import lives_section
from specminer.presentation.money_sections import money_sections
from specminer.presentation.report_document import Report
from specminer.presentation.section import Cell, Section, TextPiece, without_empty_columns
from specminer.presentation.surprising_transactions import transactions_section
from specminer.presentation.transaction_sections import short_hash, short_sections
from specminer.presentation.trust_sections import confidence_section, surprise_sections
from specminer.presentation.weighed_findings import findings_section
from specminer.specification.address_names import AddressNames

NO_EVIDENCE = (
    "The history was not at hand, so variants, timelines, reasons, races and values are missing; "
    "give the database with --db."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Sections about one question."""

    title: str
    sections: tuple[Section, ...]


def groups(report: Report) -> tuple[Group, ...]:
    """Return the sections by what they are about; those whose data is not there are left out."""
    spec, evidence = report.specification, report.evidence
    titled_sections: list[tuple[str, Iterable[Section | None]]] = [
        ("What to look at", (findings_section(report),)),
        (
            "What it does",
            (
                variant_section(report),
                state_section(spec),
                lasting_section(spec),
                transition_section(report),
                effects_section(spec),
                front_section(spec),
                second_view_section(spec),
            ),
        ),
        (
            "What stands out",
            (
                transactions_section(spec),
                *surprise_sections(spec),
                rare_section(spec),
                *((reentries_section(spec, evidence), races_section(spec, evidence)) if evidence else ()),
            ),
        ),
        *_explained_transactions(report),
        (
            "What it demands",
            (
                rejections_section(spec, evidence) if evidence else None,
                *claim_sections(spec),
                callers_section(spec, evidence) if evidence else None,
            ),
        ),
        ("Ether", money_sections(spec, evidence) if evidence else ()),
        ("Who acted", actor_sections(report.actors) if report.actors is not None else ()),
        (
            "How sure",
            (
                confidence_section(spec),
                split_section(report),
                implementations_section(spec),
                upgrades_section(spec),
                lives_section(spec),
                coverage_section(report),
            ),
        ),
    ]
    names = AddressNames.of(spec)
    all_groups = [
        Group(
            title=title,
            sections=tuple(
                _name_addresses(without_empty_columns(item), names) for item in items if item is not None
            ),
        )
        for title, items in titled_sections
    ]
    return tuple(group for group in all_groups if group.sections)


def _name_addresses(section: Section, names: AddressNames) -> Section:
    """Return a section in whose table the names of addresses stand before them."""
    if not names:
        return section
    return replace(
        section,
        lead=tuple(map(names.spell, section.lead)),
        rows=tuple(
            replace(item, cells=tuple(_name_pieces(pieces, names) for pieces in item.cells))
            for item in section.rows
        ),
    )


def _name_pieces(pieces: Cell, names: AddressNames) -> Cell:
    named_pieces: list[TextPiece] = []
    for piece in pieces:
        name = names.name(piece.text) if piece.code else None
        if name and (not named_pieces or named_pieces[-1].text != name):
            named_pieces.append(TextPiece(text=name))
        named_pieces.append(piece if piece.code else replace(piece, text=names.spell(piece.text)))
    return tuple(named_pieces)


def _explained_transactions(report: Report) -> Iterator[tuple[str, tuple[Section, ...]]]:
    """Yield a group for each transaction that the report explains."""
    for number, explanation in enumerate(report.explanations or (), 1):
        yield f"Transaction {short_hash(explanation)}", short_sections(explanation, f"t{number}-")


def sections(report: Report) -> tuple[Section, ...]:
    """Return all sections in their order."""
    return tuple(section for group in groups(report) for section in group.sections)
