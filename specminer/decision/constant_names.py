"""Names of constants: of getters that return them, of roles and type hashes that are hashes of usual words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from specminer._support.addresses import checksum_address
from specminer.contracts.artifact import AbiEntry, Artifact
from specminer.contracts.interface import MAX_CODE, selector
from specminer.decoding.storage_values import ValueKind
from specminer.decoding.usual_keys import hashed_text, usual_roles
from specminer.evm.alone import CallRecording, pursue
from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext, FrameKind

LARGE: Final = 1 << 64
"""Smaller numbers are not taken for names: they say more as they are."""
MIN_MASK: Final = 1 << 24
"""Smaller numbers are found in any code, so that a getter's name for one would mostly be another's."""
MAX_GETTERS: Final = 128
MAX_STEPS: Final = 5_000
"""Opcodes that a getter of a constant may take."""
_CAPITALS: Final = re.compile(r"[A-Z][A-Z0-9_]{2,79}", re.ASCII)
_PERMIT: Final = "address owner,address spender,uint256 value,uint256 nonce,uint256 deadline"
_TYPE_HASHES: Final = {
    f"Permit({_PERMIT})": "PERMIT_TYPEHASH",
    "Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)": "PERMIT_TYPEHASH",
    "Delegation(address delegatee,uint256 nonce,uint256 expiry)": "DELEGATION_TYPEHASH",
    "Ballot(uint256 proposalId,uint8 support)": "BALLOT_TYPEHASH",
    "Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)": "BALLOT_TYPEHASH",
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)": "DOMAIN_TYPEHASH",
    "EIP712Domain(string name,uint256 chainId,address verifyingContract)": "DOMAIN_TYPEHASH",
    "EIP712Domain(uint256 chainId,address verifyingContract)": "DOMAIN_TYPEHASH",
    "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,"
    "uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)": "SAFE_TX_TYPEHASH",
    "SafeMessage(bytes message)": "SAFE_MSG_TYPEHASH",
}
"""What is hashed: EIP-2612 and its forerunner, votes, EIP-712, Safe."""


def is_round(value: int) -> bool:
    """Whether a number is one that code is full of, whatever for: a power of two or one less, or of many zeros."""
    power = value.bit_count() == 1 or (value + 1).bit_count() == 1
    return power or value % 1_000_000 == 0 or value % 86_400 == 0


def digits(value: int) -> str:
    """Return a number as people write it: large powers of two as such."""
    for number, suffix in ((value, ""), (value + 1, " - 1")):
        if number >= 1 << 32 and number.bit_count() == 1:
            return f"2**{number.bit_length() - 1}{suffix}"
    return str(value)


def _usual() -> dict[int, str]:
    return usual_roles() | {hashed_text(text): name for text, name in _TYPE_HASHES.items()}


class ConstantNames:
    """The names of a contract's constants."""

    def __init__(self, artifact: Artifact | None, codes: Iterable[bytes]) -> None:
        """Run the ABI's functions without arguments: what reads no storage is a constant of the code.

        Args:
            artifact: the ABI; ``None`` if there is none.
            codes: runtime codes, those that ran last first.

        """
        self._usual_names = _usual()
        self._words: dict[int, str | None] = {}
        self._roles: dict[int, str | None] = {}
        entries = [] if artifact is None else [item for item in artifact.abi if _is_getter(item)]
        for entry in entries[:MAX_GETTERS]:
            if _CAPITALS.fullmatch(entry.name):
                self._usual_names.setdefault(hashed_text(entry.name), entry.name)
        for code in [item for item in codes if 0 < len(item) <= MAX_CODE][:2]:
            for entry in entries[:MAX_GETTERS]:
                value = _constant(code, entry)
                if value is not None:
                    self._add(entry, value)

    def _add(self, entry: AbiEntry, value: int) -> None:
        table = self._roles if entry.outputs[0].type == "bytes32" else self._words
        name = table.get(value, entry.name)
        table[value] = entry.name if name == entry.name else None  # several have it: none tells

    def name(self, value: int, kind: ValueKind = ValueKind.WORD) -> str | None:
        """Return what a constant is called; ``None`` for small numbers and what has no name of its own."""
        if kind is ValueKind.BYTES and value in self._roles:
            return self._roles[value]
        if value < LARGE or value > (1 << 256) - LARGE:
            return self._words.get(value) if MIN_MASK <= value < LARGE and not is_round(value) else None
        if is_round(value):
            return None
        return self._roles.get(value) or self._words.get(value) or self._usual_names.get(value)

    def text(self, value: int, kind: ValueKind = ValueKind.WORD) -> str:
        """Return a constant as it is read: its name, else its digits."""
        name = self.name(value, kind)
        if name is not None:
            return name
        if kind is ValueKind.BOOL and value < 2:
            return "true" if value else "false"
        if kind is ValueKind.ADDRESS and 0 < value < 1 << 160:
            return checksum_address(value.to_bytes(20, "big"))
        if kind is ValueKind.WORD and 1 << 120 <= value < 1 << 160:
            return checksum_address(value.to_bytes(20, "big"))
        if kind is ValueKind.BYTES:
            return "0" if not value else f"0x{value:064x}"
        if kind is ValueKind.INT and value >> 255:
            return str(value - (1 << 256))
        return digits(value) if kind is ValueKind.UINT or value < 1 << 96 or is_round(value) else hex(value)


def _is_getter(entry: AbiEntry) -> bool:
    reads = entry.constant or entry.state_mutability in ("view", "pure")
    return entry.type == "function" and reads and not entry.inputs and len(entry.outputs) == 1


def _constant(code: bytes, entry: AbiEntry) -> int | None:
    """Return what a getter returns without looking at anything; ``None`` if it does, or fails."""
    if entry.outputs[0].type in ("string", "bytes") or "[" in entry.outputs[0].type:
        return None
    recording = CallRecording(
        contract=_SOMEWHERE,
        kind=FrameKind.STATICCALL,
        caller=_SOMEONE,
        origin=_SOMEONE,
        value=0,
        data=selector(entry),
        gas=1 << 40,
        halt=None,
        output=b"",
    )
    outputs = set()
    for number in (1, 2):
        block = BlockContext(number=number, timestamp=number)
        run = pursue(recording, FORKS[_NEWEST], block, {_SOMEWHERE: code}, max_steps=MAX_STEPS)
        # it ends otherwise than "recorded", which is how its output comes here
        outputs.add(run.output if run.halt is None and len(run.output) == 32 else None)
    output = outputs.pop()
    return int.from_bytes(output, "big") if output is not None and not outputs else None


_SOMEWHERE: Final = 0xC0DE << 64
_SOMEONE: Final = 0xCA11 << 64
_NEWEST: Final = list(FORKS)[-1]
