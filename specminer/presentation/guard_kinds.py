"""What the kinds of guards mean, for whoever reads a picture, a summary or a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specminer.specification import GuardKind

GUARD_KINDS: Final[Mapping[GuardKind, str]] = {
    GuardKind.REQUIRED: "Required: the code decides upon it, and the rejected calls that broke it stopped there.",
    GuardKind.CODED: "Coded: the code decides upon it, but no recorded call tried the other way.",
    GuardKind.OBSERVED: "Observed: it held in the accepted calls, but nothing shows that the code demands it.",
    GuardKind.LEARNED: (
        "Learned: it was false in rejected calls and true in accepted ones; the code could not be followed."
    ),
}
"""A plain sentence for each kind, in the order in which they are told."""
