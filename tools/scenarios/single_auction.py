"""Six weeks of auctions, each a contract of its own, made by a factory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed


@dataclass(slots=True)
class Auction:
    """The model of one contract."""

    contract: Deployed
    beneficiary: str
    end: int
    reserve: int
    step: int
    stage: str = "running"
    bidder: str | None = None
    bid: int = 0
    pending: Counter[str] = field(default_factory=Counter)


class AuctionsLife(Life):
    """Sellers and bidders; the model of the contract is in the methods that send."""

    def __init__(
        self,
        anvil: Anvil,
        factory: Deployed,
        abi: list[dict[str, Any]],
        actors: tuple[str, ...],
        seed: int,
        start: int,
    ) -> None:
        super().__init__(seed=seed, start=start, slot=HOUR)
        self.anvil, self.factory, self.abi = anvil, factory, abi
        self.sellers, self.bidders, self.stranger = actors[1:7], actors[5:18], actors[18]
        self.auctions: list[Auction] = []

    def call(
        self,
        auction: Auction,
        sender: str,
        function: str,
        *,
        refused: str | None,
        value: int = 0,
        gas: int = GAS,
    ) -> bool:
        """Send a call to one of the contracts."""
        to = (f"instance={auction.contract.address.lower()}",)
        return self.send(auction.contract, sender, function, to=to, refused=refused, value=value, gas=gas)

    def create(self, seller: str, kind: str) -> None:
        """Make an auction, and plan its life."""
        hours = self.random.randrange(20, 90)
        reserve, step = self.random.randrange(5, 80) * FINNEY, self.random.choice((1, 2, 5)) * FINNEY
        address = created_by(self.factory.address, 1 + len(self.auctions))
        contract = self.anvil.at(address, self.abi)
        auction = Auction(contract, seller, self.now + hours * HOUR, reserve, step)
        self.auctions.append(auction)
        arguments = (hours * HOUR, reserve, step)
        call = self.factory.call(seller, "create", *arguments, gas=4 * GAS, label="create")
        self.act(call, succeeds=True)
        self.plan_auction(auction, kind, hours)

    def bid(self, auction: Auction, bidder: str, value: int) -> None:
        """Bid."""
        refused = None
        if auction.stage != "running":
            refused = "SingleAuction: over"
        elif self.now >= auction.end:
            refused = "SingleAuction: too late"
        elif bidder == auction.beneficiary:
            refused = "SingleAuction: the beneficiary cannot bid"
        elif value < auction.reserve:
            refused = "SingleAuction: under the reserve"
        elif auction.bidder and value < auction.bid + auction.step:
            refused = "SingleAuction: bid too low"
        else:
            outbid = auction.bidder
            if outbid:
                auction.pending[outbid] += auction.bid
                if self.chance(0.6):
                    self.later(2, 90, partial(self.withdraw, auction, outbid))
            auction.bidder, auction.bid = bidder, value
            auction.end = max(auction.end, self.now + 600)
        self.call(auction, bidder, "bid", refused=refused, value=value)

    def withdraw(self, auction: Auction, sender: str) -> None:
        """Take back what was outbid."""
        refused = None if auction.pending.pop(sender, 0) else "SingleAuction: nothing to withdraw"
        self.call(auction, sender, "withdraw", refused=refused)

    def end(self, auction: Auction, sender: str) -> None:
        """End an auction."""
        refused = None
        if auction.stage != "running":
            refused = "SingleAuction: over"
        elif self.now < auction.end:
            refused = "SingleAuction: too early"
        else:
            auction.stage = "ended"
        self.call(auction, sender, "end", refused=refused)

    def cancel(self, auction: Auction, sender: str) -> None:
        """Cancel an auction."""
        refused = None
        if auction.stage != "running":
            refused = "SingleAuction: over"
        elif sender != auction.beneficiary:
            refused = "SingleAuction: only the beneficiary"
        elif auction.bidder:
            refused = "SingleAuction: has bids"
        else:
            auction.stage = "cancelled"
        self.call(auction, sender, "cancel", refused=refused)

    # -- people ---------------------------------------------------------------------------------

    def offer(self, auction: Auction) -> None:
        """Bid as people do: mostly enough, sometimes too little, rarely on one's own auction."""
        bidder = self.pick(self.bidders, auction.beneficiary, *([auction.bidder] if auction.bidder else []))
        if self.chance(0.05):
            bidder = auction.beneficiary
        needed = auction.bid + auction.step if auction.bidder else auction.reserve
        share = self.random.randrange(50, 99) if self.chance(0.18) else self.random.randrange(101, 130)
        self.bid(auction, bidder, needed * share // 100 // FINNEY * FINNEY + (FINNEY if share > 100 else 0))

    def race(self, auction: Auction) -> None:
        """Let two people bid the same in one block."""
        for bidder in self.random.sample([each for each in self.bidders if each != auction.beneficiary], 2):
            self.bid(auction, bidder, max(auction.reserve, auction.bid) + 20 * FINNEY)

    def plan_auction(self, auction: Auction, kind: str, hours: int) -> None:
        """Plan the life of an auction: contested, unsold, cancelled or forgotten."""
        bids = self.random.randrange(5, 12) if kind in ("contested", "forgotten") else 0
        for _ in range(bids):
            self.later(1, hours, partial(self.offer, auction))
        if bids and self.chance(0.5):
            self.later(hours / 2, hours, partial(self.race, auction))
        if kind == "cancelled":
            self.later(1, hours, partial(self.cancel, auction, auction.beneficiary))
            self.later(hours, hours + 20, partial(self.end, auction, auction.beneficiary))
        if self.chance(0.3):
            self.later(
                1, hours, partial(self.cancel, auction, self.pick((self.stranger, auction.beneficiary)))
            )
        if self.chance(0.3):
            self.later(1, hours, partial(self.end, auction, auction.beneficiary))
        if self.chance(0.4):
            self.later(hours + 1, hours + 30, partial(self.offer, auction))
        if self.chance(0.3):
            self.later(1, hours + 30, partial(self.withdraw, auction, self.pick(self.bidders)))
        if self.chance(0.15):
            self.later(1, hours, partial(self.thrifty, auction))
        if kind in ("contested", "unsold"):
            self.later(hours + 2, hours + 20, partial(self.end, auction, self.pick(self.bidders)))
            if self.chance(0.3):
                self.later(hours + 20, hours + 40, partial(self.end, auction, auction.beneficiary))
            if self.chance(0.3):
                self.later(hours + 20, hours + 40, partial(self.offer, auction))
            if self.chance(0.2):
                self.later(hours + 20, hours + 40, partial(self.cancel, auction, auction.beneficiary))

    def thrifty(self, auction: Auction) -> None:
        """Bid with too little gas."""
        value = auction.bid + 900 * FINNEY
        self.call(auction, self.pick(self.bidders), "bid", refused=OUT_OF_GAS, value=value, gas=23_000)

    def plan(self, days: int) -> None:
        """Plan when the auctions are made."""
        begin = self.now + self.slot
        kinds = ["contested"] * 18 + ["unsold"] * 2 + ["cancelled"] * 4 + ["forgotten"] * 3
        self.random.shuffle(kinds)
        for place, kind in enumerate(kinds):
            moment = begin + (place + self.random.random()) * days * DAY / len(kinds)
            self.at(moment, partial(self.create, self.pick(self.sellers), kind))


def created_by(creator: str, nonce: int) -> str:
    """Return the address of a contract that a contract creates; the nonce is from 1 to 127."""
    return f"0x{keccak(bytes([0xD6, 0x94]) + bytes.fromhex(creator[2:]) + bytes([nonce]))[12:].hex()}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the factory, and live the scenario."""
    actors = anvil.accounts[:19]
    factory = anvil.deploy(actors[0], artifacts["AuctionFactory"])
    life = AuctionsLife(anvil, factory, artifacts["SingleAuction"]["abi"], actors, seed, anvil.now())
    life.plan(38)
    lived = life.live(anvil)
    lived.addresses = [auction.contract.address for auction in life.auctions]
    lived.facts["auctions"] = len(life.auctions)
    return lived
