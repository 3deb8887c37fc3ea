"""How processes that write to one database take turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Note = Callable[[str], None]
"""Hears a sentence for people."""
FULL_DISK: Final = "; make room on the disk and run the same again: what was stored before is kept"
"""What to do when there is no room, as the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """How long to wait for other writers, and who is told of it."""

    label: str
    """The database's address without its password."""
    seconds: float
    note: Note

    def announce(self) -> None:
        """Say that another process is waited for."""
        self.note(
            f"another process writes to the database {self.label}: waiting for it, for up to {self.seconds:g} s"
        )

    @property
    def advice(self) -> str:
        """What to do when the wait was in vain, as the end of a sentence."""
        return (
            f"; another process writes to it, and was waited for {self.seconds:g} s: try again when that is done, or "
            "add ?timeout=SECONDS to the URL"
        )
