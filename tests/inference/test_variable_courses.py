"""What one variable does: a history in which a claim holds, one that breaks it, one in which a value is unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from specminer.decoding import decode
from specminer.history.contract_history import MISSING, History
from specminer.inference.field_changes import UnknownChanges, changes_of_calls
from specminer.inference.invariant_claim import Invariant
from specminer.inference.variable_courses import courses
from tests.support.bazaars import NEXT, SOLD, Plan, history_of, played

CLAIM = "nextId changes only by growing by 1"


def _claim(history: History) -> Invariant:
    """Return the claim as the search would propose it; nothing is mined for that."""
    context = decode(history)
    fields = changes_of_calls(context, UnknownChanges.of(context))
    (claim,) = (item for cells in fields for item in courses(context, cells) if item.text == CLAIM)
    return claim


def _with_last_creation(history: History, word: int) -> History:
    """Return a history in which the last creation of an item left another row of ``words``; nobody read it later."""
    row = int(np.flatnonzero(history.access_slot == history.words.index(NEXT))[-1])
    assert history.access_write[row]
    after = history.access_after.copy()
    after[row] = word
    return replace(history, access_after=after)


def test_a_single_call_breaks_a_claim_and_an_unknown_value_does_not() -> None:
    history = history_of(played(Plan()))
    claim = _claim(history)
    assert claim.tolerable(history)
    assert (claim.exceptions, claim.unknown) == (0, 0)
    broken = _claim(_with_last_creation(history, history.words.index(SOLD)))
    assert (len(broken.cases), broken.exceptions, broken.unknown) == (len(claim.cases), 1, 0)
    doubtful = _claim(_with_last_creation(history, MISSING))
    assert (len(doubtful.cases), doubtful.exceptions, doubtful.unknown) == (len(claim.cases) - 1, 0, 1)
