"""What stands out in a history, in bits, and why.

Each event and each interaction is judged by an automaton that learned nothing from it (:mod:`.left_out`,
:mod:`.measures`); what is above a calibrated threshold (:mod:`.alarm`) is an alarm; :mod:`.ranking` explains.
"""

from specminer.surprise.alarm import threshold
from specminer.surprise.measures import Broken, MeasuredBits, SurpriseKind, measure, too_few
from specminer.surprise.ranking import Ranking
from specminer.surprise.transaction_sources import Claim
from specminer.surprise.transactions import Transactions, weigh
from specminer.surprise.unjudged import count_unjudged

__all__ = [
    "Broken",
    "Claim",
    "MeasuredBits",
    "Ranking",
    "SurpriseKind",
    "Transactions",
    "count_unjudged",
    "measure",
    "threshold",
    "too_few",
    "weigh",
]
