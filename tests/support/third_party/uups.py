"""A token behind an ERC-1967 proxy, upgraded midway by OpenZeppelin's UUPSUpgradeable to a version with a cap."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import NOBODY, Action, Crowd, Subject


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive the proxy in both versions; strangers and wrong implementations are tried all the time."""
    output = compiled()
    first, second = crowd.deploy(output["UpgradeableToken"]), crowd.deploy(output["UpgradeableTokenV2"])
    code = first.encode("initialize", crowd.owner)
    proxy = crowd.deploy(output["ERC1967Proxy"], first.address, code)
    token = crowd.anvil.at(proxy.address, output["UpgradeableTokenV2"]["abi"])
    actions = _actions(crowd, token, wrong=_wrong(crowd))
    crowd.act(actions, blocks=18, size=8)
    start = second.encode("initializeV2", 3_000)
    crowd.mine(
        token.call(crowd.people[0], "upgradeToAndCall", second.address, start),
        token.call(crowd.owner, "upgradeToAndCall", second.address, "0x", value=1),
        token.call(crowd.owner, "upgradeToAndCall", second.address, start),
    )

    def burn() -> list[Call]:
        return [token.call(crowd.one(), "burn", crowd.random.choice([1, 50, 2_000]))]

    def initialize_again() -> list[Call]:
        return [token.call(crowd.one(), "initializeV2", 10**9)]

    crowd.act(actions | {burn: 4, initialize_again: 1}, blocks=20, size=8)
    return (Subject(name="uups", address=proxy.address, artifact=output["UpgradeableTokenV2"]),)


def _wrong(crowd: Crowd) -> tuple[str, ...]:
    """Return contracts that are no implementations: one that says nothing, and one that names another slot."""
    return tuple(crowd.deploy(compiled()[name]).address for name in ("Target", "WrongSlot"))


def _actions(crowd: Crowd, token: Deployed, wrong: tuple[str, ...]) -> dict[Action, int]:
    random, few = crowd.random, crowd.people[:3]

    def nobody_or(who: str) -> str:
        return NOBODY if random.random() < 0.08 else who

    def mint() -> list[Call]:
        return [
            token.call(crowd.one(crowd.owner), "mint", nobody_or(crowd.one()), random.choice([1, 100, 700]))
        ]

    def transfer() -> list[Call]:
        return [token.call(crowd.one(), "transfer", nobody_or(crowd.one()), random.choice([1, 40, 900]))]

    def approve() -> list[Call]:
        return [
            token.call(
                crowd.one(*few), "approve", nobody_or(crowd.one(*few)), random.choice([0, 90, 2**256 - 1])
            )
        ]

    def transfer_from() -> list[Call]:
        return [
            token.call(
                crowd.one(*few),
                "transferFrom",
                crowd.one(*few),
                nobody_or(crowd.one()),
                random.choice([1, 1, 200]),
            )
        ]

    def upgrade_wrongly() -> list[Call]:
        return [token.call(crowd.one(crowd.owner), "upgradeToAndCall", random.choice(wrong), "0x")]

    def upgrade_to_nothing() -> list[Call]:
        return [token.call(crowd.owner, "upgradeToAndCall", crowd.one(), "0x", label="upgrade: no code")]

    def initialize() -> list[Call]:
        return [token.call(crowd.one(), "initialize", crowd.one())]

    def transfer_ownership() -> list[Call]:
        return [token.call(crowd.one(crowd.owner), "transferOwnership", nobody_or(crowd.owner))]

    return {
        mint: 7, transfer: 7, approve: 5, transfer_from: 6, upgrade_wrongly: 2, upgrade_to_nothing: 1,
        initialize: 1, transfer_ownership: 4,
    }  # fmt: skip
