"""Calls that are confirmed without being executed: executing them proves each, whatever was changed in a recording."""

from __future__ import annotations

import random

import numpy as np
import pytest

from benchmarks.checking import changed, history_of
from specminer.decision.confirmation import confirmed_calls
from specminer.decision.recordings import NotRecorded, Recordings
from specminer.decision.runs import execute_alone, run_calls
from specminer.decoding import decode
from specminer.history.contract_history import History
from specminer.shadow.arena import Arena
from tests.support.cut_datasets import recording


def _proved(history: History, rows: list[int]) -> list[bool]:
    """Return whether executing each of some calls alone proves its recording."""
    recordings = Recordings(history)
    proved = []
    for row in rows:
        try:
            proved.append(execute_alone(recordings.of(row), Arena()).pursuit.proved)
        except NotRecorded:
            proved.append(False)
    return proved


@pytest.mark.parametrize("name", ["vaults", "token", "nft_market"])
@pytest.mark.parametrize("way", ["argument", "sender", "value"])
def test_what_is_confirmed_is_proved_and_what_was_changed_is_not(name: str, way: str) -> None:
    data = recording(name)
    lines, touched = changed(data, way, random.Random(1))
    history = history_of(data, lines)
    context = decode(history)
    events = np.flatnonzero(context.is_event)
    confirmed = confirmed_calls(history, run_calls(context))
    proved = np.array(_proved(history, events.tolist()))
    assert not (confirmed[events] & ~proved).any()
    assert confirmed[events].sum() > 0.75 * proved.sum()
    hashes = set[str]().union(*touched)
    is_touched = np.array([f"0x{item.hex()}" in hashes for item in history.transaction_hash])
    of_changed = is_touched[history.invocation_transaction[events]]
    assert (~proved[of_changed]).any()
    assert not confirmed[events][of_changed & ~proved].any()


def test_another_output_is_not_confirmed() -> None:
    data = recording("nft_market")
    lines = [dict(line) for line in data.transactions]
    answering = [
        place
        for place, line in enumerate(lines)
        if line["succeeded"] and line["invocations"] and len(line["invocations"][0]["output"] or "") == 66
    ]
    chosen = answering[1::2]
    for place in chosen:
        (first, *others) = lines[place]["invocations"]
        output = f"0x{int(first['output'], 16) ^ 1:064x}"
        lines[place]["invocations"] = [first | {"output": output}, *others]
    history = history_of(data, lines)
    confirmed = confirmed_calls(history, run_calls(decode(history)))
    hashes = {lines[place]["hash"] for place in chosen}
    rows = [
        row
        for row, transaction in enumerate(history.invocation_transaction.tolist())
        if f"0x{history.transaction_hash[transaction].hex()}" in hashes
    ]
    assert len(rows) >= 10
    proved = _proved(history, rows)
    assert not all(proved)
    assert not (confirmed[rows] & ~np.array(proved)).any()
