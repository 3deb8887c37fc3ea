"""Attacks played on a node rank first, and the reasons say what happened; all shapes are in ``benchmarks.attacks``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from specminer.pipeline import MineOptions, import_traces, mine
from specminer.store import TraceStore
from tests.support.shapes.catalogue import FURTHER, HELD_OUT, SHAPES
from tests.support.shapes.record import record

LENGTH = 0.45
"""Of a play, in relation to its full length: some 160 transactions."""


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "forced",
            ("broke what held", "the ether that it has is what came and stayed", "it called lay, take"),
        ),
        ("griefing", ("refuses to be paid", "a contract that was never seen before, called bid")),
    ],
)
def test_a_played_attack_is_first_and_an_alarm(
    name: str, words: tuple[str, ...], tools: Path, tmp_path: Path
) -> None:
    shape = next(item for item in SHAPES if item.name == name)
    trace_file = record(shape, tmp_path, length=LENGTH)
    with TraceStore("sqlite://") as store:
        found = import_traces(store, trace_file)
        history = store.history(found.chain_id, [found.address])
    ranked = mine(history, MineOptions()).specification.surprise.transactions
    assert ranked is not None
    first = ranked.ranked[0]
    about = json.loads((tmp_path / f"{name}.attack.json").read_text())
    assert first.transaction in about["attack"]
    assert first.flagged
    assert all(word in first.text for word in words), first.text
    assert not any(item.flagged for item in ranked.ranked[1:])


def test_fourteen_shapes_are_written_down_and_three_held_out() -> None:
    assert len({shape.name for shape in SHAPES}) == 14
    assert {"approval", "cross-function", "initialise"} == HELD_OUT
    assert all(shape.happens and shape.expected for shape in SHAPES)


def test_further_shapes_have_contracts_and_names_of_their_own() -> None:
    assert len({shape.name for shape in (*SHAPES, *FURTHER)}) == len(SHAPES) + len(FURTHER)
    assert not {shape.contract for shape in SHAPES} & {shape.contract for shape in FURTHER}
    assert all(shape.happens and shape.expected for shape in FURTHER)
