"""Starts anvil, a real Ethereum node, for tests and recordings, and fills its chain deterministically.

A node gets a free loopback port and a private ``HOME`` that is removed afterwards. Two chains filled by
the same calls are equal to the last block hash, because nothing is left to the clock: genesis has a
fixed time, each block is :data:`BLOCK_SECONDS` after its parent unless a time is asked for,
transactions carry explicit nonces, gas and gas price, and the pool keeps their order.
"""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from web3 import Web3
from web3.contract import Contract

PROJECT: Final = Path(__file__).resolve().parents[2]
"""The project root."""
GENESIS_TIME: Final = 1_700_000_000
"""Unix seconds of block 0 unless another time is asked for."""
BLOCK_SECONDS: Final = 12
"""Seconds from a block to the next unless a time is asked for."""
GAS: Final = 1_000_000
"""Gas limit of a call that names none."""
GAS_PRICE: Final = 20_000_000_000
"""Wei per gas of every call: far above any base fee of these short chains."""

_START_SECONDS = 120.0
_LISTENING = re.compile(r"Listening on (127\.0\.0\.1):(\d+)")


class MissingPart(RuntimeError):
    """A program that ``make tools`` installs is not there."""


class AnvilFailed(RuntimeError):
    """The node did not start, or did not mine what it was given."""


class RpcFailed(RuntimeError):
    """The node answered with a JSON-RPC error."""

    def __init__(self, method: str, error: Mapping[str, Any]) -> None:
        super().__init__(f"{method}: {error.get('code')}: {error.get('message')}")
        self.method = method
        self.code = error.get("code")
        self.data = error.get("data")


def tools_dir() -> Path:
    """Return the folder that holds ``node_modules``: ``$SPECMINER_TOOLS``, else ``.tools`` of the project."""
    return Path(os.environ.get("SPECMINER_TOOLS") or PROJECT / ".tools")


def anvil_binary() -> Path:
    """Return the platform's own anvil binary, so that the process started is the node itself.

    Raises:
        MissingPart: it is not installed.
    """
    folder = tools_dir() / "node_modules" / "@foundry-rs"
    found = sorted(folder.glob("anvil-*/bin/anvil"))
    if not found:
        raise MissingPart(f"missing part: anvil: no {folder}/anvil-*/bin/anvil; run `make tools`")
    return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One transaction to be sent: everything but its nonce."""

    sender: str
    to: str | None
    """``None`` creates a contract."""
    data: str = "0x"
    value: int = 0
    """Wei."""
    gas: int = GAS
    label: str = ""
    """For the caller's own bookkeeping; never sent."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A contract on the chain, with the ABI to encode calls to it."""

    address: str
    abi: list[dict[str, Any]]
    _contract: Contract = field(repr=False, compare=False)

    def call(
        self, sender: str, function: str, *args: Any, value: int = 0, gas: int = GAS, label: str = ""
    ) -> Call:
        """Return the call of a function, by name or full signature."""
        return Call(
            sender=sender,
            to=self.address,
            data=self.encode(function, *args),
            value=value,
            gas=gas,
            label=label,
        )

    def encode(self, function: str, *args: Any) -> str:
        """Return the calldata of a function's call as ``0x...``."""
        return str(self._contract.encode_abi(function, args=list(args)))

    def read(self, function: str, *args: Any) -> Any:
        """Return what a view function answers at the latest block."""
        return self._contract.get_function_by_name(function)(*args).call()


class Anvil:
    """A running anvil; as a context manager it is stopped, and its files removed, at the end.

    Args:
        hardfork: the EVM's rules, by anvil's names.
        timestamp: Unix seconds of block 0; ``None`` takes the clock's time.
        block_seconds: from a block to its child unless told otherwise; ``None`` lets the clock decide.
        chain_id: the chain's id.
        accounts: how many funded, unlocked accounts (10,000 ether each); always the same addresses.
        automine: mine a block for each transaction sent; else only :meth:`mine` and :meth:`block` mine.
        steps_tracing: record each step, without which ``structLogs`` are empty.
        code_size_limit: whether EIP-170 holds.
        block_gas: gas limit of a block; room for 50 transactions of ``GAS`` and more.
        ipc: listen on a Unix socket too, :attr:`ipc_path`.
        extra: further arguments of anvil.
    """

    def __init__(
        self,
        *,
        hardfork: str = "cancun",
        timestamp: int | None = GENESIS_TIME,
        block_seconds: int | None = BLOCK_SECONDS,
        chain_id: int = 31337,
        accounts: int = 30,
        automine: bool = True,
        steps_tracing: bool = False,
        code_size_limit: bool = True,
        block_gas: int = 100_000_000,
        ipc: bool = False,
        extra: Sequence[str] = (),
    ) -> None:
        self.hardfork = hardfork
        self.chain_id = chain_id
        self._block_seconds = block_seconds
        self._automine = automine
        self._ipc = ipc
        self._options = [
            *("--host", "127.0.0.1", "--port", "0"),
            *("--hardfork", hardfork, "--chain-id", str(chain_id)),
            *("--accounts", str(accounts), "--gas-limit", str(block_gas), "--order", "fifo"),
            *(("--timestamp", str(timestamp)) if timestamp is not None else ()),
            *(() if automine else ("--no-mining",)),
            *(("--steps-tracing",) if steps_tracing else ()),
            *(() if code_size_limit else ("--disable-code-size-limit",)),
            *extra,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._home: Path | None = None
        self._port = 0
        self._connection: http.client.HTTPConnection | None = None
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._w3: Web3 | None = None
        self._accounts: tuple[str, ...] = ()

    # -- life -----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        if self._process is None:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the node and wait until it answers.

        Raises:
            MissingPart: anvil is not installed.
            AnvilFailed: it ended or gave no answer; the message holds what it printed.
        """
        if self._process is not None:
            raise AnvilFailed("this anvil runs already")
        binary = anvil_binary()
        self._home = Path(tempfile.mkdtemp(prefix="specminer-anvil-"))
        try:
            arguments = [str(binary), *self._options]
            if self._ipc:
                arguments += ["--ipc", str(self._home / "anvil.ipc")]
            environment = {
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("XDG_", "FOUNDRY_", "ANVIL_")) and "PROXY" not in name.upper()
            }
            environment |= {"HOME": str(self._home), "TMPDIR": str(self._home), "NO_COLOR": "1"}
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._home,
                    env=environment,
                )
            self._wait()
            if self._block_seconds is not None:
                self.rpc("anvil_setBlockTimestampInterval", self._block_seconds)
            self._accounts = tuple(Web3.to_checksum_address(each) for each in self.rpc("eth_accounts"))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the process that was started, and remove its files; harmless when nothing runs."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._w3 = None
        home, self._home = self._home, None
        if home is not None:
            shutil.rmtree(home, ignore_errors=True)

    @property
    def _log(self) -> Path:
        if self._home is None:
            raise AnvilFailed("this anvil does not run")
        return self._home / "anvil.log"

    def _wait(self) -> None:
        """Wait until the log names the port and the node answers there."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            listening = _LISTENING.search(self.output())
            if listening:
                self._port = int(listening[2])
                with suppress(ConnectionError):
                    self.rpc("eth_chainId")
                    return
            if self._process.poll() is not None:
                raise AnvilFailed(
                    f"anvil ended with code {self._process.returncode} instead of listening:\n{self.output()}"
                )
            time.sleep(0.01)
        raise AnvilFailed(f"anvil gave no answer within {_START_SECONDS:.0f} s:\n{self.output()}")

    def output(self) -> str:
        """Return what anvil printed so far."""
        return self._log.read_text(errors="replace")

    # -- where it is ----------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The node's process id."""
        if self._process is None:
            raise AnvilFailed("this anvil does not run")
        return self._process.pid

    @property
    def url(self) -> str:
        """The HTTP endpoint."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def ws_url(self) -> str:
        """The WebSocket endpoint, on the same port."""
        return f"ws://127.0.0.1:{self._port}"

    @property
    def ipc_path(self) -> Path:
        """The Unix socket, for an anvil started with ``ipc=True``."""
        if not self._ipc or self._home is None:
            raise AnvilFailed("this anvil was not started with ipc=True, or it does not run")
        return self._home / "anvil.ipc"

    @property
    def w3(self) -> Web3:
        """A connected Web3, always the same one."""
        if self._w3 is None:
            self._w3 = Web3(Web3.HTTPProvider(self.url))
        return self._w3

    @property
    def accounts(self) -> tuple[str, ...]:
        """The funded accounts as checksum addresses, in anvil's order."""
        return self._accounts

    # -- the node's own methods -----------------------------------------------------------------

    def rpc(self, method: str, *params: Any) -> Any:
        """Call a JSON-RPC method over one kept connection and return its result.

        Raises:
            RpcFailed: the node answered with an error.
        """
        body = json.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})
        with self._lock:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
            try:
                self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
                answer = json.loads(self._connection.getresponse().read())
            except BaseException:
                self._connection.close()
                self._connection = None
                raise
        if "error" in answer:
            raise RpcFailed(method, answer["error"])
        return answer["result"]

    def mine(self, n: int = 1) -> None:
        """Mine blocks with what the pool holds, and then empty ones."""
        for _ in range(n):
            self.rpc("evm_mine")

    def set_next_timestamp(self, t: int) -> None:
        """Give the next block this time (Unix seconds), which must not lie before its parent's."""
        self.rpc("evm_setNextBlockTimestamp", t)

    def now(self) -> int:
        """Return the latest block's time, Unix seconds."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def block_number(self) -> int:
        """Return the latest block's number."""
        return int(self.rpc("eth_blockNumber"), 16)

    # -- filling the chain ----------------------------------------------------------------------

    def block(self, calls: Sequence[Call], *, timestamp: int | None = None) -> list[dict[str, Any]]:
        """Mine one block of exactly these transactions, in this order, and return their receipts.

        A transaction that reverts is mined like any other (``status`` is ``0x0``).

        Raises:
            AnvilFailed: not all of them got into the block (their gas limits exceed the block's).
        """
        with self._mining_by_hand():
            nonces: dict[str, int] = {}
            hashes = []
            for call in calls:
                if call.sender not in nonces:
                    pending = self.rpc("eth_getTransactionCount", call.sender, "pending")
                    nonces[call.sender] = int(pending, 16)
                hashes.append(self._send(call, nonces[call.sender]))
                nonces[call.sender] += 1
            if timestamp is not None:
                self.set_next_timestamp(timestamp)
            self.mine()
        receipts: list[dict[str, Any]] = self.rpc("eth_getBlockReceipts", "latest")
        mined = [receipt["transactionHash"] for receipt in receipts]
        if mined != hashes:
            gas = sum(call.gas for call in calls)
            raise AnvilFailed(
                f"a block of {len(hashes)} transactions with {gas} gas was meant; "
                f"anvil mined {len(mined)}, or in another order"
            )
        return receipts

    def send_signed(self, raw: str) -> dict[str, Any]:
        """Mine one block of a transaction that is signed already, and return its receipt."""
        with self._mining_by_hand():
            hashed = self.rpc("eth_sendRawTransaction", raw)
            self.mine()
        receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", hashed)
        if receipt is None:
            raise AnvilFailed(f"the block that was mined does not hold the transaction {hashed}")
        return receipt

    def blocks(self, batches: Sequence[tuple[int | None, Sequence[Call]]]) -> list[list[dict[str, Any]]]:
        """Mine a block for each pair of time (or ``None``) and calls; see :meth:`block`."""
        return [self.block(calls, timestamp=timestamp) for timestamp, calls in batches]

    def deploy(
        self,
        sender: str,
        artifact: Mapping[str, Any],
        *args: Any,
        value: int = 0,
        gas: int = 10_000_000,
        timestamp: int | None = None,
    ) -> Deployed:
        """Deploy an artifact in a block of its own and check that it left code.

        ``artifact`` is solc's output for a contract, or any mapping with ``abi`` and ``bytecode``.
        """
        abi, code = artifact["abi"], creation_code(artifact)
        factory = self.w3.eth.contract(abi=abi, bytecode=code)
        data = factory.constructor(*args).data_in_transaction
        call = Call(sender=sender, to=None, data=str(data), value=value, gas=gas)
        (receipt,) = self.block([call], timestamp=timestamp)
        address = Web3.to_checksum_address(receipt["contractAddress"])
        if receipt["status"] != "0x1" or self.rpc("eth_getCode", address, "latest") == "0x":
            raise AnvilFailed(f"the deployment failed or left no code: {receipt['transactionHash']}")
        return self.at(address, abi)

    def at(self, address: str, abi: list[dict[str, Any]]) -> Deployed:
        """Return a contract that is on the chain already."""
        checksum = Web3.to_checksum_address(address)
        return Deployed(checksum, abi, self.w3.eth.contract(address=checksum, abi=abi))

    def touching(self, address: str) -> dict[str, int]:
        """Return how many call frames ran at an address, by hash of the transaction, in chain order.

        The node's own ``callTracer`` is asked about every transaction of the chain: an oracle for what a
        collector must find. Delegate calls into the address do not count, its creation does.
        """
        found: dict[str, int] = {}
        for number in range(self.block_number() + 1):
            for transaction in self.rpc("eth_getBlockByNumber", hex(number), False)["transactions"]:
                trace = self.rpc("debug_traceTransaction", transaction, {"tracer": "callTracer"})
                frames = _frames_at(trace, address.lower())
                if frames:
                    found[transaction] = frames
        return found

    def block_hashes(self) -> list[str]:
        """Return the hashes of all blocks from genesis on."""
        return [
            self.rpc("eth_getBlockByNumber", hex(number), False)["hash"]
            for number in range(self.block_number() + 1)
        ]

    def _send(self, call: Call, nonce: int) -> str:
        fields = {
            "from": call.sender,
            "data": call.data,
            "value": hex(call.value),
            "gas": hex(call.gas),
            "gasPrice": hex(GAS_PRICE),
            "nonce": hex(nonce),
        }
        return str(self.rpc("eth_sendTransaction", fields if call.to is None else {**fields, "to": call.to}))

    @contextmanager
    def _mining_by_hand(self) -> Iterator[None]:
        if not self._automine:
            yield
            return
        self.rpc("evm_setAutomine", False)
        try:
            yield
        finally:
            self.rpc("evm_setAutomine", True)


def creation_code(artifact: Mapping[str, Any]) -> str:
    """Return an artifact's creation code as ``0x...``: of solc's output or of a Truffle-like artifact.

    Raises:
        ValueError: the code is empty (an abstract contract) or needs libraries linked.
    """
    code = artifact["bytecode"] if "bytecode" in artifact else artifact["evm"]["bytecode"]
    text = str(code["object"] if isinstance(code, Mapping) else code)
    text = text if text.startswith("0x") else f"0x{text}"
    if len(text) <= 2 or not re.fullmatch("0x[0-9a-fA-F]+", text):
        raise ValueError(f"no creation code that can be deployed, but {text[:80]!r}")
    return text


def _frames_at(frame: Mapping[str, Any], address: str) -> int:
    here = str(frame.get("to", "")).lower() == address and frame["type"] not in ("DELEGATECALL", "CALLCODE")
    return here + sum(_frames_at(call, address) for call in frame.get("calls", ()))
