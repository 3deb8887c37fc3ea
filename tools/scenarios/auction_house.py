"""Lives through three weeks of an auction house: sellers, bidders, haste, mistakes, and an owner who pauses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived, Meant

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

SLOT = 2 * HOUR
FEE = 250
"""The first fee, in basis points."""


@dataclass(slots=True)
class Auction:
    """The model of one auction."""

    seller: str
    reserve: int
    end: int
    phase: str = "open"
    bidder: str | None = None
    bid: int = 0

    @property
    def needed(self) -> int:
        """The lowest bid that would be accepted, in wei."""
        return self.bid + 1 if self.bidder else self.reserve


@dataclass(slots=True)
class House:
    """The model of the contract; each method returns why it refuses the call, if it does."""

    owner: str
    fee: int = FEE
    paused: bool = False
    auctions: list[Auction] = field(default_factory=list)
    pending: Counter[str] = field(default_factory=Counter)

    def create(self, now: int, sender: str, reserve: int, duration: int) -> str | None:
        """Open an auction."""
        if self.paused:
            return "AuctionHouse: paused"
        if reserve == 0:
            return "AuctionHouse: no reserve"
        if not HOUR <= duration <= 30 * DAY:
            return "AuctionHouse: bad duration"
        self.auctions.append(Auction(sender, reserve, now + duration))
        return None

    def bid(self, now: int, sender: str, number: int, value: int) -> str | None:
        """Bid; the one who is outbid is owed the bid."""
        if self.paused:
            return "AuctionHouse: paused"
        if refused := self._closed(number):
            return refused
        auction = self.auctions[number]
        if now >= auction.end:
            return "AlreadyEnded"
        if sender == auction.seller:
            return "AuctionHouse: seller cannot bid"
        if value < auction.needed:
            return "BidTooLow"
        if auction.bidder:
            self.pending[auction.bidder] += auction.bid
        auction.bidder, auction.bid = sender, value
        return None

    def cancel(self, sender: str, number: int) -> str | None:
        """Cancel an auction without bids."""
        if refused := self._closed(number):
            return refused
        if sender != self.auctions[number].seller:
            return "AuctionHouse: only the seller"
        if self.auctions[number].bidder:
            return "AuctionHouse: has bids"
        self.auctions[number].phase = "cancelled"
        return None

    def settle(self, now: int, number: int) -> str | None:
        """Settle an auction that is over."""
        if refused := self._closed(number):
            return refused
        auction = self.auctions[number]
        if now < auction.end:
            return "NotYetEnded"
        auction.phase = "settled"
        cut = auction.bid * self.fee // 10_000
        self.pending[auction.seller] += auction.bid - cut
        self.pending[self.owner] += cut
        return None

    def withdraw(self, sender: str) -> str | None:
        """Pay out what the sender is owed."""
        return None if self.pending.pop(sender, 0) > 0 else "NothingToWithdraw"

    def _closed(self, number: int) -> str | None:
        if number >= len(self.auctions):
            return "NoSuchAuction"
        return None if self.auctions[number].phase == "open" else "NotOpen"


def entity(number: int) -> str:
    """Return the name of an auction."""
    return f"auctionId={number}"


class AuctionLife(Life):
    """The people of the house."""

    def __init__(
        self, house: Deployed, proxies: Mapping[str, Deployed], actors: tuple[str, ...], seed: int
    ) -> None:
        super().__init__(seed=seed, start=0, slot=SLOT)
        self.contract = house
        self.proxies = proxies
        self.owner, self.stranger = actors[0], actors[14]
        self.sellers, self.bidders = actors[1:6], actors[4:14]
        self.model = House(self.owner)

    # -- single transactions --------------------------------------------------------------------

    def by_proxy(self, owner: str, function: str, *args: Any, meant: Meant | None, value: int = 0) -> None:
        """Call a proxy; ``meant`` is the call that it makes to the house, if it makes one."""
        call = self.proxies[owner].call(owner, function, *args, value=value, gas=GAS, label=function)
        accepted = meant is None or meant.refused is None or function == "tryBid"
        self.act(call, *(() if meant is None else (meant,)), succeeds=accepted)

    def create(self, seller: str, reserve: int, duration: int) -> int | None:
        """Create an auction and return its number, or ``None`` if it is refused."""
        number = len(self.model.auctions)
        item = number.to_bytes(2, "big").rjust(32, b"i")
        refused = self.model.create(self.now, seller, reserve, duration)
        to = () if refused else (entity(number),)
        made = self.send(self.contract, seller, "create", item, reserve, duration, to=to, refused=refused)
        return number if made else None

    def bid(self, bidder: str, number: int, value: int) -> None:
        """Bid, by one's proxy if one has one; who is outbid may fetch the money later."""
        auction = self.model.auctions[number]
        outbid = auction.bidder
        by_proxy = bidder in self.proxies
        sender = self.proxies[bidder].address if by_proxy else bidder
        refused = self.model.bid(self.now, sender, number, value)
        if by_proxy:
            function = "tryBid" if self.chance(0.6) else "bid"
            meant = Meant(entities=(entity(number),), refused=refused)
            self.by_proxy(bidder, function, number, meant=meant, value=value)
        else:
            to = (entity(number),)
            self.send(self.contract, bidder, "bid", number, to=to, refused=refused, value=value)
        if refused is None and outbid and self.chance(0.45):
            self.later(4, 40, lambda: self.withdraw(outbid))

    def withdraw(self, account: str) -> None:
        """Withdraw for an account, or for a proxy through its owner, who then sweeps it at times."""
        refused = self.model.withdraw(account)
        for owner, proxy in self.proxies.items():
            if proxy.address == account:
                self.by_proxy(owner, "collect", meant=Meant(refused=refused))
                if self.chance(0.5):
                    self.by_proxy(owner, "sweep", meant=None)
                return
        self.send(self.contract, account, "withdraw", refused=refused)

    def settle(self, number: int, sender: str) -> None:
        """Settle; the seller fetches the money at times."""
        refused = self.model.settle(self.now, number)
        self.send(self.contract, sender, "settle", number, to=(entity(number),), refused=refused)
        if refused:
            return
        auction = self.model.auctions[number]
        if auction.bidder and self.chance(0.6):
            self.later(2, 30, lambda: self.withdraw(auction.seller))
        if self.chance(0.3):
            self.later(2, 20, lambda: self.settle(number, self.random.choice(self.bidders)))

    def cancel(self, number: int, sender: str) -> None:
        """Cancel, whoever asks."""
        refused = self.model.cancel(sender, number)
        self.send(self.contract, sender, "cancel", number, to=(entity(number),), refused=refused)

    # -- lives ----------------------------------------------------------------------------------

    def offer(self, seller: str, kind: str) -> None:
        """Create an auction and plan its life: contested, unsold, cancelled or unfinished."""
        duration = self.random.randrange(12, 60) * HOUR
        number = self.create(seller, self.random.randrange(5, 80) * FINNEY, duration)
        if number is None:
            self.later(8, 30, lambda: self.offer(seller, kind))
            return
        hours = duration / HOUR
        if kind == "cancelled":
            self.later(1, hours / 2, lambda: self.cancel(number, seller))
            if self.chance(0.6):
                self.later(hours / 2, hours, lambda: self.offer_bid(number))
        elif kind in ("contested", "unfinished"):
            for _ in range(self.random.randrange(4, 10)):
                self.later(0, hours, lambda: self.offer_bid(number))
            if self.chance(0.5):
                self.later(hours / 2, hours, lambda: self.race(number))
            if self.chance(0.3):
                self.later(hours / 2, hours, lambda: self.cancel(number, seller))
            if self.chance(0.4):
                self.later(hours + 1, hours + 6, lambda: self.offer_bid(number))
        if self.chance(0.25):
            self.later(0, hours / 2, lambda: self.settle(number, seller))
        if self.chance(0.12):
            self.later(0, hours, lambda: self.cancel(number, self.stranger))
        if kind in ("contested", "unsold"):
            who = seller if self.chance(0.6) else self.random.choice(self.bidders)
            self.later(hours + 2, hours + 24, lambda: self.settle(number, who))

    def offer_bid(self, number: int) -> None:
        """Bid as people do: mostly enough, sometimes too little, rarely on one's own auction."""
        auction = self.model.auctions[number]
        others = [each for each in self.bidders if each not in (auction.seller, auction.bidder)]
        bidder = auction.seller if self.chance(0.05) else self.random.choice(others)
        if self.chance(0.14):
            value = auction.needed * self.random.randrange(50, 100) // 100
        else:
            value = (auction.needed * self.random.randrange(102, 135) // 100) // FINNEY * FINNEY + FINNEY
        self.bid(bidder, number, value)

    def race(self, number: int) -> None:
        """Let two bidders offer the same sum in one block, so that only the first wins."""
        auction = self.model.auctions[number]
        first, second = self.random.sample([each for each in self.bidders if each != auction.seller], 2)
        value = auction.needed + 10 * FINNEY
        self.bid(first, number, value)
        self.bid(second, number, value)

    def admin(self, sender: str, function: str, *args: Any, refused: str | None) -> bool:
        """Administer, or try to."""
        refused = refused if sender == self.owner else "NotOwner"
        return self.send(self.contract, sender, function, *args, refused=refused)

    def pause(self, hours: float) -> None:
        """Pause the house for some hours, in which others go on and are refused."""
        self.admin(self.owner, "pause", refused="AuctionHouse: paused" if self.model.paused else None)
        self.model.paused = True
        self.later(hours, hours, self.unpause)

    def unpause(self) -> None:
        """Let the house go on."""
        self.admin(self.owner, "unpause", refused=None if self.model.paused else "AuctionHouse: not paused")
        self.model.paused = False

    def set_fee(self, sender: str, fee: int) -> None:
        """Change the fee, if the sender may."""
        refused = None if fee <= 1_000 else "AuctionHouse: fee too high"
        if self.admin(sender, "setFee", fee, refused=refused):
            self.model.fee = fee

    def slip(self) -> None:
        """Make a mistake that people make: too little gas, no such auction, nothing to withdraw, ..."""
        who = self.random.choice(self.bidders[:8])
        kind = self.random.randrange(6)
        if kind == 0:
            number = self.random.randrange(len(self.model.auctions))
            to = (entity(number),)
            self.send(
                self.contract, who, "bid", number, to=to, refused=OUT_OF_GAS, value=500 * FINNEY, gas=24_000
            )
        elif kind == 1:
            self.bid_on_nothing(who, 1_000 + self.random.randrange(9))
        elif kind == 2:
            self.withdraw(self.stranger)
        elif kind == 3:
            self.create(who, 0, DAY)
        elif kind == 4:
            self.create(who, FINNEY, 60)
        else:
            self.settle(len(self.model.auctions) + 3, who)

    def bid_on_nothing(self, who: str, number: int) -> None:
        """Bid on an auction that does not exist."""
        refused = self.model.bid(self.now, who, number, FINNEY)
        self.send(self.contract, who, "bid", number, to=(entity(number),), refused=refused, value=FINNEY)

    def plan(self, start: int) -> None:
        """Plan everything that does not follow from something else."""
        self.now = start
        kinds = ["contested"] * 20 + ["unsold"] * 4 + ["cancelled"] * 4 + ["unfinished"] * 3
        self.random.shuffle(kinds)
        for position, kind in enumerate(kinds):
            seller = self.random.choice(self.sellers)
            self.at(start + (position + self.random.random()) * 15 * HOUR, partial(self.offer, seller, kind))
        for day in range(2, 20):
            self.at(start + (day + self.random.random()) * DAY, self.slip)
        for day_of_pause, hours in ((5.5, 9), (13.2, 14)):
            self.at(start + (day_of_pause - 0.3) * DAY, self.stranger_pauses)
            self.at(start + day_of_pause * DAY, partial(self.pause, hours))
        self.at(start + 6 * DAY, self.unpause_too_often)
        fees = ((3, self.owner, 300), (8, self.stranger, 0), (9, self.owner, 2_000), (15, self.owner, 200))
        for day, sender, fee in fees:
            self.at(start + day * DAY, partial(self.set_fee, sender, fee))
        for day in (10, 16):
            self.at(start + day * DAY, partial(self.withdraw, self.owner))

    def unpause_too_often(self) -> None:
        """Unpause what is not paused, or by who may not."""
        if not self.model.paused:
            self.unpause()
        self.admin(self.stranger, "unpause", refused=None)

    def stranger_pauses(self) -> None:
        """Pause, by who may not."""
        self.admin(self.stranger, "pause", refused=None)


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the house and two proxies, and live the scenario."""
    actors = anvil.accounts[:15]
    start = anvil.now()
    house = anvil.deploy(actors[0], artifacts["AuctionHouse"], FEE)
    proxies = {owner: anvil.deploy(owner, artifacts["ProxyBidder"], house.address) for owner in actors[12:14]}
    life = AuctionLife(house, proxies, actors, seed)
    life.plan(start + 2 * SLOT)
    lived = life.live(anvil, house.address)
    lived.facts["auctions"] = house.read("auctionCount")
    return lived
