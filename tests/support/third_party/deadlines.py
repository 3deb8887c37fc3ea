"""Kinds in whose lives the clock has a say: a marketplace, tokens to rent, bets, a bridge, grants."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.third_party.crowd import FINNEY, HOUR, NOBODY, Action, Crowd, Subject
from tests.support.third_party.kinds import contracts_with_deadlines


def _somebody(crowd: Crowd, meant: str) -> str:
    """Return mostly whom a contract names, if it names anybody."""
    return crowd.one(meant, chance=0.85) if meant != NOBODY else crowd.one()


def drive_marketplace(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some seventy listings."""
    artifact = contracts_with_deadlines()["Marketplace"]
    market, random = crowd.deploy(artifact), crowd.random

    def recent() -> int:
        return max(1, int(market.read("listingCount")) + 1 - random.choice([0, 1, 1, 2, 2, 3, 3, 4, 5, 6]))

    def parties(number: int) -> tuple[str, str]:
        listing = market.read("listings", number)
        return str(listing[0]), str(listing[3])

    def list_one() -> list[Call]:
        return [
            market.call(
                crowd.one(), "list", FINNEY * random.choice([0, 9, 9, 9]), random.choice([8, 12, 20]) * HOUR
            )
        ]

    def buy() -> list[Call]:
        return [market.call(crowd.one(), "buy", recent(), value=FINNEY * random.choice([9, 9, 8]))]

    def offer() -> list[Call]:
        return [market.call(crowd.one(), "offer", recent(), value=FINNEY * random.choice([1, 2, 3, 5, 8]))]

    def of_seller(function: str) -> list[Call]:
        number = recent()
        return [market.call(_somebody(crowd, parties(number)[0]), function, number)]

    def withdraw() -> list[Call]:
        number = recent()
        return [market.call(_somebody(crowd, parties(number)[1]), "withdrawOffer", number)]

    actions: dict[Action, int] = {
        list_one: 4, buy: 2, offer: 9, lambda: of_seller("acceptOffer"): 3, withdraw: 3,
        lambda: of_seller("cancel"): 3,
    }  # fmt: skip
    crowd.mine(market.call(crowd.owner, "list", FINNEY, 5 * HOUR))
    crowd.act(actions, blocks=64, size=6, seconds=(HOUR, 2 * HOUR, 4 * HOUR))
    return (Subject(name="marketplace", address=market.address, artifact=artifact),)


def drive_rentable_tokens(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some forty tokens that are lent over and over."""
    artifact = contracts_with_deadlines()["RentableTokens"]
    tokens, random = crowd.deploy(artifact), crowd.random
    crowd.mine(tokens.call(crowd.owner, "mint"))

    def some() -> int:
        count = int(tokens.read("nextToken"))
        return random.randrange(max(1, count - 9), count + 1)

    def lend() -> list[Call]:
        number = some()
        until = crowd.now + random.choice([-1, 4, 9, 20]) * HOUR
        return [
            tokens.call(
                _somebody(crowd, str(tokens.read("ownerOf", number))), "setUser", number, crowd.one(), until
            )
        ]

    def of_user(function: str) -> list[Call]:
        number = some()
        return [tokens.call(_somebody(crowd, str(tokens.read("userOf", number))), function, number)]

    def burn() -> list[Call]:
        number = some()
        return [tokens.call(_somebody(crowd, str(tokens.read("ownerOf", number))), "burn", number)]

    actions: dict[Action, int] = {
        lambda: [tokens.call(crowd.one(), "mint")]: 3, lend: 9, lambda: of_user("use"): 9,
        lambda: of_user("giveBack"): 2, burn: 2,
    }  # fmt: skip
    crowd.act(actions, blocks=64, size=6, seconds=(HOUR, 2 * HOUR, 4 * HOUR))
    return (Subject(name="rentable_tokens", address=tokens.address, artifact=artifact),)


def drive_prediction_market(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some sixty questions."""
    artifact = contracts_with_deadlines()["PredictionMarket"]
    oracle, *_ = crowd.people
    gamblers = crowd.people[1:4]
    market, random = crowd.deploy(artifact, oracle), crowd.random
    questions = [bytes(32)]

    def open_one() -> list[Call]:
        questions.append(questions[-1] if random.random() < 0.1 else random.randbytes(32))
        return [
            market.call(crowd.one(), "open", questions[-1], crowd.now + random.choice([-1, 5, 9, 14]) * HOUR)
        ]

    def recent(*outcomes: int) -> bytes:
        """Return a question; mostly one whose bets are closed, with one of these outcomes."""
        some = questions[-14:]
        closed = [
            question
            for question, held in ((each, market.read("markets", each)) for each in some)
            if 0 < int(held[0]) <= crowd.now and int(held[1]) in outcomes
        ]
        return random.choice(closed if closed and random.random() < 0.8 else some)

    def bet() -> list[Call]:
        return [
            market.call(
                crowd.one(),
                "bet",
                recent(),
                random.random() < 0.5,
                value=FINNEY * random.choice([0, 1, 2, 3]),
            )
        ]

    def resolve() -> list[Call]:
        return [
            market.call(
                crowd.one(oracle, chance=0.9), "resolve", recent(0), random.choice([1, 2, 3, 1, 2, 3, 0])
            )
        ]

    def call_off() -> list[Call]:
        return [market.call(crowd.one(), "callOff", recent(0))]

    def claim() -> list[Call]:
        return [market.call(crowd.one(*gamblers), "claim", recent(1, 2, 3))]

    actions: dict[Action, int] = {
        open_one: 4, bet: 12, resolve: 4, call_off: 4, claim: 8,
    }  # fmt: skip
    crowd.act(actions, blocks=56, size=7, seconds=(HOUR, 2 * HOUR, 3 * HOUR))
    return (Subject(name="prediction_market", address=market.address, artifact=artifact),)


def drive_bridge(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some eighty withdrawals."""
    artifact = contracts_with_deadlines()["Bridge"]
    proposer, guardian, *_ = crowd.people
    bridge, random = crowd.deploy(artifact, proposer, guardian), crowd.random
    _fund(crowd, bridge)
    proposed = [bytes(32)]

    def propose() -> list[Call]:
        proposed.append(proposed[-1] if random.random() < 0.1 else random.randbytes(32))
        amount = FINNEY * random.choice([0, 1, 2])
        return [bridge.call(crowd.one(proposer, chance=0.9), "propose", proposed[-1], crowd.one(), amount)]

    def of(function: str) -> list[Call]:
        return [bridge.call(crowd.one(), function, random.choice(proposed[-9:]))]

    def settle() -> list[Call]:
        hash_ = random.choice(proposed[-9:])
        return [bridge.call(crowd.one(guardian, chance=0.9), "settle", hash_, random.random() < 0.6)]

    actions: dict[Action, int] = {
        propose: 6, lambda: of("challenge"): 6, settle: 7, lambda: of("finalize"): 8,
    }  # fmt: skip
    crowd.act(actions, blocks=65, size=6, seconds=(HOUR, 2 * HOUR, 3 * HOUR))
    return (Subject(name="bridge", address=bridge.address, artifact=artifact),)


def drive_grants(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some fifty grants."""
    artifact = contracts_with_deadlines()["Grants"]
    grants, random = crowd.deploy(artifact), crowd.random
    _fund(crowd, grants)

    def create() -> list[Call]:
        cliff, length = random.choice([(4, 16), (8, 20), (12, 20), (9, 5)])
        to, amount = random.choice([NOBODY, *crowd.people]), FINNEY * random.choice([1, 2, 3])
        terms = (to, amount, cliff * HOUR, length * HOUR, random.random() < 0.7)
        return [grants.call(crowd.one(crowd.owner, chance=0.9), "create", *terms)]

    def number() -> int:
        return max(0, int(grants.read("grantCount")) - random.choice([0, 1, 1, 2, 2, 3, 4, 5, 7, 9, 11]))

    def release() -> list[Call]:
        grant = number()
        return [grants.call(_somebody(crowd, str(grants.read("grants", grant)[0])), "release", grant)]

    def revoke() -> list[Call]:
        return [grants.call(crowd.one(crowd.owner, chance=0.9), "revoke", number())]

    actions: dict[Action, int] = {create: 5, release: 13, revoke: 3}
    crowd.act(actions, blocks=65, size=6, seconds=(HOUR, 2 * HOUR, 4 * HOUR))
    return (Subject(name="grants", address=grants.address, artifact=artifact),)


def _fund(crowd: Crowd, contract: Deployed) -> None:
    """Give a contract ether that nobody sent it in a call."""
    crowd.anvil.rpc("anvil_setBalance", contract.address, hex(1_000 * FINNEY))
