"""Other processes that ask a node in place of this one: they find transactions and read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from specminer.history.trace import Address, Hash

if TYPE_CHECKING:  # these ask a node, which has helpers
    from specminer.sources.transaction_reading import Reading, TransactionKey
    from specminer.sources.way import BlockHits, Way


class Helpers(Protocol):
    """Processes that do for a node what :func:`finder.find_each` and :class:`TransactionReader` do; from any thread."""

    def find_each(
        self, way: tuple[Way, str | None], contracts: Sequence[Address], first: int, last: int
    ) -> Iterator[tuple[int, int, dict[Address, BlockHits]]]:
        """Yield consecutive spans that cover the blocks ``first .. last``, with what was found of each contract."""

    def read(
        self, contract: Address, keys: Sequence[TransactionKey], *, patient: bool, suspected: Collection[Hash]
    ) -> Reading:
        """Read transactions of one contract and trace them; what cannot be read is a gap."""
