"""``specminer export-spec --format foundry``: passes on the recorded contract, fails on one that is not it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
import pytest

from specminer import select
from specminer._support.errors import UsageError
from specminer.export.formats import ExportRequest, export_as
from specminer.export.replayed_calls import constructor_arguments, read_calls
from specminer.pipeline.datasets import dataset
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.selecting import SelectionOptions
from specminer.specification import Specification, encode_specification
from tests.support.anvil import MissingPart
from tests.support.command import specminer
from tests.support.forge import ForgeProject, forge_binary
from tests.support.mined import mined
from tests.support.specifications import HOSTILE_NAMES


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """A dataset's contract, and two lines of it; each is left out in one of its twins."""

    contract: str
    check: str
    """Without it, calls are accepted that should not be."""
    demand: str
    """What the export says then."""
    change: str
    """Without it, a variable keeps what it held."""
    effect: str
    """What the export says then."""


TWINS: Final = {
    "auction_house": Twins(
        contract="AuctionHouse",
        check='require(msg.sender != auction.seller, "AuctionHouse: seller cannot bid");',
        demand="seller != sender",
        change="auction.item = item;",
        effect="auctions[auctionCount].item' = item",
    ),
    "escrow": Twins(
        contract="Escrow",
        check='require(openDeals[msg.sender] < MAX_OPEN, "Escrow: too many open deals");',
        demand="openDeals[sender] < 6",
        change="totalHeld += msg.value;",
        effect="totalHeld' = totalHeld + value",
    ),
    "vaults": Twins(
        contract="Vaults",
        check="if (block.timestamp < vault.unlockedFrom) revert TooEarly(vault.unlockedFrom);",
        demand="now >= unlockedFrom",
        change="created[msg.sender] += 1;",
        effect="created[sender]' = created[sender] + 1",
    ),
    "tender": Twins(
        contract="Tenders",
        check='require(!banned[msg.sender], "Tenders: banned");',
        demand="not banned[sender]",
        change="job.bids += 1;",
        effect="jobs[jobId].bids' = jobs[jobId].bids + 1",
    ),
    "governance": Twins(
        contract="Council",
        check='require(!receipt.voted, "Council: voted already");',
        demand="not receipts[proposalId][sender].voted",
        change="votesCast[msg.sender] += 1;",
        effect="votesCast[sender]' = votesCast[sender] + 1",
    ),
}


@pytest.fixture
def forge(tools: Path) -> Path:
    """Return forge; skip the test where it is not installed."""
    try:
        return forge_binary()
    except MissingPart as error:
        pytest.skip(str(error))


def export(name: str, folder: Path, *options: str) -> str:
    """Return the export of a dataset."""
    (folder / "automaton.json").write_bytes(encode_specification(mined(name).specification))
    done = specminer("export-spec", "automaton.json", name, "--format", "foundry", *options, cwd=folder)
    assert done.code == 0, done.text
    return done.out


@pytest.mark.slow
@pytest.mark.node
@pytest.mark.parametrize("name", TWINS)
def test_the_recorded_contract_passes_and_its_twins_fail(name: str, forge: Path, tmp_path: Path) -> None:
    twins = TWINS[name]
    source = (dataset(name).folder / f"{twins.contract}.sol").read_text()
    sources = {"Recorded.sol": source}
    for file, line in (("Unchecked.sol", twins.check), ("Unchanged.sol", twins.change)):
        assert source.count(line) == 1, line
        sources[file] = source.replace(line, "")
    project = tmp_path / "project"
    project.mkdir()
    forged = ForgeProject(project, sources, {"History.t.sol": export(name, tmp_path)})
    passed = forged.run(f"Recorded.sol:{twins.contract}")
    assert passed == {"test_claims": "", "test_outcomes": "", "invariant_claims": ""}
    unchecked = forged.run(f"Unchecked.sol:{twins.contract}")
    assert f"although this does not hold: {twins.demand}" in unchecked["test_claims"]
    assert "accepted, but was refused" in unchecked["test_outcomes"]
    unchanged = forged.run(f"Unchanged.sol:{twins.contract}")
    assert f"should leave {twins.effect}" in unchanged["test_claims"]


@pytest.mark.slow
@pytest.mark.node
def test_a_proxy_is_replayed_with_the_source_as_its_implementation(forge: Path, tmp_path: Path) -> None:
    folder = dataset("loans").folder
    sources = {name: (folder / name).read_text() for name in ("Desk.sol", "Loans.sol", "LoansV2.sol")}
    check = 'require(extension.offered, "Loans: nothing asked");'
    assert sources["LoansV2.sol"].count(check) == 1
    changed = sources["LoansV2.sol"].replace(check, "").replace("contract LoansV2", "contract Changed")
    project = tmp_path / "project"
    project.mkdir()
    text = export("loans", tmp_path)
    assert "The recorded contract is a proxy." in text
    forged = ForgeProject(project, {**sources, "Changed.sol": changed}, {"History.t.sol": text})
    passed = forged.run("LoansV2.sol:LoansV2")
    assert (passed["test_claims"], passed["test_outcomes"]) == ("", "")
    # forge may find a way that nobody took, but never another implementation, which would accept everything
    assert "accepted although" not in passed["invariant_claims"]
    failed = forged.run("Changed.sol:Changed")
    assert "although this does not hold" in failed["test_claims"]
    assert "accepted, but was refused" in failed["test_outcomes"]


def test_what_is_not_stated_is_listed_twice(tmp_path: Path) -> None:
    (tmp_path / "automaton.json").write_bytes(encode_specification(mined("auction_house").specification))
    options = ("export-spec", "automaton.json", "auction_house", "--format", "foundry", "--out", "Test.sol")
    done = specminer(*options, cwd=tmp_path)
    assert done.code == 0, done.text
    reason = "withdraw: success of payment to sender: it speaks of the success of a call"
    assert f"not stated: {reason}\n" in done.err
    assert f"//   {reason}\n" in (tmp_path / "Test.sol").read_text()
    assert done.out == ""


def test_two_exports_are_the_same_to_the_byte(tmp_path: Path) -> None:
    assert export("auction_house", tmp_path) == export("auction_house", tmp_path)


def test_calls_beyond_the_limit_are_left_out(tmp_path: Path) -> None:
    text = export("auction_house", tmp_path, "--most-calls", "7")
    assert text.count("        _replay(") == 7
    assert "// The first 7 of 371 calls are replayed." in text


def _request(specification: Specification) -> ExportRequest:
    artifact = read_artifact(dataset("auction_house").folder / "artifact.json")
    assert artifact is not None
    history = select(None, SelectionOptions(targets=("auction_house",))).history
    return ExportRequest(specification=specification, artifact=artifact, history=history, most_calls=3)


@pytest.mark.node
def test_hostile_names_compile(forge: Path, tmp_path: Path) -> None:
    spec = mined("auction_house").specification
    guards = tuple(
        replace(guard, conditions=tuple(replace(item, text=name) for item in guard.conditions))
        for guard, name in zip(spec.guards, HOSTILE_NAMES * len(spec.guards), strict=False)
    )
    text = export_as("foundry", _request(replace(spec, name=HOSTILE_NAMES[0], guards=guards))).text
    source = (dataset("auction_house").folder / "AuctionHouse.sol").read_text()
    forged = ForgeProject(tmp_path, {"AuctionHouse.sol": source}, {"History.t.sol": text})
    assert set(forged.run("AuctionHouse.sol:AuctionHouse").values()) == {""}


def test_a_history_without_the_creation_is_refused() -> None:
    artifact = read_artifact(dataset("auction_house").folder / "artifact.json")
    assert artifact is not None
    history = select(None, SelectionOptions(targets=("auction_house",))).history
    later = replace(history, invocation_kind=history.invocation_kind * 0)
    with pytest.raises(UsageError, match="from its creation on"):
        read_calls(later, artifact, 10)


def test_arguments_of_constructors_are_found_behind_the_code() -> None:
    artifact = read_artifact(dataset("auction_house").folder / "artifact.json")
    assert artifact is not None
    inputs = next(entry.inputs for entry in artifact.abi if entry.type == "constructor")
    word = (250).to_bytes(32, "big")
    assert constructor_arguments(b"\x60\x80" * 100 + word, inputs) == word
    texts = (msgspec.structs.replace(inputs[0], type="string"), inputs[0])
    tail = b"".join(number.to_bytes(32, "big") for number in (64, 7, 3)) + b"abc".ljust(32, b"\0")
    assert constructor_arguments(b"\x60\x80" * 100 + tail, texts) == tail
    with pytest.raises(UsageError, match="cannot be told"):
        constructor_arguments(b"\x60" * 20, inputs)
