"""What the code decided, as clauses over the terms of a function's calls.

The conditions of decisions are comparisons of expressions. An expression that is a term of the function's calls
already is that term; any other becomes a term of its own, whose name is the expression and whose values are those of
the runs. So whatever works with learned clauses works with decided ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

import numpy as np

from specminer._support.scratch import in_file
from specminer._support.text import UniqueNames
from specminer.decision.call_runs import Inference
from specminer.decision.paths import Clause as CodeClause
from specminer.decision.paths import ClauseKind, FunctionDecisions, Maker, PathCondition
from specminer.decision.phrases import Strength
from specminer.decision.value_relation import ConditionRelation, NamedTerm
from specminer.decision.wording import Wording
from specminer.decoding.storage_values import ValueKind
from specminer.history.contract_history import MISSING, BoolColumn, IntColumn, RowColumn
from specminer.history.words import Words, find, from_integers, values_at
from specminer.inference.guard_learning import LearnedClause
from specminer.inference.guard_literals import Literal, Sign
from specminer.inference.guard_terms import FunctionCalls, GuardTerm, measure_terms
from specminer.specification import ConditionMaker, GuardKind

UNREADABLE: Final = "what was decided upon is not known"
"""Why a rejection has no condition although its decision was found."""
MAX_BRANCHES: Final = 64
"""Conditions of a function that tell where its accepted calls lead."""
_OF_TRUTHS: Final = (Sign.EQUAL, Sign.DIFFERENT)
"""How truth values are compared."""
_KINDS: Final = {ClauseKind.REQUIRED: GuardKind.REQUIRED, ClauseKind.CODED: GuardKind.CODED}
_MAKERS: Final = {Maker.CONTRACT: ConditionMaker.CONTRACT, Maker.COMPILER: ConditionMaker.COMPILER}


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedFunction:
    """What the calls of one function decided, and how it is worded."""

    decisions: FunctionDecisions
    wording: Wording


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedClause:
    """A condition of the code, over the terms of a function's ``n`` calls."""

    clause: LearnedClause
    """Its literals in the order in which the code decides upon them: the last is asked where no other holds."""
    kind: GuardKind
    maker: ConditionMaker
    rejects: BoolColumn
    """Which calls it rejected; shape (n,)."""
    pass_count: int
    """Accepted calls that decided its first condition the accepted way."""
    contradictions: int
    """Accepted calls that decided all its conditions the rejecting way."""
    undecided: int
    """Accepted calls that never came to its first condition."""
    each: bool
    """Whether the code asks it of each element of a loop; the clause speaks of the first."""
    since: int | None
    """The first block in which the version of the code ran that demands it; ``None`` if there was none before."""
    until: int | None
    """The first block in which a later version ran that does not; ``None`` if there was none."""
    readable: bool
    """Whether all its expressions could be named, and not only what they depend on."""
    order: int | None
    """Its place among the decisions of an accepted call, counted from 1; ``None`` if none came to it."""

    @property
    def in_version(self) -> LearnedClause:
        """What the version of the code demands: the same without when it ran."""
        count = (self.since is not None) + (self.until is not None)
        return LearnedClause(literals=self.clause.literals[count:])


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedCalls:
    """What the ``n`` calls of one function decided."""

    is_followed: BoolColumn
    """Which calls were followed: executed alone, or matched to the path of one that was; shape (n,)."""
    clauses: tuple[DecidedClause, ...]
    """Required ones, then coded ones; of the compiler's only those that rejected something."""
    branches: tuple[Literal, ...]
    """Conditions that accepted calls decided both ways, each with its opposite."""
    unexplained: Mapping[int, str]
    """Why followed calls that were rejected have no condition; by position among the calls."""
    unproved: Mapping[str, int]
    """Why how many calls could not be followed."""
    unpursued: int
    is_inferred: BoolColumn
    """Which calls read values that are not known, and are followed because only one way is left; shape (n,)."""
    inferred_from_gas: BoolColumn
    """Of which of them gas rules out the other ways; shape (n,)."""

    @property
    def terms_together(self) -> tuple[frozenset[int], ...]:
        """For each clause the terms that it speaks of."""
        clauses = (item.clause for item in self.clauses)
        return tuple(frozenset(term for each in clause.literals for term in each.terms) for clause in clauses)

    @property
    def is_explained(self) -> BoolColumn:
        """Which calls stopped at a condition."""
        stops = np.zeros(len(self.is_followed), dtype=np.bool_)
        for item in self.clauses:
            stops |= item.rejects
        return stops


def decided_calls(situation: FunctionCalls, function: FollowedFunction) -> tuple[FunctionCalls, DecidedCalls]:
    """Return the calls of a function with the terms of what they decided, and the clauses over these."""
    runs = function.decisions.runs
    translator = _Translator(situation, function)
    clauses: list[DecidedClause] = []
    untold: set[int] = set()
    for number, item in enumerate(function.decisions.clauses):
        clause = translator.clause(number, item)
        if clause is None:
            untold.add(number)
        elif item.kind is ClauseKind.REQUIRED or (
            item.maker is Maker.CONTRACT and not translator.is_trivial(clause.clause)
        ):
            clauses.append(clause)
    branches = tuple(translator.branches())
    return translator.situation(), DecidedCalls(
        is_followed=translator.run != MISSING,
        clauses=_merge_clauses(clauses),
        branches=branches,
        unexplained=translator.explain_missing(untold),
        unproved=runs.unproved,
        unpursued=runs.unpursued,
        is_inferred=_mark_rows(situation.rows, runs.inferred),
        inferred_from_gas=_mark_rows(
            situation.rows, [row for row, how in runs.inferred.items() if how is Inference.GAS]
        ),
    )


def _merge_clauses(clauses: Iterable[DecidedClause]) -> tuple[DecidedClause, ...]:
    """Return the clauses with those that say the same as one."""
    clause_by_key: dict[tuple[frozenset[Literal], GuardKind, ConditionMaker], DecidedClause] = {}
    for item in clauses:
        key = frozenset(item.clause.literals), item.kind, item.maker
        same = clause_by_key.get(key)
        clause_by_key[key] = (
            item
            if same is None
            else replace(
                same,
                rejects=same.rejects | item.rejects,
                pass_count=max(same.pass_count, item.pass_count),
                contradictions=max(same.contradictions, item.contradictions),
                undecided=min(same.undecided, item.undecided),
            )
        )
    required = {literals for literals, kind, _ in clause_by_key if kind is GuardKind.REQUIRED}
    return tuple(
        item
        for (literals, kind, _), item in clause_by_key.items()
        if kind is GuardKind.REQUIRED or not any(each <= literals for each in required)
    )


class _Order(Enum):
    """How a condition orders what it compares."""

    NONE = auto()
    """It asks whether things are equal."""
    UNSIGNED = auto()
    SIGNED = auto()


def _order_of(relation: ConditionRelation) -> _Order:
    if relation.signed:
        return _Order.SIGNED
    return _Order.NONE if relation.sign in _OF_TRUTHS else _Order.UNSIGNED


class _Column:
    """The values of a term in the calls of a function, as far as they are known."""

    def __init__(self, term: GuardTerm, values: list[int | None] | None, words: Sequence[int] = ()) -> None:
        self.term = term
        self._words = words
        self._values = values
        self.key_values: list[int | None] | None = None
        """The values of its only key, where the code computes one."""
        self.nodes: set[int] = set()
        """The expressions that it stands for."""
        self.signed_by_use = False
        """Whether nothing but a comparison tells that it has a sign."""

    @property
    def values(self) -> list[int | None]:
        """The values; those of a term of the calls are made from its codes when they are asked for."""
        if self._values is None:
            self._values = values_at(self._words, self.term.codes)
        return self._values

    @property
    def explicit_values(self) -> list[int | None] | None:
        """The values, if they were asked for or changed; ``None`` if they are as the term's codes say."""
        return self._values

    def takes(self, order: _Order) -> bool:
        """Whether it may be compared so."""
        if order is _Order.SIGNED:
            untold = self.term.kind is ValueKind.WORD and not self.nodes
            return self.term.kind is ValueKind.INT or untold
        return order is _Order.NONE or not self.signed_by_use

    def agrees(self, others: Sequence[int | None]) -> bool:
        """Whether other values are the same wherever both are known."""
        return all(
            own == other
            for own, other in zip(self.values, others, strict=True)
            if own is not None and other is not None
        )

    def fill(self, others: Sequence[int | None]) -> None:
        """Take over what is known besides."""
        self._values = [other if own is None else own for own, other in zip(self.values, others, strict=True)]

    def replace(self, values: list[int | None]) -> None:
        """Take over what is right."""
        self._values = values


class _Translator:
    """Puts conditions over expressions into the terms of one function's calls."""

    def __init__(self, situation: FunctionCalls, function: FollowedFunction) -> None:
        self._situation = situation
        self._decisions = function.decisions
        self._wording = function.wording
        self._runs = function.decisions.runs
        self._position = _positions(situation.rows, [run.invocation for run in self._runs.runs])
        self._matched_calls = _positions(situation.rows, self._runs.matched_rows)
        self.run = self._run_of_each()
        """Position of the run whose path each call took, or ``MISSING``; shape (n,)."""
        self._clause = self._clause_of_each()
        self._columns = [_Column(term, None, situation.words) for term in situation.terms]
        self._term_names = UniqueNames(set())
        for term in situation.terms:
            self._term_names.add(term.name)
        self._term_indices: dict[tuple[int, _Order], int] = {}
        self._branches = [(node, holds) for node in self._branching_nodes() for holds in (True, False)]
        # those with a sign first: they tell what storage without a type holds
        for relation in sorted(self._relations(), key=lambda relation: not relation.signed):
            self._note_kinds(relation)

    def _run_of_each(self) -> IntColumn:
        run_of_call = np.full(len(self._situation), MISSING, dtype=np.int64)
        rows = np.flatnonzero(self._position != MISSING)
        run_of_call[self._position[rows]] = rows
        rows = np.flatnonzero(self._matched_calls != MISSING)
        run_of_call[self._matched_calls[rows]] = self._runs.matched_run[rows]
        return run_of_call

    def _clause_of_each(self) -> IntColumn:
        """Return the clause that rejected each call, or ``MISSING``; shape (n,)."""
        clause_of = {
            cause.invocation: cause.clause for cause in self._decisions.causes if cause.clause is not None
        }
        of_run = [clause_of.get(run.invocation, MISSING) for run in self._runs.runs]
        return np.array([*of_run, MISSING], dtype=np.int64)[self.run]

    def _accepted_counts(self, conditions: Sequence[PathCondition]) -> tuple[int, int, int]:
        """Return how many accepted calls passed, contradicted, and never came to, conditions of a clause."""
        counts = np.bincount(self.run[self.run != MISSING], minlength=len(self._runs.runs))
        passed = contradictions = undecided = 0
        for path in self._decisions.paths:
            if not path.returned:
                continue
            calls = int(np.sum(counts[list(path.runs)]))
            facts = {step.condition.node: step.condition.holds for step in path.steps}
            first = conditions[0]
            if first.node not in facts:
                undecided += calls
            elif facts[first.node] == first.holds:
                passed += calls
            elif all(facts.get(item.node, item.holds) != item.holds for item in conditions):
                contradictions += calls
        return passed, contradictions, undecided

    def clause(self, number: int, item: CodeClause) -> DecidedClause | None:
        """Return a clause over the terms; ``None`` if it cannot be told."""
        literals: list[Literal] = []
        readable = True
        for condition in item.conditions:
            relation = self._wording.relation(condition)
            if relation is None:
                return None
            readable &= relation.readable
            literals.append(self._literal(relation))
        passed, contradictions, undecided = self._accepted_counts(item.conditions)
        return DecidedClause(
            clause=LearnedClause(literals=tuple(dict.fromkeys(reversed(literals)))),
            kind=_KINDS[item.kind],
            maker=_MAKERS[item.maker],
            rejects=self._clause == number,
            pass_count=passed,
            contradictions=contradictions,
            undecided=undecided,
            each=item.each,
            since=item.since,
            until=item.until,
            readable=readable,
            order=self._order(item.conditions[0].node),
        )

    def _order(self, node: int) -> int | None:
        """Return the position of a decision in the first path of accepted calls that comes to it."""
        for path in self._decisions.paths:
            if path.returned:
                for position, step in enumerate(path.steps, 1):
                    if step.condition.node == node:
                        return position
        return None

    def is_trivial(self, clause: LearnedClause) -> bool:
        """Whether every call meets a condition: neither who calls nor the contract is the zero address."""
        return any(
            self._columns[literal.left].term.name in ("sender", "origin", "this")
            and literal.right is None
            and (literal.sign, literal.constant) == (Sign.DIFFERENT, 0)
            for literal in clause.literals
        )

    def branches(self) -> Iterator[Literal]:
        """Yield the conditions that accepted calls decided both ways, or that not all came to."""
        for node, holds in self._branches:
            relation = self._wording.relation(PathCondition(node, holds))
            if relation is not None and relation.readable:
                yield self._literal(relation)

    def _branching_nodes(self) -> list[int]:
        ways: dict[int, set[bool]] = {}
        for path in self._decisions.paths:
            if path.returned:
                for step in path.steps:
                    ways.setdefault(step.condition.node, set()).add(step.condition.holds)
        return [node for node, outcomes in ways.items() if len(outcomes) == 2][:MAX_BRANCHES]

    def _relations(self) -> Iterator[ConditionRelation]:
        """Yield all relations that become literals."""
        conditions = [item for clause in self._decisions.clauses for item in clause.conditions]
        for node, holds in (*conditions, *self._branches):
            relation = self._wording.relation(PathCondition(node, holds))
            if relation is not None:
                yield relation

    def _note_kinds(self, relation: ConditionRelation) -> None:
        """Take terms as numbers that the code compares as such, though they are 0 or 1 in all calls."""
        right, order = relation.right, _order_of(relation)
        columns = [self._columns[self._term(relation.left, order)]]
        if isinstance(right, int):
            is_truth = (right in (0, 1) and relation.sign in _OF_TRUTHS) or (relation.sign, right) == (
                Sign.GREATER,
                0,
            )
        else:
            columns.append(self._columns[self._term(right, order)])
            kinds = {column.term.kind is ValueKind.BOOL for column in columns}
            is_truth = relation.sign in _OF_TRUTHS and len(kinds) == 1
        for column in columns if not is_truth else ():
            if column.term.kind is ValueKind.BOOL:
                column.term = replace(column.term, kind=ValueKind.UINT)

    def explain_missing(self, untold: set[int]) -> dict[int, str]:
        """Return why rejected calls have no condition; ``untold`` are the clauses that cannot be told."""
        reason_of = {
            cause.invocation: cause.reason or UNREADABLE
            for cause in self._decisions.causes
            if cause.clause is None or cause.clause in untold
        }
        reasons = [reason_of.get(run.invocation) for run in self._runs.runs]
        reason_by_position: dict[int, str] = {}
        for position, run in enumerate(self.run.tolist()):
            reason = None if run == MISSING else reasons[run]
            if reason is not None:
                reason_by_position[position] = reason
        return reason_by_position

    def situation(self) -> FunctionCalls:
        """Return the calls with all terms."""
        integers = {
            value for column in self._columns for value in column.explicit_values or () if value is not None
        }
        integers |= {
            value for column in self._columns for value in column.key_values or () if value is not None
        }
        before, new_words = from_integers(self._situation.words), from_integers(sorted(integers))
        words = np.union1d(before, new_words)
        code: dict[int | None, int] = dict(
            zip(sorted(integers), find(words, new_words).tolist(), strict=True)
        )
        code[None] = MISSING
        code_map = np.append(find(words, before), MISSING).astype(np.int32)

        def encode(values: Sequence[int | None]) -> RowColumn:
            return in_file(np.fromiter((code[value] for value in values), np.int32, len(values)))

        coded_terms = [
            replace(
                column.term,
                codes=in_file(code_map[column.term.codes])
                if column.explicit_values is None
                else encode(column.explicit_values),
                key_codes=None if column.key_values is None else encode(column.key_values),
            )
            for column in self._columns
        ]
        column = in_file(words)
        terms = measure_terms(coded_terms, column, len(self._situation.terms))
        return replace(self._situation, terms=terms, words=Words(column))

    def _literal(self, relation: ConditionRelation) -> Literal:
        """Return a relation as a literal."""
        order = _order_of(relation)
        left = self._term(relation.left, order)
        sign = relation.sign
        if not isinstance(relation.right, int):
            return Literal(left=left, sign=sign, right=self._term(relation.right, order))
        term, constant = self._columns[left].term, relation.right
        if constant == 0 and sign is Sign.GREATER and (term.stored or term.kind is ValueKind.BOOL):
            sign = Sign.DIFFERENT
        if term.kind is ValueKind.BOOL and sign is Sign.DIFFERENT and constant in (0, 1):
            sign, constant = Sign.EQUAL, 1 - constant
        if term.kind is ValueKind.INT and constant >> 255:
            constant -= 1 << 256
        return Literal(left=left, sign=sign, constant=constant)

    def _term(self, term: NamedTerm, order: _Order) -> int:
        """Return the position of a term, which is made if there is none."""
        key = term.node, order
        if key not in self._term_indices:
            self._term_indices[key] = self._add_term(term, order)
        return self._term_indices[key]

    def _add_term(self, term: NamedTerm, order: _Order) -> int:
        values = self._values(term.node)
        kind = ValueKind.INT if order is _Order.SIGNED else term.kind
        for index, column in enumerate(self._columns):
            if self._is_same(column.term, term) and column.takes(order):
                if column.agrees(values):
                    column.fill(values)
                elif not column.nodes:  # what the code computed is right
                    column.replace(values)
                else:
                    continue
                if order is _Order.SIGNED and column.term.kind is not ValueKind.INT:
                    column.term, column.signed_by_use = replace(column.term, kind=ValueKind.INT), True
                column.nodes.add(term.node)
                return index
        new_term = GuardTerm(
            name=self._term_names.add(
                f"({term.name})" if term.strength <= Strength.COMPARISON else term.name
            ),
            kind=kind,
            members=term.members,
            variable=term.variable,
            field=term.field,
            keys=term.keys,
            codes=np.full(len(self._situation), MISSING, dtype=np.int32),
            expression=True,
        )
        column = _Column(new_term, values)
        column.nodes.add(term.node)
        if new_term.stored and term.key != MISSING:
            column.key_values = self._values(term.key)
        self._columns.append(column)
        return len(self._columns) - 1

    def _values(self, node: int) -> list[int | None]:
        """Return what an expression was in each call."""
        values: list[int | None] = [None] * len(self._situation)
        for positions, column_values in (
            (self._position, self._wording.column(node)),
            (self._matched_calls, self._wording.matched_column(node)),
        ):
            for position, value in zip(positions.tolist(), column_values, strict=True):
                if position != MISSING:
                    values[position] = value
        return values

    def _is_same(self, column_term: GuardTerm, term: NamedTerm) -> bool:
        """Whether a term of the calls is an expression; a part of a word is not the word, nor another part."""
        if term.variable == MISSING:
            return not column_term.stored and column_term.name == term.name
        if (column_term.variable, column_term.field, column_term.keys) != (
            term.variable,
            term.field,
            term.keys,
        ):
            return False
        variable = self._wording.names.locations.variables[term.variable]
        is_whole = term.name.strip("`") == variable.text(term.keys, term.field)
        return column_term.name == term.name or (is_whole and not column_term.expression)


def _mark_rows(rows: IntColumn, invocations: Iterable[int]) -> BoolColumn:
    """Return which of a function's calls are among some invocations; shape (n,)."""
    marks = np.zeros(len(rows) + 1, dtype=np.bool_)  # the last one for those that do not count
    marks[_positions(rows, list(invocations))] = True
    marked: BoolColumn = marks[:-1]
    return marked


def _positions(rows: IntColumn, invocations: Sequence[int] | RowColumn) -> IntColumn:
    """Return where invocations stand among a function's calls; ``MISSING`` for those that do not count."""
    targets = np.array(invocations, dtype=np.int64)
    positions = np.searchsorted(rows, targets)
    inside = positions < len(rows)
    inside[inside] = rows[positions[inside]] == targets[inside]
    return np.where(inside, positions, MISSING)
