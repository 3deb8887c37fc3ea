"""How well a sort of entities explains what a contract does.

``score = coverage * (alpha * decides + (1 - alpha) * setlike)``, times 0.1 if the split is trivial, times 0.5 if
entities are only derived from what calls touch. Where the code cannot be followed, who reads what before a rejection
stands for what decides. Source: design section 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer.decision.access_facts import AccessFacts
from specminer.decoding import HistoryContext
from specminer.decoding.calldata import arguments
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn
from specminer.interaction.deciding_dependencies import DecidedReads, decided_reads, keyless
from specminer.interaction.entities import entity_ports, entity_span, slot_entities
from specminer.interaction.relation import components, distinct, relation
from specminer.interaction.roles import EntityNaming
from specminer.interaction.sorts import EntityType

MIN_COVERAGE: Final = 0.5
"""A sort qualifies if more than this share of the accepted calls is about its entities: a split that leaves half of
the calls out tells of something beside the contract's purpose."""
FEW_REJECTIONS: Final = 20
"""So many rejections weigh as much as all writes together."""
TRIVIAL: Final = 0.1
DERIVED: Final = 0.5
SINGLE: Final = 0.5
"""What a single interaction is worth: nothing that happens in it happens in another one."""
STAGED_SHARE: Final = 0.5
"""From this share of the choice of functions on, the stages of a contract are its life: they tell more of what is
called than all else together."""
MIN_LONG: Final = 2
"""A split is trivial with fewer interactions of two events or more ..."""
MIN_LENGTH: Final = 1.1
"""... or with fewer events an interaction on average."""
LARGEST_FACTOR: Final = 1.5
LARGEST_EXTRA: Final = 0.05
"""A partition's largest group of linked entities holds at most ``1.5 * largest slice + 0.05`` of the calls."""

_Low = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SortScore:
    """A sort's score with its parts."""

    value: float
    coverage: float
    """Share of the accepted calls that are about an entity of the sort."""
    guard: float
    """Share of the rejections decided by keyed storage that calls change whose last read was of the sort's."""
    deciding_share: float | None
    """Share of the writes that later calls decided upon which belong to an entity that the deciding call is about, by
    their weight; it stands for ``guard``, unless it is ``None``: then too few calls could be followed through the
    code."""
    setlike: float
    """Share of the changes of the sort's storage that set a value rather than count up or down."""
    alpha: float
    """Weight of ``deciding_share`` or else ``guard``: R / (R + 20), R the writes so decided upon, or the rejections."""
    entities: int
    """Entities with accepted calls."""
    long_count: int
    """Those with two or more."""
    mean_length: float
    trivial: bool
    derived: bool
    largest: float
    """Share of the calls with the entity that has most."""
    linked: float
    """Share of the calls with the largest group of entities that calls naming several link."""

    @property
    def separable(self) -> bool:
        """Whether each call may belong to one entity only."""
        return self.linked <= LARGEST_FACTOR * self.largest + LARGEST_EXTRA

    @property
    def qualifies(self) -> bool:
        """Whether the sort may be chosen."""
        return self.coverage > MIN_COVERAGE and self.value > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractScore:
    """How well the contract as a whole explains what calls do, on the ground on which sorts are scored."""

    value: float
    coverage: float
    """Share of the accepted calls that touch variables without keys which calls change."""
    deciding_share: float
    """Share of the writes that later calls decided upon which are of such variables, by their weight."""
    setlike: float
    alpha: float
    single: bool
    """Whether there is but one contract, with one life: one interaction, which nothing can be compared with."""
    trivial: bool
    """Whether dividing by contracts gives hardly any interaction of two events, as :attr:`Score.trivial`."""
    stages: float = 0.0
    """How much of the choice of functions the contract's stages tell; known only where accounts stand against it."""

    @property
    def staged(self) -> bool:
        """Whether the contract lives through stages that tell most of what is called."""
        return self.stages >= STAGED_SHARE

    def outdoes(self, other: SortScore) -> bool:
        """Return whether contracts divide the history at least as well as a sort of entities.

        Interactions of one event each have no order that could be learned, whatever they write: such a sort never
        stands against contracts with longer lives. Nor do accounts stand against a contract's stages, if they do not
        deal with each other.
        """
        if other.trivial and not (self.trivial or self.single):
            return True
        return self.staged or other.value <= self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What tells state from counters and who rejects, found once for all sorts."""

    setlike: BoolColumn
    """Of each touch, whether it set a value."""
    distinguishes: BoolColumn
    """Of each touch, whether it is an effective write that shows which of the two it is."""
    last_slot: IntColumn
    """Slot that each rejected call read last, or ``MISSING``; shape (n,)."""
    decided_reads: DecidedReads | None
    """``None`` where too few calls could be followed through the code."""
    living: BoolColumn
    """Of each slot, whether calls change the variable that it belongs to: what only the constructor set (who is an
    owner, say) keeps strangers out and is no state; shape (s,)."""


def marks(context: HistoryContext, code: AccessFacts | None = None) -> Marks:
    """Return what writes and rejections tell; ``code`` shows what is decided and counted, where it is known."""
    accesses = context.accesses
    changes = accesses.effective_write & context.is_accepted[accesses.invocation]
    changes &= (accesses.value_before != MISSING) & (accesses.value_after != MISSING)
    low = np.fromiter(
        (word & 0xFFFFFFFFFFFFFFFF for word in context.history.words), np.uint64, len(context.history.words)
    )
    rows = np.flatnonzero(changes)
    before, after = low[accesses.value_before[rows]], low[accesses.value_after[rows]]
    one = np.uint64(1)
    counted = (after - before == one) | (before - after == one)
    unclear = (before <= one) & (after <= one)
    for delta in _deltas(context, rows, low):
        by_delta = ((after - before == delta) | (before - after == delta)) & (delta != 0)
        counted |= by_delta
        # the first deposit and a price that is set look the same, and so does the last withdrawal
        unclear |= by_delta & ((before == 0) | (after == 0))
    counted &= ~_flags(context)[context.locations.variable[accesses.slot[rows]]]
    unclear &= ~_flags(context)[context.locations.variable[accesses.slot[rows]]]
    setlike = np.zeros(len(accesses.slot), dtype=np.bool_)
    setlike[rows] = ~counted
    telling = np.zeros(len(accesses.slot), dtype=np.bool_)
    telling[rows] = ~unclear
    if code is not None:
        own = np.flatnonzero(code.is_computed)
        touches = accesses.touch[own]
        is_change = np.isin(touches, rows)
        own, touches = own[is_change], touches[is_change]
        setlike[touches] = ~code.is_counting[own]
        telling[touches] = True
    variable = context.locations.variable
    changed = np.zeros(len(context.locations.variables), dtype=np.bool_)
    lasting = accesses.effective_write & context.is_accepted[accesses.invocation]
    changed[variable[accesses.slot[lasting]]] = True
    return Marks(
        setlike=setlike & telling,
        distinguishes=telling,
        last_slot=_last_slots(context),
        living=changed[variable],
        decided_reads=decided_reads(context, code, setlike & telling),
    )


def _deltas(context: HistoryContext, touches: IntColumn, low: _Low) -> Iterator[_Low]:
    """Yield for each touch the value sent and the arguments of its call: low 64 bits, 0 for none."""
    invocation = context.accesses.invocation[touches]
    function = context.calls.function[invocation]
    yield low[context.history.invocation_value[invocation]]
    for column in arguments(context.history, context.calls):
        if not column.single or not len(column.invocation):
            continue
        own = np.flatnonzero(function == column.function)
        if not len(own):
            continue
        at = np.searchsorted(column.invocation, invocation[own])
        values = np.ascontiguousarray(column.words).view(">u8").reshape(-1, 4)[:, 3].astype(np.uint64)
        delta = np.zeros(len(touches), dtype=np.uint64)
        delta[own] = values[np.minimum(at, len(values) - 1)]
        yield delta


def _flags(context: HistoryContext) -> BoolColumn:
    """Return which variables are known to hold no amounts; shape (variables,)."""
    no_amount = (ValueKind.BOOL, ValueKind.ENUM, ValueKind.ADDRESS, ValueKind.BYTES, ValueKind.TEXT)
    return np.array(
        [all(field.kind in no_amount for field in item.fields) for item in context.locations.variables],
        dtype=np.bool_,
    )


def _last_slots(context: HistoryContext) -> IntColumn:
    history = context.history
    last = np.full(len(history), MISSING, dtype=np.int64)
    rows = np.flatnonzero(~history.access_write & context.is_rejected[history.access_invocation])
    # in order of position within each invocation, so that the last assignment stays
    rows = rows[np.lexsort((history.access_position[rows], history.access_invocation[rows]))]
    last[history.access_invocation[rows]] = context.accesses.slot[context.accesses.touch[rows]]
    return last


def score(context: HistoryContext, sort: EntityType, naming: EntityNaming, history_marks: Marks) -> SortScore:
    """Return a sort's score."""
    mask = sort.mask(len(context.locations.ports))
    own = _under(context, mask)
    alpha, guard = _guard(context, own, history_marks)
    decides = None
    if history_marks.decided_reads is not None:
        alpha, decides = (
            _weight(history_marks.decided_reads.total),
            _decides(context, mask, naming, history_marks.decided_reads),
        )
    setlike = _setlike(context, own, history_marks)
    lasting = context.is_accepted[naming.invocation]
    invocation, entity = naming.invocation[lasting], naming.entity[lasting]
    coverage = len(distinct(invocation)) / max(1, int(np.sum(context.is_accepted)))
    numbers, lengths = np.unique(entity, return_counts=True)
    long, mean, trivial = _lives(lengths)
    largest, linked = _shares(invocation, np.searchsorted(numbers, entity), len(numbers))
    value = coverage * (alpha * (guard if decides is None else decides) + (1 - alpha) * setlike)
    value *= (TRIVIAL if trivial else 1.0) * (DERIVED if naming.derived else 1.0)
    return SortScore(
        value=value,
        coverage=coverage,
        guard=guard,
        deciding_share=decides,
        setlike=setlike,
        alpha=alpha,
        entities=len(numbers),
        long_count=long,
        mean_length=mean,
        trivial=trivial,
        derived=naming.derived,
        largest=largest,
        linked=linked,
    )


def score_contract(context: HistoryContext, history_marks: Marks) -> ContractScore | None:
    """Return how well whole contracts explain what calls do; ``None`` where no code says what decides."""
    if history_marks.decided_reads is None:
        return None
    own = keyless(context) & history_marks.living
    decides = history_marks.decided_reads.share(own[history_marks.decided_reads.slot])
    alpha = _weight(history_marks.decided_reads.total)
    touching = np.zeros(len(context.history), dtype=np.bool_)
    touching[context.accesses.invocation[own[context.accesses.slot]]] = True
    coverage = float(np.mean(touching[context.is_accepted])) if np.any(context.is_accepted) else 0.0
    setlike = _setlike(context, own, history_marks)
    single = len(context.history.contracts) == 1
    events = np.unique(context.history.invocation_contract[context.is_accepted], return_counts=True)[1]
    value = coverage * (alpha * decides + (1 - alpha) * setlike)
    return ContractScore(
        value=value * (SINGLE if single else 1.0),
        coverage=coverage,
        deciding_share=decides,
        setlike=setlike,
        alpha=alpha,
        single=single,
        trivial=_lives(events)[2],
    )


def _lives(lengths: IntColumn) -> tuple[int, float, bool]:
    """Return how many interactions have two events or more, their mean length, and whether a split is trivial."""
    long = int(np.sum(lengths > 1))
    mean = float(np.mean(lengths)) if len(lengths) else 0.0
    return long, mean, long < MIN_LONG or mean < MIN_LENGTH


def _weight(evidence: float) -> float:
    """Return what decisions weigh, against what is written."""
    return evidence / (evidence + FEW_REJECTIONS)


def _under(context: HistoryContext, ports: BoolColumn) -> BoolColumn:
    """Return which slots hang under some key of given ports; shape (s,)."""
    own = np.zeros(len(context.locations.variable), dtype=np.bool_)
    for depth in range(context.locations.port.shape[1]):
        port = context.locations.port[:, depth]
        own |= (port != MISSING) & ports[np.maximum(port, 0)]
    return own


def _guard(context: HistoryContext, own: BoolColumn, history_marks: Marks) -> tuple[float, float]:
    """Return what rejections by storage under keys weigh, and the share of them that some slots decided."""
    keyed = _under(context, entity_ports(context))
    last = history_marks.last_slot[history_marks.last_slot != MISSING]
    decided = last[keyed[last] & history_marks.living[last]]
    return _weight(len(decided)), float(np.mean(own[decided])) if len(decided) else 0.0


def _decides(context: HistoryContext, mask: BoolColumn, naming: EntityNaming, decided: DecidedReads) -> float:
    """Return the share of what decides that belongs to an entity which the deciding call is about."""
    about = relation(naming.invocation, naming.entity, entity_span(context))
    own = np.zeros(len(decided.slot), dtype=np.bool_)
    for entity in slot_entities(context, mask):
        own |= about.holds(decided.reader, entity[decided.slot])
    return decided.share(own)


def _setlike(context: HistoryContext, own: BoolColumn, history_marks: Marks) -> float:
    """Return the share of the changes of some slots that set a value."""
    telling = history_marks.distinguishes & own[context.accesses.slot]
    return float(np.mean(history_marks.setlike[telling])) if np.any(telling) else 0.0


def _shares(invocation: IntColumn, entity: IntColumn, count: int) -> tuple[float, float]:
    """Return the shares of the calls with the busiest entity and with the largest linked group."""
    if not len(invocation):
        return 0.0, 0.0
    calls, first = np.unique(invocation, return_index=True)
    same = invocation[1:] == invocation[:-1]
    label = components(entity[:-1][same], entity[1:][same], count)
    largest = int(np.max(np.bincount(entity, minlength=count)))
    largest_group = int(np.max(np.bincount(label[entity[first]])))
    return largest / len(calls), largest_group / len(calls)
