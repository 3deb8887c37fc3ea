"""Runs forge from npm, with the compiler that runs in JavaScript in place of a native one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.anvil import MissingPart, tools_dir
from tests.support.solc import package_folder

_SECONDS: Final = 900
_COMPILER: Final = """\
#!/usr/bin/env node
// What forge asks of a compiler: its version, and standard JSON.
const solc = require(%s);
const fs = require("fs");
if (process.argv.includes("--version")) {
  console.log("solc, the solidity compiler commandline interface\\nVersion: " + solc.version());
} else {
  fs.writeFileSync(1, solc.compile(fs.readFileSync(0, "utf8")));
}
"""
_SETTINGS: Final = """\
[profile.default]
solc = "./solc"
offline = true
auto_detect_remappings = false
evm_version = "cancun"
[fuzz]
seed = "0x1"
[invariant]
runs = 16
depth = 40
"""


class ForgeFailed(RuntimeError):
    """Forge did not compile, or did not run; the message is its own."""


def forge_binary() -> Path:
    """Return the platform's forge.

    Raises:
        MissingPart: it is not installed.
    """
    found = sorted((tools_dir() / "node_modules" / "@foundry-rs").glob("forge-*/bin/forge"))
    if not found:
        raise MissingPart("missing part: forge: no @foundry-rs/forge-*/bin/forge; run `make tools`")
    return found[0]


class ForgeProject:
    """A folder with sources and tests, compiled together."""

    def __init__(self, folder: Path, sources: Mapping[str, str], tests: Mapping[str, str]) -> None:
        """Write the files, by name."""
        self._forge = forge_binary()
        self._folder = folder
        compiler = folder / "solc"
        compiler.write_text(_COMPILER % json.dumps(str(package_folder("solc").resolve())))
        compiler.chmod(0o755)
        (folder / "foundry.toml").write_text(_SETTINGS)
        for name, texts in (("src", sources), ("test", tests)):
            (folder / name).mkdir()
            for file, text in texts.items():
                (folder / name / file).write_text(text)

    def run(self, target: str | None = None) -> dict[str, str]:
        """Run all tests; return by name why each failed, an empty text for those that passed.

        Raises:
            ForgeFailed: the project does not compile.
        """
        env = os.environ | ({} if target is None else {"SPECMINER_TARGET": target})
        done = subprocess.run(
            [str(self._forge), "test", "--json"],
            cwd=self._folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        try:
            suites = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise ForgeFailed(done.stdout[-2000:] + done.stderr[-2000:]) from None
        if not all(isinstance(suite, dict) and "test_results" in suite for suite in suites.values()):
            raise ForgeFailed(done.stdout[-2000:])
        return {
            name.partition("(")[0]: "" if result["status"] == "Success" else str(result.get("reason"))
            for suite in suites.values()
            for name, result in suite["test_results"].items()
        }
