"""WETH9, wrapped ether: deposits, withdrawals, transfers and allowances."""

from __future__ import annotations

from tests.support.anvil import Call
from tests.support.solc import compile_files, package_folder
from tests.support.third_party.crowd import ETHER, FINNEY, Crowd, Subject

_ENDLESS = 2**256 - 1
_MUCH = 10**6 * ETHER
"""More than anybody has."""


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive WETH9 as its source of 2017 has it, compiled anew."""
    source = package_folder("canonical-weth") / "contracts" / "WETH9.sol"
    output = compile_files(source, package="solc-0.5.17")["WETH9"]
    weth = crowd.deploy(output)
    random = crowd.random

    def amount() -> int:
        return FINNEY * random.choice([0, 1, 50, 200, 900, 2_500])

    def deposit() -> list[Call]:
        return [weth.call(crowd.one(), "deposit", value=amount())]

    def pay() -> list[Call]:
        return [Call(sender=crowd.one(), to=weth.address, value=amount())]

    def withdraw() -> list[Call]:
        return [weth.call(crowd.one(), "withdraw", amount())]

    def withdraw_too_much() -> list[Call]:
        return [weth.call(crowd.one(), "withdraw", _MUCH, label="withdraw: balance")]

    def approve() -> list[Call]:
        return [weth.call(crowd.one(), "approve", crowd.one(), random.choice([amount(), 0, _ENDLESS]))]

    def transfer() -> list[Call]:
        return [weth.call(crowd.one(), "transfer", crowd.one(), amount())]

    def transfer_too_much() -> list[Call]:
        return [weth.call(crowd.one(), "transfer", crowd.one(), _MUCH, label="transfer: balance")]

    def transfer_from() -> list[Call]:
        return [weth.call(crowd.one(), "transferFrom", crowd.one(), crowd.one(), amount())]

    def transfer_from_too_much() -> list[Call]:
        return [
            weth.call(
                crowd.one(), "transferFrom", crowd.one(), crowd.one(), _MUCH, label="transferFrom: balance"
            )
        ]

    def transfer_as_stranger() -> list[Call]:
        """Take from the owner, who has something and never allows anybody anything."""
        return [
            weth.call(
                crowd.one(), "transferFrom", crowd.owner, crowd.one(), FINNEY, label="transferFrom: allowance"
            )
        ]

    crowd.mine(weth.call(crowd.owner, "deposit", value=ETHER))
    rare = {withdraw_too_much: 1, transfer_too_much: 1, transfer_from_too_much: 1, transfer_as_stranger: 1}
    crowd.act(
        {deposit: 5, pay: 1, withdraw: 5, approve: 3, transfer: 4, transfer_from: 6} | rare, blocks=38, size=8
    )
    return (Subject(name="weth9", address=weth.address, artifact=output),)
