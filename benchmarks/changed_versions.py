"""Changes of a contract in one place, and how to tell that a difference is the one that was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from specminer.comparison.difference import Change, Difference, Subject

__all__ = ["Version", "effect_told", "guard_told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A change of a contract in one place."""

    name: str
    old: str
    new: str
    told: Callable[[Difference], bool]
    """Whether a difference is the one that was made."""


def guard_told(scope: str, *changes: Change, said: str = "") -> Callable[[Difference], bool]:
    """Return what tells whether a difference is one of a function's guard, changed so, that says something."""

    def told(item: Difference) -> bool:
        return (
            item.subject is Subject.GUARD
            and item.scope == scope
            and item.change in changes
            and said in f"{item.before} {item.after}"
        )

    return told


def effect_told(scope: str, said: str) -> Callable[[Difference], bool]:
    """Return what tells whether a difference is one of a function's effects that says something."""

    def told(item: Difference) -> bool:
        return (
            item.subject is Subject.EFFECT and item.scope == scope and said in f"{item.before} {item.after}"
        )

    return told
