"""Functions that well-known contracts have, by their selectors: names for contracts whose ABI is not at hand.

Source: the ABIs of OpenZeppelin's, Safe's and Uniswap's contracts; ``tools/common_signatures.py`` makes the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from specminer._support.keccak import keccak

TABLE: Final = "common_signatures.txt"


@dataclass(frozen=True, slots=True)
class CommonFunction:
    """A function that well-known contracts have."""

    name: str
    signature: str
    """``transfer(address,uint256)``."""
    arguments: tuple[str, ...]
    """Names that most of these contracts give its arguments; empty if they give none."""


@cache
def common_functions() -> dict[bytes, CommonFunction]:
    """Return the functions by selector; each selector is that of one function only."""
    functions: dict[bytes, CommonFunction] = {}
    for line in files("specminer.contracts").joinpath(TABLE).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            signature, _, names = line.partition(" ")
            arguments = tuple(names.split(",")) if names else ()
            functions[keccak(signature.encode())[:4]] = CommonFunction(
                signature.partition("(")[0], signature, arguments
            )
    return functions
