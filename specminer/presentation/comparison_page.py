"""What differs between two specifications as an HTML page and as Markdown; the page needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from specminer._support.errors import RenderError, plain
from specminer._support.text import count_of
from specminer.comparison.difference import Comparison, Difference, Ground
from specminer.presentation.graphviz_layout import render_dot
from specminer.presentation.joint_picture import joint_dot
from specminer.presentation.markdown import escape_text, section_lines
from specminer.presentation.page import asset, environment, style_hash
from specminer.presentation.picture import bare_picture, night
from specminer.presentation.readable_comparison import readable_comparison
from specminer.presentation.section import Section, left_out, row, without_empty_columns
from specminer.specification import HistorySummary, Specification

MAX_ROWS: Final = 500
"""Differences of one table; the JSON holds all."""
_TITLES: Final = {
    Ground.CODE: ("code", "What the code does otherwise"),
    Ground.DATA: ("use", "What is used otherwise"),
}
_LEADS: Final = {
    Ground.CODE: "Both codes were followed, and differ in this, however they are used.",
    Ground.DATA: "These counts differ by more than chance explains.",
}
_HEADER: Final = ("what", "of", "change", "before", "after", "in a sentence", "for example", "chance")


def comparison_html(compared: Comparison) -> str:
    """Return the page; the same comparison gives the same bytes with the same renderer."""
    compared = readable_comparison(compared)
    title, sections = _title(compared), list(_sections(compared))
    trouble, picture = "", ""
    try:
        picture = bare_picture(render_dot(joint_dot(compared), "svg"), f"Both automata of {title}")
    except RenderError as error:
        trouble = f"There is no picture: {error.message}."
    style = asset("page.css") + night([picture], inside="flows")
    return (
        environment()
        .get_template("comparison")
        .render(
            title=title,
            numbers=_numbers(compared),
            picture=Markup(picture),
            trouble=trouble,
            sections=sections,
            style=Markup(style),
            style_hash=style_hash(style),
        )
    )


def comparison_markdown(compared: Comparison) -> str:
    """Return the differences as CommonMark with tables; ends in a newline."""
    compared = readable_comparison(compared)
    lines = [f"# {escape_text(_title(compared), 160)}: what differs", ""]
    lines += [
        "; ".join(f"{label.lower()}: {escape_text(value)}" for label, value in _numbers(compared)) + ".",
        "",
    ]
    for section in _sections(compared):
        lines += section_lines(section, level=2)
    return "\n".join(lines).rstrip() + "\n"


def _title(compared: Comparison) -> str:
    one, two = compared.before.name, compared.after.name
    return plain(one if one == two else f"{one} and {two}", 160)


def _numbers(compared: Comparison) -> list[tuple[str, str]]:
    return [
        ("Before", _extent(compared.before)),
        ("After", _extent(compared.after)),
        ("Differences", f"{len(compared.differences):,}"),
    ]


def _extent(specification: Specification) -> str:
    history: HistorySummary = specification.history
    calls = sum(edge.count for edge in specification.transitions if not edge.kind.befalls)
    blocks = (
        "" if history.first_block is None else f", blocks {history.first_block:,} to {history.last_block:,}"
    )
    return f"{count_of(calls, 'call')} of interactions{blocks}"


def _sections(compared: Comparison) -> Iterator[Section]:
    for ground in Ground:
        own = [item for item in compared.differences if item.ground is ground]
        name, title = _TITLES[ground]
        if not own:
            yield Section(id=name, title=title, lead=("Nothing that could be compared differs.",))
            continue
        yield without_empty_columns(
            Section(
                id=name,
                title=title,
                lead=(_LEADS[ground],),
                header=_HEADER,
                rows=tuple(row(*_cells(item)) for item in own[:MAX_ROWS]),
                note=left_out(min(MAX_ROWS, len(own)), len(own), "differences"),
            )
        )
    if compared.uncompared:
        yield Section(
            id="not-compared",
            title="What could not be compared",
            header=("what", "how many"),
            figures=frozenset({1}),
            rows=tuple(row(reason, count) for reason, count in compared.uncompared.items()),
        )


def _cells(item: Difference) -> tuple[str, ...]:
    example = ", ".join(f"{name} = {value}" for name, value in item.example.items())
    chance = "" if item.probability is None else f"{item.probability:.2g}"
    return (
        item.subject.value, item.scope, item.change.value, item.before, item.after, item.sentence, example, chance,
    )  # fmt: skip
