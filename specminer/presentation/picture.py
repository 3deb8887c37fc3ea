"""The pictures on the page: the SVG of :mod:`specminer.presentation`, each part marked with what it shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from specminer._support.errors import RenderError, plain
from specminer.presentation.drawing import draw
from specminer.presentation.folding import FoldedBox
from specminer.presentation.picture_content import Content
from specminer.presentation.picture_options import PictureOptions
from specminer.presentation.theme import in_the_dark
from specminer.specification import Specification

_COLOUR: Final = re.compile(r' (fill|stroke)="(#[0-9a-f]{6})"')
_MARK: Final = re.compile(r"([sm]\d+)(?:-([sm]\d+)(-label)?)?")
"""How the picture calls states and arrows (:mod:`specminer.presentation.dot`)."""


FOLDED: Final = PictureOptions()
"""How a picture is drawn first."""
UNFOLDED: Final = PictureOptions(fold=False)
"""How it is drawn whole."""


def boxes(spec: Specification) -> tuple[FoldedBox, ...]:
    """Return the boxes that stand for several states where ``spec`` is drawn folded."""
    folding = Content(spec=spec, options=FOLDED).folding
    return folding.boxes if folding is not None else ()


def is_folded(spec: Specification) -> bool:
    """Whether a folded picture leaves anything out: states in boxes, or lines."""
    folded, whole = (Content(spec=spec, options=options) for options in (FOLDED, UNFOLDED))
    return folded.folding is not None or len(folded.selection.lines) < len(whole.selection.lines)


def picture(spec: Specification, options: PictureOptions = FOLDED) -> str:
    """Return ``spec`` as SVG to stand in an HTML page, safe whatever names it holds.

    States carry ``data-state``, arrows ``data-from`` and ``data-to``; both can be reached with the keyboard.

    Raises:
        RenderError: there is no renderer, it failed, or it took too long.

    """
    try:
        root = ET.fromstring(draw(spec, "svg", options))
    except ET.ParseError:
        raise RenderError("the renderer returned something that is no SVG") from None
    drawn = Content(spec=spec, options=options).drawn_specification
    names = {state.id: plain(state.name, 120) for state in drawn.states}
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    written = {mark: _text_of(group) for group in root.iter("g") if (mark := group.get("id"))}
    for element in root.iter():
        _mark(element, names, written)
    for dimension in ("width", "height"):
        root.attrib.pop(dimension, None)
    root.set("role", "group")
    root.set("aria-label", f"The automaton of {plain(spec.name, 80)}; the tables below tell the same")
    return ET.tostring(root, encoding="unicode")


def bare_picture(drawn: bytes, label: str) -> str:
    """Return an SVG of :mod:`specminer.presentation` to stand in an HTML page as one image, called ``label``.

    Raises:
        RenderError: it is no SVG.

    """
    try:
        root = ET.fromstring(drawn)
    except ET.ParseError:
        raise RenderError("the renderer returned something that is no SVG") from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib.pop("id", None)
        element.attrib.pop("class", None)
    root.set("role", "img")
    root.set("aria-label", plain(label, 200))
    root.set("class", "flows")
    return ET.tostring(root, encoding="unicode")


def night(pictures: Iterable[str], inside: str = "picture") -> str:
    """Return the style that shows pictures as the dark theme does, for where a reader prefers that.

    ``inside`` is the class of what holds them.
    """
    colours = sorted({match.groups() for drawn in pictures for match in _COLOUR.finditer(drawn)})
    rules = []
    for kind, colour in colours:
        other = in_the_dark(colour)
        if other is not None:
            rules.append(f'.{inside} [{kind}="{colour}"]{{{kind}:{other}}}')
    return "@media screen and (prefers-color-scheme: dark){" + "".join(rules) + "}" if rules else ""


def _text_of(group: ET.Element) -> str:
    """Return what is written in a part, row by row."""
    rows = (" ".join("".join(text.itertext()).split()) for text in group.iter("text"))
    return plain(" ".join(row for row in rows if row), 600)


def _mark(element: ET.Element, names: dict[int, str], written: dict[str, str]) -> None:
    """Say what a part stands for; ids go, since a page holds several pictures.

    A screen reader says of a state what is written in it, of an arrow what stands beside it.
    """
    mark = element.attrib.pop("id", "")
    match = _MARK.fullmatch(mark)
    element.attrib.pop("class", None)
    if match is None or element.tag != "g":
        return
    source, target = _state(match[1]), _state(match[2]) if match[2] else None
    marks = {"tabindex": "0", "role": "button"}
    if match[3]:  # the label lies apart from its arrow, which has the keyboard and the screen reader
        marks = {"aria-hidden": "true"}
    if target is None:
        label = written.get(mark) or names.get(source, "?")
        marks |= {"class": "node", "data-state": str(source), "aria-label": f"state {label}"}
    else:
        marks |= {
            "class": "edge label" if match[3] else "edge",
            "data-from": str(source),
            "data-to": str(target),
        }
        if not match[3]:
            beside = written.get(f"{mark}-label")
            marks["aria-label"] = f"from {names.get(source, '?')} to {names.get(target, '?')}" + (
                f": {beside}" if beside else ""
            )
    element.attrib.update(marks)


def _state(mark: str) -> int:
    return int(mark[1:]) * (-1 if mark[0] == "m" else 1)
