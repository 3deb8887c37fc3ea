"""Thirty people stake, cool down, change their minds, miss the window, and take their stakes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, FINNEY, Crowd, Subject


def drive(crowd: Crowd, contracts: Mapping[str, Mapping[str, Any]]) -> Subject:
    """Stake, rightly and wrongly."""
    artifact = contracts["CooldownStaking"]
    house = crowd.deploy(artifact)
    random = crowd.random

    cooling: dict[str, int] = {}

    def somebody(*, is_cooling: bool) -> str:
        fitting = [each for each in crowd.people if (each in cooling) is is_cooling]
        return crowd.one(*fitting, chance=0.8) if fitting else crowd.one()

    def stake() -> list[Call]:
        return [
            house.call(somebody(is_cooling=False), "stake", value=FINNEY * random.choice([0, 10, 50, 300]))
        ]

    def start() -> list[Call]:
        account = somebody(is_cooling=False)
        cooling.setdefault(account, crowd.now + 7 * DAY)
        return [house.call(account, "startCooldown")]

    def again() -> list[Call]:
        late = [account for account, end in cooling.items() if crowd.now > end + 2 * DAY]
        return [house.call(account, "startCooldown") for account in late[:1]]

    def cancel() -> list[Call]:
        account = somebody(is_cooling=True)
        cooling.pop(account, None)
        return [house.call(account, "cancelCooldown")]

    def unstake() -> list[Call]:
        ready = [account for account, end in cooling.items() if end <= crowd.now <= end + 2 * DAY]
        account = crowd.one(*ready, chance=0.8) if ready else crowd.one()
        if account in ready:
            del cooling[account]
        return [house.call(account, "unstake")]

    def halt() -> list[Call]:
        halted = random.random() < 0.3
        return [house.call(crowd.one(crowd.owner), "setHalted", halted)]

    crowd.act(
        {stake: 7, start: 4, again: 1, cancel: 1, unstake: 4, halt: 1},
        blocks=75,
        size=5,
        seconds=(DAY // 4, DAY // 2, DAY),
    )
    return Subject(name="cooldown_staking", address=house.address, artifact=artifact)
