"""From what was mined, or from ``automaton.json`` and its database, to a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from specminer._support.addresses import is_address
from specminer._support.errors import StoreError, UsageError, plain
from specminer.contracts.artifact import Artifact
from specminer.history.trace import Address, Hash
from specminer.pipeline.automata import transition_groups
from specminer.pipeline.explaining import Explainer, Question
from specminer.pipeline.mining import MiningResult, mine
from specminer.pipeline.output import make_folder, remove_file, replace_file
from specminer.pipeline.selecting import life_of
from specminer.pipeline.state import options_of
from specminer.presentation.eventlog import events, to_csv, to_xes
from specminer.presentation.markdown import to_markdown
from specminer.presentation.ocel import to_ocel
from specminer.presentation.page import to_html
from specminer.presentation.paper import to_pdf
from specminer.presentation.report_document import Report
from specminer.presentation.report_evidence import gather
from specminer.specification import Edge, Role, Specification
from specminer.specification.unit_inference import units_of
from specminer.store import TraceStore

FORMATS: Final[dict[str, Callable[[Report], bytes]]] = {
    "html": lambda report: to_html(report).encode(),
    "md": lambda report: to_markdown(report).encode(),
    "json": lambda report: report.to_json(),
    "pdf": to_pdf,
}
"""The renderings of a report by the ending of their files."""
LOGS: Final[dict[str, str]] = {"csv": "events.csv", "xes": "events.xes", "ocel": "events.ocel.json"}
"""The formats of the log of all events, with the names of their files."""
MAX_EXPLAINED: Final = 3
"""Transactions that a report explains at most."""
ACTORS: Final = 500
"""Actors that a report lists at most."""
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


def report_from(specification: Specification, mined: MiningResult) -> Report:
    """Return the report of a document whose history was mined again."""
    evidence = gather(
        mined.analysis,
        mined.interactions,
        mined.interface,
        transition_groups(mined.tuning, mined.tuning.chosen_point)[1],
        _notable(specification),
    )
    explainer = explainer_of(mined, specification.roles, labels_of(specification))
    return Report(
        specification=specification,
        evidence=evidence,
        actors=explainer.actors(ACTORS),
        explanations=tuple(explainer.explain_all(_most_surprising(specification)))
        if explainer.recording is not None
        else None,
    )


def labels_of(specification: Specification) -> dict[Address, str]:
    """Return the names of addresses that a specification holds."""
    names = specification.address_names or {}
    return {
        Address(bytes.fromhex(address[2:])): name for address, name in names.items() if is_address(address)
    }


def explainer_of(
    mined: MiningResult,
    roles: tuple[Role, ...],
    labels: Mapping[Address, str] | None = None,
    ask: Question | None = None,
) -> Explainer:
    """Return what explains transactions of a history that was mined, and its actors."""
    return Explainer(
        context=mined.context,
        recording=mined.recording,
        interactions=mined.interactions,
        ranked_transactions=mined.ranked_transactions,
        roles=roles,
        units=units_of(mined.specification),
        labels=labels or {},
        ask=ask,
    )


def _most_surprising(specification: Specification) -> list[Hash]:
    """Return the transactions that stand out most: alarms, or else the first."""
    ranking = specification.surprise.transactions
    ranked = ranking.ranked[:MAX_EXPLAINED] if ranking is not None else ()
    alarms = [item for item in ranked if item.flagged]
    return [Hash(bytes.fromhex(item.transaction[2:])) for item in alarms or ranked[:1]]


def _notable(specification: Specification) -> list[str]:
    """Return the interactions that stand out."""
    return [item.interaction for item in specification.surprise.interactions[:10]]


def mined_again(
    specification: Specification, store: TraceStore, artifact: Artifact | None = None
) -> MiningResult:
    """Mine the history of a specification with its own abstraction, so that each event has its transition.

    Raises:
        StoreError: the database does not hold its history, or holds another one.
        UsageError: the document names no contract, or its abstraction does not fit.

    """
    contracts = _contracts(specification)
    facts = specification.history
    history = store.history(specification.chain_id, contracts, first=facts.first_block, last=facts.last_block)
    if facts.life is not None:
        history = life_of(history, facts.life)
    if facts.invocations != len(history):
        raise StoreError(
            f"the database holds {len(history):,} calls of these blocks, the automaton was mined from "
            f"{facts.invocations}: it is another history; mine again, or give the --db of that run"
        )
    mined = mine(history, options_of(specification), artifact=artifact, name=specification.name)
    if list(map(_key, mined.specification.transitions)) != list(map(_key, specification.transitions)):
        raise StoreError(
            "the history in the database gives another automaton than the document's (another ABI, or another "
            "version of specminer?); mine again, which writes the report as well"
        )
    return mined


def split_formats(formats: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the formats of the report and those of the log of events, each once.

    Raises:
        UsageError: one is not known, or there is none.

    """
    requested = list(dict.fromkeys(formats))
    choices = (*FORMATS, *LOGS)
    unknown = [form for form in requested if form not in choices]
    if unknown or not requested:
        got = plain(unknown[0], 40) if unknown else "nothing"
        raise UsageError(f"--format: expected a list of {', '.join(choices)}, got {got}")
    return [form for form in requested if form in FORMATS], [form for form in requested if form in LOGS]


def write_report(report: Report, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write ``report.html`` and so on, each whole or not at all; return the files.

    Without formats the page of an earlier run is removed.

    Raises:
        OutputError: the folder cannot be written to.

    """
    rendered = {folder / f"report.{form}": FORMATS[form](report) for form in formats}
    make_folder(folder)
    for path, content in rendered.items():
        replace_file(path, content)
    if not formats:
        # the page of an earlier run would tell something else than automaton.json
        remove_file(folder / "report.html")
    return list(rendered)


def write_logs(
    specification: Specification, mined: MiningResult, folder: Path, formats: Sequence[str]
) -> list[Path]:
    """Write all events of a history that was mined again, as ``events.csv`` and so on; return the files.

    Raises:
        OutputError: the folder cannot be written to.

    """
    paths = []
    for form in formats:
        rows = events(
            specification,
            mined.analysis,
            mined.interactions,
            mined.interface,
            transition_groups(mined.tuning, mined.tuning.chosen_point)[1],
        )
        match form:
            case "csv":
                content = to_csv(rows).encode()
            case "xes":
                content = to_xes(specification, rows).encode()
            case _:
                content = to_ocel(specification, rows)
        make_folder(folder)
        replace_file(folder / LOGS[form], content)
        paths.append(folder / LOGS[form])
    return paths


def _key(edge: Edge) -> tuple[object, ...]:
    return edge.source, edge.target, edge.event, edge.outcome, edge.count, edge.first.transaction


def _contracts(specification: Specification) -> list[Address]:
    if not specification.contracts or not all(map(_ADDRESS.fullmatch, specification.contracts)):
        raise UsageError(
            "the document does not name its contracts by addresses of 0x and 40 hexadecimal digits"
        )
    return [Address(bytes.fromhex(address[2:])) for address in specification.contracts]
