"""What people read of the datasets: no number without its unit, no bare participle as a heading."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from specminer.contracts.artifact import parse
from specminer.pipeline import MineOptions, mine
from specminer.pipeline.datasets import dataset, list_datasets
from tests.support.mined import mined, report_of
from tests.support.readable_outputs import (
    bare_measures,
    bare_participles,
    headings,
    texts_of,
    unnamed_members,
    unreadable_numbers,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_numbers_have_units_and_headings_are_nouns(name: str) -> None:
    report = report_of(mined(name))
    found = {
        (kind, place)
        for kind, text in texts_of(report)
        for place in (*unreadable_numbers(text), *bare_measures(text, report.specification))
    }
    assert sorted(found) == []
    assert bare_participles(headings(report)) == []


def test_members_of_a_known_enumeration_are_told_by_name() -> None:
    folder = dataset("escrow").folder
    document = msgspec.json.decode((folder / "artifact.json").read_bytes())
    document["source"] = (folder / "Escrow.sol").read_text()
    run = mined("escrow")
    result = mine(run.context.history, MineOptions(), artifact=parse(msgspec.json.encode(document), "test"))
    report = report_of(replace(result, recording=run.recording))
    found = {
        (kind, place) for kind, text in texts_of(report) for place in unnamed_members(text, {"status": 6})
    }
    assert sorted(found) == []
    assert unnamed_members(dict(texts_of(report_of(run)))["screen"], {"status": 6}), "the test sees numbers"


def test_the_tests_see_what_is_hard_to_read() -> None:
    assert unreadable_numbers("value = 5000000000000000") == ["value = 5000000000000000"]
    assert unreadable_numbers("pays 2,000,000,000 wei") == ["pays 2,000,000,000 wei"]
    assert unreadable_numbers("after 120 seconds") == ["after 120 seconds"]
    assert unreadable_numbers("0.5 ETH after 90 seconds, 12 wei, block 12,345,678, 0x1234567890ab") == []
    assert bare_participles(["Rejected", "Rejected calls", "Held", "Need", "Told"]) == [
        "Rejected",
        "Held",
        "Told",
    ]
    assert unnamed_members("status = 2 and status != 9", {"status": 6}) == ["status = 2 and status != 9"]
