"""Families of evidence are fused by a truncated product; voices of one family are not counted twice."""

from __future__ import annotations

import numpy as np
import pytest

from specminer.inference.evidence_fusion import CUT, FAMILIES, WEIGHTS, family_bits, fuse_bits
from specminer.inference.evidence_source import SourceEvidence, bound_bits, tail_bits_by
from specminer.inference.leave_one_out import FloatColumn
from specminer.specification import EvidenceFamily, EvidenceSource

JUDGED = np.ones(400, dtype=np.bool_)
AUTHORS = np.arange(400)


def said(source: EvidenceSource, bits: FloatColumn) -> SourceEvidence:
    """Return evidence that says so many bits of each transaction."""
    rows = np.arange(len(bits), dtype=np.int32)
    return SourceEvidence(source=source, bits=bits, case=rows, comparisons=rows, position=rows)


def random_bits(seed: int, families: int, transactions: int = 200_000) -> dict[EvidenceFamily, FloatColumn]:
    """Return bits as they are if nothing is wrong and families are independent: b or more with probability 2^-b."""
    random = np.random.default_rng(seed)
    return {family: -np.log2(random.uniform(size=transactions)) for family in list(EvidenceFamily)[:families]}


def fused_all(families: dict[EvidenceFamily, FloatColumn]) -> FloatColumn:
    """Return the scores of transactions that were all judged."""
    return fuse_bits(families, np.ones(len(next(iter(families.values()))), dtype=np.bool_))


def test_a_score_comes_up_as_often_as_it_says() -> None:
    score = fused_all(random_bits(0, 8))
    for bits in (5, 8, 10):
        share = float((score >= bits).mean())
        assert share == pytest.approx(2.0**-bits, rel=0.3)


@pytest.mark.parametrize("families", [1, 3])
def test_a_score_comes_up_no_more_often_than_it_says_where_families_are_silent(families: int) -> None:
    score = fused_all(random_bits(0, families))
    for bits in (5, 8, 10):
        assert float((score >= bits).mean()) <= 1.3 * 2.0**-bits


def test_a_family_that_hardly_ever_speaks_says_more_when_it_does() -> None:
    bits = np.zeros(2_000)
    bits[7] = 9.0
    often = bits.copy()
    often[np.random.default_rng(0).choice(np.arange(10, 2_000), 90, replace=False)] = 4.5
    alone = {EvidenceFamily.STATES: bits}
    rest = list(EvidenceFamily)[:2] + list(EvidenceFamily)[3:]
    noisy = {**alone, **dict.fromkeys(rest, np.roll(often, 1))}
    assert fused_all(alone)[7] > fused_all(noisy)[7] + 0.5


def test_unusual_hours_count_less_than_unusual_callers() -> None:
    bits = np.zeros(400)
    bits[7] = 9.0
    assert fused_all({EvidenceFamily.CALLERS: bits})[7] > fused_all({EvidenceFamily.TIMES: bits})[7] + 2
    assert sum(WEIGHTS.values()) == pytest.approx(len(EvidenceFamily))


def test_a_second_voice_of_a_family_that_says_the_same_changes_nothing() -> None:
    bits = np.zeros(400)
    bits[7] = 8.0
    once = [said(EvidenceSource.PAYMENT, bits), said(EvidenceSource.PATH, bits)]
    twice = [*once, said(EvidenceSource.SIZE, bits), said(EvidenceSource.TOKENS, bits)]
    first, second = (fuse_bits(family_bits(given, JUDGED, AUTHORS), JUDGED) for given in (once, twice))
    assert first[7] > 4
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
    weak = {family: np.full(1, CUT - 1.0) for family in EvidenceFamily}
    assert fused_all(weak)[0] == 0
    strong = np.zeros(400)
    strong[7] = 9.0
    once = fused_all({EvidenceFamily.STATES: strong})[7]
    assert 0 < once < 9, "one of eight families has as much more often than one has"
    assert fused_all({EvidenceFamily.STATES: strong, EvidenceFamily.EFFECTS: strong})[7] > once + 4


def test_each_source_belongs_to_one_family() -> None:
    voices = [source for voices in FAMILIES.values() for voice in voices for source in voice]
    assert sorted(voices, key=lambda item: item.value) == sorted(EvidenceSource, key=lambda item: item.value)
    assert set(FAMILIES) == set(EvidenceFamily) == set(WEIGHTS)


def test_transactions_of_one_author_do_not_excuse_each_other() -> None:
    bits = np.zeros(400)
    bits[[5, 6, 7]] = 9.0
    one = np.arange(400)
    one[[5, 6, 7]] = 5
    assert bound_bits(bits, JUDGED, one)[5] > bound_bits(bits, JUDGED, AUTHORS)[5] + 1
    lonely = np.zeros(400, dtype=np.int64)
    assert bound_bits(bits, JUDGED, lonely)[5] == pytest.approx(bound_bits(bits, JUDGED, AUTHORS)[5])


def test_amounts_are_compared_within_their_group() -> None:
    random = np.random.default_rng(0)
    small, large = random.lognormal(0, 0.5, 100), random.lognormal(9, 0.5, 100)
    amounts = np.concatenate([small, large])
    group = np.repeat([0, 1], 100)
    amounts[3] = 50.0
    bits = tail_bits_by(group, amounts)
    assert bits[3] == bits.max() > 8
    assert tail_bits_by(np.zeros(200, dtype=np.int64), amounts)[3] == 0
