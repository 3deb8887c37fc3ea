"""From a table of events to the front of automata, one of them chosen.

Selections of predicates are compared by the description length J of the automaton they make (see
:mod:`specminer.learning.metric`). First only predicates over storage and time compete; those over what happened before
come
in where these say nothing. Then events are split where that pays, and states joined as the preset says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Protocol

import numpy as np

from specminer.history.contract_history import IntColumn
from specminer.learning import event_splitting as splitting
from specminer.learning.abstraction_definition import Definition
from specminer.learning.description import FALLS, Describer
from specminer.learning.enabling_states import SINGLE, Tolerance, split_by_enabledness
from specminer.learning.event_splitting import Split
from specminer.learning.event_table import EventTable
from specminer.learning.front import by_size, front
from specminer.learning.history_folds import FEW, Folds, folds, held_out_acceptance
from specminer.learning.idle_deadlines import join_idle_deadlines
from specminer.learning.objective import Objective, Selection, SelectionScore
from specminer.learning.predicate_search import PLATEAU, near, search, settle
from specminer.learning.preset import DEFAULT_PRESET, PRESETS, Preset
from specminer.learning.quotient import Quotient, quotient, refine
from specminer.learning.state_merging import Merging, follow, lean, steps, without_merging
from specminer.learning.tuning_result import Tuning, doubts_of
from specminer.learning.unaffected import similar_steps
from specminer.learning.vocabulary import Vocabulary, vocabulary
from specminer.predicate import solver_name
from specminer.specification.abstraction_entries import HistoryView, Tier

HISTORY_WORTH: Final = 0.075
"""Where storage says nothing, predicates about what happened before are admitted if they take this share off the
objective; less is a habit of those who call."""

PHASES_WORTH: Final = 0.02
"""Phases of the whole contract must take this share off the objective: each may double the states. Deadlines of the
entity, which the code states, must take off what splits of events must."""
TOLERATED_REFUSALS: Final = 1.5
"""Held-out acceptance falls if more interactions than these are refused: a single one may have gone its own way."""
DISAGREES: Final = 0.05
"""What the code tells apart may cost this share of what halves of a short history have in common ..."""
DISAGREEING: Final = 4.0
"""... or so many interactions in that share: halves with fewer than :data:`.history_folds.FEW` know little."""
REFUSED_SHARE: Final = 0.1
"""Share of the interactions that states may refuse where there was but one, which refuses nothing."""
SAME: Final = 1e-9
"""Shares that differ by less are the same."""
SPLIT_STATES: Final = 512
"""With more finest states, events are split between the states found only."""
MERGED_SELECTIONS: Final = 6
"""Of so many selections near the best one states are joined, those with the fewest states."""
LEVEL: Final = 40
"""At most so many selections near the best one are compared by what they say of unseen parts."""


def tune(
    table: EventTable,
    definition: Definition,
    seed: int = 0,
    preset: Preset | None = None,
    phased: PhasedTable | None = None,
    *,
    is_explained: bool = True,
) -> Tuning:
    """Find the predicates that describe a table of events best; same input and seed, same result.

    Args:
        table: the events; calls that the definition drops must not be in it.
        definition: what is fixed, preferred and forbidden, and the weights.
        seed: draws random starting points and parts of the history.
        preset: which point of the front is chosen; ``balanced`` by default.
        phased: the same events with changes of flags of the whole contract; taken where that pays.
        is_explained: whether to tell of the chosen predicates how stable they are, and what is proved to mean the same.

    Raises:
        UsageError: the definition fixes a predicate, or splits an event by one, that is none here.

    """
    preset = preset or PRESETS[DEFAULT_PRESET]
    run = _TuningRun(table=table, definition=definition, seed=seed, preset=preset)
    if phased is not None and phased.names and not phased.all_required:
        answer = run.paying(phased)
    elif phased is not None:
        answer = run.within(phased, phased.names).find_answer()
    else:
        answer = run.find_answer()
    chosen_point = answer.merging
    if preset.enabling and not definition.only:
        answer = answer.run.split_by_enabledness(phased, answer)
        answer = answer.run.with_nested_entries(phased, answer)
    run, best_selection, merging = answer.run, answer.best, answer.merging
    full = best_selection.full
    points: tuple[Merging, ...] = (merging,)
    if not definition.only:  # what a definition fixes is not joined for being longer to tell
        points, chosen_point = front(best_selection.objective, merging, stays=merging is not chosen_point)
    describer = Describer(
        objective=best_selection.objective,
        table=best_selection.split.table,
        folds=best_selection.folds,
        definition=replace(definition, phases=run.phases or definition.phases),
        splits={
            event: tuple(item.text for item in items)
            for event, items in best_selection.split.predicates.items()
        },
        seed=seed,
        is_explained=is_explained,
    )
    described = describer.all(points, chosen_point)
    return Tuning(
        language=full.language,
        table=best_selection.split.table,
        splits=describer.splits,
        phases=run.phases,
        graph=best_selection.graph,
        vocabulary=best_selection.objective.vocabulary.predicates,
        doubts=doubts_of(best_selection.objective.vocabulary),
        front=described,
        facets=tuple(predicate.text for predicate in full.facets),
        used_history=best_selection.used_history,
        candidates=best_selection.objective.candidates,
        evaluations=best_selection.evaluations,
        unmatched=full.unmatched,
        solver=solver_name(),
        preset=preset.name,
        seed=seed,
    )


class PhasedTable(Protocol):
    """A table of events to which changes of flags of the whole contract can be added."""

    @property
    def names(self) -> tuple[str, ...]:
        """The flags that there are."""

    @property
    def all_required(self) -> bool:
        """Whether the definition asks for all of them: then nothing is compared."""

    def table(self, names: tuple[str, ...]) -> EventTable:
        """Return the table with the changes of some of the flags."""

    def is_shared(self, name: str) -> bool:
        """Return whether this is a flag of the whole contract, and not a deadline of each entity."""

    def agreements(self, table: EventTable, graph: Quotient, blocks: IntColumn, cut: Folds) -> list[float]:
        """Return of pairs of random halves what automata with the states ``blocks`` learned from them have in common.

        Shares from 0 to 1, always of the same halves; none where there is nothing to halve.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class _BestSelection:
    """The best selection, and what it was found on."""

    full: Vocabulary
    """All candidates, those over earlier events included."""
    split: Split
    graph: Quotient
    folds: Folds
    objective: Objective
    best: SelectionScore
    evaluations: int
    """How many selections were compared on the way."""

    @property
    def used_history(self) -> bool:
        candidates = self.objective.vocabulary.predicates
        return any(candidates[position].tier is Tier.HISTORY for position in self.best.selection)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TuningAnswer:
    """What one tuning found, and with which flags."""

    run: _TuningRun
    best: _BestSelection
    merging: Merging

    @property
    def relied_flags(self) -> frozenset[str]:
        """The flags that change what functions of the contract return that states are told apart by."""
        return self.run.relied_flags(self.best.objective.vocabulary, self.merging.score.selection)


def _pays(answer: _TuningAnswer, less: _TuningAnswer, share: float) -> bool:
    """Return whether an answer is shorter by a share than one with a flag less."""
    limit = (1.0 - share) * less.merging.score.description_length
    return answer.merging.score.description_length < limit


def _misleads(
    phased: PhasedTable,
    answer: _TuningAnswer,
    less: _TuningAnswer,
    *,
    tolerance: Tolerance = Tolerance.LITTLE,
) -> bool:
    """Return whether parts of the history that were not seen speak against a flag.

    They do if more than one interaction, and more than a hundredth of them, is refused for it, or if halves agree less,
    on average and in most pairs. Where a function of the contract changes with the flag, and states are told apart by
    what it returns, the code says it: then halves may agree a little less, as there are more states. So they may where
    deadlines pay and halves are too small to tell. An automaton of a single state lets everything pass: against it
    only speaks that a tenth of the interactions is refused.
    """
    if less.merging.score.states <= SINGLE and answer.merging.score.states > SINGLE:
        return _accepted(answer) < _accepted(less) - REFUSED_SHARE
    if _loses(answer, less, tolerance=tolerance):
        return True
    added = set(answer.run.phases) - set(less.run.phases)
    if added <= answer.relied_flags:
        return _splits_halves(phased, answer, less)
    agreed, agreed_before = _agreements(phased, answer), _agreements(phased, less)
    falls = [after < earlier for after, earlier in zip(agreed, agreed_before, strict=False)]
    if sum(agreed) >= sum(agreed_before) or 2 * sum(falls) <= len(falls):
        return False
    few = not _tells(answer) and not any(phased.is_shared(name) for name in added)
    return not (few and _pays(answer, less, PLATEAU)) or _splits_halves(phased, answer, less)


def _tells(item: _TuningAnswer) -> bool:
    """Return whether there are so many interactions that halves of them tell what is true."""
    return len(item.best.split.table.starts) >= 2 * FEW


def _loses(answer: _TuningAnswer, less: _TuningAnswer, *, tolerance: Tolerance = Tolerance.LITTLE) -> bool:
    """Return whether more than one interaction, and more than a hundredth of them, is refused that was not before.

    With less tolerance, more than one, or any.

    Of few interactions, parts know little: there a step does not count that other parts have in states which the call
    cannot tell from these, as its code does not decide upon what tells them apart; unless with it a tenth is refused.
    """
    limit = _limit(answer, tolerance, few=TOLERATED_REFUSALS, little=FALLS)
    before = _accepted(less)
    refused = before - _accepted(answer)
    if refused <= limit or _tells(answer) or refused > REFUSED_SHARE:
        return refused > limit
    return before - _accepted(answer, similar=True) > limit


def _accepted(item: _TuningAnswer, *, similar: bool = False) -> float:
    """Return the share of held-out interactions that an answer's automaton accepts, perhaps by similar steps."""
    best_selection = item.best
    alike = None
    if similar:
        candidates = best_selection.objective.vocabulary
        alike = similar_steps(
            best_selection.split.table, candidates, best_selection.graph, item.merging.score.selection
        )
    return held_out_acceptance(best_selection.graph, best_selection.folds, item.merging.blocks, alike=alike)


def _agreements(phased: PhasedTable, item: _TuningAnswer) -> list[float]:
    """Return what halves of the history have in common under an answer, of each pair of halves."""
    best_selection = item.best
    return phased.agreements(
        best_selection.split.table, best_selection.graph, item.merging.blocks, best_selection.folds
    )


def _splits_halves(
    phased: PhasedTable,
    answer: _TuningAnswer,
    less: _TuningAnswer,
    *,
    tolerance: Tolerance = Tolerance.LITTLE,
) -> bool:
    """Return whether halves of the history agree less than is tolerated, on average."""
    agreed, before = _agreements(phased, answer), _agreements(phased, less)
    limit = _limit(answer, tolerance, few=DISAGREEING, little=DISAGREES)
    return bool(agreed) and sum(before) - sum(agreed) > limit * len(agreed)


def _limit(answer: _TuningAnswer, tolerance: Tolerance, *, few: float, little: float) -> float:
    """Return the share that may be lost: of a short history always a little.

    Args:
        answer: of how many interactions.
        tolerance: how much may be lost of a long history.
        few: the interactions that are few.
        little: the share that is little; in few interactions these few are.

    """
    share = few / max(1, int(answer.best.folds.times.sum()))
    if tolerance is Tolerance.LITTLE or not _tells(answer):
        return max(little, share)
    return share if tolerance is Tolerance.ONE else SAME


def _mentioned_variables(candidates: Vocabulary, position: int) -> frozenset[str]:
    """Return the names of the variables that a predicate speaks of."""
    language = candidates.language
    return frozenset(
        language.declaration(symbol).name
        for symbol in language.symbols(candidates.predicates[position].formula)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TuningRun:
    """What one tuning is asked for."""

    table: EventTable
    definition: Definition
    seed: int
    preset: Preset
    phases: tuple[str, ...] = ()
    """Flags whose changes are events of the table, deadlines of the entity among them."""
    deadlines: tuple[str, ...] = ()
    """Those of them that are deadlines."""
    nested: bool = False
    """Whether states may depend on what accounts keep for others; else only where the definition says so."""
    answers: dict[tuple[str, ...], _TuningAnswer] = field(default_factory=dict)
    """What was found already, by ``phases``; shared by all runs of one tuning."""

    def find_answer(self) -> _TuningAnswer:
        """Return what the search finds on the table, some of whose events may be split, and the automaton of it."""
        if self.phases not in self.answers:
            self.answers[self.phases] = self._answer()
        return self.answers[self.phases]

    def _answer(self) -> _TuningAnswer:
        best_selection = self.search(
            vocabulary(self.table, self.definition, nested=self.nested),
            splitting.as_defined(self.table, self.definition),
        )
        merging = self.merge(best_selection)
        if not (self.definition.only or self.definition.split):
            best_selection, merging = self.with_splits(best_selection, merging)
        return _TuningAnswer(run=self, best=best_selection, merging=merging)

    def within(self, phased: PhasedTable, names: tuple[str, ...]) -> _TuningRun:
        """Return the run on the table with the changes of some flags."""
        own = tuple(name for name in names if not phased.is_shared(name))
        return replace(self, table=phased.table(names), phases=names, deadlines=own)

    def paying(self, phased: PhasedTable) -> _TuningAnswer:
        """Tell phases and deadlines apart where each pays beside the others, and unseen parts bear it out.

        That a flag changes befalls all interactions at once: it is given and costs nothing to tell, but states and
        transitions are drawn once more for each phase. Each must pay for them, and not mislead about what was not seen.
        """
        plain = self.find_answer()
        answers: dict[tuple[str, ...], _TuningAnswer] = {}

        def answer_with(names: tuple[str, ...]) -> _TuningAnswer:
            """Return the answer on the table with some flags; those that no state depends on are left out again."""
            if not names:
                return plain
            if names not in answers:
                answer = self.within(phased, names).find_answer()
                used = answer.run.flags_of(answer.best, answer.merging.score.selection)
                answers[names] = answer if used == names else answer_with(used)
            return answers[names]

        best = answer_with(phased.names)
        while names := best.run.phases:
            fewer = [
                answer
                for name in names
                for answer in [answer_with(tuple(other for other in names if other != name))]
                if not _pays(best, answer, PHASES_WORTH if phased.is_shared(name) else PLATEAU)
                or _misleads(phased, best, answer)
            ]
            if not fewer:
                break
            best = min(fewer, key=lambda answer: (answer.merging.score.key, answer.run.phases))
        return best

    def split_by_enabledness(self, phased: PhasedTable | None, answer: _TuningAnswer) -> _TuningAnswer:
        """Tell states apart where the code decides what can be called; deadlines that do so are events as well.

        What was left together for the sake of the deadlines is looked at once more when they are chosen. This run is
        the one of ``answer``.
        """
        shortest = answer.merging.score.description_length
        plain = self.told_apart(phased, answer, shortest)
        if phased is not None and not phased.all_required:
            names = tuple(name for name in phased.names if name in self.phases or not phased.is_shared(name))
            while set(names) - set(self.phases):
                run = self.within(phased, names)
                joined = run.told_apart(phased, run.find_answer(), shortest)
                used = run.flags_of(joined.best, joined.merging.score.selection)
                if used == names:
                    tolerance = Tolerance.of(joined.merging, answer.merging)
                    if not _misleads(phased, joined, answer, tolerance=tolerance):
                        return joined
                    joined = run.told_apart(phased, run.find_answer(), shortest, less=answer)
                    used = run.flags_of(joined.best, joined.merging.score.selection)
                    tolerance = Tolerance.of(joined.merging, answer.merging)
                    fits = used == names and not _misleads(phased, joined, answer, tolerance=tolerance)
                    return run.told_apart(phased, joined, shortest) if fits else plain
                names = used
        return plain

    def with_nested_entries(self, phased: PhasedTable | None, answer: _TuningAnswer) -> _TuningAnswer:
        """Tell apart accounts by what they keep for others, if that pays and unseen parts bear it out.

        What happened before must take as much off the description as beside any other storage. This run is the one of
        ``answer``.
        """
        own = {variable.name for variable in self.table.variables if variable.entries is not None}
        if phased is None or not own:
            return answer
        run = replace(self, nested=True, answers={})
        with_entries = run.told_apart(phased, run.find_answer(), answer.merging.score.description_length)
        if answer.best.used_history and not with_entries.best.used_history:
            pays = not _pays(answer, with_entries, HISTORY_WORTH)
        else:
            pays = _pays(with_entries, answer, PLATEAU)
        return (
            with_entries
            if pays
            and not _misleads(
                phased,
                with_entries,
                answer,
                tolerance=Tolerance.NOTHING,
            )
            else answer
        )

    def told_apart(
        self,
        phased: PhasedTable | None,
        answer: _TuningAnswer,
        shortest: float,
        less: _TuningAnswer | None = None,
    ) -> _TuningAnswer:
        """Return an answer with states told apart by what the code decides; see :mod:`.enabling_states`.

        Nothing is told apart that misleads beside an answer with ``less`` flags, if there is one.
        """

        def bears_out(merging: Merging, tolerance: Tolerance) -> bool:
            candidate = replace(answer, merging=merging)
            if _loses(candidate, answer, tolerance=tolerance):
                return False
            if (
                phased is not None
                and less is not None
                and _misleads(phased, candidate, less, tolerance=tolerance)
            ):
                return False
            return phased is None or not _splits_halves(phased, candidate, answer, tolerance=tolerance)

        table = answer.best.split.table
        accepted_as = np.array(table.accepted_as or range(len(table.symbols)), dtype=np.int64)
        shortest = min(shortest, answer.merging.score.description_length)
        merging = split_by_enabledness(
            answer.best.objective, answer.merging, accepted_as, shortest, bears_out
        )
        merging = join_idle_deadlines(answer.best.objective, merging, accepted_as)
        return replace(answer, merging=merging)

    def flags_of(self, best_selection: _BestSelection, selection: Selection) -> tuple[str, ...]:
        """Return the flags that some predicates speak of, or that change what they speak of."""
        candidates = best_selection.objective.vocabulary
        variable_names = {
            name for position in selection for name in _mentioned_variables(candidates, position)
        }
        relied = self.relied_flags(candidates, selection)
        return tuple(
            name
            for name, spelling in self._name_flags(candidates)
            if spelling in variable_names or name in relied
        )

    def relied_flags(self, candidates: Vocabulary, selection: Selection) -> frozenset[str]:
        """Return the flags that change what functions return of which some predicates speak."""
        variable_names = {
            name for position in selection for name in _mentioned_variables(candidates, position)
        }
        named_variables = zip(self.table.variables, candidates.dimensions, strict=True)
        return frozenset(
            flag
            for variable, name in named_variables
            if name in variable_names
            for flag in variable.relies_on
        )

    def _name_flags(self, candidates: Vocabulary) -> list[tuple[str, str]]:
        """Return each flag with the name that predicates have for it."""
        spellings = list(candidates.dimensions)  # variables stand in the order of the table
        return [
            (name, spellings[position]) for name, position in zip(self.phases, self.table.flags, strict=True)
        ]

    def _deadlines_only(self, candidates: Vocabulary) -> frozenset[int]:
        """Return the positions of the predicates that speak of deadlines alone."""
        if not self.deadlines:
            return frozenset()
        own = {spelling for name, spelling in self._name_flags(candidates) if name in self.deadlines}
        return frozenset(
            position
            for position in range(len(candidates.predicates))
            if (names := _mentioned_variables(candidates, position)) and names <= own
        )

    def search(self, full: Vocabulary, split: Split) -> _BestSelection:
        """Search among storage and time; among all where that finds nothing, or as the definition says.

        Where somebody forbids a variable, storage no longer says it all, and what happened competes on equal terms.
        """
        meaningful = full.only(Tier.STORAGE, Tier.TIME)
        if self.definition.history is HistoryView.ALWAYS:
            return self._on(full, full, split)
        best_selection = self._on(full, meaningful, split)
        if self.definition.only or len(full.predicates) == len(meaningful.predicates):
            return best_selection
        forbidden = set(self.definition.forbid) - set(full.unmatched)
        if best_selection.best.selection and not forbidden:
            return best_selection
        with_history = self._on(full, full, split, compared=best_selection.evaluations)
        required_gain = 0.0 if forbidden else HISTORY_WORTH
        worth = (
            with_history.best.description_length
            <= (1.0 - required_gain) * best_selection.best.description_length
        )
        return (
            with_history
            if worth and with_history.used_history
            else replace(best_selection, evaluations=with_history.evaluations)
        )

    def with_splits(self, unsplit: _BestSelection, merging: Merging) -> tuple[_BestSelection, Merging]:
        """Split events where that pays, search once more, and join states again.

        A predicate may pay only once events are split, so that splits are looked for between the states found
        and between the finest ones; those that explain nothing between the states then found are undone. They pay
        if the automaton in the end leaves the plateau of descriptions that are about as good.
        """
        best = unsplit
        finest = np.arange(unsplit.graph.states)
        for blocks in (unsplit.graph.coarsen(unsplit.best.selection), finest[:SPLIT_STATES]):
            if len(blocks) == len(finest):
                best = min(best, self._split_by(unsplit, blocks), key=lambda item: item.best.key)
        if best is not unsplit:
            blocks = unsplit.graph.coarsen(best.best.selection)
            best = min(best, self._split_by(unsplit, blocks), key=lambda item: item.best.key)
        if best is unsplit:
            return unsplit, merging
        joined = self.merge(best)
        limit = (1.0 - PLATEAU) * merging.score.description_length
        return (best, joined) if joined.score.description_length < limit else (unsplit, merging)

    def _split_by(self, unsplit: _BestSelection, blocks: IntColumn) -> _BestSelection:
        split = splitting.find_split(self.table, unsplit.graph, blocks, self.definition.weights)
        if not split.predicates:
            return unsplit
        starts = (unsplit.best.selection,)
        return self._on(unsplit.full, unsplit.objective.vocabulary, split, unsplit.evaluations, starts)

    def merge(self, best_selection: _BestSelection) -> Merging:
        """Join states as the definition or else the preset says, in the best selection and those near it."""
        objective, selection = best_selection.objective, best_selection.best.selection
        if self.definition.only:
            cube_texts, lenient = self.definition.merge, self.definition.lenient
            cubes = Describer.cubes(objective, selection, cube_texts, lenient=lenient)
            return follow(objective, selection, cubes)
        start = without_merging(objective, selection)
        keep = self.preset.keep
        if keep is None:
            return start
        nearby = [
            without_merging(objective, score.selection) for score in near(objective, best_selection.best)
        ]
        small = sorted(nearby, key=lambda item: (item.score.states, item.score.key))[:MERGED_SELECTIONS]
        joined = [item for origin in [start, *small] for item in steps(objective, origin)]
        best = settle(objective, [start, *nearby[:LEVEL], *by_size(objective), *joined], best_selection.folds)
        best = lean(objective, best)
        nothing = objective.score(objective.vocabulary.fixed).description_length
        limit = best.score.description_length
        limit += (1.0 - keep) * max(0.0, nothing - limit)
        fewer = [
            item for item in steps(objective, best) if keep < 1.0 and item.score.description_length <= limit
        ]
        return min([best, *fewer], key=lambda item: (item.score.states, item.score.key))

    def _on(
        self,
        full: Vocabulary,
        candidates: Vocabulary,
        split: Split,
        compared: int = 0,
        starts: tuple[Selection, ...] = (),
    ) -> _BestSelection:
        graph = quotient(self.table, candidates)
        if split.predicates:
            graph = refine(graph, split.table)
        cut = folds(graph, self.seed)
        objective = Objective(
            graph,
            candidates,
            self.definition.weights,
            surcharge=split.surcharge,
            deadlines=self._deadlines_only(candidates),
        )
        if self.definition.only:
            best = objective.score(candidates.fixed)
        elif self.preset.held_out and cut.enough:
            apart = Objective(
                graph,
                candidates,
                self.definition.weights,
                surcharge=split.surcharge,
                held_out=cut,
            )
            search(objective, self.seed, starts)
            best = objective.score(search(apart, self.seed).selection)
        else:
            best = search(objective, self.seed, starts)
        return _BestSelection(
            full=full,
            split=split,
            graph=graph,
            folds=cut,
            objective=objective,
            best=best,
            evaluations=compared + len(objective.scores),
        )
