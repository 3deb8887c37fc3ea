"""Four months of tenders, and a contractor who is paid for work that was never delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed


@dataclass(slots=True)
class Job:
    """The model of one job."""

    customer: str
    bid_until: int
    budget: int
    stage: str = "published"
    offers: dict[str, int] = field(default_factory=dict)
    contractor: str = ""
    rejections: int = 0
    work: int = 0


class TenderLife(Life):
    """Customers and contractors; the model of the contract is in :meth:`refusal` and the methods that send."""

    def __init__(self, tenders: Deployed, actors: tuple[str, ...], seed: int, start: int) -> None:
        super().__init__(seed=seed, start=start, slot=3 * HOUR)
        self.tenders = tenders
        self.operator, self.customers, self.contractors = actors[0], actors[1:11], actors[9:23]
        self.fraud = actors[23]
        self.jobs: dict[int, Job] = {}
        self.banned: set[str] = set()
        self.robbed = 0
        """The job that the fraud is after."""

    # -- the contract ---------------------------------------------------------------------------

    def publish(self, customer: str, budget: int, days: float) -> None:
        """Publish a job, and plan its life."""
        refused = None
        if budget == 0:
            refused = "Tenders: no budget"
        elif days < 1:
            refused = "Tenders: too little time to bid"
        else:
            self.jobs[len(self.jobs) + 1] = Job(customer, self.now + int(days * DAY), budget)
        to = () if refused else (entity(len(self.jobs)),)
        arguments = (int(days * DAY),)
        self.send(self.tenders, customer, "publish", *arguments, to=to, refused=refused, value=budget)
        if refused is None:
            self.plan_job(len(self.jobs), days * 24)

    def call(
        self, sender: str, function: str, number: int, *args: Any, refused: str | None = None, gas: int = GAS
    ) -> bool:
        """Send a call that is about a job; what the functions have in common is refused first."""
        job = self.jobs[number]
        needed = {
            "bid": ("published", None),
            "withdrawJob": ("published", "customer"),
            "award": ("published", "customer"),
            "deliver": ("awarded", "contractor"),
            "reject": ("delivered", "customer"),
            "accept": ("delivered", "customer"),
            "pay": (None, "contractor"),
        }
        stage, who = needed[function]
        if who and sender != getattr(job, who):
            refused = "NotCustomer" if who == "customer" else "NotContractor"
        elif stage and job.stage != stage:
            refused = "WrongStage"
        to = (entity(number),)
        return self.send(self.tenders, sender, function, number, *args, to=to, refused=refused, gas=gas)

    def bid(self, sender: str, number: int, price: int) -> None:
        """Offer to do a job."""
        job, refused = self.jobs[number], None
        if self.now >= job.bid_until:
            refused = "BiddingOver"
        elif sender in self.banned:
            refused = "Tenders: banned"
        elif not 0 < price <= job.budget:
            refused = "Tenders: over the budget"
        elif sender in job.offers:
            refused = "Tenders: bid already"
        if self.call(sender, "bid", number, price, refused=refused):
            job.offers[sender] = price

    def withdraw(self, sender: str, number: int) -> None:
        """Take a job back."""
        job = self.jobs[number]
        refused = "Tenders: has bids" if job.offers else None
        if self.call(sender, "withdrawJob", number, refused=refused):
            job.stage = "withdrawn"

    def award(self, sender: str, number: int, contractor: str | None = None) -> None:
        """Choose the cheapest offer, or somebody in particular; a job without offers is left."""
        job, refused = self.jobs[number], None
        if contractor is None and not job.offers:
            self.withdraw(sender, number)
            return
        chosen = contractor or min(job.offers, key=lambda each: (job.offers[each], each))
        if self.now < job.bid_until:
            refused = "BiddingGoesOn"
        elif chosen not in job.offers:
            refused = "Tenders: no such offer"
        if self.call(sender, "award", number, chosen, refused=refused):
            job.stage, job.contractor = "awarded", chosen
            if number == self.robbed:
                self.later(20, 40, partial(self.rob, number))
            else:
                self.later(10, 150, partial(self.deliver, chosen, number))
                if self.chance(0.15):
                    self.later(3, 150, partial(self.accept, sender, number))

    def deliver(self, sender: str, number: int, *, again: bool = False) -> None:
        """Deliver some work, or the same as before."""
        job = self.jobs[number]
        work = job.work if again else self.random.getrandbits(200)
        refused = "Tenders: the same work again" if again else None
        if not self.call(sender, "deliver", number, work.to_bytes(32, "big"), refused=refused):
            return
        job.stage, job.work = "delivered", work
        if self.chance(0.5):
            self.later(5, 60, partial(self.reject, job.customer, number))
        else:
            self.later(5, 90, partial(self.accept, job.customer, number))
        if self.chance(0.12):
            self.later(2, 60, partial(self.accept, self.pick(self.contractors), number))
            self.later(2, 60, partial(self.reject, self.pick(self.contractors, job.customer), number))
        if self.chance(0.12):
            self.later(1, 9, partial(self.deliver, sender, number))

    def reject(self, sender: str, number: int) -> None:
        """Reject what was delivered."""
        job = self.jobs[number]
        refused = "Tenders: rejected too often" if job.rejections >= 2 else None
        if self.call(sender, "reject", number, refused=refused):
            job.stage, job.rejections = "awarded", job.rejections + 1
            if self.chance(0.3):
                self.later(3, 20, partial(self.deliver, job.contractor, number, again=True))
            self.later(24, 120, partial(self.deliver, job.contractor, number))
        elif refused:
            self.later(3, 20, partial(self.accept, sender, number))

    def accept(self, sender: str, number: int) -> None:
        """Accept what was delivered."""
        job = self.jobs[number]
        if self.call(sender, "accept", number):
            job.stage = "accepted"
            self.later(3, 100, partial(self.pay, job.contractor, number))
            if self.chance(0.2):
                self.later(3, 100, partial(self.pay, self.pick(self.contractors, job.contractor), number))
            if self.chance(0.2):
                self.later(90, 200, partial(self.pay, job.contractor, number))

    def pay(self, sender: str, number: int) -> None:
        """Fetch the price."""
        job = self.jobs[number]
        refused = "Tenders: paid already" if job.stage == "paid" else None
        if self.call(sender, "pay", number, refused=refused):
            job.stage = "paid"

    def ban(self, sender: str, contractor: str, banned: bool) -> None:
        """Ban a contractor, or end that."""
        refused = None if sender == self.operator else "Tenders: not the operator"
        if refused is None:
            (self.banned.add if banned else self.banned.discard)(contractor)
        self.send(self.tenders, sender, "ban", contractor, banned, refused=refused)

    # -- the fraud ------------------------------------------------------------------------------

    def underbid(self) -> None:
        """Offer to do a dear job for less than anybody."""
        wanted = [n for n, job in self.jobs.items() if job.stage == "published" and self.now < job.bid_until]
        self.robbed = max(wanted, key=lambda number: self.jobs[number].budget)
        job = self.jobs[self.robbed]
        self.bid(self.fraud, self.robbed, job.budget // 4)
        self.at(job.bid_until + 2 * self.slot, partial(self.award, job.customer, self.robbed))

    def rob(self, number: int) -> None:
        """Be paid without having done anything."""
        self.pay(self.fraud, number)
        self.mark("attack")

    # -- people ---------------------------------------------------------------------------------

    def plan_job(self, number: int, hours: float) -> None:
        """Plan who bids, and what the customer does."""
        job = self.jobs[number]
        for contractor in self.random.sample(self.contractors, self.random.choice((0, 2, 2, 3, 4, 5))):
            share = self.random.randrange(50, 100) if self.chance(0.9) else 120
            if contractor != job.customer:
                self.later(2, hours, partial(self.bid, contractor, number, job.budget * share // 100))
                if self.chance(0.08):
                    self.later(hours / 2, hours, partial(self.bid, contractor, number, job.budget // 2))
        if self.chance(0.2):
            self.later(hours + 3, hours + 9, partial(self.bid, self.pick(self.contractors), number, FINNEY))
        if self.chance(0.15):
            self.later(2, hours / 3, partial(self.withdraw, job.customer, number))
        if self.chance(0.06):
            self.later(2, hours, partial(self.withdraw, self.pick(self.contractors), number))
        if self.chance(0.2):
            self.later(
                hours / 2, hours, partial(self.award, job.customer, number, self.pick(self.contractors))
            )
        if self.chance(0.1):
            self.later(hours, hours + 9, partial(self.award, job.customer, number, self.customers[0]))
        if self.chance(0.08):
            self.later(2, 200, partial(self.deliver, self.pick(self.contractors), number))
        if self.chance(0.06):
            self.later(2, hours, partial(self.thrifty, number))
        if self.chance(0.93):
            self.later(hours + 10, hours + 60, partial(self.award, job.customer, number))

    def thrifty(self, number: int) -> None:
        """Bid with too little gas."""
        sender, to = self.pick(self.contractors), (entity(number),)
        self.send(self.tenders, sender, "bid", number, 1, to=to, refused=OUT_OF_GAS, gas=22_500)

    def plan(self, jobs: int, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for _ in range(jobs):
            budget = self.random.randrange(200, 6_000) * FINNEY
            act = partial(self.publish, self.pick(self.customers), budget, self.random.uniform(1.5, 6))
            self.at(begin + self.random.uniform(0, days * 0.85) * DAY, act)
        for _ in range(4):
            moment = begin + self.random.uniform(0, days) * DAY
            self.at(moment, partial(self.publish, self.pick(self.customers), 0, 2))
            self.at(moment + DAY, partial(self.publish, self.pick(self.customers), FINNEY, 0.5))
        crook = self.contractors[4]
        for moment, sender, banned in (
            (20.0, self.customers[2], True),
            (25.0, self.operator, True),
            (60.0, self.operator, False),
        ):
            self.at(begin + moment * DAY, partial(self.ban, sender, crook, banned))
        self.at(begin + days * 0.5 * DAY, self.underbid)


def entity(number: int) -> str:
    """Return the name of a job."""
    return f"jobId={number}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the tenders, and live the scenario."""
    actors = anvil.accounts[:24]
    tenders = anvil.deploy(actors[0], artifacts["Tenders"])
    life = TenderLife(tenders, actors, seed, anvil.now())
    life.plan(70, 120)
    lived = life.live(anvil, tenders.address)
    lived.facts["jobs"] = tenders.read("jobCount")
    return lived
