"""Keys of mappings that no call brings along: roles, which are hashes of usual words or stand in the code."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from specminer._support.keccak import keccak

MAX_PUSHED: Final = 1024
"""Long constants of code that are tried as keys."""
_LONG: Final = 1 << 128
_PUSH1, _PUSH32 = 0x60, 0x7F

ROLES: Final = (
    *("ADMIN_ROLE", "MINTER_ROLE", "BURNER_ROLE", "PAUSER_ROLE", "UNPAUSER_ROLE", "UPGRADER_ROLE"),
    *("SNAPSHOT_ROLE", "OPERATOR_ROLE", "MANAGER_ROLE", "GOVERNOR_ROLE", "GUARDIAN_ROLE", "KEEPER_ROLE"),
    *("PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE", "TIMELOCK_ADMIN_ROLE", "TRANSFER_ROLE"),
    *("DEPOSITOR_ROLE", "WITHDRAWER_ROLE", "RELAYER_ROLE", "ORACLE_ROLE", "SIGNER_ROLE", "TREASURY_ROLE"),
    *("URI_SETTER_ROLE", "METADATA_ROLE", "WHITELIST_ROLE", "WHITELISTER_ROLE", "BLACKLISTER_ROLE"),
    *("OWNER_ROLE", "STRATEGIST_ROLE", "EMERGENCY_ROLE", "EMERGENCY_ADMIN_ROLE", "POOL_ADMIN_ROLE"),
    *("REWARDER_ROLE", "DISTRIBUTOR_ROLE", "FEE_MANAGER_ROLE", "VALIDATOR_ROLE", "CONTROLLER_ROLE"),
    *("CLAIMER_ROLE", "CREATOR_ROLE", "MODERATOR_ROLE", "SUPPLY_ROLE", "RESCUER_ROLE", "SETTLER_ROLE"),
    *("PREDICATE_ROLE", "CONFIG_ROLE", "DEVELOPER_ROLE", "BRIDGE_ROLE", "REDEEMER_ROLE", "STAKER_ROLE"),
)
"""Names of roles that contracts usually have; a role is the hash of its name."""


def hashed_text(text: str) -> int:
    """Return the hash of a text as a word."""
    return int.from_bytes(keccak(text.encode("utf-8", "replace")), "big")


@cache
def usual_roles() -> dict[int, str]:
    """Return the usual roles by their hashes."""
    return {hashed_text(name): name for name in ROLES}


def pushed_words(codes: Iterable[bytes]) -> list[int]:
    """Return the long constants that codes push, each once, at most ``MAX_PUSHED``."""
    words: dict[int, None] = {}
    for code in codes:
        position = 0
        while position < len(code):
            opcode = code[position]
            width = opcode - _PUSH1 + 1 if _PUSH1 <= opcode <= _PUSH32 else 0
            if width > 16:
                word = int.from_bytes(code[position + 1 : position + 1 + width], "big")
                if word >= _LONG:
                    words[word] = None
            position += 1 + width
    return list(words)[:MAX_PUSHED]
