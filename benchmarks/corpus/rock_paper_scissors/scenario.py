"""Some fifty games: most are played to the end, some are cancelled, some are left by a player."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from specminer._support.keccak import keccak
from tests.support.anvil import Call
from tests.support.third_party.crowd import DAY, FINNEY, HOUR, Crowd, Subject


@dataclass(slots=True)
class _Game:
    number: int
    first: str
    stake: int
    salt: bytes
    moves: tuple[int, int]
    second: str = ""
    shown: int = 0
    """How many moves were revealed."""
    over: bool = False


def drive(crowd: Crowd, contracts: Mapping[str, Mapping[str, Any]]) -> Subject:
    """Play, rightly and wrongly."""
    artifact = contracts["RockPaperScissors"]
    house = crowd.deploy(artifact)
    random = crowd.random
    games: list[_Game] = []

    def commitment(move: int, salt: bytes) -> bytes:
        return keccak(encode(["uint8", "bytes32"], [move, salt]))

    def recent(*, joined: bool) -> list[_Game]:
        fitting = [game for game in games if bool(game.second) is joined and not game.over]
        chosen = fitting[-6:] if fitting and random.random() < 0.85 else games[-12:]
        return random.sample(chosen, 1) if chosen else []

    def start() -> list[Call]:
        stake = FINNEY * random.choice([5, 20, 20, 0])
        moves = random.randint(1, 3), random.randint(1, 3)
        salt, player = random.randbytes(32), crowd.one()
        if stake:
            games.append(_Game(len(games) + 1, player, stake, salt, moves))
        return [house.call(player, "open", commitment(moves[0], salt), value=stake)]

    def join() -> list[Call]:
        calls = []
        for game in recent(joined=False):
            player, stake = crowd.one(), game.stake + FINNEY * random.choice([0, 0, 0, 1])
            if not (game.second or game.over or player == game.first or stake != game.stake):
                game.second = player
            calls.append(
                house.call(player, "join", game.number, commitment(game.moves[1], game.salt), value=stake)
            )
        return calls

    def reveal() -> list[Call]:
        calls = []
        for game in recent(joined=True):
            place = min(game.shown, 1) if random.random() < 0.9 else random.randint(0, 1)
            player = crowd.one((game.first, game.second)[place] or game.first, chance=0.95)
            right = random.random() < 0.95
            game.shown += right
            game.over = game.over or game.shown > 1
            move = game.moves[place] if right else 1 + game.moves[place] % 3
            calls.append(house.call(player, "reveal", game.number, move, game.salt))
        return calls

    def cancel() -> list[Call]:
        calls = []
        for game in recent(joined=False):
            player = crowd.one(game.first, chance=0.8)
            game.over = game.over or (player == game.first and not game.second)
            calls.append(house.call(player, "cancel", game.number))
        return calls

    def forfeit() -> list[Call]:
        return [house.call(crowd.one(), "forfeit", game.number) for game in recent(joined=True)]

    def collect() -> list[Call]:
        return [house.call(crowd.one(), "collect")]

    crowd.act(
        {start: 6, join: 6, reveal: 10, cancel: 2, forfeit: 2, collect: 1},
        blocks=60,
        size=6,
        seconds=(HOUR, 2 * HOUR, 6 * HOUR, DAY),
    )
    return Subject(name="rock_paper_scissors", address=house.address, artifact=artifact)
