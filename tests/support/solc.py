"""Compiles Solidity by the npm package solc, through standard JSON.

Older compilers stand beside it under an alias, such as ``solc-0.4.24`` (``solc-0.4.24@npm:solc@0.4.24``).
"""

from __future__ import annotations

import copy
import functools
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.anvil import MissingPart, tools_dir

_SCRIPT: Final = Path(__file__).with_name("compile.js")
_COMPILE_SECONDS: Final = 600


class CompileFailed(RuntimeError):
    """The compiler reported errors; the message is its own."""


def has_solc(package: str = "solc") -> bool:
    """Tell whether node and this compiler package are installed."""
    return shutil.which("node") is not None and (tools_dir() / "node_modules" / package).is_dir()


def package_folder(package: str) -> Path:
    """Return the folder of an npm package that ``make tools`` installs.

    Raises:
        MissingPart: it is not installed.
    """
    folder = tools_dir() / "node_modules" / package
    if not folder.is_dir():
        raise MissingPart(f"missing part: {package}: no {folder}; run `make tools`")
    return folder


def compile_files(
    *paths: Path, package: str = "solc", runs: int | None = 200, evm_version: str | None = None
) -> dict[str, dict[str, Any]]:
    """Compile files, with imports beside them or in ``node_modules``; see :func:`compile_sources`."""
    sources = {path.name: path.read_text() for path in paths}
    roots = sorted({str(path.resolve().parent) for path in paths})
    return compile_sources(sources, package=package, runs=runs, evm_version=evm_version, roots=roots)


def compile_sources(
    sources: Mapping[str, str],
    *,
    package: str = "solc",
    runs: int | None = 200,
    evm_version: str | None = None,
    via_ir: bool = False,
    roots: Sequence[str] = (),
) -> dict[str, dict[str, Any]]:
    """Compile sources given by file name and return solc's output for each contract, by its name.

    Each output has ``abi``, ``evm.bytecode.object``, ``evm.deployedBytecode.object``, ``metadata`` and,
    from solc 0.5.13 on, ``storageLayout``; ``compiler`` is added, the compiler's version.

    Args:
        sources: texts by file name.
        package: the npm package of the compiler.
        runs: the optimizer's runs; ``None`` turns it off.
        evm_version: the target; without one, ``cancun`` for ``solc`` and each older compiler's own default.
        via_ir: whether code is made by way of Yul.
        roots: folders where imports are looked for before ``node_modules``.

    Raises:
        MissingPart: node or the compiler is not installed.
        CompileFailed: the sources do not compile, or two contracts have one name.
    """
    if evm_version is None and package == "solc":
        evm_version = "cancun"
    settings: dict[str, Any] = {
        "optimizer": {"enabled": runs is not None, "runs": runs or 200},
        "outputSelection": {
            "*": {
                "*": [
                    *("abi", "metadata", "storageLayout"),
                    *("evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"),
                    "evm.deployedBytecode.immutableReferences",
                ]
            }
        },
    }
    if via_ir:
        settings["viaIR"] = True
    if evm_version is not None:
        settings["evmVersion"] = evm_version
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sorted(sources.items())},
        "settings": settings,
    }
    # A copy, because the cached value must not be changed by who asked first.
    return copy.deepcopy(_compile(str(tools_dir()), package, json.dumps(request), tuple(roots)))


@functools.cache
def _compile(tools: str, package: str, request: str, roots: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    if not has_solc(package):
        raise MissingPart(
            f"missing part: solc: no node, or no {tools}/node_modules/{package}; run `make tools`"
        )
    modules = str(Path(tools).resolve() / "node_modules")
    done = subprocess.run(
        ["node", str(_SCRIPT), modules, package, *roots],
        input=request,
        capture_output=True,
        text=True,
        check=False,
        timeout=_COMPILE_SECONDS,
    )
    if done.returncode != 0:
        raise CompileFailed(f"{package} did not run (code {done.returncode}):\n{done.stderr}")
    answer = json.loads(done.stdout)
    errors = [
        each.get("formattedMessage", each["message"])
        for each in answer["output"].get("errors", [])
        if each["severity"] == "error"
    ]
    if errors:
        raise CompileFailed(f"{package} {answer['version']}:\n" + "\n".join(errors))
    contracts: dict[str, dict[str, Any]] = {}
    for file, found in sorted(answer["output"].get("contracts", {}).items()):
        for name, output in sorted(found.items()):
            if name in contracts:
                raise CompileFailed(f"two contracts are named {name}; the second is in {file}")
            contracts[name] = {**output, "compiler": answer["version"]}
    return contracts
