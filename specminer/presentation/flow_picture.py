"""Who gave what to whom in a transaction, as DOT source.

A box is an address: traced contracts have thick frames, those that gained ether or tokens are darker. An arrow is all
that one address gave another of one asset, ether with a full line, tokens with a dashed one; dotted arrows are calls
without ether of the transaction's sender and of traced contracts. The same explanation gives the same bytes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Final

import graphviz

from specminer._support.addresses import ends_of
from specminer._support.errors import plain
from specminer._support.text import list_some
from specminer.explanation import CallStep, Explanation, Movement, TokenFacts, asset_amount
from specminer.presentation.dot import FONT
from specminer.presentation.label_markup import markup, rows_label, wrap
from specminer.presentation.theme import LIGHT, Theme

MAX_ARROWS: Final = 60
_ETHER: Final = "ETH"
_NAME: Final = 26
"""Characters of a name in a row."""


def flow_dot(explanation: Explanation, theme: Theme = LIGHT) -> str | None:
    """Return the flows of a transaction and who called whom as DOT source; ``None`` if there is nothing to draw."""
    arrows, calls = _arrows(explanation), _calls(explanation)
    if not arrows and not calls:
        return None
    graph = graphviz.Digraph(
        name="flows",
        graph_attr={
            "rankdir": "LR",
            "charset": "UTF-8",
            "fontname": FONT,
            "bgcolor": theme.background,
            "outputorder": "edgesfirst",
            "pad": "0.2",
            "nodesep": "0.4",
            "ranksep": "0.9",
        },
        node_attr={"fontname": FONT, "fontsize": "12", "fontcolor": theme.ink},
        edge_attr={"fontname": FONT, "fontsize": "12", "fontcolor": theme.ink, "arrowsize": "0.8"},
    )
    gained = {item.address for item in explanation.gains if int(item.net) > 0}
    addresses = dict.fromkeys(side for arrow in (*calls, *arrows) for side in arrow[:2])
    for number, address in enumerate(addresses):
        traced = address in explanation.contracts
        graph.node(
            f"n{number}",
            label=_label(explanation, address, theme),
            shape="box",
            style="rounded,filled",
            fillcolor=theme.darkest if address in gained else theme.lightest,
            color=theme.usual if traced else theme.frequent,
            penwidth="2.4" if traced else "1.2",
            id=f"n{number}",
        )
    numbers = {address: f"n{number}" for number, address in enumerate(addresses)}
    for (sender, recipient, asset), text in arrows.items():
        token = asset != _ETHER
        graph.edge(
            numbers[sender],
            numbers[recipient],
            label=rows_label([markup(row) for row in wrap(text, 30, 3)], theme.background),
            color=theme.frequent if token else theme.usual,
            style="dashed" if token else "solid",
            penwidth="1.4" if token else "1.8",
        )
    for (caller, callee), functions in calls.items():
        graph.edge(
            numbers[caller],
            numbers[callee],
            label=rows_label(
                [_small(line, theme) for line in wrap(_call_text(functions), 30, 3)], theme.background
            ),
            color=theme.soft,
            style="dotted",
        )
    return str(graph.source)


def _calls(explanation: Explanation) -> dict[tuple[str, str], list[str]]:
    """Return the functions that were called, by caller and callee: into the traced contracts, and by the sender."""
    functions: dict[tuple[str, str], list[str]] = defaultdict(list)
    for call in explanation.calls:
        inward = call.step in (CallStep.INVOCATION, CallStep.TRANSACTION, CallStep.UNSEEN)
        if inward and call.callee and call.caller != call.callee:
            functions[call.caller, call.callee].append(call.function)
    return dict(list(functions.items())[:MAX_ARROWS])


def _call_text(functions: list[str]) -> str:
    """Return which functions were called, and how often."""
    times = Counter(name for name in functions if name)
    names = [f"{name}{f' ×{count}' if count > 1 else ''}" for name, count in list(times.items())[:4]]
    return plain("calls " + (list_some(names, len(times)) if names else ""), 120).strip()


def count_arrows(explanation: Explanation) -> int:
    """Return how many arrows there would be without a limit."""
    return len({(item.sender, item.recipient, item.asset) for item in explanation.movements})


def _arrows(explanation: Explanation) -> dict[tuple[str, str, str], str]:
    """Return what is written at each arrow, by sender, recipient and asset, in order of appearance."""
    groups: dict[tuple[str, str, str], list[Movement]] = defaultdict(list)
    for item in explanation.movements:
        groups[item.sender, item.recipient, item.asset].append(item)
    return {key: _text(explanation, key[2], items) for key, items in list(groups.items())[:MAX_ARROWS]}


def _text(explanation: Explanation, asset: str, items: list[Movement]) -> str:
    facts = {token.address: token for token in explanation.tokens}
    times = f", {len(items):,} times" if len(items) > 1 else ""
    if asset != _ETHER and facts[asset].symbol is None:
        facts[asset] = _with_short_name(explanation, asset)
    if any(item.standard == "transfer" for item in items):
        return plain(f"{items[0].amount} (amount or number) {_unit(facts, asset)}{times}", 120)
    numbers = [item.identifier for item in items if item.identifier is not None]
    unique = all(item.standard == "ERC-721" for item in items)
    amounts = [int(item.amount) for item in items if item.amount is not None]
    more = " or more" if len(amounts) < len(items) else ""
    if unique and numbers:
        first_numbers = ", ".join(f"#{_short_number(number)}" for number in numbers[:2])
        rest = f" and {len(numbers) - 2:,} more" if len(numbers) > 2 else ""
        return plain(f"{_unit(facts, asset)} {first_numbers}{rest}", 120)
    text = (
        asset_amount(sum(amounts), asset, facts) if amounts else f"an unknown amount of {_unit(facts, asset)}"
    )
    if numbers and not unique:
        text += f" (#{_short_number(numbers[0])}{', …' if len(set(numbers)) > 1 else ''})"
    return plain(f"{text}{more}{times}", 120)


def _short_number(number: str) -> str:
    return number if len(number) <= 12 else ends_of(number)


def _with_short_name(explanation: Explanation, asset: str) -> TokenFacts:
    facts = next(token for token in explanation.tokens if token.address == asset)
    return replace(facts, symbol=explanation.names.get(asset) or short_address(asset))


def _unit(facts: dict[str, TokenFacts], asset: str) -> str:
    return asset if asset == _ETHER else facts[asset].symbol or short_address(asset)


def short_address(address: str) -> str:
    """Return the first and the last digits of an address."""
    return f"{address[:8]}…{address[-6:]}" if len(address) > 20 else address


def _label(explanation: Explanation, address: str, theme: Theme) -> str:
    name = explanation.names.get(address)
    person = next((item for item in explanation.participants if item.address == address), None)
    rows = [f"<B>{markup(row)}</B>" for row in wrap(plain(name, 60), _NAME, 2)] if name else []
    short = markup(short_address(address))
    rows.append(f'<FONT COLOR="{theme.soft}" POINT-SIZE="10">{short}</FONT>' if rows else f"<B>{short}</B>")
    if address == explanation.transaction.sender:
        rows.append(_small("sent the transaction", theme))
    elif person is not None and person.kind != "unknown":
        rows.append(_small(person.kind, theme))
    return rows_label(rows)


def _small(text: str, theme: Theme) -> str:
    return f'<FONT COLOR="{theme.soft}" POINT-SIZE="10">{markup(text)}</FONT>'
