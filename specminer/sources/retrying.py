"""What may pass is tried again with growing pauses; what will not pass is raised at once.

Source: exponential backoff with jitter; https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

import tenacity

from specminer._support.errors import ChainError

TRIES: Final = 8
FIRST_TRIES: Final = 2
"""Before the first answer a server is more likely down than busy: fail soon."""
MAX_PAUSE: Final = 30
"""Seconds between two tries at most, unless the server asks for more."""
PASSING_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 522, 524})
"""HTTP statuses of a server that is busy or about to be back; those from 520 are Cloudflare's."""

MAX_WAIT: Final = 3_600
"""Seconds that a server may ask to wait: a server could ask for eternity."""
_SHORT: Final = 0.1
"""Of the usual first pause: the first before something is asked for again whose answer was wrong or empty."""
_LONGEST_SHORT: Final = 4.0
"""Of the usual first pause: the longest of these."""

_T = TypeVar("_T")


def seconds_to_wait(text: str | None) -> float:
    """Read a ``Retry-After``: seconds, or a date of HTTP; 0 where there is none that can be read.

    Source: RFC 9110, section 10.2.3.
    """
    if text is None:
        return 0.0
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(min(MAX_WAIT, int(text[:9])))
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - time.time()), MAX_WAIT)
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0


def growing_pause(first: float, failures: int, most: float) -> float:
    """Return a pause after so many failures in a row: exponential, with jitter of half."""
    return min(most, first * 2.0 ** min(failures - 1, 32)) * (
        0.5 + random.random() / 2
    )  # no secret, no result


def short_pause(usual: float, failures: int) -> float:
    """Return a pause after so many wrong or empty answers in a row: short, as they are no question of load.

    ``usual`` are the seconds of the first pause after a failure.
    """
    return growing_pause(_SHORT * usual, failures, _LONGEST_SHORT * usual)


class PassingFailure(Exception):
    """A failure that may pass; it carries the error to raise when it does not."""

    def __init__(self, error: ChainError, *, wait: float = 0) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        """Seconds that the server asks to wait."""


class Retries:
    """Sends requests to one server until they are answered or a failure lasts."""

    def __init__(self, pause: float) -> None:
        """Take the seconds of the first pause."""
        self.has_answered = False
        """Whether the server has answered anything yet; whoever hears of an answer that is an error sets it."""
        self._pause = pause

    def run(self, send: Callable[[], _T]) -> _T:
        """Return what ``send`` returns, which raises a ``PassingFailure`` where another try may help.

        Raises:
            ChainError: that of the last failure, after all tries.

        """
        policy = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(PassingFailure),
            stop=lambda state: state.attempt_number >= (TRIES if self.has_answered else FIRST_TRIES),
            wait=self._wait,
            reraise=True,
        )
        try:
            answer = policy(send)
        except PassingFailure as failure:
            raise failure.error from None
        self.has_answered = True
        return answer

    def _wait(self, state: tenacity.RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        growing = tenacity.wait_exponential_jitter(multiplier=self._pause, max=MAX_PAUSE, jitter=self._pause)
        return max(growing(state), failure.wait if isinstance(failure, PassingFailure) else 0)
