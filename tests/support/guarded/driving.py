"""Drives the contracts of ``Guarded.sol``: people who call at random, often rightly, often not.

Nothing here knows what the contracts demand; the chain decides which calls it rejects.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from specminer.contracts.artifact import Artifact, parse
from specminer.history.contract_history import History
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Call, Deployed
from tests.support.collecting import address, gather
from tests.support.solc import compile_files

CHAIN: Final = 31337
DAY: Final = 86_400
FINNEY: Final = 10**15
ROUNDS: Final = 80
"""Blocks of eight calls each."""

Planned = tuple[str, str, tuple[Any, ...], int]
"""Sender, function, arguments, wei."""
Plan = Callable[[Random, tuple[str, ...], int], Planned]
"""Makes up one call of some people at a time, in Unix seconds."""


@cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output by contract."""
    return compile_files(Path(__file__).with_name("Guarded.sol"))


def driven(name: str, seed: int = 0) -> tuple[History, Artifact]:
    """Drive a contract on a chain of its own; return its history."""
    output, random = compiled()[name], Random(seed)
    with Anvil() as anvil, TraceStore("sqlite://") as store:
        people = anvil.accounts[:8]
        now = anvil.now() + DAY
        arguments = {
            "Coin": ([*people[:6]],),
            "Sale": (now + 5 * DAY, 30 * DAY, 200_000 * FINNEY),
        }.get(name, ())
        deployed = anvil.deploy(people[0], output, *arguments, timestamp=now)
        for _ in range(ROUNDS):
            now += DAY if random.random() < 0.7 else DAY // 4
            calls = [_call(deployed, PLANS[name](random, people, now)) for _ in range(8)]
            anvil.block(calls, timestamp=now)
        gather(store, anvil.url, deployed.address)
        history = store.history(CHAIN, [address(deployed.address)])
    return history, parse(json.dumps(output).encode(), name)


def _call(deployed: Deployed, planned: Planned) -> Call:
    sender, function, arguments, value = planned
    return deployed.call(sender, function, *arguments, value=value, gas=400_000)


def _coin(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who, to = random.choice(people), random.choice(people)
    amount = random.choice([10, 50, 200, 900, 2_500])
    match random.randrange(12):
        case 0:
            return random.choice([people[0], who]), "setStopped", (random.random() < 0.3,), 0
        case 1 | 2:
            return who, "burn", (amount // 5,), 0
        case 3 | 4 | 5:
            return who, "approve", (to, random.choice([0, amount])), 0
        case 6 | 7:
            return who, "transferFrom", (random.choice(people), to, amount // 5), 0
    nobody = "0x" + "00" * 20
    return who, "transfer", (nobody if random.random() < 0.1 else to, amount), 0


def _sale(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who = random.choice(people)
    match random.randrange(10):
        case 0 | 1:
            return random.choice([people[0], people[0], who]), "list", (random.choice(people[:6]),), 0
        case 2:
            return who, "refund", (), 0
    return who, "buy", (), FINNEY * random.choice([10, 500, 1_000, 2_000, 5_000, 9_000, 40_000])


def _shop(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who, item = random.choice(people), random.randrange(1, 30)
    match random.randrange(8):
        case 0 | 1:
            price = random.choice([0, 1, 1, 1, 2, 2]) * FINNEY
            return who, "offer", (price, random.randrange(1, 12)), 0
        case 2:
            return people[item % 8] if random.random() < 0.5 else who, "close", (item,), 0
    amount = random.randrange(1, 6)
    return who, "buy", (item, amount), random.choice([1, 1, 2, 2, 3]) * amount * FINNEY


def _tokens(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who, token = random.choice(people), random.randrange(1, 25)
    match random.randrange(12):
        case 0 | 1:
            return who, "mint", (), 0
        case 2 | 3:
            return who, "approve", (random.choice(people), token), 0
        case 4:
            return who, "setOperator", (random.choice(people), random.random() < 0.8), 0
    holder = random.choice(people)
    return random.choice([who, holder, holder]), "transferFrom", (holder, random.choice(people), token), 0


def _auction(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who, lot = random.choice(people), random.randrange(1, 40)
    match random.randrange(8):
        case 0:
            return (
                who,
                "create",
                (random.choice([100, 200, 300]) * FINNEY, random.choice([5, 10, 20]) * DAY),
                0,
            )
        case 1 | 2:
            return who, "settle", (lot,), 0
    return who, "bid", (lot,), 50 * FINNEY * random.randrange(1, 60)


def _stakes(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who = random.choice(people)
    if random.random() < 0.5:
        return who, "stake", (), FINNEY * random.choice([0, 300, 700, 1_500, 2_600])
    return who, "unstake", (FINNEY * random.choice([100, 400, 900, 3_000]),), 0


def _lock(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who = random.choice([people[0], people[0], people[0], random.choice(people)])
    call = random.randrange(1, 80)
    match random.randrange(6):
        case 0 | 1:
            return who, "queue", (now + random.choice([1, 2, 2, 3, 4]) * DAY - random.choice([0, 60]),), 0
        case 2:
            return who, "cancel", (call,), 0
    return who, "execute", (call,), 0


def _permits(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who, permit = random.choice(people[:5]), random.randrange(1, 60)
    if random.random() < 0.1:
        return who, "file", (random.choice([100, 200]) * FINNEY, random.choice(people[3:5])), 0
    return who, "handle", (permit,), FINNEY * random.choice([0, 50, 100, 150, 200, 300])


def _pairs(random: Random, people: tuple[str, ...], now: int) -> Planned:
    who, pair = random.choice(people), random.randrange(1, 60)
    match random.randrange(6):
        case 0:
            return who, "create", (random.randrange(1, 9), random.choice([0, 20, 30])), 0
        case 1 | 2:
            return who, "setRight", (pair, random.choice([0, 20, 30])), 0
    return who, "reset", (pair,), 0


PLANS: Final[dict[str, Plan]] = {
    "Coin": _coin,
    "Sale": _sale,
    "Shop": _shop,
    "Tokens": _tokens,
    "Auction": _auction,
    "Stakes": _stakes,
    "Lock": _lock,
    "Permits": _permits,
    "Pairs": _pairs,
}
