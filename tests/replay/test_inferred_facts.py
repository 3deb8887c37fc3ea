"""What is left out of an export is inferred where the recorded end leaves one choice; else it is said to be unknown.

A purse is used on a node. Its own list lacks what a relay does with it, and who the receivers of its ether are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from specminer import ReplayOptions, import_history
from specminer.history.trace import Address, Fidelity, Transaction
from specminer.pipeline import collect
from specminer.replay.inferred_facts import separate
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.agreement import differing_fields
from tests.support.anvil import Anvil, Call, Deployed
from tests.support.command import specminer
from tests.support.exporting import write_txlist
from tests.support.solc import compile_sources

SOURCE: Final = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

contract Purse {
    address public keeper;
    address public deputy;
    uint256 public payments;
    uint256 public note;

    receive() external payable {}

    function appoint(address who) external { keeper = who; }

    function pay(address payable to, uint256 amount) external {
        to.transfer(amount);
        payments += 1;
    }

    function payTwo(address payable one, address payable other) external {
        one.transfer(5);
        other.transfer(5);
        payments += 2;
    }

    function write(uint256 what) external {
        require(msg.sender == keeper, "not the keeper");
        note = what;
    }

    /// The keeper or the deputy: both are looked at, and the gas is the same.
    function sign(uint256 what) external {
        unchecked {
            uint256 sender = uint160(msg.sender);
            require((uint160(keeper) ^ sender) * (uint160(deputy) ^ sender) == 0, "neither");
        }
        note = what;
    }
}

contract Relay {
    function hand(address to, bytes calldata data) external payable {
        (bool done, ) = to.call{value: msg.value}(data);
        require(done);
    }
}

contract Wallet {
    uint256 private spare;

    receive() external payable {
        if (msg.value > 1000) spare = 1;
    }
}
"""
FORK: Final = "cancun"
NEWCOMERS: Final = ("0x" + "11" * 20, "0x" + "22" * 20, "0x" + "33" * 20)
"""Accounts that do not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """A purse in use."""

    anvil: Anvil
    folder: Path
    deployed: Deployed
    relay: Deployed
    wallet: Deployed

    def live(self) -> None:
        """Fund the purse, then let it pay: accounts, a wallet, and an account that did not exist."""
        anvil, purse = self.anvil, self.deployed
        owner, other, *_ = anvil.accounts
        for who in anvil.accounts[:6]:
            anvil.block([purse.call(owner, "appoint", who)])
        anvil.block([self.relay.call(owner, "hand", purse.address, b"", value=1_000)])
        anvil.block([purse.call(other, "pay", anvil.accounts[5], 400)])
        anvil.block([purse.call(other, "pay", self.wallet.address, 30)])
        anvil.block([purse.call(other, "pay", NEWCOMERS[0], 20)])
        anvil.block([purse.call(other, "pay", self.wallet.address, 10)])

    def appoint(self) -> None:
        """Name a keeper by way of the relay; what the list shows is that only this one may write."""
        owner, other, *_ = self.anvil.accounts
        data = bytes.fromhex(self.deployed.encode("appoint", other)[2:])
        self.anvil.block([self.deployed.call(other, "write", 1)])
        self.anvil.block([self.relay.call(owner, "hand", self.deployed.address, data)])

    def collected(self) -> dict[bytes, Transaction]:
        """Return what a node tells of each transaction."""
        path = self.folder / "node.db"
        contract = self.contract
        with Node(Endpoint(self.anvil.url)) as node, TraceStore(str(path)) as store:
            collect(store, node, contract)
            return {item.hash: item for item in store.transactions(31337, contract)}

    def imported(self, *, infer: bool = True) -> tuple[list[Transaction], tuple[str, ...], str]:
        """Return what the purse's own list gives, what was inferred, and the summary."""
        listed = write_txlist(self.anvil, self.folder / "list.json", [self.deployed.address])
        database = self.folder / f"import-{infer}.db"
        done = import_history(database, listed, chain_id=31337, replay=ReplayOptions(fork=FORK, infer=infer))
        with TraceStore(str(database)) as store:
            items = list(store.transactions(31337, self.contract))
            return items, separate(store.limits(31337, self.contract))[1], done.summary

    @property
    def contract(self) -> Address:
        return Address(bytes.fromhex(self.deployed.address[2:]))


@pytest.fixture
def purse(tools: Path, tmp_path: Path) -> Iterator[Purse]:
    with Anvil(hardfork=FORK) as anvil:
        compiled = compile_sources({"Purse.sol": SOURCE})
        deployed, relay, wallet = (
            anvil.deploy(anvil.accounts[0], compiled[name]) for name in ("Purse", "Relay", "Wallet")
        )
        yield Purse(anvil=anvil, folder=tmp_path, deployed=deployed, relay=relay, wallet=wallet)


def test_ether_and_receivers_that_no_list_shows_are_inferred(purse: Purse) -> None:
    purse.live()
    recorded = purse.collected()
    items, facts, summary = purse.imported()
    assert {item.fidelity for item in items} == {Fidelity.EXACT}
    assert [differing_fields(item, recorded[item.hash]) for item in items] == [[]] * len(items)
    assert len(items) == 11  # and the relay's transaction is not in the list
    wanted = {
        f"{purse.deployed.address.lower()} had 400 wei or more that no list shows": 1,
        f"{purse.wallet.address.lower()}, which was paid, is a contract that is not at hand": 2,
        f"{NEWCOMERS[0]} did not exist before it was paid": 1,
    }
    for text, count in wanted.items():
        assert sum(text in fact for fact in facts) == count, (text, facts)
    assert "inferred: " in summary
    assert all("(transaction 0x" in fact for fact in facts)


def test_a_balance_is_inferred_as_far_as_it_was_needed(purse: Purse) -> None:
    """Each payment shows only that there was enough for it."""
    purse.live()
    _, facts, _ = purse.imported()
    lacking = [fact for fact in facts if "wei or more that no list shows" in fact]
    assert [int(fact.partition(" had ")[2].partition(" ")[0].replace(",", "")) for fact in lacking]
    needed = sorted(int(fact.partition(" had ")[2].partition(" ")[0]) for fact in lacking)
    assert needed == [10, 20, 30, 400]


def test_a_write_that_no_list_shows_is_inferred(purse: Purse) -> None:
    purse.appoint()
    anvil, other = purse.anvil, purse.anvil.accounts[1]
    anvil.block([purse.deployed.call(other, "write", 77)])
    recorded = purse.collected()
    items, facts, _ = purse.imported()
    assert items[-1].fidelity is Fidelity.UNSEEN
    assert differing_fields(items[-1], recorded[items[-1].hash]) == []
    (fact,) = facts
    assert (
        f"slot 0x0 of {purse.deployed.address.lower()} held {other.lower()}, which no listed call wrote"
        in fact
    )


def test_what_two_slots_explain_is_not_repaired(purse: Purse) -> None:
    """The sender may have become the keeper or the deputy, and nothing tells which."""
    purse.appoint()
    anvil, other = purse.anvil, purse.anvil.accounts[1]
    anvil.block([purse.deployed.call(other, "sign", 77)])
    items, facts, _ = purse.imported()
    assert facts == ()
    (call,) = items[-1].invocations
    assert call.outcome.accepted
    assert [access.after for access in call.accesses[:2]] == [None] * 2
    assert [access.after for access in call.accesses if access.slot == 3] == [None]


def test_which_of_two_receivers_did_not_exist_stays_open(purse: Purse) -> None:
    """One of them did not, and nothing tells which; all that the purse wrote and paid is the same in either case."""
    anvil, other = purse.anvil, purse.anvil.accounts[1]
    anvil.rpc("anvil_setBalance", NEWCOMERS[1], hex(1))
    anvil.block([purse.relay.call(other, "hand", purse.deployed.address, b"", value=100)])
    anvil.block([Call(sender=other, to=purse.deployed.address, value=10)])
    anvil.block([purse.deployed.call(other, "payTwo", NEWCOMERS[1], NEWCOMERS[2])])
    recorded = purse.collected()
    items, facts, _ = purse.imported()
    assert facts == ()
    assert items[-1].fidelity is Fidelity.UNCHECKED
    one, right = items[-1].invocations[0], recorded[items[-1].hash].invocations[0]
    assert (one.accesses, one.outcome, one.payments) == (right.accesses, right.outcome, right.payments)


def test_nothing_is_inferred_if_it_is_turned_off(purse: Purse) -> None:
    purse.live()
    items, facts, summary = purse.imported(infer=False)
    assert facts == ()
    assert "inferred:" not in summary
    marks = [item.fidelity for item in items]
    assert marks == [Fidelity.EXACT] * 7 + [Fidelity.STATUS] * 4
    assert all(item.succeeded for item in items)


def test_what_was_inferred_is_listed_wherever_the_history_goes(purse: Purse) -> None:
    purse.live()
    folder = purse.folder
    write_txlist(purse.anvil, folder / "list.json", [purse.deployed.address])
    options = ["--chain-id", "31337", "--fork", FORK, "--db", "h.db"]
    done = specminer("import", "list.json", *options, cwd=folder)
    assert "inferred: 7 facts that no list shows" in done.out
    assert "and 2 more, which the specification lists" in done.out
    assert (
        "inferred:" not in specminer("import", "list.json", *options, "--no-infer", "--quiet", cwd=folder).out
    )
    specminer("import", "list.json", *options, cwd=folder)
    specminer("export", purse.deployed.address, "--db", "h.db", "--out", "h.jsonl", cwd=folder)
    for source in ((purse.deployed.address, "--db", "h.db"), ("h.jsonl",)):
        out = folder / source[0].replace(".", "")
        mined = specminer("mine", *source, "--out", out, "--verbose", cwd=folder)
        assert "Inferred: 7 facts that no list shows" in " ".join(mined.out.split())
        history = json.loads((out / "automaton.json").read_text())["history"]
        assert len(history["inferred"]) == 7
        assert not any("inferred" in text for text in history["limits"])
        report = (out / "report.html").read_text()
        assert report.count("Inferred: ") == 7
