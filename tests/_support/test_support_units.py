"""Amounts and times as people read them."""

from __future__ import annotations

import pytest

from specminer._support.units import amount


@pytest.mark.parametrize(
    ("wei", "shown"),
    [
        (12, "12 wei"),
        (5 * 10**17, "0.5 ETH"),
        (10**17 + 1, "≈ 0.1 ETH"),
        (123_456_789_012_345_678_901, "≈ 123.457 ETH"),
        (2**256 - 1, f"≈ {(2**256 - 1) // 10**18 + 1:,} ETH"),
        (-(2**255), f"≈ -{2**255 // 10**18 + 1:,} ETH"),
    ],
)
def test_an_amount_of_any_size_is_shown(wei: int, shown: str) -> None:
    assert amount(str(wei)) == shown
