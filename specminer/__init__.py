"""specminer: what a smart contract really does, mined from its recorded history.

The names below are the public API: ``docs/python.md`` shows how to use them, and every command of the command line is a
thin face of one of these functions. What they need is loaded when they are first asked for.

The packages form ranks; a module imports only from ranks below its own (``tests/test_ranks.py``):
errors, resources < trace, history, automaton < chain, store, location < decoding < interaction <
predicate < abstraction < metric, tuning < specification < render, report < pipeline < api < cli.

This module imports nothing before it is asked for something: until the command line has begun, nobody
could turn an interruption into an exit code.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from specminer.abstraction import Definition
    from specminer.api.checking import check
    from specminer.api.comparing import diff, diff_at
    from specminer.api.examination import examine, examine_node
    from specminer.api.explaining import ExplainOptions, actors, explain
    from specminer.api.histories import (
        Collection,
        collect,
        estimate_collection,
        export_history,
        import_history,
    )
    from specminer.api.maintenance import check_database, database_size, prune_database, vacuum_database
    from specminer.api.mined import MinedSpecification, read
    from specminer.api.mining import inspect, mine
    from specminer.api.proving import prove
    from specminer.api.scoring import score_automaton
    from specminer.api.several import ContractUpdate, Overview, collect_contracts, mine_contracts
    from specminer.chain.survey import Finding
    from specminer.comparison.difference import Comparison
    from specminer.datasets import Dataset, dataset, list_datasets
    from specminer.errors import (
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
    from specminer.explanation import ActorTable, Explanation
    from specminer.monitoring.deviation import CheckResult
    from specminer.pipeline.checking import CheckOptions
    from specminer.pipeline.inputs import read_definition
    from specminer.pipeline.inspection import InspectedSplit
    from specminer.pipeline.output import WrittenFiles
    from specminer.pipeline.progress import Observer, SilentObserver
    from specminer.pipeline.proving import ReplayedObligation
    from specminer.pipeline.selecting import Selection, SelectionOptions, select
    from specminer.pipeline.sources.dask import DaskSource
    from specminer.pipeline.sources.explorer import ExplorerOptions, ReplayOptions
    from specminer.pipeline.sources.node import NodeOptions
    from specminer.pipeline.sources.source import BlockRange, HistorySource
    from specminer.pipeline.state import MineOptions
    from specminer.pipeline.workers.cluster import DaskOptions
    from specminer.render import PictureOptions
    from specminer.report.document import Report
    from specminer.score import Labels, Score
    from specminer.specification import Specification
    from specminer.tuning import PRESETS, Preset

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
    "abstraction": ("Definition",),
    "api.checking": ("check",),
    "api.comparing": ("diff", "diff_at"),
    "api.examination": ("examine", "examine_node"),
    "api.explaining": ("ExplainOptions", "actors", "explain"),
    "api.maintenance": ("check_database", "database_size", "prune_database", "vacuum_database"),
    "api.histories": ("Collection", "collect", "estimate_collection", "export_history", "import_history"),
    "api.mined": ("MinedSpecification", "read"),
    "api.mining": ("inspect", "mine"),
    "api.proving": ("prove",),
    "api.scoring": ("score_automaton",),
    "api.several": ("ContractUpdate", "Overview", "collect_contracts", "mine_contracts"),
    "chain.survey": ("Finding",),
    "comparison.difference": ("Comparison",),
    "datasets": ("Dataset", "dataset", "list_datasets"),
    "errors": (
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
    "explanation": ("ActorTable", "Explanation"),
    "monitoring.deviation": ("CheckResult",),
    "pipeline.checking": ("CheckOptions",),
    "pipeline.inputs": ("read_definition",),
    "pipeline.inspection": ("InspectedSplit",),
    "pipeline.output": ("WrittenFiles",),
    "pipeline.progress": ("Observer", "SilentObserver"),
    "pipeline.proving": ("ReplayedObligation",),
    "pipeline.selecting": ("Selection", "SelectionOptions", "select"),
    "pipeline.sources.dask": ("DaskSource",),
    "pipeline.sources.explorer": ("ExplorerOptions", "ReplayOptions"),
    "pipeline.sources.node": ("NodeOptions",),
    "pipeline.sources.source": ("BlockRange", "HistorySource"),
    "pipeline.state": ("MineOptions",),
    "pipeline.workers.cluster": ("DaskOptions",),
    "render": ("PictureOptions",),
    "report.document": ("Report",),
    "score": ("Labels", "Score"),
    "specification": ("Specification",),
    "tuning": ("PRESETS", "Preset"),
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
