"""The command line: one file a command, no logic."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # nothing may be imported before `main` catches interruptions
    from collections.abc import Sequence

__all__ = ["main"]

_BETWEEN_COLLECTIONS = 400_000
"""New objects after which Python looks for cycles of garbage. A run makes many objects that stay and few cycles: by
default, 700, looking for them takes a tenth of ``mine``."""


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run the command line and return its exit code; whoever interrupts its loading gets no stack trace."""
    try:
        import gc

        gc.set_threshold(_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
        from specminer.cli.interruption import ending_at_once

        with ending_at_once():
            from specminer.cli.app import main as run
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print("interrupted", file=sys.stderr)
        return 130
    return run(arguments)
