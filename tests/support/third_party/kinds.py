"""Compiles our own contracts of kinds that everybody knows, and OpenZeppelin's of version 4 that later ones lack."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.solc import compile_files, compile_sources, package_folder

_OLD_PACKAGE: Final = "@openzeppelin/contracts-4.9.6"
_OLD: Final = ("finance/PaymentSplitter.sol", "utils/escrow/RefundEscrow.sol")


@cache
def own_contracts() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Kinds.sol``, by contract.

    Raises:
        MissingPart: the compiler is not installed.
    """
    return compile_files(Path(__file__).with_name("Kinds.sol"))


@cache
def observed_contracts() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Observed.sol``, by contract.

    Raises:
        MissingPart: the compiler is not installed.
    """
    return compile_files(Path(__file__).with_name("Observed.sol"))


@cache
def contracts_of_lives() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Lives.sol``, by contract.

    Raises:
        MissingPart: the compiler is not installed.
    """
    return compile_files(Path(__file__).with_name("Lives.sol"))


@cache
def contracts_with_deadlines() -> dict[str, dict[str, Any]]:
    """Return solc's output for ``Deadlines.sol``, by contract.

    Raises:
        MissingPart: the compiler is not installed.
    """
    return compile_files(Path(__file__).with_name("Deadlines.sol"))


@cache
def old_contracts() -> dict[str, dict[str, Any]]:
    """Return solc's output for what OpenZeppelin's libraries had until version 4, by contract.

    Raises:
        MissingPart: the libraries or the compiler are not installed.
    """
    package_folder(_OLD_PACKAGE)
    imports = "".join(f'import "{_OLD_PACKAGE}/{path}";\n' for path in _OLD)
    source = f"// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n{imports}"
    return compile_sources({"Old.sol": source})
