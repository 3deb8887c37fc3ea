"""What nodes say of storage beside an export verifies what is executed again, and repairs what is not known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from specminer import import_history
from specminer._support.errors import FileFormatError
from specminer.history.trace import Address, Fidelity, Transaction
from specminer.pipeline.explorer_source import ReplayOptions
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.exporting import txlist
from tests.support.exports import Record
from tests.support.salesroom import drive
from tests.support.tables import octets, write_json, write_lines, write_parquet

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was done with a token, a vault and a sale that call one another, and what a node tells of it."""

    contracts: dict[str, str]
    lists: dict[str, list[Record]]
    replays: list[Any]
    """Answers to ``trace_replayBlockTransactions`` with ``stateDiff``."""
    traces: list[Any]
    """Answers to ``trace_block``."""

    def rows(self, contract: str) -> Rows:
        """Return the net writes of a contract as cryo writes them, from the same answers."""
        found = []
        for answer in self.replays:
            for item in answer:
                storage = item["stateDiff"].get(contract.lower(), {}).get("storage", {})
                for slot, change in sorted(storage.items()):
                    ((kind, value),) = change.items()
                    before, after = (value["from"], value["to"]) if kind == "*" else ("0x" + "00" * 32, value)
                    if kind == "-":
                        before, after = value, "0x" + "00" * 32
                    found.append(
                        {
                            "block_number": 1,
                            "transaction_index": 0,
                            "transaction_hash": octets(item["transactionHash"]),
                            "address": octets(contract),
                            "slot": octets(slot),
                            "from_value": octets(before),
                            "to_value": octets(after),
                            "chain_id": 31337,
                        }
                    )
        return found


@pytest.fixture(scope="module")
def told(tools: Path) -> Told:
    with Anvil() as anvil:
        room = drive(anvil)
        contracts = {name: getattr(room, name).address for name in ("token", "vault", "sale")}
        numbers = [hex(number) for number in range(1, anvil.block_number() + 1)]
        return Told(
            contracts=contracts,
            lists={name: txlist(anvil, [address]) for name, address in contracts.items()},
            replays=[anvil.rpc("trace_replayBlockTransactions", number, ["stateDiff"]) for number in numbers],
            traces=[anvil.rpc("trace_block", number) for number in numbers],
        )


def imported(folder: Path, told: Told, name: str, *files: Path) -> tuple[str, list[Transaction]]:
    """Import one contract's list with files beside it; return the summary and its transactions."""
    listed = write_json(folder / "list.json", told.lists[name])
    replay = ReplayOptions(fork="cancun")
    done = import_history(folder / "h.db", *files, listed, chain_id=31337, replay=replay)
    with TraceStore(str(folder / "h.db")) as store:
        contract = Address(octets(told.contracts[name]))
        return done.summary, list(store.transactions(31337, contract))


def together(told: Told, folder: Path) -> list[Transaction]:
    """Return what all lists together tell of the token."""
    (folder := folder / "all").mkdir()
    lists = [write_json(folder / f"{name}.json", records) for name, records in told.lists.items()]
    import_history(folder / "h.db", *lists, chain_id=31337)
    with TraceStore(str(folder / "h.db")) as store:
        return list(store.transactions(31337, Address(octets(told.contracts["token"]))))


def unknown(items: Sequence[Transaction]) -> int:
    """Return how many values are not known."""
    return sum(
        access.after is None for item in items for call in item.invocations for access in call.accesses
    )


@pytest.mark.node
@pytest.mark.parametrize("form", ["replay", "lines", "cryo"])
def test_every_net_write_is_verified(told: Told, tmp_path: Path, form: str) -> None:
    rows = {name: told.rows(address) for name, address in told.contracts.items()}
    if form == "cryo":
        path = write_parquet(
            tmp_path / "storage_diffs.parquet", [row for item in rows.values() for row in item]
        )
    elif form == "lines":
        path = write_lines(
            tmp_path / "a", [{"jsonrpc": "2.0", "id": 1, "result": item} for item in told.replays]
        )
    else:
        path = write_json(tmp_path / "a", [item for answer in told.replays for item in answer])
    lists = [write_json(tmp_path / f"{name}.json", records) for name, records in told.lists.items()]
    done = import_history(tmp_path / "h.db", path, *lists, chain_id=31337)
    count = sum(len(item) for item in rows.values())
    assert count > 50
    assert f"of {count:,} net writes" in done.summary
    assert f"{count:,} agree" in done.summary
    assert "do not" not in done.summary


@pytest.mark.node
def test_a_wrong_difference_is_named_and_its_value_is_unknown(told: Told, tmp_path: Path) -> None:
    rows = told.rows(told.contracts["token"])
    rows[-1] |= {"to_value": b"\x07" * 32}
    path = write_parquet(tmp_path / "a.parquet", rows)
    lists = [write_json(tmp_path / f"{name}.json", records) for name, records in told.lists.items()]
    done = import_history(tmp_path / "h.db", path, *lists, chain_id=31337)
    assert f"of {len(rows):,} net writes" in done.summary
    assert f"{len(rows) - 1:,} agree; those of 1 transaction do not, and are unknown" in done.summary
    with TraceStore(str(tmp_path / "h.db")) as store:
        token = Address(octets(told.contracts["token"]))
        (limit,) = [text for text in store.limits(31337, token) if "storage differences" in text]
        assert rows[-1]["transaction_hash"].hex() in limit
        assert unknown(list(store.transactions(31337, token))) >= 1


@pytest.mark.node
def test_what_other_contracts_wrote_unseen_is_repaired(told: Told, tmp_path: Path) -> None:
    """The token's own list does not show what the sale minted: without differences, values are in doubt."""
    (bare := tmp_path / "bare").mkdir()
    _, without = imported(bare, told, "token")
    (beside := tmp_path / "beside").mkdir()
    diffs = write_parquet(beside / "d.parquet", told.rows(told.contracts["token"]))
    summary, items = imported(beside, told, "token", diffs)
    assert any(item.fidelity in (Fidelity.UNSEEN, Fidelity.TAINTED) for item in without)
    assert unknown(without) > 0
    assert {item.fidelity for item in items} <= {Fidelity.EXACT, Fidelity.UNCHECKED}
    assert unknown(items) == 0
    assert "were taken from them" in summary
    whole = {item.hash: [call.accesses for call in item.invocations] for item in together(told, tmp_path)}
    assert {
        item.hash: [call.accesses for call in item.invocations] for item in items
    }.items() <= whole.items()


@pytest.mark.node
def test_nested_traces_are_internal_calls(told: Told, tmp_path: Path) -> None:
    """Answers to trace_block show the calls that the sale made; a database of the lists together has the same."""
    path = write_lines(
        tmp_path / "traces", [{"jsonrpc": "2.0", "id": 1, "result": item} for item in told.traces]
    )
    summary, items = imported(tmp_path, told, "token", path)
    assert "100.00% ended as on the chain" in summary
    whole = together(told, tmp_path)
    # views asked by static calls write nothing, so that no list needs them
    writing = {
        item.hash for item in whole if any(access.after != access.before for access in _accesses(item))
    }
    assert writing <= {item.hash for item in items}
    assert len(writing) > len(told.lists["token"]) - 5


def _accesses(item: Transaction) -> list[Any]:
    return [access for call in item.invocations for access in call.accesses]


@pytest.mark.node
def test_calls_without_blocks_are_named(told: Told, tmp_path: Path) -> None:
    heard: list[str] = []

    class Listener:
        def note(self, text: str) -> None:
            heard.append(text)

        def progress(self, seen: Any) -> None:
            pass

    bare = [{key: value for key, value in item.items() if key != "blockNumber"} for item in told.traces[-1]]
    path = write_json(tmp_path / "a", [{"trace": bare, "transactionHash": "0x" + "11" * 32}])
    listed = write_json(tmp_path / "list.json", told.lists["token"])
    import_history(tmp_path / "h.db", path, listed, chain_id=31337, observer=Listener())
    assert [text for text in heard if "does not tell the blocks of" in text]


HASH = "0x" + "11" * 32


@pytest.mark.parametrize(
    ("document", "match"),
    [
        ([{"stateDiff": {}, "trace": []}], "does not say of which transaction it is"),
        ([{"transactionHash": HASH, "stateDiff": {"0x1": {}}}], "account should be 0x and 40"),
        (
            [{"transactionHash": HASH, "stateDiff": {"0x" + "22" * 20: {"storage": {"0x0": 5}}}}],
            "a change in",
        ),
        (
            [{"action": {"from": 5}, "traceAddress": [], "blockNumber": 1, "transactionHash": HASH}],
            "should be",
        ),
        ([{"action": {}, "x": 1}, {"traceAddress": [1]}], "neither a trace nor the answer"),
        ([5, {"action": {}}], "expected an object of a trace, got 5"),
    ],
)
def test_what_is_no_trace_is_refused(tmp_path: Path, document: Any, match: str) -> None:
    path = tmp_path / "a"
    path.write_text(json.dumps(document))
    with pytest.raises(FileFormatError, match=match):
        import_history(tmp_path / "h.db", path, chain_id=31337)
    assert not (tmp_path / "h.db").exists()
