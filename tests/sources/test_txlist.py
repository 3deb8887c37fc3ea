"""Exports of block explorers: every shape gives the same values; what is wrong is named, and nothing else happens."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError
from specminer.sources import export_rows
from specminer.sources.exported import CallType
from specminer.sources.tracefile import write
from specminer.sources.txlist import FileKind, kind_of, read_calls, read_transactions
from tests.support.exports import (
    CREATED,
    PACKINGS,
    SENDER,
    SHAPES,
    Record,
    as_csv,
    call,
    transaction,
    transactions,
)
from tests.support.histories import simulate
from tests.support.real import entangled_histories, real_data
from tests.support.recordings import header_of

FAST = settings(max_examples=60)


def saved(folder: Path, content: bytes | list[Any]) -> Path:
    path = folder / "txlist"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def refused(path: Path, match: str = ".") -> str:
    """Check that reading fails with one short line that names the file."""
    with pytest.raises(FileFormatError, match=match) as caught:
        read_transactions(path)
    message = str(caught.value)
    assert path.name in message
    assert message.isprintable()
    assert len(message) < 600
    return message


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same(tmp_path: Path, shape: str, packing: str) -> None:
    path = saved(tmp_path, PACKINGS[packing](SHAPES[shape](transactions(8))))
    assert kind_of(path) is FileKind.EXPORT
    found = read_transactions(path)
    assert found == read_transactions(saved(tmp_path, list(transactions(8))))
    first, last = found[0], found[-1]
    assert (first.to, first.created, first.record) == (None, bytes.fromhex(CREATED[2:]), 1)
    assert first.data == bytes.fromhex("6001600c60003960016000f300")
    assert (last.to, last.created, last.record) == (bytes.fromhex(CREATED[2:]), None, 8)
    assert last.sender == bytes.fromhex(SENDER[2:])
    assert (last.hash, last.block, last.index) == ((8).to_bytes(32, "big"), 114, 3)
    assert (last.block_hash, last.timestamp) == ((114 + (1 << 200)).to_bytes(32, "big"), 1_500_001_368)
    assert (last.value, last.gas, last.gas_price) == (7 * 10**18, 3_000_000, 10**9)
    assert (last.gas_used, last.nonce, last.succeeded) == (21_000, 7, True)


def test_the_mark_that_some_programs_put_first_is_passed_over(tmp_path: Path) -> None:
    for content in (as_csv(transactions(2)), json.dumps(transactions(2)).encode()):
        path = saved(tmp_path, b"\xef\xbb\xbf" + content)
        assert kind_of(path) is FileKind.EXPORT
        assert len(read_transactions(path)) == 2


@pytest.mark.parametrize(
    ("receipt", "flag", "succeeded"),
    [
        ("1", "0", True),
        ("0", "1", False),
        ("", "0", True),
        ("", "1", False),
        ("1", "1", True),
        ("", "", None),
    ],
)
def test_the_receipt_decides_and_before_byzantium_the_explorer(
    tmp_path: Path, receipt: str, flag: str, succeeded: bool | None
) -> None:
    record = transaction(0, 1, 0, txreceipt_status=receipt, isError=flag)
    assert read_transactions(saved(tmp_path, [record]))[0].succeeded is succeeded


def test_numbers_and_nulls_are_understood(tmp_path: Path) -> None:
    record: dict[str, Any] = {**transaction(0, 1, 0)}
    record |= {"blockNumber": 5, "value": 1 << 255, "to": None, "isError": 1, "txreceipt_status": None}
    found = read_transactions(saved(tmp_path, [record]))[0]
    assert (found.block, found.value, found.to, found.succeeded) == (5, 1 << 255, None, False)


def test_only_what_is_required_is_required(tmp_path: Path) -> None:
    names = ("hash", "blockNumber", "from", "to", "value", "gas", "input")
    records = [{name: record[name] for name in names} for record in transactions(4)]
    found = read_transactions(saved(tmp_path, records))
    assert [item.block for item in found] == [100, 100, 100, 107]
    one = found[0]
    assert {
        one.index,
        one.timestamp,
        one.block_hash,
        one.created,
        one.gas_price,
        one.gas_used,
        one.nonce,
    } == {None}
    for name in names:
        short = [{key: value for key, value in record.items() if key != name} for record in records]
        message = refused(saved(tmp_path, short), "record 1: ")
        assert message.endswith(f"required field missing: {name}")


def test_the_columns_of_ethereum_etl_are_understood(tmp_path: Path) -> None:
    names = {
        "blockNumber": "block_number",
        "blockHash": "block_hash",
        "timeStamp": "block_timestamp",
        "transactionIndex": "transaction_index",
        "from": "from_address",
        "to": "to_address",
        "gasPrice": "gas_price",
    }
    renamed = [{names.get(name, name): value for name, value in record.items()} for record in transactions(5)]
    assert read_transactions(saved(tmp_path, as_csv(renamed))) == read_transactions(
        saved(tmp_path, list(transactions(5)))
    )


def test_what_explorers_offer_in_the_browser_lacks_the_calldata(tmp_path: Path) -> None:
    header = (
        '"Transaction Hash","Blockno","UnixTimestamp","DateTime (UTC)","From","To","ContractAddress",'
        '"Value_IN(ETH)","Value_OUT(ETH)","CurrentValue @ $3000/Eth","TxnFee(ETH)","TxnFee(USD)","Status","Method"'
    )
    path = saved(tmp_path, header.encode() + b"\n")
    assert kind_of(path) is FileKind.EXPORT
    refused(path, "header: required fields missing: value, gas, input; .*lack the calldata.*txlist")


# -- internal calls ---------------------------------------------------------------------------------


def test_internal_calls(tmp_path: Path) -> None:
    records = [
        call(1, 5),
        call(2, 5, type="create", to="", contractAddress=CREATED, input="0x6001", isError="1"),
        call(3, 9, type="suicide", traceId=""),
    ]
    found = read_calls(saved(tmp_path, list(records)))
    assert [item.type for item in found] == [CallType.CALL, CallType.CREATE, CallType.SELFDESTRUCT]
    assert [item.trace for item in found] == [(0, 1), (0, 2), None]
    assert [item.succeeded for item in found] == [True, False, True]
    assert (found[1].to, found[1].created, found[1].data) == (None, bytes.fromhex(CREATED[2:]), b"\x60\x01")
    assert (found[0].value, found[0].gas, found[0].block) == (17, 2300, 5)
    assert read_calls(saved(tmp_path, as_csv(records))) == found
    assert read_calls(saved(tmp_path, [])) == ()


ROW = {
    "transaction_hash": "0x" + "02" * 32,
    "block_number": "7",
    "from_address": "0x" + "0a" * 20,
    "to_address": "0x" + "0b" * 20,
    "value": "5.0",
    "input": "0x12345678",
    "trace_type": "call",
    "call_type": "call",
    "trace_address": "0,3",
    "error": None,
    "status": 1,
    "transaction_index": 4,
    "block_timestamp": "2018-02-09 16:45:19 UTC",
}


@pytest.mark.parametrize("trace", ["0,3", "0_3", [0, 3], "[0, 3]", "0 3"])
def test_rows_of_traces_are_internal_calls(tmp_path: Path, trace: object) -> None:
    rows = [ROW | {"trace_address": trace}, dict.fromkeys(ROW) | {"trace_type": "reward"}]
    (found,) = read_calls(saved(tmp_path, json.dumps(rows).encode()))
    assert (found.type, found.block, found.index, found.value) == (CallType.CALL, 7, 4, 5)
    assert (found.trace, found.succeeded, found.timestamp) == ((0, 3), True, 1_518_194_719)


def test_rows_of_traces_may_come_in_any_order(tmp_path: Path) -> None:
    """A query without an order gives them so."""
    places: list[tuple[str, int, str | None]] = [
        ("9", 1, "0"),
        ("7", 4, "0,1"),
        ("7", 4, "0"),
        ("7", 2, "1"),
        ("8", 0, None),
    ]
    rows = [
        ROW
        | {
            "transaction_hash": f"0x{int(block) * 16 + index:064x}",
            "block_number": block,
            "transaction_index": index,
            "trace_address": trace,
        }
        for block, index, trace in places
    ]
    found = read_calls(saved(tmp_path, json.dumps(rows).encode()))
    assert [(item.block, item.index, item.trace) for item in found] == [
        (7, 2, (1,)),
        (7, 4, (0,)),
        (7, 4, (0, 1)),
        (8, 0, None),
        (9, 1, (0,)),
    ]


def test_a_row_that_creates_a_contract_names_it_as_its_receiver(tmp_path: Path) -> None:
    row = ROW | {"trace_type": "create", "call_type": None, "error": "Reverted"}
    (found,) = read_calls(saved(tmp_path, json.dumps([row]).encode()))
    assert (found.type, found.to, found.created) == (CallType.CREATE, None, bytes([0x0B] * 20))
    assert found.succeeded is False


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1518194719", 1_518_194_719),
        ("1518194719000", 1_518_194_719),
        (1_518_194_719_000_000_000, 1_518_194_719),
        ("2018-02-09 16:45:19 UTC", 1_518_194_719),
        ("2018-02-09T16:45:19Z", 1_518_194_719),
        (1518194719.0, 1_518_194_719),
        ("nan", None),
    ],
)
def test_times_in_the_units_of_other_programs(tmp_path: Path, written: object, seconds: int | None) -> None:
    record = transaction(0, 1, 0) | {"timeStamp": written}
    (found,) = read_transactions(saved(tmp_path, json.dumps([record]).encode()))
    assert found.timestamp == seconds


@pytest.mark.parametrize("name", ["CityToken", "ETHPalace"])
def test_internal_calls_of_real_histories_as_they_are(name: str) -> None:
    """An explorer's list and the rows of a public data set are the same calls."""
    folder = entangled_histories() / name
    listed = read_calls(folder / "txlistinternal.json.gz")
    rows = read_calls(folder / "traces-bigquery.json.gz")
    calls = {(item.hash, item.trace, item.sender, item.to, item.data, item.succeeded) for item in listed}
    assert len(listed) > 0
    assert calls <= {
        (item.hash, item.trace, item.sender, item.to, item.data, item.succeeded) for item in rows
    }


def test_internal_calls_of_blockscout(tmp_path: Path) -> None:
    record = call(1, 5, callType="delegatecall", index="3")
    record["transactionHash"] = record.pop("hash")
    del record["traceId"]
    found = read_calls(saved(tmp_path, [record]))[0]
    assert (found.type, found.hash, found.trace) == (CallType.DELEGATECALL, (2).to_bytes(32, "big"), None)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"type": "reward"}, "record 2: type should be one of call, .*; got 'reward'"),
        ({"traceId": "0_"}, "record 2: traceId should be numbers"),
        ({"traceId": "0_1", "hash": f"0x{2:064x}"}, "record 2: hash and traceId are those of record 1"),
        ({"blockNumber": "4"}, "record 2: blockNumber is 4 after block 5 in record 1"),
        ({"value": "-1"}, "record 2: value should be .*, got '-1'"),
    ],
)
def test_internal_calls_that_cannot_be(tmp_path: Path, fields: Record, match: str) -> None:
    with pytest.raises(FileFormatError, match=match):
        read_calls(saved(tmp_path, [call(1, 5), call(2, 5, **fields)]))


def test_one_export_in_place_of_another(tmp_path: Path) -> None:
    refused(saved(tmp_path, [call(1, 5)]), "export of internal calls .*, expected one of transactions")
    refused(saved(tmp_path, [{"tokenSymbol": "A", "hash": "0x"}]), "export of token transfers")
    refused(
        saved(tmp_path, [{"type": "function", "stateMutability": "view"}]),
        "an ABI, which is given with --abi",
    )
    with pytest.raises(
        FileFormatError, match=r"this is an export of transactions .*, expected one of internal calls"
    ):
        read_calls(saved(tmp_path, list(transactions(1))))


# -- files that are neither -------------------------------------------------------------------------


def test_the_kind_of_a_file(tmp_path: Path) -> None:
    given = simulate(1, 5).transactions
    for suffix in (".jsonl", ".jsonl.gz", ".jsonl.zst"):
        path = tmp_path / f"a{suffix}"
        write(path, header_of(given), given)
        assert kind_of(path) is FileKind.TRACES
    for content in (b"", b"  \n"):
        with pytest.raises(FileFormatError, match="txlist is empty; expected a trace file, or"):
            kind_of(saved(tmp_path, content))
    others = (
        b'{"abi": []}',
        b"hello\n",
        b"\x00\xff" * 9,
        b'"',
        b"<html>",
        b'{"format": "specminer/automaton"}',
    )
    for content in others:
        with pytest.raises(FileFormatError, match=r"neither a trace file .* nor an explorer's export"):
            kind_of(saved(tmp_path, content))
    with pytest.raises(FileFormatError, match="cannot be read: No such file"):
        kind_of(tmp_path / "missing")
    with pytest.raises(FileFormatError, match="cannot be read: "):
        kind_of(tmp_path)


def test_a_refusal_that_was_saved(tmp_path: Path) -> None:
    answer = {"status": "0", "message": "NOTOK", "result": "Max rate limit reached \x1b[31m"}
    refused(
        saved(tmp_path, json.dumps(answer).encode()), r"refusal .*status 0\): Max rate limit reached \\x1b"
    )
    answer = {"status": "0", "message": "No transactions found", "result": []}  # type: ignore[dict-item]
    refused(saved(tmp_path, json.dumps(answer).encode()), "holds no transactions")
    refused(saved(tmp_path, b'{"jsonrpc":"2.0","id":1}'), "no explorer's export")
    refused(saved(tmp_path, b'{"result":{"a":[]}}'), "refusal in place of records")


def test_an_empty_export(tmp_path: Path) -> None:
    for content in (b"[]", b" [ ] \n", b'{"status":"0","message":"No transactions found","result":[]}'):
        refused(saved(tmp_path, content), "holds no transactions")
    refused(saved(tmp_path, b""), "is empty")
    refused(saved(tmp_path, as_csv(transactions(1)).splitlines(keepends=True)[0]), "holds no transactions")


# -- evidence that was tampered with ----------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_a_truncated_export_is_refused_wherever_it_ends(tmp_path: Path, shape: str) -> None:
    content = SHAPES[shape](transactions(4)).rstrip(b" \n\r") + (b"\r\n" if "csv" in shape else b"")
    lines = [match.end() for match in re.finditer(b"\n", content)] if "csv" in shape else []
    for size in range(len(content) - 1):
        if size in lines:
            continue  # whole records: what is missing behind them cannot be seen
        message = refused(saved(tmp_path, content[:size]))
        if size > len(content) * 3 // 4 and "csv" not in shape:
            assert re.search(r"record [34]\b", message), message


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_truncated_packing_is_refused_wherever_it_ends(tmp_path: Path, packing: str) -> None:
    content = PACKINGS[packing](as_csv(transactions(4)))
    for size in range(len(content)):
        refused(saved(tmp_path, content[:size]))
    refused(saved(tmp_path, content + b"more"), "is damaged")


def test_pieces_of_zstd_and_gzip_are_read_as_one(tmp_path: Path) -> None:
    content = as_csv(transactions(4))
    for pack in (zstandard.compress, gzip.compress):
        path = saved(tmp_path, pack(content[:100]) + pack(content[100:]))
        assert len(read_transactions(path)) == 4


def test_reordered_records_are_refused(tmp_path: Path) -> None:
    records = transactions(7)
    swapped = [*records[:3], records[4], records[3], *records[5:]]
    refused(
        saved(tmp_path, list(swapped)), "record 5: transactionIndex is 1 after 3 in record 4.*of block 107"
    )
    refused(saved(tmp_path, records[::-1]), "record 2: blockNumber is 107 after block 114.*oldest first")
    refused(saved(tmp_path, [records[3], records[0]]), "record 2: blockNumber is 100 after block 107")


def test_a_transaction_that_stands_twice_is_refused(tmp_path: Path) -> None:
    records = transactions(7)
    refused(saved(tmp_path, [*records, records[6]]), "record 8: hash 0x0+7 is that of record 7")
    refused(saved(tmp_path, [*records, transaction(2, 500, 0)]), "record 8: hash 0x0+3 is that of record 3")
    same_place = [*records, transaction(7, 114, 1)]
    refused(saved(tmp_path, list(same_place)), "record 8: transactionIndex is 1 after 1 in record 7")


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"hash": "0x12"}, "hash should be 0x and 64 hexadecimal digits, got '0x12'"),
        ({"hash": ""}, "hash should be 0x and 64 hexadecimal digits, got ''"),
        ({"hash": "0x" + "zz" * 32}, "hash should be 0x"),
        ({"from": ""}, "from should be 0x and 40 hexadecimal digits, got ''"),
        ({"from": 5}, "from should be 0x and 40 hexadecimal digits, got 5"),
        ({"to": "0x" + "11" * 21}, "to should be 0x and 40"),
        ({"input": "0x123"}, "input should be 0x and hexadecimal digits, two a byte, got '0x123'"),
        ({"input": "0x12 4"}, "input should be"),
        ({"input": ""}, "input should be"),
        ({"input": "deprecated"}, "input should be .*got 'deprecated'"),
        ({"input": "0x" + "1" * 32_765}, "32,767 characters, where spreadsheets cut"),
        ({"input": None}, "input should be .*got null"),
        ({"value": "-1"}, "value should be a whole decimal number from 0 to 2\\*\\*256 - 1, got '-1'"),
        ({"value": -1}, "value should be .*got -1"),
        ({"value": str(1 << 256)}, "value should be"),
        ({"value": "9" * 5000}, "value should be"),
        ({"value": 1 << 256}, "value should be"),
        ({"value": 0.5}, "value should be .*got 0.5"),
        ({"value": "0.5"}, "value should be .*got '0.5'"),
        ({"value": "0x1g"}, "value should be .*got '0x1g'"),
        ({"value": "١"}, "value should be"),
        ({"value": "1e18"}, "value should be .*got '1e18'"),
        ({"value": True}, "value should be .*got True"),
        ({"blockNumber": str(1 << 63)}, "blockNumber should be .*2\\*\\*63 - 1"),
        ({"blockNumber": ""}, "blockNumber should be .*got ''"),
        ({"transactionIndex": str(1 << 31)}, "transactionIndex should be"),
        ({"gas": "\x1b[31m"}, r"gas should be .*got '\\\\x1b"),
        ({"nonce": "a"}, "nonce should be"),
        ({"isError": "2"}, "isError should be 0 or 1, got '2'"),
        ({"isError": "true", "txreceipt_status": ""}, "isError should be 0 or 1, got 'true'"),
        ({"txreceipt_status": True}, "txreceipt_status should be 0 or 1, got True"),
        ({"contractAddress": CREATED}, "'to' and 'contractAddress' are both given"),
        ({"timeStamp": "5"}, "timeStamp differs from that in record 1 of the same block 100"),
        ({"blockNumber": "101", "timeStamp": "5"}, "timeStamp is 5, earlier than .* of the older block 100"),
        ({"blockHash": "0x" + "11" * 32}, "blockHash differs from that in record 1"),
        ({"value": []}, "value should be a whole decimal number"),
        ({"value": {}}, "record 2 holds a list or an object"),
    ],
)
def test_a_field_that_cannot_be_is_named(tmp_path: Path, fields: dict[str, Any], match: str) -> None:
    good = transactions(3)
    records = [good[0], {**good[1], **fields}, good[2]]
    message = refused(saved(tmp_path, records), match)
    assert "record 2" in message
    if all(isinstance(value, str) for value in fields.values()):
        message = refused(saved(tmp_path, as_csv(records)), match)
        assert "record 2 (line 3)" in message


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"[1]", "record 1 should be an object with the fields of a transaction, got '1]'"),
        (b"[{}, null]", "record 1: required fields missing: hash, blockNumber"),
        (b'[{"a": 1e999}]', "record 1 is no JSON object"),
        (b'[{"a": nan}]', "record 1 is no JSON object"),
        (b'[{"a": "\xff"}]', "record 1 is no JSON object"),
        (b"[" * 10_000, "record 1 should be an object"),
        (b'{"result":' * 10_000, "no explorer's export: there is no list in 'result'"),
        (b'{"result":' * 1_000, "no explorer's export.*nested deeper"),
        (b'[{"a":' * 10_000, "record 1 holds a list or an object"),
        (b"[{} {}]", "record 1 should be followed by a comma"),
        (b"[{}", "record 1 should be followed by a comma|required fields"),
        (b"[", "record 1 is missing, and so is the end of the list: the file is cut off"),
        (b"[\x1b]", "record 1 should be an object"),
    ],
)
def test_json_that_holds_no_records(tmp_path: Path, content: bytes, match: str) -> None:
    refused(saved(tmp_path, content), match)


def test_lists_that_were_put_together(tmp_path: Path) -> None:
    one = json.dumps(transactions(2)).encode()
    refused(saved(tmp_path, one + one), "behind record 2: more follows the end of the list")
    answer = SHAPES["answer"](transactions(2))
    refused(saved(tmp_path, answer + answer), "behind record 2: ")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda text: text.replace(b'"0x00000001"', b"0x00000001,"),
            "record 2 .line 3. has 19 fields, expected 18",
        ),
        (lambda text: text.replace(b"gas,", b"hash,"), "header: two columns hold the field hash"),
        (lambda text: text + b'"\n', "record 4: unexpected end of data"),
        (lambda text: text + b"\xff\n", "record 4: .*utf-8"),
        (lambda text: text + b"\n", "record 4 .line 5. has 0 fields"),
        (lambda text: text.rstrip(), "its last record may be cut off"),
        (lambda text: text.replace(b"blockNumber", b"block"), "header: required field missing: blockNumber"),
        (lambda text: text.split(b"\n", 1)[1], "neither JSON nor CSV with a header line"),
    ],
)
def test_csv_that_is_broken(tmp_path: Path, change: Any, match: str) -> None:
    content = as_csv(transactions(3)).replace(b",0x00000001,", b',"0x00000001",')
    changed = change(content)
    assert changed != content
    refused(saved(tmp_path, changed), match)


# -- size -------------------------------------------------------------------------------------------


def test_input_longer_than_a_csv_reader_takes_by_default(tmp_path: Path) -> None:
    long = "0x" + "ab" * 200_000
    records = [transaction(0, 1, 0, input=long)]
    for content in (as_csv(records), json.dumps(records).encode()):
        assert len(read_transactions(saved(tmp_path, content))[0].data) == 200_000


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("unit", [b" ", b"[", b'[{"a":"', b"0,", b"hash,"])
def test_a_bomb_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str, unit: bytes
) -> None:
    monkeypatch.setattr(export_rows, "MAX_BYTES", 8 << 20)
    bomb = PACKINGS[packing](unit * ((64 << 20) // len(unit)))
    assert len(bomb) < 1 << 20
    path = saved(tmp_path, bomb)
    tracemalloc.start()
    try:
        refused(path, "holds more than 8 MiB when unpacked")
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b"0," * 2_000_000 + b"0]",
        b"[{" + b",".join(b'"%x":0' % key for key in range(500_000)) + b"}]",
        b"hash,blockNumber,from,to,value,gas,input\n" + b"," * 4_000_000 + b"\n",
        b"hash,blockNumber,from,to,value,gas,input\n" + b'"' + b"\n" * 4_000_000,
        b"[" + b'{"a":"' + b"\\\\" * 2_000_000,
        b"[" + b" " * 4_000_000,
        b"hash" + b"," * 4_000_000 + b"\n",
    ],
    ids=["zeros", "keys", "commas", "quote", "backslashes", "spaces", "header"],
)
def test_what_is_no_record_is_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(export_rows, "MAX_RECORD", 1 << 20)
    path = saved(tmp_path, content)
    tracemalloc.start()
    try:
        refused(path)
        assert tracemalloc.get_traced_memory()[1] < 6 * len(content)
    finally:
        tracemalloc.stop()


# -- laws -------------------------------------------------------------------------------------------


BASES = [
    (shape, packing, PACKINGS[packing](SHAPES[shape](transactions(3))))
    for shape in SHAPES
    for packing in PACKINGS
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw an export with some bytes replaced, inserted, removed or repeated."""
    content = draw(st.sampled_from(BASES))[2]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        until = draw(st.integers(at, min(len(content), at + 40)))
        piece = draw(
            st.one_of(st.binary(max_size=8), st.sampled_from([b'"', b"{", b"[", b",", b"\\", b"\n", b"-1"]))
        )
        content = content[:at] + piece * draw(st.integers(0, 3)) + content[until:]
    return content


@settings(FAST, max_examples=400)
@given(st.one_of(mutated(), st.binary(max_size=200)))
@example(b"\x1f\x8b")
@example(b"\x28\xb5\x2f\xfd")
def test_whatever_the_bytes_are_nothing_but_our_error_comes(tmp_path: Path, content: bytes) -> None:
    path = saved(tmp_path, content)
    for read in (kind_of, read_transactions, read_calls):
        try:
            read(path)
        except FileFormatError as error:
            message = str(error)
        else:
            continue
        assert "txlist" in message
        assert message.isprintable()


@FAST
@given(st.data())
def test_what_is_written_is_read(tmp_path: Path, data: st.DataObject) -> None:
    octets = st.binary(max_size=40).map(lambda value: "0x" + value.hex())
    account = st.binary(min_size=20, max_size=20).map(lambda value: "0x" + value.hex())
    number = st.integers(0, (1 << 63) - 1)
    records = []
    for row in range(data.draw(st.integers(1, 6))):
        fields = {"value": data.draw(st.integers(0, (1 << 256) - 1)), "gas": data.draw(number)}
        fields |= {"nonce": data.draw(number), "gasUsed": data.draw(number)}
        record = transaction(row, 3 * row, 0, **{name: str(value) for name, value in fields.items()})
        record |= {"from": data.draw(account), "to": data.draw(account), "contractAddress": ""}
        records.append(record | {"input": data.draw(octets), "functionName": data.draw(st.text(max_size=20))})
    shape = data.draw(st.sampled_from([name for name in SHAPES if "csv" not in name]))
    path = saved(tmp_path, PACKINGS[data.draw(st.sampled_from(list(PACKINGS)))](SHAPES[shape](records)))
    for item, record in zip(read_transactions(path), records, strict=True):
        assert "0x" + item.data.hex() == record["input"]
        assert "0x" + item.sender.hex() == record["from"]
        assert item.to is not None
        assert "0x" + item.to.hex() == record["to"]
        assert [str(item.value), str(item.gas), str(item.nonce), str(item.gas_used)] == [
            record[name] for name in ("value", "gas", "nonce", "gasUsed")
        ]


# -- real histories ---------------------------------------------------------------------------------


@pytest.mark.real
def test_real_histories_are_read_in_every_shape(tmp_path: Path) -> None:
    paths = sorted(real_data().glob("*/*/txlist.json.gz"))
    assert paths, "SPECMINER_REAL_DATA names a folder without histories"
    for path in paths:
        records = json.loads(gzip.decompress(path.read_bytes()))
        found = read_transactions(path)
        assert len(found) == len(records)
        assert sum(item.succeeded is False for item in found) == sum(row["isError"] == "1" for row in records)
        assert all(item.data.hex() == row["input"][2:] for item, row in zip(found, records, strict=True))
        assert [item.created is not None for item in found] == [row["to"] == "" for row in records]
        assert read_transactions(saved(tmp_path, as_csv(records))) == found


def test_reading_does_not_change_how_others_read_csv(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    read_transactions(saved(tmp_path, as_csv(transactions(2))))
    refused(saved(tmp_path, as_csv(transactions(2)) + b'"\n'), "unexpected end")
    assert csv.field_size_limit() == before
    with pytest.raises(csv.Error):
        next(csv.reader(io.StringIO("a" * (before + 1))))
