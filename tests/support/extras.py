"""What comes with an extra of specminer and may not be installed: its tests are skipped, and say why.

Every reason begins with ``missing part``, which CI takes for a failure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import pytest

EXTRAS: Final = {
    "aalpy": "benchmarks",
    "cvc5": "test",
    "distributed": "dask",
    "docutils": "docs",
    "eth_keys": "test",
    "furo": "docs",
    "hatchling": "test",
    "jsonschema": "test",
    "myst_parser": "docs",
    "psycopg": "postgres",
    "selenium": "test",
    "sphinx": "docs",
    "z3": "smt",
}
"""The extra that brings a module, of those that tests use."""
NO_SOLVER: Final = "missing part: a solver, which the extra 'smt' brings; run `make setup`"


def reason_of(error: BaseException | None) -> str | None:
    """Return why a test is skipped that a failed import stopped; ``None``: no extra would have brought the module."""
    module = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if module not in EXTRAS:
        return None
    return f"missing part: {module}, which the extra '{EXTRAS[module]}' brings; run `make setup`"


def require(module: str) -> Any:
    """Return a module that an extra brings; skip the test without it."""
    return pytest.importorskip(module, reason=reason_of(ModuleNotFoundError(name=module)))


class TestModule(pytest.Module):
    """A module of tests, skipped as a whole if it imports what a missing extra would bring."""

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Return what is in the module."""
        try:
            return super().collect()
        except self.CollectError as error:
            if (reason := reason_of(error.__cause__)) is None:
                raise
            pytest.skip(reason, allow_module_level=True)
