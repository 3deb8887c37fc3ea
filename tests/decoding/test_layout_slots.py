"""Slots get the names and values that the source gave them; layouts that contradict themselves are refused."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from specminer.decoding.hash_paths import hashes
from specminer.decoding.location_columns import Field, Locations
from specminer.decoding.slot_resolution import resolve
from specminer.decoding.storage_layout import Layout, LayoutError
from specminer.decoding.storage_values import ValueKind
from specminer.history.trace import WORD_LIMIT, AccessKind, Address, Transaction
from specminer.history.words import from_integers
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil, Deployed
from tests.support.layouts import good, image, member
from tests.support.solc import compile_sources
from tests.support.work import work_of

SOURCE = """
pragma solidity ^0.8.20;
type Price is uint96;
type intName is uint8;
interface IThing {}
contract Base {
    uint256 private hidden;
    address internal keeper;
    uint64 internal stamp;
    bool internal flag;
    function setBase(uint256 h, address k, uint64 s, bool f) external { hidden = h; keeper = k; stamp = s; flag = f; }
}
contract Variables is Base {
    enum Phase { A, B, C }
    struct Packed { address owner; uint64 end; Phase phase; bytes32 item; int128 delta; bool ok; }
    struct Big { uint256 a; uint128 b; uint128 c; mapping(uint256 => uint256) inner; uint8[3] small; }
    uint256 private hidden;
    Price public price; int64 public signed; intName public odd; Phase public phase; bytes4 public tag;
    IThing public thing; bool public yes;
    mapping(uint256 => Packed) public packed;
    mapping(address => mapping(uint256 => int256)) public nested;
    mapping(bytes32 => uint256[]) public lists;
    Big[] public bigs;
    uint32[] public smalls;
    uint16[20] public row;
    uint256[3] public triple;
    int8[5][] public grid;
    string public text;
    mapping(string => uint256) public byName;
    mapping(bool => address) public byFlag;
    mapping(Phase => uint8[]) public byPhase;
    mapping(int8 => Price) public bySigned;
    mapping(IThing => mapping(string => Packed)) public deep;
    Packed public single;
    function setHidden(uint256 h) external { hidden = h; }
    function setMany(Price p, int64 s, uint8 o, Phase f, bytes4 t, address a, bool y) external {
        price = p; signed = s; odd = intName.wrap(o); phase = f; tag = t; thing = IThing(a); yes = y;
    }
    function setPacked(uint256 k, address o, uint64 e, Phase p, bytes32 i, int128 d) external {
        packed[k] = Packed(o, e, p, i, d, true);
    }
    function setSingle(address o, int128 d) external { single = Packed(o, 7, Phase.C, "x", d, true); }
    function setNested(address a, uint256 k, int256 v) external { nested[a][k] = v; }
    function pushList(bytes32 k, uint256 v) external { lists[k].push(v); }
    function pushBig(uint256 a, uint128 b, uint128 c, uint256 k, uint256 v, uint8 s) external {
        Big storage big = bigs.push(); big.a = a; big.b = b; big.c = c; big.inner[k] = v; big.small[2] = s;
    }
    function pushSmall(uint32 v) external { smalls.push(v); }
    function setRow(uint256 i, uint16 v) external { row[i] = v; }
    function setTriple(uint256 i, uint256 v) external { triple[i] = v; }
    function pushGrid(uint256 i, int8 v) external { grid.push(); grid[grid.length - 1][i] = v; }
    function setText(string calldata t) external { text = t; }
    function setByName(string calldata k, uint256 v) external { byName[k] = v; }
    function setByFlag(bool k, address v) external { byFlag[k] = v; }
    function pushByPhase(Phase k, uint8 v) external { byPhase[k].push(v); }
    function setBySigned(int8 k, Price v) external { bySigned[k] = v; }
    function setDeep(IThing t, string calldata k, uint64 e) external { deep[t][k].end = e; }
}
"""
A = CHECKSUM = to_checksum_address("0x" + "a1" * 20)
WORD_A = int(A, 16)
NEGATIVE = WORD_LIMIT
LONG = "a text of more than thirty-one bytes, in two slots"
B = "0x" + "ab" * 32
CALLS: list[tuple[str, list[Any], dict[str, int]]] = [
    ("setBase", [5, A, 77, True], {"hidden": 5, "keeper": WORD_A, "stamp": 77, "flag": 1}),
    ("setHidden", [6], {"hidden (slot 2, byte 0)": 6}),
    (
        "setMany",
        [9, -3, 200, 2, "0x01020304", A, True],
        {
            "price": 9,
            "signed": NEGATIVE - 3,
            "odd": 200,
            "phase": 2,
            "tag": 0x01020304,
            "thing": WORD_A,
            "yes": 1,
        },
    ),
    (
        "setPacked",
        [42, A, 7, 1, B, -(1 << 100)],
        {
            "packed[42].owner": WORD_A,
            "packed[42].end": 7,
            "packed[42].phase": 1,
            "packed[42].item": int(B, 16),
            "packed[42].delta": NEGATIVE - (1 << 100),
            "packed[42].ok": 1,
        },
    ),
    (
        "setSingle",
        [A, -1],
        {
            "single.owner": WORD_A,
            "single.end": 7,
            "single.phase": 2,
            "single.item": ord("x") << 248,
            "single.delta": NEGATIVE - 1,
            "single.ok": 1,
        },
    ),
    ("setNested", [A, 3, -5], {f"nested[{CHECKSUM}][3]": NEGATIVE - 5}),
    ("pushList", [B, 8], {f"lists[{B}].length": 1, f"lists[{B}][0]": 8}),
    ("pushList", [B, 9], {f"lists[{B}].length": 2, f"lists[{B}][1]": 9}),
    (
        "pushBig",
        [1, 2, 3, 4, 5, 6],
        {
            "bigs.length": 1,
            "bigs[0].a": 1,
            "bigs[0].b": 2,
            "bigs[0].c": 3,
            "bigs[0].inner[4]": 5,
            "bigs[0].small[0]+2": 6,
        },
    ),
    (
        "pushBig",
        [11, 12, 13, 4, 15, 16],
        {
            "bigs.length": 2,
            "bigs[1].a": 11,
            "bigs[1].b": 12,
            "bigs[1].c": 13,
            "bigs[1].inner[4]": 15,
            "bigs[1].small[0]+2": 16,
        },
    ),
    *[
        (
            "pushSmall",
            [number],
            {"smalls.length": number, f"smalls[0]+{number - 1}".removesuffix("+0"): number},
        )
        for number in range(1, 9)
    ],
    ("pushSmall", [99], {"smalls.length": 9, "smalls[8]": 99}),
    ("setRow", [0, 5], {"row[0]": 5}),
    ("setRow", [15, 6], {"row[0]+15": 6}),
    ("setRow", [17, 7], {"row[16]+1": 7}),
    ("setTriple", [2, 7], {"triple[2]": 7}),
    ("pushGrid", [4, -1], {"grid.length": 1, "grid[0][0]+4": NEGATIVE - 1}),
    ("pushGrid", [0, 3], {"grid.length": 2, "grid[1][0]": 3}),
    ("setText", ["short"], {"text": int.from_bytes(b"short".ljust(31, b"\0") + b"\x0a", "big")}),
    (
        "setText",
        [LONG],
        {
            "text": len(LONG) * 2 + 1,
            "text[0]": int.from_bytes(LONG.encode()[:32], "big"),
            "text[1]": int.from_bytes(LONG.encode()[32:].ljust(32, b"\0"), "big"),
        },
    ),
    ("setByName", ["alice", 3], {"byName['alice']": 3}),
    ("setByName", ["", 4], {"byName['']": 4}),
    ("setByName", [LONG, 5], {f"byName['{LONG}']": 5}),
    ("setByFlag", [True, A], {"byFlag[true]": WORD_A}),
    ("pushByPhase", [2, 200], {"byPhase[2].length": 1, "byPhase[2][0]": 200}),
    ("setBySigned", [-2, 12], {"bySigned[-2]": 12}),
    ("setDeep", [A, "key", 9], {f"deep[{CHECKSUM}]['key'].end": 9}),
]


@pytest.fixture(scope="module")
def lived(tools: Path) -> tuple[list[Transaction], dict[int, bytes], dict[str, Any], dict[str, Any]]:
    """Return the setters' transactions, all preimages, the layout, and what getters answer in the end."""
    output = compile_sources({"V.sol": SOURCE})["Variables"]
    with Anvil() as anvil:
        sender = anvil.accounts[0]
        deployed = anvil.deploy(sender, output)
        for function, arguments, _ in CALLS:
            (receipt,) = anvil.block([deployed.call(sender, function, *arguments)])
            assert receipt["status"] == "0x1", function
        plain = ("price", "signed", "odd", "phase", "tag", "yes")
        answers = {name: deployed.read(name) for name in plain}
        answers["nested"] = deployed.read("nested", A, 3)
        for name, key in (("packed", 42), ("bySigned", -2), ("byName", "")):
            answers[name] = deployed.read(name, key)
        with Node(Endpoint(anvil.url)) as node, TraceStore("sqlite://") as store:
            address = Address(bytes.fromhex(deployed.address[2:]))
            collect(store, node, address)
            transactions = list(store.transactions(31337, address))
            preimages = dict(store.history(31337, [address]).preimages)
    assert isinstance(deployed, Deployed)
    return transactions[1:], preimages, output["storageLayout"], answers


def resolved(slots: Iterable[int], preimages: dict[int, bytes], layout: Layout | None) -> Locations:
    """Resolve slots; rows as given."""
    arrays = layout.array_slots() if layout is not None else ()
    return resolve(from_integers(slots), hashes(preimages, arrays), layout)


def names(slots: Iterable[int], preimages: dict[int, bytes], layout: Layout | None = None) -> list[str]:
    """Return what each slot is called, with all fields in it."""
    found = resolved(slots, preimages, layout)
    return [
        ", ".join(found.text(row, field) for field in range(len(found.variables[variable].fields)))
        for row, variable in enumerate(found.variable.tolist())
    ]


def test_every_slot_has_its_name_and_value(
    lived: tuple[list[Transaction], dict[int, bytes], dict[str, Any], dict[str, Any]],
) -> None:
    transactions, preimages, document, answers = lived
    slots = sorted({access.slot for item in transactions for access in item.invocations[0].accesses})
    found = resolved(slots, preimages, Layout(document, "test"))
    row_of = {slot: row for row, slot in enumerate(slots)}
    shown: dict[str, int] = {}
    assert len(transactions) == len(CALLS)
    for item, (function, _, expected) in zip(transactions, CALLS, strict=True):
        (call,) = item.invocations
        changes: dict[str, int] = {}
        for access in call.accesses:
            row = row_of[access.slot]
            variable = found.variables[int(found.variable[row])]
            assert variable.has_name, (function, found.text(row))
            if access.kind is not AccessKind.WRITE:
                continue
            for at, part in enumerate(variable.fields):
                assert access.before is not None
                assert access.after is not None
                name = found.text(row, at)
                if part.extract(access.before) != part.extract(access.after) or name in changes:
                    changes[name] = part.extract(access.after)
        assert changes == expected, function
        shown |= changes
    assert answers["price"] == shown["price"]
    assert answers["signed"] == shown["signed"] - WORD_LIMIT
    assert (answers["odd"], answers["phase"], answers["yes"]) == (shown["odd"], shown["phase"], True)
    assert int.from_bytes(answers["tag"], "big") == shown["tag"]
    assert answers["nested"] == shown[f"nested[{CHECKSUM}][3]"] - WORD_LIMIT
    owner, end, phase, item_, delta, ok = answers["packed"]
    assert (int(owner, 16), end, phase, int.from_bytes(item_, "big"), delta + WORD_LIMIT, int(ok)) == tuple(
        shown[f"packed[42].{name}"] for name in ("owner", "end", "phase", "item", "delta", "ok")
    )
    assert (answers["bySigned"], answers["byName"]) == (shown["bySigned[-2]"], shown["byName['']"])


def test_kinds_follow_the_types(
    lived: tuple[list[Transaction], dict[int, bytes], dict[str, Any], dict[str, Any]],
) -> None:
    _, _, document, _ = lived
    found = resolved(range(8), {}, Layout(document, "test"))
    kinds = {part.text: part.kind for variable in found.variables for part in variable.fields}
    assert kinds["signed"] is ValueKind.INT
    assert kinds["phase"] is ValueKind.ENUM
    assert kinds["thing"] is ValueKind.ADDRESS
    assert kinds["yes"] is ValueKind.BOOL
    assert kinds["tag"] is ValueKind.BYTES
    assert kinds["odd"] is ValueKind.WORD  # its name begins with int, but it is not signed
    assert kinds["hidden"] is ValueKind.UINT


def test_without_a_layout_slots_and_mappings_have_numbers(
    lived: tuple[list[Transaction], dict[int, bytes], dict[str, Any], dict[str, Any]],
) -> None:
    transactions, preimages, document, _ = lived
    slots = {item["label"]: int(item["slot"]) for item in document["storage"]}
    by_call: dict[str, set[str]] = {}
    for item, (function, _, _) in zip(transactions, CALLS, strict=True):
        (call,) = item.invocations
        written = [access.slot for access in call.accesses if access.kind is AccessKind.WRITE]
        by_call[function] = by_call.get(function, set()) | set(names(written, preimages))
    assert by_call["setBase"] == {"slot0", "slot1"}
    assert by_call["setNested"] == {f"mapping{slots['nested']}[{CHECKSUM}][3]"}
    assert f"mapping{slots['packed']}[42]" in by_call["setPacked"]
    assert f"mapping{slots['packed']}[42]+1" in by_call["setPacked"]
    assert f"array{slots['smalls']}[0]" in by_call["pushSmall"]
    assert f"mapping{slots['byName']}['alice']" in by_call["setByName"]


# -- without a compiler -----------------------------------------------------------------------------


def test_slots_that_nothing_explains_keep_their_own_name() -> None:
    slot = image(b"somewhere")
    assert names([3, slot, slot + 1, WORD_LIMIT - 1], {}) == [
        "slot3",
        f"unresolved[{slot:#066x}]",
        f"unresolved[{slot + 1:#066x}]",
        "unresolved[0x" + "f" * 64 + "]",
    ]


def test_nested_mappings_without_a_layout() -> None:
    outer = (7).to_bytes(32, "big") + (3).to_bytes(32, "big")
    inner = (9).to_bytes(32, "big") + keccak(outer)
    preimages = {image(outer): outer, image(inner): inner}
    assert names([image(outer), image(inner), image(inner) + 2], preimages) == [
        "mapping3[7]",
        "mapping3[7][9]",
        "mapping3[7][9]+2",
    ]


def chain_of_preimages(length: int) -> tuple[int, dict[int, bytes]]:
    """Return the last slot of a chain in which each slot is hashed from the one before, and what was hashed."""
    preimages: dict[int, bytes] = {}
    slot = 0
    for number in range(length):
        data = number.to_bytes(32, "big") + slot.to_bytes(32, "big")
        slot = image(data)
        preimages[slot] = data
    return slot, preimages


def test_long_chains_of_preimages_end() -> None:
    works = []
    for length in (500, 5_000):
        slot, preimages = chain_of_preimages(length)
        # eight hashes, and the base that is not followed any further
        assert len(resolved([slot], preimages, None).variables[0].ports) == 9
        works.append(work_of(resolved, [slot], preimages, None))
    assert works[1] < 11 * works[0]


@given(
    st.dictionaries(st.integers(0, WORD_LIMIT - 1), st.binary(max_size=200), max_size=20),
    st.lists(st.integers(0, WORD_LIMIT - 1), max_size=20),
)
def test_any_preimages_may_come(preimages: dict[int, bytes], slots: list[int]) -> None:
    wanted = sorted({slot % WORD_LIMIT for slot in (*slots, *preimages, *(image + 1 for image in preimages))})
    for layout in (Layout(good(), "test"), None):
        found = names(wanted, preimages, layout)
        assert names(wanted, preimages, layout) == found
        assert all(name.isprintable() for name in found)


@given(st.integers(0, WORD_LIMIT - 1), st.sampled_from(ValueKind), st.integers(0, 31), st.integers(1, 32))
def test_extracting_inverts_packing(word: int, kind: ValueKind, offset: int, size: int) -> None:
    size = min(size, 32 - offset)
    value = Field("", kind, offset * 8, size * 8).extract(word)
    assert 0 <= value < WORD_LIMIT
    assert value % (1 << size * 8) == (word >> offset * 8) % (1 << size * 8)
    if kind is not ValueKind.INT:
        assert value < 1 << size * 8
    else:
        signed = value - WORD_LIMIT if value >> 255 else value
        assert -(1 << size * 8 - 1) <= signed < 1 << size * 8 - 1


# -- malformed layouts ------------------------------------------------------------------------------


def test_arrays_in_fixed_slots_need_no_preimage() -> None:
    document = good()
    document["storage"] += [member("deep", 1000, "s"), member("last", WORD_LIMIT - 1, "t")]
    layout = Layout(document, "test")
    assert layout.array_slots() == [2, 5, 1002, WORD_LIMIT - 1]
    wanted = [image((1002).to_bytes(32, "big")) + 5, image((5).to_bytes(32, "big"))]
    assert names(wanted, {}, layout) == ["deep.l[1].l.length", "t[0]"]
    assert names([image((9).to_bytes(32, "big")) + 2], {}) == ["array9[2]"]


def test_a_struct_may_contain_itself_behind_a_mapping() -> None:
    assert names(range(7), {}, Layout(good(), "test")) == [
        "v",
        "slot1",
        "d.length",
        "f[0], f[0]+1",
        "f[2], f[2]+1",
        "t",
        "slot6",
    ]


BAD: list[tuple[tuple[str | int, ...], tuple[Any, ...]]] = [
    (("storage",), (None, {}, 7, [7], [{}])),
    (("types",), (None, [], 7, {}, {"u": 7}, {"u": {}})),
    (
        ("storage", 0, "slot"),
        (None, 0, "", "-1", "x", "0x1", "1.0", "1e5", " 1", "１", str(WORD_LIMIT), "9" * 5000, "1", "2"),
    ),
    (("storage", 0, "offset"), (None, -1, 1, 32, "0", 1 << 70, 0.5)),
    (("storage", 0, "type"), (None, 7, "", "missing")),
    (("storage", 0, "label"), (None, 7)),
    (("types", "u", "numberOfBytes"), (None, 32, "", "0", "-32", "x", "9" * 5000, "64x", "33", "31.0")),
    (("types", "u", "encoding"), (None, 7)),
    (("types", "m", "key"), (None, "missing", 7)),
    (("types", "m", "value"), (None, "missing", 7)),
    (("types", "d", "base"), (None, "missing", 7)),
    (("types", "f", "base"), ("missing", "f")),
    (("types", "s", "numberOfBytes"), ("32", "64", "95", "16")),
    (("types", "s", "members"), (7, [7], [{}])),
    (("types", "s", "members", 0, "type"), ("missing", "s", "u")),
    (("types", "s", "members", 1, "offset"), (0, 8, 17, -1)),
    (("types", "s", "members", 2, "slot"), ("0", "-1", "3", str(1 << 255))),
    (("types", "s", "members", 2, "type"), ("s", "missing")),
]


@pytest.mark.parametrize(("field", "values"), BAD, ids=lambda item: str(item)[:40])
def test_a_malformed_layout_is_refused(field: tuple[str | int, ...], values: tuple[Any, ...]) -> None:
    for value in values:
        document = good()
        inner: Any = document
        for key in field[:-1]:
            inner = inner[key]
        inner[field[-1]] = value
        with pytest.raises(LayoutError, match="the storage layout is malformed") as caught:
            Layout(document, "test.json")
        assert str(caught.value).startswith("test.json: ")
        assert len(str(caught.value)) < 600


def test_types_that_contain_each_other_without_end_are_refused() -> None:
    document = good()
    document["types"]["p"] = {"encoding": "inplace", "label": "p", "numberOfBytes": "32", "base": "q"}
    document["types"]["q"] = {"encoding": "inplace", "label": "q", "numberOfBytes": "32", "base": "p"}
    with pytest.raises(LayoutError, match="contains itself"):
        Layout(document, "test")


def chained(levels: int) -> dict[str, Any]:
    """Return types each of which holds the next one twice; as a tree it has ``2 ** levels`` leaves."""
    document = copy.deepcopy(good())
    for level in range(levels):
        size = str(32 << min(levels - level, 200))
        half = str(1 << min(levels - level, 200) >> 1)
        following = f"c{level + 1}" if level + 1 < levels else "u"
        document["types"][f"c{level}"] = {
            "encoding": "inplace",
            "label": f"struct C{level}",
            "numberOfBytes": size,
            "members": [member("x", 0, following), member("y", half, following)],
        }
    document["storage"] = [member("c", 0, "c0")]
    return document


def test_deep_types_are_not_written_out() -> None:
    def ends(levels: int) -> list[str]:
        return names([0, (1 << levels) - 1], {}, Layout(chained(levels), "test"))

    assert ends(20) == ["c" + ".x" * 20, "c" + ".y" * 20]
    assert work_of(ends, 20) < 2 * work_of(ends, 10)


def test_types_that_are_nested_too_deep_are_refused_in_little_work() -> None:
    def refused(levels: int) -> None:
        document = good()
        for level in range(levels):
            following = f"c{level + 1}" if level + 1 < levels else "u"
            document["types"][f"c{level}"] = document["types"]["u"] | {"members": [member("x", 0, following)]}
        with pytest.raises(LayoutError, match="nested deeper"):
            Layout(document, "test")

    assert work_of(refused, 3_000) < 33 * work_of(refused, 100)


def test_many_variables_are_named_in_work_that_grows_with_them() -> None:
    def named(count: int) -> list[str]:
        document = good()
        document["storage"] = [member(f"v{slot}", slot, "u") for slot in range(count)]
        return names(range(count), {}, Layout(document, "test"))

    assert named(50_000) == [f"v{slot}" for slot in range(50_000)]
    assert work_of(named, 50_000) < 11 * work_of(named, 5_000)
