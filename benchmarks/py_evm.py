"""The engine beside py-evm, another machine in Python: ``python -m benchmarks.py_evm [NAME ...]``.

Needs SPECMINER_REAL_DATA, the folder of the real histories. py-evm is installed into an environment of its own in a
temporary folder, because its dependencies are not ours. Both execute the same transactions from an empty world in which
every sender is rich: the engine as re-execution does, with its recorder; py-evm (``py_evm_runner.py``) bare, without
signatures, blocks or a database on disk. Times are CPU seconds, the best of two rounds, in one run. ``agree`` says
how many transactions succeed or fail on both alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks.engine import Records, observed, timed
from benchmarks.reexecution import AZURE, MAINNET, read_history
from specminer.evm.execution_recorder import EventRecorder
from specminer.evm.forks import FORKS
from specminer.evm.transaction_execution import EvmTransaction, intrinsic_costs
from specminer.replay.fast_machine import number_of
from specminer.replay.fork_schedule import Rules
from specminer.replay.records import call_of, surroundings

VERSION: Final = "0.12.1b1"
RUNNER: Final = Path(__file__).with_name("py_evm_runner.py")


def environment(folder: Path) -> Path:
    """Install py-evm below a folder and return its Python."""
    uv, python = [sys.executable, "-m", "uv"], folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], check=True)
    packages = [f"py-evm=={VERSION}", "eth-hash[pycryptodome]"]
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *packages], check=True)
    return python


def runner_input(records: Records, rules: Rules) -> list[dict[str, Any]]:
    """Return transactions as the runner reads them; gas is what is left for the first frame."""
    listed = []
    for record in records:
        call, around = call_of(record), surroundings(record, 1)
        priced = EvmTransaction(
            sender=0, to=None if call.to is None else 1, value=0, data=call.data, gas=call.gas, gas_price=0
        )
        cost, _ = intrinsic_costs(FORKS[rules(record.block, record.timestamp)], priced)
        listed.append(
            {
                "sender": call.sender.hex(),
                "to": None if call.to is None else call.to.hex(),
                "created": call.created.hex() if call.to is None and call.created is not None else None,
                "value": call.value,
                "data": call.data.hex(),
                "gas": max(0, call.gas - cost),
                "gas_price": call.gas_price,
                "block": around.number,
                "timestamp": around.timestamp,
                "gas_limit": around.gas_limit,
            }
        )
    return listed


def by_py_evm(name: str, records: Records, rules: Rules, python: Path) -> tuple[float, list[bool]]:
    """Execute a history by py-evm; return its CPU seconds, and which transactions succeeded."""
    vm = None if name in MAINNET else "IstanbulVM"
    text = json.dumps({"vm": vm, "transactions": runner_input(records, rules)})
    done = subprocess.run(
        [str(python), str(RUNNER)], input=text, check=True, stdout=subprocess.PIPE, text=True
    )
    answer = json.loads(done.stdout)
    return float(answer["seconds"]), answer["succeeded"]


def compare(name: str, folder: Path, python: Path) -> tuple[float, float]:
    """Print the line of a history; return the CPU seconds of the engine and of py-evm."""
    records, rules = read_history(folder, name)
    theirs, others = by_py_evm(name, records, rules, python)
    targets = frozenset(
        number_of(made) for record in records if (made := call_of(record).created) is not None
    )
    succeeded = observed(records, rules, EventRecorder(targets))
    ours: float = timed(lambda: observed(records, rules, EventRecorder(targets)))
    agree = sum(one == other for one, other in zip(succeeded, others, strict=True))
    count = len(records)
    print(
        f"{name:<18}{count:>13,}{count / ours:>10.0f}{count / theirs:>10.0f}"
        f"{theirs / ours:>7.1f}{agree / count:>8.1%}",
        flush=True,
    )
    return ours, theirs


def main() -> None:
    """Print the table."""
    folder = Path(os.environ["SPECMINER_REAL_DATA"])
    print(f"{'history':<18}{'transactions':>13}{'engine/s':>10}{'py-evm/s':>10}{'ratio':>7}{'agree':>8}")
    with tempfile.TemporaryDirectory(prefix="specminer-py-evm-") as scratch:
        python = environment(Path(scratch))
        seconds = [compare(name, folder, python) for name in sys.argv[1:] or (*AZURE, *MAINNET)]
    ours, theirs = map(sum, zip(*seconds, strict=True))
    print(f"all: the engine with its recorder is {theirs / ours:.1f} times as fast as py-evm without one")


if __name__ == "__main__":
    main()
