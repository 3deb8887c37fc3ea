"""OpenZeppelin 2's crowdsale, with a cap, a time and a list of whom it is for; and its vesting of tokens."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.support.anvil import Call
from tests.support.solc import compile_files, package_folder
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import DAY, FINNEY, HOUR, NOBODY, Crowd, Subject


@cache
def _compiled() -> dict[str, dict[str, Any]]:
    package_folder("openzeppelin-solidity")
    return compile_files(Path(__file__).with_name("Sale.sol"), package="solc-0.5.17")


def drive_sale(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a sale before it opens, while it is open, until its cap, and after it closed."""
    output, random, wallet = _compiled()["Sale"], crowd.random, crowd.anvil.accounts[20]
    asset = crowd.deploy(compiled()["Asset"])
    opening = crowd.now + 2 * HOUR
    sale = crowd.deploy(output, 3, wallet, asset.address, 2_000 * FINNEY, opening, opening + 2 * DAY)
    crowd.mine(asset.call(crowd.owner, "mint", sale.address, 5_500 * FINNEY))

    def buy() -> list[Call]:
        who, to = crowd.one(), NOBODY if random.random() < 0.1 else crowd.one()
        value = FINNEY * random.choice([0, 1, 10, 10, 30, 80])
        return [sale.call(who, "buyTokens", to, value=value)]

    def enlist() -> list[Call]:
        function = random.choice(["addWhitelisted", "addWhitelisted", "removeWhitelisted"])
        return [sale.call(crowd.one(crowd.owner, chance=0.8), function, crowd.one())]

    def renounce() -> list[Call]:
        return [sale.call(crowd.one(), "renounceWhitelisted")]

    crowd.act({buy: 5, enlist: 3}, blocks=8, size=5, seconds=(60, 900))
    crowd.mine(seconds=HOUR)
    crowd.act({buy: 10, enlist: 3, renounce: 1}, blocks=30, size=7, seconds=(60, HOUR))
    crowd.mine(seconds=2 * DAY)
    crowd.act({buy: 5, enlist: 1}, blocks=4, size=5, seconds=(60, HOUR))
    return (Subject(name="sale", address=sale.address, artifact=output),)


def drive_token_vesting(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a vesting of several tokens past its cliff and its end; some tokens are revoked midway."""
    output, random = _compiled()["TokenVesting"], crowd.random
    tokens = [crowd.deploy(compiled()["Asset"]) for _ in range(4)]
    vesting = crowd.deploy(output, crowd.people[0], crowd.now, DAY, 12 * DAY, True)

    def give() -> list[Call]:
        return [random.choice(tokens).call(crowd.owner, "mint", vesting.address, random.choice([50, 4_000]))]

    def release() -> list[Call]:
        return [vesting.call(crowd.one(), "release", random.choice(tokens).address)]

    def revoke() -> list[Call]:
        sender = crowd.one(crowd.owner, chance=0.3)
        return [vesting.call(sender, "revoke", random.choice(tokens[2:]).address)]

    crowd.act({give: 2, release: 4}, blocks=10, size=6, seconds=(60, HOUR))
    crowd.mine(seconds=DAY)
    crowd.act({give: 2, release: 6, revoke: 1}, blocks=38, size=6, seconds=(60, 6 * HOUR))
    crowd.mine(seconds=6 * DAY)
    crowd.act({give: 2, release: 6, revoke: 1}, blocks=8, size=6, seconds=(60, 6 * HOUR))
    return (Subject(name="token_vesting", address=vesting.address, artifact=output),)
