"""Feeds mutated answers of a node and mutated files to specminer: ``python -m benchmarks.hostile [COUNT] [SEED]``.

Whatever comes, a run ends well or with one of specminer's own errors, nothing is stored by half, and the memory stays
bounded. A real node (anvil) is recorded once; its answers are then played from memory, with mutations. Files are
given to the functions that read them, and to the command line (:mod:`benchmarks.hostile_commands`). Prints how the
runs ended, the peak of memory, and each failure with the number that repeats it:
``python -m benchmarks.hostile 1 SEED NUMBER``.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import resource
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from benchmarks.hostile_commands import Broken, attack_by_command, originals
from benchmarks.hostile_tables import attack_by_table, table_originals
from specminer._support.errors import SpecminerError
from specminer.contracts.artifact import load
from specminer.contracts.interface import from_artifact
from specminer.decoding.storage_layout import Layout
from specminer.history.trace import Address
from specminer.learning.abstraction_definition import check_forms
from specminer.learning.abstraction_definition import load as load_definition
from specminer.pipeline import collect, export_traces, import_traces
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.sources.transport import Transport, UnreadableAnswer
from specminer.sources.txlist import kind_of, read_calls, read_transactions
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.lying_node import Change, LyingNode, without_javascript, without_opcodes
from tests.support.machine import compiled, script
from tests.support.mutations import mutated, scrambled

MAX_MEMORY: Final = 1 << 30
"""Bytes that the whole process may take."""
MAX_ADDRESSES: Final = 4 << 30
"""Bytes of addresses that the process may ask for, so that what goes wrong ends it and not the machine."""
Key = tuple[str, str]
"""Method and parameters as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a node answered, by request, and what is true."""

    answers: Mapping[Key, Any]
    contract: Address
    trace_file: bytes
    export: tuple[Record, ...]
    """The same history as an explorer would list it."""
    state: bytes
    """The state behind the contract's creation, as the node dumps it: JSON."""


class PlayedTransport:
    """Answers from memory; ``change`` may alter each of them."""

    def __init__(self, answers: Mapping[Key, Any], change: Callable[[Any], Any]) -> None:
        self.received = 0
        self._answers = answers
        self._change = change

    async def one(self, call: tuple[str, tuple[Any, ...]]) -> Any:
        """Answer one request."""
        unknown = {"error": {"code": -32601, "message": "not recorded"}}
        answer = self._change({"jsonrpc": "2.0", "id": 1} | self._answers.get(key_of(*call), unknown))
        if not isinstance(answer, dict):
            raise UnreadableAnswer
        return answer

    async def many(self, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Answer a batch."""
        return [await self.one(call) for call in calls]

    async def close(self) -> None:
        """Nothing is open."""


def played(answers: Mapping[Key, Any], change: Callable[[Any], Any]) -> Node:
    """Return a node whose answers come from memory."""
    node = Node(Endpoint("http://127.0.0.1:9"), pause=0, retries=2)
    node._connect().dispatcher.upstreams[0].transport = cast("Transport", PlayedTransport(answers, change))
    return node


def key_of(method: str, params: Sequence[Any]) -> Key:
    """Return what a request is known by."""
    return method, json.dumps(params, sort_keys=True)


def recorded() -> list[Recording]:
    """Return what a node answers to a collection, once for each tracer."""
    source = random.Random(3)
    with Anvil(steps_tracing=True) as anvil:
        machine = anvil.deploy(anvil.accounts[0], compiled()["Machine"])
        state = gzip.decompress(bytes.fromhex(anvil.rpc("anvil_dumpState")[2:]))
        scripts = [bytes([2, 1, 1]), bytes([1, 0, 5, 3, 1, 1]), script(source), bytes([1, 0, 0, 4, 0, 0])]
        for text in scripts:
            anvil.block([machine.call(anvil.accounts[1], "run", [machine.address] * 3, text, gas=300_000)])
        contract = Address(bytes.fromhex(machine.address[2:]))
        export = tuple(txlist(anvil, [machine.address]))
        return [
            _recording(anvil.url, contract, change, export, state)
            for change in (_honest, without_javascript, without_opcodes)
        ]


def _honest(_method: str, _params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    return answer


def _recording(
    url: str, contract: Address, change: Change, export: tuple[Record, ...], state: bytes
) -> Recording:
    """Collect a contract and keep what the node answered."""
    answers: dict[Key, Any] = {}

    def keep(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        shown = change(method, params, answer)
        answers[key_of(method, params)] = {name: shown[name] for name in ("result", "error") if name in shown}
        return shown

    with (
        LyingNode(url, keep) as relay,
        TraceStore("sqlite://") as store,
        Node(Endpoint(relay.url)) as node,
        tempfile.TemporaryDirectory() as folder,
    ):
        collect(store, node, contract)
        path = Path(folder) / "a.jsonl"
        export_traces(store, 31337, contract, path)
        return Recording(
            answers=answers, contract=contract, trace_file=path.read_bytes(), export=export, state=state
        )


def attack_by_node(recording: Recording, source: random.Random) -> None:
    """Collect from a node some of whose answers are mutated; check that nothing is stored by half."""
    share = source.choice((0.005, 0.02, 0.1, 0.5))

    def change(answer: Any) -> Any:
        return mutated(answer, source) if source.random() < share else answer

    with TraceStore("sqlite://") as store, played(recording.answers, change) as node:
        try:
            collect(store, node, recording.contract)
        finally:
            check_whole(store, recording.contract)


def check_whole(store: TraceStore, contract: Address) -> None:
    """Read back all that is stored: each transaction is whole, and lies in a complete range."""
    for item in store.contracts():
        ranges = store.ranges(item.chain_id, contract)
        for transaction in store.transactions(item.chain_id, contract):
            assert any(low <= transaction.block.number <= high for low, high in ranges), (
                "outside of every range"
            )
            for call in transaction.invocations:
                assert call.gas_used >= 0, "negative gas"
        store.history(item.chain_id, [contract])


def attack_by_trace_file(recording: Recording, source: random.Random, path: Path) -> None:
    """Import a mutated trace file: whole, or not at all."""
    lines = recording.trace_file.splitlines()
    if source.random() < 0.5:
        row = source.randrange(len(lines))
        lines[row] = json.dumps(mutated(json.loads(lines[row]), source)).encode("utf-8", "surrogatepass")
        data = b"\n".join(lines) + b"\n"
    else:
        data = scrambled(recording.trace_file, source)
    path.write_bytes(gzip.compress(data) if source.random() < 0.1 else data)
    with TraceStore("sqlite://") as store:
        try:
            import_traces(store, path)
        except SpecminerError:
            assert not any(item.transactions for item in store.contracts()), "half of a file was stored"
            raise
        check_whole(store, recording.contract)


FILES: Final[tuple[tuple[str, Callable[[Path], object]], ...]] = (
    ("abi", lambda path: _whole_artifact(path)),
    ("toml", lambda path: check_forms(load_definition(path), str(path))),
    ("txlist", lambda path: read_transactions(path) if kind_of(path) else None),
    ("internal", read_calls),
)


def _whole_artifact(path: Path) -> None:
    artifact = load(path)
    from_artifact(artifact)
    if artifact.storage_layout is not None:
        Layout(artifact.storage_layout, str(path))


def seeds() -> dict[str, list[bytes]]:
    """Return files of each kind to mutate."""
    machine = compiled()["Machine"]
    abi = json.dumps(machine["abi"]).encode()
    layout = json.dumps({"abi": machine["abi"], "storageLayout": machine.get("storageLayout")}).encode()
    answer = json.dumps({"status": "1", "message": "OK", "result": abi.decode()}).encode()
    readable = json.dumps(
        ["function put((uint256 a, bytes b)[2] x) view returns (bool)", "receive()"]
    ).encode()
    table = (
        "| Name | Type | Slot | Offset | Bytes | Contract |\n|---|---|---|---|---|---|\n"
        "| m | mapping(address => uint256) | 0 | 0 | 32 | C |\n"
    )
    toml = (
        'name = "x"\n[state]\nfix = ["a = 1 and (b > 2 or not c)"]\nforbid = ["d"]\n'
        '[weights]\nlabel = 1.5\n[events.split]\nf = ["value > 0"]\n'
    )
    record = {
        "blockNumber": "7", "timeStamp": "1518202600", "hash": "0x" + "01" * 32, "from": "0x" + "0a" * 20,
        "to": "0x" + "0b" * 20, "value": "0", "gas": "21000", "gasUsed": "21000", "input": "0x12345678",
        "contractAddress": "", "isError": "0", "txreceipt_status": "1", "nonce": "0", "gasPrice": "1",
    }  # fmt: skip
    call = {name: record[name] for name in ("blockNumber", "hash", "from", "to", "value", "input")} | {
        "type": "call", "traceId": "0_1", "isError": "0"
    }  # fmt: skip
    row = {
        "transaction_hash": "0x" + "02" * 32, "block_number": "7", "from_address": "0x" + "0a" * 20, "error": None,
        "to_address": "0x" + "0b" * 20, "value": "0", "input": "0x", "trace_type": "call", "trace_address": "0,1",
    }  # fmt: skip
    csv_text = ",".join(record) + "\n" + ",".join(record.values()) + "\n"
    return {
        "abi": [abi, layout, answer, table.encode(), readable],
        "toml": [toml.encode()],
        "txlist": [json.dumps([record]).encode(), csv_text.encode()],
        "internal": [json.dumps([call]).encode(), json.dumps([row, row | {"trace_address": "0"}]).encode()],
    }


def attack_by_file(
    kind: str, read: Callable[[Path], object], originals: Sequence[bytes], source: random.Random, path: Path
) -> None:
    """Read a mutated file of some kind."""
    original = source.choice(originals)
    data = scrambled(original, source)
    if original[:1] in (b"[", b"{") and source.random() < 0.5:
        data = json.dumps(mutated(json.loads(original), source)).encode("utf-8", "surrogatepass")
    path.write_bytes(data)
    read(path)


KINDS: Final = ("node", "traces", "abi", "toml", "txlist", "internal", "table", "table", "command", "command")
"""What is attacked, one as often as it stands here."""


def run(
    count: int, seed: int, recordings: Sequence[Recording], first: int = 0, *, telling: int = 0
) -> tuple[Counter[str], list[str]]:
    """Do ``count`` attacks, from the one numbered ``first`` on; return how they ended, and what must not have happened.

    After each ``telling`` attacks a line on stderr says how far it is.
    """
    ended: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        attacker = _Attacker(recordings, Path(folder))
        for number in range(first, first + count):
            try:
                ended[attacker.attack(random.Random(seed * 1_000_003 + number))] += 1
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # anything else is what is looked for
                failures.append(
                    f"{number}: {attacker.kind}: {type(error).__name__}: {error!s:.300}\n{_place(error)}"
                )
            if telling and (number + 1 - first) % telling == 0:
                print(
                    f"{number + 1:,} attacks, {len(failures)} failures, {peak() >> 20:,} MiB",
                    *failures[-1:],
                    file=sys.stderr,
                    flush=True,
                )
    return ended, failures


class _Attacker:
    """Does one attack after another."""

    def __init__(self, recordings: Sequence[Recording], folder: Path) -> None:
        self.kind = ""
        """What the last attack was on."""
        self._recordings = recordings
        self._folder = folder
        self._files = seeds()
        (folder / "originals").mkdir()
        self._tables = table_originals(
            recordings[0].export,
            [item.answers for item in recordings],
            recordings[0].state,
            folder / "tables",
        )
        self._given = originals(recordings[0].trace_file, recordings[0].export, folder / "originals")

    def attack(self, source: random.Random) -> str:
        """Attack once; return what was attacked and how that ended."""
        path = self._folder / "hostile"
        self.kind = kind = source.choice(KINDS)
        try:
            if kind == "node":
                attack_by_node(source.choice(self._recordings), source)
            elif kind == "traces":
                attack_by_trace_file(source.choice(self._recordings), source, path)
            elif kind == "table":
                attack_by_table(self._tables, source, self._folder)
            elif kind == "command":
                self.kind, code = attack_by_command(self._given, source, self._folder)
                return f"{self.kind}: exit code {code}"
            else:
                attack_by_file(kind, dict(FILES)[kind], self._files[kind], source, path)
        except SpecminerError as error:
            if "\n" in error.message or len(error.message) > 3_000:
                raise Broken(f"a message of {len(error.message)} characters") from None
            return f"{kind}: {type(error).__name__}"
        return f"{kind}: taken"


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join(f"    {frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-6:])


def peak() -> int:
    """Return the most memory that this process has taken, in bytes (Linux: VmHWM, which forgets the parent's)."""
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if found is not None:
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Run from the command line."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    recordings = recorded()
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESSES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    ended, failures = run(count, seed, recordings, first, telling=500)
    for name, times in sorted(ended.items()):
        print(f"{times:>8,}  {name}")
    print(f"peak of memory: {peak() / (1 << 20):,.0f} MiB")
    print(f"{len(failures):,} failures")
    for text in failures[:20]:
        print(text)
    sys.exit(1 if failures or peak() > MAX_MEMORY else 0)


if __name__ == "__main__":
    main()
