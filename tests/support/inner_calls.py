"""A contract that others call in all the ways that there are, and its calls as people's files list them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.support import relay
from tests.support.anvil import Anvil
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.solc import compile_sources
from tests.support.tables import octets, write_csv, write_json, write_lines, write_parquet

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Helper {
    uint256 public stamp;
    function mark(uint256 value) external { require(value > 0, "no mark"); stamp = value; }
    function limit() external pure returns (uint256) { return 50; }
}

contract Child {
    function end(address payable to) external payable { selfdestruct(to); }
}

contract Chest {
    uint256 public stamp;
    mapping(address => uint256) public held;
    bytes32 public digest;
    Child public child;
    Helper private immutable helper;

    constructor(Helper helper_) { helper = helper_; }
    function put() external payable {
        require(msg.value > 0 && msg.value <= helper.limit(), "not so much");
        held[msg.sender] += msg.value;
    }
    function take(uint256 amount) external {
        require(held[msg.sender] >= amount, "too much");
        held[msg.sender] -= amount;
        payable(msg.sender).transfer(amount);
    }
    function mark(uint256 value) external {
        (bool done,) = address(helper).delegatecall(abi.encodeWithSelector(Helper.mark.selector, value));
        require(done, "not marked");
    }
    function digests(bytes calldata text) external { digest = sha256(text); }
    function grow() external { child = new Child(); }
    function bury() external payable { child.end{value: msg.value}(payable(msg.sender)); }
}
"""
WAYS: Final = ("forward", "attempt", "undo")


@functools.cache
def compiled() -> dict[str, dict[str, Any]]:
    """Return solc's output."""
    return compile_sources({"Chest.sol": SOURCE})


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerCalls:
    """What a node says of it."""

    chest: str
    records: list[Record]
    """Transactions to the chest and its helper, as an explorer lists them."""
    relayed: list[Record]
    """Those to the relay, which are in no list."""
    blocks: Mapping[int, Any]
    """The answers of ``trace_block``."""
    traces: Mapping[str, Any]
    """Those of ``trace_transaction``, by hash."""
    frames: Mapping[str, Any]
    """Those of callTracer."""


def use_chest(anvil: Anvil) -> str:
    """Call it directly and through a relay: accepted, rejected, caught, and undone behind it; return its address."""
    owner, *people = anvil.accounts[:6]
    helper = anvil.deploy(owner, compiled()["Helper"])
    chest = anvil.deploy(owner, compiled()["Chest"], helper.address)
    between = relay.deploy_relay(anvil, owner)
    calls: Sequence[tuple[str, tuple[Any, ...], int]] = (
        ("grow", (), 0), ("put", (), 7), ("put", (), 90), ("mark", (3,), 0), ("mark", (0,), 0),
        ("digests", (b"text",), 0), ("take", (4,), 0), ("take", (400,), 0), ("bury", (), 5), ("put", (), 9),
    )  # fmt: skip
    for number, (function, arguments, value) in enumerate(calls):
        data = bytes.fromhex(chest.encode(function, *arguments)[2:])
        for way in WAYS:
            anvil.block([between.call(people[number % 5], way, chest.address, data, value=value)])
            anvil.block([chest.call(people[(number + 1) % 5], function, *arguments, value=value)])
    put = bytes.fromhex(chest.encode("put")[2:])
    anvil.block([between.call(people[0], "twice", chest.address, put, put, value=20)])
    return chest.address


def record(anvil: Anvil, chest: str) -> InnerCalls:
    """Ask a node for all that files are written from."""
    everything = txlist(anvil)
    (between,) = {item["contractAddress"] for item in everything[2:3]}
    relayed = [item for item in everything if item["to"] == between]
    hashes = [item["hash"] for item in everything]
    return InnerCalls(
        chest=chest,
        records=[item for item in everything if between not in (item["to"], item["contractAddress"])],
        relayed=relayed,
        blocks={
            int(item["blockNumber"]): anvil.rpc("trace_block", hex(int(item["blockNumber"])))
            for item in everything
        },
        traces={name: anvil.rpc("trace_transaction", name) for name in hashes},
        frames={name: anvil.rpc("debug_traceTransaction", name, {"tracer": "callTracer"}) for name in hashes},
    )


def replay_answer(traces: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the answer of ``trace_replayTransaction``, which anvil lacks: traces without their place."""
    places = ("blockHash", "blockNumber", "transactionHash", "transactionPosition")
    return {
        "output": (traces[0].get("result") or {}).get("output", "0x"),
        "stateDiff": None,
        "trace": [{key: item for key, item in trace.items() if key not in places} for trace in traces],
        "vmTrace": None,
    }


def flat_frames(
    frame: Mapping[str, Any], path: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], Any]]:
    """Yield the frames of callTracer's answer with their places in the tree."""
    yield path, frame
    for number, inner in enumerate(frame.get("calls", ())):
        yield from flat_frames(inner, (*path, number))


def _number(text: str | None) -> int:
    return int(text or "0x0", 16)


def cryo_trace(trace: Mapping[str, Any], *, as_text: bool = False) -> dict[str, Any]:
    """Return a trace of ``trace_block`` as cryo's ``traces`` has it; ``as_text`` as Xatu does."""
    action, result = trace["action"], trace.get("result") or {}
    kind = trace["type"]
    ended = kind == "suicide"

    def data(text: str | None) -> bytes | None:
        return None if text is None else text.encode() if as_text else octets(text)

    row = {
        "action_from": data(action["address"] if ended else action["from"]),
        "action_to": data(action.get("refundAddress") if ended else action.get("to")),
        "action_value": str(_number(action.get("balance" if ended else "value"))),
        "action_gas": _number(action.get("gas")),
        "action_input": data(action.get("input")),
        "action_call_type": action.get("callType", ""),
        "action_init": data(action.get("init")),
        "action_reward_type": "",
        "action_type": kind,
        "result_gas_used": _number(result.get("gasUsed")),
        "result_output": data(result.get("output")),
        "result_code": data(result.get("code")),
        "result_address": data(result.get("address")),
        "trace_address": ("_" if as_text else " ").join(map(str, trace["traceAddress"])),
        "subtraces": trace["subtraces"],
        "transaction_index": trace["transactionPosition"],
        "transaction_hash": data(trace["transactionHash"]),
        "block_number": trace["blockNumber"],
        "block_hash": data(trace["blockHash"]),
        "error": trace.get("error"),
    }
    return row | ({"internal_index": 1, "meta_network_name": b"mainnet"} if as_text else {"chain_id": 31337})


def etl_trace(trace: Mapping[str, Any], failed: bool) -> dict[str, Any]:
    """Return a trace as ethereum-etl writes it, which tells of each call whether anything around it failed."""
    row = cryo_trace(trace, as_text=True)
    text = {name: item.decode() if isinstance(item, bytes) else item for name, item in row.items()}
    kind = trace["type"]
    return {
        "transaction_hash": text["transaction_hash"],
        "transaction_index": text["transaction_index"],
        "from_address": text["action_from"],
        "to_address": text["result_address"] if kind == "create" else text["action_to"],
        "value": text["action_value"],
        "input": text["action_init"] if kind == "create" else text["action_input"],
        "output": text["result_output"],
        "trace_type": kind,
        "call_type": text["action_call_type"] or None,
        "reward_type": None,
        "gas": text["action_gas"],
        "gas_used": text["result_gas_used"],
        "subtraces": text["subtraces"],
        "trace_address": ",".join(map(str, trace["traceAddress"])),
        "error": text["error"],
        "status": int(not failed),
        "block_number": text["block_number"],
        "trace_id": None,
    }


def geth_call(record: Record, path: tuple[int, ...], frame: Mapping[str, Any]) -> dict[str, Any]:
    """Return a frame of callTracer as cryo's ``geth_calls`` has it."""
    return {
        "typ": frame["type"],
        "from_address": octets(frame["from"]),
        "to_address": octets(frame["to"]) if frame.get("to") else None,
        "value_binary": _number(frame.get("value")).to_bytes(32, "big"),
        "value_string": str(_number(frame.get("value"))),
        "gas_string": str(_number(frame.get("gas"))),
        "gas_used_string": str(_number(frame.get("gasUsed"))),
        "input": octets(frame.get("input", "0x")),
        "output": octets(frame.get("output", "0x")),
        "error": frame.get("error"),
        "block_number": int(record["blockNumber"]),
        "transaction_hash": octets(record["hash"]),
        "transaction_index": int(record["transactionIndex"]),
        "trace_address": " ".join(map(str, path)),
        "chain_id": 31337,
    }


def explorer_call(
    record: Record, number: int, path: tuple[int, ...], frame: Mapping[str, Any], *, blockscout: bool
) -> Record:
    """Return a frame as explorers' ``txlistinternal`` has it: Etherscan's dialect without calldata, or Blockscout's."""
    kind, failed = frame["type"].lower(), bool(frame.get("error"))
    creates = kind.startswith("create")
    row = {
        "blockNumber": record["blockNumber"],
        "timeStamp": record["timeStamp"],
        "from": frame["from"],
        "to": "" if creates else frame.get("to", ""),
        "value": str(_number(frame.get("value"))),
        "contractAddress": frame.get("to", "") if creates else "",
        "input": frame.get("input", "") if blockscout else "",
        "type": kind if creates or kind == "selfdestruct" else "call",
        "gas": str(_number(frame.get("gas"))),
        "gasUsed": str(_number(frame.get("gasUsed"))),
        "isError": str(int(failed)),
        "errCode": frame.get("error", ""),
    }
    if blockscout:
        kinds = {} if creates or kind == "selfdestruct" else {"callType": kind}
        return row | kinds | {"transactionHash": record["hash"], "index": str(number)}
    return row | {"hash": record["hash"], "traceId": "_".join(map(str, path))}


Writer = Callable[[InnerCalls, Path], Path]


def _traces(calls: InnerCalls) -> list[Any]:
    return [trace for traces in calls.blocks.values() for trace in traces]


def _failed(calls: InnerCalls, trace: Mapping[str, Any]) -> bool:
    place = trace["traceAddress"]
    return any(
        other.get("error") and other["traceAddress"] == place[: len(other["traceAddress"])]
        for other in calls.traces[trace["transactionHash"]]
    )


def _frames(calls: InnerCalls) -> Iterator[tuple[Record, int, tuple[int, ...], Any]]:
    for item in calls.relayed:
        for number, (path, frame) in enumerate(flat_frames(calls.frames[item["hash"]])):
            yield item, number, path, frame


def _explorer(calls: InnerCalls, *, blockscout: bool) -> list[Record]:
    """Return the calls of the chest that other contracts made: the first frame is the transaction's own."""
    return [
        explorer_call(*item, blockscout=blockscout)
        for item in _frames(calls)
        if item[2] and calls.chest.lower() in (item[3]["from"], item[3].get("to"))
    ]


WRITERS: Final[Mapping[str, Writer]] = {
    "trace_block": lambda calls, folder: write_lines(
        folder / "inner", [{"jsonrpc": "2.0", "id": 1, "result": item} for item in calls.blocks.values()]
    ),
    "trace_transaction": lambda calls, folder: write_json(folder / "inner", list(calls.traces.values())),
    "cryo traces": lambda calls, folder: write_parquet(
        folder / "inner", [cryo_trace(item) for item in _traces(calls)]
    ),
    "cryo geth_calls": lambda calls, folder: write_parquet(
        folder / "inner", [geth_call(item, path, frame) for item, _, path, frame in _frames(calls)]
    ),
    "Xatu": lambda calls, folder: write_parquet(
        folder / "inner", [cryo_trace(item, as_text=True) for item in _traces(calls)]
    ),
    "ethereum-etl": lambda calls, folder: write_csv(
        folder / "inner", [etl_trace(item, _failed(calls, item)) for item in _traces(calls)]
    ),
    "public data set": lambda calls, folder: _written(
        folder / "inner",
        json.dumps([etl_trace(item, _failed(calls, item)) for item in reversed(_traces(calls))]),
    ),
    "Blockscout": lambda calls, folder: write_json(folder / "inner", _explorer(calls, blockscout=True)),
    "explorer": lambda calls, folder: write_json(folder / "inner", _explorer(calls, blockscout=False)),
}
"""Each format of internal calls, by name: what writes them."""


def _written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
