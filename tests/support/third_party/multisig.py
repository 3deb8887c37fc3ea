"""A wallet of several owners: transactions are submitted, confirmed, confirmations revoked, and executed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tests.support.anvil import Call
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import ETHER, HOUR, NOBODY, Crowd, Subject
from tests.support.third_party.kinds import own_contracts

REQUIRED: Final = 3
"""Confirmations that a transaction needs, of five owners."""


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a wallet with five owners through some thirty transactions."""
    artifact = own_contracts()["MultiSigWallet"]
    owners, random = list(crowd.people[:5]), crowd.random
    target = crowd.deploy(compiled()["Target"])
    wallet = crowd.deploy(artifact, owners, REQUIRED)
    submitted = [0]
    """How many were submitted so far."""

    def owner() -> str:
        return crowd.one(*owners, chance=0.85)

    def submit() -> list[Call]:
        sender, to = owner(), random.choice([target.address] * 7 + [NOBODY])
        submitted[0] += sender in owners and to != NOBODY
        data = bytes.fromhex(target.encode("put", random.choice([13, *range(1, 9)]))[2:])
        value = random.choice([0, 0, 5, 1000 * ETHER])
        return [wallet.call(sender, "submitTransaction", to, value, data)]

    def some(*, confirmed: bool) -> int:
        """Return a transaction; mostly one that is open, and has enough confirmations or not, if there is one."""
        numbers: list[int] = [max(0, submitted[0] - random.choice([-1, *range(1, 9)])) for _ in range(6)]
        known = wallet.read("transactionCount")  # without those of this block
        fitting = [
            each for each in numbers
            if each < known and _fits(wallet.read("transactions", each), confirmed)
        ]  # fmt: skip
        return fitting[0] if fitting and random.random() < 0.8 else numbers[0]

    def confirm() -> list[Call]:
        return [wallet.call(owner(), "confirmTransaction", some(confirmed=False))]

    def revoke() -> list[Call]:
        return [wallet.call(owner(), "revokeConfirmation", some(confirmed=random.random() < 0.5))]

    def execute() -> list[Call]:
        return [wallet.call(owner(), "executeTransaction", some(confirmed=True))]

    def pay() -> list[Call]:
        return [Call(sender=crowd.one(), to=wallet.address, value=random.choice([5, ETHER]))]

    actions = {submit: 3, confirm: 16, revoke: 3, execute: 5, pay: 1}
    crowd.act(actions, blocks=46, size=7, seconds=(60, HOUR))
    return (Subject(name="multisig", address=wallet.address, artifact=artifact),)


def _fits(transaction: Sequence[Any], confirmed: bool) -> bool:
    """Return whether a transaction is open, and has enough confirmations or not."""
    _, _, _, executed, confirmations = transaction
    return not executed and (confirmations >= REQUIRED) is confirmed
