"""OpenZeppelin's Governor with votes of an ERC20Votes token, whose proposals go through a timelock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.anvil import Call, Deployed
from tests.support.third_party.contracts import compiled
from tests.support.third_party.crowd import NOBODY, Action, Crowd, Subject

_TYPES: Final = ("address[]", "uint256[]", "bytes[]", "bytes32")


def drive(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive a parliament from proposals to their ends, and record its token too.

    Each block is a step of the parliament's clock: two until the vote begins, six for the vote.
    """
    output = compiled()
    token = crowd.deploy(output["VotesToken"], list(crowd.people[:6]))
    lock = crowd.deploy(output["TimelockController"], 30, [], [NOBODY], crowd.owner)
    parliament = crowd.deploy(output["Parliament"], token.address, lock.address)
    crowd.mine(
        *[lock.call(crowd.owner, "grantRole", keccak(text=name), parliament.address)
          for name in ("PROPOSER_ROLE", "CANCELLER_ROLE")],
        *[token.call(who, "delegate", who) for who in crowd.people[:5]],
    )  # fmt: skip
    crowd.mine()
    desk = _Desk(crowd=crowd, parliament=parliament, target=crowd.deploy(output["Target"]))
    actions: dict[Action, int] = {
        desk.propose: 4, desk.propose_wrongly: 2, desk.vote: 12, desk.vote_signed: 2, desk.queue: 4, desk.execute: 5,
        desk.cancel: 1, desk.govern: 2, desk.pay: 1,
    }  # fmt: skip
    crowd.act(actions | _on_token(crowd, token), blocks=58, size=7)
    return (
        Subject(name="governor", address=parliament.address, artifact=output["Parliament"]),
        Subject(name="votes_token", address=token.address, artifact=output["VotesToken"]),
    )


def _on_token(crowd: Crowd, token: Deployed) -> dict[Action, int]:
    random = crowd.random

    def transfer() -> list[Call]:
        to = NOBODY if random.random() < 0.15 else crowd.one()
        return [token.call(crowd.one(), "transfer", to, random.choice([1, 1, 2, 150]))]

    def delegate() -> list[Call]:
        return [token.call(crowd.one(*crowd.people[5:], chance=0.9), "delegate", crowd.one())]

    def delegate_signed() -> list[Call]:
        signer, to, expiry = (
            crowd.one(*crowd.people[5:]),
            crowd.one(),
            crowd.now + random.choice([-30, 600, 600]),
        )
        values = {
            "delegatee": to,
            "nonce": token.read("nonces", signer) + random.choice([0, 0, 1]),
            "expiry": expiry,
        }
        signature = crowd.sign_typed(
            signer, name="Votes", contract=token.address, kind="Delegation", values=values
        )
        return [token.call(crowd.one(), "delegateBySig", to, values["nonce"], expiry, *signature)]

    return {transfer: 7, delegate: 4, delegate_signed: 3}


@dataclass(kw_only=True)
class _Desk:
    """Where proposals are drawn up; each stays at hand with the block of its proposal."""

    crowd: Crowd
    parliament: Deployed
    target: Deployed
    proposals: list[tuple[tuple[Any, ...], str, int]] = field(default_factory=list)

    def _block(self) -> int:
        return self.crowd.anvil.block_number() + 1

    def propose(self) -> list[Call]:
        random = self.crowd.random
        target, data = self.target.address, self.target.encode("put", random.choice([13, *range(6)]))
        if random.random() < 0.3:
            target = self.parliament.address
            data = self.parliament.encode("setVotingPeriod", random.choice([0, 6]))
        description = f"proposal {random.randrange(10**6)}"
        what = ([target], [0], [bytes.fromhex(data[2:])])
        proposer = self.crowd.one(*self.crowd.people[:5], chance=0.95)
        self.proposals.append(((*what, keccak(text=description)), proposer, self._block()))
        return [self.parliament.call(proposer, "propose", *what, description)]

    def propose_wrongly(self) -> list[Call]:
        """With lists of different lengths; for somebody else; by one who has no votes; the same again."""
        who, target = self.crowd.people[0], self.target.address
        description = f"p {self.crowd.random.randrange(10**6)}"
        return [
            self.crowd.random.choice(
                [
                    self.parliament.call(who, "propose", [target], [0, 0], [b""], description),
                    self.parliament.call(who, "propose", [], [], [], description),
                    self.parliament.call(
                        who, "propose", [target], [0], [b""], f"mine#proposer={self.crowd.people[1].lower()}"
                    ),
                    self.parliament.call(self.crowd.people[7], "propose", [target], [0], [b""], description),
                    self.parliament.call(who, "propose", [target], [0], [b""], "the same"),
                ]
            )
        ]

    def _id(self, arguments: tuple[Any, ...]) -> int:
        return int.from_bytes(keccak(encode(_TYPES, arguments)), "big")

    def _some(self, low: int, high: int) -> tuple[tuple[Any, ...], str]:
        """Return a proposal that is so many blocks old, if there is one and mostly, and its proposer."""
        now, random = self._block(), self.crowd.random
        if not self.proposals:
            return ([self.target.address], [0], [b""], bytes(32)), self.crowd.people[0]
        fitting = [each for each in self.proposals if low <= now - each[2] <= high]
        recent = self.proposals[-12:]
        arguments, proposer, _ = random.choice(fitting if fitting and random.random() < 0.9 else recent)
        return arguments, proposer

    def vote(self) -> list[Call]:
        random = self.crowd.random
        arguments, _ = self._some(3, 8)
        number = self._id(arguments) if random.random() < 0.95 else random.randrange(9)
        support = random.choice([1, 1, 1, 1, 1, 1, 2, 0, 7])
        first, second = random.sample(self.crowd.people[:6], 2)
        if random.random() < 0.3:
            return [self.parliament.call(first, "castVoteWithReason", number, support, "because")]
        return [self.parliament.call(voter, "castVote", number, support) for voter in (first, second)]

    def vote_signed(self) -> list[Call]:
        arguments, _ = self._some(3, 8)
        voter, number = self.crowd.one(*self.crowd.people[:5]), self._id(arguments)
        values = {
            "proposalId": number,
            "support": 1,
            "voter": voter,
            "nonce": self.parliament.read("nonces", voter),
        }
        v, r, s = self.crowd.sign_typed(
            self.crowd.one(voter), name="Parliament", contract=self.parliament.address, kind="Ballot", values=values,
            types={"support": "uint8"},
        )  # fmt: skip
        return [self.parliament.call(self.crowd.one(), "castVoteBySig", number, 1, voter, r + s + bytes([v]))]

    def queue(self) -> list[Call]:
        return [self.parliament.call(self.crowd.one(), "queue", *self._some(9, 12)[0])]

    def execute(self) -> list[Call]:
        return [self.parliament.call(self.crowd.one(), "execute", *self._some(13, 26)[0])]

    def cancel(self) -> list[Call]:
        arguments, proposer = self._some(0, 2)
        return [self.parliament.call(self.crowd.one(proposer), "cancel", *arguments)]

    def govern(self) -> list[Call]:
        random = self.crowd.random
        function, value = random.choice(
            [("setVotingDelay", 1), ("setVotingPeriod", 1), ("setProposalThreshold", 0)]
        )
        return [self.parliament.call(self.crowd.one(), function, value)]

    def pay(self) -> list[Call]:
        return [Call(sender=self.crowd.one(), to=self.parliament.address, value=1)]
