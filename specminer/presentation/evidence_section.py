"""What speaks against a transaction: where each source of evidence looks, and how much it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from specminer.explanation import Explanation
from specminer.inference.evidence_fusion import FAMILIES
from specminer.presentation.section import Section, row
from specminer.specification import EvidenceSource

MEANINGS: Final[Mapping[EvidenceSource, str]] = {
    EvidenceSource.PATH: "the state in which each call was accepted, against the function's other calls",
    EvidenceSource.BEFORE: "what held before each call, against what held before all other calls of the function",
    EvidenceSource.BROKEN: "what held after it, against invariants of all other transactions",
    EvidenceSource.CALLER: "who called, against the earlier callers of the function",
    EvidenceSource.RELATION: "addresses among the arguments: whether they are the caller or the origin, as usual",
    EvidenceSource.ORIGIN: "whether an account or a contract called, against the function's other calls",
    EvidenceSource.NEWBORN: "whether the transaction created its caller, against other calls by contracts",
    EvidenceSource.COMBINATION: "which functions were called together and how often, against other transactions",
    EvidenceSource.ORDER: "in which order they were called, against other transactions with the same calls",
    EvidenceSource.CHANGES: "which variables changed, against the function's other calls",
    EvidenceSource.BRANCH: "which ways the code went, against the function's other calls",
    EvidenceSource.NESTED: "whether another call was running meanwhile, against the function's other calls",
    EvidenceSource.PAYMENT: "the ether that left, against other payments and what was held",
    EvidenceSource.TOKENS: "the tokens that moved, against other transactions that move them",
    EvidenceSource.SIZE: "amounts that were given or changed, against the function's other calls",
    EvidenceSource.REPETITION: "arguments, against those of earlier calls",
    EvidenceSource.DURATION: "the time since the step before, against other such steps",
    EvidenceSource.NEWCOMER: "whether the caller was ever seen, against others who called a function first",
    EvidenceSource.ANSWER: "what other contracts answered, against their earlier answers",
    EvidenceSource.CODE: "which other code was called or ran, against earlier calls",
    EvidenceSource.RACE: "who else changed the same in the same block, against other changes",
    EvidenceSource.REFUSAL: "whether the caller takes the ether that is paid to them, against other payments",
}
"""What each source compares, and with what."""
_FAMILY: Final = {
    source.value: family.value for family, voices in FAMILIES.items() for voice in voices for source in voice
}
_MEANING: Final = {source.value: text for source, text in MEANINGS.items()}


def evidence_section(explanation: Explanation) -> Section | None:
    """Return how much each source says of a transaction; its sentences only where the summary does not tell them."""
    anomaly = explanation.unusual
    if anomaly is None or not anomaly.evidence:
        return None
    summary = " ".join(explanation.summary)
    further = tuple(f"{reason}." for reason in anomaly.reasons if f"{reason}." not in summary)
    by_family = ", ".join(f"{family} {bits:.1f}" for family, bits in anomaly.families.items())
    counts = "of which the strongest source counts, those that add up together"
    note = f"By family, {counts}: {by_family} bits. " if by_family else ""
    return Section(
        id="unusual",
        title="What is unusual, and by how much",
        lead=further,
        header=("Evidence", "What is compared", "Family", "Bits"),
        figures=frozenset({3}),
        rows=tuple(
            row(source, _MEANING.get(source, ""), _FAMILY.get(source, ""), f"{bits:.1f}")
            for source, bits in anomaly.evidence.items()
        ),
        note=f"{note}Calls that evidence names are marked in the tree of calls.",
    )
