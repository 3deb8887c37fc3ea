"""Finds names that say nothing of what they hold.

    python -m tools.check_names [FOLDER ...]

Local variables, parameters and functions of ``specminer``, or of other folders, whose whole name is one of
:data:`WORDS`, or a bare participle of :data:`PARTICIPLES` for a function that is no property, and classes whose whole
name is a participle; attributes, fields, properties and constants of modules whose whole name is one of either, or of
:data:`VAGUE`. Each is printed with its line and what to write instead; the exit code is 1 if there is any.

A truth value may be a participle (``Branch.taken``), and an operand ``left``. Names of a format, of an option or of the
public API are in :data:`FORMAT_FIELDS`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
_WHAT: Final = "a noun for what it holds: predicates, edges, rows, answers"
_TRUTH: Final = ("bool", "Final[bool]", "bool | None")
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
VAGUE: Final = frozenset(
    {
        "about",
        "alike",
        "alone",
        "anew",
        "around",
        "asking",
        "at",
        "bare",
        "because",
        "begun",
        "beyond",
        "both",
        "here",
        "how",
        "least",
        "most",
        "now",
        "one",
        "other",
        "others",
        "over",
        "own",
        "rest",
        "telling",
        "what",
        "where",
        "whole",
    }
)
"""What attributes and constants are not called, besides."""
OPERANDS: Final = frozenset({"left"})
"""Participles that are nouns where a field of the same class is called ``right``."""
FORMAT_FIELDS: Final = {
    "AbstractionSummary": frozenset({"chosen"}),
    "Caller": frozenset({"refused"}),
    "CheckTexts": frozenset({"least"}),
    "CompetingTransitions": frozenset({"both", "proved"}),
    "Deviation": frozenset({"where"}),
    "ElapsedTime": frozenset({"known", "least", "most"}),
    "Finding": frozenset({"what"}),
    "Guard": frozenset({"explained", "proved"}),
    "GuardCondition": frozenset({"explained"}),
    "GuardTest": frozenset({"explained", "refused"}),
    "HalvesAgreement": frozenset({"explained"}),
    "ListedClaim": frozenset({"about"}),
    "LocationCoverage": frozenset({"named"}),
    "Money": frozenset({"held"}),
    "NamedValue": frozenset({"shown"}),
    "Obligation": frozenset({"about", "proved"}),
    "RedundantClaim": frozenset({"because", "proved"}),
    "Reentry": frozenset({"most"}),
    "RejectionReason": frozenset({"explained"}),
    "SavedReplay": frozenset({"asked"}),
    "TransitionCondition": frozenset({"explained", "here", "proved"}),
    "TransitionGuard": frozenset({"explained", "whole"}),
    "Variant": frozenset({"least", "most"}),
    "WatchOptions": frozenset({"least"}),
    "WatchTexts": frozenset({"least"}),
}
"""By class: fields of ``automaton.json``, of a report, of saved state, of an option or of the public API."""


class Finding(NamedTuple):
    """A name, where it stands, and what to write instead."""

    path: Path
    line: int
    kind: str
    name: str
    instead: str


def names_in(path: Path) -> Iterator[Finding]:
    """Yield the names of a module that say nothing of what they hold."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from _attributes(path, tree)
    for name, line in _targets(tree.body):
        bare = name.strip("_").lower()
        if not name.startswith("__") and (bare in WORDS or bare in PARTICIPLES or bare in VAGUE):
            yield Finding(path, line, "constant", name, WORDS.get(bare, _WHAT))
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
            if not _is_property(node) and ((bare in WORDS and bare not in VERBS) or bare in PARTICIPLES):
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


def _targets(statements: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Yield the names that statements bind, with their lines; those of truth values are left out."""
    for statement in statements:
        if isinstance(statement, ast.AnnAssign):
            if isinstance(statement.target, ast.Name) and ast.unparse(statement.annotation) not in _TRUTH:
                yield statement.target.id, statement.lineno
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, statement.lineno


def _attributes(path: Path, tree: ast.Module) -> Iterator[Finding]:
    """Yield fields, properties and attributes of classes; members of enums have the names of their formats."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or any("Enum" in ast.unparse(base) for base in node.bases):
            continue
        methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        names = dict(reversed([*_own_attributes(methods), *_targets(node.body)]))
        names |= {
            item.name: item.lineno
            for item in methods
            if _is_property(item) and (item.returns is None or ast.unparse(item.returns) not in _TRUTH)
        }
        for name, line in sorted(names.items(), key=lambda item: item[1]):
            bare = name.strip("_")
            if bare in OPERANDS and "right" in names:
                continue
            if (bare in WORDS or bare in PARTICIPLES or bare in VAGUE) and name not in FORMAT_FIELDS.get(
                node.name, ()
            ):
                yield Finding(path, line, "attribute", f"{node.name}.{name}", WORDS.get(bare, _WHAT))


def _own_attributes(methods: list[ast.FunctionDef]) -> Iterator[tuple[str, int]]:
    """Yield the attributes that methods give to ``self``, except those that begin as a truth value."""
    values = {
        target.attr: node.value
        for method in methods
        for node in ast.walk(method)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and isinstance(node.value, ast.Constant)
    }
    truths = {
        name
        for name, value in values.items()
        if isinstance(value, ast.Constant) and isinstance(value.value, bool)
    }
    for method in methods:
        for node in ast.walk(method):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store)
                and isinstance(node.value, ast.Name)
                and node.value.id == "self"
                and node.attr not in truths
            ):
                yield node.attr, node.lineno


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
