"""Laws of guards: what is shown says what was learned, and refuses no accepted call beyond what is counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from specminer.evm.code_constants import constants
from specminer.history.contract_history import MISSING
from specminer.inference.conjunctions import formula_of, simplify_clauses
from specminer.inference.guard_learning import ACCEPTED, LearnedClause, Learner, truth_of
from specminer.inference.guard_literals import Literal, LiteralEvaluator, Sign
from specminer.predicate import SymbolColumns, evaluate
from tests.support.situations import WORDS, codes, situation

rows = st.tuples(codes, codes, codes, codes)
literals = st.one_of(
    st.builds(
        lambda pair, sign: Literal(left=pair[0], sign=sign, right=pair[1]),
        st.sampled_from([(0, 1), (0, 2), (1, 2)]),
        st.sampled_from(Sign),
    ),
    st.builds(
        lambda left, sign, constant: Literal(left=left, sign=sign, constant=constant),
        st.integers(0, 2),
        st.sampled_from(Sign),
        st.sampled_from([0, 1, 3, 2**255, 2**256 - 1]),
    ),
    st.builds(lambda on: Literal(left=3, sign=Sign.EQUAL, constant=on), st.integers(0, 1)),
)
clauses = st.lists(
    st.lists(literals, min_size=1, max_size=3, unique=True).map(
        lambda found: LearnedClause(literals=tuple(found))
    ),
    max_size=5,
)


@given(clauses)
def test_a_simplified_guard_is_equivalent_to_its_source(found: list[LearnedClause]) -> None:
    meaning = LiteralEvaluator(situation([(0, 0, 0, 0)], [True]))
    short = simplify_clauses(meaning, found)

    assert len(short) <= len(found)
    assert meaning.language.equivalent(formula_of(meaning, found), formula_of(meaning, short)) is True


@given(st.lists(rows, min_size=1, max_size=12), literals)
def test_columns_and_formulas_agree(calls: list[tuple[int, ...]], literal: Literal) -> None:
    here = situation(calls, [True] * len(calls))
    meaning = LiteralEvaluator(here)
    columns = SymbolColumns.of(
        {
            symbol: term.codes.astype(np.int64)
            for symbol, term in zip(meaning.symbols, here.terms, strict=True)
        },
        WORDS,
        len(calls),
    )
    true, known = evaluate(meaning.formula(literal), columns)
    found = meaning.truth(literal)

    assert found.is_true.tolist() == true.tolist()
    assert found.is_known.tolist() == known.tolist()


@given(st.lists(st.tuples(rows, st.booleans(), st.integers(0, 2)), min_size=1, max_size=40))
def test_no_guard_refuses_more_accepted_calls_than_its_exceptions(
    calls: list[tuple[tuple[int, ...], bool, int]],
) -> None:
    here = situation([row for row, _, _ in calls], [accepted for _, accepted, _ in calls])
    cause = np.array([cause for _, _, cause in calls])
    meaning = LiteralEvaluator(here)
    learner = Learner(meaning, cause, constants(b"\x60\x05\x10"), np.ones(len(calls), dtype=np.bool_))
    found = learner.required_clauses({})

    for clause in found:
        truth = truth_of(meaning, clause.literals)
        refused = int(np.sum(truth.false & here.accepted))
        assert refused <= (1 - ACCEPTED) * int(np.sum(here.accepted))
        assert np.any(truth.false & ~here.accepted)
    assert found == learner.required_clauses({})


def test_a_condition_that_few_calls_suggest_is_none() -> None:
    here = situation([(1, 0, 0, 0), (0, 1, 0, 0)], [True, False])
    learner = Learner(
        LiteralEvaluator(here), np.zeros(2, dtype=np.int64), constants(b""), np.ones(2, dtype=np.bool_)
    )
    assert learner.required_clauses({}) == []


def test_an_unknown_value_neither_meets_nor_breaks_a_condition() -> None:
    meaning = LiteralEvaluator(situation([(0, 0, MISSING, 0)], [True]))
    truth = truth_of(meaning, (Literal(left=0, sign=Sign.LESS, right=2),))
    assert not truth.is_known.any()
    assert not truth.is_true.any()


def test_numbers_are_those_that_code_computes_with() -> None:
    # PUSH2 3600 DUP2 LT; PUSH1 9 JUMP; JUMPDEST at 9 is no number; PUSH2 500 is left to whatever follows
    code = bytes.fromhex("610e108110" + "600956" + "00" + "5b" + "6101f4")
    found = constants(code)
    assert 3600 in found.comparands
    assert 500 in found.handed_on
    assert 9 not in found
    assert found.between(7200, 60) == 3600
    assert found.between(1, 2) is None


def test_selectors_texts_data_and_the_stipend_are_no_numbers() -> None:
    dispatcher = "8063a9059cbb1461010057"  # DUP1 PUSH4 EQ PUSH2 JUMPI
    known = (
        "6364d9e6d3" + "8110"
    )  # a timestamp's size, compared as a bound, but the ABI knows it as a selector
    text = "68" + b"too poor!".hex() + "60b81b" + "5f52"  # PUSH9 text PUSH1 SHL PUSH0 MSTORE
    handed = "68" + b"too poor!".hex()  # the same, written to memory elsewhere
    stipend = "5a156108fc02"  # GAS ISZERO PUSH2 2300 MUL
    metadata = "00" + "61270f8110"  # behind STOP nothing leads on
    code = bytes.fromhex(dispatcher + known + text + handed + stipend + metadata)
    found = constants(code, [0x64D9E6D3])

    for number in (0xA9059CBB, 0x64D9E6D3, int.from_bytes(b"too poor!", "big"), 2300, 9999):
        assert number not in found


def test_a_bound_without_a_number_in_the_code_is_the_observed_interval() -> None:
    calls: list[tuple[int, ...]] = [(row % 3 + 2, 0, 0, 0) for row in range(60)]
    here = situation(calls, [row[0] < 4 for row in calls])
    meaning = LiteralEvaluator(here)
    every = np.ones(len(calls), dtype=np.bool_)
    (clause,) = Learner(
        meaning, np.zeros(len(calls), dtype=np.int64), constants(b""), every
    ).required_clauses({})
    (literal,) = clause.literals
    assert (literal.sign, literal.constant, literal.rejected) == (
        Sign.AT_MOST,
        2**255,
        2**256 - 1,
    )
