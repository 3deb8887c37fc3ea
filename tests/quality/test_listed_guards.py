"""The guards found for the datasets are those that were listed beforehand in ``about.toml``.

A condition that is listed counts as found if a required guard of the function has one over the same things with
the same kind of relation: whether a bound itself is let in shows only where a call meets it exactly. What is
listed and speaks of what no comparison of stored values tells (hashes, signatures, the fate of other calls, computed
prices) is left out; so is a reason for which a single call was rejected, or a function that was never accepted.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from specminer.contracts.artifact import Artifact, load
from specminer.decoding import decode
from specminer.inference.function_guards import learn
from specminer.pipeline.datasets import dataset, list_datasets
from specminer.pipeline.following import execute, follow
from specminer.pipeline.guarding import causes
from specminer.pipeline.traces import import_traces
from specminer.specification import Guard, GuardKind
from specminer.store import TraceStore

FOUND: Final = 0.9
WRONG: Final = 0.05
_BEYOND: Final = re.compile(r"hash\(|signed|the price|the call|this contract|after the upgrade")
_SIGNS: Final = {"=": "=", "!=": "!=", ">": ">", ">=": ">", "<": "<", "<=": "<"}
_TURNED: Final = {"<": ">", ">": "<"}
_GETTERS: Final = {"balances": "balanceOf", "allowed": "allowance"}
"""Variables that the ABI calls otherwise than the source."""
_UNSTORED: Final = frozenset({"artist", "operator"})
"""Immutable: the code holds the address, storage does not."""


def atoms(text: str) -> set[str]:
    """Return the comparisons of a condition in one spelling."""
    found = set()
    for part in re.split(r"\band\b|\bor\b", text.replace("(", " ").replace(")", " ").replace("`", "")):
        found.add(atom(part.strip().replace("length of ", "length ")))
    return found


def atom(text: str) -> str:
    for old, new in _GETTERS.items():
        text = re.sub(rf"\b{old}\[", f"{new}[", text)
    match = re.fullmatch(r"(.+?) (=|!=|<=|>=|<|>) (.+)", text)
    if match is None:
        return text
    left, sign, right = match[1].strip(), _SIGNS[match[2]], match[3].strip()
    if "sender" in (left, right) and sign == "=":
        other = right if left == "sender" else left
        if other in _UNSTORED or other.startswith("0x"):
            return "sender = an address"
    if right == "0" and sign in (">", "!="):
        sign = "!="
    if sign == "<" and right.isdecimal():  # the next number above is a bound just as well
        return f"{left} < #"
    if sign == ">" and right.isdecimal() and right != "0":
        return f"{left} > #"
    if left > right and not right.isdecimal():
        left, right, sign = right, left, _TURNED.get(sign, sign)
    return f"{left} {sign} {right}"


def with_numbers(text: str, artifact: Artifact) -> str:
    """Return a condition with the numbers of enum members, as they are listed, in place of their names."""
    numbers = {name: str(row) for members in artifact.enums.values() for row, name in enumerate(members)}
    return re.sub(r"(?<=[=<>] )[A-Za-z]\w*\b(?![\[.(])", lambda match: numbers.get(match[0], match[0]), text)


def met(listed: str, found: set[str]) -> bool:
    """Whether a listed comparison is among those found, as far as a history can tell."""
    if listed in found:
        return True
    match = re.fullmatch(r"(.+) (=|!=|<|>) (.+)", listed)
    if match is None:
        return False
    left, sign, right = match.groups()
    if sign == "=":  # no call was above, or none below
        return bool({f"{left} > {right}", f"{left} < {right}", f"{left} > #", f"{left} < #"} & found)
    if right == "#":  # the number next to the bound was the only one refused
        return any(item.startswith(f"{left} != ") for item in found)
    return sign == "!=" and right == "0" and f"{left} > #" in found


def found_guards(name: str, folder: Path, *, decided: bool) -> tuple[Guard, ...]:
    """Return the guards of a dataset's functions: from what its calls decided, or learned without looking at that."""
    item = dataset(name)
    with TraceStore(str(folder / f"{name}.db")) as store:
        for path in item.trace_files:
            import_traces(store, path)
        record = store.contracts()[0]
        addresses = [each.address for each in store.contracts()]
        history = store.history(record.chain_id, addresses)
    context = decode(history, load(item.folder / "artifact.json"))
    followed = follow(context, execute(context)) if decided else None
    found = learn(context, causes(history, context.interface), followed=followed)
    return tuple(item.guard for item in found.guards)


@pytest.fixture(scope="module", params=["learned", "decided"])
def compared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[str]]:
    """Return what was listed and found, listed and missed, and found and wrong."""
    folder = tmp_path_factory.mktemp("guards")
    result: dict[str, list[str]] = {"found": [], "missed": [], "right": [], "wrong": []}
    for item in list_datasets():
        artifact = load(item.folder / "artifact.json")
        listed = tomllib.loads((item.folder / "about.toml").read_text())["intended"]["requires"]
        for guard in found_guards(item.name, folder, decided=request.param == "decided"):
            if guard.kind in (GuardKind.REQUIRED, GuardKind.LEARNED) and guard.accepted:
                texts = [with_numbers(condition.text, artifact) for condition in guard.conditions]
                compare(f"{item.name}.{guard.scope}", guard, texts, listed.get(guard.scope, {}), result)
    return result


def compare(
    name: str, guard: Guard, texts: list[str], listed: dict[str, Any], result: dict[str, list[str]]
) -> None:
    rejected = {reason.text: reason.rejected for reason in guard.reasons}
    found = {part for text in texts for part in atoms(text)}
    for reason, text in listed.items():
        counted = rejected.get("" if reason == "(no reason)" else reason, 0)
        if counted < 2 or _BEYOND.search(text):
            continue
        for part in atoms(text):
            result["found" if met(part, found) else "missed"].append(f"{name}: {part}")
    meant = {part for text in listed.values() for part in atoms(text)}
    for text in texts:
        parts = atoms(text)
        right = any(met(part, {mine}) or met(mine, {part}) for part in meant for mine in parts)
        result["right" if right else "wrong"].append(f"{name}: {text}")


def test_most_listed_conditions_are_found(compared: dict[str, list[str]]) -> None:
    total = len(compared["found"]) + len(compared["missed"])
    assert total > 80
    assert len(compared["found"]) >= FOUND * total, compared["missed"]


def test_few_conditions_reported_as_required_are_wrong(compared: dict[str, list[str]]) -> None:
    total = len(compared["right"]) + len(compared["wrong"])
    assert total > 80
    assert len(compared["wrong"]) <= WRONG * total, compared["wrong"]
