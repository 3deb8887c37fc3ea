"""Where findings are delivered: standard output, a file, a webhook, and counters for Prometheus."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path
from typing import IO, Final, Protocol

import msgspec
import requests

from specminer._support.errors import OutputError, UsageError, plain
from specminer.monitoring.journal import Message

SIGNATURE: Final = "X-Specminer-Signature"
"""The header with the HMAC-SHA256 of a webhook's body, under the secret that both sides know: ``sha256=…``."""
IDEMPOTENCY: Final = "Idempotency-Key"
"""The header with a message's key and notice."""
TIMEOUT: Final = 20.0
"""Seconds that a webhook may take to answer."""


class NotDelivered(Exception):
    """A receiver did not take a message; the text says why, without secrets. It is delivered again later."""


class FindingReceiver(Protocol):
    """Takes messages."""

    def deliver(self, message: Message) -> None:
        """Take a message.

        Raises:
            NotDelivered: it was not taken.

        """


def line_of(message: Message) -> bytes:
    """Return a message as a line of JSON."""
    return msgspec.json.encode(message.document()) + b"\n"


class StreamReceiver:
    """Writes lines of JSON to a stream."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def deliver(self, message: Message) -> None:
        """Write a line."""
        self._stream.write(line_of(message))
        self._stream.flush()


class FileReceiver:
    """Appends lines of JSON to a file."""

    def __init__(self, path: Path) -> None:
        """Check that it can be written to.

        Raises:
            OutputError: it cannot.

        """
        self._path = path
        try:
            path.open("ab").close()
        except OSError as error:
            raise OutputError(f"{plain(path)} cannot be written to: {error.strerror}") from None

    def deliver(self, message: Message) -> None:
        """Append a line, and wait until it is on the disk."""
        try:
            with self._path.open("ab") as file:
                file.write(line_of(message))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise NotDelivered(f"{plain(self._path)} cannot be written to: {error.strerror}") from None


class WebhookReceiver:
    """Posts messages as JSON, signed if there is a secret; neither URL nor secret is shown."""

    def __init__(self, url: str, secret: str | None = None) -> None:
        """Take the address.

        Raises:
            UsageError: it is none.

        """
        if not url.startswith(("http://", "https://")):
            raise UsageError("--webhook wants a URL that begins with http:// or https://")
        self._url, self._secret = url, secret
        self._session = requests.Session()

    def deliver(self, message: Message) -> None:
        """Post a message; anything but an answer of 200 to 299 means that it was not taken."""
        body = line_of(message)
        headers = {
            "Content-Type": "application/json",
            IDEMPOTENCY: f"{message.key}-{message.notice.value}",
        }
        if self._secret is not None:
            digest = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
            headers[SIGNATURE] = f"sha256={digest}"
        try:
            answer = self._session.post(
                self._url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise NotDelivered(f"the webhook does not answer ({type(error).__name__})") from None
        if not 200 <= answer.status_code < 300:
            raise NotDelivered(f"the webhook answers with HTTP status {answer.status_code}")
