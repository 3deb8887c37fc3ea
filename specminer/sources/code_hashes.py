"""Asks a node for the code that ran in a contract's storage, so that each frame says by hash what ran."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from specminer._support.errors import ChainError
from specminer._support.keccak import keccak
from specminer.history.trace import (
    Address,
    FrameCode,
    Hash,
    Invocation,
    InvocationKind,
    PaymentKind,
    Transaction,
)
from specminer.sources.chain_blocks import code_of
from specminer.sources.delegations import Delegations
from specminer.sources.node import Node

MAX_ADDRESSES: Final = 64
"""Addresses that are asked for: a hostile contract can delegate to any number of them."""


class _CodeSpan(NamedTuple):
    """An address from one creation or destruction of its contract to the next: its code stays what it is."""

    address: Address
    number: int


class CodeHashes:
    """The code at addresses; each is asked for once a life, as of the block in which it first ran."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._spans: dict[Address, int] = {}
        self._ends: dict[_CodeSpan, int] = {}
        """The block in which a span ends, of those that end in the transactions at hand."""
        self._hashes: dict[_CodeSpan, Hash | None] = {}
        self._codes: dict[Hash, bytes] = {}
        self._delegations = Delegations(node)
        self.was_asked = False
        """Whether the node was asked for the code of the transactions at hand."""

    @property
    def codes(self) -> tuple[bytes, ...]:
        """The code that was found, in order of its bytes."""
        return tuple(sorted({*self._codes.values(), *self._delegations.codes}))

    def fill(self, transactions: Sequence[Transaction]) -> tuple[Transaction, ...]:
        """Return transactions in whose frames the hashes of code are filled in, as far as the node tells.

        Whether the node had to be asked is in ``was_asked``.

        The transactions are whole blocks, in chain order. Code is taken to stay what it was when it first ran, until
        the traced contract destroys itself or is created again. Where the node has forgotten the state of that block,
        or the code was gone or another at its end, the hash stays unknown. In accounts that delegate, the code of
        others ran (:mod:`specminer.sources.delegations`).
        """
        self._ends.clear()
        spans = [list(self._code_spans(item)) for item in transactions]
        self._ask(transactions, spans)
        filled = [
            replace(
                item,
                invocations=tuple(
                    replace(call, codes=tuple(map(self._fill, call.codes, own))) if call.codes else call
                    for call, own in zip(item.invocations, of_calls, strict=True)
                ),
            )
            for item, of_calls in zip(transactions, spans, strict=True)
        ]
        resolved = self._delegations.resolve(filled, self._codes)
        self.was_asked = self.was_asked or self._delegations.was_asked
        return resolved

    def forget(self) -> None:
        """Ask for all code anew: what follows may be of another time."""
        self._hashes.clear()

    def _code_spans(self, item: Transaction) -> Iterator[list[_CodeSpan]]:
        """Yield the spans of an invocation's code, for each invocation."""
        for call in item.invocations:
            if call.kind is InvocationKind.CONSTRUCTOR and call.outcome.accepted:
                self._end(call.contract, item.block.number)
        for call in item.invocations:
            yield [_CodeSpan(code.address, self._spans.get(code.address, 0)) for code in call.codes or ()]
        for contract in {call.contract for call in item.invocations if _destroys(call)}:
            self._end(contract, item.block.number)

    def _end(self, contract: Address, block: int) -> None:
        """Begin another span of a contract's address."""
        number = self._spans.get(contract, 0)
        self._ends[_CodeSpan(contract, number)] = block
        self._spans[contract] = number + 1

    def _ask(self, transactions: Sequence[Transaction], spans: Sequence[Sequence[list[_CodeSpan]]]) -> None:
        missing: dict[_CodeSpan, int] = {}
        for item, of_calls in zip(transactions, spans, strict=True):
            for call, own in zip(item.invocations, of_calls, strict=True):
                for code, span in zip(call.codes or (), own, strict=True):
                    if code.hash is None and span not in self._hashes:
                        missing.setdefault(span, item.block.number)
        # a span that ends in the block in which it first ran has left nothing at the block's end
        requested = [(span, number) for span, number in missing.items() if self._ends.get(span) != number]
        requested = requested[: max(0, MAX_ADDRESSES - len(self._hashes))]
        self.was_asked = bool(requested)
        answers = self.node.each(
            [("eth_getCode", (f"0x{span.address.hex()}", hex(number))) for span, number in requested]
        )
        for (span, number), answer in zip(requested, answers, strict=True):
            digest = self._hash_of(span, number, answer)
            if digest is not None or answer != "0x":  # an account without code may delegate later
                self._hashes[span] = digest

    def _hash_of(self, span: _CodeSpan, number: int, answer: object) -> Hash | None:
        try:
            code = code_of(self.node, span.address, number, answer)
        except ChainError:
            return None
        if not code:
            return None
        digest = Hash(keccak(code))
        self._codes[digest] = code
        return digest

    def _fill(self, code: FrameCode, span: _CodeSpan) -> FrameCode:
        if code.hash is not None:
            return code
        return FrameCode(position=code.position, address=code.address, hash=self._hashes.get(span))


def _destroys(call: Invocation) -> bool:
    """Whether a contract destroys itself in an invocation, if the fork lets it."""
    return call.outcome.accepted and any(
        item.kind is PaymentKind.SELFDESTRUCT and not item.undone for item in call.payments or ()
    )
