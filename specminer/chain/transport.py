"""How requests to a node travel: HTTP, WebSocket or a Unix socket.

web3's providers write and read the messages, and carry them where they can do it dependably. web3 is loaded with the
first transport: it takes half a second, and only those need it who ask a node.

A transport raises whatever its library raises; :mod:`specminer.chain.node` makes errors of it.
"""

from __future__ import annotations

import socket
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from specminer.chain.endpoint import Endpoint
from specminer.nesting import usual_recursion

if TYPE_CHECKING:
    from web3.types import RPCEndpoint

Request = tuple[str, tuple[Any, ...]]
"""Method and parameters."""

CONNECT_TIMEOUT: Final = 10
"""Seconds to wait for a connection: whether anybody is there is known soon."""


class AnsweredStatus(Exception):
    """The handshake of a WebSocket was answered with an HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Transport(Protocol):
    """How requests travel; raises whatever its library raises."""

    def one(self, call: Request) -> Any:
        """Send one request and return the answer, an object with ``result`` or ``error``."""

    def many(self, calls: Sequence[Request]) -> Any:
        """Send a batch and return what came, which should be a list of answers."""

    def close(self) -> None:
        """Close the connection; the next request would open another."""


def transport(endpoint: Endpoint, timeout: float) -> Transport:
    """Return the transport for the address's scheme; it connects at the first request."""
    if endpoint.scheme in ("ws", "wss"):
        return _WebSocket(endpoint, timeout)
    return _Ipc(endpoint, timeout) if endpoint.scheme == "ipc" else _Http(endpoint, timeout)


def _typed(calls: Sequence[Request]) -> list[tuple[RPCEndpoint, Any]]:
    return [(_named(method), list(params)) for method, params in calls]


def _named(method: str) -> RPCEndpoint:
    return cast("RPCEndpoint", method)


class _Http:
    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        with usual_recursion():
            from web3 import HTTPProvider
        self._session = requests.Session()
        headers = HTTPProvider.get_request_headers() | dict(endpoint.headers)
        self._provider = HTTPProvider(
            endpoint.url,
            request_kwargs={
                "timeout": (min(CONNECT_TIMEOUT, timeout), timeout),
                "headers": headers,
                "allow_redirects": False,
            },
            session=self._session,
            exception_retry_configuration=None,
        )

    def one(self, call: Request) -> Any:
        return self._provider.make_request(_named(call[0]), list(call[1]))

    def many(self, calls: Sequence[Request]) -> Any:
        with warnings.catch_warnings():  # of missing identifiers; _in_order looks at them itself
            warnings.simplefilter("ignore", RuntimeWarning)
            return self._provider.make_batch_request(_typed(calls))

    def close(self) -> None:
        self._session.close()


class _Ipc:
    """A Unix socket; web3 knows the messages, but its reader takes no end of the stream for an answer."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        with usual_recursion():
            from web3 import IPCProvider
        self._provider = IPCProvider(endpoint.url)
        self._path = str(Path(endpoint.url).expanduser())
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def one(self, call: Request) -> Any:
        return self._ask(self._provider.encode_rpc_request(_named(call[0]), list(call[1])))

    def many(self, calls: Sequence[Request]) -> Any:
        return self._ask(self._provider.encode_batch_rpc_request(_typed(calls)))

    def _ask(self, message: bytes) -> Any:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.settimeout(self._timeout)
                self._socket.connect(self._path)
            self._socket.sendall(message + b"\n")
            return self._receive(self._socket)
        except BaseException:
            self.close()  # what is left of an answer must not be taken for the next one
            raise

    def _receive(self, source: socket.socket) -> Any:
        parts: list[bytes] = []
        while True:
            part = source.recv(1 << 20)
            if not part:
                raise ConnectionError("the socket was closed")
            parts.append(part)
            if part.rstrip()[-1:] in (b"}", b"]", b""):
                try:
                    return self._provider.decode_rpc_response(b"".join(parts))
                except ValueError:
                    continue  # the end of a part, not of the answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _WebSocket:
    """One connection, one message a request; web3's own provider is asynchronous and trips over refusals."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        with usual_recursion():
            from web3 import HTTPProvider
        self._codec = HTTPProvider(endpoint.url)
        self._endpoint = endpoint
        self._timeout = timeout
        self._connection: ClientConnection | None = None
        self._opened = ExitStack()

    def one(self, call: Request) -> Any:
        return self._ask(self._codec.encode_rpc_request(_named(call[0]), list(call[1])))

    def many(self, calls: Sequence[Request]) -> Any:
        return self._ask(self._codec.encode_batch_rpc_request(_typed(calls)))

    def _ask(self, message: bytes) -> Any:
        try:
            if self._connection is None:
                self._connection = self._opened.enter_context(
                    connect(
                        self._endpoint.url,
                        additional_headers=dict(self._endpoint.headers),
                        open_timeout=min(CONNECT_TIMEOUT, self._timeout),
                        close_timeout=2,
                        max_size=None,
                    )
                )
            self._connection.send(message.decode())
            answer = self._connection.recv(timeout=self._timeout)
        except InvalidStatus as error:
            raise AnsweredStatus(error.response.status_code) from None
        except BaseException:
            self.close()  # what is left of an answer must not be taken for the next one
            raise
        return self._codec.decode_rpc_response(answer.encode() if isinstance(answer, str) else answer)

    def close(self) -> None:
        self._connection = None
        self._opened.close()
