"""The reference tells all of what there is: keys of definitions, exit codes, columns of logs, variables."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from specminer._support import errors
from specminer.cli.app import DEFECT
from specminer.cli.interruption import INTERRUPTED
from specminer.history.trace import Fidelity
from specminer.learning.abstraction_definition import Definition, parse
from specminer.presentation.eventlog import COLUMNS
from specminer.specification import HistoryView, RejectedCalls, document_of
from tests.support.command import COMMANDS
from tools.field_texts import documented_fields

DOCS = Path(__file__).parent.parent.parent / "docs"
REFERENCE = DOCS / "reference"


def rows(path: Path) -> list[list[str]]:
    """Return the cells of all tables of a page."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def _keys(document: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in document.items():
        if prefix == "" and key in ("state", "events"):
            yield from _keys(value, f"{key}.")
        else:
            yield prefix + key


def test_all_keys_of_a_definition_are_told() -> None:
    given = document_of(Definition(refines="auction", phases=("paused",)).document)
    told = [row[0].strip("`") for row in rows(REFERENCE / "definitions.md") if len(row) == 3]
    assert sorted(told) == sorted({*_keys(given), "key", "---"})


def test_each_key_is_read() -> None:
    for key in _keys(document_of(Definition(refines="auction", phases=("paused",)).document)):
        group, _, name = key.rpartition(".")
        given = {"name": "x"} if key != "name" else {}
        text = "".join(f'{other} = "{value}"\n' for other, value in given.items())
        text += (f"[{group}]\n" if group else "") + f"{name} = 7.5\n"
        with pytest.raises(errors.FileFormatError, match=f"'{re.escape(key)}' should be"):
            parse(text, "here")


def test_all_choices_of_a_definition_are_told() -> None:
    text = (REFERENCE / "definitions.md").read_text()
    for kind in (HistoryView, RejectedCalls):
        for item in kind:
            assert f'`"{item.value}"`' in text


def test_all_exit_codes_are_told() -> None:
    codes = {value.exit_code for value in vars(errors).values() if hasattr(value, "exit_code")}
    told = {int(row[0]) for row in rows(REFERENCE / "commands.md") if row[0].isdigit()}
    assert told == codes | {0, 1, DEFECT, INTERRUPTED}


def test_all_environment_variables_are_told() -> None:
    names = {
        str(parameter.envvar)
        for command in COMMANDS.values()
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.envvar
    }
    told = {row[0].strip("`") for row in rows(REFERENCE / "commands.md") if row[0].startswith("`SPECMINER")}
    assert told == names | {"SPECMINER_DEBUG"}


def test_all_columns_of_the_log_are_told_in_order() -> None:
    told = [
        name
        for row in rows(REFERENCE / "logs.md")
        if len(row) == 2
        for name in re.findall(r"`(\w+)`", row[0])
    ]
    assert told == list(COLUMNS)


def test_all_kinds_of_fidelity_are_told() -> None:
    told = [row[0] for row in rows(DOCS / "explanation" / "histories.md") if len(row) == 2]
    assert told[2:] == [item.value for item in Fidelity]


def test_what_documents_hold_is_explained() -> None:
    """Every field of the documents has its sentence in the code; what they hold in turn may go without."""
    directives = [
        found
        for path in REFERENCE.glob("*.md")
        for found in re.findall(r"^```\{fields\} (\S+) (\S+)$", path.read_text(), flags=re.MULTILINE)
    ]
    assert len(directives) == 5
    for name, first in directives:
        if first != "HistoryEvidence":
            told = documented_fields(getattr(importlib.import_module(name), first))
            assert [field for field, _, text in told if not text] == []
