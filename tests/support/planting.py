"""Values planted as unknown in a history, and what is mined of it compared with the history as it was.

``python -m tests.support.planting 0 50 escrow lottery`` tries many seeds.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from specminer._support.errors import UsageError
from specminer.history.contract_history import MISSING, BoolColumn, History, IntColumn, slots
from specminer.history.trace import Tracer
from specminer.inference.field_changes import Cells, UnknownChanges, changes_of_calls
from specminer.inference.guard_learning import truth_of
from specminer.inference.guard_literals import Literal, LiteralEvaluator
from specminer.inference.guard_terms import Terms
from specminer.inference.invariant_claim import Invariant
from specminer.inference.invariant_search import propose
from specminer.learning.quotient import ROOT
from specminer.pipeline import import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import STAGES
from specminer.pipeline.state import MineOptions, Mining
from specminer.specification import RoleKind
from specminer.specification.invariants import Template
from specminer.store import TraceStore


def planted(history: History, draw: random.Random, times: int) -> History:
    """Return a history in which ``times`` reads or writes, and what follows from each, are unknown.

    It follows what is found in the slot until a write that is believed again; now and then that one is not, either.
    """
    slot = slots(history).access
    when = history.invocation_transaction[history.access_invocation]
    order = np.lexsort((history.access_position, when, slot))
    before, after = history.access_before.copy(), history.access_after.copy()
    chosen = np.flatnonzero(~history.access_undone[order])
    for _ in range(times if len(chosen) else 0):
        place = int(chosen[draw.randrange(len(chosen))])
        row = int(order[place])
        lasting = bool(history.access_write[row])
        after[row] = MISSING
        if not lasting:
            before[row] = MISSING
        for following in order[place + 1 :].tolist():
            if slot[following] != slot[row]:
                break
            before[following] = MISSING
            if not history.access_write[following]:
                after[following] = MISSING
            elif not history.access_undone[following]:
                if draw.random() < 0.7:
                    break
                after[following] = MISSING
    return replace(history, access_before=before, access_after=after, tracers=(Tracer.EXECUTION,))


def staged(history: History, options: MineOptions) -> Mining:
    """Return all that is found of a history."""
    mining = Mining(history=history, options=options)
    for stage in STAGES:
        mining = stage(mining)
    return mining


@dataclass(frozen=True)
class Comparison:
    """What was mined of a history with unknown values, and of the same history complete, with one abstraction."""

    unknown: Mining
    complete: Mining

    @classmethod
    def of(cls, history: History, start: Mining, draw: random.Random, times: int) -> Comparison:
        """Plant values; ``start`` is what was mined of the complete history and fixes the abstraction."""
        definition = replace(start.tuning.chosen_point.definition, lenient=True)
        sort = start.interactions.sort
        mode = start.interactions.mode.value
        keyed = sort is not None and mode in ("partition", "projection")
        options = MineOptions(interactions=sort.name if keyed and sort else mode, definition=definition)
        unknown = staged(planted(history, draw, times), options)
        fixed = replace(unknown.tuning.chosen_point.definition, lenient=True)
        return cls(unknown=unknown, complete=staged(history, replace(options, definition=fixed)))

    def broken(self) -> Iterator[str]:
        """Yield what does not hold on the complete history beyond what was said, as sentences."""
        yield from self._states()
        yield from self._guards()
        yield from self._roles()
        yield from self._invariants()
        yield from self._interactions()

    # -- states and transitions ---------------------------------------------------------------------

    def _truths(self, run: Mining, text: str) -> IntColumn | None:
        """Return a predicate's value after each event of a run; ``None`` if it is no candidate there."""
        for row, item in enumerate(run.tuning.vocabulary):
            values = run.tuning.graph.valuations[row]
            if text in (item.text, *item.aliases):
                return np.asarray(values[run.tuning.graph.state_after], dtype=np.int64)
            if text == item.negation:
                column = np.where(values == 2, 2, 1 - values)
                return np.asarray(column[run.tuning.graph.state_after], dtype=np.int64)
        return None

    def _same_events(self) -> IntColumn:
        """Return for each event with unknown values the same one of the complete history, or ``MISSING``."""
        keys = [
            {
                (run.interactions.names[part], call, run.tuning.table.symbols[symbol], bool(passive)): row
                for row, (part, call, symbol, passive) in enumerate(
                    zip(
                        run.interactions.slice.tolist(),
                        run.interactions.invocation.tolist(),
                        run.tuning.table.symbol.tolist(),
                        run.interactions.passive.tolist(),
                        strict=True,
                    )
                )
            }
            for run in (self.unknown, self.complete)
        ]
        found = np.full(len(self.unknown.tuning.table), MISSING, dtype=np.int64)
        for key, row in keys[0].items():
            found[row] = keys[1].get(key, MISSING)
        return found

    def _states(self) -> Iterator[str]:
        tuning = self.unknown.tuning
        same = self._same_events()
        wrong = np.zeros(len(same), dtype=np.bool_)
        for predicate in tuning.chosen_point.predicates:
            own, other = (
                self._truths(self.unknown, predicate.text),
                self._truths(self.complete, predicate.text),
            )
            if own is not None and other is not None:
                wrong |= (same != MISSING) & (own != other[same])
        visits = Counter(tuning.state_after[wrong].tolist())
        for state in self.unknown.specification.states:
            if visits[state.id] > (state.unknown or 0):
                yield f"{visits[state.id]} visits of '{state.name}' are not in it, {state.unknown} unknown"
        wrong |= tuning.shift_to_before(wrong)
        taken: Counter[tuple[int, int, str]] = Counter()
        for row in np.flatnonzero(wrong).tolist():
            symbol = tuning.table.symbols[tuning.table.symbol[row]]
            taken[int(tuning.state_before[row]), int(tuning.state_after[row]), symbol] += 1
        for edge in self.unknown.specification.transitions:
            count = taken[edge.source, edge.target, edge.symbol]
            if edge.kind.value == "call" and count > (edge.unknown or 0):
                yield f"{count} of {edge.symbol} {edge.source} -> {edge.target} are none, {edge.unknown} unknown"

    # -- guards and roles ---------------------------------------------------------------------------

    def _guards(self) -> Iterator[str]:
        terms = Terms(self.complete.context)
        functions = {name: row for row, name in enumerate(self.complete.context.calls.functions)}
        for learned in self.unknown.guards.learned_guards.guards:
            situation = terms.situation(functions[learned.guard.scope])
            if situation is None:
                continue
            places = {term.name: place for place, term in enumerate(situation.terms)}
            meaning, refused = LiteralEvaluator(situation), np.zeros(len(situation), dtype=np.bool_)
            for condition, clause in zip(learned.guard.conditions, learned.clauses, strict=True):
                literals = [_moved(item, learned.meaning, places) for item in clause.literals]
                if any(item is None for item in literals):
                    continue
                false = truth_of(meaning, [item for item in literals if item]).false & situation.accepted
                refused |= false
                if int(false.sum()) > condition.exceptions + condition.unknown:
                    yield f"{learned.guard.scope} needs {condition.text}: refuses {int(false.sum())}"
            told = learned.guard.exceptions + (learned.guard.unknown or 0)
            if int(refused.sum()) > told:
                yield f"{learned.guard.scope}: {learned.guard.text} refuses {int(refused.sum())}, told {told}"

    def _roles(self) -> Iterator[str]:
        context = self.complete.context
        history = context.history
        for role in self.unknown.guards.roles:
            if role.kind is not RoleKind.SET:
                continue  # the others are conditions of guards
            for name in role.functions:
                rows = context.is_accepted & (context.calls.function == context.calls.functions.index(name))
                senders = {
                    f"0x{history.addresses[row].hex()}" for row in history.invocation_sender[rows].tolist()
                }
                if not senders <= {address.lower() for address in role.addresses}:
                    yield f"not only {role.name} sent {name}"

    # -- invariants -----------------------------------------------------------------------------------

    def _invariants(self) -> Iterator[str]:
        complete = self.complete
        offered = {
            item.text: item for item in propose(complete.context, complete.tuning, complete.interactions)
        }
        cells = {
            item.name: item
            for item in changes_of_calls(complete.context, UnknownChanges.of(complete.context))
        }
        for item in self.unknown.invariants:
            count = self._exceptions(item, offered, cells)
            if count is not None and count > item.exceptions + item.unknown:
                yield f"{item.text}: fails {count} times, told {item.exceptions} and {item.unknown} unknown"

    def _exceptions(
        self, item: Invariant, offered: dict[str, Invariant], cells: dict[str, Cells]
    ) -> int | None:
        """Return how often a claim fails in the complete history; ``None`` if it cannot be told."""
        if item.template is Template.STATE:
            return self._fails_in_state(item)
        if item.template is Template.BEFORE:
            return self._fails_before(item)
        if item.text in offered:
            return offered[item.text].exceptions
        for name, of_name in cells.items():
            if item.text == f"{name} never changes after the deployment":
                return int(
                    (of_name.changed & ~self.complete.context.is_constructor[of_name.invocation]).sum()
                )
        return None

    def _fails_in_state(self, item: Invariant) -> int | None:
        state = self.unknown.tuning.states[item.scope.state or 0]
        said = self._truths(self.complete, item.text.removeprefix(f"in '{state.name}': "))
        if said is None:
            return None
        inside: BoolColumn = ~self.complete.tuning.table.rejected
        chosen = self.unknown.tuning
        values = {
            tuple(column)
            for column in chosen.graph.valuations[self._chosen_rows()][
                :, chosen.chosen_point.blocks == state.id
            ].T.tolist()
        }
        columns = [self._truths(self.complete, chosen.vocabulary[row].text) for row in self._chosen_rows()]
        if any(column is None for column in columns):
            return None
        here = (
            np.array(
                [
                    tuple(row) in values
                    for row in zip(
                        *(column.tolist() for column in columns if column is not None), strict=True
                    )
                ],
                dtype=np.bool_,
            )
            if columns
            else np.ones(len(inside), dtype=np.bool_)
        )
        return int((inside & here & (said == 0)).sum())

    def _chosen_rows(self) -> list[int]:
        texts = {predicate.text for predicate in self.unknown.tuning.chosen_point.predicates}
        return [row for row, item in enumerate(self.unknown.tuning.vocabulary) if item.text in texts]

    def _fails_before(self, item: Invariant) -> int | None:
        table, name = self.complete.tuning.table, item.scope.name
        said = self._truths(self.complete, item.text.removeprefix(f"before {name}: "))
        if said is None or name not in table.symbols:
            return None
        inner = self.complete.tuning.graph.state_before != ROOT  # before that nothing is told
        before = np.concatenate(([2], said[:-1]))[: len(said)]
        calls = (table.symbol == table.symbols.index(name)) & inner & ~table.rejected
        return int((calls & ~self.complete.interactions.passive & (before == 0)).sum())

    # -- interactions ---------------------------------------------------------------------------------

    def _interactions(self) -> Iterator[str]:
        """Yield the accepted calls that belong to an interaction to which they do not belong in truth."""
        pairs = []
        for run in (self.unknown, self.complete):
            rows = ~run.interactions.passive & run.context.history.accepted[run.interactions.invocation]
            names = [run.interactions.names[part] for part in run.interactions.slice[rows].tolist()]
            pairs.append(set(zip(names, run.interactions.invocation[rows].tolist(), strict=True)))
        for name, call in sorted(pairs[0] - pairs[1]):
            yield f"call {call} does not belong to {name}"


def _moved(literal: Literal, meaning: LiteralEvaluator, places: dict[str, int]) -> Literal | None:
    """Return a literal over the terms of another situation, by their names; ``None`` if it lacks one."""
    names = [meaning.situation.terms[term].name for term in literal.terms]
    if any(name not in places for name in names):
        return None
    terms = meaning.situation.terms
    return replace(
        literal,
        left=places[terms[literal.left].name],
        right=None if literal.right is None else places[terms[literal.right].name],
        operand=None if literal.operand is None else places[terms[literal.operand].name],
    )


def main(names: list[str], first: int, last: int) -> None:
    """Plant values in datasets with each seed, and print what does not hold."""
    for name in names:
        with TraceStore("sqlite://") as store:
            record = import_traces(store, dataset(name).traces)
            history = store.history(record.chain_id, [record.address])
        start = staged(history, MineOptions())
        for seed in range(first, last):
            draw = random.Random(seed)
            times = draw.choice((1, 3, 10, 60))
            try:
                compared = Comparison.of(history, start, draw, times)
            except UsageError as error:  # what the abstraction fixes is not known well enough to be used
                print(f"{name} {seed}: {error}")
                continue
            broken = list(compared.broken())
            claims = sum(item.unknown > 0 for item in compared.unknown.invariants)
            print(
                f"{name} {seed}: {times} planted, {claims} invariants with unknown cases, {len(broken)} broken"
            )
            for text in broken:
                print(f"  {text}")


if __name__ == "__main__":
    main(sys.argv[3:], int(sys.argv[1]), int(sys.argv[2]))
