"""A lottery that is held in rounds: open until its time, drawn, the pot fetched by the winner."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.third_party.crowd import FINNEY, HOUR, Crowd, Subject
from tests.support.third_party.kinds import own_contracts


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some fifteen rounds."""
    artifact = own_contracts()["Lottery"]
    lottery = crowd.deploy(artifact)
    random, price = crowd.random, 10 * FINNEY

    def open_round() -> list[Call]:
        duration = random.choice([6 * HOUR, 9 * HOUR, 60])
        return [lottery.call(crowd.one(crowd.owner, chance=0.8), "open", duration)]

    def enter() -> list[Call]:
        return [lottery.call(crowd.one(), "enter", value=random.choice([price] * 7 + [price + 1, 0]))]

    def draw() -> list[Call]:
        return [lottery.call(crowd.one(), "draw")]

    def claim() -> list[Call]:
        number = max(1, lottery.read("current") - random.choice([0, 0, 0, 1, 1, 2]))
        winner = lottery.read("rounds", number)[3]
        known = [winner] if int(winner, 16) else []
        return [lottery.call(crowd.one(*known, chance=0.6), "claim", number)]

    crowd.act({open_round: 1, enter: 3, draw: 1, claim: 1}, blocks=2, size=4, seconds=(HOUR,))
    crowd.act({open_round: 4, enter: 8, draw: 3, claim: 4}, blocks=46, size=6, seconds=(HOUR, 3 * HOUR))
    return (Subject(name="lottery", address=lottery.address, artifact=artifact),)
