"""Composes the stages: the only package that knows all of them.

Its parts are loaded when their names are first asked for: drawing needs no node, and mining no machine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from specminer.pipeline.collecting import collect
    from specminer.pipeline.executing import Export, ImportResult, Rulebook, import_export
    from specminer.pipeline.explorer_update import ExplorerRecords, collect_explored
    from specminer.pipeline.inspection import InspectedSplit, inspect
    from specminer.pipeline.instances import children, same_code, sibling_artifact
    from specminer.pipeline.mining import MiningResult, mine
    from specminer.pipeline.output import (
        WrittenFiles,
        folder_name,
        prepare_folder,
        replace_file,
        write_output,
    )
    from specminer.pipeline.progress import ExecutionProgress, Observer
    from specminer.pipeline.state import MineOptions
    from specminer.pipeline.state_verification import VerificationResult, verify
    from specminer.pipeline.traces import export_traces, import_traces

__all__ = [
    "ExecutionProgress",
    "ExplorerRecords",
    "Export",
    "ImportResult",
    "InspectedSplit",
    "MineOptions",
    "MiningResult",
    "Observer",
    "Rulebook",
    "VerificationResult",
    "WrittenFiles",
    "children",
    "collect",
    "collect_explored",
    "export_traces",
    "folder_name",
    "import_export",
    "import_traces",
    "inspect",
    "mine",
    "prepare_folder",
    "replace_file",
    "same_code",
    "sibling_artifact",
    "verify",
    "write_output",
]

_NAMES: Final = {
    "collecting": ("collect",),
    "executing": (
        "Export",
        "ImportResult",
        "Rulebook",
        "import_export",
    ),
    "explorer_update": (
        "ExplorerRecords",
        "collect_explored",
    ),
    "inspection": (
        "InspectedSplit",
        "inspect",
    ),
    "instances": (
        "children",
        "same_code",
        "sibling_artifact",
    ),
    "mining": (
        "MiningResult",
        "mine",
    ),
    "output": (
        "WrittenFiles",
        "folder_name",
        "prepare_folder",
        "replace_file",
        "write_output",
    ),
    "progress": (
        "ExecutionProgress",
        "Observer",
    ),
    "state": ("MineOptions",),
    "state_verification": (
        "VerificationResult",
        "verify",
    ),
    "traces": (
        "export_traces",
        "import_traces",
    ),
}
"""What each module gives to the names above."""


def __getattr__(name: str) -> Any:
    for module, names in _NAMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
