"""Attacks that were played on a node rank first by transaction; the recordings stay out of the project."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from specminer.pipeline import MineOptions, import_traces, mine
from specminer.specification import SurprisingTransactions
from specminer.store import TraceStore
from tests.support.real import attacks

NAMES = ("origin-wallets", "gov-gov", "vault-vault", "shop-shop")


@cache
def ranking(name: str) -> tuple[SurprisingTransactions, frozenset[str]]:
    """Return the ranked transactions of a recording, and those of its attack."""
    folder = attacks()
    with TraceStore("sqlite://") as store:
        record = import_traces(store, folder / f"{name}.jsonl.gz")
        history = store.history(record.chain_id, [record.address])
    about: dict[str, Any] = json.loads((folder / f"{name}.attack.json").read_text())
    found = mine(history, MineOptions()).specification.surprise.transactions
    assert found is not None
    return found, frozenset(about["attack"])


@pytest.mark.parametrize("name", NAMES)
def test_the_attack_ranks_first_and_is_an_alarm(name: str) -> None:
    found, attack = ranking(name)
    assert found.ranked[0].transaction in attack
    assert found.ranked[0].flagged
    assert not any(item.flagged for item in found.ranked if item.transaction not in attack)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("origin-wallets", ("send was called by a contract", "is changed only by calls of k")),
        ("gov-gov", ("it called execute, propose, vote", "of the ether that was held")),
        ("vault-vault", ("deposit changed nothing",)),
        ("shop-shop", ("called setTreasury for the first time", "alone had called")),
    ],
)
def test_the_reasons_say_what_happened(name: str, words: tuple[str, ...]) -> None:
    text = ranking(name)[0].ranked[0].text
    assert all(word in text for word in words), text
