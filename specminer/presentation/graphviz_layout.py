"""From DOT source to a picture: the system's ``dot``, else the Graphviz inside ``pygraphviz``.

Either runs in a child process: Graphviz writes its warnings (a missing font, a broken fontconfig file)
straight to the standard error of its process, and neither a hang nor a crash of it may take specminer
along. SVG is read back and rebuilt (:mod:`specminer.presentation.svg`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from typing import Final, Literal, get_args

from specminer._support.errors import RenderError, plain
from specminer.presentation.svg import clean_svg

PictureFormat = Literal["svg", "png", "pdf"]
"""The formats that :func:`render_dot` writes."""

PNG_DPI: Final = 144
"""Dots an inch of a PNG: twice the nominal screen, so that it stays sharp in print."""
DEFAULT_TIMEOUT: Final = 120.0
"""Seconds after which a layout is given up."""

_WORKER: Final = """
import sys
import pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
if sys.argv[1] == "png":
    graph.graph_attr["dpi"] = sys.argv[2]
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""
"""What the child runs where there is no ``dot`` program."""


def renderer() -> str | None:
    """Name what draws pictures here, such as ``dot (/usr/bin/dot)``; None if nothing does."""
    program = shutil.which("dot")
    if program is not None:
        return f"dot ({program})"
    if find_spec("pygraphviz") is None:
        return None
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"pygraphviz {version('pygraphviz')}"
    except PackageNotFoundError:
        return "pygraphviz"


def render_dot(
    dot: str,
    format: PictureFormat = "svg",  # noqa: A002
    *,
    timeout: float = DEFAULT_TIMEOUT,
) -> bytes:
    """Lay ``dot`` out and return the picture; for SVG the same source and renderer give the same bytes.

    Raises:
        RenderError: there is no renderer, it failed, or it took longer than ``timeout`` seconds.

    """
    if format not in get_args(PictureFormat):
        raise RenderError(
            f"expected a picture format of {', '.join(get_args(PictureFormat))}, got {plain(format)}",
            format=format,
        )
    return _lay_out(_command(format), format, dot.encode("utf-8", "backslashreplace"), timeout)


@lru_cache(maxsize=2)
def _lay_out(command: tuple[str, ...], picture_format: PictureFormat, dot: bytes, timeout: float) -> bytes:
    """Return a picture; the last ones are kept, because files and report show the same."""
    picture = _run(command, dot, timeout)
    return clean_svg(picture) if picture_format == "svg" else picture


def _command(picture_format: PictureFormat) -> tuple[str, ...]:
    """Return the command line that reads DOT and writes the picture."""
    program = shutil.which("dot")
    if program is not None:
        return (program, f"-T{picture_format}", *((f"-Gdpi={PNG_DPI}",) if picture_format == "png" else ()))
    if find_spec("pygraphviz") is None:
        raise RenderError(
            "there is nothing here that draws pictures: expected the program `dot` or the Python package "
            "`pygraphviz`, found neither. Install Graphviz (`apt-get install graphviz`, "
            "`brew install graphviz`) or run `pip install pygraphviz`; the DOT source can also be drawn "
            "elsewhere."
        )
    # -P: a `pygraphviz.py` in the working folder is not what is meant.
    return sys.executable, "-P", "-c", _WORKER, picture_format, str(PNG_DPI)


def _run(command: tuple[str, ...], dot: bytes, timeout: float) -> bytes:
    """Run the renderer; what it prints besides the picture is kept for the error message."""
    name = command[0] if "-c" not in command else "pygraphviz"
    try:
        done = subprocess.run(command, input=dot, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise RenderError(
            f"{plain(name)} did not finish the picture within {timeout:g} seconds: the automaton is too "
            "large to draw well; draw one with fewer states or fewer transitions",
            renderer=name,
            timeout=timeout,
        ) from None
    except OSError as error:
        raise RenderError(f"{plain(name)} cannot be run: {plain(error)}", renderer=name) from None
    if done.returncode != 0 or not done.stdout:
        messages = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no message"]
        raise RenderError(
            f"{plain(name)} failed with exit code {done.returncode}: {plain(messages[-1])}",
            renderer=name,
            code=done.returncode,
        )
    return done.stdout
