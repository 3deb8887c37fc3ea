"""The lives that were written down of driven contracts are what their histories go through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from benchmarks.state_agreement import step_of
from tests.support.third_party.catalogue import LIFE_HISTORIES, LIVES_ALONE
from tests.support.third_party.conditions import CLOCK, ENTITY
from tests.support.third_party.followed_lives import FollowedLives
from tests.support.third_party.recording import Recording, record
from tests.support.third_party.written_states import FOLDER, written_life

SIZES = range(200, 401)
"""Transactions of a history."""
LEAST_REJECTED = 0.2
"""Share of calls that failed."""
OVERLAPPING = ("access_control", "votes_token")
"""Lives whose states are properties of an account, several of which may hold."""
ENDS = {"refund_escrow": {"closed"}, "closed_escrow": {"refunding"}, "presale": {"failed"}}
"""States that a history does not reach: one of two of a contract, or the only one of a sale."""

pytestmark = pytest.mark.slow
each_history = pytest.mark.parametrize("name", LIFE_HISTORIES)
each_new_history = pytest.mark.parametrize("name", LIVES_ALONE)
Followed = Callable[[str], FollowedLives]


@pytest.fixture(scope="module")
def followed(third_party: Callable[[str], Recording]) -> Followed:
    return cache(lambda name: FollowedLives(recording=third_party(name), life=written_life(name)))


@each_new_history
def test_a_history_has_its_size_and_its_share_of_rejections(name: str, followed: Followed) -> None:
    calls = followed(name).calls
    assert len({call.transaction for call in calls}) in SIZES
    assert sum(not call.accepted for call in calls) >= LEAST_REJECTED * len(calls)


@each_new_history
def test_every_written_state_and_transition_is_visited(name: str, followed: Followed) -> None:
    lives = followed(name)
    absent = ENDS.get(name, set())
    taken = set(lives.transitions())
    for source, event, target in lives.life.transitions:
        if not {source, target} & absent:
            assert step_of(source, event, target) in taken, (source, event, target)
    reached = {state for source, _, target in taken for state in (source, target)}
    assert reached == lives.life.states.keys() - absent


@each_new_history
def test_every_change_of_state_is_written(name: str, followed: Followed) -> None:
    """Time may pass several states between two calls."""
    lives = followed(name)
    written = {step_of(*transition) for transition in lives.life.transitions}
    by_time = {(source, target) for source, event, target in written if event == "clock"}
    by_time |= {(first, last) for first, middle in by_time for other, last in by_time if middle == other}
    for source, event, target in set(lives.transitions()):
        if source != target:
            assert (source, target) in by_time if event == "clock" else (source, event, target) in written


@each_history
def test_an_entity_is_in_one_state_at_a_time(name: str, followed: Followed) -> None:
    lives = followed(name)
    assert any(call.keys for call in lives.calls)
    for number, call in enumerate(lives.calls):
        for key in call.keys:
            for after in (False, True):
                count = len(lives.states(number, key, after=after))
                assert count == 1 or name in OVERLAPPING, (call, after)


@each_history
def test_most_calls_of_an_entity_have_company(name: str, followed: Followed) -> None:
    """A key that is computed wrongly would give each call an entity of its own."""
    lives = followed(name)
    accepted = [call for call in lives.calls if call.accepted and call.keys]
    sizes = Counter(key for call in accepted for key in call.keys)
    assert sum(size for size in sizes.values() if size > 1) > 0.3 * sum(sizes.values())


@each_history
def test_lives_are_of_listed_states_and_functions(name: str, followed: Followed) -> None:
    lives = followed(name)
    functions = {call.function.partition("(")[0] for call in lives.calls}
    functions |= {each["name"] for each in lives.artifact["abi"] if each["type"] == "function"}
    for source, event, target in lives.life.transitions:
        assert {source, target} <= lives.life.states.keys()
        assert event.startswith(CLOCK) or event.split()[0] in functions
    if lives.life.entities is not None:
        assert {each.partition("(")[0] for each in lives.life.entities} <= functions
        assert any(ENTITY in text or "·" in text for text in lives.life.states.values())


def test_every_history_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(LIFE_HISTORIES)


def test_a_seed_gives_the_same_bytes(
    third_party: Callable[[str], Recording], tmp_path_factory: pytest.TempPathFactory
) -> None:
    (again,) = record("lottery", tmp_path_factory.mktemp("again"))
    before = third_party("lottery")
    for first, second in zip(before.files, again.files, strict=True):
        assert first.read_bytes() == second.read_bytes()
