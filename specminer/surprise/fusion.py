"""How the evidence of several sources becomes one score: families that say one thing each, and a truncated product.

Sources are not independent. Those that see the same fact from several sides form a *family*, which says only what its
strongest voice says: a payment far above all others also is a token flow and an argument far above all others. Where
one source is a condition of another, their bits add up by the chain rule: that somebody is new to a function, and that
among such callers hardly anybody is new to the whole history. What a family says is bounded again by how many
transactions have as much.

Families count as independent. Of their shares p only those below 5 % count (*truncated product*): many transactions
have several weak oddities. The score is how improbable the product of these is if nothing is wrong, in bits, so that a
score of b comes up with probability 2^-b, as far as families are independent.

Source: Zaykin et al. 2002, *Truncated product method for combining P-values*; Fisher 1925 for the product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lgamma, log
from typing import Final

import numpy as np

from specminer.history import BoolColumn, IntColumn
from specminer.specification import EvidenceFamily, EvidenceSource
from specminer.surprise.evidence import Evidence, bounded
from specminer.surprise.left_out import FloatColumn

CUT: Final = float(np.log2(20))
"""Bits from which a family counts: one in twenty transactions has as many."""

FAMILIES: Final[Mapping[EvidenceFamily, tuple[tuple[EvidenceSource, ...], ...]]] = {
    EvidenceFamily.CALLERS: (
        (EvidenceSource.CALLER, EvidenceSource.NEWCOMER),
        (EvidenceSource.ORIGIN,),
        (EvidenceSource.RELATION,),
    ),
    EvidenceFamily.CALLS: ((EvidenceSource.COMBINATION,), (EvidenceSource.NESTED,)),
    EvidenceFamily.STATES: ((EvidenceSource.PATH,), (EvidenceSource.BEFORE,)),
    EvidenceFamily.EFFECTS: ((EvidenceSource.BROKEN,), (EvidenceSource.CHANGES,)),
    EvidenceFamily.TIMES: ((EvidenceSource.DURATION,), (EvidenceSource.RACE,)),
    EvidenceFamily.AMOUNTS: ((EvidenceSource.PAYMENT,), (EvidenceSource.TOKENS,), (EvidenceSource.SIZE,)),
    EvidenceFamily.OTHERS: ((EvidenceSource.ANSWER,), (EvidenceSource.CODE,), (EvidenceSource.REFUSAL,)),
    EvidenceFamily.ARGUMENTS: ((EvidenceSource.REPETITION,),),
}
"""The voices of each family: sources whose bits add up. The strongest voice speaks for the family."""


def family_bits(
    evidence: Sequence[Evidence], judged: BoolColumn, author: IntColumn
) -> dict[EvidenceFamily, FloatColumn]:
    """Return what each family says of each transaction; of those that say anything."""
    bits = {item.source: item.bits for item in evidence}
    found = {}
    for family, voices in FAMILIES.items():
        spoken = [
            np.sum([bits[source] for source in voice if source in bits], axis=0)
            for voice in voices
            if any(source in bits for source in voice)
        ]
        strongest_voice = np.max(spoken, axis=0) if spoken else np.zeros(len(judged))
        if strongest_voice.any():
            found[family] = bounded(strongest_voice, judged, author)
    return found


def fused(families: Sequence[FloatColumn], transactions: int) -> FloatColumn:
    """Return the score of each transaction by the bits of all families, which count as independent."""
    if not families:
        return np.zeros(transactions)
    table = np.stack(families)
    total = np.where(table >= CUT, table, 0.0).sum(axis=0)
    return np.where(total > 0, improbability(total, len(families)), 0.0)


def improbability(total: FloatColumn, families: int) -> FloatColumn:
    """Return in bits how improbable a sum of at least ``total`` bits is, counting those of ``CUT`` and more alone.

    With k of L families above the cut (binomial), the excess of their sum over k cuts has a gamma distribution.
    """
    nats, cut = total * log(2.0), CUT * log(2.0)
    terms = []
    for k in range(1, families + 1):
        chosen = lgamma(families + 1) - lgamma(k + 1) - lgamma(families - k + 1)
        chosen += -k * cut + (families - k) * np.log1p(-np.exp(-cut))
        terms.append(chosen + _gamma_tail(np.maximum(nats - k * cut, 0.0), k))
    tail = np.logaddexp.reduce(np.stack(terms), axis=0)
    bits: FloatColumn = np.maximum(-tail / log(2.0), 0.0)
    return bits


def _gamma_tail(excess: FloatColumn, shape: int) -> FloatColumn:
    """Return the logarithm of the probability that a sum of ``shape`` exponential variables is at least so large."""
    safe = np.log(np.maximum(excess, 1e-300))
    parts = np.stack([i * safe - lgamma(i + 1) for i in range(shape)])
    tail: FloatColumn = np.minimum(np.logaddexp.reduce(parts, axis=0) - excess, 0.0)
    return tail
