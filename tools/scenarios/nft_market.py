"""Two months of a gallery: tokens minted, given away, offered, bought, repriced, and swept up by a contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

NOBODY = "0x" + "00" * 20


@dataclass(slots=True)
class Token:
    """The model of one token."""

    owner: str
    approved: str | None = None
    seller: str | None = None
    price: int = 0
    reserved: str | None = None


class GalleryLife(Life):
    """The people of the gallery; the model of the contract is in the methods that send."""

    def __init__(
        self, gallery: Deployed, sweeper: Deployed, actors: tuple[str, ...], seed: int, start: int
    ) -> None:
        super().__init__(seed=seed, start=start, slot=3 * HOUR)
        self.gallery, self.sweeper = gallery, sweeper
        self.artist, self.whale, self.people = actors[0], actors[1], actors[2:20]
        self.agents = actors[20:23]
        self.tokens: dict[int, Token] = {}
        self.operators: set[tuple[str, str]] = set()
        self.proceeds: Counter[str] = Counter()
        self.open, self.royalty, self.minted = True, 500, 0

    # -- the contract ---------------------------------------------------------------------------

    def call(
        self, sender: str, function: str, number: int, *args: Any, refused: str | None, value: int = 0
    ) -> bool:
        """Send a call that is about a token, which is its last argument only where ERC-721 says so."""
        arguments = (*args, number) if function in ("approve", "transferFrom") else (number, *args)
        to = (entity(number),)
        return self.send(self.gallery, sender, function, *arguments, to=to, refused=refused, value=value)

    def mint(self, sender: str, to: str) -> None:
        """Make a token and plan its life."""
        refused = None if sender == self.artist else "OnlyArtist"
        if refused is None:
            self.minted += 1
            self.tokens[self.minted] = Token(to)
            self.plan_token(self.minted)
        self.send(
            self.gallery, sender, "mint", to, to=() if refused else (entity(self.minted),), refused=refused
        )

    def may_move(self, sender: str, token: Token) -> bool:
        """Tell whether the sender may move a token."""
        return sender in (token.owner, token.approved) or (token.owner, sender) in self.operators

    def burn(self, sender: str, number: int) -> None:
        """Destroy a token."""
        token, refused = self.tokens.get(number), None
        if token is None:
            refused = "NoSuchToken"
        elif not self.may_move(sender, token):
            refused = "NotAllowed"
        elif token.seller:
            refused = "Gallery: listed"
        else:
            del self.tokens[number]
        self.call(sender, "burn", number, refused=refused)

    def approve(self, sender: str, to: str, number: int) -> None:
        """Let somebody move a token."""
        token, refused = self.tokens.get(number), None
        if token is None:
            refused = "NoSuchToken"
        elif sender != token.owner and (token.owner, sender) not in self.operators:
            refused = "NotAllowed"
        else:
            token.approved = to
        self.call(sender, "approve", number, to, refused=refused)

    def give(self, sender: str, giver: str, to: str, number: int) -> None:
        """Move a token."""
        refused = self.moved(sender, giver, to, number)
        self.call(sender, "transferFrom", number, giver, to, refused=refused)

    def moved(self, sender: str, giver: str, to: str, number: int) -> str | None:
        """Return why ``transferFrom`` refuses."""
        token = self.tokens.get(number)
        if token is None:
            return "NoSuchToken"
        if not self.may_move(sender, token):
            return "NotAllowed"
        if giver != token.owner:
            return "Gallery: not its owner"
        if to == NOBODY:
            return "Gallery: to nobody"
        self.tokens[number] = Token(to)
        return None

    def list(self, sender: str, number: int, price: int, reserved: str | None = None) -> None:
        """Offer a token."""
        token, refused = self.tokens.get(number), None
        if not self.open:
            refused = "MarketClosed"
        elif token is None:
            refused = "NoSuchToken"
        elif sender != token.owner:
            refused = "NotAllowed"
        elif token.seller:
            refused = "AlreadyListed"
        elif price == 0:
            refused = "Gallery: no price"
        else:
            token.seller, token.price, token.reserved = sender, price, reserved
        self.call(sender, "list", number, price, reserved or NOBODY, refused=refused)

    def change(self, sender: str, function: str, number: int, price: int = 0) -> None:
        """Reprice or withdraw an offer."""
        token, refused = self.tokens.get(number), None
        if token is None or not token.seller:
            refused = "NotListed"
        elif sender != token.seller:
            refused = "NotAllowed"
        elif function == "reprice" and price == 0:
            refused = "Gallery: no price"
        elif function == "reprice":
            token.price = price
        else:
            token.seller = None
        self.call(sender, function, number, *((price,) if function == "reprice" else ()), refused=refused)

    def bought(self, buyer: str, number: int, value: int) -> str | None:
        """Return why ``buy`` refuses."""
        token = self.tokens.get(number)
        if not self.open:
            return "MarketClosed"
        if token is None or not token.seller:
            return "NotListed"
        if value != token.price:
            return "WrongPrice"
        if token.reserved and buyer != token.reserved:
            return "Reserved"
        share = value * self.royalty // 10_000
        self.proceeds[self.artist] += share
        self.proceeds[token.seller] += value - share
        self.tokens[number] = Token(buyer)
        return None

    def buy(self, buyer: str, number: int, value: int) -> None:
        """Buy; the seller fetches the money later, at times."""
        seller = self.tokens[number].seller if number in self.tokens else None
        refused = self.bought(buyer, number, value)
        if self.call(buyer, "buy", number, refused=refused, value=value) and seller and self.chance(0.4):
            self.later(3, 60, partial(self.withdraw, seller))

    def withdraw(self, sender: str) -> None:
        """Fetch what sales brought."""
        refused = None if self.proceeds.pop(sender, 0) > 0 else "Gallery: nothing to withdraw"
        self.send(self.gallery, sender, "withdraw", refused=refused)

    def allow(self, sender: str, operator: str, allowed: bool) -> None:
        """Appoint an operator."""
        refused = "Gallery: own operator" if operator == sender else None
        if refused is None:
            (self.operators.add if allowed else self.operators.discard)((sender, operator))
        self.send(self.gallery, sender, "setApprovalForAll", operator, allowed, refused=refused)

    def admin(self, sender: str, function: str, value: Any) -> None:
        """Administer, or try to."""
        refused = None if sender == self.artist else "OnlyArtist"
        if refused is None and function == "setRoyalty":
            self.royalty = value
        elif refused is None:
            self.open = value
        self.send(self.gallery, sender, function, value, refused=refused)

    def sweep(self) -> None:
        """Let the whale's contract look at some tokens and buy the cheap ones."""
        asked = sorted(self.random.sample(sorted(self.tokens), min(6, len(self.tokens))))
        limit, paid = 150 * FINNEY, 0
        meant: list[Meant] = []
        for number in asked:
            token, to = self.tokens[number], (entity(number),)
            meant.append(Meant(entities=to, reading=True))
            if token.seller and token.price <= limit and not token.reserved and self.open:
                paid += token.price
                self.bought(self.sweeper.address, number, token.price)
                self.moved(self.sweeper.address, self.sweeper.address, self.whale, number)
                meant += [Meant(entities=to), Meant(entities=to)]
            elif token.seller and token.price <= limit:
                return
        call = self.sweeper.call(
            self.whale, "sweep", asked, limit, value=paid + FINNEY, gas=4 * GAS, label="sweep"
        )
        self.act(call, *meant, succeeds=True)

    # -- people ---------------------------------------------------------------------------------

    def stroll(self, number: int) -> None:
        """Do what people do with a token, as it stands now."""
        token = self.tokens.get(number)
        if token is None:
            return
        other = self.pick(self.people, token.owner)
        if token.seller:
            what = self.random.random()
            if what < 0.5:
                value = token.price if self.chance(0.85) else token.price * 9 // 10
                self.buy(token.reserved if token.reserved and self.chance(0.7) else other, number, value)
            elif what < 0.65:
                self.change(token.owner, "reprice", number, self.price() if self.chance(0.9) else 0)
            elif what < 0.75:
                self.change(token.owner, "unlist", number)
            elif what < 0.8:
                self.list(token.owner, number, self.price())
            elif what < 0.84:
                self.give(token.owner, token.owner, other, number)
            elif what < 0.88:
                self.burn(token.owner, number)
            elif what < 0.94:
                self.change(other, self.pick(("reprice", "unlist")), number, FINNEY)
            else:
                self.race(number, other)
            return
        what = self.random.random()
        if what < 0.52:
            reserved = self.pick(self.people, token.owner) if self.chance(0.2) else None
            self.list(token.owner, number, self.price() if self.chance(0.95) else 0, reserved)
        elif what < 0.66:
            self.give(token.owner, token.owner, other if self.chance(0.9) else NOBODY, number)
        elif what < 0.76:
            agent, owner = self.pick(self.agents), token.owner
            self.approve(owner, agent, number)
            self.later(3, 30, partial(self.give, agent, owner, other, number))
        elif what < 0.81:
            self.buy(other, number, self.price())
        elif what < 0.9:
            intruder = self.pick(
                (partial(self.list, other, number, FINNEY), partial(self.burn, other, number))
            )
            (intruder if self.chance(0.5) else partial(self.give, other, token.owner, other, number))()
        elif what < 0.93:
            self.give(token.owner, other, other, number)
        elif what < 0.95:
            self.approve(other, other, number)
        elif what < 0.97:
            self.change(token.owner, "unlist", number)
        elif self.minted > 20:
            self.burn(token.owner, number)
            self.later(5, 40, partial(self.give, token.owner, token.owner, other, number))

    def race(self, number: int, first: str) -> None:
        """Let two people buy the same token in one block."""
        price = self.tokens[number].price
        self.buy(first, number, price)
        self.buy(self.pick(self.people, first), number, price)

    def price(self) -> int:
        """Return a price in wei."""
        return self.random.randrange(10, 400) * FINNEY

    def plan_token(self, number: int) -> None:
        """Plan when something happens to a token."""
        for _ in range(self.random.randrange(3, 14)):
            self.later(6, 45 * 24, partial(self.stroll, number))

    def plan(self, tokens: int, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for _ in range(tokens):
            when = begin + self.random.uniform(0, days * 0.7) * DAY
            self.at(when, partial(self.mint, self.artist, self.pick(self.people)))
        for person in self.people[:3]:
            self.at(
                begin + self.random.uniform(1, 5) * DAY, partial(self.allow, person, self.agents[0], True)
            )
            self.at(
                begin + self.random.uniform(30, 45) * DAY, partial(self.allow, person, self.agents[0], False)
            )
            self.at(begin + self.random.uniform(3, 60) * DAY, partial(self.allow, person, person, True))
            self.at(begin + self.random.uniform(3, 60) * DAY, partial(self.withdraw, self.agents[1]))
            self.at(begin + self.random.uniform(3, 60) * DAY, partial(self.mint, person, person))
        for day in range(5, days, 4):
            self.at(begin + (day + self.random.random()) * DAY, self.sweep)
        for moment, sender, function, value in (
            (8.0, self.artist, "setRoyalty", 400),
            (14.0, self.people[5], "setRoyalty", 0),
            (24.0, self.people[5], "setMarketOpen", False),
            (25.0, self.artist, "setMarketOpen", False),
            (28.0, self.artist, "setMarketOpen", True),
        ):
            self.at(begin + moment * DAY, partial(self.admin, sender, function, value))
        self.at(begin + 50 * DAY, partial(self.withdraw, self.artist))


def entity(number: int) -> str:
    """Return the name of a token."""
    return f"tokenId={number}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy gallery and sweeper, and live the scenario."""
    actors = anvil.accounts[:23]
    gallery = anvil.deploy(actors[0], artifacts["Gallery"])
    sweeper = anvil.deploy(actors[1], artifacts["Sweeper"], gallery.address)
    life = GalleryLife(gallery, sweeper, actors, seed, anvil.now())
    life.plan(75, 60)
    lived = life.live(anvil, gallery.address)
    lived.facts["tokens"] = gallery.read("nextTokenId") - 1
    return lived
