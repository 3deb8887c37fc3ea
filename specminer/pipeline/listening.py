"""What long work tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from specminer.chain.collector import Estimate, Progress
from specminer.chain.paging import PageRead


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """Told while an export is executed again: how many of its records are done."""

    done: int
    total: int


class Listener(Protocol):
    """Hears what a user should see while a command works."""

    def note(self, text: str) -> None:
        """Hear something worth knowing, one sentence."""

    def progress(self, told: Progress | Estimate | Executed | PageRead) -> None:
        """Hear how far the work is."""
