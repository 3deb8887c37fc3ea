"""A block explorer on this machine: answers in Etherscan's dialect, with its limits, and on demand with lies."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.support.exports import CREATED, Record

Query = dict[str, str]
Change = Callable[[Query, Any], Any]
"""Takes a query and the honest answer; returns the answer to give: an object, or (HTTP status, bytes, headers)."""


def ok(result: Any) -> dict[str, Any]:
    return {"status": "1", "message": "OK", "result": result}


def refused(text: str) -> dict[str, Any]:
    return {"status": "0", "message": "NOTOK", "result": text}


@dataclass
class Served:
    """What an explorer knows of one contract, and how it is limited."""

    address: str = CREATED
    transactions: Sequence[Record] = ()
    calls: Sequence[Record] = ()
    abi: str | None = None
    creation: dict[str, Any] | None = None
    node: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Transactions in a node's form, by hash."""
    head: int | None = 10_000_000
    key: str | None = None
    largest_page: int = 1_000
    """More is refused in words, as by a free key."""
    cap: int | None = None
    """More is cut off without a word."""
    window: int = 10_000
    limit_every: int = 0
    """Each n-th request is refused for its rate."""
    quota: int | None = None
    """Requests until the daily quota is used up."""
    blockscout: bool = False
    """Speak as Blockscout does: no module proxy."""


class LocalExplorer:
    """The running explorer; :attr:`seen` has every query that came."""

    def __init__(self, served: Served, change: Change | None = None) -> None:
        self.served = served
        self.change = change
        self.seen: list[Query] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
                outer.headers.append(dict(self.headers.items()))
                status, body, headers = outer._reply(query)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                with suppress(ConnectionError):  # whoever asked was killed, or has enough
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def asked(self, action: str) -> list[Query]:
        """Return the queries of one action."""
        return [query for query in self.seen if query.get("action") == action]

    def _reply(self, query: Query) -> tuple[int, bytes, dict[str, str]]:
        self.seen.append(query)
        answer = self._answer(query)
        if self.change is not None:
            answer = self.change(query, answer)
        if isinstance(answer, tuple):
            return answer
        return 200, json.dumps(answer).encode(), {"Content-Type": "application/json"}

    def _answer(self, query: Query) -> Any:
        served = self.served
        if served.limit_every and len(self.seen) % served.limit_every == 0:
            return refused("Max calls per sec rate limit reached (3/sec)")
        if served.quota is not None and len(self.seen) > served.quota:
            return refused("Max daily rate limit reached. 100000 (100%) of 100000 day/limit")
        if served.key is not None and query.get("apikey") != served.key:
            return refused(
                "Missing/Invalid API Key" if "apikey" not in query else "Invalid API Key (#err2)|key"
            )
        match (query.get("module"), query.get("action")):
            case ("account", "txlist"):
                return self._page(query, served.transactions)
            case ("account", "txlistinternal"):
                return self._page(query, served.calls)
            case ("contract", "getabi"):
                known = served.abi is not None and query["address"] == served.address
                return ok(served.abi) if known else refused("Contract source code not verified")
            case ("contract", "getcontractcreation"):
                known = served.creation is not None and query["contractaddresses"] == served.address
                return ok([served.creation]) if known else refused("No data found")
            case ("proxy", "eth_blockNumber") if not served.blockscout and served.head is not None:
                return {"jsonrpc": "2.0", "id": 83, "result": hex(served.head)}
            case ("block", "eth_block_number") if served.blockscout and served.head is not None:
                return {"jsonrpc": "2.0", "id": 1, "result": hex(served.head)}
            case ("proxy", "eth_getTransactionByHash") if not served.blockscout:
                return {"jsonrpc": "2.0", "id": 1, "result": served.node.get(query["txhash"])}
            case _ if served.blockscout:
                return {"status": "0", "message": "Unknown action", "result": None}
            case _:
                return refused("Error! Missing Or invalid Action name")

    def _page(self, query: Query, records: Sequence[Record]) -> Any:
        served = self.served
        page, offset = int(query["page"]), int(query["offset"])
        if page * offset > served.window:
            return refused(
                "Result window is too large, PageNo x Offset size must be less than or equal to 10000"
            )
        if offset > served.largest_page:
            return refused(
                f"Page size too large: at most {served.largest_page} records, choose a smaller result"
            )
        if served.cap is not None:
            offset = min(offset, served.cap)
        start, end = int(query["startblock"]), int(query["endblock"])
        found = [
            record
            for record in records
            if query["address"] == served.address and start <= int(record["blockNumber"]) <= end
        ]
        found = found[(page - 1) * offset : page * offset]
        if not found:
            return {"status": "0", "message": "No transactions found", "result": []}
        return ok([record | {"confirmations": str(len(self.seen))} for record in found])
