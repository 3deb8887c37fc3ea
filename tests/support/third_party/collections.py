"""Tokens of OpenZeppelin 5 with the extensions that are used together: of works, of items, and one with a cap."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.support.anvil import Call, Deployed
from tests.support.solc import compile_files, package_folder
from tests.support.third_party.crowd import NOBODY, Action, Crowd, Subject


@cache
def _compiled() -> dict[str, dict[str, Any]]:
    package_folder("@openzeppelin/contracts")
    return compile_files(Path(__file__).with_name("Collections.sol"))


def drive_gallery(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive works that are minted, approved, moved and burned, and whose gallery changes hands."""
    output, random, people = _compiled()["Gallery"], crowd.random, crowd.people
    gallery = crowd.deploy(output, crowd.owner)
    numbers = range(1, 30)

    def holder(number: int) -> str:
        """Return who holds a work, mostly."""
        owned = [who for who in people if (number, who) in held]
        return crowd.one(*owned, chance=0.7) if owned else crowd.one()

    held: set[tuple[int, str]] = set()

    def mint() -> list[Call]:
        to, number = NOBODY if random.random() < 0.1 else crowd.one(), random.choice(numbers)
        held.add((number, to))
        return [gallery.call(crowd.one(crowd.owner, chance=0.85), "mint", to, number)]

    def approve() -> list[Call]:
        number = random.choice(numbers)
        return [gallery.call(holder(number), "approve", crowd.one(), number)]

    def approve_all() -> list[Call]:
        to = NOBODY if random.random() < 0.2 else crowd.one()
        return [gallery.call(crowd.one(), "setApprovalForAll", to, random.random() < 0.5)]

    def move() -> list[Call]:
        number = random.choice(numbers)
        sender, to = holder(number), NOBODY if random.random() < 0.1 else crowd.one()
        held.add((number, to))
        return [gallery.call(sender, "transferFrom", crowd.one(sender, chance=0.85), to, number)]

    def burn() -> list[Call]:
        number = random.choice(numbers)
        return [gallery.call(holder(number), "burn", number)]

    def royalty() -> list[Call]:
        receiver = NOBODY if random.random() < 0.25 else crowd.one()
        return [
            gallery.call(
                crowd.one(crowd.owner, chance=0.9),
                "setDefaultRoyalty",
                receiver,
                random.choice([0, 250, 10_001]),
            )
        ]

    actions: dict[Action, int] = {mint: 7, approve: 5, approve_all: 2, move: 9, burn: 3, royalty: 3}
    crowd.act(actions, blocks=28, size=7)
    heir = people[0]

    def hand_over() -> list[Call]:
        return [gallery.call(crowd.one(crowd.owner, chance=0.6), "transferOwnership", heir)]

    def accept() -> list[Call]:
        return [gallery.call(crowd.one(), "acceptOwnership")]

    crowd.act(actions | {hand_over: 2, accept: 3}, blocks=12, size=8)
    return (Subject(name="gallery", address=gallery.address, artifact=output),)


def drive_items(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive items of which there are many each, minted and moved one by one and in batches."""
    output, random = _compiled()["Items"], crowd.random
    items = crowd.deploy(output, crowd.owner)

    def lists() -> tuple[list[int], list[int]]:
        count = random.choice([1, 1, 2, 3])
        ids = random.sample(range(4), count)
        values = [random.choice([0, 1, 4, 20]) for _ in ids]
        return ids, values[:-1] if random.random() < 0.15 else values

    def mint() -> list[Call]:
        to = NOBODY if random.random() < 0.1 else crowd.one()
        return [items.call(crowd.one(crowd.owner, chance=0.85), "mintBatch", to, *lists())]

    def allow() -> list[Call]:
        to = NOBODY if random.random() < 0.2 else crowd.one()
        return [items.call(crowd.one(), "setApprovalForAll", to, random.random() < 0.7)]

    def move() -> list[Call]:
        sender, to = crowd.one(), NOBODY if random.random() < 0.15 else crowd.one()
        what = random.randrange(4), random.choice([0, 1, 3, 30])
        return [items.call(sender, "safeTransferFrom", crowd.one(sender, chance=0.7), to, *what, b"")]

    def move_batch() -> list[Call]:
        sender, to = crowd.one(), NOBODY if random.random() < 0.15 else crowd.one()
        return [items.call(sender, "safeBatchTransferFrom", crowd.one(sender, chance=0.7), to, *lists(), b"")]

    def burn() -> list[Call]:
        sender = crowd.one()
        what = random.randrange(4), random.choice([1, 2, 30])
        return [items.call(sender, "burn", crowd.one(sender, chance=0.7), *what)]

    actions: dict[Action, int] = {mint: 6, allow: 3, move: 6, move_batch: 7, burn: 4}
    crowd.act(actions, blocks=40, size=7)
    return (Subject(name="items", address=items.address, artifact=output),)


def drive_capped_token(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a token whose supply has a cap, with burning and signed allowances."""
    output, random = _compiled()["CappedToken"], crowd.random
    token: Deployed = crowd.deploy(output, crowd.owner)

    def mint() -> list[Call]:
        to = NOBODY if random.random() < 0.1 else crowd.one()
        return [token.call(crowd.one(crowd.owner, chance=0.85), "mint", to, random.choice([5, 60, 60, 700]))]

    def burn() -> list[Call]:
        return [token.call(crowd.one(), "burn", random.choice([1, 20, 300]))]

    def approve() -> list[Call]:
        to = NOBODY if random.random() < 0.1 else crowd.one()
        return [token.call(crowd.one(), "approve", to, random.choice([3, 80, 2**256 - 1]))]

    def burn_from() -> list[Call]:
        return [token.call(crowd.one(), "burnFrom", crowd.one(), random.choice([1, 9, 90]))]

    def transfer() -> list[Call]:
        to = NOBODY if random.random() < 0.1 else crowd.one()
        return [token.call(crowd.one(), "transfer", to, random.choice([1, 30, 400]))]

    def permit() -> list[Call]:
        owner, spender = crowd.one(), crowd.one()
        values = {
            "owner": owner, "spender": spender, "value": 50, "nonce": token.read("nonces", owner),
            "deadline": crowd.now + random.choice([-60, 900, 900]),
        }  # fmt: skip
        v, r, s = crowd.sign_typed(
            crowd.one(owner, chance=0.8), name="Capped", contract=token.address, kind="Permit", values=values
        )
        return [token.call(crowd.one(), "permit", owner, spender, 50, values["deadline"], v, r, s)]

    actions: dict[Action, int] = {mint: 7, burn: 4, approve: 4, burn_from: 5, transfer: 6, permit: 4}
    crowd.act(actions, blocks=40, size=7)
    return (Subject(name="capped_token", address=token.address, artifact=output),)
