"""A call frame, and what all frames of one transaction share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Protocol

from specminer.evm.forks import Fork
from specminer.evm.halts import Halt
from specminer.evm.opcodes import Op
from specminer.evm.program import CodeBlock, InstructionSet
from specminer.evm.world import Account, World

if TYPE_CHECKING:
    from specminer.evm.precompiles import Precompile
    from specminer.evm.taped_instructions import Tape

MAX_DEPTH: Final = 1024
_NO_HASHES: Final[Callable[[int], int]] = lambda number: 0  # noqa: E731


class FrameKind(IntEnum):
    """The opcode by which a frame came to be; the outermost one is a CALL or a CREATE."""

    CALL = Op.CALL
    CALLCODE = Op.CALLCODE
    DELEGATECALL = Op.DELEGATECALL
    STATICCALL = Op.STATICCALL
    CREATE = Op.CREATE
    CREATE2 = Op.CREATE2

    @property
    def creates(self) -> bool:
        """Whether the frame's code makes a contract."""
        return self in (FrameKind.CREATE, FrameKind.CREATE2)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockContext:
    """What code can ask of its block; what nothing tells is zero."""

    chain_id: int = 1
    number: int = 0
    timestamp: int = 0
    """Unix seconds."""
    coinbase: int = 0
    gas_limit: int = 30_000_000
    base_fee: int = 0
    """Wei per gas."""
    randomness: int = 0
    """PREVRANDAO; before the merge the difficulty."""
    excess_blob_gas: int = 0
    hashes: Callable[[int], int] = _NO_HASHES
    """From the number of one of the last 256 blocks to its hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What LOG0 to LOG4 wrote."""

    address: int
    topics: tuple[int, ...]
    data: bytes


class FrameObserver(Protocol):
    """Hears of a run's frames, and may bring its own instructions for those that it watches."""

    def watch(self, fork: Fork) -> InstructionSet:
        """Return what opcodes do in watched frames."""

    def watches(self, address: int) -> bool:
        """Return whether frames in an account's storage context are watched."""

    def enter(self, frame: Frame) -> None:
        """Hear of a frame that begins."""

    def leave(self, frame: Frame) -> None:
        """Hear of a frame that has ended; its ``halt`` and ``output`` say how."""


class TransactionRun:
    """What the frames of one transaction share."""

    __slots__ = (
        "blob_base_fee",
        "blob_hashes",
        "block",
        "created",
        "deleted",
        "fork",
        "gas_price",
        "instructions",
        "logs",
        "observer",
        "origin",
        "originals",
        "precompiles",
        "refund",
        "steps",
        "tape",
        "touched_accounts",
        "transient",
        "warm",
        "warm_slots",
        "watched_instructions",
        "world",
    )

    def __init__(
        self,
        world: World,
        fork: Fork,
        block: BlockContext,
        instructions: InstructionSet,
        precompiles: dict[int, Precompile],
    ) -> None:
        self.world = world
        self.fork = fork
        self.block = block
        self.instructions = instructions
        self.precompiles = precompiles
        self.observer: FrameObserver | None = None
        self.watched_instructions = instructions
        """The instructions of frames that the observer watches."""
        self.origin = 0
        self.gas_price = 0
        self.blob_hashes: tuple[int, ...] = ()
        self.blob_base_fee = 0
        self.steps = 0
        """Opcodes, and what takes as long, that may still run."""
        self.tape: Tape | None = None
        """What a frame that runs alone is answered from; see :mod:`specminer.evm.alone`."""
        self.refund = 0
        self.logs: list[Log] = []
        self.warm: set[int] = set()
        self.warm_slots: dict[int, set[int]] = {}
        self.originals: dict[int, dict[int, int]] = {}
        """Values at the transaction's start of slots written since, by account."""
        self.transient: dict[tuple[int, int], int] = {}
        self.created: set[int] = set()
        """Accounts that this transaction creates."""
        self.deleted: set[int] = set()
        """Accounts to remove at the end."""
        self.touched_accounts: set[int] = set()
        """Empty accounts to remove at the end."""


class Frame:
    """One call: its code, its stack, its memory."""

    __slots__ = (
        "account",
        "address",
        "answer",
        "block",
        "caller",
        "code",
        "code_address",
        "data",
        "depth",
        "gas",
        "halt",
        "kind",
        "limit",
        "log_mark",
        "mark",
        "memory",
        "note",
        "originals",
        "output",
        "output_offset",
        "output_size",
        "parent",
        "refund_mark",
        "run",
        "stack",
        "static",
        "storage",
        "value",
        "warm_slots",
    )

    def __init__(self, run: TransactionRun, parent: Frame | None, kind: FrameKind, account: Account) -> None:
        self.run = run
        self.parent = parent
        self.kind = kind
        self.account = account
        """Whose storage it runs on."""
        self.address = address = account.address
        self.storage = account.storage
        self.stack: list[int] = []
        self.memory = bytearray()
        self.answer = b""
        """What the last inner call returned."""
        self.output = b""
        """What it returned or reverted with."""
        self.halt: Halt | None = None
        self.block: CodeBlock = None  # type: ignore[assignment]  # set before it runs
        """What runs next."""
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.static: bool = False if parent is None else parent.static
        self.originals = run.originals.get(address)
        self.warm_slots = run.warm_slots.get(address)
        self.note: object = None
        """The observer's own."""
        self.caller = 0
        self.code = b""
        self.code_address: int | None = None
        """Whose code runs; ``None`` for a creation."""
        self.data = b""
        """Calldata; empty for a creation."""
        self.value = 0
        self.gas = self.limit = 0
        self.output_offset = self.output_size = 0
        self.mark = self.log_mark = self.refund_mark = 0
