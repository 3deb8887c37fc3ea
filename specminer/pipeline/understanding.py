"""From a history to what is known of it before anything is mined: names, storage, dependencies, entities."""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.address import to_checksum_address

from specminer.calldata import Calls, calls
from specminer.chain.artifact import Artifact
from specminer.chain.interface import Interface, from_artifact, from_code
from specminer.dependency import Touches, touches
from specminer.errors import StoreError
from specminer.history import CONSTRUCTOR, History, slots
from specminer.interaction import Analysis, Evidence, analyse
from specminer.pipeline.locating import Located, located
from specminer.pipeline.siblings import distinct_codes, label, shared_artifact


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

    contradiction: str
    """What the stored artifacts contradict each other in, as a sentence; empty if in nothing."""

    @property
    def title(self) -> str:
        """The contract's name where it is known, else its shortened address."""
        return (self.artifact.name if self.artifact else None) or label(self.history)


def understand(history: History, artifact: Artifact | None = None) -> Understood:
    """Name functions and variables, and find the sorts of entities; ``artifact`` overrides the stored ones.

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
    found = located(history, artifact, numbered)
    touched = touches(history, numbered)
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
        contradiction=contradiction,
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
