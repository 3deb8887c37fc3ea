"""The recorded calls as corpora of fuzzers: one sequence, from the creation on, in the form that the fuzzer stores.

Sources of the forms: echidna, ``lib/Echidna/Types/Tx.hs`` and hevm's ``AbiValue``; medusa, ``fuzzing/calls``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from specminer.contracts.abi_values import decode_values
from specminer.contracts.artifact import AbiEntry, Artifact
from specminer.contracts.interface import canonical, selector
from specminer.decoding.storage_values import ValueKind
from specminer.export.export_text import ExportText
from specminer.export.function_claims import LeftOut
from specminer.export.replayed_calls import RecordedCalls, ReplayedCall
from specminer.export.variables import word_type

_ECHIDNA_GAS: Final = 12_500_000
"""What echidna allows a transaction by default."""
_MEDUSA_GAS: Final = 12_500_000
MEDUSA_TARGET: Final = "0xa647ff3c36cfab592509e13860ab8c4f28781a66"
"""Where medusa deploys the first contract: what its default deployer, 0x30000, creates first."""


def echidna(artifact: Artifact, recorded: RecordedCalls) -> ExportText:
    """Return a file for ``coverage/`` in echidna's corpus directory."""
    entries = {selector(entry): entry for entry in artifact.abi if entry.type == "function"}
    written: list[dict[str, Any]] = []
    left_out = [*_foreign(recorded)]
    for call, delay in _delays(recorded):
        values = _solidity_call(call, entries)
        if values is None:
            left_out.append(
                _unsaid(call, "its arguments are no single words and no texts, or no function is called")
            )
            continue
        written.append(
            {
                "call": {"tag": "SolCall", "contents": values},
                "src": f"0x{call.sender.hex()}",
                "dst": f"0x{recorded.contract.hex()}",
                "gas": _ECHIDNA_GAS,
                "gasprice": "0x0",
                "value": hex(call.value),
                "delay": [hex(delay[0]), hex(delay[1])],
            }
        )
    return ExportText(text=json.dumps(written, indent=1) + "\n", left_out=tuple(left_out))


def medusa(recorded: RecordedCalls) -> ExportText:
    """Return a file for ``call_sequences/`` in medusa's corpus directory."""
    written = [
        {
            "call": {
                "from": f"0x{call.sender.hex()}",
                "to": MEDUSA_TARGET,
                "nonce": 0,
                "value": hex(call.value),
                "gasLimit": _MEDUSA_GAS,
                "gasPrice": "0x1",
                "gasFeeCap": "0x0",
                "gasTipCap": "0x0",
                "data": f"0x{call.data.hex()}",
            },
            "blockNumberDelay": delay[1],
            "blockTimestampDelay": delay[0],
        }
        for call, delay in _delays(recorded)
    ]
    return ExportText(text=json.dumps(written, indent=1) + "\n", left_out=tuple(_foreign(recorded)))


def _delays(recorded: RecordedCalls) -> Iterator[tuple[ReplayedCall, tuple[int, int]]]:
    """Yield the accepted calls with the seconds and blocks since the one before."""
    last = recorded.creation
    for call in recorded.calls:
        if call.accepted:
            yield call, (max(0, call.time - last.time), max(0, call.block - last.block))
            last = call


def _foreign(recorded: RecordedCalls) -> Iterator[LeftOut]:
    """Yield what no corpus can say."""
    for note in recorded.notes:
        yield LeftOut(scope="history", text="all calls", reason=note)
    if recorded.proxy is not None:
        yield LeftOut(
            scope="history",
            text="the proxy",
            reason="the fuzzer calls what is deployed there; deploy the proxy with its implementation first",
        )
    if any(answer for call in recorded.calls for answer in call.answers):
        yield LeftOut(
            scope="history",
            text="answers of other contracts",
            reason="the fuzzer calls what is deployed there",
        )


def _unsaid(call: ReplayedCall, reason: str) -> LeftOut:
    return LeftOut(
        scope=f"0x{call.data[:4].hex()}", text=f"the call in 0x{call.transaction.hex()}", reason=reason
    )


def _solidity_call(call: ReplayedCall, entries: dict[bytes, AbiEntry]) -> list[Any] | None:
    """Return the name of a called function and its arguments in echidna's form."""
    entry = entries.get(call.data[:4])
    if entry is None:
        return None
    types = [canonical(parameter) for parameter in entry.inputs]
    values = decode_values(types, call.data[4:])
    arguments = (
        None if values is None else [_value(kind, value) for kind, value in zip(types, values, strict=True)]
    )
    return None if arguments is None or None in arguments else [entry.name, arguments]


def _value(kind: str, value: Any) -> dict[str, Any] | None:
    if kind == "string":
        return {
            "tag": "AbiString",
            "contents": haskell_bytes(value if isinstance(value, bytes) else value.encode()),
        }
    if kind == "bytes":
        return {"tag": "AbiBytesDynamic", "contents": haskell_bytes(value)}
    word = word_type(kind)
    if word is None:
        return None
    match word.kind:
        case ValueKind.UINT:
            return {"tag": "AbiUInt", "contents": [word.bits, str(value)]}
        case ValueKind.INT:
            return {"tag": "AbiInt", "contents": [word.bits, str(value)]}
        case ValueKind.BOOL:
            return {"tag": "AbiBool", "contents": bool(value)}
        case ValueKind.ADDRESS:
            return {"tag": "AbiAddress", "contents": value if isinstance(value, str) else f"0x{value.hex()}"}
        case _:
            return {"tag": "AbiBytes", "contents": [word.bits // 8, haskell_bytes(value)]}


def haskell_bytes(data: Sequence[int]) -> str:
    """Return bytes as Haskell shows them, which is how echidna writes them into JSON."""
    text = ""
    after_number = False
    for octet in data:
        char = chr(octet)
        plain = 32 <= octet < 127 and char not in '"\\'
        if plain:
            text += ("\\&" if after_number and char.isdigit() else "") + char
        else:
            text += f"\\{octet}" if char not in '"\\' else f"\\{char}"
        after_number = not plain and char not in '"\\'
    return f'"{text}"'
