"""What calls decided upon, of what others wrote: the same however many slots a history has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.coded_market import make_coded
from benchmarks.market import CHAIN, CONTRACT
from specminer.decision.access_facts import access_facts
from specminer.decision.runs import run_calls
from specminer.decoding import decode
from specminer.interaction.deciding_dependencies import decided_reads
from specminer.store import TraceStore


def test_slots_that_nobody_decides_upon_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "market.db"
    make_coded(path, 2_000)
    with TraceStore(str(path)) as store:
        context = decode(store.history(CHAIN, [CONTRACT]))
    code = access_facts(context, run_calls(context))
    setlike = context.accesses.invocation % 2 == 0
    few = decided_reads(context, code, setlike)
    more = np.zeros(4_000_000, dtype=context.locations.variable.dtype)  # times 2,000 calls that is no int32
    variable = np.concatenate([context.locations.variable, more])
    wide = replace(context, locations=replace(context.locations, variable=variable))
    many = decided_reads(wide, code, setlike)
    assert few is not None
    assert many is not None
    assert len(few.weight) > 500
    assert few.total == many.total > 100
    np.testing.assert_array_equal(few.write, many.write)
