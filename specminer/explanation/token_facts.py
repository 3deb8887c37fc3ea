"""Symbols and decimals of tokens, as far as a history recorded what tokens answered, or somebody else says.

A symbol is what the token's contract calls itself: anybody may call a token USDC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.keccak import keccak
from specminer.contracts.abi_values import decode_values
from specminer.explanation.transaction_document import TokenFacts
from specminer.history.contract_history import History
from specminer.history.trace import Address

SYMBOL: Final = keccak(b"symbol()")[:4]
DECIMALS: Final = keccak(b"decimals()")[:4]
MAX_SYMBOL: Final = 32
"""Characters of a symbol."""
_RECORDED: Final = "its recorded answer"


def read_symbol(output: bytes) -> str | None:
    """Return the symbol that a contract answered: a text, or, as old tokens do, the characters of a word."""
    values = decode_values(["string"], output, strict=False)
    if values is not None:
        return str(values[0])[:MAX_SYMBOL] or None
    if len(output) == 32:
        return output.rstrip(b"\0").decode("utf-8", "replace")[:MAX_SYMBOL] or None
    return None


def read_decimals(output: bytes) -> int | None:
    """Return the decimals that a contract answered; ``None`` if that is no such number."""
    number = int.from_bytes(output, "big") if len(output) == 32 else 256
    return number if number < 256 else None


class TokenRegister:
    """What is known of tokens, by address; the first that tells a symbol or decimals counts."""

    def __init__(self) -> None:
        self._symbols: dict[Address, tuple[str, str]] = {}
        self._decimals: dict[Address, tuple[int, str]] = {}

    @classmethod
    def of(cls, history: History) -> TokenRegister:
        """Return what a history recorded: answers to the traced contracts, and those of traced tokens themselves."""
        register = cls()
        answers = history.answers
        for selector in (SYMBOL, DECIMALS):
            number = int.from_bytes(selector, "big")
            if answers is not None:
                rows = np.flatnonzero(np.equal(answers.call_selector, number) & answers.call_succeeded)
                pairs = np.stack([answers.call_to[rows], answers.call_output[rows]], axis=1)
                for to, output in np.unique(pairs, axis=0).tolist() if len(pairs) else []:
                    register.add(history.addresses[to], selector, answers.outputs[output], _RECORDED)
            for row in np.flatnonzero(history.accepted).tolist():
                if history.invocation_data[row] == selector:
                    contract = history.contracts[int(history.invocation_contract[row])].address
                    register.add(contract, selector, history.invocation_output[row], _RECORDED)
        return register

    def add(self, token: Address, selector: bytes, output: bytes, source: str) -> None:
        """Take what a token answered when it was asked for its symbol or its decimals; nonsense is left out."""
        if selector == SYMBOL and token not in self._symbols:
            symbol = read_symbol(output)
            if symbol is not None:
                self._symbols[token] = (symbol, source)
        elif selector == DECIMALS and token not in self._decimals:
            decimals = read_decimals(output)
            if decimals is not None:
                self._decimals[token] = (decimals, source)

    def name(self, labels: Mapping[Address, str]) -> None:
        """Take names that a user gives as symbols, in place of those recorded."""
        self._symbols |= {address: (text[:MAX_SYMBOL], "a label") for address, text in labels.items()}

    def symbol(self, token: Address) -> str | None:
        """Return the symbol of a token, ``None`` if it is not known."""
        return self._symbols[token][0] if token in self._symbols else None

    def unknown(self, tokens: Iterable[Address]) -> list[Address]:
        """Return those of some tokens of which symbol or decimals are not known, each once."""
        return [
            item for item in dict.fromkeys(tokens) if item not in self._symbols or item not in self._decimals
        ]

    def facts(self, token: Address) -> TokenFacts:
        """Return what is known of a token."""
        symbol, decimals = self._symbols.get(token), self._decimals.get(token)
        fact = symbol or decimals
        return TokenFacts(
            address=checksum_address(token),
            symbol=symbol[0] if symbol else None,
            decimals=decimals[0] if decimals else None,
            source=fact[1] if fact else None,
        )
