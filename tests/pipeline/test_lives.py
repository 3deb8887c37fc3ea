"""Lives: a contract that destroyed itself and was created again is told apart, from a node and from an export."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from specminer.cli import main
from specminer.contracts.artifact import Artifact, parse
from specminer.decoding import HistoryContext, decode
from specminer.history.continuity import unseen_writes
from specminer.history.trace import ContractRecord
from specminer.interaction import split
from specminer.pipeline import Export, MineOptions, Rulebook, import_export, mine
from specminer.pipeline.mining import MiningResult
from specminer.pipeline.reporting import mined_again
from specminer.pipeline.selecting import life_of
from specminer.presentation.interaction_documents import members
from specminer.presentation.lives_text import lives_section
from specminer.presentation.summary import summary
from specminer.sources.txlist import read_transactions
from specminer.specification import Mode, Specification, decode_specification, encode_specification
from specminer.store import TraceStore
from tests.support import phoenix
from tests.support.anvil import Anvil
from tests.support.collecting import CHAIN, address, gather
from tests.support.exporting import write_txlist
from tests.support.lying_node import LyingNode, refuse, without_javascript, without_opcodes

WAYS: Final = ("javascript", "struct logs", "call traces", "export")


@dataclass(frozen=True)
class Lived:
    """The history of a stall with three lives, recorded in one way, and what was mined from it."""

    way: str
    path: Path
    played: phoenix.Played
    mined: MiningResult

    @property
    def address(self) -> str:
        return self.played.stall.address

    @property
    def context(self) -> HistoryContext:
        return self.mined.context


def artifact(name: str = "Stall") -> Artifact:
    """Return the interface of a contract, with its storage layout."""
    output = phoenix.compiled()[name]
    document = {"contractName": name, "abi": output["abi"], "storageLayout": output["storageLayout"]}
    return parse(json.dumps(document).encode(), name)


def recorded(anvil: Anvil, contract: str, way: str, path: Path, first: int | None = None) -> None:
    """Record a contract's history in one way, from a node from a block on."""
    with TraceStore(f"sqlite:///{path}") as store:
        if way == "export":
            listed = write_txlist(anvil, path.with_suffix(".json"))
            export = Export(transactions=read_transactions(listed), origin=str(listed))
            import_export(store, export, Rulebook(chain_id=CHAIN, fork=anvil.hardfork))
        elif way == "javascript":
            gather(store, anvil.url, contract, first=first)
        else:
            change = without_javascript if way == "struct logs" else without_opcodes
            with LyingNode(anvil.url, change) as node:
                gather(store, node.url, contract, first=first)


@pytest.fixture(scope="module")
def chain(tools: Path) -> Iterator[tuple[Anvil, phoenix.Played]]:
    with Anvil(hardfork="shanghai", steps_tracing=True) as anvil:
        yield anvil, phoenix.three_lives(anvil)


@pytest.fixture(scope="module", params=WAYS)
def lived(
    request: pytest.FixtureRequest,
    chain: tuple[Anvil, phoenix.Played],
    tmp_path_factory: pytest.TempPathFactory,
) -> Lived:
    anvil, played = chain
    path = tmp_path_factory.mktemp("lives") / "history.db"
    recorded(anvil, played.stall.address, request.param, path)
    with TraceStore(f"sqlite:///{path}") as store:
        history = store.history(CHAIN, [address(played.stall.address)])
    return Lived(
        way=request.param, path=path, played=played, mined=mine(history, MineOptions(), artifact=artifact())
    )


def moments(spec: Specification) -> list[tuple[int, str]]:
    """Return where lives began and ended, in order."""
    found = [moment for life in spec.history.lives or () for moment in (life.created, life.destroyed)]
    return [(moment.block, moment.transaction) for moment in found if moment is not None]


def test_each_life_tells_where_it_began_and_ended(lived: Lived) -> None:
    spec = lived.mined.specification
    lives = spec.history.lives or ()
    assert [(life.number, life.ended) for life in lives] == [(1, True), (2, True), (3, False)]
    assert moments(spec) == [
        (int(item["blockNumber"], 16), item["transactionHash"]) for item in lived.played.receipts
    ]
    assert {life.contract for life in lives} == {lived.address} == set(spec.contracts)
    assert len({life.code for life in lives if life.code}) <= 1


def test_no_interaction_spans_two_lives(lived: Lived) -> None:
    owners = lived.context.history.invocation_contract
    for wish in (None, "whole", "instance", "sender", *lived.mined.analysis.names):
        interactions = split(lived.mined.analysis, wish)
        pairs = set(zip(interactions.slice.tolist(), owners[interactions.invocation].tolist(), strict=True))
        assert len(pairs) == len(interactions.names), wish
        assert all(f"life {owner + 1}" in interactions.names[number] for number, owner in pairs), wish
    whole = split(lived.mined.analysis, "whole")
    assert whole.mode is Mode.INSTANCE
    assert whole.names == tuple(f"{lived.address}, life {number}" for number in (1, 2, 3))


def test_an_offer_of_one_life_is_none_of_the_next(lived: Lived) -> None:
    spec = lived.mined.specification
    assert spec.interactions.sort is not None
    assert spec.interactions.count == 2 + 6 + 2
    opened = [
        edge for edge in spec.transitions if edge.event.startswith("open") and edge.source == spec.initial
    ]
    assert sum(edge.count for edge in opened if edge.outcome == "returned") == 10
    assert not [edge for edge in opened if edge.outcome != "returned"], "each offer is fresh in its life"


def test_each_life_begins_with_its_constructor_and_empty_storage(lived: Lived) -> None:
    history, accesses = lived.context.history, lived.context.accesses
    created = history.invocation_contract[lived.context.is_constructor & history.accepted]
    assert created.tolist() == [0, 1, 2]
    assert len(unseen_writes(history)) == 0
    assert lived.context.has_creations
    read = accesses.writer >= 0
    writers = history.invocation_contract[accesses.writer[read]]
    assert (writers == history.invocation_contract[accesses.invocation[read]]).all()


def test_what_came_after_the_end_is_no_event(lived: Lived) -> None:
    vain = int(lived.context.is_in_vain.sum())
    assert vain == 2
    explanation = lived.mined.specification.interactions.explanation
    assert "2 calls that came after the contract had destroyed itself, so that no code ran" in explanation
    events = lived.mined.interactions.invocation
    assert not lived.context.is_in_vain[events].any()


def test_a_call_after_the_destruction_in_its_own_transaction_is_of_that_life(lived: Lived) -> None:
    history = lived.context.history
    end = history.transaction_hash.index(bytes.fromhex(lived.played.receipts[3]["transactionHash"][2:]))
    rows = [row for row in range(len(history)) if history.invocation_transaction[row] == end]
    assert len(rows) == 2, "die and buy"
    assert {int(history.invocation_contract[row]) for row in rows} == {1}
    assert not lived.context.is_in_vain[rows].any()
    changed = lived.context.accesses.invocation[lived.context.accesses.effective_write]
    blind = lived.way == "call traces"  # they tell of a transaction's storage as a whole
    assert rows[0 if blind else 1] in changed.tolist(), "the code still ran"


def test_summary_and_documents_tell_the_lives(lived: Lived) -> None:
    spec = lived.mined.specification
    text = summary(spec, width=200)
    assert "The contract has 3 lives" in text
    for number, begin in ((1, 0), (2, 2), (3, 4)):
        receipt = lived.played.receipts[begin]
        block = int(receipt["blockNumber"], 16)
        assert f"- life {number}: created in block {block:,} by {receipt['transactionHash']}; " in text
    assert "goes on; 7 calls" in text
    assert decode_specification(encode_specification(spec)) == spec
    section = lives_section(spec)
    assert section is not None
    assert len(section.rows) == 3
    listed = members(lived.mined.analysis, lived.mined.interactions)
    assert Counter(item["life"] for item in listed) == {1: 2, 2: 6, 3: 2}
    assert all(f"life {item['life']}" in item["name"] for item in listed)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_life_alone_is_what_it_is_among_all(lived: Lived, number: int) -> None:
    with TraceStore(f"sqlite:///{lived.path}") as store:
        history = life_of(store.history(CHAIN, [address(lived.address)]), number)
        mined = mine(history, MineOptions(), artifact=artifact())
        again = mined_again(mined.specification, store, artifact())
    spec = mined.specification
    answers, of_all = history.answers, lived.context.history.answers
    assert answers is not None
    assert of_all is not None
    own = lived.context.history.invocation_contract == number - 1
    assert len(answers.call_to) == int(own[of_all.call_invocation].sum())
    assert answers.invocation_calls.tolist() == of_all.invocation_calls[own].tolist()
    assert len(answers.transaction_tracer) == len(history.transaction_hash)
    assert spec.history.life == number
    assert [life.number for life in spec.history.lives or ()] == [number]
    whole = members(lived.mined.analysis, lived.mined.interactions)
    told = {item["name"]: item["members"] for item in whole if item["life"] == number}
    assert {item["name"]: item["members"] for item in members(mined.analysis, mined.interactions)} == told
    assert again.specification.transitions == spec.transitions
    assert f"Life {number} of the contract alone was mined" in summary(spec, width=200)


def test_the_command_mines_one_life(lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if lived.way != "export":
        pytest.skip("one is enough")
    common = [
        "mine",
        lived.address,
        "--db",
        str(lived.path),
        "--no-report",
        "--quiet",
        "--out",
        str(tmp_path),
    ]
    assert main([*common, "--life", "2"]) == 0
    document = json.loads((tmp_path / "automaton.json").read_text())
    assert document["history"]["life"] == 2
    assert main([*common, "--life", "4"]) == 2
    assert "the contract has 3 lives; give --life 1 to 3" in capsys.readouterr().err


# -- other code in each life --------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_each_life_has_the_code_that_ran_in_it(tools: Path, tmp_path: Path, way: str) -> None:
    output = phoenix.compiled()
    with Anvil(hardfork="shanghai", steps_tracing=True) as anvil:
        user = anvil.accounts[0]
        mold, one, two = (anvil.deploy(user, output[name]) for name in ("Mold", "First", "Second"))
        anvil.block([mold.call(user, "make", one.address)])
        first = anvil.at(mold.read("made"), output["First"]["abi"])
        second = anvil.at(first.address, output["Second"]["abi"])
        anvil.block([first.call(user, "raise"), first.call(user, "raise")])
        anvil.block(
            [first.call(user, "die"), mold.call(user, "make", two.address), second.call(user, "raise")]
        )
        anvil.block([second.call(user, "lower", 4)])
        path = tmp_path / "history.db"
        recorded(anvil, first.address, way, path)
    with TraceStore(f"sqlite:///{path}") as store:
        history = store.history(CHAIN, [address(first.address)])
    context = decode(history)
    codes = [bytes.fromhex(output[name]["evm"]["deployedBytecode"]["object"]) for name in ("First", "Second")]
    assert [record.code for record in context.history.contracts] == codes
    assert {"lower(uint256)", "raise()"} <= {
        item.signature for item in context.interface.functions.values()
    } or {selector.hex() for selector in context.interface.functions} >= {
        second.encode("lower", 1)[2:10],
        first.encode("raise")[2:10],
    }
    spec = mine(history, MineOptions()).specification
    assert "The code of the contract differs between its lives" in summary(spec, width=200)
    assert len(unseen_writes(context.history)) == 0


# -- what a self-destruction does ---------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_since_cancun_only_what_the_transaction_created_is_destroyed(
    tools: Path, tmp_path: Path, way: str
) -> None:
    with Anvil(hardfork="cancun", steps_tracing=True) as anvil:
        user = anvil.accounts[0]
        maker = phoenix.forge(anvil)
        anvil.block([maker.call(user, "make")])
        stall = phoenix.made(anvil, maker)
        anvil.block([stall.call(user, "open", 1, 5), stall.call(user, "die"), stall.call(user, "buy", 1)])
        anvil.block([maker.call(user, "flash", 1)])
        passing = phoenix.made(anvil, maker)
        anvil.block([maker.call(user, "flash", 2)])
        recorded(anvil, stall.address, way, tmp_path / "one.db")
        if way != "export":
            recorded(anvil, passing.address, way, tmp_path / "other.db", first=1)
    with TraceStore(f"sqlite:///{tmp_path}/one.db") as store:
        history = store.history(CHAIN, [address(stall.address)])
    (life,) = decode(history).history.lives
    assert (life.number, life.of, life.ended) == (1, 1, False)
    spec = mine(history, MineOptions(), artifact=artifact()).specification
    assert "destroyed itself in vain in block" in summary(spec, width=200)
    if way == "export":
        return
    with TraceStore(f"sqlite:///{tmp_path}/other.db") as store:
        history = store.history(CHAIN, [address(passing.address)])
    lives = decode(history).history.lives
    assert [(life.number, life.ended) for life in lives] == [(1, True), (2, True)]
    assert [life.created == life.destroyed for life in lives] == [True, True]


def test_a_destruction_that_is_rolled_back_ends_nothing(tools: Path, tmp_path: Path) -> None:
    with Anvil(hardfork="shanghai", steps_tracing=True) as anvil:
        user = anvil.accounts[0]
        maker = phoenix.forge(anvil)
        anvil.block([maker.call(user, "make")])
        stall = phoenix.made(anvil, maker)
        (receipt,) = anvil.block([maker.call(user, "unmakeAndBuy", 1)])
        assert receipt["status"] == "0x0", "there is no such offer"
        recorded(anvil, stall.address, "javascript", tmp_path / "history.db")
    with TraceStore(f"sqlite:///{tmp_path}/history.db") as store:
        assert decode(store.history(CHAIN, [address(stall.address)])).history.lives == ()


# -- lives that are not seen --------------------------------------------------------------------------


@pytest.mark.parametrize("begun", ["before", "between"])
def test_a_life_whose_creation_is_missing_is_told(
    chain: tuple[Anvil, phoenix.Played], tmp_path: Path, begun: str
) -> None:
    anvil, played = chain
    path = tmp_path / "history.db"
    recorded(anvil, played.stall.address, "javascript", path)
    with TraceStore(f"sqlite:///{path}") as store:
        items = list(store.transactions(CHAIN, address(played.stall.address)))
    missing = played.receipts[0 if begun == "before" else 2]["transactionHash"][2:]
    kept = [item for item in items if item.hash.hex() != missing]
    assert len(kept) == len(items) - 1
    with TraceStore("sqlite://") as store:
        key = address(played.stall.address)
        store.register_contract(ContractRecord(address=key, chain_id=CHAIN))
        store.add(CHAIN, key, kept, complete=(1, items[-1].block.number))
        history = store.history(CHAIN, [key])
    lives = decode(history).history.lives
    assert [life.created is None for life in lives] == [begun == "before", begun == "between", False]
    spec = mine(history, MineOptions(), artifact=artifact()).specification
    assert any(
        "of 1 of the 3 lives the history does not hold the creation" in text for text in spec.history.limits
    )
    assert "began before what is read" in summary(spec, width=200)


def test_a_life_that_only_the_code_betrays_is_told(tools: Path, tmp_path: Path) -> None:
    output = phoenix.compiled()
    with Anvil(hardfork="shanghai", steps_tracing=True) as anvil:
        user = anvil.accounts[0]
        mold, one, two = (anvil.deploy(user, output[name]) for name in ("Mold", "First", "Second"))
        anvil.block([mold.call(user, "make", one.address)])
        first = anvil.at(mold.read("made"), output["First"]["abi"])
        anvil.block([first.call(user, "raise"), first.call(user, "raise")])
        recorded(anvil, first.address, "javascript", tmp_path / "history.db")
        anvil.block([first.call(user, "die")])
        anvil.block([mold.call(user, "make", two.address)])
        code = bytes.fromhex(anvil.rpc("eth_getCode", first.address, "latest")[2:])
    key = address(first.address)
    with TraceStore(f"sqlite:///{tmp_path}/history.db") as store:
        assert not decode(store.history(CHAIN, [key])).notes
        store.register_contract(ContractRecord(address=key, chain_id=CHAIN, code=code))
        notes = decode(store.history(CHAIN, [key])).notes
    assert [note for note in notes if "it was created again since" in note]


def test_a_node_that_does_not_filter_traces_may_miss_a_life_without_logs(
    chain: tuple[Anvil, phoenix.Played],
) -> None:
    anvil, played = chain

    def change(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        return refuse(answer) if method == "trace_filter" else answer

    with LyingNode(anvil.url, change) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, played.stall.address)
        history = store.history(CHAIN, [address(played.stall.address)])
    assert any("lives before block" in note and "CREATE2" in note for note in heard.notes)
    assert any("lives before block" in limit for limit in history.limits)
    maker = address(phoenix.forge(anvil).address)  # a contract that a transaction created
    with LyingNode(anvil.url, change) as node, TraceStore("sqlite://") as store:
        heard = gather(store, node.url, f"0x{maker.hex()}")
    assert not any("lives before block" in note for note in heard.notes)
