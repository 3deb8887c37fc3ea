"""What `mine` of an imported history costs beside an earlier commit, each in an environment of its own.

    python -m benchmarks.mining [--history FOLDER] [--against COMMIT] [--rounds N]

Needs SPECMINER_REAL_DATA unless FOLDER (with ``txlist.json.gz`` and ``abi.json``) is given. Two environments are made
in a temporary folder: the checkout as it is, and COMMIT (by default the one before the engine executed anything),
each with its base dependencies alone, from the index that uv is set up with. Each imports the history into a database
of its own; then both mine it, in turn. Times are CPU seconds of the whole process with its children, start included;
the best of the rounds counts. The last line is the ratio.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
BEFORE: Final = "e621fa667f590ba47f60a81b1a9d4ca7e359ee9b"
"""The last commit whose imports, getters and checks of independence ran on the executable specification."""
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A commit, installed."""

    name: str
    folder: Path
    """Holds ``venv`` and, after an import, ``history.db``."""

    def specminer(self, *arguments: str) -> float:
        """Run a command in the folder and return its CPU seconds.

        Raises:
            subprocess.CalledProcessError: it failed.

        """
        began = _children()
        program = self.folder / "venv" / "bin" / "specminer"
        subprocess.run(
            [program, *arguments],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return _children() - began


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def install(name: str, source: Path, folder: Path) -> Installation:
    """Install a source tree with its base dependencies, compiled to bytecode."""
    folder.mkdir()
    uv, python = [sys.executable, "-m", "uv"], folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], check=True)
    command = [*uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), str(source)]
    subprocess.run(command, check=True)
    return Installation(name=name, folder=folder)


def compare(history: Path, commit: str, rounds: int) -> float:
    """Print the seconds of each round and return the ratio of the best ones."""
    with tempfile.TemporaryDirectory(prefix="specminer-mining-") as scratch:
        old_tree = Path(scratch) / "tree"
        git = ["git", "-C", str(PROJECT)]
        subprocess.run([*git, "worktree", "add", "--quiet", "--detach", old_tree, commit], check=True)
        try:
            before = install(commit[:8], old_tree, Path(scratch) / "before")
            now = install("now", PROJECT, Path(scratch) / "now")
        finally:
            subprocess.run([*git, "worktree", "remove", "--force", old_tree], check=True)
        return _measure(history, (before, now), rounds)


def _measure(history: Path, installations: Sequence[Installation], rounds: int) -> float:
    listed, abi = str(history / "txlist.json.gz"), str(history / "abi.json")
    imports = [
        item.specminer("import", listed, "--abi", abi, "--chain-id", "1", "--db", "history.db")
        for item in installations
    ]
    print("import: " + ", ".join(_shown(*pair) for pair in zip(installations, imports, strict=True)))
    contract = _contract(installations[1])
    seconds: list[list[float]] = [[] for _ in installations]
    for _ in range(rounds):
        for times, item in zip(seconds, installations, strict=True):
            times.append(item.specminer("mine", contract, "--db", "history.db", "--out", "out"))
        print(
            "mine:   "
            + ", ".join(_shown(item, times[-1]) for item, times in zip(installations, seconds, strict=True))
        )
    return min(seconds[1]) / min(seconds[0])


def _contract(installation: Installation) -> str:
    """Return the contract that was imported."""
    code = "from specminer.store import TraceStore; print('0x' + TraceStore('history.db').contracts()[0].address.hex())"
    command = [str(installation.folder / "venv" / "bin" / "python"), "-c", code]
    done = subprocess.run(command, cwd=installation.folder, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def _shown(installation: Installation, seconds: float) -> str:
    return f"{installation.name} {seconds:.2f} s"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    data = os.environ.get("SPECMINER_REAL_DATA")
    default = None if data is None else Path(data) / "mainnet" / "CryptoLandmarks"
    parser.add_argument("--history", type=Path, default=default, required=default is None, metavar="FOLDER")
    parser.add_argument("--against", default=BEFORE, metavar="COMMIT")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    asked = parser.parse_args()
    ratio = compare(asked.history.resolve(), asked.against, asked.rounds)
    print(f"CPU of mining {asked.history.name}: {ratio:.2f} of that of {asked.against[:8]}")


if __name__ == "__main__":
    main()
