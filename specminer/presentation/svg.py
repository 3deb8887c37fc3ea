"""The SVG that a renderer wrote, rebuilt from a short list of elements and attributes.

It carries no script, no handler, no link and no reference whatever stood in the source. Tooltips become
``<title>`` elements, which browsers show without a script. Texts of one row become one text around the middle of
the row, or begin where rows above and below begin, so that a viewer with a wider or narrower font than the renderer's
moves nothing over anything else. The labels of lines come last, in groups ``label`` of their own, so that no line runs
over one.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from typing import Final

from specminer._support.errors import RenderError

_SVG: Final = "{http://www.w3.org/2000/svg}"
_ELEMENTS: Final = frozenset(
    {"svg", "g", "title", "path", "polygon", "polyline", "ellipse", "circle", "text"}
)
_ATTRIBUTES: Final = frozenset(
    {
        "width", "height", "viewBox", "id", "class", "transform", "d", "points", "x", "y", "cx", "cy", "rx",
        "ry", "r", "fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity",
        "text-anchor", "font-family", "font-size", "font-weight", "font-style",
    }
)  # fmt: skip
_FONT: Final = ("font-weight", "font-style", "font-size", "fill")
"""What the pieces of one row may differ in."""
_TOOLTIP: Final = "{http://www.w3.org/1999/xlink}title"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"


def clean_svg(picture: bytes) -> bytes:
    """Rebuild an SVG from known parts, with ``role="img"`` and the graph's name as its title.

    Raises:
        RenderError: it is not well-formed.

    """
    try:
        root = ET.fromstring(picture)
    except ET.ParseError as error:
        raise RenderError(f"the renderer wrote an SVG that is not well-formed: {error}") from None
    name = root.findtext(f"{_SVG}g/{_SVG}title") or "picture"
    _keep_known(root)
    for graph in root.iterfind(f"{_SVG}g"):
        lines = [line for line in graph if "edge" in line.get("class", "").split()]
        graph.extend([_lift_label(line) for line in lines if line.find(f"{_SVG}text") is not None])
    root.set("role", "img")
    root.set("aria-label", name)
    root.insert(0, _title(name))
    ET.register_namespace("", _SVG.strip("{}"))
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _title(text: str) -> ET.Element:
    title = ET.Element(f"{_SVG}title")
    title.text, title.tail = text, "\n"
    return title


def _keep_known(parent: ET.Element) -> None:
    """Drop below ``parent`` all that no plain drawing needs; titles there are ids, not texts for people."""
    for key in list(parent.attrib):
        if key not in _ATTRIBUTES:
            del parent.attrib[key]
    for key in ("stroke", "fill"):
        if parent.get(key) == "transparent":  # no colour of SVG 1.1
            parent.set(key, "none")
    tooltip = next((link.get(_TOOLTIP) for link in parent.iterfind(f"{_SVG}g/{_SVG}a")), None)
    children = [
        child
        for child in _flat(parent)
        if child.tag != f"{_SVG}title" and child.tag.removeprefix(_SVG) in _ELEMENTS
    ]
    parent[:] = children
    for child in children:
        _keep_known(child)
    if parent.tag == f"{_SVG}g" and parent.get("class") != "cluster":
        _join_rows(parent)
    if tooltip:
        parent.insert(0, _title(tooltip))


def _lift_label(line: ET.Element) -> ET.Element:
    """Take the label out of a line's group and return it: the background and texts, with the line's tooltip."""
    first = next(at for at, child in enumerate(line) if child.tag == f"{_SVG}text")
    boxed = first > 0 and line[first - 1].tag == f"{_SVG}polygon" and line[first - 1].get("stroke") == "none"
    parts = line[first - boxed :]
    label = ET.Element(f"{_SVG}g", {"id": f"{line.get('id', '')}-label", "class": "label"})
    label.tail = "\n"
    tooltip = line.findtext(f"{_SVG}title")
    label.extend([*([_title(tooltip)] if tooltip else []), *parts])
    for part in parts:
        line.remove(part)
    return label


def _flat(parent: ET.Element) -> Iterator[ET.Element]:
    """Yield the children; in place of a link, or of a group around one, what it contains."""
    for child in parent:
        if child.tag == f"{_SVG}a" or (child.tag == f"{_SVG}g" and child.find(f"{_SVG}a") is not None):
            yield from _flat(child)
        else:
            yield child


def _join_rows(group: ET.Element) -> None:
    """Make one text of the pieces of each row of a label, anchored in its middle.

    Rows of the picture's heading that begin at one place, one below the other, are anchored there.
    """
    begins = _first_places(group) if group.get("class") == "graph" else {}
    common = {position for position, count in Counter(begins.values()).items() if count > 1}
    middle: float | None = None
    row: ET.Element | None = None
    children: list[ET.Element] = []
    for child in group:
        if child.tag in (f"{_SVG}polygon", f"{_SVG}path"):
            middle = _middle(child)
        if child.tag != f"{_SVG}text" or middle is None or child.get("text-anchor") != "start":
            children.append(child)
            row = None
            continue
        piece = ET.Element(f"{_SVG}tspan", {key: value for key in _FONT if (value := child.get(key))})
        piece.text = child.text
        if row is None or row.get("y") != child.get("y"):
            # blanks at the ends of pieces count
            font = {"font-family": child.get("font-family", "sans-serif"), _SPACE: "preserve"}
            left = begins.get(child.get("y", "0"), "")
            anchor, across = ("start", left) if left in common else ("middle", f"{middle:.2f}")
            position = {"text-anchor": anchor, "x": across, "y": child.get("y", "0")}
            row = ET.Element(f"{_SVG}text", position | font)
            row.tail = "\n"
            children.append(row)
        row.append(piece)
    group[:] = children


def _first_places(group: ET.Element) -> dict[str, str]:
    """Return where the first text of each row begins, by the row's height in the picture."""
    positions: dict[str, str] = {}
    for child in group:
        if child.tag == f"{_SVG}text" and child.get("text-anchor") == "start":
            positions.setdefault(child.get("y", "0"), child.get("x", "0"))
    return positions


def _middle(shape: ET.Element) -> float | None:
    """Return the horizontal middle of a box."""
    numbers = (shape.get("points") or shape.get("d") or "").translate(_SEPARATORS).split()
    try:
        across = [float(number) for number in numbers[::2]]
    except ValueError:
        return None
    return (min(across) + max(across)) / 2 if across else None


_SEPARATORS: Final = str.maketrans(dict.fromkeys("MCLZz,", " "))
