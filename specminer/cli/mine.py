"""``specminer mine``: the main job, from a contract to its automaton."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from specminer.cli.console import Screen
from specminer.cli.options import (
    artifact_of,
    artifact_option,
    chain_option,
    check_blocks,
    database_option,
    definition_of,
    explorer_options,
    instances_option,
    node_options,
    quiet_option,
    range_options,
    seed_option,
    split_option,
    states_option,
    weights_of,
)
from specminer.cli.targets import Source, choose, trace_files
from specminer.errors import UsageError, plain
from specminer.pipeline import MineOptions, Written, folder_name, prepare_folder, write_output
from specminer.pipeline import mine as run
from specminer.pipeline.reporting import report_of, write_report
from specminer.report.document import Report
from specminer.report.explanation import explanation
from specminer.report.summary import SURPRISING, summary
from specminer.specification import Specification, front_place, is_specification, read_specification
from specminer.surprise import LISTED, MAX_LISTED
from specminer.tuning import DEFAULT_PRESET, PRESETS

MAX_PATH: Final = 4096
"""Characters of a path, more than which no system takes."""


@click.command()
@click.argument("targets", metavar="ADDRESS|DATASET|FILE …", nargs=-1)
@click.option(
    "--same-code-as",
    metavar="ADDRESS",
    help="Mine together all contracts in the database whose code is that of this one, but for immutables and "
    "metadata; with --rpc also those that its factory created.",
)
@click.option(
    "--created-by",
    metavar="ADDRESS",
    help="Mine together all contracts that this one, a factory, created; with --rpc they are collected. If it created "
    "several kinds, --same-code-as names one of the kind that is meant.",
)
@instances_option
@node_options
@explorer_options
@artifact_option
@chain_option
@range_options
@database_option
@split_option
@click.option(
    "--abstraction",
    metavar="NAME|FILE",
    help="An abstraction definition: a shipped one (`specminer abstractions list`), or a TOML file such as the "
    "abstraction.toml of an earlier run. By default the shipped one whose interface fits the ABI, if any.",
)
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default=DEFAULT_PRESET,
    show_default=True,
    help="Fewer states (readable), the shortest description (balanced), or as many states as predict best (precise).",
)
@click.option(
    "--weights",
    metavar="NAME=N",
    help="What counts how much in the objective: one, or several as in states=1,precision=4; names as in a "
    "definition's [weights].",
)
@states_option
@click.option(
    "--point",
    type=click.IntRange(1),
    metavar="N",
    help="Take the N-th automaton of the front, counted from the smallest.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Tell what there was to choose from, and why what was chosen was.",
)
@click.option(
    "--forbid",
    multiple=True,
    metavar="VARIABLE",
    help="A variable that no state may depend on, with all its entries and fields; may be repeated.",
)
@click.option(
    "--doubtful",
    is_flag=True,
    help="Mine also what was executed again and differs from the chain, or may be wrong because of such.",
)
@click.option(
    "--surprising",
    type=click.IntRange(0, MAX_LISTED),
    default=SURPRISING,
    show_default=True,
    metavar="N",
    help="How many of the most surprising interactions are explained.",
)
@click.option("--no-report", is_flag=True, help="Do not write report.html.")
@seed_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the results; by default one named after the contract.",
)
@quiet_option
def mine(
    targets: tuple[str, ...],
    same_code_as: str | None,
    created_by: str | None,
    instances: int | None,
    rpc: str | None,
    headers: tuple[str, ...],
    explorer: str | None,
    key_name: str | None,
    artifact: Path | None,
    chain_id: int | None,
    first: int | None,
    last: int | None,
    database: str,
    interactions: str,
    abstraction: str | None,
    preset: str,
    weights: str | None,
    states: int | None,
    point: int | None,
    explain: bool,
    forbid: tuple[str, ...],
    doubtful: bool,
    surprising: int,
    no_report: bool,
    seed: int,
    out: Path | None,
    quiet: bool,
) -> None:
    """Mine a contract's automaton: collect what is missing, split, tune, draw.

    The target is the ADDRESS of a contract (collected with --rpc or --explorer, or from what the database holds),
    the name of a shipped DATASET, a trace FILE, or an automaton.json mined before, of whose front --states or
    --point takes another automaton. Several contracts of the same code are mined together: one
    specification over all, one interaction for each. Prints a summary, and writes automaton.json (the specification
    with its evidence), abstraction.toml (what it distinguishes, to edit and mine with again), automaton.dot and
    automaton.svg (the picture), and report.html (everything in one page).

    \b
      specminer mine 0xADDRESS --rpc http://127.0.0.1:8545 --abi Contract.json
      specminer mine 0xADDRESS --explorer https://HOST/api --chain-id 1
      specminer mine 0xADDRESS --from-block 100 --to-block 200 --out early
      specminer mine auction_house --interactions whole
      specminer mine auction_house --out out --explain
      specminer mine out/automaton.json --states 4
      specminer mine --same-code-as 0xADDRESS --instances 20
      specminer mine --created-by 0xFACTORY --rpc http://127.0.0.1:8545
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    source = Source(
        targets=targets,
        same_code_as=same_code_as,
        created_by=created_by,
        instances=instances,
        rpc=rpc,
        headers=headers,
        explorer=explorer,
        key_name=key_name,
        chain_id=chain_id,
        first=first,
        last=last,
        database=database,
        doubtful=doubtful,
    )
    options = MineOptions(
        interactions=None if interactions == "auto" else interactions,
        definition=definition_of(abstraction),
        forbid=forbid,
        seed=seed,
        surprising=max(surprising, LISTED),
        preset=PRESETS[preset],
        weights=weights_of(weights),
        states=states,
        point=point,
    )
    choice = Choice(states=states, point=point, explain=explain, surprising=surprising, report=not no_report)
    earlier = automaton_file(targets)
    if earlier is not None:
        click.echo(choose_again(earlier, choice, out))
    else:
        click.echo(mine_to_folder(source, options, artifact, out, choice=choice, quiet=quiet))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which automaton of the front is wanted, and whether its choice is explained."""

    states: int | None = None
    point: int | None = None
    """Counted from 1."""
    explain: bool = False
    surprising: int = SURPRISING
    """How many surprising interactions are told."""
    report: bool = True
    """Whether the page is written."""

    def of(self, specification: Specification) -> Specification:
        """Return the specification with the wanted point of its front.

        Raises:
            UsageError: there is none, or two are wanted.

        """
        place = front_place([point.states for point in specification.front], self.states, self.point)
        return specification if place is None else specification.at(place)


def automaton_file(targets: tuple[str, ...]) -> Path | None:
    """Return the one target if it is the automaton.json of an earlier run."""
    path = Path(targets[0]) if len(targets) == 1 else None
    if path is None or path.suffix != ".json" or not path.is_file():
        return None
    return path if is_specification(path) else None


def choose_again(path: Path, choice: Choice, out: Path | None) -> str:
    """Take another automaton of an earlier run's front; return its summary and where it was written.

    Raises:
        UsageError: none is wanted, or it is not there.
        FileFormatError: the file is malformed.

    """
    earlier = read_specification(path)
    if choice.states is None and choice.point is None and not choice.explain:
        raise UsageError(
            f"{plain(path)} was mined already; give --states N or --point N to take another automaton of its front, "
            "or --explain to see them"
        )
    wanted = choice.of(earlier)
    return _told(Report(specification=wanted, evidence=None), out or path.parent, choice)


def mine_to_folder(
    source: Source,
    options: MineOptions,
    artifact: Path | None,
    out: Path | None,
    *,
    choice: Choice | None = None,
    quiet: bool,
) -> str:
    """Do the whole job; return the summary and where the results are."""
    choice = choice or Choice()
    check_blocks(source.first, source.last)
    given = artifact_of(artifact)
    files = trace_files(source)
    if out is not None:
        prepare_folder(out)
    with Screen(quiet=quiet) as screen:
        with ExitStack() as stack:
            store, chosen = choose(source, files, given, stack, screen)
            history = store.history(
                chosen.chain_id,
                chosen.contracts,
                first=source.first,
                last=source.last,
                doubtful=source.doubtful,
            )
        mined = run(history, options, artifact=given or chosen.artifact, selection=chosen.selection)
        for note in mined.notes:
            screen.note(note)
    found = report_of(mined) if choice.report else Report(specification=mined.specification, evidence=None)
    return _told(found, out or Path(folder_name(mined.specification)), choice)


def _told(found: Report, folder: Path, choice: Choice) -> str:
    """Write the files; return what was found and where they are."""
    specification = found.specification
    written = write_output(specification, folder)
    pages = write_report(found, folder, ["html"] if choice.report else [])
    width = max(60, min(shutil.get_terminal_size().columns, 120))
    parts = [summary(specification, width=width, surprising=choice.surprising).rstrip()]
    if choice.explain:
        parts.append(explanation(specification, width=width).rstrip())
    return "\n\n".join([*parts, _where(written, pages)])


def _where(written: Written, pages: list[Path]) -> str:
    lines = [
        f"specification  {plain(written.automaton, MAX_PATH)}",
        f"abstraction    {plain(written.abstraction, MAX_PATH)}",
    ]
    if written.picture is not None:
        lines.append(f"picture        {plain(written.picture, MAX_PATH)}")
    else:
        lines.append(f"no picture: {written.trouble}")
    lines += [f"report         {plain(path, MAX_PATH)}" for path in pages]
    return "\n".join(lines)
