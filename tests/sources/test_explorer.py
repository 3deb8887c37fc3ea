"""An explorer's lists are read whole whatever its limits are; what it says wrong is told, and its key is not."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specminer._support.errors import (
    ChainError,
    InvalidNodeResponse,
    NodeRefused,
    NodeUnreachable,
    SpecminerError,
    UsageError,
)
from specminer.history.trace import Address, Hash
from specminer.sources import explorer as explorer_module
from specminer.sources import paging
from specminer.sources.explorer import ExplorerClient, chain_of_url, explorer_endpoint
from specminer.sources.export_fields import RecordError
from specminer.sources.exported import ExportedTransaction
from specminer.sources.paging import NO_END, ChangedListing, KeptRecord, Pages, in_order
from specminer.sources.reading_progress import ListingKind
from tests.support.exports import CREATED, SENDER, Record, call, transaction, transactions
from tests.support.local_explorer import Change, LocalExplorer, Query, Served, refused

CONTRACT = Address(bytes.fromhex(CREATED[2:]))
KEY = "geheim0123456789KEY"
FAST = settings(max_examples=15)


def connected(server: LocalExplorer, key: str | None = None, timeout: float = 5) -> ExplorerClient:
    return ExplorerClient(explorer_endpoint(server.url, key), 1, key=key, timeout=timeout, pause=0.002)


def listed(
    server: LocalExplorer,
    listing: ListingKind = ListingKind.TRANSACTIONS,
    known: Sequence[KeptRecord] = (),
    first: int = 0,
    last: int = NO_END,
) -> list[KeptRecord]:
    """Read a list and return what is new."""
    with connected(server) as explorer:
        pages = Pages(explorer, listing, CONTRACT, first, last)
        pages.know(known)
        return [record for page in pages.new() for record in page]


def hashes(records: Sequence[KeptRecord]) -> list[int]:
    return [int.from_bytes(record.item.hash, "big") - 1 for record in records]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pages and windows small, so that little data has many of them."""
    monkeypatch.setattr(paging, "PAGE", 6)
    monkeypatch.setattr(paging, "WINDOW", 30)
    monkeypatch.setattr(paging, "LEAST_PAGE", 2)


# -- whole lists ------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """Draw records whose blocks are often cut by pages of 6, some larger than a page."""
    found: list[Record] = []
    for block in range(draw(st.integers(0, 6))):
        for index in range(draw(st.sampled_from([1, 2, 5, 6, 7, 12, 13, 18]))):
            found.append(transaction(len(found), 100 + block, index))
    return found


@FAST
@given(
    records=histories(),
    cap=st.sampled_from([None, 2, 4, 5, 6, 7]),
    limit=st.sampled_from([0, 3]),
    cut=st.integers(0, 200),
)
def test_every_record_comes_once_and_in_order(
    small_pages: None, records: list[Record], cap: int | None, limit: int, cut: int
) -> None:
    expected = list(range(len(records)))
    with LocalExplorer(Served(transactions=records, cap=cap, limit_every=limit, window=30)) as server:
        found = listed(server)
        assert hashes(found) == expected
        assert [item.record for item in in_order(found)] == [number + 1 for number in expected]
        for query in server.asked("txlist"):
            assert int(query["page"]) * int(query["offset"]) <= 30
        # a list that was cut anywhere goes on where it stopped
        known = found[:cut]
        assert hashes(listed(server, known=known)) == expected[len(known) :]


def test_pages_of_a_thousand_and_more_than_the_window(tmp_path: Path) -> None:
    records = transactions(12_345, each_block=7)
    with LocalExplorer(Served(transactions=records)) as server:
        found = listed(server)
        assert hashes(found) == list(range(12_345))
        assert len(server.asked("txlist")) == 13  # as few as there can be, with what comes twice
        assert {query["offset"] for query in server.asked("txlist")} == {"1000"}
        assert {query["chainid"] for query in server.seen} == {"1"}
    item = found[-1].item
    assert isinstance(item, ExportedTransaction)
    assert item.value == 12_344 * 10**18
    assert b"confirmations" not in found[0].text
    assert b"functionName" not in found[0].text


def test_a_block_larger_than_the_window_is_told(small_pages: None) -> None:
    records = [transaction(number, 100, number) for number in range(31)]
    with LocalExplorer(Served(transactions=records, window=30)) as server:
        with pytest.raises(NodeRefused, match=r"no more than 30 records of block 100, and there are more"):
            listed(server)


def test_internal_calls_that_are_alike_are_all_kept(small_pages: None) -> None:
    calls = [call(number % 3, 100 + number // 8, traceId="") for number in range(40)]
    with LocalExplorer(Served(calls=calls, window=30)) as server:
        found = listed(server, ListingKind.CALLS)
        assert [record.item.block for record in found] == [int(record["blockNumber"]) for record in calls]
        for cut in range(0, 40, 7):
            assert len(listed(server, ListingKind.CALLS, known=found[:cut])) == 40 - cut


def test_the_range_of_blocks(small_pages: None) -> None:
    with LocalExplorer(Served(transactions=transactions(30))) as server:
        found = listed(server, first=107, last=128)
        assert {record.item.block for record in found} == {107, 114, 121, 128}
        assert {(query["endblock"]) for query in server.seen} == {"128"}


def test_no_records_at_all() -> None:
    with LocalExplorer(Served()) as server:
        assert listed(server) == []
        assert len(server.seen) == 1
    with LocalExplorer(Served(blockscout=True)) as server:
        assert listed(server, ListingKind.CALLS) == []


def test_an_explorer_that_has_not_processed_all_blocks_says_so() -> None:
    def change(_query: Query, answer: Any) -> Any:
        return answer | {"status": "2", "message": "Some internal transactions have not yet been processed"}

    with LocalExplorer(Served(calls=[call(1, 5)]), change) as server, connected(server) as explorer:
        pages = Pages(explorer, ListingKind.CALLS, CONTRACT, 0, NO_END)
        assert len([record for page in pages.new() for record in page]) == 1
        assert not pages.complete


def test_records_in_a_block_are_put_in_order_and_contradictions_told() -> None:
    records = transactions(6)
    shuffled = [records[2], records[0], records[1], *records[3:]]
    with LocalExplorer(Served(transactions=shuffled)) as server:
        assert [item.index for item in in_order(listed(server))] == [1, 3, 5, 1, 3, 5]
    same = [*records, transaction(6, 107, 5)]
    with LocalExplorer(Served(transactions=same)) as server:
        with pytest.raises(RecordError, match="transactionIndex is 5 after 5"):
            in_order(listed(server))


# -- limits -----------------------------------------------------------------------------------------


class Clock:
    """Stands for the module ``time``: only sleeping lets time pass."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_rate_limit_is_waited_for_and_then_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(explorer_module, "time", clock)
    with LocalExplorer(Served(transactions=transactions(5), limit_every=2)) as server:
        with connected(server) as explorer:
            for _ in range(4):
                assert explorer.newest_block() == 10_000_000
            interval, begun = explorer._interval, clock.now
            assert interval > 0
            explorer.newest_block()
            explorer.newest_block()
            assert clock.now - begun >= 2 * interval


def test_pages_shrink_until_they_are_answered(small_pages: None) -> None:
    records = transactions(20)
    with LocalExplorer(Served(transactions=records, largest_page=3, window=30)) as server:
        assert hashes(listed(server)) == list(range(20))
        assert [query["offset"] for query in server.seen][:2] == ["6", "3"]
    with LocalExplorer(Served(transactions=records, largest_page=1)) as server:
        with pytest.raises(NodeRefused, match="Page size too large"):
            listed(server)


def test_an_answer_that_is_too_large_is_asked_for_in_parts(
    small_pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer_module, "MAX_ANSWER", 3_000)
    with LocalExplorer(Served(transactions=transactions(20), window=30)) as server:
        assert hashes(listed(server)) == list(range(20))
    monkeypatch.setattr(explorer_module, "MAX_ANSWER", 100)
    with LocalExplorer(Served(transactions=transactions(20))) as server:
        with pytest.raises(NodeRefused, match="answered txlist with more than"):
            listed(server)


def test_a_bomb_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    monkeypatch.setattr(explorer_module, "MAX_ANSWER", 4 << 20)
    bomb = gzip.compress(b" " * (100 << 20))

    def change(_query: Query, _answer: Any) -> Any:
        return 200, bomb, {"Content-Encoding": "gzip"}

    with LocalExplorer(Served(), change) as server:
        tracemalloc.start()
        try:
            with pytest.raises(NodeRefused, match="more than 4 MiB"):
                listed(server)
            # the server's copies of the packed answer count as well
            assert tracemalloc.get_traced_memory()[1] < 50 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("said", "match", "requests"),
    [
        (
            "Max daily rate limit reached. 100000 (100%) of 100000 day/limit",
            "go on when the quota is renewed",
            1,
        ),
        ("Invalid API Key (#err2)|", "give a valid key .* --explorer-key-env", 1),
        ("Missing/Invalid API Key", "give a valid key .* --explorer-key-env", 1),
        ("Too many invalid api key attempts, please try again later", "give a valid key", 1),
        ("Max rate limit reached, please use API Key for higher rate limit", "please use API Key", 8),
        ("Unexpected error, timeout or server too busy. Please try again later", "server too busy", 8),
        ("Free API access is not supported for this chain.", "not supported for this chain", 1),
        ("Error! Invalid address format", "Invalid address format", 1),
        ("", "refused txlist: NOTOK", 1),
        ("\x1b[31mred\u202e", r"\\x1b\[31mred", 1),
        ("x" * 100_000, "xxx…", 1),
    ],
)
def test_what_a_refusal_in_words_means(said: str, match: str, requests: int) -> None:
    with LocalExplorer(Served(), lambda *_: refused(said)) as server:
        with pytest.raises(NodeRefused, match=match) as caught:
            listed(server)
        assert len(server.seen) == requests
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("status", "match", "requests"),
    [
        (401, "HTTP 401 .*--explorer-key-env", 1),
        (403, "HTTP 403", 1),
        (404, "HTTP 404 .*ends in /api", 1),
        (302, "HTTP 302 .*the address that it leads to", 1),
        (500, "HTTP 500", 8),
        (429, "HTTP 429 .too many requests", 8),
    ],
)
def test_what_an_http_status_means(status: int, match: str, requests: int) -> None:
    def change(_query: Query, _answer: Any) -> Any:
        return status, b"{}", {"Location": "http://127.0.0.1:9/elsewhere"}

    with LocalExplorer(Served(), change) as server:
        with pytest.raises(NodeRefused, match=match):
            listed(server)
        assert len(server.seen) == requests


def test_what_passes_is_tried_again() -> None:
    faults = iter([(503, b"", {"Retry-After": "0"}), (200, b"\x1f\x8bno gzip", {"Content-Encoding": "gzip"})])

    def change(_query: Query, answer: Any) -> Any:
        return next(faults, answer)

    with LocalExplorer(Served(transactions=transactions(3)), change) as server:
        assert hashes(listed(server)) == [0, 1, 2]


def test_nobody_is_there() -> None:
    with LocalExplorer(Served()) as server:
        url = server.url
    with ExplorerClient(explorer_endpoint(url, None), 1, pause=0.002) as explorer:
        with pytest.raises(NodeUnreachable, match="cannot be reached; check that the explorer's address"):
            explorer.newest_block()
        assert explorer.requests == 2


def test_an_explorer_that_is_silent() -> None:
    def change(_query: Query, _answer: Any) -> Any:
        time.sleep(1)
        return {}

    with LocalExplorer(Served(), change) as server, connected(server, timeout=0.1) as explorer:
        with pytest.raises(NodeUnreachable, match="did not answer in time"):
            explorer.newest_block()


# -- lies -------------------------------------------------------------------------------------------


def web_page(_query: Query, _answer: Any) -> Any:
    return 200, b"<html>Just a moment...</html>", {"Content-Type": "text/html"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"5",
        b'"x"',
        b"{}",
        b"[" * 100_000,
        b'{"result":' * 5_000,
        b"\xff\xfe",
        b'{"a',
    ],
)
def test_what_is_no_answer_of_an_explorer(body: bytes) -> None:
    with LocalExplorer(Served(), lambda *_: (200, body, {})) as server:
        with pytest.raises(NodeRefused, match="not as an explorer's API does"):
            listed(server)
        assert len(server.seen) == 1


def edited(**fields: Any) -> Change:
    """Edit the second record of each page."""

    def change(_query: Query, answer: Any) -> Any:
        rows = answer["result"]
        return answer | {"result": [rows[0], rows[1] | fields, *rows[2:]]} if len(rows) > 1 else answer

    return change


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"hash": "0x12"}, "record 2 .* hash should be 0x"),
        ({"value": "-1"}, "record 2 .* value should be"),
        ({"blockNumber": "99"}, "record 2 .* blockNumber is 99, expected 100 to"),
        ({"blockNumber": "10000000000"}, "record 2 .* expected 100 to 9999999999"),
        ({"to": SENDER}, "record 2 .* does not concern the contract"),
        ({"input": "\x1b[2J"}, r"record 2 .*\\x1b"),
        ({"input": {"a": []}}, "record 2 .*an object"),
    ],
)
def test_records_that_cannot_be(fields: dict[str, Any], match: str) -> None:
    with LocalExplorer(Served(transactions=transactions(5)), edited(**fields)) as server:
        with pytest.raises(InvalidNodeResponse, match=match) as caught:
            listed(server)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("result", [{"a": 1}, [1], [None], [[]], 5, True])
def test_results_of_another_form(result: Any) -> None:
    with LocalExplorer(Served(), lambda *_: {"status": "1", "message": "OK", "result": result}) as server:
        with pytest.raises(ChainError):
            listed(server)


def test_more_records_than_asked_for(small_pages: None) -> None:
    def change(_query: Query, answer: Any) -> Any:
        return answer | {"result": answer["result"] * 2}

    with LocalExplorer(Served(transactions=transactions(6)), change) as server:
        with pytest.raises(InvalidNodeResponse, match="gave 12 records where 6 were asked for"):
            listed(server)


def test_pages_without_end(small_pages: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MAX_RECORDS", 100)
    made = iter(range(10**9))

    def further(query: Query, _answer: Any) -> Any:
        start = int(query["startblock"])
        rows = [transaction(start + row, start + row, 0) for row in range(6)]
        return {"status": "1", "message": "OK", "result": rows}

    def deeper(query: Query, _answer: Any) -> Any:
        rows = [transaction(number, 100, number) for number in (next(made) for _ in range(6))]
        return {"status": "1", "message": "OK", "result": rows}

    with LocalExplorer(Served(), further) as server:
        with pytest.raises(InvalidNodeResponse, match="more than 100 records"):
            listed(server)
        assert len(server.seen) < 40
    with LocalExplorer(Served(), deeper) as server:
        with pytest.raises(NodeRefused, match=r"no more than 30 records of block 100"):
            listed(server)
        assert len(server.seen) < 10


def test_a_page_that_repeats(small_pages: None) -> None:
    records = [transaction(number, 100, number) for number in range(12)]

    def change(_query: Query, _answer: Any) -> Any:
        return {"status": "1", "message": "OK", "result": records[:6]}

    with LocalExplorer(Served(transactions=records), change) as server:
        with pytest.raises(ChangedListing, match=r"tells of transaction 0x0+1 twice"):
            listed(server)
        assert [query["page"] for query in server.seen] == ["1", "1", "2"]


def test_an_explorer_that_ignores_the_page_but_has_told_all() -> None:
    def change(_query: Query, _answer: Any) -> Any:
        return {"status": "1", "message": "OK", "result": transactions(3)}

    with LocalExplorer(Served(), change) as server:
        assert hashes(listed(server)) == [0, 1, 2]


def test_an_explorer_that_no_longer_tells_the_same(small_pages: None) -> None:
    records = transactions(20)
    with LocalExplorer(Served(transactions=records)) as server:
        known = listed(server)[:14]
        server.served.transactions = [*records[:13], transaction(99, 128, 9), *records[14:]]
        with pytest.raises(ChangedListing, match="no longer tells what it told of block 128"):
            listed(server, known=known)
        server.served.transactions = records[:3]
        with pytest.raises(ChangedListing, match="no longer tells"):
            listed(server, known=known)
        server.served.transactions = [*records[:14], transaction(2, 500, 0)]
        with pytest.raises(ChangedListing, match=r"tells of transaction 0x0+3 twice"):
            listed(server, known=known)


@FAST
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["0", "1", "2", "", 1, None]),
)
def test_whatever_is_answered_nothing_but_our_errors_come(result: Any, status: Any) -> None:
    answer = {"status": status, "message": "OK", "result": result, "jsonrpc": "2.0"}
    with LocalExplorer(Served(), lambda *_: answer) as server, connected(server) as explorer:
        for ask in (
            lambda: list(Pages(explorer, ListingKind.TRANSACTIONS, CONTRACT, 0, NO_END).new()),
            lambda: list(Pages(explorer, ListingKind.CALLS, CONTRACT, 0, NO_END).new()),
            explorer.newest_block,
            lambda: explorer.abi(CONTRACT),
            lambda: explorer.creation(CONTRACT),
            lambda: explorer.transaction(Hash(bytes(32))),
        ):
            try:
                ask()
            except SpecminerError as error:
                message = str(error)
            else:
                continue
            assert message.isprintable()


# -- the rest of what it is asked -------------------------------------------------------------------


def node_transaction(number: int, to: str | None) -> dict[str, Any]:
    return {
        "hash": f"0x{number:064x}",
        "blockHash": "0x" + "bb" * 32,
        "blockNumber": "0x64",
        "transactionIndex": "0x1",
        "from": SENDER,
        "to": to,
        "value": "0x0",
        "gas": "0x5208",
        "gasPrice": "0x1",
        "nonce": "0x7",
        "input": "0x6001",
        "type": "0x2",
    }


def test_the_newest_block_of_both_dialects() -> None:
    for blockscout in (False, True):
        with LocalExplorer(Served(head=77, blockscout=blockscout)) as server, connected(server) as explorer:
            assert explorer.newest_block() == 77
    with LocalExplorer(Served(head=None)) as server, connected(server) as explorer:
        assert explorer.newest_block() is None


def test_abi_creation_and_transaction() -> None:
    creation = {
        "contractAddress": CREATED,
        "contractCreator": SENDER,
        "txHash": f"0x{5:064x}",
        "contractFactory": "0x" + "fa" * 20,
        "creationBytecode": "0x6001",
    }
    tx = node_transaction(5, None)
    with LocalExplorer(Served(abi="[]", creation=creation, node={tx["hash"]: tx})) as server:
        with connected(server) as explorer:
            assert explorer.abi(CONTRACT) == b"[]"
            assert explorer.abi(Address(bytes(20))) is None
            found = explorer.creation(CONTRACT)
            assert found is not None
            assert (found.factory, found.code) == (bytes.fromhex("fa" * 20), b"\x60\x01")
            assert explorer.creation(Address(bytes(20))) is None
            item = explorer.transaction(found.transaction)
            assert item is not None
            assert (item.block, item.index, item.to, item.nonce) == (100, 1, None, 7)
            assert explorer.transaction(Hash(bytes(32))) is None
            creation["contractAddress"] = SENDER
            with pytest.raises(InvalidNodeResponse, match="about another contract"):
                explorer.creation(CONTRACT)
            tx["hash"] = f"0x{6:064x}"
            with pytest.raises(InvalidNodeResponse, match="about another transaction"):
                explorer.transaction(found.transaction)
    with LocalExplorer(Served(blockscout=True)) as server, connected(server) as explorer:
        assert explorer.transaction(Hash(bytes(32))) is None


@pytest.mark.parametrize(
    "url", ["", "api.invalid/api", "ftp://h/api", "http:///api", "http://h:x/", "/tmp/socket"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(UsageError):
        explorer_endpoint(url, None)


def test_the_chain_in_the_url() -> None:
    assert chain_of_url("https://h.invalid/v2/api") is None
    assert chain_of_url("https://h.invalid/v2/api?chainid=10") == 10
    assert chain_of_url("https://h.invalid/v2/api?chain_id=10&x=1") == 10
    for query in ("chainid=", "chainid=x", "chainid=1&chain_id=2", "chainid=0"):
        if query != "chainid=":
            with pytest.raises(UsageError, match="should be one number"):
                chain_of_url(f"https://h.invalid/api?{query}")
    with LocalExplorer(Served()) as server:
        with ExplorerClient(explorer_endpoint(server.url + "?chainid=10", None), 10, pause=0.002) as explorer:
            explorer.newest_block()
        assert server.seen[0]["chainid"] == "10"


# -- the key ----------------------------------------------------------------------------------------


@pytest.fixture
def echoing() -> Iterator[LocalExplorer]:
    """Start an explorer that repeats what it was asked, key and all."""

    def change(query: Query, _answer: Any) -> Any:
        return refused("what is " + json.dumps(query))

    with LocalExplorer(Served(), change) as server:
        yield server


@pytest.mark.parametrize("key", [KEY, "a+b/c=d&e%f", "Kk"])
def test_the_key_is_sent_and_never_shown(echoing: LocalExplorer, key: str) -> None:
    with connected(echoing, key) as explorer:
        with pytest.raises(NodeRefused) as caught:
            explorer.ask("proxy", "anything")
    assert echoing.seen[0]["apikey"] == key
    assert key not in str(caught.value)
    assert "***" in str(caught.value)
    assert key not in repr(explorer.endpoint)


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "ü", "a" * 201])
def test_keys_that_cannot_be(key: str) -> None:
    with pytest.raises(UsageError, match="key should be") as caught:
        explorer_endpoint("http://h.invalid/api", key)
    assert not key or key not in str(caught.value)


def test_the_right_key_is_needed() -> None:
    with LocalExplorer(Served(key=KEY, transactions=transactions(2))) as server:
        for wrong in (None, "wrongwrong"):
            with connected(server, wrong) as explorer, pytest.raises(NodeRefused, match="--explorer-key-env"):
                explorer.newest_block()
        with connected(server, KEY) as explorer:
            assert explorer.newest_block() == 10_000_000
