"""Shapes about re-entrancy, and about ether that comes or fails to go in unforeseen ways."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.shapes.stage import Stage
from tests.support.third_party.crowd import ETHER, FINNEY


def read_within(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a price that is read by another contract while somebody is paid out, and is wrong for that moment."""
    pot = stage.deploy("Pot")
    hedge = stage.deploy("Hedge", pot.address, value=100 * ETHER)
    random = stage.random

    def enter() -> list[Call]:
        return [stage.one().does(pot, "enter", value=random.choice([0, 100, 400, 900, 2_000]) * FINNEY)]

    def leave() -> list[Call]:
        return [stage.one().does(pot, "leave", random.choice([50, 200, 600]) * FINNEY)]

    def hand() -> list[Call]:
        return [stage.one().does(pot, "hand", stage.one().address, random.choice([10, 80, 300]) * FINNEY)]

    def insure() -> list[Call]:
        return [stage.one().does(hedge, "insure", value=random.choice([5, 20, 50]) * FINNEY)]

    def claim() -> list[Call]:
        return [stage.one().does(hedge, "claim")]

    def donate() -> list[Call]:
        return [stage.owner.does(pot, "donate", value=30 * FINNEY)]

    def adjust() -> list[Call]:
        return [stage.owner.does(pot, "setLeast", random.choice([10, 20]) * FINNEY)]

    def attack() -> list[str]:
        doorman = stage.deploy("Doorman", pot.address, hedge.address, sender=stage.thief.account)
        return stage.succeed(stage.thief.does(doorman, "go", 2 * ETHER, value=202 * ETHER))

    actions = {enter: 6, leave: 5, hand: 3, insure: 3, claim: 1}
    return pot, stage.play(actions, attack, rare=[donate, donate, donate, adjust])


def cross_functions(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a balance that another function hands to a friend while it is paid out."""
    bank = stage.deploy("Bank")
    random = stage.random

    def deposit() -> list[Call]:
        return [stage.one().does(bank, "deposit", value=random.choice([0, 100, 350, 800, 1_500]) * FINNEY)]

    def transfer() -> list[Call]:
        return [
            stage.one().does(bank, "transfer", stage.one().address, random.choice([20, 100, 300]) * FINNEY)
        ]

    def withdraw() -> list[Call]:
        return [stage.one().does(bank, "withdraw")]

    def adjust() -> list[Call]:
        return [stage.owner.does(bank, "setFee", random.choice([1, 2]))]

    def attack() -> list[str]:
        friend = stage.anvil.accounts[26]
        juggler = stage.deploy("Juggler", bank.address, friend, sender=stage.thief.account)
        first = stage.succeed(stage.thief.does(juggler, "go", value=2 * ETHER))
        assert bank.read("balanceOf", friend) == 2 * ETHER
        return [*first, *stage.succeed(bank.call(friend, "withdraw"))]

    actions = {deposit: 7, transfer: 5, withdraw: 4}
    return bank, stage.play(actions, attack, rare=[adjust])


def force_ether(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play ether that no function takes, and that makes the balance what it never should be."""
    tower = stage.deploy("Tower")
    random = stage.random

    def lay() -> list[Call]:
        return [stage.one().does(tower, "lay", value=1 * ETHER)]

    def wrong() -> list[Call]:
        return [stage.one().does(tower, "lay", value=random.choice([0, 500, 2_000]) * FINNEY)]

    def take() -> list[Call]:
        winner = tower.read("winner")
        among = [who for who in stage.everybody if who.address == winner]
        return [(among[0] if among and random.random() < 0.8 else stage.one()).does(tower, "take")]

    def adjust() -> list[Call]:
        return [stage.owner.does(tower, "setHeight", random.choice([9, 11]) * ETHER)]

    def attack() -> list[str]:
        taken = stage.mine(
            *[who.does(tower, "take") for who in stage.everybody if who.address == tower.read("winner")]
        )
        assert len(taken) <= 1
        climber = stage.deploy("Climber", sender=stage.thief.account)
        missing = tower.read("height") - int(stage.anvil.rpc("eth_getBalance", tower.address, "latest"), 16)
        if missing < 3 * ETHER:  # too near the top: the others finish this round first
            lays = [stage.one().does(tower, "lay", value=1 * ETHER) for _ in range(missing // ETHER)]
            stage.mine(*lays)
            stage.mine(
                *[who.does(tower, "take") for who in stage.everybody if who.address == tower.read("winner")]
            )
            stage.mine(*[stage.one().does(tower, "lay", value=1 * ETHER) for _ in range(4)])
            missing = tower.read("height") - int(
                stage.anvil.rpc("eth_getBalance", tower.address, "latest"), 16
            )
        return stage.succeed(stage.thief.does(climber, "go", tower.address, value=missing))

    actions = {lay: 10, wrong: 2, take: 3}
    return tower, stage.play(actions, attack, rare=[adjust])


def refuse_refund(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a bidder who takes no refund, and stays the highest because nobody can outbid without refunding."""
    rostrum = stage.deploy("Rostrum")
    random = stage.random

    def some_lot() -> int:
        return max(0, int(rostrum.read("count")) - 1 - random.randrange(5))

    def offer() -> list[Call]:
        return [
            stage.one().does(
                rostrum, "offer", random.randrange(5, 60) * FINNEY, random.choice([6, 24]) * 3_600
            )
        ]

    def bid() -> list[Call]:
        lot = some_lot()
        standing = rostrum.read("lots", lot)[2]
        return [
            stage.one().does(rostrum, "bid", lot, value=standing * random.choice([90, 110, 125, 150]) // 100)
        ]

    def settle() -> list[Call]:
        return [stage.one().does(rostrum, "settle", max(0, some_lot() - 4))]

    def adjust() -> list[Call]:
        return [stage.owner.does(rostrum, "setCut", random.choice([1, 2]))]

    def attack() -> list[str]:
        stage.mine(stage.everybody[0].does(rostrum, "offer", 20 * FINNEY, 24 * 3_600))
        lot = int(rostrum.read("count")) - 1
        stubborn = stage.deploy("Stubborn", sender=stage.thief.account)
        hashes = stage.succeed(stage.thief.does(stubborn, "go", rostrum.address, lot, value=25 * FINNEY))
        for value in (40, 60, 90):
            (receipt,) = stage.mine(stage.one().does(rostrum, "bid", lot, value=value * FINNEY))
            assert receipt["status"] == "0x0"
        return hashes

    actions = {offer: 3, bid: 12, settle: 3}
    return rostrum, stage.play(actions, attack, rare=[adjust])
