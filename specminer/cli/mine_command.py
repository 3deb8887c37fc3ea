"""Mine a contract's automaton: collect what is missing, tune, draw."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from specminer import MinedSpecification, Observer, WrittenFiles, collect_contracts, mine, read, select
from specminer._support.errors import UsageError, plain
from specminer.cli.bundles import bundle_options
from specminer.cli.console import Screen
from specminer.cli.contract_list_options import FOLDER, check_alone, contracts_option, mine_list
from specminer.cli.label_options import read_all_labels
from specminer.cli.painting import has_colours, paint
from specminer.cli.shared_options import (
    ArtifactPaths,
    artifact_option,
    chain_option,
    database_option,
    instances_option,
    label_option,
    labels_option,
    life_option,
    parse_weights,
    quiet_option,
    range_options,
    seed_option,
    split_option,
    states_option,
    verbose_option,
)
from specminer.cli.source_options import SourceOptions, executor_options, source_options
from specminer.learning.preset import DEFAULT_PRESET, PRESETS
from specminer.pipeline.inputs import existing_database, read_artifact, read_definition
from specminer.pipeline.output import folder_name, prepare_folder
from specminer.pipeline.selecting import SelectionOptions
from specminer.pipeline.state import MineOptions
from specminer.presentation.abstraction_explanation import explanation
from specminer.presentation.first_screen import short_summary
from specminer.presentation.summary import SURPRISING, summary
from specminer.specification import DEFAULT_LISTED, MAX_LISTED, is_specification

MAX_PATH: Final = 4096
"""Characters of a path, more than which no system takes."""
_MORE: Final = "--verbose prints transitions, effects, invariants and how sure all this is"


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningTexts:
    """How to split and tune, as it was given."""

    name: str | None
    label: tuple[str, ...]
    labels: Path | None
    interactions: str
    abstraction: str | None
    preset: str
    weights: str | None
    states: int | None
    point: int | None
    forbid: tuple[str, ...]
    surprising: int
    seed: int

    def options(self) -> MineOptions:
        """Return what the texts mean.

        Raises:
            UsageError: there is no such abstraction, or the weights are malformed.
            FileFormatError: the abstraction, or the file of labels, is malformed.

        """
        return MineOptions(
            name=self.name,
            labels=read_all_labels(self.labels, self.label),
            interactions=None if self.interactions == "auto" else self.interactions,
            definition=None if self.abstraction is None else read_definition(self.abstraction),
            forbid=self.forbid,
            seed=self.seed,
            surprising=max(self.surprising, DEFAULT_LISTED),
            preset=PRESETS[self.preset],
            weights=parse_weights(self.weights),
            states=self.states,
            point=self.point,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MiningInput:
    """What is read from this machine: the database, an ABI, a list of contracts."""

    database: str
    artifact: ArtifactPaths
    contracts: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What is told and written."""

    out: Path | None
    """``None`` for a folder named after the contract."""
    explain: bool = False
    """Whether the choice of the automaton is explained."""
    surprising: int = SURPRISING
    """How many surprising interactions are told."""
    report: bool = True
    """Whether the page is written."""
    verbose: bool = False
    """Whether everything is told, rather than what fits on one screen."""


@click.command("mine")
@click.argument("targets", metavar="ADDRESS|DATASET|FILE …", nargs=-1)
@contracts_option
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
@life_option
@source_options
@executor_options
@artifact_option
@chain_option
@range_options
@database_option
@split_option
@click.option(
    "--name",
    metavar="TEXT",
    help="What to call the contract; by default its name in the ABI's file or at the explorer, or else what it answers "
    "to name() and symbol().",
)
@label_option
@labels_option
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
    help="Explain the candidates, and why the chosen one won.",
)
@click.option(
    "--forbid",
    multiple=True,
    metavar="VARIABLE",
    help="A variable that no state may depend on, with all its entries and fields; may be repeated.",
)
@click.option(
    "--surprising",
    type=click.IntRange(0, MAX_LISTED),
    default=SURPRISING,
    show_default=True,
    metavar="N",
    help="How many of the most surprising interactions --verbose explains.",
)
@verbose_option
@click.option("--no-report", "report", flag_value=False, default=True, help="Do not write report.html.")
@seed_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the results; by default one named after the contract.",
)
@quiet_option
@bundle_options
def command(
    selection: SelectionOptions,
    source: SourceOptions,
    mining: MiningTexts,
    output: Output,
    files: MiningInput,
    quiet: bool,
) -> int:
    """Mine a contract's automaton: collect what is missing, split, tune, draw.

    The target is the ADDRESS of a contract (collected with --rpc or --explorer, or from what the database holds),
    the name of a shipped DATASET, a trace FILE, or an automaton.json mined before, of whose front --states or
    --point takes another automaton. Several contracts of the same code are mined together: one
    specification over all, one interaction for each. Prints what fits on one screen (--verbose: everything), and writes
    automaton.json (the specification with its evidence), abstraction.toml (what it distinguishes, to edit and mine with
    again), automaton.dot and automaton.svg (the picture), and report.html (everything in one page). Where another split
    is nearly as good, its picture is second-view.svg, and a second tab in the report; --interactions overrules the
    choice.
    With --contracts, each contract of a list is mined into a folder of its own below --out, and index.html there
    shows all of them.

    \b
      specminer mine 0xADDRESS --rpc http://127.0.0.1:8545 --abi Contract.json
      specminer mine 0xADDRESS --explorer https://HOST/api --chain-id 1
      specminer mine 0xADDRESS --from-block 100 --to-block 200 --out early
      specminer mine auction_house --interactions whole
      specminer mine auction_house --out out --explain
      specminer mine out/automaton.json --states 4
      specminer mine --same-code-as 0xADDRESS --instances 20
      specminer mine --created-by 0xFACTORY --rpc http://127.0.0.1:8545
      specminer mine --contracts contracts.txt --rpc http://127.0.0.1:8545 --out specifications
      specminer mine --contracts contracts.txt --executor dask --scheduler tcp://127.0.0.1:8786
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    options = mining.options()
    if files.contracts is not None:
        with Screen(quiet=quiet) as screen:
            return _mine_list(selection, source, options, output, files, files.contracts, screen)
    earlier = automaton_file(selection.targets)
    if earlier is not None:
        click.echo(write(choose_again(earlier, mining, output), output, earlier.parent))
        return 0
    selection.blocks.check()
    if source.workers is not None and source.node is None:
        raise UsageError(
            "--executor dask has nothing to do here: it reads from a node (--rpc), and mines the contracts of a list "
            "(--contracts); leave it out to mine one contract from what is recorded"
        )
    abi = read_artifact(files.artifact)
    selection.trace_files()
    if output.out is not None:
        prepare_folder(output.out)
    with Screen(quiet=quiet) as screen:
        selected = select(files.database, selection, abi=abi, source=source.source, observer=screen)
        mined = mine(selected, options=options, observer=screen)
    click.echo(write(mined, output, Path(folder_name(mined.specification))))
    return 0


def _mine_list(
    selection: SelectionOptions,
    source: SourceOptions,
    options: MineOptions,
    output: Output,
    files: MiningInput,
    contracts: Path,
    observer: Observer,
) -> int:
    """Collect and mine a list of contracts; return the exit code."""
    others = {
        "ADDRESS": selection.targets,
        "--same-code-as": selection.same_code_as,
        "--created-by": selection.created_by,
        "--instances": selection.instances,
        "--life": selection.life,
        "--abi": files.artifact,
        "--explain": output.explain,
    }
    check_alone(contracts, others)
    folder = output.out or FOLDER
    prepare_folder(folder)
    if source.source is not None:
        collect_contracts(
            files.database,
            contracts,
            source.source,
            chain_id=selection.chain_id,
            blocks=selection.blocks,
            observer=observer,
        )
    return mine_list(
        existing_database(files.database),
        contracts,
        folder,
        selection=selection,
        options=replace(options, workers=source.workers),
        report=output.report,
        observer=observer,
    )


def automaton_file(targets: tuple[str, ...]) -> Path | None:
    """Return the one target if it is the automaton.json of an earlier run."""
    path = Path(targets[0]) if len(targets) == 1 else None
    if path is None or path.suffix != ".json" or not path.is_file():
        return None
    return path if is_specification(path) else None


def choose_again(path: Path, mining: MiningTexts, output: Output) -> MinedSpecification:
    """Return the wanted automaton of an earlier run's front.

    Raises:
        UsageError: none is wanted, or it is not there.
        FileFormatError: the file is malformed.

    """
    earlier = read(path)
    if mining.states is None and mining.point is None and not output.explain:
        raise UsageError(
            f"{plain(path)} was mined already; give --states N or --point N to take another automaton of its front, "
            "or --explain to see them"
        )
    return earlier.of_front(states=mining.states, point=mining.point)


def write(mined: MinedSpecification, output: Output, usual_folder: Path) -> str:
    """Write the files; return what was mined and where they are."""
    folder = output.out or usual_folder
    written = mined.write(folder, report=output.report)
    width = max(60, min(shutil.get_terminal_size().columns, 120))
    specification = mined.apply_edits(folder / "automaton.json").specification
    if output.verbose:
        text, more = paint(summary(specification, width=width, surprising=output.surprising)), []
    else:
        text, more = short_summary(specification, width=width, colour=has_colours()), [_MORE]
    parts = [text.rstrip()]
    if output.explain:
        parts.append(paint(explanation(mined.specification, width=width)).rstrip())
    return "\n\n".join([*parts, *more, _files(written)])


def _files(written: WrittenFiles) -> str:
    lines = [
        f"specification  {plain(written.automaton, MAX_PATH)}",
        f"abstraction    {plain(written.abstraction, MAX_PATH)}",
    ]
    if written.picture is not None:
        lines.append(f"picture        {plain(written.picture, MAX_PATH)}")
    else:
        lines.append(f"no picture: {written.trouble}")
    if written.second is not None:
        lines.append(f"second view    {plain(written.second, MAX_PATH)}")
    if written.report is not None:
        lines.append(f"report         {plain(written.report, MAX_PATH)}")
    return "\n".join(lines)
