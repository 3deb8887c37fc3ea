"""Histories are split by the entity whose state decides what is accepted, and the explanation says so."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from benchmarks.state_agreement import agreement
from benchmarks.states import mined_events
from specminer.decision.access_facts import AccessFacts, access_facts
from specminer.decision.deployment_constants import deployment_constants, with_constants
from specminer.decision.state_conditions import StateCondition, StoredField, ZeroComparison, state_conditions
from specminer.decoding import HistoryContext, decode
from specminer.history.contract_history import BoolColumn
from specminer.interaction import Analysis, Mode, analyse, split
from specminer.interaction.roles import RoleSource
from specminer.interaction.sorts import sorts
from specminer.pipeline import MineOptions, import_traces
from specminer.pipeline.following import execute, follow
from specminer.pipeline.miner import mine
from specminer.specification import TransitionKind
from specminer.store import TraceStore
from tests.support.third_party.followed_lives import FollowedLives
from tests.support.third_party.recording import Recording
from tests.support.third_party.written_states import written_life

pytestmark = pytest.mark.slow
Recorded = Callable[[str], Recording]

NATURAL = {
    "access_control": (Mode.PROJECTION, "account"),
    "governor": (Mode.PARTITION, "proposalId"),
    "safe": (Mode.WHOLE, None),
    "timelock": (Mode.PARTITION, "id"),
    "uniswap_pair": (Mode.WHOLE, None),
    "vyper_auction": (Mode.WHOLE, None),
    "vyper_purchases": (Mode.PARTITION, "id"),
    "weth9": (Mode.PROJECTION, "account"),
}
"""What a reader of their documentation expects an interaction to be about."""


@pytest.fixture(scope="module")
def read(third_party: Recorded) -> Callable[[str], tuple[HistoryContext, AccessFacts]]:
    """Return a history with what its code shows."""

    @cache
    def found(name: str) -> tuple[HistoryContext, AccessFacts]:
        recording = third_party(name)
        with TraceStore("sqlite://") as store:
            record = import_traces(store, recording.trace_file)
            history = store.history(record.chain_id, [record.address])
        context = decode(history, recording.artifact())
        return context, access_facts(context, execute(context))

    return found


Read = Callable[[str], tuple[HistoryContext, AccessFacts]]


def analysed(read: Read, name: str) -> Analysis:
    return analyse(*read(name))


@pytest.mark.parametrize("name", NATURAL)
def test_an_interaction_is_about_what_the_documentation_speaks_of(name: str, read: Read) -> None:
    interactions = split(analysed(read, name))
    sort = None if interactions.sort is None else interactions.sort.name
    assert (interactions.mode, sort) == NATURAL[name]


def test_without_code_touches_must_do(read: Read) -> None:
    context, _ = read("timelock")
    analysis = analyse(context)
    assert analysis.contract is None
    assert all(item.score.deciding_share is None for item in analysis.assessments)


def test_calls_name_the_operation_whose_hash_they_compute(read: Read) -> None:
    analysis = analysed(read, "timelock")
    (found,) = [item for item in analysis.assessments if item.name == "id"]
    named = {
        analysis.context.calls.functions[role.function]
        for role in found.naming.roles
        if role.source is RoleSource.COMPUTED
    }
    assert named == {"schedule", "scheduleBatch", "execute", "executeBatch"}
    assert not found.score.derived


def test_what_decides_are_states_and_not_who_calls(read: Read) -> None:
    context, facts = read("timelock")
    variables = {
        context.locations.variables[row].text(None, 0) for row in variables_of(context, facts.is_deciding)
    }
    assert {"_timestamps[]", "_roles[].hasRole[]", "_minDelay"} <= variables
    context, facts = read("staking_rewards")
    variables = {
        context.locations.variables[row].text(None, 0) for row in variables_of(context, facts.is_deciding)
    }
    assert "_balances[]" in variables
    assert not {"owner", "nominatedOwner", "lastUpdateTime"} & variables


def test_a_balance_counts_and_a_price_is_set(read: Read) -> None:
    for name, variable, counts in (
        ("weth9", "balanceOf[]", True),
        ("weth9", "allowance[][]", None),
        ("vyper_auction", "highestBid", False),
        ("erc4626", "_totalSupply", True),
    ):
        context, facts = read(name)
        shown = np.array([item.text(None, 0) == variable for item in context.locations.variables])
        own = shown[context.locations.variable[context.accesses.slot[context.accesses.touch]]]
        told = facts.is_counting[own & facts.is_computed]
        assert len(told) > 10
        if counts is None:  # approvals set it, transfers count it down
            assert 0 < told.mean() < 1
        else:
            assert (told.mean() > 0.9) if counts else (told.mean() < 0.1)


def variables_of(context: HistoryContext, accesses: BoolColumn) -> set[int]:
    """Return the variables of some accesses."""
    slot = context.accesses.slot[context.accesses.touch[accesses]]
    return set(context.locations.variable[slot].tolist())


def test_the_explanation_says_what_decided(read: Read) -> None:
    by_operation = split(analysed(read, "timelock")).explanation
    assert "of what earlier calls wrote and later ones decided upon belongs to the one" in by_operation
    whole = split(analysed(read, "uniswap_pair")).explanation
    assert "variables without keys" in whole
    assert "the best sort of entities is account" in whole


STATES = {
    "safe": {"threshold = 0", "threshold > 0"},
    "timelock": {"not scheduled", "done"},
    "vyper_auction": {"ended"},
    "weth9": {"holds tokens", "holds nothing"},
}
"""Some of the states that the documentation tells apart."""


@pytest.mark.parametrize("name", STATES)
def test_states_are_what_the_code_asks_of_storage(name: str, third_party: Recorded) -> None:
    recording = third_party(name)
    mined = mine(recording.trace_file, abi=recording.artifact_file)
    assert {state.name for state in mined.specification.states} >= STATES[name]


def test_conditions_on_storage_and_the_clock_are_read_from_the_code(read: Read) -> None:
    context, _ = read("timelock")
    runs = execute(context)
    followed = follow(context, runs).values()
    found = state_conditions((item.decisions, item.wording) for item in followed)
    told = {
        (
            tuple(
                (context.locations.variables[place.variable].text(None, 0), factor)
                for place, factor in item.stored_fields
            ),
            item.clock,
            item.factor,
            item.constant,
            item.comparison,
        )
        for item in found
    }
    deadline = "_timestamps[]"
    assert (((deadline, 1),), "", 0, 0, ZeroComparison.ZERO) in told
    assert (((deadline, 1),), "", 0, -1, ZeroComparison.ZERO) in told
    assert (((deadline, -1),), "now", 1, 0, ZeroComparison.NEGATIVE) in told


LIVES = {
    "ens_controller": {
        ("start", "commit", "fresh"),
        ("fresh", "time: commitments + minCommitmentAge reached", "ripe"),
        ("ripe", "register", "none"),
        ("ripe", "time: commitments + maxCommitmentAge reached", "expired"),  # the owner may change this age
        ("expired", "commit", "fresh"),
    },
    "timelock": {
        ("start", "schedule", "waiting"),
        ("waiting", "cancel", "unset"),
        ("waiting", "time: timestamps reached", "ready"),
        ("ready", "execute", "done"),
        ("ready", "executeBatch", "done"),
    },
    "vyper_purchases": {
        ("start", "offer", "offered"),
        ("offered", "time: until reached", "lapsed"),
        ("offered", "buy", "locked"),
        ("lapsed", "withdraw", "withdrawn"),
        ("locked", "receive_item", "received"),
    },
}
"""What the documentation says of an entity's life, by the names that it gives to states."""
CALLED = {
    "ens_controller": {
        "commitments set, commitments + min age not reached": "fresh",
        "commitments + min age reached, commitments + max age not reached": "ripe",
        "commitments + max age reached": "expired",
        "commitments not set": "none",
    },
    "timelock": {
        "timestamps > 0, timestamps not reached": "waiting",
        "timestamps reached, timestamps ≠ 1": "ready",
        "not scheduled": "unset",
    },
    "vyper_purchases": {
        "stage = 1, until not reached": "offered",
        "stage = 1, until reached": "lapsed",
        "stage = 2": "locked",
        "stage = 4": "received",
        "stage = 8": "withdrawn",
    },
}


@pytest.mark.parametrize("name", LIVES)
def test_deadlines_are_events_of_a_life(name: str, third_party: Recorded) -> None:
    recording = third_party(name)
    specification = mine(recording.trace_file, abi=recording.artifact_file).specification
    names = {state.id: CALLED[name].get(state.name, state.name) for state in specification.states}
    found = {
        (names[edge.source], edge.event, names[edge.target])
        for edge in specification.transitions
        if edge.outcome == "returned"
    }
    assert found >= LIVES[name]
    kinds = {edge.event: edge.kind for edge in specification.transitions}
    assert {kind for event, kind in kinds.items() if event.startswith("time: ")} == {TransitionKind.TIME}


def test_storage_under_a_hash_of_arguments_is_the_entitys_own(third_party: Recorded) -> None:
    recording = third_party("timelock")
    guards = mine(recording.trace_file, abi=recording.artifact_file).specification.guards
    told = {
        function: {
            condition.text for guard in guards if guard.scope == function for condition in guard.conditions
        }
        for function in ("cancel", "execute", "executeBatch")
    }
    # where an operation's predecessor is looked at, too, the key tells which of the two is meant
    assert "_timestamps[id] != 0" in told["execute"]
    assert "now >= _timestamps[id]" in told["execute"]
    assert "predecessor = 0 or _timestamps[predecessor] = 1" in told["execute"]
    assert "_timestamps != 0" in told["cancel"]
    assert not [text for texts in told.values() for text in texts if "_timestamps[hash" in text]


def test_a_deadline_that_pays_is_told_though_a_single_state_would_refuse_nothing(
    third_party: Recorded,
) -> None:
    recording = third_party("subscriptions")
    specification = mine(recording.trace_file, abi=recording.artifact_file).specification
    names = {state.id: state.name for state in specification.states}
    steps = {
        (edge.event, names[edge.source], names[edge.target])
        for edge in specification.transitions
        if edge.outcome == "returned"
    }
    read = {source for event, source, _ in steps if event == "read"}
    assert read
    assert read <= {source for event, source, _ in steps if event == "time: paidUntil reached"}
    assert read.isdisjoint(target for event, _, target in steps if event == "time: paidUntil reached")


def test_a_deadline_that_is_forbidden_is_no_event_and_one_that_is_fixed_makes_the_same_again(
    third_party: Recorded,
) -> None:
    recording = third_party("vyper_purchases")
    found = mine(recording.trace_file, abi=recording.artifact_file)
    assert found.details is not None
    definition = found.details.tuning.chosen_point.definition
    assert definition.phases == ("until reached",)
    again = mine(
        recording.trace_file, abi=recording.artifact_file, options=MineOptions(definition=definition)
    )
    assert [state.name for state in again.specification.states] == [
        state.name for state in found.specification.states
    ]
    without = mine(
        recording.trace_file, abi=recording.artifact_file, options=MineOptions(forbid=("until reached",))
    )
    assert not any(edge.kind is TransitionKind.TIME for edge in without.specification.transitions)


@pytest.mark.parametrize(
    "name",
    [
        "dutch_auctions",
        "ens_controller",
        "insurance",
        "multisig",
        "payment_splitter",
        "presale",
        "rentals",
        "sealed_auction",
        "uups",
        "vesting",
        "vyper_auction",
        "vyper_purchases",
    ],
)
def test_entity_states_and_steps_are_as_written_down(
    name: str, third_party: Recorded, tmp_path: Path
) -> None:
    recording = third_party(name)
    mined = mine(recording.trace_file, abi=recording.artifact_file)
    lives = FollowedLives(recording=recording, life=written_life(name))
    found = agreement(lives, list(mined_events(mined, tmp_path)), mined.specification)
    assert found.split_found
    assert [state.name for state in found.states if not state.found] == []
    assert [step for step, there in found.steps.items() if not there] == []


def test_tokens_are_no_accounts(read: Read) -> None:
    context, _ = read("payment_splitter")
    kinds = [
        {context.locations.ports[port].name for port in item.ports} for item in sorts(context) if item.account
    ]
    assert {"_released[]", "_shares[]", "_erc20Released[][]"} <= kinds[0]
    assert kinds[1] == {"_erc20Released[]", "_erc20TotalReleased[]"}


def test_the_clock_may_be_told_by_another_contract(read: Read) -> None:
    context, _ = read("governor")
    followed = follow(context, execute(context)).values()
    found = state_conditions((item.decisions, item.wording) for item in followed)
    variables = context.locations.variables
    due = {
        tuple(variables[place.variable].text(None, place.field) for place, _ in item.stored_fields)
        for item in found
        if item.clock == "block"
    }
    assert {("_proposals[].voteStart",), ("_proposals[].voteStart", "_proposals[].voteDuration")} <= due


def test_what_is_set_once_is_a_number_in_conditions_on_an_entity(read: Read) -> None:
    context, _ = read("multisig")
    constants = deployment_constants(context)
    (place,) = (place for place, item in constants.items() if item.name == "owners.length")
    assert constants[place].value == 5
    entity = StoredField(variable=len(context.locations.variables), field=0)
    condition = StateCondition(
        stored_fields=((entity, 1), (place, -1)),
        clock="",
        factor=0,
        constant=0,
        comparison=ZeroComparison.NEGATIVE,
    )
    (told,) = with_constants([condition], constants, ())
    assert told.stored_fields == ((entity, 1),)
    assert (told.constant, told.constants) == (-5, ("owners.length",))
    assert with_constants([condition], constants, list(constants)) == (condition,)
