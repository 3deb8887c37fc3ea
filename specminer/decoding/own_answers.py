"""What contracts call themselves: their answers to ``name()``, ``symbol()`` and ``decimals()``.

An answer that was recorded counts; else the code is run on what its storage is known to have held last. A run that
looks at a value that is not known tells nothing. Anybody may call their contract anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from specminer._support.keccak import keccak
from specminer.contracts.abi_values import decode_values
from specminer.history.contract_history import CONSTRUCTOR, MISSING, History
from specminer.history.trace import Address, ContractRecord

if TYPE_CHECKING:
    from specminer.replay.machine_calls import Basics

NAME: Final = keccak(b"name()")[:4]
SYMBOL: Final = keccak(b"symbol()")[:4]
DECIMALS: Final = keccak(b"decimals()")[:4]
MAX_NAME: Final = 60
"""Characters of a name."""
MAX_SYMBOL: Final = 32
"""Characters of a symbol."""
MOST_DECIMALS: Final = 77
"""Of a token: words have 78 digits."""
_GAS: Final = 300_000
_OPCODES: Final = 10_000
_CALLER: Final = Address(b"\xca" * 20)
_RULES: Final = "osaka"


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """What contracts say of themselves, where all that answer say the same; ``None`` where nothing is known."""

    name: str | None
    symbol: str | None
    decimals: int | None

    @property
    def title(self) -> str | None:
        """The name, with the symbol where both are known: ``Wrapped Ether (WETH)``."""
        if self.name and self.symbol and self.symbol != self.name:
            return f"{self.name} ({self.symbol})"
        return self.name or self.symbol


def own_answers(history: History) -> OwnAnswers:
    """Return what the contracts of a history call themselves."""
    names, symbols, decimals = (_common(history, item) for item in (NAME, SYMBOL, DECIMALS))
    number = int.from_bytes(decimals, "big") if decimals is not None and len(decimals) == 32 else None
    return OwnAnswers(
        name=None if names is None else read_text(names, MAX_NAME),
        symbol=None if symbols is None else read_text(symbols, MAX_SYMBOL),
        decimals=number if number is not None and number <= MOST_DECIMALS else None,
    )


def read_text(output: bytes, most: int) -> str | None:
    """Return the text that a contract answered: a string, or, as old tokens do, the characters of a word."""
    values = decode_values(["string"], output, strict=False)
    if values is not None:
        return str(values[0])[:most].strip() or None
    if len(output) == 32:
        return output.rstrip(b"\0").decode("utf-8", "replace")[:most].strip() or None
    return None


def _common(history: History, selector: bytes) -> bytes | None:
    """Return the answer that all contracts give which give one."""
    answers = {
        answer
        for contract, record in enumerate(history.contracts)
        if (
            answer := _recorded_answer(history, contract, selector)
            or _computed_answer(history, contract, record, selector)
        )
    }
    return next(iter(answers)) if len(answers) == 1 else None


def _recorded_answer(history: History, contract: int, selector: bytes) -> bytes | None:
    """Return the last answer of a contract that was recorded."""
    rows = np.flatnonzero(history.accepted & (history.invocation_contract == contract))
    for row in rows[::-1].tolist():
        output: bytes = history.invocation_output[row]
        if history.invocation_data[row] == selector and output:
            return output
    return None


def _computed_answer(
    history: History, contract: int, record: ContractRecord, selector: bytes
) -> bytes | None:
    """Return what a contract would answer with the storage that it had last."""
    codes = [record.code, *(code for _, code in record.implementations)]
    if not any(selector in code for code in codes):
        return None
    # importing the machine takes a while, and most histories never ask
    from specminer.replay.fast_machine import FastMachine
    from specminer.replay.machine_calls import Basics, Call, Surroundings

    world = _LastStorage(history, contract, record.address, Basics(balance=0))
    machine = FastMachine(world, max_steps=_OPCODES)
    machine.use(_RULES)
    for address, code in ((record.address, record.code), *record.implementations):
        machine.install(address, code)
    call = Call(sender=_CALLER, origin=_CALLER, to=record.address, value=0, data=selector, gas=_GAS)
    last = int(history.transaction_time[-1])
    around = Surroundings(
        chain_id=record.chain_id,
        number=history.last_block,
        timestamp=max(0, last),
        gas_limit=30_000_000,
    )
    done = machine.run(call, around, _RULES, (record.address,), keep=False)
    return done.output if done.succeeded and not world.unknown else None


class _LastStorage:
    """The storage of a contract at the end of a history."""

    def __init__(self, history: History, contract: int, address: Address, account: Basics) -> None:
        calls, words = history.access_invocation, history.words
        is_own = (history.invocation_contract[calls] == contract) & history.accepted[calls]
        rows = np.flatnonzero(is_own & ~history.access_undone)
        order = np.lexsort((history.access_position[rows], history.invocation_transaction[calls[rows]]))
        rows = rows[order]
        after = zip(history.access_slot[rows].tolist(), history.access_after[rows].tolist(), strict=True)
        self._values = {words[slot]: None if row == MISSING else words[row] for slot, row in after}
        own_calls = history.accepted & (history.invocation_contract == contract)
        self._is_whole = bool(np.any(own_calls & (history.invocation_kind == CONSTRUCTOR)))
        self._address, self._account = address, account
        self.unknown = False
        """Whether a value was asked for that is not known."""

    def basics(self, address: bytes) -> Basics:
        """Return the account at an address."""
        del address
        return self._account

    def storage(self, address: bytes, slot: int) -> int:
        """Return what a slot held last; 0, and a mark, where that is not known."""
        value = self._values.get(slot) if address == self._address else None
        if value is None and not (address == self._address and slot not in self._values and self._is_whole):
            self.unknown = True
        return value or 0
