"""The check of names finds what says nothing, and lets through what does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.check_names import ROOT, names_in


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n    found = 1", [("variable", "found")]),
        ("def f(told):\n    return told", [("parameter", "told")]),
        ("f = lambda: [place for place in ()]", [("variable", "place")]),
        ("class A:\n    found: int", [("attribute", "A.found")]),
        ("class A:\n    found: bool", []),
        ("class A(Enum):\n    OWN = 1", []),
        ("class Money:\n    held: int", []),
        ("class A:\n    left: int\n    right: int", []),
        ("class A:\n    left: int", [("attribute", "A.left")]),
        ("class A:\n    def f(self):\n        self._told = []", [("attribute", "A._told")]),
        ("class A:\n    def f(self):\n        self._told = False", []),
        ("_TOLD: Final = 1", [("constant", "_TOLD")]),
        ("__all__ = []", []),
        ("def _chosen():\n    pass", [("function", "_chosen")]),
        ("async def merged():\n    pass", [("function", "merged")]),
        ("class _Told:\n    pass", [("class", "_Told")]),
        ("class A:\n    @property\n    def merged(self):\n        return 1", [("attribute", "A.merged")]),
        ("class A:\n    @property\n    def found(self) -> bool:\n        return True", []),
        ("def f(found_edges):\n    index = found_edges\n    x.found = 1\n    f(found=2)", []),
        ("accepted = created = True", []),
    ],
)
def test_names_that_say_nothing_are_found(tmp_path: Path, source: str, found: list[tuple[str, str]]) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert [(finding.kind, finding.name) for finding in names_in(path)] == found


def test_a_function_may_be_called_by_a_verb(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text("def mine():\n    pass")
    assert not list(names_in(path))


def test_the_package_has_no_such_names() -> None:
    names = [finding for path in (ROOT / "specminer").rglob("*.py") for finding in names_in(path)]
    assert not names
