"""Families of evidence are fused by a truncated product; voices of one family are not counted twice."""

from __future__ import annotations

import numpy as np
import pytest

from specminer.specification import EvidenceFamily, EvidenceSource
from specminer.surprise.evidence import Evidence, bounded, tail_bits_by
from specminer.surprise.fusion import CUT, FAMILIES, family_bits, fused, improbability
from specminer.surprise.left_out import FloatColumn

JUDGED = np.ones(400, dtype=np.bool_)
AUTHORS = np.arange(400)


def said(source: EvidenceSource, bits: FloatColumn) -> Evidence:
    """Return evidence that says so many bits of each transaction."""
    rows = np.arange(len(bits))
    return Evidence(source=source, bits=bits, case=rows, others=rows, position=rows)


def random_bits(seed: int, families: int, transactions: int = 200_000) -> list[FloatColumn]:
    """Return bits as they are if nothing is wrong and families are independent: b or more with probability 2^-b."""
    random = np.random.default_rng(seed)
    return [-np.log2(random.uniform(size=transactions)) for _ in range(families)]


@pytest.mark.parametrize("families", [1, 3, 8])
def test_a_score_comes_up_as_often_as_it_says(families: int) -> None:
    score = fused(random_bits(0, families), 200_000)
    for bits in (5, 8, 10):
        share = float((score >= bits).mean())
        assert share == pytest.approx(2.0**-bits, rel=0.3)


def test_a_second_voice_of_a_family_that_says_the_same_changes_nothing() -> None:
    bits = np.zeros(400)
    bits[7] = 8.0
    once = [said(EvidenceSource.PAYMENT, bits), said(EvidenceSource.PATH, bits)]
    twice = [*once, said(EvidenceSource.SIZE, bits), said(EvidenceSource.TOKENS, bits)]
    first, second = (
        fused(list(family_bits(given, JUDGED, AUTHORS).values()), 400) for given in (once, twice)
    )
    assert first[7] > 5
    assert np.array_equal(first, second)


def test_a_condition_of_another_source_adds_to_it() -> None:
    bits = np.zeros(400)
    bits[7] = 4.0
    caller = said(EvidenceSource.CALLER, bits)
    newcomer = said(EvidenceSource.NEWCOMER, bits)
    origin = said(EvidenceSource.ORIGIN, bits)
    alone = family_bits([caller, origin], JUDGED, AUTHORS)[EvidenceFamily.CALLERS]
    both = family_bits([caller, newcomer, origin], JUDGED, AUTHORS)[EvidenceFamily.CALLERS]
    assert alone[7] == pytest.approx(4.0)
    assert both[7] == pytest.approx(8.0)


def test_several_weak_oddities_are_no_strong_one() -> None:
    weak = [np.full(1, CUT - 0.1) for _ in range(8)]
    assert fused(weak, 1)[0] == 0
    strong = improbability(np.array([9.0]), 8)[0]
    assert 0 < strong < 9, "one of eight families has as much more often than one has"
    assert improbability(np.array([18.0]), 8)[0] > strong


def test_each_source_belongs_to_one_family() -> None:
    voices = [source for voices in FAMILIES.values() for voice in voices for source in voice]
    assert sorted(voices, key=lambda item: item.value) == sorted(EvidenceSource, key=lambda item: item.value)
    assert set(FAMILIES) == set(EvidenceFamily)


def test_transactions_of_one_author_do_not_excuse_each_other() -> None:
    bits = np.zeros(400)
    bits[[5, 6, 7]] = 9.0
    one = np.arange(400)
    one[[5, 6, 7]] = 5
    assert bounded(bits, JUDGED, one)[5] > bounded(bits, JUDGED, AUTHORS)[5] + 1
    lonely = np.zeros(400, dtype=np.int64)
    assert bounded(bits, JUDGED, lonely)[5] == pytest.approx(bounded(bits, JUDGED, AUTHORS)[5])


def test_amounts_are_compared_within_their_group() -> None:
    random = np.random.default_rng(0)
    small, large = random.lognormal(0, 0.5, 100), random.lognormal(9, 0.5, 100)
    amounts = np.concatenate([small, large])
    group = np.repeat([0, 1], 100)
    amounts[3] = 50.0
    bits = tail_bits_by(group, amounts)
    assert bits[3] == bits.max() > 8
    assert tail_bits_by(np.zeros(200, dtype=np.int64), amounts)[3] == 0
