"""Six weeks of an escrow: honest deals, late sellers, complaints, and a company that settles in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, ROLLED_BACK, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

ENDS = {"paid", "refunded"}


@dataclass(slots=True)
class Deal:
    """The model of one deal."""

    buyer: str
    seller: str
    arbiter: str
    deadline: int
    status: str = "funded"


@dataclass(slots=True)
class Model:
    """The model of the contract; each method returns why it refuses the call, if it does."""

    deals: dict[int, Deal] = field(default_factory=dict)
    arbiters: set[str] = field(default_factory=set)
    open: Counter[str] = field(default_factory=Counter)
    fees: bool = False

    def fund(self, now: int, buyer: str, seller: str, arbiter: str, duration: int, value: int) -> str | None:
        """Open a deal."""
        if value < FINNEY:
            return "Escrow: amount too small"
        if seller == buyer:
            return "Escrow: selling to oneself"
        if arbiter not in self.arbiters:
            return "Escrow: no such arbiter"
        if self.open[buyer] >= 6:
            return "Escrow: too many open deals"
        self.open[buyer] += 1
        self.deals[len(self.deals) + 1] = Deal(buyer, seller, arbiter, now + duration)
        return None

    def step(
        self, now: int, sender: str, function: str, number: int, *, for_seller: bool = True
    ) -> str | None:
        """Do anything else with a deal."""
        needed, who, when, becomes = {
            "ship": ("funded", "seller", "in time", "shipped"),
            "release": ("shipped", "buyer", "", "paid"),
            "claim": ("shipped", "seller", "late", "paid"),
            "cancel": ("funded", "seller", "", "refunded"),
            "reclaim": ("funded", "buyer", "late", "refunded"),
            "dispute": ("shipped", "buyer", "in time", "disputed"),
            "resolve": ("disputed", "arbiter", "", "paid" if for_seller else "refunded"),
        }[function]
        deal = self.deals.get(number)
        if deal is None or deal.status != needed:
            return "WrongStatus"
        if sender != getattr(deal, who):
            return "Unauthorized"
        if when == "in time" and now > deal.deadline:
            return "TooLate"
        if when == "late" and now <= deal.deadline:
            return "TooEarly"
        deal.status = becomes
        if becomes == "shipped":
            deal.deadline = now + 3 * DAY
        if becomes in ENDS:
            self.open[deal.buyer] -= 1
            self.fees |= becomes == "paid"
        return None


class EscrowLife(Life):
    """The people of the escrow."""

    def __init__(
        self, escrow: Deployed, agent: Deployed, actors: tuple[str, ...], seed: int, start: int
    ) -> None:
        super().__init__(seed=seed, start=start, slot=3 * HOUR)
        self.escrow, self.agent = escrow, agent
        self.owner, self.company = actors[0], actors[1]
        self.buyers, self.sellers, self.arbiters = actors[2:12], actors[10:18], actors[18:22]
        self.model = Model()

    def fund(self, buyer: str, seller: str, arbiter: str, value: int, life: str | None) -> None:
        """Open a deal and plan its life; none, if it is a mistake; refused, it is tried again at times."""
        duration = self.random.randrange(2, 6) * DAY
        sender = self.agent.address if buyer == self.company else buyer
        refused = self.model.fund(self.now, sender, seller, arbiter, duration, value)
        number = len(self.model.deals)
        to = () if refused else (entity(number),)
        if buyer == self.company:
            call = self.agent.call(buyer, "buy", seller, arbiter, duration, value=value, gas=GAS, label="buy")
            self.act(call, Meant(entities=to, refused=refused), succeeds=refused is None)
        else:
            arguments = (seller, arbiter, duration)
            self.send(self.escrow, buyer, "fund", *arguments, to=to, refused=refused, value=value)
        if life and refused and self.chance(0.5):
            self.later(20, 60, partial(self.fund, buyer, seller, arbiter, value, life))
        elif life and not refused:
            self.plan_deal(number, life, duration / HOUR)

    def plan_deal(self, number: int, life: str, hours: float) -> None:
        """Plan the life of a deal, with its haste and its mistakes."""
        deal = self.model.deals[number]
        mostly = self.model.deals[number].buyer == self.agent.address
        if life in ("content", "silent", "dispute", "lost"):
            shipped = self.random.uniform(3, hours - 6)
            self.later(shipped, shipped, partial(self.step, deal.seller, "ship", number))
            after = shipped + self.random.uniform(6, 60)
            if life == "content" and not mostly:
                self.later(after, after, partial(self.step, deal.buyer, "release", number))
            if life == "silent":
                self.later(shipped + 4, shipped + 60, partial(self.step, deal.seller, "claim", number))
                self.later(shipped + 76, shipped + 90, partial(self.step, deal.seller, "claim", number))
                if self.chance(0.4):
                    self.later(shipped + 74, shipped + 76, partial(self.step, deal.buyer, "dispute", number))
            if life in ("dispute", "lost") and not mostly:
                self.later(after, after, partial(self.step, deal.buyer, "dispute", number))
                decided = after + self.random.uniform(10, 80)
                act = partial(self.step, deal.arbiter, "resolve", number, for_seller=life == "lost")
                self.later(decided, decided, act)
                if self.chance(0.4):
                    self.later(after + 3, decided - 3, partial(self.step, deal.buyer, "release", number))
        if life == "cancelled":
            self.later(4, hours, partial(self.step, deal.seller, "cancel", number))
        if life == "late":
            self.later(4, hours, partial(self.step, deal.buyer, "reclaim", number))
            self.later(hours + 2, hours + 20, partial(self.step, deal.seller, "ship", number))
            self.later(hours + 20, hours + 40, partial(self.step, deal.buyer, "reclaim", number))
        if life == "race":
            end = hours + self.random.uniform(3, 20)
            self.later(end, end, partial(self.race, number))
        self.mistakes(number, hours)

    def mistakes(self, number: int, hours: float) -> None:
        """Plan what people try with somebody else's deal, too early or too late."""
        deal = self.model.deals[number]
        functions = ("ship", "release", "claim", "cancel", "reclaim", "dispute", "resolve")
        for _ in range(self.random.choice((0, 0, 1, 1, 2, 3))):
            sender = self.pick((deal.seller, self.pick(self.buyers), self.pick(self.arbiters)))
            self.later(1, hours + 120, partial(self.step, sender, self.pick(functions), number))
        if self.chance(0.05):
            self.later(1, hours, partial(self.thrifty, deal.seller, number))

    def step(self, sender: str, function: str, number: int, *, for_seller: bool = True) -> None:
        """Do something with a deal."""
        if sender == self.agent.address:
            return
        refused = self.model.step(self.now, sender, function, number, for_seller=for_seller)
        arguments = (number, for_seller) if function == "resolve" else (number,)
        self.send(self.escrow, sender, function, *arguments, to=(entity(number),), refused=refused)

    def race(self, number: int) -> None:
        """Let the seller step back and the buyer reclaim in one block: only the first is accepted."""
        deal = self.model.deals[number]
        turns = [(deal.seller, "cancel"), (deal.buyer, "reclaim")]
        self.random.shuffle(turns)
        for sender, function in turns:
            self.step(sender, function, number)

    def thrifty(self, sender: str, number: int) -> None:
        """Call with too little gas."""
        to = (entity(number),)
        self.send(self.escrow, sender, "ship", number, to=to, refused=OUT_OF_GAS, gas=22_500)

    def settle(self) -> None:
        """Let the company release several deals at once: those that can be, or all or none."""
        mine = [number for number, deal in self.model.deals.items() if deal.buyer == self.agent.address]
        waiting = [number for number in mine if self.model.deals[number].status not in ENDS]
        if not waiting:
            return
        asked = waiting[:4]
        strictly = self.chance(0.35)
        before = [self.model.deals[number].status for number in asked]
        if strictly and any(status != "shipped" for status in before):
            first = next(place for place, status in enumerate(before) if status != "shipped")
            meant = [Meant(entities=(entity(number),), refused=ROLLED_BACK) for number in asked[:first]]
            meant.append(Meant(entities=(entity(asked[first]),), refused="WrongStatus"))
            accepted = False
        else:
            outcomes = [self.model.step(self.now, self.agent.address, "release", number) for number in asked]
            meant = [Meant(entities=(entity(n),), refused=r) for n, r in zip(asked, outcomes, strict=True)]
            accepted = True
        function = "releaseStrictly" if strictly else "releaseAll"
        call = self.agent.call(self.company, function, asked, gas=2 * GAS, label=function)
        self.act(call, *meant, succeeds=accepted)

    def admin(self, sender: str, function: str, *args: Any, refused: str | None = None) -> None:
        """Administer, or try to."""
        refused = refused if sender == self.owner else "Unauthorized"
        if self.send(self.escrow, sender, function, *args, refused=refused) and function == "setArbiter":
            (self.model.arbiters.add if args[1] else self.model.arbiters.discard)(args[0])

    def collect(self) -> None:
        """Collect the fees, if there are any."""
        self.admin(self.owner, "collectFees", refused=None if self.model.fees else "Escrow: no fees")
        self.model.fees = False

    def plan(self, deals: int) -> None:
        """Plan everything that does not follow from something else."""
        begin, days = self.now + self.slot, 40
        for arbiter in self.arbiters[:3]:
            self.at(begin, partial(self.admin, self.owner, "setArbiter", arbiter, True))
        kinds = ["content"] * 9 + ["silent"] * 4 + ["dispute"] * 3 + ["lost"] * 2
        kinds += ["cancelled"] * 2 + ["late"] * 3 + ["race", "race"] + ["forgotten"]
        for _ in range(deals):
            buyer = self.company if self.chance(0.15) else self.pick(self.buyers)
            life = "content" if buyer == self.company else self.pick(kinds)
            seller, arbiter = self.pick(self.sellers, buyer), self.pick(self.arbiters[:3])
            value = self.random.randrange(5, 900) * FINNEY
            when = begin + self.random.uniform(1, days) * DAY
            self.at(when, partial(self.fund, buyer, seller, arbiter, value, life))
        for _ in range(5):
            buyer, seller = self.random.sample(self.buyers[:8], 2)
            for wrong in (
                (buyer, seller, self.arbiters[0], 5, None),
                (buyer, buyer, self.arbiters[0], FINNEY, None),
                (buyer, seller, self.arbiters[3], FINNEY, None),
            ):
                self.at(begin + self.random.uniform(1, days) * DAY, partial(self.fund, *wrong))
        for _ in range(7):
            self.at(begin + (20 + self.random.random()) * DAY, self.hoard)
        for day in range(3, days + 8):
            self.at(begin + (day + self.random.random()) * DAY, self.settle)
        for moment in (0.4, 12, 12.5, 30, 47):
            self.at(begin + moment * DAY, self.collect)
        stranger = self.buyers[3]
        for day, sender, function, args, refused in (
            (9, self.owner, "setFee", (150,), None),
            (11, stranger, "setFee", (0,), None),
            (19, self.owner, "setFee", (600,), "Escrow: fee too high"),
            (22, stranger, "setArbiter", (stranger, True), None),
            (26, stranger, "collectFees", (), None),
            (33, self.owner, "setArbiter", (self.arbiters[2], False), None),
        ):
            self.at(begin + day * DAY, partial(self.admin, sender, function, *args, refused=refused))

    def hoard(self) -> None:
        """Open one more deal by a buyer who has many."""
        buyer = self.buyers[0]
        seller = self.pick(self.sellers, buyer)
        self.fund(buyer, seller, self.arbiters[0], 40 * FINNEY, "late" if self.chance(0.5) else "cancelled")


def entity(number: int) -> str:
    """Return the name of a deal."""
    return f"dealId={number}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the escrow and the company's agent, and live the scenario."""
    actors = anvil.accounts[:22]
    escrow = anvil.deploy(actors[0], artifacts["Escrow"])
    agent = anvil.deploy(actors[1], artifacts["PurchasingAgent"], escrow.address)
    life = EscrowLife(escrow, agent, actors, seed, anvil.now())
    life.plan(110)
    lived = life.live(anvil, escrow.address)
    lived.facts["deals"] = escrow.read("dealCount")
    return lived
