"""What the contract's own variables held all the time is a fact of the report, and no part of states."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from specminer.presentation.markdown import to_markdown
from specminer.presentation.report_document import Report
from specminer.presentation.summary import summary
from specminer.specification import LastingValue, decode_specification, encode_specification
from tests.support.mined import mined, report_of

OWNER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def told(name: str) -> dict[str, str]:
    return {item.variable: item.value for item in mined(name).specification.history.lasting or ()}


def test_what_the_constructor_set_is_told_with_its_value() -> None:
    assert told("governance") == {"chair": OWNER, "votingPeriod": "259200", "delay": "172800"}
    assert all(item.deployment for item in mined("governance").specification.history.lasting or ())
    assert "nextId" not in told("auction_house")
    assert "paused" not in told("token")


@pytest.mark.parametrize("name", ["auction_house", "escrow", "token", "savings"])
def test_each_of_them_held_one_value_in_every_recorded_access(name: str) -> None:
    context = mined(name).context
    history, locations = context.history, context.locations
    seen: dict[str, set[int]] = defaultdict(set)
    for access, touch in enumerate(context.accesses.touch.tolist()):
        variable = locations.variables[int(locations.variable[context.accesses.slot[touch]])]
        created = context.is_constructor[int(history.access_invocation[access])]
        word = int(history.access_after[access])
        if created or variable.ports or word < 0:
            continue
        for place, field in enumerate(variable.fields):
            seen[variable.text(None, place)].add(field.extract(history.words[word]))
    assert told(name)
    assert all(len(seen[variable]) <= 1 for variable in told(name))


def test_summary_and_report_say_so_and_no_state_does() -> None:
    spec = mined("governance").specification
    text = " ".join(summary(spec).split())
    assert f"Set once at deployment: chair = {OWNER}, votingPeriod = 3 days, delay = 2 days." in text
    page = to_markdown(report_of(mined("governance")))
    assert "Constants of the deployment" in page
    assert "set once at deployment" in page
    predicates = " ".join(text for state in spec.states for text in state.predicates)
    assert not any(name in predicates.split() for name in told("governance"))


def test_a_history_that_began_later_claims_no_deployment() -> None:
    spec = mined("governance").specification
    earlier = (LastingValue(variable="a|b <x>", value="7", deployment=False),)
    changed = replace(spec, history=replace(spec.history, lasting=earlier))
    assert "Never changed: a|b <x> = 7." in " ".join(summary(changed).split())
    page = to_markdown(Report(specification=changed, evidence=None))
    assert "before the first call" in page
    assert "<x>" not in page
    assert decode_specification(encode_specification(changed)) == changed
    none = replace(spec, history=replace(spec.history, lasting=None))
    assert b'"lasting"' not in encode_specification(none)
    assert "Set once" not in summary(none)
