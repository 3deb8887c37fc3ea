"""``specminer demo``: the bundled history, mined in seconds."""

from __future__ import annotations

from pathlib import Path

import click

from specminer.cli.mine import mine_to_folder
from specminer.cli.options import quiet_option
from specminer.cli.targets import Source
from specminer.datasets import dataset
from specminer.pipeline import MineOptions

DATASET = "auction_house"


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder for the results; by default one named after the contract.",
)
@quiet_option
def demo(out: Path | None, quiet: bool) -> None:
    """Mine a bundled history: no node, no server, no database to set up.

    The history is an auction house with many auctions and bidders, recorded on a real node
    (`specminer datasets show auction_house`). Writes the same files as `specminer mine`.
    """
    source = Source(targets=(dataset(DATASET).name,))
    click.echo(mine_to_folder(source, MineOptions(), None, out, quiet=quiet))
