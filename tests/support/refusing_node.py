"""A node in front of a node: forwards JSON-RPC, but refuses, slows or answers as a test wants.

It listens on a free loopback port and lives in a thread of the test.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

METHOD_NOT_FOUND: Final = -32601

Refusal = Callable[[str, str], str | None]
"""Takes a method and the URL's path and query as requested; returns the message, or ``None`` to forward."""


def no_tracing(method: str, _target: str) -> str | None:
    """Refuse what public nodes refuse."""
    if method.startswith(("debug_", "trace_")):
        return f"the method {method} does not exist/is not available"
    return None


def echoing(_method: str, target: str) -> str | None:
    """Refuse everything, quoting the requested URL as careless gateways do."""
    return f"invalid project in {target}"


class RefusingNode:
    """The proxy; as a context manager it runs inside the block.

    Args:
        upstream: the HTTP URL of the node behind it.
        refusal: what to refuse.
        delay: seconds to wait before each answer.
    """

    def __init__(self, upstream: str, refusal: Refusal = no_tracing, *, delay: float = 0.0) -> None:
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        """Method, path with query, and headers of each call received."""
        self.delay = delay
        self._upstream = urlsplit(upstream)
        self._refusal = refusal
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = node._answer(body, self.path, dict(self.headers.items()))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base's name
                return

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port."""
        return int(self._server.server_address[1])

    def _answer(self, body: bytes, target: str, headers: dict[str, str]) -> bytes:
        time.sleep(self.delay)
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        self.seen += [(call["method"], target, headers) for call in calls]
        refused = [self._refusal(call["method"], target) for call in calls]
        if not any(refused):
            return self._forward(body)
        answers = [
            {"jsonrpc": "2.0", "id": call["id"], "error": {"code": METHOD_NOT_FOUND, "message": message}}
            if message
            else json.loads(self._forward(json.dumps(call).encode()))
            for call, message in zip(calls, refused, strict=True)
        ]
        return json.dumps(answers if isinstance(asked, list) else answers[0]).encode()

    def _forward(self, body: bytes) -> bytes:
        connection = http.client.HTTPConnection(self._upstream.netloc, timeout=120)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that is killed hangs up in the middle."""
