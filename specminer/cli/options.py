"""The options that several commands share, and how their texts become values."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from eth_utils.address import is_checksum_address

from specminer.chain.artifact import Artifact, load
from specminer.chain.endpoint import Endpoint
from specminer.errors import StoreError, UsageError, plain
from specminer.store import TraceStore
from specminer.trace import Address

F = TypeVar("F", bound=Callable[..., Any])

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def _compose(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


database_option = click.option(
    "--db",
    "database",
    envvar="SPECMINER_DB",
    default="specminer.db",
    show_default=True,
    show_envvar=True,
    metavar="PATH|URL",
    help="The database: a file, or an SQLAlchemy URL.",
)

chain_option = click.option(
    "--chain-id",
    type=click.IntRange(min=1),
    metavar="N",
    help="The chain that is meant; checked against the node.",
)

quiet_option = click.option("--quiet", is_flag=True, help="Show results and errors only.")

artifact_option = click.option(
    "--abi",
    "artifact",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="ABI of the contract, of a proxy's implementation: plain JSON, or a Foundry, Hardhat or Truffle artifact. "
    "A storage layout in it names the variables.",
)

node_options = _compose(
    click.option(
        "--rpc",
        envvar="SPECMINER_RPC",
        show_envvar=True,
        metavar="URL",
        help="The node: http(s)://, ws(s)://, or the path of an IPC socket. It needs debug_traceTransaction.",
    ),
    click.option(
        "--rpc-header",
        "headers",
        multiple=True,
        metavar="NAME=VALUE",
        help="A header for the node, such as a key; may be repeated.",
    ),
)

range_options = _compose(
    click.option(
        "--from-block",
        "first",
        type=click.IntRange(min=0),
        metavar="N",
        help="First block to read; by default the one that created the contract.",
    ),
    click.option(
        "--to-block",
        "last",
        type=click.IntRange(min=0),
        metavar="N",
        help="Last block to read; by default the newest finalized one (the latest on development chains).",
    ),
)


def is_address(text: str) -> bool:
    """Whether a text has the form of an address."""
    return _ADDRESS.fullmatch(text) is not None


def address_of(text: str) -> Address:
    """Read an address.

    Raises:
        UsageError: it is none, or its mixed-case checksum (EIP-55) is wrong.

    """
    if not is_address(text):
        raise UsageError(f"'{plain(text, 80)}' is no address; expected 0x and 40 hexadecimal digits")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(text):
        raise UsageError(
            f"the address {text} fails its checksum, so a digit is probably wrong; if not, write it in lower case"
        )
    return Address(bytes.fromhex(digits))


def endpoint_of(url: str, headers: Sequence[str]) -> Endpoint:
    """Read a node's address and headers; their values are secrets and never quoted.

    Raises:
        UsageError: the URL or a header is malformed.

    """
    pairs = []
    for header in headers:
        name, separator, value = header.partition("=")
        if not separator or not re.fullmatch(r"[A-Za-z0-9-]+", name) or not value.isprintable():
            raise UsageError("--rpc-header should be NAME=VALUE, the name of letters, digits and dashes")
        pairs.append((name, value))
    return Endpoint(url, tuple(pairs))


def artifact_of(path: Path | None) -> Artifact | None:
    """Read the file given with ``--abi``, if any."""
    return None if path is None else load(path)


def chain_of(store: TraceStore, address: Address, chain_id: int | None) -> int:
    """Return the chain on which the database knows a contract.

    Raises:
        StoreError: on none, or on several and ``chain_id`` does not say which.

    """
    chains = [item.chain_id for item in store.contracts() if item.address == address]
    wanted = [chain for chain in chains if chain_id in (None, chain)]
    if not wanted:
        where = f" on chain {chain_id}" if chain_id is not None else ""
        raise StoreError(
            f"the database {store.label} holds nothing of 0x{address.hex()}{where}; give --rpc URL to collect it from "
            "a node, or import a trace file"
        )
    if len(wanted) > 1:
        raise UsageError(
            f"the database holds 0x{address.hex()} on chains {', '.join(map(str, wanted))}; say which: --chain-id"
        )
    return wanted[0]
