"""What is dropped because it follows from the rest does follow, and nothing is dropped without a solver's word."""

from __future__ import annotations

import importlib
from functools import cache

import pytest
import z3
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.inference.state_formulas import StateSpace, follows
from specminer.learning.abstraction_definition import Definition
from specminer.learning.tune import tune
from specminer.pipeline.mining import MiningResult
from specminer.predicate import (
    Declaration,
    Formula,
    FormulaSort,
    Language,
    contradictory,
    entails,
    solver_name,
)
from specminer.predicate.smt import is_satisfiable
from specminer.predicate.smtlib import script
from specminer.specification import (
    ClaimKind,
    GuardKind,
    ObligationSubject,
    Proof,
    SolverAnswer,
    Specification,
    SymbolSort,
)
from tests.support.event_tables import life_cycle
from tests.support.extras import NO_SOLVER
from tests.support.mined import mined

pytestmark = pytest.mark.slow

NAMES = ("loans", "vaults", "nft_market")


@cache
def spec_of(name: str) -> Specification:
    return mined(name).specification


def term(text: str, symbols: dict[str, SymbolSort]) -> z3.BoolRef:
    """Return an SMT-LIB term that z3 read by itself."""
    declared = [
        f"(declare-fun {name} () {sort.value.removeprefix('Signed ')})" for name, sort in symbols.items()
    ]
    declared += [f"(assert (<= 0 {name}))" for name, sort in symbols.items() if sort is SymbolSort.WORD]
    return z3.And(z3.parse_smt2_string("\n".join([*declared, f"(assert {text})"])))


@pytest.mark.parametrize("name", NAMES)
def test_a_transition_tells_what_does_not_follow_from_its_state(name: str) -> None:
    spec = spec_of(name)
    claims = {item.claim for item in spec.obligations if item.about is ObligationSubject.TRANSITION}
    dropped = 0
    for edge in spec.transitions:
        if edge.condition is None:
            continue
        parts = edge.condition.parts
        told = [part for part in parts if part.kind is not GuardKind.CODED]
        kept = [part.here or part.text for part in told if not part.follows_from]
        assert edge.condition.text == edge.guard
        assert edge.guard == (" and ".join(_wrapped(text, len(kept)) for text in kept) or "true")
        for part in parts:
            if part.follows_from:
                dropped += 1
                assert part.proved is Proof.YES
                assert f"'{part.text}' follows from {part.follows_from}" in claims
    assert dropped > 0


def _wrapped(text: str, count: int) -> str:
    return f"({text})" if count > 1 and " or " in text else text


@pytest.mark.parametrize("name", NAMES)
def test_every_obligation_is_settled_by_z3_alone(name: str) -> None:
    obligations = spec_of(name).obligations
    assert {item.about for item in obligations} >= set(ObligationSubject) - {ObligationSubject.SIBLINGS}
    for item in obligations:
        solver = z3.Solver()
        solver.from_string(item.script)
        assert str(solver.check()) == item.expected.value == item.answer.value


@pytest.mark.parametrize("name", NAMES)
def test_what_is_dropped_is_told_nowhere_else(name: str) -> None:
    spec = spec_of(name)
    told = {(item.scope, item.text) for item in spec.guards}
    claims = {item.text for item in spec.invariants}
    assert spec.redundant
    for item in spec.redundant:
        assert item.proved is Proof.YES
        assert item.because
        if item.of is ClaimKind.GUARD:
            assert (item.scope, item.text) not in told
        else:
            assert item.text not in claims


def test_without_a_solver_what_is_dropped_is_the_same_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph of differences decides what follows, so that only the marks differ."""
    proved = spec_of("vaults")
    for module in (
        "predicate.smt",
        "inference.guard_proofs",
        "inference.competing_transitions",
        "learning.description",
        "learning.tune",
    ):
        monkeypatch.setattr(importlib.import_module(f"specminer.{module}"), "solver_name", lambda: None)
    again = mined.__wrapped__("vaults").specification
    assert [edge.guard for edge in again.transitions] == [edge.guard for edge in proved.transitions]
    assert [(item.text, item.because) for item in again.redundant] == [
        (item.text, item.because) for item in proved.redundant
    ]
    assert {item.proved for item in again.redundant} == {Proof.UNPROVED}
    assert {item.answer for item in again.obligations} == {SolverAnswer.UNPROVED}


@pytest.mark.parametrize("name", NAMES)
def test_states_exclude_each_other(name: str) -> None:
    """All but the root, of which nothing is known; what is unknown in a state is left out of it."""
    spec = spec_of(name)
    terms = {
        state.id: term(str(state.smt), spec.symbols) for state in spec.states if state.id != spec.initial
    }
    for one in terms:
        for other in terms:
            solver = z3.Solver()
            solver.add(terms[one], terms[other])
            assert str(solver.check()) == ("sat" if one == other else "unsat")


def test_every_observed_valuation_is_in_its_state() -> None:
    found: MiningResult = mined("loans")
    tuning = found.tuning
    space = StateSpace(tuning)
    for state in tuning.states[1:]:
        inside = [row for row in range(tuning.graph.states) if tuning.chosen_point.blocks[row] == state.id]
        for finest in inside:
            literals = [
                item.formula if value == 1 else space.language.negation(item.formula)
                for item, value in zip(tuning.vocabulary, tuning.graph.valuations[:, finest], strict=True)
                if value in (0, 1)
            ]
            both = space.language.conjunction(space.formula(state.id), *literals)
            assert space.language.satisfiable(both)


def _language() -> tuple[Language, list[Formula]]:
    language = Language()
    symbols = [language.declare(Declaration(name=name, sort=FormulaSort.NUMBER)) for name in ("a", "b", "c")]
    return language, symbols


@settings(max_examples=60)
@given(st.data())
@pytest.mark.skipif(solver_name() is None, reason=NO_SOLVER)
def test_what_is_said_to_follow_in_every_cube_does(data: st.DataObject) -> None:
    language, symbols = _language()
    terms = st.sampled_from([*symbols, language.number(0), language.number(2)])
    atoms = st.one_of(st.builds(language.equal, terms, terms), st.builds(language.less, terms, terms))
    literals = st.one_of(atoms, atoms.map(language.negation))
    cubes = data.draw(st.lists(st.lists(literals, max_size=3), min_size=1, max_size=3))
    facts = data.draw(st.lists(literals, max_size=2))
    conclusion = data.draw(st.lists(literals, min_size=1, max_size=2))
    if follows(language, cubes, facts, conclusion):
        premise = language.conjunction(
            language.disjunction(*(language.conjunction(*cube) for cube in cubes)), *facts
        )
        assert language.valid(language.disjunction(language.negation(premise), *conclusion))


def test_a_sum_is_not_less_than_its_parts() -> None:
    language, (a, b, c) = _language()
    whole = language.plus(b, c)
    at_least = language.negation(language.less(a, whole))
    assert entails(language, [at_least], language.negation(language.less(a, b)))
    assert not entails(language, [language.negation(language.less(a, b))], at_least)
    assert contradictory(language, [at_least, language.less(a, c)])
    later = language.plus(b, language.number(5))
    assert entails(language, [language.negation(language.less(a, later))], language.less(b, a))


def test_products_are_asked_in_a_logic_that_has_them() -> None:
    language, (a, b, c) = _language()
    product = language.equal(a, language.times(b, c))
    assert language.satisfiable(product)
    text = script(language, [product, language.equal(b, language.number(2))])
    assert "(set-logic QF_NIA)" in text
    assert is_satisfiable(text) is True


def test_the_abstraction_that_was_fixed_is_not_joined() -> None:
    tuned = tune(life_cycle(), Definition())
    fixed = tune(life_cycle(), Definition(fix=tuple(item.text for item in tuned.vocabulary[:3]), only=True))
    assert len(fixed.front) == 1
    assert fixed.chosen_point.merged_states == ()
