"""How messages travel to a node: HTTP, WebSocket or a Unix socket, many at a time.

An answer is measured while it arrives: a node is not trusted with the memory of this machine. Libraries are loaded
with the first message: they take a while, and only those need them who ask a node.

All of this runs in one event loop. What libraries raise becomes a :class:`TransportFailure`, without their texts: these
carry URLs with keys.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from specminer.sources.endpoint import Endpoint
from specminer.sources.retrying import seconds_to_wait

if TYPE_CHECKING:
    import aiohttp
    from websockets.asyncio.client import ClientConnection

Request = tuple[str, tuple[Any, ...]]
"""Method and parameters."""

MAX_ANSWER: Final = 64 << 20
"""Bytes of one answer, unpacked. A trace of opcodes may have more; a lesser tracer takes its place then."""
CONNECT_TIMEOUT: Final = 10
"""Seconds to wait for a connection: whether anybody is there is known soon."""
_NESTING: Final = 6_000
"""Call traces nest twice as deep as calls (1024), which is more than parsers of JSON take by default.

A library (py_ecc) lifts the limit so far that an answer could overflow the stack instead.
"""
_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "specminer"}


class TransportFailure(Exception):
    """A message got no answer that can be read."""


class AnsweredStatus(TransportFailure):
    """A request, or the handshake of a WebSocket, was answered with an HTTP status that is no success."""

    def __init__(self, status: int, wait: float = 0) -> None:
        super().__init__(status)
        self.status = status
        self.wait = wait
        """Seconds that the server asks to wait (``Retry-After``)."""


class AnswerTooLarge(TransportFailure):
    """An answer has more than ``MAX_ANSWER`` bytes."""


class ForeignAnswer(TransportFailure):
    """An answer bears the identifier of another request."""


class UnreadableAnswer(TransportFailure):
    """An answer is no JSON-RPC: a web page, a cut body, a foreign protocol."""


class NestedTooDeep(TransportFailure):
    """An answer is nested too deep to be read."""


class BatchRefused(TransportFailure):
    """A batch was answered with one object instead of a list; it carries that object."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__()
        self.answer = answer


class ConnectionFailure(TransportFailure):
    """No answer came: the connection failed or was cut."""

    def __init__(self, *, absent: bool = False) -> None:
        super().__init__()
        self.absent = absent
        """Whether there was nobody to connect to."""


class Carrier(Protocol):
    """How messages travel; raises a :class:`TransportFailure`, or ``TimeoutError``."""

    async def ask(self, message: bytes) -> bytes:
        """Send a message and return the answer's body."""

    async def close(self) -> None:
        """Close all connections."""


class Transport:
    """Sends requests to one endpoint and returns the answers that bear their identifiers; lives in one event loop."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.received = 0
        """Bytes of all answers, unpacked."""
        self._numbers = itertools.count()
        if endpoint.scheme in ("ws", "wss"):
            self._carrier: Carrier = _WebSockets(endpoint)
        elif endpoint.scheme == "ipc":
            self._carrier = _Sockets(endpoint)
        else:
            self._carrier = _Http(endpoint)

    async def one(self, call: Request) -> dict[str, Any]:
        """Send one request and return the answer, an object with ``result`` or ``error``.

        Raises:
            ForeignAnswer: it bears another identifier.
            UnreadableAnswer: it is something else.

        """
        message, number = self._encode(call)
        answer = await self._exchange(message)
        if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
            raise UnreadableAnswer
        if str(answer.get("id")) != str(number) and not _unnamed_refusal(answer):
            raise ForeignAnswer
        return answer

    async def many(self, calls: Sequence[Request]) -> list[dict[str, Any] | None]:
        """Send a batch and return the answers in the order asked; ``None`` for those that nothing answers for sure.

        Raises:
            BatchRefused: one object came for all.
            UnreadableAnswer: something else came.

        """
        encoded = [self._encode(call) for call in calls]
        answers = await self._exchange(b"[" + b",".join(text for text, _ in encoded) + b"]")
        if isinstance(answers, dict):
            raise BatchRefused(answers)
        if not isinstance(answers, list):
            raise UnreadableAnswer
        by_number: dict[str, dict[str, Any] | None] = {}
        for answer in answers:
            if isinstance(answer, dict) and ("result" in answer or "error" in answer):
                number = str(answer.get("id"))  # some gateways turn numbers into texts
                earlier = by_number.get(number, answer)
                by_number[number] = answer if earlier == answer else None
        return [by_number.get(str(number)) for _, number in encoded]

    async def _exchange(self, message: bytes) -> Any:
        body = await self._carrier.ask(message)
        self.received += len(body)
        try:
            with _room_to_nest():
                return msgspec.json.decode(body)
        except RecursionError:
            raise NestedTooDeep from None
        except ValueError:
            raise UnreadableAnswer from None

    def _encode(self, call: Request) -> tuple[bytes, int]:
        method, params = call
        number = next(self._numbers)
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": number}
        try:
            return msgspec.json.encode(request), number
        except (
            TypeError,
            ValueError,
            OverflowError,
        ):  # what a node said may be asked for again, whatever it is
            return json.dumps(request, separators=(",", ":")).encode(), number

    async def close(self) -> None:
        """Close all connections."""
        await self._carrier.close()


@contextmanager
def _room_to_nest() -> Iterator[None]:
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(_NESTING)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


def _unnamed_refusal(answer: dict[str, Any]) -> bool:
    """Whether it refuses a request that could not be read far enough to know its identifier."""
    return answer.get("id") is None and "error" in answer


class _Http:
    def __init__(self, endpoint: Endpoint) -> None:
        self._url = endpoint.url
        self._headers = _HEADERS | dict(endpoint.headers)
        if any(name.lower() == "authorization" for name, _ in endpoint.headers):
            parts = urlsplit(endpoint.url)  # aiohttp takes only one of the two
            self._url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        self._proxy = _proxy_for(self._url)
        self._session: aiohttp.ClientSession | None = None

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp
        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        if self._session is None:
            secure = self._url.lower().startswith("https")
            trusted = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH) if secure else True
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=trusted),
                timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_TIMEOUT),
                headers=self._headers,
                raise_for_status=False,
            )
        return self._session

    async def ask(self, message: bytes) -> bytes:
        import aiohttp

        try:
            async with self._open().post(
                self._url, data=message, allow_redirects=False, proxy=self._proxy
            ) as response:
                if not 200 <= response.status < 400:
                    raise AnsweredStatus(
                        response.status, seconds_to_wait(response.headers.get("Retry-After"))
                    )
                return await _body(response)
        except TimeoutError:
            raise
        except aiohttp.ClientConnectorError:
            raise ConnectionFailure(absent=True) from None
        except (aiohttp.ClientResponseError, aiohttp.InvalidURL):
            raise UnreadableAnswer from None  # it speaks, but not HTTP as we know it
        except (aiohttp.ClientError, OSError):
            raise ConnectionFailure from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def _proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for a URL; aiohttp would look for it with each message."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    proxy = getproxies().get(parts.scheme)
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


async def _body(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            raise AnswerTooLarge
    return b"".join(parts)


class _Sockets:
    """Unix sockets, one message at a time on each."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._path = str(Path(endpoint.url).expanduser())
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, message: bytes) -> bytes:
        try:
            if self._idle:
                reader, writer = self._idle.pop()
            else:
                reader, writer = await asyncio.open_unix_connection(self._path, limit=1 << 20)
        except OSError:
            raise ConnectionFailure(absent=True) from None
        try:
            writer.write(message + b"\n")
            await writer.drain()
            answer = await self._receive(reader)
        except OSError:
            writer.close()
            raise ConnectionFailure from None
        except BaseException:
            writer.close()  # what is left of an answer must not be taken for the next one
            raise
        self._idle.append((reader, writer))
        return answer

    async def _receive(self, source: asyncio.StreamReader) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            part = await source.read(1 << 20)
            if not part:
                raise ConnectionFailure
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
                except RecursionError:
                    raise NestedTooDeep from None
                return whole

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()


class _WebSockets:
    """Connections, one message at a time on each."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._idle: list[ClientConnection] = []

    async def ask(self, message: bytes) -> bytes:
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
        from websockets.frames import CloseCode

        connection: ClientConnection | None = None
        try:
            connection = self._idle.pop() if self._idle else await self._connect()
            await connection.send(message.decode())
            answer = await connection.recv()
        except InvalidStatus as error:
            headers = error.response.headers
            raise AnsweredStatus(
                error.response.status_code, seconds_to_wait(headers.get("Retry-After"))
            ) from None
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
                raise AnswerTooLarge from None
            raise ConnectionFailure from None
        except TimeoutError:
            _abandon(connection)
            raise
        except (OSError, EOFError, WebSocketException):
            _abandon(connection)
            raise ConnectionFailure(absent=connection is None) from None
        except BaseException:
            _abandon(connection)  # what is left of an answer must not be taken for the next one
            raise
        self._idle.append(connection)
        return answer.encode() if isinstance(answer, str) else answer

    async def _connect(self) -> ClientConnection:
        from websockets.asyncio.client import connect

        return await connect(
            self._endpoint.url,
            additional_headers=dict(self._endpoint.headers),
            open_timeout=CONNECT_TIMEOUT,
            close_timeout=2,
            max_size=MAX_ANSWER,
        )

    async def close(self) -> None:
        while self._idle:
            with suppress(Exception):  # it is gone either way, and the others are to be closed, too
                await self._idle.pop().close()


def _abandon(connection: ClientConnection | None) -> None:
    if connection is not None:
        connection.transport.abort()
