"""Slots that have names of their own, whatever the contract: those of proxies, and namespaced storage.

Source: ERC-1967 (proxies), ERC-1822 (``PROXIABLE``), the proxies of ZeppelinOS before it, ERC-7201
(``keccak256(keccak256(id) - 1) & ~0xff``) with the namespaces of OpenZeppelin's upgradeable contracts 5.x, Safe's
modules.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from specminer._support.keccak import keccak
from specminer.decoding.storage_layout import Layout

_FIXED: Final = {
    "implementation": ("eip1967.proxy.implementation", -1, "address"),
    "admin": ("eip1967.proxy.admin", -1, "address"),
    "beacon": ("eip1967.proxy.beacon", -1, "address"),
    "rollback": ("eip1967.proxy.rollback", -1, "bool"),
    "proxiable": ("PROXIABLE", 0, "address"),
    "zeppelinos.implementation": ("org.zeppelinos.proxy.implementation", 0, "address"),
    "zeppelinos.admin": ("org.zeppelinos.proxy.admin", 0, "address"),
    "safe.guard": ("guard_manager.guard.address", 0, "address"),
    "safe.fallbackHandler": ("fallback_manager.handler.address", 0, "address"),
}
"""Name: what is hashed, what is added to the hash, the value's type."""

_BALANCES: Final = "mapping(address => uint256)"
_APPROVALS: Final = "mapping(address => mapping(address => bool))"
_NAMESPACES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "Initializable": (("initialized", "uint64"), ("initializing", "bool")),
    "Ownable": (("owner", "address"),),
    "Ownable2Step": (("pendingOwner", "address"),),
    "Pausable": (("paused", "bool"),),
    "ReentrancyGuard": (("status", "uint256"),),
    "Nonces": (("nonces", _BALANCES),),
    "EIP712": (
        ("hashedName", "bytes32"),
        ("hashedVersion", "bytes32"),
        ("name", "string"),
        ("version", "string"),
    ),
    "AccessControl": (("roles", "mapping(bytes32 => struct RoleData)"),),
    "AccessManaged": (("authority", "address"), ("consumingSchedule", "bool")),
    "ERC20": (
        ("balances", _BALANCES),
        ("allowances", "mapping(address => mapping(address => uint256))"),
        ("totalSupply", "uint256"),
        ("name", "string"),
        ("symbol", "string"),
    ),
    "ERC20Capped": (("cap", "uint256"),),
    "ERC4626": (("asset", "address"), ("underlyingDecimals", "uint8")),
    "ERC721": (
        ("name", "string"),
        ("symbol", "string"),
        ("owners", "mapping(uint256 => address)"),
        ("balances", _BALANCES),
        ("tokenApprovals", "mapping(uint256 => address)"),
        ("operatorApprovals", _APPROVALS),
    ),
    "ERC721Enumerable": (
        ("ownedTokens", "mapping(address => mapping(uint256 => uint256))"),
        ("ownedTokensIndex", "mapping(uint256 => uint256)"),
        ("allTokens", "uint256[]"),
        ("allTokensIndex", "mapping(uint256 => uint256)"),
    ),
    "ERC721URIStorage": (("tokenURIs", "mapping(uint256 => string)"),),
    "ERC1155": (
        ("balances", "mapping(uint256 => mapping(address => uint256))"),
        ("operatorApprovals", _APPROVALS),
        ("uri", "string"),
    ),
    "TimelockController": (("timestamps", "mapping(bytes32 => uint256)"), ("minDelay", "uint256")),
}
"""OpenZeppelin's namespaces, ``openzeppelin.storage.NAME``, with the fields of their structs in order."""
_SIZES: Final = {"address": 20, "bool": 1, "uint8": 1, "uint64": 8}
_STRUCTS: Final = {"struct RoleData": (("hasRole", "mapping(address => bool)"), ("adminRole", "bytes32"))}


def erc7201(name: str) -> int:
    """Return where a namespace's struct begins. Source: ERC-7201."""
    inner = int.from_bytes(keccak(name.encode()), "big") - 1
    return int.from_bytes(keccak(inner.to_bytes(32, "big")), "big") & ~0xFF


@cache
def proxy_slots() -> frozenset[int]:
    """Return the slots that hold the address of a proxy's implementation and nothing else."""
    names = ("implementation", "proxiable", "zeppelinos.implementation")
    digests = ((keccak(_FIXED[name][0].encode()), _FIXED[name][1]) for name in names)
    return frozenset(int.from_bytes(digest, "big") + addend for digest, addend in digests)


@cache
def standards() -> Layout:
    """Return all of them as one layout."""
    types: dict[str, dict[str, Any]] = {}
    storage = []
    for name, (text, addend, kind) in _FIXED.items():
        slot = int.from_bytes(keccak(text.encode()), "big") + addend
        storage.append({"label": name, "slot": str(slot), "offset": 0, "type": _type(kind, types)})
    for name, fields in _NAMESPACES.items():
        begin = erc7201(f"openzeppelin.storage.{name}")
        for member in _members(fields, types):
            label, slot = f"{name}.{member['label']}", begin + int(member["slot"])
            storage.append(member | {"label": label, "slot": str(slot)})
    return Layout({"storage": storage, "types": types}, "the known standards")


def _members(fields: tuple[tuple[str, str], ...], types: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Lay fields out as solc does: side by side while they fit into the slot."""
    members: list[dict[str, Any]] = []
    slot, offset = 0, 0
    for name, kind in fields:
        size = _SIZES.get(kind, 32)
        if offset + size > 32:
            slot, offset = slot + 1, 0
        members.append({"label": name, "slot": str(slot), "offset": offset, "type": _type(kind, types)})
        offset += size
    return members


def _type(kind: str, types: dict[str, dict[str, Any]]) -> str:
    if kind in types:
        return kind
    description: dict[str, Any] = {
        "encoding": "inplace",
        "label": kind,
        "numberOfBytes": str(_SIZES.get(kind, 32)),
    }
    types[kind] = description
    if kind.startswith("mapping("):
        key, _, value = kind.removeprefix("mapping(").removesuffix(")").partition(" => ")
        description |= {"encoding": "mapping", "key": _type(key, types), "value": _type(value, types)}
    elif kind == "string":
        description["encoding"] = "bytes"
    elif kind.endswith("[]"):
        description |= {"encoding": "dynamic_array", "base": _type(kind.removesuffix("[]"), types)}
    elif kind in _STRUCTS:
        members = _members(_STRUCTS[kind], types)
        description |= {"members": members, "numberOfBytes": str(32 * (1 + int(members[-1]["slot"])))}
    return kind
