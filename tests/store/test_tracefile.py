"""Trace files: the same history gives the same bytes and comes back; what is malformed is named."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer._support.errors import FileFormatError, OutputError, StoreError, UsageError
from specminer.history.trace import Fidelity, Tracer, Transaction
from specminer.pipeline import export_traces, import_traces
from specminer.sources import tracefile
from specminer.sources.tracefile import TraceFile, write
from specminer.store import TraceStore
from tests.support.histories import (
    CHAIN,
    CONTRACTS,
    Simulated,
    record_of,
    simulate,
    simulations,
    without_answers,
)
from tests.support.recordings import NEW_FIELDS, first_version, header_of

OWN = CONTRACTS[0]
SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
FAST = settings(max_examples=25)


@FAST
@given(simulations(tracers=tuple(Tracer)), st.sampled_from(SUFFIXES))
def test_what_is_written_is_read(tmp_path: Path, simulated: Simulated, suffix: str) -> None:
    header = header_of(simulated.transactions)
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    write(one, header, simulated.transactions)
    file = TraceFile(one)
    assert file.header == header
    assert tuple(file.transactions()) == simulated.transactions
    write(other, header, simulated.transactions)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
@FAST
@given(simulations(tracers=tuple(Tracer)), st.sampled_from(SUFFIXES))
def test_importing_and_exporting_gives_the_same_bytes(
    tmp_path: Path, simulated: Simulated, suffix: str
) -> None:
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    write(one, header_of(simulated.transactions), simulated.transactions)
    with TraceStore("sqlite://") as store:
        assert import_traces(store, one) == record_of()
        assert export_traces(store, CHAIN, OWN, other) == len(simulated.transactions)
        assert import_traces(store, one) == record_of()  # once more changes nothing
        assert one.read_bytes() == other.read_bytes()
        export_traces(store, CHAIN, OWN, other)
        assert one.read_bytes() == other.read_bytes()


def test_the_kind_of_file_is_told_by_its_content(tmp_path: Path) -> None:
    given = simulate(1, 5).transactions
    for suffix in SUFFIXES:
        path = tmp_path / f"a{suffix}"
        write(path, header_of(given), given)
        moved = path.rename(tmp_path / "moved")
        assert tuple(TraceFile(moved).transactions()) == given


def test_pieces_of_zstd_are_read_as_one(tmp_path: Path) -> None:
    given = simulate(1, 5).transactions
    plain, pieces = tmp_path / "a.jsonl", tmp_path / "b.zst"
    write(plain, header_of(given), given)
    lines = plain.read_bytes().splitlines(keepends=True)
    pieces.write_bytes(b"".join(zstandard.compress(line) for line in lines))
    assert tuple(TraceFile(pieces).transactions()) == given


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_that_an_editor_saved_in_another_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    given = simulate(3, 40).transactions
    path = tmp_path / "a.jsonl"
    write(path, header_of(given), given)
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding=encoding)
    assert tuple(TraceFile(path).transactions()) == given
    packed = tmp_path / "b.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert tuple(TraceFile(packed).transactions()) == given


# -- malformed files --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, ...]:
    """Return the lines of a good file: the header and 8 transactions."""
    given = simulate(11, 8).transactions
    path = tmp_path_factory.mktemp("good") / "a.jsonl"
    write(path, header_of(given), given)
    found = tuple(path.read_bytes().splitlines(keepends=True))
    assert len(found) == 9
    return found


def refused(path: Path, match: str) -> str:
    """Import, check that it fails with one clear message and leaves nothing; return the message."""
    with TraceStore("sqlite://") as store:
        with pytest.raises(FileFormatError, match=match) as caught:
            import_traces(store, path)
        assert store.contracts() == []
        assert store.blocks(CHAIN) == []
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    assert len(message) < 600
    return message


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    given = simulate(12, 6).transactions
    whole, cut = tmp_path / f"whole{suffix}", tmp_path / f"cut{suffix}"
    write(whole, header_of(given), given)
    data = whole.read_bytes()
    ends = {0, 1, 2, 3, 4, 5, 10, 18, len(data) // 2, *(len(data) - left for left in range(2, 12))}
    ends |= set(range(0, len(data), max(1, len(data) // 25)))
    if suffix == ".jsonl":
        ends |= {place for place, byte in enumerate(data) if byte == 10} - {len(data) - 1}
    for end in sorted(ends):
        cut.write_bytes(data[:end])
        if suffix == ".jsonl" or end < len(data) - 8:
            refused(cut, ".")
        else:  # only the checksum is missing: all data may be there, and then it is right
            try:
                assert tuple(TraceFile(cut).transactions()) == given
            except FileFormatError:
                continue


@pytest.mark.parametrize(
    ("arrange", "match"),
    [
        (lambda good: [], "is empty"),
        (lambda good: [b"\n"], "line 1 is empty"),
        (lambda good: good[:1], "holds 0 transactions, but its header says 8"),
        (lambda good: good[:-1], "holds 7 transactions, but its header says 8"),
        (lambda good: good[1:], "line 1: .*format"),
        (lambda good: [*good, good[-1]], "line 10: the header says that there are only 8"),
        (lambda good: [*good, b"\n"], "line 10 is empty"),
        (lambda good: [*good[:3], b" \r\n", *good[3:]], "line 4 is empty"),
        (lambda good: [*good[:3], good[2], *good[3:-1]], "line 4: block .* expected the chain's order"),
        (lambda good: [*good[:3], good[4], good[3], *good[5:]], "line 5: block .* the chain's order"),
        (lambda good: [good[0], good[0], *good[2:]], "line 2: "),
        (lambda good: [good[0], b"\xef\xbb\xbf" + good[1], *good[2:]], "line 2: .*invalid character"),
        (lambda good: [b"".join(good).replace(b"\n", b"")], "line 1: .*trailing"),
        (lambda good: [*good[:2], b"null\n", *good[3:]], "line 3: Expected `object`, got `null`"),
        (lambda good: [*good[:2], b"\xff\xfe\x00\n", *good[3:]], "line 3: "),
        (lambda good: [*good[:2], b"[" * 200_000 + b"\n", *good[3:]], "line 3: "),
        (lambda good: [*good[:2], b'{"hash":' * 200_000 + b"\n", *good[3:]], "line 3: "),
        (lambda good: [*good[:2], b'"' + b"a" * 10_000_000 + b'"\n', *good[3:]], "line 3: Expected `object`"),
        (lambda good: [*good[:2], b"9" * 100_000 + b"\n", *good[3:]], "line 3: "),
    ],
)
def test_lines_out_of_place_are_named(
    tmp_path: Path, lines: tuple[bytes, ...], arrange: Callable[[list[bytes]], list[bytes]], match: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b"".join(arrange(list(lines))))
    refused(path, match)


def test_line_ends_of_windows_are_read(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(line.replace(b"\n", b"\r\n") for line in lines))
    assert len(list(TraceFile(path).transactions())) == 8
    path.write_bytes(b"".join(lines).rstrip(b"\n"))
    assert len(list(TraceFile(path).transactions())) == 8


HUGE = 10**5000
NUMBERS: tuple[Any, ...] = (-1, 1 << 63, 1 << 64, 1.5, "1", None, True, [], {}, float("nan"))
HEX = (
    "",
    "0x",
    "0xg0",
    "0x0",
    "1234",
    "0X" + "11" * 20,
    "0x" + "11" * 20 + " ",
    "0x 11",
    "0x" + "１１" * 20,
    7,
    None,
)
WORDS = ("", "0x", "0x_1", "0x1_1", "0x-1", "0x１", " 0x1", "0x1 ", "0x" + "1" * 65, "1", 1, -1, 1.0)
WEI = ("", "-1", "+1", "1.0", "1e18", "0x1", "１", " 1", "1_0", str(1 << 256), "9" * 10_000, 1, None)
CALL = ("invocations", 0)
HEADER: list[tuple[tuple[str | int, ...], tuple[Any, ...]]] = [
    (("format",), ("other/format", "", None, 1)),
    (("version",), (0, 3, -1, "1", None, 1 << 70)),
    (("chain_id",), NUMBERS),
    (("first_block",), NUMBERS),
    (("last_block",), (*NUMBERS, 3)),
    (("transactions",), NUMBERS),
    (("tip",), (7, {}, {"number": 1, "hash": "0x" + "00" * 32}, {"number": 1})),
    (("limits",), (7, [1], [""], ["x" * 501])),
    (("contract", "address"), HEX),
    (("contract", "code"), ("", "0xg0", "0x0", 7, None)),
    (("contract", "created_in_block"), NUMBERS[:5]),
    (("contract", "implementations"), ([], {"0x1": "0x"}, {"0x" + "11" * 20: "code"})),
    (("contract", "artifact"), (7, "x", {}, {"abi": 7}, [{"type": "function"}])),
    (("surplus",), (1,)),
    (("contract", "surplus"), (1,)),
]
LINE: list[tuple[tuple[str | int, ...], tuple[Any, ...]]] = [
    (("hash",), (*HEX, "0x" + "11" * 31, "0x" + "11" * 33)),
    (("block",), (None, 7, {})),
    (("block", "number"), (*NUMBERS, 9, 10_000)),
    (("block", "hash"), HEX),
    (("block", "timestamp"), (*NUMBERS[:5], True)),
    (("index",), (*NUMBERS, 1 << 31)),
    (("sender",), HEX),
    (("to",), HEX[:-1]),
    (("value",), WEI),
    (("gas",), NUMBERS),
    (("gas_used",), NUMBERS),
    (("nonce",), NUMBERS),
    (("succeeded",), (0, 1, "true", None)),
    (("tracer",), ("", "Javascript", 7, None)),
    (("invocations",), (None, {}, [7], [{}])),
    (("preimages",), (None, {}, [7], ["0x0"], [""])),
    (("surplus",), (1,)),
    ((*CALL, "contract"), (*HEX, "0x" + "11" * 20)),
    ((*CALL, "code"), HEX),
    ((*CALL, "position"), (*NUMBERS, 1 << 31)),
    ((*CALL, "parent"), (0, 5, -1, 1.5, "0", True, 1 << 70)),
    ((*CALL, "depth"), (*NUMBERS, 1 << 31)),
    ((*CALL, "kind"), ("", "EXTERNAL", 7, None)),
    ((*CALL, "sender"), HEX),
    ((*CALL, "value"), WEI),
    ((*CALL, "data"), ("", "0x0", "zz", 7, None)),
    ((*CALL, "outcome"), ("", "ok", 7, None)),
    ((*CALL, "output"), ("", "0x0", "zz", 7, None)),
    ((*CALL, "gas"), NUMBERS),
    ((*CALL, "gas_used"), NUMBERS),
    ((*CALL, "surplus"), (1,)),
    ((*CALL, "accesses", 0), ([], [0], None, {}, [0, "read", "0x0", "0x0", "0x0", False, 1])),
    ((*CALL, "accesses", 0, 0), (*NUMBERS, 1 << 31)),
    ((*CALL, "accesses", 0, 1), ("", "READ", 7, None)),
    ((*CALL, "accesses", 0, 2), WORDS),
    ((*CALL, "accesses", 0, 3), WORDS),
    ((*CALL, "accesses", 0, 4), (*WORDS, None)),
    ((*CALL, "accesses", 0, 5), (0, "false", None)),
    (
        (*CALL, "events"),
        (None, [[0, [], "0x", False, 1]], [[0, ["0x00"], "0x"]], [[-1, [], "0x"]], [[0, [], "x"]]),
    ),
]


def changed(line: bytes, field: tuple[str | int, ...], value: object) -> bytes:
    document = json.loads(line)
    inner = document
    for key in field[:-1]:
        inner = inner[key]
    inner[field[-1]] = value
    return json.dumps(document).encode() + b"\n"


def named(field: tuple[str | int, ...]) -> str:
    """Return what a message calls a field: one of its names at least."""
    names = [str(part) for part in field if isinstance(part, str)]
    return "|".join(
        re.escape(name)
        for name in (*names[-2:], "expected", "is outside", "JSON is malformed", "at most length")
    )


@pytest.mark.parametrize(("field", "values"), HEADER, ids=lambda item: str(item)[:40])
def test_a_bad_header_is_named(
    tmp_path: Path, lines: tuple[bytes, ...], field: tuple[str | int, ...], values: tuple[Any, ...]
) -> None:
    path = tmp_path / "bad.jsonl"
    for value in values:
        path.write_bytes(b"".join([changed(lines[0], field, value), *lines[1:]]))
        message = refused(path, named(field) + "|transactions|artifact")
        assert "line 1" in message or "header says" in message or "outside" in message, (value, message)


@pytest.mark.parametrize(("field", "values"), LINE, ids=lambda item: str(item)[:40])
def test_a_bad_field_is_named_with_its_line(
    tmp_path: Path, lines: tuple[bytes, ...], field: tuple[str | int, ...], values: tuple[Any, ...]
) -> None:
    path = tmp_path / "bad.jsonl"
    for value in values:
        path.write_bytes(b"".join([*lines[:2], changed(lines[2], field, value), *lines[3:]]))
        message = refused(path, named(field))
        assert "line 3" in message or (field[0] == "block" and "line 4" in message), (value, message)


def test_a_missing_field_is_named_with_its_line(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "bad.jsonl"
    optional = {"to", "preimages", "timestamp", "parent", "output", "accesses", "events", "payments"}
    optional |= {name for names in NEW_FIELDS.values() for name in names}

    def objects(item: dict[str, Any]) -> list[dict[str, Any]]:
        return [item, item["block"], *item["invocations"]]

    document = json.loads(lines[2])
    for place, inner in enumerate(objects(document)):
        for name in set(inner) - optional:
            cut = json.loads(lines[2])
            del objects(cut)[place][name]
            path.write_bytes(b"".join([*lines[:2], json.dumps(cut).encode() + b"\n", *lines[3:]]))
            assert "line 3" in refused(path, name)


def test_numbers_too_long_to_print_are_refused(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "bad.jsonl"
    for pattern in (rb'"nonce":\d+', rb'"position":\d+', rb'"index":\d+', rb'"depth":\d+'):
        name = re.sub(rb"\d.*", b"", pattern.replace(rb"\d+", b""))
        bad = re.sub(pattern, name + b"9" * 6000, lines[2], count=1)
        path.write_bytes(b"".join([*lines[:2], bad, *lines[3:]]))
        assert "line 3" in refused(path, ".")


def test_positions_must_ascend_and_differ(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "bad.jsonl"
    rows = [row for row in range(1, 9) if len(json.loads(lines[row])["invocations"][0]["accesses"]) > 1]
    row = rows[0]
    for swapped in (True, False):
        item = json.loads(lines[row])
        found = item["invocations"][0]["accesses"]
        found[1][0], found[0][0] = (found[0][0], found[1][0]) if swapped else (found[0][0], found[0][0])
        path.write_bytes(b"".join([*lines[:row], json.dumps(item).encode() + b"\n", *lines[row + 1 :]]))
        assert f"line {row + 1}" in refused(path, "ascending positions")


def test_one_block_has_one_hash_and_time(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "bad.jsonl"
    items = [json.loads(line) for line in lines]
    row = next(
        row for row in range(2, 9) if items[row]["block"]["number"] == items[row - 1]["block"]["number"]
    )
    for name, value in (("hash", "0x" + "77" * 32), ("timestamp", 1)):
        bad = changed(lines[row], ("block", name), value)
        path.write_bytes(b"".join([*lines[:row], bad, *lines[row + 1 :]]))
        assert f"line {row + 1}" in refused(path, "another hash, timestamp or value")


def test_the_same_transaction_twice_is_refused(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "bad.jsonl"
    bad = changed(lines[8], ("hash",), json.loads(lines[1])["hash"])
    path.write_bytes(b"".join([*lines[:8], bad]))
    assert "line 9" in refused(path, "stands twice")


def test_a_version_to_come_is_refused_by_its_version(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"format":"specminer/traces","version":3,"new":{}}\n')
    refused(path, "the version is 3; this specminer reads versions 1 to 2")


def as_lines(items: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def test_version_1_is_read_and_written_as_version_2(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path, again = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    path.write_bytes(as_lines(first_version(lines)))
    given = tuple(map(without_answers, simulate(11, 8).transactions))
    assert given != simulate(11, 8).transactions
    file = TraceFile(path)
    assert file.version == 1
    assert tuple(file.transactions()) == given
    write(again, file.header, given)
    assert TraceFile(again).version == 2
    assert tuple(TraceFile(again).transactions()) == given


@pytest.mark.parametrize("fidelity", list(Fidelity))
def test_values_that_version_1_kept_in_doubt_are_unknown(
    tmp_path: Path, lines: tuple[bytes, ...], fidelity: Fidelity
) -> None:
    path = tmp_path / "one.jsonl"
    items = first_version(lines)
    doubted = fidelity in (Fidelity.GAS, Fidelity.STATUS, Fidelity.TAINTED)
    for version in (1, 2):
        items[0]["version"] = version
        for item in items[1:]:
            item["fidelity"] = fidelity.value
        path.write_bytes(as_lines(items))
        accesses = [
            access
            for item in TraceFile(path).transactions()
            for call in item.invocations
            for access in call.accesses
        ]
        assert accesses
        unknown = [access.before is None and access.after is None for access in accesses]
        assert all(unknown) if version == 1 and doubted else not any(unknown)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in NEW_FIELDS.items() for name in names]
)
def test_version_1_has_no_answers(tmp_path: Path, lines: tuple[bytes, ...], kind: str, name: str) -> None:
    path = tmp_path / "one.jsonl"
    items = first_version(lines)
    item = items[1]
    part = {"transaction": item, "block": item["block"], "invocation": item["invocations"][0]}[kind]
    part[name] = {"base_fee": "1", "gas_limit": 1, "beneficiary": "0x" + "1" * 40, "randomness": "0x1"}.get(
        name, []
    )
    path.write_bytes(as_lines(items))
    assert "line 2" in refused(path, f"version 1 has no field '{name}'")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda call: call | {4: "0x" + "00" * 1025, 5: 1025},
            "data has 1025 bytes; expected at most 1024",
        ),
        (
            lambda call: call | {4: "0x0000", 5: 3},
            "calls\\[0\\].data has 2 bytes; expected the first ones of 3",
        ),
        (
            lambda call: call | {7: "0x" + "00" * 1024, 8: 1023},
            "1024 bytes; expected the first ones of 1023",
        ),
        (lambda call: call | {5: -1}, "should be from 0 to"),
        (lambda call: call | {6: False, 9: True}, "expected it not to be undone as well"),
        (lambda call: call | {1: "jump"}, "Invalid enum value"),
    ],
)
def test_a_bad_external_call_is_named(
    tmp_path: Path, lines: tuple[bytes, ...], change: Callable[[dict[int, Any]], dict[int, Any]], match: str
) -> None:
    path = tmp_path / "bad.jsonl"
    items = list(map(json.loads, lines))
    good = dict(enumerate([0, "call", "0x" + "1" * 40, "0", "0x00", 1, True, "0x", 0, False]))
    items[1]["invocations"][0]["calls"] = [list(good.values())]
    path.write_bytes(as_lines(items))
    assert len(list(TraceFile(path).transactions())) == 8
    items[1]["invocations"][0]["calls"] = [list(change(good).values())]
    path.write_bytes(as_lines(items))
    assert "line 2" in refused(path, match)


def test_bombs_are_refused_early(
    tmp_path: Path, lines: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracefile, "MAX_LINE", 1 << 20)
    path = tmp_path / "bomb.gz"
    for tail, match in (
        (b" " * (30 << 20), "line 10 is longer than 1 MiB"),
        (b"\n" * (30 << 20), "is empty"),
    ):
        path.write_bytes(gzip.compress(b"".join(lines) + tail, 9))
        assert path.stat().st_size < 100_000
        refused(path, match)
        path.write_bytes(zstandard.compress(b"".join(lines) + tail))
        refused(path, match)


@pytest.mark.parametrize("magic", [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"])
def test_noise_behind_a_magic_number_is_refused(tmp_path: Path, magic: bytes) -> None:
    path = tmp_path / "noise"
    for tail in (b"", b"\0" * 100, bytes(range(256)) * 10):
        path.write_bytes(magic + tail)
        refused(path, ".")


@settings(max_examples=60)
@given(st.data())
def test_any_byte_may_be_wrong(tmp_path: Path, lines: tuple[bytes, ...], data: st.DataObject) -> None:
    path = tmp_path / "noise.jsonl"
    good = bytearray(b"".join(lines))
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(good)
    with TraceStore("sqlite://") as store:
        try:
            import_traces(store, path)
        except (FileFormatError, StoreError):
            assert store.contracts() == []
        else:
            assert len(list(store.transactions(*_only(store)))) == 8


def _only(store: TraceStore) -> tuple[int, Any]:
    (contract,) = store.contracts()
    return contract.chain_id, contract.address


# -- files and folders ------------------------------------------------------------------------------


def test_what_cannot_be_read_is_a_format_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / "missing" / "x", tmp_path / ("x" * 300)):
        with pytest.raises(FileFormatError, match="cannot be read"):
            TraceFile(path)


def test_what_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder.gz").mkdir()
    for name in ("missing/x", "file/x", "folder.gz", "x" * 300, "nul\0l"):
        with pytest.raises(OutputError, match="cannot be written"):
            write(tmp_path / name, header_of([]), [])
    assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "folder.gz"]


def test_an_interrupted_export_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("old")
    given = simulate(1, 3).transactions
    with pytest.raises(OutputError, match="counts 3 transactions, but 2 came"):
        write(path, header_of(given), given[:2])

    def killed() -> Iterable[Transaction]:
        yield given[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(path, header_of(given), killed())
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.jsonl"]


def test_a_history_in_pieces_is_not_exported(tmp_path: Path) -> None:
    with TraceStore("sqlite://") as store:
        store.register_contract(record_of())
        for match in ("0 separate ranges", None, "2 separate ranges"):
            if match is None:
                store.add(CHAIN, OWN, [], complete=(1, 2))
                export_traces(store, CHAIN, OWN, tmp_path / "a")
                store.add(CHAIN, OWN, [], complete=(9, 9))
            else:
                with pytest.raises(StoreError, match=match):
                    export_traces(store, CHAIN, OWN, tmp_path / "b")


def test_overlapping_histories_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    given = simulate(1, 3).transactions
    write(path, header_of(given), given)
    with TraceStore("sqlite://") as store:
        store.register_contract(record_of())
        store.add(CHAIN, OWN, [], complete=(1, 10))
        with pytest.raises(UsageError, match="overlap with blocks 10 to"):
            import_traces(store, path)
        assert store.transaction_count(CHAIN, OWN) == 0


def test_two_chains_of_one_id_are_not_mixed(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(lines))
    other = tmp_path / "b.jsonl"
    other.write_bytes(b"".join(lines).replace(b"0x" + b"c0" * 20, b"0x" + b"c1" * 20))
    forged = json.loads(lines[1])["block"]["hash"].encode()
    third = tmp_path / "c.jsonl"
    third.write_bytes(other.read_bytes().replace(b"c1" * 20, b"c2" * 20).replace(forged, b"0x" + b"99" * 32))
    with TraceStore("sqlite://") as store:
        import_traces(store, path)
        import_traces(store, other)
        with pytest.raises(StoreError, match="another chain with the same id"):
            import_traces(store, third)
        assert len(store.contracts()) == 2


def test_every_prefix_of_lines_is_refused(tmp_path: Path, lines: tuple[bytes, ...]) -> None:
    path = tmp_path / "cut.jsonl"
    for part in itertools.accumulate(lines[:-1]):
        path.write_bytes(part)
        refused(path, "truncated or was edited")
