"""A call that was not sent yet, executed on what is known of the contract's state as if it were the next one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eth_abi.exceptions import EncodingError

from specminer._support.errors import UsageError, plain
from specminer._support.text import count_of, list_some, suggest
from specminer.contracts.interface import Interface
from specminer.decoding import HistoryContext, decode
from specminer.history.continuity import last_values
from specminer.history.contract_history import History
from specminer.history.trace import (
    NO_ADDRESS,
    Address,
    Block,
    ContractRecord,
    Fidelity,
    Hash,
    Invocation,
    OutcomeKind,
    Tracer,
    Transaction,
    Word,
)
from specminer.history.tracer_steps import record_steps
from specminer.pipeline.inputs import parse_address
from specminer.pipeline.selecting import Selection
from specminer.pipeline.source import HistorySource
from specminer.replay.fast_machine import FastMachine
from specminer.replay.foreign_contracts import NodeSource
from specminer.replay.fork_schedule import rules_of_chain
from specminer.replay.limits import MAX_GAS
from specminer.replay.machine_calls import EXISTS, FORKS, RICH, AccountSource, Basics, Call, Surroundings
from specminer.sources.chain_blocks import head_block
from specminer.store import TraceStore

GAS: Final = min(MAX_GAS, 30_000_000)
PROPOSED: Final = Hash(b"\xff" * 32)
"""Stands for the hash of a transaction that is not sent yet."""
BLOCK_SECONDS: Final = 12
_FORM: Final = re.compile(r"\s*([A-Za-z_$][\w$]*)\s*\((.*)\)\s*", re.DOTALL)
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedCall:
    """A call to the contract."""

    text: str
    """Calldata as ``0x…``, or ``function(argument, …)``."""
    sender: str
    """Who would send it."""
    value: int = 0
    """Wei."""
    timestamp: int | None = None
    """Unix seconds; ``None`` for twelve seconds after the last known transaction."""


class _KnownState:
    """What the history says of the contract's storage, and a node of the rest if there is one."""

    def __init__(
        self, record: ContractRecord, storage: Mapping[int, int], node: AccountSource | None, *, whole: bool
    ) -> None:
        """Take over what is known; ``whole``: what no call of the history wrote is zero."""
        self._codes = {record.address: record.code, **dict(record.implementations)}
        self._contract = record.address
        self._storage = storage
        self._node = node
        self._is_whole = whole
        self.unknown: set[int] = set()
        """Slots that were read, and of which nothing is known."""

    def basics(self, address: bytes) -> Basics | None:
        if self._node is not None:
            return self._node.basics(address)
        code = self._codes.get(Address(address), b"")
        return Basics(balance=RICH if code else EXISTS, code=code)

    def storage(self, address: bytes, slot: int) -> int:
        if self._node is not None:
            return self._node.storage(address, slot)
        if address != self._contract or slot in self._storage:
            return self._storage.get(slot, 0) if address == self._contract else 0
        if not self._is_whole:
            self.unknown.add(slot)
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A history with the proposed call behind it."""

    history: History
    outcome: str
    """How the call would end, as a sentence."""
    notes: tuple[str, ...]
    """What the execution had to assume, as sentences."""


def propose(selection: Selection, call: ProposedCall, source: HistorySource | None = None) -> Proposal:
    """Execute a call behind a history, and return the history with it.

    Args:
        selection: the history of one contract, up to now.
        call: the call.
        source: a node that tells the state of all accounts as they are now; ``None`` for what the history shows.

    Raises:
        UsageError: the history is of several contracts, or has no code; the call is malformed.
        ChainError: the node failed.

    """
    context = decode(selection.history, selection.artifact)
    if source is None:
        return _propose(selection, context, call, None)
    with source.open(selection.history.contracts[0].chain_id) as opened:
        if opened.node is None:
            return _propose(selection, context, call, None)
        state = NodeSource(opened.node, lambda _: None)
        state.block = head_block(opened.node, "latest").number + 1
        return _propose(selection, context, call, state)


def _propose(
    selection: Selection, context: HistoryContext, call: ProposedCall, node: AccountSource | None
) -> Proposal:
    history, interface = selection.history, context.interface
    if len(history.contracts) != 1:
        raise UsageError("--call is for one contract; the specification was mined from several")
    record = history.contracts[0]
    if not record.code:
        raise UsageError("--call executes the contract's code, but the history does not hold it")
    data, sender = calldata(call.text, interface), parse_address(call.sender)
    state = _KnownState(record, last_values(history), node, whole=context.has_creations)
    machine = FastMachine(state)
    number = int(history.transaction_block.max(initial=0)) + 1
    last = int(history.transaction_time.max(initial=0))
    time = last + BLOCK_SECONDS if call.timestamp is None else call.timestamp
    rules = rules_of_chain(record.chain_id)
    execution = machine.run(
        Call(sender=sender, to=record.address, value=call.value, data=data, gas=GAS),
        Surroundings(chain_id=record.chain_id, number=number, timestamp=time, gas_limit=GAS),
        FORKS[-1] if rules is None else rules(number, time),
        (record.address,),
        keep=False,
    )
    part = record_steps(execution.steps, [record.address], environment=True)
    proposed = Transaction(
        hash=PROPOSED,
        block=Block(
            number=number,
            hash=PROPOSED,
            timestamp=time,
            base_fee=0,
            beneficiary=NO_ADDRESS,
            gas_limit=GAS,
            randomness=Word(0),
        ),
        index=0,
        sender=sender,
        to=record.address,
        value=call.value,
        gas=GAS,
        gas_used=execution.gas_used,
        nonce=0,
        succeeded=execution.succeeded,
        tracer=Tracer.EXECUTION,
        invocations=part.invocations,
        preimages=part.preimages,
        fidelity=Fidelity.UNCHECKED,
        logs=None,
    )
    return Proposal(
        history=_with(selection, proposed),
        outcome=_outcome(part.invocations, interface),
        notes=tuple(_notes(state, execution.strangers, node is not None)),
    )


def _outcome(invocations: Sequence[Invocation], interface: Interface) -> str:
    """Return how the first call of a transaction ended, as a sentence without full stop."""
    outcome = invocations[0].outcome if invocations else None
    if outcome is None:
        return "the call would not reach the contract"
    if outcome.kind is OutcomeKind.RETURNED:
        return "the call would be accepted"
    reason = interface.reason(outcome) if outcome.data or outcome.kind is not OutcomeKind.REVERTED else ""
    return (
        f"the call would be rejected with '{plain(reason, 120)}'"
        if reason
        else "the call would be rejected without a reason"
    )


def calldata(text: str, interface: Interface) -> bytes:
    """Return the calldata of a call that is written as hexadecimal digits or as a function with arguments.

    Raises:
        UsageError: it is neither, there is no such function, or an argument does not fit its type.

    """
    if text.strip().startswith("0x"):
        if not _HEX.fullmatch(text.strip()):
            raise UsageError(
                f"--call: '{plain(text, 80)}' is no calldata; expected 0x and an even number of digits"
            )
        return bytes.fromhex(text.strip()[2:])
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(f"--call: expected 0x… or function(argument, …), got '{plain(text, 80)}'")
    name, arguments = match[1], _arguments(match[2])
    fitting = [
        (selector, item)
        for selector, item in interface.functions.items()
        if item.signature.partition("(")[0] == name and len(item.types) == len(arguments)
    ]
    if len(fitting) != 1:
        raise UsageError(_no_function(name, len(arguments), interface, several=bool(fitting)))
    selector, item = fitting[0]
    from web3 import Web3  # takes half a second to load
    from web3.exceptions import Web3Exception

    try:
        values = [_value(kind, argument) for kind, argument in zip(item.types, arguments, strict=True)]
        return bytes(selector) + Web3().codec.encode(item.types, values)
    except (Web3Exception, EncodingError, ValueError, OverflowError, TypeError):
        raise UsageError(
            f"--call: the arguments do not fit {plain(item.signature, 120)}; give numbers, addresses as 0x…, true or "
            "false, texts as they are; for others give the calldata as 0x…"
        ) from None


def _no_function(name: str, arguments: int, interface: Interface, *, several: bool) -> str:
    """Return why a call's function is not known: of the ABI's functions several fit, or none does."""
    description = f"'{plain(name, 60)}' with {count_of(arguments, 'argument')}"
    if several:
        return f"--call: the ABI has several functions {description}; give the calldata as 0x…"
    signatures = {item.signature for item in interface.functions.values()}
    same = sorted(item for item in signatures if item.partition("(")[0] == name)
    hint = (
        f"there is {list_some([plain(item, 120) for item in same[:3]], len(same))}"
        if same
        else suggest(
            name, sorted({item.partition("(")[0] for item in signatures}), "give the calldata as 0x…"
        )
    )
    return f"--call: the ABI has no function {description}; {hint}"


def _arguments(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _value(kind: str, text: str) -> object:
    if kind.startswith(("uint", "int")) and "[" not in kind:
        return int(text, 0)
    if kind == "bool":
        return (
            {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else int(text)
        )
    if kind == "address":
        return parse_address(text)
    if kind.startswith("bytes") and "[" not in kind:
        return bytes.fromhex(text.removeprefix("0x"))
    if kind == "string":
        return text.strip("\"'")
    raise ValueError(kind)


def _with(selection: Selection, proposed: Transaction) -> History:
    """Return a history with one more transaction, through a database in memory."""
    history, recording = selection.history, selection.recording
    if recording is None:
        raise UsageError("--call needs a history that was read from a database or a file")
    record = history.contracts[0]
    parts = recording.transactions({Hash(item) for item in history.transaction_hash})
    transactions: Sequence[Transaction] = [
        item for name in history.transaction_hash for item in parts[Hash(name)]
    ]
    blocks = transactions[0].block.number if transactions else proposed.block.number, proposed.block.number
    with TraceStore("sqlite://") as store:
        store.add_history(record, [*transactions, proposed], complete=blocks)
        return store.history(record.chain_id, [record.address])


def _notes(state: _KnownState, strangers: Sequence[Address], has_node: bool) -> list[str]:
    notes = []
    if state.unknown:
        notes.append(
            f"{count_of(len(state.unknown), 'slot')} of the contract could not be told from the history, and "
            "counts as zero; --rpc tells what is there"
        )
    if strangers and not has_node:
        examples = ", ".join(f"0x{item.hex()}" for item in strangers[:3])
        notes.append(
            f"contracts that the call asks are not known ({examples}), and taken to answer nothing; --rpc tells them"
        )
    return notes
