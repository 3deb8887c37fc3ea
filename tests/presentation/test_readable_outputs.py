"""What people read of the datasets: no number without its unit, no bare participle as a heading."""

from __future__ import annotations

import pytest

from specminer.pipeline.datasets import dataset, list_datasets
from tests.support.mined import mined, report_of
from tests.support.readable_outputs import (
    bare_measures,
    bare_participles,
    enums_of,
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


@pytest.mark.slow
@pytest.mark.parametrize("name", [item.name for item in list_datasets()])
def test_members_of_a_known_enumeration_are_told_by_name(name: str) -> None:
    run = mined(name)
    enums = enums_of(run)
    assert bool(enums) == any("enum " in path.read_text() for path in dataset(name).sources)
    found = {
        (kind, place) for kind, text in texts_of(report_of(run)) for place in unnamed_members(text, enums)
    }
    assert sorted(found) == []


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
    assert len(unnamed_members("deals[dealId].status' = 5; status=2, status from 1", {"status": 6})) == 3
