"""Sends requests to the endpoints of a node until each is answered, refused by all, or out of tries.

The first endpoint that can answer a request does. A request that failed there, or was refused, goes to the next; an
endpoint that is down is passed over for a while, and one that has refused a method for what it lacks is asked last.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any, Final

from specminer._support.errors import NodeNeed, NodeRefused
from specminer.sources.endpoint import Endpoint
from specminer.sources.refusals import NO_METHOD
from specminer.sources.retrying import growing_pause, short_pause
from specminer.sources.traffic import Traffic
from specminer.sources.transport import Request
from specminer.sources.upstream import Failure, RequestGroup, RequestJob, Upstream

ABSENT_TRIES: Final = 2
"""Tries before the first answer where nobody is there: the address is more likely wrong than the server busy."""
FIRST_TRIES: Final = 6
"""Tries before the first answer where somebody is."""


class Dispatcher:
    """The endpoints of a node; lives in one event loop."""

    def __init__(self, endpoints: Sequence[Endpoint], traffic: Traffic) -> None:
        self.upstreams = [Upstream(endpoint, traffic, self._settle) for endpoint in endpoints]
        self.retries = 0
        """Requests that were sent again."""
        self._traffic = traffic
        self._order = itertools.count()
        self._timers: set[asyncio.TimerHandle] = set()
        self._open_groups: set[RequestGroup] = set()

    async def ask(
        self, calls: Sequence[Request], *, alone: bool, patience: int, only: int | None = None
    ) -> list[Any]:
        """Return the results of requests in order; a refused one is a ``NodeRefused`` in its place.

        ``alone`` sends each by itself, ``patience`` says how often an answer that holds nothing is asked for again,
        ``only`` is the number of the one endpoint that is asked.

        Raises:
            NodeUnreachable: no answer, after all tries.
            InvalidNodeResponse: answers bore identifiers of other requests, after all tries.

        """
        group = RequestGroup(len(calls))
        jobs = [
            RequestJob(
                call=call,
                order=next(self._order),
                group=group,
                row=row,
                alone=alone,
                patience=min(patience, self._traffic.retries),
                required_upstream=None if only is None else self.upstreams[only],
            )
            for row, call in enumerate(calls)
        ]
        self._open_groups.add(group)
        for job in jobs:
            self._choose(job).enqueue_later(job)
        for upstream in self.upstreams:
            upstream.pump()
        try:
            return await group.answers
        finally:
            self._open_groups.discard(group)
            group.answers.cancel()

    async def close(self) -> None:
        """Give up what is under way and close the connections."""
        for timer in self._timers:
            timer.cancel()
        for group in self._open_groups:
            group.answers.cancel()
        for upstream in self.upstreams:
            await upstream.close()

    # -- which endpoint ---------------------------------------------------------------------------

    def _able(self, job: RequestJob) -> list[Upstream]:
        if job.required_upstream is not None:
            return [job.required_upstream]
        return [item for item in self.upstreams if not item.excluded and item not in job.refusals]

    def _choose(self, job: RequestJob) -> Upstream:
        """Return the endpoint to ask; the first of those that are as good."""
        if len(self.upstreams) == 1:
            return self.upstreams[0]
        now = asyncio.get_running_loop().time()
        able = self._able(job) or [item for item in self.upstreams if not item.excluded] or self.upstreams
        return min(
            able,
            key=lambda item: (
                job.call[0] in item.lacks,
                item.down_until > now,
                job.misses.get(item, 0),
            ),
        )

    # -- what came --------------------------------------------------------------------------------

    def _settle(
        self, upstream: Upstream, job: RequestJob, failure: Failure | NodeRefused | None, result: Any
    ) -> None:
        if job.done:
            return
        if failure is None:
            job.settle(result)
        elif isinstance(failure, NodeRefused):
            self._handle_refusal(upstream, job, failure)
        else:
            self._handle_failure(upstream, job, failure)

    def _handle_refusal(self, upstream: Upstream, job: RequestJob, refusal: NodeRefused) -> None:
        job.refusals[upstream] = refusal
        if refusal.need is not None or refusal.code == NO_METHOD:
            upstream.lacks.add(job.call[0])
        if job.required_upstream is None and self._able(job):
            self._again(job, 0.0)
        else:
            refusals = list(job.refusals.values())
            job.settle(next((item for item in refusals if item.need is NodeNeed.ARCHIVE), refusals[0]))

    def _handle_failure(self, upstream: Upstream, job: RequestJob, failure: Failure) -> None:
        if failure.free:
            self._again(job, 0.0)
            return
        if not failure.nothing:  # these have a limit of their own, at which nothing is the answer
            job.failures += 1
        job.misses[upstream] = job.misses.get(upstream, 0) + 1
        if job.failures >= self._tries(failure):
            error = failure.error
            if isinstance(error, NodeRefused):
                job.settle(error)
            else:
                job.group.fail(error)
            return
        following = self._choose(job)
        if following is not upstream:
            self._again(job, 0.0)
        elif failure.nothing:
            self._again(job, short_pause(self._traffic.pause, job.nothings))
        elif failure.wait:
            self._again(job, 0.0)  # the endpoint waits
        else:
            self._again(job, growing_pause(self._traffic.pause, job.failures, self._traffic.longest_pause))

    def _tries(self, failure: Failure) -> int:
        """Return how often a request is sent at most."""
        if any(upstream.answered for upstream in self.upstreams):
            return 1 + self._traffic.retries
        first = ABSENT_TRIES * len(self.upstreams) if failure.absent else FIRST_TRIES
        return min(1 + self._traffic.retries, first)

    def _again(self, job: RequestJob, pause: float) -> None:
        self.retries += 1
        if pause <= 0:
            self._choose(job).enqueue(job)
            return
        timer: asyncio.TimerHandle

        def requeue() -> None:
            self._timers.discard(timer)
            if not job.done:
                self._choose(job).enqueue(job)

        timer = asyncio.get_running_loop().call_later(pause, requeue)
        self._timers.add(timer)
