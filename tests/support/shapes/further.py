"""Eight further shapes, with other contracts: written down before any of them was tried, when the ranking was done."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.shapes.stage import Actor, Stage
from tests.support.third_party.crowd import ETHER, FINNEY

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of the group of secp256k1."""


def earn_again(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a stake that is handed from contract to contract, each of which harvests all that it ever earned."""
    meadow = stage.deploy("Meadow")
    random = stage.random
    stage.succeed(stage.everybody[0].does(meadow, "stake", value=4 * ETHER))

    def stake() -> list[Call]:
        return [stage.one().does(meadow, "stake", value=random.choice([0, 100, 400, 900, 2_000]) * FINNEY)]

    def unstake() -> list[Call]:
        return [stage.one().does(meadow, "unstake", random.choice([50, 150, 500]) * FINNEY)]

    def reward() -> list[Call]:
        return [stage.owner.does(meadow, "reward", value=random.choice([100, 200, 300]) * FINNEY)]

    def harvest() -> list[Call]:
        return [stage.one().does(meadow, "harvest")]

    def move() -> list[Call]:
        return [stage.one().does(meadow, "move", stage.one().address, random.choice([20, 80, 300]) * FINNEY)]

    def adjust() -> list[Call]:
        return [stage.owner.does(meadow, "setFee", random.choice([1, 2]))]

    def attack() -> list[str]:
        shepherd = stage.deploy("Shepherd", sender=stage.thief.account)
        return stage.succeed(stage.thief.does(shepherd, "go", meadow.address, 3, value=2 * ETHER))

    actions = {stake: 6, unstake: 3, reward: 2, harvest: 5, move: 2}
    return meadow, stage.play(actions, attack, rare=[adjust])


def tell_too_early(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play tickets whose new holder is told of them before the old one has lost them: both give them back."""
    fair = stage.deploy("Fair")
    random = stage.random

    def buy() -> list[Call]:
        count, price = random.randrange(1, 9), fair.read("price")
        return [stage.one().does(fair, "buy", count, value=count * price - random.choice([0, 0, 0, 1]))]

    def give() -> list[Call]:
        return [stage.one().does(fair, "give", stage.one().address, random.randrange(1, 4))]

    def refund() -> list[Call]:
        return [stage.one().does(fair, "refund", random.randrange(1, 4))]

    def enter() -> list[Call]:
        return [stage.one().does(fair, "enter")]

    def adjust() -> list[Call]:
        return [stage.owner.does(fair, "setPrice", random.choice([45, 50, 50]) * FINNEY)]

    def attack() -> list[str]:
        twin = stage.deploy("Twin", sender=stage.thief.account)
        return stage.succeed(stage.thief.does(twin, "go", fair.address, 40, value=40 * fair.read("price")))

    actions = {buy: 8, give: 4, refund: 3, enter: 3}
    return fair, stage.play(actions, attack, rare=[adjust])


def take_over(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play an heir that anybody may name: a stranger inherits and empties the place."""
    locker = stage.deploy("Locker")
    random = stage.random

    def rent() -> list[Call]:
        return [stage.one().does(locker, "rentBox", value=random.choice([10, 20, 60, 150]) * FINNEY)]

    def leave() -> list[Call]:
        return [stage.one().does(locker, "leave")]

    def empty() -> list[Call]:
        return [stage.owner.does(locker, "empty", random.choice([10, 20, 30]) * FINNEY)]

    def reprice() -> list[Call]:
        return [stage.owner.does(locker, "setRent", random.choice([18, 20, 22]) * FINNEY)]

    def name() -> list[Call]:
        return [stage.owner.does(locker, "nameHeir", stage.everybody[1].address)]

    def attack() -> list[str]:
        held = int(stage.anvil.rpc("eth_getBalance", locker.address, "latest"), 16)
        thief = stage.thief
        hashes = stage.succeed(thief.does(locker, "nameHeir", thief.account))
        hashes += stage.succeed(thief.does(locker, "inherit"))
        return [*hashes, *stage.succeed(thief.does(locker, "empty", held))]

    actions = {rent: 9, leave: 3, empty: 1, reprice: 1}
    return locker, stage.play(actions, attack, rare=[name, name])


def abuse_router(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a router that people trust with their coins, and that forwards a stranger's call to the coin."""
    coin = stage.deploy("Coin")
    ferry, bell = stage.deploy("Ferry", coin.address), stage.deploy("Bell")
    random = stage.random
    for who in stage.everybody:
        stage.succeed(stage.owner.does(coin, "mint", who.address, 900 * ETHER))
        stage.succeed(who.does(coin, "approve", ferry.address, 2**255))

    def pay() -> list[Call]:
        return [stage.one().does(ferry, "pay", stage.one().address, random.choice([1, 5, 20, 70]) * ETHER)]

    def ring() -> list[Call]:
        data = bytes.fromhex(bell.encode("ring", random.randrange(1, 5))[2:])
        return [stage.one().does(ferry, "forward", bell.address, data)]

    def adjust() -> list[Call]:
        return [stage.owner.does(ferry, "setToll", random.choice([1, 2]))]

    def attack() -> list[str]:
        victim = max(stage.everybody, key=lambda who: int(coin.read("balanceOf", who.address)))
        sum_ = coin.read("balanceOf", victim.address)
        data = bytes.fromhex(coin.encode("transferFrom", victim.address, stage.thief.account, sum_)[2:])
        return stage.succeed(stage.thief.does(ferry, "forward", coin.address, data))

    actions = {pay: 9, ring: 5}
    return ferry, stage.play(actions, attack, rare=[adjust])


def turn_signature(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a coupon that a customer redeems a second time with the signature's other form."""
    coupons = stage.deploy("Coupons", value=200 * ETHER)
    random = stage.random
    latest: list[tuple[Actor, int, int, tuple[int, bytes, bytes]]] = []

    def redeem() -> list[Call]:
        who, sum_, number = stage.one(), random.randrange(20, 900) * FINNEY, len(latest)
        signed = stage.crowd.sign_typed(
            stage.owner.account,
            name="Coupons",
            contract=coupons.address,
            kind="Coupon",
            values={"payee": who.address, "number": number, "sum": sum_},
        )
        latest.append((who, number, sum_, signed))
        return [who.does(coupons, "redeem", number, sum_, *signed)]

    def wrong() -> list[Call]:
        if not latest:
            return []
        _, number, sum_, signed = random.choice(latest)
        return [stage.one().does(coupons, "redeem", number + 1, sum_, *signed)]

    def close() -> list[Call]:
        return [stage.owner.does(coupons, "close", random.choice([10, 40]) * FINNEY)]

    def attack() -> list[str]:
        who, number, sum_, (v, r, s) = max(latest[:-8], key=lambda item: item[2])
        turned = (_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
        return stage.succeed(who.does(coupons, "redeem", number, sum_, 55 - v, r, turned))

    actions = {redeem: 10, wrong: 2}
    return coupons, stage.play(actions, attack, rare=[close, close, close])


def report_price(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a stranger who makes themselves reporter, reports a price a thousand times as high, and borrows all."""
    pledges = stage.deploy("Pledges", value=80 * ETHER)
    random = stage.random

    def bring() -> list[Call]:
        return [stage.one().does(pledges, "bring", random.choice([5, 10, 20, 60]))]

    def borrow() -> list[Call]:
        return [stage.one().does(pledges, "borrow", random.choice([1, 2, 4]) * FINNEY // 4)]

    def repay() -> list[Call]:
        return [stage.one().does(pledges, "repay", value=random.choice([1, 2]) * FINNEY // 4)]

    def report() -> list[Call]:
        return [stage.owner.does(pledges, "report", random.randrange(95, 106))]

    def name() -> list[Call]:
        return [stage.owner.does(pledges, "nameReporter", stage.owner.address)]

    def attack() -> list[str]:
        thief = stage.thief
        hashes = stage.succeed(thief.does(pledges, "nameReporter", thief.account))
        hashes += stage.succeed(thief.does(pledges, "report", 10**9))
        hashes += stage.succeed(thief.does(pledges, "bring", 50))
        return [*hashes, *stage.succeed(thief.does(pledges, "borrow", 60 * ETHER))]

    actions = {bring: 5, borrow: 5, repay: 3, report: 3}
    return pledges, stage.play(actions, attack, rare=[name])


def lend_voices(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play voices that are lent to a speaker and stay there when the lender has left, many times in one transaction."""
    parish = stage.deploy("Parish", 9 * ETHER, value=40 * ETHER)
    random = stage.random

    def some_plea() -> int:
        return max(0, int(parish.read("count")) - 1 - random.randrange(4))

    def join() -> list[Call]:
        return [stage.one().does(parish, "join", value=random.choice([300, 800, 2_000]) * FINNEY)]

    def part() -> list[Call]:
        return [stage.one().does(parish, "part", random.choice([50, 200]) * FINNEY)]

    def plead() -> list[Call]:
        return [stage.one().does(parish, "plead", stage.one().address, random.randrange(20, 400) * FINNEY)]

    def speak() -> list[Call]:
        return [stage.one().does(parish, "speak", some_plea())]

    def lend() -> list[Call]:
        return [stage.one().does(parish, "lend", stage.one().address)]

    def grant() -> list[Call]:
        return [stage.one().does(parish, "grant", max(0, some_plea() - 2))]

    def adjust() -> list[Call]:
        return [stage.owner.does(parish, "setQuorum", random.choice([8, 10]) * ETHER)]

    def attack() -> list[str]:
        choir = stage.deploy("Choir", sender=stage.thief.account)
        held = int(stage.anvil.rpc("eth_getBalance", parish.address, "latest"), 16)
        return stage.succeed(
            stage.thief.does(choir, "go", parish.address, held * 9 // 10, 6, value=2 * ETHER)
        )

    actions = {join: 5, part: 2, plead: 4, speak: 12, lend: 1, grant: 4}
    return parish, stage.play(actions, attack, rare=[adjust])


def refund_twice(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a customer of long standing who cancels an order again and again, each time for its price."""
    orders = stage.deploy("Orders")
    random = stage.random
    book: dict[int, Actor] = {}

    def place() -> list[Call]:
        who = stage.one()
        book[len(book)] = who
        return [who.does(orders, "place", value=random.choice([50, 120, 300]) * FINNEY)]

    def some(stages: tuple[int, ...]) -> int | None:
        among = [
            number
            for number in range(int(orders.read("count")))
            if orders.read("orders", number)[2] in stages
        ]
        return random.choice(among[-12:]) if among else None

    def ship() -> list[Call]:
        number = some((1,))
        return [] if number is None else [stage.owner.does(orders, "ship", number)]

    def take() -> list[Call]:
        number = some((2,))
        return [] if number is None else [book[number].does(orders, "receiveOrder", number)]

    def cancel() -> list[Call]:
        number = some((1,))
        return [] if number is None else [book[number].does(orders, "cancel", number)]

    def collect() -> list[Call]:
        return [stage.owner.does(orders, "collect")]

    def attack() -> list[str]:
        number = some((4,))
        assert number is not None
        who, hashes = book[number], []
        for _ in range(3):
            hashes += stage.succeed(who.does(orders, "cancel", number), seconds=600)
        return hashes

    actions = {place: 7, ship: 6, take: 5, cancel: 2}
    return orders, stage.play(actions, attack, rare=[collect, collect])
