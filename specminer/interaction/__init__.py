"""Splits one interleaved history into independent interactions: the words that an automaton is learned from.

Keys of storage form *sorts* of entities (:mod:`.sorts`); calls name entities in *roles* (:mod:`.roles`); a sort's
score says how well it explains the history (:mod:`.scores`); the best one slices it (:mod:`.slices`), and if none
is good enough the whole history is one interaction (:mod:`.views`). The choice is always explained
(:mod:`.split_choice`).
"""

from specminer.interaction.interactions import Interactions, event_text
from specminer.interaction.split_choice import Analysis, SortAssessment, analyse, second_view, split
from specminer.interaction.views import MAX_UNNAMED
from specminer.specification import Mode

__all__ = [
    "MAX_UNNAMED",
    "Analysis",
    "Interactions",
    "Mode",
    "SortAssessment",
    "analyse",
    "event_text",
    "second_view",
    "split",
]
