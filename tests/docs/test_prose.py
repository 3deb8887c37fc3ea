"""Words and turns of phrase in documentation, help and what is printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.check_prose import DISCOURAGED, findings, findings_in, prose_of, texts_of

ROOT = Path(__file__).parent.parent.parent


def test_nothing_discouraged_is_written() -> None:
    assert [f"{item.place}: {item.words}; write {item.better}" for item in findings()] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A user did what he could.", "he"),
        ("Three calls are about none.", "are about none"),
        ("What nothing contradicts\nvouches for nothing.", "vouches for"),
        ("In order to read it", "In order to"),
    ],
)
def test_what_is_discouraged_is_found(text: str, words: str) -> None:
    assert [item.words for item in findings_in(text, "here")] == [words]


def test_names_and_parts_of_words_are_left_alone() -> None:
    assert not list(findings_in("the `he` of `_his`; she-oak is a tree, and here, there, ache", "here"))
    assert len({better for _, better in DISCOURAGED}) > 10


def test_code_and_output_in_pages_are_no_prose() -> None:
    page = "He\n\n```console\n$ he\nhis\n```\n\nand `she` then\nher"
    assert [(item.place, item.words) for item in findings_in(prose_of(page), "page")] == [
        ("page:1", "He"),
        ("page:9", "her"),
    ]


def test_docstrings_are_no_texts_for_users() -> None:
    source = '"""He did what he could."""\nx = f"{1} he said nothing"\ny = "he"\n'
    assert list(texts_of(source)) == [(2, " he said nothing")]


def test_no_word_is_misspelt() -> None:
    program = Path(sys.executable).with_name("typos")
    done = subprocess.run(
        [program, "--format", "brief"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
