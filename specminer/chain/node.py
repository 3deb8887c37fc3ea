"""One door to an Ethereum node: JSON-RPC over HTTP, WebSocket or IPC, through web3's providers.

Debug methods have no place in web3's typed API, so requests go to the provider itself. What may pass (a
refused connection, a timeout, a rate limit, a gateway error) is tried again with growing pauses; what
will not pass is raised at once. No message quotes a library's exception: they carry URLs with keys.
"""

from __future__ import annotations

import asyncio
import re
import socket
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Self

import requests
import tenacity
import web3.exceptions
from web3 import HTTPProvider, IPCProvider, WebSocketProvider
from web3.types import RPCEndpoint
from websockets.exceptions import InvalidStatus, WebSocketException

from specminer.chain.endpoint import Endpoint
from specminer.errors import NodeLied, NodeRefused, NodeUnreachable, plain

Request = tuple[str, tuple[Any, ...]]
"""Method and parameters."""

TIMEOUT: Final = 120
"""Seconds to wait for one answer; a trace of a large transaction takes a while."""
CONNECT_TIMEOUT: Final = 10
"""Seconds to wait for a connection: whether anybody is there is known soon."""
TRIES: Final = 6
FIRST_TRIES: Final = 2
"""Before the first answer a node is more likely down than busy: fail soon."""

_PASSING_CODES: Final = frozenset({-32005, -32016, 429})
_PASSING_WORDS: Final = ("rate limit", "too many requests", "try again", "timed out", "timeout", "busy")
_LASTING_WORDS: Final = ("execution timeout", "block range", "more than", "too large", "too many results")
"""Refusals for the size of what was asked, under whatever code: asking the same again does not help."""
_PASSING_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_QUANTITY: Final = re.compile("0[xX][0-9a-fA-F]{1,64}")
_NESTING: Final = 20_000
"""Call traces nest as deep as calls (1024), which is more than Python's parser of JSON takes by default."""


class _Passing(Exception):
    """Something that may pass; carries the error to raise when it does not."""

    def __init__(self, error: NodeUnreachable | NodeRefused) -> None:
        super().__init__(str(error))
        self.error = error


class Node:
    """A node that answers JSON-RPC; close it after use or use it as a context manager."""

    def __init__(self, endpoint: Endpoint, *, timeout: float = TIMEOUT, pause: float = 0.5) -> None:
        self.endpoint = endpoint
        self.requests = 0
        """How many requests were sent, a batch counted by its members."""
        self._batches = True
        self._answered = False
        self._pause = pause
        self._transport = _transport(endpoint, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one request.

        Raises:
            NodeUnreachable: no answer, after all tries.
            NodeRefused: the node answered with an error.

        """
        answer = self._retry(lambda: self._send_one((method, params)))
        if isinstance(answer, NodeRefused):
            raise answer
        return answer

    def batch(self, calls: Sequence[Request]) -> list[Any]:
        """Return the results of several requests in order; a refused one is a ``NodeRefused`` in its place.

        Raises:
            NodeUnreachable: no answer, after all tries.

        """
        if self._batches and len(calls) > 1:
            done: dict[int, Any] = {}
            if self._retry(lambda: self._send_batch(calls, done)):
                return [done[row] for row in range(len(calls))]
            self._batches = False
        return [self._retry(partial(self._send_one, call)) for call in calls]

    def _retry(self, send: Callable[[], Any]) -> Any:
        policy = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            stop=lambda state: state.attempt_number >= (TRIES if self._answered else FIRST_TRIES),
            wait=tenacity.wait_exponential_jitter(multiplier=self._pause, max=30, jitter=self._pause),
            reraise=True,
        )
        try:
            answer = policy(send)
        except _Passing as passing:
            raise passing.error from None
        self._answered = True
        return answer

    def _send_one(self, call: Request) -> Any:
        self.requests += 1
        return self._read(call[0], self._guard(lambda: self._transport.one(call)))

    def _send_batch(self, calls: Sequence[Request], done: dict[int, Any]) -> bool:
        """Ask what is not in ``done`` yet and put it there; return whether the node takes batches."""
        open_rows = [row for row in range(len(calls)) if row not in done]
        self.requests += len(open_rows)
        try:
            answers = self._guard(lambda: self._transport.many([calls[row] for row in open_rows]))
        except NodeRefused:
            return False
        answers = _in_order(answers, len(open_rows))
        if answers is None:
            return False
        passing: _Passing | None = None
        for row, answer in zip(open_rows, answers, strict=True):
            try:
                done[row] = self._read(calls[row][0], answer)
            except _Passing as refusal:
                passing = refusal
        if passing is not None:
            raise passing
        return True

    def _read(self, method: str, answer: Any) -> Any:
        """Return the result, or the refusal as a value; raise if trying again may help."""
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise NodeRefused(f"{self.endpoint.label} did not answer {method} in JSON-RPC")
        if answer.get("error") is None:
            return answer.get("result")
        error = answer["error"] if isinstance(answer["error"], dict) else {"message": answer["error"]}
        self._answered = True
        code = error.get("code") if isinstance(error.get("code"), int) else None
        text = self.endpoint.redact(error.get("message", "no reason given"))
        refusal = NodeRefused(f"{self.endpoint.label} refused {method}: {text}", code=code)
        words = str(error.get("message")).lower()
        passing = code in _PASSING_CODES or any(word in words for word in _PASSING_WORDS)
        if passing and not any(word in words for word in _LASTING_WORDS):
            raise _Passing(refusal)
        return refusal

    def _guard(self, send: Callable[[], Any]) -> Any:
        """Turn a library's exceptions into ours, without their texts."""
        label = self.endpoint.label
        try:
            with _room_to_nest():
                return send()
        except (requests.HTTPError, _AnsweredStatus) as error:
            self._answered = True
            status = error.status if isinstance(error, _AnsweredStatus) else _status(error)
            refusal = NodeRefused(f"{label} answered HTTP {status}{_HTTP_HINTS.get(status, '')}", code=status)
            if status in _PASSING_STATUS:
                raise _Passing(refusal) from None
            raise refusal from None
        except (requests.RequestException, OSError, WebSocketException, EOFError) as error:
            if not isinstance(error, ValueError) or isinstance(error, requests.ConnectionError):
                silent = isinstance(error, requests.Timeout | TimeoutError)
                what = "did not answer in time" if silent else "cannot be reached"
                raise _Passing(
                    NodeUnreachable(f"{label} {what}; check that the node runs and that its address is right")
                ) from None
        except (web3.exceptions.Web3Exception, ValueError, LookupError, TypeError, AttributeError):
            pass  # a library stumbled over an answer of another form
        except RecursionError:
            raise NodeRefused(f"{label} gave an answer that is nested too deep to be read") from None
        # A reply that is no JSON-RPC: a web page, a truncated body, a foreign protocol.
        raise NodeRefused(
            f"{label} answered, but not in JSON-RPC; check that it is a node's RPC address"
        ) from None


@contextmanager
def _room_to_nest() -> Iterator[None]:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, _NESTING))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


class _AnsweredStatus(Exception):
    """The handshake of a WebSocket was answered with an HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _status(error: requests.HTTPError) -> int:
    return error.response.status_code if error.response is not None else 0


def _in_order(answers: Any, count: int) -> list[Any] | None:
    """Return a batch's answers in the order asked, ``None`` if they cannot be told apart.

    Identifiers are given in sequence, and answers may come in any order.
    """
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        return None
    by_id = {answer.get("id"): answer for answer in answers if type(answer.get("id")) is int}
    if len(answers) != count or len(by_id) != count or max(by_id) - min(by_id) != count - 1:
        return None
    return [by_id[number] for number in sorted(by_id)]


_HTTP_HINTS = {
    401: " (unauthorised): it wants a key; give it in the URL or with --rpc-header NAME=VALUE",
    403: " (forbidden): the key or this machine is not allowed to use it",
    404: " (not found): the path of its address is wrong",
    405: ": it does not take JSON-RPC requests; check the address",
    413: " (request too large)",
    429: " (too many requests)",
}


class _Transport:
    """How requests travel; raises whatever its library raises."""

    def one(self, call: Request) -> Any:
        raise NotImplementedError

    def many(self, calls: Sequence[Request]) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def _transport(endpoint: Endpoint, timeout: float) -> _Transport:
    if endpoint.scheme in ("ws", "wss"):
        return _WebSocket(endpoint, timeout)
    return _Ipc(endpoint, timeout) if endpoint.scheme == "ipc" else _Http(endpoint, timeout)


def _typed(calls: Sequence[Request]) -> list[tuple[RPCEndpoint, Any]]:
    return [(RPCEndpoint(method), list(params)) for method, params in calls]


class _Http(_Transport):
    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
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
        return self._provider.make_request(RPCEndpoint(call[0]), list(call[1]))

    def many(self, calls: Sequence[Request]) -> Any:
        with warnings.catch_warnings():  # of missing identifiers; _in_order looks at them itself
            warnings.simplefilter("ignore", RuntimeWarning)
            return self._provider.make_batch_request(_typed(calls))

    def close(self) -> None:
        self._session.close()


class _Ipc(_Transport):
    """A Unix socket; web3 knows the messages, but its reader takes no end of the stream for an answer."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._provider = IPCProvider(endpoint.url)
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def one(self, call: Request) -> Any:
        return self._ask(self._provider.encode_rpc_request(RPCEndpoint(call[0]), list(call[1])))

    def many(self, calls: Sequence[Request]) -> Any:
        return self._ask(self._provider.encode_batch_rpc_request(_typed(calls)))

    def _ask(self, message: bytes) -> Any:
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.settimeout(self._timeout)
                self._socket.connect(self._provider.ipc_path)
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


class _WebSocket(_Transport):
    """web3's WebSocket provider is asynchronous; a private event loop makes it wait."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._runner = asyncio.Runner()
        self._provider: WebSocketProvider | None = None
        self._endpoint = endpoint
        self._timeout = timeout

    async def _connected(self) -> WebSocketProvider:
        if self._provider is None:
            provider = WebSocketProvider(
                self._endpoint.url,
                websocket_kwargs={
                    "additional_headers": dict(self._endpoint.headers),
                    "max_size": None,
                    "open_timeout": min(CONNECT_TIMEOUT, self._timeout),
                },
                request_timeout=self._timeout,
                max_connection_retries=1,
            )
            await provider.connect()
            self._provider = provider
        return self._provider

    async def _one(self, call: Request) -> Any:
        provider = await self._connected()
        return await provider.make_request(RPCEndpoint(call[0]), list(call[1]))

    async def _many(self, calls: Sequence[Request]) -> Any:
        provider = await self._connected()
        return await provider.make_batch_request(_typed(calls))

    def one(self, call: Request) -> Any:
        return self._run(self._one, call)

    def many(self, calls: Sequence[Request]) -> Any:
        return self._run(self._many, calls)

    def _run(self, send: Callable[[Any], Any], argument: Any) -> Any:
        try:
            return self._runner.run(send(argument))
        except (OSError, TimeoutError, WebSocketException, web3.exceptions.Web3Exception) as error:
            self._disconnect()
            cause = error.__cause__
            if isinstance(cause, InvalidStatus):
                raise _AnsweredStatus(cause.response.status_code) from None
            if isinstance(error, TimeoutError | web3.exceptions.TimeExhausted):
                raise TimeoutError from error
            raise ConnectionError from error
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        provider, self._provider = self._provider, None
        if provider is not None:
            try:
                self._runner.run(provider.disconnect())
            except (OSError, ValueError, WebSocketException, web3.exceptions.Web3Exception):
                return  # it was broken already

    def close(self) -> None:
        self._disconnect()
        self._runner.close()


def quantity(value: Any, what: str) -> int:
    """Read a JSON-RPC quantity (``0x1f``).

    Raises:
        NodeLied: it is none; ``what`` says of what.

    """
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return int(value, 16)
    raise NodeLied(
        f"the node's answer is malformed: {what} should be a hexadecimal number, got {came(value)}"
    )


def octets(value: Any, what: str, length: int | None = None) -> bytes:
    """Read JSON-RPC data (``0x`` and an even number of digits), of ``length`` bytes if given.

    Raises:
        NodeLied: it is none; ``what`` says of what.

    """
    if isinstance(value, str) and value.startswith("0x"):
        try:
            data = bytes.fromhex(value[2:])
            if length is None or len(data) == length:
                return data
        except ValueError:
            pass
    wanted = "hexadecimal data" if length is None else f"{length} bytes of hexadecimal data"
    raise NodeLied(f"the node's answer is malformed: {what} should be {wanted}, got {came(value)}")


def came(value: Any) -> str:
    """Describe a value in a node's answer that is not what it should be, without quoting free text."""
    match value:
        case None | bool() | int() | float():
            return "nothing" if value is None else plain(value, 40)
        case str():
            return plain(value, 40) if value.startswith("0x") else f"a text of {len(value)} characters"
        case list():
            return f"a list of {len(value)}"
        case _:
            return "an object"
