"""Four months of a council: proposals that pass, fail, expire, are cancelled or cannot be carried out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tools.life import DAY, FINNEY, GAS, HOUR, OUT_OF_GAS, Life, Lived, Meant, all_or_none

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

ETHER = 1000 * FINNEY


@dataclass(slots=True)
class Proposal:
    """The model of one proposal."""

    proposer: str
    vote_end: int
    works: bool
    """Whether its call is carried out."""
    effect: tuple[str, int] | None = None
    """A member's new power, if it is about that."""
    quorum: int | None = None
    """The new quorum, if it is about that."""
    stage: int = 1
    eta: int = 0
    votes: dict[str, tuple[bool, int]] = field(default_factory=dict)

    def count(self, support: bool) -> int:
        """Return the votes on one side."""
        return sum(weight for side, weight in self.votes.values() if side is support)


class CouncilLife(Life):
    """The members; the model of the contract is in the methods that send."""

    def __init__(
        self,
        council: Deployed,
        bloc: Deployed,
        treasury: Deployed,
        actors: tuple[str, ...],
        seed: int,
        start: int,
    ) -> None:
        super().__init__(seed=seed, start=start, slot=3 * HOUR)
        self.council, self.bloc, self.treasury = council, bloc, treasury
        self.chair, self.speaker = actors[0], actors[1]
        self.members, self.others = actors[2:16], actors[16:20]
        self.power: Counter[str] = Counter()
        self.proposals: dict[int, Proposal] = {}
        self.latest: dict[str, int] = {}
        self.quorum = 100

    def call(self, sender: str, function: str, number: int, *args: Any, refused: str | None) -> bool:
        """Send a call that is about a proposal."""
        gas = 2 * GAS if function == "execute" else GAS
        to = (entity(number),)
        return self.send(self.council, sender, function, number, *args, to=to, refused=refused, gas=gas)

    # -- the contract ---------------------------------------------------------------------------

    def propose(self, sender: str, kind: str) -> None:
        """Propose a grant, more power for a member, another quorum, or what cannot be done."""
        amount, member = self.random.randrange(50, 1500) * FINNEY, self.pick(self.members)
        works, effect, quorum, target = True, None, None, self.council
        if kind in ("grant", "greedy"):
            target, works = self.treasury, kind == "grant"
            data = target.encode("grant", self.outsider(), amount if works else 3 * ETHER)
        elif kind == "power":
            effect = (member, self.random.randrange(10, 40))
            data = target.encode("setPower", *effect)
        else:
            quorum = self.random.randrange(80, 150)
            data = target.encode("setQuorum", quorum)
        text = f"{kind} {'of this season, as agreed upon by the assembly' * self.random.randrange(2)}".strip()
        refused = None
        latest = self.proposals.get(self.latest.get(sender, 0))
        if not self.power[sender]:
            refused = "NotMember"
        elif latest and latest.stage == 1 and self.now < latest.vote_end:
            refused = "Council: one proposal at a time"
        else:
            self.latest[sender] = number = len(self.proposals) + 1
            self.proposals[number] = Proposal(sender, self.now + 3 * DAY, works, effect, quorum)
        to = () if refused else (entity(len(self.proposals)),)
        arguments = (target.address, 0, data, text)
        self.send(self.council, sender, "propose", *arguments, to=to, refused=refused, gas=3 * GAS)
        if refused is None:
            self.plan_proposal(len(self.proposals))

    def voted(self, voter: str, number: int, support: bool) -> str | None:
        """Return why ``vote`` refuses."""
        proposal = self.proposals.get(number)
        if not self.power[voter]:
            return "NotMember"
        if proposal is None or proposal.stage != 1:
            return "WrongStage"
        if self.now >= proposal.vote_end:
            return "VotingOver"
        if voter in proposal.votes:
            return "Council: voted already"
        proposal.votes[voter] = support, self.power[voter]
        return None

    def vote(self, voter: str, number: int, support: bool) -> None:
        """Vote."""
        self.call(voter, "vote", number, support, refused=self.voted(voter, number, support))

    def vote_all(self, support: bool) -> None:
        """Let the bloc vote on what is open, or on the newest again."""
        running = [number for number, each in self.proposals.items() if each.stage == 1]
        asked = [each for each in running if self.now < self.proposals[each].vote_end][-3:]
        if not asked:
            return
        before = [dict(self.proposals[number].votes) for number in asked]
        outcomes = [self.voted(self.bloc.address, number, support) for number in asked]
        meant, accepted = all_or_none(
            [Meant(entities=(entity(n),), refused=r) for n, r in zip(asked, outcomes, strict=True)]
        )
        if not accepted:
            for number, votes in zip(asked, before, strict=True):
                self.proposals[number].votes = votes
        call = self.bloc.call(self.speaker, "voteAll", asked, support, gas=3 * GAS, label="voteAll")
        self.act(call, *meant, succeeds=accepted)

    def queue(self, sender: str, number: int) -> None:
        """Queue what has passed; then it is executed, early, in time or never."""
        proposal, refused = self.proposals[number], None
        if proposal.stage != 1:
            refused = "WrongStage"
        elif self.now < proposal.vote_end:
            refused = "VotingGoesOn"
        elif not proposal.count(True) > proposal.count(False) or proposal.count(True) < self.quorum:
            refused = "Defeated"
        else:
            proposal.stage, proposal.eta = 2, self.now + 2 * DAY
        if not self.call(sender, "queue", number, refused=refused):
            return
        if self.chance(0.3):
            self.later(2, 44, partial(self.execute, self.pick(self.members), number))
        if self.chance(0.1):
            self.later(2, 60, partial(self.cancel, proposal.proposer, number))
        if self.chance(0.8):
            self.later(50, 150, partial(self.execute, self.pick(self.members), number))
        else:
            self.later(225, 300, partial(self.execute, self.pick(self.members), number))
        if self.chance(0.2):
            self.later(150, 300, partial(self.cancel, proposal.proposer, number))
        if self.chance(0.3):
            self.later(51, 400, partial(self.execute, self.pick(self.others), number))

    def execute(self, sender: str, number: int) -> None:
        """Execute what was queued."""
        proposal, refused = self.proposals[number], None
        if proposal.stage != 2:
            refused = "WrongStage"
        elif self.now < proposal.eta:
            refused = "TooEarly"
        elif self.now >= proposal.eta + 7 * DAY:
            refused = "Stale"
        elif not proposal.works:
            refused = "CallFailed"
        else:
            proposal.stage = 3
            self.quorum = proposal.quorum or self.quorum
            if proposal.effect:
                self.power[proposal.effect[0]] = proposal.effect[1]
        self.call(sender, "execute", number, refused=refused)

    def cancel(self, sender: str, number: int) -> None:
        """Cancel a proposal."""
        proposal, refused = self.proposals[number], None
        if sender not in (proposal.proposer, self.chair):
            refused = "Council: not the proposer"
        elif proposal.stage not in (1, 2):
            refused = "WrongStage"
        else:
            proposal.stage = 4
        self.call(sender, "cancel", number, refused=refused)

    def set_power(self, sender: str, member: str, power: int) -> None:
        """Give a member power."""
        refused = None if sender == self.chair else "Council: only chair or council"
        if refused is None:
            self.power[member] = power
        self.send(self.council, sender, "setPower", member, power, refused=refused)

    def set_quorum(self, sender: str) -> None:
        """Try to change the quorum without a proposal."""
        self.send(self.council, sender, "setQuorum", 1, refused="Council: only by a proposal")

    # -- people ---------------------------------------------------------------------------------

    def plan_proposal(self, number: int) -> None:
        """Plan who votes, how, and what happens afterwards."""
        favour = self.random.choice((0.15, 0.6, 0.85, 0.9, 0.95))
        turnout = self.random.choice((0.3, 0.7, 0.8, 0.9))
        for member in self.members:
            if self.chance(turnout):
                act = partial(self.vote, member, number, self.chance(favour))
                self.later(1, 70 if self.chance(0.93) else 90, act)
                if self.chance(0.06):
                    self.later(30, 70, act)
        if self.chance(0.25):
            self.later(1, 70, partial(self.vote, self.pick(self.others), number, True))
        if self.chance(0.1):
            self.later(1, 70, partial(self.thrifty, self.pick(self.members), number))
        if self.chance(0.25):
            self.later(5, 70, partial(self.queue, self.pick(self.members), number))
        if self.chance(0.12):
            self.later(20, 100, partial(self.cancel, self.proposals[number].proposer, number))
        if self.chance(0.12):
            self.later(20, 150, partial(self.cancel, self.pick(self.others), number))
        if self.chance(0.06):
            self.later(20, 100, partial(self.cancel, self.chair, number))
        if self.chance(0.1):
            self.later(75, 110, partial(self.execute, self.pick(self.members), number))
        self.later(75, 120, partial(self.queue, self.pick(self.members), number))

    def thrifty(self, sender: str, number: int) -> None:
        """Vote with too little gas."""
        self.send(
            self.council, sender, "vote", number, True, to=(entity(number),), refused=OUT_OF_GAS, gas=25_000
        )

    def plan(self, proposals: int, days: int) -> None:
        """Plan everything that does not follow from something else."""
        begin = self.now + self.slot
        for member in self.members:
            power = self.random.randrange(10, 40)
            self.at(begin, partial(self.set_power, self.chair, member, power))
        self.at(begin, partial(self.set_power, self.chair, self.bloc.address, 45))
        kinds = ["grant"] * 6 + ["greedy"] * 2 + ["power"] * 2 + ["quorum"]
        for _ in range(proposals):
            sender = self.pick(self.members) if self.chance(0.95) else self.pick(self.others)
            self.at(
                begin + self.random.uniform(1, days) * DAY, partial(self.propose, sender, self.pick(kinds))
            )
        for day in range(3, days, 3):
            act = partial(self.vote_all, self.chance(0.8))
            self.at(begin + (day + self.random.random()) * DAY, act)
        for day in range(20, days, 30):
            self.at(begin + day * DAY, partial(self.set_power, self.others[0], self.others[0], 1_000))
            self.at(begin + (day + 3) * DAY, partial(self.set_quorum, self.pick(self.members)))
            self.at(begin + (day + 5) * DAY, partial(self.set_power, self.chair, self.pick(self.members), 30))


def entity(number: int) -> str:
    """Return the name of a proposal."""
    return f"proposalId={number}"


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy council, bloc and treasury, and live the scenario."""
    actors = anvil.accounts[:20]
    council = anvil.deploy(actors[0], artifacts["Council"])
    bloc = anvil.deploy(actors[1], artifacts["Bloc"], council.address)
    treasury = anvil.deploy(actors[0], artifacts["Treasury"], council.address, value=90 * ETHER)
    life = CouncilLife(council, bloc, treasury, actors, seed, anvil.now())
    life.plan(52, 120)
    lived = life.live(anvil, council.address)
    lived.facts["proposals"] = council.read("proposalCount")
    return lived
