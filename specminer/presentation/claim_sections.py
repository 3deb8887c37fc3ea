"""The sections about what is claimed to hold: guards, roles, invariants, and what a solver said of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specminer._support.statistics import TRAINING_SHARE
from specminer._support.text import with_unknown
from specminer.presentation.guard_sentences import (
    DECIDING_KINDS,
    condition_text,
    kind_texts,
    unexplained_reasons,
)
from specminer.presentation.passage_sections import passage_sections
from specminer.presentation.section import (
    Cell,
    Row,
    Section,
    TextPiece,
    address_cell,
    interval_text,
    left_out,
    proof_text,
    row,
    transaction_cell,
)
from specminer.specification import (
    ClaimScope,
    ConditionMaker,
    Derivation,
    Guard,
    GuardCondition,
    GuardKind,
    InvariantEntry,
    Role,
    Specification,
)

MAX_CLAIMS: Final = 300
_DERIVATIONS: Final = {
    Derivation.EXACT: "from the code",
    Derivation.MODULAR: "from the code, modulo 2**256",
}


_GUARD_HEADER: Final = (
    "Function",
    "Condition",
    "Kind",
    "Accepted calls",
    "Explains",
    "For example",
    "Exceptions",
    "Not all",
    "Holds in (95 %)",
    "Reasons given",
    "Kept later",
    "Shown form",
)


def claim_sections(spec: Specification) -> Iterator[Section]:
    """Yield what is claimed to hold; what the document does not have is left out."""
    if spec.guards:
        rows = [item for guard in spec.guards for item in _guard(guard)]
        kinds = kind_texts(spec)
        yield Section(
            id="guards",
            title="Guards",
            lead=(
                *kinds,
                "Explains: rejected calls that it refuses or that stopped at it. Not all: accepted calls that never "
                "come to a condition. Kept later, of learned guards: learned on the first "
                f"{100 * TRAINING_SHARE:.0f} % of the history, how many of the later rejections it explains, and how "
                "many later accepted calls it would have refused. Holds in: the 95 % interval (Wilson) of the share "
                "of accepted calls that keep it. Shown form: whether a solver proved that the condition as written "
                "here says what was found.",
            ),
            header=_GUARD_HEADER,
            figures=frozenset({3, 6}),
            rows=tuple(rows[:MAX_CLAIMS]),
            note=left_out(min(len(rows), MAX_CLAIMS), len(rows), "conditions"),
        )
    yield from _unexplained_sections(spec)
    yield from _read_only(spec)
    yield from passage_sections(spec)
    if spec.roles:
        yield Section(
            id="roles",
            title="Functions reserved to a role",
            lead=(
                "Who may call, as the guards say it. Rejects others: calls of others were rejected; otherwise it was "
                "only observed.",
            ),
            header=("Role", "Functions", "Rejects others", "Accounts seen", "The creator's"),
            rows=tuple(_role(spec, role) for role in spec.roles[:MAX_CLAIMS]),
        )
    if spec.invariants:
        yield Section(
            id="invariants",
            title="Invariants",
            lead=(
                "Not proved, unless they follow from the code: these held in the history, as often as the support "
                "says. Follows: by algebra over what calls computed, on every path that an accepted call took; modulo "
                "2**256 where nothing that was decided shows that no number wraps around. Tested later: learned on "
                "the earlier part, how often they then held and failed in the rest.",
            ),
            header=(
                "Of",
                "Invariant",
                "Kind",
                "Follows",
                "Support",
                "Exceptions",
                "Holds in (95 %)",
                "Tested later",
                "Broken by",
            ),
            figures=frozenset({4, 5}),
            rows=tuple(_invariant(spec, item) for item in spec.invariants[:MAX_CLAIMS]),
            note=left_out(min(len(spec.invariants), MAX_CLAIMS), len(spec.invariants), "invariants"),
        )
    if spec.obligations:
        yield Section(
            id="obligations",
            title="What a solver was asked",
            lead=("Each question stands as SMT-LIB 2 in automaton.json, to be asked again.",),
            header=("About", "Claim", "Expected answer", "Answer", "Result"),
            rows=tuple(
                row(
                    obligation.scope,
                    obligation.claim,
                    obligation.expected.value,
                    obligation.answer.value,
                    proof_text(obligation.proved),
                )
                for obligation in spec.obligations[:MAX_CLAIMS]
            ),
            note=left_out(min(len(spec.obligations), MAX_CLAIMS), len(spec.obligations), "questions"),
        )


def conditions_by_reason(spec: Specification) -> dict[str, list[tuple[str, str]]]:
    """Return for each function the reasons that its conditions explain, each with the condition."""
    pairs: dict[str, list[tuple[str, str]]] = {}
    for guard in spec.guards:
        if guard.kind not in DECIDING_KINDS:
            continue
        for condition in guard.conditions:
            for reason in condition.reasons:
                pairs.setdefault(guard.scope, []).append((reason.text, condition.text))
    return pairs


def required_guards(spec: Specification) -> dict[str, str]:
    """Return the condition that each function demands, as far as its rejected calls tell."""
    texts: dict[str, list[str]] = {}
    for guard in spec.guards:
        if guard.kind in DECIDING_KINDS and guard.text:
            texts.setdefault(guard.scope, []).append(guard.text)
    return {scope: " and ".join(parts) for scope, parts in texts.items()}


def _unexplained_sections(spec: Specification) -> Iterator[Section]:
    """Yield the reasons that are explained in part, or not at all, and why."""
    rows: list[Row] = []
    for scope in dict.fromkeys(guard.scope for guard in spec.guards if guard.kind in DECIDING_KINDS):
        why: dict[str, dict[str, int]] = {}
        for guard in spec.guards:
            if guard.scope == scope and guard.kind is GuardKind.REQUIRED:
                why |= {reason.text: reason.unexplained for reason in guard.reasons}
        for text, explained, rejected in unexplained_reasons(spec, scope):
            because = "; ".join(f"{cause} ({count:,})" for cause, count in why.get(text, {}).items())
            rows.append(row(scope, text or "no reason given", rejected, explained, because))
    if rows:
        yield Section(
            id="unexplained",
            title="Not explained",
            lead=("Reasons of which not every rejected call has a condition that it did not meet.",),
            header=("Function", "Reason", "Rejected calls", "Explained calls", "Why not the others"),
            figures=frozenset({2, 3}),
            rows=tuple(rows[:MAX_CLAIMS]),
            note=left_out(min(len(rows), MAX_CLAIMS), len(rows), "reasons"),
        )


def _guard(guard: Guard) -> Iterator[Row]:
    """Yield a row for each condition of a guard; what is of the whole guard stands in the first."""
    test = guard.held_out
    later = (
        f"{test.explained:,} of {test.rejected:,}; {test.refused:,} of {test.accepted:,} refused"
        if test
        else ""
    )
    parts: tuple[GuardCondition | Guard, ...] = guard.conditions or (guard,)
    for index, condition in enumerate(parts):
        yield row(
            guard.scope,
            _condition_text(condition),
            guard.kind.value,
            guard.accepted,
            f"{condition.explained:,} of {guard.rejected:,} rejected" if guard.rejected else "",
            _example(guard, condition),
            with_unknown(condition.exceptions, guard.unknown if index == 0 else None),
            _undecided_text(condition),
            interval_text(condition.interval),
            "; ".join(
                f"{reason.text} ({reason.explained:,} of {reason.rejected:,})" for reason in condition.reasons
            ),
            later if index == 0 else "",
            "not proved" if guard.kind is GuardKind.OBSERVED else proof_text(guard.proved),
        )


def _read_only(spec: Specification) -> Iterator[Section]:
    """Yield what read-only functions require that rejected calls."""
    rows = [item for guard in spec.read_only_guards or () for item in _guard(guard)]
    if rows:
        yield Section(
            id="read-only-guards",
            title="Read-only functions that rejected calls",
            lead=(
                "Calls of read-only functions are no events: they are in no interaction, and count nowhere else. Where "
                "they were rejected, this is why. The columns are those of the guards.",
            ),
            header=_GUARD_HEADER,
            figures=frozenset({3, 6}),
            rows=tuple(rows[:MAX_CLAIMS]),
            note=left_out(min(len(rows), MAX_CLAIMS), len(rows), "conditions"),
        )


def _condition_text(condition: GuardCondition | Guard) -> str:
    """Return a condition, as an implication if it belongs to a path, with where its bound lies."""
    if not isinstance(condition, GuardCondition):
        return condition.text
    bound, text = condition.bound, condition_text(condition)
    if condition.maker is ConditionMaker.COMPILER:
        text += " (by the compiler)"
    if bound is not None:
        text += f" (the bound lies between {bound.rejected}, rejected, and {bound.accepted}, accepted)"
    return text


def _example(guard: Guard, condition: GuardCondition | Guard) -> str:
    """Return the values of the first call that a condition stopped, and how many of these calls are inferred."""
    causes = [
        cause for reason in guard.reasons for cause in reason.causes if cause.condition == condition.text
    ]
    text = next((witness.text for cause in causes for witness in cause.witnesses), "")
    inferred = sum(cause.inferred or 0 for cause in causes)
    stopped = sum(cause.stopped for cause in causes)
    return f"{text} ({inferred:,} of {stopped:,} calls inferred)" if inferred else text


def _undecided_text(condition: GuardCondition | Guard) -> str:
    """Return how many accepted calls, of those followed, never came to a condition."""
    counts = condition.decisions if isinstance(condition, GuardCondition) else None
    if counts is None or not counts.undecided:
        return ""
    return f"{counts.undecided:,} of {counts.passed + counts.contradictions + counts.undecided:,}"


def _role(spec: Specification, role: Role) -> Row:
    pieces: list[TextPiece] = []
    for address in role.addresses[:5]:
        pieces += address_cell(spec.chain_id, address)
    if len(role.addresses) > 5:
        pieces.append(TextPiece(text=f"and {len(role.addresses) - 5:,} more"))
    if role.unknown:
        pieces.append(TextPiece(text=f"{role.unknown:,} calls unknown"))
    accounts: Cell = tuple(pieces) or (TextPiece(text="one for each key" if "[" in role.name else ""),)
    return row(
        role.name,
        ", ".join(role.functions),
        ", ".join(role.required) or "only observed",
        accounts,
        "yes" if role.creator else "",
    )


def _invariant(spec: Specification, item: InvariantEntry) -> Row:
    later = "" if item.test is None else f"{item.test.support:,} held, {item.test.exceptions:,} failed"
    breakers = transaction_cell(spec.chain_id, *item.broken_by[:5])
    return row(
        _scope_text(item.scope),
        item.text,
        item.kind.value,
        "" if item.derivation is None else _DERIVATIONS[item.derivation],
        with_unknown(item.support, item.unknown),
        item.exceptions,
        interval_text(item.interval),
        later,
        breakers or (TextPiece(text=""),),
    )


def _scope_text(scope: ClaimScope) -> str:
    """Return what an invariant is about: ``contract``, ``function, bid``, ``state, 3``."""
    return ", ".join(str(part) for part in (scope.of.value, scope.state, scope.function) if part is not None)
