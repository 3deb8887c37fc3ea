"""Mine a bundled history: needs no node and no database."""

from __future__ import annotations

from pathlib import Path

import click

from specminer import mine
from specminer.cli.console import Screen
from specminer.cli.mine_command import Output, write
from specminer.cli.shared_options import quiet_option, verbose_option
from specminer.pipeline.output import folder_name, prepare_folder

DATASET = "auction_house"


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the results; by default one named after the contract.",
)
@verbose_option
@quiet_option
def command(out: Path | None, verbose: bool, quiet: bool) -> None:
    """Mine a bundled history: no node, no server, no database to set up.

    The history is an auction house with many auctions and bidders, recorded on a real node
    (`specminer datasets show auction_house`). Writes the same files as `specminer mine`.
    """
    if out is not None:
        prepare_folder(out)
    with Screen(quiet=quiet) as screen:
        mined = mine(DATASET, observer=screen)
    click.echo(write(mined, Output(out=out, verbose=verbose), Path(folder_name(mined.specification))))
