"""Makes the outputs of a tree: all that its commands write and print about the shipped datasets and the real histories.

A *subject* is a history with the command lines that are run on it, in a folder of its own. The tree's own code runs,
in processes that see only this folder; paths in its commands are relative, so that no output depends on where it is.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PROCESSES: Final = 2
VARIED: Final = ("auction_house", "channel", "escrow")
"""The datasets that are also mined with other options."""
PRIVATE_CHAIN: Final = 1337
"""The chain id under which histories of a private chain are imported."""
_DRIVER: Final = Path(__file__).resolve().parent / "run_steps.py"
_INPUTS: Final = "inputs"
_STEPS: Final = "steps.json"

Step = tuple[str, tuple[str, ...]]
"""The name of a step and the command line of specminer that it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A history and what is run on it."""

    name: str
    """``datasets/NAME``, ``mainnet/NAME`` or ``azure/NAME``."""
    inputs: Path
    """The folder of the history; the commands know it as ``inputs``."""
    steps: tuple[Step, ...]


def subjects(tree: Path, only: Sequence[str] = ()) -> list[Subject]:
    """Return the histories that a tree ships and, if SPECMINER_REAL_DATA is set, the real ones.

    ``only`` names some of them, with or without the folder in front (``auction_house``, ``mainnet/ArkToken``), or
    a whole folder (``datasets``).
    """
    folders = [("datasets", path.parent) for path in sorted((tree / "datasets").glob("*/about.toml"))]
    real = os.environ.get("SPECMINER_REAL_DATA")
    if real:
        exports = sorted(
            path for kind in ("mainnet", "azure") for path in Path(real).glob(f"{kind}/*/txlist.json.gz")
        )
        folders += [(path.parent.parent.name, path.parent) for path in exports]
    chosen = [(kind, folder) for kind, folder in folders if _is_meant(kind, folder.name, only)]
    makers = {"datasets": _dataset, "mainnet": _mainnet, "azure": _azure}
    return [makers[kind](folder.resolve()) for kind, folder in chosen]


def _is_meant(kind: str, name: str, only: Sequence[str]) -> bool:
    return not only or bool({kind, name, f"{kind}/{name}"} & set(only))


def _dataset(folder: Path) -> Subject:
    name = folder.name
    about = tomllib.loads((folder / "about.toml").read_text())
    database = ("--db", "history.db")
    traces = sorted((folder / "traces").glob("*.jsonl.gz")) or [folder / "traces.jsonl.gz"]
    steps: list[Step] = [
        (f"import-{number}", ("import", f"{_INPUTS}/{path.relative_to(folder)}", *database))
        for number, path in enumerate(traces)
    ]
    steps += [
        ("mine", ("mine", name, "--out", "mine")),
        ("mine-explain", ("mine", name, "--explain", "--no-report", "--out", "mine-explain")),
        *_reading((name,)),
        *_drawing(),
        *_reporting(f"{_INPUTS}/artifact.json"),
        ("export", ("export", str(about["address"]), *database, "--out", "export/history.jsonl.gz")),
    ]
    if name in VARIED:
        steps += _varied(name)
    return Subject(name=f"datasets/{name}", inputs=folder, steps=tuple(steps))


def _varied(name: str) -> list[Step]:
    variants = {
        "states-3": ("--states", "3"),
        "point-2": ("--point", "2"),
        "whole": ("--interactions", "whole"),
        "sender": ("--interactions", "sender"),
        "readable": ("--preset", "readable"),
        "precise": ("--preset", "precise"),
        "weights": ("--weights", "states=1,precision=4"),
        "seed-7": ("--seed", "7"),
    }
    mined: list[Step] = [
        (f"mine-{variant}", ("mine", name, *options, "--explain", "--no-report", "--out", f"mine-{variant}"))
        for variant, options in variants.items()
    ]
    again = ("mine", "mine/automaton.json", "--states", "3", "--out", "mine-again")
    edited = ("mine", name, "--abstraction", "mine/abstraction.toml", "--out", "mine-abstraction")
    return [*mined, ("mine-again", again), ("mine-abstraction", edited)]


def _mainnet(folder: Path) -> Subject:
    about = json.loads((folder / "about.json").read_text())
    history = ("--db", "history.db", "--chain-id", str(about["chain_id"]))
    artifact = f"{_INPUTS}/abi.json"
    target = str(about["address"])
    steps = [
        ("import-0", ("import", f"{_INPUTS}/txlist.json.gz", "--abi", artifact, *history)),
        ("mine", ("mine", target, "--abi", artifact, *history, "--explain", "--out", "mine")),
        *_reading((target, "--abi", artifact, *history)),
        *_drawing(),
        *_reporting(artifact),
        ("export", ("export", target, *history, "--out", "export/history.jsonl.gz")),
    ]
    return Subject(name=f"mainnet/{folder.name}", inputs=folder, steps=tuple(steps))


def _azure(folder: Path) -> Subject:
    with gzip.open(folder / "txlist.json.gz") as lines:
        records = json.load(lines)
    contracts = [str(record["contractAddress"]) for record in records if not record["to"]]
    history = ("--db", "history.db", "--chain-id", str(PRIVATE_CHAIN))
    artifact = f"{_INPUTS}/abi.json"
    family = ("--same-code-as", contracts[0], "--abi", artifact, *history)
    truths = sorted(path.name for path in folder.glob("truth*.json"))
    steps = [
        ("import-0", ("import", f"{_INPUTS}/txlist.json.gz", "--abi", artifact, *history)),
        ("mine", ("mine", *family, "--explain", "--out", "mine")),
        *_reading((*contracts, "--abi", artifact, *history)),
        *_drawing(),
        *_reporting(artifact),
        *((f"score-{truth}", ("score", "mine/automaton.json", f"{_INPUTS}/{truth}")) for truth in truths),
        ("export", ("export", contracts[0], *history, "--out", "export/history.jsonl.gz")),
    ]
    return Subject(name=f"azure/{folder.name}", inputs=folder, steps=tuple(steps))


def _reading(target: tuple[str, ...]) -> list[Step]:
    """Return the steps that show how a history splits."""
    command = ("interactions", *target)
    return [
        ("interactions", command),
        ("interactions-explain", (*command, "--explain")),
        ("interactions-json", (*command, "--explain", "--format", "json")),
        ("interactions-races", (*command, "--races")),
        ("interactions-races-json", (*command, "--races", "--format", "json")),
        ("interactions-graph", (*command, "--graph", "interactions.graphml")),
    ]


def _drawing() -> list[Step]:
    """Return the steps that write what was mined in other formats."""
    mined = "mine/automaton.json"
    formats = ("--format", "svg,dot,mermaid,graphml")
    full = ("--labels", "full", "--theme", "dark", "--min-share", "0", "--no-legend", "--direction", "LR")
    return [
        ("render", ("render", mined, *formats, "--out", "render")),
        ("render-full", ("render", mined, *formats, *full, "--out", "render-full")),
        ("export-smt", ("export-smt", mined)),
        ("export-smt-file", ("export-smt", mined, "--out", "export/automaton.smt2")),
        ("prove", ("prove", mined)),
        ("prove-json", ("prove", mined, "--format", "json")),
    ]


def _reporting(artifact: str) -> list[Step]:
    command = ("report", "mine/automaton.json")
    history = ("--db", "history.db", "--abi", artifact)
    return [
        ("report", (*command, *history, "--format", "html,md,json,csv,xes", "--out", "report")),
        ("report-alone", (*command, "--format", "html,md,json", "--out", "report-alone")),
    ]


def make(tree: Path, wanted: Sequence[Subject], out: Path, *, fresh: bool) -> None:
    """Run the steps of subjects with the code of a tree; a subject that is there already is kept unless ``fresh``.

    Raises:
        subprocess.CalledProcessError: the tree's command line could not be loaded.

    """
    todo = [subject for subject in wanted if fresh or not _is_made(subject, out)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        for name in pool.map(lambda subject: _run(tree, subject, out), todo):
            print(f"made {name}", file=sys.stderr, flush=True)


def _is_made(subject: Subject, out: Path) -> bool:
    path = out / subject.name / _STEPS
    return path.is_file() and path.read_text() == _recipe(subject)


def _recipe(subject: Subject) -> str:
    return json.dumps(subject.steps, indent=1) + "\n"


def _run(tree: Path, subject: Subject, out: Path) -> str:
    folder = out / subject.name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "export").mkdir(parents=True)
    (folder / _INPUTS).symlink_to(subject.inputs)
    environment = {
        "PATH": str(
            Path(sys.executable).parent
        ),  # no `dot` of the system: the Graphviz of the environment draws
        "PYTHONPATH": str(tree),
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "80",
        "SPECMINER_DEBUG": "1",  # a defect shows where it is
    }
    subprocess.run(
        [shutil.which("nice") or "nice", sys.executable, "-P", str(_DRIVER)],
        input=json.dumps(subject.steps),
        cwd=folder,
        env=environment,
        text=True,
        check=True,
    )
    (folder / _INPUTS).unlink()
    (folder / _STEPS).write_text(_recipe(subject))
    return subject.name


def made_subjects(out: Path, only: Sequence[str] = ()) -> list[str]:
    """Return the names of the subjects whose outputs are in a folder."""
    folders = sorted(path.parent for path in out.glob(f"*/*/{_STEPS}"))
    return [
        f"{folder.parent.name}/{folder.name}"
        for folder in folders
        if _is_meant(folder.parent.name, folder.name, only)
    ]


def made_files(folder: Path) -> dict[str, Path]:
    """Return the outputs in a folder by their names; databases are none, as `export` writes all that is in them."""
    return {
        str(path.relative_to(folder)): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != _STEPS and ".db" not in path.suffixes
    }


def outputs_of(revision: str, out: Path | None, only: Sequence[str] = ()) -> Path:
    """Return the folder with the outputs of a commit, made if they are not there, or of the working tree (``.``).

    Without ``out`` it stands in the cache (``$XDG_CACHE_HOME/specminer-golden``). The working tree is always run again.

    Raises:
        subprocess.CalledProcessError: there is no such commit.

    """
    if revision == ".":
        folder = out or _cache() / f"tree-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
        make(ROOT, subjects(ROOT, only), folder, fresh=True)
        return folder
    commit = _git("rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    folder = out or _cache() / commit
    with _checked_out(commit) as tree:
        make(tree, subjects(tree, only), folder, fresh=False)
    return folder


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "specminer-golden"


@contextmanager
def _checked_out(commit: str) -> Iterator[Path]:
    """Give the files of a commit, in a folder that goes again."""
    with tempfile.TemporaryDirectory(prefix="specminer-golden-") as scratch:
        archive = Path(scratch, "tree.tar")
        archive.write_bytes(_git("archive", "--format=tar", commit))
        tree = Path(scratch, "tree")
        with tarfile.open(archive) as files:
            files.extractall(tree, filter="data")
        archive.unlink()
        yield tree


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout
