"""List a history's interactions, explain the split, show one, find races."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from specminer import inspect, select
from specminer._support.errors import UsageError, plain
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.painting import paint
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    chain_option,
    database_option,
    format_option,
    life_option,
    quiet_option,
    range_options,
    seed_option,
    split_option,
)
from specminer.pipeline.inspection import InspectedSplit
from specminer.pipeline.selecting import SelectionOptions
from specminer.presentation.interaction_text import explanation_text, overview_text, races_text, timeline_text


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Which view of the interactions is wanted, and how."""

    explain: bool
    entity: str | None
    races: bool
    graph: Path | None
    seed: int
    form: str

    def check(self) -> None:
        """Check that one view is wanted at most.

        Raises:
            UsageError: there are several.

        """
        if sum((self.explain, self.entity is not None, self.races)) > 1:
            raise UsageError("--explain, --entity and --races are three different views; give one of them")


@click.command("interactions")
@click.argument("targets", metavar="ADDRESS|DATASET|FILE …", nargs=-1)
@click.option("--explain", is_flag=True, help="Explain the candidates, and why the chosen one won.")
@click.option("--entity", metavar="KEY", help="Show the life of one interaction, by its key or name.")
@click.option(
    "--races",
    is_flag=True,
    help="List calls of different senders in one block that depend on each other in one entity.",
)
@click.option(
    "--graph",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the dependencies between calls as GraphML, with the interactions that they link.",
)
@life_option
@split_option
@format_option
@artifact_option
@chain_option
@range_options
@database_option
@seed_option
@quiet_option
@bundle_options
def command(
    selection: SelectionOptions,
    view: View,
    interactions: str,
    artifact: ArtifactPaths,
    database: str,
    quiet: bool,
) -> None:
    """Show how a history splits into interactions.

    The target is the ADDRESS of a contract that the database holds, the name of a shipped DATASET, or a trace
    FILE; several contracts of the same code may be given. Prints a table: each interaction's calls, side effects
    of others' calls, blocks, different senders, and what happened as a word.

    \b
      specminer interactions auction_house
      specminer interactions auction_house --explain
      specminer interactions auction_house --entity 7
      specminer interactions 0xADDRESS --db h.db --races --format json
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    view.check()
    with Screen(quiet=quiet) as screen:
        selected = select(database, selection, abi=artifact, observer=screen)
        split = inspect(selected, interactions=None if interactions == "auto" else interactions)
        if view.graph is not None:
            count = split.write_graph(view.graph)
            screen.note(f"{count:,} dependencies are in {plain(view.graph)}")
    width = max(60, min(shutil.get_terminal_size().columns, 160))
    click.echo(_format_view(split, view, width), nl=False)


def _format_view(split: InspectedSplit, view: View, width: int) -> str:
    """Return the view that was asked for."""
    json = view.form == "json"
    if view.explain:
        document = split.explanation(view.seed)
        return _json(document) if json else paint(explanation_text(document, width))
    if view.entity is not None:
        document = split.timeline(view.entity)
        return _json(document) if json else paint(timeline_text(document, width))
    if view.races:
        races = split.races()
        return _json(races) if json else paint(races_text(races, width))
    if json:
        return _json(split.members())
    about = {"explanation": split.interactions.explanation}
    return overview_text(split.overview(), about, width)


def _json(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
