"""The lives of contracts that destroyed themselves, as sentences and as a table."""

from __future__ import annotations

from typing import Final

from specminer._support.errors import plain
from specminer._support.text import count_of
from specminer.presentation.section import Section, TextPiece, left_out, row, transaction_cell
from specminer.specification import HistorySummary, LifeMoment, LifeSummary, Specification

MAX_LIVES: Final = 10
"""Lives that the summary lists at most."""
MAX_ROWS: Final = 1_000
"""Lives that a table lists at most."""


def lives_lead(facts: HistorySummary) -> str:
    """Return how many lives there are, as a sentence; empty if there is nothing to say."""
    lives = facts.lives or ()
    contracts = len({life.contract for life in lives})
    if facts.life is not None:
        return f"Life {facts.life:,} of the contract alone was mined, as asked."
    if len(lives) > contracts:
        whose = "The contract" if contracts == 1 else f"{contracts:,} contracts"
        have = "has" if contracts == 1 else "have"
        return (
            f"{whose} {have} {len(lives):,} lives: created again after a self-destruction, a contract begins anew, "
            "with empty storage."
        )
    return ""


def code_note(facts: HistorySummary) -> str:
    """Return a sentence if a contract ran other code in one life than in another; else nothing."""
    codes: dict[str, set[str]] = {}
    for life in facts.lives or ():
        if life.code is not None:
            codes.setdefault(life.contract, set()).add(life.code)
    if facts.life is not None or all(len(versions) == 1 for versions in codes.values()):
        return ""
    return (
        "The code of the contract differs between its lives; --life N mines one of them, if need be with an ABI of its "
        "own."
    )


def life_texts(facts: HistorySummary) -> list[str]:
    """Return a sentence for each life, and how many more there are."""
    lives = facts.lives or ()
    several = len({life.contract for life in lives}) > 1
    sentences = [
        (f"{plain(life.contract, 60)}, " if several else "") + _life_text(life) for life in lives[:MAX_LIVES]
    ]
    if len(lives) > MAX_LIVES:
        sentences.append(f"… and {len(lives) - MAX_LIVES:,} more in automaton.json")
    return sentences


def _life_text(life: LifeSummary) -> str:
    began = (
        "began before what is read" if life.created is None else f"created in {_moment_text(life.created)}"
    )
    return f"life {life.number:,}: {began}; {_end_text(life)}; {count_of(life.calls, 'call')}"


def _moment_text(moment: LifeMoment) -> str:
    return f"block {moment.block:,} by {plain(moment.transaction, 80)}"


def _end_text(life: LifeSummary) -> str:
    """Return whether and where a life ended."""
    if life.destroyed is None:
        return "ended, but where it destroyed itself is not in the history" if life.ended else "goes on"
    where = _moment_text(life.destroyed)
    if life.ended:
        return f"destroyed itself in {where}"
    if life.ended is None:
        return f"destroyed itself in {where}, if that was before Cancun: since then such a call ends no life"
    return f"destroyed itself in vain in {where} and goes on, as since Cancun"


def lives_section(spec: Specification) -> Section | None:
    """Return the lives as a table; nothing if no contract destroyed itself."""
    lives = spec.history.lives or ()
    if not lives:
        return None
    several = len({life.contract for life in lives}) > 1
    lead = (lives_lead(spec.history), code_note(spec.history))
    return Section(
        id="lives",
        title="Lives",
        lead=tuple(text for text in lead if text),
        header=(
            "Contract",
            "Life",
            "Created in block",
            "by",
            "Destroyed in block",
            "by",
            "Over",
            "Calls",
            "Code",
        ),
        figures=frozenset({1, 2, 4, 7}),
        rows=tuple(
            row(
                life.contract if several else "",
                life.number,
                "" if life.created is None else life.created.block,
                "" if life.created is None else transaction_cell(spec.chain_id, life.created.transaction),
                "" if life.destroyed is None else life.destroyed.block,
                "" if life.destroyed is None else transaction_cell(spec.chain_id, life.destroyed.transaction),
                "not known" if life.ended is None else "yes" if life.ended else "no",
                life.calls,
                "" if life.code is None else (TextPiece(text=life.code, code=True),),
            )
            for life in lives[:MAX_ROWS]
        ),
        note=left_out(min(len(lives), MAX_ROWS), len(lives), "lives"),
    )
