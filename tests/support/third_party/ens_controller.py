"""The registrar controller of ENS: a name is committed to secretly, registered a while later, and renewed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from eth_utils.crypto import keccak

from tests.support.anvil import Call, Deployed
from tests.support.relay import artifact
from tests.support.solc import compile_sources, package_folder
from tests.support.third_party.crowd import DAY, HOUR, Crowd, Subject

_PACKAGE: Final = "@ensdomains/ens-archived-contracts"
_PART: Final = "ethregistrar-202"
_IMPORTED: Final = {
    "@ensdomains/resolver/contracts/Resolver.sol": "resolver/Resolver.sol",
    "@ensdomains/ens/contracts/ENS.sol": "ens/ENS.sol",
}
"""Of the package's folder, by the name under which they are imported."""
_ROOT: Final = bytes(32)
_LABEL: Final = keccak(text="eth")
YEAR: Final = 365 * DAY
PRICE: Final = 10**9
"""Wei for each second of a name."""


@cache
def _controller() -> dict[str, Any]:
    """Return the published controller with the layout that the compiler's next version tells."""
    folder = package_folder(_PACKAGE) / "contracts"
    own = ("ETHRegistrarController", "BaseRegistrar", "PriceOracle", "StringUtils")
    sources = {f"{name}.sol": (folder / _PART / f"{name}.sol").read_text() for name in own}
    sources |= {name: (folder / path).read_text() for name, path in _IMPORTED.items()}
    output = compile_sources(sources, package="solc-0.5.17")["ETHRegistrarController"]
    return _published("ETHRegistrarController") | {"storageLayout": output["storageLayout"]}


def _published(contract: str) -> dict[str, Any]:
    path = package_folder(_PACKAGE) / "abis" / _PART / f"{contract}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return {"abi": found["abi"], "bytecode": found["bytecode"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    name: str
    owner: str
    secret: bytes

    @property
    def commitment(self) -> bytes:
        return keccak(keccak(text=self.name) + bytes.fromhex(self.owner[2:]) + self.secret)


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a controller through some eighty commitments; half of the names are wanted by several people."""
    controller = _deployed(crowd)
    random = crowd.random
    wishes: list[_Wish] = []
    names: list[str] = []

    def commit() -> list[Call]:
        if not names or random.random() < 0.6:
            names.append(f"name{len(names)}" if random.random() < 0.95 else "ab")
        wish = _Wish(name=random.choice(names[-6:]), owner=crowd.one(), secret=random.randbytes(32))
        wishes.append(wish)
        return [controller.call(wish.owner, "commit", wish.commitment)]

    def recent(near: float = 0.8) -> list[_Wish]:
        span = 14 if random.random() < near else 100
        return random.sample(wishes[-span:], min(1, len(wishes)))

    def commit_again() -> list[Call]:
        return [controller.call(wish.owner, "commit", wish.commitment) for wish in recent(0.3)]

    def register() -> list[Call]:
        return [_registration(wish, wish.secret) for wish in recent()]

    def register_unseen() -> list[Call]:
        return [_registration(wish, random.randbytes(32)) for wish in recent()]

    def _registration(wish: _Wish, secret: bytes) -> Call:
        duration = random.choice([YEAR, YEAR, 30 * DAY, 30 * DAY, DAY])
        value = duration * PRICE - (random.random() < 0.1)
        return controller.call(
            crowd.one(wish.owner, chance=0.8),
            "register",
            wish.name,
            wish.owner,
            duration,
            secret,
            value=value,
        )

    def renew() -> list[Call]:
        if not names:
            return []
        duration = random.choice([DAY, YEAR])
        return [
            controller.call(
                crowd.one(), "renew", random.choice(names[-12:]), duration, value=duration * PRICE
            )
        ]

    def administer() -> list[Call]:
        sender = crowd.one(crowd.owner, chance=0.5)
        return [
            random.choice(
                [
                    controller.call(sender, "withdraw"),
                    controller.call(sender, "setCommitmentAges", HOUR, random.choice([12 * HOUR, DAY])),
                ]
            )
        ]

    actions = {
        commit: 6, commit_again: 3, register: 9, register_unseen: 1, renew: 3, administer: 1,
    }  # fmt: skip
    crowd.act(actions, blocks=46, size=7, seconds=(12, HOUR, 4 * HOUR))
    return (Subject(name="ens_controller", address=controller.address, artifact=_controller()),)


def _deployed(crowd: Crowd) -> Deployed:
    """Deploy registry, registrar, prices and the controller, which may register names of ``eth``."""
    registry = crowd.deploy(artifact("@ensdomains/ens", "ENSRegistry"))
    node = keccak(_ROOT + _LABEL)
    base = crowd.deploy(_published("BaseRegistrarImplementation"), registry.address, node)
    prices = crowd.deploy(_published("SimplePriceOracle"), PRICE)
    controller = crowd.deploy(_controller(), base.address, prices.address, HOUR, DAY)
    crowd.mine(
        registry.call(crowd.owner, "setSubnodeOwner", _ROOT, _LABEL, base.address),
        base.call(crowd.owner, "addController", controller.address),
    )
    return controller
