"""Who acted in a history: first and last call, roles, functions, what each put in and took out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np

from specminer._support.addresses import checksum_address
from specminer.decoding import HistoryContext
from specminer.explanation.known_names import KnownNames
from specminer.explanation.token_facts import TokenRegister
from specminer.history.contract_history import MISSING, TOKENS, History, TransferColumns
from specminer.history.flows import TokenStandard
from specminer.history.trace import NO_ADDRESS, Address
from specminer.history.words import word_at
from specminer.specification import Role, document_of

FORMAT: Final = "specminer/actors"
VERSION: Final = 1
MAX_TOKENS: Final = 20
"""Tokens of one actor."""
MAX_FUNCTIONS: Final = 50
"""Functions of one actor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """A transaction in which an actor took part."""

    transaction: str
    block: int
    timestamp: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBalance:
    """What an actor moved of one token, by the log entries of the recorded transactions."""

    token: str
    symbol: str | None
    decimals: int | None
    standards: tuple[str, ...]
    put_in: str
    """Amount that went from the actor to the traced contracts; of an ERC-721 how many."""
    taken_out: str
    """Amount that came to the actor from the traced contracts."""
    sent: str
    """Amount that left the actor, to whomever."""
    received: str
    flows: int
    """How many, those whose amount is not known or not stated included."""
    uncounted: int
    """Those whose amount is not known, or may be an identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An address that acted: it sent a transaction, called a traced contract, or was paid by one."""

    address: str
    kind: str
    """``account`` if it sent transactions, ``contract`` if it called without, ``traced contract``, else ``unknown``."""
    name: str | None
    first: Appearance
    last: Appearance
    transactions: int
    """That it sent."""
    calls: int
    """Of traced contracts."""
    rejected: int
    """Those of them that were rejected, or undone later."""
    functions: dict[str, int]
    """Calls by function, the most first, cut."""
    functions_total: int
    roles: tuple[str, ...]
    """Roles that hold its address, or whose reserved functions it called with success."""
    put_in: str
    """Wei that came with its calls and stayed."""
    taken_out: str | None
    """Wei that the traced contracts paid it; ``None`` if payments were not recorded of each call."""
    unseen_payments: int
    """Payments to it of which the amount is not known."""
    tokens: tuple[TokenBalance, ...]
    """The most flows first, cut."""
    tokens_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSum:
    """All that moved of one token in the recorded transactions."""

    token: str
    symbol: str | None
    decimals: int | None
    source: str | None
    """Where symbol and decimals come from."""
    standards: tuple[str, ...]
    flows: int
    transactions: int
    addresses: int
    """Different senders and recipients."""
    amount: str
    """Sum of the amounts that are known."""
    uncounted: int
    """Flows whose amount is not known, or may be an identifier."""
    put_in: str
    """Amount that went to the traced contracts."""
    taken_out: str
    """Amount that left them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorTable:
    """The actors of a history."""

    name: str
    """What the traced contract is called."""
    chain_id: int
    """The number of the chain."""
    contracts: tuple[str, ...]
    """Addresses of the traced contracts."""
    actors: tuple[Actor, ...]
    """By net ether that they took out, the most first; then by calls."""
    total: int
    """How many there are; more than are listed if the rest was cut."""
    tokens: tuple[TokenSum, ...]
    """The most flows first."""
    tokens_known: bool
    """Whether log entries of other contracts were recorded in every transaction."""
    tokens_recorded: int
    """In how many transactions they were."""
    ether_known: bool
    """Whether payments of every accepted call were recorded."""
    transactions: int
    """How many transactions were read."""

    def to_json(self) -> bytes:
        """Return the document as UTF-8 JSON, indented, ending in a newline; same value, same bytes."""
        document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        document |= document_of(self)
        return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


@dataclass(slots=True)
class _Sum:
    """What is added up for one address and token."""

    put_in: int = 0
    taken_out: int = 0
    sent: int = 0
    received: int = 0
    flows: int = 0
    uncounted: int = 0
    standards: set[str] = field(default_factory=set)

    def balance(self, token: Address, register: TokenRegister) -> TokenBalance:
        facts = register.facts(token)
        return TokenBalance(
            token=facts.address,
            symbol=facts.symbol,
            decimals=facts.decimals,
            standards=tuple(sorted(self.standards)),
            put_in=str(self.put_in),
            taken_out=str(self.taken_out),
            sent=str(self.sent),
            received=str(self.received),
            flows=self.flows,
            uncounted=self.uncounted,
        )


@dataclass(slots=True)
class _AddressRecord:
    """What is gathered of one address."""

    first: int
    last: int
    transactions: int = 0
    calls: int = 0
    rejected: int = 0
    functions: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    put_in: int = 0
    taken_out: int = 0
    unseen_payments: int = 0
    tokens: dict[Address, _Sum] = field(default_factory=lambda: defaultdict(_Sum))


def tabulate_actors(
    context: HistoryContext,
    register: TokenRegister,
    roles: Iterable[Role] = (),
    names: KnownNames | None = None,
    limit: int | None = None,
) -> ActorTable:
    """Return who acted in a history; linear in its calls, payments and token flows.

    Args:
        context: the history.
        register: what is known of tokens.
        roles: roles of the specification.
        names: names of addresses.
        limit: actors that are listed at most; ``None`` for all.

    """
    history = context.history
    traced = {record.address for record in history.contracts}
    records: dict[Address, _AddressRecord] = {}
    _add_calls(records, context)
    _add_payments(records, history)
    if history.transfers is not None:
        _add_tokens(records, history.transfers, traced)
    ether_known = not bool((history.accepted & np.equal(history.invocation_payments, MISSING)).any())
    holders = _role_holders(roles)
    ranked = sorted(
        (address for address in records if address != NO_ADDRESS),
        key=lambda item: (-(records[item].taken_out - records[item].put_in), -records[item].calls, item),
    )
    origins = {history.addresses[row] for row in np.unique(history.transaction_origin).tolist()}
    sums = _token_sums(history, register, traced)
    recorded = int(history.transfers.recorded.sum()) if history.transfers is not None else 0
    return ActorTable(
        name=context.title,
        chain_id=history.contracts[0].chain_id,
        contracts=tuple(checksum_address(address) for address in history.accounts),
        actors=tuple(
            _Maker(history, register, ether_known, holders).actor(
                address,
                records[address],
                _kind(address, traced, origins, records[address]),
                None if names is None else names.name(address),
            )
            for address in ranked[:limit]
        ),
        total=len(ranked),
        tokens=sums,
        tokens_known=recorded == len(history.transaction_hash),
        tokens_recorded=recorded,
        ether_known=ether_known,
        transactions=len(history.transaction_hash),
    )


def _kind(address: Address, traced: set[Address], origins: set[Address], record: _AddressRecord) -> str:
    if address in traced:
        return "traced contract"
    if address in origins:
        return "account"
    return "contract" if record.calls else "unknown"


def _touch(records: dict[Address, _AddressRecord], address: Address, transaction: int) -> _AddressRecord:
    record = records.get(address)
    if record is None:
        record = records[address] = _AddressRecord(first=transaction, last=transaction)
    record.first, record.last = min(record.first, transaction), max(record.last, transaction)
    return record


def _add_calls(records: dict[Address, _AddressRecord], context: HistoryContext) -> None:
    history = context.history
    for transaction, origin in enumerate(history.transaction_origin.tolist()):
        _touch(records, history.addresses[origin], transaction).transactions += 1
    accepted = history.accepted.tolist()
    for row, (transaction, sender) in enumerate(
        zip(history.invocation_transaction.tolist(), history.invocation_sender.tolist(), strict=True)
    ):
        record = _touch(records, history.addresses[sender], transaction)
        name = context.calls.name(row)
        record.calls += 1
        record.functions[name] += 1
        if accepted[row]:
            record.accepted.add(name)
            record.put_in += history.words[int(history.invocation_value[row])]
        else:
            record.rejected += 1


def _add_payments(records: dict[Address, _AddressRecord], history: History) -> None:
    for row in np.flatnonzero(~history.payment_undone).tolist():
        transaction = int(history.invocation_transaction[int(history.payment_invocation[row])])
        value = int(history.payment_value[row])
        if value != MISSING and not history.words[value]:
            continue
        record = _touch(records, history.addresses[int(history.payment_to[row])], transaction)
        if value == MISSING:
            record.unseen_payments += 1
        else:
            record.taken_out += history.words[value]


def _add_tokens(
    records: dict[Address, _AddressRecord], transfers: TransferColumns, traced: set[Address]
) -> None:
    parties, standards = transfers.parties, [item.value for item in TOKENS]
    acting = {*records, *traced}
    for row, transaction in enumerate(transfers.transaction.tolist()):
        token = parties[transfers.token[row]]
        sender, recipient = parties[transfers.sender[row]], parties[transfers.recipient[row]]
        counted = _is_counted(transfers, row)
        amount = word_at(transfers.amount, row) if counted else 0
        for party, other, leaves in ((sender, recipient, True), (recipient, sender, False)):
            if party not in acting and other not in traced and token not in traced:
                continue  # a bystander, of some other contract's token
            own = _touch(records, party, transaction).tokens[token]
            own.flows += 1
            own.uncounted += not counted
            own.standards.add(standards[transfers.standard[row]])
            own.sent += amount if leaves else 0
            own.received += 0 if leaves else amount
            if other in traced:
                own.put_in += amount if leaves else 0
                own.taken_out += 0 if leaves else amount


def _is_counted(transfers: TransferColumns, row: int) -> bool:
    """Whether the amount of a flow is known, and no identifier."""
    return bool(transfers.has_amount[row]) and TOKENS[transfers.standard[row]] is not TokenStandard.UNSTATED


def _role_holders(roles: Iterable[Role]) -> tuple[dict[str, list[str]], list[Role]]:
    """Return the roles that hold an address, by it in lower case, and those told by the functions reserved to them."""
    by_address: dict[str, list[str]] = defaultdict(list)
    reserved = []
    for role in roles:
        for address in role.addresses:
            by_address[address.lower()].append(role.name)
        if not role.addresses and role.functions:
            reserved.append(role)
    return by_address, reserved


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes actors of what was gathered."""

    history: History
    register: TokenRegister
    known: bool
    role_data: tuple[dict[str, list[str]], list[Role]]

    def actor(self, address: Address, record: _AddressRecord, kind: str, name: str | None) -> Actor:
        tokens = sorted(record.tokens.items(), key=lambda item: (-item[1].flows, item[0]))
        functions = sorted(record.functions.items(), key=lambda item: (-item[1], item[0]))
        return Actor(
            address=checksum_address(address),
            kind=kind,
            name=name,
            first=appearance(self.history, record.first),
            last=appearance(self.history, record.last),
            transactions=record.transactions,
            calls=record.calls,
            rejected=record.rejected,
            functions=dict(functions[:MAX_FUNCTIONS]),
            functions_total=len(functions),
            roles=self._roles(address, record),
            put_in=str(record.put_in),
            taken_out=str(record.taken_out) if self.known else None,
            unseen_payments=record.unseen_payments,
            tokens=tuple(item.balance(token, self.register) for token, item in tokens[:MAX_TOKENS]),
            tokens_total=len(tokens),
        )

    def _roles(self, address: Address, record: _AddressRecord) -> tuple[str, ...]:
        by_address, reserved = self.role_data
        own_roles = by_address.get(checksum_address(address).lower(), [])
        acted = [role.name for role in reserved if record.accepted.intersection(role.functions)]
        return tuple(dict.fromkeys((*own_roles, *acted)))


def appearance(history: History, transaction: int) -> Appearance:
    """Return where the transaction of a row stands in the chain."""
    time = int(history.transaction_time[transaction])
    return Appearance(
        transaction=f"0x{history.transaction_hash[transaction].hex()}",
        block=int(history.transaction_block[transaction]),
        timestamp=None if time == MISSING else time,
    )


def _token_sums(history: History, register: TokenRegister, traced: set[Address]) -> tuple[TokenSum, ...]:
    transfers = history.transfers
    if transfers is None:
        return ()
    rows: dict[int, list[int]] = defaultdict(list)
    for row, token in enumerate(transfers.token.tolist()):
        rows[token].append(row)
    sums = [
        _token_sum(transfers, transfers.parties[token], own_rows, register, traced)
        for token, own_rows in rows.items()
    ]
    return tuple(sorted(sums, key=lambda item: (-item.flows, item.token)))


def _token_sum(
    transfers: TransferColumns,
    token: Address,
    rows: Sequence[int],
    register: TokenRegister,
    traced: set[Address],
) -> TokenSum:
    facts = register.facts(token)
    counted = [(row, word_at(transfers.amount, row)) for row in rows if _is_counted(transfers, row)]
    inside = {number for number, party in enumerate(transfers.parties) if party in traced}
    return TokenSum(
        token=facts.address,
        symbol=facts.symbol,
        decimals=facts.decimals,
        source=facts.source,
        standards=tuple(sorted({TOKENS[transfers.standard[row]].value for row in rows})),
        flows=len(rows),
        transactions=len({int(transfers.transaction[row]) for row in rows}),
        addresses=len({int(side[row]) for row in rows for side in (transfers.sender, transfers.recipient)}),
        amount=str(sum(amount for _, amount in counted)),
        uncounted=len(rows) - len(counted),
        put_in=str(sum(amount for row, amount in counted if int(transfers.recipient[row]) in inside)),
        taken_out=str(sum(amount for row, amount in counted if int(transfers.sender[row]) in inside)),
    )
