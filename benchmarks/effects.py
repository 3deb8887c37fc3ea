"""How many effects of functions are found, of those that were listed beforehand from the sources.

    python -m benchmarks.effects                # the shipped datasets and contracts of others
    python -m benchmarks.effects --list escrow  # with those that were missed, wrong, and unclear

A list has, by function, what accepted calls leave in storage, pay, call and log, each as a text
(``balances[to]' = balances[to] + amount``) with the condition under which the source does it: ``[intended.effects]`` in
a dataset's ``about.toml``, and ``tests/data/effects`` for contracts of others, which are played on a node. A listed
effect is found if a mined one of the function has the same target and a solver shows that both expressions are always
equal; and if that happened in some calls only, the mined one has a condition, which follows from the listed one. A
mined effect is wrong if no listed one has its target and expression, or none of them implies its condition. *Unclear*
are mined effects that say no more than what they depend on; they count neither way. Left aside are functions without
an accepted call, and those that have no list: of datasets, those that do nothing.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.condition_terms import Reader
from benchmarks.decisions import shipped_history
from specminer import Selection, SelectionOptions, mine, select
from specminer.contracts.artifact import Artifact, load
from specminer.decoding import HistoryContext, decode
from specminer.history.contract_history import History
from specminer.pipeline.datasets import dataset, list_datasets
from specminer.specification import Effect
from tests.support.third_party.recording import recorded

LISTS: Final = Path(__file__).parent.parent / "tests" / "data" / "effects"
"""Effects of contracts of others, a file each."""
_GETTERS: Final = {"balances": "balanceOf", "allowed": "allowance", "totalSupply_": "totalSupply"}
"""Variables that the ABI calls otherwise than the source; without a storage layout it names them."""
_BITS: Final = re.compile(r"\.bits0to(\d+)|\.bytes0to(\d+)")
_WEI: Final = re.compile(r"\b(\d+) wei\b")
_WRITES: Final = "' = "


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An effect in parts: those that have to be the same, and those that have to be equal."""

    kind: str
    """``writes``, ``pays``, or ``calls`` and ``logs`` with the name of what is called or logged."""
    parts: tuple[str, ...]
    """The place and its new value; the amount and the receiver; the arguments."""


@dataclass(slots=True, kw_only=True)
class Verdicts:
    """What became of effects, each a line of text."""

    found: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unclear: list[str] = field(default_factory=list)

    @property
    def listed(self) -> int:
        """How many effects were listed of functions that were called."""
        return len(self.found) + len(self.missed)

    @property
    def mined(self) -> int:
        """How many effects were mined."""
        return len(self.right) + len(self.wrong) + len(self.unclear)


def act(text: str) -> Act:
    """Return an effect in parts.

    Raises:
        ValueError: the text has none of the four forms.

    """
    text = _WEI.sub(r"\1", text)
    if _WRITES in text and not text.startswith(("pays ", "calls ", "logs ", "creates ")):
        place, _, value = text.partition(_WRITES)
        return Act(kind="writes", parts=(place, value))
    word, _, rest = text.partition(" ")
    if word == "pays":
        amount, _, receiver = rest.rpartition(" to ")
        return Act(kind=word, parts=(amount, receiver))
    name, opening, arguments = rest.partition("(")
    if word in ("calls", "logs", "creates") and opening and arguments.endswith(")"):
        return Act(kind=f"{word} {name}", parts=tuple(_split(arguments[:-1])))
    raise ValueError(
        f"expected an effect like `x' = x + 1`, `pays a to b`, `calls f(a)` or `logs E(a)` but got {text!r}"
    )


def _split(arguments: str) -> Iterator[str]:
    """Yield the arguments of a call, which may have commas in brackets."""
    depth = begin = 0
    for place, letter in enumerate(arguments):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            yield arguments[begin:place].strip()
            begin = place + 1
    if last := arguments[begin:].strip():
        yield last


def judge(
    listed: Mapping[str, Mapping[str, str]],
    effects: Sequence[Effect],
    context: HistoryContext,
) -> Verdicts:
    """Compare listed effects, conditions by text by function, with those mined of a history."""
    verdicts = Verdicts()
    names = _names({} if context.artifact is None else context.artifact.enums)
    own: dict[str, list[Effect]] = defaultdict(list)
    for effect in effects:
        own[effect.function].append(effect)
    called = context.calls.function[context.history.accepted]
    for number in sorted(set(called.tolist())):
        function = context.calls.functions[number]
        if function in listed:
            _judge_function(function, listed[function], own[function], Reader(names=names), verdicts)
    return verdicts


def _names(enums: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return what names stand for: members of enums, as numbers, and truth."""
    members = {
        name: f"member of {enum}, {number}"
        for enum, listed in enums.items()
        for number, name in enumerate(listed)
    }
    return {**members, "true": "truth, 1", "false": "falsehood, 0", **_GETTERS}


def _judge_function(
    function: str, listed: Mapping[str, str], effects: Sequence[Effect], reader: Reader, verdicts: Verdicts
) -> None:
    """Add the verdicts on the effects of a function."""
    acts = [(text, condition, act(text)) for text, condition in listed.items()]
    met: set[str] = set()
    for effect in effects:
        line = f"{function}: {effect.text}{f' if {effect.condition}' if effect.condition else ''}"
        try:
            mined = act(_spelled(effect.text))
        except ValueError:
            mined = None
        same = [] if mined is None else [item for item in acts if _equal(reader, item[2], mined)]
        if not same:
            (verdicts.wrong if effect.readable and mined is not None else verdicts.unclear).append(line)
            continue
        implied = [item for item in same if _follows(reader, effect.condition, item[1])]
        (verdicts.right if implied else verdicts.wrong).append(line)
        if effect.condition or effect.happened == effect.calls:
            met.update(text for text, *_ in implied)
    for text, condition, _ in acts:
        line = f"{function}: {text}{f' if {condition}' if condition else ''}"
        (verdicts.found if text in met else verdicts.missed).append(line)


def _spelled(text: str) -> str:
    """Return an expression with remainders and casts in place of the lowest bits."""

    def whole(match: re.Match[str]) -> str:
        bits = int(match[1]) + 1 if match[1] else 8 * (int(match[2]) + 1)
        return "" if bits % 8 == 0 else f" % {2**bits}"

    return _BITS.sub(whole, text)


def _equal(reader: Reader, one: Act, other: Act) -> bool:
    """Return whether two effects do the same whatever the call found."""
    if one.kind != other.kind or len(one.parts) != len(other.parts):
        return False
    for first, second in zip(one.parts, other.parts, strict=True):
        equation = reader.read(f"({first}) = ({second})")
        if not equation.comparable or not reader.follows(equation.formula, []):
            return False
    return True


def _follows(reader: Reader, mined: str, listed: str) -> bool:
    """Return whether a mined condition follows from a listed one; an empty one always holds."""
    if not mined:
        return True
    conclusion = reader.read(_spelled(mined))
    premises = [reader.read(listed).formula] if listed else []
    return conclusion.comparable and reader.follows(conclusion.formula, premises)


def of_dataset(name: str) -> Verdicts:
    """Return the verdicts on the effects of a shipped dataset."""
    folder = dataset(name).folder
    about = tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))
    return _of_history(about["intended"]["effects"], shipped_history(name), load(folder / "artifact.json"))


def of_third_party(name: str, folder: Path) -> Verdicts:
    """Return the verdicts on the effects of a contract of others, which is played on a node."""
    recording = recorded(name, folder)
    listed = tomllib.loads((LISTS / f"{name}.toml").read_text(encoding="utf-8"))
    history = select(None, SelectionOptions(targets=(str(recording.trace_file),))).history
    return _of_history(listed, history, load(recording.artifact_file))


def _of_history(listed: Mapping[str, Mapping[str, str]], history: History, artifact: Artifact) -> Verdicts:
    found = mine(Selection(history=history), abi=artifact).specification.effects
    return judge(listed, found, decode(history, artifact))


def names() -> tuple[list[str], list[str]]:
    """Return the datasets, and the contracts of others, whose effects are listed."""
    return [item.name for item in list_datasets()], sorted(path.stem for path in LISTS.glob("*.toml"))


def main() -> None:
    """Print a line for each history and one for all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print what was missed, wrong, unclear")
    shipped, others = names()
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join((*shipped, *others))}")
    arguments = parser.parse_args()
    print(f"{'history':16} {'found':>6} {'listed':>7} {'wrong':>6} {'unclear':>8} {'mined':>6}")
    with TemporaryDirectory() as folder:
        for name in arguments.names or (*shipped, *others):
            verdicts = of_dataset(name) if name in shipped else of_third_party(name, Path(folder))
            print(
                f"{name:16} {len(verdicts.found):6} {verdicts.listed:7} {len(verdicts.wrong):6} "
                f"{len(verdicts.unclear):8} {verdicts.mined:6}",
                flush=True,
            )
            for kind in ("missed", "wrong", "unclear") if arguments.list else ():
                for line in getattr(verdicts, kind):
                    print(f"  {kind:8} {line}")


if __name__ == "__main__":
    main()
