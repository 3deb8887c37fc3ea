"""Many instances of one contract, mined together: from a node, a database and trace files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from specminer.specification import (
    FamilySummary,
    Mode,
    Specification,
    encode_specification,
    read_specification,
)
from tests.support import yard
from tests.support.anvil import Anvil
from tests.support.command import Done, specminer
from tests.support.yard import DEALS, LIVES, Played


@dataclass(frozen=True)
class Place:
    """A chain with the yard's children on it, and a folder with a database that knows all of them."""

    folder: Path
    url: str
    played: Played

    @property
    def deals(self) -> list[str]:
        return [deal.address for deal in self.played.deals]

    def run(self, *arguments: str) -> Done:
        return specminer(*arguments, cwd=self.folder)

    def mine(self, *arguments: str) -> Specification:
        done = self.run("mine", *arguments, "--out", "out")
        assert done.code == 0, done.text
        return read_specification(self.folder / "out" / "automaton.json")


@pytest.fixture(scope="module")
def shared(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("yard")
    output = yard.compiled()["Deal"]
    abi = {"contractName": "Deal", "abi": output["abi"], "storageLayout": output["storageLayout"]}
    (folder / "deal.json").write_text(json.dumps(abi))
    (folder / "box.json").write_text(json.dumps(yard.compiled()["Box"]["abi"]))
    with Anvil() as anvil:
        played = yard.play(anvil)
        place = Place(folder, anvil.url, played)
        for number, deal in enumerate([*played.deals[::-1], played.lonely]):
            abi_of_one = ("--abi", "deal.json") if number == 3 else ()
            done = place.run("collect", deal.address, "--rpc", anvil.url, "--db", "h.db", *abi_of_one)
            assert done.code == 0, done.text
        for contract in (*played.clones, played.box, played.yard):
            done = place.run("collect", contract.address, "--rpc", anvil.url, "--db", "h.db")
            assert done.code == 0, done.text
        yield place


@pytest.fixture
def place(shared: Place, tmp_path: Path) -> Place:
    for name in ("h.db", "deal.json", "box.json"):
        shutil.copy(shared.folder / name, tmp_path / name)
    return Place(tmp_path, shared.url, shared.played)


def expected(count: int) -> dict[tuple[str, str], int]:
    """Return how often each function ends how over the lives of the first ``count`` deals."""
    found: dict[tuple[str, str], int] = {("constructor", "returned"): count}
    for number in range(count):
        paid = closed = False
        for step in LIVES[number % len(LIVES)]:
            good = not paid if step == "pay" else paid and not closed
            paid, closed = paid or step == "pay", closed or (good and step != "pay")
            key = (step, "returned" if good else "reverted")
            found[key] = found.get(key, 0) + 1
    return found


def counts(spec: Specification) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for edge in spec.transitions:
        key = (edge.function, edge.outcome)
        found[key] = found.get(key, 0) + edge.count
    return found


def test_all_of_one_code_are_found_and_mined_together(place: Place) -> None:
    spec = place.mine("--same-code-as", place.deals[4], "--db", "h.db")
    assert spec.contracts == (*place.deals[:1], place.played.lonely.address, *place.deals[1:])
    assert spec.interactions.mode is Mode.INSTANCE
    assert spec.interactions.count == DEALS + 1
    assert "One interaction per contract" in spec.interactions.explanation
    assert "13 contracts in the database with the code of" in str(spec.history.selection)
    assert spec.history.limits == ()
    assert spec.name == "Deal"  # the artifact of one serves all
    assert counts(spec) == expected(DEALS + 1)
    texts = {text for state in spec.states for text in state.predicates}
    assert any("step" in text for text in texts), texts


def test_the_first_instances_by_creation_are_taken(place: Place) -> None:
    spec = place.mine("--same-code-as", place.deals[4], "--db", "h.db", "--instances", "3")
    assert spec.contracts == (place.deals[0], place.played.lonely.address, place.deals[1])
    assert str(spec.history.selection).startswith("The first 3 by creation of 13 contracts")


def test_named_contracts_give_the_same_in_any_order(place: Place) -> None:
    one = place.mine(*place.deals, "--db", "h.db")
    other = place.mine(*place.deals[::-1], place.deals[0].lower(), "--db", "h.db")
    assert encode_specification(one) == encode_specification(other)
    assert one.contracts == tuple(place.deals)
    assert one.history.selection == "12 contracts, as given."
    assert counts(one) == expected(DEALS)
    assert place.mine(*place.deals, "--db", "h.db", "--instances", "2").contracts == tuple(place.deals[:2])


@pytest.mark.parametrize(("mode", "count"), [("whole", 1), ("instance", DEALS), ("sender", 2 * DEALS)])
def test_the_user_overrules(place: Place, mode: str, count: int) -> None:
    spec = place.mine(*place.deals, "--db", "h.db", "--interactions", mode)
    assert (spec.interactions.mode, len(spec.contracts)) == (Mode(mode), DEALS)
    assert spec.interactions.count is not None
    assert 1 <= spec.interactions.count <= count


def test_contracts_are_collected_from_a_node_one_by_one(place: Place) -> None:
    deals = place.deals[
        5:8
    ]  # each by a transaction of its own, so that their order is known without the factory
    spec = place.mine(*deals, "--rpc", place.url, "--db", "new.db", "--abi", "deal.json")
    assert spec.contracts == tuple(deals)
    again = place.mine(*deals, "--db", "h.db", "--abi", "deal.json")
    yard = place.played.yard.address
    assert spec.history.family == FamilySummary(contracts=3, factory=yard)
    assert again.history.family == FamilySummary(contracts=DEALS, factory=yard)
    again = replace(again, address_names=None, history=replace(again.history, family=spec.history.family))
    assert encode_specification(spec) == encode_specification(again)


def test_families_are_named_in_sentences_and_on_the_page_of_many(place: Place) -> None:
    yard, deals = place.played.yard.address, place.deals
    short = f"{yard[:6]}…{yard[-4:]}"
    alone = place.run("mine", deals[3], "--db", "h.db", "--out", "one")
    assert f"one of {DEALS} contracts of one code of factory {short}" in " ".join(alone.out.split())
    several = place.run("mine", *deals, "--db", "h.db", "--abi", "deal.json", "--out", "all")
    assert f"{DEALS} Deal of factory {short}" in " ".join(several.out.split())
    (place.folder / "list.txt").write_text("\n".join([*deals[:3], place.played.lonely.address, yard]))
    done = place.run("mine", "--contracts", "list.txt", "--db", "h.db", "--out", "many")
    assert f"3 contracts of factory {short}" in done.out, done.text
    page = (place.folder / "many" / "index.html").read_text()
    assert "<h2>Families</h2>" in page
    assert f"3 contracts of factory {short}: " in page
    families = json.loads((place.folder / "many" / "index.json").read_text())["families"]
    assert families == [{"factory": yard, "contracts": deals[:3]}]


def test_an_actor_of_a_family_is_called_so(place: Place) -> None:
    yard = place.played.yard.address
    text = " ".join(place.run("actors", yard, "--db", "h.db", "--fast").out.split())
    spec = place.mine(yard, "--db", "h.db")
    names = spec.address_names or {}
    member = f"of factory {yard[:6]}…{yard[-4:]}"
    assert any(member in name for name in names.values()), (names, text)


def test_clones_are_one_code_and_their_target_another(place: Place) -> None:
    clones = [clone.address for clone in place.played.clones]
    spec = place.mine("--same-code-as", clones[1], "--db", "h.db", "--abi", "box.json")
    # one transaction each, in one block: created in the order of the transactions
    assert spec.contracts == tuple(clones)
    assert counts(spec) == {
        ("constructor", "returned"): 3,
        ("take", "returned"): 3,
        ("take", "reverted"): 3,
    }
    alone = place.mine("--same-code-as", place.played.box.address, "--db", "h.db")
    assert alone.contracts == (place.played.box.address,)
    assert str(alone.history.selection).startswith("1 contract in the database with the code of")


def test_a_factorys_children_are_collected_and_mined(place: Place) -> None:
    yard, deals = place.played.yard.address, place.deals
    rpc = ("--rpc", place.url, "--db", "new.db")
    like = ("--same-code-as", deals[2])
    refused(
        place.run("mine", "--created-by", yard, *rpc),
        2,
        f"12 like {deals[0]}",
        f"3 like {place.played.clones[0].address}",
        f"1 like {place.played.notes[0]}",
        "--same-code-as",
    )
    spec = place.mine("--created-by", yard, *like, *rpc, "--abi", "deal.json")
    assert spec.contracts == tuple(deals)  # what was made and undone again is not among them
    assert counts(spec) == expected(DEALS)
    assert str(spec.history.selection).startswith(f"12 contracts created by {yard}, those with the code of")
    assert spec.history.limits == ()
    from_database = place.mine("--created-by", yard, *like, "--db", "h.db", "--instances", "5")
    assert from_database.contracts == tuple(deals[:5])
    assert counts(from_database) == expected(5)


def test_with_a_node_siblings_come_from_the_factory(place: Place) -> None:
    rpc = ("--rpc", place.url, "--db", "new.db", "--abi", "deal.json")
    spec = place.mine("--same-code-as", place.deals[7], *rpc, "--instances", "9")
    assert spec.contracts == tuple(place.deals[:9])
    assert counts(spec) == expected(9)
    again = place.mine("--same-code-as", place.deals[7], *rpc)
    assert again.contracts == tuple(place.deals)


def test_creations_survive_a_trace_file(place: Place) -> None:
    yard = place.played.yard.address
    assert place.run("export", yard, "--db", "h.db", "--out", "yard.jsonl").code == 0
    lines = (place.folder / "yard.jsonl").read_text().splitlines()
    made = [pair for line in lines[1:] for pair in json.loads(line).get("creations", [])]
    children = [*place.deals[:1], *place.played.notes, *place.deals[1:6]]
    children += [clone.address for clone in place.played.clones] + place.deals[6:]
    assert made == [[yard.lower(), child.lower()] for child in children]
    assert place.run("import", "yard.jsonl", "--db", "copy.db").code == 0
    assert place.run("export", yard, "--db", "copy.db", "--out", "again.jsonl").code == 0
    assert (place.folder / "again.jsonl").read_bytes() == (place.folder / "yard.jsonl").read_bytes()
    done = place.run("mine", "--created-by", yard, "--db", "copy.db")
    refused(done, 3, "16 contracts", "--rpc")


def test_trace_files_of_instances_are_mined_together(place: Place) -> None:
    deals = place.deals[5:]
    for number, deal in enumerate(deals):
        assert place.run("export", deal, "--db", "h.db", "--out", f"{number}.jsonl.gz").code == 0
    files = [f"{number}.jsonl.gz" for number in range(len(deals))]
    spec = place.mine(*files[::-1])
    from_database = place.mine(*deals, "--db", "h.db")
    assert spec.history.family == FamilySummary(contracts=len(deals), factory=place.played.yard.address)
    alone = replace(from_database.history, family=spec.history.family)  # the database holds more of them
    from_database = replace(from_database, address_names=None, history=alone)
    assert encode_specification(spec) == encode_specification(from_database)


def test_contradicting_artifacts_are_told(place: Place) -> None:
    foreign = json.dumps([{"type": "function", "name": "pay", "inputs": [], "stateMutability": "payable"}])
    (place.folder / "half.json").write_text(foreign)
    done = place.run("collect", place.deals[0], "--rpc", place.url, "--db", "h.db", "--abi", "half.json")
    assert done.code == 0, done.text
    spec = place.mine(*place.deals, "--db", "h.db")
    (told,) = (text for text in spec.history.limits if "contradict" in text)
    assert "2 different ones" in told
    assert counts(spec) == expected(DEALS)  # the one that knows more calls is used
    spec = place.mine(*place.deals, "--db", "h.db", "--abi", "deal.json")
    assert spec.history.limits == ()


def test_a_contract_complete_to_an_earlier_block_is_told(place: Place) -> None:
    old = place.mine(*place.deals[:2], "--rpc", place.url, "--db", "old.db", "--to-block", "8")
    assert old.history.limits == ()
    done = place.run("collect", place.deals[0], "--rpc", place.url, "--db", "old.db")
    assert done.code == 0, done.text
    spec = place.mine(*place.deals[:2], "--db", "old.db")
    (told,) = spec.history.limits
    assert told.startswith("1 of 2 contracts")
    assert place.deals[1].lower() in told


def edited(folder: Path, name: str, **changes: Any) -> None:
    """Write a trace file of one contract with a header that was changed."""
    lines = (folder / name).read_text().splitlines()
    header = json.loads(lines[0])
    (folder / f"edited-{name}").write_text("\n".join([json.dumps(header | changes), *lines[1:], ""]))


def refused(done: Done, code: int, *parts: str) -> None:
    assert done.code == code, done.text
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.err
    assert done.err.endswith(errors[0] + "\n")
    for part in parts:
        assert part in errors[0]


def test_what_is_asked_wrongly_is_told(place: Place) -> None:
    deals = place.deals
    for number in range(2):
        place.run("export", deals[number], "--db", "h.db", "--out", f"{number}.jsonl")
    edited(place.folder, "1.jsonl", chain_id=5)
    nobody = "0x" + "11" * 20
    db = ("--db", "h.db")
    refused(place.run("mine", *db), 2, "nothing to mine", "--same-code-as")
    refused(place.run("mine", deals[0], nobody, *db), 3, "holds nothing of", nobody)
    refused(place.run("mine", "--same-code-as", nobody, *db), 3, "holds nothing of", nobody)
    refused(place.run("mine", "--same-code-as", "0x12", *db), 2, "is not an address")
    refused(place.run("mine", deals[0], "--same-code-as", deals[0], *db), 2, "not both")
    refused(place.run("mine", deals[0], "--created-by", deals[0], *db), 2, "not both")
    refused(place.run("mine", "--created-by", nobody, *db), 3, "holds nothing of", nobody)
    refused(place.run("mine", "--created-by", deals[0], *db), 3, "nothing that", "created is in")
    refused(place.run("mine", deals[0], "0.jsonl", *db), 2, "addresses and files")
    refused(place.run("mine", "0.jsonl", "edited-1.jsonl"), 2, "of one chain", "edited-1.jsonl")
    refused(place.run("mine", "0.jsonl", "1.jsonl", "--chain-id", "5"), 2, "is of chain 31337")
    refused(place.run("mine", deals[0], "--instances", "2", *db), 2, "--same-code-as " + deals[0])
    for count in ("0", "-1", "two", str(1 << 64)):
        refused(place.run("mine", *deals, "--instances", count, *db), 2, "--instances", "from 1 to")
    assert place.run("import", "edited-1.jsonl", *db).code == 0
    refused(place.run("mine", deals[0], deals[1], "--chain-id", "5", *db), 3, "on chain 5")
    assert place.mine(deals[0], deals[1], *db).chain_id == 31337  # the one chain that holds both
    refused(place.run("mine", deals[1], *db), 2, "on chains 5, 31337", "--chain-id")
    edited(place.folder, "0.jsonl", chain_id=7)
    assert place.run("import", "edited-0.jsonl", "--db", "two.db").code == 0
    assert place.run("import", "edited-1.jsonl", "--db", "two.db").code == 0
    refused(
        place.run("mine", deals[0], deals[1], "--db", "two.db"), 2, "of one chain", "on chain 7", "on chain 5"
    )


def test_a_contract_whose_code_is_not_known_has_no_siblings(place: Place) -> None:
    place.run("export", place.deals[0], "--db", "h.db", "--out", "0.jsonl")
    header = json.loads((place.folder / "0.jsonl").read_text().splitlines()[0])
    edited(place.folder, "0.jsonl", contract=header["contract"] | {"code": "0x"})
    assert place.run("import", "edited-0.jsonl", "--db", "bare.db").code == 0
    done = place.run("mine", "--same-code-as", place.deals[0], "--db", "bare.db")
    refused(done, 3, "the code of", "is not known")
