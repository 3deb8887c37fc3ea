"""Compiles Vyper by the package ``vyper`` of the extra ``test``."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.support.anvil import MissingPart

_SECONDS: Final = 300


@functools.cache
def compile_vyper(path: Path) -> dict[str, Any]:
    """Compile a file; return ``abi``, ``bytecode``, and the ``layout`` of Vyper's own form.

    Raises:
        MissingPart: Vyper is not installed.
        subprocess.CalledProcessError: the file does not compile.
    """
    if find_spec("vyper") is None:
        raise MissingPart("missing part: vyper: it comes with the extra `test`; run `make setup`")
    command = [sys.executable, "-P", "-m", "vyper", "-f", "combined_json", path.name]
    done = subprocess.run(
        command, cwd=path.parent, capture_output=True, text=True, check=True, timeout=_SECONDS
    )
    output: dict[str, Any] = json.loads(done.stdout)[path.name]
    return output
