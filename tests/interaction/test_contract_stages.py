"""A contract whose stages tell what is called is one life, whatever it keeps of each account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from specminer.decision.access_facts import access_facts
from specminer.decision.state_conditions import StateCondition
from specminer.decoding import HistoryContext, decode
from specminer.interaction import Analysis, Mode, analyse, second_view, split
from specminer.interaction.stages import stage_share
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.division import state_conditions_of
from specminer.pipeline.following import execute, follow
from specminer.store import TraceStore
from tests.support.third_party.recording import Recording

pytestmark = pytest.mark.slow


def decided(context: HistoryContext) -> tuple[Analysis, tuple[StateCondition, ...]]:
    runs = execute(context)
    conditions = state_conditions_of(follow(context, runs))
    return analyse(context, access_facts(context, runs), lambda: conditions), conditions


@pytest.fixture(scope="module")
def auction(third_party: Callable[[str], Recording]) -> HistoryContext:
    recording = third_party("sealed_auction")
    with TraceStore("sqlite://") as store:
        record = import_traces(store, recording.trace_file)
        return decode(store.history(record.chain_id, [record.address]), recording.artifact())


def test_one_auction_is_one_life_and_its_bidders_are_the_second_view(auction: HistoryContext) -> None:
    analysis, conditions = decided(auction)
    best = analysis.assessments[0]
    assert best.sort.account
    assert analysis.contract is not None
    assert (
        best.score.value > analysis.contract.value
    )  # single bids decide more than the clock, write by write
    assert analysis.contract.stages == stage_share(auction, conditions) > 0.5

    chosen = split(analysis)
    assert chosen.mode is Mode.WHOLE
    assert "stages that never come back" in chosen.explanation
    other = second_view(analysis, chosen)
    assert other is not None
    assert other.sort is not None
    assert other.sort.name == "account"


def test_without_conditions_there_are_no_stages(auction: HistoryContext) -> None:
    assert stage_share(auction, ()) == 0.0


@pytest.mark.parametrize("name", ["token", "savings"])
def test_a_pause_is_no_stage(name: str) -> None:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        context = decode(store.history(record.chain_id, [record.address]), None)
    analysis, conditions = decided(context)
    assert conditions
    assert stage_share(context, conditions) == 0.0
    sort = split(analysis).sort
    assert sort is not None
    assert sort.name == "account"
