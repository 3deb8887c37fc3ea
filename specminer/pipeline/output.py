"""Writes what was mined into a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from specminer._support.errors import OutputError, RenderError, plain
from specminer._support.files import replacing
from specminer.learning.abstraction_definition import Definition
from specminer.learning.definition_toml import dump
from specminer.presentation.dot import to_dot
from specminer.presentation.graphviz_layout import render_dot
from specminer.presentation.picture_options import PictureOptions
from specminer.specification import Specification, encode_specification

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)?", re.IGNORECASE)
"""No name, or one that Windows keeps for devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFiles:
    """The files that were written."""

    folder: Path
    automaton: Path
    abstraction: Path
    dot: Path
    picture: Path | None
    """``None`` if no renderer was there; ``trouble`` says how to get one."""
    trouble: str | None
    second: Path | None = None
    """The picture of the second view, if there is one and it could be drawn."""
    report: Path | None = None
    """The page of the report, if one was written."""


def folder_name(specification: Specification) -> str:
    """Return a name for the output folder that is safe whatever the contract calls itself."""
    name = _UNSAFE.sub("_", specification.name).strip("_-")[:60]
    return specification.contracts[0] if _RESERVED.fullmatch(name) else name


def prepare_folder(folder: Path) -> None:
    """Check before any long work that the output folder can be made and written to; leave nothing behind.

    Raises:
        OutputError: it cannot.

    """
    new_folders: list[Path] = []
    try:
        for part in (*reversed(folder.parents), folder):
            if not part.is_dir():
                part.mkdir()
                new_folders.append(part)
        probe = folder / f".specminer-probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"the folder {plain(folder)} cannot be written to ({error.strerror}); give --out another one"
        ) from None
    finally:
        for part in reversed(new_folders):
            with suppress(OSError):
                part.rmdir()


def write_output(
    specification: Specification, folder: Path, options: PictureOptions | None = None
) -> WrittenFiles:
    """Write ``automaton.json``, ``abstraction.toml``, ``automaton.dot``, ``automaton.svg``, each whole or not at all.

    Where there is a second view, ``second-view.svg`` is its picture.

    Raises:
        OutputError: the folder cannot be written to.

    """
    definition = dump(Definition.of(specification.abstraction))
    document, source = encode_specification(specification), to_dot(specification, options)
    image, trouble = _draw(source)
    other = specification.seen_otherwise()
    second = None if other is None else _draw(to_dot(other, options))[0]
    # everything is at hand before anything is replaced, so that an interruption leaves no mixture
    automaton, dot, picture = (folder / f"automaton.{kind}" for kind in ("json", "dot", "svg"))
    make_folder(folder)
    replace_file(automaton, document)
    abstraction = folder / "abstraction.toml"
    replace_file(abstraction, definition.encode())
    replace_file(dot, source.encode())
    if image is not None:
        replace_file(picture, image)
    else:
        # a picture of an earlier run would show something else than automaton.json
        remove_file(picture)
    view = folder / "second-view.svg"
    if second is not None:
        replace_file(view, second)
    else:
        remove_file(view)
    return WrittenFiles(
        folder=folder,
        automaton=automaton,
        abstraction=abstraction,
        dot=dot,
        picture=picture if image else None,
        second=view if second else None,
        trouble=trouble,
    )


def _draw(source: str) -> tuple[bytes | None, str | None]:
    """Return a picture, and what is the matter where there is none."""
    try:
        return render_dot(source, "svg"), None
    except RenderError as error:
        return None, error.message


def make_folder(folder: Path) -> None:
    """Make a folder if it is not there.

    Raises:
        OutputError: it cannot be made.

    """
    with _written_to(folder):
        folder.mkdir(parents=True, exist_ok=True)


def remove_file(path: Path) -> None:
    """Remove a file if it is there.

    Raises:
        OutputError: it cannot be removed.

    """
    with _written_to(path):
        path.unlink(missing_ok=True)


def replace_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        OutputError: it cannot be written.

    """
    with _written_to(path), replacing(path) as partial:
        partial.write_bytes(content)


@contextmanager
def _written_to(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{plain(path)} cannot be written ({error.strerror}); give --out another folder"
        ) from None
