"""What is spelled as SMT-LIB is read back as what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.predicate.syntax import apply, assertion, declaration, is_quotable, number, symbol
from tools.meaning import normal_form


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (7, "7"), (-7, "(- 7)"), (2**256, str(2**256))])
def test_negative_numbers_are_applications(value: int, text: str) -> None:
    assert number(value) == text


def test_terms_and_commands() -> None:
    old, new = symbol("owner of [id]"), symbol("owner of [id]", after=True)
    assert apply("=", new, old) == "(= |owner of [id]'| |owner of [id]|)"
    assert declaration(old, "Int") == "(declare-fun |owner of [id]| () Int)"
    assert assertion(apply("<", number(-1), old)) == "(assert (< (- 1) |owner of [id]|))"


@given(st.text())
def test_every_name_makes_one_symbol(name: str) -> None:
    text = symbol(name, after=True)
    assert (text == f"|{name}'|") == is_quotable(name)
    (term,) = normal_form(apply("f", text, text))
    assert len(term) == 3
    assert isinstance(term[1], str)
