"""Laying out: both renderers, the same bytes, clean SVG, and errors that say what to do."""

from __future__ import annotations

import shutil
import stat
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from specminer._support.errors import RenderError
from specminer.presentation import graphviz_layout as layout
from specminer.presentation.dot import to_dot
from specminer.presentation.graphviz_layout import render_dot, renderer
from specminer.presentation.picture_options import Direction, Labels, PictureOptions
from tests.support.drawings import box, drawing, groups
from tests.support.specifications import auction, horses

SVG = "{http://www.w3.org/2000/svg}"
HAS_PYGRAPHVIZ = find_spec("pygraphviz") is not None


@pytest.fixture(
    params=[
        pytest.param(
            "dot", marks=pytest.mark.skipif(shutil.which("dot") is None, reason="missing part: dot")
        ),
        pytest.param(
            "pygraphviz", marks=pytest.mark.skipif(not HAS_PYGRAPHVIZ, reason="missing part: pygraphviz")
        ),
    ]
)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Make each renderer in turn the one that is used."""
    if request.param == "pygraphviz":
        monkeypatch.setenv("PATH", str(tmp_path))
    return str(request.param)


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Return what puts a shell script in the place of ``dot``."""

    def put(script: str) -> None:
        file = tmp_path / "dot"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


def test_the_renderer_is_named(engine: str) -> None:
    assert (renderer() or "").startswith(engine)


@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_every_format_is_drawn(engine: str, format: Any, start: bytes) -> None:  # noqa: A002
    assert render_dot(to_dot(auction()), format).startswith(start)


def test_the_same_source_gives_the_same_svg(engine: str) -> None:
    source = to_dot(horses())
    assert render_dot(source) == render_dot(source)


def test_the_svg_is_an_image_with_a_title_and_no_references(engine: str) -> None:
    picture = render_dot(to_dot(horses()))
    root = ET.fromstring(picture)
    assert root.get("role") == "img"
    assert root.get("aria-label") == "GetTheHorse"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "GetTheHorse"
    assert b"<!DOCTYPE" not in picture
    assert picture.count(b"http") == 1, "the namespace of SVG"


def test_links_of_a_source_are_dropped_and_tooltips_kept_as_text(engine: str) -> None:
    source = 'digraph x {a [URL="javascript:f()" tooltip="<script>"]; a -> b [URL="http://x" tooltip="t"]}'
    picture = render_dot(source)
    titles = [title.text for title in drawing(picture).iter(f"{SVG}title")]
    assert sorted(map(str, titles)) == ["<script>", "t", "x"]
    assert b"javascript" not in picture
    assert b"href" not in picture


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("labels", ["short", "full"])
def test_labels_stay_off_the_boxes(engine: str, direction: Direction, labels: Labels) -> None:
    root = drawing(render_dot(to_dot(horses(), PictureOptions(direction=direction, labels=labels))))
    boxes = [box(group.findall(f"{SVG}path")[0]) for group in groups(root, "state")]
    assert len(boxes) == 7
    for group in groups(root, "label"):
        left, top, right, bottom = box(group.findall(f"{SVG}polygon")[-1])
        assert right - left > 20
        for west, north, east, south in boxes:
            assert right <= west or east <= left or bottom <= north or south <= top, group[0].text


def test_warnings_stay_off_the_terminal(engine: str, capfd: pytest.CaptureFixture[str]) -> None:
    render_dot('digraph x {a [fontname="No Such Font" shape=nosuchshape]}')
    assert capfd.readouterr() == ("", "")


def test_a_malformed_source_is_an_error(engine: str) -> None:
    with pytest.raises(RenderError, match=r"failed with exit code|not well-formed"):
        render_dot("digraph {")


def test_without_a_renderer_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(layout, "find_spec", lambda name: None)
    assert renderer() is None
    with pytest.raises(RenderError, match="pip install pygraphviz") as caught:
        render_dot("digraph x {}")
    assert caught.value.exit_code == 3


def test_a_layout_that_takes_too_long_is_given_up(program: Callable[[str], None]) -> None:
    program("exec sleep 20")
    with pytest.raises(RenderError, match=r"within 0\.2 seconds"):
        render_dot("digraph x {}", timeout=0.2)


def test_what_a_failing_renderer_says_is_quoted_safely(program: Callable[[str], None]) -> None:
    program("printf 'bad \\033[31mplugin' >&2; exit 4")
    with pytest.raises(RenderError, match=r"exit code 4: bad \\x1b\[31mplugin"):
        render_dot("digraph x {}")


def test_a_broken_svg_is_an_error(program: Callable[[str], None]) -> None:
    program("echo '<svg>'")
    with pytest.raises(RenderError, match="not well-formed"):
        render_dot("digraph x {}")


def test_an_unknown_format_is_an_error() -> None:
    wrong: Any = "gif"
    with pytest.raises(RenderError, match="svg, png, pdf, got gif"):
        render_dot("digraph x {}", wrong)
