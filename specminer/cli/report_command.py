"""Write the report of an automaton: one HTML page, Markdown, JSON, PDF; logs of its events."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import read
from specminer._support.errors import UsageError, plain
from specminer.cli.label_options import read_all_labels
from specminer.cli.shared_options import ArtifactPaths, artifact_option, labels_option, quiet_option
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.output import prepare_folder
from specminer.pipeline.reporting import FORMATS, LOGS, split_formats


@click.command("report")
@click.argument("automaton", metavar="AUTOMATON.json", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--db",
    "database",
    metavar="PATH|URL",
    help="The database: a file, or postgresql://USER@HOST/NAME.",
)
@click.option(
    "--format",
    "formats",
    default="html",
    show_default=True,
    metavar="LIST",
    help=f"What to write, with commas between: {', '.join((*FORMATS, *LOGS))}.",
)
@artifact_option
@labels_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the report; by default the automaton's.",
)
@quiet_option
def command(
    automaton: Path,
    database: str | None,
    formats: str,
    artifact: ArtifactPaths,
    labels: Path | None,
    out: Path | None,
    quiet: bool,
) -> None:
    """Write the report of AUTOMATON.json, as mine writes it: report.html opens from disk and needs no network.

    With --db the history that the automaton was mined from is read again and laid over it: variants, timelines,
    arguments, reasons, races, values. Without, the report tells what the document holds. report.md can be pasted
    into an audit report, report.json is the same for programs, and report.pdf for paper (extra `pdf`). csv, xes and
    ocel write all events (events.csv, events.xes, events.ocel.json) for spreadsheets and process-mining tools; they
    need --db.

    \b
      specminer report out/automaton.json --db h.db
      specminer report out/automaton.json --db h.db --format html,md,json --out audit
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    forms = [part.strip().lower() for part in formats.split(",") if part.strip()]
    if split_formats(forms)[1] and database is None:
        raise UsageError(
            "--format csv, xes and ocel hold every event of the history; give its database with --db"
        )
    abi = read_artifact(artifact)
    names = read_all_labels(labels)
    mined = read(automaton)
    folder = out or automaton.parent
    prepare_folder(folder)
    if database is not None:
        mined = mined.with_history(database, abi=abi)
    for path in mined.with_labels(names).apply_edits(automaton).write_report(folder, forms):
        click.echo(f"{'events' if path.name.startswith('events.') else 'report':<15}{plain(path, 4096)}")
