"""Shapes about prices, shares and collateral."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.shapes.stage import Stage
from tests.support.third_party.crowd import ETHER, FINNEY


def supply(stage: Stage, coin: Deployed, *spenders: str, sum_: int = 2_000 * ETHER) -> None:
    """Give everybody coins, and let the spenders take them."""
    stage.succeed(*[stage.owner.does(coin, "mint", who.address, sum_) for who in stage.everybody])
    for spender in spenders:
        stage.succeed(*[who.does(coin, "approve", spender, 10**30) for who in stage.everybody])


def move_price(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play a pawn shop by the price of a pool, which somebody moves, borrows by, and moves back in one transaction."""
    coin = stage.deploy("Coin")
    pool = stage.deploy("Pool", coin.address, value=1_000 * ETHER)
    shop = stage.deploy("PawnShop", coin.address, pool.address, value=150 * ETHER)
    stage.succeed(stage.owner.does(coin, "mint", pool.address, 10_000 * ETHER))
    supply(stage, coin, shop.address, pool.address)
    random = stage.random

    def pledge() -> list[Call]:
        return [stage.one().does(shop, "pledge", random.choice([0, 5, 20, 50]) * ETHER)]

    def borrow() -> list[Call]:
        return [stage.one().does(shop, "borrow", random.randrange(50, 2_500) * FINNEY)]

    def repay() -> list[Call]:
        return [stage.one().does(shop, "repay", value=random.choice([50, 200, 700]) * FINNEY)]

    def redeem() -> list[Call]:
        return [stage.one().does(shop, "redeem", random.choice([1, 5, 20]) * ETHER)]

    def trade() -> list[Call]:
        who = stage.one()
        if random.random() < 0.5:
            return [who.does(pool, "buy", value=random.randrange(100, 9_000) * FINNEY)]
        return [who.does(pool, "sell", random.randrange(1, 80) * ETHER)]

    def adjust() -> list[Call]:
        return [stage.owner.does(shop, "setPercent", random.choice([55, 58, 62]))]

    def fund() -> list[Call]:
        return [stage.owner.does(shop, "fund", value=20 * ETHER)]

    def attack() -> list[str]:
        mover = stage.deploy("PriceMover", sender=stage.thief.account)
        before = int(stage.anvil.rpc("eth_getBalance", stage.thief.account, "latest"), 16)
        hashes = stage.succeed(
            stage.thief.does(
                mover, "go", shop.address, pool.address, coin.address, 300 * ETHER, value=3_000 * ETHER
            )
        )
        assert int(stage.anvil.rpc("eth_getBalance", stage.thief.account, "latest"), 16) > before
        return hashes

    actions = {pledge: 6, borrow: 7, repay: 5, redeem: 4, trade: 5}
    return shop, stage.play(actions, attack, rare=[adjust, adjust, fund, fund], blocks=52)


def round_wrongly(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play somebody who takes less than a share is worth, pays no share for it, and does so many times."""
    silo = stage.deploy("Silo")
    random = stage.random
    stage.succeed(
        *[who.does(silo, "put", value=random.randrange(200, 900) * FINNEY) for who in stage.present]
    )

    def put() -> list[Call]:
        return [stage.one().does(silo, "put", value=random.choice([0, 40, 100, 250, 333, 1_200]) * FINNEY)]

    def take() -> list[Call]:
        return [stage.one().does(silo, "take", random.choice([20, 50, 111, 240, 700]) * FINNEY)]

    def tip() -> list[Call]:
        return [stage.owner.does(silo, "tip", value=random.randrange(20, 60) * FINNEY)]

    def give() -> list[Call]:
        return [stage.one().does(silo, "give", stage.one().address, random.choice([5, 30, 90]))]

    def adjust() -> list[Call]:
        return [stage.owner.does(silo, "setLeast", random.choice([2, 5]) * FINNEY)]

    def attack() -> list[str]:
        nibbler = stage.deploy("Nibbler", sender=stage.thief.account)
        worth = silo.read("stored") * 9 // 10 // silo.read("totalShares")
        return stage.succeed(stage.thief.does(nibbler, "go", silo.address, worth, 40))

    actions = {put: 7, take: 7, tip: 2, give: 3}
    return silo, stage.play(actions, attack, rare=[adjust, adjust])


def liquidate_oneself(stage: Stage) -> tuple[Deployed, list[str]]:
    """Play somebody who gives away what covered their loan, and buys the rest cheaply through a second contract."""
    coin = stage.deploy("Coin")
    mortgage = stage.deploy("Mortgage", coin.address)
    stage.succeed(stage.owner.does(coin, "mint", mortgage.address, 5_000 * ETHER))
    supply(stage, coin, mortgage.address)
    random = stage.random

    def deposit() -> list[Call]:
        return [stage.one().does(mortgage, "deposit", value=random.choice([1, 3, 5, 12]) * ETHER)]

    def withdraw() -> list[Call]:
        return [stage.one().does(mortgage, "withdraw", random.randrange(1, 40) * ETHER // 10)]

    def borrow() -> list[Call]:
        return [stage.one().does(mortgage, "borrow", random.randrange(5, 60) * ETHER // 10)]

    def repay() -> list[Call]:
        return [stage.one().does(mortgage, "repay", random.randrange(5, 30) * ETHER // 10)]

    def liquidate() -> list[Call]:
        return [stage.one().does(mortgage, "liquidate", stage.one().address)]

    def reprice() -> list[Call]:
        return [stage.owner.does(mortgage, "setPrice", random.randrange(85, 112) * ETHER // 100)]

    def give() -> list[Call]:
        return [stage.one().does(mortgage, "give", random.randrange(1, 30) * FINNEY)]

    def attack() -> list[str]:
        contract = stage.deploy("SelfLiquidator", sender=stage.thief.account)
        price = mortgage.read("price")
        coins = 70 * price
        stage.succeed(stage.owner.does(mortgage, "deposit", value=1 * ETHER))
        return stage.succeed(
            stage.thief.does(
                contract, "go", mortgage.address, coin.address, coins, 35 * ETHER, value=100 * ETHER
            )
        )

    actions = {deposit: 6, withdraw: 5, borrow: 6, repay: 4, liquidate: 3, reprice: 1}
    return mortgage, stage.play(actions, attack, rare=[give, give, give, give])
