"""One door to an Ethereum node: JSON-RPC over HTTP, WebSocket or IPC.

An answer belongs to the request whose identifier it bears, and to no other. Debug methods have no place in web3's
typed API, so requests go to the provider itself. What may pass (a
refused connection, a timeout, a rate limit, a gateway error) is tried again with growing pauses; what
will not pass is raised at once. No message quotes a library's exception: they carry URLs with keys.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Self

import requests
from websockets.exceptions import WebSocketException

from specminer.chain.endpoint import Endpoint
from specminer.chain.retrying import PASSING_STATUS, PassingFailure, Retries
from specminer.chain.transport import (
    MAX_ANSWER,
    AnsweredStatus,
    AnswerTooLarge,
    ForeignAnswer,
    Request,
    Transport,
)
from specminer.errors import NodeLied, NodeRefused, NodeUnreachable, plain

TIMEOUT: Final = 120
"""Seconds to wait for one answer; a trace of a large transaction takes a while."""
BATCH: Final = 100
"""Requests in one batch; providers refuse larger ones."""
TOO_LARGE: Final = 413
"""The code of a refusal because an answer would be too large for us."""
_PASSING_CODES: Final = frozenset({-32005, -32016, 429})
_PASSING_WORDS: Final = ("rate limit", "too many requests", "try again", "timed out", "timeout", "busy")
_LASTING_WORDS: Final = ("execution timeout", "block range", "more than", "too large", "too many results")
"""Refusals for the size of what was asked, under whatever code: asking the same again does not help."""
_QUANTITY: Final = re.compile("0[xX][0-9a-fA-F]{1,64}")
_NESTING: Final = 6_000
"""Call traces nest twice as deep as calls (1024), which is more than Python's parser of JSON takes by default.

A library that web3 imports lifts the limit so far that an answer could overflow the stack instead.
"""


class Node:
    """A node that answers JSON-RPC; close it after use or use it as a context manager."""

    def __init__(self, endpoint: Endpoint, *, timeout: float = TIMEOUT, pause: float = 0.5) -> None:
        self.endpoint = endpoint
        self.requests = 0
        """How many requests were sent, a batch counted by its members."""
        self._batches = True
        self._retries = Retries(pause)
        self._transport = Transport(endpoint, timeout)

    @property
    def takes_batches(self) -> bool:
        """Whether batches are sent; false once the node has refused one."""
        return self._batches

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stop_batching(self) -> None:
        """Send no more batches, because what the node answers to one cannot be told apart."""
        self._batches = False

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one request.

        Raises:
            NodeUnreachable: no answer, after all tries.
            NodeRefused: the node answered with an error.

        """
        answer = self._retries.run(lambda: self._send_one((method, params)))
        if isinstance(answer, NodeRefused):
            raise answer
        return answer

    def batch(self, calls: Sequence[Request]) -> list[Any]:
        """Return the results of several requests in order; a refused one is a ``NodeRefused`` in its place.

        Raises:
            NodeUnreachable: no answer, after all tries.

        """
        if len(calls) > BATCH:
            return self.batch(calls[:BATCH]) + self.batch(calls[BATCH:])
        if self._batches and len(calls) > 1:
            done: dict[int, Any] = {}
            try:
                if self._retries.run(lambda: self._send_batch(calls, done)):
                    return [done[row] for row in range(len(calls))]
                self._batches = False
            except AnswerTooLarge:
                half = len(calls) // 2
                return self.batch(calls[:half]) + self.batch(calls[half:])
            except NodeRefused as refusal:  # it did not pass for all of them
                return [done.get(row, refusal) for row in range(len(calls))]
        return self.each(calls)

    def each(self, calls: Sequence[Request]) -> list[Any]:
        """Return the results of several requests, each sent alone; a refused one is a ``NodeRefused`` in its place.

        Raises:
            NodeUnreachable: no answer, after all tries.

        """
        return [self._asked_alone(call) for call in calls]

    def _asked_alone(self, call: Request) -> Any:
        try:
            return self._retries.run(partial(self._send_one, call))
        except NodeRefused as refusal:
            return refusal

    def _send_one(self, call: Request) -> Any:
        self.requests += 1
        try:
            return self._read(call[0], self._guard(lambda: self._transport.one(call)))
        except AnswerTooLarge:
            return NodeRefused(
                f"{self.endpoint.label} answered {call[0]} with more than {MAX_ANSWER >> 20} MiB",
                code=TOO_LARGE,
            )

    def _send_batch(self, calls: Sequence[Request], done: dict[int, Any]) -> bool:
        """Ask what is not in ``done`` yet and put it there; return whether the node takes batches."""
        open_rows = [row for row in range(len(calls)) if row not in done]
        self.requests += len(open_rows)
        try:
            answers = self._guard(lambda: self._transport.many([calls[row] for row in open_rows]))
        except NodeRefused:
            return False
        if answers is None:
            return False
        passing: PassingFailure | None = None
        for row, answer in zip(open_rows, answers, strict=True):
            try:
                done[row] = self._read(calls[row][0], answer)
            except PassingFailure as refusal:
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
        self._retries.answered = True
        code = error.get("code") if isinstance(error.get("code"), int) else None
        text = self.endpoint.redact(error.get("message", "no reason given"))
        refusal = NodeRefused(f"{self.endpoint.label} refused {method}: {text}", code=code)
        words = str(error.get("message")).lower()
        passing = code in _PASSING_CODES or any(word in words for word in _PASSING_WORDS)
        if passing and not any(word in words for word in _LASTING_WORDS):
            raise PassingFailure(refusal)
        return refusal

    def _guard(self, send: Callable[[], Any]) -> Any:
        """Turn a library's exceptions into ours, without their texts."""
        from web3.exceptions import Web3Exception  # loaded with the transport

        label = self.endpoint.label
        try:
            with _room_to_nest():
                return send()
        except AnsweredStatus as error:
            self._retries.answered = True
            status = error.status
            refusal = NodeRefused(f"{label} answered HTTP {status}{_HTTP_HINTS.get(status, '')}", code=status)
            if status in PASSING_STATUS:
                raise PassingFailure(refusal) from None
            raise refusal from None
        except ForeignAnswer:
            self._retries.answered = True
            lie = NodeLied(f"{label} answered a request with what bears the identifier of another one")
            raise PassingFailure(lie) from None
        except (requests.RequestException, OSError, WebSocketException, EOFError) as error:
            if not isinstance(error, ValueError):
                silent = isinstance(error, requests.Timeout | TimeoutError)
                what = "did not answer in time" if silent else "cannot be reached"
                raise PassingFailure(
                    NodeUnreachable(f"{label} {what}; check that the node runs and that its address is right")
                ) from None
        except (Web3Exception, ValueError, LookupError, TypeError, AttributeError):
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
    sys.setrecursionlimit(_NESTING)
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


_HTTP_HINTS = {
    401: " (unauthorised): it wants a key; give it in the URL or with --rpc-header NAME=VALUE",
    403: " (forbidden): the key or this machine is not allowed to use it",
    404: " (not found): the path of its address is wrong",
    405: ": it does not take JSON-RPC requests; check the address",
    413: " (request too large)",
    429: " (too many requests)",
}


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


def small(value: Any, what: str) -> int:
    """Read a quantity that counts something: a block, gas, a nonce; below 2**63, as a database keeps it.

    Raises:
        NodeLied: it is none, or larger; ``what`` says of what.

    """
    number = quantity(value, what)
    if number >> 63:
        raise NodeLied(f"the node's answer cannot be: {what} should be below 2**63, got {came(value)}")
    return number


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


__all__ = ["Node", "Request", "came", "octets", "quantity", "small"]
