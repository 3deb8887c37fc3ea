"""The calls of a transaction as a tree: those of traced contracts, what these call, and what lies between unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final

from specminer.explanation.known_names import KnownNames, cut_hex, shown_address
from specminer.explanation.transaction_document import CallStep, TreeCall
from specminer.history.trace import (
    NO_ADDRESS,
    Address,
    ExternalCall,
    Invocation,
    InvocationKind,
    Outcome,
    OutcomeKind,
    Transaction,
)

MAX_CALLS: Final = 2_000
"""Lines of one tree."""
Reason = Mapping[tuple[Address, int], tuple[str, ...]]
"""Evidence that names an invocation, by its contract and its position."""


@dataclass(slots=True)
class _CallNode:
    call: TreeCall
    order: tuple[int, int]
    """Where it stands among the calls around it: accesses and events before it, then the order in which it is met."""
    inside: list[_CallNode] = field(default_factory=list)


class CallTree:
    """Puts the parts of a transaction together, each what was recorded of one traced contract."""

    def __init__(self, parts: Sequence[Transaction], names: KnownNames, unusual: Reason) -> None:
        self._parts, self._names, self._unusual = parts, names, unusual
        self._waiting: list[tuple[_CallNode, ExternalCall, Address]] = []
        """Calls of traced contracts, whose insides may have been recorded with the contract that is called."""

    def lines(self) -> tuple[tuple[TreeCall, ...], int]:
        """Return the lines of the tree, each below the call around it, and how many there are in all."""
        item = self._parts[0]
        roots: list[tuple[Invocation, _CallNode]] = []
        for part in self._parts:
            roots += self._part(part)
        left = [(call, node) for call, node in roots if not self._adopt(call, node)]
        direct = [node for call, node in left if not call.depth]
        if direct:
            top = direct[0]
            top.inside += [node for call, node in left if call.depth]
        else:
            top = self._untraced_top(item, [call for call, _ in left], [node for _, node in left])
        flat = list(_flatten(top))
        return tuple(flat[:MAX_CALLS]), len(flat)

    def _untraced_top(
        self, item: Transaction, calls: Sequence[Invocation], nodes: Sequence[_CallNode]
    ) -> _CallNode:
        """Return the transaction's own call of a contract that was not traced, with the calls that it led to."""
        to = item.to or NO_ADDRESS
        top = TreeCall(
            level=0,
            step=CallStep.TRANSACTION,
            caller=shown_address(item.sender),
            callee=shown_address(to) if item.to is not None else "",
            function="" if item.to is not None else "constructor",
            value=str(item.value),
            outcome="returned" if item.succeeded else "failed",
        )
        node = _CallNode(call=top, order=(0, 0))
        between: dict[Address, _CallNode] = {}
        for call, inner in zip(calls, nodes, strict=True):
            if call.sender in (to, item.sender) or call.depth < 2:
                node.inside.append(inner)
                continue
            if call.sender not in between:
                unseen = TreeCall(
                    level=0,
                    step=CallStep.UNSEEN,
                    caller=shown_address(to),
                    callee=shown_address(call.sender),
                    function="",
                )
                between[call.sender] = _CallNode(call=unseen, order=inner.order)
                node.inside.append(between[call.sender])
            between[call.sender].inside.append(inner)
        return node

    def _adopt(self, call: Invocation, node: _CallNode) -> bool:
        """Put an invocation in the place of the call that a traced contract of another part makes; say whether it can.

        Within one part an invocation stands under its parent already; here the parts of several contracts meet.
        """
        for index, (outside, external, caller) in enumerate(self._waiting):
            if (external.to, caller) == (call.contract, call.sender) and call.data.startswith(external.data):
                outside.call, outside.inside = node.call, node.inside
                del self._waiting[index]
                return True
        return False

    def _part(self, item: Transaction) -> list[tuple[Invocation, _CallNode]]:
        """Return the outermost invocations of a part, with all inside them."""
        starts = list(accumulate((_start(call) for call in item.invocations), max))
        nodes = [
            _CallNode(call=self._invocation(call), order=(starts[index], index))
            for index, call in enumerate(item.invocations)
        ]
        roots = []
        for index, call in enumerate(item.invocations):
            node = nodes[index]
            for number, external in enumerate(call.calls or ()):
                outside = _CallNode(call=self._outside(call, external), order=(external.position, number))
                node.inside.append(outside)
                self._waiting.append((outside, external, call.contract))
            if call.parent is None:
                roots.append((call, node))
            else:
                self._nest(item.invocations[call.parent], nodes[call.parent], call, node)
        return roots

    def _nest(self, outer: Invocation, around: _CallNode, call: Invocation, node: _CallNode) -> None:
        """Put a re-entrant invocation under the call through which it came."""
        start, through = node.order[0], shown_address(call.sender)
        before = [
            outside
            for outside in around.inside
            if outside.call.step in (CallStep.OUTSIDE, CallStep.UNSEEN) and outside.order[0] <= start
        ]
        direct = [outside for outside in before if outside.call.callee == through]
        best = next(iter((direct or before)[::-1]), None)
        if best is None and outer.calls is None:
            unseen = TreeCall(
                level=0,
                step=CallStep.UNSEEN,
                caller=shown_address(outer.contract),
                callee=shown_address(call.sender),
                function="",
            )
            best = _CallNode(call=unseen, order=(start, len(around.inside)))
            around.inside.append(best)
        (around if best is None else best).inside.append(node)
        self._waiting = [item for item in self._waiting if item[0] is not best]

    def _invocation(self, call: Invocation) -> TreeCall:
        decoded = self._names.call(call.contract, call.kind, call.data, call.code)
        created = call.kind is InvocationKind.CONSTRUCTOR
        returned = call.outcome.kind in (OutcomeKind.RETURNED, OutcomeKind.ROLLED_BACK)
        answer = (
            self._names.answer(call.contract, call.data, call.outcome.data, call.code)
            if returned and not created
            else ()
        )
        return TreeCall(
            level=0,
            step=CallStep.INVOCATION,
            caller=shown_address(call.sender),
            callee=shown_address(call.contract),
            function=decoded.function,
            arguments=decoded.arguments,
            data=None if decoded.whole else cut_hex(call.data),
            value=str(call.value),
            outcome=call.outcome.kind.value,
            reason="" if returned else self._reason(call.contract, call.outcome),
            answer=answer or (),
            output=cut_hex(call.outcome.data) if answer is None else None,
            unusual=self._unusual.get((call.contract, call.position), ()),
        )

    def _reason(self, contract: Address, outcome: Outcome) -> str:
        if outcome.kind in (OutcomeKind.REVERTED, OutcomeKind.PANIC):
            return self._names.reason(contract, outcome.data)
        return ""

    def _outside(self, caller: Invocation, external: ExternalCall) -> TreeCall:
        if external.kind.creates:
            return TreeCall(
                level=0,
                step=CallStep.CREATION,
                caller=shown_address(caller.contract),
                callee=shown_address(external.to) if external.succeeded else "",
                function="constructor",
                value=str(external.value),
                outcome=_outcome(external),
                reason="" if external.succeeded else self._names.reason(external.to, external.output),
            )
        decoded = self._names.call(external.to, InvocationKind.INTERNAL, external.data)
        whole = decoded.whole and external.data_size == len(external.data)
        answer = self._names.answer(external.to, external.data, external.output) if external.succeeded else ()
        cut = external.output_size != len(external.output)
        return TreeCall(
            level=0,
            step=CallStep.OUTSIDE,
            caller=shown_address(caller.contract),
            callee=shown_address(external.to),
            function=decoded.function,
            arguments=decoded.arguments,
            data=None if whole else cut_hex(external.data),
            value=str(external.value),
            outcome=_outcome(external),
            reason="" if external.succeeded else self._names.reason(external.to, external.output),
            answer=answer or (),
            output=cut_hex(external.output) if answer is None or (cut and not answer) else None,
        )


def _outcome(external: ExternalCall) -> str:
    if not external.succeeded:
        return "failed"
    return "rolled back" if external.undone else "returned"


def _start(call: Invocation) -> int:
    """Return about how many accesses and events of the transaction came before an invocation; 0 if nothing tells."""
    first = [
        *(access.position for access in call.accesses[:1]),
        *(event.position for event in call.events[:1]),
        *(external.position for external in (call.calls or ())[:1]),
    ]
    return min(first, default=0)


def _flatten(top: _CallNode) -> Iterator[TreeCall]:
    """Yield the lines of a tree without recursion: calls may be nested a thousand deep."""
    stack = [(top, 0)]
    while stack:
        node, level = stack.pop()
        yield replace(node.call, level=level)
        stack += [
            (inner, level + 1) for inner in sorted(node.inside, key=lambda item: item.order, reverse=True)
        ]
