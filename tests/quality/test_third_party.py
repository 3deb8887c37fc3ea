"""The histories of third-party contracts are what later tests count on; their conditions are well-formed and real."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import pytest
from eth_utils.crypto import keccak

from specminer.contracts.interface import Interface, from_artifact
from specminer.history.trace import OutcomeKind
from tests.support.third_party.catalogue import CONDITION_HISTORIES, CONDITIONS_ALONE, LIVES_ALONE
from tests.support.third_party.conditions import (
    CLOCK,
    ENTITY,
    ENVIRONMENT,
    FOLDER,
    Expectation,
    ExpectedContract,
    expected_contract,
    names_in,
    parsed,
)
from tests.support.third_party.recording import Recording, record

SIZES = range(200, 401)
"""Transactions of a history."""
LEAST_REJECTED = 0.25
"""Share of transactions that failed."""
SILENT = ""
"""The reason of a rejection that gives none."""

pytestmark = pytest.mark.slow
each_history = pytest.mark.parametrize("name", CONDITION_HISTORIES)
Recorded = Callable[[str], Recording]


@dataclass(slots=True)
class Tally:
    """What calls of each function came to; those that an outer call took back do not count."""

    interface: Interface
    variables: set[str]
    transactions: int = 0
    failed: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By function and reason."""
    aims: Counter[tuple[str, bool]] = field(default_factory=Counter)
    """By label and whether the transaction succeeded."""


@pytest.fixture(scope="module")
def tally(third_party: Recorded) -> Callable[[str], Tally]:
    return cache(lambda name: tallied(third_party(name)))


def tallied(recording: Recording) -> Tally:
    artifact, aims = recording.artifact(), recording.aims()
    layout = artifact.storage_layout or {"storage": []}
    result = Tally(from_artifact(artifact), {entry["label"] for entry in layout["storage"]})
    for transaction in recording.transactions():
        result.transactions += 1
        result.failed += not transaction.succeeded
        aim = aims.get("0x" + transaction.hash.hex())
        if aim is not None:
            result.aims[aim, transaction.succeeded] += 1
        for call in transaction.invocations:
            function = result.interface.function_name(call.kind, call.data)
            if call.outcome.accepted:
                result.accepted[function] += 1
            elif call.outcome.kind is not OutcomeKind.ROLLED_BACK:
                result.rejected[function, result.interface.cause(call.outcome.kind, call.outcome.data)] += 1
    return result


def raw(contract: ExpectedContract, reason: str) -> str:
    """Return a reason as the interface tells it, which does not know errors of other contracts."""
    signature = contract.errors.get(reason)
    return reason if signature is None else f"0x{keccak(text=signature)[:4].hex()}"


@each_history
def test_a_history_has_its_size_and_its_share_of_rejections(name: str, tally: Callable[[str], Tally]) -> None:
    counted = tally(name)
    assert counted.transactions in SIZES
    assert counted.failed >= LEAST_REJECTED * counted.transactions


@each_history
def test_every_exercised_condition_rejected_somebody(name: str, tally: Callable[[str], Tally]) -> None:
    counted, contract = tally(name), expected_contract(name)
    for function, entry in contract.functions.items():
        for condition in entry.conditions:
            if not condition.expected.exercised:
                continue
            reasons = [raw(contract, reason) for reason in condition.reasons] or [SILENT]
            assert sum(counted.rejected[function, reason] for reason in reasons) > 0, (
                function,
                condition.text,
            )
            if condition.aim is not None:
                assert counted.aims[condition.aim, False] > 0, condition.aim
                assert counted.aims[condition.aim, True] == 0, condition.aim


@each_history
def test_a_condition_that_nobody_broke_gave_no_reason(name: str, tally: Callable[[str], Tally]) -> None:
    counted, contract = tally(name), expected_contract(name)
    for function, entry in contract.functions.items():
        given = {reason for each in entry.conditions if each.expected.exercised for reason in each.reasons}
        for condition in entry.conditions:
            if condition.expected is Expectation.CODED:
                assert counted.accepted[function] > 0, (function, condition.text)
            if not condition.expected.exercised:
                for reason in set(condition.reasons) - given:
                    assert counted.rejected[function, raw(contract, reason)] == 0, (function, condition.text)


@each_history
def test_every_rejection_has_a_condition(name: str, tally: Callable[[str], Tally]) -> None:
    counted, contract = tally(name), expected_contract(name)
    for function, reason in counted.rejected:
        exercised = [each for each in contract.functions[function].conditions if each.expected.exercised]
        listed = {raw(contract, text) for each in exercised for text in each.reasons or (SILENT,)}
        assert reason in listed, (function, reason)
    called = {function for function in counted.accepted if function != "constructor"}
    assert called <= contract.functions.keys()


@each_history
def test_conditions_speak_of_what_the_contract_has(name: str, tally: Callable[[str], Tally]) -> None:
    counted, contract = tally(name), expected_contract(name)
    arguments = {each.name: set(each.arguments) for each in counted.interface.functions.values()}
    shared = ENVIRONMENT | contract.names.keys() | counted.variables
    for function, entry in contract.functions.items():
        known = shared | entry.names.keys() | arguments.get(function, set())
        for condition in entry.conditions:
            assert names_in(condition.parsed()) <= known, (function, condition.text)
    for text in contract.life.states.values() if contract.life is not None else ():
        assert names_in(parsed(text)) <= shared | {ENTITY}, text


@each_history
def test_lives_are_of_listed_states_and_functions(name: str) -> None:
    contract = expected_contract(name)
    if contract.life is None:
        assert name in (*LIVES_ALONE, *CONDITIONS_ALONE)
        return
    bare = {function.partition("(")[0] for function in contract.functions}
    for source, event, target in contract.life.transitions:
        assert {source, target} <= contract.life.states.keys()
        assert event.startswith(CLOCK) or event.split()[0] in bare


def test_every_history_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(CONDITION_HISTORIES)


def test_a_seed_gives_the_same_bytes(third_party: Recorded, tmp_path_factory: pytest.TempPathFactory) -> None:
    (again,) = record("weth9", tmp_path_factory.mktemp("again"))
    before = third_party("weth9")
    for first, second in zip(before.files, again.files, strict=True):
        assert first.read_bytes() == second.read_bytes()
