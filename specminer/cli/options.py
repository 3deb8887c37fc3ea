"""The options that several commands share, and how their texts become values."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click
from eth_utils.address import is_checksum_address

from specminer._support.text import suggest
from specminer.abstraction import Definition, Weights
from specminer.abstraction.catalogue import find, resolved
from specminer.chain.artifact import Artifact, load
from specminer.chain.endpoint import Endpoint
from specminer.chain.explorer import Explorer, chain_of_url, explorer_endpoint
from specminer.chain.limits import MAX_GAS, MAX_STEPS
from specminer.errors import FileFormatError, StoreError, UsageError, plain
from specminer.location import Layout
from specminer.store import TraceStore
from specminer.trace import Address

F = TypeVar("F", bound=Callable[..., Any])

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NO_SCHEME = re.compile(r"[\w.-]+:\d+(/.*)?")
"""Host and port, as people write them; the path of a socket has neither."""
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


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


def _number(least: int) -> Callable[[str], int]:
    """Return a reader of block or chain numbers, as far as the database can hold them."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) < 1 << 63:
            raise click.BadParameter(f"'{plain(text, 40)}' is no whole number from {least} to 2**63 - 1")
        return int(text)

    return read


instances_option = click.option(
    "--instances",
    type=_number(1),
    metavar="N",
    help="Of several contracts, mine the first N in the order of their creation.",
)

states_option = click.option(
    "--states",
    type=click.IntRange(1),
    metavar="N",
    help="Take the automaton of N states that the front holds, instead of the chosen one.",
)

chain_option = click.option(
    "--chain-id",
    type=_number(1),
    metavar="N",
    help="The chain that is meant (1 is Ethereum's main chain); an error if the source is of another.",
)

quiet_option = click.option(
    "--quiet", is_flag=True, help="Show no progress and no notes; results and errors only."
)

artifact_option = click.option(
    "--abi",
    "artifact",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The contract's ABI (for a proxy, its implementation's): plain JSON, or a Foundry, Hardhat or Truffle "
    "artifact, solc's or Vyper's output (FILE:CONTRACT), a storage layout. Names the functions; a storage layout "
    "in it names the variables.",
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
        help="A header for the node, such as a key; may be repeated. Neither it nor the URL is stored or shown.",
    ),
)

explorer_options = _compose(
    click.option(
        "--explorer",
        metavar="URL",
        help="The API of a block explorer that speaks Etherscan's dialect (Etherscan, Blockscout and others), in place "
        "of a node: what it lists is executed again, here.",
    ),
    click.option(
        "--explorer-key-env",
        "key_name",
        metavar="NAME",
        help="The environment variable that holds the explorer's key. Neither the key nor the URL is stored or shown.",
    ),
)

execution_options = _compose(
    click.option(
        "--fork",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="The rules to execute by: auto (the chain's schedule where it is known, else the one fork whose gas fits "
        "best), or a fork's name such as istanbul or cancun.",
    ),
    click.option(
        "--max-steps",
        type=_number(1),
        default=str(MAX_STEPS),
        show_default=True,
        metavar="N",
        help="Opcodes of one transaction at most, precompiled contracts counted by their time; one that needs more "
        "is stopped and left out.",
    ),
    click.option(
        "--max-gas",
        type=_number(1),
        default=str(MAX_GAS),
        show_default=True,
        metavar="N",
        help="Gas limit of one transaction at most; one with more is not executed and left out.",
    ),
)

range_options = _compose(
    click.option(
        "--from-block",
        "first",
        type=_number(0),
        metavar="N",
        help="First block to read; by default the one that created the contract.",
    ),
    click.option(
        "--to-block",
        "last",
        type=_number(0),
        metavar="N",
        help="Last block to read; by default the newest finalized one (the latest on development chains).",
    ),
)


split_option = click.option(
    "--interactions",
    default="auto",
    show_default=True,
    metavar="auto|whole|instance|sender|SORT",
    help="How to split the history: whole, one per contract, one per account that calls, one per entity of a SORT "
    "that `specminer interactions --explain` lists, or whichever fits the data.",
)

seed_option = click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of all chance; the same seed gives the same result.",
)

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON for programs.",
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
        if "://" in text:
            raise UsageError(
                "a URL was given where the contract's address belongs; a node's URL goes to --rpc"
            )
        raise UsageError(f"'{plain(text, 80)}' is not an address; expected 0x and 40 hexadecimal digits")
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
    if _NO_SCHEME.fullmatch(url) and not Path(url).exists():
        raise UsageError(
            "--rpc wants a whole URL, such as http://127.0.0.1:8545; this one lacks http:// or ws://"
        )
    pairs = []
    for header in headers:
        name, separator, value = header.partition("=")
        if not separator or not re.fullmatch(r"[A-Za-z0-9-]+", name) or not _HEADER_VALUE.fullmatch(value):
            raise UsageError(
                "--rpc-header should be NAME=VALUE, the name of letters, digits and dashes, the value of printable "
                "ASCII characters"
            )
        pairs.append((name, value))
    return Endpoint(url, tuple(pairs))


def explorer_of(url: str, key_name: str | None, chain_id: int | None) -> Explorer:
    """Return the explorer at a URL; its key is read from the environment and never quoted.

    Raises:
        UsageError: the URL, the key or the chain is missing or malformed.

    """
    key = None
    if key_name is not None:
        key = os.environ.get(key_name, "").strip()
        if not key:  # the name is not quoted: it may be the key, given by mistake
            raise UsageError(
                "the environment variable named by --explorer-key-env is not set; give the name of a variable that "
                "holds the key, not the key itself"
            )
    endpoint = explorer_endpoint(url, key)
    own = chain_of_url(url)
    if own is None and chain_id is None:
        raise UsageError(
            "an explorer's API does not say which chain it means; give --chain-id (1 is Ethereum's main chain)"
        )
    if own is not None and chain_id not in (None, own):
        raise UsageError(f"the explorer's URL asks for chain {own}, but --chain-id says {chain_id}")
    return Explorer(endpoint, own or chain_id or 0, key=key)


def artifact_of(path: Path | None) -> Artifact | None:
    """Read the file given with ``--abi``, if any.

    Raises:
        FileFormatError: it is malformed, be it only its storage layout: what is wrong must not be stored.

    """
    if path is None:
        return None
    artifact = load(path)
    if artifact.storage_layout is not None:
        Layout(artifact.storage_layout, str(path))
    return artifact


def definition_of(name: str | None) -> Definition | None:
    """Read the definition given with ``--abstraction``, if any: a shipped one by name, or a file.

    Raises:
        UsageError: there is none.
        FileFormatError: it is malformed.

    """
    try:
        return None if name is None else resolved(find(name))
    except RecursionError:
        raise FileFormatError(
            f"{plain(name)} is not TOML that can be read: it is nested too deeply"
        ) from None


def weights_of(text: str | None) -> dict[str, float]:
    """Read ``--weights NAME=NUMBER,...``.

    Raises:
        UsageError: something else stands there.

    """
    names = [item.name for item in fields(Weights)]
    found: dict[str, float] = {}
    for part in text.split(",") if text else ():
        name, separator, number = (piece.strip() for piece in part.partition("="))
        if name not in names:
            hint = suggest(name, names, f"there are {', '.join(names)}")
            raise UsageError(f"--weights: there is no weight '{plain(name, 40)}'; {hint}")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not separator or not 0 <= value < math.inf:
            raise UsageError(
                f"--weights should be NAME=NUMBER,..., the numbers 0 or more, but has '{plain(part, 60)}'"
            )
        found[name] = value
    return found


def check_blocks(first: int | None, last: int | None) -> None:
    """Check that ``--from-block`` does not lie behind ``--to-block``.

    Raises:
        UsageError: it does.

    """
    if first is not None and last is not None and first > last:
        raise UsageError(f"the range of blocks is empty: --from-block {first} is after --to-block {last}")


def existing(database: str) -> str:
    """Return the database's place if there may be one; who only reads must not create an empty file.

    Raises:
        StoreError: it is the path of no file.

    """
    if "://" not in database and not Path(database).expanduser().exists():
        raise StoreError(
            f"there is no database {plain(database)}; give --db the path of one, fill one with `specminer import`, "
            "or give --rpc URL to collect from a node"
        )
    return database


def chain_of(store: TraceStore, addresses: Sequence[Address], chain_id: int | None) -> int:
    """Return the chain on which the database knows contracts.

    Raises:
        StoreError: one of them is on none.
        UsageError: they are not on one chain, or on several and ``chain_id`` does not say which.

    """
    wanted = set(addresses)
    chains: dict[Address, set[int]] = {address: set() for address in addresses}
    for item in store.contracts():
        if item.address in wanted and chain_id in (None, item.chain_id):
            chains[item.address].add(item.chain_id)
    for address, found in chains.items():
        if not found:
            where = f" on chain {chain_id}" if chain_id is not None else ""
            raise StoreError(
                f"the database {store.label} holds nothing of 0x{address.hex()}{where}; give --rpc URL to collect it "
                "from a node, or import a trace file"
            )
    common = sorted(set.intersection(*chains.values()))
    if not common:
        one, other = _apart(chains)
        raise UsageError(
            "contracts that are mined together are of one chain, but the database holds "
            f"0x{one.hex()} on chain {_listed(chains[one])} and 0x{other.hex()} on chain {_listed(chains[other])}"
        )
    if len(common) > 1:
        raise UsageError(
            f"the database holds 0x{addresses[0].hex()} on chains {', '.join(map(str, common))}; say which: "
            "--chain-id"
        )
    return common[0]


def _apart(chains: dict[Address, set[int]]) -> tuple[Address, Address]:
    """Return two addresses that show best that there is no common chain: the first, and one apart from it."""
    first, *others = chains
    return first, next((other for other in others if not chains[first] & chains[other]), others[-1])


def _listed(chains: set[int]) -> str:
    return " and ".join(map(str, sorted(chains)))
