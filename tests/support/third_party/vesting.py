"""OpenZeppelin's VestingWallet: ether and tokens that become the owner's bit by bit."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import DAY, FINNEY, NOBODY, Action, Crowd, Subject


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a wallet from before its start until after its end; the ownership changes hands.

    For a while the owner is a contract that cannot be paid.
    """
    asset = crowd.deploy(compiled()["Asset"])
    owner = crowd.people[0]
    wallet = crowd.deploy(compiled()["VestingWallet"], owner, crowd.now + 10 * DAY, 60 * DAY)
    random, holders = crowd.random, list(crowd.people[:3])

    def pay() -> list[Call]:
        return [Call(sender=crowd.one(), to=wallet.address, value=FINNEY * random.choice([10, 500]))]

    def give() -> list[Call]:
        return [asset.call(crowd.one(), "mint", wallet.address, random.choice([100, 3_000]))]

    def release() -> list[Call]:
        return [wallet.call(crowd.one(), "release()")]

    def release_tokens() -> list[Call]:
        return [wallet.call(crowd.one(), "release(address)", asset.address)]

    def release_nothing() -> list[Call]:
        return [wallet.call(crowd.one(), "release(address)", crowd.one(), label="release: no token")]

    def transfer_ownership() -> list[Call]:
        sender = wallet.read("owner") if random.random() < 0.5 else crowd.one()
        to = random.choice([*holders, NOBODY])
        return [wallet.call(sender, "transferOwnership", to)]

    def renounce() -> list[Call]:
        return [wallet.call(random.choice(crowd.people[3:]), "renounceOwnership")]

    days = (DAY, 2 * DAY)
    actions: dict[Action, int] = {
        pay: 3, give: 2, release: 5, release_tokens: 5, release_nothing: 1, transfer_ownership: 7, renounce: 1,
    }  # fmt: skip
    crowd.act(actions, blocks=30, size=8, seconds=days)
    crowd.mine(*[wallet.call(who, "transferOwnership", owner) for who in holders])
    crowd.mine(wallet.call(owner, "transferOwnership", asset.address))
    crowd.act({pay: 2, release: 3, release_tokens: 3, renounce: 1}, blocks=4, size=8, seconds=days)
    return (Subject(name="vesting", address=wallet.address, artifact=compiled()["VestingWallet"]),)
