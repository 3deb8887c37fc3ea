"""What the scenarios of the datasets share: acts planned in time, and what each call is meant for.

A scenario simulates people against a model of its contract, a few lines of Python, so that every transaction
has an expected outcome, to the reason of a rejection; the chain must agree. It also knows which entity each
invocation is for: that is the *intended split*, written down before any analysis sees the history. One
seed gives one chain, equal to the last block hash.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

from eth_utils.address import to_checksum_address

if TYPE_CHECKING:
    from tests.support.anvil import Anvil, Call, Deployed

HOUR: Final = 3600
DAY: Final = 24 * HOUR
FINNEY: Final = 10**15
"""Wei."""
GAS: Final = 300_000
OUT_OF_GAS: Final = "out of gas"
"""The reason of a call that was given too little gas."""
NO_REASON: Final = "(no reason)"
"""The reason of a rejection without data: ``require(condition)``."""
ROLLED_BACK: Final = "(rolled back)"
"""The outcome of a call that was accepted, but undone with the call around it."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What one invocation of the recorded contract is meant for, and how it must end."""

    entities: tuple[str, ...] = ()
    """The entities it belongs to, by name (``escrowId=7``); none: administration and the like."""
    refused: str | None = None
    """The reason of its rejection; ``None``: it is accepted."""
    reading: bool = False
    """A call of a read-only function, which is no event."""


def all_or_none(meant: Sequence[Meant]) -> tuple[list[Meant], bool]:
    """Return how calls of one transaction end that stops at the first refusal, and whether it succeeds.

    What came before the refusal is rolled back; what would have come after it is never called.
    """
    stop = next((place for place, each in enumerate(meant) if each.refused), None)
    if stop is None:
        return list(meant), True
    return [*(replace(each, refused=ROLLED_BACK) for each in meant[:stop]), meant[stop]], False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One transaction: the call, whether it must succeed, and what its invocations are meant for, in order."""

    call: Call
    succeeds: bool
    meant: tuple[Meant, ...]
    mark: str | None = None
    """The hash is told under this name."""


@dataclass(slots=True)
class Lived:
    """What became of a scenario."""

    addresses: list[str]
    """The recorded contracts, in the order of their trace files."""
    facts: dict[str, Any] = field(default_factory=dict)
    """Numbers worth printing."""
    meant: dict[str, tuple[Meant, ...]] = field(default_factory=dict)
    """By hash of the transaction (``0x...``)."""
    marked: dict[str, list[str]] = field(default_factory=dict)
    """Hashes of transactions to be named in ``about.toml``, such as a planted attack."""


class Life:
    """A queue of acts in time, each of which sends transactions and may plan others.

    Args:
        seed: of all chance.
        start: Unix seconds of the beginning.
        slot: seconds of which everything falls into one block.
    """

    def __init__(self, *, seed: int, start: int, slot: int = 2 * HOUR) -> None:
        self.random = Random(seed)
        self.slot = slot
        self.now = start
        self.acts: list[Act] = []
        self._queue: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()

    # -- time and chance ------------------------------------------------------------------------

    def at(self, time: float, act: Callable[[], object]) -> None:
        """Plan an act for a time (seconds), or for the next slot if that is past."""
        slot = max(int(time) // self.slot, self.now // self.slot + 1)
        heapq.heappush(self._queue, (slot, next(self._order), act))

    def later(self, low: float, high: float, act: Callable[[], object]) -> None:
        """Plan an act some hours from now."""
        self.at(self.now + self.random.uniform(low, high) * HOUR, act)

    def chance(self, share: float) -> bool:
        """Tell whether something happens that does so in this share of cases."""
        return self.random.random() < share

    def pick(self, among: Sequence[_T], *but: _T) -> _T:
        """Return one at random, other than those named."""
        return self.random.choice([each for each in among if each not in but])

    def outsider(self) -> str:
        """Return the address of somebody new, who never sends anything."""
        return to_checksum_address(f"0x{self.random.getrandbits(159) | 1 << 159:040x}")

    # -- transactions ---------------------------------------------------------------------------

    def send(
        self,
        target: Deployed,
        sender: str,
        function: str,
        *args: Any,
        to: Iterable[str] = (),
        refused: str | None = None,
        value: int = 0,
        gas: int = GAS,
    ) -> bool:
        """Call the recorded contract itself, for the entities ``to``; return whether it is accepted."""
        call = target.call(sender, function, *args, value=value, gas=gas, label=function)
        self.act(call, Meant(entities=tuple(to), refused=refused), succeeds=refused is None)
        return refused is None

    def act(self, call: Call, *meant: Meant, succeeds: bool) -> None:
        """Send any transaction with the invocations of the recorded contract that it leads to."""
        self.acts.append(Act(call=call, succeeds=succeeds, meant=meant))

    def mark(self, name: str) -> None:
        """Mark the transaction sent last: its hash is told under this name."""
        self.acts[-1] = replace(self.acts[-1], mark=name)

    # -- living ---------------------------------------------------------------------------------

    def blocks(self) -> Iterable[tuple[int, list[Act]]]:
        """Live until nothing is planned; yield each block's time and its transactions."""
        while self._queue:
            slot = self._queue[0][0]
            self.now = slot * self.slot + 12 * self.random.randrange(self.slot // 12)
            self.acts = []
            while self._queue and self._queue[0][0] == slot:
                heapq.heappop(self._queue)[2]()
            if self.acts:
                yield self.now, self.acts

    def live(self, anvil: Anvil, *addresses: str) -> Lived:
        """Live on a chain; return what each transaction was meant for.

        Raises:
            RuntimeError: the chain did not do what the model of the contract expects.
        """
        lived = Lived(list(addresses))
        count = 0
        for moment, acts in self.blocks():
            receipts = anvil.block([act.call for act in acts], timestamp=moment)
            for act, receipt in zip(acts, receipts, strict=True):
                if (receipt["status"] == "0x1") is not act.succeeds:
                    expected = "accepted" if act.succeeds else f"refused: {act.meant}"
                    raise RuntimeError(f"{act.call.label} at {moment} should have been {expected}")
                lived.meant[receipt["transactionHash"]] = act.meant
                if act.mark is not None:
                    lived.marked.setdefault(act.mark, []).append(receipt["transactionHash"])
                count += 1
        lived.facts = {"sent": count}
        return lived
