"""The door to a node: three transports, one behaviour; what may pass is tried again, secrets stay inside."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specminer._support.errors import ChainError, NodeRefused, NodeUnreachable, UsageError
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from tests.support.anvil import Anvil

Reply = Callable[[bytes, int], tuple[int, bytes]]
"""Takes a request's body and its number (0, 1, ...); returns HTTP status and body."""


@contextmanager
def server(reply: Reply) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve HTTP on a loopback port; yields the URL and the headers of each request."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, answer = reply(body, len(seen))
            seen.append(dict(self.headers.items()))
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

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


def answered(body: bytes, **fields: object) -> bytes:
    """Return an answer to a request, which bears its identifier."""
    return json.dumps(
        {"jsonrpc": "2.0", "id": json.loads(body)["id"]} | (fields or {"result": "0x7"})
    ).encode()


def node(url: str, **headers: str) -> Node:
    return Node(Endpoint(url, tuple(headers.items())), pause=0.01)


def test_http_websocket_and_ipc_answer_alike(tools: object) -> None:
    with Anvil(ipc=True) as anvil:
        anvil.mine(3)
        answers = []
        for url in (anvil.url, anvil.ws_url, str(anvil.ipc_path)):
            with node(url) as door:
                single = door.call("eth_getBlockByNumber", "0x2", False)
                batch = door.batch(
                    [("eth_chainId", ()), ("debug_nothing", ()), ("eth_getBlockByNumber", ("0x1", False))]
                )
                assert isinstance(batch[1], NodeRefused)
                with pytest.raises(NodeRefused, match="debug_nothing"):
                    door.call("debug_nothing")
                answers.append((single, batch[0], batch[2]))
        assert answers[0] == answers[1] == answers[2]


def test_headers_are_sent(tools: object) -> None:
    with (
        server(lambda body, _number: (200, answered(body))) as (url, seen),
        node(url, Authorization="Bearer t0ken") as door,
    ):
        assert door.call("eth_chainId") == "0x7"
    assert seen[0]["Authorization"] == "Bearer t0ken"
    assert seen[0]["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    with server(lambda body, number: (status, b"busy") if number == 1 else (200, answered(body))) as (
        url,
        seen,
    ):
        with node(url) as door:
            assert [door.call("eth_chainId"), door.call("eth_chainId")] == ["0x7", "0x7"]
        assert len(seen) == 3


def test_a_rate_limit_in_the_answer_is_tried_again() -> None:
    limit = {"error": {"code": -32005, "message": "limit exceeded"}}
    with (
        server(lambda body, number: (200, answered(body, **(limit if number == 1 else {})))) as (url, seen),
        node(url) as door,
    ):
        door.call("eth_chainId")
        assert door.call("eth_chainId") == "0x7"
        assert len(seen) == 3


@pytest.mark.parametrize(("status", "message"), [(401, "unauthorised"), (403, "forbidden"), (404, "path")])
def test_what_will_not_pass_is_not(status: int, message: str) -> None:
    with server(lambda _body, _number: (status, b"no")) as (url, seen), node(url) as door:
        with pytest.raises(NodeRefused, match=message):
            door.call("eth_chainId")
        assert len(seen) == 1


@pytest.mark.parametrize(
    "body",
    [b"<html>hello</html>", b'{"jsonrpc":"2.0","id":1,"resu', b"[]", b"7", b"{}", b"", b"\xff\xfe", b"null"],
)
def test_a_page_is_no_node(body: bytes) -> None:
    with server(lambda _body, _number: (200, body)) as (url, _), node(url) as door:
        with pytest.raises(NodeRefused, match="JSON-RPC"):
            door.call("eth_chainId")


def test_a_node_that_is_down_fails_soon(tmp_path: Path) -> None:
    with server(lambda _body, _number: (200, answered(_body))) as (url, _):
        pass
    for scheme in ("http", "ws"):
        with (
            node(url.replace("http", scheme)) as door,
            pytest.raises(NodeUnreachable, match="cannot be reached"),
        ):
            door.call("eth_chainId")
    with node(str(tmp_path / "geth.ipc")) as door, pytest.raises(NodeUnreachable, match="cannot be reached"):
        door.call("eth_chainId")


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "http://host:99999", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        Endpoint(url)


secrets = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789"), min_size=8, max_size=40)


@given(secrets, st.integers(0, 5))
def test_labels_and_redacted_texts_hold_no_secret(secret: str, where: int) -> None:
    secret = f"k{secret}"
    endpoint = [
        Endpoint(f"https://user:{secret}@rpc.example.org/v3"),
        Endpoint(f"https://{secret}@rpc.example.org"),
        Endpoint(f"wss://mainnet.example.org/v3/{secret}"),
        Endpoint(f"https://mainnet.example.org/?apikey={secret}"),
        Endpoint(f"https://{secret}.rpc.example.org/"),
        Endpoint("https://mainnet.example.org/", (("Authorization", f"Bearer {secret}"),)),
    ][where]
    echoed = endpoint.redact(f"bad url {endpoint.url} key {secret} headers {endpoint.headers}")
    for text in (endpoint.label, repr(endpoint), echoed):
        assert secret not in text
    assert "example.org" in endpoint.label


@pytest.mark.parametrize("status", [200, 401, 429])
def test_an_echoed_secret_is_not_passed_on(status: int) -> None:
    secret = "s3cr3tkey99"

    def reply(_body: bytes, _number: int) -> tuple[int, bytes]:
        text = f'{{"jsonrpc":"2.0","id":1,"error":{{"code":1,"message":"bad key /v3/{secret}"}}}}'
        return status, text.encode()

    with server(reply) as (url, _), node(f"{url}/v3/{secret}?key={secret}") as door:
        with pytest.raises(ChainError) as caught:
            door.call("eth_chainId")
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value.__dict__)
    assert caught.value.__cause__ is None
