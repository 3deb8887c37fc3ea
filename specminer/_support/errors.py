"""Every error a user can meet, as one tree.

::

    SpecminerError
    ├── UsageError                what was asked for cannot be right             exit code 2
    │   ├── FileFormatError       a file given on the command line is malformed
    │   └── OutputError           a file or folder cannot be written
    ├── ChainError                the node failed or does not hold what was asked  exit code 3
    │   ├── NodeUnreachable       no answer at all
    │   ├── NodeRefused           an answer that says no
    │   ├── InvalidNodeResponse   an answer that cannot be true
    │   └── NotOnChain            no such contract, block or transaction there
    ├── StoreError                the database failed or does not hold what was asked  exit code 3
    ├── ClusterError              Dask's scheduler or its workers failed         exit code 3
    └── RenderError               no picture: no renderer, or the renderer failed  exit code 3

Each error says what was expected, what came and what to do next, and carries the values as
attributes. Only :mod:`specminer.cli` turns errors into exit codes. Texts that come from a node, an
ABI or a chain pass through :func:`plain` before they enter a message.
"""

from __future__ import annotations

import unicodedata
from enum import Enum
from typing import Final

MAX_FOREIGN_TEXT: Final = 300
"""Characters of a foreign text (revert reason, node message) that a message quotes at most."""


def plain(text: object, limit: int = MAX_FOREIGN_TEXT) -> str:
    r"""Return foreign text made safe for a terminal: one line, no control or direction characters.

    Characters of the Unicode categories C* (control, format, surrogate, private use, unassigned) and
    line or paragraph separators become escapes such as ``\x1b``; text longer than ``limit``
    characters is cut and ends in ``…``.
    """
    printable = str(text)[: limit + 1]
    if not printable.isprintable():  # of the separators only a space is
        printable = "".join(map(_printable, printable))
    return printable if len(printable) <= limit else printable[: limit - 1] + "…"


def _printable(char: str) -> str:
    category = unicodedata.category(char)
    harmful = category[0] == "C" or category in ("Zl", "Zp")
    return char.encode("unicode_escape").decode("ascii") if harmful else char


class SpecminerError(Exception):
    """The root of all errors that a user can meet; its text is one sentence or a few."""

    exit_code: int = 3

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message = message
        self.values = values
        """The values the message speaks of, by name, for programs."""


class UsageError(SpecminerError):
    """What was asked for cannot be right: an option, an address, a combination."""

    exit_code = 2


class FileFormatError(UsageError):
    """A file given by the user is unreadable or malformed; the message names file and place."""


class OutputError(UsageError):
    """A file or folder that should be written cannot be."""


class ChainError(SpecminerError):
    """The chain or its node failed, or does not hold what was asked."""


class NodeUnreachable(ChainError):
    """The node gave no answer: refused connection, timeout, closed socket."""


class NodeNeed(Enum):
    """What a node lacks that refuses a request."""

    ARCHIVE = "the state of old blocks"
    TRACING = "methods that trace"


class NodeRefused(ChainError):
    """The node answered with an error; ``code`` is its JSON-RPC or HTTP code where there is one."""

    def __init__(
        self, message: str, *, code: int | None = None, need: NodeNeed | None = None, **values: object
    ) -> None:
        super().__init__(message, code=code, **values)
        self.code = code
        self.need = need
        """What the node lacks, where its words tell."""


class InvalidNodeResponse(ChainError):
    """The node's answer contradicts itself or another answer; nothing of it was stored."""


class NotOnChain(ChainError):
    """The chain holds no such contract, block or transaction."""


class StoreError(SpecminerError):
    """The database cannot be opened, is of another version, or does not hold what was asked."""


class ClusterError(SpecminerError):
    """The Dask scheduler does not answer, has no workers, or its workers failed."""


class RenderError(SpecminerError):
    """A picture could not be drawn: there is no renderer, or it failed or took too long."""
