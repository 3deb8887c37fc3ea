"""Stored enums are told by the names of their values, wherever the artifact, an explorer or the source has these."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest

from specminer.contracts.artifact import Artifact, parse
from specminer.contracts.interface import from_artifact, selector
from specminer.decoding import decode
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import History
from specminer.history.trace import Outcome, OutcomeKind
from specminer.learning.abstraction_definition import Definition
from specminer.pipeline import MineOptions, import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import mine
from specminer.specification import Specification
from specminer.store import TraceStore

ESCROW = dataset("escrow")
MEMBERS = ("None", "Funded", "Shipped", "Disputed", "Paid", "Refunded")


@cache
def history() -> History:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, ESCROW.traces)
        return store.history(record.chain_id, [record.address])


def artifact(*, source: bool = True, layout: bool = True) -> Artifact:
    """Return the dataset's artifact, with the source that is shipped beside it, and with or without the layout."""
    document: dict[str, Any] = msgspec.json.decode((ESCROW.folder / "artifact.json").read_bytes())
    if not layout:
        document.pop("storageLayout")
    document.pop("enums")
    if source:
        document["source"] = (ESCROW.folder / "Escrow.sol").read_text()
    return parse(msgspec.json.encode(document), "test")


@cache
def mined(*, source: bool, fixed: tuple[str, ...] = ()) -> Specification:
    definition = Definition(fix=fixed, only=True) if fixed else None
    return mine(history(), MineOptions(definition=definition), artifact=artifact(source=source)).specification


def enums(given: Artifact) -> dict[str, tuple[str, ...]]:
    """Return the variables that have names for their values."""
    context = decode(history(), given)
    return {
        variable.text(None, place): field.members
        for variable in context.locations.variables
        for place, field in enumerate(variable.fields)
        if field.members and field.kind is ValueKind.ENUM
    }


def test_the_layout_says_which_enum_it_is() -> None:
    assert list(enums(artifact()).values()) == [MEMBERS]


def test_a_getter_says_which_enum_it_is_where_there_is_no_layout() -> None:
    assert list(enums(artifact(layout=False)).values()) == [MEMBERS]


def test_without_the_source_nothing_is_made_up() -> None:
    assert enums(artifact(source=False)) == {}


def test_a_name_that_means_something_else_too_is_not_said() -> None:
    given = artifact()
    clashing = replace(
        given, enums={"Escrow.Status": ("None", "Funded", "Shipped", "sender", "Paid", "Refunded")}
    )
    assert enums(clashing) == {}


def test_states_and_guards_say_the_names() -> None:
    named, numbered = mined(source=True), mined(source=False)
    assert {state.name.split(",")[0] for state in named.states} == {
        "start",
        *(f"status {member.lower()}" for member in MEMBERS[1:]),
    }
    assert {predicate for state in named.states for predicate in state.predicates} >= {
        f"deals[·].status = {member}" for member in MEMBERS[1:]
    }
    (ship,) = [guard for guard in named.guards if guard.scope == "ship" and guard.text]
    assert "status = Funded" in ship.text
    assert [(edge.source, edge.event, edge.target, edge.count) for edge in named.transitions] == [
        (edge.source, edge.event, edge.target, edge.count) for edge in numbered.transitions
    ]


def test_what_calls_write_and_tell_is_named_the_numbers_stay_for_programs() -> None:
    named, numbered = mined(source=True), mined(source=False)
    (ship,) = [item for item in named.effects if item.text == "deals[dealId].status' = Shipped"]
    assert (ship.function, ship.expression) == ("ship", "2")
    logged = {item.text for item in named.effects if item.text.startswith("logs Moved")}
    assert "logs Moved(dealId, Shipped)" in logged
    claims = {item.text for item in named.invariants if "status' = " in item.text}
    assert "ship: deals[dealId].status' = Shipped" in claims
    assert len(claims) == len({item.text for item in numbered.invariants if "status' = " in item.text})


@pytest.mark.parametrize("value", ["2", "Shipped"])
def test_a_definition_may_say_the_number_or_the_name(value: str) -> None:
    told = mined(source=True, fixed=(f"deals[·].status = {value}",))
    assert {predicate for state in told.states for predicate in state.predicates} == {
        "deals[·].status = Shipped",
        "deals[·].status != Shipped",
    }


def test_values_of_errors_that_are_enums_are_named() -> None:
    (entry,) = [item for item in artifact().abi if item.name == "WrongStatus"]
    data = selector(entry) + (1).to_bytes(32, "big") + (9).to_bytes(32, "big")
    thrown = Outcome(kind=OutcomeKind.REVERTED, data=data)
    assert from_artifact(artifact()).reason(thrown) == "WrongStatus(Funded, 9)"
    assert from_artifact(artifact(source=False)).reason(thrown) == "WrongStatus(1, 9)"
