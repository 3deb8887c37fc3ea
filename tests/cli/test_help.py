"""The help: complete, readable, and as stored under ``snapshots/help``.

Set ``SPECMINER_UPDATE_SNAPSHOTS=1`` to write the stored texts instead of comparing them.
"""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path
from typing import Final

import click
import pytest

from specminer._support import errors
from tests.support.command import COMMANDS, environment, specminer

SNAPSHOTS: Final = Path(__file__).parent.parent / "snapshots" / "help"
UPDATE: Final = "SPECMINER_UPDATE_SNAPSHOTS"
WIDTH: Final = 100


IDS: Final = [" ".join(("specminer", *path)) for path in COMMANDS]


@pytest.mark.parametrize("path", COMMANDS, ids=IDS)
def test_the_help_is_the_stored_one(path: tuple[str, ...], tmp_path: Path) -> None:
    done = specminer(*path, "--help", cwd=tmp_path, env=environment(COLUMNS=str(WIDTH)))
    assert (done.code, done.err) == (0, "")
    stored = SNAPSHOTS / f"{'-'.join(('specminer', *path))}.txt"
    if os.environ.get(UPDATE):
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_text(done.out, encoding="utf-8")
    assert done.out == stored.read_text(encoding="utf-8")
    assert max(map(len, done.out.splitlines())) <= WIDTH
    assert "..." not in done.out.split("Commands:")[-1], (
        "a summary is cut; shorten it in the list of commands"
    )


def test_no_stored_help_is_left_over() -> None:
    names = {f"{'-'.join(('specminer', *path))}.txt" for path in COMMANDS}
    assert {path.name for path in SNAPSHOTS.iterdir()} == names


@pytest.mark.parametrize("path", COMMANDS, ids=IDS)
def test_every_command_and_option_is_explained(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert command.help.split("\n\n")[0].rstrip().endswith(".")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts
            assert parameter.help.rstrip().endswith("."), parameter.opts
            assert parameter.help[0].isupper(), parameter.opts
        else:
            shown = parameter.make_metavar(click.Context(command)).strip("[].")
            named = {shown, *shown.split("|")}
            assert any(name in command.help for name in named), f"{shown} is not explained"


_OWN: Final = ("--out", "--format", "--labels", "--at")
"""Options that each command explains for itself: what it writes, in which words, from where on."""


def test_options_of_one_name_mean_the_same() -> None:
    seen: dict[str, set[str | None]] = {}
    for command in COMMANDS.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.opts[0] not in _OWN:
                seen.setdefault(parameter.opts[0], set()).add(parameter.help)
    assert [name for name, texts in seen.items() if len(texts) > 1] == []


def test_both_names_of_the_help_and_the_version_work(tmp_path: Path) -> None:
    assert specminer("-h", cwd=tmp_path) == specminer("--help", cwd=tmp_path)
    done = specminer("--version", cwd=tmp_path)
    assert re.fullmatch(r"specminer \d+\.\d+\.\d+\S*\n", done.out)


def test_the_exit_codes_in_the_help_are_those_of_the_errors(tmp_path: Path) -> None:
    text = " ".join(specminer("--help", cwd=tmp_path).out.split())
    for part in ("0 done", "1 a check found", "2 wrong use", "3 the chain", "70 a defect", "130 interrupted"):
        assert part in text


def _classes() -> dict[str, type[errors.SpecminerError]]:
    return {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.SpecminerError)
    }


def test_every_error_is_drawn_in_the_tree_under_its_parent() -> None:
    drawn: dict[str, str | None] = {}
    stack: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([\s│├└─]*)([A-Z]\w+)(?:\s{2,}|$)", line)
        if found is None or found[2] not in _classes():
            continue
        while stack and stack[-1][0] >= len(found[1]):
            stack.pop()
        drawn[found[2]] = stack[-1][1] if stack else None
        stack.append((len(found[1]), found[2]))
    assert drawn == {
        name: None if value is errors.SpecminerError else value.__bases__[0].__name__
        for name, value in _classes().items()
    }


def test_the_errors_exit_codes_are_those_drawn() -> None:
    branches = {
        found[1]: int(found[2]) for found in re.finditer(r"── (\w+) .*exit code (\d+)", errors.__doc__ or "")
    }
    assert branches
    for value in _classes().values():
        for name, code in branches.items():
            if name in {base.__name__ for base in value.__mro__}:
                assert value.exit_code == code
