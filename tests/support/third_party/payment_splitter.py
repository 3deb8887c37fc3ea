"""OpenZeppelin's PaymentSplitter of version 4: payees fetch their shares of the ether and tokens that came in."""

from __future__ import annotations

from typing import Final

from tests.support.anvil import Call
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import FINNEY, HOUR, Crowd, Subject
from tests.support.third_party.kinds import old_contracts

SHARES: Final = (50, 20, 10, 10, 5)
"""Of the first of the people; the others have none."""


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a splitter with five payees, ether and one token."""
    artifact = old_contracts()["PaymentSplitter"]
    asset = crowd.deploy(compiled()["Asset"])
    payees, random = list(crowd.people[: len(SHARES)]), crowd.random
    splitter = crowd.deploy(artifact, payees, list(SHARES))

    def payee() -> str:
        return crowd.one(*payees, chance=0.8)

    def pay() -> list[Call]:
        return [Call(sender=crowd.one(), to=splitter.address, value=FINNEY * random.choice([10, 70, 500]))]

    def give() -> list[Call]:
        return [asset.call(crowd.one(), "mint", splitter.address, random.choice([100, 3_000]))]

    def release() -> list[Call]:
        return [splitter.call(crowd.one(), "release(address)", payee())]

    def release_tokens() -> list[Call]:
        return [splitter.call(crowd.one(), "release(address,address)", asset.address, payee())]

    early = {pay: 1, release: 2, release_tokens: 1}
    crowd.act(early, blocks=6, size=4, seconds=(60, HOUR))
    crowd.act({pay: 4, give: 3, release: 7, release_tokens: 5}, blocks=40, size=7, seconds=(60, HOUR))
    return (Subject(name="payment_splitter", address=splitter.address, artifact=artifact),)
