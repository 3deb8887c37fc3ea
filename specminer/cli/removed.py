"""Options that a version removed: for that one version, whoever uses one is told what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedOption:
    """An option that a command does not have any more."""

    command: str
    """The command's name, such as ``mine``."""
    name: str
    """The option as it was written, such as ``--depth``."""
    version: str
    """The version of specminer that is the first without it, and the only one with the hint."""
    hint: str
    """What to write instead, as a sentence without its full stop."""


REMOVED: Final[tuple[RemovedOption, ...]] = (
    RemovedOption(
        command="mine",
        name="--doubtful",
        version="0.1.0",
        hint="every transaction is mined now; values that are not known are unknown",
    ),
)
"""All of them. A new version begins with none."""


def removal_hint(error: click.ClickException) -> str | None:
    """Return what to write instead of an option that was removed; ``None`` for all other errors."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    for option in REMOVED:
        if (option.command, option.name) == (error.ctx.command.name, error.option_name):
            return f"{option.name} was removed in version {option.version}: {option.hint}"
    return None
