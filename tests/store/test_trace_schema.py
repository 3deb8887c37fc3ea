"""The JSON Schema of trace files says what the reader does, and what the documentation does."""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from specminer._support.errors import FileFormatError
from specminer.history.trace import (
    MAX_CALL_DATA,
    MAX_CALL_OUTPUT,
    MAX_LOG_DATA,
    CallKind,
    EnvironmentKind,
    Fidelity,
    Tracer,
)
from specminer.pipeline.datasets import list_datasets
from specminer.sources import traceline
from specminer.sources.field_notation import FieldError
from specminer.sources.tracefile import Header
from specminer.sources.traceline import header_in, header_out, transaction_in, transaction_out
from tests.support.histories import block_of, record_of, simulate

DOCS: Final = Path(__file__).parents[2] / "docs"
SCHEMA: Final[dict[str, Any]] = json.loads((DOCS / "trace-file.schema.json").read_text())
LINE: Final = Draft202012Validator(SCHEMA)
SEMANTIC: Final = re.compile(
    "ascending positions|the same position|position of an earlier one|expected the same value before and after"
    "|is behind last_block|expected last_block|ABI is malformed|has no name|deeper than"
    "|expected the first ones of|version 1 has no field"
)
"""What the reader refuses because of what fields say together, or of an ABI's inside: a schema cannot say it."""


def lines(seed: int) -> list[dict[str, Any]]:
    """Return the lines of a file, header first, as JSON would give them."""
    made = simulate(seed, 8, tracers=tuple(Tracer)).transactions
    last = made[-1].block.number
    header = Header(
        record=record_of(),
        first_block=10,
        last_block=last,
        transactions=len(made),
        tip=made[-1].block if seed % 2 else None,
        limits=("a sentence",) * (seed % 3),
    )
    written: list[Any] = [header_out(header), *map(transaction_out, made)]
    found = [json.loads(msgspec.json.encode(line)) for line in written]
    if seed % 2:
        found[1]["fidelity"] = list(Fidelity)[seed % len(Fidelity)].value
    return found


def refusal(line: dict[str, Any], *, header: bool) -> str | None:
    """Return what the reader says against a line; ``None`` if it takes it."""
    text = json.dumps(line).encode()
    try:
        if header:
            magic = msgspec.json.decode(text, type=traceline.MagicLine)
            if magic.format != traceline.FORMAT or magic.version not in traceline.VERSIONS:
                return "another format"
            header_in(msgspec.json.decode(text, type=traceline.HeaderLine), "artifact")
        else:
            transaction_in(msgspec.json.decode(text, type=traceline.TransactionLine))
    except (msgspec.ValidationError, FieldError, FileFormatError) as error:
        return str(error)
    return None


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_shipped_files_are_valid(name: str) -> None:
    (item,) = (item for item in list_datasets() if item.name == name)
    for path in item.trace_files[:3]:
        with gzip.open(path) as file:
            for number, line in enumerate(file):
                if number < 25:  # a schema is slow to check; the first lines have all kinds
                    LINE.validate(json.loads(line))


@settings(max_examples=30)
@given(st.integers(0, 1 << 32))
def test_what_is_written_is_valid_and_read(seed: int) -> None:
    for number, line in enumerate(lines(seed)):
        assert refusal(line, header=number == 0) is None
        LINE.validate(line)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each part of a document."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, -1, 0, 1, 1 << 31, (1 << 31) - 1, 1 << 63, (1 << 63) - 1, 1 << 300, 0.5),
    *("", "0", "7", "0x", "0x0", "0x1", "0xzz", "1" * 78, "1" * 79, "-1", "0X12", "read", "write", "exact"),
    *("0x" + "a" * 40, "0x" + "B" * 64, "0x" + "0" * 65, "javascript", "halted", "internal", "x" * 501),
    *([], {}, [[]], ["0x"], [None], {"a": 1}, {"abi": []}, {"0x" + "1" * 40: "0x"}, [{"type": "fallback"}]),
)


@settings(max_examples=400)
@given(st.integers(0, 50), st.data())
def test_reader_and_schema_refuse_the_same(seed: int, data: st.DataObject) -> None:
    found = lines(seed)
    number = data.draw(st.integers(0, len(found) - 1))
    line = copy.deepcopy(found[number])
    *way, key = data.draw(st.sampled_from(list(places(line))))
    inside: Any = line
    for step in way:
        inside = inside[step]
    change = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "replace":
        inside[key] = data.draw(st.sampled_from(VALUES))
    elif change == "remove":
        del inside[key]
    elif isinstance(inside, dict):
        inside[data.draw(st.sampled_from(["more", "", "Hash", "fidelity", "tip"]))] = None
    else:
        inside.insert(key, copy.deepcopy(inside[key]))
    said = refusal(line, header=number == 0)
    kind = "header" if number == 0 else "transaction"
    valid = LINE.evolve(schema={"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}).is_valid(line)
    if said is None:
        assert valid, (line, "is read, but the schema refuses it")
    elif not SEMANTIC.search(said):
        assert not valid, (line, "the schema takes it, but the reader says:", said)


TABLE: Final = re.compile(r"^\| (`[a-z_`, ]+`) \| (.*?) \|", re.MULTILINE)


def documented(section: str) -> dict[str, bool]:
    """Return the fields that a table of the documentation lists, and whether they may be left out."""
    text = (DOCS / "trace-file.md").read_text()
    part = (
        text.split(section, 1)[1]
        .split("\n## ")[0]
        .split("\n`contract`:")[0 if "contract`" not in section else -1]
    )
    return {
        name: "default" in kind
        for names, kind in TABLE.findall(part)
        for name in re.findall(r"`([a-z_]+)`", names)
    }


@pytest.mark.parametrize(
    ("section", "kind", "struct"),
    [
        ("## Header\n", "header", traceline.HeaderLine),
        ("\n`contract`:\n", "contract", traceline._Contract),
        ("## Transaction\n", "transaction", traceline.TransactionLine),
        ("## Invocation\n", "invocation", traceline._Invocation),
    ],
)
def test_documentation_schema_and_reader_name_the_same_fields(section: str, kind: str, struct: Any) -> None:
    told = documented(section)
    schema = SCHEMA["$defs"][kind]
    assert list(told) == list(schema["properties"])
    assert [name for name, optional in told.items() if not optional] == schema["required"]
    fields = msgspec.structs.fields(struct)
    assert [field.name for field in fields] == list(schema["properties"])
    assert [field.name for field in fields if field.required] == schema["required"]


def test_the_block_of_documentation_schema_and_reader_is_the_same() -> None:
    text = (DOCS / "trace-file.md").read_text()
    (told,) = re.findall(r"A \*\*block\*\* is an object: (.*?)\. ", text)
    assert re.findall(r"`([a-z_]+)` \(", told) == list(SCHEMA["$defs"]["block"]["properties"])
    block = transaction_out(simulate(1, 1, first_block=11).transactions[0]).block
    assert list(msgspec.to_builtins(block)) == list(SCHEMA["$defs"]["block"]["properties"])
    assert block_of(3).number == 3


def test_bounds_of_documentation_schema_and_model_are_the_same() -> None:
    assert MAX_CALL_DATA == MAX_CALL_OUTPUT == MAX_LOG_DATA
    assert f"{{0,{MAX_CALL_DATA}}}" in SCHEMA["$defs"]["start"]["pattern"]
    assert f"at most the first {MAX_CALL_DATA:,} bytes" in (DOCS / "trace-file.md").read_text()


@pytest.mark.parametrize(("kind", "values"), [("call", CallKind), ("answer", EnvironmentKind)])
def test_kinds_of_answers_are_those_of_the_schema(
    kind: str, values: type[CallKind | EnvironmentKind]
) -> None:
    text = (DOCS / "trace-file.md").read_text()
    assert SCHEMA["$defs"][kind]["prefixItems"][1]["enum"] == [item.value for item in values]
    assert all(f'`"{item.value}"`' in text for item in values)
