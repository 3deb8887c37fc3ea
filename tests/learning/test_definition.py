"""The abstraction's definition: what TOML says, and complaints that name file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError
from specminer.learning.abstraction_definition import MAX_BYTES, Definition, check_forms, default, load, parse
from specminer.learning.definition_toml import dump
from specminer.specification.abstraction_entries import HistoryView, RejectedCalls, Weights

SALE = """
name = "sale"
summary = "A token that is offered and bought"
applies_to = ["forSale(uint256)"]
[state]
fix = ["forSale = true"]
prefer = ["price = 0"]
forbid = ["State", "owner < seller"]
[events]
roles = false
rejected = "drop"
[names]
"forSale" = "for sale"
[weights]
transitions = 1
"""


def test_a_definition_says_what_its_toml_says() -> None:
    sale = parse(SALE, "sale.toml")
    assert sale == Definition(
        name="sale",
        summary="A token that is offered and bought",
        applies_to=("forSale(uint256)",),
        fix=("forSale = true",),
        prefer=("price = 0",),
        forbid=("State", "owner < seller"),
        roles=False,
        rejected=RejectedCalls.DROP,
        names={"forSale": "for sale"},
        weights=Weights(transitions=1.0),
    )
    assert parse(dump(sale), "again.toml") == sale


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(
    st.builds(
        Definition,
        name=TEXTS.filter(bool),
        summary=TEXTS,
        applies_to=st.lists(TEXTS, max_size=2).map(tuple),
        refines=st.none() | TEXTS.filter(bool),
        fix=st.lists(TEXTS, max_size=3).map(tuple),
        prefer=st.lists(TEXTS, max_size=2).map(tuple),
        forbid=st.lists(TEXTS, max_size=2).map(tuple),
        only=st.booleans(),
        merge=st.lists(TEXTS, max_size=2).map(tuple),
        history=st.sampled_from(HistoryView),
        roles=st.booleans(),
        rejected=st.sampled_from(RejectedCalls),
        called=st.dictionaries(TEXTS, TEXTS, max_size=2),
        drop=st.lists(TEXTS, max_size=2).map(tuple),
        phases=st.none() | st.lists(TEXTS, max_size=2).map(tuple),
        split=st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1, max_size=2).map(tuple), max_size=2),
        names=st.dictionaries(TEXTS, TEXTS, max_size=2),
        weights=st.builds(Weights, label=st.floats(0, 1e9), precision=st.floats(0, 10)),
    )
)
def test_what_is_written_is_read_as_the_same(definition: Definition) -> None:
    assert parse(dump(definition), "mine.toml") == definition


def test_the_shipped_default_is_the_default() -> None:
    shipped = default()
    assert shipped.weights == Weights()
    assert (shipped.fix, shipped.prefer, shipped.forbid) == ((), (), ())
    assert (shipped.roles, shipped.rejected) == (True, RejectedCalls.LOOP)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "name"),
        ("name = 3", "name"),
        ('name = "a"\nfixed = []', "fixed"),
        ('name = "a"\nstate = 1', "state"),
        ('name = "a"\n[state]\nforbidden = []', "state.forbidden"),
        ('name = "a"\n[state]\nfix = "paused"', "state.fix"),
        ('name = "a"\n[state]\nfix = [1]', "state.fix"),
        ('name = "a"\n[events]\nroles = 1', "events.roles"),
        ('name = "a"\n[events]\nrejected = "fold"', "events.rejected"),
        ('name = "a"\n[events]\nrejected = []', "events.rejected"),
        ('name = "a"\n[names]\npaused = 1', "names.paused"),
        ('name = "a"\n[weights]\nlabel = true', "weights.label"),
        ('name = "a"\n[weights]\nlabel = -1', "weights.label"),
        ('name = "a"\n[weights]\nlabel = nan', "weights.label"),
        ('name = "a"\n[weights]\nlabels = 1', "weights.labels"),
    ],
)
def test_complaints_name_the_file_and_the_key(text: str, key: str) -> None:
    with pytest.raises(FileFormatError) as caught:
        parse(text, "mine.toml")
    assert "mine.toml" in str(caught.value)
    assert f"'{key}'" in str(caught.value)
    assert caught.value.values["key"] == key


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"none\.toml"):
        load(tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(FileFormatError, match=r"binary\.toml"):
        load(binary)
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(
        FileFormatError, match=r"large\.toml is larger than 1 MiB; that is not an abstraction"
    ):
        load(large)
    with pytest.raises(FileFormatError, match="is not TOML"):
        parse("name = ", "mine.toml")


@pytest.mark.parametrize("text", ["((((((", "a =", "a b", ")", "not", "(a = 1", "a = 1 and", "= 1", "a = 1)"])
@pytest.mark.parametrize("key", ["fix", "merge"])
def test_what_has_no_form_of_a_predicate_is_told(key: str, text: str) -> None:
    definition = parse(f'name = "x"\n[state]\n{key} = [{text!r}]\n'.replace("'", '"'), "x.toml")
    with pytest.raises(FileFormatError, match=f"state.{key}"):
        check_forms(definition, "x.toml")


@pytest.mark.parametrize(
    "text", ["a", "not a", "a = 1", "(a < b) or not (c and d)", "x + 1 <= y * 2", "a = 0 | b = 0"]
)
def test_what_has_the_form_of_a_predicate_is_well_formed(text: str) -> None:
    check_forms(parse(f'name = "x"\n[state]\nfix = ["{text}"]\n', "x.toml"), "x.toml")


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000, "1" + "0" * 400, "-1"])
def test_numbers_that_are_no_weights_are_refused(number: str) -> None:
    with pytest.raises(FileFormatError):
        parse(f'name = "x"\n[weights]\nlabel = {number}\n', "x.toml")
    with pytest.raises(FileFormatError):
        parse(f"name = {number}\n", "x.toml")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_definition_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.toml"
    path.write_text('name = "x"\n', encoding=encoding)
    assert load(path).name == "x"
