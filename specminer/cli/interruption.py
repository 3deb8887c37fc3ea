"""What Ctrl-C does at any moment of a command: it ends with exit code 130 and one line, never with a stack trace.

Python raises ``KeyboardInterrupt`` wherever it is. Code that is just being imported is not written for that: compiled
modules turn it into an ``ImportError`` or print it, and others swallow it. While modules are loaded
nothing has been written that would have to be closed, so the process ends at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

INTERRUPTED: Final = 130
"""The exit code, as shells have it for SIGINT."""


@contextmanager
def ending_at_once() -> Iterator[None]:
    """End the process at once when it is interrupted meanwhile; only where Python's own handler is at work."""
    usual = signal.default_int_handler
    ours = threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is usual
    if ours:
        signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, usual)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(INTERRUPTED)
