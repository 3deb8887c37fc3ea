"""The command line: one file a command, no logic."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    The libraries behind the commands take a second to load; whoever interrupts that gets no stack trace.
    One of them (py_ecc, behind web3) raises Python's recursion limit so far that a deeply nested file would
    crash the interpreter; the limit is put back.
    """
    limit = sys.getrecursionlimit()
    try:
        from specminer.cli.app import main as run
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    sys.setrecursionlimit(limit)
    return run(arguments)
