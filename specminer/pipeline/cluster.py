"""A Dask cluster: pieces of work are sent to its workers, and the results are taken in the order of the pieces.

Dask gives a piece to another worker when the one that had it dies. What a piece returns depends on the piece alone, so
it does not matter who does it, nor how often it is begun.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from specminer._support.errors import ClusterError, SpecminerError, UsageError, plain

if TYPE_CHECKING:
    from distributed import Future

_Piece = TypeVar("_Piece")
_Result = TypeVar("_Result")

CONNECT: Final = 30.0
"""Seconds to wait for the scheduler, and for its first worker."""
_QUEUE: Final = 2
"""Pieces for each thread of the workers that are begun before their results are wanted."""
_SCHEMES: Final = ("tcp", "tls", "ws", "wss")


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskOptions:
    """The Dask workers that do a part of the work."""

    scheduler: str
    """The address of their scheduler: ``tcp://HOST:8786`` or ``HOST:8786``."""

    def check(self) -> None:
        """Check the address.

        Raises:
            UsageError: it is none.

        """
        scheme, separator, rest = self.scheduler.rpartition("://")
        host, colon, port = rest.rpartition(":")
        has_scheme = scheme in _SCHEMES if separator else True
        if not has_scheme or not (host and colon and port.isdecimal()):
            raise UsageError(
                f"'{plain(self.scheduler, 80)}' is no address of a Dask scheduler: expected HOST:PORT, such as "
                "tcp://127.0.0.1:8786, as `dask scheduler` shows it"
            )

    @contextmanager
    def open(self) -> Iterator[Cluster]:
        """Connect to the scheduler.

        Raises:
            UsageError: the address is malformed, or Dask is not installed.
            ClusterError: no scheduler answers, or it has no workers.

        """
        self.check()
        try:
            import distributed
        except ModuleNotFoundError:
            raise UsageError(
                "--executor dask needs Dask, which is not installed: pip install 'specminer[dask]'"
            ) from None
        connect: Any = distributed.Client  # has no types, whether it is installed or not
        with _silence():
            try:
                client: Any = connect(self.scheduler, timeout=CONNECT, set_as_default=False)
            except (OSError, ValueError):
                raise ClusterError(
                    f"no Dask scheduler answers at {plain(self.scheduler, 80)}; start one with `dask scheduler`, and "
                    "workers with `dask worker ADDRESS`"
                ) from None
            with client:
                _wait_for_worker(client, self.scheduler)
                yield Cluster(client)


def _wait_for_worker(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT)
    except TimeoutError:
        raise ClusterError(
            f"the Dask scheduler at {plain(address, 80)} has no workers; start some: `dask worker "
            f"{plain(address, 80)} --nthreads 1`, one for each processor"
        ) from None


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's own log off the terminal: what matters of it is raised."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "tornado")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[_Piece, _Result]):
    """A piece of work on its way to a worker, which shows it in its log if it fails: nothing of it shows secrets."""

    function: Callable[[_Piece], _Result] = field(repr=False)
    piece: _Piece = field(repr=False)
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult(Generic[_Result]):
    """What came of a piece of work: its result, or the error that a user is to see."""

    result: _Result | None
    error: SpecminerError | None


def run_task(task: Task[_Piece, _Result]) -> TaskResult[_Result]:
    """Do a piece of work; called on a worker."""
    if task.version != _version():
        return TaskResult(
            result=None,
            error=ClusterError(
                f"a Dask worker has specminer {plain(_version(), 40)}, but {plain(task.version, 40)} is running here; "
                "install the same version on all machines"
            ),
        )
    try:
        return TaskResult(result=task.function(task.piece), error=None)
    except SpecminerError as error:
        return TaskResult(result=None, error=error)


class Cluster:
    """Connected workers; any thread may give them work."""

    def __init__(self, client: Any) -> None:
        self._client = client
        threads = client.nthreads()
        self.processes = len(threads)
        """Workers there were when it was opened."""
        self.threads = max(1, sum(threads.values()))
        """Pieces that they could do at the same time."""

    def run(self, function: Callable[[_Piece], _Result], piece: _Piece) -> _Result:
        """Let a worker do one piece of work, and wait for it.

        Raises:
            SpecminerError: what the piece raised.
            ClusterError: the workers or the scheduler failed.

        """
        result: _Result = self._take(self._submit(function, piece))
        return result

    def in_order(
        self, function: Callable[[_Piece], _Result], pieces: Iterable[_Piece]
    ) -> Iterator[_Result | ClusterError]:
        """Yield the result of each piece, in the order of the pieces; a few are begun before their turn.

        In place of the result of a piece whose workers died again and again stands the error.

        Raises:
            SpecminerError: what a piece raised.

        """
        begun: deque[Future[Any]] = deque()
        for piece in pieces:
            begun.append(self._submit(function, piece))
            if len(begun) > _QUEUE * self.threads:
                yield self._take_or_error(begun.popleft())
        while begun:
            yield self._take_or_error(begun.popleft())

    def _take_or_error(self, future: Future[Any]) -> Any:
        try:
            return self._take(future)
        except ClusterError as error:
            if error.values.get("piece"):
                return error
            raise

    def _submit(self, function: Callable[[_Piece], _Result], piece: _Piece) -> Future[Any]:
        task = Task(function=function, piece=piece, version=_version())
        future: Future[Any] = self._client.submit(run_task, task, pure=False)
        return future

    def _take(self, future: Future[Any]) -> Any:
        """Return what a worker returned; what it raised is raised here."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            done = future.result()
        except KilledWorker:
            raise ClusterError(
                "the Dask workers that did this died, one after another; see their logs: perhaps it takes more memory "
                "than --memory-limit gives them",
                piece=True,
            ) from None
        except (CancelledError, OSError):
            raise ClusterError(
                "the connection to the Dask scheduler was lost; what is in the database is kept, run it again"
            ) from None
        except Exception as error:
            raise ClusterError(
                f"a Dask worker failed ({type(error).__name__}); see its log, and install the same version of "
                "specminer and its extras there"
            ) from error
        if done.error is not None:
            raise done.error
        return done.result


def _version() -> str:
    import specminer

    return specminer.__version__
