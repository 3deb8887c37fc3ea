"""Which contracts are mined together: several addresses, or all instances of one code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from specminer._support.addresses import checksum_address
from specminer._support.errors import StoreError, UsageError
from specminer.contracts.artifact import Artifact, parse
from specminer.contracts.code_family import Family, clone_target, family
from specminer.history.trace import Address
from specminer.store import TraceStore

if TYPE_CHECKING:  # loads the libraries that ask
    from specminer.sources.node import Node

_BATCH: Final = 100
"""Requests for code sent at a time."""
_KINDS: Final = 8
"""Kinds of children that a message lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """What a factory created and may be mined together."""

    contracts: tuple[Address, ...]
    """By creation."""
    blocks: dict[Address, int]
    """Where each was created."""
    total: int
    """How many it created, of whatever code."""
    unknown: int
    """How many of them are left out because neither the database nor a node knows them."""


def children(
    store: TraceStore, chain_id: int, creator: Address, *, like: Address | None, node: Node | None
) -> Children:
    """Return what a contract created, as far as it is of one code: that of ``like``, if given.

    Without a node only children whose history the database holds are returned.

    Raises:
        StoreError: the contract created nothing that is known.
        UsageError: they are of several codes, and ``like`` does not say which is meant.
        ChainError: the node failed.

    """
    creation_blocks = {child.address: child.position[0] for child in store.children(chain_id, creator)}
    if not creation_blocks:
        raise StoreError(
            f"nothing that {checksum_address(creator)} created is in {store.label}; give --rpc URL to collect it, "
            "and a new --db if this one was filled by an older specminer, which did not record creations"
        )
    codes = {
        address: item.code
        for item in store.group_by_code(chain_id)
        for address in item.contracts
        if address in creation_blocks
    }
    if node is not None:
        codes |= _codes(node, [address for address in creation_blocks if address not in codes])
    with_code = [address for address in creation_blocks if codes.get(address)]
    if like is not None:
        code = store.record(chain_id, like).code
        kind = family(code, store.creation_code(chain_id, like))
        contracts = [address for address in with_code if kind.holds(codes[address])]
    else:
        contracts = _of_one_code(creator, {address: codes[address] for address in with_code})
    return Children(
        contracts=tuple(contracts),
        blocks=creation_blocks,
        total=len(creation_blocks),
        unknown=len(creation_blocks) - len(with_code),
    )


def _codes(node: Node, contracts: list[Address]) -> dict[Address, bytes]:
    from specminer.sources.node import octets, result_of

    codes: dict[Address, bytes] = {}
    for start in range(0, len(contracts), _BATCH):
        part = contracts[start : start + _BATCH]
        answers = node.batch([("eth_getCode", (f"0x{address.hex()}", "latest")) for address in part])
        for address, answer in zip(part, answers, strict=True):
            codes[address] = octets(result_of(answer), "code")
    return codes


def _of_one_code(creator: Address, codes: dict[Address, bytes]) -> list[Address]:
    kinds: list[tuple[Family, list[Address]]] = []
    by_code: dict[bytes, list[Address]] = {}
    for address, code in codes.items():
        if code not in by_code:
            own = next((members for kind, members in kinds if kind.holds(code)), None)
            if own is None and len(kinds) > _KINDS:
                own = kinds[-1][1]  # more are listed as one
            if own is None:
                own = []
                kinds.append((family(code), own))
            by_code[code] = own
        by_code[code].append(address)
    if len(kinds) > 1:
        families = "; ".join(
            f"{len(members):,} like {checksum_address(members[0])}"
            for members in _largest_first(members for _, members in kinds)
        )
        raise UsageError(
            f"{checksum_address(creator)} created contracts of different code: {families}; say which are meant by "
            "--same-code-as ADDRESS beside --created-by"
        )
    return kinds[0][1] if kinds else []


def _largest_first(groups: Iterable[list[Address]]) -> list[list[Address]]:
    return sorted(groups, key=lambda members: -len(members))[:_KINDS]


def same_code(store: TraceStore, chain_id: int, contract: Address) -> list[Address]:
    """Return the contracts in the database whose code is that of ``contract``, it included, by creation.

    Equal but for immutables and metadata (:mod:`specminer.contracts.code_family`). Minimal proxies are equal by their
    target; another proxy only if it handed calls on to the same code as ``contract`` did.

    Raises:
        StoreError: the database does not know the contract, or not its code.

    """
    record = store.record(chain_id, contract)
    if not record.code:
        raise StoreError(
            f"the code of {checksum_address(contract)} is not known, so none can be compared with it; collect it "
            "with --rpc, or name the contracts one by one"
        )
    kind = family(record.code, store.creation_code(chain_id, contract))
    contracts = [
        address
        for item in store.group_by_code(chain_id)
        if kind.holds(item.code)
        for address in item.contracts
    ]
    target_codes = {
        address: set(codes.values()) for address, codes in store.implementations_of(chain_id).items()
    }
    own = [family(code) for code in sorted(target_codes.get(contract, ())) if code]
    if own and clone_target(record.code) is None:
        contracts = [
            address
            for address in contracts
            if any(kind.holds(code) for code in target_codes.get(address, ()) for kind in own)
        ]
    return store.by_creation(chain_id, contracts)


def sibling_artifact(
    store: TraceStore, chain_id: int, contracts: Sequence[Address]
) -> tuple[Address, Artifact] | None:
    """Return the artifact stored with another contract of the same code, if none of ``contracts`` has one.

    Raises:
        FileFormatError: the stored artifact is malformed.

    """
    records = [store.record(chain_id, contract) for contract in contracts]
    coded = next((record.address for record in records if record.code), None)
    if coded is None or any(record.artifact is not None for record in records):
        return None
    for sibling in same_code(store, chain_id, coded):
        text = store.record(chain_id, sibling).artifact
        if text is not None:
            return sibling, parse(text, "the stored artifact")
    return None
