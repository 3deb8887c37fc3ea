"""Conditions in a reader's words: what compilers made of sources is called what the sources call it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from specminer.decision import Wording
from specminer.decision.runs import run_calls
from specminer.decoding import HistoryContext
from specminer.history.trace import Address
from tests.support import wordings
from tests.support.small_chain import USERS, SmallChain
from tests.support.solc import compile_files
from tests.support.worded import contradictions, last_conditions

pytestmark = pytest.mark.node
FOLDER: Final = Path(wordings.__file__).parent
LONG: Final = "a name that has more than thirty-two letters"
SHOP: Final = {
    "bid": {"items[id].bids[sender] = 0", "items[id].steps[step] < 7", "queues[id][step] = 9"}
    | {"step >= items[id].steps.length"},
    "buy": {"value < items[id].price", "items[id].owner = sender"},
    "call2": {"length(t) <= 3", "length(title) != length(t)", "hash(title) = hash(t)"},
    "chain": {"chain id != 1"},
    "close": {"phase != 0"},
    "done": {"phase != 1"},
    "either": {"signer != sender"},
    "heat": {"by + temperature >= 30", "by <= -10"},
    "inList": {"at >= list.length", "list[at].owner != sender", "list[at].steps[step] <= 1"}
    | {"step >= list[at].steps.length"},
    "join": {"a > 2**256 - 1 - raised"},
    "late": {"now <= duration + deadline"},
    "lower": {"to >= level"},
    "mask": {"flags & 4 = 0", "flags >= 2**128"},
    "member": {"at >= 3", "board[at] != sender"},
    "min": {"b <= 4"},
    "mint": {"not roles[MINTER_ROLE][sender]"},
    "named": {"names[name] != sender"},
    "newest": {"least > numbers[numbers.length - 1]"},
    "number": {"at >= numbers.length", "numbers[at] <= 5"},
    "odd": {"not roles[ODD][sender]"},
    "oracled": {"oracle.latestRoundData().answer < least", "oracle.0x0602c36a(…) <= 6"},
    "order": {"o.amount <= 5", "o.maker != sender", "length(ids) <= 1", "o.amount != ids[1]"}
    | {"length(o.data) <= 2", "length(ids) > 3"},
    "pay": {"not success of payment to to"},
    "pull": {"token.balanceOf(this) < amount"},
    "raise": {"amount + raised > cap"},
    "ratio": {"a * b / 100 < raised / 3"},
    "share": {"ceil(a * b / cap) > raised"},
    "sign": {"signer != signer of h"},
    "sign2": {"signer != signer of hash(x, sender)"},
    "signedAt": {"at >= signeds.length", "signeds[at] <= 0"},
    "small": {"uint8(a + 3) >= b", "c != 0x12345678", "not d"},
    "soon": {"now - openedAt > 2600000"},
    "spend": {"amount > allowed[from][sender]"},
    "time": {"at >= times.length"},
    "top": {"allowed[sender][sender] != MAX"},
    "use": {"used[hash(a, b)]"},
}
"""What rejected calls of the shop decided last, by function, and how that came out."""


def drive_shop(chain: SmallChain) -> Address:
    """Call all functions of the shop, so that each of their conditions is met in both ways, where it can be."""
    outputs = compile_files(FOLDER / "Shop.sol", runs=200)
    token = chain.create(outputs["Token"])
    shop = chain.create(outputs["Shop"], "0x" + token.hex())
    maker = USERS[0]
    for number, price in ((1, 5), (2, 50), (3, 9)):
        chain.call(shop, "add", number, price)
    for who in USERS[:2]:
        for name, calls in _calls(maker, shop).items():
            for arguments in calls:
                chain.call(shop, name, *arguments, sender=who)
        for number in (1, 2, 9):
            chain.call(shop, "buy", number, sender=who, value=10)
        for receiver in (shop, maker):
            chain.call(shop, "pay", receiver, sender=who, value=3)
        chain.call(token, "give", shop, 8)
        chain.call(shop, "pull", 2, sender=who)
    chain.call(shop, "late", seconds=4_000_000)
    chain.call(shop, "soon")
    return shop


def _calls(maker: Address, shop: Address) -> dict[str, list[tuple[object, ...]]]:
    numbers: list[tuple[object, ...]] = [(number,) for number in range(6)]
    steps: list[tuple[object, ...]] = [(1, 0), (2, 0), (2, 1), (3, 0), (9, 9), (0, 0), (1, 7)]
    texts: list[tuple[object, ...]] = [(text,) for text in ("alice", "bob", LONG, "a shop", "a shod")]
    pairs: list[tuple[object, ...]] = [(10, 50), (3, 1), (10_000, 3), (17, 3)]
    amounts: list[tuple[object, ...]] = [(1,), (5,), (1000,)]
    limits: list[tuple[object, ...]] = [(1,), (4,), (10,)]
    nothing: list[tuple[object, ...]] = [(), ()]
    signature = (27, b"\2" * 32, b"\3" * 32)
    code = b"\x12\x34\x56\x78"
    orders: list[tuple[object, ...]] = [
        ((maker, amount, data), ids)
        for ids in ([1], [1, 6], [1, 6, 3, 4], [1, 7])
        for data in (b"", b"abcd")
        for amount in (4, 6)
    ]
    return {
        "bid": steps,
        "inList": steps,
        **dict.fromkeys(("number", "time", "member", "signedAt"), numbers),
        **dict.fromkeys(("named", "call2"), texts),
        **dict.fromkeys(("mint", "raise"), amounts),
        **dict.fromkeys(("odd", "done", "close", "late", "soon", "chain", "slotted", "top"), nothing),
        "heat": [(5,), (50,), (-20,)],
        "lower": [(-5,), (-30,), (40,)],
        **dict.fromkeys(("ratio", "min"), pairs),
        "join": [((1 << 256) - 1,), (1,)],
        "share": [(10**30, 10**9), (1, 0)],
        "allow": [(USERS[1], 5)],
        "spend": [(maker, 1), (maker, 10)],
        **dict.fromkeys(("pull", "oracled", "newest"), limits),
        "sign": [(b"\1" * 32, *signature)],
        "sign2": [(4, *signature)],
        "use": [(maker, 1), (maker, 2)],
        "order": orders,
        "either": [(1,), (9,)],
        "small": [(1, 9, code, True), (1, 2, code, True), (1, 9, b"abcd", True), (1, 9, code, False)],
        "mask": [(1,), (4,), (1 << 130 | 4,)],
    }


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[SmallChain, Address]:
    chain = SmallChain(tmp_path_factory.mktemp("shop"))
    return chain, drive_shop(chain)


def worded(context: HistoryContext) -> dict[str, Counter[str]]:
    """Return by function what rejected calls decided last, and check that no wording contradicts a run."""
    found = {}
    for runs in run_calls(context):
        wording = Wording(context, runs)
        assert contradictions(wording, runs) == []
        found[context.calls.functions[runs.function]] = last_conditions(wording, runs)
    return {name: texts for name, texts in found.items() if texts}


def test_conditions_are_called_what_the_source_calls_them(shop: tuple[SmallChain, Address]) -> None:
    chain, address = shop
    found = worded(chain.context(address))
    assert {name: set(texts) for name, texts in found.items()} == SHOP


def test_without_an_abi_slots_and_arguments_have_numbers(shop: tuple[SmallChain, Address]) -> None:
    chain, address = shop
    found = worded(chain.context(address, named=False))
    texts = {text for counter in found.values() for text in counter}
    assert {"value < `mapping0[arg0]+1`", "mapping0[arg0].bytes0to19 = sender"} <= texts
    assert {"arg0 + slot13 >= 30", "arg0 + slot14 > slot10.bytes1to16"} <= texts
    assert {"mapping2[MINTER_ROLE][sender] = 0", "mapping21[hash(arg0, arg1)] != 0"} <= texts


@pytest.mark.parametrize(("package", "runs"), [("solc-0.4.26", 200), ("solc-0.5.17", None)])
def test_older_compilers_conditions_are_called_the_same(
    tmp_path: Path, package: str, runs: int | None
) -> None:
    chain = SmallChain(tmp_path, fork="istanbul")
    outputs = compile_files(FOLDER / "Stall.sol", package=package, runs=runs)
    stall = chain.create(outputs["Stall"])
    for who in USERS[:2]:
        for number in range(3):
            chain.call(stall, "buy", number, sender=who, value=10)
            chain.call(stall, "breed", number, sender=who)
            chain.call(stall, "take", number, USERS[0], sender=who)
        for number in range(12):
            chain.call(stall, "weigh", number, sender=who)
        for text in ("a", "abc", "a stall", LONG):
            chain.call(stall, "rename", text, sender=who)
        for number in (3, 100):
            chain.call(stall, "fill", number, sender=who)
            chain.call(stall, "lower", number - 10, sender=who)
    chain.call(stall, "close", sender=USERS[1])
    chain.call(stall, "close")
    chain.call(stall, "buy", 1)
    found = {name: set(texts) for name, texts in worded(chain.context(stall)).items()}
    assert found == {
        "breed": {"id >= animals.length", "animals[id].count >= 4", "block < animals[id].readyAt"},
        "buy": {
            "closed",
            "id >= animals.length",
            "value < animals[id].price",
            "animals[id].owner = sender",
        },
        "close": {"chief != sender"},
        "fill": {"uint128(amount + 3) > limit"},
        "lower": {"int64(level - by) <= -10"},
        "rename": {"length(text) <= 2", "length(title) = length(text)"},
        "take": {"ownerOf[id] != from", "chief != sender"},
        "weigh": {"at >= weights.length", "weights[at] <= 8"},
    }
