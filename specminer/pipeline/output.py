"""Writes what was mined into a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from specminer.errors import OutputError, RenderError, plain
from specminer.render import render_dot, to_dot
from specminer.specification import Specification

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_RESERVED = {"", "con", "prn", "aux", "nul"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The files that were written."""

    folder: Path
    automaton: Path
    dot: Path
    picture: Path | None
    """``None`` if no renderer was there; ``trouble`` says how to get one."""
    trouble: str | None


def folder_name(specification: Specification) -> str:
    """Return a name for the output folder that is safe whatever the contract calls itself."""
    name = _UNSAFE.sub("_", specification.name).strip("_")[:60]
    return specification.contracts[0] if name.lower() in _RESERVED else name


def prepare_folder(folder: Path) -> None:
    """Make the output folder and check that it can be written to, before any long work.

    Raises:
        OutputError: it cannot.

    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".specminer-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"the folder {plain(folder)} cannot be written to ({error.strerror}); give --out another one"
        ) from None


def write_output(specification: Specification, folder: Path) -> Written:
    """Write ``automaton.json``, ``automaton.dot`` and ``automaton.svg``, each whole or not at all.

    Raises:
        OutputError: the folder cannot be written to.

    """
    prepare_folder(folder)
    automaton, dot = folder / "automaton.json", folder / "automaton.dot"
    _replace(automaton, specification.to_json())
    source = to_dot(specification)
    _replace(dot, source.encode())
    picture: Path | None = folder / "automaton.svg"
    trouble = None
    try:
        _replace(folder / "automaton.svg", render_dot(source, "svg"))
    except RenderError as error:
        # a picture of an earlier run would show something else than automaton.json
        (folder / "automaton.svg").unlink(missing_ok=True)
        picture, trouble = None, error.message
    return Written(folder=folder, automaton=automaton, dot=dot, picture=picture, trouble=trouble)


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise OutputError(
            f"{plain(path)} cannot be written ({error.strerror}); give --out another folder"
        ) from None
