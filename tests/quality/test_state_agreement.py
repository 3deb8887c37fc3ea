"""The parts of ``benchmarks.states``: storage by layout, written conditions and keys, comparison with what is mined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from benchmarks.state_agreement import MinedEvent, agreement
from benchmarks.states import compare, total
from specminer.specification import Specification, TransitionKind
from tests.support.third_party.followed_lives import FollowedCall, FollowedLives
from tests.support.third_party.life_terms import Scope, Typed
from tests.support.third_party.recording import Recording
from tests.support.third_party.storage_places import layout_of

SOLC = {
    "storageLayout": {
        "storage": [
            {"label": "count", "slot": "0", "offset": 0, "type": "t_uint64"},
            {"label": "paused", "slot": "0", "offset": 8, "type": "t_bool"},
            {"label": "lots", "slot": "1", "offset": 0, "type": "t_mapping"},
            {"label": "list", "slot": "2", "offset": 0, "type": "t_array"},
        ],
        "types": {
            "t_uint64": {"encoding": "inplace", "numberOfBytes": "8"},
            "t_bool": {"encoding": "inplace", "numberOfBytes": "1"},
            "t_mapping": {"encoding": "mapping", "numberOfBytes": "32", "value": "t_struct"},
            "t_array": {"encoding": "dynamic_array", "numberOfBytes": "32", "base": "t_struct"},
            "t_struct": {
                "encoding": "inplace",
                "numberOfBytes": "64",
                "members": [
                    {"label": "price", "slot": "0", "offset": 0, "type": "t_uint64"},
                    {"label": "sold", "slot": "1", "offset": 3, "type": "t_bool"},
                ],
            },
        },
    }
}
VYPER = {
    "layout": {
        "storage_layout": {
            "lots": {"type": "HashMap[uint256, Lot]", "n_slots": 1, "slot": 5},
            "count": {"type": "uint256", "n_slots": 1, "slot": 6},
        }
    }
}


def slot(*words: int) -> int:
    """Return the hash of words one behind another."""
    return int.from_bytes(keccak(b"".join(word.to_bytes(32) for word in words)))


def scope(artifact: dict[str, Any], words: dict[int, int], more: dict[str, Any] | None = None) -> Scope:
    names: dict[str, Typed | int] = {
        "ENTITY": 7,
        "now": 100,
        "who": Typed("address", "0x" + "11" * 20),
        "name": Typed("string", "ab"),
    }
    return Scope(layout=layout_of(artifact, more or {}), words=words, names=names)


def test_values_lie_where_the_layout_of_solc_says() -> None:
    words = {0: 1 << 64 | 9, slot(7, 1): 50, slot(7, 1) + 1: 1 << 24, 2: 3, slot(2) + 2 * 2: 77}
    found = scope(SOLC, words)
    assert found.number("count") == 9
    assert found.number("paused and lots[·].price = 50 and lots[·].sold")
    assert found.number("length(list)") == 3
    assert found.number("list[2].price") == 77
    assert found.number("lots[8].price") == 0


def test_values_lie_where_the_layout_of_vyper_says() -> None:
    found = scope(VYPER, {slot(5, 7) + 3: 4, 6: 12}, {"lots": {"fields": {"seller": 0, "stage": 3}}})
    assert found.number("lots[·].stage") == 4
    assert found.number("count + 1") == 13


def test_a_mapping_can_be_given_by_its_slot() -> None:
    assert scope({}, {slot(7, 0xABC): 5}, {"balanceOf": {"slot": "0xabc"}}).number("balanceOf[·]") == 5


def test_conditions_are_evaluated() -> None:
    found = scope(SOLC, {0: 60})
    assert found.number("count < now and not (count >= now or count != 60)")
    assert found.number("now >= count + 40")
    assert not found.number("now >= count + 41")
    with pytest.raises(KeyError):
        found.number("nobody = 0")
    with pytest.raises(KeyError):
        found.number("count.price")
    with pytest.raises(TypeError):
        found.number("now.price")


def test_keys_are_hashes_of_arguments() -> None:
    found = scope(SOLC, {})
    address = bytes.fromhex("11" * 20)
    expected = keccak(encode(["address", "string"], ["0x" + "11" * 20, "ab"]))
    assert found.number("keccak(who, name)") == int.from_bytes(expected)
    assert found.number("packed_keccak(who, name)") == int.from_bytes(keccak(address + b"ab"))
    assert found.number("keccak_text(name)") == int.from_bytes(keccak(b"ab"))
    with pytest.raises(TypeError):
        found.number("keccak(now)")


class Lives:
    """Two doors that are opened and closed: calls 0 to 3 of door 1, 4 and 5 of door 2."""

    life = SimpleNamespace(
        states={"shut": "", "open": ""},
        transitions=(("shut", "push", "open"), ("open", "pull", "shut"), ("open", "clock: wind", "shut")),
    )
    functions = ("push", "pull", "push", "pull", "push", "push")
    keys = (1, 1, 1, 1, 2, 2)

    @property
    def calls(self) -> tuple[FollowedCall, ...]:
        return tuple(
            FollowedCall(
                transaction=f"0x{number}", position=0, function=function, accepted=number != 5, keys=(key,)
            )
            for number, (function, key) in enumerate(zip(self.functions, self.keys, strict=True))
        )

    def states(self, call: int, key: int, *, after: bool) -> frozenset[str]:
        pushed = self.functions[call] == "push"
        return frozenset({"open" if pushed == after or call == 5 else "shut"})

    def transitions(self) -> Iterator[tuple[str, str, str]]:
        yield from (("shut", "push", "open"), ("open", "pull", "shut"))


LIVES = cast(FollowedLives, Lives())


def event(number: int, interaction: str, before: str, after: str) -> MinedEvent:
    return MinedEvent(
        interaction=interaction, transaction=f"0x{number}", position=0, own=True, before=before, after=after
    )


RIGHT = [
    event(0, "one", "a", "b"),
    event(1, "one", "b", "c"),
    event(2, "one", "c", "b"),
    event(3, "one", "b", "c"),
    event(4, "two", "a", "b"),
    event(5, "two", "b", "b"),
]


def specification(*edges: tuple[str, str, str]) -> Specification:
    names = ("a", "b", "c")
    return cast(
        Specification,
        SimpleNamespace(
            states=[SimpleNamespace(id=number, name=name) for number, name in enumerate(names)],
            transitions=[
                SimpleNamespace(
                    source=names.index(source),
                    target=names.index(target),
                    function=function,
                    outcome="returned",
                    kind=TransitionKind.CALL,
                )
                for source, function, target in edges
            ],
        ),
    )


EDGES = (("a", "push", "b"), ("b", "pull", "c"), ("c", "push", "b"))


def test_what_was_written_down_agrees_wholly() -> None:
    found = agreement(LIVES, RIGHT, specification(*EDGES))
    assert found.entity == found.entity_of_all == 1
    assert {state.name: state.mined for state in found.states} == {
        "shut": {"a", "c"},
        "open": {"b"},
    }
    assert found.steps == {("shut", "push", "open"): True, ("open", "pull", "shut"): True}
    assert found.untaken == (("open", "clock", "shut"),)
    assert found.counts == (5, 5)


def test_an_absent_transition_is_not_found() -> None:
    found = agreement(LIVES, RIGHT, specification(*EDGES[::2]))
    assert found.steps == {("shut", "push", "open"): True, ("open", "pull", "shut"): False}


def test_one_mined_state_for_all_is_no_written_state() -> None:
    blurred = [replace(each, before="a", after="a") for each in RIGHT]
    found = agreement(LIVES, blurred, specification(("a", "push", "a"), ("a", "pull", "a")))
    assert not any(found.steps.values())
    assert [state.name for state in found.states if state.found] == []


def test_a_split_by_something_else_is_not_the_written_one() -> None:
    crossed = [replace(each, interaction=each.transaction) for each in RIGHT]
    assert agreement(LIVES, crossed, specification(*EDGES)).entity == 0
    joined = [replace(each, interaction="all") for each in RIGHT]
    assert 0.5 < agreement(LIVES, joined, specification(*EDGES)).entity < 0.9


def test_calls_in_no_interaction_are_missed() -> None:
    found = agreement(LIVES, RIGHT[:4], specification(*EDGES))
    assert found.entity == 1  # one accepted call of the second door makes no pair
    assert min(state.f for state in found.states) < 1


@pytest.mark.slow
def test_a_history_is_mined_and_compared(third_party: Callable[[str], Recording], tmp_path: Path) -> None:
    folder = third_party("lottery").trace_file.parent.parent
    row = compare("lottery", folder, tmp_path)
    found, written = row.agreement.counts
    assert written == 1 + 5 + 5
    assert 0 < found <= written
    assert not row.agreement.unvisited
    assert {state.name for state in row.agreement.states if state.found} >= {"none", "claimed"}
    assert row.columns.startswith("lottery")
    assert total([row]).startswith(f"all: {found} of {written} as written")
