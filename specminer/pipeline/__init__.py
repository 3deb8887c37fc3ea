"""Composes the stages: the only package that knows all of them."""

from specminer.pipeline.collecting import Listener, collect
from specminer.pipeline.mining import Mined, MineOptions, mine
from specminer.pipeline.output import Written, folder_name, prepare_folder, write_output
from specminer.pipeline.traces import export_traces, import_traces

__all__ = [
    "Listener",
    "MineOptions",
    "Mined",
    "Written",
    "collect",
    "export_traces",
    "folder_name",
    "import_traces",
    "mine",
    "prepare_folder",
    "write_output",
]
