"""Lives through three weeks of an auction house: sellers, bidders, haste, mistakes, and an owner who pauses.

The life is simulated against :class:`House`, a model of the contract in a few lines, so that every
transaction has an expected outcome; the chain must agree with it. One seed gives one chain, equal to the
last block hash.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Call, Deployed

HOUR = 3600
DAY = 24 * HOUR
SLOT = 2 * HOUR
"""What falls into one slot of seconds goes into one block."""
FINNEY = 10**15
FEE = 250
"""The first fee, in basis points."""
GAS = 300_000


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
    """The model of the contract; each method tells whether the call is accepted."""

    owner: str
    fee: int = FEE
    paused: bool = False
    auctions: list[Auction] = field(default_factory=list)
    pending: Counter[str] = field(default_factory=Counter)

    def create(self, now: int, sender: str, reserve: int, duration: int) -> bool:
        """Open an auction."""
        if self.paused or reserve == 0 or not HOUR <= duration <= 30 * DAY:
            return False
        self.auctions.append(Auction(sender, reserve, now + duration))
        return True

    def bid(self, now: int, sender: str, number: int, value: int) -> bool:
        """Bid; the one who is outbid is owed the bid."""
        auction = self._open(number)
        if self.paused or auction is None or now >= auction.end or sender == auction.seller:
            return False
        if value < auction.needed:
            return False
        if auction.bidder:
            self.pending[auction.bidder] += auction.bid
        auction.bidder, auction.bid = sender, value
        return True

    def cancel(self, sender: str, number: int) -> bool:
        """Cancel an auction without bids."""
        auction = self._open(number)
        if auction is None or sender != auction.seller or auction.bidder:
            return False
        auction.phase = "cancelled"
        return True

    def settle(self, now: int, number: int) -> bool:
        """Settle an auction that is over."""
        auction = self._open(number)
        if auction is None or now < auction.end:
            return False
        auction.phase = "settled"
        cut = auction.bid * self.fee // 10_000
        self.pending[auction.seller] += auction.bid - cut
        self.pending[self.owner] += cut
        return True

    def withdraw(self, sender: str) -> bool:
        """Pay out what the sender is owed."""
        return self.pending.pop(sender, 0) > 0

    def _open(self, number: int) -> Auction | None:
        auction = self.auctions[number] if number < len(self.auctions) else None
        return auction if auction and auction.phase == "open" else None


class Life:
    """The simulation: a queue of acts in time, each of which sends a transaction and may plan others."""

    def __init__(
        self, house: Deployed, proxies: Mapping[str, Deployed], actors: tuple[str, ...], seed: int
    ) -> None:
        self.random = Random(seed)
        self.contract = house
        self.proxies = proxies
        self.owner, self.stranger = actors[0], actors[14]
        self.sellers, self.bidders = actors[1:6], actors[4:14]
        self.model = House(self.owner)
        self.now = 0
        self.calls: list[tuple[Call, bool]] = []
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, time: float, act: Callable[[], None]) -> None:
        """Plan an act for a time (seconds), or for the next slot if that is past."""
        slot = max(int(time) // SLOT, self.now // SLOT + 1)
        heapq.heappush(self._queue, (slot, next(self._order), act))

    def later(self, low: float, high: float, act: Callable[[], None]) -> None:
        """Plan an act some hours from now."""
        self.at(self.now + self.random.uniform(low, high) * HOUR, act)

    def chance(self, share: float) -> bool:
        """Tell whether something happens that does so in this share of cases."""
        return self.random.random() < share

    def blocks(self) -> list[tuple[int, list[tuple[Call, bool]]]]:
        """Live until nothing is planned; return each block's time and its calls with the outcome expected."""
        lived = []
        while self._queue:
            slot = self._queue[0][0]
            self.now = slot * SLOT + 12 * self.random.randrange(SLOT // 12)
            self.calls = []
            while self._queue and self._queue[0][0] == slot:
                heapq.heappop(self._queue)[2]()
            if self.calls:
                lived.append((self.now, self.calls))
        return lived

    # -- single transactions --------------------------------------------------------------------

    def send(
        self,
        accepted: bool,
        sender: str,
        function: str,
        *args: Any,
        value: int = 0,
        gas: int = GAS,
        proxy: bool = False,
    ) -> None:
        """Send a call to the house, or to the sender's proxy, with its expected outcome."""
        target = self.proxies[sender] if proxy else self.contract
        call = target.call(sender, function, *args, value=value, gas=gas, label=function)
        self.calls.append((call, accepted))

    def create(self, seller: str, reserve: int, duration: int) -> int | None:
        """Create an auction and return its number, or ``None`` if it is refused."""
        number = len(self.model.auctions)
        item = number.to_bytes(2, "big").rjust(32, b"i")
        accepted = self.model.create(self.now, seller, reserve, duration)
        self.send(accepted, seller, "create", item, reserve, duration)
        return number if accepted else None

    def bid(self, bidder: str, number: int, value: int) -> None:
        """Bid, by one's proxy if one has one; who is outbid may fetch the money later."""
        auction = self.model.auctions[number]
        outbid = auction.bidder
        by_proxy = bidder in self.proxies
        sender = self.proxies[bidder].address if by_proxy else bidder
        accepted = self.model.bid(self.now, sender, number, value)
        if by_proxy and self.chance(0.6):
            self.send(True, bidder, "tryBid", number, value=value, proxy=True)
        else:
            self.send(accepted, bidder, "bid", number, value=value, proxy=by_proxy)
        if accepted and outbid and self.chance(0.45):
            self.later(4, 40, lambda: self.withdraw(outbid))

    def withdraw(self, account: str) -> None:
        """Withdraw for an account, or for a proxy through its owner, who then sweeps it at times."""
        accepted = self.model.withdraw(account)
        for owner, proxy in self.proxies.items():
            if proxy.address == account:
                self.send(accepted, owner, "collect", proxy=True)
                if self.chance(0.5):
                    self.send(True, owner, "sweep", proxy=True)
                return
        self.send(accepted, account, "withdraw")

    def settle(self, number: int, sender: str) -> None:
        """Settle; the seller fetches the money at times."""
        accepted = self.model.settle(self.now, number)
        self.send(accepted, sender, "settle", number)
        if not accepted:
            return
        auction = self.model.auctions[number]
        if auction.bidder and self.chance(0.6):
            self.later(2, 30, lambda: self.withdraw(auction.seller))
        if self.chance(0.3):
            self.later(2, 20, lambda: self.settle(number, self.random.choice(self.bidders)))

    def cancel(self, number: int, sender: str) -> None:
        """Cancel, whoever asks."""
        self.send(self.model.cancel(sender, number), sender, "cancel", number)

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

    def pause(self, hours: float) -> None:
        """Pause the house for some hours, in which others go on and are refused."""
        self.send(not self.model.paused, self.owner, "pause")
        self.model.paused = True
        self.later(hours, hours, self.unpause)

    def unpause(self) -> None:
        """Let the house go on."""
        self.send(self.model.paused, self.owner, "unpause")
        self.model.paused = False

    def set_fee(self, sender: str, fee: int) -> None:
        """Change the fee, if the sender may."""
        accepted = sender == self.owner and fee <= 1_000
        self.send(accepted, sender, "setFee", fee)
        if accepted:
            self.model.fee = fee

    def slip(self) -> None:
        """Make a mistake that people make: too little gas, no such auction, nothing to withdraw, ..."""
        who = self.random.choice(self.bidders[:8])
        kind = self.random.randrange(6)
        if kind == 0:
            number = self.random.randrange(len(self.model.auctions))
            self.send(False, who, "bid", number, value=500 * FINNEY, gas=24_000)
        elif kind == 1:
            self.send(False, who, "bid", 1_000 + self.random.randrange(9), value=FINNEY)
        elif kind == 2:
            self.withdraw(self.stranger)
        elif kind == 3:
            self.create(who, 0, DAY)
        elif kind == 4:
            self.create(who, FINNEY, 60)
        else:
            self.settle(len(self.model.auctions) + 3, who)

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
            self.at(start + (day_of_pause - 0.3) * DAY, partial(self.send, False, self.stranger, "pause"))
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
        self.send(False, self.stranger, "unpause")


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> dict[str, Any]:
    """Deploy the house and two proxies, live the scenario and return what became of it.

    ``artifacts`` holds solc's output for ``AuctionHouse`` and ``ProxyBidder``. The answer has ``address``,
    ``proxies`` (addresses), ``auctions`` and ``transactions`` (how many), and ``outcomes``: how many calls of
    each function were accepted and rejected, a function of a proxy counted by its own name.

    Raises:
        RuntimeError: the chain did not do what the model of the contract expects.
    """
    actors = anvil.accounts[:15]
    start = anvil.now()
    house = anvil.deploy(actors[0], artifacts["AuctionHouse"], FEE)
    proxies = {owner: anvil.deploy(owner, artifacts["ProxyBidder"], house.address) for owner in actors[12:14]}
    life = Life(house, proxies, actors, seed)
    life.plan(start + 2 * SLOT)
    outcomes: Counter[str] = Counter()
    for moment, calls in life.blocks():
        receipts = anvil.block([call for call, _ in calls], timestamp=moment)
        for (call, accepted), receipt in zip(calls, receipts, strict=True):
            if (receipt["status"] == "0x1") is not accepted:
                raise RuntimeError(
                    f"{call.label} at {moment} should have been {'accepted' if accepted else 'rejected'}"
                )
            outcomes[f"{call.label} {'accepted' if accepted else 'rejected'}"] += 1
    return {
        "address": house.address,
        "proxies": [proxy.address for proxy in proxies.values()],
        "auctions": house.read("auctionCount"),
        "transactions": 1 + len(proxies) + sum(outcomes.values()),
        "outcomes": dict(sorted(outcomes.items())),
    }
