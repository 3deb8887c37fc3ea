"""The languages that a specification can be written in, and what each of them needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from specminer._support.errors import UsageError, plain
from specminer.contracts.artifact import Artifact
from specminer.export.corpora import echidna, medusa
from specminer.export.export_text import ExportText
from specminer.export.foundry import foundry
from specminer.export.monitor import monitor, monitor_filter
from specminer.export.named_languages import cvl, daikon, scribble
from specminer.export.phylax import phylax
from specminer.export.replayed_calls import RecordedCalls, read_calls
from specminer.export.solidity import solidity
from specminer.export.solidity_names import function_entry
from specminer.history.contract_history import History
from specminer.specification import Specification

NO_ABI: Final = Artifact(name=None, abi=(), storage_layout=None)
"""What is given to formats that need no ABI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What an export is made of."""

    specification: Specification
    artifact: Artifact
    """The contract's ABI, with the storage layout where there is one; empty for formats that do not need it."""
    history: History | None
    """The calls, for formats that replay them."""
    most_calls: int
    """How many calls are written at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFormat:
    """A language."""

    help: str
    """What is written, a clause."""
    needs_history: bool
    write: Callable[[ExportRequest], ExportText]
    needs_abi: bool = True


def export_as(language: str, request: ExportRequest) -> ExportText:
    """Return a specification in a language, which :data:`FORMATS` names.

    Raises:
        UsageError: the history or the ABI does not hold what the language needs, or the ABI is of another contract.
        FileFormatError: the storage layout is malformed.

    """
    if FORMATS[language].needs_abi or request.artifact.abi:
        _check_functions(request)
    return FORMATS[language].write(request)


def _check_functions(request: ExportRequest) -> None:
    """Raise ``UsageError`` if the ABI has no function that the specification speaks of."""
    specification = request.specification
    functions = {item.scope for item in specification.guards} | {
        item.function for item in specification.effects
    }
    functions -= {"constructor", "receive", "fallback"}
    if functions and all(function_entry(request.artifact, name) is None for name in functions):
        raise UsageError(
            f"the ABI has none of the functions that the specification of {plain(specification.name, 80)} speaks of; "
            "is it of another contract? Name the contract that was mined, or give its ABI with --abi"
        )


def _solidity(request: ExportRequest) -> ExportText:
    return solidity(request.specification, request.artifact)


def _recorded_calls(request: ExportRequest) -> RecordedCalls:
    if request.history is None:
        raise UsageError("this format holds recorded calls; name the dataset, the trace file or the contract")
    return read_calls(request.history, request.artifact, request.most_calls)


FORMATS: Final = {
    "solidity": ExportFormat(
        help="an abstract contract with a modifier for each function", needs_history=False, write=_solidity
    ),
    "foundry": ExportFormat(
        help="a test for forge that replays the history and sends calls like it",
        needs_history=True,
        write=lambda request: foundry(request.specification, request.artifact, _recorded_calls(request)),
    ),
    "echidna": ExportFormat(
        help="the accepted calls as a corpus of echidna",
        needs_history=True,
        write=lambda request: echidna(request.artifact, _recorded_calls(request)),
    ),
    "medusa": ExportFormat(
        help="the accepted calls as a corpus of medusa",
        needs_history=True,
        write=lambda request: medusa(_recorded_calls(request)),
    ),
    "cvl": ExportFormat(
        help="rules for Certora's prover",
        needs_history=False,
        write=lambda request: cvl(request.specification, request.artifact),
    ),
    "scribble": ExportFormat(
        help="a macro file with annotations",
        needs_history=False,
        write=lambda request: scribble(request.specification, request.artifact),
    ),
    "phylax": ExportFormat(
        help="an assertion contract of the credible layer",
        needs_history=False,
        write=lambda request: phylax(request.specification, request.artifact),
    ),
    "monitor": ExportFormat(
        help="a configuration of OpenZeppelin Monitor",
        needs_history=False,
        write=lambda request: monitor(request.specification, request.artifact),
    ),
    "monitor-filter": ExportFormat(
        help="the script that this configuration runs on matches",
        needs_history=False,
        write=lambda request: monitor_filter(request.specification),
        needs_abi=False,
    ),
    "daikon": ExportFormat(
        help="program points in the form of Daikon",
        needs_history=False,
        write=lambda request: daikon(request.specification, request.artifact),
    ),
}
"""By name, as ``specminer export-spec --format`` takes it."""
