"""What a contract is, in five sentences: its calls, its interactions, their life, who may what, what stands out.

They are composed of what the specification tells elsewhere at length. Texts are made safe here, in plain text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from specminer._support.text import count_of, join_words, show_number
from specminer.errors import plain
from specminer.render.content import Content
from specminer.render.options import PictureOptions
from specminer.report.guards import role_texts
from specminer.report.surprising_transactions import transaction_sentences
from specminer.specification import ImplementationSummary, Mode, Specification, TransitionKind

MAX_STEPS: Final = 6
"""Steps of the usual way that are told."""
MAX_ROLES: Final = 2
MAX_TEXT: Final = 400
"""Characters of a sentence that was written elsewhere."""
_CONSTRUCTOR: Final = "constructor"
_UPGRADES: Final = 3
"""Upgrades of a proxy that are told with their blocks."""
_KINDS: Final = (
    ("a governor", {"propose", "castVote", "execute"}),
    ("a timelock", {"schedule", "execute"}),
    ("an ERC-4626 vault", {"deposit", "redeem", "withdraw", "transfer"}),
    ("an exchange pair", {"swap", "mint", "burn", "sync"}),
    ("an ERC-1155 token", {"safeTransferFrom", "safeBatchTransferFrom"}),
    ("an ERC-721 token", {"transferFrom", "setApprovalForAll"}),
    ("an ERC-721 token", {"transferFrom", "safeTransferFrom"}),
    ("a wrapper of ether", {"deposit", "withdraw", "transfer", "approve"}),
    ("an ERC-20 token", {"transfer", "transferFrom", "approve"}),
)
"""Kinds of contracts by functions that all of their kind have; of several kinds that fit the first is told."""


def brief_sentences(spec: Specification) -> tuple[str, ...]:
    """Return the sentences, those left out that nothing is known for."""
    found = (_calls(spec), _interactions(spec), _life(spec), _roles(spec), _odd(spec))
    return tuple(text for text in found if text)


def _calls(spec: Specification) -> str:
    """Return how often the contract was called, and what its functions make of it."""
    history = spec.history
    accepted = Counter[str]()
    for edge in spec.transitions:
        if edge.kind is TransitionKind.CALL and edge.outcome == "returned" and edge.function != _CONSTRUCTOR:
            accepted[edge.function] += edge.count
    functions = set(accepted) | {guard.scope for guard in spec.guards}
    names = {function.partition("(")[0] for function in functions}
    kind = next((text for text, needed in _KINDS if needed <= names), "")
    kinds = [f"by the names of its functions {kind}"] if kind else []
    proxy = proxy_text(history.implementations or ())
    what = f", {' and '.join([*kinds, *([proxy] if proxy else [])])}," if kinds or proxy else ""
    often = [plain(function, 60) for function, _ in accepted.most_common(3)]
    text = f"{plain(spec.name, 120)}{what} was called {_times(history.invocations)}"
    text += f" in blocks {show_number(history.first_block)} to {show_number(history.last_block)}"
    text += f"; accepted most often: {join_words(often, 'and')}" if often else ""
    if history.rejected and history.invocations:
        share = history.rejected / history.invocations
        text += f"; {count_of(history.rejected, 'call')} ({share:.0%}) were rejected"
    return f"{text}."


def proxy_text(implementations: Sequence[ImplementationSummary]) -> str:
    """Return what kind of proxy a contract is, by the contracts to which it handed its calls; nothing if to none.

    It was upgraded where one of them ran only after the last call of another; contracts that ran in turns are parts.
    """
    if not implementations:
        return ""
    if len(implementations) == 1:
        return f"a proxy of {implementations[0].address}"
    pairs = list(pairwise(implementations))
    if any(before.last_block > after.first_block for before, after in pairs):
        return f"a proxy of {len(implementations):,} contracts that run in turns"
    blocks = [f"{after.first_block:,}" for _, after in pairs[:_UPGRADES]]
    more = f" and {len(pairs) - _UPGRADES:,} more" if len(pairs) > _UPGRADES else ""
    noun = "block" if len(pairs) == 1 else "blocks"
    return (
        f"a proxy with {len(implementations):,} implementations, upgraded before {noun} "
        f"{', '.join(blocks)}{more}"
    )


def _times(count: int | None) -> str:
    return "an unknown number of times" if count is None else count_of(count, "time")


def _interactions(spec: Specification) -> str:
    split = spec.interactions
    count, sort = show_number(split.count), "" if split.sort is None else plain(split.sort.name, 60)
    match split.mode:
        case Mode.PARTITION:
            return f"It is told as {count} interactions, one for each {sort}: a call belongs to one of them."
        case Mode.PROJECTION:
            return f"It is told as {count} interactions, one for each {sort}: a call stands in that of each it names."
        case Mode.INSTANCE:
            return f"It is told as {count} interactions: each is the life of one contract."
        case Mode.SENDER:
            return f"It is told as {count} interactions, one for each account that calls."
        case _:
            return "It is told as one interaction: nothing splits it better."


def _life(spec: Specification) -> str:
    """Return the usual way, and where most interactions end."""
    content = Content(spec=spec, options=PictureOptions())
    names = {state.id: plain(state.name, 80) for state in content.drawn.states}
    steps: list[str] = []
    for source, target in list(zip(content.usual, content.usual[1:], strict=False))[:MAX_STEPS]:
        events = [
            edge
            for line in content.selection.lines
            if (line.source, line.target) == (source, target)
            for edge in line.edges
        ]
        event = max(events, key=lambda edge: edge.count).event
        steps.append(f"{plain(event, 60)} → “{names.get(target, '?')}”")
    if not steps:
        return ""
    more = " → …" if len(content.usual) - 1 > MAX_STEPS else ""
    text = f"The usual way is {' → '.join(steps)}{more}"
    ends = sorted(
        (-state.ends, names.get(state.id, "?"))
        for state in content.drawn.states
        if state.ends and state.id != spec.initial
    )
    if ends and spec.interactions.count != 1:
        text += "; most end in " + join_words([f"“{name}” ({-count:,})" for count, name in ends[:3]], "and")
    return f"{text}."


def _roles(spec: Specification) -> str:
    texts = [plain(text, MAX_TEXT) for text in role_texts(spec)]
    if not texts:
        return "No function was found that only some may call."
    rest = len(texts) - MAX_ROLES
    text = "; ".join(texts[:MAX_ROLES]) + (f"; and {count_of(rest, 'more role')}" if rest > 0 else "")
    return f"{text[0].upper()}{text[1:]}."


def _odd(spec: Specification) -> str:
    """Return whether a transaction stands out, and the first of them."""
    lead, ranked = transaction_sentences(spec.surprise, 1)
    found = spec.surprise.transactions
    if found is None or not lead:
        return ""
    if not ranked:
        return "No transaction stands out."
    first = ranked[0].removeprefix("! ")
    alarms = count_of(found.flagged, "transaction is an alarm", "transactions are alarms")
    alarms = alarms if found.flagged else "No transaction is an alarm"
    return f"{alarms}; the most surprising one: {plain(first, MAX_TEXT)}"
