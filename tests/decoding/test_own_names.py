"""What contracts are called: by the user, by their ABI, by themselves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from specminer.contracts.artifact import parse
from specminer.decoding.own_answers import DECIMALS, NAME, SYMBOL, OwnAnswers, own_answers
from specminer.history.contract_history import CONSTRUCTOR, History
from specminer.pipeline import MineOptions, import_traces
from specminer.pipeline.datasets import dataset
from specminer.store import TraceStore
from tests.support.command import specminer


def history(name: str) -> History:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        return store.history(record.chain_id, [record.address])


def test_a_contract_is_asked_for_its_name_where_nobody_recorded_that() -> None:
    token = history("token")
    assert own_answers(token) == OwnAnswers(name="Harbour Coin", symbol="HRB", decimals=18)
    assert own_answers(token).title == "Harbour Coin (HRB)"


def test_what_code_reads_of_unknown_storage_is_no_name() -> None:
    told = history("escrow")
    # returns what slot 0xdead holds, whatever it is asked
    code = bytes.fromhex("61dead545f5260205ff3") + NAME + SYMBOL + DECIMALS
    asked = replace(told, contracts=(replace(told.contracts[0], code=code),))
    assert own_answers(asked) == OwnAnswers(name=None, symbol=None, decimals=0)
    kinds = np.where(told.invocation_kind == CONSTRUCTOR, 1 - CONSTRUCTOR, told.invocation_kind)
    began_later = replace(asked, invocation_kind=kinds.astype(told.invocation_kind.dtype))
    assert own_answers(began_later) == OwnAnswers(name=None, symbol=None, decimals=None)


def test_a_contract_without_such_functions_has_no_name_of_its_own() -> None:
    assert own_answers(history("escrow")).title is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("sol/auction.vy", "auction"),
        ("Auction.sol", "Auction"),
        (r"a\b\Auction.vy", "Auction"),
        ("Vault2.0", "Vault2.0"),
    ],
)
def test_no_contract_is_called_after_a_path(given: str, name: str) -> None:
    text = json.dumps({"contractName": given, "abi": []}).encode()
    assert parse(text, "here").name == name


def test_the_user_names_a_contract(tmp_path: Path) -> None:
    done = specminer(
        "mine",
        "single_auction",
        "--name",
        "The\x1b[31m sale",
        "--no-report",
        "--out",
        "here",
        "--quiet",
        cwd=tmp_path,
    )
    assert done.out.startswith(r"The\x1b[31m sale, 27 contracts")
    assert "\x1b" not in done.out
    assert json.loads((tmp_path / "here" / "automaton.json").read_text())["name"] == "The\x1b[31m sale"
    assert MineOptions().name is None
