"""What stands out in a history, in bits, and why.

Each event and each interaction is judged by an automaton that learned nothing from it (:mod:`.left_out`,
:mod:`.measures`); what is above a calibrated threshold (:mod:`.alarm`) is an alarm; :mod:`.ranking` explains.
"""

from specminer.surprise.alarm import threshold
from specminer.surprise.measures import Broken, Kind, Measured, measure, too_few
from specminer.surprise.ranking import LISTED, MAX_LISTED, Ranking

__all__ = [
    "LISTED",
    "MAX_LISTED",
    "Broken",
    "Kind",
    "Measured",
    "Ranking",
    "measure",
    "threshold",
    "too_few",
]
