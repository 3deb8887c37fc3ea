"""What long work tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from specminer.sources.reading_progress import Estimate, PageRead, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionProgress:
    """Told while an export is executed again: how many of its records are done."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionFollowed:
    """Told while calls are followed through the code: how many functions are done."""

    done: int
    total: int


ProgressEvent: TypeAlias = Progress | Estimate | ExecutionProgress | PageRead | FunctionFollowed
"""A step of long work: blocks collected, an estimate before that, records executed again, a page read, a function
followed."""


class Observer(Protocol):
    """Hears what a user should see while long work is done; any object with these two methods is one."""

    def note(self, text: str) -> None:
        """Hear something worth knowing, one sentence."""

    def progress(self, event: ProgressEvent) -> None:
        """Hear how far the work is."""


class SilentObserver:
    """An observer that shows nothing."""

    def note(self, text: str) -> None:
        """Ignore a sentence."""

    def progress(self, event: ProgressEvent) -> None:
        """Ignore a step."""


SILENT: Final = SilentObserver()
"""For whoever does not watch."""
