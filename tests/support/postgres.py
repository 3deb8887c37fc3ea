"""Starts PostgreSQL for tests: a server of their own, in a temporary folder, on a free port of this machine.

PostgreSQL refuses to run as root; then its own user runs it, or nobody.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

import sqlalchemy as sa

from tests.support.anvil import MissingPart
from tests.support.collecting import database as opened

SUPERUSER: Final = "keeper"
PASSWORD: Final = "pwgeheim42"
"""Of every role. Connections from this machine need it too, so that a test can give a wrong one."""
_START_SECONDS: Final = 120.0
_FOLDERS: Final = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_numbers = count(1)


def programs() -> Path:
    """Return the folder with PostgreSQL's programs for servers.

    Raises:
        MissingPart: they are not installed, or the driver is not.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise MissingPart("missing part: psycopg, which the extra 'postgres' brings; run `make setup`")
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    for pattern in _FOLDERS:
        folders += sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise MissingPart("missing part: PostgreSQL's initdb and postgres; install the package postgresql")


def _dropped_user() -> pwd.struct_passwd | None:
    """Return who runs the server in place of root; ``None`` if that is not needed."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise MissingPart("missing part: a user other than root who could run PostgreSQL")


class PostgresServer:
    """A running server; use it as a context manager."""

    def __init__(self) -> None:
        self._programs = programs()
        self._user = _dropped_user()
        self._folder = Path(tempfile.mkdtemp(prefix="specminer-postgres-"))
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._create()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # ends at once, and in order
            self._process.wait(timeout=_START_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _as_user(self) -> dict[str, Any]:
        user = self._user
        return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _create(self) -> None:
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
            secret.chmod(0o644)
        options = ("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        subprocess.run(
            [
                self._programs / "initdb",
                "-D",
                self._folder / "data",
                "-U",
                SUPERUSER,
                f"--pwfile={secret}",
                *options,
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            timeout=_START_SECONDS,
            **self._as_user(),
        )

    def _start(self) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._folder,
            "fsync": "off",
            "max_connections": 40,
            "shared_buffers": "32MB",
        }
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    self._programs / "postgres",
                    *("-D", self._folder / "data"),
                    *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._as_user(),
            )
        self._await_answer()

    def _await_answer(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.execute("postgres", "SELECT 1")
                return
            except sa.exc.OperationalError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self._folder / "log").read_text(errors="replace")) from None
                time.sleep(0.1)

    def url(self, database: str, user: str = SUPERUSER, password: str = PASSWORD) -> str:
        """Return the URL of a database, as a user would write it."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, database: str, *statements: str) -> None:
        """Run statements one after another, each by itself."""
        with opened(self.url(database)) as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                connection.exec_driver_sql(statement)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Give an empty database, which is removed afterwards."""
        name = f"history_{next(_numbers)}"
        self.execute("postgres", f"CREATE DATABASE {name}")
        try:
            yield Database(server=self, name=name)
        finally:
            self.execute("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database on a server of the tests."""

    server: PostgresServer
    name: str

    @property
    def url(self) -> str:
        """Its URL, password and all."""
        return self.server.url(self.name)

    def execute(self, *statements: str) -> None:
        """Run statements one after another, each by itself."""
        self.server.execute(self.name, *statements)

    def reader(self) -> str:
        """Return the URL of a role that may do nothing but read what is there now."""
        role = f"reader_{self.name}"
        self.execute(
            f"DROP ROLE IF EXISTS {role}",
            f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'",
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        )
        return self.server.url(self.name, user=role)
