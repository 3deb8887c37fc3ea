"""How much a server is given to do at once, learned from how it answers.

Sources: TCP Vegas (Brakmo and Peterson, 1995) for a window that grows while latency holds; RFC 6298 for how long to
wait for an answer; RFC 5681 for halving at congestion, once a round trip.
"""

from __future__ import annotations

import math
from typing import Final

FIRST_LIMIT: Final = 32
"""Messages under way before anything is known."""
_HOLDS: Final = 2.0
"""Latency holds up to so many times the least that was seen: a queue as long as the work itself keeps a server busy."""
_RISES: Final = 4.0
"""From so many times the least latency on, there are fewer messages under way."""
_FORGETTING: Final = 1.002
"""The least latency rises by this factor with each answer, so that a server that became slower is known again."""


class ConcurrencyLimit:
    """How many messages may be under way to one server."""

    def __init__(self, most: int) -> None:
        self.value = float(min(FIRST_LIMIT, most))
        self._maximum = most
        self._least_latencies: dict[tuple[bool, int], float] = {}
        """Least latency in seconds, of messages of one kind and size."""
        self.distance = math.inf
        """Least latency in seconds of any message: the way there and back."""
        self._starting = True
        """Whether it grows by one with each answer, until latency does not hold for the first time."""
        self._shrunk_at = -math.inf
        self._latency = 0.0

    def succeed(self, kind: tuple[bool, int], latency: float, *, busy: bool) -> None:
        """Take note of an answer; ``busy`` says that as many messages were under way as may be."""
        least = min(latency, self._least_latencies.get(kind, latency) * _FORGETTING)
        self._least_latencies[kind] = least
        self.distance = min(latency, self.distance * _FORGETTING)
        self._latency = latency
        if latency < _HOLDS * least + 0.005:  # the clock and the event loop are not more exact
            if busy:
                self.value += 1 if self._starting else 1 / self.value
        elif latency > _RISES * least:
            self._starting = False
            self.value -= 1 / self.value
        else:
            self._starting = False
        self.value = min(max(self.value, 1.0), float(self._maximum))

    def shrink(self, now: float) -> None:
        """Halve, but not again for the messages that were under way when it was halved before."""
        if now - self._shrunk_at > self._latency:
            self.value = max(1.0, self.value / 2)
            self._shrunk_at = now
        self._starting = False


class BatchSize:
    """How many requests of one kind make a batch."""

    SLOW: Final = 1.0
    """Seconds of work in which a batch should be answered: longer ones are lost whole, and the rest waits for them."""
    QUICK: Final = 0.25
    """Seconds of work up to which a larger one is tried."""
    REGROWTH: Final = 32
    """Batches after which a larger one is tried where one was refused; doubles each time that is refused, too."""
    MOST_REGROWTH: Final = 4_096

    def __init__(self, first: int, most: int) -> None:
        self.value = first
        self._maximum = self._ceiling = most
        self._successes = 0
        self._regrowth = self.REGROWTH
        self._proven_size = 0
        """Requests in the largest batch that was answered since one was refused."""
        self._refused = False
        self._probes = 0
        """Batches under way that are larger than any proven one."""

    def next_size(self) -> int:
        """Return how many requests the next batch may have: once one was refused, only one at a time is larger."""
        return (
            min(self.value, self._proven_size)
            if self._refused and self._probes and self._proven_size
            else self.value
        )

    def begin(self, size: int) -> bool:
        """Take note that a batch is sent; return whether it is larger than any proven one."""
        probing = size > self._proven_size
        self._probes += probing
        return probing

    def end(self, *, probing: bool) -> None:
        """Take note that nothing more comes of a batch; ``probing`` is what :meth:`begin` returned."""
        self._probes -= probing

    def succeed(self, size: int, work: float) -> None:
        """Take note of a batch that was answered; it took ``work`` seconds beyond the way there and back."""
        self._successes += 1
        self._proven_size = max(self._proven_size, size)
        if self._successes >= self._regrowth and self._ceiling < self._maximum:
            self._ceiling = min(self._maximum, 2 * self._ceiling)
            self._successes = 0
        if size > 1 and work > self.SLOW:
            self.value = max(2, min(self.value, size) * 3 // 4)
        elif size >= self.value and work < self.QUICK:
            self.value = min(self._ceiling, size + max(1, size // 4))

    def refuse(self, size: int) -> None:
        """Take note of a batch that was refused as a whole, perhaps for its size."""
        if size // 2 < self._ceiling:
            self._ceiling = max(1, size // 2)
            self._regrowth = min(self.MOST_REGROWTH, 2 * self._regrowth)
        self.value = min(self.value, self._ceiling)
        self._proven_size = min(self._proven_size, self._ceiling)
        self._refused = True
        self._successes = 0


class Patience:
    """How long to wait for an answer of one kind, in seconds."""

    FLOOR: Final = 5.0
    SAMPLES: Final = 8
    """Answers after which their latency counts."""

    def __init__(self, first: float) -> None:
        self._first = first
        self._mean = self._deviation = 0.0
        self._count = 0

    def note(self, latency: float) -> None:
        """Take note of how long an answer took."""
        if not self._count:
            self._mean, self._deviation = latency, latency / 2
        else:
            self._deviation += (abs(latency - self._mean) - self._deviation) / 4
            self._mean += (latency - self._mean) / 8
        self._count += 1

    def seconds(self, timeouts: int, most: float) -> float:
        """Return how long to wait after so many waits in vain."""
        learned = max(self.FLOOR, 2 * (self._mean + 4 * self._deviation))
        base = learned if self._count >= self.SAMPLES else max(self._first, learned)
        return min(most, base * 2.0 ** min(timeouts, 32))


class Pace:
    """Spaces requests out so that there are at most so many a second."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = 0.0

    def delay(self, now: float) -> float:
        """Return the seconds until another request may be sent."""
        return max(0.0, self._next - now)

    def spend(self, now: float, requests: int) -> None:
        """Take note that requests are sent."""
        if self._rate is not None:
            self._next = max(now, self._next) + requests / self._rate
