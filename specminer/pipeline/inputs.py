"""What a user names, read into values: an address, an ABI, an abstraction, a database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Final

from specminer._support.addresses import checksum_address, is_address
from specminer._support.errors import FileFormatError, StoreError, UsageError, plain
from specminer.contracts.artifact import Artifact, load
from specminer.contracts.fitting_abi import combined_artifact
from specminer.decoding.storage_layout import Layout
from specminer.history.trace import Address
from specminer.learning.abstraction_definition import Definition
from specminer.learning.definition_catalogue import find, resolve
from specminer.store import TraceStore
from specminer.store.sqlite import sqlite_path

MAX_ARTIFACTS: Final = 2_000
"""JSON files of a folder that are looked at."""
_ENS: Final = re.compile(r"(?:[^\s./\\:]{1,100}\.){1,10}eth", re.IGNORECASE)


def is_ens_name(text: str) -> bool:
    """Return whether a text looks like a name of the Ethereum Name Service, ``shop.eth``."""
    return _ENS.fullmatch(text.strip()) is not None


def parse_address(text: str) -> Address:
    """Read an address.

    Raises:
        UsageError: it is none, or its mixed-case checksum (EIP-55) is wrong.

    """
    if not is_address(text):
        if "://" in text:
            raise UsageError(
                "a URL was given where the contract's address belongs; a node's URL goes to --rpc"
            )
        if is_ens_name(text):
            raise UsageError(
                f"'{plain(text, 80)}' is a name of ENS, which is not looked up here: the name may point elsewhere "
                "tomorrow; give the address that a block explorer or app.ens.domains shows for it"
            )
        raise UsageError(f"'{plain(text, 80)}' is not an address; expected 0x and 40 hexadecimal digits")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and checksum_address(text) != text:
        raise UsageError(
            f"the address {text} fails its checksum, so a digit is probably wrong; if not, write it in lower case"
        )
    return Address(bytes.fromhex(digits))


ArtifactSource = Artifact | str | PathLike[str] | Sequence[str | PathLike[str]] | None
"""An ABI that was read, a file or a folder, or several of these."""


def read_artifact(source: ArtifactSource) -> Artifact | None:
    """Read a contract's ABI, storage layout, or both; what was read before is returned as it is.

    Of several files, or a folder, the ABIs are put together; which of them belong to the contract is told by the code
    that ran (:func:`.fitting_artifact`).

    Raises:
        FileFormatError: one is malformed, be it only its storage layout: what is wrong must not be stored.

    """
    if source is None or isinstance(source, Artifact):
        return source
    if not isinstance(source, str | PathLike) or Path(source).is_dir():
        artifacts = read_artifacts(source)
        return combined_artifact(artifacts) if artifacts else None
    return _read_file(source)


def _read_file(source: str | PathLike[str]) -> Artifact:
    artifact = load(Path(source))
    if artifact.storage_layout is not None:
        Layout(artifact.storage_layout, str(source))
    return artifact


def read_artifacts(source: ArtifactSource) -> tuple[Artifact, ...]:
    """Read ABIs from files, or from all JSON files of a folder that hold one.

    Raises:
        FileFormatError: a file is malformed, or a folder holds no ABI.

    """
    if source is None or isinstance(source, Artifact):
        return () if source is None else (source,)
    sources = [source] if isinstance(source, str | PathLike) else list(source)
    artifacts: list[Artifact] = []
    for item in sources:
        if not Path(item).is_dir():
            artifacts.append(_read_file(item))
            continue
        folder_artifacts = list(_held_artifacts(Path(item)))
        if not folder_artifacts:
            raise FileFormatError(f"{plain(item)} holds no JSON file with an ABI", path=Path(item))
        artifacts += folder_artifacts
    return tuple(artifacts)


def _held_artifacts(folder: Path) -> Iterator[Artifact]:
    """Yield the ABIs of a folder's JSON files; such folders hold other files, too."""
    for path in sorted(folder.rglob("*.json"))[:MAX_ARTIFACTS]:
        try:
            artifact = _read_file(path)
        except FileFormatError:
            continue
        if artifact.abi:
            yield artifact


def read_definition(name: str | PathLike[str]) -> Definition:
    """Read an abstraction definition with all that it refines: a shipped one by its name, or a TOML file.

    Raises:
        UsageError: there is none.
        FileFormatError: it is malformed.

    """
    try:
        return resolve(find(str(name)))
    except RecursionError:
        raise FileFormatError(
            f"{plain(name)} is not TOML that can be read: it is nested too deeply"
        ) from None


def existing_database(location: str) -> str:
    """Return where a database is if there may be one; who only reads must not create an empty file.

    Raises:
        StoreError: it is the path of no file.

    """
    path = sqlite_path(location)
    if path is not None and not path.exists():
        raise StoreError(
            f"there is no database {plain(location)}; give --db the path of one, fill one with `specminer import`, "
            "or give --rpc URL to collect from a node"
        )
    return location


def open_existing(location: str, note: Callable[[str], None] | None = None) -> TraceStore:
    """Open a database that somebody only reads, or makes smaller: it is neither created nor filled with tables.

    Raises:
        StoreError: it is not there, is empty, cannot be read, or is not specminer's.

    """
    return TraceStore(existing_database(location), note, existing=True)


def common_chain(store: TraceStore, contracts: Sequence[Address], chain_id: int | None) -> int:
    """Return the chain on which the database knows contracts; 0 if none are given.

    Raises:
        StoreError: one of them is on none.
        UsageError: they are not on one chain, or on several and ``chain_id`` does not say which.

    """
    if not contracts:
        return 0
    addresses = set(contracts)
    chains: dict[Address, set[int]] = {contract: set() for contract in contracts}
    for item in store.contracts():
        if item.address in addresses and chain_id in (None, item.chain_id):
            chains[item.address].add(item.chain_id)
    for contract, ids in chains.items():
        if not ids:
            where = f" on chain {chain_id}" if chain_id is not None else ""
            raise StoreError(
                f"the database {store.label} holds nothing of 0x{contract.hex()}{where}; give --rpc URL to collect it "
                "from a node, or import a trace file"
            )
    common = sorted(set.intersection(*chains.values()))
    if not common:
        one, other = _apart(chains)
        raise UsageError(
            "contracts that are mined together are of one chain, but the database holds "
            f"0x{one.hex()} on chain {_list_chains(chains[one])} and 0x{other.hex()} on chain "
            f"{_list_chains(chains[other])}"
        )
    if len(common) > 1:
        raise UsageError(
            f"the database holds 0x{contracts[0].hex()} on chains {', '.join(map(str, common))}; say which: "
            "--chain-id"
        )
    return common[0]


def _apart(chains: dict[Address, set[int]]) -> tuple[Address, Address]:
    """Return two addresses that show best that there is no common chain: the first, and one apart from it."""
    first, *others = chains
    return first, next((other for other in others if not chains[first] & chains[other]), others[-1])


def _list_chains(chains: set[int]) -> str:
    return " and ".join(map(str, sorted(chains)))
