"""A made-up chain of any length on which a counter is called, and a process that answers requests for it.

Every answer is computed from the numbers in the request, so that a chain of 100,000 transactions needs no memory and no
node that executes it. The answers have the form of anvil's. Block 1 holds the creation, each later block ten calls by
ten accounts in turn; each call reads the counter and writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any, Final

from benchmarks.server_process import ServerProcess

CHAIN: Final = 31_337
IN_BLOCK: Final = 10
CONTRACT: Final = "0x" + "c0" * 20
CODE: Final = "0x60005460010160005500"
CREATION: Final = "0x61000a600e60003961000a6000f3" + CODE[2:]
CALL: Final = "0x06661abd"
CREATION_GAS, CALL_GAS, LIMIT = 0xD81E, 0x65DC, 200_000
START, BLOCK_SECONDS = 1_700_000_000, 12
_ZERO: Final = "0x" + "00" * 32
_NO_BLOOM: Final = "0x" + "00" * 256
_NO_TRANSACTIONS: Final = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
_BLOCK, _TRANSACTION = 1 << 248, 2 << 248


class Unknown(Exception):
    """The node does not offer a method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a transaction stands; the creation is number 0."""

    number: int
    block: int
    index: int

    @property
    def sender(self) -> str:
        """The account that sent it."""
        return f"0x{0xA0 + self.index:040x}"

    @property
    def nonce(self) -> int:
        """How many transactions its sender had sent before."""
        return 0 if not self.number else (self.number - 1) // IN_BLOCK + (self.index == 0)


class CountingChain:
    """Answers requests for a chain with so many calls."""

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self._head = 1 + -(-calls // IN_BLOCK)
        self._methods: dict[str, Callable[..., Any]] = {
            "eth_chainId": lambda: hex(CHAIN),
            "eth_blockNumber": lambda: hex(self._head),
            "eth_getBlockByNumber": self._block,
            "eth_getCode": self._code,
            "eth_getTransactionByHash": lambda text: self._transaction(self._place(text)),
            "eth_getTransactionReceipt": lambda text: self._receipt(self._place(text)),
            "eth_getLogs": lambda _wanted: [],
            "eth_getProof": self._proof,
            "trace_filter": self._filtered,
            "debug_traceTransaction": lambda text, _options: self._trace(self._place(text)),
        }

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a call of JSON-RPC."""
        method = self._methods.get(call["method"])
        if method is None:
            error = {"code": -32601, "message": "the method does not exist"}
            return {"jsonrpc": "2.0", "id": call["id"], "error": error}
        return {"jsonrpc": "2.0", "id": call["id"], "result": method(*call["params"])}

    def _number(self, tag: str) -> int:
        return int(tag, 16) if tag.startswith("0x") else self._head

    def _places(self, block: int) -> list[_Place]:
        if block < 2:
            return [_Place(number=0, block=1, index=0)] * block
        first = (block - 2) * IN_BLOCK
        last = min(first + IN_BLOCK, self._calls)
        return [_Place(number=row + 1, block=block, index=row - first) for row in range(first, last)]

    def _place(self, text: str) -> _Place:
        number = int(text, 16) - _TRANSACTION
        if not number:
            return self._places(1)[0]
        return self._places(2 + (number - 1) // IN_BLOCK)[(number - 1) % IN_BLOCK]

    def _block(self, tag: str, full: bool) -> dict[str, Any] | None:
        number = self._number(tag)
        if number > self._head:
            return None
        places = self._places(number)
        return {
            "hash": f"0x{_BLOCK + number:064x}",
            "parentHash": f"0x{_BLOCK + number - 1:064x}" if number else _ZERO,
            "miner": "0x" + "00" * 20,
            "transactionsRoot": f"0x{_BLOCK + number:064x}" if places else _NO_TRANSACTIONS,
            "logsBloom": _NO_BLOOM,
            "difficulty": "0x0",
            "number": hex(number),
            "gasLimit": "0x5f5e100",
            "timestamp": hex(START + BLOCK_SECONDS * number),
            "mixHash": f"0x{_BLOCK + number:064x}",
            "baseFeePerGas": "0x3b9aca00",
            "transactions": [self._transaction(place) if full else _hash(place) for place in places],
        }

    def _code(self, address: str, tag: str) -> str:
        return CODE if address == CONTRACT and self._number(tag) >= 1 else "0x"

    def _transaction(self, place: _Place) -> dict[str, Any]:
        created = not place.number
        return {
            "type": "0x0",
            "nonce": hex(place.nonce),
            "gasPrice": "0x4a817c800",
            "gas": hex(LIMIT),
            "to": None if created else CONTRACT,
            "value": "0x0",
            "input": CREATION if created else CALL,
            "hash": _hash(place),
            "blockHash": f"0x{_BLOCK + place.block:064x}",
            "blockNumber": hex(place.block),
            "transactionIndex": hex(place.index),
            "from": place.sender,
        }

    def _receipt(self, place: _Place) -> dict[str, Any]:
        created = not place.number
        used = CREATION_GAS if created else CALL_GAS
        return {
            "type": "0x0",
            "status": "0x1",
            "cumulativeGasUsed": hex(used * (place.index + 1)),
            "logs": [],
            "logsBloom": _NO_BLOOM,
            "transactionHash": _hash(place),
            "transactionIndex": hex(place.index),
            "blockHash": f"0x{_BLOCK + place.block:064x}",
            "blockNumber": hex(place.block),
            "gasUsed": hex(used),
            "from": place.sender,
            "to": None if created else CONTRACT,
            "contractAddress": CONTRACT if created else None,
        }

    def _proof(self, _address: str, _keys: list[str], tag: str) -> dict[str, Any]:
        number = self._number(tag)
        return {"storageHash": f"0x{_BLOCK + number:064x}", "codeHash": _ZERO, "nonce": "0x1"}

    def _filtered(self, wanted: dict[str, Any]) -> list[dict[str, Any]]:
        first, last = self._number(wanted["fromBlock"]), self._number(wanted["toBlock"])
        senders, receivers = wanted.get("fromAddress"), wanted.get("toAddress")
        return [
            {
                "action": {"from": place.sender, "callType": "call", "to": CONTRACT},
                "blockNumber": place.block,
                "transactionHash": _hash(place),
                "traceAddress": [],
                "type": "call",
            }
            for block in range(max(1, first), min(last, self._head) + 1)
            for place in self._places(block)
            if (senders is None or place.sender in senders) and (receivers is None or CONTRACT in receivers)
        ]

    def _trace(self, place: _Place) -> dict[str, Any]:
        created = not place.number
        held = max(0, place.number - 1)
        steps = [["R", CONTRACT, "0x0", hex(held)], ["W", CONTRACT, _ZERO, f"0x{held:064x}", hex(held + 1)]]
        return {
            "v": 1,
            "kind": "CREATE" if created else "CALL",
            "from": place.sender,
            "to": CONTRACT,
            "input": CREATION if created else CALL,
            "output": CODE if created else "0x",
            "value": "0x0",
            "tx": "0x",
            "nonce": place.nonce + 1,
            "gasUsed": hex(CREATION_GAS if created else CALL_GAS),
            "error": None,
            "steps": [] if created else steps,
        }


def _hash(place: _Place) -> str:
    return f"0x{_TRANSACTION + place.number:064x}"


class CountingNode(ServerProcess):
    """A process that answers requests for a chain; as a context manager it runs inside the block."""

    def __init__(self, calls: int) -> None:
        super().__init__(serve, calls)


def serve(connection: Connection[str, str], calls: int) -> None:
    """Answer requests for a chain with so many calls, and tell where."""
    chain = CountingChain(calls)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = [chain.answer(call) for call in asked] if isinstance(asked, list) else chain.answer(asked)
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: Any) -> None:
            """Say nothing of clients that were killed."""

    server = Server(("127.0.0.1", 0), Handler)
    connection.send(f"http://127.0.0.1:{server.server_address[1]}")
    server.serve_forever()
