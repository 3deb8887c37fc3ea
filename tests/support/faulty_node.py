"""A node in front of a node that fails in every way that is known, by chance but repeatably as far as threads allow.

It serves many connections in one event loop in a thread of its own, so that it is no bottleneck, and may delay answers
as a remote node does.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from email.utils import formatdate
from enum import Enum
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from aiohttp import web

_WORD: Final = 66
"""Characters of a word; longer texts are code."""
HANG: Final = 30.0
"""Seconds that a hanging answer takes; whoever asks should have given up long before."""


class Fault(Enum):
    """A way to fail."""

    CUT = "cut"
    GARBAGE = "garbage"
    HTML = "html"
    BUSY = "429"
    BUSY_UNTIL = "429 until a date"
    DOWN = "5xx"
    RESET = "reset"
    HANG = "hang"
    EMPTY = "empty"
    NULL = "null"
    NOTHING = "nothing"
    SILENT = "silent"
    LAGGING = "lagging"
    WRONG_ID = "wrong id"
    EXCHANGED = "exchanged"
    DUPLICATE = "duplicate"


_OF_MESSAGES: Final = (
    *(Fault.CUT, Fault.GARBAGE, Fault.HTML),
    *(Fault.BUSY, Fault.BUSY_UNTIL, Fault.DOWN, Fault.RESET, Fault.HANG),
)
"""Faults that spoil a whole message."""
_OF_ANSWERS: Final = tuple(fault for fault in Fault if fault not in _OF_MESSAGES)
"""Faults that spoil single answers of a batch."""


class FaultyNode:
    """The proxy; as a context manager it runs inside the block.

    Args:
        upstream: the HTTP URL of the node behind it.
        share: how many of the messages, and of the single answers, fail.
        faults: in which ways.
        delay: seconds that each message takes besides.
        call_delay: seconds that each call of a message takes besides, one after the other.
        most: calls that a batch may have; ``None`` for any number.
        hanging: which calls are never answered, nor what else is in their messages.
        remembering: whether a call is answered as it was before, without the node behind it.
        seed: of chance.
    """

    def __init__(
        self,
        upstream: str,
        *,
        share: float = 0.0,
        faults: Collection[Fault] = tuple(Fault),
        delay: float = 0.0,
        call_delay: float = 0.0,
        most: int | None = None,
        hanging: Callable[[dict[str, Any]], bool] = lambda _call: False,
        remembering: bool = False,
        seed: int = 0,
    ) -> None:
        self.failed: Counter[Fault] = Counter()
        """How often it failed in which way."""
        self.calls: list[dict[str, Any]] = []
        """All calls that came."""
        self._upstream = upstream
        self._share = share
        self._faults = tuple(fault for fault in Fault if fault in faults)
        self._hanging = hanging
        self._remembered: dict[str, dict[str, Any]] | None = {} if remembering else None
        self._delay, self._call_delay, self._most = delay, call_delay, most
        self._random = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        application = web.Application(client_max_size=1 << 26)
        application.router.add_post("/", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = int(self._runner.addresses[0][1])

    async def _stop(self) -> None:
        assert self._runner is not None
        assert self._session is not None
        await self._runner.cleanup()
        await self._session.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        asked = json.loads(await request.read())
        calls = asked if isinstance(asked, list) else [asked]
        self.calls += calls
        await asyncio.sleep(self._delay + self._call_delay * len(calls))
        if self._most is not None and len(calls) > self._most:
            refusal = {"code": -32600, "message": f"batches may have {self._most} calls"}
            return web.json_response({"jsonrpc": "2.0", "id": None, "error": refusal})
        if any(map(self._hanging, calls)):
            return await self._refuse(request, Fault.HANG)
        fault = self._chance(_OF_MESSAGES)
        if fault in (Fault.BUSY, Fault.BUSY_UNTIL, Fault.DOWN, Fault.RESET, Fault.HANG):
            return await self._refuse(request, fault)
        spoiled = self._spoil(calls, await self._answers(calls))
        body = json.dumps(spoiled if isinstance(asked, list) else spoiled[0]).encode()
        if fault is None:
            return web.Response(body=body, content_type="application/json")
        return await self._garble(request, fault, body)

    async def _answers(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return what the node behind it answers to calls."""
        if self._remembered is None:
            return await self._forward(calls)
        keys = [json.dumps([call["method"], call["params"]]) for call in calls]
        missing = [call for call, key in zip(calls, keys, strict=True) if key not in self._remembered]
        if missing:
            found = {answer["id"]: answer for answer in await self._forward(missing)}
            for call, key in zip(calls, keys, strict=True):
                if call["id"] in found:
                    self._remembered[key] = found[call["id"]]
        return [self._remembered[key] | {"id": call["id"]} for call, key in zip(calls, keys, strict=True)]

    async def _forward(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        assert self._session is not None
        async with self._session.post(
            self._upstream, json=calls if len(calls) > 1 else calls[0]
        ) as forwarded:
            answers = json.loads(await forwarded.read())
        return answers if isinstance(answers, list) else [answers]

    def _chance(self, among: Collection[Fault]) -> Fault | None:
        faults = [fault for fault in self._faults if fault in among]
        share = self._share * len(faults) / max(1, len(self._faults))
        if not faults or self._random.random() >= share:
            return None
        fault = self._random.choice(faults)
        self.failed[fault] += 1
        return fault

    async def _refuse(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault is Fault.RESET:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault is Fault.HANG:
            await asyncio.sleep(HANG)
            return web.Response(status=504)
        if fault is Fault.DOWN:
            return web.Response(status=self._random.choice([500, 502, 503, 504]), text="down")
        wait = "1" if fault is Fault.BUSY else formatdate(time.time() + 1, usegmt=True)
        return web.Response(status=429, headers={"Retry-After": wait}, text="slow down")

    async def _garble(self, request: web.Request, fault: Fault, body: bytes) -> web.StreamResponse:
        if fault is Fault.HTML:
            return web.Response(text="<html><body>Just a moment</body></html>", content_type="text/html")
        if fault is Fault.GARBAGE:
            half = bytearray(body)
            half[len(half) // 2 :] = self._random.randbytes(len(half) // 2)
            return web.Response(body=bytes(half))
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: self._random.randrange(len(body))])
        assert request.transport is not None
        request.transport.close()
        return response

    def _spoil(self, calls: list[Any], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Spoil single answers."""
        by_id = {answer["id"]: answer for answer in answers}
        found = [by_id[call["id"]] for call in calls]
        spoiled: list[dict[str, Any]] = []
        for row, (call, answer) in enumerate(zip(calls, found, strict=True)):
            fault, number = self._chance(_OF_ANSWERS), call["id"]
            match fault:
                case Fault.EMPTY:
                    spoiled.append({"jsonrpc": "2.0", "id": number, "result": {}})
                case Fault.NULL:
                    spoiled.append({"jsonrpc": "2.0", "id": number, "result": None})
                case Fault.NOTHING:
                    spoiled.append({})
                case Fault.SILENT:
                    spoiled.append(answer | {"result": silenced(answer.get("result"))})
                case Fault.LAGGING:
                    error = {"code": -32000, "message": "header not found"}
                    spoiled.append({"jsonrpc": "2.0", "id": number, "error": error})
                case Fault.WRONG_ID:
                    spoiled.append(answer | {"id": number + 1_000_003})
                case Fault.EXCHANGED:
                    other = found[(row + 1) % len(found)]
                    spoiled.append({**other, "id": number if len(found) > 1 else number - 1})
                case Fault.DUPLICATE:
                    spoiled += [answer, answer]
                case _:
                    spoiled.append(answer)
        return spoiled


def silenced(result: Any) -> Any:
    """Return a result of the same form that says that there is nothing: no traces, logs, transactions, no code."""
    match result:
        case list():
            return []
        case {"transactions": _}:
            return result | {"transactions": []}
        case {"logs": _}:
            return result | {"logs": []}
        case str() if len(result) > _WORD:
            return "0x"
        case _:
            return result
