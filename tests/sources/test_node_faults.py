"""What goes wrong between node and client: batches, sockets that close, answers that are no answers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.sync.server import ServerConnection, serve

from specminer._support.errors import InvalidNodeResponse, NodeRefused, NodeUnreachable, UsageError
from specminer.sources.chain_blocks import check_chain
from specminer.sources.dispatch import FIRST_TRIES
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node

Reply = Callable[[Any, int], Any]
"""Takes the decoded request and its number (0, 1, ...); returns what to answer, bytes as they are."""


@contextmanager
def server(reply: Reply) -> Iterator[tuple[str, list[Any]]]:
    """Serve JSON-RPC over HTTP; yields the URL and the requests received."""
    seen: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append(asked)
            answer = reply(asked, len(seen) - 1)
            if answer is None:  # hang up without a word
                self.close_connection = True
                return
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
            return

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}", seen
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def node(url: str, **headers: str) -> Node:
    return Node(Endpoint(url, tuple(headers.items())), pause=0.001, timeout=5)


def good(call: Any) -> dict[str, Any]:
    """Answer a call with its own parameter, so that answers can be told apart."""
    return {"jsonrpc": "2.0", "id": call["id"], "result": call["params"][0]}


def failed(call: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call["id"], "error": {"code": code, "message": message}}


CALLS = [("echo", (row,)) for row in range(5)]


def test_answers_of_a_batch_may_come_in_any_order() -> None:
    with server(lambda asked, _: [good(call) for call in reversed(asked)]) as (url, seen), node(url) as door:
        assert door.batch(CALLS) == list(range(5))
        assert len(seen) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answers: answers[:-1],
        lambda answers: [*answers, answers[0] | {"result": "another"}],
        lambda answers: [answers[0]] * len(answers),
        lambda answers: [answer | {"id": None} for answer in answers],
        lambda answers: [answer | {"id": "x"} for answer in answers],
        lambda answers: [7, *answers[1:]],
        lambda answers: {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no batches"}},
        lambda answers: b"<html>too many</html>",
    ],
)
def test_a_batch_that_cannot_be_told_apart_is_asked_one_by_one(spoil: Callable[[Any], Any]) -> None:
    def reply(asked: Any, _number: int) -> Any:
        return spoil([good(call) for call in asked]) if isinstance(asked, list) else good(asked)

    with server(reply) as (url, seen), node(url) as door:
        for _ in range(20):
            assert door.batch(CALLS) == list(range(5))
        assert sum(isinstance(asked, list) for asked in seen) < 16, "batches that fail are seldom tried again"


def test_an_answer_that_comes_twice_is_one() -> None:
    with (
        server(lambda asked, _: [good(call) for call in [*asked, *asked]]) as (url, seen),
        node(url) as door,
    ):
        assert door.batch(CALLS) == list(range(5))
        assert len(seen) == 1


def test_batches_that_are_refused_for_their_size_get_smaller_and_stay() -> None:
    def reply(asked: Any, _number: int) -> Any:
        if isinstance(asked, list) and len(asked) > 10:
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}}
        return [good(call) for call in asked] if isinstance(asked, list) else good(asked)

    with server(reply) as (url, seen), node(url) as door:
        calls = [("echo", (row,)) for row in range(1_000)]
        assert door.batch(calls) == list(range(1_000))
        sizes = [len(asked) for asked in seen if isinstance(asked, list)]
        # a busy machine answers slowly, and batches get smaller for that, too
        assert 2 <= sorted(sizes)[len(sizes) // 2] <= 10, "batches of a size that is taken go on"
        assert len(seen) < 500
        assert sum(size > 10 for size in sizes) < 20


def test_of_requests_that_are_read_each_only_those_with_wrong_answers_are_sent_again() -> None:
    counted: dict[int, int] = {}

    def reply(asked: Any, _number: int) -> Any:
        (row,) = asked["params"]
        counted[row] = counted.get(row, 0) + 1
        right = counted[row] > row  # the first at once, each later one a try later
        return {"jsonrpc": "2.0", "id": asked["id"], "result": row if right else {}}

    def read(place: int, answer: Any) -> int:
        if answer != place:
            raise InvalidNodeResponse("not the answer")
        return 10 * place

    with server(reply) as (url, _), node(url) as door:
        assert door.read_each([("echo", (row,)) for row in range(4)], read) == [0, 10, 20, 30]
        assert counted == {0: 1, 1: 2, 2: 3, 3: 4}


def test_requests_that_are_read_each_end_with_what_was_wrong() -> None:
    def read(_place: int, answer: Any) -> int:
        raise InvalidNodeResponse(f"not {answer}")

    with server(lambda asked, _: good(asked)) as (url, seen), node(url) as door:
        with pytest.raises(InvalidNodeResponse, match="not 7"):
            door.read_each([("echo", (7,))], read)
        assert len(seen) == door.tries


def test_only_what_a_batch_left_out_is_asked_again() -> None:
    def reply(asked: Any, number: int) -> Any:
        answers: Any = [good(call) for call in asked] if isinstance(asked, list) else good(asked)
        if number == 0:
            answers[1]["id"] = "elsewhere"
            answers.append(answers[3] | {"result": "another"})
        return answers

    with server(reply) as (url, seen), node(url) as door:
        assert door.batch(CALLS) == list(range(5))
        again = [
            call["params"][0]
            for asked in seen[1:]
            for call in (asked if isinstance(asked, list) else [asked])
        ]
        assert sorted(again) == [1, 3]


def test_only_what_was_limited_is_asked_again() -> None:
    def reply(asked: Any, number: int) -> Any:
        if number == 0:
            return [
                failed(call, 429, "slow down") if call["params"][0] in (1, 3) else good(call)
                for call in asked
            ]
        return [good(call) for call in asked]

    with server(reply) as (url, seen), node(url) as door:
        assert door.batch(CALLS) == list(range(5))
        assert [[call["params"][0] for call in asked] for asked in seen] == [[0, 1, 2, 3, 4], [1, 3]]


def test_large_batches_are_cut() -> None:
    with server(lambda asked, _: [good(call) for call in asked]) as (url, seen), node(url) as door:
        assert door.batch([("echo", (row,)) for row in range(250)]) == list(range(250))
        sizes = [len(asked) for asked in seen]
        assert sum(sizes) == 250
        assert max(sizes) <= 100
        assert 3 <= len(sizes) <= 15


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32005, "query returned more than 10000 results"),
        (-32000, "query timeout exceeded, reduce the block range"),
        (-32000, "execution timeout"),
        (-32601, "the method does not exist"),
    ],
)
def test_a_refusal_for_the_size_is_not_repeated(code: int, message: str) -> None:
    with server(lambda asked, _: failed(asked, code, message)) as (url, seen), node(url) as door:
        with pytest.raises(NodeRefused, match="refused echo"):
            door.call("echo", 1)
        assert len(seen) == 1


def test_a_node_that_is_busy_at_first_is_waited_for() -> None:
    with (
        server(lambda asked, number: failed(asked, 429, "busy") if number < 4 else good(asked)) as (
            url,
            seen,
        ),
        node(url) as door,
    ):
        assert door.call("echo", 7) == 7
        assert len(seen) == 5


def test_a_connection_that_drops_is_opened_again() -> None:
    with (
        server(lambda asked, number: None if number in (1, 2) else good(asked)) as (url, _),
        node(url) as door,
    ):
        assert [door.call("echo", row) for row in range(3)] == [0, 1, 2]


def test_an_answer_that_nests_without_end_is_refused() -> None:
    with (
        server(lambda _asked, _: b"[" * 500_000) as (url, _),
        node(url) as door,
        pytest.raises(NodeRefused, match="nested too deep"),
    ):
        door.call("echo", 1)


def test_a_socket_that_nobody_answers_on_is_given_up() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        door = Node(Endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}"), pause=0.001, timeout=0.2)
        with door, pytest.raises(NodeUnreachable, match="did not answer in time"):
            door.call("echo", 1)
        assert door.requests == FIRST_TRIES  # as long as nothing has ever answered


@contextmanager
def unix_server(path: Path, answers: list[bytes | None]) -> Iterator[None]:
    """Serve a Unix socket: one answer for each message, in parts; ``None`` closes the connection."""
    connection: socket.socket | None = None

    def run() -> None:
        for answer in answers:
            run_one(answer)

    def run_one(answer: bytes | None) -> None:
        nonlocal connection
        if connection is None:
            connection, _ = listener.accept()
        connection.recv(1 << 16)
        if answer is None:
            connection.close()
            connection = None
            return
        for start in range(0, len(answer), 7):
            connection.sendall(answer[start : start + 7])

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield
        thread.join(5)
        if connection is not None:
            connection.close()


def test_an_ipc_socket_that_closes_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "geth.ipc"
    whole = b'{"jsonrpc":"2.0","id":0,"result":{"a":[{"b":"}"}]}}\n'
    again = whole.replace(b'"id":0', b'"id":2')  # the second request was sent twice
    with unix_server(path, [whole, None, again]), node(str(path)) as door:
        assert door.call("echo", 1) == {"a": [{"b": "}"}]}
        assert door.call("echo", 1) == {"a": [{"b": "}"}]}


@contextmanager
def websocket_server(answer: Callable[[Any, int], Any], status: int | None = None) -> Iterator[str]:
    """Serve JSON-RPC over WebSocket, or answer the handshake with a status."""
    count = 0

    def handler(connection: ServerConnection) -> None:
        nonlocal count
        for message in connection:
            reply = answer(json.loads(message), count)
            count += 1
            if reply is None:
                connection.close()
                return
            connection.send(reply if isinstance(reply, str) else json.dumps(reply))

    def handshake(connection: ServerConnection, _request: object) -> Any:
        return None if status is None else connection.respond(status, "no")

    with serve(handler, "127.0.0.1", 0, process_request=handshake) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{served.socket.getsockname()[1]}"
        served.shutdown()
        thread.join(5)


def test_a_websocket_that_closes_is_opened_again() -> None:
    with (
        websocket_server(lambda asked, number: None if number == 1 else good(asked)) as url,
        node(url) as door,
    ):
        assert [door.call("echo", row) for row in range(3)] == [0, 1, 2]


def test_a_websocket_answers_batches_and_refusals() -> None:
    def answer(asked: Any, _number: int) -> Any:
        if isinstance(asked, list):
            return [failed(call, -32601, "no") if call["params"][0] == 2 else good(call) for call in asked]
        return failed(asked, -32601, "no")

    with websocket_server(answer) as url, node(url) as door:
        answers = door.batch(CALLS)
        assert isinstance(answers[2], NodeRefused)
        assert [*answers[:2], *answers[3:]] == [0, 1, 3, 4]
        with pytest.raises(NodeRefused, match="refused echo: no"):
            door.call("echo", 1)
        assert door.batch(CALLS)[4] == 4, "a refusal does not break the connection"


def test_a_websocket_that_speaks_no_json_is_refused() -> None:
    with (
        websocket_server(lambda _asked, _number: "hello") as url,
        node(url) as door,
        pytest.raises(NodeRefused, match="JSON-RPC"),
    ):
        door.call("echo", 1)


def test_a_websocket_that_wants_a_key_says_so() -> None:
    with (
        websocket_server(lambda asked, _number: good(asked), status=401) as url,
        node(url) as door,
        pytest.raises(NodeRefused, match="HTTP 401"),
    ):
        door.call("echo", 1)


def test_a_url_without_its_scheme_is_not_taken_for_a_socket() -> None:
    with pytest.raises(UsageError, match="neither a URL nor the path") as caught:
        Endpoint("mainnet.example.org/v3/s3cr3tkey")
    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in Endpoint("s3cr3tkey.example.org").label, "nothing stands at this path"


keys = st.text(st.sampled_from("ABCDEFabcdef0123456789-_~%+.!"), min_size=6, max_size=30).map(
    lambda key: f"k{key}z"
)
places = st.sampled_from(
    (
        "https://user:{}@rpc.example.org/v3",
        "https://{}@rpc.example.org",
        "wss://mainnet.example.org/v3/{}",
        "wss://mainnet.example.org/{}/rpc?x=1",
        "https://mainnet.example.org/?apikey={}",
        "https://mainnet.example.org/?{}",
        "https://mainnet.example.org/?a=b&key={}&c=d",
        "https://mainnet.example.org/#{}",
    )
)


@given(keys, places, st.data())
def test_no_form_of_a_secret_passes(key: str, place: str, data: st.DataObject) -> None:
    """However a node echoes it: as given, decoded, in other case, or the whole address."""
    endpoint = Endpoint(
        place.format(key), (("X-Key", "h3aderSecret"), ("Authorization", "Bearer t0kenSecret"))
    )
    forms = [key, unquote(key), unquote_plus(key), key.upper(), endpoint.url]
    echo = data.draw(st.sampled_from(forms))
    shown = endpoint.redact(f"bad request {echo!s} for h3aderSecret / t0kenSecret")
    for text in (shown, endpoint.label, repr(endpoint)):
        for form in forms:
            assert form.lower() not in text.lower()
        assert "h3aderSecret" not in text
        assert "t0kenSecret" not in text


def test_a_secret_in_an_answer_that_is_no_number_is_not_quoted() -> None:
    def reply(asked: Any, _number: int) -> Any:
        return {"jsonrpc": "2.0", "id": asked["id"], "result": "see https://example.org/s3cr3tkey"}

    with (
        server(reply) as (url, _),
        node(f"{url}/s3cr3tkey") as door,
        pytest.raises(InvalidNodeResponse, match="chain id should be a hexadecimal number") as caught,
    ):
        check_chain(door, None)
    assert "s3cr3t" not in str(caught.value)
