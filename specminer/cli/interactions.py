"""``specminer interactions``: how a history splits, why, and what each interaction is."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from specminer.cli.console import Screen
from specminer.cli.options import (
    artifact_of,
    artifact_option,
    chain_option,
    check_blocks,
    database_option,
    format_option,
    quiet_option,
    range_options,
    seed_option,
    split_option,
)
from specminer.cli.targets import Source, choose, trace_files
from specminer.errors import UsageError, plain
from specminer.pipeline import Inspected, explained, inspect, write_graph
from specminer.report.interaction_text import explanation_text, overview_text, races_text, timeline_text


@click.command()
@click.argument("targets", metavar="ADDRESS|DATASET|FILE …", nargs=-1)
@click.option(
    "--explain", is_flag=True, help="Tell what there was to choose from, and why what was chosen was."
)
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
@split_option
@format_option
@artifact_option
@chain_option
@range_options
@database_option
@seed_option
@quiet_option
def interactions(
    targets: tuple[str, ...],
    explain: bool,
    entity: str | None,
    races: bool,
    graph: Path | None,
    interactions: str,
    form: str,
    artifact: Path | None,
    chain_id: int | None,
    first: int | None,
    last: int | None,
    database: str,
    seed: int,
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
    if sum((explain, entity is not None, races)) > 1:
        raise UsageError("--explain, --entity and --races are three different views; give one of them")
    check_blocks(first, last)
    given = artifact_of(artifact)
    source = Source(targets=targets, chain_id=chain_id, first=first, last=last, database=database)
    files = trace_files(source)
    with Screen(quiet=quiet) as screen, ExitStack() as stack:
        store, chosen = choose(source, files, given, stack, screen)
        history = store.history(chosen.chain_id, chosen.contracts, first=first, last=last)
        found = inspect(history, artifact=given, wish=None if interactions == "auto" else interactions)
        if graph is not None:
            count = write_graph(found, graph)
            screen.note(f"{count:,} dependencies are in {plain(graph)}")
    width = max(60, min(shutil.get_terminal_size().columns, 160))
    click.echo(_shown(found, explain, entity, races, form == "json", seed, width), nl=False)


def _shown(
    found: Inspected, explain: bool, entity: str | None, races: bool, json: bool, seed: int, width: int
) -> str:
    """Return the view that was asked for."""
    if explain:
        document = explained(found, seed)
        return _json(document) if json else explanation_text(document, width)
    if entity is not None:
        document = found.timeline(entity)
        return _json(document) if json else timeline_text(document, width)
    if races:
        listed = found.races()
        return _json(listed) if json else races_text(listed, width)
    if json:
        return _json(found.members())
    about = {"explanation": found.interactions.explanation}
    return overview_text(found.overview(), about, width)


def _json(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
