"""Synthetix's StakingRewards: stakes earn a reward that is spread over a period."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.support.anvil import Call
from tests.support.solc import compile_files, package_folder
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import DAY, NOBODY, Action, Crowd, Subject


@cache
def _output() -> dict[str, Any]:
    source = package_folder("synthetix") / "contracts" / "StakingRewards.sol"
    return compile_files(source, package="solc-0.5.17")["StakingRewards"]


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a pool through several periods of rewards; some have no stake or allow none to be taken."""
    payer, *people = crowd.people
    stake, reward = crowd.deploy(compiled()["Asset"]), crowd.deploy(compiled()["Asset"])
    pool = crowd.deploy(_output(), crowd.owner, payer, reward.address, stake.address)
    random = crowd.random
    crowd.mine(*[stake.call(who, "mint", who, 9_000) for who in people[:-1]])
    crowd.mine(*[stake.call(who, "approve", pool.address, 10**6) for who in people[1:]])

    def invest() -> list[Call]:
        return [pool.call(crowd.one(), "stake", random.choice([0, 10, 10, 400, 400, 3_000]))]

    def withdraw() -> list[Call]:
        return [pool.call(crowd.one(), "withdraw", random.choice([0, 5, 5, 200, 900]))]

    def get_reward() -> list[Call]:
        return [pool.call(crowd.one(), "getReward")]

    def leave() -> list[Call]:
        return [pool.call(crowd.one(), "exit")]

    def notify() -> list[Call]:
        amount = random.choice([10**9, 10**9, 10**12])
        return [
            reward.call(payer, "mint", pool.address, 10**9),
            pool.call(crowd.one(payer), "notifyRewardAmount", amount),
        ]

    def set_duration() -> list[Call]:
        return [pool.call(crowd.one(crowd.owner), "setRewardsDuration", random.choice([5 * DAY, 7 * DAY]))]

    def pause() -> list[Call]:
        return [pool.call(crowd.one(crowd.owner), "setPaused", random.random() < 0.15)]

    def recover() -> list[Call]:
        token = random.choice([stake.address, reward.address])
        return [pool.call(crowd.one(crowd.owner), "recoverERC20", token, random.choice([1, 10**15]))]

    def change_hands() -> list[Call]:
        """Nominate the owner again, who accepts; others try the same."""
        return [
            pool.call(crowd.one(crowd.owner), "nominateNewOwner", random.choice([crowd.owner, NOBODY])),
            pool.call(crowd.one(crowd.owner), "acceptOwnership"),
        ]

    def set_payer() -> list[Call]:
        return [pool.call(crowd.one(crowd.owner), "setRewardsDistribution", payer)]

    actions: dict[Action, int] = {
        invest: 11, withdraw: 8, get_reward: 5, leave: 3, notify: 3, set_duration: 2, pause: 2, recover: 2,
        change_hands: 1, set_payer: 1,
    }  # fmt: skip
    crowd.act(actions, blocks=40, size=7, seconds=(DAY // 4, DAY, DAY, 3 * DAY))
    return (Subject(name="staking_rewards", address=pool.address, artifact=_output()),)
