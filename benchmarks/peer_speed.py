"""How long learners of automata take on a large history: specminer and its peers, each in a process of its own.

    python -m benchmarks.peer_speed [SIZE ...]

The history is a market of items (``benchmarks.market``). A peer is given the functions of the accepted calls of each
item, as in ``benchmarks.peers``; its seconds are those of learning alone. Those of specminer are all of mining, with
reading, splitting, execution, guards, invariants and ranking. A learner that does not end within ``PATIENCE`` CPU
seconds is stopped. Peers that are programs of their own are left out.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.corpus_measures import OWN, learned
from benchmarks.event_words import sample
from benchmarks.market import CHAIN, CONTRACT, make
from benchmarks.peers import peers
from benchmarks.steps import scratch
from specminer import Selection, mine
from specminer.store import TraceStore

SIZES: Final = (1_000, 10_000, 100_000)
PATIENCE: Final = 30
"""CPU seconds of a learner."""


def speeds(database: Path) -> Iterator[tuple[str, float | None, int | None]]:
    """Yield each method with its CPU seconds and its states; ``None`` if it did not end in time."""
    for name in (OWN, *(peer.name for peer in peers(slow=False))):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.peer_speed", "--learn", name, str(database)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            yield name, None, None
            continue
        done.check_returncode()
        seconds, states = json.loads(done.stdout.splitlines()[-1])
        yield name, seconds, states


def learn(name: str, database: Path) -> tuple[float, int | None]:
    """Learn by one method within its time; return its CPU seconds and the number of states."""
    start = time.process_time()
    with TraceStore(str(database)) as store:
        history = store.history(CHAIN, [CONTRACT])
    mined = mine(Selection(history=history))
    if name == OWN:
        return time.process_time() - start, len(mined.specification.states)
    peer = next(item for item in peers(slow=False) if item.name == name)
    sample(mined)
    start = time.process_time()
    limit = int(start) + 1 + PATIENCE
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    found = learned(peer, mined)
    return time.process_time() - start, None if found is None else len(found.states)


def main() -> None:
    """Print a line for each method and size."""
    if sys.argv[1:2] == ["--learn"]:
        print(json.dumps(learn(sys.argv[2], Path(sys.argv[3]))))
        return
    print(f"{'calls':>9}  {'method':20} {'seconds':>9} {'states':>7}")
    for size in map(int, sys.argv[1:]) if sys.argv[1:] else SIZES:
        with scratch("market.db") as database:
            make(database, size)
            for name, seconds, states in speeds(database):
                told = f"not in {PATIENCE}" if seconds is None else f"{seconds:.2f}"
                print(f"{size:9,}  {name:20} {told:>9} {'' if states is None else states:>7}", flush=True)


if __name__ == "__main__":
    main()
