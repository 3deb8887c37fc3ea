"""What a section of a report consists of: sentences and a table; the page and the Markdown render the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from specminer._support.units import amount
from specminer.presentation.sentences import address_link, transaction_link
from specminer.specification import Proof

_PROOFS: Final = {Proof.YES: "proved", Proof.NO: "refuted", Proof.UNPROVED: "not proved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPiece:
    """A text, raw, that may be a link."""

    text: str
    url: str | None = None
    code: bool = False
    """Whether it is a hash or an address, which may be broken anywhere."""
    exact: str = ""
    """What the text is exactly, to show on hover; empty if the text says so itself."""


Cell = tuple[TextPiece, ...]
"""Pieces, shown one after another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table."""

    cells: tuple[Cell, ...]
    index: int | None = None
    """Of the transition or the variant that it is about, in its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: sentences, then a table; either may be missing."""

    id: str
    title: str
    lead: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    figures: frozenset[int] = frozenset()
    """Columns of numbers."""
    rows: tuple[Row, ...] = ()
    note: str = ""
    """What of the table was left out."""
    chart: str = ""
    """SVG that shows what the table tells; the page alone has it."""


def without_empty_columns(section: Section) -> Section:
    """Return a section without the columns that no row says anything in."""
    columns = [
        column
        for column in range(len(section.header))
        if any(piece.text for item in section.rows for piece in item.cells[column])
    ]
    if len(columns) == len(section.header):
        return section
    return replace(
        section,
        header=tuple(section.header[column] for column in columns),
        figures=frozenset(columns.index(column) for column in section.figures if column in columns),
        rows=tuple(
            replace(item, cells=tuple(item.cells[column] for column in columns)) for item in section.rows
        ),
    )


def cell(text: object) -> Cell:
    """Return a cell of one text; numbers with separators."""
    cell_text = f"{text:,}" if isinstance(text, int) and not isinstance(text, bool) else str(text)
    return (TextPiece(text=cell_text),)


def row(*cells: object, index: int | None = None) -> Row:
    """Return a row; what is no cell yet becomes one."""
    return Row(cells=tuple(item if isinstance(item, tuple) else cell(item) for item in cells), index=index)


def amount_cell(wei: str) -> Cell:
    """Return an amount of ether, with the exact one on hover."""
    return (TextPiece(text=amount(wei), exact=f"{int(wei):,} wei" if wei.lstrip("-").isdecimal() else ""),)


def transaction_cell(chain_id: int, *transactions: str) -> Cell:
    """Return transactions as links, shortened."""
    return tuple(_link_transaction(text, transaction_link(chain_id, text)) for text in transactions)


def address_cell(chain_id: int, address: str) -> Cell:
    """Return an account as a link, whole."""
    return (TextPiece(text=address, url=address_link(chain_id, address), code=True),)


def _link_transaction(transaction: str, url: str | None) -> TextPiece:
    short = transaction if len(transaction) <= 20 else f"{transaction[:10]}…{transaction[-4:]}"
    return TextPiece(text=short if url else transaction, url=url, code=True)


def proof_text(proof: Proof) -> str:
    """Return what a solver said of a claim of the document."""
    return _PROOFS[proof]


def left_out(count: int, total: int, noun: str) -> str:
    """Return a sentence about what a table does not show; empty if it shows all."""
    return f"{count:,} of {total:,} {noun} are shown." if total > count else ""


def texts(values: object) -> list[str]:
    """Return what a document holds as a list, as texts."""
    return (
        [str(value) for value in values]
        if isinstance(values, Iterable) and not isinstance(values, str)
        else []
    )


def interval_text(value: object) -> str:
    """Return an interval of a share in percent, ``98.7 – 100 %``; nothing where there is none."""
    if not (isinstance(value, list | tuple) and len(value) == 2):
        return ""
    low, high = value
    if not (isinstance(low, float | int) and isinstance(high, float | int)):
        return ""
    return f"{100 * low:.3g} – {100 * high:.3g} %"
