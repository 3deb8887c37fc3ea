"""Two months of vaults, and one that a thief initialises a second time, to become its owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed


@dataclass(slots=True)
class Vault:
    """The model of one vault."""

    owner: str = ""
    guardian: str = ""
    delay: int = 0
    stage: str = "created"
    since: int = 0
    balance: int = 0


class VaultsLife(Life):
    """Owners, guardians, givers, and a thief; the model of the contract is in the methods that send."""

    def __init__(
        self, vaults: Deployed, giver: Deployed, actors: tuple[str, ...], seed: int, start: int
    ) -> None:
        super().__init__(seed=seed, start=start, slot=3 * HOUR)
        self.contract, self.giver = vaults, giver
        self.grandmother, self.owners, self.guardians = actors[0], actors[1:16], actors[16:22]
        self.thief, self.accomplice = actors[22], actors[23]
        self.vaults: dict[int, Vault] = {}

    def call(
        self, sender: str, function: str, number: int, *args: Any, refused: str | None, value: int = 0
    ) -> bool:
        """Send a call that is about a vault."""
        to = (entity(number),)
        return self.send(self.contract, sender, function, number, *args, to=to, refused=refused, value=value)

    # -- the contract ---------------------------------------------------------------------------

    def create(self, sender: str, *, busy: bool) -> None:
        """Create a vault, initialise it soon, and plan its life."""
        number = len(self.vaults) + 1
        self.vaults[number] = Vault()
        self.send(self.contract, sender, "create", to=(entity(number),))
        owner = sender if self.chance(0.7) else self.pick(self.owners)
        delay = self.random.randrange(6, 72) * HOUR
        if self.chance(0.12):
            self.later(1, 6, partial(self.initialize, sender, number, owner, owner, delay))
        if self.chance(0.12):
            self.later(1, 6, partial(self.initialize, sender, number, owner, self.guardians[0], 90 * DAY))
        if self.chance(0.15):
            self.later(1, 6, partial(self.deposit, sender, number, FINNEY))
        guardian = self.pick(self.guardians)
        self.later(7, 12, partial(self.initialize, sender, number, owner, guardian, delay))
        self.later(14, 16, partial(self.plan_vault, number, busy=busy))

    def initialize(self, sender: str, number: int, owner: str, guardian: str, delay: int) -> None:
        """Give a vault its owner and guardian."""
        vault, refused = self.vaults.get(number), None
        if vault is None or vault.stage == "closed":
            refused = "WrongStage"
        elif owner == guardian:
            refused = "Vaults: own guardian"
        elif delay > 30 * DAY:
            refused = "Vaults: delay too long"
        else:
            vault.owner, vault.guardian, vault.delay, vault.stage = owner, guardian, delay, "active"
        self.call(sender, "initialize", number, owner, guardian, delay, refused=refused)

    def deposited(self, number: int, value: int) -> str | None:
        """Return why ``deposit`` refuses."""
        vault = self.vaults.get(number)
        if vault is None or vault.stage != "active":
            return "WrongStage"
        if value == 0:
            return "Vaults: nothing paid in"
        vault.balance += value
        return None

    def deposit(self, sender: str, number: int, value: int) -> None:
        """Pay in."""
        self.call(sender, "deposit", number, refused=self.deposited(number, value), value=value)

    def unlock(self, sender: str, number: int) -> None:
        """Begin the delay; a guardian may object to it."""
        vault, refused = self.vaults[number], None
        if sender != vault.owner:
            refused = "NotOwner"
        elif vault.stage != "active":
            refused = "WrongStage"
        else:
            vault.stage, vault.since = "unlocking", self.now + vault.delay
        if not self.call(sender, "unlock", number, refused=refused) or sender == self.thief:
            return
        hours = vault.delay / HOUR
        if self.chance(0.25):
            self.later(0, hours, partial(self.veto, vault.guardian, number))
        if self.chance(0.1):
            self.later(0, hours, partial(self.veto, self.pick(self.owners), number))
        if self.chance(0.25):
            self.later(0, hours, partial(self.withdraw, sender, number, 50))
        for _ in range(self.random.choice((1, 1, 2))):
            share = self.pick((30, 50, 100, 140))
            self.later(hours + 3, hours + 60, partial(self.withdraw, sender, number, share))
        if self.chance(0.6):
            self.later(hours + 60, hours + 80, partial(self.withdraw, sender, number, 100))
            self.later(hours + 81, hours + 110, partial(self.close, sender, number))

    def veto(self, sender: str, number: int) -> None:
        """Object; the owner tries again later."""
        vault, refused = self.vaults[number], None
        if vault.stage != "unlocking":
            refused = "WrongStage"
        elif sender != vault.guardian:
            refused = "NotGuardian"
        else:
            vault.stage = "active"
            self.later(20, 150, partial(self.unlock, vault.owner, number))
            if self.chance(0.4):
                self.later(3, 18, partial(self.veto, sender, number))
        self.call(sender, "veto", number, refused=refused)

    def withdraw(self, sender: str, number: int, share: int) -> None:
        """Take out a share of what is there, in percent."""
        vault, refused = self.vaults[number], None
        amount = vault.balance * share // 100
        if sender != vault.owner:
            refused = "NotOwner"
        elif vault.stage != "unlocking":
            refused = "WrongStage"
        elif self.now < vault.since:
            refused = "TooEarly"
        elif amount > vault.balance:
            refused = "NotThatMuch"
        else:
            vault.balance -= amount
        self.call(sender, "withdraw", number, amount, refused=refused)

    def close(self, sender: str, number: int) -> None:
        """Close a vault."""
        vault, refused = self.vaults[number], None
        if sender != vault.owner:
            refused = "NotOwner"
        elif vault.stage == "closed":
            refused = "Vaults: closed already"
        elif vault.balance:
            refused = "Vaults: not empty"
        else:
            vault.stage = "closed"
        if self.call(sender, "close", number, refused=refused):
            if self.chance(0.3):
                self.later(3, 60, partial(self.deposit, sender, number, FINNEY))
            if self.chance(0.2):
                self.later(3, 60, partial(self.close, sender, number))
            if self.chance(0.1):
                arguments = (sender, number, sender, self.guardians[0], DAY)
                self.later(3, 60, partial(self.initialize, *arguments))

    def give(self) -> None:
        """Let the grandmother give to several vaults in one transaction."""
        asked = sorted(self.random.sample(sorted(self.vaults), min(5, len(self.vaults))))
        value = 50 * FINNEY
        meant = [Meant(entities=(entity(n),), refused=self.deposited(n, value)) for n in asked]
        call = self.giver.call(
            self.grandmother, "give", asked, value=value * len(asked), gas=3 * GAS, label="give"
        )
        self.act(call, *meant, succeeds=True)

    # -- people ---------------------------------------------------------------------------------

    def plan_vault(self, number: int, *, busy: bool) -> None:
        """Plan the life of a vault."""
        owner, hours = self.vaults[number].owner, self.random.uniform(100, 700)
        for _ in range(self.random.randrange(1, 7)):
            value = self.random.randrange(10, 900) * FINNEY if self.chance(0.94) else 0
            self.later(2, hours, partial(self.deposit, self.pick(self.owners), number, value))
        if self.chance(0.15):
            self.later(20, hours, partial(self.unlock, self.pick(self.owners, owner), number))
        if self.chance(0.1):
            self.later(20, hours, partial(self.withdraw, self.pick(self.owners, owner), number, 100))
        if self.chance(0.15):
            self.later(20, hours, partial(self.withdraw, owner, number, 100))
        if self.chance(0.12):
            self.later(20, hours, partial(self.close, owner, number))
        if self.chance(0.08):
            self.later(20, hours + 100, partial(self.close, self.pick(self.owners, owner), number))
        if busy and self.chance(0.8):
            self.later(hours, hours + 50, partial(self.unlock, owner, number))
        if busy and self.chance(0.1):
            self.later(hours, hours + 90, partial(self.unlock, owner, number))

    def thrifty(self) -> None:
        """Pay in with too little gas."""
        number = self.pick(sorted(self.vaults))
        to = (entity(number),)
        sender = self.pick(self.owners)
        self.send(
            self.contract, sender, "deposit", number, to=to, refused=OUT_OF_GAS, value=FINNEY, gas=22_500
        )

    # -- the theft ------------------------------------------------------------------------------

    def steal(self) -> None:
        """Make oneself the owner of the richest vault that nobody is emptying."""
        idle = [number for number, vault in self.vaults.items() if vault.stage == "active"]
        number = max(idle, key=lambda each: self.vaults[each].balance)
        self.initialize(self.thief, number, self.thief, self.accomplice, 0)
        self.mark("attack")
        self.later(3, 5, partial(self.loot, number))

    def loot(self, number: int) -> None:
        """Take everything."""
        self.unlock(self.thief, number)
        self.withdraw(self.thief, number, 100)
        self.mark("theft")

    def plan(self, vaults: int, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for _ in range(vaults):
            act = partial(self.create, self.pick(self.owners), busy=self.chance(0.8))
            self.at(begin + self.random.uniform(0, days * 0.6) * DAY, act)
        for day in range(6, days, 5):
            self.at(begin + (day + self.random.random()) * DAY, self.give)
        for _ in range(6):
            self.at(begin + self.random.uniform(5, days) * DAY, self.thrifty)
        for _ in range(3):
            moment = begin + self.random.uniform(1, days) * DAY
            arguments = (self.owners[0], 900, self.owners[0], self.guardians[0], DAY)
            self.at(moment, partial(self.initialize, *arguments))
        self.at(begin + days * 0.55 * DAY, self.steal)


def entity(number: int) -> str:
    """Return the name of a vault."""
    return f"vaultId={number}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the vaults and a giver, and live the scenario."""
    actors = anvil.accounts[:24]
    vaults = anvil.deploy(actors[0], artifacts["Vaults"])
    giver = anvil.deploy(actors[0], artifacts["Giver"], vaults.address)
    life = VaultsLife(vaults, giver, actors, seed, anvil.now())
    life.plan(60, 60)
    lived = life.live(anvil, vaults.address)
    lived.facts["vaults"] = vaults.read("vaultCount")
    return lived
