"""The claims of a specification as a list, for people and for programs, with what was decided about each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import msgspec

from specminer._support.errors import plain
from specminer.specification import ClaimEdit, ClaimEdits, ListedClaim

_MAX_TEXT = 1_000


def claims_text(claims: Sequence[ListedClaim], mined_ids: Collection[str], edits: ClaimEdits) -> str:
    """Return the list for people, by what claims are about; ends in a newline.

    Args:
        claims: those of the specification, and those that are pinned.
        mined_ids: identifiers of those that the mining made.
        edits: what was decided.

    """
    lines: list[str] = []
    about = None
    for claim in sorted(claims, key=lambda item: (item.about, item.part.value)):
        if claim.about != about:
            about = claim.about
            lines.append(plain(about, 120))
        lines.append(f"  {claim.id}  {plain(claim.text, _MAX_TEXT)}{_support(claim)}")
        edit = edits.get(claim.id)
        if edit is not None:
            lines.append(f"    {'; '.join(_decision_lines(claim, edit, mined_ids))}")
    unknown = sorted(set(edits) - {claim.id for claim in claims})
    lines += [f"not claimed: {plain(name, 60)}, which the edits speak of" for name in unknown]
    return "\n".join(lines or ["the specification makes no claims"]) + "\n"


def claims_json(claims: Sequence[ListedClaim], mined_ids: Collection[str], edits: ClaimEdits) -> str:
    """Return the list as JSON; ends in a newline. The arguments are those of :func:`claims_text`."""
    document = {
        "format": "specminer/claims",
        "version": 1,
        "claims": [_entry(claim, mined_ids, edits) for claim in claims],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _entry(claim: ListedClaim, mined_ids: Collection[str], edits: ClaimEdits) -> dict[str, Any]:
    edit = edits.get(claim.id, ClaimEdit())
    return {
        "id": claim.id,
        "part": claim.part.value,
        "about": claim.about,
        "text": claim.text,
        "support": claim.support,
        "exceptions": claim.exceptions,
        "made": claim.id in mined_ids,
        "pinned": edit.pin,
        "dropped": edit.drop,
        "name": edit.name,
        "comment": edit.comment,
    }


def _support(claim: ListedClaim) -> str:
    return f"  ({claim.support - claim.exceptions:,} of {claim.support:,})"


def _decision_lines(claim: ListedClaim, edit: ClaimEdit, mined_ids: Collection[str]) -> Iterator[str]:
    """Yield what was decided about a claim."""
    if edit.pin:
        yield (
            "pinned"
            if claim.id in mined_ids
            else "pinned; this mining does not make it, the counts are earlier ones"
        )
    if edit.drop:
        yield "dropped"
    if edit.note:
        yield plain(edit.note, _MAX_TEXT)
