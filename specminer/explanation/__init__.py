"""One transaction explained, and the actors and tokens of a history: what a responder asks first.

:mod:`.story` puts an :class:`Explanation` together; :mod:`.actor_table` tells who acted.
"""

from specminer.explanation.actor_table import Actor, ActorTable, TokenBalance, TokenSum, tabulate_actors
from specminer.explanation.known_names import KnownNames
from specminer.explanation.story import HistoryKnowledge, asset_amount, explain_transaction
from specminer.explanation.token_facts import DECIMALS, SYMBOL, TokenRegister
from specminer.explanation.transaction_document import (
    CallStep,
    EmittedLog,
    Explanation,
    Gain,
    LifeAround,
    Movement,
    NamedValue,
    Participant,
    StorageChange,
    TokenFacts,
    TreeCall,
)

__all__ = [
    "DECIMALS",
    "SYMBOL",
    "Actor",
    "ActorTable",
    "CallStep",
    "EmittedLog",
    "Explanation",
    "Gain",
    "HistoryKnowledge",
    "KnownNames",
    "LifeAround",
    "Movement",
    "NamedValue",
    "Participant",
    "StorageChange",
    "TokenBalance",
    "TokenFacts",
    "TokenRegister",
    "TokenSum",
    "TreeCall",
    "asset_amount",
    "explain_transaction",
    "tabulate_actors",
]
