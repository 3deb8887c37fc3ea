"""A year of loans behind a proxy, whose code is exchanged in the middle for one that can extend terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

WEEK = 7 * DAY
LATE_FEE = 3 * FINNEY


@dataclass(slots=True)
class Loan:
    """The model of one loan."""

    borrower: str
    amount: int
    interest: int
    weeks: int
    stage: str = "requested"
    lender: str = ""
    owed: int = 0
    due: int = 0
    asked: int | None = None
    granted: int = 0


class LoansLife(Life):
    """Borrowers and lenders; the model of the contract is in the methods that send."""

    def __init__(
        self,
        loans: Deployed,
        desk: Deployed,
        second: Deployed,
        actors: tuple[str, ...],
        seed: int,
        start: int,
    ) -> None:
        super().__init__(seed=seed, start=start, slot=4 * HOUR)
        self.contract, self.desk, self.second = loans, desk, second
        self.admin, self.teller = actors[0], actors[1]
        self.borrowers, self.lenders, self.stranger = actors[2:14], actors[10:20], actors[20]
        self.loans: dict[int, Loan] = {}
        self.halted, self.version = False, 1

    def call(
        self, sender: str, function: str, number: int, *args: Any, refused: str | None, value: int = 0
    ) -> bool:
        """Send a call that is about a loan."""
        to = (entity(number),)
        return self.send(self.contract, sender, function, number, *args, to=to, refused=refused, value=value)

    # -- the contract ---------------------------------------------------------------------------

    def request(self, sender: str, amount: int, weeks: int, collateral: int) -> None:
        """Ask for a loan."""
        interest, refused = self.random.randrange(100, 900), None
        if self.halted:
            refused = "Loans: halted"
        elif not 0 < amount <= collateral:
            refused = "Loans: too little collateral"
        elif not 1 <= weeks <= 26:
            refused = "Loans: bad term"
        else:
            self.loans[len(self.loans) + 1] = Loan(sender, amount, interest, weeks)
        to = () if refused else (entity(len(self.loans)),)
        arguments = (amount, interest, weeks)
        self.send(self.contract, sender, "request", *arguments, to=to, refused=refused, value=collateral)
        if refused is None:
            self.plan_loan(len(self.loans))

    def withdraw(self, sender: str, number: int) -> None:
        """Take a request back."""
        loan, refused = self.loans[number], None
        if loan.stage != "requested":
            refused = "WrongStage"
        elif sender != loan.borrower:
            refused = "Unauthorized"
        else:
            loan.stage = "withdrawn"
        self.call(sender, "withdraw", number, refused=refused)

    def fund(self, sender: str, number: int, value: int) -> None:
        """Lend."""
        loan, refused = self.loans[number], None
        if loan.stage != "requested":
            refused = "WrongStage"
        elif sender == loan.borrower:
            refused = "Loans: lending to oneself"
        elif value != loan.amount:
            refused = "Loans: not the amount"
        else:
            loan.stage, loan.lender = "running", sender
            loan.owed = loan.amount + loan.amount * loan.interest // 10_000
            loan.due = self.now + loan.weeks * WEEK
        if self.call(sender, "fund", number, refused=refused, value=value):
            self.plan_repayment(number)

    def repaid(self, number: int, value: int) -> str | None:
        """Return why ``repay`` refuses."""
        loan = self.loans[number]
        if loan.stage != "running":
            return "WrongStage"
        late = self.version == 2 and self.now > loan.due
        owed = loan.owed + (LATE_FEE if late else 0)
        if not 0 < value <= owed:
            return "Loans: bad repayment"
        loan.owed = owed - value
        if late:
            loan.due = self.now + WEEK
        if loan.owed == 0:
            loan.stage = "repaid"
        return None

    def repay(self, sender: str, number: int, share: int) -> None:
        """Pay back a share of what is owed, in percent."""
        loan = self.loans[number]
        late = self.version == 2 and loan.stage == "running" and self.now > loan.due
        value = (loan.owed + (LATE_FEE if late else 0)) * share // 100
        refused = self.repaid(number, value)
        if share == 100 and self.chance(0.3):
            call = self.desk.call(self.teller, "repayFor", number, value=value, gas=GAS, label="repayFor")
            meant = Meant(entities=(entity(number),), refused=refused)
            self.act(call, meant, succeeds=refused is None)
        else:
            self.call(sender, "repay", number, refused=refused, value=value)

    def seize(self, sender: str, number: int) -> None:
        """Take the collateral."""
        loan, refused = self.loans[number], None
        if loan.stage != "running":
            refused = "WrongStage"
        elif sender != loan.lender:
            refused = "Unauthorized"
        elif self.now <= loan.due:
            refused = "NotDue"
        else:
            loan.stage = "seized"
        self.call(sender, "seize", number, refused=refused)

    def ask(self, sender: str, number: int, weeks: int) -> None:
        """Ask for more time, which the first version does not know."""
        loan, refused = self.loans[number], None
        if self.version == 1:
            return
        if loan.stage != "running":
            refused = "WrongStage"
        elif sender != loan.borrower:
            refused = "Unauthorized"
        elif loan.asked is not None:
            refused = "Loans: asked already"
        elif loan.granted >= 2:
            refused = "Loans: extended too often"
        else:
            loan.asked = weeks
        self.call(sender, "askExtension", number, weeks, refused=refused)

    def grant(self, sender: str, number: int) -> None:
        """Give more time."""
        loan, refused = self.loans[number], None
        if self.version == 1:
            return
        if loan.stage != "running":
            refused = "WrongStage"
        elif sender != loan.lender:
            refused = "Unauthorized"
        elif loan.asked is None:
            refused = "Loans: nothing asked"
        else:
            loan.due += loan.asked * WEEK
            loan.asked, loan.granted = None, loan.granted + 1
        self.call(sender, "grantExtension", number, refused=refused)

    def halt(self, sender: str, halted: bool) -> None:
        """Halt new loans, or let them go on."""
        refused = None if sender == self.admin else "Unauthorized"
        if refused is None:
            self.halted = halted
        self.send(self.contract, sender, "setHalted", halted, refused=refused)

    def initialize(self, function: str, argument: Any) -> None:
        """Try to initialise once more."""
        self.send(self.contract, self.stranger, function, argument, refused="Loans: initialized")

    def upgrade(self, sender: str) -> None:
        """Exchange the code."""
        refused = None if sender == self.admin else "Loans: only the admin"
        data = self.contract.encode("initializeV2", LATE_FEE)
        arguments = (self.second.address, data)
        if self.send(self.contract, sender, "upgradeToAndCall", *arguments, refused=refused):
            self.version = 2

    # -- people ---------------------------------------------------------------------------------

    def plan_loan(self, number: int) -> None:
        """Plan who takes an interest in a request."""
        loan = self.loans[number]
        if self.chance(0.12):
            self.later(4, 100, partial(self.fund, loan.borrower, number, loan.amount))
        if self.chance(0.12):
            self.later(4, 100, partial(self.fund, self.pick(self.lenders), number, loan.amount // 2))
        if self.chance(0.15):
            self.later(4, 200, partial(self.repay, loan.borrower, number, 100))
        if self.chance(0.2):
            self.later(4, 150, partial(self.withdraw, loan.borrower, number))
        if self.chance(0.08):
            self.later(4, 150, partial(self.withdraw, self.stranger, number))
        if self.chance(0.1):
            self.later(48, 150, partial(self.race, number))
        if self.chance(0.9):
            self.later(
                4, 200, partial(self.fund, self.pick(self.lenders, loan.borrower), number, loan.amount)
            )

    def race(self, number: int) -> None:
        """Let two lenders fund the same request in one block."""
        loan = self.loans[number]
        for lender in self.random.sample([each for each in self.lenders if each != loan.borrower], 2):
            self.fund(lender, number, loan.amount)

    def plan_repayment(self, number: int) -> None:
        """Plan how a loan is paid back, or not."""
        loan = self.loans[number]
        hours = loan.weeks * 7 * 24
        for _ in range(self.random.choice((0, 1, 1, 2, 3))):
            self.later(20, hours, partial(self.repay, loan.borrower, number, self.pick((10, 25, 40))))
        if self.chance(0.1):
            self.later(20, hours, partial(self.repay, loan.borrower, number, 150))
        if self.chance(0.25):
            self.later(20, hours, partial(self.seize, loan.lender, number))
        if self.chance(0.1):
            self.later(20, hours + 200, partial(self.seize, self.stranger, number))
        for _ in range(self.random.choice((0, 1, 2, 3))):
            asked = self.random.uniform(10, hours)
            asker = loan.borrower if self.chance(0.9) else self.stranger
            self.later(asked, asked, partial(self.ask, asker, number, self.pick((1, 2, 3))))
            granter = loan.lender if self.chance(0.9) else loan.borrower
            if self.chance(0.85):
                self.later(asked + 5, asked + 90, partial(self.grant, granter, number))
        end = self.random.random()
        if end < 0.6:
            self.later(hours * 0.6, hours, partial(self.repay, loan.borrower, number, 100))
        elif end < 0.8:
            self.later(hours + 8, hours + 90, partial(self.repay, loan.borrower, number, 100))
        if end > 0.5:
            self.later(hours + 90, hours + 300, partial(self.seize, loan.lender, number))

    def thrifty(self) -> None:
        """Repay with too little gas."""
        number = self.random.randrange(1, len(self.loans) + 1)
        to = (entity(number),)
        self.send(
            self.contract, self.stranger, "repay", number, to=to, refused=OUT_OF_GAS, value=1, gas=24_000
        )

    def plan(self, loans: int, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for _ in range(loans):
            amount, weeks = self.random.randrange(50, 2_000) * FINNEY, self.random.randrange(2, 11)
            share = 130 if self.chance(0.92) else 80
            weeks = weeks if self.chance(0.95) else 40
            act = partial(self.request, self.pick(self.borrowers), amount, weeks, amount * share // 100)
            self.at(begin + self.random.uniform(0, days * 0.8) * DAY, act)
        middle = days * 0.4
        for moment, happening in (
            (20.0, partial(self.initialize, "initialize", self.stranger)),
            (middle - 9, partial(self.upgrade, self.stranger)),
            (middle, partial(self.upgrade, self.admin)),
            (middle + 5, partial(self.initialize, "initializeV2", 0)),
            (middle + 60, partial(self.halt, self.stranger, True)),
            (middle + 62, partial(self.halt, self.admin, True)),
            (middle + 71, partial(self.halt, self.admin, False)),
            (30.0, self.thrifty),
            (200.0, self.thrifty),
        ):
            self.at(begin + moment * DAY, happening)


def entity(number: int) -> str:
    """Return the name of a loan."""
    return f"loanId={number}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy both versions, the proxy and a bank's desk, and live the scenario."""
    actors = anvil.accounts[:21]
    first = anvil.deploy(actors[0], artifacts["Loans"])
    second = anvil.deploy(actors[0], artifacts["LoansV2"])
    data = first.encode("initialize", actors[0])
    proxy = anvil.deploy(actors[0], artifacts["Proxy"], first.address, data)
    desk = anvil.deploy(actors[1], artifacts["Desk"], proxy.address)
    loans = anvil.at(proxy.address, artifacts["LoansV2"]["abi"])
    life = LoansLife(loans, desk, second, actors, seed, anvil.now())
    life.plan(100, 360)
    lived = life.live(anvil, loans.address)
    lived.facts["loans"] = loans.read("loanCount")
    return lived
