"""The engine against the executable specification, on random programs under every fork."""

from __future__ import annotations

import pytest

from specminer.replay.machine_calls import FORKS
from tests.support.programs import scenario
from tests.support.reference import by_engine, by_reference, differences

PROGRAMS = 40
"""For each fork; ``python -m benchmarks.engine --programs N`` runs more."""


@pytest.mark.parametrize("fork", FORKS)
def test_programs_end_as_the_specification_says(fork: str) -> None:
    for seed in range(PROGRAMS):
        case = scenario(seed, fork)
        assert differences(by_engine(case), by_reference(case)) == [], f"seed {seed}"


def test_the_programs_get_far() -> None:
    """A comparison of programs that all fail at once would prove little."""
    endings = [by_engine(scenario(seed, fork)) for fork in FORKS for seed in range(PROGRAMS)]
    assert sum(ending.halt is None for ending in endings) > len(endings) / 3
    assert {
        "REVERT",
        "OUT_OF_GAS",
        "INVALID_OPCODE",
        "INVALID_JUMP",
        "STACK_UNDERFLOW",
        "STACK_OVERFLOW",
    } <= {ending.halt for ending in endings}
    assert sum(bool(ending.logs) for ending in endings) > 20
    assert sum(len(ending.accounts) > 7 for ending in endings) > 20
