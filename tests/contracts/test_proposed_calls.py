"""``specminer check --call``: a call that is not sent yet is executed, and judged as if it had been."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from specminer import mine
from specminer._support.errors import UsageError
from specminer.contracts.interface import from_artifact
from specminer.pipeline.datasets import dataset
from specminer.pipeline.inputs import read_artifact
from specminer.pipeline.proposing import calldata
from tests.support.anvil import Anvil
from tests.support.boxes import SOURCE
from tests.support.command import Done, specminer
from tests.support.solc import compile_sources

OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("proposed")
    mine("auction_house").write(path, report=False)
    return path


def _judged(folder: Path, *arguments: str) -> Done:
    return specminer("check", "automaton.json", "auction_house", *arguments, cwd=folder)


def test_a_call_that_fits_is_accepted(folder: Path) -> None:
    done = _judged(folder, "--call", "pause()", "--from", OWNER)
    assert done.code == 0
    assert "the call would be accepted" in done.err
    assert "1 call in 1 transaction" in done.out


def test_a_call_that_the_contract_rejects_says_why(folder: Path) -> None:
    done = _judged(folder, "--call", "pause()", "--from", "0x" + "11" * 20)
    assert done.code == 0
    assert "the call would be rejected with" in done.err


def test_a_rejection_without_a_reason_has_none(folder: Path) -> None:
    done = _judged(folder, "--call", "0x", "--from", OWNER)
    assert done.code == 0
    assert "the call would be rejected without a reason" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--call", "pause()"), "give --from ADDRESS"),
        (("--call", "nosuch(1)", "--from", OWNER), "no function 'nosuch' with 1 argument; give the calldata"),
        (("--call", "setle(1)", "--from", OWNER), "did you mean 'settle'?"),
        (("--call", "settle()", "--from", OWNER), "with 0 arguments; there is settle(uint256)"),
        (("--call", "pause()", "--from", OWNER, "--value", str(1 << 256)), "'--value'"),
        (("--call", "pause()", "--from", OWNER, "--time", str(1 << 63)), "'--time'"),
        (("--call", "pause()", "--from", OWNER, "--from-block", "3"), "leave out --from-block"),
        (("--call", "pause()", "--from", OWNER, "--transaction", "0x" + "11" * 32), "leave out --from-block"),
        (("--from", OWNER), "--from is for a call that is not sent yet"),
        (("--value", "0"), "--value is for a call that is not sent yet"),
        (("--time", "5"), "--time is for a call that is not sent yet"),
        (("--call", "settle(one)", "--from", OWNER), "the arguments do not fit settle(uint256)"),
        (("--call", "0x1", "--from", OWNER), "even number of digits"),
        (("--call", "settle", "--from", OWNER), "expected 0x… or function(argument, …)"),
        (("--call", "pause()", "--from", "0x12"), "not an address"),
    ],
)
def test_what_is_no_call(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    done = _judged(folder, *arguments)
    assert (done.code, done.out) == (2, "")
    assert told in done.err


def test_calldata_is_that_of_the_function() -> None:
    artifact = read_artifact(dataset("auction_house").folder / "artifact.json")
    assert artifact is not None
    interface = from_artifact(artifact)
    by_name = calldata("settle(7)", interface)
    assert len(by_name) == 36
    assert calldata("0x" + by_name.hex(), interface) == by_name
    with pytest.raises(UsageError):
        calldata("settle(-1)", interface)


@pytest.mark.node
def test_on_the_state_of_a_node(tools: Path, tmp_path: Path) -> None:
    """What nobody ever called is found before it is sent, and the chain is as it was."""
    output = compile_sources({"Boxes.sol": SOURCE})["Boxes"]
    (tmp_path / "abi.json").write_text(json.dumps(output["abi"]))
    with Anvil() as anvil:
        boxes = anvil.deploy(anvil.accounts[0], output)
        for number in range(1, 16):
            anvil.block([boxes.call(anvil.accounts[1], "put", number, 5)])
        options = ("--rpc", anvil.url, "--db", "h.db")
        mined = specminer(
            "mine", boxes.address, *options, "--abi", "abi.json", "--out", "out", "--no-report", cwd=tmp_path
        )
        assert mined.code == 0, mined.err
        before = anvil.block_number()
        call = ("--call", "put(3, 1)", "--from", anvil.accounts[2])
        known = specminer("check", "out/automaton.json", *options, *call, cwd=tmp_path)
        assert "rejected with 'taken'" in known.err
        odd = specminer(
            "check",
            "out/automaton.json",
            *options,
            "--call",
            "seize(3)",
            "--from",
            anvil.accounts[2],
            cwd=tmp_path,
        )
        assert odd.code == 1
        assert "seize was accepted, which it never was before" in odd.out
        assert anvil.block_number() == before
