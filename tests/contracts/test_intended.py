"""What the datasets say of themselves beforehand holds in their traces: the split, the conditions, the attacks."""

from __future__ import annotations

import functools
import tomllib
from collections import Counter, defaultdict
from typing import Any

import pytest

from specminer.contracts.artifact import load
from specminer.contracts.interface import from_artifact
from specminer.history.trace import Invocation, InvocationKind
from specminer.pipeline.datasets import Dataset, dataset, list_datasets
from specminer.sources.tracefile import TraceFile
from tools.intended import Intended, intended, refusal
from tools.life import OUT_OF_GAS, ROLLED_BACK

MODES = {"partition", "projection", "instance", "whole", "sender"}
NAMES = [item.name for item in list_datasets()]

Calls = dict[tuple[bytes, int], tuple[str, str | None, Invocation]]


@functools.cache
def about(name: str) -> dict[str, Any]:
    return tomllib.loads((dataset(name).folder / "about.toml").read_text())


@functools.cache
def calls(name: str) -> Calls:
    """Return the invocations that can be events, with function and reason of the rejection."""
    found: Calls = {}
    item = dataset(name)
    interface = from_artifact(load(item.folder / "artifact.json"))
    reading = {each.name for each in interface.functions.values() if each.read_only}
    for path in item.trace_files:
        for transaction in TraceFile(path).transactions():
            for call in transaction.invocations:
                function = interface.function_name(call.kind, call.data)
                if call.kind is not InvocationKind.CONSTRUCTOR and function not in reading:
                    key = (bytes(transaction.hash), call.position)
                    found[key] = (function, refusal(call, interface), call)
    return found


@functools.cache
def split(name: str) -> Intended:
    return intended(dataset(name), about(name)["intended"]["mode"])


@pytest.mark.parametrize("name", NAMES)
def test_every_invocation_is_meant_for_something(name: str) -> None:
    meant = split(name)
    assert meant.mode in MODES
    members = Counter(member for group in meant.groups.values() for member in group)
    assert not meant.rest & members.keys()
    assert meant.rest | members.keys() == calls(name).keys()
    if meant.mode != "projection":
        assert set(members.values()) == {1}


@pytest.mark.parametrize("name", NAMES)
def test_the_listed_conditions_are_those_that_rejections_exercise(name: str) -> None:
    exercised = defaultdict(set)
    for function, reason, _ in calls(name).values():
        if reason not in (None, OUT_OF_GAS, ROLLED_BACK):
            exercised[function].add(reason)
    listed = about(name)["intended"]["requires"]
    assert {function: set(reasons) for function, reasons in listed.items()} == exercised
    assert all(condition.strip() for reasons in listed.values() for condition in reasons.values())


@pytest.mark.parametrize("name", NAMES)
def test_entities_are_named_by_arguments_that_exist(name: str) -> None:
    interface = from_artifact(load(dataset(name).folder / "artifact.json"))
    arguments = {each.name: set(each.arguments) for each in interface.functions.values()}
    called = {function for function, _, _ in calls(name).values()}
    for function, names in about(name)["intended"]["names"].items():
        assert function in called
        assert set(names) <= arguments[function] | {"sender", "new", "touched"}


@pytest.mark.parametrize("name", NAMES)
def test_arguments_name_the_entity_that_was_meant(name: str) -> None:
    """Where a rule says that one argument names the entity, it does."""
    interface = from_artifact(load(dataset(name).folder / "artifact.json"))
    entities = {member: entity for entity, group in split(name).groups.items() for member in group}
    for function, names in about(name)["intended"]["names"].items():
        if len(names) != 1 or names[0] in ("sender", "new", "touched"):
            continue
        for member, (called, _, call) in calls(name).items():
            if called == function and member in entities:
                value = interface.arguments(call.data)[names[0]]
                shown = f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
                assert entities[member].partition("=")[2].lower() == shown.lower()


@pytest.mark.parametrize("item", list_datasets(), ids=lambda item: str(item.name))
def test_histories_are_small_and_full(item: Dataset) -> None:
    assert sum(path.stat().st_size for path in item.trace_files) < 300_000
    rejected = sum(reason is not None for _, reason, _ in calls(item.name).values())
    assert len(calls(item.name)) >= 250
    assert 0.05 < rejected / len(calls(item.name)) < 0.5
    assert len(split(item.name).groups) >= 20


def lives(name: str) -> dict[str, list[tuple[str, Invocation, bool]]]:
    """Return each entity's accepted calls in the chain's order: function, call, whether it is the attack."""
    marked = set(about(name)["intended"]["marked"]["attack"])
    found: dict[str, list[tuple[str, Invocation, bool]]] = {}
    for entity, members in split(name).groups.items():
        accepted = ((member, *calls(name)[member]) for member in calls(name) if member in members)
        found[entity] = [
            (function, call, f"0x{member[0].hex()}" in marked)
            for member, function, reason, call in accepted
            if reason is None
        ]
    return found


def test_the_thief_of_the_savings_comes_back_while_he_is_paid() -> None:
    nested = {
        entity: sum(call.parent is not None and function == "close" for function, call, _ in life)
        for entity, life in lives("savings").items()
    }
    attacked = {entity for entity, life in lives("savings").items() if any(attack for _, _, attack in life)}
    assert {entity: count for entity, count in nested.items() if count} == dict.fromkeys(attacked, 6)
    assert len(attacked) == 1


def test_one_vault_is_initialised_a_second_time() -> None:
    times = {
        entity: [attack for function, _, attack in life if function == "initialize"]
        for entity, life in lives("vaults").items()
    }
    assert sum(any(each) for each in times.values()) == 1
    assert all(each in ([], [False], [False, True]) for each in times.values())


def test_one_job_is_paid_that_was_not_accepted() -> None:
    paid = {entity: life for entity, life in lives("tender").items() if any(f == "pay" for f, _, _ in life)}
    unaccepted = [life for life in paid.values() if "accept" not in [function for function, _, _ in life]]
    assert len(paid) > 20
    (life,) = unaccepted
    assert [function for function, _, attack in life if attack] == ["pay"]
    assert [function for function, _, _ in life][-2:] == ["award", "pay"]
