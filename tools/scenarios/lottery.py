"""Four months of a lottery: some 40 rounds, tickets, secrets told or forgotten, winners, and abandoned rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tools.life import DAY, FINNEY, HOUR, Life, Lived

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Deployed

TICKET = 50 * FINNEY
ORDER = ("joining", "revealing", "drawn", "claimed", "abandoned")


@dataclass(slots=True)
class Round:
    """The model of one round."""

    join_until: int
    reveal_until: int
    phase: str = "joining"
    tickets: dict[str, int] = field(default_factory=dict)
    """The secrets of those who have not revealed."""
    revealers: list[str] = field(default_factory=list)
    seed: int = 0
    winner: str | None = None


class LotteryLife(Life):
    """The players; the model of the contract is in the methods that send."""

    def __init__(self, lottery: Deployed, actors: tuple[str, ...], seed: int, start: int) -> None:
        super().__init__(seed=seed, start=start, slot=2 * HOUR)
        self.lottery = lottery
        self.operator, self.players, self.stranger = actors[0], actors[1:17], actors[17]
        self.rounds: dict[int, Round] = {}
        self.join_time = DAY

    @property
    def current(self) -> Round:
        """The current round."""
        return self.rounds[len(self.rounds)]

    def call(self, sender: str, function: str, *args: Any, refused: str | None, value: int = 0) -> None:
        """Send a call that is about the current round."""
        to = (f"round={len(self.rounds)}",)
        self.send(self.lottery, sender, function, *args, to=to, refused=refused, value=value)

    # -- the contract ---------------------------------------------------------------------------

    def open(self, sender: str) -> None:
        """Open a round and plan it."""
        refused = None
        if sender != self.operator:
            refused = "Lottery: only the operator"
        elif self.rounds and self.current.phase in ("joining", "revealing"):
            refused = "Lottery: a round is running"
        if refused:
            self.call(sender, "open", refused=refused)
            return
        self.rounds[len(self.rounds) + 1] = Round(self.now + self.join_time, self.now + self.join_time + DAY)
        self.call(sender, "open", refused=None)
        self.plan_round(self.join_time / HOUR)

    def join(self, player: str, value: int = TICKET) -> None:
        """Buy a ticket."""
        current, secret, refused = self.current, self.random.getrandbits(64), None
        if self.now >= current.join_until:
            refused = "Over"
        elif value != TICKET:
            refused = "Lottery: wrong price"
        elif player in current.tickets:
            refused = "Lottery: already in"
        else:
            current.tickets[player] = secret
        commitment = keccak(encode(["uint256", "address"], [secret, player]))
        self.call(player, "join", commitment, refused=refused, value=value)

    def reveal(self, player: str, *, wrong: bool = False) -> None:
        """Tell one's secret, or another."""
        current, refused = self.current, None
        secret = current.tickets.get(player, 7) + wrong
        if ORDER.index(current.phase) > 1:
            refused = "WrongPhase"
        elif self.now < current.join_until:
            refused = "NotYet"
        elif self.now >= current.reveal_until:
            refused = "Over"
        elif wrong or player not in current.tickets:
            refused = "Lottery: not the secret"
        else:
            current.phase = "revealing"
            current.seed ^= current.tickets.pop(player)
            current.revealers.append(player)
        self.call(player, "reveal", secret, refused=refused)

    def draw(self, sender: str) -> None:
        """Draw; then the winner claims, or the players want their tickets back."""
        current, number, refused = self.current, len(self.rounds), None
        if ORDER.index(current.phase) > 1:
            refused = "WrongPhase"
        elif self.now < current.reveal_until:
            refused = "NotYet"
        elif len(current.revealers) < 2:
            current.phase = "abandoned"
        else:
            current.phase = "drawn"
            current.winner = current.revealers[current.seed % len(current.revealers)]
        self.call(sender, "draw", refused=refused)
        if refused:
            return
        if self.chance(0.2):
            self.reveal(self.pick(self.players))
        self.later(1, 24, partial(self.open, self.operator))
        if current.winner:
            if self.chance(0.35):
                self.later(2, 40, partial(self.claim, self.pick(self.players, current.winner), number))
            if self.chance(0.85):
                self.later(3, 150, partial(self.claim, current.winner, number))
            if self.chance(0.2):
                self.later(60, 160, partial(self.claim, current.winner, number))
            if self.chance(0.2):
                self.later(2, 40, partial(self.refund, self.pick(self.players), number))
        else:
            for player in [*current.tickets, *current.revealers, *self.players[:1]]:
                self.later(2, 200, partial(self.refund, player, number))
            if self.chance(0.5):
                self.later(2, 40, partial(self.claim, self.pick(self.players), number))

    def claim(self, sender: str, number: int) -> None:
        """Fetch a prize."""
        ended, refused = self.rounds[number], None
        if ended.phase != "drawn":
            refused = "WrongPhase"
        elif sender != ended.winner:
            refused = "Lottery: not the winner"
        else:
            ended.phase = "claimed"
        self.send(self.lottery, sender, "claim", number, to=(f"round={number}",), refused=refused)

    def refund(self, sender: str, number: int) -> None:
        """Fetch the price of a ticket."""
        ended, refused = self.rounds[number], None
        if ended.phase != "abandoned":
            refused = "WrongPhase"
        elif sender not in ended.tickets:
            refused = "Lottery: no ticket"
        else:
            del ended.tickets[sender]
        self.send(self.lottery, sender, "refund", number, to=(f"round={number}",), refused=refused)

    def set_join_time(self, sender: str, seconds: int) -> None:
        """Change how long the next rounds are open."""
        refused = None if sender == self.operator else "Lottery: only the operator"
        if refused is None:
            self.join_time = seconds
        self.send(self.lottery, sender, "setJoinTime", seconds, refused=refused)

    # -- people ---------------------------------------------------------------------------------

    def plan_round(self, hours: float) -> None:
        """Plan a round: who joins and reveals, in time or not, and who draws."""
        players = self.random.sample(self.players, self.random.choice((2, 4, 5, 6, 7, 8, 9)))
        serious = self.random.choice((0.1, 0.75, 0.8, 0.9, 1.0))
        for player in players:
            self.later(0, hours - 2, partial(self.join, player))
            if self.chance(serious):
                self.later(hours + 1, hours + 22, partial(self.reveal, player))
            if self.chance(0.08):
                self.later(hours - 5, hours - 2, partial(self.reveal, player))
        if self.chance(0.4):
            self.later(0, hours - 2, partial(self.join, self.pick(players)))
        if self.chance(0.3):
            self.later(0, hours - 2, partial(self.join, self.pick(self.players), TICKET // 2))
        if self.chance(0.35):
            self.later(hours + 1, hours + 20, partial(self.join, self.pick(self.players)))
        if self.chance(0.35):
            self.later(hours + 1, hours + 20, partial(self.reveal, self.pick(players), wrong=True))
        if self.chance(0.3):
            self.later(hours + 2, hours + 20, partial(self.draw, self.pick(self.players)))
        if self.chance(0.3):
            self.later(hours + 25, hours + 27, partial(self.reveal, self.pick(players)))
        if self.chance(0.2):
            self.later(2, hours + 20, partial(self.open, self.operator))
        if self.chance(0.1):
            self.later(2, hours + 20, partial(self.open, self.stranger))
        end = hours + 25 + self.random.uniform(2, 8)
        self.later(end, end, partial(self.draw, self.pick(self.players)))
        if self.chance(0.3):
            self.later(end, end, partial(self.draw, self.pick(self.players)))

    def plan(self, days: int) -> None:
        """Plan the first round, and that no more are opened one day."""
        begin = self.now + self.slot
        self.at(begin, partial(self.open, self.operator))
        for moment, sender, seconds in (
            (20.5, self.operator, 18 * HOUR),
            (33.5, self.stranger, 0),
            (70.5, self.operator, 30 * HOUR),
        ):
            self.at(begin + moment * DAY, partial(self.set_join_time, sender, seconds))
        self.end = begin + days * DAY

    def later(self, low: float, high: float, act: Any) -> None:
        """Plan an act some hours from now, but no new round after the end."""
        if getattr(act, "func", None) == self.open and self.now > self.end:
            return
        super().later(low, high, act)


def run(anvil: Anvil, artifacts: Mapping[str, Mapping[str, Any]], *, seed: int = 0) -> Lived:
    """Deploy the lottery, and live the scenario."""
    actors = anvil.accounts[:18]
    lottery = anvil.deploy(actors[0], artifacts["Lottery"])
    life = LotteryLife(lottery, actors, seed, anvil.now())
    life.plan(105)
    lived = life.live(anvil, lottery.address)
    lived.facts["rounds"] = lottery.read("round")
    return lived
