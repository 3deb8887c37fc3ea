"""``specminer report``: the audit report of an automaton that was mined before."""

from __future__ import annotations

from pathlib import Path

import click

from specminer.cli.console import Screen
from specminer.cli.options import artifact_of, artifact_option, existing, quiet_option
from specminer.errors import UsageError, plain
from specminer.pipeline import prepare_folder
from specminer.pipeline.reporting import FORMATS, LOGS, mined_again, report_from, write_logs, write_report
from specminer.report.document import Report
from specminer.specification import read_specification
from specminer.store import TraceStore


@click.command()
@click.argument("automaton", metavar="AUTOMATON.json", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--db",
    "database",
    metavar="PATH|URL",
    help="The database: a file, or an SQLAlchemy URL.",
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
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the report; by default the automaton's.",
)
@quiet_option
def report(
    automaton: Path, database: str | None, formats: str, artifact: Path | None, out: Path | None, quiet: bool
) -> None:
    """Write the report of AUTOMATON.json, as mine writes it: report.html opens from disk and needs no network.

    With --db the history that the automaton was mined from is read again and laid over it: variants, timelines,
    arguments, reasons, races, values. Without, the report tells what the document holds. report.md can be pasted
    into an audit report, report.json is the same for programs. csv and xes
    write all events (events.csv, events.xes) for spreadsheets and process-mining tools; they need --db.

    \b
      specminer report out/automaton.json --db h.db
      specminer report out/automaton.json --db h.db --format html,md,json --out audit
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    wanted = _formats(formats)
    if database is None and not set(wanted) <= set(FORMATS):
        raise UsageError("--format csv and xes hold every event of the history; give its database with --db")
    given = artifact_of(artifact)
    specification = read_specification(automaton)
    folder = out or automaton.parent
    prepare_folder(folder)
    pages, logs = [form for form in wanted if form in FORMATS], [form for form in wanted if form in LOGS]
    if database is None:
        written = write_report(Report(specification=specification, evidence=None), folder, pages)
    else:
        with Screen(quiet=quiet), TraceStore(existing(database)) as store:
            mined = mined_again(specification, store, given)
        written = write_report(report_from(specification, mined), folder, pages) if pages else []
        written += write_logs(specification, mined, folder, logs)
    for path in written:
        click.echo(f"{'events' if path.stem == 'events' else 'report':<15}{plain(path, 4096)}")


def _formats(text: str) -> list[str]:
    """Return the formats asked for, each once.

    Raises:
        UsageError: one is not known, or there is none.

    """
    wanted = list(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    known = (*FORMATS, *LOGS)
    unknown = [part for part in wanted if part not in known]
    if unknown or not wanted:
        got = plain(unknown[0], 40) if unknown else "nothing"
        raise UsageError(f"--format: expected a list of {', '.join(known)}, got {got}")
    return wanted
