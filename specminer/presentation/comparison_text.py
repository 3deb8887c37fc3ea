"""What differs between two specifications: as text for a terminal, and as JSON for programs."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from specminer._support.errors import plain
from specminer._support.text import count_of
from specminer.comparison.difference import Comparison, Difference, Ground
from specminer.presentation.readable_comparison import readable_comparison

FORMAT: Final = "specminer/diff"
VERSION: Final = 1
MAX_SHOWN: Final = 50
"""Differences that the text lists; JSON holds all."""
MAX_SENTENCE: Final = 600
"""Characters of a difference's sentence that are shown."""
_TITLES: Final = {
    Ground.CODE: "The code differs",
    Ground.DATA: "The use differs by more than chance",
}


def comparison_text(compared: Comparison) -> str:
    """Return the differences in lines, those of the code first."""
    compared = readable_comparison(compared)
    differences = compared.differences
    names = _names(compared)
    lines = [
        f"{names}: {count_of(len(differences), 'difference') if differences else 'no difference beyond chance'}"
    ]
    for ground in Ground:
        own = [item for item in differences[:MAX_SHOWN] if item.ground is ground]
        if own:
            lines += ["", _TITLES[ground]]
            for item in own:
                lines.append(f"  {plain(item.sentence, MAX_SENTENCE)}")
                if item.example:
                    lines.append(f"      for example {_example(item)}")
    if len(differences) > MAX_SHOWN:
        lines.append(f"… and {len(differences) - MAX_SHOWN:,} more; --format json holds all")
    if compared.uncompared:
        lines.append("")
    lines += [
        f"not compared: {plain(reason, 200)} ({count:,})" for reason, count in compared.uncompared.items()
    ]
    return "\n".join(lines) + "\n"


def _names(compared: Comparison) -> str:
    one, two = plain(compared.before.name, 80), plain(compared.after.name, 80)
    return one if one == two else f"{one} and {two}"


def _example(item: Difference) -> str:
    return ", ".join(
        f"{plain(name, 80)} = {plain(value, 80)}" for name, value in list(item.example.items())[:8]
    )


def comparison_json(compared: Comparison) -> bytes:
    """Return a comparison as JSON with a format and a version, indented, ending in a newline."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "before": _side(compared.before.name, compared.before.contracts, compared.before.history),
        "after": _side(compared.after.name, compared.after.contracts, compared.after.history),
        "differences": list(map(_difference, compared.differences)),
        "uncompared": [{"reason": reason, "count": count} for reason, count in compared.uncompared.items()],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _side(name: str, contracts: tuple[str, ...], history: Any) -> dict[str, Any]:
    return {
        "name": name,
        "contracts": list(contracts),
        "first_block": history.first_block,
        "last_block": history.last_block,
    }


def _difference(item: Difference) -> dict[str, Any]:
    return {
        "subject": item.subject.value,
        "change": item.change.value,
        "ground": item.ground.value,
        "scope": item.scope,
        "before": item.before,
        "after": item.after,
        "sentence": item.sentence,
        "example": dict(item.example),
        "counts": None if item.counts is None else list(item.counts),
        "probability": item.probability,
    }
