"""Abstractions: what an automaton distinguishes, generated from the events and defined in TOML."""

from specminer.abstraction.definition import (
    Definition,
    RejectedCalls,
    Weights,
    canonical,
    default,
    load,
    parse,
)
from specminer.abstraction.events import EventTable, ValueKind, Variable
from specminer.abstraction.quotient import ROOT, Quotient, quotient
from specminer.abstraction.vocabulary import (
    FALSE,
    TRUE,
    UNKNOWN,
    Predicate,
    Tier,
    TruthColumn,
    Vocabulary,
    vocabulary,
)

__all__ = [
    "FALSE",
    "ROOT",
    "TRUE",
    "UNKNOWN",
    "Definition",
    "EventTable",
    "Predicate",
    "Quotient",
    "RejectedCalls",
    "Tier",
    "TruthColumn",
    "ValueKind",
    "Variable",
    "Vocabulary",
    "Weights",
    "canonical",
    "default",
    "load",
    "parse",
    "quotient",
    "vocabulary",
]
