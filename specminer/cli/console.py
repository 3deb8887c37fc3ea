"""What a person sees while a command works: notes and a progress bar, on standard error.

Results go to standard output; a pipe gets neither bar nor colour.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from specminer.chain.collector import Estimate
from specminer.chain.collector import Progress as Told
from specminer.errors import plain


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class Screen:
    """Hears what the pipeline tells; use it as a context manager."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        # FORCE_COLOR and the like must not put a bar into a pipe
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._console = Console(
            stderr=True, highlight=False, soft_wrap=True, emoji=False, force_terminal=terminal
        )
        self._bar: Progress | None = None
        self._said: set[str] = set()
        if self._console.is_terminal and not quiet:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("blocks, {task.fields[found]} transactions"),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=self._console,
                transient=True,
            )
        self._task: int | None = None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def note(self, text: str) -> None:
        """Show a sentence once, unless asked to be quiet."""
        if not self._quiet and text not in self._said:
            self._said.add(text)
            self._console.print(f"note: {plain(text, 1_000)}", markup=False)

    def progress(self, told: Told | Estimate) -> None:
        """Show an estimate before long work, and a bar during it."""
        if isinstance(told, Estimate):
            if not self._quiet:
                self._console.print(
                    f"reading {_counted(told.blocks, 'block')} by {told.way.value}: about "
                    f"{_counted(told.requests, 'request')}, and about four for each transaction found",
                    markup=False,
                )
            if self._bar is not None:
                self._task = self._bar.add_task("collecting", total=told.blocks, found=0, rate="")
        elif self._bar is not None and self._task is not None:
            task = self._bar.tasks[self._bar.task_ids.index(self._task)]  # type: ignore[arg-type]
            seconds = task.elapsed or 0
            rate = f"{told.transactions / seconds:.0f}/s" if seconds > 1 else ""
            self._bar.update(
                self._task,  # type: ignore[arg-type]
                completed=told.block - told.first,
                found=told.transactions,
                rate=rate,
            )
