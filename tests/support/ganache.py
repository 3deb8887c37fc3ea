"""Starts Ganache 7, another real node: its traces are structLogs alone, with numbers in hexadecimal.

It listens on a free loopback port and keeps its chain in memory. Each transaction that is sent is mined at once.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from web3 import Web3

from tests.support.anvil import (
    GAS,
    AnvilFailed,
    Call,
    Deployed,
    MissingPart,
    RpcFailed,
    creation_code,
    tools_dir,
)

START_SECONDS: Final = 60.0
MNEMONIC: Final = "test test test test test test test test test test test junk"
"""Anvil's own, so that both have the same accounts."""
_LISTENING = re.compile(r"RPC Listening on 127\.0\.0\.1:(\d+)")


def ganache_program() -> Path:
    """Return the program's path.

    Raises:
        MissingPart: it is not installed.
    """
    path = tools_dir() / "node_modules" / "ganache" / "dist" / "node" / "cli.js"
    if not path.is_file():
        raise MissingPart(f"missing part: ganache: no {path}; run `make tools`")
    return path


def free_port() -> int:
    """Return a loopback port that nobody listens on: Ganache refuses to choose one itself."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Ganache:
    """A running Ganache; as a context manager it is stopped, and its files removed, at the end."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""
        """The HTTP endpoint."""
        self.accounts: tuple[str, ...] = ()
        """Funded, unlocked accounts, always the same."""

    def __enter__(self) -> Self:
        program = ganache_program()
        self._home = tempfile.TemporaryDirectory(prefix="specminer-ganache-")
        log = Path(self._home.name) / "ganache.log"
        options = [
            "--server.host=127.0.0.1",
            f"--server.port={free_port()}",
            f"--wallet.mnemonic={MNEMONIC}",
            "--miner.timestampIncrement=12",
        ]
        environment = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["node", str(program), *options, "--chain.hardfork=shanghai"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._home.name,
                env=environment | {"HOME": self._home.name},
            )
        try:
            self._wait(log)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            found = _LISTENING.search(log.read_text(errors="replace"))
            if found is not None:
                self.url = f"http://127.0.0.1:{found[1]}"
                self.w3 = Web3(Web3.HTTPProvider(self.url))
                with suppress(ConnectionError):
                    self.accounts = tuple(Web3.to_checksum_address(item) for item in self.rpc("eth_accounts"))
                    return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AnvilFailed(f"ganache gave no answer:\n{log.read_text(errors='replace')[-2000:]}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._home.cleanup()

    def rpc(self, method: str, *params: Any) -> Any:
        """Call a JSON-RPC method and return its result.

        Raises:
            RpcFailed: the node answered with an error.
        """
        answer: Any = self.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        if answer.get("error") is not None:
            raise RpcFailed(method, answer["error"])
        return answer["result"]

    def send(self, call: Call) -> dict[str, Any]:
        """Mine a transaction, also one that reverts, and return its receipt."""
        fields = {"from": call.sender, "data": call.data, "value": hex(call.value), "gas": hex(call.gas)}
        with_to = fields if call.to is None else fields | {"to": call.to}
        number = self.block_number()
        try:
            hashed = self.rpc("eth_sendTransaction", with_to)
        except RpcFailed:  # it says so when what it mined reverted
            (hashed,) = self.rpc("eth_getBlockByNumber", hex(number + 1), False)["transactions"]
        receipt: dict[str, Any] = self.rpc("eth_getTransactionReceipt", hashed)
        return receipt

    def block_number(self) -> int:
        """Return the latest block's number."""
        return int(self.rpc("eth_blockNumber"), 16)

    def deploy(self, sender: str, artifact: Mapping[str, Any], *args: Any, gas: int = 6_000_000) -> Deployed:
        """Deploy an artifact and return the contract."""
        factory = self.w3.eth.contract(abi=artifact["abi"], bytecode=creation_code(artifact))
        data = str(factory.constructor(*args).data_in_transaction)
        receipt = self.send(Call(sender=sender, to=None, data=data, gas=max(gas, GAS)))
        address = Web3.to_checksum_address(receipt["contractAddress"])
        return Deployed(address, artifact["abi"], self.w3.eth.contract(address=address, abi=artifact["abi"]))
