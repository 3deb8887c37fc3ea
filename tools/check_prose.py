"""Finds turns of phrase that readers stumble over, in documentation, help and texts that are printed.

    python -m tools.check_prose

Looked at are the sentences of Markdown files, outside of code and of what commands printed, the help of all commands,
and the texts in the source that are no docstrings. Exit code 1 if something is found; each line says what to write
instead.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
DISCOURAGED: Final = (
    (r"(he|him|his|she|her|hers)", "the plural: they, them, their"),
    (r"that which", "the noun that is meant"),
    (r"what was chosen was", "why the chosen one won"),
    (r"(is|are) about none", "concern none"),
    (r"because of such", "the noun that is meant"),
    (r"fore(tell|tells|told)", "predict"),
    (r"nobody knows", "is not known"),
    (r"in: so many", "the number of"),
    (r"tell what there was", "explain the candidates"),
    (r"vouch(es)? for", "is evidence for"),
    (r"go(es)? without saying", "is left out"),
    (r"befalls?", "happens to"),
    (r"(thereof|therein|thereby|hereby|whereupon|wherein)", "a sentence of its own"),
    (r"(utilize|utilizes|leverage|leverages)", "use"),
    (r"in order to", "to"),
    (r"(e\. ?g\.|i\. ?e\.)", "for example, or that is"),
    (r"(amongst|whilst|albeit)", "among, while, although"),
    (r"as to (what|whether|why)", "the question itself"),
)
"""What is discouraged, as a pattern of whole words, and what to write instead."""
_PATTERNS: Final = tuple(
    (re.compile(rf"(?<![\w`-]){pattern}(?![\w`-])", re.IGNORECASE), better) for pattern, better in DISCOURAGED
)
_FENCED: Final = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE: Final = re.compile(r"`[^`\n]*`")
_FEWEST_WORDS: Final = 3
"""Texts of fewer words are no sentences."""


class Finding(NamedTuple):
    """A turn of phrase that is discouraged."""

    place: str
    """File and line."""
    words: str
    better: str
    """What to write instead."""


def findings_in(text: str, place: str, first: int = 1) -> Iterator[Finding]:
    """Yield what is discouraged in a text whose first line has a number."""
    for pattern, better in _PATTERNS:
        for found in pattern.finditer(text):
            line = first + text.count("\n", 0, found.start())
            yield Finding(f"{place}:{line}", found[0], better)


def prose_of(markdown: str) -> str:
    """Return a page without its code, line by line where it was."""
    blank = _FENCED.sub(lambda found: "\n" * found[0].count("\n"), markdown)
    return _CODE.sub("``", blank)


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """Yield the lines and the texts of a module that are no docstrings and may be sentences."""
    tree = ast.parse(source)
    said = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in said
            and len(node.value.split()) >= _FEWEST_WORDS
        ):
            yield node.lineno, node.value


def findings() -> Iterator[Finding]:
    """Yield what is discouraged anywhere."""
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for path in sorted(pages):
        yield from findings_in(prose_of(path.read_text(encoding="utf-8")), str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "tests" / "snapshots" / "help").glob("*.txt")):
        yield from findings_in(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "specminer").rglob("*.py")):
        place = str(path.relative_to(ROOT))
        for line, text in texts_of(path.read_text(encoding="utf-8")):
            yield from findings_in(text, place, line)


def main() -> int:
    """Print what is discouraged and return the exit code."""
    found = list(findings())
    for item in found:
        print(f"{item.place}: “{item.words}”; write {item.better}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
