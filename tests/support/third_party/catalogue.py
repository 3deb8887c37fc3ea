"""All drivers, by the name of the history that they make. Each takes a crowd and returns what is to be recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.support.third_party import timelock, vyper_auction, weth9
from tests.support.third_party.crowd import Crowd, Subject

Driver = Callable[[Crowd], tuple[Subject, ...]]

DRIVERS: Final[Mapping[str, Driver]] = {
    "timelock": timelock.drive,
    "vyper_auction": vyper_auction.drive,
    "weth9": weth9.drive,
}
