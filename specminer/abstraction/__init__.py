"""Abstractions: what an automaton distinguishes, generated from the events and defined in TOML."""

from specminer.abstraction.candidates import ORDERED
from specminer.abstraction.definition import (
    Definition,
    default,
    from_document,
    load,
    parse,
)
from specminer.abstraction.events import Dimension, EntityVariable, EventArgument, EventTable, ValueKind
from specminer.abstraction.quotient import ROOT, Quotient, quotient, refine
from specminer.abstraction.toml import dump
from specminer.abstraction.vocabulary import (
    FALSE,
    TRUE,
    UNKNOWN,
    Predicate,
    TruthColumn,
    Vocabulary,
    vocabulary,
)
from specminer.specification import HistoryView, RejectedCalls, Tier, Weights

__all__ = [
    "FALSE",
    "ORDERED",
    "ROOT",
    "TRUE",
    "UNKNOWN",
    "Definition",
    "Dimension",
    "EntityVariable",
    "EventArgument",
    "EventTable",
    "HistoryView",
    "Predicate",
    "Quotient",
    "RejectedCalls",
    "Tier",
    "TruthColumn",
    "ValueKind",
    "Vocabulary",
    "Weights",
    "default",
    "dump",
    "from_document",
    "load",
    "parse",
    "quotient",
    "refine",
    "vocabulary",
]
