"""Passes that are bought for some days, renewed before and after they expire, suspended and reinstated."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, Action, Crowd, Subject
from tests.support.third_party.kinds import observed_contracts

_GWEI = 10**9


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some thirty passes."""
    artifact = observed_contracts()["Passes"]
    house = crowd.deploy(artifact)
    random = crowd.random

    def number() -> int:
        return random.randrange(1, 31)

    def buy() -> list[Call]:
        days = random.choice([0, 2, 5, 10])
        return [house.call(crowd.one(), "buy", number(), days, value=_GWEI * random.choice([5, 10]))]

    def visit() -> list[Call]:
        return [house.call(crowd.one(), "visit", number())]

    def suspend() -> list[Call]:
        sender = random.choice([crowd.owner, crowd.owner, crowd.one()])
        return [house.call(sender, "suspend", number(), random.random() < 0.5)]

    actions: dict[Action, int] = {buy: 3, visit: 6, suspend: 2}
    crowd.act(actions, blocks=50, size=6, seconds=(DAY // 2, DAY))
    return (Subject(name="passes", address=house.address, artifact=artifact),)
