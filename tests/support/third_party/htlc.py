"""Hashed timelocks: ether is locked, fetched with the preimage in time, or goes back afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from tests.support.anvil import Call
from tests.support.third_party.crowd import FINNEY, HOUR, Crowd, Subject
from tests.support.third_party.kinds import own_contracts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lock:
    sender: str
    receiver: str
    amount: int
    secret: bytes
    timelock: int

    @property
    def hashlock(self) -> bytes:
        return sha256(self.secret).digest()

    @property
    def id(self) -> bytes:
        parts = [bytes.fromhex(self.sender[2:]), bytes.fromhex(self.receiver[2:])]
        numbers = [self.amount.to_bytes(32), self.hashlock, self.timelock.to_bytes(32)]
        return sha256(b"".join(parts + numbers)).digest()


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some seventy locks."""
    artifact = own_contracts()["HashedTimelocks"]
    house = crowd.deploy(artifact)
    random = crowd.random
    locks: list[_Lock] = []

    def create() -> list[Call]:
        lock = _Lock(
            sender=crowd.one(),
            receiver=crowd.one(),
            amount=FINNEY * random.choice([1, 30, 30, 400, 0]),
            secret=random.randbytes(32),
            timelock=crowd.now + random.choice([HOUR, 8 * HOUR, 8 * HOUR, 24 * HOUR, -HOUR]),
        )
        locks.append(lock)
        return [_creation(lock)]

    def create_again() -> list[Call]:
        return [_creation(lock) for lock in some(1)]

    def _creation(lock: _Lock) -> Call:
        return house.call(
            lock.sender, "newContract", lock.receiver, lock.hashlock, lock.timelock, value=lock.amount
        )

    def some(count: int) -> list[_Lock]:
        recent = locks[-14:]
        return random.sample(recent, min(count, len(recent)))

    def withdraw() -> list[Call]:
        return [
            house.call(
                crowd.one(lock.receiver, chance=0.85),
                "withdraw",
                lock.id,
                lock.secret if random.random() < 0.85 else random.randbytes(32),
            )
            for lock in some(1)
        ]

    def refund() -> list[Call]:
        return [house.call(crowd.one(lock.sender, chance=0.85), "refund", lock.id) for lock in some(1)]

    actions = {create: 6, create_again: 1, withdraw: 7, refund: 8}
    crowd.act(actions, blocks=46, size=7, seconds=(60, HOUR, 3 * HOUR))
    return (Subject(name="htlc", address=house.address, artifact=artifact),)
