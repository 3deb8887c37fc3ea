"""How many invariants that held in the first 70 % of a history's transactions fail in the rest.

    python -m benchmarks.held_out_invariants                          # the shipped datasets
    python -m benchmarks.held_out_invariants --traces FOLDER          # traces, each beside its artifact.json
    SPECMINER_REAL_DATA=/data python -m benchmarks.held_out_invariants --real  # re-executed imports

The first transactions of each history are mined as a history of their own. Each invariant found there is then looked
for in the whole history; it *fails* if one of its later cases does not hold, or if the search no longer proposes it at
all though it is about no state: other states are other claims, which are counted as *gone*. Invariants without a later
case say nothing. One line a history, then one a form of invariant; `--list` prints those that failed.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.decisions import histories
from specminer._support.statistics import training_size
from specminer.contracts.artifact import Artifact, load
from specminer.history.contract_history import History
from specminer.history.excerpt import excerpt
from specminer.inference.invariant_claim import Invariant
from specminer.inference.invariant_search import propose
from specminer.pipeline.assessment import find_invariants
from specminer.pipeline.automata import choose_abstraction
from specminer.pipeline.mining import STAGES
from specminer.pipeline.state import MineOptions, Mining, Stage
from specminer.specification import Template

OF_STATES: Final = frozenset({Template.STATE, Template.BEFORE, Template.ORDER})
"""Forms that speak of states or moments of interactions, which another automaton tells otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an invariant."""

    invariant: Invariant
    later: int
    """Cases in the held-out part."""
    failed: int
    """Those among them that did not hold; -1 if the whole history does not propose the invariant."""

    @property
    def gone(self) -> bool:
        """Whether nothing can be said, because it is about states that the whole history does not have."""
        return self.failed < 0 and self.invariant.template in OF_STATES

    @property
    def tested(self) -> bool:
        """Whether the held-out part could have broken it."""
        return self.later > 0 or (self.failed < 0 and not self.gone)


def main() -> None:
    """Print a line for each history and for each form."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--real", action="store_true", help="the real histories beside the project")
    parser.add_argument("--traces", type=Path, help="a folder of trace files")
    parser.add_argument("--list", action="store_true", help="print the invariants that failed")
    arguments = parser.parse_args()
    print(f"{'history':26} {'found':>6} {'tested':>6} {'failed':>6} {'gone':>5}")
    everything: list[Verdict] = []
    for name, history in histories(arguments.real, arguments.traces):
        verdicts = list(judge(history, artifact_beside(arguments.traces, name)))
        report(name, verdicts)
        everything += verdicts
        for item in verdicts if arguments.list else ():
            if item.tested and item.failed:
                count = (
                    "no longer proposed" if item.failed < 0 else f"{item.failed} of {item.later} later cases"
                )
                print(f"    {item.invariant.text}  ({count}; {len(item.invariant.cases)} earlier ones)")
    report("all", everything)
    for template in Template:
        own = [item for item in everything if item.invariant.template is template]
        if own:
            report(f"  {template.value}", own)


def artifact_beside(traces: Path | None, name: str) -> Artifact | None:
    """Return the artifact that lies beside a trace file, in a folder of the history's name."""
    path = None if traces is None else traces / name / "artifact.json"
    return load(path) if path is not None and path.is_file() else None


def report(name: str, verdicts: list[Verdict]) -> None:
    """Print how many invariants were found, tested, broken."""
    count: Counter[str] = Counter()
    for item in verdicts:
        count["tested"] += item.tested
        count["failed"] += item.tested and item.failed != 0
        count["gone"] += item.gone
    print(
        f"{name:26} {len(verdicts):6,} {count['tested']:6,} {count['failed']:6,} {count['gone']:5,}",
        flush=True,
    )


def judge(history: History, artifact: Artifact | None = None) -> Iterator[Verdict]:
    """Yield what became of each invariant of the first transactions; an artifact names functions and variables."""
    cut = training_size(len(history.transaction_block))
    early = np.flatnonzero(history.invocation_transaction < cut)
    if not len(early):
        return
    first = _mined(excerpt(history, early), artifact, find_invariants)
    whole = _mined(history, artifact, choose_abstraction)
    known = {item.text: item for item in propose(whole.context, whole.tuning, whole.interactions)}
    for item in first.invariants:
        same = known.get(item.text)
        if same is None:
            yield Verdict(invariant=item, later=0, failed=-1)
            continue
        later = history.invocation_transaction[same.cases] >= cut
        yield Verdict(invariant=item, later=int(later.sum()), failed=int((later & ~same.holds).sum()))


def _mined(history: History, artifact: Artifact | None, last: Stage) -> Mining:
    """Run the stages of mining up to one of them."""
    mining = Mining(history=history, options=MineOptions(), artifact=artifact)
    for stage in STAGES[: STAGES.index(last) + 1]:
        mining = stage(mining)
    return mining


if __name__ == "__main__":
    main()
