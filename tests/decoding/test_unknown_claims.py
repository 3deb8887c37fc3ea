"""Claims of a history some of whose values are unknown: they hold of the complete history, up to what they say."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from specminer.contracts.artifact import load
from specminer.contracts.probe import Getter
from specminer.decoding.getters import GetterReading, GetterStep
from specminer.decoding.storage_shapes import shapes
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING
from specminer.inference.guard_literals import Literal, LiteralEvaluator, Sign
from specminer.pipeline import Export, Rulebook, import_export, import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import mine
from specminer.pipeline.state import MineOptions, Mining
from specminer.sources.txlist import read_transactions
from specminer.specification import Template
from specminer.store import TraceStore
from tests.support.planting import Comparison, planted, staged
from tests.support.real import entangled_histories


@cache
def complete(name: str) -> Mining:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        return staged(store.history(record.chain_id, [record.address]), MineOptions())


@cache
def compared(name: str, seed: int, times: int) -> Comparison:
    return Comparison.of(complete(name).history, complete(name), random.Random(seed), times)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "seed", "times"), [("savings", 1, 3), ("token", 2, 10), ("escrow", 3, 60), ("savings", 4, 60)]
)
def test_every_claim_holds_of_the_complete_history(name: str, seed: int, times: int) -> None:
    assert list(compared(name, seed, times).broken()) == []


@pytest.mark.slow
def test_without_its_unknown_cases_what_is_said_would_not_hold() -> None:
    """The comparison can fail: without what is said to be unknown, some claims are false."""
    told = compared("savings", 4, 60)
    spec = told.unknown.specification
    silent = replace(
        told.unknown,
        invariants=[replace(item, unknown=0) for item in told.unknown.invariants],
        specification=replace(spec, states=tuple(replace(item, unknown=None) for item in spec.states)),
    )
    assert list(Comparison(unknown=silent, complete=told.complete).broken())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["savings", "escrow"])
def test_a_few_unknown_values_make_no_states_of_their_own(name: str) -> None:
    """Of states that a deadline tells apart where nothing depends on it any more, some more or fewer are joined."""
    for seed in range(3):
        history = planted(complete(name).history, random.Random(seed), 5)
        spec = mine(history, MineOptions()).specification
        assert not [text for state in spec.states for text in state.predicates if "unknown(" in text]
        assert len(spec.states) <= len(complete(name).specification.states) + 3


@pytest.mark.slow
def test_documents_say_how_many_cases_are_unknown() -> None:
    spec = compared("savings", 4, 60).unknown.specification
    assert any(item.unknown for item in spec.invariants)
    assert any(state.unknown for state in spec.states)
    assert all((item.unknown or 0) <= item.support for item in spec.invariants)
    assert all((edge.unknown or 0) <= edge.count for edge in spec.transitions)
    assert all(item.unknown is None for item in complete("savings").specification.invariants)


def test_what_a_call_found_and_is_not_known_is_in_doubt_and_not_absent() -> None:
    guards = complete("savings").guards.learned_guards
    meaning = next(item.meaning for item in guards.functions if item.meaning.situation.function == "withdraw")
    place = next(row for row, term in enumerate(meaning.situation.terms) if term.stored)
    term = meaning.situation.terms[place]
    looked = term.codes != MISSING
    doubtful = replace(
        meaning.situation,
        terms=tuple(
            replace(item, codes=np.full_like(term.codes, MISSING), doubtful=looked) if row == place else item
            for row, item in enumerate(meaning.situation.terms)
        ),
    )
    truth = LiteralEvaluator(doubtful).truth(Literal(left=place, sign=Sign.EQUAL, constant=0))
    assert not truth.is_known.any()
    assert np.array_equal(truth.is_doubtful, looked)


def test_a_variable_has_the_names_of_all_functions_that_read_exactly_it() -> None:
    def reading(name: str, width: int = 160) -> GetterReading:
        return GetterReading(
            getter=Getter(name=name, inputs=(("", "uint256"),), outputs=(("", "address"),)),
            output=0,
            values=1,
            root=3,
            steps=(GetterStep("mapping", 0, 0),),
            kind=ValueKind.ADDRESS,
            shift=0,
            width=width,
        )

    found = shapes([reading("cityIndexToOwner"), reading("ownerOf"), reading("lowOf", 8)])
    entry = found[3].mapping
    assert entry is not None
    (field,) = entry.fields[0].parts
    assert field.getters == ("cityIndexToOwner", "ownerOf")


@pytest.mark.slow
def test_a_claim_that_is_unknown_more_often_than_known_is_not_told() -> None:
    for item in compared("savings", 4, 60).unknown.invariants:
        assert item.unknown <= len(item.cases)
    told = next(item for item in complete("savings").invariants if item.template is Template.EFFECT)
    history = complete("savings").history
    assert told.tolerable(history)
    assert replace(told, unknown=len(told.cases)).tolerable(history)
    assert not replace(told, unknown=len(told.cases) + 1).tolerable(history)


@pytest.mark.real
@pytest.mark.slow
def test_a_token_of_which_some_owners_are_unknown_belongs_to_the_contract_or_to_a_user() -> None:
    folder = entangled_histories() / "CityToken"
    with TraceStore("sqlite://") as store:
        export = Export(transactions=read_transactions(folder / "txlist.json.gz"), origin="CityToken")
        import_export(store, export, Rulebook(chain_id=1), artifact=load(folder / "abi.json"))
        (contract,) = store.contracts()
        spec = mine(store.history(1, [contract.address]), MineOptions()).specification
    assert spec.interactions.sort is not None
    assert spec.interactions.sort.name == "_tokenId"
    states = {state.name: state for state in spec.states}
    assert set(states) == {"start", "owned by the contract", "owned by a user"}
    assert 0 < (states["owned by a user"].unknown or 0) < 100
    assert all((item.unknown or 0) <= item.support for item in spec.invariants)
