"""What the shadow tells of one call of a watched contract."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from specminer.evm.frame import FrameKind
from specminer.shadow.arena import Arena, Part
from specminer.shadow.foreign_calls import ForeignCall

MAX_ENTRIES: Final = 1 << 14
"""Decisions, or effects of a kind, that a record holds at most."""


class Decision(NamedTuple):
    """A conditional jump over an expression, or a jump to a target that is one: that it equals what it was."""

    frame: int
    """Number of the frame in the transaction, in order of entry."""
    counter: int
    """Program counter of the jump."""
    condition: int
    """The node of what was decided upon."""
    value: int
    taken: bool
    site: int = 0
    """Where in the code it was decided, by the number of :meth:`Arena.site`; 0 if that is not known."""


class SlotEffect(NamedTuple):
    """A write to storage."""

    slot: int
    slot_node: int | None
    before: int
    before_node: int | None
    """``None`` also if the call never read what was there."""
    value: int
    node: int | None
    undone: bool = False
    decisions_before: int = 0
    """How many decisions the record held before."""


class LogEffect(NamedTuple):
    """An event."""

    topics: tuple[int, ...]
    nodes: tuple[int | None, ...]
    """Those of the topics."""
    undone: bool = False
    decisions_before: int = 0
    """How many decisions the record held before."""
    data: tuple[Part, ...] | None = None
    """The first bytes of what it says besides, at most ``MAX_DATA``; ``None`` if that is too much or not known."""


class CallEffect(NamedTuple):
    """A call of another contract, or a creation."""

    number: int
    """Its number in ``Arena.foreign``: answers are told by it, and calls that ask the same have the same."""
    kind: FrameKind
    to: int
    """Zero for a creation."""
    to_node: int | None
    value: int
    value_node: int | None
    undone: bool = False
    decisions_before: int = 0
    """How many decisions the record held before."""


class ShadowRecord:
    """The decisions and effects of one call of a contract, its delegatecalls and calls of itself included."""

    def __init__(self, arena: Arena, contract: int, frame: int) -> None:
        self.arena = arena
        self.contract = contract
        self.frame = frame
        """Number of the call's own frame in the transaction."""
        self.inputs: dict[int, int] = {}
        """What sources and opaque nodes held."""
        self.decisions: list[Decision] = []
        self.writes: list[SlotEffect] = []
        self.logs: list[LogEffect] = []
        self.calls: list[CallEffect] = []
        self.call_counts: dict[ForeignCall, int] = {}
        """How many calls asked the same, by what they ask."""
        self.handed_on: list[int] = []
        """Addresses of the codes that ran with the whole calldata of the call, in order, each once."""
        self.dynamic_calls: set[int] = set()
        """Numbers of delegatecalls, and of calls of the contract by itself, whose function data chose, not the code."""
        self.dynamic_frames: set[int] = set()
        """Numbers of the frames that these calls, and calls inside them, opened."""
        self.is_truncated = False
        """Whether there was more than a record holds."""
        self.slots: dict[int, tuple[int, int]] = {}
        """For slots read or written: the node of what they hold, and the value that it stands for."""
        self.transients: dict[int, tuple[int, int]] = {}
        self.accessed = 0
        """How many SLOAD and SSTORE there were, undone ones included."""
        self.access_slots: list[tuple[int | None, int]] = []
        """Of the first ``MAX_ENTRIES`` of these the slot: its node, ``None`` if it follows from the code alone, and its
        number."""
        self.access_decided: list[int] = []
        """For each of these how many decisions the record held before."""
        self.output_varies = False
        """Whether the size of what the call returned or reverted with, or where it came from, does not follow from the
        path that it took."""
        self.output: tuple[tuple[int, Part], ...] = ()
        """Where parts of it came from, by the distance from its beginning; the other bytes follow from the path."""
        self.read_at: dict[int, int] = {}
        """For nodes of storage: which of these accesses read them first."""
        self.questions = 0
        """How many questions about accounts, blocks and transient storage there were; not those for gas left."""
        self.told_at: dict[int, int] = {}
        """For nodes of answers to these questions: which of them told them first."""
        self._versions: dict[tuple[object, ...], int] = {}

    def source(self, value: int, *key: object) -> int:
        """Return the node of a source that has one value during the whole call."""
        node = self.arena.node(*key)
        if node:
            self.inputs[node] = value
        return node

    def versioned_node(self, value: int, *key: object) -> int:
        """Return the node of a source whose value may change during the call: each value has its own."""
        version = self._versions.get(key, 0)
        node = self.arena.node(*key, version)
        if not node:
            return node
        first_value = self.inputs.setdefault(node, value)
        if first_value != value:
            node = self.arena.node(*key, version + 1)
            if node:
                self._versions[key] = version + 1
                self.inputs[node] = value
        return node

    def answer_node(self, node: int) -> int:
        """Return the node of an answer to a question, and note which question it was."""
        self.told_at.setdefault(node, self.questions)
        self.questions += 1
        return node

    def note_computed(self, node: int | None, value: int) -> int | None:
        """Return a node that was just made, and note its value if it is opaque."""
        if node in self.arena.opaque:
            self.inputs[node] = value
        return node

    def accesses(self, node: int | None, slot: int) -> None:
        """Note that a slot is read or written."""
        self.accessed += 1
        if len(self.access_slots) < MAX_ENTRIES:
            self.access_slots.append((node, slot))
            self.access_decided.append(len(self.decisions))

    def operand(self, node: int | None, value: int) -> int:
        """Return the node of an operand, which may be a constant."""
        return self.arena.constant(value) if node is None else node

    def marks(self) -> tuple[int, int, int]:
        """Return how many effects of each kind there are, for :meth:`undo`."""
        return len(self.writes), len(self.logs), len(self.calls)

    def undo(self, marks: tuple[int, int, int]) -> None:
        """Mark the effects since then as undone."""
        writes, logs, calls = marks
        self.writes[writes:] = [item._replace(undone=True) for item in self.writes[writes:]]
        self.logs[logs:] = [item._replace(undone=True) for item in self.logs[logs:]]
        self.calls[calls:] = [item._replace(undone=True) for item in self.calls[calls:]]

    def has_room(self, entries: list[Any]) -> bool:
        """Return whether a list may grow; if not, the record is cut."""
        if len(entries) < MAX_ENTRIES:
            return True
        self.is_truncated = True
        return False
