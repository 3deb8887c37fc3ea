"""Makes the outputs of commits, compares them, and keeps digests of those of the shipped datasets.

    python -m tools.golden make COMMIT [NAME ...]
    python -m tools.golden compare COMMIT COMMIT [NAME ...]
    python -m tools.golden check [--update] [NAME ...]

Where a COMMIT is asked for, ``.`` stands for the working tree, and `compare` also takes a folder that `make --out` has
filled. A NAME is a dataset or a real history (``auction_house``, ``mainnet/ArkToken``) or all of one kind
(``datasets``, ``mainnet``, ``azure``); without one, all that are there are meant. Real histories are those in the
folder that SPECMINER_REAL_DATA names.

What is written and printed is compared byte for byte, except SMT-LIB texts and TOML (see :mod:`tools.meaning`).
`compare` is for outputs of one machine: it compares everything. `check` compares the datasets with digests that are
kept in ``tools/golden.json`` and leaves out SVG pictures, whose layout differs between versions of Graphviz; what
numpy and the solver compute may still differ between their versions. Exit code 1 if something differs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tools.meaning import Content, content, differing_files, normal_form
from tools.outputs import ROOT, made_files, made_subjects, outputs_of, subjects

DIGESTS: Final = ROOT / "tools" / "golden.json"
MOST: Final = 20
"""Outputs of one history of which it is shown how they differ."""
_DIGITS: Final = 16
"""Hexadecimal digits of a digest."""

Digests = dict[str, dict[str, str]]
"""By subject, the digest of each of its outputs."""


def digest(read: Content) -> str:
    """Return a digest of an output that does not change with the spelling of its SMT-LIB texts."""
    meant = hashlib.sha256("".join(read.lines).encode("utf-8", "surrogateescape"))
    for term in read.terms:
        meant.update(_form(term).encode("utf-8", "surrogateescape"))
    return meant.hexdigest()[:_DIGITS]


def _form(term: str) -> str:
    """Return the normal form of an SMT-LIB text; a text that has none as it is."""
    try:
        return repr(normal_form(term))
    except (ValueError, RecursionError):
        return term


def digests_of(folder: Path, names: Sequence[str]) -> Digests:
    """Return the digests of subjects' outputs; an empty one, and a picture on its own, has none."""
    return {
        name: {
            output: digest(content(path, pictures=False))
            for output, path in made_files(folder / name).items()
            if path.suffix != ".svg" and path.stat().st_size
        }
        for name in names
    }


def differing_digests(expected: Digests, actual: Digests) -> Iterator[str]:
    """Yield a line for each output of the actual subjects whose digest is not the expected one."""
    for name, outputs in actual.items():
        known = expected.get(name, {})
        for output in sorted(known.keys() | outputs.keys()):
            if output not in outputs:
                yield f"{name}/{output}: is no longer written"
            elif output not in known:
                yield f"{name}/{output}: has no digest yet"
            elif known[output] != outputs[output]:
                yield f"{name}/{output}: differs"


def differing_outputs(first: Path, second: Path, only: Sequence[str] = (), most: int = MOST) -> Iterator[str]:
    """Yield the first differences a history between two folders of outputs, with where and what they are."""
    for name in sorted({*made_subjects(first, only), *made_subjects(second, only)}):
        found = list(differing_files(made_files(first / name), made_files(second / name)))
        yield from (f"{name}/{output}: {where}" for output, where in found[:most])
        if len(found) > most:
            yield f"{name}: {len(found) - most} more outputs differ"


def check(only: Sequence[str], *, update: bool) -> list[str]:
    """Return how the datasets' outputs of the working tree differ from the digests that are kept, or keep theirs."""
    names = [subject.name for subject in subjects(ROOT, only) if subject.name.startswith("datasets/")]
    actual = digests_of(outputs_of(".", None, names), names)
    expected: Digests = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    if not update:
        return list(differing_digests(expected, actual))
    shipped = {subject.name for subject in subjects(ROOT, ("datasets",))}
    kept = {name: digests for name, digests in (expected | actual).items() if name in shipped}
    DIGESTS.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n")
    return []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    for name in given.names:
        if not subjects(ROOT, [name]):
            there = ", ".join(subject.name for subject in subjects(ROOT))
            unset = "" if os.environ.get("SPECMINER_REAL_DATA") else " (SPECMINER_REAL_DATA is not set)"
            parser.error(f"there is no history '{name}' here{unset}, but {there}")
    if given.command == "make":
        print(outputs_of(given.commit, given.out, given.names))
        return 0
    if given.command == "check":
        lines = check(given.names, update=given.update)
    else:
        first, second = (
            Path(each) if each != "." and Path(each).is_dir() else outputs_of(each, None, given.names)
            for each in (given.first, given.second)
        )
        lines = list(differing_outputs(first, second, given.names))
    print(*lines, "outputs differ" if lines else "no output differs", sep="\n")
    return 1 if lines else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.golden", description=(__doc__ or "").split("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make the outputs of a commit and print the folder they are in")
    make.add_argument("commit", metavar="COMMIT")
    make.add_argument("--out", type=Path, help="the folder, instead of one in the cache")
    compared = commands.add_parser("compare", help="compare the outputs of two commits")
    compared.add_argument("first", metavar="COMMIT|FOLDER")
    compared.add_argument("second", metavar="COMMIT|FOLDER")
    checked = commands.add_parser("check", help="compare the working tree with the digests in the tree")
    checked.add_argument("--update", action="store_true", help="keep the digests of the working tree")
    for command in (make, compared, checked):
        command.add_argument(
            "names", metavar="NAME", nargs="*", help="datasets and real histories; by default all"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
