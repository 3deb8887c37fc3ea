"""Draws the packages of specminer with their imports, and counts them.

    python -m tools.architecture [--check] [--out docs/pictures/architecture.svg]

A room is a package, a nested one too, or a top-level module. An arrow is a pair of rooms of which one imports from
the other. Exit code 1 with ``--check`` if the picture is not that of the code.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import graphviz
import networkx as nx

ROOT: Final = Path(__file__).resolve().parent.parent
PACKAGE: Final = ROOT / "specminer"
PICTURE: Final = ROOT / "docs" / "pictures" / "architecture.dot"


def main() -> int:
    """Print the counts, write or compare the picture, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.architecture", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the picture instead of writing it")
    parser.add_argument("--list", action="store_true", help="list what each room imports from")
    options = parser.parse_args()
    imports = arrows(PACKAGE)
    circles = circles_of(imports)
    print(f"{len(rooms(PACKAGE))} rooms, {len(imports)} arrows, {len(circles)} circles")
    for circle in circles:
        print(f"  circle: {', '.join(circle)}")
    if options.list:
        for room in sorted(rooms(PACKAGE)):
            print(f"{room}: {', '.join(sorted(target for source, target in imports if source == room))}")
    drawn = drawing(imports).source
    if options.check:
        if PICTURE.read_text(encoding="utf-8") == drawn:
            return 0
        print(f"{PICTURE.relative_to(ROOT)} is not that of the code; run `python -m tools.architecture`")
        return 1
    PICTURE.write_text(drawn, encoding="utf-8")
    graphviz.Source(drawn).render(outfile=PICTURE.with_suffix(".svg"), cleanup=True)
    return 0


def rooms(package: Path) -> set[str]:
    """Return the rooms of a package by their dotted names without the package's own; the package itself is none."""
    nested = {".".join(path.parent.relative_to(package).parts) for path in package.rglob("__init__.py")}
    modules = {path.stem for path in package.glob("*.py")}
    return (nested | modules) - {"", "__init__"}


def arrows(package: Path) -> Mapping[tuple[str, str], int]:
    """Return how many modules of one room import from another, by both rooms' names.

    What :mod:`specminer` itself imports to be public is no arrow, nor what is imported from there.
    """
    known = rooms(package)
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(package.rglob("*.py")):
        own = room_of(path.relative_to(package).with_suffix("").parts, known)
        targets = {room_of(name.split(".")[1:], known) for name in imported(path)}
        found.update((own, target) for target in targets if own and target and own != target)
    return dict(sorted(found.items()))


def imported(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports from specminer, those of types only as well."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("specminer."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "specminer":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(parts: tuple[str, ...] | list[str], known: set[str]) -> str:
    """Return the innermost room that a dotted name lies in, or the empty text."""
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in known), "")


def circles_of(imports: Mapping[tuple[str, str], int]) -> list[list[str]]:
    """Return the groups of rooms that import from each other, directly or over others."""
    graph = nx.DiGraph(list(imports))
    return sorted(sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1)


def drawing(imports: Mapping[tuple[str, str], int]) -> graphviz.Digraph:
    """Return the picture: who imports stands above; an arrow that follows from others is left out."""
    graph = nx.DiGraph(list(imports))
    order = nx.condensation(graph)
    reduced = nx.transitive_reduction(order)
    members = order.nodes(data="members")
    kept = {
        (source, target)
        for above, below in reduced.edges
        for source in members[above]
        for target in members[below]
        if (source, target) in imports
    }
    kept |= {pair for _, group in members for pair in imports if set(pair) <= group}
    dot = graphviz.Digraph("specminer", graph_attr={"rankdir": "TB", "ranksep": "0.35", "nodesep": "0.2"})
    dot.attr("node", shape="box", style="rounded", fontname="Helvetica", fontsize="11", margin="0.12,0.06")
    dot.attr("edge", arrowsize="0.6", color="#777777")
    for room in sorted(graph):
        dot.node(room)
    for source, target in sorted(kept):
        dot.edge(source, target)
    return dot


if __name__ == "__main__":
    sys.exit(main())
