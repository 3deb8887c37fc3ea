"""A vault of OpenZeppelin's ERC4626: assets in, shares out, and profits that somebody gives to it."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import NOBODY, Crowd, Subject


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a vault; some have not allowed it to take assets, the last of the people has none."""
    asset = crowd.deploy(compiled()["Asset"])
    vault = crowd.deploy(compiled()["Vault"], asset.address)
    random = crowd.random
    rich, poor = crowd.people[:-1], crowd.people[-1]
    crowd.mine(*[asset.call(crowd.owner, "mint", who, 10_000) for who in (*rich, crowd.owner)])
    crowd.mine(*[asset.call(who, "approve", vault.address, 6_000) for who in (*rich[:-1], poor)])

    def amount() -> int:
        return random.choice([0, 1, 30, 250, 900, 4_000])

    def nobody_or(who: str) -> str:
        return NOBODY if random.random() < 0.12 else who

    def deposit() -> list[Call]:
        return [vault.call(crowd.one(), "deposit", amount(), nobody_or(crowd.one()))]

    def mint() -> list[Call]:
        return [vault.call(crowd.one(), "mint", amount(), nobody_or(crowd.one()))]

    def withdraw() -> list[Call]:
        who = crowd.one()
        return [vault.call(who, "withdraw", amount() // 2, nobody_or(crowd.one()), crowd.one(who))]

    def redeem() -> list[Call]:
        who = crowd.one()
        return [vault.call(who, "redeem", amount() // 2, nobody_or(crowd.one()), crowd.one(who))]

    def approve() -> list[Call]:
        return [
            vault.call(crowd.one(), "approve", nobody_or(crowd.one()), random.choice([0, 100, 2**256 - 1]))
        ]

    def transfer() -> list[Call]:
        return [vault.call(crowd.one(), "transfer", nobody_or(crowd.one()), amount())]

    def transfer_from() -> list[Call]:
        return [vault.call(crowd.one(), "transferFrom", crowd.one(), nobody_or(crowd.one()), amount())]

    def earn() -> list[Call]:
        return [asset.call(crowd.owner, "transfer", vault.address, random.choice([7, 100]))]

    actions = {
        deposit: 7, mint: 5, withdraw: 6, redeem: 6, approve: 4, transfer: 4, transfer_from: 4, earn: 1,
    }  # fmt: skip
    crowd.act(actions, blocks=36, size=8)
    return (Subject(name="erc4626", address=vault.address, artifact=compiled()["Vault"]),)
