"""The recorded calls of one contract, as other tools replay them: in order, each with who sent it, when, and answers.

What one contract did is replayed without the others: what they answered is told beforehand. A call in which the
contract was entered again cannot be replayed so, and nothing behind it can be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from specminer._support.errors import UsageError
from specminer.contracts.abi_values import decode_values
from specminer.contracts.artifact import Artifact, Parameter
from specminer.contracts.interface import canonical
from specminer.export.variables import head_words
from specminer.history.contract_history import CALLS, KINDS, MISSING, OUTCOMES, History
from specminer.history.trace import LAST_PRECOMPILED, Address, CallKind, InvocationKind, OutcomeKind

_UNTOLD: Final = frozenset({OutcomeKind.OUT_OF_GAS, OutcomeKind.FAILED, OutcomeKind.ROLLED_BACK})
"""Outcomes that prove nothing about the contract, or that left nothing."""
_MAX_ARGUMENT_WORDS: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswer:
    """What another contract answered."""

    to: Address
    selector: bytes
    """The first bytes of what it was asked, four at most; none for a payment."""
    output: bytes
    succeeded: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedCall:
    """One call of the contract, the constructor's included."""

    transaction: bytes
    sender: Address
    origin: Address
    value: int
    """Wei."""
    time: int
    """Unix seconds."""
    block: int
    data: bytes
    """Calldata; of the constructor its arguments."""
    accepted: bool
    answers: tuple[RecordedAnswer, ...] = ()
    code: Address | None = None
    """Whose code ran; ``None`` if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedProxy:
    """A contract that hands its calls on to the code of others."""

    creation_code: bytes
    """What created it, its arguments included."""
    implementation: Address
    """Where the newest code is, which the source is of."""
    other_codes: tuple[tuple[Address, bytes], ...]
    """Whose code ran besides, with the runtime code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCalls:
    """What can be replayed of a contract's history, in order."""

    contract: Address
    creation: ReplayedCall
    calls: tuple[ReplayedCall, ...]
    notes: tuple[str, ...]
    """What cannot be, in sentences."""
    proxy: ReplayedProxy | None = None
    """``None`` for a contract that runs its own code."""


def read_calls(history: History, artifact: Artifact, limit: int) -> RecordedCalls:
    """Return the calls of a history's first contract, from its creation on.

    Args:
        history: of one or more contracts; lives are not told apart.
        artifact: tells where the arguments begin behind the creation code.
        limit: calls at most.

    Raises:
        UsageError: the history does not hold the creation, or not whose code ran in a proxy.

    """
    rows = [row for row in range(len(history)) if history.invocation_contract[row] == 0]
    created = next(
        (row for row in rows if _kind(history, row) is InvocationKind.CONSTRUCTOR and history.accepted[row]),
        None,
    )
    if created is None:
        raise UsageError(
            "this format replays a contract from its creation on, which the history does not hold"
        )
    notes = []
    if len(history.contracts) > 1:
        notes.append(f"Of {len(history.contracts):,} contracts, the first one's calls are replayed.")
    replayed = [row for row in rows if row > created]
    end = next((index for index, row in enumerate(replayed) if _ends(history, row)), len(replayed))
    if end < len(replayed):
        notes.append(
            f"The replay ends after {end:,} of {len(replayed):,} calls: in the next one the contract was entered "
            "again, or created again."
        )
    calls = [row for row in replayed[:end] if OUTCOMES[history.invocation_outcome[row]] not in _UNTOLD]
    if len(calls) > limit:
        notes.append(f"The first {limit:,} of {len(calls):,} calls are replayed.")
    creation = _call(history, created)
    proxy = _proxy(history, calls, creation.data)
    arguments = b""
    if proxy is None:
        arguments = constructor_arguments(creation.data, constructor_inputs(artifact))
    return RecordedCalls(
        contract=history.contracts[0].address,
        creation=ReplayedCall(
            transaction=creation.transaction,
            sender=creation.sender,
            origin=creation.origin,
            value=creation.value,
            time=creation.time,
            block=creation.block,
            data=arguments,
            accepted=True,
            answers=creation.answers,
        ),
        calls=tuple(_call(history, row) for row in calls[:limit]),
        notes=tuple(notes),
        proxy=proxy,
    )


def _proxy(history: History, rows: Sequence[int], creation_code: bytes) -> ReplayedProxy | None:
    """Return how the first contract hands calls on; ``None`` if it runs its own code.

    Raises:
        UsageError: it is not known whose code ran last.

    """
    record = history.contracts[0]
    if not record.implementations:
        return None
    code_of = dict(record.implementations)
    ran = [_code(history, row) for row in rows]
    newest = next((code for code in reversed(ran) if code in code_of), None)
    if newest is None:
        raise UsageError(
            "this format deploys the code anew that a proxy handed its calls on to, but the history does not tell "
            "which that is; collect it from a node that traces calls"
        )
    others = tuple((address, code) for address, code in record.implementations if address != newest)
    return ReplayedProxy(creation_code=creation_code, implementation=newest, other_codes=others)


def _code(history: History, row: int) -> Address | None:
    index = int(history.invocation_code[row])
    return None if index == MISSING else history.addresses[index]


def _kind(history: History, row: int) -> InvocationKind:
    return KINDS[int(history.invocation_kind[row])]


def _ends(history: History, row: int) -> bool:
    """Whether a call cannot be replayed, nor what is behind it."""
    entered_again = history.invocation_parent[row] != MISSING
    return entered_again or _kind(history, row) is InvocationKind.CONSTRUCTOR


def _call(history: History, row: int) -> ReplayedCall:
    transaction = int(history.invocation_transaction[row])
    return ReplayedCall(
        transaction=history.transaction_hash[transaction],
        sender=history.addresses[history.invocation_sender[row]],
        origin=history.addresses[history.transaction_origin[transaction]],
        value=history.words[history.invocation_value[row]],
        time=max(0, int(history.transaction_time[transaction])),
        block=int(history.transaction_block[transaction]),
        data=history.invocation_data[row],
        accepted=bool(history.accepted[row]),
        answers=tuple(_answers(history, row)),
        code=_code(history, row),
    )


def _answers(history: History, row: int) -> Iterator[RecordedAnswer]:
    """Yield what other contracts answered, without payments that succeeded and precompiled contracts."""
    answers = history.answers
    if answers is None:
        return
    span = answers.calls(row)
    for index in range(span.start, span.stop):
        to = history.addresses[answers.call_to[index]]
        selector = int(answers.call_selector[index])
        succeeded = bool(answers.call_succeeded[index])
        is_plain_call = CALLS[answers.call_kind[index]] in (CallKind.CALL, CallKind.STATICCALL)
        if (
            not is_plain_call
            or int.from_bytes(to, "big") <= LAST_PRECOMPILED
            or (succeeded and selector == MISSING)
        ):
            continue
        yield RecordedAnswer(
            to=to,
            selector=b"" if selector == MISSING else selector.to_bytes(4, "big"),
            output=answers.outputs[answers.call_output[index]],
            succeeded=succeeded,
        )


def constructor_inputs(artifact: Artifact) -> tuple[Parameter, ...]:
    """Return the parameters of the constructor."""
    return next((entry.inputs for entry in artifact.abi if entry.type == "constructor"), ())


def constructor_arguments(data: bytes, inputs: Sequence[Parameter]) -> bytes:
    """Return the arguments that stand behind a contract's creation code.

    Raises:
        UsageError: nothing behind the code can be read as these types.

    """
    if not inputs:
        return b""
    sizes = [head_words(parameter) for parameter in inputs]
    least = sum(size or 1 for size in sizes)
    most = least if None not in sizes else _MAX_ARGUMENT_WORDS
    types = [canonical(parameter) for parameter in inputs]
    for words in range(least, most + 1):
        tail = data[-32 * words :]
        if len(tail) == 32 * words and decode_values(types, tail) is not None and _begins(tail, sizes):
            return tail
    raise UsageError(
        "the arguments of the constructor cannot be told from its code; is this the contract's ABI?"
    )


def _begins(tail: bytes, sizes: Sequence[int | None]) -> bool:
    """Whether the first text or array begins right behind the heads, as encoders write it."""
    position = 0
    for size in sizes:
        if size is None:
            first = int.from_bytes(tail[position : position + 32], "big")
            return first == 32 * sum(item or 1 for item in sizes)
        position += 32 * size
    return True
