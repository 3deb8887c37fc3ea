"""specminer: what a smart contract really does, mined from its recorded history.

The names below are the public API: ``docs/python.md`` shows how to use them, and every command of the command line is a
thin face of one of these functions. What they need is loaded when they are first asked for.

The packages form ranks; a module imports only from packages of ranks below its own (``tests/project/test_ranks.py``).

This module imports nothing before it is asked for something: until the command line has begun, nobody
could turn an interruption into an exit code.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from specminer._support.errors import (
        ChainError,
        ClusterError,
        FileFormatError,
        InvalidNodeResponse,
        NodeRefused,
        NodeUnreachable,
        NotOnChain,
        OutputError,
        RenderError,
        SpecminerError,
        StoreError,
        UsageError,
    )
    from specminer.comparison.difference import Comparison
    from specminer.comparison.score import Labels, Score
    from specminer.explanation import ActorTable, Explanation
    from specminer.learning.abstraction_definition import Definition
    from specminer.learning.preset import PRESETS, Preset
    from specminer.pipeline.capabilities import examine, examine_node
    from specminer.pipeline.checked_transactions import check
    from specminer.pipeline.checking import CheckOptions
    from specminer.pipeline.cluster import DaskOptions
    from specminer.pipeline.comparisons import diff, diff_at
    from specminer.pipeline.contract_lists import ContractUpdate, Overview, collect_contracts, mine_contracts
    from specminer.pipeline.dask_source import DaskSource
    from specminer.pipeline.datasets import Dataset, dataset, list_datasets
    from specminer.pipeline.explanations import ExplainOptions, actors, explain
    from specminer.pipeline.explorer_source import ExplorerOptions, ReplayOptions
    from specminer.pipeline.histories import (
        Collection,
        collect,
        estimate_collection,
        export_history,
        import_history,
    )
    from specminer.pipeline.inputs import read_definition
    from specminer.pipeline.inspection import InspectedSplit
    from specminer.pipeline.maintenance import check_database, database_size, prune_database, vacuum_database
    from specminer.pipeline.mined import MinedSpecification, read
    from specminer.pipeline.miner import inspect, mine
    from specminer.pipeline.node_source import NodeOptions
    from specminer.pipeline.output import WrittenFiles
    from specminer.pipeline.progress import Observer, SilentObserver
    from specminer.pipeline.proofs import prove
    from specminer.pipeline.proving import ReplayedObligation
    from specminer.pipeline.scoring import score_automaton
    from specminer.pipeline.selecting import Selection, SelectionOptions, select
    from specminer.pipeline.source import BlockRange, HistorySource
    from specminer.pipeline.state import MineOptions
    from specminer.presentation.picture_options import PictureOptions
    from specminer.presentation.report_document import Report
    from specminer.sources.survey import Finding
    from specminer.specification import Specification
    from specminer.specification.deviation import CheckResult

    __version__: str

__all__ = [
    "PRESETS",
    "ActorTable",
    "BlockRange",
    "ChainError",
    "CheckOptions",
    "CheckResult",
    "ClusterError",
    "Collection",
    "Comparison",
    "ContractUpdate",
    "DaskOptions",
    "DaskSource",
    "Dataset",
    "Definition",
    "ExplainOptions",
    "Explanation",
    "ExplorerOptions",
    "FileFormatError",
    "Finding",
    "HistorySource",
    "InspectedSplit",
    "InvalidNodeResponse",
    "Labels",
    "MineOptions",
    "MinedSpecification",
    "NodeOptions",
    "NodeRefused",
    "NodeUnreachable",
    "NotOnChain",
    "Observer",
    "OutputError",
    "Overview",
    "PictureOptions",
    "Preset",
    "RenderError",
    "ReplayOptions",
    "ReplayedObligation",
    "Report",
    "Score",
    "Selection",
    "SelectionOptions",
    "SilentObserver",
    "Specification",
    "SpecminerError",
    "StoreError",
    "UsageError",
    "WrittenFiles",
    "__version__",
    "actors",
    "check",
    "check_database",
    "collect",
    "collect_contracts",
    "database_size",
    "dataset",
    "diff",
    "diff_at",
    "estimate_collection",
    "examine",
    "examine_node",
    "explain",
    "export_history",
    "import_history",
    "inspect",
    "list_datasets",
    "mine",
    "mine_contracts",
    "prove",
    "prune_database",
    "read",
    "read_definition",
    "score_automaton",
    "select",
    "vacuum_database",
]

_NAMES = {
    "_support.errors": (
        "ChainError",
        "ClusterError",
        "FileFormatError",
        "InvalidNodeResponse",
        "NodeRefused",
        "NodeUnreachable",
        "NotOnChain",
        "OutputError",
        "RenderError",
        "SpecminerError",
        "StoreError",
        "UsageError",
    ),
    "comparison.difference": ("Comparison",),
    "comparison.score": (
        "Labels",
        "Score",
    ),
    "explanation": (
        "ActorTable",
        "Explanation",
    ),
    "learning.abstraction_definition": ("Definition",),
    "learning.preset": (
        "PRESETS",
        "Preset",
    ),
    "pipeline.capabilities": (
        "examine",
        "examine_node",
    ),
    "pipeline.checked_transactions": ("check",),
    "pipeline.checking": ("CheckOptions",),
    "pipeline.cluster": ("DaskOptions",),
    "pipeline.comparisons": (
        "diff",
        "diff_at",
    ),
    "pipeline.contract_lists": (
        "ContractUpdate",
        "Overview",
        "collect_contracts",
        "mine_contracts",
    ),
    "pipeline.dask_source": ("DaskSource",),
    "pipeline.datasets": (
        "Dataset",
        "dataset",
        "list_datasets",
    ),
    "pipeline.explanations": (
        "ExplainOptions",
        "actors",
        "explain",
    ),
    "pipeline.explorer_source": (
        "ExplorerOptions",
        "ReplayOptions",
    ),
    "pipeline.histories": (
        "Collection",
        "collect",
        "estimate_collection",
        "export_history",
        "import_history",
    ),
    "pipeline.inputs": ("read_definition",),
    "pipeline.inspection": ("InspectedSplit",),
    "pipeline.maintenance": (
        "check_database",
        "database_size",
        "prune_database",
        "vacuum_database",
    ),
    "pipeline.mined": (
        "MinedSpecification",
        "read",
    ),
    "pipeline.miner": (
        "inspect",
        "mine",
    ),
    "pipeline.node_source": ("NodeOptions",),
    "pipeline.output": ("WrittenFiles",),
    "pipeline.progress": (
        "Observer",
        "SilentObserver",
    ),
    "pipeline.proofs": ("prove",),
    "pipeline.proving": ("ReplayedObligation",),
    "pipeline.scoring": ("score_automaton",),
    "pipeline.selecting": (
        "Selection",
        "SelectionOptions",
        "select",
    ),
    "pipeline.source": (
        "BlockRange",
        "HistorySource",
    ),
    "pipeline.state": ("MineOptions",),
    "presentation.picture_options": ("PictureOptions",),
    "presentation.report_document": ("Report",),
    "sources.survey": ("Finding",),
    "specification": ("Specification",),
    "specification.deviation": ("CheckResult",),
}
"""What each module gives to the names above."""


if not TYPE_CHECKING:  # so that types are checked against the imports above, and misspelt names are found

    def __getattr__(name: str) -> object:
        """Return a public name, loaded now."""
        if name == "__version__":
            return _version()
        for module, names in _NAMES.items():
            if name in names:
                from importlib import import_module

                return getattr(import_module(f"{__name__}.{module}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("specminer")
    except PackageNotFoundError:  # a bare checkout on the path, never installed
        return "0+unknown"
