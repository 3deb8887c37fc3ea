"""Two months of savings accounts, of people and of clubs, and one thief who closes his account seven times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

BY_CLUB = {"open": "join", "deposit": "save", "withdraw": "spend", "close": "leave"}


@dataclass(slots=True)
class Account:
    """The model of one account that is open."""

    balance: int = 0
    available: int = 0


class SavingsLife(Life):
    """The savers; the model of the contract is in :meth:`call`."""

    def __init__(
        self,
        savings: Deployed,
        clubs: Mapping[str, Deployed],
        thief: Deployed,
        actors: tuple[str, ...],
        seed: int,
        start: int,
    ) -> None:
        super().__init__(seed=seed, start=start, slot=2 * HOUR)
        self.savings, self.clubs, self.thief = savings, clubs, thief
        self.owner, self.people, self.crook = actors[0], actors[1:27], actors[27]
        self.accounts: dict[str, Account] = {}
        self.frozen = False

    def refusal(self, holder: str, function: str, amount: int) -> str | None:
        """Return why a function refuses, and change the model where it does not."""
        account = self.accounts.get(holder)
        if function == "open":
            if self.frozen or account:
                return "Savings: frozen" if self.frozen else "Savings: open already"
            self.accounts[holder] = Account()
            return None
        if account is None or self.frozen:
            return "Savings: no account" if account is None else "Savings: frozen"
        if function == "deposit":
            if amount == 0:
                return "Savings: nothing paid in"
            account.balance += amount
            account.available = self.now + DAY
            return None
        if self.now < account.available:
            return "Savings: too early"
        if function == "close":
            del self.accounts[holder]
        elif not 0 < amount <= account.balance:
            return "Savings: not that much"
        else:
            account.balance -= amount
        return None

    def call(self, person: str, function: str, amount: int = 0) -> bool:
        """Do something with one's account, or with the club's whose treasurer one is."""
        value = amount if function == "deposit" else 0
        args = (amount,) if function == "withdraw" else ()
        club = self.clubs.get(person)
        holder = club.address if club else person
        refused = self.refusal(holder, function, amount)
        meant = Meant(entities=(entity(holder),), refused=refused)
        target, name = (club, BY_CLUB[function]) if club else (self.savings, function)
        call = target.call(person, name, *args, value=value, gas=GAS, label=function)
        self.act(call, meant, succeeds=refused is None)
        return refused is None

    def visit(self, person: str) -> None:
        """Do what people do with an account, as it stands now."""
        holder = self.clubs[person].address if person in self.clubs else person
        account, what = self.accounts.get(holder), self.random.random()
        if account is None:
            if what < 0.7:
                self.call(person, "open")
                self.later(2, 30, partial(self.call, person, "deposit", self.amount()))
            else:
                self.call(person, self.pick(("deposit", "withdraw", "close")), FINNEY)
        elif what < 0.35:
            self.call(person, "deposit", self.amount() if self.chance(0.93) else 0)
        elif what < 0.75:
            share = self.random.choice((10, 25, 50, 100, 100, 130))
            self.call(person, "withdraw", account.balance * share // 100)
        elif what < 0.8:
            self.call(person, "open")
        else:
            self.call(person, "close")

    def amount(self) -> int:
        """Return what somebody pays in, in wei."""
        return self.random.randrange(50, 4_000) * FINNEY

    def freeze(self, sender: str, frozen: bool) -> None:
        """Freeze all accounts, or end that."""
        refused = None if sender == self.owner else "Savings: not the owner"
        if refused is None:
            self.frozen = frozen
        self.send(self.savings, sender, "setFrozen", frozen, refused=refused)

    def thrifty(self) -> None:
        """Pay in with too little gas."""
        person = self.pick(sorted(set(self.accounts) & set(self.people)))
        to = (entity(person),)
        self.send(self.savings, person, "deposit", to=to, refused=OUT_OF_GAS, value=FINNEY, gas=23_000)

    # -- the theft ------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Open the thief's account and pay in, as anyone does."""
        call = self.thief.call(self.crook, "prepare", value=1_500 * FINNEY, gas=GAS, label="prepare")
        meant = Meant(entities=(entity(self.thief.address),))
        self.act(call, meant, meant, succeeds=True)
        self.later(30, 40, self.drain)

    def drain(self) -> None:
        """Close the account seven times, each within the one before."""
        call = self.thief.call(self.crook, "drain", 6, gas=4 * GAS, label="drain")
        self.act(call, *[Meant(entities=(entity(self.thief.address),))] * 7, succeeds=True)
        self.mark("attack")

    def plan(self, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for person in self.people:
            for _ in range(self.random.randrange(12, 32)):
                self.at(begin + self.random.uniform(0, days) * DAY, partial(self.visit, person))
        for _ in range(8):
            self.at(begin + self.random.uniform(5, days) * DAY, self.thrifty)
        for moment, sender, frozen in (
            (11.0, self.people[3], True),
            (20.0, self.owner, True),
            (22.5, self.owner, False),
            (23.0, self.people[3], False),
        ):
            self.at(begin + moment * DAY, partial(self.freeze, sender, frozen))
        self.at(begin + days * 0.6 * DAY, self.prepare)


def entity(holder: str) -> str:
    """Return the name of an account."""
    return f"account={holder.lower()}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the bank, two clubs and the thief, and live the scenario."""
    actors = anvil.accounts[:28]
    savings = anvil.deploy(actors[0], artifacts["Savings"])
    clubs = {actor: anvil.deploy(actor, artifacts["Club"], savings.address) for actor in actors[1:4]}
    thief = anvil.deploy(actors[27], artifacts["Thief"], savings.address)
    life = SavingsLife(savings, clubs, thief, actors, seed, anvil.now())
    life.plan(55)
    return life.live(anvil, savings.address)
