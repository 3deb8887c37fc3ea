"""Layouts that cannot be the contract's are noticed and said; a right one is not doubted."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from specminer.contracts.artifact import parse
from specminer.decoding import HistoryContext, decode
from specminer.decoding.location_columns import NameSource
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import mine
from specminer.pipeline.state import MineOptions
from specminer.presentation.summary import summary
from specminer.store import TraceStore
from tests.support.storages import Lived, lived


@pytest.fixture(scope="module")
def contract(tools: Path) -> Lived:
    return lived()


def located_by(contract: Lived, change: Callable[[dict[str, Any]], None]) -> HistoryContext:
    layout = copy.deepcopy(contract.artifact.storage_layout)
    assert layout is not None
    change(layout)
    return decode(contract.history, replace(contract.artifact, storage_layout=layout))


def member(layout: dict[str, Any], label: str) -> dict[str, Any]:
    (found,) = [item for item in layout["storage"] if item["label"] == label]
    assert isinstance(found, dict)
    return found


def test_the_right_layout_is_not_doubted(contract: Lived) -> None:
    found = located_by(contract, lambda layout: None)
    assert (found.notes, found.layout_used, found.coverage.named_share, found.coverage.resolved_share) == (
        (),
        True,
        1.0,
        1.0,
    )
    assert found.coverage.sources == {NameSource.LAYOUT: 1.0}


def test_an_inserted_variable_shifts_all_and_is_noticed(contract: Lived) -> None:
    def shift(layout: dict[str, Any]) -> None:
        for item in layout["storage"]:
            item["slot"] = str(int(item["slot"]) + 1)

    found = located_by(contract, shift)
    assert not found.layout_used
    assert "the storage layout contradicts the contract, so it was not used" in found.notes
    assert any(note.startswith("the getter ") for note in found.notes)
    assert NameSource.LAYOUT not in found.coverage.sources
    assert found.coverage.sources[NameSource.GETTER] > 0.5


def test_another_contracts_layout_is_noticed(contract: Lived) -> None:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset("auction_house").traces)
    assert record.artifact is not None
    other = parse(record.artifact, "test")
    found = decode(contract.history, replace(contract.artifact, storage_layout=other.storage_layout))
    assert "does not explain" in found.notes[0]
    assert not found.layout_used


def test_swapped_variables_are_told_by_their_getters(contract: Lived) -> None:
    def swap(layout: dict[str, Any]) -> None:
        one, other = member(layout, "total"), member(layout, "title")
        one["slot"], other["slot"] = other["slot"], one["slot"]

    found = located_by(contract, swap)
    assert found.layout_used  # most getters agree
    told = " ".join(found.notes)
    assert "the getter total reads slot 1, bit 0; the storage layout has it in slot 17, bit 0" in told
    assert "the getter title reads slot 17" in told


def test_values_that_no_bool_can_hold(contract: Lived) -> None:
    def flag(layout: dict[str, Any]) -> None:
        member(layout, "low")["type"] = "t_bool"
        layout["storage"] = [item for item in layout["storage"] if item["label"] not in ("tag", "phase")]

    notes = located_by(contract, flag).notes
    assert "low is a bool in the storage layout, but holds values other than 0 and 1" in notes
    assert any("the slot of low holds values in bits" in note for note in notes)


def test_a_variable_hashed_like_a_mapping_but_declared_as_a_number(contract: Lived) -> None:
    def flatten(layout: dict[str, Any]) -> None:
        member(layout, "deals")["type"] = "t_uint256"

    found = located_by(contract, flatten)
    assert found.layout_used
    assert "does not explain" in found.notes[0]
    assert "mapping2[" in found.notes[0]
    # what the layout gets wrong the getters name
    assert found.coverage.named_share > 0.9


def test_what_is_wrong_stands_in_the_result(contract: Lived) -> None:
    layout = copy.deepcopy(contract.artifact.storage_layout) or {}
    member(layout, "deals")["type"] = "t_uint256"
    artifact = replace(contract.artifact, storage_layout=layout)
    mined = mine(contract.history, MineOptions(), artifact=artifact)
    assert any("does not explain" in text for text in mined.specification.history.limits)
    assert "does not explain" in summary(mined.specification, width=200)
    locations = mined.specification.history.locations
    assert locations is not None
    assert locations.resolved == 1.0
