"""What several contracts that are mined together share: their ABI, their code, and a title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from specminer._support.addresses import checksum_address, ends_of
from specminer.contracts.artifact import Artifact, parse
from specminer.contracts.code_family import Family, family
from specminer.contracts.interface import from_artifact
from specminer.history.contract_history import History
from specminer.history.trace import ContractRecord

_KINDS: Final = 16
"""Families of code that are told apart; every further code is looked at by itself."""


def shared_artifact(history: History, selectors: Counter[bytes]) -> tuple[Artifact | None, str]:
    """Return the artifact stored with any of the contracts, and a sentence if those stored contradict each other.

    Of several the one is taken that knows most of the calls; then one with a storage layout; then the one
    stored most often; then the first.

    Raises:
        FileFormatError: a stored artifact is malformed.

    """
    counts = Counter(record.artifact for record in history.contracts if record.artifact is not None)
    artifacts = [(text, parse(text, "the stored artifact")) for text in counts]
    artifacts.sort(
        key=lambda item: (
            -from_artifact(item[1]).share_known(selectors),
            item[1].storage_layout is None,
            -counts[item[0]],
        )
    )
    if not artifacts:
        return None, ""
    text, best = artifacts[0]
    if all(_agree(best, other) for _, other in artifacts[1:]):
        return best, ""
    contract = next(record for record in history.contracts if record.artifact == text)
    return best, (
        f"the ABIs stored with the contracts contradict each other ({len(artifacts)} different ones); the one stored "
        f"with {checksum_address(contract.address)} is used for all: it knows most of the calls; give --abi FILE "
        "to choose another"
    )


def _agree(one: Artifact, other: Artifact) -> bool:
    """Whether two artifacts say the same, as far as both speak."""
    layouts = (one.storage_layout, other.storage_layout)
    return set(one.abi) == set(other.abi) and (None in layouts or layouts[0] == layouts[1])


def distinct_codes(contracts: Collection[ContractRecord]) -> list[bytes]:
    """Return the contracts' code and their implementations', one of each family."""
    codes = dict.fromkeys(
        code
        for record in contracts
        for code in (record.code, *(code for _, code in record.implementations))
        if code
    )
    kinds: list[Family] = []
    distinct: list[bytes] = []
    for code in codes:
        if not any(kind.holds(code) for kind in kinds):
            distinct.append(code)
            if len(kinds) < _KINDS:
                kinds.append(family(code))
    return distinct


def label(history: History) -> str:
    """Return what to call contracts that have no name: the first one's address, shortened, and how many more."""
    address = checksum_address(history.contracts[0].address)
    short = ends_of(address)
    more = len(history.accounts) - 1
    return f"{short} and {more:,} more" if more else short


def owner_name(history: History, owner: int) -> str:
    """Return a contract's address, and which life of it is meant where it has several."""
    address = checksum_address(history.contracts[owner].address)
    return f"{address}{_life_suffix(history, owner)}"


def owner_suffix(history: History, owner: int) -> str:
    """Return what to add to the name of something in a contract, where there are several contracts or lives."""
    suffix = _life_suffix(history, owner)
    if len(history.accounts) == 1:
        return suffix
    return f" at {checksum_address(history.contracts[owner].address)}{suffix}"


def _life_suffix(history: History, owner: int) -> str:
    life = history.lives[owner] if history.lives else None
    return f", life {life.number}" if life is not None and life.of > 1 else ""
