"""Short texts in slots are told as texts, in formulas that are read back and wherever values are shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer.decoding.slot_resolution import locate
from specminer.decoding.storage_layout import Layout
from specminer.decoding.storage_values import Key, short_text, text_word
from specminer.learning.abstraction_definition import Definition, parse
from specminer.learning.definition_toml import dump
from specminer.learning.event_table import EntityVariable, EventTable, ValueKind
from specminer.learning.tune import tune
from specminer.learning.tuning_result import Tuning
from specminer.learning.vocabulary import vocabulary
from specminer.predicate import Declaration, FormulaSort, Language, text
from specminer.predicate import parse as read
from specminer.specification.abstraction_entries import Tier
from tests.support.divisions import history_of
from tests.support.event_tables import table_of
from tests.support.histories import simulate

HOSTILE = 'a"\\|\n`\u202e) and '


def word_of(told: str) -> int:
    word = text_word(told)
    assert word is not None
    return word


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_slot_holds_a_text_of_up_to_31_bytes(told: str) -> None:
    word = text_word(told)
    if len(told.encode()) > 31:
        assert word is None
    else:
        assert word is not None
        assert short_text(word) == told
        assert word.to_bytes(32, "big")[31] == 2 * len(told.encode())


@given(st.integers(0, (1 << 256) - 1) | st.integers(0, 300))
def test_what_is_read_as_a_text_is_that_text(word: int) -> None:
    told = short_text(word)
    assert told is None or text_word(told) == word


@given(st.text(max_size=12) | st.sampled_from(["and", "a or b", '"', "\\u{41}", HOSTILE]))
def test_what_is_printed_is_read_and_shows_nothing_unseen(told: str) -> None:
    language = Language()
    symbol = language.declare(Declaration(name="status", sort=FormulaSort.TEXT))
    word = text_word(told)
    if word is None:
        return
    formula = language.equal(symbol, language.number(word))
    printed = text(language, formula)
    assert read(language, printed) is formula
    assert printed.isprintable()
    assert "|" not in printed


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        (word_of("Available"), "'Available'"),
        (0, "''"),
        (word_of("\x1b[31m"), repr("\\x1b[31m")),
        (2 * 1_000 + 1, "a text of 1,000 bytes"),
        (7, "0x" + "07".rjust(64, "0")),
        (0xFF << 248 | 2, "0x" + "ff".ljust(62, "0") + "02"),
        ((1 << 256) - 1, "0x" + "f" * 64),
    ],
)
def test_values_are_shown_to_people(word: int, shown: str) -> None:
    assert str(Key(word.to_bytes(32, "big"), ValueKind.TEXT)) == shown


def lockers() -> EventTable:
    """Lockers that are asked for and given or refused, with notes of many lengths."""
    lives: list[list[tuple[str, tuple[int, int]]]] = []
    for number in range(40):
        note = 2 * (40 + number % 3) + 1
        end = ("refuse", "Not given, and closed") if number % 3 else ("give", HOSTILE)
        lives.append(
            [
                (event, (word_of(status), note))
                for event, status in (("create", ""), ("ask", "Asked or so"), end)
            ]
        )
    return table_of(lives, [EntityVariable(name=name, kind=ValueKind.TEXT) for name in ("status", "note")])


def shown(tuning: Tuning) -> set[str]:
    return {literal for state in tuning.states for literal in state.predicates}


def test_states_are_told_by_texts_but_not_by_lengths() -> None:
    made = vocabulary(lockers(), Definition())
    texts = {predicate.text for predicate in made.predicates if predicate.tier is Tier.STORAGE}
    assert 'status = "Asked or so"' in texts
    assert not any(told.startswith("note = ") for told in texts)
    tuning = tune(lockers(), Definition(fix=tuple(sorted(told for told in texts if "note" not in told))))
    assert [state.name for state in tuning.states][:3] == [
        "start",
        "status not set",
        'status = "Asked or so"',
    ]
    assert all(literal.isprintable() for literal in shown(tuning))


def test_a_definition_joins_states_by_texts_that_look_like_formulas() -> None:
    fixed = ('status = "Not given, and closed"', 'status = "Asked or so"')
    joined = ('status != "Not given, and closed" and status != "Asked or so"',)
    definition = Definition(name="x", fix=fixed, only=True, merge=joined)
    tuning = tune(lockers(), definition)
    assert len(tuning.states) == 4
    again = tune(lockers(), parse(dump(tuning.chosen_point.definition), "again"))
    assert again.states == tuning.states
    either = replace(definition, fix=(f"nothing = 3 | {fixed[0]}", fixed[1]), merge=())
    assert set(tune(lockers(), either).chosen_point.definition.fix) == set(fixed)


def test_only_what_the_layout_calls_a_text_is_one() -> None:
    types = {
        "s": {"encoding": "bytes", "label": "string", "numberOfBytes": "32"},
        "f": {"encoding": "inplace", "label": "bytes32", "numberOfBytes": "32"},
    }
    storage = [
        {"label": name, "offset": 0, "slot": str(slot), "type": kind}
        for slot, (name, kind) in enumerate((("title", "s"), ("mark", "f")))
    ]
    history = history_of(simulate(1, 40))
    located = locate(history, Layout({"storage": storage, "types": types}, "test"))
    kinds = {item.text(None, 0): item.fields[0].kind for item in located.variables if not item.ports}
    assert kinds["title"] is ValueKind.TEXT
    assert kinds["mark"] is ValueKind.BYTES
