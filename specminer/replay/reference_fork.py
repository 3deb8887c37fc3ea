"""One fork of the specification: its modules, loaded when they are needed, and how its parts are called.

The forks of ``ethereum-execution`` are whole copies of each other that differ in their rules and, little by
little, in what their values hold. What a fork does not know (a base fee before London) is left out by name.
In each fork's interpreter the snapshots are replaced by the journal of
:mod:`specminer.replay.reference_state`, which does not walk all there is; jump targets, which depend on
nothing but the code, are looked for once; and the state is told where a contract is about to be created.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import fields
from functools import cache, cached_property, lru_cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from specminer._support.nesting import usual_recursion
from specminer.replay.machine_calls import FORKS, Surroundings
from specminer.replay.reference_state import ReferenceState

with usual_recursion():
    from ethereum.crypto.hash import Hash32
    from ethereum_types.bytes import Bytes0, Bytes20
    from ethereum_types.numeric import U64, U256, Uint

_JUMPS: Final = 256
"""Contracts whose jump targets are remembered."""
_MODEXP: Final = Bytes20((5).to_bytes(20, "big"))
_DEPTH: Final = 20_000
"""Python frames that 1,024 nested calls of the machine take, and some."""


class ReferenceFork:
    """The rules of one fork, by its name in :data:`FORKS`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._modules: dict[str, ModuleType] = {}
        interpreter = self._module("vm.interpreter")
        _prepare(interpreter)
        self.process: Callable[[Any], Any] = interpreter.process_message_call
        self.refund_share = 5 if FORKS.index(name) >= FORKS.index("london") else 2
        """At most one in so many units of gas is given back (EIP-3529)."""

    def _module(self, path: str) -> ModuleType:
        if path not in self._modules:
            with usual_recursion():
                self._modules[path] = import_module(f"ethereum.forks.{self.name}.{path}")
        return self._modules[path]

    @cached_property
    def account(self) -> Callable[..., Any]:
        """The fork's own type of account."""
        kind: Callable[..., Any] = self._module("fork_types").Account
        return kind

    @cached_property
    def _state_module(self) -> ModuleType:
        return self._module("state")

    @cached_property
    def _legacy(self) -> Callable[..., Any]:
        module = self._module("transactions")
        kind: Callable[..., Any] = getattr(module, "LegacyTransaction", None) or module.Transaction
        return kind

    def intrinsic_gas(self, to: bytes | None, value: int, data: bytes, gas: int) -> tuple[int, int]:
        """Return what a transaction costs before its first opcode, and the least that it can cost at all."""
        transaction = self._legacy(
            nonce=U256(0),
            gas_price=Uint(0),
            gas=Uint(gas),
            to=Bytes0() if to is None else Bytes20(to),
            value=U256(value),
            data=data,
            v=U256(27),
            r=U256(1),
            s=U256(1),
        )
        cost = self._module("transactions").calculate_intrinsic_cost(transaction)
        return (int(cost[0]), int(cost[1])) if isinstance(cost, tuple) else (int(cost), 0)

    def message(
        self,
        state: ReferenceState,
        around: Surroundings,
        *,
        sender: bytes,
        target: bytes | None,
        created: bytes,
        value: int,
        data: bytes,
        gas: int,
        gas_price: int,
        origin: bytes | None = None,
    ) -> Any:
        """Return a call or a creation as this fork wants it; ``gas`` is what is left for the code."""
        virtual = self._module("vm")
        zero = bytes(32)
        block = _build(
            virtual.BlockEnvironment,
            chain_id=U64(around.chain_id),
            state=state,
            block_gas_limit=Uint(around.gas_limit),
            block_hashes=[Hash32(zero)] * min(256, around.number),
            coinbase=Bytes20(around.beneficiary),
            number=Uint(around.number),
            base_fee_per_gas=Uint(around.base_fee),
            time=U256(around.timestamp),
            difficulty=Uint(around.randomness),
            prev_randao=Hash32(around.randomness.to_bytes(32, "big")),
            excess_blob_gas=U64(0),
            parent_beacon_block_root=Hash32(zero),
        )
        account = Bytes20(sender)
        transient = getattr(self._state_module, "TransientStorage", None)
        transaction = _build(
            virtual.TransactionEnvironment,
            origin=account if origin is None else Bytes20(origin),
            gas_price=Uint(gas_price),
            gas=Uint(gas),
            access_list_addresses=set(),
            access_list_storage_keys=set(),
            transient_storage=transient() if transient else None,
            blob_versioned_hashes=(),
            authorizations=(),
            index_in_block=Uint(0),
            tx_hash=None,
        )
        here = Bytes20(created if target is None else target)
        code = self._state_module.get_account(state, here).code if target is not None else data
        warm = {
            account,
            here,
            block.coinbase,
            *_precompiles(self._module("vm.precompiled_contracts.mapping")),
        }
        if self.name not in FORKS[FORKS.index("shanghai") :]:
            warm.discard(block.coinbase)
        return _build(
            virtual.Message,
            block_env=block,
            tx_env=transaction,
            caller=account,
            target=Bytes0() if target is None else here,
            current_target=here,
            gas=Uint(gas),
            value=U256(value),
            data=b"" if target is None else data,
            code_address=None if target is None else here,
            code=code,
            depth=Uint(0),
            should_transfer_value=True,
            is_static=False,
            accessed_addresses=warm,
            accessed_storage_keys=set(),
            disable_precompiles=False,
            parent_evm=None,
        )

    def finish(self, state: ReferenceState, output: Any) -> None:
        """Remove the accounts that destroyed themselves, and the empty ones where the fork does that."""
        for address in output.accounts_to_delete:
            self._state_module.destroy_account(state, address)
        touched_accounts = getattr(output, "touched_accounts", None)
        sweep = getattr(self._state_module, "destroy_touched_empty_accounts", None)
        if touched_accounts is not None and sweep is not None:
            sweep(state, touched_accounts)

    def set_account(
        self, state: ReferenceState, address: bytes, *, nonce: int, balance: int, code: bytes
    ) -> None:
        """Set an account."""
        self._state_module.set_account(
            state, Bytes20(address), self.account(nonce=Uint(nonce), balance=U256(balance), code=code)
        )

    def get_account(self, state: ReferenceState, address: bytes) -> Any:
        """Return an account: ``nonce``, ``balance``, ``code``."""
        return self._state_module.get_account(state, Bytes20(address))

    def get_storage(self, state: ReferenceState, address: bytes, slot: int) -> int:
        """Return what a slot holds."""
        return int(self._state_module.get_storage(state, Bytes20(address), slot.to_bytes(32, "big")))

    def set_storage(self, state: ReferenceState, address: bytes, slot: int, value: int) -> None:
        """Put a value into a slot."""
        self._state_module.set_storage(state, Bytes20(address), slot.to_bytes(32, "big"), U256(value))


@cache
def fork(name: str) -> ReferenceFork:
    """Return a fork, loaded once."""
    return ReferenceFork(name)


def _build(kind: Any, **values: Any) -> Any:
    """Build a value from those of ``values`` that it has fields for."""
    return kind(**{name: values[name] for name in _names(kind)})


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


@cache
def _precompiles(mapping: ModuleType) -> frozenset[Any]:
    return frozenset(mapping.PRE_COMPILED_CONTRACTS)


def _begin(state: ReferenceState, transient: Any = None) -> None:
    state.begin()
    if transient is not None:
        transient._snapshots.append({key: _copy_trie(trie) for key, trie in transient._tries.items()})


def _commit(state: ReferenceState, transient: Any = None) -> None:
    state.commit()
    if transient is not None:
        transient._snapshots.pop()


def _rollback(state: ReferenceState, transient: Any = None) -> None:
    state.rollback()
    if transient is not None:
        transient._tries = transient._snapshots.pop()


def _copy_trie(trie: Any) -> Any:
    return type(trie)(trie.secured, trie.default, dict(trie._data))


def _creating(create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def process(message: Any) -> Any:
        message.block_env.state.make_room(message.current_target)
        return create(message)

    return process


def _unaffordable(exponentiate: Callable[[Any], None], halt: type[Exception]) -> Callable[[Any], None]:
    """Let lengths that no gas pays for run out of gas; the specification adds them up first, and overflows."""

    def process(evm: Any) -> None:
        try:
            exponentiate(evm)
        except OverflowError:
            raise halt from None

    return process


def _prepare(interpreter: ModuleType) -> None:
    """Replace what walks the whole state or the whole code at each call, and what fails on hostile input."""
    patched: Any = interpreter
    precompiled = patched.PRE_COMPILED_CONTRACTS
    if _MODEXP in precompiled:
        halt = import_module(f"{patched.__package__}.exceptions").OutOfGasError
        precompiled[_MODEXP] = _unaffordable(precompiled[_MODEXP], halt)
    patched.begin_transaction = _begin
    patched.commit_transaction = _commit
    patched.rollback_transaction = _rollback
    patched.process_create_message = _creating(patched.process_create_message)
    patched.get_valid_jump_destinations = lru_cache(maxsize=_JUMPS)(patched.get_valid_jump_destinations)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEPTH))
