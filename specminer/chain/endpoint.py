"""Names a node for people without giving its secrets away.

Providers put keys into the user part, the path, the query and even the first labels of the host name of
a URL; headers carry tokens. None of these may reach a message, a log or the database.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from specminer.errors import UsageError, plain

_MIN_SECRET = 4
"""Shorter pieces (``v3``, ``rpc``) are no keys; hiding them would garble messages."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a node is reached, its secrets kept out of sight."""

    url: str = field(repr=False)
    """The URL as given, or the path of an IPC socket."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.url:
            raise UsageError("the node's address is empty; expected a URL (http, https, ws, wss) or a socket")
        if self.scheme not in ("http", "https", "ws", "wss", "ipc"):
            raise UsageError(
                f"a node's address starts with http://, https://, ws:// or wss://, or is the path of an IPC "
                f"socket; this one starts with '{plain(self.scheme, 20)}://'"
            )
        try:
            host, _ = urlsplit(self.url).hostname, urlsplit(self.url).port
        except ValueError:
            raise UsageError("the node's address is not a URL: its host or port cannot be read") from None
        if self.scheme != "ipc" and not host:
            raise UsageError("the node's address has no host; expected for example http://127.0.0.1:8545")

    @property
    def scheme(self) -> str:
        """``http``, ``https``, ``ws``, ``wss``, or ``ipc`` for a path."""
        head, separator, _ = self.url.partition("://")
        return head.lower() if separator else "ipc"

    @property
    def label(self) -> str:
        """What may be shown: scheme, host and port, the host cut to its last two labels."""
        if self.scheme == "ipc":
            return f"IPC socket {plain(self.url, 120)}"
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        try:
            ipaddress.ip_address(host)
            shown = f"[{host}]" if ":" in host else host
        except ValueError:
            labels = host.split(".")
            shown = host if len(labels) <= 2 else "….".join(("", ".".join(labels[-2:])))
        return plain(f"{self.scheme}://{shown}" + (f":{parts.port}" if parts.port else ""), 120)

    @property
    def _secrets(self) -> list[str]:
        found = [value for _, value in self.headers]
        found += [word for _, value in self.headers for word in value.split()]
        if self.scheme != "ipc":
            parts = urlsplit(self.url)
            found += [parts.username or "", parts.password or "", parts.path, parts.query]
            found += parts.path.split("/")
            found += [value for _, value in parse_qsl(parts.query)]
            found += (parts.hostname or "").split(".")[:-2]
            found.append(self.url)
        found += [unquote(secret) for secret in found]
        return sorted({secret for secret in found if len(secret) >= _MIN_SECRET}, key=len, reverse=True)

    def redact(self, text: object) -> str:
        """Return foreign text fit to show: without this endpoint's secrets, on one line."""
        shown = str(text)[:100_000]
        for secret in self._secrets:
            shown = shown.replace(secret, "***")
        return plain(shown)
