"""OpenZeppelin's extensions: an admin in two steps, flash loans, royalties, supplies by kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak

from tests.support.anvil import Call
from tests.support.solc import compile_files
from tests.support.third_party.crowd import DAY, HOUR, NO_HASH, NOBODY, Action, Crowd, Subject

_WRITER: Final = keccak(text="WRITER_ROLE")
_KEYS: Final = [keccak(text=f"name {number}") for number in range(12)]


@cache
def extended() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Extensions.sol``, by contract.

    Raises:
        MissingPart: the libraries or the compiler are not installed.
    """
    return compile_files(Path(__file__).with_name("Extensions.sol"))


def drive_registry(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a registry whose admin hands over now and then."""
    artifact = extended()["Registry"]
    registry = crowd.deploy(artifact, HOUR, crowd.owner)
    random, people, writers = crowd.random, crowd.people, crowd.people[:5]
    heirs = [crowd.owner, *people[5:]]

    def admin() -> str:
        return crowd.one(str(registry.read("defaultAdmin")), chance=0.75)

    def write() -> list[Call]:
        return [registry.call(crowd.one(*writers), "write", random.choice(_KEYS))]

    def erase() -> list[Call]:
        key = random.choice(_KEYS)
        author = registry.read("authors", key)
        return [registry.call(crowd.one(author if author != NOBODY else people[0]), "erase", key)]

    def change_writers() -> list[Call]:
        function = random.choice(["grantRole", "grantRole", "revokeRole"])
        role = NO_HASH if random.random() < 0.1 else _WRITER
        return [registry.call(admin(), function, role, random.choice(people))]

    def renounce() -> list[Call]:
        who = random.choice(people)
        return [registry.call(who, "renounceRole", _WRITER, crowd.one(who, chance=0.5))]

    def renounce_admin() -> list[Call]:
        who = registry.read("defaultAdmin")
        return [registry.call(who, "renounceRole", NO_HASH, who)]

    def begin() -> list[Call]:
        return [registry.call(admin(), "beginDefaultAdminTransfer", random.choice(heirs))]

    def cancel() -> list[Call]:
        return [registry.call(admin(), "cancelDefaultAdminTransfer")]

    def accept() -> list[Call]:
        heir, _ = registry.read("pendingDefaultAdmin")
        heir = heir if heir != NOBODY else people[1]
        return [registry.call(crowd.one(heir, chance=0.8), "acceptDefaultAdminTransfer")]

    def change_delay() -> list[Call]:
        function, delay = random.choice([("changeDefaultAdminDelay", HOUR), ("rollbackDefaultAdminDelay", 0)])
        return [registry.call(admin(), function, *([delay] if delay else []))]

    actions: dict[Action, int] = {
        write: 8, erase: 6, change_writers: 7, renounce: 2, renounce_admin: 1, begin: 4, cancel: 1, accept: 9,
        change_delay: 2,
    }  # fmt: skip
    crowd.mine(*[registry.call(crowd.owner, "grantRole", _WRITER, who) for who in writers])
    crowd.act(actions, blocks=40, size=7, seconds=(60, HOUR))
    return (Subject(name="registry", address=registry.address, artifact=artifact),)


def drive_flash_token(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a token that lends by the call, with a borrower that is unwilling for a time."""
    artifact = extended()["FlashToken"]
    token = crowd.deploy(artifact)
    borrower = crowd.deploy(extended()["Borrower"])
    random, few = crowd.random, crowd.people[:4]

    def owner() -> str:
        return crowd.one(str(token.read("owner")), chance=0.8)

    def receiver() -> str:
        return NOBODY if random.random() < 0.1 else crowd.one()

    def mint() -> list[Call]:
        return [token.call(owner(), "mint", random.choice([receiver(), receiver(), borrower.address]), 400)]

    def transfer() -> list[Call]:
        return [token.call(crowd.one(), "transfer", receiver(), random.choice([1, 90, 900]))]

    def approve() -> list[Call]:
        to = NOBODY if random.random() < 0.2 else crowd.one(*few)
        return [token.call(crowd.one(*few), "approve", to, random.choice([0, 100, 2**256 - 1]))]

    def transfer_from() -> list[Call]:
        amount = random.choice([0, 20, 300, 5_000])
        return [token.call(crowd.one(*few), "transferFrom", crowd.one(*few), receiver(), amount)]

    def burn() -> list[Call]:
        return [token.call(crowd.one(), "burn", random.choice([1, 50, 900]))]

    def burn_from() -> list[Call]:
        return [token.call(crowd.one(*few), "burnFrom", crowd.one(*few), random.choice([1, 50, 5_000]))]

    def lend() -> list[Call]:
        what = crowd.one() if random.random() < 0.15 else token.address
        amount = random.choice([0, 100, 1_000, 20_000])
        return [token.call(crowd.one(), "flashLoan", borrower.address, what, amount, b"")]

    def lend_too_much() -> list[Call]:
        return [token.call(crowd.one(), "flashLoan", borrower.address, token.address, 2**256 - 1, b"")]

    def allow_lender() -> list[Call]:
        return [
            borrower.call(
                crowd.one(), "approve", token.address, random.choice([0, 1_500, 2**256 - 1, 2**256 - 1])
            )
        ]

    def turn() -> list[Call]:
        return [borrower.call(crowd.one(), "turn")]

    def pause() -> list[Call]:
        return [token.call(owner(), "pause")]

    def unpause() -> list[Call]:
        return [token.call(owner(), "unpause")]

    def hand_over() -> list[Call]:
        return [token.call(owner(), "transferOwnership", random.choice([crowd.owner, *few]))]

    def accept() -> list[Call]:
        heir = token.read("pendingOwner")
        return [token.call(crowd.one(heir if heir != NOBODY else few[0]), "acceptOwnership")]

    actions: dict[Action, int] = {
        mint: 2, transfer: 6, approve: 4, transfer_from: 7, burn: 4, burn_from: 5, lend: 9, lend_too_much: 1,
        allow_lender: 2, turn: 1, pause: 2, unpause: 4, hand_over: 2, accept: 2,
    }  # fmt: skip
    crowd.mine(*[token.call(crowd.owner, "mint", who, 300) for who in crowd.people])
    crowd.mine(*[token.call(who, "approve", few[0], 2**256 - 1) for who in few])
    crowd.act(actions, blocks=42, size=8)
    return (Subject(name="flash_token", address=token.address, artifact=artifact),)


def drive_royalty_art(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a collection from closed to sold out; its owner is paid now and then."""
    artifact = extended()["RoyaltyArt"]
    art = crowd.deploy(artifact)
    random, few = crowd.random, crowd.people[:4]

    def number() -> int:
        return int(random.choice([*range(1, art.read("minted") + 2), 99]))

    def holder(piece: int) -> str:
        try:
            return crowd.one(str(art.read("ownerOf", piece)), chance=0.75)
        except Exception:  # it was burned, or never made
            return crowd.one()

    def set_open() -> list[Call]:
        return [art.call(crowd.one(crowd.owner), "setOpen", random.random() < 0.85)]

    def mint() -> list[Call]:
        return [art.call(crowd.one(*few, chance=0.5), "mint", value=random.choice([50, 50, 50, 50, 49, 51]))]

    def set_royalty() -> list[Call]:
        piece, receiver = number(), NOBODY if random.random() < 0.15 else crowd.one()
        share = random.choice([0, 500, 10_000, 10_001, 40_000])
        return [art.call(holder(piece), "setRoyalty", piece, receiver, share)]

    def approve() -> list[Call]:
        piece = number()
        return [art.call(holder(piece), "approve", crowd.one(*few), piece)]

    def approve_all() -> list[Call]:
        operator = NOBODY if random.random() < 0.25 else crowd.one(*few)
        return [art.call(crowd.one(*few), "setApprovalForAll", operator, random.random() < 0.6)]

    def transfer() -> list[Call]:
        piece = number()
        sender, to = holder(piece), NOBODY if random.random() < 0.1 else crowd.one(*few)
        return [art.call(crowd.one(sender, *few), "transferFrom", sender, to, piece)]

    def burn() -> list[Call]:
        piece = number()
        return [art.call(holder(piece), "burn", piece)]

    def withdraw() -> list[Call]:
        return [art.call(crowd.one(crowd.owner, chance=0.5), "withdraw")]

    actions: dict[Action, int] = {
        set_open: 3, mint: 13, set_royalty: 8, approve: 6, approve_all: 3, transfer: 10, burn: 2, withdraw: 1,
    }  # fmt: skip
    crowd.act(actions, blocks=44, size=8)
    return (Subject(name="royalty_art", address=art.address, artifact=artifact),)


def drive_materials(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive materials of ten kinds."""
    artifact = extended()["Materials"]
    store = crowd.deploy(artifact)
    random, few = crowd.random, crowd.people[:4]
    kinds = range(1, 11)

    def maker(kind: int) -> str:
        who = store.read("makers", kind)
        return crowd.one(who if who != NOBODY else few[0], chance=0.8)

    def register() -> list[Call]:
        cap = random.choice([20, 100, 400, 1000, 0, 1001])
        return [store.call(crowd.one(*few), "register", random.choice(kinds), cap)]

    def raise_cap() -> list[Call]:
        kind = random.choice(kinds)
        return [store.call(maker(kind), "raise", kind, random.choice([50, 150, 500, 2_000]))]

    def make() -> list[Call]:
        kind, to = random.choice(kinds), NOBODY if random.random() < 0.1 else crowd.one(*few)
        return [store.call(maker(kind), "make", to, kind, random.choice([5, 20, 60]))]

    def use() -> list[Call]:
        return [store.call(crowd.one(*few), "use", random.choice(kinds), random.choice([5, 10, 30, 7]))]

    def send() -> list[Call]:
        sender, to = crowd.one(*few), NOBODY if random.random() < 0.1 else crowd.one(*few)
        arguments = (sender, to, random.choice(kinds), random.choice([1, 5, 25]), b"")
        return [store.call(crowd.one(sender, chance=0.6), "safeTransferFrom", *arguments)]

    def approve_all() -> list[Call]:
        operator = NOBODY if random.random() < 0.25 else crowd.one(*few)
        return [store.call(crowd.one(*few), "setApprovalForAll", operator, random.random() < 0.7)]

    actions: dict[Action, int] = {register: 5, raise_cap: 4, make: 10, use: 6, send: 10, approve_all: 3}
    crowd.act({register: 4, make: 1}, blocks=3, size=6, seconds=(60, DAY))
    crowd.act(actions, blocks=40, size=8, seconds=(60, DAY))
    return (Subject(name="materials", address=store.address, artifact=artifact),)
