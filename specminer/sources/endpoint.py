"""Names a node for people without giving its secrets away.

Providers put keys into the user part, the path, the query and even the first labels of the host name of
a URL; headers carry tokens. None of these may reach a message, a log or the database.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, unquote_plus, urlsplit

from specminer._support.errors import UsageError, plain

_MIN_SECRET = 4
"""Shorter pieces (``v3``, ``rpc``) are no keys; hiding them would garble messages."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a node is reached, its secrets kept out of sight."""

    url: str = field(repr=False)
    """The URL as given, or the path of an IPC socket."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What else must not be shown, such as a key that travels in the query."""

    def __post_init__(self) -> None:
        if not self.url:
            raise UsageError("the node's address is empty; expected a URL (http, https, ws, wss) or a socket")
        if self.scheme not in ("http", "https", "ws", "wss", "ipc"):
            raise UsageError(
                "a node's address starts with http://, https://, ws:// or wss://, or is the path of an IPC "
                "socket; this one starts otherwise"
            )
        try:
            host, _ = urlsplit(self.url).hostname, urlsplit(self.url).port
        except ValueError:
            raise UsageError("the node's address is not a URL: its host or port cannot be read") from None
        if self.scheme == "ipc" and not self._is_file and not _could_be_socket(self.url):
            raise UsageError(
                "the node's address is neither a URL nor the path of an IPC socket; a URL begins with http://, "
                "https://, ws:// or wss://, and a socket lies in a folder that exists"
            )
        if self.scheme != "ipc" and not host:
            raise UsageError("the node's address has no host; expected for example http://127.0.0.1:8545")

    @property
    def scheme(self) -> str:
        """``http``, ``https``, ``ws``, ``wss``, or ``ipc`` for a path."""
        head, separator, _ = self.url.partition("://")
        return head.lower() if separator else "ipc"

    @property
    def label(self) -> str:
        """What may be shown: scheme, host and port, the host cut to its last two labels.

        A path is shown only where something stands there: else it may be a URL whose scheme was forgotten.
        """
        if self.scheme == "ipc":
            return f"IPC socket {plain(self.url, 120)}" if self._is_file else "the IPC socket"
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        try:
            ipaddress.ip_address(host)
            short_host = f"[{host}]" if ":" in host else host
        except ValueError:
            labels = host.split(".")
            short_host = host if len(labels) <= 2 else "….".join(("", ".".join(labels[-2:])))
        return plain(f"{self.scheme}://{short_host}" + (f":{parts.port}" if parts.port else ""), 120)

    @property
    def _is_file(self) -> bool:
        try:
            return Path(self.url).expanduser().exists()
        except (OSError, ValueError, RuntimeError):
            return False

    def _pieces(self) -> Iterator[str]:
        """Yield every part of the address that may be a secret, as given."""
        yield from self.secrets
        for _, value in self.headers:
            yield value
            yield from value.split()
        if self.scheme == "ipc":
            if not self._is_file:
                yield self.url
                yield from re.split(r"[/?&=]", self.url)
            return
        parts = urlsplit(self.url)
        yield self.url
        authority = parts.netloc.rpartition("@")[0]
        yield from (
            authority,
            parts.username or "",
            parts.password or "",
            parts.path,
            parts.query,
            parts.fragment,
        )
        yield from re.split(r"[/;]", parts.path)
        for text in (parts.query, parts.fragment):
            yield from re.split(r"[&=;]", text)
            yield from (pair.partition("=")[2] for pair in re.split(r"[&;]", text))
        labels = (parts.hostname or "").split(".")[:-2]
        yield from (".".join(labels), *labels)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if authority:
            yield base64.b64encode(f"{user}:{password}".encode()).decode()

    @property
    def _secrets(self) -> list[str]:
        pieces = list(self._pieces())
        pieces += [form(secret) for secret in pieces for form in (unquote, unquote_plus)]
        long = {secret for secret in pieces if len(secret) >= _MIN_SECRET}
        long |= set(self.secrets)
        if self.scheme != "ipc":  # a password is a secret at any length
            password = urlsplit(self.url).password or ""
            long |= {password, unquote(password)} - {""}
        return sorted(long, key=lambda secret: (-len(secret), secret))

    def redact(self, text: object) -> str:
        """Return foreign text fit to show: without this endpoint's secrets, on one line."""
        redacted = str(text)[:100_000]
        secrets = self._secrets
        if secrets:  # in one pass, so that no replacement hides a part of another secret
            redacted = re.sub("|".join(map(re.escape, secrets)), "***", redacted, flags=re.IGNORECASE)
        return plain(redacted)


def _could_be_socket(path: str) -> bool:
    try:
        return Path(path).expanduser().parent.is_dir()
    except (OSError, ValueError, RuntimeError):
        return False
