"""Compiles the contracts that are built on OpenZeppelin's libraries, all at once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.support.solc import compile_files, package_folder


@cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Contracts.sol`` and what it imports, by contract.

    Raises:
        MissingPart: the libraries or the compiler are not installed.
    """
    for package in ("@openzeppelin/contracts", "@openzeppelin/contracts-upgradeable"):
        package_folder(package)
    return compile_files(Path(__file__).with_name("Contracts.sol"))
