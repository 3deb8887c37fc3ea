"""Our own contracts of kinds that finance knows: streams of ether, loans against a price, wrapped ether in Vyper."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.support.anvil import Call
from tests.support.solc import compile_files
from tests.support.third_party.crowd import DAY, HOUR, NOBODY, Action, Crowd, Subject
from tests.support.vyper_compiler import compile_vyper


@cache
def financial() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Finance.sol``, by contract.

    Raises:
        MissingPart: the compiler is not installed.
    """
    return compile_files(Path(__file__).with_name("Finance.sol"))


def drive_streams(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive some forty streams."""
    artifact = financial()["Streams"]
    streams = crowd.deploy(artifact)
    random, people = crowd.random, crowd.people
    payer, recipient = 0, 1

    def some() -> tuple[int, Any]:
        number = random.randrange(1, streams.read("nextId") + 1)
        return number, streams.read("streams", number)

    def party(stream: Any, *places: int) -> str:
        known = [stream[place] for place in places if stream[place] != NOBODY]
        return crowd.one(*(known or people), chance=0.85)

    def begin() -> list[Call]:
        sender, duration = random.choice(people), random.choice([HOUR, 6 * HOUR, 6 * HOUR, DAY])
        to = random.choice([NOBODY, sender]) if random.random() < 0.1 else random.choice(people)
        cliff = 2 * duration if random.random() < 0.08 else random.choice([0, duration // 4, duration])
        duration = random.choice([59, 366 * DAY]) if random.random() < 0.1 else duration
        value = 0 if random.random() < 0.08 else random.choice([1_000, 77_777])
        arguments = (to, min(cliff, 2 * DAY), duration, random.random() < 0.7)
        return [streams.call(sender, "open", *arguments, value=value)]

    def withdraw() -> list[Call]:
        number, stream = some()
        due = streams.read("streamed", number) - stream[3]
        amount = random.choice([due, due // 2, due // 3, due + 5_000, 0])
        return [streams.call(party(stream, recipient), "withdraw", number, max(amount, 0))]

    def cancel() -> list[Call]:
        number, stream = some()
        return [streams.call(party(stream, payer, recipient), "cancel", number)]

    def renounce() -> list[Call]:
        number, stream = some()
        return [streams.call(party(stream, payer), "renounce", number)]

    actions: dict[Action, int] = {begin: 7, withdraw: 14, cancel: 6, renounce: 3}
    crowd.act({begin: 1}, blocks=3, size=4)
    crowd.act(actions, blocks=45, size=7, seconds=(60, HOUR))
    return (Subject(name="streams", address=streams.address, artifact=artifact),)


def drive_lending(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive loans while the price falls and rises; for some days nobody tells it."""
    artifact = financial()["Lending"]
    feed = crowd.deploy(financial()["PriceFeed"])
    lending = crowd.deploy(artifact, feed.address)
    random, people = crowd.random, crowd.people

    def tell() -> list[Call]:
        return [feed.call(crowd.owner, "set", random.choice([25, 60, 90, 100, 120, 150]))]

    def keeper() -> str:
        return crowd.one(crowd.owner, chance=0.8)

    def freeze() -> list[Call]:
        return [lending.call(keeper(), "freeze", random.random() < 0.3)]

    def set_ceiling() -> list[Call]:
        return [lending.call(keeper(), "setCeiling", random.choice([100, 20_000, 60_000]))]

    def deposit() -> list[Call]:
        return [lending.call(random.choice(people), "deposit", value=random.choice([9, 10, 4_000, 9_000]))]

    def borrow() -> list[Call]:
        return [lending.call(random.choice(people), "borrow", random.choice([100, 800, 3_000, 15_000]))]

    def repay() -> list[Call]:
        return [lending.call(random.choice(people), "repay", random.choice([50, 400, 3_000]))]

    def withdraw() -> list[Call]:
        return [lending.call(random.choice(people), "withdraw", random.choice([10, 500, 5_000]))]

    def liquidate() -> list[Call]:
        who = random.choice(people)
        return [lending.call(who if random.random() < 0.1 else random.choice(people), "liquidate", who)]

    actions: dict[Action, int] = {
        tell: 3, freeze: 2, set_ceiling: 2, deposit: 6, borrow: 10, repay: 5, withdraw: 6, liquidate: 6,
    }  # fmt: skip
    crowd.mine(
        feed.call(crowd.owner, "set", 100), *[lending.call(who, "deposit", value=5_000) for who in people]
    )
    crowd.act(actions, blocks=36, size=8, seconds=(60, HOUR))
    crowd.mine(lending.call(crowd.owner, "freeze", False))
    crowd.act({borrow: 1}, blocks=1, size=4, seconds=(2 * DAY,))
    crowd.act(actions, blocks=8, size=8, seconds=(60, HOUR))
    return (Subject(name="lending", address=lending.address, artifact=artifact),)


def drive_vyper_wrapped(crowd: Crowd) -> tuple[Subject, ...]:
    """Drive wrapped ether; the guardian stops it now and then, and changes once or twice."""
    output = compile_vyper(Path(__file__).with_name("wrapped.vy"))
    token = crowd.deploy(output, 5_000)
    random, people, few = crowd.random, crowd.people, crowd.people[:4]

    def guardian() -> str:
        return crowd.one(str(token.read("guardian")), chance=0.75)

    def receiver() -> str:
        return random.choice([NOBODY, token.address]) if random.random() < 0.12 else crowd.one(*few)

    def deposit() -> list[Call]:
        return [token.call(crowd.one(*few), "deposit", value=random.choice([0, 900, 4_000]))]

    def withdraw() -> list[Call]:
        return [token.call(crowd.one(*few), "withdraw", random.choice([10, 700, 2_500, 30_000]))]

    def move() -> list[Call]:
        return [token.call(crowd.one(*few), "move", receiver(), random.choice([1, 300, 50_000]))]

    def allow() -> list[Call]:
        sender = crowd.one(*few)
        to = sender if random.random() < 0.15 else crowd.one(*few)
        return [token.call(sender, "allow", to, random.choice([0, 500, 2**256 - 1]))]

    def move_from() -> list[Call]:
        return [
            token.call(
                crowd.one(*few), "move_from", crowd.one(*few), receiver(), random.choice([20, 300, 40_000])
            )
        ]

    def stop() -> list[Call]:
        return [token.call(guardian(), "stop", random.choice([0, 300, 900, 9_000]))]

    def set_limit() -> list[Call]:
        return [token.call(guardian(), "set_limit", random.choice([0, 2_000, 6_000, 200_000]))]

    def appoint() -> list[Call]:
        return [token.call(guardian(), "appoint", random.choice([crowd.owner, *few]))]

    def accept() -> list[Call]:
        who = token.read("successor")
        return [token.call(crowd.one(who if who != NOBODY else few[0]), "accept")]

    actions: dict[Action, int] = {
        deposit: 7, withdraw: 8, move: 7, allow: 4, move_from: 13, stop: 1, set_limit: 4, appoint: 2, accept: 2,
    }  # fmt: skip
    crowd.mine(*[token.call(who, "allow", people[1], 2**256 - 1) for who in few if who != people[1]])
    crowd.act(actions, blocks=44, size=8, seconds=(60, HOUR))
    return (Subject(name="vyper_wrapped", address=token.address, artifact=output),)
