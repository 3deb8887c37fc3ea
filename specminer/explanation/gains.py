"""What a transaction moved, and who had more and who had less afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from specminer._support.addresses import checksum_address
from specminer.explanation.transaction_document import Gain, Movement
from specminer.history.flows import EtherFlow, TokenFlow, TokenStandard, TransactionFlows, transaction_flows
from specminer.history.trace import NO_ADDRESS, Address, Transaction

MAX_MOVEMENTS: Final = 1_000
MAX_GAINS: Final = 200
ETHER: Final = "ETH"


def merged_flows(parts: Sequence[Transaction]) -> TransactionFlows:
    """Return what a transaction moved, by what was recorded of each traced contract, each flow once."""
    flows = [transaction_flows(part) for part in parts]
    tokens: dict[tuple[int | None, Address, int], TokenFlow] = {}
    traced = [{call.contract for call in part.invocations} for part in parts]
    own = set().union(*traced)
    for part, contracts in zip(flows, traced, strict=True):
        ordinal: dict[tuple[int | None, Address], int] = defaultdict(int)
        for flow in part.tokens:
            if flow.token in own - contracts:
                continue  # told by the recording of the token itself
            tokens.setdefault((flow.log, flow.token, ordinal[flow.log, flow.token]), flow)
            ordinal[flow.log, flow.token] += 1
    return TransactionFlows(
        tokens=tuple(sorted(tokens.values(), key=lambda flow: flow.log or 0)),
        ether=tuple(_merged_ether(parts, flows)),
        tokens_known=all(part.tokens_known for part in flows),
        ether_known=all(part.ether_known for part in flows),
    )


def _merged_ether(parts: Sequence[Transaction], flows: Sequence[TransactionFlows]) -> list[EtherFlow]:
    """Return ether flows; what one traced contract paid another is told by the payer alone."""
    payers = {call.contract for part in parts for call in part.invocations if call.payments is not None}
    merged: list[EtherFlow] = []
    top = False
    for part, own in zip(parts, flows, strict=True):
        contracts = {call.contract for call in part.invocations}
        for flow in own.ether:
            first = flow.position == -1 and flow.sender == part.sender and flow.amount == part.value
            if flow.position == -1 and flow.sender in payers - contracts:
                continue
            if first and flow.recipient == part.to:
                if top:
                    continue
                top = True
            merged.append(flow)
    return merged


def movements(flows: TransactionFlows) -> tuple[Movement, ...]:
    """Return all flows as they are shown, ether first."""
    ether = [
        Movement(
            asset=ETHER,
            standard=None,
            sender=checksum_address(flow.sender),
            recipient=checksum_address(flow.recipient),
            amount=None if flow.amount is None else str(flow.amount),
        )
        for flow in flows.ether
    ]
    tokens = [
        Movement(
            asset=checksum_address(flow.token),
            standard=flow.standard.value,
            sender=checksum_address(flow.sender),
            recipient=checksum_address(flow.recipient),
            amount=None if flow.amount is None else str(flow.amount),
            identifier=None if flow.identifier is None else str(flow.identifier),
            log=flow.log,
        )
        for flow in flows.tokens
    ]
    return (*ether, *tokens)


def gains(flows: TransactionFlows) -> tuple[Gain, ...]:
    """Return who gained and who lost what, the largest gains first, ether before tokens.

    Amounts that are not known are left out, and so are the numbers of unstated tokens, which may be identifiers.
    """
    received: dict[tuple[str, Address], int] = defaultdict(int)
    sent: dict[tuple[str, Address], int] = defaultdict(int)
    pairs: list[tuple[str, EtherFlow | TokenFlow]] = [(ETHER, flow) for flow in flows.ether]
    pairs += [
        (checksum_address(flow.token), flow)
        for flow in flows.tokens
        if flow.standard is not TokenStandard.UNSTATED
    ]
    for asset, flow in pairs:
        if flow.amount is not None:
            sent[asset, flow.sender] += flow.amount
            received[asset, flow.recipient] += flow.amount
    rows = [
        (asset, address, received[asset, address], sent[asset, address])
        for asset, address in sorted({*received, *sent})
        if address != NO_ADDRESS
    ]
    rows = [item for item in rows if item[2] != item[3]]
    rows.sort(key=lambda item: (item[0] != ETHER, item[0], -(item[2] - item[3]), item[1]))
    return tuple(
        Gain(
            address=checksum_address(address),
            asset=asset,
            received=str(amount_received),
            sent=str(amount_sent),
            net=str(amount_received - amount_sent),
        )
        for asset, address, amount_received, amount_sent in rows[:MAX_GAINS]
    )
