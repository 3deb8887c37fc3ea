"""A token on OpenZeppelin's AccessControl: constant roles, one with an admin role of its own, and a pause."""

from __future__ import annotations

from eth_utils.crypto import keccak

from tests.support.anvil import Call
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import NO_HASH, NOBODY, Crowd, Subject

_ROLES = {name: keccak(text=name) for name in ("MINTER_ROLE", "PAUSER_ROLE", "GUARDIAN_ROLE")}


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive the token with an admin, a minter and a guardian, who let others in and throw them out."""
    minter, guardian, *others = crowd.people
    token = crowd.deploy(compiled()["RoleToken"], crowd.owner, minter, guardian)
    random, few = crowd.random, crowd.people[:3]

    def mint() -> list[Call]:
        to = NOBODY if random.random() < 0.1 else crowd.one()
        return [token.call(crowd.one(minter), "mint", to, random.choice([1, 50, 400]))]

    def mint_endless() -> list[Call]:
        return [token.call(minter, "mint", crowd.one(), 2**256 - 1)]

    def transfer() -> list[Call]:
        to = NOBODY if random.random() < 0.1 else crowd.one()
        return [token.call(crowd.one(), "transfer", to, random.choice([1, 20, 90, 500]))]

    def approve() -> list[Call]:
        to = NOBODY if random.random() < 0.2 else crowd.one(*few)
        return [token.call(crowd.one(*few), "approve", to, random.choice([0, 100, 2**256 - 1]))]

    def transfer_from() -> list[Call]:
        to = NOBODY if random.random() < 0.1 else crowd.one()
        return [token.call(crowd.one(*few), "transferFrom", crowd.one(*few), to, random.choice([0, 20, 300]))]

    def pause() -> list[Call]:
        return [token.call(crowd.one(*others[:2]), "pause")]

    def unpause() -> list[Call]:
        return [token.call(crowd.one(*others[:2]), "unpause")]

    def change_pausers() -> list[Call]:
        function = random.choice(["grantRole", "grantRole", "revokeRole"])
        sender = random.choice([guardian, guardian, crowd.owner, crowd.one()])
        return [token.call(sender, function, _ROLES["PAUSER_ROLE"], crowd.one(*others[:2]))]

    def change_roles() -> list[Call]:
        function = random.choice(["grantRole", "revokeRole"])
        role = random.choice([_ROLES["MINTER_ROLE"], _ROLES["GUARDIAN_ROLE"], NO_HASH])
        return [token.call(crowd.one(crowd.owner), function, role, random.choice(others[2:]))]

    def renounce() -> list[Call]:
        who = random.choice(others)
        return [
            token.call(who, "renounceRole", random.choice(list(_ROLES.values())), crowd.one(who, chance=0.5))
        ]

    actions = {
        mint: 8, mint_endless: 1, transfer: 9, approve: 5, transfer_from: 12, pause: 1, unpause: 6,
        change_pausers: 4, change_roles: 4, renounce: 2,
    }  # fmt: skip
    crowd.mine(*[token.call(minter, "mint", who, 200) for who in crowd.people])
    crowd.act(actions, blocks=38, size=8)
    return (Subject(name="access_control", address=token.address, artifact=compiled()["RoleToken"]),)
