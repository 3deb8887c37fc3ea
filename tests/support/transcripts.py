"""Consoles in documents: their commands are run, and what stands below each is what it printed.

A page is made anew from itself: each fenced block ``console`` keeps its commands (``$ ...``) and gets their output. A
comment before a block says what is shown of a long one, another how the last command exits if not with 0::

    <!-- shown: States; Guards ~ bid: ~ cancel:; Invariants : 3 -->
    <!-- exit: 1 -->

A part is a paragraph of the output, named by how it begins; behind ``~`` stand the entries of it that are shown
(``~~``: without its first line), behind ``:`` how many lines. What is left out is a line ``…``; ``nothing`` shows
nothing of the output. A block ``text`` behind such a comment shows more of what a command before it printed. A block
behind ``<!-- file: NAME -->`` is written to that file.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.support.command import SECONDS, environment, specminer

CUT: Final = "…"
NOT_RUN: Final = ("git ", "make ", "python3 -m pip ", ". ")
"""What installs things: it is not run, and shows no output."""
_FENCE: Final = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMENTS: Final = re.compile(r"((?:<!-- (?:shown|exit|file): [^\n]* -->\n)*)\Z")
_COMMENT: Final = re.compile(r"<!-- (shown|exit|file): ([^\n]*) -->")
_SHELL: Final = re.compile(r"[|<>&;*$]")


class TranscriptError(AssertionError):
    """A command did what its page does not tell."""


@dataclass(kw_only=True)
class World:
    """Where the commands of a page run."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    real: Mapping[str, str] = field(default_factory=dict)
    """What stands in a command to what is meant on this machine, such as a node's URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command of a page, and all that it printed."""

    command: str
    output: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as it should stand, and what was run for it."""

    text: str
    ran: tuple[Ran, ...]


def commands(body: str) -> Iterator[str]:
    """Yield the commands of a console; one that goes on in further lines as one."""
    lines = iter(body.splitlines())
    for line in lines:
        if line.startswith("$ "):
            command = line[2:]
            while command.endswith("\\"):
                command += "\n" + next(lines)
            yield command


def consoles(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the body of each console of a page, and what the comments before it ask for."""
    for match in _FENCE.finditer(text):
        if match[1] == "console":
            yield match[2], _asked(text, match.start())


def remade(text: str, world: World) -> Page:
    """Run all commands of a page, in order and in one folder, and return the page with what they printed."""
    ran: list[Ran] = []

    def again(match: re.Match[str]) -> str:
        asked = _asked(text, match.start())
        if "file" in asked:
            (world.folder / asked["file"]).write_text(match[2], encoding="utf-8")
            return match[0]
        if match[1] == "text" and asked:
            place, shown = _earlier(ran, asked["shown"])
            ran[place] = replace(ran[place], shown=ran[place].shown + shown)
            return f"```text\n{shown}```"
        if match[1] != "console":
            return match[0]
        found = list(commands(match[2]))
        lines = []
        for number, command in enumerate(found, 1):
            last = number == len(found)
            output = _run(command, world, int(asked.get("exit", "0")) if last else 0)
            shown = selected(output, asked.get("shown")) if last else output
            ran.append(Ran(command=command, output=output, shown=shown))
            lines.append(f"$ {command}\n{shown}")
        return f"```console\n{''.join(lines)}```"

    return Page(text=_FENCE.sub(again, text), ran=tuple(ran))


def _earlier(ran: Sequence[Ran], wish: str) -> tuple[int, str]:
    """Return parts of the output of the last command that printed them, and its place."""
    for place in reversed(range(len(ran))):
        with suppress(TranscriptError):
            return place, selected(ran[place].output, wish)
    raise TranscriptError(f"no command printed '{wish}'")


def _asked(text: str, start: int) -> dict[str, str]:
    before = _COMMENTS.search(text[:start])
    return dict(_COMMENT.findall(before[1])) if before else {}


def _run(command: str, world: World, code: int) -> str:
    if command.startswith(NOT_RUN):
        return ""
    meant = command
    for shown, real in world.real.items():
        meant = meant.replace(shown, real)
    env = environment(COLUMNS="80") | world.environment
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    if meant.startswith("specminer ") and not _SHELL.search(meant):
        words = shlex.split(meant.replace("\\\n", " "))[1:]
        done = specminer(*words, cwd=world.folder, env=env)
        output, found = done.err + done.out, done.code
    else:
        shell = subprocess.run(
            ["bash", "-c", meant], cwd=world.folder, env=env, capture_output=True, text=True, timeout=SECONDS
        )
        output, found = shell.stderr + shell.stdout, shell.returncode
    if found != code:
        raise TranscriptError(f"`{command}` exited with {found} instead of {code}:\n{output}")
    for shown, real in world.real.items():
        output = output.replace(real, shown)
    return "\n".join(line.rstrip() for line in output.splitlines()) + ("\n" if output else "")


def selected(output: str, wish: str | None) -> str:
    """Return the parts of an output that a page shows."""
    if wish is None or not output:
        return output
    if wish == "nothing":
        return ""
    parts = re.split(r"\n\n+", output.rstrip("\n"))
    chosen: dict[int, str] = {}
    for each in wish.split("; "):
        heading, entries, count = _wish(each)
        place = next((at for at, part in enumerate(parts) if part.startswith(heading)), None)
        if place is None:
            raise TranscriptError(f"nothing begins with '{heading}' in:\n{output}")
        chosen[place] = _entries(parts[place], entries, count)
    texts = []
    for place in range(len(parts)):
        if place in chosen:
            texts.append(chosen[place])
        elif not texts or texts[-1] != CUT:
            texts.append(CUT)
    joined = "\n\n".join(texts)
    joined = re.sub(
        rf"^{CUT}\n\n|\n\n(?={CUT}$)", lambda found: found[0].replace("\n\n", "\n"), joined, flags=re.M
    )
    return re.sub(rf"^ *{CUT}\n(?= *{CUT}$)", "", joined, flags=re.M) + "\n"


def _wish(text: str) -> tuple[str, Sequence[str], int | None]:
    heading, *entries = (piece.strip() for piece in re.split(r" ~(?:(?=~)| )", text))
    counted = re.fullmatch(r"(.*) : (\d+)", heading)
    return (counted[1], entries, int(counted[2])) if counted else (heading, entries, None)


def _entries(part: str, wanted: Sequence[str], count: int | None) -> str:
    heading, *lines = part.splitlines()
    if count is not None:
        return "\n".join([heading, *lines[:count], *([f"  {CUT}"] if count < len(lines) else [])])
    if not wanted:
        return part
    kept = [False] * len(lines)
    for text in wanted:
        at = next((row for row, line in enumerate(lines) if text.lstrip("~ ") in line), None)
        if at is None:
            raise TranscriptError(f"no line has '{text}' in:\n{part}")
        kept[at] = True
        for row in range(at + 1, len(lines)):
            if _indent(lines[row]) <= _indent(lines[at]):
                break
            kept[row] = True
    found = [heading]
    for line, keep in zip(lines, kept, strict=True):
        if keep:
            found.append(line)
        elif found[-1] != f"  {CUT}":
            found.append(f"  {CUT}")
    if wanted[0].startswith("~"):
        del found[0]
    return "\n".join(found)


def _indent(line: str) -> int:
    plain = line.replace("✗", " ")
    return len(plain) - len(plain.lstrip())
