"""One history, recorded on a node and written in every format, gives one specification but for what a page lists."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from specminer import import_history, mine
from specminer.history.trace import Address
from specminer.pipeline import collect
from specminer.sources.endpoint import Endpoint
from specminer.sources.javascript import tracer_source
from specminer.sources.node import Node
from specminer.sources.prestate import CALL_OPTIONS, DIFF_OPTIONS, PRESTATE_OPTIONS
from specminer.sources.struct_logs import OPTIONS
from specminer.specification import encode_specification
from specminer.store import TraceStore
from tests.support import till
from tests.support.anvil import Anvil
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.tables import FORMATS, octets, write_json, write_parquet

pytestmark = pytest.mark.node

PAGE: Final = Path(__file__).parent.parent.parent / "docs" / "how-to" / "formats.md"
RUNS: Final[dict[str, dict[str, Callable[[Address], Mapping[str, Any]]]]] = {
    "our tracer": {"javascript": lambda contract: {"tracer": tracer_source([contract])}},
    "structLogs": {"structLogs": lambda contract: OPTIONS},
    "callTracer and prestateTracer": {
        "calls": lambda contract: CALL_OPTIONS,
        "before": lambda contract: PRESTATE_OPTIONS,
        "changes": lambda contract: DIFF_OPTIONS,
    },
}
"""What a node is asked for, by the format of traces that its answers are."""
Document = dict[str, Any]
Saved = Mapping[str, Mapping[str, Any]]


class Recorded:
    """A till that was used: its specification from a node, its transactions, and the tracers' answers."""

    def __init__(self, folder: Path) -> None:
        """Use it."""
        with Anvil(steps_tracing=True) as anvil:
            deployed = anvil.deploy(anvil.accounts[0], till.compiled()["Till"])
            till.drive(anvil, deployed, rounds=3)
            self.records: list[Record] = txlist(anvil)
            self.contract = Address(bytes.fromhex(deployed.address[2:]))
            self.answers: Saved = {
                name: {
                    record["hash"]: anvil.rpc(
                        "debug_traceTransaction", record["hash"], options(self.contract)
                    )
                    for record in self.records
                }
                for kinds in RUNS.values()
                for name, options in kinds.items()
            }
            with Node(Endpoint(anvil.url)) as node, TraceStore(str(folder / "node.db")) as store:
                collect(store, node, self.contract)
        self.expected = mined(folder / "node.db", self.contract)


def mined(database: Path, contract: Address) -> Document:
    """Return the specification as ``automaton.json`` has it."""
    abi = database.parent / "abi.json"
    abi.write_text(json.dumps({key: till.compiled()["Till"][key] for key in ("abi", "storageLayout")}))
    result = mine(database, f"0x{contract.hex()}", abi=abi)
    document: Document = json.loads(encode_specification(result.specification))
    return document


@pytest.fixture(scope="module")
def recorded(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Record it once."""
    return Recorded(tmp_path_factory.mktemp("recorded"))


def differing(one: Any, other: Any, path: str = "") -> set[str]:
    """Return the fields in which two documents differ, down to fields of fields; lists are compared whole."""
    if isinstance(one, dict) and isinstance(other, dict) and path.count(".") < 1:
        fields = [f"{path}.{key}" if path else key for key in sorted({*one, *other})]
        return set().union(
            *(
                differing(one.get(key.rpartition(".")[2]), other.get(key.rpartition(".")[2]), key)
                for key in fields
            )
        )
    return set() if one == other else {path}


def listed(given: str) -> set[str]:
    """Return the fields that the page lists for what was given."""
    section = PAGE.read_text().partition("## What differs in the specification")[2].partition("\n## ")[0]
    row = next(line for line in section.splitlines() if line.startswith(f"| {given} |"))
    return set(re.findall(r"`([\w.]+)`", row.split("|")[2]))


def write_traces(recorded: Recorded, given: str, folder: Path) -> list[Path]:
    """Write answers of a node's tracers as somebody saves them."""
    files = [write_json(folder / "list.json", recorded.records)]
    for name in RUNS[given]:
        answers = recorded.answers[name].items()
        files.append(
            write_json(folder / f"{name}.json", [{"txHash": key, "result": item} for key, item in answers])
        )
    return files


def write_cryo_traces(recorded: Recorded, folder: Path) -> list[Path]:
    """Write our tracer's answers as cryo's table."""
    rows = [
        {"block_number": 1, "transaction_hash": octets(key), "output": json.dumps(item), "chain_id": 31337}
        for key, item in recorded.answers["javascript"].items()
    ]
    return [
        *FORMATS["cryo-parquet"](folder, recorded.records),
        write_parquet(folder / "javascript_traces.parquet", rows),
    ]


Writer = Callable[[Recorded, Path], list[Path]]
GIVEN: Final[dict[str, tuple[str, Writer]]] = {
    **{
        name: ("transactions", lambda recorded, folder, name=name: FORMATS[name](folder, recorded.records))  # type: ignore[misc]
        for name in FORMATS
    },
    **{
        name: (name, lambda recorded, folder, name=name: write_traces(recorded, name, folder))  # type: ignore[misc]
        for name in RUNS
    },
    "our tracer, cryo": ("our tracer", write_cryo_traces),
}
"""How a history is written, with what the page calls it."""


@pytest.mark.parametrize("name", GIVEN)
def test_the_specification_is_the_recorded_one_but_for_what_the_page_lists(
    recorded: Recorded, tmp_path: Path, name: str
) -> None:
    given, write = GIVEN[name]
    import_history(tmp_path / "h.db", *write(recorded, tmp_path), chain_id=31337)
    assert differing(recorded.expected, mined(tmp_path / "h.db", recorded.contract)) == listed(given)
