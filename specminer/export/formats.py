"""The languages that a specification can be written in, and what each of them needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from specminer.chain.artifact import Artifact
from specminer.errors import UsageError
from specminer.export.export_text import ExportText
from specminer.export.foundry import foundry
from specminer.export.replayed_calls import read_calls
from specminer.export.solidity import solidity
from specminer.history import History
from specminer.specification import Specification


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What an export is made of."""

    specification: Specification
    artifact: Artifact
    """The contract's ABI, with the storage layout where there is one."""
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


def export_as(language: str, request: ExportRequest) -> ExportText:
    """Return a specification in a language, which :data:`FORMATS` names.

    Raises:
        UsageError: the history or the ABI does not hold what the language needs.
        FileFormatError: the storage layout is malformed.

    """
    return FORMATS[language].write(request)


def _solidity(request: ExportRequest) -> ExportText:
    return solidity(request.specification, request.artifact)


def _foundry(request: ExportRequest) -> ExportText:
    return foundry(
        request.specification,
        request.artifact,
        read_calls(_history(request), request.artifact, request.most_calls),
    )


def _history(request: ExportRequest) -> History:
    if request.history is None:
        raise UsageError("this format holds recorded calls; name the dataset, the trace file or the contract")
    return request.history


FORMATS: Final = {
    "solidity": ExportFormat(
        help="an abstract contract with a modifier for each function", needs_history=False, write=_solidity
    ),
    "foundry": ExportFormat(
        help="a test for forge that replays the history and sends calls like it",
        needs_history=True,
        write=_foundry,
    ),
}
"""By name, as ``specminer export-spec --format`` takes it."""
