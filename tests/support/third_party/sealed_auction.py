"""One auction with sealed bids, from its first bid to the last deposit that is taken back."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, FINNEY, HOUR, Action, Crowd, Subject
from tests.support.third_party.kinds import observed_contracts


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive the auction: a day of bids, a day of revealing, then the settlement."""
    artifact = observed_contracts()["SealedAuction"]
    auction = crowd.deploy(artifact, crowd.now + DAY, crowd.now + 2 * DAY)
    random = crowd.random
    bids: dict[str, tuple[int, bytes]] = {}

    def bid() -> list[Call]:
        bidder, amount, salt = crowd.one(), FINNEY * random.choice([5, 10, 20, 40]), random.randbytes(32)
        if crowd.now < opened + DAY:
            bids[bidder] = (amount, salt)
        hashed = keccak(encode(["uint256", "bytes32"], [amount, salt]))
        return [auction.call(bidder, "bid", hashed, value=amount)]

    def reveal() -> list[Call]:
        bidder = crowd.one(*bids)
        amount, salt = bids.get(bidder, (FINNEY, random.randbytes(32)))
        return [auction.call(bidder, "reveal", amount, salt)]

    def settle() -> list[Call]:
        return [auction.call(crowd.one(), "settle")]

    def withdraw() -> list[Call]:
        return [auction.call(crowd.one(), "withdraw")]

    opened = crowd.now
    actions: dict[Action, int] = {bid: 4, reveal: 4, settle: 1, withdraw: 3}
    crowd.act(actions, blocks=70, size=4, seconds=(HOUR // 2, HOUR, 3 * HOUR // 2))
    return (Subject(name="sealed_auction", address=auction.address, artifact=artifact),)
