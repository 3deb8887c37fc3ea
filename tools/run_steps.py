"""Runs command lines of the specminer on ``sys.path``, each in a fork of one process that has loaded it once.

    PYTHONPATH=TREE python -P tools/run_steps.py < steps.json

Reads a list of ``[name, [argument, ...]]`` from standard input. In the current folder, a step writes what it prints to
``NAME.stdout`` and ``NAME.stderr``; ``codes.json`` holds the exit codes of all steps.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from specminer.cli import main
from specminer.cli.app import app


def run(name: str, arguments: list[str]) -> int:
    """Run one command line in a child process and return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        for number, suffix in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(f"{name}.{suffix}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        code = main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    steps: list[tuple[str, list[str]]] = json.load(sys.stdin)
    list(app.commands.values())  # a command is loaded when it is looked up: once, here, and not in each fork
    codes = {name: run(name, arguments) for name, arguments in steps}
    Path("codes.json").write_text(json.dumps(codes, indent=1) + "\n")
