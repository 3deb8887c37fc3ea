"""Who acted in a history, as a table for a terminal, as CSV, and as sections of a report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final

from specminer._support.addresses import ends_of
from specminer._support.errors import plain
from specminer._support.text import count_of, list_some
from specminer._support.units import amount, token_amount
from specminer.explanation import Actor, ActorTable, TokenBalance, TokenSum
from specminer.presentation.eventlog import harmless
from specminer.presentation.interaction_text import table
from specminer.presentation.section import (
    Cell,
    Section,
    TextPiece,
    address_cell,
    left_out,
    row,
    transaction_cell,
)

MAX_ROWS: Final = 100
"""Actors, and tokens, of a report."""
_MAX_NAMES: Final = 5
"""Functions, roles and tokens that a cell names."""
_WIDE: Final = 130
"""Cells of a line in which addresses are told whole."""
NOT_KNOWN: Final = "not known"


def token_unit(symbol: str | None, token: str) -> str:
    """Return how a token is called: by its symbol, else by its address, shortened."""
    return symbol or ends_of(token)


def token_text(number: str, item: TokenBalance | TokenSum) -> str:
    """Return an amount of a token with its unit."""
    amount_text = token_amount(int(number), item.decimals)
    return f"{amount_text} {token_unit(item.symbol, item.token)}"


def _tokens(actor: Actor, side: str) -> list[str]:
    """Return what an actor put in, or took out, of each token, without those of which that is nothing."""
    return [token_text(getattr(item, side), item) for item in actor.tokens if getattr(item, side) != "0"]


def _ether(actor: Actor) -> str:
    if actor.taken_out is None:
        return NOT_KNOWN
    more = f" and {count_of(actor.unseen_payments, 'unseen payment')}" if actor.unseen_payments else ""
    return f"{amount(actor.taken_out)}{more}"


def _functions(actor: Actor) -> str:
    texts = [f"{name} {count:,}" for name, count in list(actor.functions.items())[:_MAX_NAMES]]
    return list_some(texts, actor.functions_total)


def actors_text(actors: ActorTable, width: int) -> str:
    """Return the actors and the tokens as tables of lines of at most ``width`` cells."""
    head = ("address", "kind", "calls", "ether in", "ether out", "blocks", "roles; functions")
    rows = [
        (
            _short_name(item, width),
            item.kind,
            f"{item.calls:,}",
            amount(item.put_in),
            _ether(item),
            f"{item.first.block:,}–{item.last.block:,}",
            "; ".join(
                part
                for part in (
                    list_some([plain(role, 40) for role in item.roles[:3]], len(item.roles)),
                    plain(_functions(item), 200),
                )
                if part
            ),
        )
        for item in actors.actors
    ]
    lines = [f"{count_of(actors.total, 'actor')} of {plain(actors.name, 60)}, by net ether taken out", ""]
    lines += [table(rows, head, width, right=(2, 3, 4))] if rows else []
    if actors.total > len(actors.actors):
        lines.append(f"… and {actors.total - len(actors.actors):,} more (--limit)")
    if not actors.ether_known:
        lines.append("Payments were not recorded of every call: what was taken out is not known.")
    return "\n".join([*lines, "", *_token_lines(actors, width)]) + "\n"


def _short_name(actor: Actor, width: int) -> str:
    short = f"{actor.address[:10]}…{actor.address[-6:]}"
    if actor.name:
        return f"{plain(actor.name, 24)} {short}"
    return actor.address if width >= _WIDE else short


def _token_lines(actors: ActorTable, width: int) -> list[str]:
    lines = [tokens_lead(actors)]
    if actors.tokens:
        head = ("token", "flows", "put in", "taken out", "all", "address")
        rows = [
            (
                token_unit(item.symbol, item.token),
                f"{item.flows:,}",
                token_amount(int(item.put_in), item.decimals),
                token_amount(int(item.taken_out), item.decimals),
                f"{token_amount(int(item.amount), item.decimals)}{_uncounted_note(item)}",
                item.token,
            )
            for item in actors.tokens[:MAX_ROWS]
        ]
        lines += ["", table(rows, head, width, right=(1, 2, 3, 4))]
    return lines


def _uncounted_note(item: TokenSum | TokenBalance) -> str:
    return f" and {count_of(item.uncounted, 'unknown amount')}" if item.uncounted else ""


def tokens_lead(actors: ActorTable) -> str:
    """Return which token flows are known, as a sentence."""
    if not actors.tokens_recorded:
        return (
            "Token flows: log entries of other contracts were not recorded, so flows of their tokens are not known"
            f"{'; those of the traced contracts themselves are' if actors.tokens else ''}."
        )
    part = (
        ""
        if actors.tokens_known
        else f" in {actors.tokens_recorded:,} of {count_of(actors.transactions, 'transaction')}; of the others those "
        "of other contracts' tokens are not known"
    )
    if not actors.tokens:
        return f"Token flows: none was logged{part}."
    return f"Token flows, as tokens logged them{part}."


_COLUMNS: Final = (
    "address", "name", "kind", "first_transaction", "first_block", "last_transaction", "last_block", "transactions",
    "calls", "rejected", "roles", "functions", "ether_in", "ether_out", "unseen_payments", "token", "symbol",
    "decimals", "token_in", "token_out", "token_sent", "token_received", "token_flows", "token_uncounted",
)  # fmt: skip


def actors_csv(actors: ActorTable) -> str:
    """Return a line for each actor and token, and for each actor without one; amounts in the smallest unit.

    An empty ``ether_out`` is not known. Texts that a spreadsheet would take for formulas begin with an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for item in actors.actors:
        own = (
            item.address, harmless(item.name or ""), item.kind, item.first.transaction, item.first.block,
            item.last.transaction, item.last.block, item.transactions, item.calls, item.rejected,
            harmless("; ".join(item.roles)),
            harmless("; ".join(f"{name} {count}" for name, count in item.functions.items())),
            item.put_in, "" if item.taken_out is None else item.taken_out, item.unseen_payments,
        )  # fmt: skip
        for token in item.tokens or (None,):
            writer.writerow((*own, *_token_cells(token)))
    return text.getvalue()


def _token_cells(token: TokenBalance | None) -> Sequence[object]:
    if token is None:
        return ("",) * 9
    return (
        token.token, harmless(token.symbol or ""), "" if token.decimals is None else token.decimals, token.put_in,
        token.taken_out, token.sent, token.received, token.flows, token.uncounted,
    )  # fmt: skip


def actor_sections(actors: ActorTable) -> tuple[Section, ...]:
    """Return the actors and the tokens as sections of a report."""
    return (_actors(actors), _token_section(actors))


def _actors(actors: ActorTable) -> Section:
    first_actors = actors.actors[:MAX_ROWS]
    unknown = (
        ()
        if actors.ether_known
        else ("What was taken out is not known: payments were not recorded of each call.",)
    )
    return Section(
        id="actors",
        title="Actors",
        lead=(
            "Every address that sent a transaction, called the contract, or was paid by it: those first that took out "
            "most ether, less what they put in.",
            *unknown,
        ),
        header=(
            "Address",
            "Kind",
            "Ether in",
            "Ether out",
            "Tokens in",
            "Tokens out",
            "Calls",
            "Functions",
            "Roles",
            "First and last",
        ),
        figures=frozenset({2, 3}),
        rows=tuple(
            row(
                _name_actor(item, actors.chain_id),
                item.kind,
                "" if item.put_in == "0" else amount(item.put_in),
                "" if item.taken_out == "0" and not item.unseen_payments else _ether(item),
                list_some(_tokens(item, "put_in")[:_MAX_NAMES], len(_tokens(item, "put_in"))),
                list_some(_tokens(item, "taken_out")[:_MAX_NAMES], len(_tokens(item, "taken_out"))),
                f"{item.calls:,}{f', {item.rejected:,} rejected' if item.rejected else ''}",
                _functions(item),
                list_some(item.roles[:_MAX_NAMES], len(item.roles)),
                transaction_cell(
                    actors.chain_id, *dict.fromkeys((item.first.transaction, item.last.transaction))
                ),
            )
            for item in first_actors
        ),
        note=left_out(len(first_actors), actors.total, "actors"),
    )


def _name_actor(item: Actor, chain_id: int) -> Cell:
    link = address_cell(chain_id, item.address)
    return (TextPiece(text=item.name), *link) if item.name else link


def _token_section(actors: ActorTable) -> Section:
    first_tokens = actors.tokens[:MAX_ROWS]
    return Section(
        id="tokens",
        title="Token flows",
        lead=(
            tokens_lead(actors),
            *(
                ("Symbols and decimals are what the tokens' contracts say of themselves.",)
                if actors.tokens
                else ()
            ),
        ),
        header=(
            "Token",
            "Contract",
            "Standard",
            "Flows",
            "Transactions",
            "Addresses",
            "Put in",
            "Taken out",
            "All",
            "",
        ),
        figures=frozenset({3, 4, 5, 6, 7, 8}),
        rows=tuple(
            row(
                item.symbol or "",
                address_cell(actors.chain_id, item.token),
                ", ".join(item.standards),
                item.flows,
                item.transactions,
                item.addresses,
                token_amount(int(item.put_in), item.decimals),
                token_amount(int(item.taken_out), item.decimals),
                token_amount(int(item.amount), item.decimals),
                _note(item),
            )
            for item in first_tokens
        ),
        note=left_out(len(first_tokens), len(actors.tokens), "tokens"),
    )


def _note(item: TokenSum) -> str:
    parts = []
    if item.uncounted:
        parts.append(f"{count_of(item.uncounted, 'flow')} of unknown amount")
    if item.decimals is None and "ERC-721" not in item.standards:
        parts.append("in smallest units: decimals are not known")
    return "; ".join(parts)
