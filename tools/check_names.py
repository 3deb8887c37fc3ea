"""Finds names that say nothing of what they hold.

    python -m tools.check_names [FOLDER ...]

Local variables, parameters and functions of ``specminer``, or of other folders, whose whole name is one of
:data:`WORDS`, or a bare participle of :data:`PARTICIPLES` for a function that is no property, and classes whose whole
name is a participle. Each is printed with its line and what to write instead; the exit code is 1 if there is any.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
_WHAT: Final = "a noun for what it holds: predicates, edges, rows, answers"
_MASK: Final = "what is true of each: is_known, has_creation, accepted"
WORDS: Final = {
    "asked": "requested_..., or the question",
    "chosen": "what was chosen: selection, sort, interactions",
    "found": _WHAT,
    "given": "arguments, options, or what was given",
    "gone": "what is no longer there: removed_edges",
    "held": _WHAT,
    "kept": "kept_... with a noun, or a mask by its meaning",
    "known": f"known_... with a noun, or {_MASK}",
    "listed": _WHAT,
    "lost": _WHAT,
    "made": _WHAT,
    "met": _WHAT,
    "mine": "own_... with a noun, or a mask by its meaning",
    "named": _WHAT,
    "place": "index, position, or what it numbers: row, slot, symbol",
    "places": "indices, positions, or what they number",
    "said": "the text, sentence or claim",
    "seen": "values, or what was seen",
    "shown": "the text or what is shown",
    "spoken": "variables, symbols",
    "taken": _WHAT,
    "told": "labels, transitions, facts: what is told",
    "wanted": "requested_..., or what is wanted",
}
"""Names that stand for anything, and what to write instead."""
VERBS: Final = frozenset({"mine", "place"})
"""Words of the list that are verbs as well: a function may be called so."""
PARTICIPLES: Final = frozenset(
    {
        "asked",
        "chosen",
        "compared",
        "condensed",
        "drawn",
        "edited",
        "explained",
        "fed",
        "gone",
        "guarded",
        "held",
        "hidden",
        "joined",
        "judged",
        "kept",
        "left",
        "lied",
        "listed",
        "lost",
        "made",
        "merged",
        "met",
        "mined",
        "named",
        "negated",
        "owned",
        "padded",
        "prefixed",
        "proved",
        "refused",
        "said",
        "seen",
        "settled",
        "shown",
        "sorted",
        "spent",
        "spoken",
        "stacked",
        "staged",
        "stored",
        "taken",
        "told",
        "wanted",
    }
)
"""What functions are not called; a verb, or a noun for what they return."""


class Finding(NamedTuple):
    """A name, where it stands, and what to write instead."""

    path: Path
    line: int
    kind: str
    name: str
    instead: str


def names_in(path: Path) -> Iterator[Finding]:
    """Yield the names of a module that say nothing of what they hold; those of fields are left alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    local = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name.strip("_").lower() in PARTICIPLES:
            yield Finding(path, node.lineno, "class", node.name, "a noun")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            bare = node.name.strip("_")
            if (bare in WORDS and bare not in VERBS) or (bare in PARTICIPLES and not _is_property(node)):
                yield Finding(path, node.lineno, "function", node.name, "a verb phrase")
        elif isinstance(node, ast.arg) and node.arg.strip("_") in WORDS:
            yield Finding(path, node.lineno, "parameter", node.arg, WORDS[node.arg.strip("_")])
        elif (
            id(node) in local
            and isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Store)
            and node.id.strip("_") in WORDS
        ):
            yield Finding(path, node.lineno, "variable", node.id, WORDS[node.id.strip("_")])


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {
        decorator.id if isinstance(decorator, ast.Name) else getattr(decorator, "attr", "")
        for decorator in node.decorator_list
    }
    return bool(names & {"property", "cached_property", "setter"})


def main(folders: list[str]) -> int:
    """Print what is found in some folders; return the exit code."""
    findings = [
        finding
        for folder in folders or ["specminer"]
        for path in sorted((ROOT / folder).rglob("*.py"))
        for finding in names_in(path)
    ]
    for finding in findings:
        print(
            f"{finding.path.relative_to(ROOT)}:{finding.line}: {finding.kind} {finding.name}: write {finding.instead}"
        )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
