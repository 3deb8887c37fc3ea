"""Polls by commit and reveal: votes are committed as hashes, revealed when that is over, and counted at last."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.anvil import Call
from tests.support.third_party.crowd import HOUR, NO_HASH, Crowd, Subject
from tests.support.third_party.kinds import own_contracts


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some fifteen polls."""
    artifact = own_contracts()["SealedPolls"]
    house = crowd.deploy(artifact)
    random = crowd.random
    votes: list[tuple[int, str, bool, bytes]] = []
    """Poll, voter, vote and salt of each commitment, also of those that were rejected."""

    def poll() -> int:
        count: int = house.read("pollCount")
        return max(1, count + 1 - random.choice([0, 1, 1, 2, 2, 3, 4]))

    def open_poll() -> list[Call]:
        lengths = [random.choice([6 * HOUR, 12 * HOUR]), random.choice([6 * HOUR, 12 * HOUR, 0])]
        return [house.call(crowd.one(), "open", *lengths)]

    def commit() -> list[Call]:
        number, voter, aye, salt = poll(), crowd.one(), random.random() < 0.55, random.randbytes(32)
        votes.append((number, voter, aye, salt))
        sealed = keccak(encode(["bool", "bytes32"], [aye, salt]))
        return [house.call(voter, "commit", number, random.choice([*[sealed] * 9, NO_HASH]))]

    def reveal() -> list[Call]:
        if not votes:
            return []
        number, voter, aye, salt = random.choice(votes[-40:])
        return [house.call(voter, "reveal", number, aye ^ (random.random() < 0.1), salt)]

    def tally() -> list[Call]:
        return [house.call(crowd.one(), "tally", max(1, poll() - random.choice([0, 1, 1, 2])))]

    actions = {open_poll: 1, commit: 6, reveal: 6, tally: 2}
    crowd.mine(house.call(crowd.owner, "open", 6 * HOUR, 6 * HOUR))
    crowd.act(actions, blocks=50, size=6, seconds=(HOUR, 2 * HOUR, 3 * HOUR))
    return (Subject(name="sealed_polls", address=house.address, artifact=artifact),)
