"""One page that lists many specifications, each with its picture, and the same as JSON."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import msgspec
from markupsafe import Markup

from specminer._support.errors import plain
from specminer.presentation.brief import family_lead
from specminer.presentation.page import MAX_TEXT, asset, environment, style_hash
from specminer.presentation.sentences import address_link, short_hashes
from specminer.specification import Specification

PICTURE_BYTES: Final = 24 << 20
"""For all pictures of the page together; those that do not fit are in their folders only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewRow:
    """A contract of the page; of one that could not be mined only the first three fields and ``failure`` are known."""

    name: str
    address: str
    chain_id: int | None
    failure: str | None = None
    """Why it was not mined, as a sentence."""
    folder: str | None = None
    """The folder with its files, beside the page."""
    report: bool = False
    """Whether ``report.html`` stands there."""
    transactions: int | None = None
    calls: int | None = None
    rejected: int | None = None
    interactions: int | None = None
    states: int | None = None
    transitions: int | None = None
    contract: str | None = None
    """What the contract is called, whatever the list says."""
    alarms: int | None = None
    """Interactions, events or transactions above the alarm threshold; ``None`` if nothing was measured."""


def row_of(name: str, folder: str, specification: Specification, *, report: bool) -> OverviewRow:
    """Return what the page tells of a specification."""
    facts, surprise = specification.history, specification.surprise
    measured = [surprise.flagged]
    if surprise.transactions is not None:
        measured.append(surprise.transactions.flagged)
    counts = [count for count in measured if count is not None]
    return OverviewRow(
        name=name,
        address=specification.contracts[0],
        chain_id=specification.chain_id,
        folder=folder,
        contract=specification.name,
        report=report,
        transactions=facts.transactions,
        calls=facts.invocations,
        rejected=facts.rejected,
        interactions=specification.interactions.count,
        states=len(specification.states),
        transitions=len(specification.transitions),
        alarms=sum(counts) if counts else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFamily:
    """Contracts of the page that have one code and one factory."""

    factory: str | None
    """The address of what created them; ``None`` if transactions did, or if that is not known."""
    contracts: tuple[str, ...]
    """Their addresses, in the order of the list."""

    def text(self, rows: Sequence[OverviewRow]) -> str:
        """Return what they are, as ``13 UniswapV2Pair of factory 0x5C69…aA6f``; raw."""
        names = {row.contract for row in rows if row.address in self.contracts and row.contract}
        name = names.pop() if len(names) == 1 else "…"
        origin = "of one code" if self.factory is None else f"of factory {short_hashes(self.factory)}"
        return f"{family_lead(len(self.contracts), name)} {origin}"


def to_json(rows: Sequence[OverviewRow], families: Sequence[ListedFamily] = ()) -> bytes:
    """Return the rows, and the families that they form, as JSON."""
    document = {"format": "specminer-index", "version": 1, "contracts": list(rows)}
    if families:
        document["families"] = list(families)
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def to_page(
    rows: Sequence[OverviewRow], pictures: Sequence[bytes | None], families: Sequence[ListedFamily] = ()
) -> str:
    """Return the page; ``pictures`` are SVG, one for each row where there is one; ``families`` stand above all.

    A picture stands in an ``img`` element, where no script of it runs and its names meet no others.
    """
    style = asset("page.css") + asset("overview.css")
    room = PICTURE_BYTES
    sources: list[Markup | None] = []
    for drawn in pictures:
        fits = drawn is not None and len(drawn) <= room
        room -= len(drawn) if drawn is not None and fits else 0
        encoded = base64.b64encode(drawn).decode() if drawn is not None and fits else ""
        sources.append(Markup(f"data:image/svg+xml;base64,{encoded}") if fits else None)
    mined = [row for row in rows if row.failure is None]
    return (
        environment()
        .get_template("overview")
        .render(
            rows=[
                {
                    "row": row,
                    "link": address_link(row.chain_id, row.address) if row.chain_id is not None else None,
                    "href": None if row.folder is None else quote(row.folder),
                    "picture": source,
                    "failure": None if row.failure is None else plain(row.failure, MAX_TEXT),
                }
                for row, source in zip(rows, sources, strict=True)
            ],
            families=[
                {
                    "text": plain(item.text(rows), MAX_TEXT),
                    "members": [
                        {
                            "name": row.name,
                            "href": None if row.folder is None else f"{quote(row.folder)}/report.html",
                        }
                        if row.report
                        else {"name": row.name, "href": None}
                        for row in rows
                        if row.address in item.contracts
                    ],
                }
                for item in families
            ],
            numbers=[
                ("Contracts", f"{len(rows):,}"),
                ("Mined", f"{len(mined):,}"),
                ("Transactions", f"{sum(row.transactions or 0 for row in mined):,}"),
                ("Contracts with alarms", f"{sum(bool(row.alarms) for row in mined):,}"),
            ],
            style=Markup(style),
            style_hash=style_hash(style),
        )
    )
