"""Work ahead of whoever takes the results: several pieces at a time, given in order, never more than a few ahead."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import Any, Final, Generic, Self, TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")

_LOOK: Final = 0.1
"""Seconds after which a thread that waits looks whether its work is still wanted."""
_TURN: Final = 0.001
"""Seconds after which a thread that computes lets another one in that can go on."""
_TELL: Final = 0.5
"""Seconds between two reports of progress while a result is waited for."""


@contextmanager
def switch_threads_often() -> Iterator[None]:
    """Let threads take turns so often that the one that asks the node never waits long for those that decode."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def in_parallel(first: Callable[[], _T], second: Callable[[], _U]) -> tuple[_T, _U]:
    """Return what two functions return that wait for a node, the second of them in a thread of its own."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside") as pool:
        beside = pool.submit(second)
        return first(), beside.result()


class Lookahead:
    """Threads that wait for a node; use it as a context manager. What raises there raises where the result is taken."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ahead")
        self._stop_event = threading.Event()
        self._changed = threading.Condition()
        self._pending_pieces: set[Future[Any]] = set()
        """Pieces whose result nobody has taken yet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Begin nothing more; what waits for a node ends when the node is closed."""
        self._stop_event.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def begin(self, work: Callable[[], _T]) -> Future[_T]:
        """Let a thread do a piece of work; its result is taken with :meth:`take`."""
        piece = self._pool.submit(work)
        with self._changed:
            self._pending_pieces.add(piece)
        return piece

    def begin_after(self, pieces: Sequence[Future[Any]], work: Callable[[], _T]) -> Future[_T]:
        """Let a thread do a piece of work as soon as others are done, whether they failed or not."""
        following: Future[_T] = Future()
        with self._changed:
            self._pending_pieces.add(following)
        missing = len(pieces)
        counting = threading.Lock()

        def count(_piece: Future[Any]) -> None:
            nonlocal missing
            with counting:
                missing -= 1
                due = missing == 0
            if due:
                self._start(work, following)

        for piece in pieces:
            piece.add_done_callback(count)
        if not pieces:
            self._start(work, following)
        return following

    def _start(self, work: Callable[[], _T], following: Future[_T]) -> None:
        def run() -> None:
            if not following.set_running_or_notify_cancel():
                return
            try:
                following.set_result(work())
            except BaseException as error:  # whoever takes the result shall see it
                following.set_exception(error)

        try:
            self._pool.submit(run)
        except RuntimeError:  # closed: nobody takes it any more
            following.cancel()

    def take(self, piece: Future[_T], waiting: Callable[[], None]) -> _T:
        """Wait for a result and return it; ``waiting`` is called now and then until it is there."""
        try:
            while True:
                try:
                    return piece.result(_TELL)
                except TimeoutError:
                    if piece.done():
                        raise
                    waiting()
        finally:
            self.abandon([piece])

    def abandon(self, pieces: Iterable[Future[Any]]) -> None:
        """Take note that nobody will take these results."""
        with self._changed:
            self._pending_pieces.difference_update(pieces)
            self._changed.notify_all()

    def wait_for_room(self, ahead: int) -> None:
        """Wait until fewer than ``ahead`` pieces are begun that nobody has taken, or nothing is wanted any more."""
        with self._changed:
            while len(self._pending_pieces) >= ahead and not self._stop_event.is_set():
                self._changed.wait(_LOOK)

    def feed(self, items: Iterable[_T], ahead: int) -> Iterator[_T]:
        """Yield the items, which a thread takes from their iterator, at most ``ahead`` before they are wanted."""
        feeder = _Feeder(items, ahead, self._stop_event)
        threading.Thread(target=feeder.run, name="feeder", daemon=True).start()
        return feeder.take_items()


class _Feeder(Generic[_T]):
    def __init__(self, items: Iterable[_T], ahead: int, stopped: threading.Event) -> None:
        self._items = items
        self._queue: Queue[tuple[_T] | BaseException | None] = Queue(max(1, ahead))
        self._stop_event = stopped

    def run(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
        except BaseException as error:  # whoever takes the items shall see it
            self._put(error)
        else:
            self._put(None)

    def _put(self, item: tuple[_T] | BaseException | None) -> bool:
        while not self._stop_event.is_set():
            try:
                self._queue.put(item, timeout=_LOOK)
            except Full:
                continue
            return True
        return False

    def take_items(self) -> Iterator[_T]:
        while True:
            try:
                item = self._queue.get(timeout=_LOOK)
            except Empty:
                if self._stop_event.is_set():
                    return
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]
