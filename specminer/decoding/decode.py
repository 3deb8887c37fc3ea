"""From a history to what is known of it before anything is mined: names, storage, accesses."""

from __future__ import annotations

from eth_utils.address import to_checksum_address

from specminer.chain.artifact import Artifact
from specminer.chain.interface import Interface, from_artifact, from_code
from specminer.decoding.accesses import summarize_accesses
from specminer.decoding.artifacts import distinct_codes, shared_artifact
from specminer.decoding.calldata import decode_calls
from specminer.decoding.context import HistoryContext
from specminer.decoding.storage import name_storage
from specminer.errors import StoreError
from specminer.history import CONSTRUCTOR, History, slots


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
    contradiction = ""
    if artifact is None:
        artifact, contradiction = shared_artifact(history, _selectors(history))
    interface = _interface(history, artifact)
    # only what was given is judged: an interface recovered from bytecode may know less
    judged = artifact is not None and bool(artifact.abi)
    known = interface.share_known(_selectors(history)) if judged else 1.0
    if known == 0:  # not one call fits: its names and its layout would only mislead
        artifact = None
        interface = _interface(history, None)
    numbered = slots(history)
    storage = name_storage(history, artifact, numbered)
    return HistoryContext(
        history=history,
        interface=interface,
        locations=storage.locations,
        accesses=summarize_accesses(history, numbered),
        calls=decode_calls(history, interface),
        artifact=artifact,
        known_share=known,
        layout_used=storage.layout_used,
        notes=(*([contradiction] if contradiction else []), *storage.notes),
    )


def _complete(history: History) -> str:
    """Return which blocks were looked at, as words."""
    if not history.ranges:
        return "the blocks asked for, of which none was read"
    return "blocks " + ", ".join(f"{first:,} to {last:,}" for first, last in history.ranges[:5])


def _whose(history: History) -> str:
    address = to_checksum_address(history.contracts[0].address)
    return address if len(history.contracts) == 1 else f"the {len(history.contracts):,} contracts"


def _interface(history: History, artifact: Artifact | None) -> Interface:
    if artifact is not None and artifact.abi:
        return from_artifact(artifact)
    return from_code(distinct_codes(history.contracts))


def _selectors(history: History) -> list[bytes]:
    """Return the selector of each call that has one."""
    return [
        data[:4]
        for kind, data in zip(history.invocation_kind, history.invocation_data, strict=True)
        if kind != CONSTRUCTOR and len(data) >= 4
    ]
