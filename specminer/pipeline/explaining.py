"""From a history to the explanation of one of its transactions, and to the table of its actors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from specminer._support.errors import StoreError, UsageError, plain
from specminer._support.text import list_some
from specminer.contracts.artifact import Artifact
from specminer.decoding import HistoryContext
from specminer.decoding.implementation_names import artifact_by_code, codes_that_ran, fitting_versions
from specminer.explanation import (
    DECIMALS,
    SYMBOL,
    ActorTable,
    Explanation,
    HistoryKnowledge,
    KnownNames,
    TokenRegister,
    explain_transaction,
    tabulate_actors,
)
from specminer.history.contract_history import History
from specminer.history.trace import Address, Hash, Transaction
from specminer.inference.ranked_transactions import Transactions
from specminer.interaction import Interactions
from specminer.pipeline.recording import Recording
from specminer.specification import Role
from specminer.specification.unit_inference import Units

MAX_ASKED: Final = 50
"""Tokens at most that a node is asked about."""
TRACED: Final = "the traced contract"
"""What a contract is called whose name is not known."""
_PREFIX: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")

Question = Callable[[Sequence[tuple[Address, bytes]]], list[bytes | None]]
"""Asks contracts, each with its calldata, and returns what each answered, ``None`` where it did not."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Explainer:
    """Explains transactions of one history."""

    context: HistoryContext
    recording: Recording | None
    """Where its transactions can be read as values; ``None``: nowhere, so that none is explained."""
    interactions: Interactions | None = None
    ranked_transactions: Transactions | None = None
    """What speaks against each transaction; ``None`` if the history was not mined."""
    roles: tuple[Role, ...] = ()
    units: Units | None = None
    """What values measure; ``None`` if the history was not mined."""
    labels: Mapping[Address, str]
    """Names of addresses that a user gives."""
    ask: Question | None = None
    """Asks a node for what the history does not tell of tokens."""

    @cached_property
    def names(self) -> KnownNames:
        """Names of addresses, functions and events."""
        context = self.context
        artifacts: dict[Address, Artifact] = {} if self.recording is None else self.recording.artifacts()
        if context.artifact is not None:
            fitting = fitting_versions(context.artifact, codes_that_ran(context.history))
            artifacts = (
                artifact_by_code(fitting)
                | artifacts
                | dict.fromkeys(context.history.accounts, context.artifact)
            )
        title = context.known_title or TRACED
        return KnownNames(
            traced=dict.fromkeys(context.history.accounts, (title, context.interface)),
            artifacts=artifacts,
            labels=self.labels,
        )

    @cached_property
    def register(self) -> TokenRegister:
        """What is known of tokens, the node asked if there is one."""
        history = self.context.history
        register = TokenRegister.of(history)
        register.name(self.labels)
        if self.ask is not None and history.transfers is not None:
            transfers = history.transfers
            numbers, counts = np.unique(transfers.token, return_counts=True)
            frequent = numbers[np.argsort(-counts, kind="stable")].tolist()
            unknown = register.unknown(transfers.parties[number] for number in frequent)[:MAX_ASKED]
            questions = [(token, selector) for token in unknown for selector in (SYMBOL, DECIMALS)]
            for (token, selector), output in zip(questions, self.ask(questions), strict=True):
                if output is not None:
                    register.add(token, selector, output, "asked of the node now")
        return register

    def actors(self, limit: int | None = None) -> ActorTable:
        """Return who acted in the history."""
        return tabulate_actors(self.context, self.register, self.roles, self.names, limit)

    @cached_property
    def _knowledge(self) -> HistoryKnowledge:
        return HistoryKnowledge(
            context=self.context,
            names=self.names,
            register=self.register,
            actors={actor.address: actor for actor in self.actors().actors},
            interactions=self.interactions,
            ranked_transactions=self.ranked_transactions,
            units=self.units,
        )

    def explain(self, text: str) -> Explanation:
        """Return everything that is known of a transaction, by its hash or a prefix of it.

        Raises:
            UsageError: the text is no hash and no prefix of one, or several transactions begin with it.
            StoreError: the history holds no such transaction.

        """
        return self.explain_all([find_transaction(self.context.history, text)])[0]

    def explain_all(self, hashes: Iterable[Hash]) -> list[Explanation]:
        """Return the explanations of transactions of the history, in this order.

        Raises:
            StoreError: what was recorded of one is not there any more.

        """
        names = list(hashes)
        recorded = {} if self.recording is None else self.recording.transactions(names)
        return [explain_transaction(self._parts(name, recorded), self._knowledge) for name in names]

    def _parts(self, name: Hash, recorded: Mapping[Hash, tuple[Transaction, ...]]) -> tuple[Transaction, ...]:
        parts = tuple(part for part in recorded.get(name, ()) if part.invocations)
        if not parts:
            raise StoreError(
                f"what was recorded of transaction 0x{name.hex()} is not there any more; import or collect it again"
            )
        return parts


def find_transaction(history: History, prefix: str) -> Hash:
    """Return the hash of the transaction of a history that has this hash, or whose hash alone begins so.

    Raises:
        UsageError: the text is no hash and no prefix of one, or several transactions begin with it.
        StoreError: the history holds no such transaction.

    """
    text = prefix.strip()
    if not text.startswith(("0x", "0X")) and re.fullmatch(r"[0-9a-fA-F]{1,64}", text):
        text = f"0x{text}"
    text = text[:2].lower() + text[2:]
    if not _PREFIX.fullmatch(text):
        raise UsageError(
            f"'{plain(prefix, 80)}' is not the hash of a transaction; expected 0x and 64 hexadecimal digits, or the "
            "first of them as far as they are unique"
        )
    digits = text[2:].lower()
    matches = [name for name in history.transaction_hash if name.hex().startswith(digits)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        examples = list_some([f"0x{name.hex()}" for name in matches[:3]], len(matches))
        raise UsageError(f"{len(matches):,} transactions begin with {text}: {examples}; give more digits")
    raise StoreError(
        f"this history holds no transaction {text}{'' if len(digits) == 64 else '…'}; it has "
        f"{len(history.transaction_hash):,} transactions in blocks {history.first_block:,} to "
        f"{history.last_block:,} (`specminer interactions` names some of each interaction)"
    )
