"""What a contract is, in five sentences: its calls, its interactions, their life, who may what, what stands out.

They are composed of what the specification tells elsewhere at length. Texts are made safe here, in plain text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from specminer._support.addresses import is_address
from specminer._support.errors import plain
from specminer._support.keccak import keccak
from specminer._support.numbered_names import spell_numbered_names
from specminer._support.text import count_of, join_words, show_number
from specminer._support.units import day
from specminer.presentation.guard_sentences import role_texts
from specminer.presentation.picture_content import Content
from specminer.presentation.picture_options import PictureOptions
from specminer.presentation.sentences import short_hashes
from specminer.presentation.surprising_transactions import transaction_sentences
from specminer.specification import (
    ImplementationChange,
    ImplementationSummary,
    Mode,
    Specification,
    TransitionKind,
)
from specminer.specification.address_names import AddressNames

MAX_STEPS: Final = 8
"""Steps of the usual way that are told."""
MAX_ROLES: Final = 3
MAX_TEXT: Final = 400
"""Characters of a sentence that was written elsewhere."""
_CONSTRUCTOR: Final = "constructor"
_UPGRADES: Final = 3
"""Upgrades of a proxy that are told with their blocks."""
_REASONS: Final = 2
"""Reasons for which a transaction stands out that are told."""
_KINDS: Final = (
    ("a governor", {"propose", "castVote", "execute"}),
    ("a governor", {"castVote", "queue"}),
    ("a governor", {"castVote", "execute"}),
    ("a timelock", {"schedule", "execute"}),
    ("a multisignature wallet", {"execTransaction"}),
    ("a multisignature wallet", {"submitTransaction", "confirmTransaction"}),
    ("an ERC-4626 vault", {"deposit", "redeem", "withdraw", "transfer"}),
    ("an exchange pair", {"swap", "mint", "burn", "sync"}),
    ("an ERC-1155 token", {"safeTransferFrom", "safeBatchTransferFrom"}),
    ("an ERC-721 token", {"transferFrom", "setApprovalForAll"}),
    ("an ERC-721 token", {"transferFrom", "safeTransferFrom"}),
    ("a wrapper of ether", {"deposit", "withdraw", "transfer", "approve"}),
    ("an ERC-20 token with votes", {"transfer", "approve", "delegate"}),
    ("an ERC-20 token", {"transfer", "transferFrom", "approve"}),
    ("a staking contract", {"stake", "withdraw", "getReward"}),
    ("a hashed time-lock contract", {"newContract", "withdraw", "refund"}),
    ("a register of roles", {"grantRole", "revokeRole"}),
)
"""Kinds of contracts by functions that all of their kind have; of several kinds that fit the first is told."""
_SIGNATURES: Final = (
    "newContract(address,bytes32,uint256)",
    "withdraw(bytes32,bytes32)",
    "refund(bytes32)",
    "stake(uint256)",
    "withdraw(uint256)",
    "getReward()",
)
"""Functions by which a kind is known where only their selectors are."""
_NAMES: Final = {f"0x{keccak(text.encode())[:4].hex()}": text.partition("(")[0] for text in _SIGNATURES}


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefSentence:
    """One of the sentences."""

    subject: str
    """What it is about, as a heading."""
    text: str
    """The sentence."""
    section: str
    """The id of the section of the report that tells it at length."""
    evidence: str = ""
    """What it rests on: transactions, whole; empty where it sums up the whole history."""


def brief(spec: Specification) -> tuple[BriefSentence, ...]:
    """Return the sentences with what they are about, those left out that nothing is known for."""
    odd, transaction = _odd(spec)
    sentences = (
        BriefSentence(subject="Contract", text=_calls(spec), section="coverage"),
        BriefSentence(subject="Interactions", text=_interactions(spec), section="split"),
        BriefSentence(subject="Usual life", text=_life(spec), section="variants"),
        BriefSentence(subject="Roles", text=_roles(spec), section="roles"),
        BriefSentence(
            subject="What stands out", text=odd, section="surprising-transactions", evidence=transaction
        ),
    )
    return tuple(item for item in sentences if item.text)


def brief_sentences(spec: Specification) -> tuple[str, ...]:
    """Return the sentences alone, those left out that nothing is known for."""
    return tuple(item.text for item in brief(spec))


def _calls(spec: Specification) -> str:
    """Return how often the contract was called, and what its functions make of it."""
    history = spec.history
    accepted = Counter[str]()
    for edge in spec.transitions:
        if edge.kind is TransitionKind.CALL and edge.outcome == "returned" and edge.function != _CONSTRUCTOR:
            accepted[edge.function] += edge.count
    functions = set(accepted) | {guard.scope for guard in spec.guards}
    names = {function.partition("(")[0] for function in functions}
    all_names = names | {_NAMES[name] for name in names & set(_NAMES)}
    kind, needed = next((item for item in _KINDS if item[1] <= all_names), ("", set()))
    kinds = [f"by the {'names' if needed <= names else 'selectors'} of its functions {kind}"] if kind else []
    who, member = family_texts(spec)
    parts = [*kinds, *filter(None, (_proxy(spec), member))]
    what = f", {join_words(parts, 'and')}," if parts else ""
    often = [plain(function, 60) for function, _ in accepted.most_common(3)]
    text = f"{who}{what} was called {_times(history.invocations)} {_period(spec)}"
    text += f"; accepted most often: {join_words(often, 'and')}" if often else ""
    if history.rejected and history.invocations:
        share = history.rejected / history.invocations
        verb = "was" if history.rejected == 1 else "were"
        text += f"; {count_of(history.rejected, 'call')} ({share:.0%}) {verb} rejected"
    return f"{text}."


def family_texts(spec: Specification) -> tuple[str, str]:
    """Return what to call the contracts of a specification, and of which family a single one is, if of any."""
    name, family = plain(spec.name, 120), spec.history.family
    if family is None:
        return name, ""
    factory = None if family.factory is None else AddressNames.of(spec).spell(family.factory)
    count = len(spec.contracts)
    if count > 1:
        origin = f" of factory {short_hashes(factory)}" if factory else " of one code"
        return f"{family_lead(count, name)}{origin}", ""
    origin = f" of factory {short_hashes(factory)}" if factory else ""
    return name, f"one of {family.contracts:,} contracts of one code{origin}"


def family_lead(count: int, name: str) -> str:
    """Return how many contracts of a name there are; a shortened address is no name."""
    return f"{count:,} contracts" if "…" in name or is_address(name) else f"{count:,} {name}"


def _period(spec: Specification) -> str:
    """Return the blocks of a history, with the days of its first and last events where they are known."""
    history = spec.history
    blocks = f"in blocks {show_number(history.first_block)} to {show_number(history.last_block)}"
    times = [
        moment.timestamp
        for edge in spec.transitions
        for moment in (edge.first, edge.last)
        if moment.timestamp is not None
    ]
    first, last = (day(min(times)), day(max(times))) if times else ("", "")
    if not first or not last:
        return blocks
    return f"{blocks}, " + (f"on {first}" if first == last else f"from {first} to {last}")


def _proxy(spec: Specification) -> str:
    facts = spec.history
    return proxy_text(facts.implementations or (), facts.upgrades or (), AddressNames.of(spec))


def proxy_text(
    implementations: Sequence[ImplementationSummary],
    changes: Sequence[ImplementationChange] = (),
    names: AddressNames | None = None,
) -> str:
    """Return what kind of proxy a contract is, by the contracts to which it handed its calls; nothing if to none.

    It was upgraded where one of them ran only after the last call of another; contracts that ran in turns are parts.

    Args:
        implementations: whose code ran, the first first.
        changes: upgrades; where each is known, its own block is told.
        names: what addresses are called.

    """
    if not implementations:
        return ""
    names = names or AddressNames({})
    upgrade_blocks = [item.block for item in changes if item.removed and item.transaction is not None]
    if len(implementations) == 1:
        text = f"a proxy of {short_hashes(names.spell(implementations[0].address))}"
        return f"{text}, upgraded in {_block_list(upgrade_blocks)}" if upgrade_blocks else text
    pairs = list(pairwise(implementations))
    if any(before.last_block > after.first_block for before, after in pairs):
        return f"a proxy of {len(implementations):,} contracts that run in turns"
    moment = f"in {_block_list(upgrade_blocks)}"
    if len(upgrade_blocks) < len(pairs):
        moment = f"before {_block_list([after.first_block for _, after in pairs])}"
    return f"a proxy with {len(implementations):,} implementations, upgraded {moment}"


def _block_list(blocks: Sequence[int]) -> str:
    """Return the first blocks of some with the noun."""
    texts = [f"{block:,}" for block in blocks[:_UPGRADES]]
    more = f" and {len(blocks) - _UPGRADES:,} more" if len(blocks) > _UPGRADES else ""
    return f"{'block' if len(blocks) == 1 else 'blocks'} {', '.join(texts)}{more}"


def _times(count: int | None) -> str:
    return "an unknown number of times" if count is None else count_of(count, "time")


def _interactions(spec: Specification) -> str:
    split = spec.interactions
    sort = "" if split.sort is None else plain(split.sort.name, 60)
    sort = f"entry of {spell_numbered_names(sort.removesuffix('[]'))}" if sort.endswith("[]") else sort
    lead = f"The history divides into {count_of(split.count, 'interaction')}"
    match split.mode:
        case Mode.PARTITION:
            return f"{lead}, one for each {sort}; each call belongs to one of them."
        case Mode.PROJECTION:
            return f"{lead}, one for each {sort}; a call belongs to the interaction of each {sort} that it names."
        case Mode.INSTANCE:
            return f"{lead}: each is the life of one contract."
        case Mode.SENDER:
            return f"{lead}, one for each account that calls."
        case _:
            return "The history is one interaction: nothing divides it better."


def _life(spec: Specification) -> str:
    """Return the usual way, and where most interactions end."""
    content = Content(spec=spec, options=PictureOptions())
    names = {state.id: plain(state.name, 80) for state in content.drawn_specification.states}
    steps: list[str] = []
    for source, target in list(pairwise(content.usual_states))[:MAX_STEPS]:
        events = [
            edge
            for line in content.selection.lines
            if (line.source, line.target) == (source, target)
            for edge in line.edges
        ]
        event = max(events, key=lambda edge: edge.count)
        steps.append(_step(event.event, event.kind))
    if not steps:
        return ""
    more = " → …" if len(content.usual_states) - 1 > MAX_STEPS else ""
    last = names.get(content.usual_states[min(len(steps), len(content.usual_states) - 1)], "?")
    text = f"The usual order is {' → '.join(steps)}{more} and leads to “{last}”"
    ends = sorted(
        (-state.ends, names.get(state.id, "?"))
        for state in content.drawn_specification.states
        if state.ends and state.id != spec.initial
    )
    count = spec.interactions.count
    if ends and count is not None and count > 1:
        (most, where), *others = ends[:3]
        many = "all" if -most == count else f"{-most:,}"
        text += f"; of {count:,} interactions {many} {'is' if most == -1 else 'are'} last seen in “{where}”"
        text += "".join(f", {-ended:,} in “{name}”" for ended, name in others)
    return f"{text}."


def _step(event: str, kind: TransitionKind) -> str:
    """Return an event as a step; a deadline by what is reached."""
    return plain(event.removeprefix("time: ") if kind is TransitionKind.TIME else event, 60)


def _roles(spec: Specification) -> str:
    texts = [short_hashes(plain(text, MAX_TEXT)) for text in role_texts(spec)]
    if not texts:
        return "No function was found that only some may call."
    rest = len(texts) - MAX_ROLES
    text = "; ".join(texts[:MAX_ROLES]) + (f"; and {count_of(rest, 'more role')}" if rest > 0 else "")
    return f"{text[0].upper()}{text[1:]}."


def _odd(spec: Specification) -> tuple[str, str]:
    """Return whether a transaction stands out, and why the first of them does; with its hash, whole."""
    lead, ranked = transaction_sentences(spec.surprise, 1)
    transactions = spec.surprise.transactions
    if transactions is None or not lead:
        return "", ""
    if not ranked:
        return "No transaction stands out.", ""
    first = transactions.ranked[0]
    alarms = count_of(transactions.flagged, "transaction is an alarm", "transactions are alarms")
    alarms = alarms if transactions.flagged else "No transaction is an alarm"
    reasons = [short_hashes(plain(text, MAX_TEXT)) for text in first.reasons[:_REASONS]]
    why = "; ".join(reasons) or short_hashes(plain(first.text, MAX_TEXT))
    rest = len(first.reasons) - len(reasons)
    more = f" ({count_of(rest, 'more reason')})" if rest > 0 else ""
    where = short_hashes(plain(first.transaction, 80))
    return f"{alarms}; the most surprising one is {where}: {why.rstrip('.')}{more}.", first.transaction
