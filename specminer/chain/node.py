"""One door to an Ethereum node: JSON-RPC over HTTP, WebSocket or IPC, through web3's providers.

Debug methods have no place in web3's typed API, so requests go to the provider itself. What may pass (a
refused connection, a timeout, a rate limit, a gateway error) is tried again with growing pauses; what
will not pass is raised at once. No message quotes a library's exception: they carry URLs with keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Self

import requests
import tenacity
import web3.exceptions
from web3 import AsyncWeb3, HTTPProvider, IPCProvider, WebSocketProvider
from web3.types import RPCEndpoint
from websockets.exceptions import WebSocketException

from specminer.chain.endpoint import Endpoint
from specminer.errors import NodeLied, NodeRefused, NodeUnreachable

Request = tuple[str, tuple[Any, ...]]
"""Method and parameters."""

TIMEOUT: Final = 120
"""Seconds to wait for one answer; a trace of a large transaction takes a while."""
TRIES: Final = 6
FIRST_TRIES: Final = 2
"""Before the first answer a node is more likely down than busy: fail soon."""

_PASSING_CODES: Final = frozenset({-32005, -32016, 429})
_PASSING_WORDS: Final = ("rate limit", "too many requests", "try again", "timed out", "timeout", "busy")
_PASSING_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


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
        self._transport: _Transport = (
            _WebSocket(endpoint, timeout)
            if endpoint.scheme in ("ws", "wss")
            else _Blocking(endpoint, timeout)
        )

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
            answers = self._retry(lambda: self._send_batch(calls))
            if answers is not None:
                return list(answers)
            self._batches = False
        return [self._retry(partial(self._send_one, call)) for call in calls]

    def _retry(self, send: Callable[[], Any]) -> Any:
        policy = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Passing),
            stop=tenacity.stop_after_attempt(TRIES if self._answered else FIRST_TRIES),
            wait=tenacity.wait_exponential_jitter(initial=self._pause, max=30, jitter=self._pause),
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

    def _send_batch(self, calls: Sequence[Request]) -> list[Any] | None:
        self.requests += len(calls)
        try:
            answers = self._guard(lambda: self._transport.many(calls))
        except NodeRefused:
            return None
        if not isinstance(answers, list) or len(answers) != len(calls):
            return None
        return [self._read(method, answer) for (method, _), answer in zip(calls, answers, strict=True)]

    def _read(self, method: str, answer: Any) -> Any:
        """Return the result, or the refusal as a value; raise if trying again may help."""
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise NodeRefused(f"{self.endpoint.label} did not answer {method} in JSON-RPC")
        if answer.get("error") is None:
            return answer.get("result")
        error = answer["error"] if isinstance(answer["error"], dict) else {"message": answer["error"]}
        code = error.get("code") if isinstance(error.get("code"), int) else None
        text = self.endpoint.redact(error.get("message", "no reason given"))
        refusal = NodeRefused(f"{self.endpoint.label} refused {method}: {text}", code=code)
        if code in _PASSING_CODES or any(word in text.lower() for word in _PASSING_WORDS):
            raise _Passing(refusal)
        return refusal

    def _guard(self, send: Callable[[], Any]) -> Any:
        """Turn a library's exceptions into ours, without their texts."""
        label = self.endpoint.label
        try:
            return send()
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            refusal = NodeRefused(f"{label} answered HTTP {status}{_HTTP_HINTS.get(status, '')}", code=status)
            if status in _PASSING_STATUS:
                raise _Passing(refusal) from None
            raise refusal from None
        except (requests.exceptions.JSONDecodeError, web3.exceptions.Web3Exception, ValueError, KeyError):
            # A reply that is no JSON-RPC: a web page, a truncated body, a foreign protocol.
            raise NodeRefused(
                f"{label} answered, but not in JSON-RPC; check that it is a node's RPC address"
            ) from None
        except (requests.RequestException, OSError, TimeoutError, WebSocketException) as error:
            silent = isinstance(error, requests.Timeout | TimeoutError)
            what = "did not answer in time" if silent else "cannot be reached"
            raise _Passing(
                NodeUnreachable(f"{label} {what}; check that the node runs and that its address is right")
            ) from None


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


def _typed(calls: Sequence[Request]) -> list[tuple[RPCEndpoint, Any]]:
    return [(RPCEndpoint(method), list(params)) for method, params in calls]


class _Blocking(_Transport):
    """HTTP or IPC."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._session = requests.Session()
        if endpoint.scheme == "ipc":
            self._provider: HTTPProvider | IPCProvider = IPCProvider(endpoint.url, timeout=int(timeout))
        else:
            headers = HTTPProvider.get_request_headers() | dict(endpoint.headers)
            self._provider = HTTPProvider(
                endpoint.url,
                request_kwargs={"timeout": timeout, "headers": headers, "allow_redirects": False},
                session=self._session,
                exception_retry_configuration=None,
            )

    def one(self, call: Request) -> Any:
        return self._provider.make_request(RPCEndpoint(call[0]), list(call[1]))

    def many(self, calls: Sequence[Request]) -> Any:
        return self._provider.make_batch_request(_typed(calls))

    def close(self) -> None:
        self._session.close()


class _WebSocket(_Transport):
    """web3's WebSocket provider is asynchronous; a private event loop makes it wait."""

    def __init__(self, endpoint: Endpoint, timeout: float) -> None:
        self._runner = asyncio.Runner()
        self._web3: AsyncWeb3[WebSocketProvider] | None = None
        self._endpoint = endpoint
        self._timeout = timeout

    async def _connected(self) -> WebSocketProvider:
        if self._web3 is None:
            provider = WebSocketProvider(
                self._endpoint.url,
                websocket_kwargs={
                    "additional_headers": dict(self._endpoint.headers),
                    "max_size": None,
                    "open_timeout": 20,
                },
                request_timeout=self._timeout,
                max_connection_retries=1,
            )
            await provider.connect()
            self._web3 = AsyncWeb3(provider)
        return self._web3.provider

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
            raise ConnectionError from error

    def _disconnect(self) -> None:
        connection, self._web3 = self._web3, None
        if connection is not None:
            try:
                self._runner.run(connection.provider.disconnect())
            except (OSError, WebSocketException, web3.exceptions.Web3Exception):
                return  # it was broken already

    def close(self) -> None:
        self._disconnect()
        self._runner.close()


def quantity(value: Any, what: str) -> int:
    """Read a JSON-RPC quantity (``0x1f``).

    Raises:
        NodeLied: it is none; ``what`` says of what.

    """
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise NodeLied(
        f"the node's answer is malformed: {what} should be a hexadecimal number, got {value!r:.60}"
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
    raise NodeLied(f"the node's answer is malformed: {what} should be {wanted}, got {value!r:.60}")
