"""The colours of a picture, in light and in dark.

Blue and vermilion of Okabe and Ito's palette, which stay apart for every common colour blindness, and greys. No
meaning hangs on a colour alone: rejected calls carry ``✗``, side effects are dashed, the usual path is darker (in
the dark theme lighter), bold and in thick frames, so that a black-and-white print says the same.

Source: M. Okabe, K. Ito, *Color Universal Design* (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Tone(Enum):
    """What a text is, which decides its colour."""

    INK = "ink"
    SOFT = "soft"
    COUNT = "count"
    REJECTED = "rejected"
    PASSIVE = "passive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The colours of one theme, as ``#rrggbb``; texts reach a contrast of 4.5 on every fill, lines of 3."""

    background: str
    ink: str
    soft: str
    count: str
    rejected: str
    passive: str
    usual: str
    """Lines and frames of the usual path."""
    rare: str
    """The rarest line; others lie between it and ``frequent``."""
    frequent: str
    lightest: str
    """The fill of the least visited state; others lie between it and ``darkest``."""
    darkest: str

    def text(self, tone: Tone) -> str:
        """Return the colour of a text."""
        colour: str = getattr(self, tone.value)
        return colour

    def line(self, share: float) -> str:
        """Return the colour of a line with this share (0 to 1) of the most frequent one."""
        return _between(self.rare, self.frequent, share)

    def fill(self, share: float) -> str:
        """Return the fill of a state with this share (0 to 1) of the most visited one."""
        return _between(self.lightest, self.darkest, share)


LIGHT: Final = Theme(
    background="#ffffff",
    ink="#1a1a1a",
    soft="#4d4d4d",
    count="#666666",
    rejected="#b23a00",
    passive="#666666",
    usual="#003a66",
    rare="#7a98b5",
    frequent="#4076a5",
    lightest="#f7faff",
    darkest="#cfdff5",
)
DARK: Final = Theme(
    background="#14181f",
    ink="#f2f4f7",
    soft="#c3c9d2",
    count="#a9b1bd",
    rejected="#ff9d66",
    passive="#a9b1bd",
    usual="#a8d8ff",
    rare="#5a7691",
    frequent="#6f9cc4",
    lightest="#1c232d",
    darkest="#2c425c",
)
THEMES: Final = {"light": LIGHT, "dark": DARK}


def _between(low: str, high: str, share: float) -> str:
    parts = (
        round(int(low[at : at + 2], 16) + (int(high[at : at + 2], 16) - int(low[at : at + 2], 16)) * share)
        for at in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)
