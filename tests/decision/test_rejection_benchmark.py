"""The benchmark of rejections counts causes, and the accepted calls that guards refuse."""

from __future__ import annotations

import pytest

from benchmarks.decisions import histories
from benchmarks.rejections import Rejections, entangled, examine, report
from specminer.decoding import decode


def test_every_rejection_of_a_shipped_dataset_has_a_readable_cause(
    capsys: pytest.CaptureFixture[str],
) -> None:
    history = next(
        history for name, history in histories(real=False, traces=None) if name == "single_auction"
    )
    context = decode(history)
    found = examine(context)
    assert found.rejected == int(context.is_rejected.sum()) > 100
    assert found.caused == found.readable == found.rejected
    assert found.required > 10
    assert found.refused == 0
    total = Rejections()
    total.add(found)
    total.add(found)
    assert total.readable == 2 * found.readable
    report("all", total, listed=True)
    assert f"{total.rejected:,}" in capsys.readouterr().out


@pytest.mark.real
def test_every_rejection_of_histories_that_depend_on_others_has_a_readable_cause() -> None:
    for _, history, artifact in entangled():
        found = examine(decode(history, artifact))
        assert found.caused == found.readable == found.rejected
        assert found.refused == 0
