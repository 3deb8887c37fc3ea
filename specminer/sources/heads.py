"""New blocks, told by a node over a WebSocket: who waits for the next one is woken at once.

The socket is a help, not a source: what is new is asked for as always, so that a socket that dies, lies or never
comes up costs nothing but the time until the next question.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

import msgspec

from specminer._support.nesting import NestingError, check_nesting
from specminer.sources.endpoint import Endpoint
from specminer.sources.transport import CONNECT_TIMEOUT

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

_SUBSCRIBE: Final = b'{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}'
_MIN_PAUSE: Final = 0.1
"""Seconds between two blocks that are told, so that a node cannot keep its listener busy."""
_MAX_MESSAGE: Final = 1 << 20
"""Bytes of a message about a block."""


class HeadSubscription:
    """Waits for new blocks; use it as a context manager."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        note: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the first address that is a WebSocket; without one, waiting is sleeping."""
        self._endpoint = next((item for item in endpoints if item.scheme in ("ws", "wss")), None)
        self._note, self._sleep = note, sleep
        self._connection: ClientConnection | None = None
        self._connection_stack = ExitStack()
        """Closes the connection."""
        self._is_silent = False
        """Whether it was said that the socket does not tell blocks."""

    def __enter__(self) -> HeadSubscription:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def wait(self, seconds: float) -> None:
        """Return when a block is told, or after so many seconds."""
        end = time.monotonic() + seconds
        if self._endpoint is not None and self._is_told(self._endpoint, end):
            self._sleep(min(_MIN_PAUSE, seconds))
            return
        self._sleep(max(0.0, end - time.monotonic()))

    def _is_told(self, endpoint: Endpoint, end: float) -> bool:
        """Wait for a block until a moment, and take all that were told; return whether there was one."""
        from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

        has_head = False
        try:
            connection = self._connection or self._subscribe(endpoint, end)
            connection.recv(timeout=max(0.0, end - time.monotonic()))
            has_head = True
            while True:
                connection.recv(timeout=0)
        except TimeoutError:
            pass
        except (OSError, EOFError, InvalidHandshake, InvalidURI, WebSocketException, _NotSubscribed):
            self._close()
            if not self._is_silent:
                self._is_silent = True
                self._note(f"{endpoint.label} does not tell new blocks; it is asked for them instead")
        return has_head

    def _subscribe(self, endpoint: Endpoint, end: float) -> ClientConnection:
        from websockets.sync.client import connect

        patience = min(float(CONNECT_TIMEOUT), max(_MIN_PAUSE, end - time.monotonic()))
        connection = self._connection_stack.enter_context(
            connect(
                endpoint.url,
                additional_headers=dict(endpoint.headers),
                open_timeout=patience,
                close_timeout=1,
                max_size=_MAX_MESSAGE,
            )
        )
        connection.send(_SUBSCRIBE.decode())
        try:
            text = connection.recv(timeout=patience)
            check_nesting(text.encode() if isinstance(text, str) else text)
            answer = msgspec.json.decode(text)
        except (TimeoutError, NestingError, msgspec.DecodeError, RecursionError):
            raise _NotSubscribed from None
        if not isinstance(answer, dict) or not isinstance(answer.get("result"), str):
            raise _NotSubscribed
        self._is_silent, self._connection = False, connection
        return connection

    def _close(self) -> None:
        self._connection = None
        with suppress(Exception):  # it is gone either way
            self._connection_stack.close()


class _NotSubscribed(Exception):
    """The node did not take the subscription."""
