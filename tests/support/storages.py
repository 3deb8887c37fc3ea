"""A contract with storage of every kind, its life on a real node, and what its history then holds."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from typing import Any, Final

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from specminer.contracts.artifact import Artifact, parse
from specminer.history.contract_history import History
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, gather
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Base {
    address public keeper;
    uint64 internal stamp;
    bool public open;
    function setBase(address k, uint64 s, bool o) external { keeper = k; stamp = s; open = o; }
}
contract Storages is Base {
    enum Phase { A, B, C }
    struct Deal { address owner; uint64 end; Phase phase; uint256 price; int128 delta; bool paid; }
    struct Lot { uint256 first; mapping(uint256 => uint256) inner; uint256[] list; uint256 last; }
    uint256 public total;
    mapping(uint256 => Deal) public deals;
    mapping(address => mapping(uint256 => int64)) public nested;
    mapping(string => uint256) public byName;
    mapping(Phase => uint256) public byPhase;
    Deal[] public listed;
    uint32[] public smalls;
    uint256[] private secrets;
    uint256[3] public triple;
    uint16[20] public row;
    mapping(uint256 => uint256[2]) public pairs;
    mapping(uint256 => Lot) private lots;
    mapping(bytes32 => address[]) private lists;
    string public title;
    int32 public low; uint32 public high; bytes4 public tag; Phase public phase;
    mapping(address => uint256) private balances;
    Deal public single;

    function balanceOf(address who) external view returns (uint256) { return balances[who]; }
    function getDeal(uint256 id) external view returns (uint256 price, address owner, uint256 end, bool late) {
        Deal storage deal = deals[id];
        return (deal.price, deal.owner, deal.end, deal.end < block.timestamp);
    }
    function listedCount() external view returns (uint256) { return listed.length; }
    function sum(uint256 id) external view returns (uint256) { return total + deals[id].price; }
    function lot(uint256 id) external view returns (uint256 first, uint256 last) {
        return (lots[id].first, lots[id].last);
    }

    function setTotal(uint256 t) external { total = t; }
    function setDeal(uint256 k, address o, uint64 e, Phase p, uint256 c, int128 d, bool b) external {
        deals[k] = Deal(o, e, p, c, d, b);
    }
    function setNested(address a, uint256 k, int64 v) external { nested[a][k] = v; }
    function setByName(string calldata k, uint256 v) external { byName[k] = v; }
    function setByPhase(Phase k, uint256 v) external { byPhase[k] = v; }
    function pushListed(address o, uint64 e, uint256 c, int128 d) external {
        listed.push(Deal(o, e, Phase.B, c, d, true));
    }
    function pushSmall(uint32 v) external { smalls.push(v); }
    function pushSecret(uint256 v) external { secrets.push(v); }
    function setTriple(uint256 i, uint256 v) external { triple[i] = v; }
    function setRow(uint256 i, uint16 v) external { row[i] = v; }
    function setPair(uint256 k, uint256 i, uint256 v) external { pairs[k][i] = v; }
    function setLot(uint256 k, uint256 a, uint256 i, uint256 v) external {
        lots[k].first = a; lots[k].inner[i] = v; lots[k].list.push(v); lots[k].last = v;
    }
    function pushList(bytes32 k, address v) external { lists[k].push(v); }
    function setTitle(string calldata t) external { title = t; }
    function setMany(int32 l, uint32 h, bytes4 t, Phase p) external { low = l; high = h; tag = t; phase = p; }
    function setBalance(address a, uint256 v) external { balances[a] = v; }
    function setSingle(address o, uint256 c, int128 d) external { single = Deal(o, 7, Phase.C, c, d, true); }
}
"""
WHO: Final = tuple(to_checksum_address(keccak(bytes([number]))[:20]) for number in range(6))
_LONG: Final = (
    "a title that is much longer than the thirty-one bytes that fit into one slot, and longer still"
)


def calls() -> list[tuple[str, list[Any]]]:
    """Return what is called, in order."""
    result: list[tuple[str, list[Any]]] = [
        ("setBase", [WHO[0], 1_700_000_000, True]),
        ("setTotal", [10**20]),
        ("setTitle", [_LONG]),
        ("setTitle", ["short"]),
        ("setMany", [-3, 4_000_000_000, "0x01020304", 2]),
        ("setSingle", [WHO[1], 10**19, -(10**20)]),
    ]
    for number, who in enumerate(WHO):
        big = 10**18 + number
        result += [
            (
                "setDeal",
                [100 + number, who, 1_700_000_000 + number, number % 3, big, -number - 1, number % 2 == 1],
            ),
            ("setNested", [who, 7 + number, -number]),
            ("setNested", [who, 1_000, number]),
            ("setByName", [f"name {number}", number]),
            ("setByPhase", [number % 3, number]),
            ("pushListed", [who, 1_700_000_000 + number, big, -number]),
            ("pushSecret", [big]),
            ("setPair", [number, number % 2, number + 1]),
            ("setLot", [number, number + 1, 50 + number, number + 2]),
            ("pushList", ["0x" + f"{number % 2 + 1:02x}" * 32, who]),
            ("setBalance", [who, big]),
        ]
    result += [("pushSmall", [number + 1]) for number in range(10)]
    result += [("setTriple", [number, number + 1]) for number in range(3)]
    return result + [("setRow", [number, number + 1]) for number in (0, 3, 15, 16, 19)]


@dataclass(frozen=True)
class Lived:
    """The history with all that is known of the contract."""

    history: History
    artifact: Artifact

    def without_preimages(self) -> History:
        """Return the history as a tracer sees it that shows no hashes."""
        return replace(self.history, preimages={})


@functools.cache
def lived() -> Lived:
    """Return the contract's whole life, recorded on a node of its own."""
    output = compile_sources({"S.sol": SOURCE})["Storages"]
    with Anvil() as anvil, TraceStore("sqlite://") as store:
        sender = anvil.accounts[0]
        deployed = anvil.deploy(sender, output)
        for receipt in anvil.block([deployed.call(sender, name, *arguments) for name, arguments in calls()]):
            assert receipt["status"] == "0x1"
        gather(store, anvil.url, deployed.address)
        history = store.history(CHAIN, [address(deployed.address)])
    document = {key: output[key] for key in ("abi", "storageLayout")}
    return Lived(history, parse(json.dumps(document).encode(), "test"))
