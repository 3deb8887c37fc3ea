"""What was read of a history: the ``history`` of the document."""

from __future__ import annotations

from dataclasses import dataclass, field

from specminer.specification.absence import absent
from specminer.specification.numbers import Count, Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayFidelity:
    """How far a history can be trusted whose transactions were executed again."""

    transactions: Count
    """How many were executed again."""
    status: Share
    """The share of them that ended as on the chain."""
    gas: Share | None = None
    """The share that used exactly the gas that they used on the chain, of those where that is known; ``None`` if it is
    known of none."""
    left_out: Count | None = absent()
    """How many were not mined; only in documents of version 1, since all are mined now."""
    unexplained: Count = 0
    """Of how many only the call and its outcome are known, because they ended otherwise than on the chain."""
    marks: dict[str, Count] = field(default_factory=dict)
    """How many ended in each way: exact, unchecked, tainted and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownValues:
    """How much of the storage is not known, although the calls that used it are."""

    calls: Count
    """How many calls read or wrote a value that is not known, or went a way that is not known."""
    reads: Count
    """How many reads there are."""
    unknown_reads: Count
    """How many of them read a value that is not known."""
    unseen_writes: Count = 0
    """How often a transaction found another value than the last recorded write left: somebody unseen wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationCoverage:
    """How much of the storage is understood; shares are of all accesses."""

    resolved: Share
    """The share whose variable and keys are known; 1 if there are no accesses."""
    named: Share
    """The share whose variable has a real name."""
    sources: dict[str, Share] = field(default_factory=dict)
    """The share by what names the variable: layout, standard, getter or number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeMoment:
    """The transaction in which a life began or ended."""

    block: Count
    """The number of its block."""
    transaction: str
    """Its hash, ``0x`` and 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeSummary:
    """One life of a contract: from its creation until it destroyed itself."""

    contract: str
    """The address."""
    number: Count
    """1, 2, ... among the lives of the contract that the history shows."""
    created: LifeMoment | None
    """Where it began; ``None`` if the history does not hold that."""
    destroyed: LifeMoment | None
    """Where the contract last destroyed itself, or tried to: from Cancun on that is in vain, unless the same
    transaction created it. ``None`` if the history holds no such call."""
    ended: bool | None
    """Whether the life is over; ``None`` if that is not known."""
    calls: Count
    """How many calls it has, the constructor included."""
    code: str | None
    """KECCAK256 hash of the runtime code, ``0x`` and 64 hexadecimal digits; ``None`` if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastingValue:
    """What a variable of the contract held all the time."""

    variable: str
    """Its name."""
    value: str
    """As people write it: an address with its checksum, a number in decimal digits, a text."""
    deployment: bool
    """Whether the constructor set it; else it was there before the first call of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplementationSummary:
    """A contract whose code ran in calls of a proxy."""

    address: str
    """Where the code is."""
    first_block: Count
    """The number of the first block in which it ran."""
    last_block: Count
    """The number of the last block in which it ran."""
    calls: Count = 0
    """How many calls it answered."""
    functions: tuple[str, ...] = ()
    """The functions that it answered, at most sixty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplementationChange:
    """An upgrade: from then on other code answers a proxy's calls, or some of them."""

    contract: str
    """The proxy."""
    block: Count
    """The block of the transaction that changed it; where nothing in the proxy did, the first block in which the new
    code ran."""
    after_block: Count | None = absent()
    """Where nothing in the proxy changed it, the last block before in which the old code ran; else left out."""
    transaction: str | None = absent()
    """The transaction that changed it, ``0x`` and 64 hexadecimal digits; left out where nothing in the proxy did."""
    function: str | None = absent()
    """What was called then; left out where nothing in the proxy changed it."""
    beacon: str | None = absent()
    """The contract that the proxy asks whose code to run, if it changed there; else left out."""
    added: tuple[str, ...] = ()
    """Contracts whose code may answer calls from then on."""
    removed: tuple[str, ...] = ()
    """Contracts whose code no longer answers them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilySummary:
    """Contracts of one code that one contract created."""

    contracts: Count
    """How many of them the database holds."""
    factory: str | None
    """The address of what created them; ``None`` if transactions did, or if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSummary:
    """What the contract counts, if it says that it is a token with decimals."""

    symbol: str
    """What it calls itself, raw; empty if it has no symbol."""
    decimals: Count
    """Of its amounts: so many digits stand behind the point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySummary:
    """What was read, and what that cannot see."""

    first_block: Count | None = None
    """The number of the first block."""
    last_block: Count | None = None
    """The number of the last block."""
    transactions: Count | None = None
    """How many transactions were read."""
    invocations: Count | None = None
    """How many calls of the contracts they hold."""
    rejected: Count | None = None
    """How many of the calls were rejected."""
    source: str = ""
    """What traced the history; several tracers with commas between them."""
    fidelity: ReplayFidelity | None = None
    """How its transactions ended when they were executed again; ``None`` if none was."""
    unknown: UnknownValues | None = absent()
    """How much of the storage is not known; left out if all of it is."""
    limits: tuple[str, ...] = ()
    """What the history cannot show, in sentences."""
    inferred: tuple[str, ...] | None = absent()
    """What no list shows and was inferred, because nothing else ends as recorded: in sentences, each with its reason;
    left out if nothing was."""
    names: str = ""
    """Where the names of functions and variables come from, in sentences."""
    locations: LocationCoverage | None = absent()
    """How much of the storage is understood."""
    lasting: tuple[LastingValue, ...] | None = absent()
    """What the contract's own variables held all the time, which is no part of states; left out if there are none."""
    token: TokenSummary | None = absent()
    """What the contract counts; left out if it does not say how many decimals its amounts have."""
    implementations: tuple[ImplementationSummary, ...] | None = absent()
    """Of a proxy: the contracts to which it handed whole calls, in the order in which they ran first; else left out."""
    upgrades: tuple[ImplementationChange, ...] | None = absent()
    """Of a proxy: what changed the code that answers its calls, in chain order; left out if nothing did."""
    selection: str | None = absent()
    """How the contracts were chosen, in a sentence; left out for a single one."""
    family: FamilySummary | None = absent()
    """Of which contracts of the database the contracts are: those of the same code and the same factory; left out if
    there are no others."""
    lives: tuple[LifeSummary, ...] | None = absent()
    """The lives of the contracts, where one has several or destroyed itself; else left out."""
    life: Count | None = absent()
    """The number of the only life that was mined; left out if all were."""
