"""Shapes about powers that reach the wrong hands."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.shapes.stage import Stage
from tests.support.third_party.crowd import ETHER, FINNEY


def run_strange_code(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a hub that runs modules in its own place, and one that a stranger brought."""
    hub = stage.deploy("Hub")
    giver, splitter = stage.deploy("Giver"), stage.deploy("Splitter")
    stage.succeed(stage.owner.does(hub, "list", giver.address, True))
    random = stage.random

    def deposit() -> list[Call]:
        return [stage.one().does(hub, "deposit", value=random.choice([0, 100, 400, 900, 2_500]) * FINNEY)]

    def withdraw() -> list[Call]:
        return [stage.one().does(hub, "withdraw", random.choice([20, 90, 300, 800]) * FINNEY)]

    def give() -> list[Call]:
        data = giver.encode("give", stage.one().address, random.choice([10, 70, 200]) * FINNEY)
        return [stage.one().does(hub, "perform", giver.address, bytes.fromhex(data[2:]))]

    def split() -> list[Call]:
        data = splitter.encode(
            "split", stage.one().address, stage.one().address, random.choice([10, 70]) * FINNEY
        )
        return [stage.one().does(hub, "perform", splitter.address, bytes.fromhex(data[2:]))]

    def nothing() -> list[Call]:
        return [stage.one().does(hub, "perform", stage.anvil.accounts[29], b"")]

    def list_splitter() -> list[Call]:
        return [stage.owner.does(hub, "list", splitter.address, True)]

    def attack() -> list[str]:
        cuckoo = stage.deploy("Cuckoo", sender=stage.thief.account)
        data = bytes.fromhex(cuckoo.encode("hatch")[2:])
        return stage.succeed(stage.thief.does(hub, "perform", cuckoo.address, data))

    actions = {deposit: 6, withdraw: 5, give: 4, split: 2, nothing: 1}
    return hub, stage.play(actions, attack, rare=[list_splitter])


def initialise_again(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play an initialiser that is called again by somebody else, who then spends what is there."""
    society = stage.deploy("Society")
    stage.succeed(stage.owner.does(society, "initialize", stage.owner.account, 100 * FINNEY))
    random = stage.random

    def join() -> list[Call]:
        dues = society.read("dues")
        return [stage.one().does(society, "join", value=dues if random.random() < 0.8 else dues // 2)]

    def renew() -> list[Call]:
        dues = society.read("dues")
        return [stage.one().does(society, "renew", value=dues if random.random() < 0.9 else dues // 2)]

    def leave() -> list[Call]:
        return [stage.one().does(society, "leave")]

    def spend() -> list[Call]:
        return [stage.owner.does(society, "spend", stage.one().account, random.randrange(20, 200) * FINNEY)]

    def reprice() -> list[Call]:
        return [stage.owner.does(society, "setDues", random.choice([90, 100, 120]) * FINNEY)]

    def attack() -> list[str]:
        first = stage.succeed(stage.thief.does(society, "initialize", stage.thief.account, 100 * FINNEY))
        held = int(stage.anvil.rpc("eth_getBalance", society.address, "latest"), 16)
        second = stage.succeed(stage.thief.does(society, "spend", stage.thief.account, held * 9 // 10))
        restored = stage.succeed(stage.thief.does(society, "initialize", stage.owner.account, 100 * FINNEY))
        return [*first, *second, *restored]

    actions = {join: 5, renew: 8, leave: 3, spend: 1}
    return society, stage.play(actions, attack, rare=[reprice, reprice, reprice])


def enter_by_hole(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a stranger who becomes operator, awards themselves points, and changes them into ether."""
    rewards = stage.deploy("Rewards", value=50 * ETHER)
    random = stage.random
    second = stage.everybody[2]
    operator = [stage.owner]

    def award() -> list[Call]:
        return [operator[0].does(rewards, "award", stage.one().address, random.randrange(5, 900))]

    def intrude() -> list[Call]:
        who = stage.one()
        return [] if who is operator[0] else [who.does(rewards, "award", who.address, 100)]

    def hand() -> list[Call]:
        return [stage.one().does(rewards, "pass", stage.one().address, random.choice([5, 50, 400]))]

    def change() -> list[Call]:
        return [stage.one().does(rewards, "change", random.choice([10, 60, 250, 800]))]

    def name_second() -> list[Call]:
        operator[0] = second
        return [stage.owner.does(rewards, "setOperator", second.address)]

    def reprice() -> list[Call]:
        return [stage.owner.does(rewards, "setRate", random.choice([8, 9, 11]) * 10**11)]

    def fund() -> list[Call]:
        return [stage.owner.does(rewards, "fund", value=random.choice([1, 2]) * ETHER)]

    def attack() -> list[str]:
        thief, rate = stage.thief, rewards.read("rate")
        held = int(stage.anvil.rpc("eth_getBalance", rewards.address, "latest"), 16)
        points = held * 8 // 10 // rate
        hashes = stage.succeed(thief.does(rewards, "setOperator", thief.account))
        hashes += stage.succeed(thief.does(rewards, "award", thief.account, points))
        hashes += stage.succeed(thief.does(rewards, "change", points))
        return [*hashes, *stage.succeed(thief.does(rewards, "setOperator", operator[0].address))]

    actions = {award: 7, intrude: 1, hand: 4, change: 5}
    return rewards, stage.play(actions, attack, rare=[name_second, reprice, reprice, fund, fund])
