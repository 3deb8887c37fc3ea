"""Purchases in Vyper: on offer, locked, received or withdrawn, told by a flag. The source is our own."""

from __future__ import annotations

from pathlib import Path

from tests.support.anvil import Call
from tests.support.third_party.crowd import HOUR, Crowd, Subject
from tests.support.vyper_compiler import compile_vyper

_OFFERED, _LOCKED = 1, 2
"""Two values of the flag ``Stage``."""


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some sixty purchases; the last of the people is blocked from selling for most of the time."""
    output = compile_vyper(Path(__file__).with_name("purchases.vy"))
    desk = crowd.deploy(output)
    random, people, banned = crowd.random, crowd.people[:-1], crowd.people[-1]
    offers: list[tuple[str, int]] = []
    """Sellers and prices as they were meant; the first is number 1, where all before were accepted."""

    def offer() -> list[Call]:
        seller, price = random.choice(people), random.choice([1, 50, 3_000])
        offers.append((seller, price))
        return [desk.call(seller, "offer", random.choice([HOUR, 8 * HOUR, 8 * HOUR]), value=2 * price)]

    def offer_wrongly() -> list[Call]:
        return [desk.call(random.choice(people), "offer", HOUR, value=random.choice([0, 0, 1, 77]))]

    def offer_blocked() -> list[Call]:
        return [desk.call(banned, "offer", HOUR, value=20, label="offer: blocked")]

    def some(stage: int) -> int:
        """Return the number of a purchase that may never have been made, but mostly is in this stage."""
        numbers: list[int] = [max(1, len(offers) + 1 - random.choice([-2, *range(1, 12)])) for _ in range(6)]
        fitting = [each for each in numbers if desk.read("purchases", each)[3] == stage]
        return fitting[0] if fitting and random.random() < 0.8 else numbers[0]

    def buy() -> list[Call]:
        number = some(_OFFERED)
        seller, price = offers[number - 1] if number <= len(offers) else (banned, 1)
        value = 2 * price + random.choice([0, 0, 0, 1])
        return [desk.call(crowd.one(seller, chance=0.1), "buy", number, value=value)]

    def receive() -> list[Call]:
        number = some(_LOCKED)
        buyer = desk.read("purchases", number)[1]
        known = buyer if int(buyer, 16) else crowd.owner
        return [desk.call(random.choice([known, crowd.owner, crowd.one()]), "receive_item", number)]

    def withdraw() -> list[Call]:
        number = some(_OFFERED)
        seller = offers[number - 1][0] if number <= len(offers) else banned
        return [desk.call(crowd.one(seller), "withdraw", number)]

    def block() -> list[Call]:
        return [desk.call(crowd.one(crowd.owner), "block_account", random.choice(people), False)]

    crowd.mine(desk.call(crowd.owner, "block_account", banned, True))
    actions = {
        offer: 7, offer_wrongly: 3, offer_blocked: 1, buy: 9, receive: 8, withdraw: 6, block: 1,
    }  # fmt: skip
    crowd.act(actions, blocks=36, size=9, seconds=(60, HOUR, 3 * HOUR))
    return (Subject(name="vyper_purchases", address=desk.address, artifact=output),)
