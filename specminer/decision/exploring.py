"""Asks what lies behind decisions that went the other way, by forcing them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from specminer.decision.call_runs import FunctionRuns
from specminer.decision.checks import qualifies
from specminer.decision.clause_shapes import same_shape
from specminer.decision.idioms import spares_product
from specminer.decision.paths import PathCondition, PathStep, Site, UntriedWay
from specminer.decision.readings import Readings
from specminer.decision.sites import Loops
from specminer.decision.steps import StepReader, each_once
from specminer.decision.writes import slots_left
from specminer.evm.alone import MAX_STEPS, CallRecording
from specminer.evm.forks import Fork
from specminer.evm.frame import BlockContext
from specminer.evm.halts import Halt
from specminer.shadow.forced_calls import ForcedRun, FrameEnding, force

MAX_FORCED_OPCODES: Final = 1_500_000
"""Opcodes that the forced runs of one function may take together."""
_FURTHER_OPCODES: Final = 10_000
"""Opcodes that a forced run may take beyond those of the call."""
_OPCODES_BEFORE: Final = 1_000
"""What it takes to begin a run counts like so many opcodes."""
_TRIES: Final = 12
"""Forced runs that one question may take."""
MAX_UNTRIED: Final = 64
"""Ways through one function that nobody took and whose writes are kept."""
_MAX_SLOTS: Final = 32
"""Slots that such a way writes to; of one that writes to more nothing is kept."""
_ERROR: Final = bytes.fromhex("08c379a0")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReplay:
    """What it takes to run a recorded call again."""

    recording: CallRecording
    fork: Fork
    block: BlockContext
    codes: Mapping[int, bytes]
    gas_price: int = 0


Replays = Callable[[int], CallReplay | None]
"""From an invocation to what it takes to run it again; ``None`` if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedPath:
    """The steps of a forced run, and how it ended."""

    steps: tuple[PathStep, ...]
    visits: tuple[PathStep, ...]
    """With decisions that repeat an earlier one."""
    rejected: bool
    returned: bool
    output: bytes
    ending: FrameEnding | None
    calls_after: int
    constant_jumps: int
    invalid: bool = False
    """Whether it halted with INVALID."""

    def after(self, position: int) -> tuple[PathStep, ...]:
        """Return the steps behind a decision."""
        return tuple(step for step in self.steps if step.position > position)

    def ends_like(self, other: ForcedPath) -> bool:
        """Return whether both were rejected at one place, for one reason."""
        return (
            self.rejected
            and other.rejected
            and self.ending == other.ending
            and _reason(self.output) == _reason(other.output)
        )


def _reason(output: bytes) -> bytes:
    return output if output[:4] == _ERROR else output[:4]


def _turn_step(flips: frozenset[int], step: PathStep) -> frozenset[int]:
    """Return what to force so that a step goes the other way; what comes behind it is not forced."""
    return frozenset(position for position in flips if position < step.position) | (
        frozenset() if step.position in flips else {step.position}
    )


@dataclass(slots=True, kw_only=True)
class BranchExplorer:
    """Forces decisions of a function's runs; each question costs a few runs, all together a bounded number."""

    runs: FunctionRuns
    reader: StepReader
    readings: Readings
    replays: Replays
    accepted_sites: frozenset[Site] = frozenset()
    """Sites to which accepted calls came."""
    loops: Loops = field(default_factory=Loops)
    remaining_opcodes: int = MAX_FORCED_OPCODES
    """Opcodes that forced runs may still take."""
    usual_conditions: frozenset[PathCondition] = frozenset()
    """What accepted calls decided."""
    untried_ways: dict[object, UntriedWay] = field(default_factory=dict)
    """The forced runs that returned, by what they wrote; at most :data:`MAX_UNTRIED`."""
    _paths: dict[tuple[int, frozenset[int]], ForcedPath | None] = field(default_factory=dict)
    _latest: tuple[int, CallReplay | None] = (-1, None)
    _opcodes: dict[int, int] = field(default_factory=dict)
    """What runs take when nothing is forced, by position."""
    _dead: set[tuple[int, bool]] = field(default_factory=set)
    """Facts that every call must decide that way: the other way leads straight to a rejection."""

    def run(self, number: int, flips: frozenset[int]) -> ForcedPath | None:
        """Return the path of a run with some decisions forced; ``None`` if there is none.

        Args:
            number: position of the run.
            flips: positions of the decisions in its record.

        """
        key = (number, flips)
        if key not in self._paths:
            self._paths[key] = self._force(number, flips)
        return self._paths[key]

    def _replay(self, number: int) -> CallReplay | None:
        """Return what it takes to make a run again; questions about one run come one after another."""
        latest, replay = self._latest
        if latest != number:
            replay = self.replays(self.runs.runs[number].invocation)
            self._latest = number, replay
        return replay

    def _force(self, number: int, flips: frozenset[int]) -> ForcedPath | None:
        replay = self._replay(number)
        if replay is None or self.remaining_opcodes <= 0:
            return None
        natural = self._opcodes.get(number)
        if natural is None and flips:
            self.run(number, frozenset())
            natural = self._opcodes.get(number, 0)
        run = force(
            replay.recording,
            replay.fork,
            replay.block,
            replay.codes,
            arena=self.runs.arena,
            flips=flips,
            fact=self.reader.condition,
            max_steps=MAX_STEPS if natural is None else natural + _FURTHER_OPCODES,
            gas_price=replay.gas_price,
        )
        self.remaining_opcodes -= _OPCODES_BEFORE + (0 if run is None else run.opcodes)
        if run is not None and not flips:
            self._opcodes[number] = run.opcodes
        if run is None:
            return None
        path = self._path(run)
        if flips and path.returned:
            self._note_untried(number, run, path.steps)
        return path

    def _note_untried(self, number: int, run: ForcedRun, steps: tuple[PathStep, ...]) -> None:
        """Keep what a forced run left in storage that returned: the code has this way, though nobody took it."""
        slots, more = slots_left(run.record, _MAX_SLOTS)
        if more or run.record.is_truncated or not slots or len(self.untried_ways) >= MAX_UNTRIED:
            return
        written = frozenset(
            (slot.slot_place, tuple((item.shift, item.bits, item.node, item.value) for item in slot.fields))
            if slot.node is None
            else (slot.slot_place, slot.node)
            for slot in slots
        )
        self.untried_ways.setdefault(written, UntriedWay(run=number, steps=steps, slots=tuple(slots)))

    def _path(self, run: ForcedRun) -> ForcedPath:
        rejected = run.ended and run.halt not in (None, Halt.OUT_OF_GAS)
        visits = self.readings.read(self.reader.visits(run.record))
        return ForcedPath(
            steps=each_once(visits),
            visits=visits,
            rejected=rejected,
            returned=run.ended and run.halt is None,
            output=run.output,
            ending=run.ending,
            calls_after=run.calls_after,
            constant_jumps=run.constant_jumps,
            invalid=run.halt is Halt.INVALID_OPCODE,
        )

    def code(self, number: int, ending: FrameEnding | None) -> bytes:
        """Return the code in which a forced run of a run halted; empty if it is not known."""
        replay = self._replay(number)
        if replay is None or ending is None or ending.code_address is None:
            return b""
        return replay.codes.get(ending.code_address, b"")

    def deciding_step(
        self,
        number: int,
        flips: frozenset[int],
        steps: Sequence[PathStep],
        first: int = 0,
        observed: int | None = None,
    ) -> int | None:
        """Return the index of the last step of a rejected run without which it would have gone on.

        ``None`` if there is none: whatever it decides, the code rejects it.

        Args:
            number: position of the run.
            flips: what is forced already.
            steps: its steps.
            first: index of the first step that may be the one.
            observed: index of the step that accepted calls say it is; what forced runs say counts more, as far as
                they are tried.

        """
        last = len(steps) - 1
        base = self.run(number, flips)
        if base is None:
            return last if observed is None else observed
        earliest = max(first, last - _TRIES)
        for index in range(last, earliest - 1, -1):
            if self._leads_elsewhere(number, flips, base, steps, index):
                return index
        if observed is not None:
            return observed
        return last if earliest else None

    def _leads_elsewhere(
        self, number: int, flips: frozenset[int], base: ForcedPath, steps: Sequence[PathStep], index: int
    ) -> bool:
        """Return whether the other way at a step leads to another end than the run's own.

        If calls were accepted, that is an end without a rejection, or a way on which accepted calls were, and the run
        was not.
        """
        usual = {step.counter for step in steps[index + 1 :]}
        track = self.accepted_sites.difference(step.site for step in base.visits)
        waiting = [_turn_step(flips, steps[index])]
        tries = 0
        while waiting and tries < _TRIES:
            forced = waiting.pop()
            tries += 1
            path = self.run(number, forced)
            later_steps = () if path is None else path.after(max(forced, default=steps[index].position))
            if self.accepted_sites:
                if path is not None and (path.returned or any(step.site in track for step in later_steps)):
                    return True
            elif path is None or not path.rejected or (later_steps and not path.ends_like(base)):
                return True
            waiting += [
                forced | {step.position} for step in later_steps if step.counter not in usual
            ]  # a revert that checks share: whatever comes behind may lead on
        return False

    def leads_around(
        self, number: int, flips: frozenset[int], steps: Sequence[PathStep], index: int, at: Sequence[int]
    ) -> bool:
        """Return whether the other way at a step can lead a call to its end without the other way at others.

        Steps that are known to lead around keep their way: what they make possible is no choice of this one. So do
        those that belong to an encoding, such as an answer without a word.

        Args:
            number: position of the run.
            flips: what is forced already.
            steps: its steps.
            index: which of them is turned round.
            at: which of them are to be avoided, the first one above all: the others may not be forced.

        """
        step, avoided = steps[index], steps[at[0]]
        avoided_sites = {steps[item].site for item in at}
        if step.condition in self._dead:
            return False
        before = {item.condition.node for item in steps[: index + 1]}
        waiting = [_turn_step(flips, step)]
        for tries in range(_TRIES):
            if not waiting:
                return False
            forced = waiting.pop()
            path = self.run(number, forced)
            if path is None:
                return False
            later_steps = [item for item in path.after(step.position) if item.condition.node not in before]
            checks = [number for number, item in enumerate(later_steps) if self._is_check(item, avoided)]
            if path.returned and all(
                later_steps[position].way == avoided.way
                or self._compares_otherwise(later_steps[position], avoided, step)
                for position in checks
            ):
                return True  # also where the other decision went the same way again, and did not matter
            if not path.rejected and not path.returned:
                continue
            if not tries and not later_steps:
                self._dead.add(step.condition)
                return False
            if checks:
                later_steps = later_steps[: checks[0]]
            candidates = [
                item
                for position, item in enumerate(later_steps)
                if item.position > max(forced, default=-1)
                and item.site not in avoided_sites
                and qualifies(self.runs.arena, item.condition)
                and not spares_product(self.runs.arena, later_steps, position)
            ]
            candidates.sort(
                key=lambda item: item.condition.negation in self.usual_conditions
            )  # the likely ones are tried first
            waiting += [forced | {item.position} for item in candidates]
        return False

    def _compares_otherwise(self, step: PathStep, avoided: PathStep, turned: PathStep) -> bool:
        """Return whether a step is another one's check, but of something else that the way there computed.

        What is kept under another hash may be the same thing, written down at another place. That a question fails is
        no choice of a call.
        """
        arena, node, other = self.runs.arena, step.condition.node, avoided.condition.node
        if arena.kind(turned.condition.node) == "success" or same_shape(arena, node, other):
            return False
        hashes, others = (
            {each for each in arena.below(item) if arena.kind(each) == "keccak"} for item in (node, other)
        )
        return hashes <= others or others <= hashes

    def _is_check(self, step: PathStep, avoided: PathStep) -> bool:
        """Return whether a step is another one, or decides at its site upon what was computed otherwise.

        The same check in another round of a loop is not the same step.
        """
        node, other = step.condition.node, avoided.condition.node
        if node == other:
            return True
        return (
            step.site[0] != 0
            and step.site == avoided.site
            and not (self.loops.repeats(step.site) and same_shape(self.runs.arena, node, other))
        )
