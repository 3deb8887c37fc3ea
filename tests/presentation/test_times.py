"""Times in smaller units than seconds are recognised by their size."""

from __future__ import annotations

import pytest

from specminer._support.times import LAST_SECOND, unix_seconds
from specminer.presentation.eventlog import _moment

NOW = 1_518_194_719


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_a_time_of_today_is_read_in_any_unit(unit: int) -> None:
    assert unix_seconds(NOW * unit) == NOW
    assert _moment(NOW * unit) == "2018-02-09T16:45:19+00:00"


def test_what_no_unit_makes_a_date_of_has_none() -> None:
    assert unix_seconds(LAST_SECOND - 1) == LAST_SECOND - 1
    assert _moment(2**63 - 1) == "2262-04-11T23:47:16+00:00"
    assert _moment(10**40) == ""
