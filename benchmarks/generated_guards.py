"""How well mined guards predict unseen calls of contracts that are drawn from a grammar of guards.

    python -m benchmarks.generated_guards                          # 24 contracts in Solidity, 24 in bytecode
    python -m benchmarks.generated_guards --contracts 6 --seed 3 --list

Each contract is called at random, the history is mined, and what is told as required and coded is evaluated on calls
that the miner has not seen: drawn as those of the history, and drawn at boundary values. A call is predicted to be
accepted unless a condition is known not to hold; what has no value decides nothing. Functions that accepted nothing
while the history was made are left out, and counted. The base rate is what one is right with who always says for each
function what it did more often. ``--list`` prints, for each function that was predicted wrongly, calls and guards.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.guard_bytecode import creation_of
from benchmarks.guard_drawing import draw_contract
from benchmarks.guard_driving import Caller, DrawnCall, Play
from benchmarks.guard_evaluation import Situation
from benchmarks.guard_grammar import Contract
from benchmarks.guard_solidity import source
from specminer.contracts.artifact import Artifact, load
from specminer.decoding import decode
from specminer.inference.function_guards import learn
from specminer.pipeline.following import execute, follow
from specminer.pipeline.guarding import causes
from specminer.specification import Guard, GuardKind
from tests.support.solc import compile_sources

LEARNED: Final = 400
"""Calls of a history."""
UNSEEN: Final = 250
"""Calls of each draw that are predicted."""
START: Final = 1_700_000_000
FIRST_BLOCK: Final = 19_000_000


@dataclass(slots=True)
class Score:
    """Predictions of calls."""

    right: int = 0
    calls: int = 0
    outcomes: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    """How many calls of each function were accepted and rejected."""

    @property
    def accuracy(self) -> float:
        """The share of calls that were predicted rightly."""
        return self.right / self.calls if self.calls else 1.0

    @property
    def base_rate(self) -> float:
        """The share that one is right with who always says what a function did more often."""
        return sum(max(item.values()) for item in self.outcomes.values()) / self.calls if self.calls else 1.0

    def add(self, function: str, *, predicted: bool, accepted: bool) -> None:
        """Count a call."""
        self.calls += 1
        self.right += predicted is accepted
        self.outcomes[function][accepted] += 1

    def join(self, contract: str, other: Score) -> None:
        """Add the calls of another contract."""
        self.calls += other.calls
        self.right += other.right
        for function, counts in other.outcomes.items():
            self.outcomes[f"{contract}.{function}"].update(counts)


@dataclass(slots=True)
class Scores:
    """Predictions of both draws, and what there is to say of them."""

    learned: Score = field(default_factory=Score)
    boundary: Score = field(default_factory=Score)
    left_out: int = 0
    """Functions that accepted nothing."""
    notes: list[str] = field(default_factory=list)


def compiled_contracts(contracts: Sequence[Contract]) -> list[tuple[bytes, dict[str, Any]]]:
    """Return the creation code and the artifact of each contract, written in Solidity."""
    output = compile_sources({f"{item.name}.sol": source(item) for item in contracts})
    return [
        (
            bytes.fromhex(output[item.name]["evm"]["bytecode"]["object"]),
            {"abi": output[item.name]["abi"], "storageLayout": output[item.name]["storageLayout"]},
        )
        for item in contracts
    ]


def assembled_contracts(contracts: Sequence[Contract]) -> list[tuple[bytes, dict[str, Any]]]:
    """Return the creation code and the artifact of each contract, assembled; the artifact has no layout of storage."""
    return [(creation_of(item), {"abi": abi_of(item)}) for item in contracts]


def abi_of(contract: Contract) -> list[dict[str, Any]]:
    """Return the ABI of a contract that no compiler has seen."""
    return [
        {
            "type": "function",
            "name": item.name,
            "inputs": [{"name": argument.name, "type": argument.type.abi} for argument in item.arguments],
            "outputs": [],
            "stateMutability": "payable" if item.payable else "nonpayable",
        }
        for item in contract.functions
    ]


def mined_guards(play: Play, artifact: Artifact, *, by_code: bool = True) -> dict[str, list[Guard]]:
    """Return the required and coded guards of each function of a history.

    Without ``by_code`` they are learned from templates over the calls' values, as where no code can be followed.
    """
    history = play.history()
    context = decode(history, artifact)
    followed = follow(context, execute(context)) if by_code else None
    learned = learn(context, causes(history, context.interface), followed=followed)
    found: dict[str, list[Guard]] = defaultdict(list)
    for item in learned.guards:
        if item.guard.kind is not GuardKind.OBSERVED:
            found[item.guard.scope].append(item.guard)
    return found


def score(
    contract: Contract,
    creation: bytes,
    document: Mapping[str, Any],
    folder: Path,
    seed: int,
    *,
    by_code: bool = True,
) -> Scores:
    """Drive a contract, mine the history, and predict unseen calls; ``by_code`` as for :func:`mined_guards`."""
    play = Play(contract, creation, start=START, first_block=FIRST_BLOCK)
    caller = Caller(play, Random(f"calls of {contract.name} {seed}"))
    seen: dict[str, Counter[bool]] = defaultdict(Counter)
    for _ in range(LEARNED):
        call = caller.learned()
        seen[call.function.name][play.make(call)] += 1
    path = folder / f"{contract.name}.json"
    path.write_text(json.dumps(document))
    guards = mined_guards(play, load(path), by_code=by_code)
    scores = Scores(left_out=sum(not seen[item.name][True] for item in contract.functions))
    wrong: dict[str, list[str]] = defaultdict(list)
    for _ in range(UNSEEN):
        boundary, learned = caller.boundary(), caller.learned()
        for draw, call, counts in (
            ("boundary", boundary, scores.boundary),
            ("learned", learned, scores.learned),
        ):
            name = call.function.name
            accepted = play.outcome(call)
            if seen[name][True]:
                predicted, refusing = predict(play, call, guards.get(name, []))
                counts.add(name, predicted=predicted, accepted=accepted)
                if predicted is not accepted:
                    wrong[name].append(_described(draw, call, accepted=accepted, refusing=refusing))
        play.make(learned)
    scores.notes = list(_notes(contract, wrong, guards, seen))
    return scores


def predict(play: Play, call: DrawnCall, guards: Sequence[Guard]) -> tuple[bool, list[str]]:
    """Return whether a call should be accepted, with the conditions that say it is not."""
    situation = Situation(play, call)
    refusing = [
        condition.text
        for guard in guards
        for condition, holds in zip(guard.conditions, situation.accepts(guard), strict=True)
        if holds is False
    ]
    return not refusing, refusing


def _described(draw: str, call: DrawnCall, *, accepted: bool, refusing: Sequence[str]) -> str:
    values = ", ".join(f"{name}={value!r}" for name, value in call.named().items())
    outcome = "accepted" if accepted else "rejected"
    return f"{draw}: {outcome}: sender={call.sender:#x} value={call.value} now={call.time} {values}; {list(refusing)}"


def _notes(
    contract: Contract,
    wrong: Mapping[str, Sequence[str]],
    guards: Mapping[str, Sequence[Guard]],
    seen: Mapping[str, Counter[bool]],
) -> Iterator[str]:
    for name, calls in wrong.items():
        yield f"{contract.name}.{name}: {len(calls)} wrong, learned from {dict(seen[name])}"
        yield from (f"    {item}" for item in calls[:3])
        for guard in guards.get(name, []):
            yield from (
                f"    {guard.kind.value}, {item.maker and item.maker.value}: {item.text}"
                for item in guard.conditions
            )


def scored(kind: str, count: int, seed: int, *, by_code: bool = True) -> Iterator[tuple[str, Scores, float]]:
    """Yield the name, the scores and the wall seconds of so many contracts of one kind."""
    contracts = [draw_contract(f"{kind.capitalize()}{number}", seed) for number in range(count)]
    outputs = compiled_contracts(contracts) if kind == "solidity" else assembled_contracts(contracts)
    with TemporaryDirectory() as folder:
        for contract, (creation, document) in zip(contracts, outputs, strict=True):
            start = time.perf_counter()
            scores = score(contract, creation, document, Path(folder), seed, by_code=by_code)
            yield contract.name, scores, time.perf_counter() - start


def run(kind: str, count: int, seed: int, *, listed: bool) -> Scores:
    """Score so many contracts of one kind, and print a line for each and one for all."""
    total = Scores()
    begin = time.perf_counter()
    for name, scores, seconds in scored(kind, count, seed):
        report(name, scores, seconds)
        for line in scores.notes if listed else ():
            print(f"    {line}")
        total.learned.join(name, scores.learned)
        total.boundary.join(name, scores.boundary)
        total.left_out += scores.left_out
    report(f"all {kind}", total, time.perf_counter() - begin)
    return total


def report(name: str, scores: Scores, seconds: float) -> None:
    """Print a line."""
    columns = [
        f"{item.accuracy:8.2%} {item.base_rate:8.2%} {item.calls:7,}"
        for item in (scores.learned, scores.boundary)
    ]
    print(f"{name:16} {'   '.join(columns)} {scores.left_out:9} {seconds:8.1f}", flush=True)


def main() -> None:
    """Print a table for each kind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contracts", type=int, default=24, help="contracts of each kind (24)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other contracts and calls")
    parser.add_argument("--kind", choices=("solidity", "bytecode"), help="only one kind")
    parser.add_argument("--list", action="store_true", help="print what was predicted wrongly")
    arguments = parser.parse_args()
    print(f"{'':16} {'drawn as the learned ones':28} {'at boundaries':28}")
    columns = f"{'right':>8} {'base':>8} {'calls':>7}"
    print(f"{'contract':16} {columns}   {columns} {'left out':>9} {'seconds':>8}")
    for kind in [arguments.kind] if arguments.kind else ["solidity", "bytecode"]:
        run(kind, arguments.contracts, arguments.seed, listed=arguments.list)


if __name__ == "__main__":
    main()
