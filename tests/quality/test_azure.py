"""How good the specifications of the Azure benchmark's contracts are, with default settings.

F is that against the repaired truths, averaged over ten seeds and the contracts. ``python -m benchmarks.azure``
prints it a contract.
"""

from __future__ import annotations

from statistics import fmean

import pytest

from benchmarks.azure import Trial, run
from tests.support.real import AZURE, RealDatabase, folder_of


def mean_f(trial: Trial, real_database: RealDatabase) -> float:
    """Return F over all contracts; what each has is shown if the test fails."""
    scores = {name: run(folder_of(name), trial, real_database(name)).repaired.f.mean for name in AZURE}
    print({name: round(score, 3) for name, score in scores.items()})
    return fmean(scores.values())


@pytest.mark.parametrize(("instances", "least"), [(30, 0.88), (10, 0.85)])
def test_fewer_instances_cost_little(real_database: RealDatabase, instances: int, least: float) -> None:
    trial = Trial(name=f"{instances} instances", instances=instances)
    assert mean_f(trial, real_database) >= least


def test_lives_cut_short_do_not_ruin_it(real_database: RealDatabase) -> None:
    assert mean_f(Trial(name="cut short", cut=True), real_database) >= 0.9


def test_default_settings_reach_what_the_histories_hold(real_database: RealDatabase) -> None:
    assert mean_f(Trial(name="70 instances"), real_database) >= 0.975


def test_without_the_variable_that_holds_the_state(real_database: RealDatabase) -> None:
    assert mean_f(Trial(name="no State", forbid=("State",)), real_database) >= 0.95
