"""What a replay infers where the status and the gas of a transaction leave one consistent choice, with the reason.

Such a fact is kept among the sentences that a history carries (its limits), behind a mark of its own, so that it goes
wherever the history goes: through the database, through trace files, into specifications.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from specminer.history.trace import Address, Hash

MARK: Final = "inferred: "
"""How the sentence of a fact begins among the limits of a history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InferredFact:
    """One thing that no list shows, and that nothing else but this explains."""

    contract: Address
    """The recorded contract whose history rests on it."""
    transaction: Hash
    """The transaction that shows it."""
    text: str
    """What was inferred, and why."""

    @property
    def sentence(self) -> str:
        """The fact as it is kept among the limits of a history."""
        return f"{MARK}{self.text} (transaction 0x{self.transaction.hex()})"


def separate(limits: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the limits of a history without the facts that were inferred, and these facts without their mark."""
    texts = tuple(limits)
    return (
        tuple(text for text in texts if not text.startswith(MARK)),
        tuple(text.removeprefix(MARK) for text in texts if text.startswith(MARK)),
    )
