"""How many rejected calls have a cause that can be read, and whether guards refuse what was accepted.

    python -m benchmarks.rejections                          # the shipped datasets
    python -m benchmarks.rejections --traces FOLDER          # traces, each beside its artifact.json
    SPECMINER_REAL_DATA=/data python -m benchmarks.rejections --real  # re-executed imports
    SPECMINER_REAL_HISTORIES=/data python -m benchmarks.rejections --entangled  # those that depend on others

One line a history: the calls that failed otherwise than for lack of gas; how many of them have a cause, which is a
condition, or that the contract has no such function or rejects every call there; how many causes are readable, which
means that each expression of a condition has a name; the conditions of required and of coded guards; how many accepted
calls one of these guards refuses, or decided one of its conditions the rejecting way.
``--list`` prints why calls have no cause, and which guards refuse accepted calls. Exits with 1 if a guard refuses one.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.decisions import histories
from benchmarks.held_out_invariants import artifact_beside
from specminer.contracts.artifact import Artifact, load
from specminer.decision.deciding import ALWAYS_REJECTS, NO_FUNCTION
from specminer.decoding import HistoryContext, decode
from specminer.history.contract_history import OUTCOMES, BoolColumn, History
from specminer.history.trace import OutcomeKind
from specminer.inference.function_guards import LearnedGuards, learn
from specminer.inference.guard_description import JudgedFunction
from specminer.pipeline import Export, Rulebook, import_export
from specminer.pipeline.following import execute, follow
from specminer.pipeline.guarding import causes
from specminer.sources.listings import main_contract
from specminer.sources.txlist import read_transactions
from specminer.specification import Guard, GuardKind
from specminer.store import TraceStore
from tests.support.real import entangled_histories

NO_REJECTION = [
    OUTCOMES.index(kind) for kind in (OutcomeKind.RETURNED, OutcomeKind.ROLLED_BACK, OutcomeKind.OUT_OF_GAS)
]
UNTOLD = "the call is no event: it is a creation, came to no code, or failed nobody knows how"
"""Why a rejected call has no cause that is none of a function's calls."""
WITHOUT_CONDITION = frozenset({ALWAYS_REJECTS, NO_FUNCTION})
"""Causes that are no conditions."""
NO_CODE = "the code of the function could not be followed"


@dataclass(slots=True)
class Rejections:
    """What is known of the rejected calls of histories."""

    rejected: int = 0
    caused: int = 0
    readable: int = 0
    required: int = 0
    coded: int = 0
    refused: int = 0
    """Accepted calls that a required or coded guard refuses."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why calls have no cause, or none that is readable."""
    wrong: list[str] = field(default_factory=list)
    """The guards that refuse accepted calls."""

    def add(self, other: Rejections) -> None:
        """Add the calls of another history."""
        for name in ("rejected", "caused", "readable", "required", "coded", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)
        self.wrong += other.wrong


def examine(context: HistoryContext) -> Rejections:
    """Count the rejected calls of a history, and what its guards refuse."""
    history = context.history
    found = Rejections(rejected=int(_rejected(history).sum()))
    known = 0
    for part in (context, context.of_rejecting_readers()):
        if part is None:
            continue
        learned = learn(part, causes(history, part.interface), followed=follow(part, execute(part)))
        for function in learned.functions:
            known += int(np.sum(~function.accepted))
            _count_causes(found, function)
        _count_guards(found, learned)
    found.reasons[UNTOLD] += found.rejected - known
    return found


def _rejected(history: History) -> BoolColumn:
    """Return which calls failed otherwise than for lack of gas; shape (n,)."""
    rejected: BoolColumn = ~np.isin(history.invocation_outcome, NO_REJECTION)
    return rejected


def _count_causes(found: Rejections, function: JudgedFunction) -> None:
    rejected, decided = ~function.accepted, function.decided_calls
    if decided is None:
        found.reasons[NO_CODE] += int(rejected.sum())
        return
    unreadable = np.zeros(len(rejected), dtype=np.bool_)
    for clause in decided.clauses:
        unreadable |= clause.rejects & (not clause.readable)
    caused = rejected & decided.is_explained
    found.caused += int(caused.sum())
    found.readable += int((caused & ~unreadable).sum())
    found.reasons["a condition is too long, or its source has no name"] += int((caused & unreadable).sum())
    for place in np.flatnonzero(rejected & ~decided.is_explained).tolist():
        reason = decided.unexplained.get(place, "the call was not followed")
        found.reasons[reason] += 1
        found.caused += reason in WITHOUT_CONDITION
        found.readable += reason in WITHOUT_CONDITION


def _count_guards(found: Rejections, learned: LearnedGuards) -> None:
    for item in learned.guards:
        guard = item.guard
        if guard.kind not in (GuardKind.REQUIRED, GuardKind.CODED):
            continue
        count = len(guard.conditions)
        if guard.kind is GuardKind.REQUIRED:
            found.required += count
        else:
            found.coded += count
        refused = _refused(guard)
        found.refused += refused
        if refused:
            found.wrong.append(f"{guard.kind.value} {guard.scope}: {guard.text}  ({refused} accepted calls)")


def _refused(guard: Guard) -> int:
    """Return how many accepted calls a guard refuses by its terms, or by what they decided."""
    decided = [item.decisions.contradictions for item in guard.conditions if item.decisions is not None]
    return max([guard.exceptions, *decided])


def report(name: str, found: Rejections, *, listed: bool = False) -> None:
    """Print a line."""
    share = found.readable / found.rejected if found.rejected else 1.0
    print(
        f"{name:20} {found.rejected:8,} {found.caused:8,} {found.readable:8,} {share:8.2%} {found.required:8,} "
        f"{found.coded:6,} {found.refused:7,}",
        flush=True,
    )
    for reason, count in found.reasons.most_common() if listed else ():
        if count:
            print(f"    {count:6,} {reason}")
    for text in found.wrong if listed else ():
        print(f"    {text}")


def examined(arguments: argparse.Namespace) -> Iterator[tuple[str, History, Artifact | None]]:
    """Yield the histories that are asked for, with their names."""
    if arguments.entangled:
        yield from entangled()
        return
    for name, history in histories(arguments.real, arguments.traces):
        yield name, history, artifact_beside(arguments.traces, name)


def entangled() -> Iterator[tuple[str, History, Artifact | None]]:
    """Yield the real histories that depend on contracts outside of them, without lists of internal calls."""
    for path in sorted(entangled_histories().glob("*/txlist.json.gz")):
        transactions = read_transactions(path)
        contract = main_contract(transactions)
        artifact = load(path.parent / "abi.json")
        with TraceStore("sqlite://") as store:
            export = Export(transactions=transactions, origin=path.parent.name)
            import_export(store, export, Rulebook(chain_id=1), artifact=artifact)
            assert contract is not None, "a history has calls"
            yield path.parent.name, store.history(1, [contract]), artifact


def main(given: Sequence[str] | None = None) -> int:
    """Print a line for each history, and one for all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--real", action="store_true", help="the real histories beside the project")
    parser.add_argument("--entangled", action="store_true", help="those that depend on other contracts")
    parser.add_argument("--traces", type=Path, help="a folder of trace files")
    parser.add_argument("--list", action="store_true", help="print why calls have no cause")
    arguments = parser.parse_args(given)
    columns = f"{'rejected':>8} {'caused':>8} {'readable':>8} {'share':>8} {'required':>8} {'coded':>6} {'refused':>7}"
    print(f"{'history':20} {columns}")
    total = Rejections()
    for name, history, artifact in examined(arguments):
        found = examine(decode(history, artifact))
        report(name, found, listed=arguments.list)
        total.add(found)
    report("all", total)
    return 1 if total.refused else 0


if __name__ == "__main__":
    sys.exit(main())
