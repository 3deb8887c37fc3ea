"""Everything that people read of a mined dataset, and what makes it hard to read: numbers without their unit."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

from specminer.contracts.usual_enums import enum_members_of
from specminer.pipeline.mining import MiningResult
from specminer.presentation.abstraction_explanation import explanation
from specminer.presentation.drawing import draw
from specminer.presentation.first_screen import short_summary
from specminer.presentation.markdown import to_markdown
from specminer.presentation.page import to_html
from specminer.presentation.picture_options import PictureOptions
from specminer.presentation.report_document import Report
from specminer.presentation.summary import summary
from specminer.specification import Specification
from specminer.specification.measure import MeasureKind
from specminer.specification.readable_specification import for_readers
from specminer.specification.unit_inference import units_of

_UNIT: Final = (
    r"(?:wei|gwei|ETH|tokens?|seconds?|minutes?|hours?|days?|blocks?|bits|bytes|gas|calls?|times|events?)"
)
_LARGE: Final = re.compile(rf"(?<![\w.,#…/\-\[])(\d{{8,}})(?![\d,.]*\w)(?! {_UNIT}\b)")
"""A number of at least eight digits in one piece: with a unit it would be short, and without one it has commas."""
_SHOWN_WITH_UNIT: Final[set[object]] = {
    MeasureKind.WEI,
    MeasureKind.SPAN,
    MeasureKind.TIME,
    MeasureKind.TOKEN,
}
_WEI: Final = re.compile(r"(?<![\w.,])(\d[\d,]{9,}) wei\b")
_SECONDS: Final = re.compile(r"(?<![\w.,])(\d[\d,]*) seconds?\b")
_PARTICIPLE: Final = re.compile(
    r"(?!Need|Speed|Seed|Feed)(?:[A-Z][a-z]+ed|Told|Kept|Held|Read|Seen|Said|Found|Left|Known|Made|Given|Taken|Drawn|Written|Gone)"
)
_LEFT_OUT: Final = re.compile(r"<(script|style|title|desc)\b.*?</\1>|<!--.*?-->", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_HEADING: Final = re.compile(r"<(h[1-6]|dt|th|summary)\b[^>]*>(.*?)</\1>", re.DOTALL)


def texts_of(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what people read of a report, by its name; tags and exact values on hover are taken out."""
    spec = report.specification
    yield "screen", short_summary(spec, width=2_000)
    yield "summary", summary(spec, width=2_000, rows=1_000, surprising=100)
    yield "explanation", explanation(for_readers(spec), width=2_000)
    yield "markdown", to_markdown(report)
    yield "page", visible_text(to_html(report))
    for name, options in _pictures():
        yield name, visible_text(draw(spec, "svg", options).decode())
        yield f"{name} as a chart", draw(spec, "mermaid", options).decode()


def _pictures() -> Iterator[tuple[str, PictureOptions]]:
    yield "picture", PictureOptions()
    yield "full picture", PictureOptions(labels="full", fold=False, min_share=0)
    yield "compact picture", PictureOptions().compact()


def visible_text(page: str) -> str:
    """Return the texts of a page or picture, one a line, without those that show on hover only."""
    return html.unescape(_TAG.sub("\n", _LEFT_OUT.sub("\n", page)))


def headings(report: Report) -> list[str]:
    """Return the headings of the summary, the Markdown and the page, titles of columns included."""
    lines = summary(report.specification, width=2_000).splitlines()
    found = [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line and not line.startswith((" ", "✗")) and following.startswith(" ")
    ]
    for line in to_markdown(report).splitlines():
        found += [line.lstrip("# ")] if line.startswith("#") else []
    found += [_TAG.sub("", html.unescape(text)) for _, text in _HEADING.findall(to_html(report))]
    return [re.sub(r" \([\d,]+\)$", "", text.strip()) for text in found]


def bare_participles(titles: list[str]) -> list[str]:
    """Return the headings that are a participle and nothing else."""
    return [text for text in titles if _PARTICIPLE.fullmatch(text)]


def unreadable_numbers(text: str) -> list[str]:
    """Return places where a number is not for people: in one piece, wei above a gwei, seconds above two minutes."""
    found = [_around(text, match) for match in _LARGE.finditer(text)]
    found += [_around(text, match) for match in _WEI.finditer(text)]
    found += [
        _around(text, match) for match in _SECONDS.finditer(text) if int(match[1].replace(",", "")) >= 120
    ]
    return found


def bare_measures(text: str, spec: Specification) -> list[str]:
    """Return places where a variable is compared with a large bare number although it is known what it measures."""
    kinds: dict[str, set[object]] = {}
    for name, measure in units_of(spec).measures.items():
        last = re.split(r"[.:]", name.rstrip("[]"))[-1].rstrip("[]")
        kinds.setdefault(last, set()).add(measure.kind)
    found = []
    for name, known in kinds.items():
        if len(known) == 1 and known <= _SHOWN_WITH_UNIT and len(name) > 3:
            pattern = re.compile(
                rf"\b{re.escape(name)}\b[\]']* (?:=|!=|≠|<=?|>=?|≤|≥) ([\d,]{{4,}})(?! (?:{_UNIT}|[A-Z]))\b(?![-.,\d])"
            )
            found += [_around(text, match) for match in pattern.finditer(text)]
    return found


def unnamed_members(text: str, enums: dict[str, int]) -> list[str]:
    """Return places where a variable is compared with a number, gets or had one, although its members have names.

    Args:
        text: what people read.
        enums: variables of a known enumeration by the last part of their names, and how many members it has.

    """
    found = []
    for name, members in enums.items():
        pattern = re.compile(
            rf"\b{re.escape(name)}\b(?:\[\w+\])?[`']{{0,2}}(?: (?:=|!=|≠|<=?|>=?|≤|≥|from|→|:)|=|:)"
            r" ?(\d+)\b(?![.,\d]*\w)"
        )
        found += [_around(text, match) for match in pattern.finditer(text) if int(match[1]) < members]
    return found


def enums_of(run: MiningResult) -> dict[str, int]:
    """Return the variables, arguments and results of a mined contract whose values have names, as in the above."""
    found: dict[str, int] = {}
    context = run.context
    for variable in context.locations.variables:
        for place, field in enumerate(variable.fields):
            if field.members:
                found[variable.text(None, place).rpartition(".")[2].removesuffix("[]")] = len(field.members)
    artifact = context.artifact
    for entry in () if artifact is None else artifact.abi:
        for item in (*entry.inputs, *entry.outputs):
            members = enum_members_of(artifact, item.enum) if artifact is not None and item.enum else ()
            if members and item.name:
                found[item.name] = len(members)
    return found


def _around(text: str, match: re.Match[str]) -> str:
    return " ".join(text[max(0, match.start() - 60) : match.end() + 40].split())
