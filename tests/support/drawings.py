"""Reading drawings back: their groups and texts, and that nothing in them runs or leads anywhere."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = frozenset(("svg", "g", "title", "path", "polygon", "polyline", "ellipse", "text", "tspan"))


def drawing(picture: bytes) -> ET.Element:
    """Parse an SVG; assert that it is of nothing but plain shapes and texts."""
    root = ET.fromstring(picture)
    assert {element.tag for element in root.iter()} <= {SVG + name for name in _ELEMENTS}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert "href" not in name
            assert not name.startswith("on")
            assert name != "style"
            assert "url(" not in value
            assert "javascript" not in value or name == "aria-label"
    assert b"<!DOCTYPE" not in picture
    assert b"<?xml-stylesheet" not in picture
    return root


def groups(root: ET.Element, kind: str) -> list[ET.Element]:
    """Return the groups of a kind (``node``, ``edge``, ``usual`` ...), in the order in which they are drawn."""
    return [group for group in root.iter(f"{SVG}g") if kind in group.get("class", "").split()]


def written(group: ET.Element) -> str:
    """Return what is written in a group, without blanks, which a renderer may set as it likes."""
    texts = ("".join(text.itertext()) for text in group.iter(f"{SVG}text"))
    return re.sub(r"\s", "", "".join(texts))


def box(shape: ET.Element) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a shape of points or a path."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", shape.get("points") or shape.attrib["d"])]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
