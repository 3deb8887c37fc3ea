"""One endpoint under load: its queue, how much it is given at once, and what its answers mean.

Requests wait in lanes: those that have to travel alone, light ones, and heavy ones (traces). A batch takes requests of
one lane, the oldest first. How many messages are under way, how large batches are and how long an answer is waited for
are learned (:mod:`specminer.sources.congestion`).
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, Final

from specminer._support.errors import ChainError, InvalidNodeResponse, NodeNeed, NodeRefused, NodeUnreachable
from specminer.sources.congestion import BatchSize, ConcurrencyLimit, Pace, Patience
from specminer.sources.endpoint import Endpoint
from specminer.sources.refusals import is_busy, is_lagging, need_of
from specminer.sources.retrying import PASSING_STATUS, growing_pause
from specminer.sources.traffic import Traffic
from specminer.sources.transport import (
    MAX_ANSWER,
    AnsweredStatus,
    AnswerTooLarge,
    BatchRefused,
    ConnectionFailure,
    ForeignAnswer,
    NestedTooDeep,
    Request,
    Transport,
    TransportFailure,
)

TOO_LARGE: Final = 413
"""The code of a refusal because an answer would be too large for us."""
TIMED_OUT: Final = 408
"""The code of a refusal because a request alone was not answered in time, though others were."""
_TIMEOUTS: Final = 3
"""Waits in vain, the last try among them, that show a heavy request to be too much for a server that answers others."""
MOST_IN_BATCH: Final = 100
"""Light requests in one batch; providers refuse larger ones."""
MOST_HEAVY_IN_BATCH: Final = 25
_FIRST_LIGHT, _FIRST_HEAVY = 20, 4
_UNTRIED: Final = 16
"""Batches of a lane under way at most, before one was answered: all may be refused for their size."""
_NEAR: Final = 0.01
"""Seconds to a server and back, below which a message costs more than its way: as few as can be are sent."""
_FIRST_PATIENCE: Final = {False: 10.0, True: 30.0}
_SPOILED: Final = 4
"""Batches in a row that could not be read, after which smaller ones are sent."""
_DOWN: Final = 3
"""Messages in a row that failed, after which an endpoint is taken to be down for a while."""
_MAX_DOWN: Final = 30.0
"""Seconds that it is taken to be down at most, before it is tried again."""
_HTTP_HINTS: Final = {
    401: " (unauthorised): it wants a key; give it in the URL or with --rpc-header NAME=VALUE",
    403: " (forbidden): the key or this machine is not allowed to use it",
    404: " (not found): the path of its address is wrong",
    405: ": it does not take JSON-RPC requests; check the address",
    413: " (request too large)",
    429: " (too many requests)",
}
_BATCH_STATUS: Final = frozenset({400, 405, 413, 414, 415, 422, 501})
"""What servers answer to a batch that is too large for them, or that they do not take at all."""
_KEY_WORDS: Final = ("api key", "apikey", "api-key", "authenticat", "unauthori", "forbidden", "access token")
_KEY_HINT: Final = "; it wants a key: give it in the URL or with --rpc-header NAME=VALUE"
_NEEDS: Final = {
    NodeNeed.ARCHIVE: "; it keeps no state of that block",
    NodeNeed.TRACING: "; tracing needs a node of your own, or a provider's plan with debug methods",
}


class Lane(Enum):
    """Which requests may share a batch."""

    ALONE = "alone"
    LIGHT = "light"
    HEAVY = "heavy"


_LEAST_SHARE: Final = {Lane.ALONE: 1, Lane.LIGHT: 16, Lane.HEAVY: 4}
"""Requests in a batch at least, where those that wait are spread over the messages that may be under way."""


class RequestGroup:
    """Requests that somebody waits for together; made in the event loop."""

    def __init__(self, count: int) -> None:
        self.answers: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        """What is waited for: the results in order, or why one of them cannot be had."""
        self._results: list[Any] = [None] * count
        self._missing = count

    def settle(self, row: int, result: Any) -> None:
        """Take the result of one request."""
        self._results[row] = result
        self._missing -= 1
        if not self._missing and not self.answers.done():
            self.answers.set_result(self._results)

    def fail(self, error: Exception) -> None:
        """Give up all of them."""
        if not self.answers.done():
            self.answers.set_exception(error)


@dataclass(eq=False, slots=True)
class RequestJob:
    """A request on its way to an answer."""

    call: Request
    order: int
    """Older requests go first."""
    group: RequestGroup
    row: int
    """Its place in the group."""
    alone: bool
    patience: int
    """How often an answer that holds nothing is asked for again."""
    required_upstream: Upstream | None = None
    """The only endpoint that may answer."""
    failures: int = 0
    timeouts: int = 0
    first_timeout: float = math.inf
    """When it was waited for in vain for the first time."""
    nothings: int = 0
    max_batch: int = MOST_IN_BATCH
    """Requests in a batch with this one at most: half as many as in the last that failed."""
    misses: dict[Upstream, int] = field(default_factory=dict)
    refusals: dict[Upstream, NodeRefused] = field(default_factory=dict)
    settled: bool = False

    @property
    def done(self) -> bool:
        """Whether nobody waits for it any more."""
        return self.settled or self.group.answers.done()

    def settle(self, result: Any) -> None:
        """Hand over its result."""
        self.settled = True
        self.group.settle(self.row, result)

    @property
    def heavy(self) -> bool:
        """Whether the node has to execute transactions for it."""
        return self.call[0].startswith(("debug_", "trace_"))

    @property
    def lane(self) -> Lane:
        """Where it waits."""
        if self.alone or self.max_batch <= 1:
            return Lane.ALONE
        return Lane.HEAVY if self.heavy else Lane.LIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a request got no answer that counts; it may pass."""

    error: ChainError
    wait: float = 0.0
    """Seconds that the server asks to wait."""
    free: bool = False
    """Whether it does not count as a try: the batch was too large."""
    absent: bool = False
    """Whether nobody was there."""
    nothing: bool = False
    """Whether what was asked for was not there."""


Settle = Callable[["Upstream", RequestJob, "Failure | NodeRefused | None", Any], None]
"""Takes the endpoint, a request, why it failed or was refused (``None`` if it was answered), and the result."""


class Upstream:
    """One endpoint; lives in one event loop."""

    def __init__(self, endpoint: Endpoint, traffic: Traffic, settle: Settle) -> None:
        self.endpoint = endpoint
        self.answered = False
        """Whether it has answered anything."""
        self.excluded = False
        """Whether it is not used any more: it serves another chain, or nobody was there at the beginning."""
        self.lacks: set[str] = set()
        """Methods that it has refused because it lacks what they need."""
        self.request_count = 0
        """Requests sent, a batch counted by its members."""
        self.down_until = 0.0
        self.transport = Transport(endpoint)
        self._label = endpoint.label
        self._traffic = traffic
        self._settle = settle
        self._lanes: dict[Lane, list[tuple[int, int, RequestJob]]] = {lane: [] for lane in Lane}
        self._running = 0
        self._batches: Counter[Lane] = Counter()
        """Batches under way."""
        self._answered_lanes: set[Lane] = set()
        """Lanes of which a batch was answered."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.Handle | None = None
        self._heard_at = -math.inf
        """When a message was answered last."""
        self._limit = ConcurrencyLimit(traffic.concurrency)
        self._sizes = {
            Lane.LIGHT: BatchSize(_FIRST_LIGHT, self._most(MOST_IN_BATCH)),
            Lane.HEAVY: BatchSize(_FIRST_HEAVY, self._most(MOST_HEAVY_IN_BATCH)),
        }
        self._patience = {heavy: Patience(first) for heavy, first in _FIRST_PATIENCE.items()}
        self._pace = Pace(traffic.rate)
        self._paused_until = 0.0
        self._failures = 0
        """Messages in a row that failed."""
        self._busy = 0
        """Pauses in a row because the server was busy."""
        self._spoiled_batches = 0

    def _most(self, requests: int) -> int:
        return requests if self._traffic.rate is None else max(1, min(requests, int(self._traffic.rate)))

    @property
    def concurrency(self) -> int:
        """Messages that may be under way."""
        return int(self._limit.value)

    @property
    def takes_batches(self) -> bool:
        """Whether batches of light requests are sent at the moment."""
        return self._sizes[Lane.LIGHT].value > 1

    def doubt_batches(self) -> None:
        """Send no batches for a while, because answers in them were wrong."""
        for size in self._sizes.values():
            size.refuse(1)

    # -- the queue --------------------------------------------------------------------------------

    def enqueue_later(self, job: RequestJob) -> None:
        """Let a request wait for the next :meth:`pump`, which may send it in a batch with others."""
        heapq.heappush(self._lanes[job.lane], (job.order, id(job), job))

    def enqueue(self, job: RequestJob) -> None:
        """Let a request wait until there is room; what comes at the same time may share a batch."""
        self.enqueue_later(job)
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._pump_soon)

    def _pump_soon(self) -> None:
        self._soon = None
        self.pump()

    def pump(self) -> None:
        """Send what waits, as far as there is room for it."""
        loop = asyncio.get_running_loop()
        while self._running < self.concurrency and (lane := self._next_lane()) is not None:
            now = loop.time()
            wait = max(self._paused_until - now, self._pace.delay(now))
            if wait > 0:
                if self._timer is None:
                    self._timer = loop.call_later(wait, self._wake)
                return
            jobs = self._take(lane)
            if not jobs:
                continue
            self._pace.spend(now, len(jobs))
            self._running += 1
            self.request_count += len(jobs)
            batch = self._begin_batch(lane, len(jobs)) if len(jobs) > 1 else None
            task = loop.create_task(self._send(jobs))
            self._tasks.add(task)
            task.add_done_callback(partial(self._end, batch))

    def _begin_batch(self, lane: Lane, size: int) -> tuple[Lane, bool]:
        self._batches[lane] += 1
        return lane, self._sizes[lane].begin(size)

    def _wake(self) -> None:
        self._timer = None
        self.pump()

    def _end(self, batch: tuple[Lane, bool] | None, task: asyncio.Task[None]) -> None:
        self._running -= 1
        if batch is not None:
            lane, probing = batch
            self._batches[lane] -= 1
            self._sizes[lane].end(probing=probing)
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()
            self.pump()

    def _next_lane(self) -> Lane | None:
        """Return the lane of the oldest request that may be sent; first those alone, for which somebody waits."""
        open_lanes = [
            lane
            for lane, jobs in self._lanes.items()
            if jobs and (lane in self._answered_lanes or self._batches[lane] < _UNTRIED)
        ]
        return min(open_lanes, key=lambda lane: (lane is not Lane.ALONE, self._lanes[lane][0]), default=None)

    def _take(self, lane: Lane) -> list[RequestJob]:
        """Take the oldest request of a lane, and others that may share a batch with it."""
        waiting = self._lanes[lane]
        size = 1 if lane is Lane.ALONE else min(self._sizes[lane].next_size(), self._share(lane))
        jobs: list[RequestJob] = []
        while waiting and len(jobs) < size:
            job = waiting[0][2]
            if jobs and job.max_batch <= len(jobs):
                break
            heapq.heappop(waiting)
            if not job.done:
                jobs.append(job)
                size = min(size, job.max_batch)
        return jobs

    def _share(self, lane: Lane) -> int:
        """Return how many requests a message takes if those that wait are spread over all that may be under way."""
        if not _NEAR < self._limit.distance < math.inf:
            return MOST_IN_BATCH
        return max(_LEAST_SHARE[lane], -(-len(self._lanes[lane]) // (self.concurrency - self._running)))

    async def close(self) -> None:
        """Give up what is under way and close the connections."""
        for lane in self._lanes.values():
            lane.clear()
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.transport.close()

    # -- one message ------------------------------------------------------------------------------

    async def _send(self, jobs: Sequence[RequestJob]) -> None:
        loop = asyncio.get_running_loop()
        began, full = loop.time(), self._running >= self.concurrency
        lane = jobs[0].lane
        heavy = jobs[0].heavy
        patience = self._patience[heavy].seconds(max(job.timeouts for job in jobs), self._traffic.timeout)
        try:
            async with asyncio.timeout(patience):
                if len(jobs) == 1:
                    answers: Sequence[dict[str, Any] | None] = [await self.transport.one(jobs[0].call)]
                else:
                    answers = await self.transport.many([job.call for job in jobs])
        except (TimeoutError, TransportFailure) as error:
            self._fail(jobs, self._failure(jobs, error))
            return
        latency = loop.time() - began
        self.answered = True
        self._heard_at = loop.time()
        self._failures = 0
        self.down_until = 0.0
        self._limit.succeed((heavy, len(jobs).bit_length()), latency, busy=full)
        self._patience[heavy].note(latency)
        if lane is not Lane.ALONE:
            if len(jobs) > 1:
                self._answered_lanes.add(lane)
            spoiled = None in answers
            self._note_batch(lane, len(jobs), spoiled=spoiled)
            if not spoiled:
                self._sizes[lane].succeed(len(jobs), latency - self._limit.distance)
        busy = [self._read(job, answer, len(jobs)) for job, answer in zip(jobs, answers, strict=True)]
        if any(busy):
            self._slow_down(0.0)
        else:
            self._busy = 0

    def _note_batch(self, lane: Lane, size: int, *, spoiled: bool) -> None:
        """Send smaller batches after some in a row could not be read, or could not be told apart."""
        if size == 1:
            return
        self._spoiled_batches = self._spoiled_batches + 1 if spoiled else 0
        if self._spoiled_batches >= _SPOILED:
            self._spoiled_batches = 0
            self._sizes[lane].refuse(size)

    def _slow_down(self, wait: float) -> None:
        """Give a busy server time."""
        now = asyncio.get_running_loop().time()
        self._busy += (
            now >= self._paused_until
        )  # what was sent at the same time is refused for the same reason
        self._limit.shrink(now)
        pause = max(wait, growing_pause(self._traffic.pause, self._busy, self._traffic.longest_pause))
        self._paused_until = max(self._paused_until, now + pause)

    def _fail(self, jobs: Sequence[RequestJob], failure: Failure | NodeRefused) -> None:
        """Pass a failure of a message on to its requests."""
        if isinstance(failure, Failure) and not failure.free:
            now = asyncio.get_running_loop().time()
            self._failures += 1
            if self._failures >= _DOWN:
                self.down_until = now + growing_pause(1.0, self._failures, _MAX_DOWN)
        for job in jobs:
            job.max_batch = max(1, len(jobs) // 2) if len(jobs) > 1 else job.max_batch
            self._settle(self, job, failure, None)

    def _failure(
        self, jobs: Sequence[RequestJob], error: TimeoutError | TransportFailure
    ) -> Failure | NodeRefused:
        """Return what a failure of the transport means for the requests of a message."""
        label, lane, size = self._label, jobs[0].lane, len(jobs)
        match error:
            case TimeoutError():
                now = asyncio.get_running_loop().time()
                self._limit.shrink(now)
                for job in jobs:
                    job.timeouts += 1
                    job.first_timeout = min(job.first_timeout, now)
                if size == 1 and self._is_too_much(jobs[0]):
                    return NodeRefused(
                        f"{label} did not answer {jobs[0].call[0]} in time, {jobs[0].timeouts} times, but other "
                        "requests it answered",
                        code=TIMED_OUT,
                    )
                return Failure(
                    error=NodeUnreachable(
                        f"{label} did not answer in time; check that the node runs and that its address is right"
                    )
                )
            case ConnectionFailure():
                return Failure(
                    error=NodeUnreachable(
                        f"{label} cannot be reached; check that the node runs and that its address is right"
                    ),
                    absent=error.absent,
                )
            case AnsweredStatus():
                return self._status(jobs, error)
            case AnswerTooLarge() if size > 1:
                self.answered = True
                self._sizes[lane].value = max(1, size // 2)
                return Failure(error=NodeRefused(f"{label} answered with too much"), free=True)
            case AnswerTooLarge():
                self.answered = True
                return NodeRefused(
                    f"{label} answered {jobs[0].call[0]} with more than {MAX_ANSWER >> 20} MiB",
                    code=TOO_LARGE,
                )
            case BatchRefused():
                return self._batch_refused(lane, size, error.answer)
            case ForeignAnswer():
                self.answered = True
                return Failure(
                    error=InvalidNodeResponse(
                        f"{label} answered a request with what bears the identifier of another one"
                    )
                )
            case NestedTooDeep():
                return NodeRefused(f"{label} gave an answer that is nested too deep to be read")
            case _:
                self._note_batch(lane, size, spoiled=True)
                return Failure(
                    error=NodeRefused(
                        f"{label} answered, but not in JSON-RPC; check that it is a node's RPC address"
                    )
                )

    def _is_too_much(self, job: RequestJob) -> bool:
        """Whether the server answers others, but not this request, which it has to execute transactions for."""
        last_try = job.failures >= self._traffic.retries
        return job.heavy and last_try and job.timeouts >= _TIMEOUTS and self._heard_at > job.first_timeout

    def _status(self, jobs: Sequence[RequestJob], error: AnsweredStatus) -> Failure | NodeRefused:
        self.answered = True
        status, size = error.status, len(jobs)
        refusal = NodeRefused(
            f"{self._label} answered HTTP {status}{_HTTP_HINTS.get(status, '')}", code=status
        )
        if size > 1 and status in _BATCH_STATUS:
            self._sizes[jobs[0].lane].refuse(size)
            return Failure(error=refusal, free=True)
        if status == 429 or (status in PASSING_STATUS and error.wait):
            self._slow_down(error.wait)
            return Failure(error=refusal, wait=error.wait)
        return Failure(error=refusal) if status in PASSING_STATUS else refusal

    def _batch_refused(self, lane: Lane, size: int, answer: dict[str, Any]) -> Failure:
        code, fields = _error_of(answer)
        message = str(fields.get("message"))
        refusal = NodeRefused(f"{self._label} refused a batch: {self.endpoint.redact(message)}", code=code)
        if answer.get("error") is None:  # an object that says nothing, which may pass
            self._note_batch(lane, size, spoiled=True)
            return Failure(error=refusal)
        if is_busy(code, message):
            self._slow_down(0.0)
            return Failure(error=refusal)
        self.answered = True
        self._sizes[lane].refuse(size)
        return Failure(error=refusal, free=True)

    def _read(self, job: RequestJob, answer: dict[str, Any] | None, size: int) -> bool:
        """Settle a request by its answer; return whether the server says that it is busy."""
        label, method = self._label, job.call[0]
        if answer is None:
            job.max_batch = max(1, size // 2)
            lie = InvalidNodeResponse(
                f"{label} left out the answer to a request in a batch, or answered it twice"
            )
            self._settle(self, job, Failure(error=lie), None)
            return False
        if answer.get("error") is None:
            result = answer.get("result")
            if result is None and job.nothings < job.patience:
                job.nothings += 1
                error = InvalidNodeResponse(f"{label} answered {method} with nothing")
                self._settle(self, job, Failure(error=error, nothing=True), None)
            else:
                self._settle(self, job, None, result)
            return False
        code, fields = _error_of(answer)
        message = str(fields.get("message", "no reason given"))
        need = need_of(method, code, message)
        reason = self.endpoint.redact(message)
        hint = _NEEDS[need] if need else _KEY_HINT if _names_key(message) else ""
        text = f"{label} refused {method}: {reason}{hint}"
        refusal = NodeRefused(text, code=code, need=need, said=reason)
        busy = is_busy(code, message)
        lagging = not busy and need is None and is_lagging(message) and job.nothings < job.patience
        job.nothings += lagging
        failed = busy or lagging
        self._settle(self, job, Failure(error=refusal, nothing=lagging) if failed else refusal, None)
        return busy


def _names_key(message: str) -> bool:
    text = message.lower()
    return any(word in text for word in _KEY_WORDS)


def _error_of(answer: dict[str, Any]) -> tuple[int | None, dict[str, Any]]:
    """Return the code and all fields of an answer's error; some servers give a text in place of an object."""
    error = answer.get("error")
    fields = error if isinstance(error, dict) else {"message": error}
    code = fields.get("code")
    return code if isinstance(code, int) else None, fields
