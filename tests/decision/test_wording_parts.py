"""Pieces of wordings by hand: how slots are computed, what data is called, what bytes are put together from."""

from __future__ import annotations

from eth_abi.abi import encode

from specminer.contracts.interface import InterfaceFunction
from specminer.decision.answer_terms import open_parts
from specminer.decision.argument_names import MAX_WORDS, ArgumentNames, read_type
from specminer.decision.constant_names import ConstantNames, digits
from specminer.decision.slot_paths import ArrayIndex, MappingKey, index_of, slot_path
from specminer.decoding.storage_values import ValueKind
from specminer.decoding.usual_keys import hashed_text
from specminer.shadow.arena import Arena


def keccak_of(arena: Arena, *nodes: int) -> int:
    node = arena.parts("keccak", tuple((item, 0, 32) for item in nodes))
    assert node is not None
    return node


def test_slots_of_either_compiler_lead_to_their_root() -> None:
    arena = Arena()
    key, inner, index = (arena.node("calldata", offset) for offset in (4, 36, 68))
    base, array = arena.constant(7), arena.constant(hashed_text("a namespace"))
    solidity = keccak_of(arena, inner, keccak_of(arena, key, base))
    vyper = keccak_of(arena, keccak_of(arena, base, key), inner)
    for node, key_last in ((solidity, False), (vyper, True), (solidity, True), (vyper, False)):
        path = slot_path(arena, node, key_last=key_last)
        assert path is not None
        assert path.root == 7
        assert path.steps == tuple(MappingKey(parts=((item, 0, 32),)) for item in (key, inner))
    step = arena.make("mul", index, arena.constant(3))
    assert step is not None
    place = arena.make("add", step, array)
    assert place is not None
    path = slot_path(arena, arena.make("add", place, arena.constant(2)) or 0, key_last=False)
    assert path is not None
    assert path.root == hashed_text("a namespace") + 2
    assert path.steps == (ArrayIndex(terms=(step,)),)
    assert index_of(arena, (step,)) == index


def test_data_is_named_by_following_its_offsets() -> None:
    types = ("(address,uint256,bytes)", "uint256[]", "string", "uint8[2]")
    names = ("order", "ids", "text", "pair")
    function = InterfaceFunction(name="f", signature="f", types=types, arguments=names)
    data = bytes(4) + encode(types, [("0x" + "11" * 20, 5, b"abc"), [7, 8], "x" * 40, [1, 2]])
    layout = ArgumentNames(function).layout(data)
    named = {
        word.name: int.from_bytes(data[start : start + 32], "big") for start, word in layout.words.items()
    }
    assert (named["order[1]"], named["length(order[2])"]) == (5, 3)
    assert (named["length(ids)"], named["ids[1]"], named["length(text)"]) == (2, 8, 40)
    assert (named["pair[0]"], named["pair[1]"]) == (1, 2)
    first, end, name = layout.texts[-1]
    assert (name, data[first:end]) == ("text", b"x" * 40)
    assert layout.text_at(first, 40) == "text"
    assert layout.text_at(first + 32, 8) == "text[32:40]"


def test_hostile_data_and_types_are_bounded() -> None:
    deep = "(" * 5_000 + "uint256" + ")" * 5_000
    assert read_type(deep).spelling == "word"
    assert read_type("uint256[999999999][999999999]").words == MAX_WORDS
    kinds = ("uint256[999999999]", "uint256[][][][]", "string")
    function = InterfaceFunction(name="f", signature="f", types=kinds, arguments=("a", "b", "c"))
    for data in (b"", b"\xff" * 4_000, bytes(4) + (32).to_bytes(32, "big") * 500):
        assert len(ArgumentNames(function).layout(data).words) <= 2 * MAX_WORDS


def test_a_selector_that_shares_a_word_with_arguments_is_found() -> None:
    arena = Arena()
    sender = arena.node("sender")
    selector = arena.constant(0x70A08231 << 224)
    shifted = arena.field(sender, 32, 128)
    assert shifted is not None
    word = arena.make("or", shifted, selector)
    assert word is not None
    parts = open_parts(arena, ((word, 0, 32), (sender, 28, 4)))
    assert parts == ((selector, 0, 16), (sender, 12, 20))


def test_constants_are_named_or_written_as_people_write_them() -> None:
    names = ConstantNames(None, [])
    assert names.text(hashed_text("MINTER_ROLE"), ValueKind.BYTES) == "MINTER_ROLE"
    assert (names.text(5), names.text((1 << 256) - 5, ValueKind.INT)) == ("5", "-5")
    assert (digits(1 << 128), digits((1 << 256) - 1), digits(1000)) == ("2**128", "2**256 - 1", "1000")
