"""Writes the table of functions that well-known contracts have: ``specminer/contracts/common_signatures.txt``.

    npm install --prefix FOLDER --ignore-scripts @openzeppelin/contracts@4.9.6 @uniswap/v2-core @uniswap/v2-periphery \
        @uniswap/v3-core @uniswap/v3-periphery @safe-global/safe-contracts
    python -m tools.common_signatures FOLDER

A line is a signature, then the names of its arguments that most contracts give them, with commas between: facts, no
code. An argument that is an amount here and the number of a token there has neither name: it is ``arg0``, ``arg1``, and
so on. A selector that two signatures share is left out. The head of the table tells the packages and their versions.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from specminer._support.errors import plain
from specminer.contracts.artifact import AbiEntry
from specminer.contracts.interface import canonical, selector

TABLE: Final = Path(__file__).resolve().parent.parent / "specminer" / "contracts" / "common_signatures.txt"
PACKAGES: Final = (
    "@openzeppelin/contracts",
    "@safe-global/safe-contracts",
    "@uniswap/v2-core",
    "@uniswap/v2-periphery",
    "@uniswap/v3-core",
    "@uniswap/v3-periphery",
)
_TESTS: Final = ("Mock", "Test", "mock", "test", "Harness", "Example")
"""What the names of contracts hold that nobody deploys."""
_AMOUNTS: Final = frozenset(
    {
        "amount",
        "amt",
        "assets",
        "rawamount",
        "shares",
        "tokens",
        "value",
        "wad",
        "addedvalue",
        "subtractedvalue",
    }
)
"""Names of amounts."""
_TOKENS: Final = frozenset({"id", "tokenid"})
"""Names of numbers of tokens."""
_UNITS: Final = frozenset({"wad", "rawamount", "amt"})
"""Names of amounts that say in which unit one contract counts."""


def neutral(given: Collection[tuple[str, ...]], most: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of arguments that are true of all contracts which have a function.

    Args:
        given: what contracts call the arguments.
        most: what most of them do.

    """
    result = list(most)
    for index, name in enumerate(most):
        words = {names[index].strip("_").lower() for names in given} - {""}
        if words & _TOKENS and words & _AMOUNTS:
            result[index] = f"arg{index}"
        elif name.strip("_").lower() in _UNITS:
            result[index] = "amount"
    return tuple(result)


def functions(package: Path) -> Iterator[AbiEntry]:
    """Yield the functions of all contracts of a package."""
    for path in sorted(package.rglob("*.json")):
        if "node_modules" in path.relative_to(package).parts or any(word in str(path) for word in _TESTS):
            continue
        document: Any = json.loads(path.read_text(encoding="utf-8"))
        abi = document.get("abi") if isinstance(document, dict) else None
        for item in abi if isinstance(abi, list) else ():
            if isinstance(item, dict) and item.get("type") == "function":
                yield msgspec.convert(item, AbiEntry)


def table(folder: Path) -> str:
    """Return the table of the packages in a folder of npm; the same packages give the same bytes."""
    names: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    by_selector: dict[bytes, set[str]] = defaultdict(set)
    head = []
    for name in PACKAGES:
        package = folder / "node_modules" / name
        described = json.loads((package / "package.json").read_text(encoding="utf-8"))
        head.append(f"# {name} {described['version']} ({described['license']})")
        for entry in functions(package):
            signature = f"{entry.name}({','.join(canonical(item) for item in entry.inputs)})"
            given = tuple(plain(item.name, 60) for item in entry.inputs)
            names[signature][given] += 1
            by_selector[selector(entry)].add(signature)
    alone = sorted(next(iter(found)) for found in by_selector.values() if len(found) == 1)
    lines = []
    for signature in alone:
        most = max(names[signature].items(), key=lambda item: (all(item[0]), item[1], item[0]))[0]
        lines.append(f"{signature} {','.join(neutral(names[signature], most))}".rstrip(" ,"))
    return "\n".join([*head, *lines]) + "\n"


def main(arguments: list[str]) -> int:
    """Write the table and return the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    text = table(Path(arguments[0]))
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE}: {text.count(chr(10)) - len(PACKAGES):,} functions, {len(text):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
