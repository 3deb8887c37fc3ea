"""List, show and check abstraction definitions."""

from __future__ import annotations

from pathlib import Path

import click

from specminer._support.errors import UsageError, plain
from specminer.learning.abstraction_definition import check_forms
from specminer.learning.definition_catalogue import find, paths, resolve


@click.group("abstractions")
def command() -> None:
    """Show the shipped abstraction definitions and check one's own.

    A definition says what states may depend on. One whose interface fits a contract's ABI is used by
    itself; any is used with `specminer mine --abstraction NAME|FILE`.
    """


@command.command("list")
def list_command() -> None:
    """List the shipped definitions."""
    definitions = {name: resolve(path) for name, path in paths().items()}
    width = max(map(len, definitions))
    for name, definition in definitions.items():
        by_itself = " (used by itself where the ABI fits)" if definition.applies_to else ""
        click.echo(f"{name:<{width}}  {definition.summary}{by_itself}")


@command.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """Show the definition NAME as TOML, to copy and edit."""
    shipped_paths = paths()
    if name not in shipped_paths:
        find(name)
        raise UsageError(f"'{plain(name, 200)}' is a file; `specminer abstractions check` reads it")
    click.echo(shipped_paths[name].read_text(encoding="utf-8").rstrip())


@command.command("check")
@click.argument("name")
def check_command(name: str) -> None:
    """Check that a definition is well-formed, with all that it refines; say what it asks for.

    NAME is a shipped definition's, or the path of a TOML file.
    """
    path = find(name)
    definition = resolve(Path(path))
    check_forms(definition, plain(path))
    clauses = [
        ("fixes", definition.fix),
        ("prefers", definition.prefer),
        ("forbids", definition.forbid),
        ("joins", definition.merge),
        ("names", tuple(definition.names)),
        ("splits", tuple(definition.split)),
        ("drops", definition.drop),
        ("applies to", definition.applies_to),
    ]
    click.echo(f"{plain(path)} is well-formed: {plain(definition.name)}")
    for verb, texts in clauses:
        if texts:
            click.echo(f"  {verb:<10} {'; '.join(plain(text, 100) for text in texts)}")
    if definition.only:
        click.echo("  nothing else is searched for")
