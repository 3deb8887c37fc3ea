"""One door to an Ethereum node: JSON-RPC over HTTP, WebSocket or IPC, at one endpoint or several.

An answer belongs to the request whose identifier it bears, and to no other. Requests travel in an event loop in a
thread of its own, many at a time; whoever asks waits, in any thread. What may pass (a cut or garbled answer, a timeout,
a rate limit, a gateway error) is tried again with growing pauses; what will not pass is raised at once. No message
quotes a library's exception: they carry URLs with keys.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self, TypeVar

from specminer._support.errors import InvalidNodeResponse, NodeRefused, NodeUnreachable, plain
from specminer.sources.dispatch import Dispatcher
from specminer.sources.endpoint import Endpoint
from specminer.sources.helper_processes import Helpers
from specminer.sources.retrying import short_pause
from specminer.sources.traffic import CONCURRENCY, RETRIES, TIMEOUT, Traffic
from specminer.sources.transport import Request
from specminer.sources.upstream import Upstream

_QUANTITY: Final = re.compile("0[xX][0-9a-fA-F]{1,64}")
_LONGEST_QUANTITY: Final = 66
_LONGEST_ADDRESS: Final = 42
"""Characters."""
_PARSED: Final = 1 << 14
"""Short texts whose values are held, because nodes repeat them."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Connection:
    """What is there from the first request on: the endpoints, and the event loop that they live in."""

    dispatcher: Dispatcher
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    """Runs the loop."""


class Node:
    """A node that answers JSON-RPC; close it after use or use it as a context manager.

    It may be asked from several threads. ``endpoints`` are tried in their order. For the rest see :class:`Traffic`.
    """

    def __init__(
        self,
        *endpoints: Endpoint,
        retries: int = RETRIES,
        timeout: float = TIMEOUT,
        concurrency: int = CONCURRENCY,
        rate: float | None = None,
        pause: float = 0.5,
        confirmations: int | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.confirmations = confirmations
        """How many blocks have to stand on one that is read; ``None``: it has to be final."""
        self.helpers: Helpers | None = None
        """Other processes that find and read transactions in place of this one; ``None`` if it does so itself."""
        self._traffic = Traffic(
            retries=retries, timeout=timeout, concurrency=concurrency, rate=rate, pause=pause
        )
        self._lock = threading.Lock()
        self._closed = False
        self._connection: _Connection | None = None

    @property
    def endpoint(self) -> Endpoint:
        """The first endpoint, by which messages call the node."""
        return self.endpoints[0]

    @property
    def requests(self) -> int:
        """How many requests were sent, a batch counted by its members."""
        return sum(upstream.request_count for upstream in self._upstreams)

    @property
    def retries(self) -> int:
        """How many of them were sent again."""
        return self._connection.dispatcher.retries if self._connection else 0

    @property
    def received(self) -> int:
        """Bytes of all answers, unpacked."""
        return sum(upstream.transport.received for upstream in self._upstreams)

    @property
    def tries(self) -> int:
        """How often a request is sent at most."""
        return 1 + self._traffic.retries

    @property
    def takes_batches(self) -> bool:
        """Whether batches are sent at the moment; not for a while after the node has refused small ones."""
        return not self._upstreams or self._upstreams[0].takes_batches

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def doubt_batches(self) -> None:
        """Send no batches for a while, because what the node answers to them cannot be told apart."""
        connection = self._connection
        if connection is not None and not self._closed:
            for upstream in connection.dispatcher.upstreams:
                connection.loop.call_soon_threadsafe(upstream.doubt_batches)

    def close(self) -> None:
        """Give up what is under way and close the connections; nothing can be asked afterwards."""
        with self._lock:
            connection = self._connection
            closed, self._closed = self._closed, True
        if closed or connection is None:
            return
        loop = connection.loop
        asyncio.run_coroutine_threadsafe(connection.dispatcher.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        connection.thread.join()
        loop.close()

    def call(self, method: str, *params: Any, only: int | None = None) -> Any:
        """Return the result of one request; ``only`` is the number of the one endpoint that is asked.

        Raises:
            NodeUnreachable: no answer, after all tries.
            NodeRefused: the node answered with an error.

        """
        (answer,) = self._ask([(method, params)], alone=True, only=only)
        return result_of(answer)

    def batch(self, calls: Sequence[Request]) -> list[Any]:
        """Return the results of several requests in order; a refused one is a ``NodeRefused`` in its place.

        Raises:
            NodeUnreachable: no answer, after all tries.

        """
        return self._ask(calls, alone=False)

    def each(self, calls: Sequence[Request], *, patience: int | None = None) -> list[Any]:
        """Return the results of several requests, each sent alone; a refused one is a ``NodeRefused`` in its place.

        Raises:
            NodeUnreachable: no answer, after all tries.

        """
        return self._ask(calls, alone=True, patience=patience)

    def read(
        self,
        calls: Sequence[Request],
        reader: Callable[[list[Any]], _T],
        *,
        tries: int | None = None,
    ) -> _T:
        """Send requests, each alone, until ``reader`` accepts their answers, and return what it returns.

        After a ``InvalidNodeResponse`` of the reader they are sent again.

        Raises:
            NodeUnreachable: no answer, after all tries.
            ChainError: that of the reader, for the last answers.

        """
        last = self.tries if tries is None else tries
        attempt = 1
        while True:
            answers = self.each(calls, patience=last - 1)
            try:
                return reader(answers)
            except InvalidNodeResponse:
                if attempt >= last:
                    raise
            time.sleep(short_pause(self._traffic.pause, attempt))
            attempt += 1

    def read_each(self, calls: Sequence[Request], reader: Callable[[int, Any], _T]) -> list[_T]:
        """Send requests, each alone, until ``reader`` accepts the result of each, and return what it returns.

        It gets the row of a request and its result. After an ``InvalidNodeResponse`` only that request is sent again.

        Raises:
            NodeUnreachable: no answer, after all tries.
            NodeRefused: the node answered with an error.
            ChainError: that of the reader, for the last result.

        """
        results: dict[int, _T] = {}
        attempt = 1
        while True:
            missing = [row for row in range(len(calls)) if row not in results]
            failure: InvalidNodeResponse | None = None
            answers = self.each([calls[row] for row in missing], patience=self.tries - 1)
            for row, answer in zip(missing, answers, strict=True):
                try:
                    results[row] = reader(row, result_of(answer))
                except InvalidNodeResponse as error:
                    failure = error
            if failure is None:
                return [results[row] for row in range(len(calls))]
            if attempt >= self.tries:
                raise failure
            time.sleep(short_pause(self._traffic.pause, attempt))
            attempt += 1

    def exclude(self, number: int) -> None:
        """Ask one of the endpoints nothing any more."""
        with self._lock:
            self._connect().dispatcher.upstreams[number].excluded = True

    def read_one(self, call: Request, reader: Callable[[Any], _T], *, tries: int | None = None) -> _T:
        """Send a request until ``reader`` accepts its result, and return what it returns; see :meth:`read`.

        Raises:
            NodeUnreachable: no answer, after all tries.
            NodeRefused: the node answered with an error.
            ChainError: that of the reader, for the last result.

        """
        return self.read([call], lambda answers: reader(result_of(answers[0])), tries=tries)

    # -- the event loop ---------------------------------------------------------------------------

    def _ask(
        self, calls: Sequence[Request], *, alone: bool, patience: int | None = None, only: int | None = None
    ) -> list[Any]:
        if not calls:
            return []
        retries = self._traffic.retries if patience is None else patience
        with self._lock:  # what is begun before it is closed is given up then
            if self._closed:
                raise NodeUnreachable(f"{self.endpoint.label} is not asked any more")
            connection = self._connect()
            future = asyncio.run_coroutine_threadsafe(
                connection.dispatcher.ask(calls, alone=alone, patience=retries, only=only), connection.loop
            )
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise NodeUnreachable(f"{self.endpoint.label} is not asked any more") from None
        except BaseException:
            future.cancel()  # whoever was interrupted takes no answer any more
            raise

    @property
    def _upstreams(self) -> Sequence[Upstream]:
        return self._connection.dispatcher.upstreams if self._connection else ()

    def _connect(self) -> _Connection:
        if self._connection is None:
            loop = asyncio.new_event_loop()
            dispatcher = Dispatcher(self.endpoints, self._traffic)
            thread = threading.Thread(target=loop.run_forever, name="node", daemon=True)
            self._connection = _Connection(dispatcher, loop, thread)
            thread.start()
        return self._connection


def result_of(answer: Any) -> Any:
    """Return the result in the place of a request; raise it if it is a refusal."""
    if isinstance(answer, NodeRefused):
        raise answer
    return answer


def quantity(value: Any, what: str) -> int:
    """Read a JSON-RPC quantity (``0x1f``).

    Raises:
        InvalidNodeResponse: it is none; ``what`` says of what.

    """
    if isinstance(value, str) and len(value) <= _LONGEST_QUANTITY:
        number = _parse_quantity(value)
        if number is not None:
            return number
    raise InvalidNodeResponse(
        f"the node's answer is malformed: {what} should be a hexadecimal number, got {came(value)}"
    )


@lru_cache(maxsize=_PARSED)
def _parse_quantity(text: str) -> int | None:
    """Return a quantity; ``None`` if a short text is none. Most that a node answers it has answered before."""
    return int(text, 16) if _QUANTITY.fullmatch(text) else None


def small(value: Any, what: str) -> int:
    """Read a quantity that counts something: a block, gas, a nonce; below 2**63, as a database keeps it.

    Raises:
        InvalidNodeResponse: it is none, or larger; ``what`` says of what.

    """
    number = quantity(value, what)
    if number >> 63:
        raise InvalidNodeResponse(
            f"the node's answer cannot be: {what} should be below 2**63, got {came(value)}"
        )
    return number


def octets(value: Any, what: str, length: int | None = None) -> bytes:
    """Read JSON-RPC data (``0x`` and an even number of digits), of ``length`` bytes if given.

    Raises:
        InvalidNodeResponse: it is none; ``what`` says of what.

    """
    if isinstance(value, str) and value.startswith("0x"):
        try:
            data = _parse_octets(value) if len(value) <= _LONGEST_ADDRESS else bytes.fromhex(value[2:])
            if length is None or len(data) == length:
                return data
        except ValueError:
            pass
    expected = "hexadecimal data" if length is None else f"{length} bytes of hexadecimal data"
    raise InvalidNodeResponse(
        f"the node's answer is malformed: {what} should be {expected}, got {came(value)}"
    )


@lru_cache(maxsize=_PARSED)
def _parse_octets(text: str) -> bytes:
    """Return the bytes of a short text, such as an address."""
    return bytes.fromhex(text[2:])


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


__all__ = ["Node", "Request", "came", "octets", "quantity", "result_of", "small"]
