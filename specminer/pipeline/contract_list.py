"""A file that lists contracts: an address a line, with a name and an ABI if wanted."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import FileFormatError, UsageError, plain
from specminer._support.files import read_bounded
from specminer.history.trace import Address
from specminer.pipeline.inputs import parse_address

MAX_LIST: Final = 8 << 20
"""Bytes of a list at most."""
MAX_CONTRACTS: Final = 10_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|index)(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices, and the page's own."""
_NONE: Final = "-"
"""Stands where a contract has no name, but an ABI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedContract:
    """A contract of a list."""

    address: Address
    name: str
    """Names its folder and its row; the address if the list gives no name."""
    abi: Path | None
    """The file with its ABI."""
    line: int


def read_contract_list(path: Path) -> tuple[ListedContract, ...]:
    """Read a list of contracts: ``ADDRESS [NAME|- [ABI]]`` a line; what follows ``#`` is a comment.

    Names with blanks or ``#``, and such paths, stand in quotes. Paths are relative to the list's folder.

    Raises:
        FileFormatError: the file is no text; a line is malformed, or names a contract, or a name, that another has;
            says which line.

    """
    try:
        text = read_bounded(path, MAX_LIST, "a list of contracts").decode("utf-8")
    except UnicodeDecodeError:
        raise FileFormatError(
            f"{plain(path)} is no text in UTF-8; expected a list of contracts, an address a line", path=path
        ) from None
    contracts: list[ListedContract] = []
    lines: dict[Address | str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        try:
            contract = _read_line(line, number, path.parent)
            if contract is None:
                continue
            for key, noun in ((contract.address, "contract"), (contract.name.lower(), "name")):
                if key in lines:
                    raise UsageError(f"line {lines[key]} has the same {noun}; list each once")
                lines[key] = number
        except UsageError as error:
            raise FileFormatError(f"{plain(path)}:{number}: {error.message}", path=path) from None
        contracts.append(contract)
    if not 1 <= len(contracts) <= MAX_CONTRACTS:
        raise FileFormatError(
            f"{plain(path)} lists {len(contracts):,} contracts; expected 1 to {MAX_CONTRACTS:,}, an address a line, "
            "with a name and the path of an ABI behind it if wanted",
            path=path,
        )
    return tuple(contracts)


def _read_line(line: str, number: int, folder: Path) -> ListedContract | None:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise UsageError("a quotation mark is not closed") from None
    if not words:
        return None
    if len(words) > 3:
        raise UsageError(
            f"expected ADDRESS, NAME and ABI, but there are {len(words)} words; put blanks in quotes"
        )
    address = parse_address(words[0])
    name = words[1] if len(words) > 1 and words[1] != _NONE else checksum_address(address)
    if not _NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise UsageError(
            f"'{plain(name, 60)}' cannot name a folder; use up to 60 letters, digits, '.', '_' and '-' (alone: no name)"
        )
    abi = None if len(words) < 3 else folder / words[2]
    if abi is not None and not abi.is_file():
        raise UsageError(
            f"there is no file {plain(abi)}; the path of an ABI is relative to the list's folder"
        )
    return ListedContract(address=address, name=name, abi=abi, line=number)
