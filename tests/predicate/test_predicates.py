"""Predicates: their text, their price, and that columns of them say what pySMT says."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysmt.logics import QF_NIA

from specminer.decoding.storage_values import text_word
from specminer.predicate import (
    Declaration,
    Formula,
    FormulaError,
    FormulaSort,
    Language,
    SymbolColumns,
    contradictory,
    entails,
    evaluate,
    negated_text,
    normalise,
    parse,
    price,
    solver_name,
    text,
    unknown_text,
)
from specminer.predicate.smt import logic_of
from tests.support.extras import NO_SOLVER

AVAILABLE = int.from_bytes(b"Available".ljust(31, b"\0") + b"\x12", "big")
WORDS = (5, 0, 1, (1 << 256) - 1, -3)


class Auction:
    """A language with a few symbols."""

    def __init__(self) -> None:
        self.language = Language()
        declare = self.language.declare
        self.paused = declare(Declaration(name="paused", sort=FormulaSort.BOOL))
        self.sold = declare(Declaration(name="sold", sort=FormulaSort.BOOL))
        self.bid = declare(Declaration(name="bid", sort=FormulaSort.NUMBER))
        self.least = declare(Declaration(name="least", sort=FormulaSort.NUMBER))
        self.owner = declare(Declaration(name="owner", sort=FormulaSort.ADDRESS))
        self.phase = declare(Declaration(name="phase", sort=FormulaSort.NUMBER, members=("Open", "Closed")))
        self.delta = declare(Declaration(name="delta", sort=FormulaSort.SIGNED))
        self.status = declare(Declaration(name="status", sort=FormulaSort.TEXT))
        self.last = declare(
            Declaration(name="last", sort=FormulaSort.NUMBER, members=("f", "g"), history=True)
        )

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
        (a.equals(a.delta, -3), "delta = -3", "delta != -3", 1.0),
        (language.equal(a.bid, a.least), "bid = least", "bid != least", 1.5),
        (language.equal(a.paused, a.sold), "paused = sold", "paused != sold", 1.5),
        (language.less(a.bid, a.least), "bid < least", "bid >= least", 1.5),
        (language.at_most(a.bid, a.least), "bid <= least", "bid > least", 1.5),
        (a.equals(a.status, 0), 'status = ""', 'status != ""', 1.0),
        (a.equals(a.status, AVAILABLE), 'status = "Available"', 'status != "Available"', 1.0),
        (a.equals(a.status, 85), "status = 85", "status != 85", 1.0),  # a longer text: its length alone
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
    assert unknown_text(a.language, a.equals(a.bid, 0)) == "unknown(bid = 0)"


def test_names_are_free_text_and_languages_do_not_share_symbols() -> None:
    hostile = "'; DROP\n(assert |x|)\x1b[31m"
    first, second = Language(), Language()
    symbol = first.declare(Declaration(name=hostile, sort=FormulaSort.BOOL))
    assert text(first, symbol) == f"`{hostile}`"
    assert hostile not in str(symbol)
    with pytest.raises(FormulaError):
        text(second, symbol)
    with pytest.raises(FormulaError, match="twice"):
        first.declare(Declaration(name=hostile, sort=FormulaSort.NUMBER))


def formulas(a: Auction) -> st.SearchStrategy[Formula]:
    language = a.language
    constants = [language.number(value) for value in (-1, 0, 1, 3, 5, 1 << 256)]
    held = st.text(max_size=8).map(text_word).filter(lambda word: word is not None)
    single = st.one_of(
        st.sampled_from([a.bid, a.least, a.delta, a.owner, a.phase, a.status, *constants]),
        held.map(lambda word: language.number(int(word or 0))),
    )
    variables = st.sampled_from([a.bid, a.least, a.delta])
    product = st.builds(language.times, variables, variables)
    terms = st.one_of(
        single,
        product,
        st.builds(language.plus, variables, st.one_of(variables, product, st.sampled_from(constants[3:5]))),
        st.builds(language.times, variables, st.builds(language.plus, variables, variables)),
    )
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
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: language.conjunction(*parts)),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: language.disjunction(*parts)),
        ),
        max_leaves=8,
    )


@given(st.data())
def test_columns_agree_with_substitution_row_by_row(data: st.DataObject) -> None:
    a = Auction()
    formula = data.draw(formulas(a))
    n = data.draw(st.integers(0, 6))
    column = st.lists(st.integers(-1, len(WORDS) - 1), min_size=n, max_size=n)
    symbols = (a.paused, a.sold, a.bid, a.least, a.delta, a.owner, a.phase, a.status)
    rows = {symbol: np.array(data.draw(column), dtype=np.int64) for symbol in symbols}
    true, known = evaluate(formula, SymbolColumns.of(rows, WORDS, n))
    for row in range(n):
        values = {symbol: WORDS[rows[symbol][row]] for symbol in symbols if rows[symbol][row] >= 0}
        simplified = a.language.simplify(
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
    true, known = evaluate(a.paused, SymbolColumns.of(rows, (3, 0), 3))
    assert (true.tolist(), known.tolist()) == ([True, False, False], [True, True, False])
    true, _ = evaluate(a.paused, SymbolColumns.of(rows, (3, 9), 3))
    assert true.tolist() == [True, True, False]


def test_a_symbol_without_a_column_is_refused() -> None:
    a = Auction()
    with pytest.raises(FormulaError, match="no column"):
        evaluate(a.paused, SymbolColumns.of({}, WORDS, 1))


NAMES = st.one_of(
    st.text(min_size=1, max_size=6),
    st.sampled_from(
        ["and", "not", "true", "a.b", "a[0].c", "seen(f)", "not(a)", "a b", "`", "\\", "0x1", "x'"]
    ),
)


@given(st.data())
def test_what_is_printed_is_read_as_the_same_formula(data: st.DataObject) -> None:
    a = Auction()
    formula = data.draw(formulas(a))
    assert parse(a.language, text(a.language, formula)) is formula
    assert parse(a.language, negated_text(a.language, formula)) is a.language.negation(formula)


@given(st.lists(NAMES, min_size=2, max_size=5, unique=True), st.data())
def test_whatever_variables_and_values_are_called(names: list[str], data: st.DataObject) -> None:
    language = Language()
    members = tuple(data.draw(st.lists(NAMES, max_size=4)))
    sorts = [data.draw(st.sampled_from(FormulaSort)) for _ in names]
    symbols = [
        language.declare(
            Declaration(name=name, sort=sort, members=() if sort is FormulaSort.BOOL else members)
        )
        for name, sort in zip(names, sorts, strict=True)
    ]
    for symbol in symbols:
        constant = language.number(data.draw(st.integers(-2, 1 << 200)))
        atom = symbol if language.is_boolean(symbol) else language.equal(symbol, constant)
        for formula in (atom, language.negation(atom), language.conjunction(atom, language.truth(True))):
            assert parse(language, text(language, formula)) is formula


def test_people_may_write_comparisons_either_way() -> None:
    a = Auction()
    for written, meant in [
        ("paused = true", "paused"),
        ("paused == false", "not paused"),
        ("0 = bid", "bid = 0"),
        ("bid > 0", "bid != 0"),
        ("bid >= 1", "bid != 0"),
        ("bid < 1", "bid = 0"),
        ("least > bid", "bid < least"),
        ("bid <= least", "least >= bid"),
        ("least = bid", "bid = least"),
        ("(((paused)))and not(sold)", "paused and not sold"),
        ("phase = Closed or phase = 0", "phase = 1 or phase = Open"),
        ("delta > -3", "not (delta <= -3)"),
        ("owner = 0xFF", "owner = 255"),
        ("status = 0", 'status = ""'),
        ('"Available" != status', 'not status = "\\u{41}vailable"'),
    ]:
        read = [normalise(a.language, parse(a.language, line)) for line in (written, meant)]
        assert read[0] is read[1], written


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "expected a variable"),
        ("paused and", "expected a variable"),
        ("paused sold", "expected 'and', 'or' or the end at character 8"),
        ("(paused", r"expected '\)'"),
        ("bid", "'bid' is a number; compare it"),
        ("3", "the number 3"),
        ("bid = paused", "truth value"),
        ("paused < sold", "truth value"),
        ("phase = Opened", "near are 'Open'"),
        ('bid = "five"', "a text at character 7, but 'bid' holds none"),
        ('"a" = "b"', "what it is compared with holds none"),
        ('"a"', "the text a"),
        ('status = "' + "x" * 32 + '"', "more than 31 bytes"),
        ('status = "a', "cannot read"),
        (r'status = "\u{110000}"', "no character has the number 110000"),
        ("pausd", "nothing is called 'pausd'.*near are 'paused'"),
        ("bid = 0x", "cannot read"),
        ("bid # 3", "cannot read '# 3'"),
        ("`bid", "cannot read"),
        ("(" * 1000 + "paused" + ")" * 1000, "parentheses"),
        ("not " * 2000 + "paused", "parentheses and negations"),
        ("x" * 20_000, "20,000 characters"),
        ("unknown(bid = 0)", "expected a variable"),
    ],
)
def test_what_cannot_be_read_is_explained(written: str, complaint: str) -> None:
    with pytest.raises(FormulaError, match=complaint):
        parse(Auction().language, written)


@given(st.data())
def test_the_normal_form_keeps_the_values(data: st.DataObject) -> None:
    a = Auction()
    formula = data.draw(formulas(a))
    normal = normalise(a.language, formula)
    assert normalise(a.language, normal) is normal
    assert parse(a.language, text(a.language, normal)) is normal
    if solver_name() is not None:
        same = a.language.equivalent(formula, normal)
        assert same or (same is None and logic_of(formula) is QF_NIA)


def literals(a: Auction) -> st.SearchStrategy[Formula]:
    language = a.language
    constants = [language.number(value) for value in (-1, 0, 1, 2)]
    variables = st.sampled_from([a.bid, a.least, a.delta])
    single = st.one_of(variables, st.sampled_from(constants))
    terms = st.one_of(single, st.builds(language.plus, variables, single))
    atoms = st.one_of(
        st.sampled_from([a.paused, a.sold]),
        st.just(language.equal(a.paused, a.sold)),
        st.builds(language.equal, terms, terms),
        st.builds(language.less, terms, terms),
        st.builds(language.at_most, terms, terms),
    )
    return st.one_of(atoms, atoms.map(language.negation))


@pytest.mark.skipif(solver_name() is None, reason=NO_SOLVER)
@given(st.data())
def test_what_is_called_contradictory_is(data: st.DataObject) -> None:
    a = Auction()
    drawn = data.draw(st.lists(literals(a), max_size=5))
    if contradictory(a.language, drawn):
        assert a.language.satisfiable(a.language.conjunction(*drawn)) is False


def test_entailment_needs_no_solver() -> None:
    a = Auction()
    for premises, conclusion in [
        (["phase = Closed"], "phase != Open"),
        (["bid = 5"], "bid != 0"),
        (["bid < least"], "least != 0"),
        (["bid = least", "least = 0"], "bid = 0"),
        (["bid != 0", "bid < 2"], "bid = 1"),
        (["paused", "paused = sold"], "sold"),
        (["not paused", "paused != sold"], "sold"),
        (["bid < least", "least <= delta"], "bid < delta"),
    ]:
        read = [parse(a.language, line) for line in premises]
        assert entails(a.language, read, parse(a.language, conclusion)), conclusion
        if solver_name() is not None:
            denied = [a.language.negation(premise) for premise in read]
            assert a.language.valid(a.language.disjunction(*denied, parse(a.language, conclusion)))
    assert not entails(a.language, [parse(a.language, "phase != Open")], parse(a.language, "phase = Closed"))


@pytest.mark.skipif(solver_name() is None, reason=NO_SOLVER)
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
