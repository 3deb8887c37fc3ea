"""The sections that explain one transaction; its page, its Markdown and the report render the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from specminer._support.errors import RenderError, plain
from specminer._support.text import count_of
from specminer._support.units import amount, moment, token_amount
from specminer.explanation import (
    CallStep,
    Explanation,
    Gain,
    LifeAround,
    Movement,
    NamedValue,
    Participant,
    TreeCall,
    asset_amount,
)
from specminer.presentation.evidence_section import evidence_section
from specminer.presentation.flow_picture import MAX_ARROWS, count_arrows, flow_dot
from specminer.presentation.graphviz_layout import render_dot
from specminer.presentation.picture import bare_picture
from specminer.presentation.section import Cell, Section, TextPiece, left_out, row, transaction_cell
from specminer.presentation.sentences import address_link
from specminer.specification.measure import group

MAX_ROWS: Final = 300
"""Rows of one table on a page."""
MAX_SHORT: Final = 40
"""Rows of one table where the report explains a transaction."""
_LEVELS: Final = 24
"""Levels of the call tree that are set off by their depth."""
_STEP: Final = "· "
"""What sets a call off from the one around it."""
_OUTCOMES: Final = {"returned": "", "rolled back": "✗ undone later", "failed": "✗ failed"}
NOT_KNOWN: Final = "not known"


def transaction_sections(
    explanation: Explanation, prefix: str = "", most: int = MAX_ROWS
) -> tuple[Section, ...]:
    """Return the sections about a transaction; those that would tell nothing are left out.

    Args:
        explanation: the explanation.
        prefix: what the ids of the sections begin with.
        most: rows of one table at most.

    """
    sections = (
        _flows(explanation, most),
        evidence_section(explanation),
        _movements(explanation, most),
        _calls(explanation, most),
        _storage(explanation, most),
        _logs(explanation, most),
        _participants(explanation),
        *_lives(explanation),
        _limits(explanation),
    )
    return tuple(_with_prefix(section, prefix) for section in sections if section is not None)


def short_sections(explanation: Explanation, prefix: str, most: int = MAX_SHORT) -> tuple[Section, ...]:
    """Return what a report tells of a transaction, for those who do not ask for all of it."""
    flows = _flows(explanation, most)
    happened = replace(
        flows,
        id="happened",
        title="What happened",
        lead=explanation.summary,
        note=" ".join(
            part
            for part in (flows.note, f"All of it: specminer explain {explanation.transaction.hash}")
            if part
        ),
    )
    sections = (happened, _calls(explanation, most), _storage(explanation, most), _logs(explanation, most))
    name = short_hash(explanation)
    return tuple(
        _with_prefix(replace(section, title=f"{section.title}: {name}"), prefix)
        for section in sections
        if section is not None
    )


def short_hash(explanation: Explanation) -> str:
    """Return the first and the last digits of the transaction's hash."""
    return f"{explanation.transaction.hash[:10]}…{explanation.transaction.hash[-6:]}"


def _with_prefix(section: Section, prefix: str) -> Section:
    return replace(section, id=f"{prefix}{section.id}") if prefix else section


def who(explanation: Explanation, address: str) -> Cell:
    """Return an address as a cell, with its name in front where it has one."""
    if not address:
        return (TextPiece(text=""),)
    link = TextPiece(text=address, url=address_link(explanation.chain_id, address), code=True)
    name = explanation.names.get(address)
    return (TextPiece(text=name), link) if name else (link,)


def _gain_text(explanation: Explanation, item: Gain) -> str:
    net = int(item.net)
    return f"{'+' if net > 0 else '−'} {_short_amount(explanation, str(abs(net)), item.asset)}"


def _short_amount(explanation: Explanation, number: str, asset: str) -> str:
    """Return an amount where the token stands beside it: with its unit if that is short."""
    token = next((item for item in explanation.tokens if item.address == asset), None)
    if token is None:
        return amount(number)
    amount_text = token_amount(int(number), token.decimals)
    return f"{amount_text} {token.symbol}" if token.symbol else amount_text


def _token(explanation: Explanation, asset: str) -> Cell:
    """Return which token is meant, and whether its amounts are in its smallest unit; nothing for ether."""
    token = next((item for item in explanation.tokens if item.address == asset), None)
    if token is None:
        return (TextPiece(text=""),)
    unit = () if token.decimals is not None else (TextPiece(text="(smallest units)"),)
    return (*who(explanation, asset), *unit)


def _asset_text(explanation: Explanation, number: str, asset: str) -> str:
    facts = {token.address: token for token in explanation.tokens}
    return asset_amount(int(number), asset, facts)


def _flows(explanation: Explanation, most: int) -> Section:
    unknown = () if explanation.ether_known else ("What the traced contracts paid was not recorded.",)
    if not explanation.logs_known:
        unknown = (
            *unknown,
            "Token flows of other contracts are not known: their log entries were not recorded.",
        )
    if not explanation.movements:
        lead = unknown or ("Neither ether nor tokens moved, as far as the traced contracts can see.",)
        return Section(
            id="flows", title="Who gained and who lost", lead=lead, chart=flow_picture(explanation)
        )
    return Section(
        id="flows",
        title="Who gained and who lost",
        lead=(
            "Arrows sum up what one address gave another: ether with full lines, tokens with dashed ones; dotted ones "
            "are calls. Thick frames are traced contracts, darker boxes gained.",
            *unknown,
        ),
        header=("Address", "Net", "Amount received", "Amount sent", "Token"),
        figures=frozenset({1, 2, 3}),
        rows=tuple(
            row(
                who(explanation, item.address),
                _gain_text(explanation, item),
                _short_amount(explanation, item.received, item.asset),
                _short_amount(explanation, item.sent, item.asset),
                _token(explanation, item.asset),
            )
            for item in explanation.gains[:most]
        ),
        note=" ".join(
            part
            for part in (
                left_out(min(most, len(explanation.gains)), len(explanation.gains), "gains and losses"),
                left_out(MAX_ARROWS, count_arrows(explanation), "arrows"),
            )
            if part
        ),
        chart=flow_picture(explanation),
    )


def flow_picture(explanation: Explanation) -> str:
    """Return the flows as SVG for a page; empty if nothing moved or nothing here draws."""
    source = flow_dot(explanation)
    if source is None:
        return ""
    try:
        drawn = render_dot(source)
    except RenderError:
        return ""
    label = f"Flows of transaction {explanation.transaction.hash}; the table below tells the same"
    return bare_picture(drawn, label)


def _movements(explanation: Explanation, most: int) -> Section | None:
    if not explanation.movements:
        return None
    return Section(
        id="movements",
        title="Flows of ether and tokens, one by one",
        header=("What", "From", "To", "Token", "Standard", "Log"),
        figures=frozenset({0, 5}),
        rows=tuple(
            row(
                _movement(explanation, item),
                who(explanation, item.sender),
                who(explanation, item.recipient),
                _token(explanation, item.asset),
                item.standard or "",
                "" if item.log is None else item.log,
            )
            for item in explanation.movements[:most]
        ),
        note=left_out(min(most, len(explanation.movements)), explanation.movements_total, "flows"),
    )


def _movement(explanation: Explanation, item: Movement) -> str:
    number = f" #{item.identifier}" if item.identifier is not None else ""
    if item.amount is None:
        return f"{NOT_KNOWN}{number}"
    if item.standard == "transfer":
        return f"{item.amount} (an amount or an identifier)"
    return f"{_short_amount(explanation, item.amount, item.asset)}{number}"


def movement_text(explanation: Explanation, item: Movement) -> str:
    """Return what moved, with its unit."""
    number = f" #{item.identifier}" if item.identifier is not None else ""
    if item.amount is None:
        return f"{NOT_KNOWN}, of {item.asset}{number}"
    if item.standard == "transfer":
        return f"{item.amount} (an amount or an identifier) of token {item.asset}"
    return f"{_asset_text(explanation, item.amount, item.asset)}{number}"


def _calls(explanation: Explanation, most: int) -> Section:
    lead = (
        "Each call stands below the one that made it, set off by its depth. Calls between other contracts were not "
        "recorded."
        if explanation.calls_known
        else "Each call stands below the one that made it. What the traced contracts called was not recorded.",
    )
    return Section(
        id="calls",
        title="Calls",
        lead=lead,
        header=("Call", "Contract", "By", "Ether", "Result", "Unusual"),
        figures=frozenset({3}),
        rows=tuple(
            row(
                call_text(call),
                who(explanation, call.callee),
                who(explanation, call.caller),
                "" if call.value == "0" else amount(call.value),
                result_text(call),
                ", ".join(call.unusual),
            )
            for call in explanation.calls[:most]
        ),
        note=left_out(min(most, len(explanation.calls)), explanation.calls_total, "calls"),
    )


def call_text(call: TreeCall) -> str:
    """Return a call with its arguments, set off by its depth."""
    indent = _STEP * min(call.level, _LEVELS) + ("↳ " if call.level else "")
    if call.step is CallStep.UNSEEN:
        return f"{indent}calls that were not recorded"
    if call.step is CallStep.CREATION:
        return f"{indent}creates a contract"
    if not call.function:
        if call.step is CallStep.TRANSACTION:
            return f"{indent}the transaction (its own call was not recorded)"
        return f"{indent}sends ether" if call.value != "0" else f"{indent}call without data"
    inside = ", ".join(values_texts(call.arguments)) if call.data is None else call.data
    return f"{indent}{call.function}({inside})"


def values_texts(values: tuple[NamedValue, ...]) -> list[str]:
    """Return named values as ``name=value``, those without a name by their value alone."""
    texts = [with_unit(item.value, item.shown) for item in values]
    return [f"{item.name}={text}" if item.name else text for item, text in zip(values, texts, strict=True)]


def with_unit(value: str | None, spelling: str) -> str:
    """Return a value with its unit, ``0.5 ETH``; a number of which nothing is known in groups of digits."""
    if value is None:
        return NOT_KNOWN
    if spelling or not (value.isascii() and value.isdecimal() and len(value) <= 78):
        return spelling or value
    return group(int(value))


def result_text(call: TreeCall) -> str:
    """Return how a call ended and what it answered."""
    if call.outcome is None:
        return ""
    text = _OUTCOMES.get(call.outcome, f"✗ {call.outcome}")
    if call.reason:
        text = f"{text}: {call.reason}" if text else call.reason
    answer = call.output if call.output is not None else ", ".join(values_texts(call.answer))
    return f"{text} → {answer}".strip() if answer else text


def _storage(explanation: Explanation, most: int) -> Section:
    several = len(explanation.contracts) > 1
    lead = () if explanation.storage else ("It left all storage as it was.",)
    return Section(
        id="storage",
        title="Storage before and after",
        lead=lead,
        header=("Variable", "Before", "After", *(("Contract",) if several else ())),
        rows=tuple(
            row(
                item.location,
                with_unit(item.before, item.before_shown),
                with_unit(item.after, item.after_shown),
                *((who(explanation, item.contract),) if several else ()),
            )
            for item in explanation.storage[:most]
        ),
        note=left_out(min(most, len(explanation.storage)), len(explanation.storage), "changed values"),
    )


def _logs(explanation: Explanation, most: int) -> Section | None:
    if not explanation.logs and explanation.logs_known:
        return None
    lead = () if explanation.logs_known else ("Log entries of other contracts were not recorded.",)
    return Section(
        id="logs",
        title="Events",
        lead=lead,
        header=("Log", "Event", "Contract"),
        figures=frozenset({0}),
        rows=tuple(
            row(
                "" if item.log is None else item.log,
                f"{item.event}({', '.join(values_texts(item.fields)) if item.data is None else item.data})",
                who(explanation, item.contract),
            )
            for item in explanation.logs[:most]
        ),
        note=left_out(min(most, len(explanation.logs)), explanation.logs_total, "log entries"),
    )


def _participants(explanation: Explanation) -> Section:
    return Section(
        id="participants",
        title="Who took part",
        header=("Address", "Kind", "Here", "Before in this history", "Roles"),
        rows=tuple(
            row(
                who(explanation, item.address),
                "" if item.kind == "unknown" else item.kind,
                "; ".join(item.parts),
                before_text(item),
                ", ".join(item.roles),
            )
            for item in explanation.participants
        ),
    )


def before_text(item: Participant) -> str:
    """Return how often an address sent or called before, and since when it is known."""
    if item.transactions_before:
        since = f", first in block {item.first_block:,}" if item.first_block is not None else ""
        return f"{count_of(item.transactions_before, 'transaction')}{since}"
    return "never called or sent"


def _lives(explanation: Explanation) -> Iterator[Section]:
    for index, life in enumerate(explanation.lives):
        yield _life(explanation, life, index)


def _life(explanation: Explanation, life: LifeAround, index: int) -> Section:
    cut = []
    if life.earlier:
        cut.append(f"{count_of(life.earlier, 'event')} before are left out.")
    if life.later:
        cut.append(f"{count_of(life.later, 'event')} after are left out.")
    more = explanation.lives_total - len(explanation.lives)
    if more > 0 and index == len(explanation.lives) - 1:
        cut.append(f"It took part in {count_of(more, 'more interaction')}.")
    return Section(
        id=f"life-{index}",
        title=f"Before and after: {plain(life.interaction, 120)}",
        header=("", "Event", "Result", "Block", "When", "By", "Transaction"),
        figures=frozenset({3}),
        rows=tuple(
            row(
                "here" if step.here else "",
                step.event,
                _OUTCOMES.get(step.outcome, f"✗ {step.outcome}") if step.outcome else "",
                step.block,
                moment(step.timestamp),
                who(explanation, step.sender),
                transaction_cell(explanation.chain_id, step.transaction),
            )
            for step in life.steps
        ),
        note=" ".join(cut),
    )


def _limits(explanation: Explanation) -> Section:
    return Section(id="limits", title="What is not known", lead=explanation.notes)
