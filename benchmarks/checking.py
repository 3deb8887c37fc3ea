"""What `check` finds: in what is benign, in planted attacks, and in transactions that were changed.

    python -m benchmarks.checking [DATASET ...] [--seed N] [--without-code] [--list]

Each dataset (by default all) is mined from its first 70 % of blocks, or up to the block before a planted attack where
that comes earlier; the rest is checked. Then every third accepted transaction of the rest is changed in one way, once
for each way: another value of an argument, another sender, another amount of ether, or it changes places with the next
one that writes to the same slot. All else stays as recorded.

Prints, for each dataset, how many of the benign events are findings, by severity; whether the planted attack is one;
and how many of the changed transactions are at least ``unknown``. A change that the contract's code takes, with the
recorded effects, is valid and none to be found: such ones are counted apart. ``--without-code`` removes the contracts'
code, so that only what was learned can tell; ``--list`` names the changed transactions that were missed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import zstandard  # noqa: F401  # trace files may be packed so

from specminer import Selection, SelectionOptions, mine, select
from specminer._support.statistics import TRAINING_SHARE
from specminer.decision.recordings import NotRecorded, Recordings
from specminer.decision.runs import execute_alone
from specminer.history.contract_history import History
from specminer.pipeline.checking import check_history as check
from specminer.pipeline.datasets import dataset, list_datasets
from specminer.shadow.arena import Arena
from specminer.specification import Specification
from specminer.specification.deviation import CheckResult, Severity

EVERY: Final = 3
"""One in so many accepted transactions is changed."""
WAYS: Final = ("argument", "sender", "value", "order")

Line = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A dataset, cut in two."""

    name: str
    headers: Sequence[Line]
    """One a contract."""
    transactions: Sequence[Line]
    """In chain order, each with the number of its contract as ``contract``."""
    cut: int
    """The last block of the first part."""
    planted: frozenset[str]
    """Hashes of the transactions of a planted attack."""

    @property
    def later(self) -> list[int]:
        """The positions of the second part's accepted transactions that call the contract and change something."""
        return [
            place
            for place, line in enumerate(self.transactions)
            if line["block"]["number"] > self.cut and line["succeeded"] and line["hash"] not in self.planted
            if line["invocations"] and line["invocations"][0]["depth"] == 0 and line["to"] and writes(line)
        ]


def recording_of(name: str, *, with_code: bool) -> Recording:
    """Read a dataset and say where it is cut."""
    item = dataset(name)
    headers, transactions = [], []
    for number, path in enumerate(item.trace_files):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            header, *lines = map(json.loads, file)
        headers.append(header)
        transactions += [line | {"contract": number} for line in lines]
        if not with_code:
            for key in ("code", "codes", "implementations"):
                header["contract"].pop(key, None)
    transactions.sort(key=lambda line: (line["block"]["number"], line["index"]))
    about = tomllib.loads((item.folder / "about.toml").read_text(encoding="utf-8"))
    marked = set(about.get("intended", {}).get("marked", {}).get("attack", ()))
    blocks = sorted({line["block"]["number"] for line in transactions})
    attacks = [line["block"]["number"] for line in transactions if line["hash"] in marked]
    cut = min([blocks[round(TRAINING_SHARE * len(blocks)) - 1], *(block - 1 for block in attacks)])
    return Recording(
        name=name, headers=headers, transactions=transactions, cut=cut, planted=frozenset(marked)
    )


def writes(line: Line) -> bool:
    """Return whether a transaction changes storage."""
    return any(access[1] == "write" for call in line["invocations"] for access in call["accesses"])


def history_of(recording: Recording, transactions: Sequence[Line]) -> History:
    """Return transactions as a history, through trace files."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, header in enumerate(recording.headers):
            own = [line for line in transactions if line["contract"] == number]
            if own:
                path = Path(folder) / f"{number:04}.jsonl"
                told = [{key: value for key, value in line.items() if key != "contract"} for line in own]
                path.write_text(
                    "".join(json.dumps(line) + "\n" for line in (_cut(header, own), *told)),
                    encoding="utf-8",
                )
                paths.append(str(path))
        return select(None, SelectionOptions(targets=tuple(paths))).history


def _cut(header: Line, transactions: Sequence[Line]) -> Line:
    """Return the header of a file that holds some transactions only."""
    rest = {key: value for key, value in header.items() if key != "tip"}
    return rest | {"transactions": len(transactions), "last_block": transactions[-1]["block"]["number"]}


def checked(recording: Recording, transactions: Sequence[Line], specification: Specification) -> CheckResult:
    """Check transactions by a specification."""
    return check(specification, history_of(recording, transactions))


def mined(recording: Recording) -> Specification:
    """Mine the first part."""
    first = [line for line in recording.transactions if line["block"]["number"] <= recording.cut]
    return mine(Selection(history=history_of(recording, first))).specification


def changed(recording: Recording, way: str, chance: random.Random) -> tuple[list[Line], list[set[str]]]:
    """Return the transactions with some of them changed, and for each change the hashes that it touched."""
    lines = json.loads(json.dumps(list(recording.transactions)))
    touched: list[set[str]] = []
    later, taken = recording.later, set[int]()
    for place in later[chance.randrange(EVERY) :: EVERY]:
        if place in taken:
            continue
        if way == "order":
            other = next((item for item in later if item > place and shares(lines[place], lines[item])), None)
            if other is None or other in taken:
                continue
            exchange(lines, place, other)
            taken |= {place, other}
            touched.append({lines[place]["hash"], lines[other]["hash"]})
        elif change(lines, place, way, chance):
            touched.append({lines[place]["hash"]})
    return lines, touched


def change(lines: Sequence[Line], place: int, way: str, chance: random.Random) -> bool:
    """Change one transaction; return whether it could be."""
    line = lines[place]
    call = line["invocations"][0]
    if way == "sender":
        others = sorted({item["sender"] for item in lines} - {line["sender"]})
        line["sender"] = call["sender"] = chance.choice(others)
        return True
    if way == "value":
        before = int(call["value"])
        line["value"] = call["value"] = str(chance.choice([before // 2, before + 1, 2 * before + 10**15]))
        return int(call["value"]) != before
    selector, words = call["data"][:10], words_of(call["data"])
    pool = [
        words_of(item["invocations"][0]["data"])
        for item in lines
        if item["invocations"] and item["invocations"][0]["data"][:10] == selector
    ]
    places = [
        number
        for number in range(len(words))
        if len({item[number] for item in pool if len(item) > number}) > 1
    ]
    if not places:
        return False
    number = chance.choice(places)
    values = sorted({item[number] for item in pool if len(item) > number} - {words[number]})
    words[number] = chance.choice(values)
    call["data"] = selector + "".join(words) + call["data"][10 + 64 * len(words) :]
    return True


def words_of(data: str) -> list[str]:
    """Return the whole words behind the selector, as hexadecimal digits."""
    body = data[10:]
    return [body[start : start + 64] for start in range(0, len(body) - 63, 64)]


def shares(one: Line, other: Line) -> bool:
    """Return whether both write, or one reads what the other writes."""
    written, touched = (_slots(one, {"write"}), _slots(other, {"read", "write"}))
    return bool(written & touched)


def _slots(line: Line, kinds: set[str]) -> set[tuple[str, str]]:
    return {
        (call["contract"], access[2])
        for call in line["invocations"]
        for access in call["accesses"]
        if access[1] in kinds
    }


def exchange(lines: list[Line], one: int, other: int) -> None:
    """Let two transactions change places; blocks and positions stay."""
    lines[one], lines[other] = lines[other], lines[one]
    for key in ("block", "index"):
        lines[one][key], lines[other][key] = lines[other][key], lines[one][key]


def is_valid(history: History, hashes: set[str]) -> bool:
    """Return whether the code of all calls in some transactions does what is recorded."""
    recordings = Recordings(history)
    for row, transaction in enumerate(history.invocation_transaction.tolist()):
        if f"0x{history.transaction_hash[transaction].hex()}" in hashes:
            try:
                if not execute_alone(recordings.of(row), Arena()).pursuit.proved:
                    return False
            except NotRecorded:
                return False
    return True


@dataclass(slots=True)
class Totals:
    """Sums over datasets."""

    events: int = 0
    findings: Counter[Severity] = field(default_factory=Counter)
    planted: int = 0
    found: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    noticed: Counter[str] = field(default_factory=Counter)
    valid: Counter[str] = field(default_factory=Counter)
    """Changes that the contract's code takes, with the recorded effects."""
    mining: float = 0.0
    """CPU seconds."""
    checking: float = 0.0


def measure(recording: Recording, totals: Totals, seed: int, *, listed: bool) -> None:
    """Check one dataset in all ways, and print what was found."""
    began = time.process_time()
    specification = mined(recording)
    between = time.process_time()
    result = checked(recording, recording.transactions, specification)
    totals.mining += between - began
    totals.checking += time.process_time() - between
    worst: dict[tuple[str, int], Severity] = {}
    for item in result.findings:
        key = item.where.transaction, item.invocation
        worst[key] = max(worst.get(key, item.severity), item.severity, key=lambda severity: severity.rank)
    benign = Counter(severity for (hash_, _), severity in worst.items() if hash_ not in recording.planted)
    found = {hash_ for (hash_, _), severity in worst.items() if severity.rank >= Severity.UNKNOWN.rank}
    totals.events += result.events
    totals.findings += benign
    totals.planted += len(recording.planted)
    totals.found += len(recording.planted & found)
    parts = [f"{severity.value} {benign[severity]}" for severity in Severity]
    planted = (
        f", planted {len(recording.planted & found)} of {len(recording.planted)}" if recording.planted else ""
    )
    print(
        f"{recording.name}: {result.events} events after block {recording.cut}: {', '.join(parts)}{planted}"
    )
    ways = []
    for way in WAYS:
        chance = random.Random(f"{seed} {recording.name} {way}")
        lines, touched = changed(recording, way, chance)
        history = history_of(recording, lines)
        noticed = {
            item.where.transaction for item in check(specification, history).at_least(Severity.UNKNOWN)
        }
        missed = [item for item in touched if not item & noticed]
        valid = [item for item in missed if is_valid(history, item)]
        missed = [item for item in missed if item not in valid]
        touched = [item for item in touched if item not in valid]
        totals.changed[way] += len(touched)
        totals.noticed[way] += len(touched) - len(missed)
        totals.valid[way] += len(valid)
        ways.append(f"{way} {len(touched) - len(missed)} of {len(touched)}")
        if listed:
            for hashes in missed:
                print(f"  missed: {way} {', '.join(sorted(hashes))}")
    print(f"  changed: {', '.join(ways)}")


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="*", default=sorted(item.name for item in list_datasets()))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--without-code", action="store_true")
    parser.add_argument("--list", action="store_true")
    given = parser.parse_args(arguments)
    totals = Totals()
    for name in given.datasets:
        measure(recording_of(name, with_code=not given.without_code), totals, given.seed, listed=given.list)
    worse = totals.findings[Severity.BROKEN]
    print(
        f"benign: {totals.events} events, {worse} broken ({worse / max(1, totals.events):.2%}), "
        f"{totals.findings[Severity.UNKNOWN]} unknown, {totals.findings[Severity.UNUSUAL]} unusual"
    )
    print(f"planted: {totals.found} of {totals.planted}")
    for way in WAYS:
        share = totals.noticed[way] / max(1, totals.changed[way])
        counts = f"{totals.noticed[way]} of {totals.changed[way]} ({share:.1%})"
        print(f"changed, {way}: {counts}, {totals.valid[way]} more are valid")
    print(f"checking takes {totals.checking / totals.mining:.2f} of the time of mining")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
