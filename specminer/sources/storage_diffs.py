"""What nodes say of the storage that each transaction found and left: net, without order, and not always right.

From tables (cryo's and Xatu's ``storage_diffs``, cryo's ``storage_reads``), and from the ``stateDiff`` of
``trace_replay*``. It is evidence beside an execution, never taken without it where the two contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from string import hexdigits
from typing import Any, Final

from specminer._support.errors import FileFormatError, plain
from specminer.history.trace import WORD_LIMIT, Address, Hash
from specminer.sources.export_fields import Fields, RecordError, describe_value, is_given, read_bytes
from specminer.sources.export_rows import read_rows

_OWNERS: Final = ("address", "contract_address", "contractAddress")
_DIGITS: Final = frozenset(hexdigits)
_WORD: Final = 66
"""Characters of a word in hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotEvidence:
    """What a slot held before and after a transaction; ``None`` where nobody says."""

    before: int | None = None
    after: int | None = None
    """Not told of slots that were only read."""


StorageDiffs = dict[Hash, dict[tuple[Address, int], SlotEvidence]]
"""By transaction, contract and slot."""


def read_diffs(path: Path) -> StorageDiffs:
    """Read a table of storage differences, or of reads.

    Raises:
        FileFormatError: it cannot be read, or a field is malformed; names file, record and field.

    """
    diffs: StorageDiffs = {}
    for where, fields in read_rows(path, ("hash", "slot")):
        try:
            transaction = Hash(read_bytes(fields, "hash", 32))
            name = next((name for name in _OWNERS if is_given(fields, name)), "address")
            owner = Address(read_bytes(fields, name, 20))
            slot = _word(fields, "slot")
            if "to_value" in fields:
                evidence = SlotEvidence(before=_word(fields, "from_value"), after=_word(fields, "to_value"))
            else:
                evidence = SlotEvidence(before=_word(fields, "value"))
            add_evidence(diffs, transaction, (owner, slot), evidence)
        except RecordError as error:
            raise FileFormatError(f"{plain(path)}, {where}: {error}") from None
    return diffs


def add_evidence(
    diffs: StorageDiffs, transaction: Hash, slot: tuple[Address, int], evidence: SlotEvidence
) -> None:
    """Add what is told of a slot: of several rows the first tells what it held, the last what it holds."""
    slots = diffs.setdefault(transaction, {})
    earlier = slots.get(slot)
    if earlier is None:
        slots[slot] = evidence
    elif evidence.after is not None:
        slots[slot] = replace(earlier, after=evidence.after)


def add_diffs(diffs: StorageDiffs, more: StorageDiffs) -> None:
    """Add the evidence of another file."""
    for transaction, slots in more.items():
        for slot, evidence in slots.items():
            add_evidence(diffs, transaction, slot, evidence)


def diffs_of_state(document: Any) -> Iterator[tuple[tuple[Address, int], SlotEvidence]]:
    """Yield what a ``stateDiff`` says of storage.

    Raises:
        RecordError: it is none.

    """
    if document is None:
        return
    if not isinstance(document, dict):
        raise RecordError(f"stateDiff should be an object, got {describe_value(document)}")
    for account, changes in document.items():
        owner = Address(read_bytes({"account": account}, "account", 20))
        storage = changes.get("storage") if isinstance(changes, dict) else None
        if not isinstance(storage, dict):
            continue
        for slot, change in storage.items():
            evidence = _change(change)
            if evidence is not None:
                yield (owner, _word({"slot": slot}, "slot")), evidence


def _change(change: Any) -> SlotEvidence | None:
    """Return what a slot's change says; ``None`` if it did not change."""
    if change == "=":
        return None
    if isinstance(change, dict) and len(change) == 1:
        ((kind, value),) = change.items()
        if kind == "*" and isinstance(value, dict):
            return SlotEvidence(before=_word(value, "from"), after=_word(value, "to"))
        if kind == "+":
            return SlotEvidence(before=0, after=_word(change, "+"))
        if kind == "-":
            return SlotEvidence(before=_word(change, "-"), after=0)
    raise RecordError(f"a change in stateDiff should be '=', '+', '-' or '*', got {describe_value(change)}")


def _word(fields: Fields | Mapping[str, Any], name: str) -> int:
    """Read a word, of at most 32 bytes.

    Raises:
        RecordError: it is none.

    """
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < WORD_LIMIT:
        return value
    if isinstance(value, str) and value[:2] == "0x" and len(value) <= _WORD and set(value[2:]) <= _DIGITS:
        return int(value[2:] or "0", 16)
    raise RecordError(f"{name} should be 0x and up to 64 hexadecimal digits, got {describe_value(value)}")
