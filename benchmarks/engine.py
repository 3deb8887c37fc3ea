"""What the engine costs beside the specification's machine, and whether both do the same.

    python -m benchmarks.engine [NAME ...]
    python -m benchmarks.engine --programs N
    python -m benchmarks.engine --replay FOLDER ...

The first needs SPECMINER_REAL_DATA, the folder of the real histories. For each of them the same transactions run on
the engine bare, with a recorder, with the shadow, and each recorded call alone with the shadow; and on the
specification's machine with its recorder. ``replay`` is the whole re-execution, invocations included, on either. All
times are of one process, in turn, the best of a few rounds; the ratios are what counts. ``same`` says for how many
transactions everything that a replay tells is the same.

The second compares N random programs under each fork with the specification.

The third replays each FOLDER's ``txlist.json.gz`` of the main chain on either machine, and says for how many
transactions everything is the same.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.reexecution import AZURE, MAINNET, read_history
from specminer.evm.alone import pursue, recordings
from specminer.evm.execution_recorder import EventRecorder
from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext
from specminer.evm.taped_instructions import taped_instructions
from specminer.replay.export_replay import RecordReplay
from specminer.replay.fast_machine import FastMachine, number_of
from specminer.replay.fork_schedule import Rules, rules_of_chain
from specminer.replay.machine_calls import FORKS as REFERENCE_FORKS
from specminer.replay.machine_calls import VirtualMachine
from specminer.replay.records import call_of, surroundings
from specminer.replay.reference_machine import Machine
from specminer.shadow.arena import Arena
from specminer.shadow.observer import Shadow
from specminer.sources.exported import ExportedTransaction
from specminer.sources.txlist import read_transactions
from tests.support.engine import comparable, results
from tests.support.programs import scenario
from tests.support.reference import by_engine, by_reference, differences

ROUNDS: Final = 2
Records = Sequence[ExportedTransaction]


def timed(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def observed(records: Records, rules: Rules, recorder: EventRecorder | None) -> list[bool]:
    """Execute records on the engine; return which succeeded."""
    succeeded = []
    for result in results(records, rules, recorder):
        succeeded.append(result.succeeded)
        if recorder is not None:
            recorder.clear()
            recorder.room = 1 << 28
    return succeeded


def by_specification(records: Records, rules: Rules, targets: frozenset[bytes]) -> None:
    """Execute and record on the specification's machine."""
    machine = Machine()
    for record in records:
        fork = rules(record.block, record.timestamp)
        machine.run(call_of(record), surroundings(record, 1), fork, targets)  # type: ignore[arg-type]


def alone(records: Records, rules: Rules, targets: frozenset[int]) -> tuple[int, int, float]:
    """Run each recorded call alone; return how many there are, how many are proved, and the CPU seconds."""
    recorder, arena = EventRecorder(targets, questions=True), Arena()
    codes: dict[int, bytes] = {}
    calls = proved = 0
    seconds = 0.0
    for record, _ in zip(records, results(records, rules, recorder), strict=True):
        codes.update(recorder.codes)
        timestamp = record.block if record.timestamp is None else record.timestamp
        block = BlockContext(number=record.block, timestamp=timestamp)
        for recording in recordings(recorder.events, targets, with_questions=True):
            began = time.process_time()
            pursuit = pursue(
                recording,
                FORKS[rules(record.block, record.timestamp)],
                block,
                codes,
                gas_price=record.gas_price or 0,
                observer=Shadow(targets, arena, foundation=taped_instructions),
            )
            seconds += time.process_time() - began
            calls += 1
            proved += pursuit.proved
        recorder.clear()
        recorder.room = 1 << 28
    return calls, proved, seconds


def replays(records: Records, rules: Rules) -> tuple[float, float, int]:
    """Return the CPU seconds of a whole replay on either machine, and how many steps are the same."""
    targets = frozenset(made for record in records if (made := call_of(record).created) is not None)
    seconds, told = [], []
    machines: tuple[VirtualMachine, ...] = (Machine(), FastMachine())
    for machine in machines:
        replay = RecordReplay(machine, 1, rules, targets, gas_is_evidence=True)
        began = time.process_time()
        told.append([replay.step(record, record.index or 0) for record in records])
        seconds.append(time.process_time() - began)
    return (
        seconds[0],
        seconds[1],
        sum(comparable(one) == comparable(other) for one, other in zip(*told, strict=True)),
    )


def histories(names: Sequence[str]) -> None:
    """Print the table."""
    folder = Path(os.environ["SPECMINER_REAL_DATA"])
    print(
        f"{'history':<18}{'transactions':>13}{'bare/s':>8}{'rec./s':>8}{'shadow/s':>9}{'spec./s':>8}"
        f"{'rec. ratio':>11}{'shadow/rec.':>12}{'replay ratio':>13}{'same':>7}{'alone us':>9}{'proved':>8}"
    )
    totals: Counter[str] = Counter()
    for name in names or (*AZURE, *MAINNET):
        _line(name, *read_history(folder, name), totals)
    print(
        f"all: recording {totals['specification'] / totals['recording']:.1f} times as fast, "
        f"the whole replay {totals['old replay'] / totals['replay']:.1f} times, "
        f"shadow {totals['shadow'] / totals['recording']:.2f} times the time of recording"
    )


def _line(name: str, records: Records, rules: Rules, totals: Counter[str]) -> None:
    made = frozenset(made for record in records if (made := call_of(record).created) is not None)
    targets, count = frozenset(map(number_of, made)), len(records)
    bare = timed(lambda: observed(records, rules, None))
    recording = timed(lambda: observed(records, rules, EventRecorder(targets)))
    shadow = timed(lambda: observed(records, rules, Shadow(targets)))
    specification = timed(lambda: by_specification(records, rules, made))
    old, new, same = replays(records, rules)
    calls, proved, seconds = alone(records, rules, targets)
    for key, value in (
        ("specification", specification),
        ("recording", recording),
        ("shadow", shadow),
        ("old replay", old),
        ("replay", new),
    ):
        totals[key] += value  # type: ignore[assignment]  # seconds
    print(
        f"{name:<18}{count:>13,}{count / bare:>8.0f}{count / recording:>8.0f}{count / shadow:>9.0f}"
        f"{count / specification:>8.0f}{specification / recording:>11.1f}{shadow / recording:>12.2f}"
        f"{old / new:>13.1f}{same / count:>7.1%}{seconds / calls * 1e6:>9.0f}{proved / calls:>8.1%}",
        flush=True,
    )


def programs(seeds: Iterable[int]) -> int:
    """Compare random programs, and return how many end otherwise than the specification says."""
    endings: Counter[str] = Counter()
    wrong = 0
    for seed in seeds:
        for fork in REFERENCE_FORKS:
            case = scenario(seed, fork)
            found = differences(by_engine(case), reference := by_reference(case))
            endings[reference.halt or "success"] += 1
            if found:
                wrong += 1
                print(f"{fork} {seed}: {'; '.join(found)[:2_000]}", flush=True)
    print(f"{endings.total():,} programs, {wrong} of them end otherwise; {dict(endings.most_common())}")
    return wrong


def replay(folders: Sequence[Path]) -> int:
    """Compare whole replays, and return how many transactions of them differ."""
    rules, wrong = rules_of_chain(1), 0
    assert rules is not None
    for folder in folders:
        records = read_transactions(folder / "txlist.json.gz")
        old, new, same = replays(records, rules)
        wrong += len(records) - same
        print(
            f"{folder.name:<18}{len(records):>7,} transactions, {same:,} the same, {old / new:.1f} times as fast"
        )
    return wrong


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", type=int, metavar="N", help="compare N programs under each fork")
    parser.add_argument("--first", type=int, default=0, metavar="SEED", help="the first program's seed")
    parser.add_argument("--replay", type=Path, nargs="+", metavar="FOLDER", help="compare whole replays")
    parser.add_argument("names", nargs="*", metavar="NAME")
    asked = parser.parse_args()
    if asked.programs:
        return int(programs(range(asked.first, asked.first + asked.programs)) > 0)
    if asked.replay:
        return int(replay(asked.replay) > 0)
    histories(asked.names)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
