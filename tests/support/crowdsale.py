"""Drives OpenZeppelin 2.5's RefundableCrowdsale: waits, purchases of all kinds, and the end.

The sale ends without reaching its goal, so that refunds are claimed, or with ``succeed=True`` reaches it.
"""

from __future__ import annotations

from random import Random

from tests.support.anvil import Anvil, Call, Deployed
from tests.support.relay import Driven, artifact, deploy_relay, published

_PACKAGE = "openzeppelin-solidity"
_DAY = 24 * 3600
_ETHER = 10**18
_RATE = 10
_NOBODY = "0x" + "00" * 20


def drive(anvil: Anvil, *, succeed: bool = False, seed: int = 0) -> Driven:
    """Deploy a token, a crowdsale and a relay, and drive about 300 transactions from 30 senders.

    The sale opens after a day and closes nine days later. Each block holds 5 to 20 transactions.
    """
    owner, wallet, *buyers = anvil.accounts
    token = anvil.deploy(owner, artifact(_PACKAGE, "SimpleToken"))
    opening = anvil.now() + _DAY
    closing = opening + 9 * _DAY
    goal = (100 if succeed else 1_000) * _ETHER
    sale = anvil.deploy(
        owner,
        artifact(_PACKAGE, "RefundableCrowdsaleImpl"),
        *(opening, closing, _RATE, wallet, token.address, goal),
    )
    relay = deploy_relay(anvil, owner)
    anvil.block([token.call(owner, "transfer", sale.address, 10_000 * _ETHER)])
    rejected = 0
    for moment, calls in _plan(Random(seed), sale, relay, buyers, opening, closing):
        receipts = anvil.block(calls, timestamp=moment)
        rejected += sum(receipt["status"] == "0x0" for receipt in receipts)
    touching = anvil.touching(sale.address)
    return Driven(
        address=sale.address,
        artifact=published(_PACKAGE, "RefundableCrowdsaleImpl"),
        transactions=len(touching),
        invocations=sum(touching.values()),
        rejected=rejected,
    )


def _plan(
    random: Random, sale: Deployed, relay: Deployed, buyers: list[str], opening: int, closing: int
) -> list[tuple[int, list[Call]]]:
    """Return each block's time and calls."""
    some = random.sample(buyers, 8)
    return [
        # Before the opening: nothing can be bought, refunded or finalised.
        (opening - _DAY // 2, [sale.call(who, "buyTokens", who, value=_ETHER) for who in some]),
        (
            opening - _DAY // 4,
            [
                *(_refund(sale, who, who) for who in some[:3]),
                sale.call(some[3], "finalize"),
                relay.call(some[4], "attempt", sale.address, sale.encode("buyTokens", some[4]), value=_ETHER),
                Call(sender=some[5], to=sale.address, value=_ETHER, label="fallback"),
            ],
        ),
        *(
            (
                opening + 3600 * 10 * number,
                [_purchase(random, sale, relay, buyers) for _ in range(random.randrange(8, 16))],
            )
            for number in range(19)
        ),
        (
            opening + 8 * _DAY,
            [sale.call(buyers[0], "finalize"), *(_refund(sale, who, who) for who in some[:3])],
        ),
        # After the closing: late buyers, early refunds, the end, and the end again.
        (closing + 60, [sale.call(who, "buyTokens", who, value=_ETHER) for who in some[:5]]),
        (
            closing + 3600,
            [_refund(sale, some[0], some[0]), sale.call(some[1], "finalize"), sale.call(some[2], "finalize")],
        ),
        (closing + 7200, [_refund(sale, who, who) for who in buyers[:20]]),
        # For another, twice, for one who never bought, and for the relay, which cannot be paid.
        (
            closing + _DAY,
            [_refund(sale, buyers[0], who) for who in (*buyers[18:24], buyers[0], buyers[1], sale.address)],
        ),
        (closing + 2 * _DAY, [_refund(sale, who, relay.address) for who in buyers[:2]]),
        (closing + 3 * _DAY, [relay.call(buyers[3], "attempt", sale.address, sale.encode("finalize"))]),
    ]


def _refund(sale: Deployed, sender: str, refundee: str) -> Call:
    return sale.call(sender, "claimRefund", refundee)


def _purchase(random: Random, sale: Deployed, relay: Deployed, buyers: list[str]) -> Call:
    """Return a purchase as people make them: directly, by plain ether, by the relay, and wrong ones."""
    who, friend = random.sample(buyers, 2)
    value = random.randrange(1, 300) * _ETHER // 100
    buy = sale.encode("buyTokens", who)
    kind = random.choices(
        [
            "self",
            "gift",
            "fallback",
            "relay",
            "twice",
            "undo",
            "nothing",
            "nobody",
            "too much",
            "caught",
            "starved",
        ],
        [30, 10, 14, 8, 4, 3, 8, 4, 5, 4, 2],
    )[0]
    match kind:
        case "self":
            return sale.call(who, "buyTokens", who, value=value)
        case "gift":
            return sale.call(who, "buyTokens", friend, value=value)
        case "fallback":
            return Call(sender=who, to=sale.address, value=value)
        case "relay":
            return relay.call(who, "forward", sale.address, buy, value=value)
        case "twice":
            return relay.call(who, "twice", sale.address, buy, sale.encode("buyTokens", friend), value=value)
        case "undo":
            return relay.call(who, "undo", sale.address, buy, value=value)
        case "nothing":
            return sale.call(who, "buyTokens", who)
        case "nobody":
            return sale.call(who, "buyTokens", _NOBODY, value=value)
        case "too much":
            return sale.call(who, "buyTokens", who, value=1_500 * _ETHER)
        case "caught":
            return relay.call(who, "attempt", sale.address, buy, value=0)
        case _:
            return sale.call(who, "buyTokens", who, value=value, gas=60_000)
