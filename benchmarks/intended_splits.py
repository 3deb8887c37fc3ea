"""How well the split of a history agrees with the intended one, with less and less evidence.

``tests/quality/test_intended_splits.py`` holds the analysis to it; ``python -m benchmarks splits`` measures it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Final

import msgspec

from specminer.pipeline import inspect
from specminer.pipeline.datasets import Dataset, dataset
from specminer.sources.tracefile import TraceFile
from specminer.store import TraceStore
from tools.intended import Intended, Member, intended

EVIDENCE: Final = ("layout", "preimages", "neither")
"""What the database holds: all, no storage layout, or no hashes either."""


def split_f1(name: str, evidence: str) -> float:
    """Return the pairwise F1 of the split of a shipped dataset, found with some evidence."""
    item = dataset(name)
    mode = tomllib.loads((item.folder / "about.toml").read_text())["intended"]["mode"]
    return pairwise(found_split(item, evidence), intended(item, mode))


def found_split(item: Dataset, evidence: str) -> dict[str, frozenset[Member]]:
    """Split a history of which the database holds only some evidence: all, no layout, or no hashes either."""
    with TraceStore("sqlite://") as store:
        addresses = []
        for path in item.trace_files:
            file = TraceFile(path)
            header, transactions = file.header, list(file.transactions())
            record = header.record
            if evidence != "layout":
                assert record.artifact is not None
                abi = msgspec.json.encode({"abi": msgspec.json.decode(record.artifact)["abi"]})
                record = replace(record, artifact=abi)
            if evidence == "neither":
                transactions = [replace(each, preimages=()) for each in transactions]
            span = header.first_block, header.last_block
            store.add_history(record, transactions, complete=span, tip=header.tip)
            addresses.append(record.address)
        found = inspect(store.history(item.chain_id, addresses))
    return {
        group["name"]: frozenset(
            (bytes.fromhex(call["transaction"][2:]), call["position"]) for call in group["members"]
        )
        for group in found.members()
    }


def pairs(groups: Iterable[Collection[Member]]) -> set[tuple[Member, Member]]:
    """Return the pairs of invocations that stand together in some group."""
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def pairwise(found: Mapping[str, frozenset[Member]], meant: Intended) -> float:
    """Return the F1 of pairs that stand together, among the invocations that the intended split speaks of.

    It speaks neither of constructors nor of calls of read-only functions.
    """
    known = meant.rest.union(*meant.groups.values())
    ours, theirs = pairs(group & known for group in found.values()), pairs(meant.groups.values())
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))
