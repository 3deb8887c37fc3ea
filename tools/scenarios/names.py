"""Four years of a name registry: names leased, renewed, moved, locked, released, forgotten and leased anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

NOBODY = "0x" + "00" * 20
YEAR = 365 * DAY
GRACE = 30 * DAY
SYLLABLES = ("ka", "lo", "mi", "ru", "ten", "vor", "sel", "dan", "pri", "on")
LONG = "a-name-that-does-not-fit-into-a-single-slot-of-storage"
KEYS = ("url", "mail", "avatar", "a key of more than thirty-one bytes")


@dataclass(slots=True)
class Lease:
    """The model of one name; it is forgotten when the name is released."""

    holder: str
    until: int
    locked: bool = False


class NamesLife(Life):
    """The holders; the model of the contract is in the methods that send."""

    def __init__(
        self, names: Deployed, broker: Deployed, actors: tuple[str, ...], seed: int, start: int
    ) -> None:
        super().__init__(seed=seed, start=start, slot=6 * HOUR)
        self.names, self.broker = names, broker
        self.registrar, self.dealer, self.people = actors[0], actors[1], actors[2:20]
        self.leases: dict[str, Lease] = {}
        self.prices, self.discount, self.closed = [200 * FINNEY, 50 * FINNEY, 10 * FINNEY], 0, False

    def call(
        self,
        sender: str,
        function: str,
        name: str,
        *args: Any,
        refused: str | None,
        value: int = 0,
        gas: int = 2 * GAS,
    ) -> bool:
        """Send a call that is about a name."""
        to = (entity(name),)
        return self.send(
            self.names, sender, function, name, *args, to=to, refused=refused, value=value, gas=gas
        )

    # -- the contract ---------------------------------------------------------------------------

    def price(self, name: str, years: int) -> int:
        """Return what so many years of a name cost, in wei."""
        return self.prices[min(len(name), 5) - 3] * years * (100 - self.discount) // 100

    def registered(self, sender: str, name: str, years: int, value: int) -> str | None:
        """Return why ``register`` refuses."""
        lease = self.leases.get(name)
        if self.closed:
            return "Names: closed"
        if len(name) < 3:
            return "Names: too short"
        if not 1 <= years <= 5:
            return "Names: bad term"
        if lease and self.now <= lease.until + GRACE:
            return "Taken"
        if value < self.price(name, years):
            return "Underpaid"
        self.leases[name] = Lease(sender, self.now + years * YEAR)
        return None

    def register(self, sender: str, name: str, years: int, value: int) -> None:
        """Lease a name, and plan what becomes of it."""
        refused = self.registered(sender, name, years, value)
        if self.call(sender, "register", name, years, refused=refused, value=value):
            self.plan_name(name, years)

    def register_now(self, sender: str, name: str, years: int, share: int = 100) -> None:
        """Lease a name for a share of its price."""
        value = self.price(name, years) * share // 100 if len(name) >= 3 else 0
        self.register(sender, name, years, value)

    def renew(self, sender: str, name: str, years: int, share: int = 100) -> None:
        """Pay for more years."""
        lease, refused = self.leases.get(name), None
        value = self.price(name, years) * share // 100
        if lease is None:
            refused = "Names: not registered"
        elif self.now > lease.until + GRACE:
            refused = "Expired"
        elif value < self.price(name, years):
            refused = "Underpaid"
        else:
            lease.until += years * YEAR
        self.call(sender, "renew", name, years, refused=refused, value=value)

    def not_holding(self, sender: str, name: str) -> str | None:
        """Return why the sender may not act for a name."""
        lease = self.leases.get(name)
        if lease is None or lease.holder != sender:
            return "NotHolder"
        return "Expired" if self.now > lease.until else None

    def moved(self, sender: str, name: str, to: str) -> str | None:
        """Return why ``transfer`` refuses."""
        if refused := self.not_holding(sender, name):
            return refused
        if self.leases[name].locked:
            return "Locked"
        if to == NOBODY:
            return "Names: to nobody"
        self.leases[name].holder = to
        return None

    def transfer(self, sender: str, name: str, to: str) -> None:
        """Move a name."""
        self.call(sender, "transfer", name, to, refused=self.moved(sender, name, to))

    def set_record(self, sender: str, name: str, key: str, value: str) -> None:
        """Keep something under a name."""
        refused = self.not_holding(sender, name) or (None if key else "Names: no key")
        self.call(sender, "setRecord", name, key, value, refused=refused)

    def lock(self, sender: str, name: str, locked: bool) -> None:
        """Lock or unlock a name."""
        refused = self.not_holding(sender, name)
        if refused is None and self.leases[name].locked is locked:
            refused = "Locked" if locked else "Names: not locked"
        if refused is None:
            self.leases[name].locked = locked
        self.call(sender, "lock" if locked else "unlock", name, refused=refused)

    def release(self, sender: str, name: str) -> None:
        """Give a name back."""
        refused = self.not_holding(sender, name)
        if refused is None and self.leases[name].locked:
            refused = "Locked"
        if refused is None:
            del self.leases[name]
        self.call(sender, "release", name, refused=refused)

    def set_primary(self, sender: str, name: str) -> None:
        """Choose a name to be known by."""
        self.call(sender, "setPrimary", name, refused=self.not_holding(sender, name))

    def admin(self, sender: str, function: str, *args: Any, refused: str | None = None) -> None:
        """Administer, or try to."""
        refused = refused if sender == self.registrar else "OnlyRegistrar"
        if not self.send(self.names, sender, function, *args, refused=refused):
            return
        if function == "setPrice":
            self.prices[args[0] - 3] = args[1]
        elif function == "setTerms":
            self.discount, self.closed = args

    def deal(self) -> None:
        """Let the broker register several names, taken ones among them, and deliver them later."""
        wanted = [self.new_name() for _ in range(2)]
        wanted.append(self.pick(sorted(self.leases)) if self.leases else self.new_name())
        value = sum(self.price(name, 1) for name in wanted)
        meant = []
        for name in wanted:
            refused = self.registered(self.broker.address, name, 1, self.price(name, 1))
            meant += [Meant(entities=(entity(name),), reading=True)]
            meant += [Meant(entities=(entity(name),), refused=refused)]
            if refused is None:
                self.later(30, 900, partial(self.deliver, name, self.pick(self.people)))
        call = self.broker.call(
            self.dealer, "registerAll", wanted, 1, value=value, gas=6 * GAS, label="registerAll"
        )
        self.act(call, *meant, succeeds=True)

    def deliver(self, name: str, to: str) -> None:
        """Let the broker move a name to a customer."""
        refused = self.moved(self.broker.address, name, to)
        call = self.broker.call(self.dealer, "deliver", name, to, gas=GAS, label="deliver")
        self.act(call, Meant(entities=(entity(name),), refused=refused), succeeds=refused is None)
        if refused is None:
            self.plan_name(name, 1)

    # -- people ---------------------------------------------------------------------------------

    def new_name(self) -> str:
        """Return a name of one to three syllables."""
        name = "".join(self.pick(SYLLABLES) for _ in range(self.random.randrange(2, 4)))
        return f"{name}-{LONG}" if self.chance(0.12) else name

    def use(self, name: str) -> None:
        """Do what holders and others do with a name."""
        lease = self.leases.get(name)
        if lease is None or lease.holder == self.broker.address:
            return
        holder, other = lease.holder, self.pick(self.people, lease.holder)
        sender = holder if self.chance(0.85) else other
        what = self.random.random()
        if what < 0.38:
            value = f"value {self.random.randrange(1000)}" + " and so on" * self.pick((0, 0, 1, 5))
            self.set_record(sender, name, self.pick(KEYS) if self.chance(0.96) else "", value)
        elif what < 0.5:
            self.transfer(sender, name, other if self.chance(0.9) else NOBODY)
        elif what < 0.66:
            self.lock(sender, name, not lease.locked if self.chance(0.8) else lease.locked)
        elif what < 0.74:
            self.set_primary(sender, name)
        elif what < 0.8:
            self.release(sender, name)
            if self.chance(0.5):
                self.later(10, 900, partial(self.renew, holder, name, 1))
            self.later(10, 900, partial(self.register_now, self.pick(self.people), name, 1))
        elif what < 0.88:
            self.register_now(other, name, self.pick((1, 2)))
        elif what < 0.91:
            self.race(self.new_name())
        else:
            self.renew(sender, name, self.pick((1, 2)), self.pick((100, 100, 100, 60)))

    def race(self, name: str) -> None:
        """Let two people want the same name in one block."""
        for sender in self.random.sample(self.people, 2):
            self.register_now(sender, name, 1)

    def plan_name(self, name: str, years: int) -> None:
        """Plan what happens to a name, and what at the end of its term."""
        for _ in range(self.random.randrange(1, 7)):
            self.later(24, years * 365 * 24, partial(self.use, name))
        end = years * 365 * 24
        if self.chance(0.45):
            holder = self.leases[name].holder
            if holder != self.broker.address:
                self.later(end - 400, end + 500, partial(self.renew, holder, name, 1))
                self.later(end + 24, end + 600, partial(self.set_record, holder, name, "url", "late"))
        elif self.chance(0.7):
            self.later(end + 900, end + 2_000, partial(self.register_now, self.pick(self.people), name, 1))
            if self.chance(0.5):
                self.later(end + 800, end + 2_000, partial(self.renew, self.pick(self.people), name, 1))
            if self.chance(0.4):
                self.later(end + 24, end + 700, partial(self.register_now, self.pick(self.people), name, 1))

    def later(self, low: float, high: float, act: Any) -> None:
        """Plan an act some hours from now, unless it is after the end of the history."""
        moment = self.now + self.random.uniform(low, high) * HOUR
        if moment < self.end:
            self.at(moment, act)

    def plan(self, names: int, years: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        self.end = begin + years * YEAR
        for _ in range(names):
            sender, term = self.pick(self.people), self.random.choice((1, 1, 1, 2))
            share = 100 if self.chance(0.9) else 70
            act = partial(self.register_now, sender, self.new_name(), term, share)
            self.at(begin + self.random.uniform(0, 1.6) * YEAR, act)
        for _ in range(4):
            for wrong in (("ab", 1), (self.new_name(), 9), (self.new_name(), 0)):
                act = partial(self.register, self.pick(self.people), *wrong, 5 * 200 * FINNEY)
                self.at(begin + self.random.uniform(0, years) * YEAR, act)
            self.at(begin + self.random.uniform(0, years) * YEAR, self.thrifty)
        for quarter in range(1, 4 * years - 2):
            self.at(begin + quarter * YEAR / 4, self.deal)
        stranger = self.people[6]
        for moment, sender, function, args, refused in (
            (0.2, self.registrar, "setPrice", (5, 12 * FINNEY), None),
            (0.5, stranger, "setPrice", (5, 0), None),
            (0.6, self.registrar, "setPrice", (9, FINNEY), "Names: no such price"),
            (0.8, self.registrar, "setTerms", (20, False), None),
            (1.0, stranger, "setTerms", (100, False), None),
            (1.2, self.registrar, "collect", (), None),
            (1.3, stranger, "collect", (), None),
            (1.4, self.registrar, "setTerms", (0, True), None),
            (1.5, self.registrar, "setTerms", (0, False), None),
        ):
            self.at(begin + moment * YEAR, partial(self.admin, sender, function, *args, refused=refused))

    def thrifty(self) -> None:
        """Register with too little gas."""
        value = 1000 * FINNEY
        self.call(
            self.pick(self.people), "register", "thrift", 1, refused=OUT_OF_GAS, value=value, gas=26_000
        )


def entity(name: str) -> str:
    """Return the name of a name."""
    return f"name={name}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy registry and broker, and live the scenario."""
    actors = anvil.accounts[:20]
    names = anvil.deploy(actors[0], artifacts["Names"])
    broker = anvil.deploy(actors[1], artifacts["Broker"], names.address)
    life = NamesLife(names, broker, actors, seed, anvil.now())
    life.plan(65, 4)
    lived = life.live(anvil, names.address)
    lived.facts["names"] = len({name for meant in lived.meant.values() for m in meant for name in m.entities})
    return lived
