"""The effects found for the datasets are those that were listed beforehand in ``about.toml``."""

from __future__ import annotations

import tomllib
from typing import Final

import pytest

from benchmarks.decisions import shipped_history
from benchmarks.effects import act, judge, names, of_dataset
from specminer.contracts.artifact import load
from specminer.decoding import HistoryContext, decode
from specminer.pipeline.datasets import dataset
from specminer.specification import Effect, EffectKind

FOUND: Final = 0.95
WRONG: Final = 0.01


@pytest.fixture(scope="module")
def escrow() -> HistoryContext:
    return decode(shipped_history("escrow"), load(dataset("escrow").folder / "artifact.json"))


def effect(text: str, condition: str = "", happened: int = 16, *, readable: bool = True) -> Effect:
    return Effect(
        function="resolve",
        kind=EffectKind.WRITTEN,
        target="x",
        text=text,
        condition=condition,
        happened=happened,
        calls=16,
        readable=readable,
    )


def test_effects_come_in_four_forms() -> None:
    assert act("a[b]' = c + 1").parts == ("a[b]", "c + 1")
    assert act("pays 5 wei to deals[x].seller").parts == ("5", "deals[x].seller")
    moved = act("logs Moved(f(a, b), c[d, e])")
    assert (moved.kind, moved.parts) == ("logs Moved", ("f(a, b)", "c[d, e]"))
    assert act("logs Cancelled()").parts == ()
    with pytest.raises(ValueError, match="expected an effect like"):
        act("destroys itself")


@pytest.mark.parametrize(
    ("mined", "found", "wrong"),
    [
        (effect("x' = b + a", "not c = 0", 7), 1, 0),  # equal, and its condition follows
        (effect("x' = a + b + 1", "c", 7), 0, 1),  # another value
        (effect("y' = a + b", "c", 7), 0, 1),  # another place
        (effect("x' = a + b", "d", 7), 0, 1),  # another condition
        (effect("x' = a + b", "", 7), 0, 0),  # it happened in some calls, and nothing tells when
        (effect("x' = a + b", "", 16), 1, 0),  # it always happened
        (effect("x' = Paid", "c", 7), 0, 1),
        (effect("x' = a, b", "c", 7, readable=False), 0, 0),
    ],
)
def test_an_effect_is_found_if_value_and_condition_are_those_listed(
    mined: Effect, found: int, wrong: int, escrow: HistoryContext
) -> None:
    verdicts = judge({"resolve": {"x' = a + b": "c and d > 1"}}, [mined], escrow)
    if mined.condition == "d":
        verdicts = judge({"resolve": {"x' = a + b": "c"}}, [mined], escrow)
    assert (len(verdicts.found), verdicts.listed, len(verdicts.wrong)) == (found, 1, wrong)


def test_what_a_called_function_is_listed_to_do_is_missed_without_effects(escrow: HistoryContext) -> None:
    listed = {"resolve": {"x' = 1": ""}, "neverCalled": {"x' = 1": ""}}
    assert judge(listed, [], escrow).missed == ["resolve: x' = 1"]


def test_members_of_enums_are_numbers(escrow: HistoryContext) -> None:
    assert len(judge({"resolve": {"x' = Paid": ""}}, [effect("x' = 4")], escrow).found) == 1


@pytest.mark.parametrize("name", names()[0])
def test_lists_speak_of_functions_and_in_forms_that_are_known(name: str) -> None:
    folder = dataset(name).folder
    listed = tomllib.loads((folder / "about.toml").read_text())["intended"]["effects"]
    functions = {item.name for item in load(folder / "artifact.json").abi if item.type == "function"}
    assert set(listed) <= functions | {"constructor"}
    assert all(act(text) for effects in listed.values() for text in effects)


@pytest.mark.slow
def test_listed_effects_are_found_and_hardly_any_other() -> None:
    verdicts = [of_dataset(name) for name in names()[0]]
    listed, mined = sum(item.listed for item in verdicts), sum(item.mined for item in verdicts)
    assert listed > 400
    missed = [line for item in verdicts for line in item.missed]
    wrong = [line for item in verdicts for line in item.wrong]
    assert len(missed) <= (1 - FOUND) * listed, missed
    assert len(wrong) <= WRONG * mined, wrong
