"""OpenZeppelin's TimelockController: operations are scheduled, wait, are executed once, or cancelled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.anvil import Call, Deployed
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import DAY, HOUR, NO_HASH, NOBODY, Crowd, Subject

_SINGLE: Final = ("address", "uint256", "bytes", "bytes32", "bytes32")
_BATCH: Final = ("address[]", "uint256[]", "bytes[]", "bytes32", "bytes32")
_ROLES: Final = ("EXECUTOR_ROLE", "CANCELLER_ROLE", "PROPOSER_ROLE")


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a timelock with two proposers, two executors and an admin; later anybody may execute."""
    output = compiled()
    timelock = output["TimelockController"]
    proposers, executors = list(crowd.people[:2]), list(crowd.people[1:3])
    lock = crowd.deploy(timelock, DAY, proposers, executors, crowd.owner)
    desk = _Desk(crowd=crowd, lock=lock, target=crowd.deploy(output["Target"]))
    actions = {
        desk.schedule: 12, desk.execute: 14, desk.cancel: 4, desk.schedule_batch: 6, desk.execute_batch: 7,
        desk.change_roles: 3, desk.schedule_again: 2, desk.renounce: 2, desk.update_delay: 1,
    }  # fmt: skip
    crowd.act(actions, blocks=32, size=7, seconds=(HOUR, 6 * HOUR, DAY))
    crowd.mine(lock.call(crowd.owner, "grantRole", keccak(text="EXECUTOR_ROLE"), NOBODY))
    crowd.act(actions, blocks=14, size=7, seconds=(HOUR, 6 * HOUR, DAY))
    return (Subject(name="timelock", address=lock.address, artifact=timelock),)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    arguments: tuple[Any, ...]
    due: int
    """When its time has come, if it was scheduled; Unix seconds."""
    types: tuple[str, ...]

    @property
    def id(self) -> bytes:
        return keccak(encode(self.types, self.arguments))


@dataclass(kw_only=True)
class _Desk:
    """Where operations are drawn up; each stays at hand, whatever became of it."""

    crowd: Crowd
    lock: Deployed
    target: Deployed
    single: list[_Operation] = field(default_factory=list)
    batches: list[_Operation] = field(default_factory=list)

    def schedule(self) -> list[Call]:
        random = self.crowd.random
        target, data = self.target.address, self.target.encode("put", random.choice([13, *range(1, 12)]))
        if random.random() < 0.08:
            target, data = (
                self.lock.address,
                self.lock.encode("updateDelay", random.choice([DAY, DAY + HOUR])),
            )
        what = (target, random.choice([0, 0, 0, 5]), bytes.fromhex(data[2:]))
        delay = random.choice([DAY, DAY, DAY, DAY + HOUR, 2 * DAY, 2 * DAY, 3 * DAY, HOUR, 2**256 - 1])
        return [self._schedule("schedule", what, delay, _SINGLE, self.single)]

    def schedule_batch(self) -> list[Call]:
        random, count = self.crowd.random, self.crowd.random.choice([1, 2, 3])
        payload = bytes.fromhex(self.target.encode("put", random.randrange(1, 9))[2:])
        values = [0] * (count + (random.random() < 0.2))
        what = ([self.target.address] * count, values, [payload] * count)
        return [
            self._schedule(
                "scheduleBatch", what, random.choice([DAY, DAY, 2 * DAY, 2 * DAY, 60]), _BATCH, self.batches
            )
        ]

    def _schedule(
        self,
        function: str,
        what: tuple[Any, ...],
        delay: int,
        types: tuple[str, ...],
        drawn: list[_Operation],
    ) -> Call:
        random = self.crowd.random
        earlier = random.choice(self.single[-8:]).id if self.single and random.random() < 0.25 else NO_HASH
        arguments = (*what, earlier, random.randbytes(32))
        drawn.append(_Operation(arguments=arguments, due=self.crowd.now + delay, types=types))
        return self.lock.call(
            self.crowd.one(*self.crowd.people[:2], chance=0.85), function, *arguments, delay
        )

    def schedule_again(self) -> list[Call]:
        operation = self._recent(self.single)
        return [
            self.lock.call(self.crowd.people[0], "schedule", *each.arguments, 3 * DAY) for each in operation
        ]

    def _recent(self, drawn: list[_Operation], due: float = 0.0) -> list[_Operation]:
        """Return one of the last operations, with this chance one whose time has come; none at first."""
        random, recent = self.crowd.random, drawn[-16:]
        if random.random() < due:
            recent = [each for each in recent if each.due <= self.crowd.now] or recent
        chosen = random.sample(recent, min(1, len(recent)))
        if due and random.random() < 0.5:
            drawn[:] = [each for each in drawn if each not in chosen]
        return chosen

    def execute(self) -> list[Call]:
        sender, value = self.crowd.one(*self.crowd.people[1:3]), self.crowd.random.choice([0, 0, 5])
        return [
            self.lock.call(sender, "execute", *each.arguments, value=value)
            for each in self._recent(self.single, due=0.8)
        ]

    def execute_batch(self) -> list[Call]:
        sender = self.crowd.one(*self.crowd.people[1:3])
        return [
            self.lock.call(sender, "executeBatch", *each.arguments)
            for each in self._recent(self.batches, due=0.8)
        ]

    def cancel(self) -> list[Call]:
        sender = self.crowd.one(*self.crowd.people[:2])
        return [
            self.lock.call(sender, "cancel", each.id) for each in self._recent(self.single + self.batches)
        ]

    def change_roles(self) -> list[Call]:
        random = self.crowd.random
        function, role = random.choice(["grantRole", "revokeRole"]), keccak(text=random.choice(_ROLES))
        sender = random.choice([self.crowd.owner, self.crowd.one()])
        return [self.lock.call(sender, function, role, random.choice(self.crowd.people[3:]))]

    def renounce(self) -> list[Call]:
        sender, role = self.crowd.random.choice(self.crowd.people[3:]), keccak(text="CANCELLER_ROLE")
        return [self.lock.call(sender, "renounceRole", role, self.crowd.one(sender, chance=0.5))]

    def update_delay(self) -> list[Call]:
        return [self.lock.call(self.crowd.one(), "updateDelay", DAY)]
