"""Effects of functions: what the sources of the shipped contracts assign, pay and log, and when."""

from __future__ import annotations

from functools import cache

import pytest

from specminer.decision import Wording
from specminer.decision.algebra import Bounds, linear_form
from specminer.decision.coded_effects import MAX_EFFECTS, effects_of
from specminer.decision.function_writes import writes_of
from specminer.decision.history_decisions import decide_history
from specminer.decision.writes import slots_left
from specminer.decoding import decode
from specminer.pipeline import MineOptions, import_traces
from specminer.pipeline.datasets import dataset
from specminer.pipeline.mining import mine
from specminer.presentation.effect_sections import effect_sentences, effects_section
from specminer.shadow.arena import Arena
from specminer.shadow.evaluation import evaluate
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
            "deals[dealId].status' = Refunded": "not forSeller",
            "openDeals[deals[dealId].buyer]' = openDeals[deals[dealId].buyer] - 1": "",
            "totalHeld' = totalHeld - deals[dealId].amount": "",
            "deals[dealId].status' = Paid": "forSeller",
            "feesEarned' = feesEarned + deals[dealId].amount * fee / 10000": "forSeller",
            "pays deals[dealId].amount to deals[dealId].buyer": "not forSeller",
            "pays deals[dealId].amount - deals[dealId].amount * fee / 10000 to deals[dealId].seller": "forSeller",
            "logs Moved(dealId, Refunded)": "not forSeller",
            "logs Moved(dealId, Paid)": "forSeller",
            "logs Paid(dealId, deals[dealId].buyer, deals[dealId].amount)": "not forSeller",
            "logs Paid(dealId, deals[dealId].seller, deals[dealId].amount - deals[dealId].amount * fee / 10000)": (
                "forSeller"
            ),
        },
    },
    "nft_market": {
        "mint": {
            "nextTokenId' = nextTokenId + 1": "",
            "owners[nextTokenId]' = to": "",
            "balanceOf[to]' = balanceOf[to] + 1": "",
            "totalSupply' = totalSupply + 1": "",
            "logs Transfer(0, to, nextTokenId)": "",
        },
        "approve": {
            "getApproved[tokenId]' = to": "",
            "logs Approval(owners[tokenId], to, tokenId)": "",
        },
        "transferFrom": {
            "getApproved[tokenId]' = 0": "",
            "owners[tokenId]' = to": "",
            "balanceOf[from]' = balanceOf[from] - 1": "",
            "balanceOf[to]' = balanceOf[to] + 1": "",
            "listings[tokenId].seller' = 0": "listings[tokenId].seller != 0",
            "listings[tokenId].price' = 0": "listings[tokenId].seller != 0",
            "listings[tokenId].reservedFor' = 0": "listings[tokenId].seller != 0",
            "logs Transfer(from, to, tokenId)": "",
            "logs Unlisted(tokenId)": "listings[tokenId].seller != 0",
        },
    },
    "single_auction": {
        "constructor": {
            "beneficiary' = _beneficiary": "",
            "endTime' = now + _biddingTime": "",
            "reserve' = _reserve": "",
            "step' = _step": "",
        },
        "bid": {
            "highestBidder' = sender": "",
            "highestBid' = value": "",
            "bidCount' = bidCount + 1": "",
            "pendingReturns[highestBidder]' = pendingReturns[highestBidder] + highestBid": "highestBidder != 0",
            "endTime' = now + 600": "endTime - now < 600",
            "logs Bid(sender, value)": "",
        },
        "end": {
            "ended' = true": "",
            "pays highestBid to beneficiary": "",
            "logs Ended(highestBidder, highestBid)": "",
        },
        "withdraw": {"pendingReturns[sender]' = 0": "", "pays pendingReturns[sender] to sender": ""},
    },
    "auction_house": {
        "constructor": {"owner' = sender": "", "fee' = initialFee": ""},
        "settle": {  # the seller shares a slot with the phase, which was written before
            "auctions[auctionId].phase' = Settled": "",
            "pendingReturns[auctions[auctionId].seller]' = pendingReturns[auctions[auctionId].seller] + "
            "auctions[auctionId].highestBid - auctions[auctionId].highestBid * fee / 10000": (
                "auctions[auctionId].highestBid > 0"
            ),
            "pendingReturns[owner]' = pendingReturns[owner] + auctions[auctionId].highestBid * fee / 10000": (
                "auctions[auctionId].highestBid > 0"
            ),
            "logs Settled(auctionId, auctions[auctionId].highestBidder, auctions[auctionId].highestBid)": "",
        },
    },
    "vaults": {
        "deposit": {
            "vaults[vaultId].balance' = vaults[vaultId].balance + value": "",
            "vaults[vaultId].received' = vaults[vaultId].received + value": "",
            "contributions[vaultId][sender]' = contributions[vaultId][sender] + value": "",
            "totalBalance' = totalBalance + value": "",
            "logs Deposited(vaultId, sender, value)": "",
        },
        "withdraw": {
            "vaults[vaultId].balance' = vaults[vaultId].balance - amount": "",
            "totalBalance' = totalBalance - amount": "",
            "pays amount to sender": "",
            "logs Withdrawn(vaultId, amount)": "",
        },
    },
    "governance": {
        "propose": {  # texts of any length; a slot that is put together from four values
            "proposalCount' = proposalCount + 1": "",
            "proposals[proposalCount + 1].proposer' = sender": "",
            "proposals[proposalCount + 1].voteEnd' = votingPeriod + now": "",
            "proposals[proposalCount + 1].stage' = 1": "",
            "proposals[proposalCount + 1].target' = target": "",
            "proposals[proposalCount + 1].value' = value_": "",
            "proposals[proposalCount + 1].data' = data": "",
            "proposals[proposalCount + 1].description' = description": "",
            "latestProposal[sender]' = proposalCount + 1": "",
            "logs Proposed(proposalCount + 1, sender, description)": "",
        },
    },
    "lottery": {
        "draw": {
            "rounds[round].phase' = Drawn": "rounds[round].revealed >= 2",
            "rounds[round].winner' = revealers[round][rounds[round].seed % rounds[round].revealed]": (
                "rounds[round].revealed >= 2"
            ),
            "rounds[round].phase' = Abandoned": "rounds[round].revealed < 2",
            "logs Drawn(round, revealers[round][rounds[round].seed % rounds[round].revealed], "
            "rounds[round].pot)": "rounds[round].revealed >= 2",
            "logs Abandoned(round)": "rounds[round].revealed < 2",
        },
    },
}
"""All effects of some functions with their conditions, as the sources say them, by dataset."""


@cache
def effects(name: str) -> dict[str, tuple[Effect, ...]]:
    with TraceStore("sqlite://") as store:
        records = [import_traces(store, traces) for traces in dataset(name).trace_files]
        history = store.history(records[0].chain_id, [record.address for record in records])
    context = decode(history)
    found = {}
    for item in decide_history(context):
        if item.runs.runs:
            function = context.calls.functions[item.runs.function]
            wording = Wording(context, item.runs)
            found[function] = effects_of(item, writes_of(item, wording), wording, function)
            for run in item.runs.runs if function in SOURCES.get(name, ()) else ():
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


def test_an_element_whose_index_chose_its_bits_is_told_by_its_index() -> None:
    found = {item.text: item.condition for item in effects("names")["transfer"]}
    [write] = [text for text in found if text.startswith("leases[name].lastChanges")]
    assert write == "leases[name].lastChanges[leases[name].nextChange.bits0to1]' = now"
    assert found[write] == ""


def test_conditions_on_keys_of_any_length_are_the_same() -> None:
    found = {item.text: item.condition for item in effects("names")["register"]}
    assert found["everRegistered[everRegistered.length]' = name"] == "leases[name].holders.length = 0"


def test_effects_prove_equations_and_the_summary_tells_them() -> None:
    spec = mined("token")
    derived = {item.text: item.derivation for item in spec.invariants}
    assert derived["transfer: balanceOf[_to]' = balanceOf[_to] + _value"] is Derivation.EXACT
    assert derived["transfer: transferCount' = transferCount + 1"] is Derivation.MODULAR
    [told] = [text for text in effect_sentences(spec) if text.startswith("decreaseApproval")]
    assert "allowance[sender][_spender]' = 0 if _subtracted > allowance[sender][_spender]" in told


def test_an_effect_of_a_later_version_of_the_code_says_since_when() -> None:
    own = {item.text: item for item in effects("loans")["repay"]}
    late = own["loans[loanId].due' = uint48(now) + 604800"]
    assert (late.condition, late.happened, late.calls) == ("block >= 212 and now > loans[loanId].due", 3, 138)
    assert own["loans[loanId].owed' = loans[loanId].owed - value"].condition == (
        "now <= loans[loanId].due or block < 212"
    )
    assert all(item.condition for item in own.values() if item.happened < item.calls)
