"""Composes the stages: the only package that knows all of them."""

from specminer.pipeline.collecting import collect
from specminer.pipeline.executing import Export, Imported, Rulebook, import_export
from specminer.pipeline.exploring import Explored, collect_explored
from specminer.pipeline.inspection import Inspected, explained, inspect, write_graph
from specminer.pipeline.instances import children, same_code, sibling_artifact
from specminer.pipeline.listening import Executed, Listener
from specminer.pipeline.mining import Mined, MineOptions, mine
from specminer.pipeline.output import Written, folder_name, prepare_folder, replace_file, write_output
from specminer.pipeline.traces import export_traces, import_traces

__all__ = [
    "Executed",
    "Explored",
    "Export",
    "Imported",
    "Inspected",
    "Listener",
    "MineOptions",
    "Mined",
    "Rulebook",
    "Written",
    "children",
    "collect",
    "collect_explored",
    "explained",
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
    "write_graph",
    "write_output",
]
