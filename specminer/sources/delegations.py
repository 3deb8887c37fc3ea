"""Accounts that delegate to other accounts' code (EIP-7702): which code ran in them, block by block.

Such an account has no code of its own but 23 bytes that name a contract, and any transaction of type 4 may name another
one. Traces show calls of the account, but not whose code answered them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from specminer._support.errors import ChainError
from specminer._support.keccak import keccak
from specminer.history.trace import Address, FrameCode, Hash, Invocation, Transaction
from specminer.sources.chain_blocks import code_of
from specminer.sources.node import Node

PREFIX: Final = bytes.fromhex("ef0100")
"""How the code of an account begins that delegates; the address of the contract follows."""
_SIZE: Final = 23
_Moment = tuple[Address, int]
"""An account and a block."""


def delegate_in(code: bytes) -> Address | None:
    """Return the contract to which an account with this code delegates; ``None`` if it does not."""
    return Address(code[3:]) if len(code) == _SIZE and code.startswith(PREFIX) else None


class Delegations:
    """Tells whose code ran in accounts that delegate; each block in which one ran is asked for."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._last: dict[Address, bytes] = {}
        """The account's code at the end of the last block that was looked at."""
        self._codes: dict[Address, bytes] = {}
        self._hashes: dict[Address, Hash] = {}
        """Of the code of contracts that have some."""
        self.was_asked = False
        """Whether the node was asked for the transactions at hand."""

    @property
    def codes(self) -> frozenset[bytes]:
        """The code of the contracts that accounts delegated to."""
        return frozenset(code for code in self._codes.values() if code)

    def resolve(
        self, transactions: Sequence[Transaction], codes: Mapping[Hash, bytes]
    ) -> tuple[Transaction, ...]:
        """Return transactions in which the code of delegates stands for that of accounts that delegate.

        Which one ran is not known in a block in which the account went from one contract to another; the account's own
        address is left there, with no hash.

        Args:
            transactions: whole blocks, in chain order, with the hashes of code as the node tells them.
            codes: code by its hash, as far as it is known.

        """
        moments = list(dict.fromkeys(_moments(transactions, codes)))
        self.was_asked = bool(moments)
        if not moments:
            return tuple(transactions)
        delegates = self._delegates(moments)
        return tuple(
            replace(
                item,
                invocations=tuple(
                    self._name(call, item.block.number, delegates) for call in item.invocations
                ),
            )
            for item in transactions
        )

    def _delegates(self, moments: Sequence[_Moment]) -> dict[_Moment, Address | None]:
        """Return the contract to which each account delegated in each block; ``None`` where two may have been."""
        ends = self._ask(moments)
        delegates: dict[_Moment, Address | None] = {}
        changed: list[_Moment] = []
        for account, number in moments:
            code = ends[account, number]
            delegates[account, number] = delegate_in(code)
            if self._last.get(account) != code:
                changed.append((account, number))
            self._last[account] = code
        begins = self._ask([(account, max(0, number - 1)) for account, number in changed])
        for account, number in changed:
            before = delegate_in(begins[account, max(0, number - 1)])
            if before is not None and before != delegates[account, number]:
                delegates[account, number] = None
        missing = sorted({item for item in delegates.values() if item is not None} - self._codes.keys())
        last = moments[-1][1]
        for (delegate, _), code in self._ask([(item, last) for item in missing]).items():
            self._codes[delegate] = code
            if code:
                self._hashes[delegate] = Hash(keccak(code))
        return delegates

    def _ask(self, moments: Sequence[_Moment]) -> dict[_Moment, bytes]:
        """Return the code of accounts at the end of blocks; nothing where the node does not tell."""
        answers = self._node.each(
            [("eth_getCode", (f"0x{account.hex()}", hex(number))) for account, number in moments]
        )
        codes: dict[_Moment, bytes] = {}
        for (account, number), answer in zip(moments, answers, strict=True):
            try:
                codes[account, number] = code_of(self._node, account, number, answer)
            except ChainError:
                codes[account, number] = b""
        return codes

    def _name(self, call: Invocation, number: int, delegates: Mapping[_Moment, Address | None]) -> Invocation:
        """Return a call with the delegate's code in place of the account's."""
        if (call.contract, number) not in delegates:
            return call
        delegate = delegates[call.contract, number]
        address = call.contract if delegate is None else delegate
        code_hash = None if delegate is None else self._hashes.get(delegate)
        return replace(
            call,
            code=delegate if delegate is not None and call.code == call.contract else call.code,
            codes=tuple(
                FrameCode(position=frame.position, address=address, hash=code_hash)
                if frame.address == call.contract
                else frame
                for frame in call.codes or ()
            ),
        )


def _moments(transactions: Sequence[Transaction], codes: Mapping[Hash, bytes]) -> Iterator[_Moment]:
    """Yield the accounts that delegate, and the blocks in which they ran."""
    for item in transactions:
        for call in item.invocations:
            own = (frame for frame in call.codes or () if frame.address == call.contract)
            frame = next(own, None)
            if frame is not None and frame.hash is not None and delegate_in(codes.get(frame.hash, b"")):
                yield call.contract, item.block.number
