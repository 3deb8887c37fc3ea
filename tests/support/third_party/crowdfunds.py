"""Campaigns that collect ether: some reach their goal and are paid out, others fail and give back."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.third_party.crowd import FINNEY, HOUR, Action, Crowd, Subject
from tests.support.third_party.kinds import observed_contracts


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some thirty campaigns."""
    artifact = observed_contracts()["Crowdfunds"]
    house = crowd.deploy(artifact)
    random = crowd.random
    backers: list[tuple[int, str]] = []
    """Campaign and backer of each pledge, also of those that were rejected."""

    def campaign() -> int:
        count: int = house.read("campaignCount")
        return max(1, count + 1 - random.choice([0, 1, 1, 2, 2, 3, 4, 5]))

    def launch() -> list[Call]:
        goal, hours = FINNEY * random.choice([0, 20, 50, 50, 300]), random.choice([6, 12, 24])
        return [house.call(crowd.one(), "launch", goal, hours * HOUR)]

    def pledge() -> list[Call]:
        number, backer, value = campaign(), crowd.one(), FINNEY * random.choice([0, 5, 10, 20])
        backers.append((number, backer))
        return [house.call(backer, "pledge", number, value=value)]

    def collect() -> list[Call]:
        number = campaign()
        creator = str(house.read("campaigns", number)[0])
        return [house.call(crowd.one(creator) if int(creator, 16) else crowd.one(), "collect", number)]

    def refund() -> list[Call]:
        number, backer = random.choice(backers[-40:] or [(1, crowd.one())])
        return [house.call(backer, "refund", number)]

    actions: dict[Action, int] = {launch: 2, pledge: 8, collect: 4, refund: 5}
    crowd.mine(house.call(crowd.owner, "launch", 50 * FINNEY, 12 * HOUR))
    crowd.act(actions, blocks=50, size=6, seconds=(HOUR, 2 * HOUR, 3 * HOUR))
    return (Subject(name="crowdfunds", address=house.address, artifact=artifact),)
