"""One door to a block explorer that speaks Etherscan's dialect: Etherscan itself, Blockscout and others.

A request is ``?module=..&action=..``, an answer ``{"status": "1", "message": "OK", "result": ...}``; what
goes wrong comes with HTTP 200, status ``"0"`` and a text in ``result``. What may pass (a rate limit, a timeout,
a busy server) is tried again with growing pauses, and after a rate limit requests are spaced out; what will
not pass (a wrong key, a daily quota) is raised at once. The key and the URL appear nowhere but on the wire.

Sources: the API documentation of Etherscan (v2) and of Blockscout.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar
from urllib.parse import parse_qs, quote, quote_plus, urlsplit

import msgspec
import requests
import urllib3.exceptions

from specminer._support.errors import InvalidNodeResponse, NodeRefused, NodeUnreachable, UsageError
from specminer._support.nesting import check_nesting
from specminer.history.trace import Address, Hash
from specminer.sources.endpoint import Endpoint
from specminer.sources.export_fields import Fields, RecordError
from specminer.sources.exported import ExportedTransaction, transaction_of
from specminer.sources.node import came, octets, quantity
from specminer.sources.retrying import PASSING_STATUS, PassingFailure, Retries

TIMEOUT: Final = 60
"""Seconds to wait for the next bytes of an answer."""
DEADLINE: Final = 300
"""Seconds that an answer may take altogether."""
CONNECT_TIMEOUT: Final = 10
MAX_ANSWER: Final = 64 << 20
"""Bytes of an answer, unpacked."""

_NOTHING: Final = re.compile(r"\bno\b.*\bfound\b")
_QUOTA: Final = ("daily", "per day", "/day", "monthly", "quota")
_BAD_KEY: Final = re.compile(
    r"(invalid|missing|unknown|expired|disabled).{0,20}api.?key|api.?key.{0,20}(invalid|missing)"
)
_SMALLER: Final = ("window is too large", "smaller result", "smaller range", "too large", "pageno")
_PASSING: Final = ("rate limit", "too many", "try again", "timeout", "timed out", "busy", "temporarily")


_T = TypeVar("_T")


class TooMuch(NodeRefused):
    """The explorer, or our own limit, refuses an answer of that size; smaller pages may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerAnswer:
    """What an explorer answered to one request."""

    result: Any
    complete: bool = True
    """False if it says itself that it has not processed all blocks asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractOrigin:
    """How a contract came to be, as an explorer knows it."""

    transaction: Hash
    creator: Address
    """Who sent that transaction."""
    factory: Address | None
    """The contract that created it in that transaction, if one did."""
    code: bytes | None
    """Creation code with constructor arguments, where the explorer has it."""


def explorer_endpoint(url: str, key: str | None) -> Endpoint:
    """Read an explorer's address and key, which are never quoted.

    Raises:
        UsageError: one of them is malformed.

    """
    if "://" not in url or not url.lower().startswith(("http://", "https://")):
        raise UsageError("--explorer wants the URL of the explorer's API, such as https://HOST/api")
    if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,200}", key):
        raise UsageError("the explorer's key should be up to 200 printable characters without spaces")
    return Endpoint(url, secrets=() if key is None else (key, quote(key, safe=""), quote_plus(key)))


def chain_of_url(url: str) -> int | None:
    """Return the chain that an explorer's URL asks for itself (``chainid=1``), if it does.

    Raises:
        UsageError: what it asks for is no number.

    """
    query = parse_qs(urlsplit(url).query)
    chain_ids = {value for name in ("chainid", "chain_id") for value in query.get(name, [])}
    if not chain_ids:
        return None
    if len(chain_ids) == 1 and re.fullmatch("[0-9]{1,18}", text := chain_ids.pop()) and int(text):
        return int(text)
    raise UsageError("the chain id in the explorer's URL should be one number, such as chainid=1")


class ExplorerClient:
    """An explorer that answers; close it after use or use it as a context manager."""

    def __init__(
        self,
        endpoint: Endpoint,
        chain_id: int,
        *,
        key: str | None = None,
        timeout: float = TIMEOUT,
        pause: float = 1.0,
    ) -> None:
        self.endpoint = endpoint
        self.chain_id = chain_id
        self.requests = 0
        """How many requests were sent."""
        self._fixed = {} if chain_of_url(endpoint.url) is not None else {"chainid": str(chain_id)}
        if key is not None:
            self._fixed["apikey"] = key
        self._timeout = timeout
        self._pause = pause
        self._retries = Retries(pause)
        self._interval = 0.0
        """Seconds from one request to the next; grows with each rate limit."""
        self._last = 0.0
        self._session = requests.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    # -- what can be asked ------------------------------------------------------------------------

    def records(self, action: str, address: Address, **params: int) -> tuple[list[Any], bool]:
        """Return one page of ``txlist`` or ``txlistinternal``, and whether the explorer has all of that range.

        Raises:
            NodeUnreachable: no answer, after all tries.
            TooMuch: the page is too large to be answered.
            NodeRefused: the explorer answered with an error.
            InvalidNodeResponse: what came is no list.

        """
        texts = {name: str(value) for name, value in params.items()}
        answer = self.ask("account", action, address=f"0x{address.hex()}", sort="asc", **texts)
        page = [] if answer.result is None else answer.result
        if not isinstance(page, list):
            raise self._invalid_answer(f"{action} should be a list of records, got {came(page)}")
        return page, answer.complete

    def newest_block(self) -> int | None:
        """Return the newest block that the explorer knows; ``None`` if it does not tell.

        Raises:
            NodeUnreachable: no answer, after all tries.
            InvalidNodeResponse: what came is no number.

        """
        number = self._try("proxy", "eth_blockNumber")
        if number is None:
            number = self._try("block", "eth_block_number")  # how Blockscout calls it
        return None if number is None else self._read(lambda: quantity(number, "the newest block"))

    def abi(self, address: Address) -> bytes | None:
        """Return the contract's ABI as JSON; ``None`` if the explorer has none, because it has no source.

        Raises:
            NodeUnreachable: no answer, after all tries.
            InvalidNodeResponse: what came is no text.

        """
        text = self._try("contract", "getabi", address=f"0x{address.hex()}")
        if text is None:
            return None
        if not isinstance(text, str):
            raise self._invalid_answer(f"getabi should be a text, got {came(text)}")
        return text.encode()

    def creation(self, address: Address) -> ContractOrigin | None:
        """Return how a contract was created; ``None`` if the explorer does not know.

        Raises:
            NodeUnreachable: no answer, after all tries.
            InvalidNodeResponse: what came is about another contract, or malformed.

        """
        entries = self._try("contract", "getcontractcreation", contractaddresses=f"0x{address.hex()}")
        if not entries:
            return None
        entry = entries[0] if isinstance(entries, list) else None
        if not isinstance(entry, Mapping):
            raise self._invalid_answer(
                f"getcontractcreation should be a list of objects, got {came(entries)}"
            )
        if str(entry.get("contractAddress", "")).lower() != f"0x{address.hex()}":
            raise self._invalid_answer("getcontractcreation is about another contract than the one asked for")

        def read() -> ContractOrigin:
            factory, code = entry.get("contractFactory"), entry.get("creationBytecode")
            return ContractOrigin(
                transaction=Hash(octets(entry.get("txHash"), "txHash", 32)),
                creator=Address(octets(entry.get("contractCreator"), "contractCreator", 20)),
                factory=Address(octets(factory, "contractFactory", 20)) if factory else None,
                code=octets(code, "creationBytecode") if code and code != "0x" else None,
            )

        return self._read(read)

    def transaction(self, hash_: Hash) -> ExportedTransaction | None:
        """Return a transaction by its hash, without how it ended; ``None`` if the explorer does not tell.

        Raises:
            NodeUnreachable: no answer, after all tries.
            InvalidNodeResponse: what came is another transaction, or malformed.

        """
        text = f"0x{hash_.hex()}"
        fields = self._try("proxy", "eth_getTransactionByHash", txhash=text)
        if fields is None:
            return None
        if not isinstance(fields, Mapping):
            raise self._invalid_answer(f"eth_getTransactionByHash should be an object, got {came(fields)}")
        item = self._read(lambda: transaction_of(_from_node(fields), 0))
        if item.hash != hash_:
            raise self._invalid_answer(
                "eth_getTransactionByHash is about another transaction than the one asked for"
            )
        return item

    # -- how it is asked --------------------------------------------------------------------------

    def ask(self, module: str, action: str, **params: str) -> ExplorerAnswer:
        """Return the answer to one request.

        Raises:
            NodeUnreachable: no answer, after all tries.
            TooMuch: the answer is too large.
            NodeRefused: the explorer answered with an error.

        """
        query = {"module": module, "action": action, **params, **self._fixed}
        return self._retries.run(lambda: self._meaning(action, self._fetch(query, action)))

    def _try(self, module: str, action: str, **params: str) -> Any:
        """Return what is asked for, ``None`` if the explorer refuses: not every one knows every request."""
        try:
            return self.ask(module, action, **params).result
        except NodeRefused as refusal:
            if refusal.values.get("lasting"):
                raise
            return None

    def _invalid_answer(self, what: str) -> InvalidNodeResponse:
        return InvalidNodeResponse(f"{self.endpoint.label} gave an answer that cannot be: {what}")

    def _read(self, read: Callable[[], _T]) -> _T:
        try:
            return read()
        except (RecordError, InvalidNodeResponse) as error:
            raise self._invalid_answer(self.endpoint.redact(error)) from None

    def _fetch(self, query: Mapping[str, str], action: str) -> bytes:
        """Send one request and return the body of the answer."""
        label = self.endpoint.label
        pause = self._last + self._interval - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        self._last = time.monotonic()
        self.requests += 1
        try:
            with self._session.get(
                self.endpoint.url,
                params=query,
                headers={"User-Agent": "specminer", "Accept": "application/json"},
                timeout=(min(CONNECT_TIMEOUT, self._timeout), self._timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                self._check_status(response, action)
                return self._body(response, action)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            silent = isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError)
            what = "did not answer in time" if silent else "cannot be reached"
            raise PassingFailure(
                NodeUnreachable(
                    f"{label} {what}; check that the explorer's address is right and that it runs"
                )
            ) from None
        except (ValueError, UnicodeError):
            raise NodeUnreachable(f"{label} cannot be asked: its address is no usable URL") from None

    def _check_status(self, response: requests.Response, action: str) -> None:
        status = response.status_code
        if status == 200:
            return
        self._retries.has_answered = True
        hint = _HTTP_HINTS.get(
            status, " (a redirection): give the address that it leads to" * (300 <= status < 400)
        )
        refusal = NodeRefused(
            f"{self.endpoint.label} answered {action} with HTTP {status}{hint}",
            code=status,
            lasting=status not in (400, 404, 405, 422, 501),
        )
        if status not in PASSING_STATUS:
            raise refusal
        if status == 429:
            self._slow_down()
        after = response.headers.get("Retry-After", "")
        raise PassingFailure(refusal, wait=min(int(after), 120) if re.fullmatch("[0-9]{1,4}", after) else 0)

    def _body(self, response: requests.Response, action: str) -> bytes:
        """Return what came, unpacked; it is measured while it comes."""
        parts, size, begun = [], 0, time.monotonic()
        while part := response.raw.read1(1 << 16, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER:
                raise TooMuch(
                    f"{self.endpoint.label} answered {action} with more than {MAX_ANSWER >> 20} MiB",
                    lasting=True,
                )
            if time.monotonic() - begun > min(DEADLINE, 5 * self._timeout):
                raise TimeoutError
        return b"".join(parts)

    def _slow_down(self) -> None:
        self._interval = min(max(2 * self._interval, self._pause / 4), 10 * self._pause)

    def _meaning(self, action: str, body: bytes) -> ExplorerAnswer:
        """Return what a body says; raise what it refuses."""
        try:
            check_nesting(body)
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError):
            answer = None
        if not isinstance(answer, dict) or not {"result", "error", "message"} & answer.keys():
            raise NodeRefused(
                f"{self.endpoint.label} answered, but not as an explorer's API does; check that the address is that "
                "of the API, which often ends in /api",
                lasting=True,
            )
        self._retries.has_answered = True
        status, result = str(answer.get("status", "")), answer.get("result")
        message = str(answer.get("message", ""))
        if "error" in answer and answer["error"] is not None:
            error = answer["error"]
            raise self._refusal(action, str(error.get("message") if isinstance(error, dict) else error))
        if status == "1" or ("jsonrpc" in answer and not status):
            return ExplorerAnswer(result=result)
        if status == "2" and (result is None or isinstance(result, list)):
            return ExplorerAnswer(result=result, complete=False)
        reason = result if isinstance(result, str) and result else message
        if status == "0" and not result and _NOTHING.search(message.lower()):
            return ExplorerAnswer(result=[])
        raise self._refusal(action, reason)

    def _refusal(self, action: str, reason: str) -> Exception:
        """Return what a refusal in words means."""
        words, label = reason.lower(), self.endpoint.label
        text = f"{label} refused {action}: {self.endpoint.redact(reason or 'no reason given')}"
        if any(word in words for word in _QUOTA):
            return NodeRefused(
                f"{text}; what was read is kept: go on when the quota is renewed, or with another key",
                lasting=True,
            )
        if _BAD_KEY.search(words):
            return NodeRefused(
                f"{text}; give a valid key in an environment variable, and its name with --explorer-key-env",
                lasting=True,
            )
        if any(word in words for word in _SMALLER):
            return TooMuch(text, lasting=True)
        if any(word in words for word in _PASSING):
            if "rate" in words or "too many" in words:
                self._slow_down()
            return PassingFailure(NodeRefused(text, lasting=True))
        return NodeRefused(text)


def _from_node(fields: Mapping[str, Any]) -> Fields:
    """Return a transaction in a node's form as the record that an explorer would make of it."""
    numbers = ("blockNumber", "transactionIndex", "value", "gas", "gasPrice", "nonce")
    amounts = {name: quantity(fields[name], name) for name in numbers if fields.get(name) is not None}
    return amounts | {name: fields.get(name) for name in ("hash", "blockHash", "from", "to", "input")}


_HTTP_HINTS: Final[Mapping[int, str]] = {
    401: " (unauthorised): it wants a key; name its environment variable with --explorer-key-env",
    403: " (forbidden): the key or this machine is not allowed to use it",
    404: " (not found): the path of its address is wrong; that of an API often ends in /api",
    429: " (too many requests)",
}

__all__ = [
    "ContractOrigin",
    "ExplorerAnswer",
    "ExplorerClient",
    "TooMuch",
    "chain_of_url",
    "explorer_endpoint",
]
