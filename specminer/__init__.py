"""specminer: what a smart contract really does, mined from its recorded history.

The packages form ranks; a module imports only from ranks below its own (``tests/test_ranks.py``):
errors, resources < trace, history, automaton < chain, store, location < decoding < interaction <
predicate < abstraction < metric, tuning < specification < render, report < pipeline < cli.

This module imports nothing before it is asked for something: until the command line has begun, nobody
could turn an interruption into an exit code.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str


def __getattr__(name: str) -> str:
    """Return the installed version as ``__version__``."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("specminer")
    except PackageNotFoundError:  # a bare checkout on the path, never installed
        return "0+unknown"
