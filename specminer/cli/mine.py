"""``specminer mine``: the main job, from a contract to its automaton."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from specminer.chain.node import Node
from specminer.cli.console import Screen
from specminer.cli.options import (
    address_of,
    artifact_of,
    artifact_option,
    chain_of,
    chain_option,
    check_blocks,
    database_option,
    definition_of,
    endpoint_of,
    existing,
    is_address,
    node_options,
    quiet_option,
    range_options,
)
from specminer.datasets import datasets, suggestion
from specminer.errors import UsageError, plain
from specminer.pipeline import (
    MineOptions,
    Written,
    collect,
    folder_name,
    import_traces,
    prepare_folder,
    write_output,
)
from specminer.pipeline import mine as run
from specminer.report.summary import summary
from specminer.store import TraceStore
from specminer.trace import Address

MAX_PATH: Final = 4096
"""Characters of a path, more than which no system takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the history comes from, as given on the command line."""

    target: str
    rpc: str | None
    headers: tuple[str, ...]
    chain_id: int | None
    first: int | None
    last: int | None
    database: str


@click.command(short_help="Mine a contract's automaton: collect what is missing, tune, draw.")
@click.argument("target", metavar="ADDRESS|DATASET|FILE")
@node_options
@artifact_option
@chain_option
@range_options
@database_option
@click.option(
    "--interactions",
    default="auto",
    show_default=True,
    metavar="auto|whole|instance|sender|SORT",
    help="How to split the history: whole, one per contract, one per account that calls, one per entity of a SORT "
    "that `specminer interactions --explain` lists, or whichever fits the data.",
)
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
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the search; the same seed gives the same result.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the results; by default one named after the contract.",
)
@quiet_option
def mine(
    target: str,
    rpc: str | None,
    headers: tuple[str, ...],
    artifact: Path | None,
    chain_id: int | None,
    first: int | None,
    last: int | None,
    database: str,
    interactions: str,
    abstraction: Path | None,
    forbid: tuple[str, ...],
    seed: int,
    out: Path | None,
    quiet: bool,
) -> None:
    """Mine a contract's automaton: collect what is missing, split, tune, draw.

    The target is the ADDRESS of a contract (collected with --rpc, or from what the database holds), the name of
    a shipped DATASET, or a trace FILE. Prints a summary, and writes automaton.json (the specification with its
    evidence), automaton.dot and automaton.svg (the picture).

    \b
      specminer mine 0xADDRESS --rpc http://127.0.0.1:8545 --abi Contract.json
      specminer mine 0xADDRESS --from-block 100 --to-block 200 --out early
      specminer mine auction_house --interactions whole
    """  # noqa: D301  # \b is click's mark for a paragraph that is not to be wrapped
    source = Source(
        target=target,
        rpc=rpc,
        headers=headers,
        chain_id=chain_id,
        first=first,
        last=last,
        database=database,
    )
    options = MineOptions(
        interactions=None if interactions == "auto" else interactions,
        definition=definition_of(abstraction),
        forbid=forbid,
        seed=seed,
    )
    click.echo(mine_to_folder(source, options, artifact, out, quiet=quiet))


def mine_to_folder(
    source: Source, options: MineOptions, artifact: Path | None, out: Path | None, *, quiet: bool
) -> str:
    """Do the whole job; return the summary and where the results are."""
    check_blocks(source.first, source.last)
    given = artifact_of(artifact)
    traces = None if is_address(source.target) else _trace_file(source.target)
    if out is not None:
        prepare_folder(out)
    with Screen(quiet=quiet) as screen:
        with ExitStack() as stack:
            if traces is None:
                contract = address_of(source.target)
                place = source.database if source.rpc else existing(source.database)
                store = stack.enter_context(TraceStore(place))
                if source.rpc:
                    node = stack.enter_context(Node(endpoint_of(source.rpc, source.headers)))
                    done = collect(
                        store,
                        node,
                        contract,
                        artifact=given,
                        chain_id=source.chain_id,
                        first=source.first,
                        last=source.last,
                        listener=screen,
                    )
                    chain = done.chain_id
                    new = f"{done.added:,} new transactions" if done.added else "nothing new"
                    screen.note(f"{new} in blocks {done.first:,} to {done.last:,}; they are in {store.label}")
                else:
                    chain = chain_of(store, contract, source.chain_id)
            else:
                if source.rpc:
                    screen.note("the node is not used: everything is in the file")
                store = stack.enter_context(TraceStore("sqlite://"))
                chain, contract = _from_file(store, traces, source.chain_id)
            history = store.history(chain, [contract], first=source.first, last=source.last)
        mined = run(history, options, artifact=given)
        for note in mined.notes:
            screen.note(note)
    folder = out or Path(folder_name(mined.specification))
    written = write_output(mined.specification, folder)
    width = max(60, min(shutil.get_terminal_size().columns, 120))
    return summary(mined.specification, width=width).rstrip() + "\n\n" + _where(written)


def _trace_file(target: str) -> Path:
    """Return the path of a dataset's traces or of a trace file; what is neither gets told what there is."""
    shipped = {item.name: item.traces for item in datasets()}
    path = shipped.get(target, Path(target))
    if not path.is_file():
        if "://" in target or target.lower().startswith("0x"):
            address_of(target)
        raise UsageError(
            f"'{plain(target, 80)}' is not an address (0x and 40 hexadecimal digits), no file and no dataset; "
            f"{suggestion(target)}"
        )
    return path


def _from_file(store: TraceStore, path: Path, chain_id: int | None) -> tuple[int, Address]:
    """Load a trace file."""
    record = import_traces(store, path)
    if chain_id not in (None, record.chain_id):
        raise UsageError(f"{plain(path)} is of chain {record.chain_id}, but --chain-id says {chain_id}")
    return record.chain_id, record.address


def _where(written: Written) -> str:
    lines = [f"specification  {plain(written.automaton, MAX_PATH)}"]
    if written.picture is not None:
        lines.append(f"picture        {plain(written.picture, MAX_PATH)}")
    else:
        lines.append(f"no picture: {written.trouble}")
    return "\n".join(lines)
