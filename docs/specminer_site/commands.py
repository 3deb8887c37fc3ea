"""The reference of all commands and options, made from the commands themselves.

sphinx-click was tried and left: it reads help texts as reStructuredText, so that a bar or a star in one breaks the
build. Here a text is what ``--help`` prints, and only its code is marked.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click
from docutils import nodes

from specminer.cli.app import app

from .made import Made, code, inline, listing, paragraph


class Commands(Made):
    """``commands``: each command in a section of its own."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return [self._of(path, command) for path, command in commands(app, ("specminer",)) if path[1:]]

    def _of(self, path: tuple[str, ...], command: click.Command) -> nodes.section:
        found = self.section(code(" ".join(path)), "-".join(path[1:]))
        context = click.Context(command, info_name=" ".join(path))
        usage = " ".join([*path, *command.collect_usage_pieces(context)])
        found += listing(usage, "none")
        found += described(command.help or "")
        records = [
            record
            for parameter in command.params
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
        ]
        if records:
            options = nodes.definition_list(classes=["options"])
            for names, text in records:
                options += nodes.definition_list_item(
                    "", nodes.term("", "", code(names)), nodes.definition("", paragraph(text))
                )
            found += options
        return found


def commands(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all that are in it, by name."""
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from commands(inner, (*path, name))


def described(text: str) -> list[nodes.Node]:
    r"""Return a help text as click lays it out: paragraphs, and what ``\b`` marks as it stands."""
    found: list[nodes.Node] = []
    for part in text.replace("\f", "").split("\n\n"):
        if part.lstrip().startswith("\b"):
            found.append(listing(textwrap.dedent(part.partition("\b\n")[2]).strip("\n"), "none"))
        else:
            found.append(nodes.paragraph("", "", *inline(" ".join(part.split()))))
    return found
