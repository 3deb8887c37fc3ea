"""``specminer render``: every format and option, file names, and errors that say what to do."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from specminer.presentation.dot import to_dot
from specminer.presentation.graphviz_layout import render_dot, renderer
from specminer.presentation.picture_options import PictureOptions
from specminer.specification import encode_specification
from tests.support.browser import loaded
from tests.support.command import specminer
from tests.support.drawings import drawing, groups, written
from tests.support.specifications import HOSTILE_NAMES, horses, hostile

STARTS = {
    "svg": b"<?xml",
    "png": b"\x89PNG",
    "pdf": b"%PDF",
    "dot": b"digraph GetTheHorse",
    "mmd": b"---\ntitle",
    "graphml": b"<graphml",
}
drawn = pytest.mark.skipif(renderer() is None, reason="missing part: dot or pygraphviz")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "automaton.json").write_bytes(encode_specification(horses()))
    return tmp_path


@drawn
def test_every_format_is_written_beside_the_automaton(folder: Path) -> None:
    done = specminer(
        "render", "automaton.json", "--format", "svg,png,pdf,dot,mermaid,graphml", "--no-legend", cwd=folder
    )
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [f"automaton.{suffix}" for suffix in STARTS]
    for suffix, start in STARTS.items():
        assert (folder / f"automaton.{suffix}").read_bytes().startswith(start)


@drawn
def test_the_theme_is_part_of_the_name_and_the_folder_is_made(folder: Path) -> None:
    done = specminer("render", "automaton.json", "--theme", "dark", "--out", "a/b", cwd=folder)
    assert (done.code, done.out) == (0, "a/b/automaton-dark.svg\n")
    drawing((folder / "a" / "b" / "automaton-dark.svg").read_bytes())


def test_another_point_of_the_front_is_drawn(tmp_path: Path) -> None:
    assert specminer("mine", "auction_house", "--out", ".", "--quiet", cwd=tmp_path).code == 0
    done = specminer("render", "automaton.json", "--states", "3", "--format", "dot", cwd=tmp_path)
    assert (done.code, done.out) == (0, "automaton-3-states.dot\n")
    assert (tmp_path / "automaton-3-states.dot").read_text().count('class="state') == 2
    done = specminer("render", "automaton.json", "--states", "99", "--format", "dot", cwd=tmp_path)
    assert done.code == 2
    assert "no automaton of 99 states is on the front" in done.err


def test_shares_and_directions_and_labels_are_followed(folder: Path) -> None:
    def source(*options: str) -> str:
        done = specminer("render", "automaton.json", "--format", "dot", *options, cwd=folder)
        assert done.code == 0, done.text
        return (folder / "automaton.dot").read_text()

    usual = source()
    assert "hidden" in usual
    assert "hidden" not in source("--min-share", "0")
    assert source("--min-share", "5%") == source("--min-share", "0.05")
    assert len(source("--min-share", "5%")) <= len(usual) < len(source("--min-share", "0"))
    assert "rankdir=TB" in usual
    assert "rankdir=LR" in source("--direction", "LR")
    assert ">approve<" not in usual
    assert ">approve<" in source("--labels", "full")
    assert ">Horses &amp; foals<" in source("--title", "Horses & foals")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "gif"), "'gif' is none of svg, png, pdf, dot, mermaid, graphml"),
        (("--min-share", "a lot"), "no share such as 1% or 0.01"),
        (("--min-share", "-1%"), "no share"),
        (("--min-share", "nan"), "no share"),
        (("--states", "2"), "no automaton of 2 states"),
        (("--format", "dot", "--out", "/proc/nowhere"), "give --out another"),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    done = specminer("render", "automaton.json", *arguments, cwd=folder)
    assert done.code == 2
    assert said in done.err
    assert [path.name for path in folder.iterdir()] == ["automaton.json"]


def test_what_is_no_automaton_is_refused(folder: Path) -> None:
    (folder / "x.json").write_text("{}")
    for name, said in (("x.json", "no format"), ("none.json", "cannot be read"), (".", "is a directory")):
        done = specminer("render", name, cwd=folder)
        assert done.code == 2
        assert said in done.err


def test_graphml_holds_everything(folder: Path) -> None:
    assert specminer("render", "automaton.json", "--format", "graphml", cwd=folder).code == 0
    root = ET.parse(folder / "automaton.graphml").getroot()
    space = {"g": "http://graphml.graphdrawing.org/xmlns"}
    spec = horses()
    assert len(root.findall(".//g:node", space)) == len(spec.states)
    assert len(root.findall(".//g:edge", space)) == len(spec.transitions)
    texts = {data.text for data in root.iter("{http://graphml.graphdrawing.org/xmlns}data")}
    assert {state.name for state in spec.states} <= texts
    assert {edge.event for edge in spec.transitions} <= texts
    assert spec.transitions[0].witnesses[0] in texts


@drawn
def test_the_usual_path_is_drawn_apart(folder: Path) -> None:
    specminer("render", "automaton.json", cwd=folder)
    root = drawing((folder / "automaton.svg").read_bytes())
    usual = [group.get("id") for group in groups(root, "usual")]
    assert set(usual) == {"s0-s1", "s1-s2", "s2-s3", "s1", "s2", "s3"}
    assert written(groups(root, "label")[0]) == "createGen0Horse452"
    assert groups(root, "label")[0].get("id") == "s0-s1-label"


@drawn
def test_hostile_texts_come_out_as_text_in_every_format(tmp_path: Path) -> None:
    names = tuple(name for name in HOSTILE_NAMES if "\ud800" not in name)  # JSON holds no lone surrogate
    (tmp_path / "automaton.json").write_bytes(encode_specification(hostile(names)))
    formats = "svg,png,pdf,dot,mermaid,graphml"
    done = specminer(
        "render", "automaton.json", "--format", formats, "--labels", "full", "--quiet", cwd=tmp_path
    )
    assert (done.code, done.err) == (0, ""), done.text
    text = written(drawing((tmp_path / "automaton.svg").read_bytes()))
    for name in ("</script><imgsrc=xonerror=alert(1)>", "]]><!----><![CDATA[", "\\u202egnp.\\u200b\\u2066x"):
        assert name in text
    for suffix in ("svg", "dot", "mmd", "graphml"):
        source = (tmp_path / f"automaton.{suffix}").read_text(encoding="utf-8")
        assert "<script" not in source
        assert "<img" not in source
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]", source
        )
    assert ET.parse(tmp_path / "automaton.graphml").getroot().tag.endswith("graphml")
    assert max(path.stat().st_size for path in tmp_path.iterdir() if path.suffix != ".graphml") < 2_000_000


@drawn
@pytest.mark.usefixtures("browser")
def test_a_hostile_picture_in_a_browser_runs_nothing_and_asks_for_nothing(tmp_path: Path) -> None:
    picture = render_dot(to_dot(hostile(), PictureOptions(labels="full"))).decode()
    guard = "<!doctype html><title>quiet</title><script>window.alert = () => { document.title = 'attacked' }</script>"
    page = loaded(guard + picture.split("?>", 1)[1], tmp_path)
    assert "<title>quiet</title>" in page
    assert page.count("<script") == 1
    assert not re.search(r"<[^>]*\s(?:on\w+|(?:xlink:)?href|src)=", page)
