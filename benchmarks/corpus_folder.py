"""A contract of the corpus: a folder with its intended protocol and its history, or what makes the history.

``about.toml`` has ``title`` and where the history comes from:

- ``dataset``: the name of a shipped dataset;
- ``life``: the name of a history in ``tests/data/states``, which is recorded on a node, and whose protocol is made of
  the states that were written down there;
- neither: trace files lie beside it, ``traces.jsonl.gz`` or those in ``traces/``; or sources in Solidity, and a
  ``scenario.py`` that plays them on a node: its ``drive`` takes a :class:`tests.support.third_party.crowd.Crowd` and
  the compiler's output by contract, and returns the :class:`~tests.support.third_party.crowd.Subject` to be recorded.

``abi.json`` or ``artifact.json`` beside it names functions and variables where the trace files do not. ``interactions``
says how to split the history, if not as fits best, and ``limit`` what stands in the way of a full
score. ``protocol.json`` is the intended automaton, in the form that
``specminer score`` reads. It was written down from source and documentation before anything was mined.
"""

from __future__ import annotations

import json
import runpy
import tomllib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from specminer import MineOptions, SelectionOptions, select
from specminer.automaton import Automaton, from_edges, reachable, without_silent_moves
from specminer.comparison.score import language, read
from specminer.contracts.artifact import Artifact, load
from specminer.history.contract_history import History
from specminer.pipeline import collect
from specminer.pipeline.datasets import dataset
from specminer.sources.endpoint import Endpoint
from specminer.sources.node import Node
from specminer.store import TraceStore
from tests.support.anvil import Anvil
from tests.support.collecting import address
from tests.support.solc import compile_files
from tests.support.third_party.crowd import Crowd, Subject
from tests.support.third_party.recording import recorded
from tests.support.third_party.written_states import written_life

CORPUS: Final = Path(__file__).parent / "corpus"
_SCENARIO: Final = "scenario.py"
_BESIDE: Final = ("artifact.json", "abi.json")
_CLOCK: Final = "clock:"
_NOTHING: Final = "none"
_CREATION: Final = "constructor"


class FolderError(ValueError):
    """A folder of the corpus lacks something, or says something that does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusFolder:
    """A contract of the corpus."""

    path: Path
    title: str
    dataset: str | None = None
    life: str | None = None
    interactions: str | None = None
    """How to split, as for ``specminer mine``; ``None`` for what fits best."""
    limit: str | None = None
    """What stands in the way of a full score, as a sentence."""

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.name

    @property
    def options(self) -> MineOptions:
        """How to mine: by default, but for the split."""
        return MineOptions(interactions=self.interactions)

    def history(self) -> tuple[History, Artifact | None]:
        """Return the history, recorded first if nothing holds it yet, and what names its functions.

        Raises:
            FolderError: no history lies in the folder.

        """
        if self.life is not None:
            with TemporaryDirectory() as folder:
                recording = recorded(self.life, Path(folder))
                return _selected([str(recording.trace_file)]), recording.artifact()
        if self.is_played:
            return self._played()
        return _selected(self._targets()), self._artifact()

    @property
    def is_played(self) -> bool:
        """Whether a scenario makes the history."""
        return (self.path / _SCENARIO).is_file()

    @property
    def needs_node(self) -> bool:
        """Whether the history is recorded on a node, and nowhere kept."""
        return self.life is not None or self.is_played

    def _played(self) -> tuple[History, Artifact]:
        """Play the scenario on a fresh node, and collect what became of it."""
        scenario = runpy.run_path(str(self.path / _SCENARIO), run_name=f"scenario_of_{self.name}")
        contracts = compile_files(*sorted(self.path.glob("*.sol")))
        with Anvil(automine=False) as anvil, TraceStore("sqlite://") as store:
            subject: Subject = scenario["drive"](Crowd(anvil), contracts)
            with Node(Endpoint(anvil.url)) as node:
                contract = address(subject.address)
                collected = collect(store, node, contract)
            history = store.history(collected.chain_id, [contract])
        fields = {key: subject.artifact[key] for key in ("abi", "storageLayout") if key in subject.artifact}
        with TemporaryDirectory() as folder:
            path = Path(folder) / "artifact.json"
            path.write_text(json.dumps({"contractName": subject.name, **fields}))
            return history, load(path)

    def protocol(self) -> Automaton:
        """Return the intended automaton over the bare names of functions.

        Raises:
            FolderError: there is none.

        """
        if self.life is not None:
            return written_protocol(self.life)
        path = self.path / "protocol.json"
        if not path.is_file():
            raise FolderError(
                f"{self.name}: expected the intended protocol in {path.name}, but there is none"
            )
        return language(read(path), origin=path.name)

    def _targets(self) -> list[str]:
        if self.dataset is not None:
            return [str(path) for path in dataset(self.dataset).trace_files]
        several = sorted((self.path / "traces").glob("*.jsonl*"))
        one = sorted(self.path.glob("traces.jsonl*"))
        if not (several or one):
            raise FolderError(
                f"{self.name}: expected trace files (traces.jsonl.gz, or several in traces/), a scenario.py, "
                "`dataset` or `life`"
            )
        return [str(path) for path in several or one]

    def _artifact(self) -> Artifact | None:
        folder = self.path if self.dataset is None else dataset(self.dataset).folder
        for name in _BESIDE:
            if (folder / name).is_file():
                return load(folder / name)
        return None


def _selected(targets: list[str]) -> History:
    return select(None, SelectionOptions(targets=tuple(targets))).history


def read_folder(path: Path) -> CorpusFolder:
    """Read what a folder says of itself; without ``about.toml`` its name is the title.

    Raises:
        FolderError: the folder is not there, or ``about.toml`` is malformed.

    """
    if not path.is_dir():
        raise FolderError(f"expected the folder of a contract but got {path}")
    about = path / "about.toml"
    try:
        fields = tomllib.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FolderError(f"{path.name}: about.toml is malformed: {error}") from None
    unknown = fields.keys() - {"title", "dataset", "life", "interactions", "limit"}
    if unknown or not all(isinstance(value, str) for value in fields.values()):
        raise FolderError(
            f"{path.name}: about.toml has the texts title, dataset, life, interactions, limit; "
            f"not {sorted(unknown) or fields}"
        )
    return CorpusFolder(path=path, **({"title": path.name} | fields))


def corpus() -> list[CorpusFolder]:
    """Return the contracts of the corpus, in the order of their names."""
    return [read_folder(path) for path in sorted(CORPUS.iterdir()) if path.is_dir()]


def written_protocol(name: str) -> Automaton:
    """Return the automaton over functions of a life in ``tests/data/states``; what the clock does makes no sound.

    It starts in the state ``none``, or else in the first one; the one life of a contract starts with its creation. An
    entity whose key the contract counts begins once: what is over leads to a state of its own then, though storage is
    as it was before.
    """
    life = written_life(name)
    number = {state: row for row, state in enumerate(life.states)}
    number.setdefault(_NOTHING, len(number))
    over = max(number.values()) + 1 if life.once else number[_NOTHING]
    steps = [
        (number[source], event, over if target == _NOTHING else number[target])
        for source, event, target in life.transitions
        if source in number and target in number
    ]
    loud = [
        (source, event.split()[0], target, 1)
        for source, event, target in steps
        if not event.startswith(_CLOCK)
    ]
    silent = [(source, target) for source, event, target in steps if event.startswith(_CLOCK)]
    start = number[_NOTHING] if any(source == number[_NOTHING] for source, *_ in steps) else 0
    if life.entities is None:
        loud.append((len(number), _CREATION, start, 1))
        start = len(number)
    everything = Automaton(
        states=frozenset(number.values()) | {start, over},
        transitions=from_edges(sorted(set(loud)), start).transitions,
        initial_state=start,
    )
    return reachable(without_silent_moves(everything, silent))
