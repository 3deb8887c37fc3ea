"""Labels overlap nothing: measured in the drawings of every dataset, by both renderers, in both directions."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations, pairwise

import pytest

from specminer.pipeline.datasets import list_datasets
from specminer.presentation import graphviz_layout as layout
from specminer.presentation.dot import to_dot
from specminer.presentation.picture_options import Direction, Labels, PictureOptions
from tests.support.drawings import SVG, box, drawing, groups
from tests.support.mined import mined

Box = tuple[float, float, float, float]
SLACK = 1.0
"""Points that boxes may share: the width of a line."""
MARGIN = 4.0
"""Points around a label's text that belong to its box and are empty."""


@dataclass(frozen=True)
class Drawn:
    """What of a picture takes room."""

    nodes: dict[str, Box]
    labels: dict[str, Box]
    """By the line that they belong to."""
    lines: dict[str, list[tuple[float, float]]]
    """Points along each line, close together."""


def read(picture: bytes) -> Drawn:
    root = drawing(picture)
    labels = {}
    for group in groups(root, "label"):
        grounds = [shape for shape in group.iter(f"{SVG}polygon") if shape.get("stroke") == "none"]
        labels[group.attrib["id"].removesuffix("-label")] = box(grounds[0])
    return Drawn(
        nodes={group.attrib["id"]: outline(group) for group in groups(root, "node")},
        labels=labels,
        lines={group.attrib["id"]: along(group.find(f"{SVG}path")) for group in groups(root, "edge")},
    )


def outline(group: ET.Element) -> Box:
    dot = group.find(f"{SVG}ellipse")
    if dot is not None:
        x, y, right, down = (float(dot.attrib[name]) for name in ("cx", "cy", "rx", "ry"))
        return x - right, y - down, x + right, y + down
    return box(next(shape for shape in group if shape.tag in (f"{SVG}path", f"{SVG}polygon")))


def along(path: ET.Element | None) -> list[tuple[float, float]]:
    """Return points on a path of cubic curves."""
    assert path is not None
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
    given = list(zip(numbers[::2], numbers[1::2], strict=True))
    found = [given[0]]
    for first in range(1, len(given) - 2, 3):
        corners = (found[-1], *given[first : first + 3])
        for step in range(1, 25):
            t = step / 24
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            x, y = (sum(w * c[axis] for w, c in zip(weights, corners, strict=True)) for axis in (0, 1))
            found.append((x, y))
    return found


def overlap(one: Box, other: Box) -> bool:
    return all(one[at] + SLACK < other[at + 2] and other[at] + SLACK < one[at + 2] for at in (0, 1))


def inside(points: list[tuple[float, float]], shape: Box, margin: float) -> bool:
    left, top, right, bottom = shape
    return any(left + margin < x < right - margin and top + margin < y < bottom - margin for x, y in points)


@pytest.fixture(params=["dot", "pygraphviz"])
def renderer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pygraphviz":
        if find_spec("pygraphviz") is None:
            pytest.skip("missing part: pygraphviz")
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    elif shutil.which("dot") is None:
        pytest.skip("missing part: dot; install the Debian package graphviz")
    return str(request.param)


@pytest.mark.parametrize("labels", ["short", "full"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_nothing_overlaps(name: str, direction: Direction, labels: Labels, renderer: str) -> None:
    options = PictureOptions(direction=direction, labels=labels)
    drawn = read(layout.render_dot(to_dot(mined(name).specification, options), "svg"))
    assert drawn.labels
    for line, label in drawn.labels.items():
        assert not [node for node, shape in drawn.nodes.items() if overlap(label, shape)], line
        if labels == "short":  # where everything is told, a line may pass below the label of a loop
            crossing = [
                other
                for other, points in drawn.lines.items()
                if other != line and inside(points, label, MARGIN + SLACK)
            ]
            assert not crossing, line
    for (one, shape), (other, place) in combinations(drawn.labels.items(), 2):
        assert not overlap(shape, place), (one, other)
    for (_, shape), (_, place) in combinations(drawn.nodes.items(), 2):
        assert not overlap(shape, place)
    for line, points in drawn.lines.items():
        ends = line.split("-")
        crossed = [
            node
            for node, shape in drawn.nodes.items()
            if node not in ends and inside(points, shape, 3 * SLACK)
        ]
        assert not crossed, line


def test_the_measure_sees_what_overlaps() -> None:
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg"><g class="node" id="s1"><polygon points="0,0 40,0 40,40 0,40"/></g>'
        '<g class="edge" id="s1-s2"><path d="M40,20C60,20 80,20 100,20"/></g>'
        '<g class="label" id="s1-s2-label"><polygon stroke="none" points="30,10 70,10 70,30 30,30"/></g></svg>'
    )
    drawn = read(picture.encode())
    assert overlap(drawn.labels["s1-s2"], drawn.nodes["s1"])
    assert inside(drawn.lines["s1-s2"], drawn.labels["s1-s2"], MARGIN)
    assert not inside(drawn.lines["s1-s2"], drawn.nodes["s1"], 0)
    assert max(abs(one[0] - other[0]) for one, other in pairwise(drawn.lines["s1-s2"])) < 5
