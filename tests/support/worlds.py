"""Where the commands of a documentation page run: an empty folder, or one with a chain, an explorer, files.

Chains are those of the datasets, lived again on a node of this machine, so that pages may show addresses.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from specminer.pipeline.datasets import dataset
from tests.support.exporting import txlist
from tests.support.local_explorer import LocalExplorer, Served
from tests.support.transcripts import World
from tools.record import living

NODE: Final = "http://127.0.0.1:8545"
EXPLORER: Final = "https://HOST/api"

Place = Callable[[Path], AbstractContextManager[World]]


def _node(dataset: str, artifact: str) -> Place:
    """Return a world with a node on which a dataset was lived, and the contract's artifact."""

    @contextmanager
    def place(folder: Path) -> Iterator[World]:
        with living(dataset, folder) as (anvil, _):
            (folder / "artifact.json").rename(folder / artifact)
            yield World(folder=folder, real={NODE: anvil.url})

    return place


@contextmanager
def _explorer(folder: Path) -> Iterator[World]:
    """Yield a world with an explorer that lists the calls of the tender, and the same as a file."""
    with living("tender", folder) as (anvil, told):
        address = told.addresses[0]
        records = txlist(anvil, [address])
    artifact = json.loads((folder / "artifact.json").read_text())
    (folder / "artifact.json").unlink()
    (folder / "abi.json").write_text(json.dumps(artifact["abi"]))
    (folder / "txlist.json.gz").write_bytes(gzip.compress(json.dumps(records).encode()))
    key = "a-key"
    served = Served(address=address.lower(), transactions=records, abi=json.dumps(artifact["abi"]), key=key)
    with LocalExplorer(served) as explorer:
        yield World(folder=folder, environment={"MY_KEY": key}, real={EXPLORER: explorer.url})


@contextmanager
def _artifact_of_house(folder: Path) -> Iterator[World]:
    """Yield a world with the artifact of the auction house, and no node."""
    shutil.copy(dataset("auction_house").folder / "artifact.json", folder / "AuctionHouse.json")
    yield World(folder=folder)


WORLDS: Final[dict[str, Place]] = {
    "how-to/node.md": _node("auction_house", "Contract.json"),
    "how-to/explorer.md": _explorer,
    "how-to/proxy.md": _node("loans", "Loans.json"),
    "how-to/exports.md": _artifact_of_house,
    "how-to/many-contracts.md": _node("single_auction", "Auction.json"),
}
"""By page; a page that is not here gets an empty folder."""


PYTHON: Final[dict[str, Place]] = {NODE: _node("single_auction", "Auction.json"), EXPLORER: _explorer}
"""Where Python that asks one of these URLs runs."""


@contextmanager
def world(page: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Yield the world of a page; skip the test where its node cannot be started."""
    if page not in WORLDS:
        yield World(folder=folder)
        return
    request.getfixturevalue("tools")
    with WORLDS[page](folder) as place:
        yield place
