"""ABIs from every compiler and tool, and names for bytes that a stranger chose."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError
from specminer._support.nesting import MAX_NESTING, NestingError, check_nesting
from specminer.contracts.artifact import MAX_DEPTH, MAX_NAME, Artifact, load, parse
from specminer.contracts.interface import Interface, from_artifact, from_code
from specminer.decoding.storage_layout import Layout
from specminer.history.trace import InvocationKind, Outcome, OutcomeKind
from specminer.pipeline.datasets import dataset
from tests.support.anvil import tools_dir
from tests.support.work import work_of

AUCTION = dataset("auction_house").folder / "artifact.json"
REVERT = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")
ABI: list[dict[str, Any]] = json.loads(AUCTION.read_text())["abi"]
NAMES = {entry["name"] for entry in ABI if entry["type"] == "function"}


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def reverted(data: bytes) -> Outcome:
    return Outcome(kind=OutcomeKind.REVERTED, data=data)


def interface_of(*entries: dict[str, Any]) -> Interface:
    return from_artifact(parse(json.dumps(entries).encode(), "test"))


def function(name: str, *types: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "inputs": [{"type": kind} for kind in types], **more}


# -- files ------------------------------------------------------------------------------------------

LAYOUT = json.loads(AUCTION.read_text())["storageLayout"]
FORMS: dict[str, Any] = {
    "plain ABI": ABI,
    "Foundry": {
        "abi": ABI,
        "bytecode": {"object": "0x60", "sourceMap": "", "linkReferences": {}},
        "deployedBytecode": {"object": "0x60", "immutableReferences": {}},
        "methodIdentifiers": {},
        "storageLayout": LAYOUT,
        "id": 7,
    },
    "Hardhat": {
        "_format": "hh-sol-artifact-1",
        "contractName": "AuctionHouse",
        "sourceName": "contracts/AuctionHouse.sol",
        "abi": ABI,
        "bytecode": "0x60",
        "linkReferences": {},
    },
    "0x": {
        "schemaVersion": "2.0.0",
        "contractName": "AuctionHouse",
        "compilerOutput": {"abi": ABI, "evm": {"bytecode": {"object": "0x60"}}},
        "networks": {},
    },
    "Truffle": {"contractName": "AuctionHouse", "abi": ABI, "networks": {}, "updatedAt": "2018"},
    "solc": {"abi": ABI, "evm": {"bytecode": {"object": "60"}}, "metadata": "{}", "storageLayout": LAYOUT},
    "no variables": {"abi": ABI, "storageLayout": {"storage": [], "types": None}},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_interface(form: str, tmp_path: Path) -> None:
    path = tmp_path / "artifact.json"
    path.write_text(json.dumps(FORMS[form]))
    found = load(path)
    assert {item.name for item in from_artifact(found).functions.values()} == NAMES
    assert found.name in (None, "AuctionHouse")
    assert (found.storage_layout is not None) == (form in ("Foundry", "solc"))
    again = parse(found.to_json(), "again")
    assert again == replace(found, runtime=b"")  # kept only where it tells several versions apart
    assert again.to_json() == found.to_json()


@pytest.mark.parametrize("package", ["openzeppelin-solidity", "@ensdomains/ens"])
def test_published_artifacts_load(tools: Path, package: str) -> None:
    paths = sorted((tools_dir() / "node_modules" / package / "build" / "contracts").glob("*.json"))
    assert len(paths) > 5
    for path in paths:
        found = load(path)
        assert found.name == path.stem
        interface = from_artifact(found)
        for selector, item in interface.functions.items():
            assert keccak(text=item.signature)[:4] == selector


def test_the_abi_of_the_ens_registrar_loads(tools: Path) -> None:
    found = load(tools_dir() / "node_modules/@ensdomains/ens/build/contracts/HashRegistrar.json")
    interface = from_artifact(found)
    names = {item.name: item for item in interface.functions.values()}
    assert {"startAuction", "newBid", "unsealBid", "finalizeAuction"} <= set(names)
    assert names["entries"].read_only
    assert not names["newBid"].read_only


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"", "is not JSON"),
        (b"not json", "is not JSON"),
        (b"\xff\xfe[]", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "holds no ABI"),
        (b"7", "holds no ABI"),
        (b"null", "holds no ABI"),
        (b'{"abi":null}', "holds no ABI"),
        (b'{"abi":"nothing"}', "is not JSON"),
        (b"[7]", r"\$\[0\]"),
        (b'[{"type":"function"}]', r"entry 0 \(function\) has no name"),
        (b'[{"type":"event"}]', r"entry 0 \(event\) has no name"),
        (b'[{"type":"function","name":7}]', r"\$\[0\].name"),
        (b'[{"type":"function","name":"f","inputs":[{"name":"a"}]}]', "required field `type`"),
    ],
)
def test_what_is_no_abi_is_refused(tmp_path: Path, text: bytes, match: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text)
    with pytest.raises(FileFormatError, match=match) as caught:
        load(path)
    assert "bad.json" in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileFormatError, match="cannot be read"):
            load(path)


# -- names ------------------------------------------------------------------------------------------


def test_calls_are_named() -> None:
    interface = from_artifact(load(AUCTION))
    name = interface.function_name
    bid = keccak(text="bid(uint256)")[:4]
    assert name(InvocationKind.EXTERNAL, bid) == "bid"
    assert interface.arguments(bid + word(7)) == {"auctionId": 7}
    assert interface.arguments(bid) == {}
    assert name(InvocationKind.CONSTRUCTOR, bid) == "constructor"
    assert name(InvocationKind.EXTERNAL, b"\1\2\3\4") == "0x01020304"
    assert name(InvocationKind.EXTERNAL, b"\1\2") == "fallback"
    assert name(InvocationKind.EXTERNAL, b"") == "fallback"
    assert interface_of({"type": "receive"}).function_name(InvocationKind.EXTERNAL, b"") == "receive"


def test_read_only_is_told_by_old_and_new_compilers() -> None:
    interface = interface_of(
        function("a", stateMutability="view"),
        function("b", constant=True),
        function("c", constant=False, stateMutability="nonpayable"),
        function("d"),
    )
    found = {item.name: item.read_only for item in interface.functions.values()}
    assert found == {"a": True, "b": True, "c": False, "d": False}


def test_overloaded_functions_carry_their_types() -> None:
    interface = interface_of(function("f", "uint256"), function("f", "address"), function("g"))
    assert {item.name for item in interface.functions.values()} == {"f(uint256)", "f(address)", "g"}
    selector = keccak(text="f(address)")[:4]
    assert interface.arguments(selector + word(7)) == {"arg0": "0x" + "00" * 19 + "07"}


def test_tuples_are_opened_in_signatures() -> None:
    inner = {
        "type": "tuple[2]",
        "components": [{"type": "uint8", "name": "x"}, {"type": "bytes", "name": "y"}],
    }
    entry = {
        "type": "function",
        "name": "f",
        "inputs": [
            {"type": "tuple[]", "name": "items", "components": [{"type": "address", "name": "a"}, inner]}
        ],
    }
    interface = interface_of(entry)
    signature = "f((address,(uint8,bytes)[2])[])"
    assert [item.signature for item in interface.functions.values()] == [signature]
    value = [("0x" + "11" * 20, [(1, b"a"), (2, b"bc")])]
    data = keccak(text=signature)[:4] + encode(["(address,(uint8,bytes)[2])[]"], [value])
    assert interface.arguments(data)["items"] == ((value[0][0], ((1, b"a"), (2, b"bc"))),)


def test_arguments_of_one_name_are_both_kept() -> None:
    names = ["a", "a", "", "arg1", "arg2"]
    interface = interface_of(
        {"type": "function", "name": "f", "inputs": [{"type": "uint8", "name": name} for name in names]}
    )
    (selector,) = interface.functions
    found = interface.arguments(selector + b"".join(map(word, range(5))))
    assert sorted(found.values()) == [0, 1, 2, 3, 4]
    assert found["a"] == 0
    assert found["arg1"] == 3


def test_without_an_abi_the_bytecode_names_selectors_and_types() -> None:
    artifact = json.loads(AUCTION.read_text())
    found = from_code([bytes.fromhex(artifact["deployedBytecode"][2:])])
    known = from_artifact(load(AUCTION))
    assert set(found.functions) == set(known.functions)
    for selector, item in known.functions.items():
        if not item.types:
            continue
        # bytes32, enums and small integers look alike in code: only their number is certain
        assert len(found.functions[selector].types) == len(item.types)
    bid = keccak(text="bid(uint256)")[:4]
    assert found.function_name(InvocationKind.EXTERNAL, bid) == f"0x{bid.hex()}"
    assert found.arguments(bid + word(5)) == {"arg0": 5}
    assert "--abi" in found.source


# -- reasons ----------------------------------------------------------------------------------------


def test_reasons_are_read() -> None:
    interface = from_artifact(load(AUCTION))
    low = keccak(text="BidTooLow(uint256,uint256)")[:4]
    reason = interface.reason
    assert reason(Outcome(kind=OutcomeKind.RETURNED, data=b"\1")) == ""
    assert reason(Outcome(kind=OutcomeKind.OUT_OF_GAS)) == "out of gas"
    assert reason(reverted(b"")) == "no reason given"
    assert reason(reverted(REVERT + encode(["string"], ["AuctionHouse: paused"]))) == "AuctionHouse: paused"
    assert reason(reverted(low + word(3) + word(5))) == "BidTooLow(3, 5)"
    assert reason(reverted(b"\1\2\3\4" + word(1))).startswith("0x01020304")
    for kind in (OutcomeKind.PANIC, OutcomeKind.REVERTED):
        assert reason(Outcome(kind=kind, data=PANIC + word(0x11))) == "panic 0x11 (arithmetic overflow)"
        assert reason(Outcome(kind=kind, data=PANIC + word(0x99))) == "panic 0x99 (unknown kind)"


@pytest.mark.parametrize(
    "data",
    [
        REVERT + encode(["string"], ["x" * 100_000]),
        REVERT + word(32) + word(4) + b"\xff\xfe\0\1".ljust(32, b"\0"),
        REVERT + word(32) + word(1 << 255),
        REVERT + word(1 << 255) + word(1),
        REVERT + encode(["string"], ["\x1b[2J\u202e\n\ud7ff"]),
        REVERT,
        PANIC,
        PANIC + b"\1" * 100_000,
        b"\1" * 100_000,
        b"\1",
    ],
)
def test_hostile_reasons_are_short_and_one_line(data: bytes) -> None:
    interface = from_artifact(load(AUCTION))
    for kind in OutcomeKind:
        text = interface.reason(Outcome(kind=kind, data=data))
        assert len(text) <= 300
        assert text.isprintable()


# -- hostile ABIs and data --------------------------------------------------------------------------

TYPES = [
    "uint256[99999999]",
    "uint256[99999999999999999999999]",
    "uint256[9999][9999][9999]",
    "tuple[99999999]",
    "tuple",
    "uint256[0][99999999]",
    "uint256[" + "9" * 5000 + "]",
    "uint256" + "[]" * 5000,
    "uint256" + "[1]" * 5000,
    "string[99999999]",
    "uint256[",
    "uint7",
    "bytes33",
    "(",
    ")" * 1000,
    "(" * 1000,
    "tuple(",
    "tuplex",
    "",
    " ",
    "\0",
    "\ud7ff",
    "fixed128x18",
    "function",
    "address payable",
    "mapping(uint256 => uint256)",
]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: repr(kind)[:30])
def test_hostile_types_decode_to_nothing_or_something(kind: str) -> None:
    interface = interface_of(function("f", kind), {**function("E", kind), "type": "error"})
    (selector,) = interface.functions
    for data in (b"", word(32), word(32) * 20, word(0) * 20, b"\xff" * 640, word(32) + word(1 << 200)):
        assert isinstance(interface.arguments(selector + data), dict)
        (error,) = interface.errors
        assert len(interface.reason(reverted(error + data))) <= 300


def nested(levels: int, width: int) -> bytes:
    """Return pointers that all lead to the same next level: ``width ** levels`` leaves in a few kB."""
    level = word(width) + b"".join(word(width * 32) for _ in range(width))
    return word(32) + level * levels + word(1) + word(1)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("uint256[]", word(32) + word(1 << 255)),
        ("uint256[]", word(32) + word(1 << 40) + word(1) * 1000),
        ("bytes", word(32) + word(1 << 64) + word(1)),
        ("bytes[]", word(32) + word(20_000) + word(20_000 * 32) * 20_000 + word(1 << 20) + b"\1" * (1 << 20)),
        ("uint256" + "[]" * 7, nested(6, 30)),
        ("uint256" + "[]" * 13, nested(12, 30)),
        ("string[][]", nested(2, 300)),
    ],
    ids=lambda item: repr(item)[:20],
)
def test_data_that_claims_more_than_it_holds_is_not_decoded(kind: str, data: bytes) -> None:
    interface = interface_of(function("f", kind))
    (selector,) = interface.functions
    assert interface.arguments(selector + data) == {}
    assert work_of(interface.arguments, selector + data) < 1_000 + 5 * len(data)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint256[]", list(range(50_000))),
        ("bytes[]", [b"hello" * (number % 20) for number in range(3_000)]),
        ("string[][]", [["a", "b" * 100]] * 500),
        ("(uint256,bytes[])[]", [(number, [b"", b"x"]) for number in range(500)]),
    ],
)
def test_large_honest_data_is_decoded(kind: str, value: list[Any]) -> None:
    parameter: dict[str, Any] = {"type": kind, "name": "x"}
    if kind.startswith("("):
        components = [{"type": "uint256", "name": "a"}, {"type": "bytes[]", "name": "b"}]
        parameter = {"type": "tuple[]", "name": "x", "components": components}
    interface = interface_of({"type": "function", "name": "f", "inputs": [parameter]})
    (selector,) = interface.functions
    assert len(interface.arguments(selector + encode([kind], [value]))["x"]) == len(value)


@settings(max_examples=100)
@given(st.binary(max_size=400), st.sampled_from(sorted(from_artifact(load(AUCTION)).functions)))
def test_any_calldata_may_come(data: bytes, selector: bytes) -> None:
    interface = from_artifact(load(AUCTION))
    assert isinstance(interface.arguments(selector + data), dict)
    assert isinstance(interface.function_name(InvocationKind.EXTERNAL, data), str)
    for error in [REVERT, PANIC, *interface.errors]:
        assert interface.reason(reverted(error + data)).isprintable()


def test_hostile_names_stay_apart_and_short() -> None:
    names = ["x" * 5000, "x" * 5001, "constructor", "\x1b[31m", "a b", "漢字", "f(uint256)"]
    interface = interface_of(*(function(name) for name in names))
    found = [item.name for item in interface.functions.values()]
    assert len(set(found)) == len(names)
    assert all(len(name) <= MAX_NAME + 11 for name in found)


def test_a_large_abi_is_read_in_work_that_grows_with_it() -> None:
    entries = [function("f", f"uint8[{number}]") for number in range(1, 10_001)]
    interface = interface_of(*entries)
    assert len({item.name for item in interface.functions.values()}) > 9_990  # selectors may collide
    assert work_of(interface_of, *entries) < 11 * work_of(interface_of, *entries[:1_000])


def test_brackets_in_strings_do_not_nest() -> None:
    for text in ("[" * 500, '\\"[' * 500, "{" * 500 + '"', "\\" * 501 + "[{" * 300):
        check_nesting(json.dumps([{"a": text, "b": [[text]] * 500}] * 3).encode())
    for bad in (
        b"[" * 500,
        b'{"a":' * 500,
        b"[[]," * 500,
        b'["' + b"\\" * 500 + b'"' + b"[" * 200,
        b"[}" * 500,
    ):
        with pytest.raises(NestingError, match="nested deeper"):
            check_nesting(bad)


def test_the_work_of_checking_brackets_is_bounded() -> None:
    for brackets in (b"[],{},", b"[[[]]],", b'{"a":[{}]},'):
        assert work_of(check_nesting, b"[" + brackets * 500_000 + b"1]") < 5 * MAX_NESTING


def deep(levels: int) -> bytes:
    opened = '{"type":"tuple","name":"x","components":[' * levels
    return f'[{{"type":"function","name":"f","inputs":[{opened}{{"type":"bool"}}{"]}" * levels}]}}]'.encode()


def test_tuples_may_be_nested_but_not_without_end() -> None:
    assert len(from_artifact(parse(deep(MAX_DEPTH - 1), "deep")).functions) == 1
    for levels in (MAX_DEPTH, 100, 1_000, 100_000):
        with pytest.raises(FileFormatError, match=r"nests tuples deeper|not JSON"):
            parse(deep(levels), "deep")


@pytest.mark.parametrize(
    "code",
    [
        b"",
        b"\x5b" * 50_000,
        b"\x60\x00\x56" * 16_000,
        bytes(range(256)) * 200,
        b"\x80\x63\1\2\3\4\x14\x61\0\x50\x57" * 4_000,
        b"\x60\x00" * 5_000_000,
    ],
    ids=lambda code: f"{code[:3].hex()}-{len(code)}",
)
def test_hostile_code_is_looked_through_in_time(code: bytes) -> None:
    assert isinstance(from_code([code]), Interface)


def test_an_artifact_without_functions_is_an_artifact() -> None:
    found = parse(b"[]", "empty")
    assert found == Artifact(name=None, abi=(), storage_layout=None)
    assert from_artifact(found).share_known(Counter()) == 1.0


# -- files as other programs leave them --------------------------------------------------------------

PAY = [
    {"type": "function", "name": "pay", "inputs": [{"name": "a", "type": "uint"}], "stateMutability": "view"}
]


def wrapped(kind: str) -> bytes:
    """Return an ABI as some program stores it."""
    plain = json.dumps(PAY)
    answer = {"status": "1", "message": "OK"}
    return {
        "mark": b"\xef\xbb\xbf" + plain.encode(),
        "utf-16": plain.encode("utf-16"),
        "utf-16 without a mark": plain.encode("utf-16-le"),
        "gzip": gzip.compress(plain.encode()),
        "getabi": json.dumps(answer | {"result": plain}).encode(),
        "getsourcecode": json.dumps(
            answer | {"result": [{"SourceCode": "", "ABI": plain, "ContractName": "Till"}]}
        ).encode(),
        "a text": json.dumps(plain).encode(),
        "an ABI as a text": json.dumps({"abi": plain}).encode(),
        "nulls": plain.replace("}]", '}], "outputs": null, "anonymous": null', 1).encode(),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "mark",
        "utf-16",
        "utf-16 without a mark",
        "gzip",
        "getabi",
        "getsourcecode",
        "a text",
        "an ABI as a text",
        "nulls",
    ],
)
def test_an_abi_is_read_however_it_was_saved(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "abi.json"
    path.write_bytes(wrapped(kind))
    functions = from_artifact(load(path)).functions
    assert [item.signature for item in functions.values()] == ["pay(uint256)"]


@pytest.mark.parametrize("result", ["Contract source code not verified", "Invalid API Key"])
def test_an_explorers_refusal_is_passed_on(tmp_path: Path, result: str) -> None:
    path = tmp_path / "abi.json"
    path.write_text(json.dumps({"status": "0", "message": "NOTOK", "result": result}))
    with pytest.raises(FileFormatError, match=result):
        load(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("uint", "uint256"),
        ("int[2][]", "int256[2][]"),
        ("byte", "bytes1"),
        ("fixed", "fixed128x18"),
        ("ufixed[]", "ufixed128x18[]"),
        ("address payable", "address"),
        ("contract IERC20[]", "address[]"),
        ("enum Shop.Phase", "uint8"),
    ],
)
def test_types_as_people_write_them_give_the_compilers_selectors(written: str, meant: str) -> None:
    entry = {"type": "function", "name": "f", "inputs": [{"name": "a", "type": written}]}
    (function,) = from_artifact(parse(json.dumps([entry]).encode(), "test")).functions.values()
    assert function.signature == f"f({meant})"


TABLE = """
╭-------+-------------------------------------+------+--------+-------+---------------------╮
| Name  | Type                                | Slot | Offset | Bytes | Contract            |
+===========================================================================================+
| owner | address                             | 0    | 0      | 20    | src/Shop.sol:Shop   |
|-------+-------------------------------------+------+--------+-------+---------------------|
| phase | enum Shop.Phase                     | 0    | 20     | 1     | src/Shop.sol:Shop   |
|-------+-------------------------------------+------+--------+-------+---------------------|
| paid  | mapping(address => uint256[])       | 1    | 0      | 32    | src/Shop.sol:Shop   |
|-------+-------------------------------------+------+--------+-------+---------------------|
| items | struct Shop.Item[]                  | 2    | 0      | 32    | src/Shop.sol:Shop   |
|-------+-------------------------------------+------+--------+-------+---------------------|
| first | struct Shop.Item                    | 3    | 0      | 64    | src/Shop.sol:Shop   |
|-------+-------------------------------------+------+--------+-------+---------------------|
| days_ | uint64[5]                           | 5    | 0      | 64    | src/Shop.sol:Shop   |
╰-------+-------------------------------------+------+--------+-------+---------------------╯
"""


def test_the_table_of_forge_is_a_layout(tmp_path: Path) -> None:
    path = tmp_path / "layout.txt"
    path.write_text(TABLE)
    found = load(path).storage_layout
    assert found is not None
    layout = Layout(found, "test")
    shown = [(item.label, item.slot, item.offset, item.slots) for item in layout.variables]
    assert shown == [
        ("owner", 0, 0, 1),
        ("phase", 0, 20, 1),
        ("paid", 1, 0, 1),
        ("first", 3, 0, 2),
        ("days_", 5, 0, 2),
    ]
    assert layout.types[layout.variables[1].type].size == 1


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ("| owner | address | zero | 0 | 20 | Shop |", "'Slot' of owner should be a decimal number"),
        ("| owner | mapping(address) | 0 | 0 | 32 | Shop |", "no value type"),
        ("| owner | address | 0 | 0 | 20 | Shop | more |", "7 columns, expected 6"),
        (f"| owner | {'mapping(address => ' * 40}bool{')' * 40} | 0 | 0 | 32 | Shop |", "nested deeper"),
    ],
)
def test_a_table_of_forge_that_was_changed_is_refused(tmp_path: Path, row: str, match: str) -> None:
    path = tmp_path / "layout.txt"
    path.write_text("| Name | Type | Slot | Offset | Bytes | Contract |\n|---|---|---|---|---|---|\n" + row)
    with pytest.raises(FileFormatError, match=match):
        load(path)
