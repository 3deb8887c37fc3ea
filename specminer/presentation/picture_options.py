"""What can be chosen about a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, Self

from specminer.presentation.theme import THEMES, Theme

Direction = Literal["LR", "TB"]
Labels = Literal["short", "full"]
ThemeName = Literal["light", "dark"]

ALL: Final = 200
"""Rows of one kind that even a full picture shows at most: nobody reads more, and foreign input may hold any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureOptions:
    """How much a picture shows; the defaults suit a page."""

    title: str | None = None
    """What stands above; ``None`` for the specification's name."""
    theme: ThemeName = "light"
    direction: Direction | None = None
    """``LR`` or ``TB``; ``None`` for from left to right up to ``left_to_right`` states."""
    labels: Labels = "short"
    """``full`` names every event, predicate and guard, and every role."""
    min_share: float | None = None
    """Lines that carry a smaller share of the events are hidden; ``None`` for as many as ``coverage`` allows."""
    fold: bool = True
    """Whether states of a large automaton that are rare or alike are drawn as one, and its rarest lines left out."""
    most_states: int = 8
    """States that are drawn at most where the picture is folded, the initial one included."""
    most_lines: int = 30
    """Lines that are drawn at most where the picture is folded and ``min_share`` is not given."""
    coverage: float = 0.985
    """The share of events that is never hidden where ``min_share`` is not given."""
    outflow: float = 0.05
    """A line that carries this share of its source's outflow is never hidden."""
    left_to_right: int = 4
    """Up to this many states, the initial one included, the picture runs from left to right."""
    events: int = 5
    """Events named on one line; the rest is ``+k rarer``."""
    rejections: int = 5
    """Rejected calls named in one state."""
    predicates: int = 4
    """Predicates listed below a state's name."""
    guards: int = 4
    """Guards listed below the title."""
    name_width: int = 26
    """Characters in a line of a state."""
    event_width: int = 30
    """Characters in a line of an event's name."""
    legend: bool = True

    def compact(self) -> Self:
        """Return options for a slide: fewer states and lines, no guards, no legend, the most frequent events only."""
        return replace(
            self,
            labels="short",
            fold=True,
            most_states=6,
            most_lines=12,
            events=2,
            rejections=2,
            predicates=2,
            guards=0,
            legend=False,
        )

    @property
    def full(self) -> bool:
        """Whether everything is named."""
        return self.labels == "full"

    @property
    def colours(self) -> Theme:
        """The theme's colours."""
        return THEMES[self.theme]

    def limit(self, short: int) -> int:
        """Return how many rows of a kind are shown, of which a short picture shows ``short``."""
        return ALL if self.full else short
