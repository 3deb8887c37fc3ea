"""Where words come from: the law of the shadow, its normal form, and its bounds."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from specminer.evm.forks import FORKS as RULES
from specminer.evm.frame import BlockContext
from specminer.evm.opcodes import Op
from specminer.evm.transaction_execution import EvmTransaction, Result, execute
from specminer.evm.world import World
from specminer.replay.machine_calls import FORKS
from specminer.shadow.arena import OPERANDS, UNKNOWN, Arena, strip_negations
from specminer.shadow.evaluation import evaluate
from specminer.shadow.memory_shadows import MAX_PIECES
from specminer.shadow.observer import Shadow
from specminer.shadow.packed_fields import FieldWrite, written_fields
from specminer.shadow.record import MAX_ENTRIES, ShadowRecord
from tests.support.engine import number, results
from tests.support.programs import CONTRACTS, SENDER, Writer, push, scenario
from tests.support.real import AZURE, MAINNET, history
from tests.support.reference import by_engine, differences
from tests.support.shadows import CheckedShadow

MINE = CONTRACTS[0]


def run(
    code: bytes,
    data: bytes = b"",
    *,
    shadow: Shadow | None = None,
    value: int = 0,
    gas: int = 5_000_000,
    others: dict[int, bytes] | None = None,
) -> tuple[Shadow, Result]:
    """Run code with a shadow."""
    shadow = CheckedShadow([MINE]) if shadow is None else shadow
    world = World()
    world.set_balance(world.account(SENDER), 1 << 90)
    for address, text in {MINE: code, **(others or {})}.items():
        world.set_code(world.account(address), text)
    transaction = EvmTransaction(sender=SENDER, to=MINE, data=data, value=value, gas=gas)
    result = execute(world, RULES["prague"], BlockContext(timestamp=1_000), transaction, observer=shadow)
    return shadow, result


def record_of(code: bytes, data: bytes = b"", **options: object) -> ShadowRecord:
    shadow, result = run(code, data, **options)  # type: ignore[arg-type]
    assert result.succeeded
    return shadow.records[0]


def told(record: ShadowRecord, node: int | None) -> object:
    """Return an expression as nested tuples."""
    if node is None:
        return None
    arena = record.arena
    kind, *rest = arena.key(node)
    if kind == "constant":
        return rest[0]
    if kind in ("join", "keccak"):
        return (kind, *((told(record, part), first, count) for part, first, count in rest[0]))
    count = OPERANDS[kind]
    return (kind, *(told(record, item) for item in rest[:count]), *rest[count:])


def stored(code: bytes, data: bytes = bytes(64)) -> object:
    """Return the expression that code leaves on the stack."""
    return told(*_stored(code, data))


def _stored(code: bytes, data: bytes) -> tuple[ShadowRecord, int | None]:
    record = record_of(code + push(0) + bytes([Op.SSTORE]), data)
    return record, record.writes[-1].node


ARGUMENT = push(4) + bytes([Op.CALLDATALOAD])
OTHER = push(36) + bytes([Op.CALLDATALOAD])
X, Y = ("calldata", 4), ("calldata", 36)


@pytest.mark.parametrize("fork", FORKS)
def test_every_expression_is_worth_its_word(fork: str) -> None:
    checked = 0
    for seed in range(200, 240):
        case, shadow = scenario(seed, fork), CheckedShadow(None)
        assert differences(by_engine(case, shadow), by_engine(case)) == [], "the shadow changes nothing"
        checked += shadow.with_node
    assert checked > 100


@pytest.mark.parametrize("bounds", [(1, 8, 8), (40, 8, 8), (1_000, 1, 8), (1_000, 3, 2), (100_000, 128, 1)])
def test_the_law_holds_within_any_bounds(bounds: tuple[int, int, int]) -> None:
    nodes, depth, parts = bounds
    for seed in range(220, 240):
        arena = Arena(max_nodes=nodes, max_depth=depth, max_parts=parts)
        by_engine(scenario(seed, "prague"), CheckedShadow(None, arena))
        assert len(arena) <= nodes
        assert all(arena.depth(node) <= depth + 1 for node in range(len(arena)))


@pytest.mark.real
@pytest.mark.parametrize("name", [*AZURE, *MAINNET])
def test_the_law_holds_on_real_histories(name: str) -> None:
    records, rules = history(name)
    targets = {number(record.created) for record in records}
    shadow = CheckedShadow(targets or None, every=23)
    for _ in results(records[:150], rules, shadow):
        shadow.clear()
    assert shadow.with_node > 500
    assert UNKNOWN not in shadow.arena.constants


@settings(max_examples=60, deadline=None)
@example(seed=993, one=b"", other=b"\0")  # the zeros behind the end of calldata
@given(seed=st.integers(0, 1 << 32), one=st.binary(max_size=80), other=st.binary(max_size=80))
def test_words_without_an_expression_follow_from_the_code(seed: int, one: bytes, other: bytes) -> None:
    writer = Writer(random.Random(seed), "prague")
    for _ in range(12):
        writer.draw.choice((writer.compute, writer.remember, writer.shuffle, writer.store, writer.copy))()
    words = []
    for data in (one, other):
        shadow = CheckedShadow([MINE])
        run(bytes(writer.code), data, shadow=shadow, gas=30_000_000)
        words.append(shadow.unmarked)
    shorter = min(map(len, words))
    assert words[0][:shorter] == words[1][:shorter]


def test_equal_expressions_are_one_node() -> None:
    arena = Arena()
    for seed in range(10):
        by_engine(scenario(seed, "prague"), Shadow(None, arena))
    keys = [arena.key(node) for node in range(len(arena))]
    assert len(keys) == len(set(keys)) > 50
    before = len(arena)
    by_engine(scenario(3, "prague"), Shadow(None, arena))
    assert len(arena) == before


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        (ARGUMENT + bytes([Op.ISZERO, Op.ISZERO, Op.ISZERO]), ("iszero", X)),
        (OTHER + ARGUMENT + bytes([Op.SUB, Op.ISZERO]), ("eq", Y, X)),
        (OTHER + ARGUMENT + bytes([Op.XOR, Op.ISZERO]), ("eq", Y, X)),
        (push(7) + ARGUMENT + bytes([Op.SUB, Op.ISZERO]), ("eq", X, 7)),
        (OTHER + ARGUMENT + bytes([Op.GT]), ("lt", Y, X)),
        (ARGUMENT + OTHER + bytes([Op.LT]), ("lt", Y, X)),
        (ARGUMENT + push(0) + bytes([Op.EQ]), ("iszero", X)),
        (ARGUMENT + push((1 << 160) - 1) + bytes([Op.AND]), ("field", X, 0, 160)),
        (push(1 << 8) + ARGUMENT + bytes([Op.DIV]) + push(255) + bytes([Op.AND]), ("field", X, 8, 8)),
        (ARGUMENT + push(8) + bytes([Op.SHR]) + push(255) + bytes([Op.AND]), ("field", X, 8, 8)),
        (ARGUMENT + push(31) + bytes([Op.BYTE]), ("field", X, 0, 8)),
        (ARGUMENT + push(1 << 96) + bytes([Op.MUL]), ("shifted", X, 96)),
        (ARGUMENT + push(3) + bytes([Op.ADD]) + push(4) + bytes([Op.ADD]), ("add", X, 7)),
        (OTHER + ARGUMENT + bytes([Op.ADD]), ("add", Y, X)),
        (ARGUMENT + bytes([Op.NOT, Op.NOT]), X),
        (bytes([Op.CALLER]) + push((1 << 160) - 1) + bytes([Op.AND]), ("sender",)),
        (ARGUMENT + push(0) + bytes([Op.MUL]), None),
        (ARGUMENT + bytes([Op.DUP1, Op.SUB]), None),
        (push(5) + push(6) + bytes([Op.ADD]), None),
        (ARGUMENT + push(9) + bytes([Op.SSTORE]) + push(9) + bytes([Op.SLOAD]), X),
        (push(9) + bytes([Op.SLOAD]), ("storage", 9, 0)),
        (ARGUMENT + push(64) + bytes([Op.MSTORE]) + push(64) + bytes([Op.MLOAD]), X),
        (push(64) + push(0) + push(0) + bytes([Op.CALLDATACOPY]) + push(4) + bytes([Op.MLOAD]), X),
        (push(32) + push(4) + push(12) + bytes([Op.CALLDATACOPY]) + push(12) + bytes([Op.MLOAD]), X),
        (ARGUMENT + push(0) + bytes([Op.MSTORE8]) + push(31) + bytes([Op.NOT, Op.POP]) + push(0)
         + bytes([Op.MLOAD]), ("join", (X, 31, 1), (0, 1, 31))),
    ],
)  # fmt: skip
def test_normal_form(code: bytes, expression: object) -> None:
    assert stored(code) == expression


def test_a_mapping_is_seen_by_its_key() -> None:
    hashed = bytes([Op.CALLER]) + push(0) + bytes([Op.MSTORE]) + push(3) + push(32) + bytes([Op.MSTORE])
    hashed += push(64) + push(0) + bytes([Op.KECCAK256, Op.SLOAD])
    slot = ("keccak", (("sender",), 0, 32), (3, 0, 32))
    assert stored(hashed) == ("storage", slot, 0)


def test_hashes_of_any_length_keep_their_parts() -> None:
    code = ARGUMENT + push(0) + bytes([Op.MSTORE]) + push(52) + push(12) + bytes([Op.KECCAK256])
    assert stored(code) == ("keccak", (X, 12, 20), (0, 0, 32))


def test_a_decision_tells_what_was_compared_and_which_way() -> None:
    check = push(0) + bytes([Op.SLOAD, Op.CALLER, Op.EQ, Op.ISZERO]) + push(12) + bytes([Op.JUMPI, Op.STOP])
    code = check.ljust(12, bytes([Op.STOP])) + bytes([Op.JUMPDEST])
    record = record_of(code)
    (decision,) = record.decisions
    node, wanted = strip_negations(record.arena, decision.condition)
    owner = told(record, node)
    assert owner in (("eq", ("storage", 0, 0), ("sender",)), ("eq", ("sender",), ("storage", 0, 0)))
    assert (wanted, decision.taken, decision.counter) == (False, True, 8)
    assert evaluate(record.arena, node, record.inputs) == 0


def test_an_answer_is_a_source_and_a_delegatecall_is_not() -> None:
    answering = ARGUMENT + push(0) + bytes([Op.MSTORE]) + push(32) + push(0) + bytes([Op.RETURN])
    prepare = push(64) + push(0) + push(0) + bytes([Op.CALLDATACOPY])
    operands = push(32) + push(128) + push(64) + push(0)
    calls = {
        Op.STATICCALL: ("answer", 0, 0),
        Op.DELEGATECALL: X,
    }
    for opcode, expression in calls.items():
        code = prepare + operands + push(CONTRACTS[1]) + push(100_000) + bytes([opcode])
        code += push(1) + bytes([Op.SSTORE]) + push(128) + bytes([Op.MLOAD]) + push(0) + bytes([Op.SSTORE])
        record = record_of(code, bytes(64), others={CONTRACTS[1]: answering})
        assert told(record, record.writes[0].node) == ("success", 0)
        assert told(record, record.writes[1].node) == expression
        assert (record.calls[0].to, int(record.calls[0].kind)) == (CONTRACTS[1], int(opcode))


def test_what_a_revert_undoes_is_marked() -> None:
    inner = push(1) + push(5) + bytes([Op.SSTORE]) + push(0) + push(0) + bytes([Op.REVERT])
    code = push(0) * 4 + push(CONTRACTS[1]) + push(100_000) + bytes([Op.DELEGATECALL, Op.POP])
    code += push(5) + bytes([Op.SLOAD]) + push(6) + bytes([Op.SSTORE])
    record = record_of(code, others={CONTRACTS[1]: inner})
    assert [(item.slot, item.value, item.undone) for item in record.writes] == [(5, 1, True), (6, 0, False)]
    assert told(record, record.writes[1].node) == ("storage", 5, 0)


def test_another_call_that_writes_what_was_read_makes_a_new_source() -> None:
    """The contract calls another, which calls back: slot 0 then holds what no expression of the first call says."""
    read = push(0) + bytes([Op.SLOAD])
    call = push(0) * 5 + push(CONTRACTS[1]) + push(200_000) + bytes([Op.CALL, Op.POP])
    write = push(9) + push(0) + bytes([Op.SSTORE, Op.STOP])
    outer = read + push(1) + bytes([Op.SSTORE]) + call + read + push(2) + bytes([Op.SSTORE, Op.STOP])
    start = 6 + len(outer)
    code = (
        bytes([Op.CALLDATASIZE])
        + bytes([Op.PUSH1 + 1])
        + start.to_bytes(2, "big")
        + bytes([Op.JUMPI, Op.STOP])
    )
    code = code[:-1] + bytes([Op.JUMPDEST]) + outer + bytes([Op.JUMPDEST]) + write
    back = push(0) + push(0) + push(1) + push(0) + push(0) + push(MINE) + bytes([Op.GAS, Op.CALL])
    record = record_of(code, others={CONTRACTS[1]: back})
    assert [told(record, item.node) for item in record.writes] == [("storage", 0, 0), ("storage", 0, 1)]
    assert [item.value for item in record.writes] == [0, 9]


def test_a_loop_that_builds_expressions_stays_bounded() -> None:
    body = ARGUMENT + bytes([Op.ADD, Op.DUP1, Op.MUL])
    grow = bytes([Op.DUP1]) + bytes([Op.MSIZE, Op.MSTORE]) + bytes([Op.DUP1, Op.DUP1, Op.SSTORE])
    decide = bytes([Op.DUP1]) + push(2) + bytes([Op.MUL]) + push(2) + bytes([Op.JUMPI])
    code = push(1) + bytes([Op.JUMPDEST]) + body + grow + decide
    for loop in (push(1) + bytes([Op.JUMPDEST]) + body + decide, code):
        shadow = Shadow(None, Arena(max_nodes=5_000, max_depth=50))
        run(loop, b"\3" * 68, shadow=shadow, gas=4_000_000)
        record = shadow.records[0]
        assert len(shadow.arena) <= 5_000
        assert len(record.inputs) <= 5_000
        assert max(len(record.decisions), len(record.writes)) <= MAX_ENTRIES


def test_too_many_pieces_of_memory_are_forgotten_not_kept() -> None:
    loop = bytes([Op.JUMPDEST]) + ARGUMENT + bytes([Op.MSIZE, Op.MSTORE]) + push(0) + bytes([Op.JUMP])
    shadow = Shadow([MINE])
    sizes: list[int] = []
    leave = shadow.leave

    def note_size(frame: object) -> None:
        sizes.append(len(frame.note.memory.pieces))  # type: ignore[attr-defined]
        leave(frame)  # type: ignore[arg-type]

    shadow.leave = note_size  # type: ignore[method-assign]
    run(loop, b"\3" * 68, shadow=shadow, gas=10_000_000)
    assert max(sizes) <= MAX_PIECES


def test_records_of_two_calls_in_one_transaction_stand_apart() -> None:
    case = scenario(1, "prague")
    twice = (push(0) * 5 + push(MINE) + push(50_000) + bytes([Op.CALL, Op.POP])) * 2
    shadow = CheckedShadow([MINE])
    accounts = dict(case.accounts)
    accounts[CONTRACTS[1]] = replace(accounts[CONTRACTS[1]], code=twice)
    accounts[MINE] = replace(accounts[MINE], code=bytes([Op.CALLER]) + push(0) + bytes([Op.SSTORE]))
    transaction = replace(
        case.transaction, to=CONTRACTS[1], gas=500_000, value=0, data=b"", authorizations=(), access_list=()
    )
    by_engine(replace(case, accounts=accounts, transaction=transaction), shadow)
    assert [record.contract for record in shadow.records] == [MINE, MINE]
    assert [record.frame for record in shadow.records] == [1, 2]
    nodes = {record.writes[0].node for record in shadow.records}
    assert len(nodes) == 1


def replaced(before: int, fields: tuple[FieldWrite, ...]) -> int:
    """Return a word with fields set."""
    for shift, bits, _, value in fields:
        mask = (1 << bits) - 1 << shift
        before = before & ~mask | value << shift
    return before


PACK_MASK = (1 << 160) - 1 << 8


@pytest.mark.parametrize(
    ("update", "fields"),
    [
        # the 20 bytes above the lowest one get the argument
        (
            push(~PACK_MASK & (1 << 256) - 1) + bytes([Op.AND]) + ARGUMENT + push((1 << 160) - 1)
            + bytes([Op.AND]) + push(8) + bytes([Op.SHL, Op.OR]),
            [(8, 160, ("field", X, 0, 160))],
        ),
        # masked after it was moved
        (
            push(~PACK_MASK & (1 << 256) - 1) + bytes([Op.AND]) + ARGUMENT + push(256)
            + bytes([Op.MUL]) + push(PACK_MASK) + bytes([Op.AND, Op.OR]),
            [(8, 160, ("field", X, 0, 160))],
        ),
        # a flag is set, or taken away
        (push((1 << 256) - 256) + bytes([Op.AND]) + push(1) + bytes([Op.OR]), [(0, 8, None)]),
        (push((1 << 256) - 256) + bytes([Op.AND]), [(0, 8, None)]),
        # nothing is kept, or everything
        (bytes([Op.POP]) + ARGUMENT, [(0, 256, X)]),
        (b"", []),
        (push(1) + bytes([Op.ADD]), [(0, 256, ("add", ("storage", 3, 0), 1))]),
    ],
)  # fmt: skip
def test_a_packed_write_changes_one_field(update: bytes, fields: list[object]) -> None:
    code = push((1 << 200) - 5) + push(3) + bytes([Op.SSTORE])
    code += push(3) + bytes([Op.SLOAD]) + update + push(3) + bytes([Op.SSTORE])
    shadow = CheckedShadow([MINE])
    world = World()
    account = world.account(MINE)
    account.storage[3] = (1 << 200) - 5
    world.set_code(account, code[len(push((1 << 200) - 5) + push(3)) + 1 :])
    transaction = EvmTransaction(sender=SENDER, to=MINE, data=b"\x9f" * 68, gas=500_000)
    assert execute(world, RULES["prague"], BlockContext(), transaction, observer=shadow).succeeded
    record = shadow.records[0]
    effect = record.writes[-1]
    found = written_fields(record.arena, effect)
    assert [(shift, bits, told(record, node)) for shift, bits, node, _ in found] == fields
    assert replaced(effect.before, found) == effect.value


@pytest.mark.real
@pytest.mark.parametrize("name", ["GetTheHorse", "CryptoLandmarks", "DigitalLocker"])
def test_fields_make_the_words_that_real_histories_write(name: str) -> None:
    records, rules = history(name)
    shadow = Shadow({made for record in records if (made := number(record.created)) is not None})
    partial = 0
    for _ in results(records[:500], rules, shadow):
        for record in shadow.records:
            for effect in record.writes:
                fields = written_fields(shadow.arena, effect)
                assert replaced(effect.before, fields) == effect.value
                partial += 0 < sum(field.bits for field in fields) < 256
        shadow.clear()
    assert partial > 10


def test_calls_that_ask_the_same_have_one_number() -> None:
    def asking(selector: int, *, times: int = 1) -> bytes:
        writer = push(selector << 224) + push(0) + bytes([Op.MSTORE])
        writer += bytes([Op.CALLER]) + push(4) + bytes([Op.MSTORE])
        call = push(32) + push(64) + push(36) + push(0) + push(CONTRACTS[1]) + push(50_000)
        return writer + (call + bytes([Op.STATICCALL, Op.POP])) * times

    shadow = Shadow([MINE])
    numbers: list[list[int]] = []
    for code in (asking(0x70A08231), asking(0x18160DDD) + asking(0x70A08231), asking(0x70A08231, times=2)):
        run(code, shadow=shadow)
        numbers.append([item.number for item in shadow.records[0].calls])
        shadow.clear()
    (first,), (other, again), (once, twice) = numbers
    assert first == again == once
    assert len({first, other, twice}) == 3
    arena = shadow.arena
    call = arena.foreign.call(first)
    assert call is not None
    assert call.data is not None
    assert arena.constants[call.to] == CONTRACTS[1]
    assert [arena.kind(node) for node, _, _ in call.data] == ["constant", "sender"]
    assert arena.constants[call.data[0][0]] == 0x70A08231
    assert (call.size, call.repetition) == (36, 0)
    repeated = arena.foreign.call(twice)
    assert repeated == call._replace(repetition=1)
    assert arena.foreign.call(-1) is arena.foreign.call(1 << 40) is None


def test_a_word_whose_offset_is_computed_in_the_same_way_is_the_same_word() -> None:
    load = push(0) + bytes([Op.CALLDATALOAD]) + push(32) + bytes([Op.ADD, Op.CALLDATALOAD])
    copy = push(64) + push(0) + bytes([Op.CALLDATALOAD]) + push(0) + bytes([Op.CALLDATACOPY])
    copied = push(32) + bytes([Op.MLOAD])  # behind the first word of what was copied
    code = load + push(0) + bytes([Op.SSTORE]) + copy + copied + push(1) + bytes([Op.SSTORE])
    shadow = CheckedShadow([MINE])
    nodes = set()
    for offset in (32, 64, 96):
        data = offset.to_bytes(32, "big") + bytes(offset) + (1000 + offset).to_bytes(32, "big")
        run(code, data, shadow=shadow)
        record = shadow.records[0]
        assert [item.value for item in record.writes] == [1000 + offset] * 2
        nodes |= {item.node for item in record.writes}
        shadow.clear()
    (node,) = nodes
    assert node is not None
    kind, base, added = shadow.arena.key(node)
    assert (kind, shadow.arena.key(base), added) == ("calldata", ("calldata", 0), 32)
