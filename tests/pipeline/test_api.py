"""Specminer from Python: what a notebook shows, every kind of source, and errors that say what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from specminer import MinedSpecification, mine, read
from specminer._support.errors import FileFormatError, StoreError, UsageError
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.presentation.graphviz_layout import renderer
from specminer.store import TraceStore
from tests.support.drawings import drawing, groups

drawn = pytest.mark.skipif(renderer() is None, reason="missing part: dot or pygraphviz")


@pytest.fixture(scope="module")
def found() -> MinedSpecification:
    return mine("auction_house")


@drawn
def test_a_notebook_shows_the_picture(found: MinedSpecification) -> None:
    root = drawing(found._repr_svg_().encode())
    assert len(groups(root, "node")) == len(found.specification.states)


def test_a_terminal_shows_the_summary(found: MinedSpecification) -> None:
    assert repr(found).startswith("Specification of AuctionHouse\n")


@pytest.mark.slow
def test_a_file_and_a_database_give_the_same(found: MinedSpecification, tmp_path: Path) -> None:
    shipped = dataset("auction_house")
    assert mine(shipped.traces).specification == found.specification
    with TraceStore(str(tmp_path / "h.db")) as store:
        import_traces(store, shipped.traces)
    for chain in (None, 31337):
        assert mine(tmp_path / "h.db", shipped.address, chain_id=chain).specification == found.specification


def test_a_dataset_of_several_contracts_is_mined_whole() -> None:
    spec = mine("single_auction").specification
    assert len(spec.contracts) == len(dataset("single_auction").trace_files) > 1


@drawn
def test_what_is_saved_is_what_is_shown(found: MinedSpecification, tmp_path: Path) -> None:
    other = found.with_states(3).restyle(theme="dark")
    assert other.save(tmp_path / "o") == tmp_path / "o"
    assert (tmp_path / "o" / "automaton.svg").read_text() == other._repr_svg_()
    assert read(tmp_path / "o" / "automaton.json").specification == other.specification
    assert found.draw("mermaid").startswith(b"---")


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file and no dataset; did you mean 'auction_house'"):
        mine("auction_hous")
    with pytest.raises(StoreError, match="there is no database"):
        mine(tmp_path / "none.db", "0x" + "11" * 20)
    assert not (tmp_path / "none.db").exists()
    with TraceStore(str(tmp_path / "h.db")):
        pass
    with pytest.raises(StoreError, match="holds nothing of 0x1111"):
        mine(tmp_path / "h.db", "0x" + "11" * 20)
    with pytest.raises(UsageError, match="'0x11' is not an address"):
        mine(tmp_path / "h.db", "0x11")
    with pytest.raises(FileFormatError, match="cannot be read"):
        read(tmp_path / "none.json")
