"""What a person sees while a command works: notes and a progress bar, on standard error.

Results go to standard output; a pipe gets neither bar nor colour.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from specminer._support.errors import plain
from specminer._support.text import count_of
from specminer.pipeline.progress import ExecutionProgress, FunctionFollowed, ProgressEvent
from specminer.sources.reading_progress import Estimate, ListingKind, PageRead

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Screen:
    """Hears what the pipeline tells; use it as a context manager."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        # FORCE_COLOR and the like must not put a bar into a pipe
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._bar: Progress | None = _progress_bar() if terminal and not quiet else None
        self._shown_texts: set[str] = set()
        self._task: TaskID | None = None
        self._before = 0
        """Transactions that earlier runs had executed."""

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
        if not self._quiet and text not in self._shown_texts:
            self._shown_texts.add(text)
            self._say(f"note: {plain(text, 1_000)}")

    def progress(self, event: ProgressEvent) -> None:
        """Show an estimate before long work, and a bar during it."""
        if isinstance(event, ExecutionProgress):
            if self._task is None:
                self._begin("executing", event.total)
                self._before = event.done - 1
            self._advance(event.done, event.done - self._before, "transactions")
        elif isinstance(event, FunctionFollowed):
            if self._task is None or event.done == 1:
                self._begin("following decisions", event.total)
                self._before = 0
            self._advance(event.done, event.done, "functions")
        elif isinstance(event, PageRead):
            if self._bar is not None:
                noun = "transaction" if event.listing is ListingKind.TRANSACTIONS else "internal call"
                self._say(f"read {count_of(event.records, noun)} up to block {event.block:,}")
        elif isinstance(event, Estimate):
            if not self._quiet:
                self._say(
                    f"reading {count_of(event.blocks, 'block')} by {event.way.value}: about "
                    f"{count_of(event.requests, 'request')}, and about four for each transaction found"
                )
            self._begin("collecting", event.blocks)
        else:
            unit = f"blocks, {count_of(event.transactions, 'transaction')}"
            unit += f", {count_of(event.retries, 'request')} sent again" if event.retries else ""
            self._advance(event.block - event.first, event.transactions, unit)

    def _say(self, text: str) -> None:
        """Show a line, above the bar if there is one."""
        if self._bar is not None:
            self._bar.console.print(text, markup=False)
        elif sys.stderr is not None:
            print(text, file=sys.stderr)

    def _begin(self, what: str, total: int) -> None:
        if self._bar is not None:
            self._task = self._bar.add_task(what, total=total, unit="", rate="")

    def _advance(self, completed: int, transactions: int, unit: str) -> None:
        if self._bar is None or self._task is None:
            return
        seconds = self._bar.tasks[self._bar.task_ids.index(self._task)].elapsed or 0
        rate = f"{transactions / seconds:.0f}/s" if seconds > 1 else ""
        self._bar.update(self._task, completed=completed, unit=unit, rate=rate)


def _progress_bar() -> Progress:
    """Return a progress bar on standard error; what draws it is loaded only for those who see it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True, highlight=False, soft_wrap=True, emoji=False, force_terminal=True),
        transient=True,
    )
