"""Two months of a token: minting, payments, allowances, a payroll, and a pause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, HOUR, NO_REASON, OUT_OF_GAS, Life, Lived, Meant, all_or_none

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

NOBODY = "0x" + "00" * 20
COIN = 10**18


class TokenLife(Life):
    """The holders of the token; the model of the contract is in the methods that send."""

    def __init__(
        self, token: Deployed, payroll: Deployed, actors: tuple[str, ...], seed: int, start: int
    ) -> None:
        super().__init__(seed=seed, start=start, slot=2 * HOUR)
        self.token, self.payroll = token, payroll
        self.owner, self.company = actors[0], actors[1]
        self.holders = actors[1:26]
        self.savings = [self.outsider() for _ in range(30)]
        self.balances: Counter[str] = Counter()
        self.allowed: Counter[tuple[str, str]] = Counter()
        self.paused = self.finished = False

    # -- the contract ---------------------------------------------------------------------------

    def transfer_from(self, spender: str, giver: str, to: str, amount: int) -> str | None:
        """Return why ``transferFrom`` refuses."""
        if self.paused:
            return "Token: paused"
        if to == NOBODY:
            return "Token: to nobody"
        if amount > self.balances[giver]:
            return "Token: not enough"
        if amount > self.allowed[giver, spender]:
            return NO_REASON
        self.allowed[giver, spender] -= amount
        self.balances[giver] -= amount
        self.balances[to] += amount
        return None

    def transfer(self, sender: str, to: str, amount: int, *, thrifty: bool = False) -> None:
        """Pay."""
        refused = None
        if thrifty:
            refused = OUT_OF_GAS
        elif self.paused:
            refused = "Token: paused"
        elif to == NOBODY:
            refused = "Token: to nobody"
        elif amount > self.balances[sender]:
            refused = NO_REASON
        else:
            self.balances[sender] -= amount
            self.balances[to] += amount
        gas = 24_000 if thrifty else 120_000
        self.send(self.token, sender, "transfer", to, amount, to=names(sender, to), refused=refused, gas=gas)

    def pull(self, spender: str, giver: str, to: str, amount: int) -> None:
        """Pay out of an allowance."""
        refused = self.transfer_from(spender, giver, to, amount)
        accounts = names(spender, giver, to)
        self.send(self.token, spender, "transferFrom", giver, to, amount, to=accounts, refused=refused)

    def approve(self, sender: str, spender: str, amount: int, function: str = "approve") -> None:
        """Grant an allowance, or take some of it back."""
        refused = "Token: paused" if self.paused else None
        if refused is None:
            left = max(0, self.allowed[sender, spender] - amount)
            self.allowed[sender, spender] = amount if function == "approve" else left
        accounts = names(sender, spender)
        self.send(self.token, sender, function, spender, amount, to=accounts, refused=refused)

    def burn(self, sender: str, amount: int) -> None:
        """Destroy."""
        refused = NO_REASON if amount > self.balances[sender] else None
        if refused is None:
            self.balances[sender] -= amount
        self.send(self.token, sender, "burn", amount, to=names(sender), refused=refused)

    def mint(self, sender: str, to: str, amount: int) -> None:
        """Create."""
        refused = self.forbidden(sender)
        if refused is None:
            self.balances[to] += amount
        self.send(self.token, sender, "mint", to, amount, to=names(to), refused=refused)

    def forbidden(self, sender: str) -> str | None:
        """Return why minting is refused."""
        if sender != self.owner:
            return "Token: not the owner"
        return "Token: minting is finished" if self.finished else None

    def finish(self, sender: str) -> None:
        """End the minting."""
        refused = self.forbidden(sender)
        self.finished |= refused is None
        self.send(self.token, sender, "finishMinting", refused=refused)

    def pause(self, sender: str, paused: bool) -> None:
        """Pause, or end the pause."""
        refused = None
        if sender != self.owner:
            refused = "Token: not the owner"
        elif self.paused == paused:
            refused = "Token: paused" if paused else NO_REASON
        else:
            self.paused = paused
        self.send(self.token, sender, "pause" if paused else "unpause", refused=refused)

    def pay_wages(self, amount: int) -> None:
        """Pay several people at once, all of them or none."""
        people = self.random.sample(self.holders[1:], 4)
        before = self.balances.copy(), self.allowed.copy()
        outcomes = [self.transfer_from(self.payroll.address, self.company, each, amount) for each in people]
        meant, accepted = all_or_none(
            [
                Meant(entities=names(self.payroll.address, self.company, each), refused=refused)
                for each, refused in zip(people, outcomes, strict=True)
            ]
        )
        if not accepted:
            self.balances, self.allowed = before
        call = self.payroll.call(self.company, "pay", people, amount, gas=600_000, label="pay")
        self.act(call, *meant, succeeds=accepted)

    # -- people ---------------------------------------------------------------------------------

    def some(self, account: str) -> int:
        """Return an amount an account would spend: a part of what it has, at times more than that."""
        share = self.random.choice((5, 10, 20, 30, 50, 100))
        if self.chance(0.12):
            share = 150
        return self.balances[account] * share // 100 // COIN * COIN + (COIN if share > 100 else 0)

    def pay(self) -> None:
        """Pay somebody, or save some."""
        sender = self.pick(self.holders)
        to = self.pick(self.savings) if self.chance(0.15) else self.pick(self.holders, sender)
        self.transfer(sender, to, self.some(sender))

    def lend(self) -> None:
        """Grant an allowance, which is used later in parts, and a last time when it is used up."""
        giver = self.pick(self.holders)
        spender = self.pick(self.holders, giver)
        amount = self.some(giver)
        self.approve(giver, spender, amount)
        for _ in range(self.random.randrange(1, 4)):
            part = amount * self.random.choice((30, 50, 60, 100)) // 100
            to = spender if self.chance(0.6) else self.pick(self.holders, giver, spender)
            self.later(3, 150, partial(self.pull, spender, giver, to, part))
        if self.chance(0.3):
            self.later(20, 200, partial(self.approve, giver, spender, amount // 2, "decreaseApproval"))

    def race(self) -> None:
        """Change an allowance while the spender uses the old one in the same block, then the new one, too."""
        giver, spender = self.random.sample(self.holders, 2)
        old, new = 10 * COIN, 6 * COIN
        self.approve(giver, spender, old)
        self.at(self.now + 5 * HOUR, partial(self.front_run, giver, spender, old, new))

    def front_run(self, giver: str, spender: str, old: int, new: int) -> None:
        """Use an allowance just before it is changed."""
        self.pull(spender, giver, spender, old)
        self.approve(giver, spender, new)
        self.later(3, 9, partial(self.pull, spender, giver, spender, new))

    def plan(self, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for place, holder in enumerate(self.holders):
            amount = self.random.randrange(200, 3_000) * COIN
            self.at(begin + place * HOUR, partial(self.mint, self.owner, holder, amount))
        self.at(begin + 30 * HOUR, partial(self.mint, self.owner, self.company, 50_000 * COIN))

        def often(count: int, act: Any, first: float = 2, last: float = days) -> None:
            for _ in range(count):
                self.at(begin + self.random.uniform(first, last) * DAY, act)

        often(230, self.pay)
        often(55, self.lend)
        often(5, self.race)
        often(25, lambda: self.burn(who := self.pick(self.holders), self.some(who)))
        often(6, lambda: self.transfer(self.pick(self.holders), NOBODY, COIN))
        often(4, lambda: self.pull(self.pick(self.holders[2:]), self.company, NOBODY, COIN))
        often(9, lambda: self.pull(self.holders[5], self.company, self.holders[5], COIN))
        often(5, lambda: self.transfer(self.pick(self.holders), self.holders[4], COIN, thrifty=True))
        often(12, lambda: self.mint(self.owner, self.pick(self.holders), 100 * COIN), last=20)
        often(4, lambda: self.mint(self.owner, self.pick(self.holders), 100 * COIN), first=22)
        often(5, lambda: self.mint(self.holders[7], self.holders[7], 10**6 * COIN))
        for day in range(7, days, 7):
            payroll, amount = self.payroll.address, self.random.choice((2_400, 1_000)) * COIN
            self.at(begin + day * DAY, partial(self.approve, self.company, payroll, 2 * amount))
            for hours in (5, 30):
                self.at(begin + day * DAY + hours * HOUR, partial(self.pay_wages, amount // 4))
            self.at(begin + (day + 2) * DAY, partial(self.pay_wages, amount // 4))
        for moment, act in (
            (15.0, partial(self.finish, self.holders[9])),
            (21, partial(self.finish, self.owner)),
            (23, partial(self.finish, self.owner)),
            (33, partial(self.pause, self.holders[9], True)),
            (34, partial(self.pause, self.owner, True)),
            (34.2, partial(self.pause, self.owner, True)),
            (35, partial(self.pause, self.holders[9], False)),
            (37, partial(self.pause, self.owner, False)),
            (37.3, partial(self.pause, self.owner, False)),
        ):
            self.at(begin + moment * DAY, act)


def names(*accounts: str) -> tuple[str, ...]:
    """Return the names of accounts as entities, each once."""
    return tuple(dict.fromkeys(f"account={each.lower()}" for each in accounts))


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy token and payroll, and live the scenario."""
    actors = anvil.accounts[:26]
    token = anvil.deploy(actors[0], artifacts["Token"])
    payroll = anvil.deploy(actors[1], artifacts["Payroll"], token.address)
    life = TokenLife(token, payroll, actors, seed, anvil.now())
    life.plan(60)
    return life.live(anvil, token.address)
