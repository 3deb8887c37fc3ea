"""From a history to what is known of it before anything is mined: names, storage, dependencies, entities."""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from specminer.calldata import Calls, calls
from specminer.chain.artifact import Artifact, parse
from specminer.chain.interface import Interface, from_artifact, from_code
from specminer.dependency import Touches, touches
from specminer.errors import StoreError
from specminer.history import CONSTRUCTOR, History
from specminer.interaction import Analysis, Evidence, analyse
from specminer.pipeline.locating import Located, located


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """A history with what its calls and its storage mean."""

    history: History
    artifact: Artifact | None
    """The one given or stored; ``None`` too if it is another contract's."""
    interface: Interface
    known: float
    """Share of the calls whose selectors the artifact given knows; 1 without one."""
    found: Located
    touched: Touches
    called: Calls
    analysis: Analysis

    @property
    def title(self) -> str:
        """The contract's name where it is known, else its shortened address."""
        address = to_checksum_address(self.history.contracts[0].address)
        return (self.artifact.name if self.artifact else None) or f"{address[:6]}…{address[-4:]}"


def understand(history: History, artifact: Artifact | None = None) -> Understood:
    """Name functions and variables, and find the sorts of entities; ``artifact`` overrides the stored one.

    Raises:
        StoreError: the history holds no invocation.
        FileFormatError: the artifact's storage layout is malformed.

    """
    if not len(history):
        raise StoreError(
            f"no transaction of {to_checksum_address(history.contracts[0].address)} is there in {_complete(history)}; "
            "collect more of its blocks, or mine all that is there (without --from-block and --to-block)"
        )
    stored = history.contracts[0].artifact
    if artifact is None and stored is not None:
        artifact = parse(stored, "the stored artifact")
    interface = _interface(history, artifact)
    # only what was given is judged: an interface recovered from bytecode may know less
    known = 1.0 if artifact is None else interface.share_known(_selectors(history))
    if known == 0:  # not one call fits: its names and its layout would only mislead
        artifact = None
        interface = _interface(history, None)
    found = located(history, artifact)
    touched = touches(history)
    called = calls(history, interface)
    return Understood(
        history=history,
        artifact=artifact,
        interface=interface,
        known=known,
        found=found,
        touched=touched,
        called=called,
        analysis=analyse(Evidence.gather(history, touched, found.locations, called)),
    )


def _complete(history: History) -> str:
    """Return which blocks were looked at, as words."""
    if not history.ranges:
        return "the blocks asked for, of which none was read"
    return "blocks " + ", ".join(f"{first:,} to {last:,}" for first, last in history.ranges[:5])


def _interface(history: History, artifact: Artifact | None) -> Interface:
    if artifact is not None and artifact.abi:
        return from_artifact(artifact)
    record = history.contracts[0]
    return from_code([record.code, *(code for _, code in record.implementations)])


def _selectors(history: History) -> list[bytes]:
    """Return the selector of each call that has one."""
    return [
        data[:4]
        for kind, data in zip(history.invocation_kind, history.invocation_data, strict=True)
        if kind != CONSTRUCTOR and len(data) >= 4
    ]
