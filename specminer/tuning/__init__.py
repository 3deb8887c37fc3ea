"""The search for the abstraction that describes a history best."""

from specminer.tuning.objective import Objective, Selection, SelectionScore
from specminer.tuning.preset import DEFAULT_PRESET, PRESETS, Preset
from specminer.tuning.result import FrontAutomaton, PredicateWorth, TunedState, Tuning
from specminer.tuning.search import search
from specminer.tuning.tune import PhasedTable, tune

__all__ = [
    "DEFAULT_PRESET",
    "PRESETS",
    "FrontAutomaton",
    "Objective",
    "PhasedTable",
    "PredicateWorth",
    "Preset",
    "Selection",
    "SelectionScore",
    "TunedState",
    "Tuning",
    "search",
    "tune",
]
