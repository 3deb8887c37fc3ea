"""Dutch auctions, many in one contract: a lot's price falls until it is bought, withdrawn, or its time is over."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, FINNEY, HOUR, Crowd, Subject
from tests.support.third_party.kinds import own_contracts


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some forty lots."""
    artifact = own_contracts()["DutchAuctions"]
    house = crowd.deploy(artifact)
    random = crowd.random

    def list_lot() -> list[Call]:
        start, floor = random.choice([(900, 300), (500, 50), (80, 10), (80, 10), (10, 10)])
        begins = crowd.now + random.choice([0, HOUR, HOUR, 6 * HOUR, 12 * HOUR, -60])
        lasts = random.choice([12 * HOUR, DAY, DAY, 2 * DAY, 60])
        return [house.call(crowd.one(), "list", start * FINNEY, floor * FINNEY, begins, lasts)]

    def lot() -> int:
        count: int = house.read("lotCount")
        back: int = random.choice([-1, *range(1, 10), *range(1, 6)])
        return max(0, count - back)

    def buy() -> list[Call]:
        number = lot()
        price = house.read("priceOf", number)
        value = random.choice([price, price + FINNEY, price // 2]) if price else FINNEY
        return [house.call(crowd.one(), "buy", number, value=value)]

    def withdraw() -> list[Call]:
        number = lot()
        seller = house.read("lots", number)[0]
        known = [seller] if int(seller, 16) else []
        return [house.call(crowd.one(*known, chance=0.6), "withdraw", number)]

    crowd.act({list_lot: 4, buy: 10, withdraw: 3}, blocks=44, size=7, seconds=(HOUR, 3 * HOUR, 8 * HOUR))
    return (Subject(name="dutch_auctions", address=house.address, artifact=artifact),)
