"""Runs the command line as a user does: in a process of its own, with nothing but files to talk through.

Loading what is behind the commands takes two seconds, so :func:`specminer` forks each command off one warm process.
:func:`start` begins a cold one, for tests that send signals or that ask whether another process (another
hash seed) writes the same bytes.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from specminer.cli.app import app

COLD: Final = "import sys; from specminer.cli import main; sys.exit(main())"
SECONDS: Final = 600
"""After so long a command is ended: much more than it needs on a machine that has other work."""

_WARM: Final = """
import json, os, signal, sys, time
from specminer.cli import main
from specminer.cli.app import app
from specminer._support.nesting import usual_recursion
list(app.commands.values())
with usual_recursion():
    import networkx, specminer.pipeline.executing, specminer.pipeline.explorer_update, web3
    specminer_names = [getattr(specminer, name) for name in specminer.__all__]

def command(order):
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(os.open(order[name], os.O_RDONLY if number == 0 else os.O_WRONLY), number)
    try:
        code = main(order["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback
        traceback.print_exc()
        code = 99
    os._exit(code)

for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if child == 0:
        command(order)
    until = time.monotonic() + order["seconds"]
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a finished command left."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything it said."""
        return self.out + self.err


def environment(**more: str) -> dict[str, str]:
    """Return an environment with the least in it: a path, a locale, and what is given."""
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"} | more


def specminer(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Done:
    """Run a command to its end in a warm process and return what it left."""
    with tempfile.TemporaryDirectory(prefix="specminer-command-") as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        out.touch()
        err.touch()
        order = {
            "arguments": [str(each) for each in arguments],
            "cwd": str(cwd),
            "environment": environment() if env is None else dict(env),
            "stdin": os.devnull,
            "stdout": str(out),
            "stderr": str(err),
            "seconds": SECONDS,
        }
        warm = _warm()
        assert warm.stdin is not None
        assert warm.stdout is not None
        warm.stdin.write(json.dumps(order) + "\n")
        warm.stdin.flush()
        answer = warm.stdout.readline()
        assert answer, "the warm process ended"
        return Done(code=int(answer), out=_text(out), err=_text(err))


def start(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a command in a cold process, its output in pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", COLD, *map(str, arguments)],
        cwd=cwd,
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def cold(*arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> Done:
    """Run a command to its end in a cold process."""
    with start(*arguments, cwd=cwd, env=env) as process:
        out, err = process.communicate(timeout=SECONDS)
    return Done(code=process.returncode, out=out, err=err)


def _text(path: Path) -> str:
    return path.read_bytes().decode()  # strict: a command that writes no UTF-8 fails its test


@functools.cache
def _warm() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _WARM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    process.wait()


def _tree(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in sorted(command.commands.items()):
            yield from _tree(inner, (*path, name))


COMMANDS: Final = dict(_tree(app))
"""All commands by their words: ``("import", "traces")``, and ``()`` is ``specminer`` itself."""
