"""Work ahead of whoever takes the results: several pieces at a time, given in order, never more than a few ahead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, Full, Queue
from typing import Final, Generic, Self, TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")

_LOOK: Final = 0.1
"""Seconds after which a thread that waits looks whether its work is still wanted."""
_TELL: Final = 0.5
"""Seconds between two reports of progress while a result is waited for."""


def in_parallel(first: Callable[[], _T], second: Callable[[], _U]) -> tuple[_T, _U]:
    """Return what two functions return that wait for a node, the second of them in a thread of its own."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside") as pool:
        beside = pool.submit(second)
        return first(), beside.result()


class Lookahead:
    """Threads that wait for a node; use it as a context manager. What raises there raises where the result is taken."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ahead")
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._begun = 0
        """Pieces whose result nobody has taken yet."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Begin nothing more; what waits for a node ends when the node is closed."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def begin(self, work: Callable[[], _T]) -> Future[_T]:
        """Let a thread do a piece of work; its result is taken with :meth:`take`."""
        with self._changed:
            self._begun += 1
        return self._pool.submit(work)

    def take(self, piece: Future[_T], waiting: Callable[[], None]) -> _T:
        """Wait for a result and return it; ``waiting`` is called now and then until it is there."""
        while True:
            try:
                result = piece.result(_TELL)
                break
            except TimeoutError:
                if piece.done():
                    raise
                waiting()
        with self._changed:
            self._begun -= 1
            self._changed.notify_all()
        return result

    def wait_for_room(self, ahead: int) -> None:
        """Wait until fewer than ``ahead`` pieces are begun that nobody has taken, or nothing is wanted any more."""
        with self._changed:
            while self._begun >= ahead and not self._stopped.is_set():
                self._changed.wait(_LOOK)

    def feed(self, items: Iterable[_T], ahead: int) -> Iterator[_T]:
        """Yield the items, which a thread takes from their iterator, at most ``ahead`` before they are wanted."""
        feeder = _Feeder(items, ahead, self._stopped)
        threading.Thread(target=feeder.run, name="feeder", daemon=True).start()
        return feeder.take_items()


class _Feeder(Generic[_T]):
    def __init__(self, items: Iterable[_T], ahead: int, stopped: threading.Event) -> None:
        self._items = items
        self._queue: Queue[tuple[_T] | BaseException | None] = Queue(max(1, ahead))
        self._stopped = stopped

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
        while not self._stopped.is_set():
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
                if self._stopped.is_set():
                    return
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]
