"""OpenZeppelin's RefundEscrow of version 4: deposits, then either refunds to all or closed for the beneficiary."""

from __future__ import annotations

from tests.support.anvil import Call, Deployed
from tests.support.third_party.crowd import FINNEY, HOUR, Action, Crowd, Subject
from tests.support.third_party.kinds import old_contracts


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive two escrows: one ends with refunds, the other is closed. Each is a history of its own."""
    artifact = old_contracts()["RefundEscrow"]
    beneficiary = crowd.anvil.accounts[20]
    refunding = crowd.deploy(artifact, beneficiary)
    closed = crowd.deploy(artifact, beneficiary)
    for escrow, end in ((refunding, "enableRefunds"), (closed, "close")):
        actions = _actions(crowd, escrow)
        crowd.act(actions, blocks=22, size=6, seconds=(60, HOUR))
        crowd.mine(escrow.call(crowd.owner, end))
        crowd.act(actions, blocks=20, size=6, seconds=(60, HOUR))
    return (
        Subject(name="refund_escrow", address=refunding.address, artifact=artifact),
        Subject(name="closed_escrow", address=closed.address, artifact=artifact),
    )


def _actions(crowd: Crowd, escrow: Deployed) -> dict[Action, int]:
    random = crowd.random

    def sender() -> str:
        return crowd.one(crowd.owner, chance=0.8)

    def deposit() -> list[Call]:
        return [
            escrow.call(sender(), "deposit", crowd.one(), value=FINNEY * random.choice([1, 20, 20, 300, 450]))
        ]

    def withdraw() -> list[Call]:
        return [escrow.call(sender(), "withdraw", crowd.one())]

    def beneficiary_withdraw() -> list[Call]:
        return [escrow.call(crowd.one(), "beneficiaryWithdraw")]

    def end_wrongly() -> list[Call]:
        return [escrow.call(crowd.one(), random.choice(["close", "enableRefunds"]))]

    def end_again() -> list[Call]:
        if escrow.read("state") == 0:
            return []
        return [escrow.call(crowd.owner, random.choice(["close", "enableRefunds"]))]

    return {deposit: 8, withdraw: 5, beneficiary_withdraw: 2, end_wrongly: 1, end_again: 1}
