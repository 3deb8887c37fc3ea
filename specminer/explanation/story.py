"""One transaction with all that is known of it, put together; and what happened in it, in a few sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from specminer._support.addresses import checksum_address
from specminer._support.text import count_of, list_some
from specminer._support.units import amount, token_amount
from specminer.decoding import HistoryContext
from specminer.explanation.actor_table import Actor
from specminer.explanation.call_tree import CallTree
from specminer.explanation.gains import ETHER, MAX_MOVEMENTS, gains, merged_flows, movements
from specminer.explanation.known_names import KnownNames, cut_hex, shown_address
from specminer.explanation.measured_values import measured_call, measured_change
from specminer.explanation.neighbours import lives_around
from specminer.explanation.participants import participants
from specminer.explanation.storage_changes import storage_changes
from specminer.explanation.token_facts import TokenRegister
from specminer.explanation.transaction_document import (
    EmittedLog,
    Explanation,
    Gain,
    Participant,
    TokenFacts,
    TransactionFacts,
    TreeCall,
)
from specminer.history.flows import TransactionFlows, lasting_logs
from specminer.history.trace import Address, Transaction
from specminer.inference.ranked_transactions import Transactions
from specminer.interaction import Interactions
from specminer.specification import EvidenceSource
from specminer.specification.measure import group_digits
from specminer.specification.unit_inference import Units

MAX_LOGS: Final = 1_000
_REASONS: Final = 4
"""Reasons that the summary repeats."""
_CHANGES: Final = 3
"""Changed values that the summary tells."""
_GAINERS: Final = 3
"""Gains of one asset that the summary tells."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HistoryKnowledge:
    """What a history tells of its transactions, for whoever explains some of them."""

    context: HistoryContext
    names: KnownNames
    register: TokenRegister
    actors: Mapping[str, Actor]
    """By address."""
    interactions: Interactions | None = None
    """``None`` if the history was not split."""
    ranked_transactions: Transactions | None = None
    """``None`` if the history was not mined."""
    units: Units | None = None
    """What values measure; ``None`` if the history was not mined."""


def explain_transaction(parts: Sequence[Transaction], knowledge: HistoryKnowledge) -> Explanation:
    """Return everything that is known of a transaction.

    Args:
        parts: what was recorded of it, a part for each traced contract; at least one.
        knowledge: what the history tells, in which it stands.

    """
    item, context = parts[0], knowledge.context
    row = context.history.transaction_hash.index(item.hash)
    judged = (
        knowledge.ranked_transactions.describe(row) if knowledge.ranked_transactions is not None else None
    )
    contracts = tuple(dict.fromkeys(shown_address(part.invocations[0].contract) for part in parts))
    changes, units = storage_changes(context, row), knowledge.units
    flows = merged_flows(parts)
    calls, calls_total = CallTree(parts, knowledge.names, _unusual_calls(knowledge, row)).lines()
    logs, logs_total = _logs(parts, knowledge.names)
    transfers = movements(flows)
    won = gains(flows)
    people, people_total = participants(parts, context, row, flows, knowledge.names, knowledge.actors)
    lives, lives_total = (
        lives_around(context, knowledge.interactions, row) if knowledge.interactions is not None else ((), 0)
    )
    tokens = tuple(
        knowledge.register.facts(token) for token in dict.fromkeys(flow.token for flow in flows.tokens)
    )
    explanation = Explanation(
        name=context.title,
        chain_id=context.history.contracts[0].chain_id,
        contracts=contracts,
        transaction=_facts(item),
        summary=(),
        rank=knowledge.ranked_transactions.rank(row) if knowledge.ranked_transactions is not None else None,
        of=int(knowledge.ranked_transactions.is_judged.sum())
        if knowledge.ranked_transactions is not None
        else None,
        threshold=round(knowledge.ranked_transactions.limit, 3)
        if knowledge.ranked_transactions is not None
        else None,
        unusual=judged,
        names=_name_addresses(knowledge.names, flows, parts, people),
        calls=calls if units is None else tuple(measured_call(call, contracts, units) for call in calls),
        calls_total=calls_total,
        calls_known=all(call.calls is not None for part in parts for call in part.invocations),
        storage=changes if units is None else tuple(measured_change(item, units) for item in changes),
        logs=logs,
        logs_total=logs_total,
        logs_known=flows.tokens_known,
        movements=transfers[:MAX_MOVEMENTS],
        movements_total=len(transfers),
        ether_known=flows.ether_known,
        gains=won,
        tokens=tokens,
        participants=people,
        lives=lives,
        lives_total=lives_total,
        notes=tuple(_notes(knowledge, item, flows, calls_total - len(calls), people_total - len(people))),
    )
    share = (
        float(knowledge.ranked_transactions.payouts.share[row])
        if knowledge.ranked_transactions is not None
        else math.nan
    )
    return replace(explanation, summary=tuple(_summary(explanation, share)))


def _facts(item: Transaction) -> TransactionFacts:
    return TransactionFacts(
        hash=f"0x{item.hash.hex()}",
        block=item.block.number,
        index=item.index,
        timestamp=item.block.timestamp,
        sender=checksum_address(item.sender),
        to=None if item.to is None else checksum_address(item.to),
        value=str(item.value),
        gas_used=item.gas_used,
        succeeded=item.succeeded,
        tracer=item.tracer.value,
        blind_spots=item.tracer.blind_spots,
    )


def _unusual_calls(knowledge: HistoryKnowledge, row: int) -> dict[tuple[Address, int], tuple[str, ...]]:
    """Return which invocations evidence names, by contract and position."""
    if knowledge.ranked_transactions is None:
        return {}
    history = knowledge.context.history
    return {
        (
            history.contracts[int(history.invocation_contract[call])].address,
            int(history.invocation_position[call]),
        ): tuple(_source_text(source) for source in sources)
        for call, sources in knowledge.ranked_transactions.calls_that_speak(row).items()
        if int(history.invocation_transaction[call]) == row
    }


def _source_text(source: EvidenceSource) -> str:
    return str(source.value)


def _logs(parts: Sequence[Transaction], names: KnownNames) -> tuple[tuple[EmittedLog, ...], int]:
    """Return the log entries of all parts, each once, in order, and how many there are."""
    traced = [{call.contract for call in part.invocations} for part in parts]
    own = set().union(*traced)
    logs: dict[tuple[int | None, Address, int], tuple[tuple[bytes, ...], bytes]] = {}
    for part, contracts in zip(parts, traced, strict=True):
        for number, (log, address, topics, data) in enumerate(lasting_logs(part)):
            if address in own - contracts:
                continue  # told by the recording of that contract
            logs.setdefault((log, address, number if log is None else 0), (topics, data))
    entries = []
    for (log, address, _), (topics, data) in sorted(logs.items(), key=lambda item: item[0][0] or 0):
        event, fields = names.log(address, topics, data)
        entries.append(
            EmittedLog(
                log=log,
                contract=shown_address(address),
                event=event,
                fields=fields or (),
                data=cut_hex(b"".join(topics[1:]) + data) if fields is None else None,
            )
        )
    return tuple(entries[:MAX_LOGS]), len(entries)


def _name_addresses(
    names: KnownNames, flows: TransactionFlows, parts: Sequence[Transaction], people: Sequence[Participant]
) -> dict[str, str]:
    """Return the names of all addresses that the explanation mentions."""
    addresses = {Address(bytes.fromhex(item.address[2:])) for item in people}
    addresses |= {flow.token for flow in flows.tokens}
    addresses |= {side for flow in flows.tokens for side in (flow.sender, flow.recipient)}
    addresses |= {external.to for part in parts for call in part.invocations for external in call.calls or ()}
    by_address = {shown_address(address): names.name(address) for address in addresses}
    return {address: name for address, name in sorted(by_address.items()) if name is not None}


def _notes(
    knowledge: HistoryKnowledge, item: Transaction, flows: TransactionFlows, cut_calls: int, cut_people: int
) -> Iterator[str]:
    if not flows.tokens_known:
        yield (
            "Log entries of other contracts were not recorded for this transaction: whether it moved tokens of other "
            "contracts is not known."
        )
    if not flows.ether_known:
        yield "What the contract paid out was not recorded for this transaction: ether that left it is not known."
    yield "Ether between two contracts that were not traced is never recorded."
    if item.tracer.blind_spots:
        yield f"The tracer does not see everything: {item.tracer.blind_spots}."
    if knowledge.ranked_transactions is None:
        yield "The history was not mined, so nothing is compared with other transactions."
    if cut_calls:
        yield f"{count_of(cut_calls, 'more call')} are not listed."
    if cut_people:
        yield f"{count_of(cut_people, 'more address', 'more addresses')} took part and are not listed."


def _summary(explanation: Explanation, share: float) -> Iterator[str]:
    """Yield who did what, who gained, and what is odd about it."""
    yield _what_was_done(explanation)
    yield from _who_gained(explanation, share)
    yield _what_changed(explanation)
    judged = explanation.unusual
    if judged is None:
        if explanation.of is not None:
            yield (
                "It was not judged: nothing of it lasted, or it only created the contract."
                if explanation.transaction.succeeded
                else "It was not judged: it failed, and nothing of it lasted."
            )
        return
    if explanation.rank is None:
        among = f"among the {count_of(explanation.of, 'judged transaction')}"
        yield (
            f"Taken alone it looks usual: what speaks against it is weak, so that it has no rank {among}."
            if judged.evidence
            else f"Taken alone it looks usual: nothing speaks against it {among}."
        )
        return
    alarm = "above" if judged.flagged else "below"
    ordinal = "the most unusual" if explanation.rank == 1 else f"number {explanation.rank:,}"
    close = explanation.threshold is not None and f"{judged.score:.1f}" == f"{explanation.threshold:.1f}"
    digits = 2 if close else 1
    yield (
        f"It is {ordinal} of {count_of(explanation.of, 'transaction')}: {judged.score:.{digits}f} bits, {alarm} the "
        f"alarm threshold of {explanation.threshold:.{digits}f}. The more bits, the less likely by chance."
    )
    yield from (f"Unusual: {reason}." for reason in judged.reasons[:_REASONS])


def _what_was_done(explanation: Explanation) -> str:
    item = explanation.transaction
    who = next(person for person in explanation.participants if person.address == item.sender)
    before = (
        f"{count_of(who.transactions_before, 'earlier transaction')} in this history"
        if who.transactions_before
        else "never seen in this history before"
    )
    inner = [call for call in explanation.calls if call.step.value == "invocation"]
    names = list(dict.fromkeys(call.function for call in inner if call.function))
    functions = ", ".join(names[:5]) + (f" and {len(names) - 5} more functions" if len(names) > 5 else "")
    through = ""
    if inner and inner[0].caller != item.sender:
        callers = list(dict.fromkeys(call.caller for call in inner))
        through = f" through {_called_name(explanation, callers[0])}"
        person = next((one for one in explanation.participants if one.address == callers[0]), None)
        if person is not None and not person.transactions_before:
            through += ", which no earlier transaction of this history shows"
    ended = "" if item.succeeded else "; the transaction failed"
    return f"{item.sender} ({before}) called {functions or 'the contract'}{through}{ended}."


def _what_changed(explanation: Explanation) -> str:
    if not explanation.storage:
        return "It left the contract's storage as it was."
    texts = [
        f"{item.location} from {item.before_shown or _value(item.before)} to "
        f"{item.after_shown or _value(item.after)}"
        for item in explanation.storage[:_CHANGES]
    ]
    return f"It changed {list_some(texts, len(explanation.storage), ', and {:,} more values')}."


def _value(text: str | None) -> str:
    return "a value that is not known" if text is None else group_digits(text)


def _called_name(explanation: Explanation, address: str) -> str:
    name = explanation.names.get(address)
    return f"{name} ({address})" if name else f"the contract {address}"


def _who_gained(explanation: Explanation, share: float) -> Iterator[str]:
    facts = {item.address: item for item in explanation.tokens}
    for asset in dict.fromkeys(item.asset for item in explanation.gains):
        own = [item for item in explanation.gains if item.asset == asset]
        won = [item for item in own if int(item.net) > 0][:_GAINERS]
        losses = [item for item in own[::-1] if int(item.net) < 0][:_GAINERS]
        parts = [f"{_party(explanation, item)} gained {_net(item, facts)}" for item in won]
        parts += [f"{_party(explanation, item)} lost {_net(item, facts)}" for item in losses]
        if asset == ETHER and not math.isnan(share) and share > 0:
            most = "all" if share > 0.9999 else f"{share:.1%} of"
            parts.append(f"what left is {most} the ether that was held")
        if parts:
            yield f"{'; '.join(parts)}."


def _party(explanation: Explanation, gain: Gain) -> str:
    name = explanation.names.get(gain.address)
    return f"{name} ({gain.address})" if name else gain.address


def _net(gain: Gain, facts: Mapping[str, TokenFacts]) -> str:
    return asset_amount(abs(int(gain.net)), gain.asset, facts)


def asset_amount(number: int, asset: str, facts: Mapping[str, TokenFacts]) -> str:
    """Return an amount with its unit: the token's symbol where it is known, else its address."""
    if asset == ETHER:
        return amount(str(number))
    token = facts.get(asset)
    unit = token.symbol if token is not None and token.symbol else f"of token {asset[:8]}…{asset[-6:]}"
    has_decimals = token is not None and token.decimals is not None
    number_text = token_amount(number, token.decimals if token is not None else None)
    return f"{number_text} {unit}{'' if has_decimals else ' (smallest units)'}"


__all__ = ["HistoryKnowledge", "TreeCall", "asset_amount", "explain_transaction"]
