"""Why something holds whenever a call comes to a state: the fewest reasons that are enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from specminer._support.errors import plain
from specminer._support.text import join_words
from specminer.inference.invariant_claim import Invariant
from specminer.inference.solver_questions import ObligationLog
from specminer.inference.state_formulas import FunctionSpace, follows
from specminer.predicate import Formula
from specminer.specification import Proof
from specminer.specification.invariants import Template


class StateFacts:
    """What holds in each state besides what describes it: claims without any exception, and without unknown cases."""

    def __init__(self, invariants: Iterable[Invariant]) -> None:
        self._of_state: dict[int, list[tuple[str, Formula]]] = defaultdict(list)
        self._always: list[tuple[str, Formula]] = []
        for item in invariants:
            if item.formula is None or item.exceptions or item.unknown or item.premises:
                continue
            if item.template is Template.STATE and item.scope.state is not None:
                claim_text = item.text.partition("': ")[2]
                self._of_state[item.scope.state].append((claim_text, item.formula))
            elif item.template is Template.ORDER:
                self._always.append((item.text, item.formula))

    def of(self, state: int) -> Sequence[tuple[str, Formula]]:
        """Return the claims about a state, orders first."""
        return [*self._always, *self._of_state[state]]


Facts = tuple[str, Sequence[Formula]]
"""What may be used, with the phrase that names it; later ones are tried together with all before."""


def reason(
    frame: FunctionSpace,
    state: int,
    state_facts: StateFacts,
    more: Sequence[Facts],
    conclusion: Sequence[Formula],
    claim_text: str,
    function: str,
    log: ObligationLog,
) -> tuple[str, Proof] | None:
    """Return why one of some literals holds where a call comes to a state, with its proof; ``None`` if it does not.

    Args:
        frame: the language of the call.
        state: where it comes to.
        state_facts: claims about states.
        more: what holds of the call besides.
        conclusion: the literals of a disjunction.
        claim_text: how it is written.
        function: what is called.
        log: takes up the obligation.

    """
    language, cubes = frame.language, frame.cubes(state)
    for because, facts in _tries(frame, state, state_facts, more, described=any(cubes)):
        facts = [*facts, *frame.known_facts(*facts, *conclusion)]
        if follows(language, cubes, facts, conclusion):
            goal = conclusion[0] if len(conclusion) == 1 else language.disjunction(*conclusion)
            proof = log.prove(
                language,
                function,
                f"'{plain(claim_text, 300)}' follows from {because}",
                [frame.state(state), *facts],
                goal,
            )
            if proof is not None:
                return because, proof
    return None


def _tries(
    frame: FunctionSpace, state: int, state_facts: StateFacts, more: Sequence[Facts], *, described: bool
) -> Iterator[tuple[str, list[Formula]]]:
    """Yield reasons, the least first: the state, with what holds of the call, with each claim about the state."""
    name = frame.space.tuning.states[state].name
    names = [f"the state '{plain(name, 200)}'"] if described else []
    here = list(names)
    facts: list[Formula] = []
    if described:
        yield names[0], []
    for phrase, formulas in more:
        if formulas:
            names, facts = [*names, phrase], [*facts, *formulas]
            yield join_words(names, "and"), facts
    claims = [(text, frame.translate(formula)) for text, formula in state_facts.of(state)]
    for text, claim in claims:
        yield join_words([*here, f"'{plain(text, 200)}'"], "and"), [claim]
    for text, claim in claims if facts else ():
        yield join_words([*names, f"'{plain(text, 200)}'"], "and"), [*facts, claim]
    if len(claims) > 1:
        yield join_words([*names, "what holds there"], "and"), [*facts, *(claim for _, claim in claims)]
