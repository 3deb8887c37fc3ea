"""The search for the abstraction that describes a history best."""

from specminer.tuning.objective import Objective, Score, Selection
from specminer.tuning.preset import DEFAULT_PRESET, PRESETS, Preset
from specminer.tuning.result import ChosenPredicate, FrontPoint, TunedState, Tuning
from specminer.tuning.search import search
from specminer.tuning.tune import PhasedTable, tune

__all__ = [
    "DEFAULT_PRESET",
    "PRESETS",
    "ChosenPredicate",
    "FrontPoint",
    "Objective",
    "PhasedTable",
    "Preset",
    "Score",
    "Selection",
    "TunedState",
    "Tuning",
    "search",
    "tune",
]
