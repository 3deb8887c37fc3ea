"""What a condition of a function may speak of: the call, its arguments, and the storage that it met, as columns.

A *term* has a value for each call of one function. Storage is taken as the call found it, and only where the call
itself looked at it: what a call never read cannot have decided whether it was rejected, and a value is known of
accepted and of rejected calls in the same way. Storage under keys is named by what its keys are equal to in these
calls: ``auctions[auctionId].seller``, ``allowed[_from][sender]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, TypeAlias

import numpy as np

from specminer._support.scratch import columns_in_files, in_file
from specminer._support.text import UniqueNames
from specminer.decoding import HistoryContext
from specminer.decoding.calldata import ArgumentColumn, TextColumn, arguments, texts
from specminer.decoding.location_columns import PortKind, StorageVariable
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import CONSTRUCTOR, MISSING, BoolColumn, IntColumn, RowColumn
from specminer.history.trace import Tracer
from specminer.history.words import WordArray, Words, from_integers, from_numbers, limbs
from specminer.inference.word_columns import Values, encode_values, together
from specminer.learning.event_table import Dimension
from specminer.learning.predicate_candidates import CALL_NAMES

FloatColumn: TypeAlias = np.ndarray[tuple[int], np.dtype[np.float64]]

MAX_TERMS: Final = 48
"""Terms of one function: of storage those that most calls looked at."""
ORDERED_CALLS: Final = 2_000
"""The first calls of each function, of which it is looked at in which order they read."""
MAX_KEYS: Final = 6
"""What one key position is compared with at most: what fits most often."""
MIN_BOUND: Final = 0.05
"""A name for storage under keys has to fit this share of the accesses that no other name fits."""
ROUNDS: Final = 3
"""Keys may be arguments, then values found under these, and values found under those."""
_FIRST_TIME: Final = 1.0e9
_TWENTY_YEARS: Final = 631_152_000.0
_ADDRESSES: Final = (float(1 << 96), float(1 << 160))
_NUMBERS: Final = frozenset({ValueKind.UINT, ValueKind.INT, ValueKind.WORD})


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardTerm:
    """Something that has a value in the calls of one function."""

    name: str
    kind: ValueKind
    members: tuple[str, ...] = ()
    variable: int = MISSING
    """Row in ``Locations.variables``; ``MISSING`` for what is known of the call itself."""
    field: int = 0
    """Which of the variable's fields."""
    dimension: Dimension = Dimension.NONE
    codes: RowColumn
    """Place of the value in ``FunctionCalls.words``, which are ascending; ``MISSING`` where the call did not
    look at it."""
    doubtful: BoolColumn | None = None
    """In which calls it is missing because the call looked at a value that is not known; ``None`` if there is none."""
    keys: tuple[str, ...] = ()
    """Names of the terms that its keys equal, the outermost first."""
    key_codes: RowColumn | None = None
    """Place in ``FunctionCalls.words`` of its only key, ``MISSING`` where it is not known; ``None``: not
    known at all."""
    order: float = 0.0
    """When calls look at it, on average: after so many other places; 0 for what is known of the call itself."""
    short: str = ""
    """What it is called where the key of the interaction's own entity goes without saying; empty for ``name``."""
    keyed_name: str = ""
    """What it is called by the entity's name for a key that the code computes; empty if the code computes none."""
    expression: bool = False
    """Whether its name is an expression that the code computes, as ``price * amount / 100``."""

    @property
    def formula_name(self) -> str:
        """Its name in formulas."""
        return self.short or self.name

    @property
    def full_name(self) -> str:
        """Its name outside of formulas about one entity."""
        return self.keyed_name or self.name

    @property
    def stored(self) -> bool:
        """Whether it is storage."""
        return self.variable != MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCalls:
    """The ``n`` calls of one function, in chain order, and all terms of theirs."""

    function: str
    rows: IntColumn
    """Invocations; shape (n,), as all columns."""
    accepted: BoolColumn
    """The others were rejected by the contract's code: none ran out of gas."""
    terms: tuple[GuardTerm, ...]
    words: Sequence[int]
    """The distinct values, ascending."""
    last: IntColumn
    """The variable that the call looked at last, or ``MISSING``."""

    @property
    def sizes(self) -> FloatColumn:
        """The words as floating-point numbers, and one more for what is missing."""
        return np.append(_sizes(from_integers(self.words)), 0.0)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class _TermDraft:
    """A term before its values are numbered."""

    name: str
    kind: ValueKind
    values: Values
    members: tuple[str, ...] = ()
    variable: int = MISSING
    field: int = 0
    key: bool = False
    keys: tuple[str, ...] = ()
    order: float = 0.0
    doubtful: BoolColumn | None = None


class Terms:
    """Finds the terms of each function of a history."""

    def __init__(self, context: HistoryContext) -> None:
        self._context = context
        history, accesses = context.history, context.accesses
        self._words = from_integers(history.words)
        # every tracer sees what is read; re-execution sees what is overwritten, too
        is_visible = accesses.external_read | (history.tracers == (Tracer.EXECUTION,))
        self._doubtful: BoolColumn = np.equal(accesses.value_before, MISSING) & is_visible
        self._addresses = from_integers([int.from_bytes(item, "big") for item in history.addresses])
        self._arguments = _group_columns(arguments(history, context.calls))
        self._texts = _group_columns(texts(history, context.calls))
        function = context.calls.function[accesses.invocation]
        self._touch_order = np.argsort(function, kind="stable")
        count = len(context.calls.functions)
        self._touch_bounds = np.searchsorted(function[self._touch_order], np.arange(count + 1))
        self._last = self._last_variable()
        self._rank = self._ranks()

    def situation(self, function: int) -> FunctionCalls | None:
        """Return the calls of a function; ``None`` if it has none that count."""
        context = self._context
        counted = (context.is_accepted | context.is_rejected) & (context.calls.function == function)
        rows = np.flatnonzero(counted & (context.history.invocation_kind != CONSTRUCTOR))
        if not len(rows):
            return None
        drafts = _with_unique_names(self._drafts(function, rows))[:MAX_TERMS]
        words, codes = together([draft.values for draft in drafts])
        sizes = _sizes(words)
        clock = _clock(drafts, codes, sizes)
        terms = tuple(
            GuardTerm(
                name=draft.name,
                kind=draft.kind,
                members=draft.members,
                variable=draft.variable,
                field=draft.field,
                dimension=_dimension(draft, column, sizes, clock),
                codes=column,
                doubtful=draft.doubtful,
                keys=draft.keys,
                order=draft.order,
            )
            for draft, column in zip(drafts, codes, strict=True)
        )
        situation = FunctionCalls(
            function=context.calls.functions[function],
            rows=rows,
            accepted=context.is_accepted[rows],
            terms=terms,
            words=Words(in_file(words)),
            last=self._last[rows],
        )
        return columns_in_files(situation)

    def _ranks(self) -> IntColumn:
        """Return for each touch how many other places its call looked at before; ``MISSING`` but for some calls."""
        history, accesses = self._context.history, self._context.accesses
        function = self._context.calls.function
        order = np.argsort(function, kind="stable")
        starts = np.searchsorted(function[order], function[order], side="left")
        sampled = np.zeros(len(history), dtype=np.bool_)
        sampled[order[np.arange(len(order)) - starts < ORDERED_CALLS]] = True
        rows = np.flatnonzero(sampled[history.access_invocation])
        by_position = rows[np.argsort(history.access_position[rows], kind="stable")]
        touch, first = np.unique(accesses.touch[by_position], return_index=True)
        order = np.lexsort((first, accesses.invocation[touch]))
        invocation = accesses.invocation[touch][order]
        rank = np.full(len(accesses.invocation), MISSING, dtype=np.int64)
        rank[touch[order]] = np.arange(len(order)) - np.searchsorted(invocation, invocation, side="left")
        return rank

    def _last_variable(self) -> IntColumn:
        history = self._context.history
        variable_of_call = np.full(len(history), MISSING, dtype=np.int64)
        if len(history.access_slot):
            last = np.flatnonzero(
                np.append(history.access_invocation[1:] != history.access_invocation[:-1], True)
            )
            slot = self._context.accesses.slot[self._context.accesses.touch[last]]
            variable_of_call[history.access_invocation[last]] = self._context.locations.variable[slot]
        return variable_of_call

    def _drafts(self, function: int, rows: IntColumn) -> list[_TermDraft]:
        terms = [*self._of_call(rows), *self._of_arguments(function, rows)]
        touches = self._touch_order[self._touch_bounds[function] : self._touch_bounds[function + 1]]
        call = np.searchsorted(rows, self._context.accesses.invocation[touches])
        counted = (call < len(rows)) & (
            rows[np.minimum(call, len(rows) - 1)] == self._context.accesses.invocation[touches]
        )
        touches, call = touches[counted], call[counted]
        slots = self._context.accesses.slot[touches]
        variable = self._context.locations.variable[slots]
        by_variable = {int(row): np.flatnonzero(variable == row) for row in np.unique(variable)}
        left = dict(by_variable)
        for _ in range(ROUNDS):
            fresh: list[_TermDraft] = []
            for number, own in sorted(left.items()):
                ports = self._context.locations.variables[number].ports
                drafts, rest = self._bound(number, ports, touches[own], call[own], terms, len(rows))
                fresh += drafts
                left[number] = own[rest]
            left = {number: own for number, own in left.items() if len(own)}
            terms += fresh
            if not fresh:
                break
        for number, own in sorted(by_variable.items()):
            terms = self._rename(number, touches[own], call[own], terms, len(rows))
        own_facts = [item for item in terms if item.variable == MISSING]
        stored = [item for item in terms if item.variable != MISSING]
        stored.sort(key=lambda item: -int(np.sum(item.values.position != MISSING)))
        return [*own_facts, *stored]

    def _rename(
        self, number: int, touches: IntColumn, call: IntColumn, terms: list[_TermDraft], count: int
    ) -> list[_TermDraft]:
        """Return the terms with better names for one variable, if what was found later names more of it at once.

        ``isApproved[from][sender]`` fits where ``from`` is the owner; ``isApproved[owners[id]][sender]`` fits always.
        """
        own = [item for item in terms if item.variable == number]
        others = [item for item in terms if item.variable != number]
        names = {item.name for item in own}
        keyed = len({item.keys for item in own}) > 1 and not any(names & set(item.keys) for item in others)
        if not keyed:
            return terms
        ports = self._context.locations.variables[number].ports
        drafts, _ = self._bound(number, ports, touches, call, others, count)
        most = [max((_count_seen(item) for item in group), default=0) for group in (own, drafts)]
        return [*others, *drafts] if most[1] > most[0] else terms

    def _of_call(self, rows: IntColumn) -> Iterator[_TermDraft]:
        history = self._context.history
        transaction = history.invocation_transaction[rows]
        sender, origin = history.invocation_sender[rows], history.transaction_origin[transaction]
        yield _TermDraft("sender", ValueKind.ADDRESS, encode_values(self._addresses, sender))
        if np.any(sender != origin):
            yield _TermDraft("origin", ValueKind.ADDRESS, encode_values(self._addresses, origin))
        yield _TermDraft("value", ValueKind.UINT, encode_values(self._words, history.invocation_value[rows]))
        times = history.transaction_time[transaction]
        if (times != MISSING).all():
            yield _TermDraft("now", ValueKind.UINT, _numbers(times))
        yield _TermDraft("block", ValueKind.UINT, _numbers(history.transaction_block[transaction]))
        contracts = from_integers([int.from_bytes(item.address, "big") for item in history.contracts])
        yield _TermDraft(
            "this", ValueKind.ADDRESS, encode_values(contracts, history.invocation_contract[rows])
        )

    def _of_arguments(self, function: int, rows: IntColumn) -> Iterator[_TermDraft]:
        for column in self._arguments.get(function, ()):
            if column.single:
                position = _positions(column.invocation, rows)
                yield _TermDraft(column.name, _kind(column.type), encode_values(column.words, position))
        keys = self._context.locations.key_table
        code = {text: len(keys.words) + at for at, text in enumerate(keys.texts)}
        for text in self._texts.get(function, ()):
            position = _positions(text.invocation, rows)
            lengths = np.array([len(item) for item in text.texts], dtype=np.int64)
            yield _TermDraft(f"length({text.name})", ValueKind.UINT, _numbers(lengths[position]))
            text_codes = np.array([code.get(item, MISSING) for item in text.texts], dtype=np.int32)
            if np.any(text_codes != MISSING):
                yield _TermDraft(
                    text.name,
                    ValueKind.BYTES,
                    Values(words=self._words[:0], position=text_codes[position]),
                    key=True,
                )

    def _bound(
        self,
        number: int,
        ports: tuple[int, ...],
        touches: IntColumn,
        call: IntColumn,
        key_terms: Sequence[_TermDraft],
        count: int,
    ) -> tuple[list[_TermDraft], BoolColumn]:
        """Return the terms of one variable, and which of the touches given none of them names."""
        locations, accesses = self._context.locations, self._context.accesses
        variable = locations.variables[number]
        rest = np.ones(len(touches), dtype=np.bool_)
        if any(locations.ports[port].port_kind not in (PortKind.MAPPING, PortKind.ARRAY) for port in ports):
            return [], np.zeros(len(touches), dtype=np.bool_)
        if not ports:
            return list(self._fields(number, variable, None, touches, call, count)), ~rest
        keys = locations.keys[accesses.slot[touches]]
        fits: list[list[tuple[str, BoolColumn]]] = []
        for depth in range(len(ports)):
            fits.append(self._fitting(keys[:, depth], call, key_terms))
        drafts: list[_TermDraft] = []
        while rest.any():
            best: tuple[int, tuple[str, ...], BoolColumn] | None = None
            for choice in product(*fits):
                mask = np.logical_and.reduce([fit for _, fit in choice])
                gain = int(np.sum(mask & rest))
                if gain and (best is None or gain > best[0]):
                    best = gain, tuple(name for name, _ in choice), mask
            if best is None or best[0] < MIN_BOUND * len(touches):
                break
            # where two names fit the same access, as for a transfer to oneself, both have its value
            fresh = self._fields(number, variable, best[1], touches[best[2]], call[best[2]], count)
            drafts += _with_doubtful_keys(fresh, key_terms, call)
            rest &= ~best[2]
        return drafts, rest

    def _fitting(
        self, keys: IntColumn, call: IntColumn, key_terms: Sequence[_TermDraft]
    ) -> list[tuple[str, BoolColumn]]:
        candidates = []
        for draft in key_terms:
            if draft.name in ("value", "now", "block", "origin") or draft.kind in (
                ValueKind.BOOL,
                ValueKind.ENUM,
            ):
                continue
            if draft.key:
                code = draft.values.position
            else:
                code_of = self._context.locations.key_table.find(draft.values.words)
                code = np.append(code_of, MISSING)[draft.values.position]
            fit = (code[call] == keys) & (keys != MISSING)
            if fit.any():
                candidates.append((draft.name, fit))
        candidates.sort(key=lambda item: -int(np.sum(item[1])))
        return candidates[:MAX_KEYS]

    def _fields(
        self,
        number: int,
        variable: StorageVariable,
        keys: tuple[str, ...] | None,
        touches: IntColumn,
        call: IntColumn,
        count: int,
    ) -> Iterator[_TermDraft]:
        before = np.full(count, MISSING, dtype=np.int64)
        before[call] = self._context.accesses.value_before[touches]
        doubtful = np.zeros(count, dtype=np.bool_)
        doubtful[call] = self._doubtful[touches]
        whole = encode_values(self._words, before)
        rank = self._rank[touches]
        order = round(float(np.mean(rank[rank != MISSING])), 6) if (rank != MISSING).any() else 0.0
        for position, field in enumerate(variable.fields):
            values = whole.field(field)
            yield _TermDraft(
                variable.text(keys, position),
                field.kind,
                values,
                members=field.members,
                variable=number,
                field=position,
                keys=keys or (),
                order=order,
                doubtful=doubtful if doubtful.any() else None,
            )


def _with_doubtful_keys(
    drafts: Iterable[_TermDraft], key_terms: Sequence[_TermDraft], call: IntColumn
) -> Iterator[_TermDraft]:
    """Yield drafts of one variable, which ``call`` touched, that are in doubt where a key of theirs is."""
    doubtful = {draft.name: draft.doubtful for draft in key_terms if draft.doubtful is not None}
    for draft in drafts:
        columns = [doubtful[key] for key in draft.keys if key in doubtful]
        if columns:
            touched = np.zeros(len(draft.values.position), dtype=np.bool_)
            touched[call] = True
            unknown = np.logical_or.reduce(columns) & touched & (draft.values.position == MISSING)
            own = draft.doubtful
            draft = replace(draft, doubtful=unknown if own is None else own | unknown)
        yield draft


def _count_seen(draft: _TermDraft) -> int:
    return int(np.sum(draft.values.position != MISSING))


def _group_columns(columns: Sequence[ArgumentColumn] | Sequence[TextColumn]) -> dict[int, list]:  # type: ignore[type-arg]
    by_function: dict[int, list] = {}  # type: ignore[type-arg]
    for column in columns:
        by_function.setdefault(column.function, []).append(column)
    return by_function


def _positions(invocation: IntColumn, rows: IntColumn) -> IntColumn:
    """Return where each of the rows stands in a column's invocations, which hold them all."""
    return np.searchsorted(invocation, rows)


def _numbers(column: IntColumn) -> Values:
    distinct, index = np.unique(column, return_inverse=True)
    return Values(words=from_numbers(distinct), position=index.ravel().astype(np.int32))


def _kind(type_: str) -> ValueKind:
    if type_ in ("bool", "address"):
        return ValueKind(type_)
    for start, kind in (("uint", ValueKind.UINT), ("int", ValueKind.INT), ("bytes", ValueKind.BYTES)):
        if type_.startswith(start):
            return kind
    return ValueKind.WORD


def _with_unique_names(drafts: list[_TermDraft]) -> list[_TermDraft]:
    """Return the terms with names of their own: storage called like something of the call becomes ``this.owner``."""
    names = UniqueNames(set(CALL_NAMES) - {draft.name for draft in drafts if draft.variable == MISSING})
    terms = []
    for draft in drafts:
        if draft.key:  # a text: it names storage, but is no word
            continue
        name = draft.name if draft.variable == MISSING or draft.name not in names else f"this.{draft.name}"
        terms.append(replace(draft, name=names.add(name)))
    return terms


def _sizes(words: WordArray) -> FloatColumn:
    """Return the words as floating-point numbers: their sizes, not their values."""
    parts = limbs(words).astype(np.float64)
    scale = np.array([2.0**192, 2.0**128, 2.0**64, 1.0])
    result: FloatColumn = parts @ scale
    return result


def _clock(
    drafts: Sequence[_TermDraft], codes: Sequence[RowColumn], sizes: FloatColumn
) -> dict[str, FloatColumn]:
    return {
        draft.name: sizes[column]
        for draft, column in zip(drafts, codes, strict=True)
        if draft.variable == MISSING and draft.name in ("now", "block")
    }


def measure_terms(terms: Sequence[GuardTerm], words: WordArray, measured_count: int) -> tuple[GuardTerm, ...]:
    """Return terms with what they measure, told from their values; the first ``measured_count`` have it already."""
    sizes = np.append(_sizes(words), 0.0)
    clock = {
        term.name: sizes[term.codes] for term in terms if not term.stored and term.name in ("now", "block")
    }
    return tuple(
        term
        if index < measured_count
        else replace(term, dimension=_dimension(term, term.codes, sizes, clock))
        for index, term in enumerate(terms)
    )


def _dimension(
    draft: _TermDraft | GuardTerm,
    codes: RowColumn,
    sizes: FloatColumn,
    clock: dict[str, FloatColumn],
) -> Dimension:
    """Return what a term measures, told from its values."""
    if draft.variable == MISSING and draft.name in ("now", "block", "value"):
        return {"now": Dimension.TIME, "block": Dimension.BLOCK, "value": Dimension.MONEY}[draft.name]
    if draft.kind is ValueKind.ADDRESS:
        return Dimension.ACCOUNT
    if draft.kind not in _NUMBERS or draft.members:
        return Dimension.NONE
    rows = np.flatnonzero(codes != MISSING)
    rows = rows[sizes[codes[rows]] != 0]
    if not len(rows):
        return Dimension.COUNT
    measures = sizes[codes[rows]]
    if (
        draft.kind is ValueKind.WORD
        and np.mean((measures >= _ADDRESSES[0]) & (measures < _ADDRESSES[1])) >= 0.9
    ):
        return Dimension.ACCOUNT
    now = clock.get("now")
    if (
        now is not None
        and np.mean((measures > _FIRST_TIME) & (np.abs(measures - now[rows]) < _TWENTY_YEARS)) >= 0.9
    ):
        return Dimension.TIME
    block = clock.get("block")
    near = block is not None and np.mean((measures >= block[rows] / 2) & (measures <= 2 * block[rows])) >= 0.9
    if near and block is not None and np.median(block) >= 100_000:
        return Dimension.BLOCK
    return Dimension.MONEY if np.median(measures) >= 1e9 else Dimension.COUNT
