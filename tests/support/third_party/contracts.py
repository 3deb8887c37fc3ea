"""Compiles the contracts that are built on OpenZeppelin's libraries, all at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.support.solc import compile_files


@cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Contracts.sol`` and what it imports, by contract."""
    return compile_files(Path(__file__).with_name("Contracts.sol"))
