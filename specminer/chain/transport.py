"""How requests to a node travel: HTTP, WebSocket or a Unix socket.

web3's providers write and read the messages. They are carried here, because an answer has to be measured while it
arrives: a node is not trusted with the memory of this machine. web3 is loaded with the first transport: it takes half a
second, and only those need it who ask a node.

A transport raises whatever its library raises; :mod:`specminer.chain.node` makes errors of it.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import requests
import urllib3
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import CloseCode
from websockets.sync.client import ClientConnection, connect

from specminer.chain.endpoint import Endpoint
from specminer.nesting import usual_recursion

if TYPE_CHECKING:
    from web3.types import RPCEndpoint

Request = tuple[str, tuple[Any, ...]]
"""Method and parameters."""

MAX_ANSWER: Final = 64 << 20
"""Bytes of one answer, unpacked. A trace of opcodes may have more; a lesser tracer takes its place then."""
CONNECT_TIMEOUT: Final = 10
"""Seconds to wait for a connection: whether anybody is there is known soon."""


class AnsweredStatus(Exception):
    """A request, or the handshake of a WebSocket, was answered with an HTTP status that is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class AnswerTooLarge(Exception):
    """An answer has more than ``MAX_ANSWER`` bytes."""


class Carrier(Protocol):
    """How messages travel; raises whatever its library raises."""

    def ask(self, message: bytes) -> bytes:
        """Send a message and return the answer's body."""

    def close(self) -> None:
        """Close the connection; the next message would open another."""


class Transport:
    """Sends requests and returns the answers that bear their identifiers."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        """Prepare; it connects at the first request."""
        with usual_recursion():
            from web3 import HTTPProvider
        self._codec = HTTPProvider(endpoint.url)
        if endpoint.scheme in ("ws", "wss"):
            self._carrier: Carrier = _WebSocket(endpoint, timeout)
        elif endpoint.scheme == "ipc":
            self._carrier = _Ipc(endpoint, timeout)
        else:
            self._carrier = _Http(endpoint, timeout, HTTPProvider.get_request_headers())

    def one(self, call: Request) -> Any:
        """Send one request and return the answer, an object with ``result`` or ``error``.

        Raises:
            ForeignAnswer: it bears another identifier.

        """
        message, number = self._encoded(call)
        answer: Any = self._codec.decode_rpc_response(self._carrier.ask(message))
        told = isinstance(answer, dict) and ("result" in answer or "error" in answer)
        if told and not _bears(answer, number) and not _unnamed_refusal(answer):
            raise ForeignAnswer
        return answer

    def many(self, calls: Sequence[Request]) -> list[Any] | None:
        """Send a batch and return the answers in the order asked; ``None`` if they cannot be told apart."""
        encoded = [self._encoded(call) for call in calls]
        message = b"[" + b",".join(text for text, _ in encoded) + b"]"
        answers: Any = self._codec.decode_rpc_response(self._carrier.ask(message))
        if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
            return None
        by_number = {str(answer.get("id")): answer for answer in answers}
        wanted = [str(number) for _, number in encoded]
        if len(answers) != len(wanted) or by_number.keys() != set(wanted):
            return None
        return [by_number[number] for number in wanted]

    def _encoded(self, call: Request) -> tuple[bytes, int]:
        message = self._codec.encode_rpc_request(cast("RPCEndpoint", call[0]), list(call[1]))
        return message, json.loads(message)["id"]

    def close(self) -> None:
        """Close the connection; the next request would open another."""
        self._carrier.close()


class ForeignAnswer(Exception):
    """An answer bears the identifier of another request."""


def _bears(answer: dict[str, Any], number: int) -> bool:
    return str(answer.get("id")) == str(number)  # some gateways turn numbers into texts


def _unnamed_refusal(answer: dict[str, Any]) -> bool:
    """Whether it refuses a request that could not be read far enough to know its identifier."""
    return answer.get("id") is None and "error" in answer


class _Http:
    def __init__(self, endpoint: Endpoint, timeout: float, headers: dict[str, str]) -> None:
        self._session = requests.Session()
        self._url = endpoint.url
        self._headers = headers | dict(endpoint.headers)
        self._timeout = timeout

    def ask(self, message: bytes) -> bytes:
        with self._session.post(
            self._url,
            data=message,
            headers=self._headers,
            timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
            allow_redirects=False,
            stream=True,
        ) as response:
            if not response.ok:
                raise AnsweredStatus(response.status_code)
            try:
                return self._body(response)
            except urllib3.exceptions.HTTPError:
                raise ConnectionError("the answer ended early") from None

    def _body(self, response: requests.Response) -> bytes:
        parts, size, begun = [], 0, time.monotonic()
        while part := response.raw.read1(1 << 16, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                raise AnswerTooLarge
            if time.monotonic() - begun > 5 * self._timeout:
                raise TimeoutError
        return b"".join(parts)

    def close(self) -> None:
        self._session.close()


class _Ipc:
    """A Unix socket."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._path = str(Path(endpoint.url).expanduser())
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def ask(self, message: bytes) -> bytes:
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

    def _receive(self, source: socket.socket) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            part = source.recv(1 << 20)
            if not part:
                raise ConnectionError("the socket was closed")
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                raise AnswerTooLarge
            if part.rstrip()[-1:] in (b"}", b"]", b""):
                whole = b"".join(parts)
                try:
                    json.loads(whole)
                except ValueError:
                    continue  # the end of a part, not of the answer
                return whole

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _WebSocket:
    """One connection, one message a request; web3's own provider is asynchronous and trips over refusals."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._connection: ClientConnection | None = None
        self._opened = ExitStack()

    def ask(self, message: bytes) -> bytes:
        try:
            if self._connection is None:
                self._connection = self._opened.enter_context(
                    connect(
                        self._endpoint.url,
                        additional_headers=dict(self._endpoint.headers),
                        open_timeout=min(CONNECT_TIMEOUT, self._timeout),
                        close_timeout=2,
                        max_size=MAX_ANSWER,
                    )
                )
            self._connection.send(message.decode())
            answer = self._connection.recv(timeout=self._timeout)
        except InvalidStatus as error:
            raise AnsweredStatus(error.response.status_code) from None
        except ConnectionClosed as error:
            self.close()
            if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
                raise AnswerTooLarge from None
            raise
        except BaseException:
            self.close()  # what is left of an answer must not be taken for the next one
            raise
        return answer.encode() if isinstance(answer, str) else answer

    def close(self) -> None:
        self._connection = None
        self._opened.close()
