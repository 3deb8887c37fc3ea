"""Drives ENS's HashRegistrar, a sealed-bid auction of names, from the launch to released names.

A name is auctioned for five days: three in which sealed bids are made, two in which they are revealed.
The highest bidder owns the name for the second highest price and may release it after a year.

The published bytecode has a quirk that the driver shows: ``creationDate()`` of a deed lacks its ``return``
and answers 0, so that no bid ever counts as late and any bid can be cancelled at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from web3 import Web3

from tests.support.anvil import Anvil, Call, Deployed
from tests.support.relay import Driven, artifact, deploy_relay, published

_PACKAGE = "@ensdomains/ens"
_DAY = 24 * 3600
_FINNEY = 10**15
_LABEL = bytes(Web3.keccak(text="eth"))
_ROOT = bytes(Web3.keccak(bytes(32) + _LABEL))
"""``namehash("eth")``."""
_ROUND = 12
"""Names auctioned in each of two rounds."""


@dataclass(frozen=True, slots=True)
class _Bid:
    bidder: str
    name: bytes
    value: int
    deposit: int
    salt: bytes

    @property
    def seal(self) -> bytes:
        types = ["bytes32", "address", "uint256", "bytes32"]
        return bytes(Web3.solidity_keccak(types, [self.name, self.bidder, self.value, self.salt]))


def drive(anvil: Anvil, *, seed: int = 0) -> Driven:
    """Deploy the registry and the registrar and drive about 150 transactions over a year and a half.

    Auctions with several bids, with one, with none, and with bids never revealed; a name too short is
    invalidated, names are handed over and released.
    """
    owner = anvil.accounts[0]
    ens = anvil.deploy(owner, artifact(_PACKAGE, "ENSRegistry"))
    registrar = anvil.deploy(owner, artifact(_PACKAGE, "HashRegistrar"), ens.address, _ROOT, 0)
    relay = deploy_relay(anvil, owner)
    anvil.block([ens.call(owner, "setSubnodeOwner", bytes(32), _LABEL, registrar.address)])
    rejected = 0
    for moment, calls in _plan(Random(seed), registrar, relay, anvil.accounts[1:20], anvil.now()):
        receipts = anvil.block(calls, timestamp=moment)
        rejected += sum(receipt["status"] == "0x0" for receipt in receipts)
    touching = anvil.touching(registrar.address)
    return Driven(
        address=registrar.address,
        artifact=published(_PACKAGE, "HashRegistrar"),
        transactions=len(touching),
        invocations=sum(touching.values()),
        rejected=rejected,
    )


def _plan(
    random: Random, registrar: Deployed, relay: Deployed, people: tuple[str, ...], launch: int
) -> list[tuple[int, list[Call]]]:
    """Return each block's time and calls."""
    names = [_name(f"specification{number}") for number in range(2 * _ROUND - 1)] + [_name("short")]
    # Names become available over eight weeks by their hash; right after the launch most are refused.
    early = [registrar.call(random.choice(people), "startAuction", name) for name in names[:6]]
    blocks = [(launch + 3600, early)]
    winners: dict[bytes, str] = {}
    for start, part in ((launch + 60 * _DAY, names[:_ROUND]), (launch + 75 * _DAY, names[_ROUND:])):
        blocks += _auctions(random, registrar, relay, people, start, part, winners)
    kept, sold = list(winners)[: len(winners) // 2], list(winners)[len(winners) // 2 :]
    handed = {name: random.choice(people) for name in sold[:3]}
    stranger = people[-1]
    blocks += [
        (
            launch + 90 * _DAY,
            [registrar.call(winners[name], "transfer", name, who) for name, who in handed.items()],
        ),
        (launch + 91 * _DAY, [registrar.call(winners[name], "releaseDeed", name) for name in kept[:3]]),
        (launch + 92 * _DAY, [registrar.call(stranger, "transfer", name, stranger) for name in sold[:2]]),
        (
            launch + 93 * _DAY,
            [registrar.call(people[2], "invalidateName", each) for each in ("short", "short", "long name")],
        ),
        (
            launch + 94 * _DAY,
            [registrar.call(people[3], "eraseNode", [each]) for each in (names[0], _name("free name"))],
        ),
        (launch + 460 * _DAY, [registrar.call(winners[name], "releaseDeed", name) for name in kept]),
        (launch + 461 * _DAY, [registrar.call(people[4], "startAuction", name) for name in kept[:3]]),
    ]
    return blocks


def _name(text: str) -> bytes:
    """Return a name's hash as this registrar computes it: of the ABI-encoded string."""
    raw = text.encode()
    encoded = (
        (32).to_bytes(32, "big") + len(raw).to_bytes(32, "big") + raw.ljust(-(-len(raw) // 32) * 32, b"\0")
    )
    return bytes(Web3.keccak(encoded))


def _auctions(
    random: Random,
    registrar: Deployed,
    relay: Deployed,
    people: tuple[str, ...],
    start: int,
    names: list[bytes],
    winners: dict[bytes, str],
) -> list[tuple[int, list[Call]]]:
    """Return the blocks of one round of auctions, and note who wins each name in ``winners``."""
    bids = [
        _Bid(who, name, value, value + random.choice((0, 0, 5)) * _FINNEY, random.randbytes(32))
        for number, name in enumerate(names[1:])
        for who, value in zip(
            random.sample(people, (1, 2, 3, 2)[number % 4]),
            random.sample(range(12 * _FINNEY, 90 * _FINNEY, _FINNEY), 3),
            strict=False,
        )
    ]
    first, second = bids[0], bids[1]
    shown = [bid for bid in bids if bid is second or random.random() < 0.85]
    hidden = [bid for bid in bids if bid not in shown]
    opening = [registrar.call(random.choice(people), "startAuction", name) for name in names[:-1]]
    last = bids[-1]
    together = registrar.call(last.bidder, "startAuctionsAndBid", [names[-1]], last.seal, value=last.deposit)
    making = [registrar.call(bid.bidder, "newBid", bid.seal, value=bid.deposit) for bid in bids[:-1]]
    sealed = registrar.encode("newBid", random.randbytes(32))
    for bid in shown:
        best = winners.get(bid.name)
        if best is None or bid.value > max(
            each.value for each in shown if each.name == bid.name and each.bidder == best
        ):
            winners[bid.name] = bid.bidder
    return [
        (start, [*opening, registrar.call(people[0], "startAuction", names[0]), together]),
        (start + _DAY, making),
        (
            start + 2 * _DAY,
            [
                registrar.call(
                    first.bidder, "newBid", first.seal, value=first.deposit
                ),  # the same seal again
                registrar.call(people[1], "newBid", random.randbytes(32), value=_FINNEY),  # under the minimum
                _reveal(registrar, first),  # too early
                relay.call(people[5], "forward", registrar.address, sealed, value=20 * _FINNEY),
                relay.call(
                    people[6], "attempt", registrar.address, sealed, value=20 * _FINNEY
                ),  # that seal again
                relay.call(people[7], "attempt", registrar.address, sealed, value=_FINNEY),
            ],
        ),
        (start + 4 * _DAY, [_reveal(registrar, bid) for bid in shown]),
        (
            start + 4 * _DAY + 3600,
            [
                _reveal(registrar, second),  # revealed already
                registrar.call(
                    second.bidder, "unsealBid", second.name, second.value, bytes(32)
                ),  # wrong salt
                registrar.call(second.bidder, "finalizeAuction", second.name),  # too early
                registrar.call(people[8], "startAuction", second.name),  # while being revealed
            ],
        ),
        (
            start + 6 * _DAY,
            [
                registrar.call(people[-1], "finalizeAuction", second.name),  # not the winner
                *(
                    registrar.call(winners[name], "finalizeAuction", name)
                    for name in names
                    if name in winners
                ),
                *(_reveal(registrar, bid) for bid in hidden[:1]),  # too late: the bid is lost
            ],
        ),
        (
            start + 8 * _DAY,
            [registrar.call(people[9], "cancelBid", bid.bidder, bid.seal) for bid in (*hidden[1:], second)],
        ),
    ]


def _reveal(registrar: Deployed, bid: _Bid) -> Call:
    return registrar.call(bid.bidder, "unsealBid", bid.name, bid.value, bid.salt)
