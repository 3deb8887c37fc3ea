"""Safe 1.4.1 behind its proxy: owners sign or approve transactions, which the Safe makes once enough have."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from tests.support.anvil import Call, Deployed
from tests.support.solc import compile_files, package_folder
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import NOBODY, Action, Crowd, Subject

_PACKAGE: Final = "@safe-global/safe-contracts"
_SENTINEL: Final = "0x" + "00" * 19 + "01"


def _published(contract: str, folder: str) -> dict[str, Any]:
    path = package_folder(_PACKAGE) / "build" / "artifacts" / "contracts" / folder / f"{contract}.json"
    loaded: dict[str, Any] = json.loads(path.read_text())
    return loaded


@cache
def _safe() -> dict[str, Any]:
    """Return the published Safe with the layout that our compiler tells of the same source."""
    layout = compile_files(package_folder(_PACKAGE) / "contracts" / "Safe.sol")["Safe"]["storageLayout"]
    return _published("Safe", "Safe.sol") | {"storageLayout": layout}


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a Safe of three owners, two of whom must agree; owners and the threshold change."""
    singleton = crowd.deploy(_safe())
    factory = crowd.deploy(_published("SafeProxyFactory", "proxies/SafeProxyFactory.sol"))
    nothing = (NOBODY, b"", NOBODY, NOBODY, 0, NOBODY)
    setup = singleton.encode("setup", list(crowd.people[:3]), 2, *nothing)
    (receipt,) = crowd.mine(factory.call(crowd.owner, "createProxyWithNonce", singleton.address, setup, 0))
    created = next(log for log in receipt["logs"] if log["address"] == factory.address.lower())
    address = "0x" + created["topics"][1][-40:]
    desk = _Desk(crowd, crowd.anvil.at(address, _safe()["abi"]), crowd.deploy(compiled()["Target"]))
    crowd.mine(Call(sender=crowd.owner, to=address, value=10**18))
    crowd.act(desk.actions, blocks=110, size=4)
    return (Subject(name="safe", address=address, artifact=_safe()),)


class _Desk:
    """Where the owners draw up transactions of the Safe for the nonce that comes next."""

    def __init__(self, crowd: Crowd, safe: Deployed, target: Deployed) -> None:
        self._crowd, self._safe, self._target = crowd, safe, target
        self._filled = 0
        """The time of the block that has its transaction already."""
        self.actions: dict[Action, int] = {
            self.execute: 10, self.approve: 3, self.execute_approved: 3, self.manage: 8, self.call_directly: 3,
            self.from_module: 3, self.pay: 1,
        }  # fmt: skip

    def _signed(self, to: str, value: int, data: str, safe_gas: int = 0) -> list[Call]:
        """Return a transaction with signatures that suffice, mostly; one a block."""
        crowd, random, nonce = self._crowd, self._crowd.random, self._safe.read("nonce")
        if self._filled == crowd.now:
            return []
        self._filled = crowd.now
        what = (to, value, bytes.fromhex(data[2:]), 0, safe_gas, 0, 0, NOBODY, NOBODY)
        owners = sorted(self._safe.read("getOwners"), key=lambda owner: int(owner, 16))
        count = self._safe.read("getThreshold")
        signers = sorted(random.sample(owners, min(count, len(owners))), key=owners.index)
        fault = random.randrange(14)
        if fault == 0:
            signers = signers[1:]
        elif fault == 1:
            signers = [crowd.people[-1], *signers[1:]]
        elif fault == 2:
            signers = [signers[0]] * count
        hashed = "0x" + bytes(self._safe.read("getTransactionHash", *what, nonce)).hex()
        return [self._safe.call(crowd.one(), "execTransaction", *what, self._signatures(hashed, signers))]

    def _signatures(self, hashed: str, signers: list[str]) -> bytes:
        parts = []
        for signer in signers:
            signature = bytes.fromhex(self._crowd.anvil.rpc("eth_sign", signer, hashed)[2:])
            parts.append(signature[:64] + bytes([signature[64] + 4]))
        return b"".join(parts)

    def execute(self) -> list[Call]:
        random = self._crowd.random
        data = self._target.encode("put", random.choice([13, 1, 2, 3, 4, 5]))
        return self._signed(
            self._target.address, random.choice([0, 5]), data, random.choice([0, 0, 0, 50_000, 10**7])
        )

    def manage(self) -> list[Call]:
        """Change owners, threshold and modules; what the Safe refuses itself fails inside."""
        crowd, random, safe = self._crowd, self._crowd.random, self._safe
        owners = safe.read("getOwners")
        someone = random.choice([*crowd.people[:6], NOBODY])
        before = [_SENTINEL, *owners][random.randrange(len(owners))]
        changes: list[tuple[Any, ...]] = [
            ("addOwnerWithThreshold", someone, random.choice([2, 2, 3])),
            ("removeOwner", before, random.choice(owners), 2),
            ("swapOwner", before, random.choice(owners), someone),
            ("changeThreshold", random.choice([0, 1, 2, 2, 9])),
            ("enableModule", random.choice([crowd.people[6], NOBODY])),
        ]
        return self._signed(safe.address, 0, safe.encode(*random.choice(changes)))

    def approve(self) -> list[Call]:
        crowd = self._crowd
        return [self._safe.call(crowd.one(*crowd.people[:3]), "approveHash", crowd.random.randbytes(32))]

    def execute_approved(self) -> list[Call]:
        """One owner sends it and another has approved it, or has not."""
        crowd, random, nonce = self._crowd, self._crowd.random, self._safe.read("nonce")
        owners = sorted(self._safe.read("getOwners"), key=lambda owner: int(owner, 16))
        if self._filled == crowd.now or self._safe.read("getThreshold") != 2 or len(owners) < 2:
            return []
        self._filled = crowd.now
        what = (self._target.address, 0, b"", 0, 50_000, 0, 0, NOBODY, NOBODY)
        first, second = owners[:2]
        signatures = b"".join(
            bytes(12) + bytes.fromhex(owner[2:]) + bytes(32) + b"\x01" for owner in (first, second)
        )
        calls = [self._safe.call(first, "execTransaction", *what, signatures)]
        if random.random() < 0.7:
            hashed = self._safe.read("getTransactionHash", *what, nonce)
            calls.insert(0, self._safe.call(second, "approveHash", hashed))
        return calls

    def call_directly(self) -> list[Call]:
        crowd, safe = self._crowd, self._safe
        changes: list[tuple[Any, ...]] = [
            ("addOwnerWithThreshold", crowd.people[5], 1),
            ("changeThreshold", 1),
            ("enableModule", crowd.people[5]),
            ("setup", [crowd.people[5]], 1, NOBODY, b"", NOBODY, NOBODY, 0, NOBODY),
        ]
        return [safe.call(crowd.one(), *crowd.random.choice(changes))]

    def from_module(self) -> list[Call]:
        crowd = self._crowd
        sender, data = crowd.one(crowd.people[6]), bytes.fromhex(self._target.encode("put", 7)[2:])
        return [self._safe.call(sender, "execTransactionFromModule", self._target.address, 0, data, 0)]

    def pay(self) -> list[Call]:
        return [Call(sender=self._crowd.one(), to=self._safe.address, value=100)]
