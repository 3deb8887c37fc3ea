"""From a history to what is known of it before anything is mined: names, storage, accesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

import numpy as np

from specminer._support.addresses import checksum_address
from specminer._support.errors import StoreError
from specminer._support.keccak import keccak
from specminer._support.texts import read_windows, sizes_of
from specminer.contracts.artifact import Artifact
from specminer.contracts.fitting_abi import fitting_artifact
from specminer.contracts.interface import Interface, from_artifact, from_code
from specminer.decoding.accesses import summarize_accesses
from specminer.decoding.artifacts import distinct_codes, shared_artifact
from specminer.decoding.calldata import decode_calls
from specminer.decoding.history_context import HistoryContext
from specminer.decoding.implementation_names import (
    codes_that_ran,
    contradictions,
    fitting_versions,
    with_common_enums,
    with_versions,
)
from specminer.decoding.storage_meaning import name_storage
from specminer.history.contract_history import CONSTRUCTOR, MISSING, History, slots
from specminer.history.lives import Destroys, divide_lives
from specminer.history.trace import Address
from specminer.replay.fork_schedule import rules_of_chain
from specminer.replay.machine_calls import FORKS

_MAX_CONTRACTS: Final = 64
"""Contracts at most whose code is compared with what ran."""
_DELEGATION: Final = bytes.fromhex("ef0100")
"""How the code of an account begins that delegates to another's (EIP-7702), and may do so to another at any time."""


def decode(history: History, artifact: Artifact | None = None) -> HistoryContext:
    """Name functions and variables, and summarise the accesses to storage; ``artifact`` overrides the stored ones.

    Raises:
        StoreError: the history holds no invocation.
        FileFormatError: the artifact's storage layout is malformed.

    """
    if not len(history):
        raise StoreError(
            f"no transaction of {_whose(history)} is there in {_complete(history)}; collect more of its blocks, or "
            "take all that is there (without --from-block and --to-block)"
        )
    unseen = _unseen_lives(history)
    history = separate_lives(history)
    contradiction, selectors = "", _selectors(history)
    if artifact is None:
        artifact, contradiction = shared_artifact(history, selectors)
    codes: dict[Address, bytes] = {}
    if artifact is not None and artifact.versions:
        codes = codes_that_ran(history)
        artifact = fitting_artifact(artifact.versions, list(codes.values())[::-1]) or artifact
    interface = _interface(history, artifact)
    # only what was given is judged: an interface recovered from bytecode may know less
    has_abi = artifact is not None and bool(artifact.abi)
    known_share = interface.share_known(selectors) if has_abi else 1.0
    if known_share == 0:  # not one call fits: its names and its layout would only mislead
        artifact = None
        interface = _interface(history, None)
    elif has_abi and known_share < 1:
        interface = _with_code_that_ran(interface, history, selectors)
    stored, differing = artifact, list[str]()
    if artifact is not None and artifact.versions:
        fitting = fitting_versions(artifact, codes)
        interface = with_versions(interface, fitting)
        differing = list(contradictions(fitting))
        stored = with_common_enums(artifact, fitting)
    slot_numbers = slots(history)
    storage = name_storage(history, stored, slot_numbers)
    return HistoryContext(
        history=history,
        interface=interface,
        locations=storage.locations,
        accesses=summarize_accesses(history, slot_numbers),
        calls=decode_calls(history, interface),
        artifact=artifact,
        known_share=known_share,
        layout_used=storage.layout_used,
        notes=(*([contradiction] if contradiction else []), *differing, *unseen, *storage.notes),
    )


def separate_lives(history: History) -> History:
    """Return a history in which each life of a contract stands by itself; the same one if no contract has several."""
    return divide_lives(history, _destruction_rules(history)) if len(history) else history


def _unseen_lives(history: History) -> list[str]:
    """Return a sentence for each contract whose code at the end is not what ran last: it was created again since."""
    if history.lives or not len(history) or len(history.contracts) > _MAX_CONTRACTS:
        return []
    sentences = []
    for owner, record in enumerate(history.contracts):
        rows = np.flatnonzero(history.invocation_contract == owner)
        created = rows[(history.invocation_kind[rows] == CONSTRUCTOR) & history.accepted[rows]]
        ran = rows[history.invocation_code_hash[rows] != MISSING]
        if not len(ran) or created.max(initial=-1) > ran[-1] or record.code[:3] in (b"", _DELEGATION):
            continue
        last = history.words[int(history.invocation_code_hash[ran[-1]])]
        if int.from_bytes(keccak(record.code), "big") != last:
            block = int(history.transaction_block[history.invocation_transaction[ran[-1]]])
            sentences.append(
                f"the code of {checksum_address(record.address)} at the end of what is collected is not what ran "
                f"last, in block {block:,}: it was created again since, in a life that is not in this history"
            )
    return sentences


def _destruction_rules(history: History) -> Destroys:
    """Return what tells whether a self-destruction ends a life that began in an earlier transaction."""
    rules = rules_of_chain(history.contracts[0].chain_id)

    def destroys(number: int, timestamp: int | None) -> bool | None:
        if rules is None or timestamp is None:
            return None
        return FORKS.index(rules(number, timestamp)) < FORKS.index("cancun")

    return destroys


def _complete(history: History) -> str:
    """Return which blocks were looked at, as words."""
    if not history.ranges:
        return "the blocks asked for, of which none was read"
    return "blocks " + ", ".join(f"{first:,} to {last:,}" for first, last in history.ranges[:5])


def _whose(history: History) -> str:
    address = checksum_address(history.contracts[0].address)
    return address if len(history.accounts) == 1 else f"the {len(history.accounts):,} contracts"


def _interface(history: History, artifact: Artifact | None) -> Interface:
    if artifact is not None and artifact.abi:
        return from_artifact(artifact)
    return from_code(distinct_codes(history.contracts))


def _with_code_that_ran(interface: Interface, history: History, selectors: Collection[bytes]) -> Interface:
    """Return a proxy's interface with the called functions that the ABI lacks but code that ran in the proxy has.

    They are the proxy's own, or of an implementation that was replaced, or of a facet whose ABI was not given.
    """
    proxies = [record for record in history.contracts if record.implementations]
    lacking = set(selectors) - interface.functions.keys()
    if not proxies or not lacking:
        return interface
    ran = [code for record in proxies for code in (*record.codes, *distinct_codes([record]))]
    return interface.completed(from_code(dict.fromkeys(ran)), lacking)


def _selectors(history: History) -> Counter[bytes]:
    """Return the selectors that were called, and how often."""
    data = history.invocation_data
    rows = np.flatnonzero((history.invocation_kind != CONSTRUCTOR) & (sizes_of(data) >= 4))
    selectors, counts = np.unique(read_windows(data, rows, 0, 4).view(">u4"), return_counts=True)
    return Counter(
        {
            word.to_bytes(4, "big"): count
            for word, count in zip(selectors.tolist(), counts.tolist(), strict=True)
        }
    )
