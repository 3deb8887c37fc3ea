"""The shipped definitions, chosen by name or because an interface fits; and what a definition refines."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from specminer._support.errors import FileFormatError, UsageError, plain
from specminer._support.resources import shipped_folder
from specminer._support.text import suggest
from specminer.learning.abstraction_definition import Definition, load
from specminer.specification import Weights

MAX_REFINED: Final = 8
"""Definitions that refine one another at most."""


def paths() -> dict[str, Path]:
    """Return the shipped definitions' files, by name, ascending."""
    return {path.stem: path for path in sorted(shipped_folder("abstractions").glob("*.toml"))}


def find(name: str) -> Path:
    """Return the file of a shipped definition, or the path that a name is.

    Raises:
        UsageError: there is neither.

    """
    files = paths()
    if name in files:
        return files[name]
    path = Path(name)
    if path.is_file():
        return path
    hint = suggest(name, files, "`specminer abstractions list` shows what there is")
    raise UsageError(f"'{plain(name, 200)}' is neither a shipped abstraction nor a file; {hint}")


def resolve(path: Path) -> Definition:
    """Read a definition and add it to what it refines.

    Raises:
        FileFormatError: it or what it refines is malformed, or they refine each other.
        UsageError: what it refines is not there.

    """
    chain = [load(path)]
    chain_paths = [path.resolve()]
    here = path
    while (name := chain[-1].refines) is not None:
        beside = here.parent / name
        here = beside if beside.is_file() else find(name)
        if here.resolve() in chain_paths or len(chain) > MAX_REFINED:
            raise FileFormatError(
                f"{plain(path)}: 'refines' leads back to itself or through more than {MAX_REFINED} definitions",
                path=path,
                key="refines",
            )
        chain_paths.append(here.resolve())
        chain.append(load(here))
    built = chain[-1]
    for finer in reversed(chain[:-1]):
        built = refine(built, finer)
    return built


def refine(coarse: Definition, fine: Definition) -> Definition:
    """Return a definition that asks for what both ask for; where they contradict, the second holds."""
    default = Definition()
    return replace(
        fine,
        summary=fine.summary or coarse.summary,
        applies_to=tuple(dict.fromkeys((*coarse.applies_to, *fine.applies_to))),
        refines=None,
        fix=tuple(dict.fromkeys((*coarse.fix, *fine.fix))),
        prefer=tuple(dict.fromkeys((*coarse.prefer, *fine.prefer))),
        forbid=tuple(dict.fromkeys((*coarse.forbid, *fine.forbid))),
        only=coarse.only or fine.only,
        merge=(*coarse.merge, *fine.merge),
        history=fine.history if fine.history is not default.history else coarse.history,
        roles=coarse.roles and fine.roles,
        rejected=fine.rejected if fine.rejected is not default.rejected else coarse.rejected,
        called={**coarse.called, **fine.called},
        drop=tuple(dict.fromkeys((*coarse.drop, *fine.drop))),
        phases=coarse.phases if fine.phases is None else fine.phases,
        split={**coarse.split, **fine.split},
        names={**coarse.names, **fine.names},
        weights=fine.weights if fine.weights != Weights() else coarse.weights,
    )


def fitting(signatures: Collection[str]) -> Definition | None:
    """Return the shipped definition whose interface fits, the one that asks for most; ``None`` if none does."""
    best: Definition | None = None
    for path in paths().values():
        definition = resolve(path)
        interface = definition.applies_to
        if not interface or not set(interface).issubset(signatures):
            continue
        if best is None or len(interface) > len(best.applies_to):
            best = definition
    return None if best is None else replace(best, lenient=True)
