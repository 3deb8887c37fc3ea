"""A crowd for one shape: people who join over time, some through contracts of their own, and an attack among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.anvil import Anvil, Call, Deployed
from tests.support.solc import compile_files
from tests.support.third_party.crowd import Action, Crowd

GAS: Final = 3_000_000
_FILES: Final = ("Common", "Markets", "Promises", "Entrances", "Powers", "Further")
_PEOPLE: Final = 17
_FIRST: Final = 9
"""People who are there from the beginning."""
_THIEF: Final = 25
"""The attacker's account; nobody else uses it."""


@cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output for all contracts of the shapes, by contract.

    Raises:
        MissingPart: the compiler is not installed.
    """
    return compile_files(*(Path(__file__).with_name(f"{name}.sol") for name in _FILES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who calls, from an account or through a contract of theirs."""

    account: str
    purse: Deployed | None = None

    @property
    def address(self) -> str:
        """Who contracts see."""
        return self.account if self.purse is None else self.purse.address

    def does(self, contract: Deployed, function: str, *arguments: Any, value: int = 0) -> Call:
        """Return a call of a function, with its ether."""
        call = contract.call(self.account, function, *arguments, value=value, gas=GAS)
        if self.purse is None:
            return call
        assert call.to is not None
        return self.purse.call(self.account, "run", call.to, value, call.data, value=value, gas=GAS)


class Stage:
    """A chain with people on it.

    Args:
        anvil: a running node that nobody else uses.
        seed: what all choices follow from.
        length: how long a play is in relation to its full length.
    """

    def __init__(self, anvil: Anvil, seed: int, length: float = 1.0) -> None:
        self.length = length
        self.crowd = Crowd(anvil, seed=seed, size=_PEOPLE)
        self.random = self.crowd.random
        self.owner = Actor(account=self.crowd.owner)
        self.thief = Actor(account=anvil.accounts[_THIEF])
        through = set(self.random.sample(range(_PEOPLE), 3))
        self.everybody = [
            Actor(account=who, purse=self.deploy("Purse", sender=who) if number in through else None)
            for number, who in enumerate(self.crowd.people)
        ]
        self.present: Sequence[Actor] = self.everybody[:_FIRST]

    @property
    def anvil(self) -> Anvil:
        """The node."""
        return self.crowd.anvil

    def deploy(self, name: str, *arguments: Any, value: int = 0, sender: str | None = None) -> Deployed:
        """Deploy one of the contracts, as the owner unless told otherwise."""
        anvil = self.anvil
        deployed = anvil.deploy(
            sender or self.crowd.owner, compiled()[name], *arguments, value=value, gas=6_000_000
        )
        self.crowd.now = anvil.now()
        return deployed

    def one(self, *but: Actor) -> Actor:
        """Return anybody who is there, other than those named."""
        return self.random.choice([actor for actor in self.present if actor not in but])

    def mine(self, *calls: Call, seconds: int = 12) -> list[dict[str, Any]]:
        """Mine these calls in one block; return their receipts."""
        return self.crowd.mine(*calls, seconds=seconds)

    def succeed(self, *calls: Call, seconds: int = 12) -> list[str]:
        """Mine calls in one block that all have to succeed; return their hashes.

        Raises:
            AssertionError: one failed.
        """
        receipts = self.mine(*calls, seconds=seconds)
        assert all(receipt["status"] == "0x1" for receipt in receipts)
        return [str(receipt["transactionHash"]) for receipt in receipts]

    def play(
        self,
        actions: Mapping[Action, int],
        attack: Callable[[], list[str]],
        *,
        rare: Sequence[Action] = (),
        blocks: int = 44,
        size: int = 8,
        seconds: Sequence[int] = (60, 600, 3_600),
    ) -> list[str]:
        """Mine blocks of random actions; each of the ``rare`` ones once somewhere; the attack once, in the second half.

        Returns:
            what the attack returns: the hashes of its transactions.
        """
        random = self.random
        blocks = round(blocks * self.length)
        moment = random.randrange(blocks // 2, blocks * 9 // 10)
        once = [(random.randrange(3, blocks), action) for action in rare]
        hashes: list[str] = []
        for block in range(blocks):
            self.present = self.everybody[: _FIRST + (_PEOPLE - _FIRST + 1) * block // blocks]
            chosen = random.choices(list(actions), weights=list(actions.values()), k=size)
            chosen += [action for number, action in once if number == block]
            self.crowd.now = self.anvil.now() + random.choice(seconds)
            calls = [call for action in chosen for call in action()]
            self.anvil.block(calls, timestamp=self.crowd.now)
            if block == moment:
                hashes = attack()
        return hashes
