"""The colours of a picture, in light and in dark.

Blue and vermilion of Okabe and Ito's palette, which stay apart for every common colour blindness, and greys. No
meaning hangs on a colour alone: rejected calls carry ``✗``, side effects are dashed, the usual path is darker (in
the dark theme lighter), bold and in thick frames, so that a black-and-white print says the same.

Source: M. Okabe, K. Ito, *Color Universal Design* (2008).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
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
    count="#606060",
    rejected="#aa3700",
    passive="#606060",
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


def in_the_dark(colour: str) -> str | None:
    """Return what a colour of the light theme is in the dark one; ``None`` if the light theme has no such colour."""
    for field in fields(Theme):
        if getattr(LIGHT, field.name) == colour:
            dark_colour: str = getattr(DARK, field.name)
            return dark_colour
    for low, high, name in (("rare", "frequent", Theme.line), ("lightest", "darkest", Theme.fill)):
        start, end = (_channels(getattr(LIGHT, side)) for side in (low, high))
        widest = max(range(3), key=lambda at: abs(end[at] - start[at]))
        share = (_channels(colour)[widest] - start[widest]) / (end[widest] - start[widest])
        near = _channels(name(LIGHT, min(max(share, 0.0), 1.0)))
        if max(abs(one - other) for one, other in zip(near, _channels(colour), strict=True)) <= 1:
            return name(DARK, min(max(share, 0.0), 1.0))
    return None


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _between(low: str, high: str, share: float) -> str:
    parts = (
        round(start + (end - start) * share)
        for start, end in zip(_channels(low), _channels(high), strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)
