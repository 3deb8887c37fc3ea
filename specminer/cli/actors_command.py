"""List who acted in a history: roles, functions, ether and tokens put in and taken out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Final

import click

from specminer import actors, select
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.explaining_options import HistoryTexts
from specminer.cli.painting import paint
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    chain_option,
    database_option,
    fast_option,
    label_option,
    labels_option,
    life_option,
    quiet_option,
    range_options,
    seed_option,
    split_option,
)
from specminer.cli.source_options import node_options
from specminer.pipeline.node_source import NodeOptions
from specminer.pipeline.selecting import SelectionOptions
from specminer.presentation.actor_text import actors_csv, actors_text

TEXT_ROWS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorTexts:
    """What is asked for, as it stands on the command line."""

    history: HistoryTexts
    form: str
    limit: int | None

    @property
    def max_actors(self) -> int | None:
        """How many actors are listed at most; ``None`` for all."""
        return TEXT_ROWS if self.limit is None and self.form == "text" else self.limit


@click.command("actors")
@click.argument("targets", metavar="ADDRESS|DATASET|FILE …", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "csv")),
    default="text",
    show_default=True,
    help="A table for people, JSON or CSV for programs.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help=f"List N actors at most; by default {TEXT_ROWS} in the table, all in JSON and CSV.",
)
@fast_option
@label_option
@labels_option
@life_option
@split_option
@artifact_option
@chain_option
@range_options
@database_option
@node_options
@seed_option
@quiet_option
@bundle_options
def command(
    selection: SelectionOptions,
    node: NodeOptions | None,
    texts: ActorTexts,
    artifact: ArtifactPaths,
    database: str,
    quiet: bool,
) -> None:
    """List who acted in a history, those who took out most ether first, and sum up the tokens that moved.

    The target is the ADDRESS of a contract that the database holds, the name of a shipped DATASET, or a trace FILE.
    For each address: first and last transaction, roles, functions, what it put into the contracts and took out of
    them, in ether and in tokens. With --rpc an address is brought up to date first, and the node is asked for
    tokens' symbols and decimals.

    \b
      specminer actors savings
      specminer actors 0xADDRESS --db h.db --format csv
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    options = texts.history.options(node)
    files = selection.trace_files()
    with Screen(quiet=quiet) as screen:
        selected = select(database, selection, abi=artifact, source=None if files else node, observer=screen)
        table = actors(selected, options=options, limit=texts.max_actors, observer=screen)
    match texts.form:
        case "json":
            text = table.to_json().decode()
        case "csv":
            text = actors_csv(table)
        case _:
            text = paint(actors_text(table, max(80, min(shutil.get_terminal_size().columns, 160))))
    click.echo(text, nl=False)
