"""The executable specification as the oracle of the engine: one transaction in a small world, by either machine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ethereum.trace import TransactionEnd, discard_evm_trace, set_evm_trace
from ethereum_types.bytes import Bytes0, Bytes20, Bytes32
from ethereum_types.numeric import U8, U64, U256, Uint

from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext, FrameObserver
from specminer.evm.transaction_execution import EvmTransaction, execute, intrinsic_costs
from specminer.evm.world import Account, World
from specminer.replay.machine_calls import Basics, Surroundings
from specminer.replay.reference_fork import fork
from specminer.replay.reference_state import ReferenceState

HALTS: Final = {
    "Revert": "REVERT",
    "OutOfGasError": "OUT_OF_GAS",
    "InvalidOpcode": "INVALID_OPCODE",
    "StackUnderflowError": "STACK_UNDERFLOW",
    "StackOverflowError": "STACK_OVERFLOW",
    "InvalidJumpDestError": "INVALID_JUMP",
    "WriteInStaticContext": "STATIC_WRITE",
    "OutOfBoundsRead": "OUT_OF_BOUNDS",
    "InvalidContractPrefix": "INVALID_CODE",
    "InvalidParameter": "INVALID_INPUT",
    "KZGProofError": "INVALID_INPUT",
    "ExceptionalHalt": "INVALID_INPUT",
    "AddressCollision": "COLLISION",
}
"""From the specification's exceptions to the engine's halts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An account of a scenario."""

    nonce: int = 0
    balance: int = 0
    code: bytes = b""
    storage: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A world and a transaction in it."""

    fork: str
    accounts: Mapping[int, Given]
    transaction: EvmTransaction
    block: BlockContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is left of a transaction."""

    halt: str | None
    gas_used: int
    output: bytes
    logs: tuple[tuple[int, tuple[int, ...], bytes], ...]
    accounts: Mapping[int, Given]
    """Those that exist, with the slots that are not zero."""


class _Nothing:
    """A source that knows no account."""

    def basics(self, address: bytes) -> Basics | None:
        del address
        return None

    def storage(self, address: bytes, slot: int) -> int:
        del address, slot
        return 0


def world_of(scenario: Scenario) -> World:
    """Return the engine's world before the transaction."""
    world = World()
    for address, given in scenario.accounts.items():
        account = world.account(address)
        account.exists = True
        account.nonce, account.balance, account.code = given.nonce, given.balance, given.code
        account.storage.update(given.storage)
    return world


def by_engine(scenario: Scenario, observer: FrameObserver | None = None) -> Ending:
    """Run a scenario on the engine."""
    world = world_of(scenario)
    result = execute(world, FORKS[scenario.fork], scenario.block, scenario.transaction, observer=observer)
    assert not result.limited
    return Ending(
        halt=None if result.halt is None else result.halt.name,
        gas_used=result.gas_used,
        output=result.output,
        logs=tuple((log.address, log.topics, log.data) for log in result.logs),
        accounts={address: _told(account) for address, account in world.accounts.items() if account.exists},
    )


def _told(account: Account) -> Given:
    return Given(
        nonce=account.nonce,
        balance=account.balance,
        code=account.code,
        storage={slot: value for slot, value in sorted(account.storage.items()) if value},
    )


def _address(number: int) -> Bytes20:
    return Bytes20(number.to_bytes(20, "big"))


def _authorizations(rules: Any, transaction: EvmTransaction) -> tuple[Any, ...]:
    if not transaction.authorizations:
        return ()
    kind = rules._module("fork_types").Authorization
    return tuple(
        kind(
            chain_id=U256(item.chain_id),
            address=_address(item.address),
            nonce=U64(item.nonce),
            y_parity=U8(item.parity),
            r=U256(item.r),
            s=U256(item.s),
        )
        for item in transaction.authorizations
    )


def by_reference(scenario: Scenario, tracer: Any = None) -> Ending:
    """Run a scenario on the specification; ``tracer`` hears of every opcode."""
    rules, transaction = fork(scenario.fork), scenario.transaction
    state = ReferenceState(_Nothing())
    state.use(rules.account)
    for address, given in scenario.accounts.items():
        rules.set_account(
            state,
            _address(address),
            nonce=given.nonce + (address == transaction.sender),
            balance=given.balance,
            code=given.code,
        )
        for slot, value in given.storage.items():
            rules.set_storage(state, _address(address), slot, value)
    intrinsic, least = intrinsic_costs(FORKS[scenario.fork], transaction)
    if not transaction.access_list and not transaction.authorizations:
        to = None if transaction.to is None else bytes(_address(transaction.to))
        assert rules.intrinsic_gas(to, transaction.value, transaction.data, transaction.gas) == (
            intrinsic,
            least,
        )
    message = _message(rules, state, scenario, transaction.gas - intrinsic)
    outputs: list[bytes] = []

    def listen(evm: Any, event: Any) -> None:
        if isinstance(event, TransactionEnd):
            outputs.append(bytes(event.output))
        if tracer is not None:
            tracer(evm, event)

    set_evm_trace(listen)
    state.begin()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 30_000))
    try:
        output = rules.process(message)
    finally:
        set_evm_trace(discard_evm_trace)
    spent = transaction.gas - int(output.gas_left)
    used = max(spent - min(spent // rules.refund_share, int(output.refund_counter)), least)
    rules.finish(state, output)
    _, storage = state.dump()
    slots = {address: items for address, _, items in storage}
    return Ending(
        halt=None if output.error is None else HALTS[type(output.error).__name__],
        gas_used=used,
        output=outputs[0] if outputs else b"",
        logs=tuple(
            (
                int.from_bytes(log.address, "big"),
                tuple(int.from_bytes(topic, "big") for topic in log.topics),
                bytes(log.data),
            )
            for log in output.logs
        ),
        accounts={
            int.from_bytes(address, "big"): Given(
                nonce=int(item.nonce),
                balance=int(item.balance),
                code=bytes(item.code),
                storage={
                    int.from_bytes(slot, "big"): int.from_bytes(value, "big")
                    for slot, value in sorted(slots.get(bytes(address), []))
                    if any(value)
                },
            )
            for address, item in state._accounts.items()
            if item is not None
        },
    )


def _message(rules: Any, state: ReferenceState, scenario: Scenario, gas: int) -> Any:
    from specminer._support.creation_addresses import creation_address

    transaction, block = scenario.transaction, scenario.block
    sender = _address(transaction.sender)
    created = b""
    if transaction.to is None:
        nonce = scenario.accounts[transaction.sender].nonce
        created = _address(creation_address(transaction.sender, nonce))
    message = rules.message(
        state,
        Surroundings(
            chain_id=block.chain_id,
            number=block.number,
            timestamp=block.timestamp,
            gas_limit=block.gas_limit,
            base_fee=block.base_fee,
        ),
        sender=sender,
        target=None if transaction.to is None else _address(transaction.to),
        created=created,
        value=transaction.value,
        data=transaction.data,
        gas=gas,
        gas_price=transaction.gas_price,
    )
    around, inside = message.block_env, message.tx_env
    around.coinbase = _address(block.coinbase)
    around.block_hashes = [
        Bytes32(block.hashes(block.number - 256 + index).to_bytes(32, "big")) for index in range(256)
    ]
    for name, value in (
        ("difficulty", Uint(block.randomness)),
        ("prev_randao", Bytes32(block.randomness.to_bytes(32, "big"))),
        ("excess_blob_gas", U64(block.excess_blob_gas)),
    ):
        if hasattr(around, name):
            setattr(around, name, value)
    if hasattr(inside, "blob_versioned_hashes"):
        inside.blob_versioned_hashes = tuple(
            Bytes32(item.to_bytes(32, "big")) for item in transaction.blob_hashes
        )
    if hasattr(inside, "authorizations"):
        inside.authorizations = _authorizations(rules, transaction)
    rule = FORKS[scenario.fork]
    if rule.access_lists:
        message.accessed_addresses.discard(Bytes20(bytes(20)))
        if rule.warm_coinbase:
            message.accessed_addresses.add(around.coinbase)
        for address, slots in transaction.access_list:
            message.accessed_addresses.add(_address(address))
            message.accessed_storage_keys |= {
                (_address(address), Bytes32(slot.to_bytes(32, "big"))) for slot in slots
            }
    assert (message.target == Bytes0()) == (transaction.to is None)
    return message


def differences(mine: Ending, reference: Ending) -> list[str]:
    """Return in words what differs."""
    if reference.halt not in (None, "REVERT"):  # the specification leaves code that was not deposited there
        reference = replace(reference, output=b"")
    found = [
        f"{name}: {getattr(mine, name)!r} instead of {getattr(reference, name)!r}"
        for name in ("halt", "gas_used", "output", "logs")
        if getattr(mine, name) != getattr(reference, name)
    ]
    for address in sorted({*mine.accounts, *reference.accounts}):
        one, other = mine.accounts.get(address), reference.accounts.get(address)
        if one != other:
            found.append(f"account {address:#x}: {one!r} instead of {other!r}")
    return found
