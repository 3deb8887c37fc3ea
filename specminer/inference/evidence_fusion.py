"""How the evidence of several sources becomes one score: families that say one thing each, and a truncated product.

Sources are not independent. Those that see the same fact from several sides form a *family*, which says only what its
strongest voice says: a payment far above all others also is a token flow and an argument far above all others. Where
one source is a condition of another, their bits add up by the chain rule: that somebody is new to a function, and that
among such callers hardly anybody is new to the whole history. What a family says is bounded again by how many
transactions have as much.

Families count as independent. Of their shares p only those below 5 % count, weighted or not (*truncated product*):
many transactions have several weak oddities. The score is how improbable the product of these is if nothing is wrong,
in bits, so that a score of b comes up with probability 2^-b or less, as far as families are independent. A family that
hardly ever says anything is not taken to speak in 5 % of all transactions: how often it does is counted.

Families do not count alike: an unusual hour or amount is what honest people have most often, an unusual caller, state
or effect is what an attack can hardly do without. Shares are divided by *weights* (:data:`WEIGHTS`), which are the same
for all histories and 1 on average: this leaves the score's scale as it is.

Source: Zaykin et al. 2002, *Truncated product method for combining P-values*; Fisher 1925 for the product; Genovese,
Roeder and Wasserman 2006, *False discovery control with p-value weighting*, for the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import lgamma, log
from typing import Final

import numpy as np
import numpy.typing as npt

from specminer._support.parts import spans
from specminer._support.scratch import in_file
from specminer.history.contract_history import BoolColumn, IntColumn
from specminer.inference.evidence_source import SourceEvidence, bound_bits
from specminer.inference.leave_one_out import FloatColumn
from specminer.specification import EvidenceFamily, EvidenceSource

CUT: Final = float(np.log2(20))
"""Bits from which a family counts: one in twenty transactions has as many."""

FAMILIES: Final[Mapping[EvidenceFamily, tuple[tuple[EvidenceSource, ...], ...]]] = {
    EvidenceFamily.CALLERS: (
        (EvidenceSource.CALLER, EvidenceSource.NEWCOMER),
        (EvidenceSource.ORIGIN, EvidenceSource.NEWBORN),
        (EvidenceSource.RELATION,),
    ),
    EvidenceFamily.CALLS: (
        (EvidenceSource.COMBINATION, EvidenceSource.ORDER),
        (EvidenceSource.NESTED,),
    ),
    EvidenceFamily.STATES: ((EvidenceSource.PATH,), (EvidenceSource.BEFORE,)),
    EvidenceFamily.EFFECTS: ((EvidenceSource.BROKEN,), (EvidenceSource.CHANGES,), (EvidenceSource.BRANCH,)),
    EvidenceFamily.TIMES: ((EvidenceSource.DURATION,), (EvidenceSource.RACE,)),
    EvidenceFamily.AMOUNTS: ((EvidenceSource.PAYMENT,), (EvidenceSource.TOKENS,), (EvidenceSource.SIZE,)),
    EvidenceFamily.OTHERS: ((EvidenceSource.ANSWER,), (EvidenceSource.CODE,), (EvidenceSource.REFUSAL,)),
    EvidenceFamily.ARGUMENTS: ((EvidenceSource.REPETITION,),),
}
"""The voices of each family: sources whose bits add up. The strongest voice speaks for the family."""

WEIGHTS: Final[Mapping[EvidenceFamily, float]] = {
    EvidenceFamily.CALLERS: 1.5,
    EvidenceFamily.STATES: 1.5,
    EvidenceFamily.EFFECTS: 1.5,
    EvidenceFamily.ARGUMENTS: 1.5,
    EvidenceFamily.OTHERS: 1.0,
    EvidenceFamily.CALLS: 0.5,
    EvidenceFamily.AMOUNTS: 0.3,
    EvidenceFamily.TIMES: 0.2,
}
"""How much a family counts, before any history is seen; 1 on average. The logarithm is added to its bits."""


def family_bits(
    evidence: Sequence[SourceEvidence], judged: BoolColumn, author: IntColumn
) -> dict[EvidenceFamily, FloatColumn]:
    """Return what each family says of each transaction; of those that say anything."""
    bits = {item.source: item.bits for item in evidence}
    bits_by_family = {}
    for family, voices in FAMILIES.items():
        voice_bits = [
            np.sum([bits[source] for source in voice if source in bits], axis=0)
            for voice in voices
            if any(source in bits for source in voice)
        ]
        strongest_voice = np.max(voice_bits, axis=0) if voice_bits else np.zeros(len(judged))
        if strongest_voice.any():
            bits_by_family[family] = in_file(bound_bits(strongest_voice, judged, author))
    return bits_by_family


def fuse_bits(families: Mapping[EvidenceFamily, FloatColumn], judged: BoolColumn) -> FloatColumn:
    """Return the score of each transaction by the bits of all families, which count as independent; shape (t,)."""
    score = np.zeros(len(judged))
    if not families:
        return score
    weights = np.array(list(WEIGHTS.values()))
    speaking_counts = np.zeros(len(weights), dtype=np.int64)
    for some in spans(len(judged)):
        total, speaks = _together(families, judged, weights, some)
        score[some] = total
        speaking_counts += speaks.sum(axis=1)
    share = (speaking_counts + 0.5) / (int(judged.sum()) + 1.0)
    share = np.minimum(share, np.minimum(weights, 1.0) * 2.0**-CUT)
    for some in spans(len(judged)):
        total = score[some]
        rows = np.flatnonzero(total > 0)
        total[rows] = improbability(total[rows], share, weights)
    return score


def _together(
    families: Mapping[EvidenceFamily, FloatColumn], judged: BoolColumn, weights: FloatColumn, some: slice
) -> tuple[FloatColumn, npt.NDArray[np.bool_]]:
    """Return the sum of the weighted bits of some transactions, and which families speak; shapes (s,), (families, s).

    It is 0 where no family speaks.
    """
    silent = np.zeros(len(judged[some]))
    bits = np.stack(
        [
            np.where(judged[some], families[family][some] if family in families else silent, 0.0)
            for family in WEIGHTS
        ]
    )
    weighted = bits + np.log2(weights)[:, None]
    speaks = np.minimum(bits, weighted) >= CUT
    return np.where(speaks, weighted, 0.0).sum(axis=0), speaks


def improbability(total: FloatColumn, share: FloatColumn, weights: FloatColumn) -> FloatColumn:
    """Return in bits how improbable a sum of at least ``total`` weighted bits is, of those families that speak.

    Family f speaks with probability ``share[f]``, and has b weighted bits with probability ``weights[f]`` 2^-b or less.
    Where it speaks seldom, b begins at log2(weights[f] / share[f]): what it says is at most that and an exponential
    excess. For each set of speaking families the excess of their sum has a gamma distribution. A family that speaks
    alone is taken at its word: that hardly anything is strange in a history makes nothing stranger than it is.
    """
    begin = np.log(weights / share)
    nats = total * log(2.0)
    silent = np.log1p(-share)
    terms = [np.minimum(log(float(weights.sum())) - nats, 0.0)]
    for count in range(2, len(share) + 1):
        for members in combinations(range(len(share)), count):
            speaking = np.zeros(len(share), dtype=np.bool_)
            speaking[list(members)] = True
            chance = float(np.where(speaking, np.log(share), silent).sum())
            excess = np.maximum(nats - begin[speaking].sum(), 0.0)
            terms.append(chance + _gamma_tail(excess, count))
    tail = np.logaddexp.reduce(np.stack(terms), axis=0)
    bits: FloatColumn = np.maximum(-tail / log(2.0), 0.0)
    return bits


def _gamma_tail(excess: FloatColumn, shape: int) -> FloatColumn:
    """Return the logarithm of the probability that a sum of ``shape`` exponential variables is at least so large."""
    safe = np.log(np.maximum(excess, 1e-300))
    parts = np.stack([i * safe - lgamma(i + 1) for i in range(shape)])
    tail: FloatColumn = np.minimum(np.logaddexp.reduce(parts, axis=0) - excess, 0.0)
    return tail
