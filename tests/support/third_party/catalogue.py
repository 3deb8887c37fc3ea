"""All drivers, by the name of the history that they make. Each takes a crowd and returns what is to be recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.support.third_party import (
    access_control,
    erc4626,
    governor,
    safe,
    staking_rewards,
    timelock,
    uniswap_pair,
    uups,
    vesting,
    vyper_auction,
    vyper_purchases,
    weth9,
)
from tests.support.third_party.crowd import Crowd, Subject

Driver = Callable[[Crowd], tuple[Subject, ...]]

DRIVERS: Final[Mapping[str, Driver]] = {
    "access_control": access_control.drive,
    "erc4626": erc4626.drive,
    "governor": governor.drive,
    "safe": safe.drive,
    "staking_rewards": staking_rewards.drive,
    "timelock": timelock.drive,
    "uniswap_pair": uniswap_pair.drive,
    "uups": uups.drive,
    "vesting": vesting.drive,
    "vyper_auction": vyper_auction.drive,
    "vyper_purchases": vyper_purchases.drive,
    "weth9": weth9.drive,
}
"""By the name of the history."""
SHARED_DRIVES: Final[Mapping[str, str]] = {"votes_token": "governor"}
"""Histories that another one's driver makes, by name."""
HISTORIES: Final = (*DRIVERS, *SHARED_DRIVES)
