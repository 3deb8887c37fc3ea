"""The JSON Schema of automaton.json is that of the types, says what the reader does, and holds for what is written."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from specminer._support.errors import FileFormatError, SpecminerError
from specminer.comparison.score import Labels, language
from specminer.learning.abstraction_definition import Definition
from specminer.learning.definition_toml import dump
from specminer.pipeline.datasets import list_datasets
from specminer.predicate.smtlib_document import smtlib
from specminer.presentation.abstraction_explanation import explanation
from specminer.presentation.dot import to_dot
from specminer.presentation.markdown import to_markdown
from specminer.presentation.report_document import Report
from specminer.presentation.summary import summary
from specminer.specification import (
    HistorySummary,
    InteractionsSummary,
    Specification,
    decode_specification,
    encode_specification,
)
from tests.support.mined import mined
from tests.support.specifications import HOSTILE_NAMES, SAMPLES, hostile
from tools import automaton_schema

DATA: Final = Path(__file__).parent.parent / "data" / "earlier"
SCHEMA: Final[dict[str, Any]] = json.loads(automaton_schema.PATH.read_text(encoding="utf-8"))
SPECIFICATION: Final = SCHEMA["$defs"]["Specification"]
ENCODABLE: Final = tuple(name for name in HOSTILE_NAMES if "\ud800" not in name)
DOCUMENT: Final = Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_that_of_the_types() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert automaton_schema.main(["--check"]) == 0, "run `make schema`"


def test_another_schema_is_noticed(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automaton_schema, "PATH", tmp_path / "schema.json")
    assert automaton_schema.main(["--check"]) == 1
    assert automaton_schema.main([]) == 0
    assert automaton_schema.main(["--check"]) == 0


def test_every_part_and_field_is_explained() -> None:
    for name, part in SCHEMA["$defs"].items():
        assert part["description"], name
        for field, value in part.get("properties", {}).items():
            assert value.get("description") or field in ("format", "version"), f"{name}.{field}"


@pytest.mark.parametrize("build", [*SAMPLES.values(), lambda: hostile(ENCODABLE)], ids=[*SAMPLES, "hostile"])
def test_documents_of_the_tests_are_valid(build: Callable[[], Specification]) -> None:
    DOCUMENT.validate(json.loads(encode_specification(build())))


@pytest.mark.slow
@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_what_is_mined_is_valid(name: str) -> None:
    DOCUMENT.validate(json.loads(encode_specification(mined(name).specification)))


@pytest.fixture(scope="module")
def small() -> str:
    """Return a mined document that has of each list the first item only, as JSON."""
    return json.dumps(shortened(json.loads(encode_specification(mined("loans").specification))))


def shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        pair = len(value) == 2 and not any(isinstance(item, dict) for item in value)
        return [shortened(item) for item in (value if pair else value[:1])]
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each part of a document."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, -1, 0, 1, 7, 1 << 63, (1 << 63) - 1, 1 << 300, 0.5, -0.5, 1e-300),
    *("", "0", "7", "call", "returned", "required", "yes", "contract", "\x1b[2J", "\ud800", "x" * 10_000),
    *([], {}, [[]], ["a", "b"], [None], [0.1, 0.2], [1, 2], {"a": 1}, {"a": "b"}, {"of": "state"}),
)


@st.composite
def mutations(draw: st.DrawFn, whole: str) -> Any:
    """Return a document, given as JSON, in which one to three values are replaced, removed, doubled or added."""
    document = json.loads(whole)
    for _ in range(draw(st.integers(1, 3))):
        *way, key = draw(st.sampled_from(list(places(document))))
        inside: Any = document
        for step in way:
            inside = inside[step]
        change = draw(st.sampled_from(["replace", "remove", "add"]))
        if change == "replace":
            inside[key] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif change == "remove":
            del inside[key]
        elif isinstance(inside, dict):
            inside[draw(st.sampled_from(["more", "", "Scope", "selection", "phases"]))] = None
        else:
            inside.insert(key, copy.deepcopy(inside[key]))
        if not document:
            break
    return document


EARLIER: Final = {
    "auction_house-f6dd398": "without guards, confidence, surprise and the front's automata",
    "savings-a3e4a89": "without guards, with intervals of transitions",
    "savings-19f91a2": "with guards of functions, without those of transitions",
}
"""Documents that earlier commits wrote, by name and commit; what stands in them."""


@pytest.mark.parametrize("name", EARLIER)
def test_documents_of_earlier_commits_are_valid_and_read_and_shown(name: str) -> None:
    with gzip.open(DATA / f"{name}.json.gz") as file:
        text = file.read()
    DOCUMENT.validate(json.loads(text))
    spec = decode_specification(text)
    assert decode_specification(encode_specification(spec)) == spec
    assert spec.history.invocations is not None
    assert f"{spec.history.invocations:,} calls" in " ".join(summary(spec, width=200).split())
    assert to_markdown(Report(specification=spec, evidence=None)).startswith("# ")
    assert to_dot(spec).startswith("digraph")


def test_a_document_without_all_that_has_a_default_is_read_and_shown(small: str) -> None:
    document = json.loads(small)
    for *way, key in sorted(places(document), key=len):
        inside: Any = document
        with suppress(KeyError):
            for step in way:
                inside = inside[step]
            if isinstance(inside, dict):
                value = inside.pop(key)
                if refused(document):
                    inside[key] = value
    assert sorted(document) == sorted(SPECIFICATION["required"])
    spec = decode_specification(json.dumps(document).encode())
    assert (spec.history, spec.interactions) == (HistorySummary(), InteractionsSummary())
    assert "? transactions with ? calls" in " ".join(show(spec).split())


def show(spec: Specification) -> str:
    """Return all that is written of a specification."""
    report = to_markdown(Report(specification=spec, evidence=None))
    definition = dump(Definition.of(spec.abstraction))
    return "\n".join([summary(spec), explanation(spec), to_dot(spec), smtlib(spec), report, definition])


def refused(document: Any) -> str | None:
    """Return what the reader says against a document; ``None`` if it takes it."""
    try:
        decode_specification(json.dumps(document).encode(), "some.json")
    except FileFormatError as error:
        return str(error)
    return None


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_reader_and_schema_refuse_the_same(small: str, data: st.DataObject) -> None:
    document = data.draw(mutations(small))
    refusal = refused(document)
    if refusal is None:
        DOCUMENT.validate(document)
    elif "is not JSON" not in refusal:  # half a surrogate pair; a schema says nothing of the text
        assert not DOCUMENT.is_valid(document), (refusal, "but the schema takes it")


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_mutated_document_is_refused_or_shown_and_is_never_a_defect(
    small: str, data: st.DataObject
) -> None:
    document = data.draw(mutations(small))
    refusal = refused(document)
    if refusal is not None:
        assert refusal.startswith("some.json ")
        return
    spec = decode_specification(json.dumps(document).encode())
    assert decode_specification(encode_specification(spec)) == spec
    with suppress(SpecminerError):
        show(spec)
    for place in range(len(spec.front)):
        with suppress(SpecminerError):
            show(spec.at(place))
    with suppress(SpecminerError):
        language(spec, Labels.EVENTS)
