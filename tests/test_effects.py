"""Effects of functions: what the sources of the shipped contracts assign, pay and log, and when."""

from __future__ import annotations

from functools import cache

import pytest

from specminer.datasets import dataset
from specminer.decision import Wording
from specminer.decision.algebra import Bounds, linear_form
from specminer.decision.effects import MAX_EFFECTS, effects_of
from specminer.decision.function_writes import writes_of
from specminer.decision.history_decisions import decide_history
from specminer.decision.writes import slots_left
from specminer.decoding import decode
from specminer.evm.shadow.arena import Arena
from specminer.evm.shadow.evaluation import evaluate
from specminer.pipeline import MineOptions, import_traces
from specminer.pipeline.mining import mine
from specminer.report.effect_sections import effects_section
from specminer.specification import Derivation, Effect, EffectKind, Specification
from specminer.store import TraceStore
from tests.support.decisions import Stage

SOURCES = {
    "token": {
        "transfer": {
            "balanceOf[sender]' = balanceOf[sender] - _value": "",
            "balanceOf[_to]' = balanceOf[_to] + _value": "",
            "transferCount' = transferCount + 1": "",
            "logs Transfer(sender, _to, _value)": "",
        },
        "transferFrom": {
            "allowance[_from][sender]' = allowance[_from][sender] - _value": "",
            "balanceOf[_from]' = balanceOf[_from] - _value": "",
            "balanceOf[_to]' = balanceOf[_to] + _value": "",
            "transferCount' = transferCount + 1": "",
            "logs Transfer(_from, _to, _value)": "",
        },
        "decreaseApproval": {
            "allowance[sender][_spender]' = allowance[sender][_spender] - _subtracted": "_subtracted <= "
            "allowance[sender][_spender]",
            "allowance[sender][_spender]' = 0": "_subtracted > allowance[sender][_spender]",
            "logs Approval(sender, _spender, allowance[sender][_spender] - _subtracted)": "_subtracted <= "
            "allowance[sender][_spender]",
            "logs Approval(sender, _spender, 0)": "_subtracted > allowance[sender][_spender]",
        },
        "pause": {"paused' = true": "", "logs Pause()": ""},
    },
    "escrow": {
        "setArbiter": {"arbiters[arbiter]' = trusted": "", "logs ArbiterChanged(arbiter, trusted)": ""},
        "resolve": {
            "deals[dealId].status' = 5": "not forSeller",
            "openDeals[deals[dealId].buyer]' = openDeals[deals[dealId].buyer] - 1": "",
            "totalHeld' = totalHeld - deals[dealId].amount": "",
            "deals[dealId].status' = 4": "forSeller",
            "feesEarned' = feesEarned + deals[dealId].amount * fee / 10000": "forSeller",
            "pays deals[dealId].amount to deals[dealId].buyer": "not forSeller",
            "pays deals[dealId].amount - deals[dealId].amount * fee / 10000 to deals[dealId].seller": "forSeller",
            "logs Moved(dealId, 5)": "not forSeller",
            "logs Moved(dealId, 4)": "forSeller",
            "logs Paid(dealId, deals[dealId].buyer, deals[dealId].amount)": "not forSeller",
            "logs Paid(dealId, deals[dealId].seller, deals[dealId].amount - deals[dealId].amount * fee / 10000)": (
                "forSeller"
            ),
        },
    },
}
"""All effects of some functions with their conditions, as the sources say them, by dataset."""


@cache
def effects(name: str) -> dict[str, tuple[Effect, ...]]:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        history = store.history(record.chain_id, [record.address])
    context = decode(history)
    found = {}
    for item in decide_history(context):
        if item.runs.runs:
            function = context.calls.functions[item.runs.function]
            wording = Wording(context, item.runs)
            found[function] = effects_of(item, writes_of(item, wording), wording, function)
            for run in item.runs.runs if function in SOURCES[name] else ():
                for write in run.record.writes:  # what is told of a write is what it wrote
                    if write.node:
                        assert evaluate(item.runs.arena, write.node, run.record.inputs) == write.value
    return found


@pytest.mark.parametrize(("name", "function"), [(name, item) for name, of in SOURCES.items() for item in of])
def test_effects_are_those_of_the_source(name: str, function: str) -> None:
    found = {item.text: item.condition for item in effects(name)[function]}
    assert found == SOURCES[name][function]


@pytest.mark.parametrize("name", SOURCES)
def test_effects_are_counted_and_bounded(name: str) -> None:
    for items in effects(name).values():
        assert len(items) <= MAX_EFFECTS
        for item in items:
            assert 0 < item.happened <= item.calls
            assert item.condition == "" or item.happened < item.calls
        kinds = [list(EffectKind).index(item.kind) for item in items]
        assert kinds == sorted(kinds)


@cache
def mined(name: str) -> Specification:
    with TraceStore("sqlite://") as store:
        record = import_traces(store, dataset(name).traces)
        return mine(store.history(record.chain_id, [record.address]), MineOptions()).specification


def test_the_specification_has_effects_and_says_which_invariants_follow_from_them() -> None:
    spec = mined("token")
    assert {item.text for item in spec.effects if item.function == "burn"} == {
        "balanceOf[sender]' = balanceOf[sender] - _value",
        "totalSupply' = totalSupply - _value",
        "logs Burn(sender, _value)",
        "logs Transfer(sender, 0, _value)",
    }
    derived = {item.text: item.derivation for item in spec.invariants if item.derivation is not None}
    assert derived["transfer keeps the sum of balanceOf[]"] is Derivation.EXACT
    assert derived["transferFrom keeps the sum of balanceOf[]"] is Derivation.EXACT
    assert derived["totalSupply = the sum of balanceOf[]"] is Derivation.EXACT
    assert all(item.exceptions == 0 for item in spec.invariants if item.derivation is Derivation.EXACT)
    assert "balanceOf[_to]' = balanceOf[_to] + _value" in markdown_text(spec)


def markdown_text(spec: Specification) -> str:
    section = effects_section(spec)
    assert section is not None
    return "\n".join(piece.text for item in section.rows for cell in item.cells for piece in cell)


def test_a_call_that_writes_ten_thousand_slots_is_told_in_few_words() -> None:
    # for i in 10,000 .. 1: storage[i] = i
    code = bytes.fromhex("6127105b808055600190038060035700")
    stage = Stage()
    contract = stage.put(0xC0DE, code)
    stage.execute(contract, b"\1\2\3\4", gas=1 << 40)
    runs = stage.runs(contract, b"\1\2\3\4")
    left, more = slots_left(runs.runs[0].record, 128)
    assert len(left) == 128
    assert more


def test_linear_forms_cancel_modulo_the_width_and_bounds_come_from_decisions() -> None:
    arena = Arena()
    old, amount = arena.node("storage", arena.constant(1), 0), arena.node("calldata", 4)
    total = arena.make("add", old, amount)
    assert total is not None
    back = arena.make("sub", total, amount)
    assert back is not None
    form, start = linear_form(arena, back, 256), linear_form(arena, old, 256)
    assert form is not None
    assert start is not None
    assert form.same(start)
    below = arena.make("lt", total, min(old, amount))
    assert below is not None
    assert not Bounds(arena=arena, facts={}).exact(total)
    assert Bounds(arena=arena, facts={below: False}).exact(total)
    assert not Bounds(arena=arena, facts={below: True}).exact(total)
    less = arena.make("lt", old, amount)
    rest = arena.make("sub", old, amount)
    assert less is not None
    assert rest is not None
    assert Bounds(arena=arena, facts={less: False}).exact(rest)
    assert not Bounds(arena=arena, facts={less: True}).exact(rest)
