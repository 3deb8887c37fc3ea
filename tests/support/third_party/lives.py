"""Kinds that many have written: leases, disputed deals, insurance policies, subscriptions, one sale before a token."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, FINNEY, HOUR, NOBODY, Action, Crowd, Subject
from tests.support.third_party.kinds import contracts_of_lives


def _somebody(crowd: Crowd, meant: str) -> str:
    """Return mostly whom a contract names, if it names anybody."""
    return crowd.one(meant, chance=0.8) if meant != NOBODY else crowd.one()


def drive_rentals(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some forty leases."""
    artifact = contracts_of_lives()["Rentals"]
    house, random = crowd.deploy(artifact), crowd.random

    def lease() -> tuple[int, str, str]:
        number = max(1, int(house.read("leaseCount")) + 1 - random.choice([0, 1, 1, 2, 3, 4, 5, 6]))
        landlord, tenant = (str(part) for part in house.read("leases", number)[:2])
        return number, _somebody(crowd, landlord), _somebody(crowd, tenant)

    def offer() -> list[Call]:
        return [house.call(crowd.one(), "offer", FINNEY * random.choice([0, 1, 2]), 5 * FINNEY)]

    def let() -> list[Call]:
        number, value = lease()[0], FINNEY * random.choice([6, 7, 6, 7, 5])
        return [house.call(crowd.one(), "rent", number, value=value)]

    def extend() -> list[Call]:
        number, _, tenant = lease()
        return [house.call(tenant, "extend", number, value=FINNEY * random.choice([1, 2]))]

    def give_back() -> list[Call]:
        number, _, tenant = lease()
        return [house.call(tenant, "giveBack", number)]

    def evict() -> list[Call]:
        number, landlord, _ = lease()
        return [house.call(landlord, "evict", number)]

    actions: dict[Action, int] = {offer: 3, let: 6, extend: 4, give_back: 3, evict: 5}
    crowd.mine(house.call(crowd.owner, "offer", FINNEY, 5 * FINNEY))
    crowd.act(actions, blocks=55, size=6, seconds=(HOUR, 3 * HOUR, 5 * HOUR))
    return (Subject(name="rentals", address=house.address, artifact=artifact),)


def drive_disputes(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some seventy deals."""
    artifact = contracts_of_lives()["Disputes"]
    judge, *people = crowd.people
    court, random = crowd.deploy(artifact, judge), crowd.random
    deals: list[tuple[bytes, str, str]] = [(bytes(32), people[0], people[1])]
    disputed = [bytes(32)]
    """Deals that somebody wanted to dispute, also those where it was rejected."""

    def pay() -> list[Call]:
        deal = (random.randbytes(32), random.choice(people), random.choice(people))
        if random.random() < 0.1:
            deal = (deals[-1][0], deal[1], deal[2])
        else:
            deals.append(deal)
        return [court.call(deal[1], "pay", deal[0], deal[2], value=FINNEY * random.choice([0, 3, 5, 8]))]

    def of_buyer(function: str) -> list[Call]:
        number, buyer, _ = random.choice(deals[-12:])
        disputed.extend([number] if function == "dispute" else [])
        return [court.call(crowd.one(buyer, chance=0.85), function, number)]

    def of_seller(function: str) -> list[Call]:
        number, _, seller = random.choice(deals[-12:])
        return [court.call(crowd.one(seller, chance=0.85), function, number)]

    def rule() -> list[Call]:
        return [court.call(crowd.one(judge), "rule", random.choice(disputed[-12:]), random.random() < 0.5)]

    actions: dict[Action, int] = {
        pay: 5, lambda: of_seller("deliver"): 6, lambda: of_buyer("accept"): 4, lambda: of_buyer("dispute"): 8,
        lambda: of_seller("take"): 5, rule: 5,
    }  # fmt: skip
    crowd.act(actions, blocks=60, size=6, seconds=(HOUR, 2 * HOUR, 4 * HOUR))
    return (Subject(name="disputes", address=court.address, artifact=artifact),)


def drive_insurance(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some sixty policies."""
    artifact = contracts_of_lives()["Insurance"]
    house, random = crowd.deploy(artifact), crowd.random
    crowd.mine(house.call(crowd.owner, "insure", value=FINNEY))

    def policy() -> int:
        return max(0, int(house.read("nextPolicy")) - random.choice([0, 1, 1, 2, 3, 4, 6, 8, 10]))

    def insure() -> list[Call]:
        return [house.call(crowd.one(), "insure", value=FINNEY * random.choice([0, 1, 2]))]

    def file() -> list[Call]:
        number = policy()
        holder = str(house.read("policies", number)[0])
        return [house.call(_somebody(crowd, holder), "file", number)]

    def decide() -> list[Call]:
        return [house.call(crowd.one(crowd.owner, chance=0.9), "decide", policy(), random.random() < 0.6)]

    def collect() -> list[Call]:
        return [house.call(crowd.one(), "collect", policy())]

    actions: dict[Action, int] = {insure: 5, file: 6, decide: 6, collect: 5}
    crowd.act(actions, blocks=55, size=6, seconds=(HOUR, 3 * HOUR, 6 * HOUR))
    return (Subject(name="insurance", address=house.address, artifact=artifact),)


def drive_subscriptions(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive the subscriptions of many readers, some of whom let them lapse."""
    artifact = contracts_of_lives()["Subscriptions"]
    paper, random = crowd.deploy(artifact), crowd.random
    readers = crowd.anvil.accounts[1:]

    def subscribe() -> list[Call]:
        return [paper.call(random.choice(readers), "subscribe", value=FINNEY * random.choice([2, 2, 2, 1]))]

    def renew() -> list[Call]:
        return [paper.call(random.choice(readers), "renew", value=FINNEY * random.choice([1, 1, 1, 2]))]

    def look() -> list[Call]:
        return [paper.call(random.choice(readers), "read", random.randrange(1_000))]

    def ban() -> list[Call]:
        sender = crowd.one(crowd.owner, chance=0.8)
        return [paper.call(sender, "setBanned", random.choice(readers), random.random() < 0.3)]

    def set_grace() -> list[Call]:
        sender = crowd.one(crowd.owner, chance=0.5)
        return [paper.call(sender, "setGrace", random.choice([4, 6, 8, 30]) * HOUR)]

    actions: dict[Action, int] = {subscribe: 6, renew: 6, look: 8, ban: 1, set_grace: 1}
    crowd.act(actions, blocks=66, size=6, seconds=(HOUR, 2 * HOUR, 4 * HOUR))
    return (Subject(name="subscriptions", address=paper.address, artifact=artifact),)


def drive_presale(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive one sale that reaches its goal."""
    artifact = contracts_of_lives()["Presale"]
    sale, random = crowd.deploy(artifact, crowd.now + 2 * DAY, 100 * FINNEY), crowd.random

    def contribute() -> list[Call]:
        return [sale.call(crowd.one(), "contribute", value=FINNEY * random.choice([0, 1, 5, 20]))]

    def of(function: str) -> list[Call]:
        return [sale.call(crowd.one(), function)]

    actions: dict[Action, int] = {
        contribute: 6, lambda: of("finalize"): 1, lambda: of("claim"): 4, lambda: of("refund"): 2,
    }  # fmt: skip
    crowd.act(actions, blocks=60, size=4, seconds=(HOUR, 2 * HOUR))
    return (Subject(name="presale", address=sale.address, artifact=artifact),)
