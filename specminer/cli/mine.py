"""``specminer mine``: the main job, from a contract to its automaton."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
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
)
from specminer.cli.targets import Source, choose, trace_files
from specminer.errors import plain
from specminer.pipeline import MineOptions, Written, folder_name, prepare_folder, write_output
from specminer.pipeline import mine as run
from specminer.report.summary import SURPRISING, summary
from specminer.surprise import LISTED, MAX_LISTED

MAX_PATH: Final = 4096
"""Characters of a path, more than which no system takes."""


@click.command(short_help="Mine a contract's automaton: collect what is missing, tune, draw.")
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
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="An abstraction definition (TOML): predicates to fix, prefer or forbid, and the weights.",
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
    abstraction: Path | None,
    forbid: tuple[str, ...],
    doubtful: bool,
    surprising: int,
    seed: int,
    out: Path | None,
    quiet: bool,
) -> None:
    """Mine a contract's automaton: collect what is missing, split, tune, draw.

    The target is the ADDRESS of a contract (collected with --rpc or --explorer, or from what the database holds),
    the name of a shipped DATASET, or a trace FILE. Several contracts of the same code are mined together: one
    specification over all, one interaction for each. Prints a summary, and writes automaton.json (the specification
    with its evidence), automaton.dot and automaton.svg (the picture).

    \b
      specminer mine 0xADDRESS --rpc http://127.0.0.1:8545 --abi Contract.json
      specminer mine 0xADDRESS --explorer https://HOST/api --chain-id 1
      specminer mine 0xADDRESS --from-block 100 --to-block 200 --out early
      specminer mine auction_house --interactions whole
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
    )
    click.echo(mine_to_folder(source, options, artifact, out, quiet=quiet, surprising=surprising))


def mine_to_folder(
    source: Source,
    options: MineOptions,
    artifact: Path | None,
    out: Path | None,
    *,
    quiet: bool,
    surprising: int = SURPRISING,
) -> str:
    """Do the whole job; return the summary, with so many ``surprising`` interactions, and where the results are."""
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
    folder = out or Path(folder_name(mined.specification))
    written = write_output(mined.specification, folder)
    width = max(60, min(shutil.get_terminal_size().columns, 120))
    return (
        summary(mined.specification, width=width, surprising=surprising).rstrip() + "\n\n" + _where(written)
    )


def _where(written: Written) -> str:
    lines = [f"specification  {plain(written.automaton, MAX_PATH)}"]
    if written.picture is not None:
        lines.append(f"picture        {plain(written.picture, MAX_PATH)}")
    else:
        lines.append(f"no picture: {written.trouble}")
    return "\n".join(lines)
