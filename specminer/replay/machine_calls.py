"""The values that every machine shares: calls, their blocks, what they did, and where unknown accounts come from.

A :class:`VirtualMachine` is what executes: the engine (:mod:`~specminer.replay.fast_machine`), the executable
specification (:mod:`~specminer.replay.reference_machine`), or both (:mod:`~specminer.replay.checked_machine`).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from specminer.history.trace import NO_ADDRESS, Address, Hash
from specminer.history.tracer_steps import Enter, Exit, Step

FORKS: Final = (
    "frontier",
    "homestead",
    "tangerine_whistle",
    "spurious_dragon",
    "byzantium",
    "constantinople",
    "istanbul",
    "berlin",
    "london",
    "paris",
    "shanghai",
    "cancun",
    "prague",
    "osaka",
)
"""Every fork that changed what transactions do or cost, the oldest first."""
EXISTS: Final = 1
"""Wei of an account that is only assumed to exist."""
RICH: Final = 1 << 200
"""Wei that senders are given: more than a transaction can need, far from overflowing."""
MAX_STATE: Final = 1 << 32
"""Bytes of a saved state at most, unpacked."""
SavedAccount = tuple[bytes, int, bytes, bytes]
"""Address, nonce, balance, code."""
SavedStorage = tuple[bytes, bool, list[tuple[bytes, bytes]]]
"""Address, whether it began empty here, slots with their values."""
SavedState = tuple[list[SavedAccount], list[SavedStorage]]
"""What a machine saves, before it is packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a transaction can ask of its block. What an export does not tell is zero."""

    chain_id: int
    number: int
    timestamp: int
    gas_limit: int
    base_fee: int = 0
    beneficiary: Address = NO_ADDRESS
    randomness: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Basics:
    """What an account is, apart from its storage."""

    nonce: int = 0
    balance: int = 0
    code: bytes = b""


class AccountSource(Protocol):
    """Tells of accounts that the history did not create."""

    def basics(self, address: bytes) -> Basics | None:
        """Return an account; ``None`` if there is none."""

    def storage(self, address: bytes, slot: int) -> int:
        """Return the value in a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A transaction to run, or a call that stands for one."""

    sender: Address
    to: Address | None
    """``None`` creates a contract."""
    created: Address | None = None
    """Where the contract is created; needed without ``to``."""
    value: int
    data: bytes
    gas: int
    gas_price: int = 0
    nonce: int | None = None
    origin: Address | None = None
    """``tx.origin`` where the call comes from inside another transaction; nothing is then paid before it runs."""
    transaction: Hash | None = None
    """The transaction's hash, for messages."""


LoggedEntry = tuple[Address, tuple[bytes, ...], bytes]
"""Who logged, topics, data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutedCall:
    """What a transaction did."""

    steps: tuple[Step, ...]
    succeeded: bool
    gas_used: int
    output: bytes
    error: str | None
    """In the words that nodes use; ``None`` if it returned."""
    unrecorded_opcodes: tuple[str, ...]
    """What the recorded contracts asked for that an export does not tell: BLOCKHASH, COINBASE, ..."""
    strangers: tuple[Address, ...]
    """Accounts without code that were called as if they had some; if it failed, also those that were only asked for
    the size or hash of their code, as is done before a call."""
    own_balance: bool = False
    """A recorded contract asked how much ether it has, or paid out all of it."""
    limited: bool = False
    """It was stopped, because it had too much gas, ran too many opcodes or recorded too much; nothing of it stayed."""
    size: int = 0
    """Bytes of memory that its steps take, about."""
    logs: tuple[LoggedEntry, ...] | None = None
    """What all contracts logged and what lasted, in order; ``None`` if the machine does not tell."""


def failed_call(call: Call, error: str) -> ExecutedCall:
    """Return what is left of a transaction that never ran a single opcode."""
    kind, target = "CREATE" if call.to is None else "CALL", call.to or call.created or NO_ADDRESS
    return ExecutedCall(
        steps=(
            Enter(kind, call.sender, target, call.gas, call.value, call.data),
            Exit(call.gas, b"", error),
        ),
        succeeded=False,
        gas_used=call.gas,
        output=b"",
        error=error,
        unrecorded_opcodes=(),
        strangers=(),
    )


def stopped_call(call: Call) -> ExecutedCall:
    """Return what is left of a transaction that was stopped."""
    return replace(failed_call(call, "stopped"), steps=(), limited=True)


class MachineState(Protocol):
    """The world of a machine, with moments that can be returned to."""

    @property
    def fresh(self) -> frozenset[bytes]:
        """Accounts looked at for the first time since the outermost moment remembered."""

    @property
    def depth(self) -> int:
        """How many moments are remembered."""

    def without(self, addresses: Iterable[bytes]) -> AbstractContextManager[None]:
        """For a while, these accounts do not exist, unless they were heard of before."""

    def forget_fresh(self) -> None:
        """Look at those accounts anew when they are needed again; only after what they did was taken back."""

    def begin(self) -> None:
        """Remember this moment; moments nest."""

    def commit(self) -> None:
        """Keep what was done since the last moment remembered."""

    def reset(self, depth: int) -> None:
        """Take back everything down to ``depth`` moments."""

    def refresh(self) -> None:
        """Ask the source again for its contracts when they are needed: another block has come."""

    def adopt(self, address: bytes) -> None:
        """Keep a contract of the source from now on: the history alone changes it."""


class VirtualMachine(Protocol):
    """Runs one transaction after another on a state of its own, and records each as steps."""

    @property
    def state(self) -> MachineState:
        """Accounts and storage."""

    @property
    def tells_environment(self) -> bool:
        """Whether its steps say what code asked of its environment."""

    def use(self, name: str) -> object:
        """Take the rules of a fork from now on; by its name in ``FORKS``."""

    def run(
        self,
        call: Call,
        around: Surroundings,
        rules: str,
        contracts: Iterable[Address] = (),
        *,
        keep: bool = True,
        record: bool = True,
    ) -> ExecutedCall:
        """Run a transaction and record what it does to ``contracts``.

        Args:
            call: the transaction.
            around: the block.
            rules: the fork.
            contracts: whose storage, hashes and logs are recorded.
            keep: whether its effects stay.
            record: without it only the outcome is told, and the machine runs undisturbed.

        """

    def save(self) -> bytes:
        """Return the state, for :meth:`restore`; only between transactions."""

    def restore(self, saved: bytes) -> None:
        """Take in a state; the machine must be new.

        Raises:
            ValueError: it is none.

        """

    def storage(self, address: Address, slot: int) -> int:
        """Return what a slot holds now."""

    def put(self, address: Address, slot: int, value: int) -> None:
        """Put a value into a slot, as if it had been there."""

    def code(self, address: Address) -> bytes:
        """Return an account's code."""

    def balance(self, address: Address) -> int:
        """Return an account's balance in wei."""

    def pay(self, address: Address, amount: int) -> None:
        """Add wei to an account, or take them away, down to none."""

    def install(self, address: Address, code: bytes, *, balance: int = 0, nonce: int = 1) -> None:
        """Put a contract somewhere without running its constructor; its storage stays as it is."""
