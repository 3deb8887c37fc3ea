"""specminer: what a smart contract really does, mined from its recorded history.

The packages form ranks; a module imports only from ranks below its own (``tests/test_ranks.py``):
errors, resources < trace, history, automaton < chain, store, location < dependency < interaction <
predicate < abstraction < metric, tuning < specification < render, report < pipeline < cli.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("specminer")
except PackageNotFoundError:  # a bare checkout on the path, never installed
    __version__ = "0+unknown"
