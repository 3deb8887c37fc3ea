"""Storage without a known variable is told by its place: nothing of it is lost, nothing is added."""

from __future__ import annotations

import pytest

from specminer._support.identifiers import readable
from specminer._support.numbered_names import numbered_names, spell_numbered_names, structs_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("now >= `mapping0[arg0]+4`", "now >= field 4 of mapping0[arg0]"),
        ("not `mapping0+4 reached`", "not field 4 of mapping0 reached"),
        ("`mapping0+5.bytes0to0` = 0", "byte 0 of field 5 of mapping0 = 0"),
        ("slot8.bytes0to13 > slot9.bits3to7", "bytes 0 to 13 of slot8 > bits 3 to 7 of slot9"),
        ("mapping6[sender] = slot1", "mapping6[sender] = slot1"),
        ("mapping3[·]' = 1", "mapping3' = 1"),
        ("`mapping2[sender]+1[arg0]` > 0", "entry arg0 of field 1 of mapping2[sender] > 0"),
        ("balances[`mapping1[id]+2`]", "balances[field 2 of mapping1[id]]"),
        ("slot0x" + "ab" * 32 + " = this", "slot0xabab…abab = this"),
    ],
)
def test_words_name_the_place_and_say_it_once(text: str, words: str) -> None:
    assert spell_numbered_names(text) == words
    assert spell_numbered_names(words) == words


@pytest.mark.parametrize(
    "text",
    [
        "slot0() = 1",
        "slot0.tick < 5",
        "mapping0[never closed",
        "`slot3 never closed",
        "timeslot3",
        "mapping3a",
        "slot5 + 1",
    ],
)
def test_what_is_no_such_name_stays(text: str) -> None:
    assert spell_numbered_names(text) == text


def test_entries_with_several_fields_have_a_first_one() -> None:
    structs = structs_of(["`mapping0[id]+4`", "mapping6[sender]"])
    assert structs == {("mapping0", 1)}
    assert spell_numbered_names("mapping0[id] = sender", structs) == "field 0 of mapping0[id] = sender"
    assert spell_numbered_names("mapping0 = sender", structs) == "field 0 of mapping0 = sender"
    assert spell_numbered_names("mapping6[sender] > 0", structs) == "mapping6[sender] > 0"
    assert spell_numbered_names("field 0 of mapping0[id]", structs) == "field 0 of mapping0[id]"


def test_people_read_the_place_of_a_variable_without_a_name() -> None:
    assert readable("mapping0[·]+5", set()) == "field 5 of mapping0"
    assert readable("mapping6[sender]", set()) == "mapping6[sender]"
    assert readable("slot5", set()) == "slot5"
    assert readable("tokenIndexToOwner[·]", set()) == "owner"


def test_hostile_texts_cost_no_more_than_reading_them() -> None:
    assert list(numbered_names("mapping0" + "[" * 19_000)) == []
    assert spell_numbered_names("mapping0[" * 2_000 + "]" * 2_000).startswith("mapping0[mapping0")
    assert spell_numbered_names("slot0x" + "a" * 20_000) == "slot0x" + "a" * 20_000
