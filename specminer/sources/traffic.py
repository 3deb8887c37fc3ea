"""How much a node is asked at once, and how patiently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RETRIES: Final = 12
"""Of one request that failed, unless the user says otherwise."""
TIMEOUT: Final = 120.0
"""Seconds to wait for one answer at most; a trace of a large transaction takes a while."""
CONCURRENCY: Final = 128
"""Messages under way to one endpoint at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How requests are sent to each endpoint of a node."""

    retries: int = RETRIES
    timeout: float = TIMEOUT
    concurrency: int = CONCURRENCY
    rate: float | None = None
    """Requests a second at most, each member of a batch counted; ``None`` for no limit."""
    pause: float = 0.5
    """Seconds of the first pause after a failure; the next ones grow."""

    @property
    def longest_pause(self) -> float:
        """Seconds between two tries at most, unless the server asks for more."""
        return 60 * self.pause
