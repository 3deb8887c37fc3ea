"""A Uniswap V2 pair: liquidity in and out, swaps, skims, and the pair's own shares as a token."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from tests.support.anvil import Call, Deployed
from tests.support.solc import compile_sources, package_folder
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import NOBODY, Action, Crowd, Subject

_PACKAGE: Final = "@uniswap/v2-core"
_PERMIT: Final = ("owner", "spender", "value", "nonce", "deadline")


@cache
def _pair() -> dict[str, Any]:
    """Return the published pair with its layout, which the next patch version of the compiler tells."""
    folder = package_folder(_PACKAGE) / "contracts"
    sources = {
        str(path.relative_to(folder)): path.read_text().replace(
            "pragma solidity =0.5.16", "pragma solidity ^0.5.16"
        )
        for part in (".", "interfaces", "libraries")
        for path in sorted((folder / part).glob("*.sol"))
    }
    layout = compile_sources(sources, package="solc-0.5.17")["UniswapV2Pair"]["storageLayout"]
    published: dict[str, Any] = json.loads(
        (package_folder(_PACKAGE) / "build" / "UniswapV2Pair.json").read_text()
    )
    return published | {"storageLayout": layout}


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a pair that the published factory made; the fee is switched on midway."""
    factory = crowd.deploy(
        json.loads((package_folder(_PACKAGE) / "build" / "UniswapV2Factory.json").read_text()), crowd.owner
    )
    one, two = crowd.deploy(compiled()["Asset"]), crowd.deploy(compiled()["Asset"])
    crowd.mine(factory.call(crowd.owner, "createPair", one.address, two.address, gas=5_000_000))
    pair = crowd.anvil.at(factory.read("getPair", one.address, two.address), _pair()["abi"])
    tokens = (one, two) if int(one.address, 16) < int(two.address, 16) else (two, one)
    for who in crowd.people:
        crowd.mine(*[token.call(who, "mint", who, 10**9) for token in tokens])
    desk = _Desk(crowd, pair, tokens)
    crowd.mine(pair.call(crowd.owner, "burn", crowd.owner), pair.call(crowd.owner, "mint", crowd.owner))
    crowd.act(desk.actions, blocks=22, size=5)
    crowd.mine(factory.call(crowd.owner, "setFeeTo", crowd.owner))
    crowd.act(desk.actions, blocks=22, size=5)
    return (Subject(name="uniswap_pair", address=pair.address, artifact=_pair()),)


class _Desk:
    """What people do with a pair; payments go ahead of the call that looks for them."""

    def __init__(self, crowd: Crowd, pair: Deployed, tokens: tuple[Deployed, ...]) -> None:
        self._crowd, self._pair, self._tokens = crowd, pair, tokens
        self.actions: dict[Action, int] = {
            self.mint: 5, self.burn: 4, self.swap: 10, self.transfer: 2, self.approve: 2, self.transfer_from: 3,
            self.skim: 1, self.sync: 1, self.initialize: 1, self.permit: 2,
        }  # fmt: skip

    def _pay(self, who: str, *amounts: int) -> list[Call]:
        return [
            token.call(who, "transfer", self._pair.address, amount)
            for token, amount in zip(self._tokens, amounts, strict=True)
            if amount
        ]

    def mint(self) -> list[Call]:
        who, random = self._crowd.one(), self._crowd.random
        amount = random.choice([0, 5_000, 40_000, 40_000])
        return [*self._pay(who, amount, amount), self._pair.call(who, "mint", who)]

    def burn(self) -> list[Call]:
        who, random = self._crowd.one(), self._crowd.random
        amount = random.choice([0, 500, 3_000, 10**6])
        return [
            self._pair.call(who, "transfer", self._pair.address, amount),
            self._pair.call(who, "burn", random.choice([who, who, self._tokens[0].address])),
        ]

    def swap(self) -> list[Call]:
        who, random = self._crowd.one(), self._crowd.random
        paid, taken = random.choice([0, 1_000, 1_000, 4_000]), random.choice([0, 300, 600, 3_000, 10**9])
        to = random.choice([who] * 5 + [token.address for token in self._tokens])
        first = random.random() < 0.5
        paid_in, taken_out = ((paid, 0), (0, taken)) if first else ((0, paid), (taken, 0))
        return [*self._pay(who, *paid_in), self._pair.call(who, "swap", *taken_out, to, b"")]

    def transfer(self) -> list[Call]:
        crowd = self._crowd
        return [self._pair.call(crowd.one(), "transfer", crowd.one(), crowd.random.choice([1, 200, 10**7]))]

    def approve(self) -> list[Call]:
        crowd = self._crowd
        return [
            self._pair.call(crowd.one(), "approve", crowd.one(), crowd.random.choice([0, 100, 2**256 - 1]))
        ]

    def transfer_from(self) -> list[Call]:
        crowd = self._crowd
        amount = crowd.random.choice([0, 50, 50, 10**6])
        return [self._pair.call(crowd.one(), "transferFrom", crowd.one(), crowd.one(), amount)]

    def skim(self) -> list[Call]:
        return [self._pair.call(self._crowd.one(), "skim", self._crowd.one())]

    def sync(self) -> list[Call]:
        return [self._pair.call(self._crowd.one(), "sync")]

    def initialize(self) -> list[Call]:
        return [self._pair.call(self._crowd.one(), "initialize", NOBODY, NOBODY)]

    def permit(self) -> list[Call]:
        crowd, random = self._crowd, self._crowd.random
        owner, spender = crowd.one(), crowd.one()
        deadline = crowd.now + random.choice([-60, 600, 600])
        nonce = self._pair.read("nonces", owner)
        values = dict(zip(_PERMIT, (owner, spender, 70, nonce, deadline), strict=True))
        signature = crowd.sign_typed(
            crowd.one(owner), name="Uniswap V2", contract=self._pair.address, kind="Permit", values=values
        )
        return [self._pair.call(crowd.one(), "permit", owner, spender, 70, deadline, *signature)]
