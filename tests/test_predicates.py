"""Predicates: their text, their price, and that columns of them say what pySMT says."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer.predicate import (
    Columns,
    Declaration,
    Formula,
    FormulaError,
    Language,
    Sort,
    evaluate,
    negated_text,
    price,
    solver_name,
    text,
    unknown_text,
)

WORDS = (5, 0, 1, (1 << 256) - 1, 12)


class Auction:
    """A language with a few symbols."""

    def __init__(self) -> None:
        self.language = Language()
        declare = self.language.declare
        self.paused = declare(Declaration(name="paused", sort=Sort.BOOL))
        self.sold = declare(Declaration(name="sold", sort=Sort.BOOL))
        self.bid = declare(Declaration(name="bid", sort=Sort.NUMBER))
        self.least = declare(Declaration(name="least", sort=Sort.NUMBER))
        self.owner = declare(Declaration(name="owner", sort=Sort.ADDRESS))
        self.phase = declare(Declaration(name="phase", sort=Sort.NUMBER, members=("Open", "Closed")))
        self.delta = declare(Declaration(name="delta", sort=Sort.SIGNED))
        self.last = declare(Declaration(name="last", sort=Sort.NUMBER, members=("f", "g"), history=True))

    def equals(self, symbol: Formula, value: int) -> Formula:
        return self.language.equal(symbol, self.language.number(value))


def test_text_of_atoms_and_their_opposites() -> None:
    a = Auction()
    language = a.language
    for formula, shown, opposite, cost in [
        (a.paused, "paused", "not paused", 1.0),
        (a.equals(a.owner, 0), "owner = 0", "owner != 0", 1.0),
        (a.equals(a.owner, 255), f"owner = 0x{255:040x}", f"owner != 0x{255:040x}", 1.0),
        (a.equals(a.phase, 0), "phase = Open", "phase != Open", 1.0),
        (a.equals(a.phase, 9), "phase = 9", "phase != 9", 1.0),
        (a.equals(a.delta, (1 << 256) - 3), "delta = -3", "delta != -3", 1.0),
        (language.equal(a.bid, a.least), "bid = least", "bid != least", 1.5),
        (language.equal(a.paused, a.sold), "paused = sold", "paused != sold", 1.5),
        (language.less(a.bid, a.least), "bid < least", "bid >= least", 1.5),
        (language.at_most(a.bid, a.least), "bid <= least", "bid > least", 1.5),
        (a.equals(a.last, 1), "last = g", "last != g", 2.0),
        (language.truth(True), "true", "not true", 0.0),
    ]:
        assert text(language, formula) == shown
        assert negated_text(language, formula) == opposite
        assert price(language, formula) == cost


def test_text_of_compounds_keeps_their_structure() -> None:
    a = Auction()
    either = a.language.disjunction(a.paused, a.equals(a.bid, 0))
    both = a.language.conjunction(a.sold, either)
    assert text(a.language, both) == "sold and (paused or bid = 0)"
    assert negated_text(a.language, both) == "not (sold and (paused or bid = 0))"
    assert price(a.language, both) == 3.0
    assert unknown_text(a.language, a.equals(a.bid, 0)) == "bid unknown"


def test_names_are_free_text_and_languages_do_not_share_symbols() -> None:
    hostile = "'; DROP\n(assert |x|)\x1b[31m"
    first, second = Language(), Language()
    symbols = [language.declare(Declaration(name=hostile, sort=Sort.BOOL)) for language in (first, first)]
    assert symbols[0] is not symbols[1]
    assert text(first, symbols[0]) == hostile
    assert hostile not in str(symbols[0])
    with pytest.raises(FormulaError):
        text(second, symbols[0])


def test_signed_words_have_no_order() -> None:
    a = Auction()
    with pytest.raises(FormulaError, match="delta"):
        a.language.less(a.delta, a.bid)


def formulas(a: Auction) -> st.SearchStrategy[Formula]:
    language = a.language
    terms = st.sampled_from([a.bid, a.least, *(language.number(value) for value in (0, 3, 5, 1 << 256))])
    atoms = st.one_of(
        st.sampled_from([a.paused, a.sold, language.truth(True), language.truth(False)]),
        st.builds(language.equal, terms, terms),
        st.builds(language.less, terms, terms),
        st.builds(language.at_most, terms, terms),
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds(language.negation, inner),
            st.builds(language.equal, inner, inner),
            st.builds(language.conjunction, inner, inner, inner),
            st.builds(language.disjunction, inner, inner),
        ),
        max_leaves=8,
    )


@settings(deadline=None)
@given(st.data())
def test_columns_agree_with_substitution_row_by_row(data: st.DataObject) -> None:
    a = Auction()
    formula = data.draw(formulas(a))
    n = data.draw(st.integers(0, 6))
    column = st.lists(st.integers(-1, len(WORDS) - 1), min_size=n, max_size=n)
    symbols = (a.paused, a.sold, a.bid, a.least)
    rows = {symbol: np.array(data.draw(column), dtype=np.int64) for symbol in symbols}
    true, known = evaluate(formula, Columns.of(rows, WORDS, n))
    for row in range(n):
        values = {symbol: WORDS[rows[symbol][row]] for symbol in symbols if rows[symbol][row] >= 0}
        simplified = a.language.simplified(
            formula,
            {
                symbol: a.language.truth(word != 0)
                if symbol in (a.paused, a.sold)
                else a.language.number(word)
                for symbol, word in values.items()
            },
        )
        if len(values) == len(symbols):
            assert known[row]
        if known[row]:
            assert simplified is a.language.truth(bool(true[row]))
        else:
            assert not true[row]


def test_bool_columns_read_any_nonzero_word_as_true() -> None:
    a = Auction()
    rows = {a.paused: np.array([0, 1, -1])}
    true, known = evaluate(a.paused, Columns.of(rows, (3, 0), 3))
    assert (true.tolist(), known.tolist()) == ([True, False, False], [True, True, False])
    true, _ = evaluate(a.paused, Columns.of(rows, (3, 9), 3))
    assert true.tolist() == [True, True, False]


def test_a_symbol_without_a_column_is_refused() -> None:
    a = Auction()
    with pytest.raises(FormulaError, match="no column"):
        evaluate(a.paused, Columns.of({}, WORDS, 1))


@pytest.mark.skipif(solver_name() is None, reason="no solver is installed")
def test_equivalence_is_over_words() -> None:
    a = Auction()
    language = a.language
    below_one = language.less(a.bid, language.number(1))
    assert language.equivalent(below_one, a.equals(a.bid, 0)) is True
    assert language.equivalent(below_one, a.equals(a.bid, 1)) is False
    assert language.equivalent(language.at_most(a.bid, language.number((1 << 256) - 1)), language.truth(True))


def test_importing_prints_and_warns_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import specminer.predicate"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
