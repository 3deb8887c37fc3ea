"""Mutated answers and files end a run well or with an error of ours, and leave nothing stored by half.

``python -m benchmarks.hostile 20000`` does the same for longer.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.hostile import KINDS, Recording, recorded, run
from benchmarks.hostile_commands import COMMANDS, Broken, Run, check_folder, check_words
from tests.support.mutations import VALUES, exchanged, mutated, scrambled

COUNT = 150
"""Attacks by each of a few seeds."""


@pytest.fixture(scope="module")
def recordings(tools: Path) -> list[Recording]:
    return recorded()


@pytest.mark.parametrize("seed", range(2))
def test_what_is_hostile_is_refused_or_read(recordings: list[Recording], seed: int) -> None:
    ended, failures = run(COUNT, 1_000 + seed, recordings)
    assert failures == []
    assert sum(ended.values()) == COUNT
    kinds = {name.partition(":")[0] for name in ended}
    assert kinds == {*KINDS, *COMMANDS} - {"command"}


def test_mutations_are_the_same_for_a_seed_and_change_something() -> None:
    value = {"a": [1, "0x12", None], "b": {"c": True}}
    found = [mutated(value, random.Random(seed)) for seed in range(50)]
    assert repr(found) == repr([mutated(value, random.Random(seed)) for seed in range(50)])
    assert sum(repr(item) != repr(value) for item in found) > 40
    before = repr(VALUES)
    for seed in range(2_000):
        mutated({"a": [1, 2, {"b": []}]}, random.Random(seed))
    assert repr(VALUES) == before
    texts = [scrambled(b'[{"a": 1}]\n' * 5, random.Random(seed)) for seed in range(50)]
    assert len(set(texts)) > 40


def test_leaves_are_exchanged_for_others_of_the_same_form() -> None:
    value = {"calls": [{"to": "0x12", "gas": 7, "ok": True}, {"to": "0x34", "gas": 9, "ok": False}]}
    found = [exchanged(value, random.Random(seed)) for seed in range(100)]
    assert repr(found) == repr([exchanged(value, random.Random(seed)) for seed in range(100)])
    assert sum(repr(item) != repr(value) for item in found) > 50
    for item in found:
        for call in item["calls"]:
            assert {name: type(part) for name, part in call.items()} == {"to": str, "gas": int, "ok": bool}


@pytest.mark.parametrize(
    ("code", "out", "err", "match"),
    [
        (70, "", "error: a defect", "exit code 70"),
        (2, "", "Traceback (most recent call last):", "it said"),
        (3, "", "error: not enough memory for this history", "it said"),
        (2, "", "", "no error"),
        (0, "\x1b[31m", "", "control characters"),
        (2, "", "error: " + "x" * 30_000, "30007 characters"),
    ],
)
def test_what_a_command_must_never_say_is_noticed(code: int, out: str, err: str, match: str) -> None:
    with pytest.raises(Broken, match=match):
        check_words(Run(code=code, out=out, err=err))


def test_what_a_refused_command_must_not_leave_is_noticed(tmp_path: Path) -> None:
    check_folder(tmp_path, failed=True)
    (tmp_path / "automaton.json").touch()
    check_folder(tmp_path, failed=False)
    with pytest.raises(Broken, match=r"left automaton\.json"):
        check_folder(tmp_path, failed=True)
    (tmp_path / "report.html.7.part").touch()
    with pytest.raises(Broken, match="partial file"):
        check_folder(tmp_path, failed=False)
