"""A database that workers open by themselves: a server's from anywhere, a file from its own machine only."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from pathlib import Path

from specminer._support.errors import StoreError, UsageError, plain
from specminer.store.database import path_of


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIdentity:
    """Which file of which machine a database is: the same path may be another file elsewhere."""

    path: Path
    machine: str
    device: int
    number: int
    """Its inode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedDatabase:
    """A database as workers are told of it."""

    location: str = field(repr=False)
    """Its URL, which may hold a password, or the whole path of its file."""
    file: FileIdentity | None

    def check(self) -> None:
        """Check, on a worker, that the database can be opened there.

        Raises:
            StoreError: it is a file of another machine.

        """
        if self.file is not None and _identity(self.file.path) != self.file:
            raise StoreError(
                f"a Dask worker on {plain(platform.node(), 80)} does not see the file {plain(self.file.path)} of "
                f"{plain(self.file.machine, 80)}: SQLite files are read by workers on the same machine only; for "
                "workers on others, give --db a PostgreSQL database"
            )


def share(location: str) -> SharedDatabase:
    """Return a database for workers, who may run in another folder.

    Raises:
        UsageError: it lives in the memory of this process.
        StoreError: the location cannot be read, or is that of no file.

    """
    path = path_of(location)
    if path is None:
        if location.startswith("sqlite"):
            raise UsageError(
                "--executor dask: a database in memory cannot be shared; give --db a file or a server"
            )
        return SharedDatabase(location=location, file=None)
    identity = _identity(path)
    if identity is None:
        raise StoreError(f"there is no database {plain(path)}; give --db the path of one")
    _, separator, options = location.partition("?")
    shared = f"sqlite:///{path}?{options}" if separator and "://" in location else str(path)
    return SharedDatabase(location=shared, file=identity)


def _identity(path: Path) -> FileIdentity | None:
    """Return which file stands at a path here; ``None`` if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return FileIdentity(path=path, machine=platform.node(), device=status.st_dev, number=status.st_ino)
