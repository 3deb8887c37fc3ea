"""What one contract's history is made of: pure values, equal on every source.

A *transaction* holds the *invocations* of the traced contracts that happened in it. An invocation is
one call frame that runs in a contract's storage context: the external call, an internal call from
another contract, the constructor. A delegatecall into a library or an implementation and a call of the
contract to itself (``this.f()``) stay inside the frame that made them; a frame that comes back through
another contract is an invocation of its own with a ``parent`` (re-entrancy).

Conventions: addresses and hashes are ``bytes`` (20 and 32), storage slots and values are ``int`` in
``0 .. 2**256 - 1``, amounts are wei, times are Unix seconds, gas is gas.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

Address = NewType("Address", bytes)
"""20 bytes."""
Hash = NewType("Hash", bytes)
"""32 bytes: of a transaction or a block."""
Word = NewType("Word", int)
"""A 256-bit word, unsigned: a storage slot or a value in it."""

WORD_LIMIT = 1 << 256
NO_ADDRESS = Address(bytes(20))
NO_HASH = Hash(bytes(32))
"""Stands for the hash of a block that a source does not tell; it is equal to no block's."""
LAST_PRECOMPILED = 0x1FF
"""The highest address that a precompiled contract may have."""
MAX_CALL_DATA = 1024
"""Bytes that are kept of the calldata of a call of another contract."""
MAX_CALL_OUTPUT = 1024
"""Bytes that are kept of the answer of another contract."""
MAX_LOG_DATA = 1024
"""Bytes that are kept of the data of another contract's log entry."""
MAX_RECORD = 4 << 20
"""Bytes, about, that the calls, codes and answers of one transaction may take, and its foreign logs as much again."""


class InvocationKind(Enum):
    """How the frame came to run."""

    EXTERNAL = "external"
    """The transaction itself calls the contract."""
    INTERNAL = "internal"
    """Another contract calls it."""
    CONSTRUCTOR = "constructor"
    """Its creation code runs, by a transaction or by a factory."""


class OutcomeKind(Enum):
    """How an invocation ended. The kinds differ in what they prove about the protocol."""

    RETURNED = "returned"
    REVERTED = "reverted"
    """``revert`` or ``require``, with a reason, with a custom error or with nothing."""
    PANIC = "panic"
    """``Panic(uint256)``: assert, overflow, division by zero, index out of bounds."""
    INVALID_OPCODE = "invalid opcode"
    """How old compilers assert; burns all gas."""
    OUT_OF_GAS = "out of gas"
    """Proves nothing about the protocol."""
    HALTED = "halted"
    """Any other exceptional halt: stack, jump, static violation, code size, depth, balance."""
    FAILED = "failed"
    """The chain says that it failed; how is not known."""
    ROLLED_BACK = "rolled back"
    """It returned, but an enclosing call reverted later, so nothing of it stayed."""


class AccessKind(Enum):
    """Read (SLOAD) or write (SSTORE)."""

    READ = "read"
    WRITE = "write"


class Tracer(Enum):
    """Who recorded a transaction, and thereby what the record can hold."""

    JAVASCRIPT = "javascript"
    STRUCT_LOGS = "structLogs"
    PRESTATE = "prestate+callTracer"
    EXECUTION = "re-execution"

    @property
    def blind_spots(self) -> str:
        """What this tracer cannot see, as a sentence; empty if nothing."""
        return _BLIND_SPOTS[self] + _BLIND_TO_ANSWERS.get(self, "")

    @property
    def earlier_blind_spots(self) -> str:
        """The sentence that databases hold which were filled before answers were recorded."""
        return _BLIND_SPOTS[self]


_BLIND_SPOTS = {
    Tracer.JAVASCRIPT: "",
    Tracer.EXECUTION: "",
    Tracer.STRUCT_LOGS: (
        "structLogs do not show what a slot held before it was overwritten without being read; "
        "such values are taken from the history where an earlier transaction shows them; nor how much ether a "
        "contract that destroys itself pays out"
    ),
    Tracer.PRESTATE: (
        "prestate and callTracer show what each transaction changed, not the order of accesses, not values "
        "in between, not which of several calls in one transaction made an access, nor the KECCAK "
        "preimages that name mapping keys, nor events that a revert undid; a slot that was written may not "
        "have been read"
    ),
}


_BLIND_TO_ANSWERS = {
    Tracer.STRUCT_LOGS: "; nor all that precompiled contracts answer",
    Tracer.PRESTATE: "; nor what code asked of its environment",
}


class Fidelity(Enum):
    """How far a transaction that was executed again did what the chain says it did."""

    EXACT = "exact"
    """It ended as on the chain and used the same gas."""
    UNCHECKED = "unchecked"
    """It ended as on the chain as far as the export says; the gas that was used there is not known."""
    GAS = "gas differs"
    """It ended as on the chain, but used other gas: it may have gone another way, with other values."""
    STATUS = "status differs"
    """It ended otherwise than on the chain, or was stopped at a limit."""
    TAINTED = "tainted"
    """It ended as on the chain, but read values that are not known."""
    UNSEEN = "unseen write"
    """It ended as on the chain, with the same gas, once a slot held another value: somebody unseen wrote it."""
    ANSWER = "assumed answer"
    """It ended as on the chain once a contract that is not at hand was assumed to answer."""
    NOT_EXECUTED = "not executed"
    """The contract's code is not at hand: only the call and its outcome are known."""

    @property
    def explained(self) -> bool:
        """Whether it went the way that it went on the chain, as far as that can be told."""
        return self not in (Fidelity.GAS, Fidelity.STATUS, Fidelity.NOT_EXECUTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageAccess:
    """One SLOAD or SSTORE in the contract's own storage."""

    position: int
    """Order among all accesses and events of the transaction, over all its invocations."""
    kind: AccessKind
    slot: Word
    before: Word | None
    """Value before; ``None`` if it is not known."""
    after: Word | None
    """Value after; for a read, the value read; ``None`` if it is not known."""
    undone: bool = False
    """A write that did not last: its frame, or one around it, reverted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One log entry emitted in the contract's context; an undone one never reached the chain."""

    position: int
    topics: tuple[bytes, ...]
    data: bytes
    undone: bool = False


class PaymentKind(Enum):
    """How ether leaves a contract."""

    CALL = "call"
    """With a call, ``send`` and ``transfer`` included."""
    CREATION = "creation"
    """Given to a contract that it creates."""
    SELFDESTRUCT = "selfdestruct"
    """All that it has, when it destroys itself; told even if that is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Ether that left the contract. What a contract sends to itself is none; a self-destruction is always told."""

    position: int
    """How many accesses and events of the transaction came before; several payments may have the same."""
    kind: PaymentKind
    to: Address
    """Zero for a creation that is undone: nothing is there."""
    value: int | None
    """Wei, more than none but for a self-destruction; ``None`` if the tracer could not see how much."""
    undone: bool = False
    """It failed, or what it belongs to reverted later: the ether stayed."""


class CallKind(Enum):
    """The opcode with which a contract calls another account, or creates one."""

    CALL = "call"
    CALLCODE = "callcode"
    DELEGATECALL = "delegatecall"
    """Of a precompiled contract: the code of others runs inside the invocation."""
    STATICCALL = "staticcall"
    CREATE = "create"
    CREATE2 = "create2"

    @property
    def creates(self) -> bool:
        """Whether it creates a contract."""
        return self in (CallKind.CREATE, CallKind.CREATE2)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCall:
    """A call of another contract, with its answer, or a creation."""

    position: int
    """How many accesses and events of the transaction came before; several calls may have the same."""
    kind: CallKind
    to: Address
    """Who is called, or what was created; zero for a creation that failed."""
    value: int
    """Wei that go with it; none with a DELEGATECALL or a STATICCALL."""
    data: bytes
    """Calldata or creation code, at most its first :data:`MAX_CALL_DATA` bytes."""
    data_size: int | None
    """Bytes of the whole calldata; ``None`` if it is not known."""
    succeeded: bool
    """Whether it returned."""
    output: bytes
    """What it returned or reverted with, at most the first :data:`MAX_CALL_OUTPUT` bytes; nothing of a creation that
    succeeded."""
    output_size: int | None
    """Bytes of the whole output; ``None`` if it is not known."""
    undone: bool = False
    """It returned, but what it belongs to reverted later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameCode:
    """Runtime code that ran in the contract's storage: its own, or that of a contract it delegated to."""

    position: int
    """How many accesses and events of the transaction came before."""
    address: Address
    """Whose code it is."""
    hash: Hash | None
    """KECCAK256 of the code; ``None`` if it is not known."""


class EnvironmentKind(Enum):
    """What code can ask of the world around it, apart from storage, calls and the block's values."""

    BALANCE = "balance"
    """Of an account, in wei."""
    SELF_BALANCE = "self balance"
    """The contract's own, in wei; asked with an opcode of its own."""
    CODE_SIZE = "code size"
    """Of an account, in bytes."""
    CODE_HASH = "code hash"
    """Of an account."""
    BLOCK_HASH = "block hash"
    """Of a block, by its number."""
    BLOB_HASH = "blob hash"
    """Of one of the transaction's blobs, by its index."""
    TRANSIENT = "transient storage"
    """The value in a slot of transient storage."""
    GAS = "gas left"
    """Gas left behind the opcode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentAnswer:
    """What code was told when it asked."""

    position: int
    """How many accesses and events of the transaction came before; several answers may have the same."""
    kind: EnvironmentKind
    subject: Word
    """What was asked for, as the opcode took it: an address, a number, a slot; 0 if it takes nothing."""
    value: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignLog:
    """A log entry of another contract in the same transaction, such as the transfer of a token; it lasted."""

    index: int
    """Position among all log entries of the transaction that lasted."""
    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    """At most the first :data:`MAX_LOG_DATA` bytes."""
    data_size: int
    """Bytes of the whole data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an invocation ended, with the bytes that it returned or reverted with."""

    kind: OutcomeKind
    data: bytes = b""

    @property
    def accepted(self) -> bool:
        """Whether its effects lasted."""
        return self.kind is OutcomeKind.RETURNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call frame in a contract's storage context."""

    contract: Address
    """The owner of the storage: for a proxy, the proxy."""
    code: Address
    """Whose code ran: the contract itself, or the implementation it delegated the whole call to."""
    position: int
    """0, 1, 2, ... among the invocations of the transaction, in order of entry."""
    parent: int | None
    """Position of the invocation of the same contract that was open when this one began."""
    depth: int
    """Depth of the call frame in the transaction; 0 is the transaction itself."""
    kind: InvocationKind
    sender: Address
    """``msg.sender``."""
    value: int
    """``msg.value`` in wei."""
    data: bytes
    """Calldata; for a constructor the creation code with its arguments behind it."""
    outcome: Outcome
    gas: int
    """Gas the frame had (for an external call: the transaction's limit)."""
    gas_used: int
    accesses: tuple[StorageAccess, ...] = ()
    events: tuple[Event, ...] = ()
    payments: tuple[Payment, ...] | None = None
    """What it paid, in order; ``None`` if that was not recorded."""
    calls: tuple[ExternalCall, ...] | None = None
    """Its calls of other contracts, precompiled ones included, and its creations, in order of entry; ``None`` if they
    were not recorded, or took more room than :data:`MAX_RECORD`."""
    codes: tuple[FrameCode, ...] | None = None
    """Runtime code that ran in it, frame by frame, in order of entry; ``None`` if that was not recorded."""
    environment: tuple[EnvironmentAnswer, ...] | None = None
    """What it asked of its environment, in order; ``None`` if that was not recorded."""

    @property
    def selector(self) -> bytes:
        """The first four bytes of the calldata; shorter if there are fewer."""
        return self.data[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block that holds transactions of a traced contract, or ends a collected range."""

    number: int
    hash: Hash
    timestamp: int | None
    """Unix seconds; ``None`` where the source has none."""
    base_fee: int | None = None
    """Wei for each gas; ``None`` if it is not known, or before there was one."""
    beneficiary: Address | None = None
    """Who gets the fees; ``None`` if that is not known."""
    gas_limit: int | None = None
    """Gas that its transactions may use together; ``None`` if it is not known."""
    randomness: Word | None = None
    """Previous randomness, or the difficulty where there was that instead; ``None`` if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """A contract that was created while a traced contract's invocation was open, and that stayed."""

    creator: Address
    """In whose context the creation ran: the traced contract, or one that it called."""
    created: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One transaction with the invocations of the traced contracts, in order of entry."""

    hash: Hash
    block: Block
    index: int
    """Position in the block."""
    sender: Address
    """``tx.origin``."""
    to: Address | None
    """``None`` for a creation."""
    value: int
    gas: int
    gas_used: int
    nonce: int
    succeeded: bool
    tracer: Tracer
    invocations: tuple[Invocation, ...]
    preimages: tuple[bytes, ...] = ()
    """What was hashed with KECCAK256 in the contract's context, in order, each once."""
    creations: tuple[Creation, ...] = ()
    """What was created inside the invocations, in order of entry; a contract's own creation is none of them."""
    fidelity: Fidelity | None = None
    """For a transaction that was executed again, how far it did what the chain says; else ``None``."""
    logs: tuple[ForeignLog, ...] | None = None
    """Log entries of other contracts that lasted, in order; ``None`` if they were not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A transaction that concerns a contract, as far as is known, and could not be recorded."""

    hash: Hash
    block: int
    reason: str
    """What went wrong, as a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRecord:
    """What is known of a contract apart from its transactions."""

    address: Address
    chain_id: int
    code: bytes = b""
    """Runtime code at the end of the collected range."""
    created_in_block: int | None = None
    implementations: tuple[tuple[Address, bytes], ...] = ()
    """Addresses the contract delegated whole calls to, with their runtime code, by address."""
    artifact: bytes | None = None
    """The ABI, with the storage layout where there is one, as canonical JSON."""
    codes: tuple[bytes, ...] = ()
    """Runtime code that ran in its storage at any time, as far as it is at hand, each once, in order of its bytes."""


__all__ = [
    "LAST_PRECOMPILED",
    "MAX_CALL_DATA",
    "MAX_CALL_OUTPUT",
    "MAX_LOG_DATA",
    "MAX_RECORD",
    "NO_ADDRESS",
    "NO_HASH",
    "WORD_LIMIT",
    "AccessKind",
    "Address",
    "Block",
    "CallKind",
    "ContractRecord",
    "Creation",
    "EnvironmentAnswer",
    "EnvironmentKind",
    "Event",
    "ExternalCall",
    "Fidelity",
    "ForeignLog",
    "FrameCode",
    "Gap",
    "Hash",
    "Invocation",
    "InvocationKind",
    "Outcome",
    "OutcomeKind",
    "Payment",
    "PaymentKind",
    "StorageAccess",
    "Tracer",
    "Transaction",
    "Word",
]
