"""A Vyper auction that is held once: before its start, open, over, ended. The source is our own."""

from __future__ import annotations

from pathlib import Path

from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, FINNEY, HOUR, Crowd, Subject
from tests.support.vyper_compiler import compile_vyper


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive an auction from before its start until long after its end."""
    output = compile_vyper(Path(__file__).with_name("auction.vy"))
    auction = crowd.deploy(output, crowd.owner, crowd.now + 2 * DAY, 20 * DAY)
    random = crowd.random

    def bid() -> list[Call]:
        label = "bid: start" if crowd.now < auction.read("auctionStart") else ""
        step = random.choice([-200, -1, 0, 0, 1, 10, 50]) * FINNEY
        value = max(0, auction.read("highestBid") + step)
        return [auction.call(crowd.one(), "bid", value=value, label=label)]

    def withdraw() -> list[Call]:
        return [auction.call(crowd.one(), "withdraw")]

    def end() -> list[Call]:
        return [auction.call(crowd.one(), "endAuction")]

    def extend() -> list[Call]:
        return [auction.call(crowd.one(crowd.owner), "extend", random.choice([0, 60, HOUR, DAY]))]

    def extend_too_far() -> list[Call]:
        if auction.read("ended"):
            return []
        return [auction.call(crowd.owner, "extend", DAY + random.choice([1, DAY]), label="extend: seconds")]

    actions = {bid: 9, withdraw: 4, extend: 1, extend_too_far: 1}
    crowd.act(actions | {end: 1}, blocks=40, size=7, seconds=(6 * HOUR, 12 * HOUR, DAY))
    crowd.act({bid: 4, withdraw: 3, end: 2, extend: 2}, blocks=8, size=5, seconds=(DAY,))
    return (Subject(name="vyper_auction", address=auction.address, artifact=output),)
