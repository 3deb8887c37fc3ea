"""Where on the front from readable to precise the answer is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What is searched for, and how far states are joined afterwards."""

    name: str
    summary: str
    keep: float | None
    """States are joined while this share of what the objective gained is kept; ``None`` for not at all."""
    enabling: bool = False
    """States are told apart where conditions of the code decide what can be called, too; see
    :mod:`specminer.learning.enabling_states`."""
    held_out: bool = False
    """Search for what tells one part of the history from the others, instead of what is short to tell."""


PRESETS: Final = {
    preset.name: preset
    for preset in (
        Preset(
            name="readable",
            summary="states are joined while 95 % of what telling them apart gained is kept",
            keep=0.95,
        ),
        Preset(
            name="balanced",
            summary="the shortest description of the history, and what the code itself tells apart",
            keep=1.0,
            enabling=True,
        ),
        Preset(
            name="precise",
            summary="what predicts unseen parts of the history best, however many states it takes",
            keep=None,
            held_out=True,
        ),
    )
}
"""By name."""
DEFAULT_PRESET: Final = "balanced"
