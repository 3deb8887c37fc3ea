"""Options reach commands in bundles: every option is read, and no command takes a long list."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from pathlib import Path

import pytest

from specminer import cli
from specminer.cli.bundles import bundle_options, options_read
from tests.support.command import COMMANDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    url: str
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    most: int = 7
    helper: Address | None = None


@bundle_options
def command(node: Address | None, limits: Limits, name: str) -> tuple[Address | None, Limits, str]:
    return node, limits, name


def test_fields_are_filled_by_their_names() -> None:
    given = {"node_url": "a", "headers": ("x",), "most": 3, "helper_url": "b", "name": "n"}
    expected = (
        Address(url="a", headers=("x",)),
        Limits(most=3, helper=Address(url="b", headers=("x",))),
        "n",
    )
    assert command(**given) == expected


def test_what_was_not_given_is_none_and_defaults_hold() -> None:
    assert command(node_url=None, helper_url=None, name="n") == (None, Limits(most=7, helper=None), "n")


def test_what_is_missing_is_a_mistake() -> None:
    @bundle_options
    def needs(node: Address) -> Address:
        return node

    with pytest.raises(TypeError):
        needs(name="n")


@pytest.mark.parametrize("path", [path for path in COMMANDS if path], ids=" ".join)
def test_every_option_of_a_command_is_read(path: tuple[str, ...]) -> None:
    item = COMMANDS[path]
    assert item.callback is not None
    options = {parameter.name: None for parameter in item.params if parameter.name}
    assert options_read(inspect.unwrap(item.callback), options) == set(options)


def test_no_function_of_the_command_line_takes_more_than_seven_parameters() -> None:
    for path in Path(cli.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = len(node.args.args) + len(node.args.kwonlyargs) + len(node.args.posonlyargs)
                assert count <= 7, f"{path}: {node.name}"


def test_a_command_is_a_module_that_says_first_what_it_does() -> None:
    modules = list(Path(cli.__file__).parent.glob("*_command.py"))
    for path in modules:
        first = path.read_text().split("\n", 1)[0]
        assert first.startswith('"""'), path
        assert first.endswith('."""'), path
    assert len(COMMANDS) > len(modules) > 20
