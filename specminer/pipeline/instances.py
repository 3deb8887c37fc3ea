"""Which contracts are mined together: several addresses, or all instances of one code."""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from specminer.chain.family import clone_target, family
from specminer.errors import StoreError
from specminer.store import TraceStore
from specminer.trace import Address


def same_code(store: TraceStore, chain_id: int, contract: Address) -> list[Address]:
    """Return the contracts in the database whose code is that of ``contract``, it included, by creation.

    Equal but for immutables and metadata (:mod:`specminer.chain.family`). Minimal proxies are equal by their
    target; another proxy only if it handed calls on to the same code as ``contract`` did.

    Raises:
        StoreError: the database does not know the contract, or not its code.

    """
    record = store.record(chain_id, contract)
    if not record.code:
        raise StoreError(
            f"the code of {to_checksum_address(contract)} is not known, so none can be compared with it; collect it "
            "with --rpc, or name the contracts one by one"
        )
    kind = family(record.code, store.creation_code(chain_id, contract))
    found = [address for item in store.coded(chain_id) if kind.holds(item.code) for address in item.contracts]
    handed = {address: set(codes.values()) for address, codes in store.implementations_of(chain_id).items()}
    own = [family(code) for code in sorted(handed.get(contract, ())) if code]
    if own and clone_target(record.code) is None:
        found = [
            address
            for address in found
            if any(kind.holds(code) for code in handed.get(address, ()) for kind in own)
        ]
    return store.by_creation(chain_id, found)
