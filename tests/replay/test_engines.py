"""An import is the same whatever executes; a difference between the engines is found, named, and settled."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from specminer._support.errors import UsageError
from specminer.evm import arithmetic_instructions as arithmetic
from specminer.evm import execution_recorder as recorder
from specminer.evm import instruction_sets as instructions
from specminer.evm.opcodes import Op
from specminer.history.trace import Fidelity, Transaction
from specminer.history.tracer_steps import Read, Write
from specminer.pipeline import Export, ImportResult, Rulebook, import_export
from specminer.replay import checked_machine as checked
from specminer.replay.checked_machine import CheckedMachine, describe_difference
from specminer.replay.engine import Engine, MachineMaker
from specminer.replay.fast_machine import FastMachine
from specminer.replay.foreign_contracts import NodeSource
from specminer.replay.fork_choice import choose
from specminer.replay.machine_calls import VirtualMachine
from specminer.replay.records import call_of, surroundings
from specminer.replay.reference_machine import Machine
from specminer.sources.exported import ExportedTransaction
from specminer.store import TraceStore
from tests.support.bytecode import CONTRACT, COUNT, FAIL, creation, record
from tests.support.collecting import Notes
from tests.support.command import specminer
from tests.support.engine import told_by_both
from tests.support.exports import SHAPES, counted
from tests.support.programs import push

CHAIN = 9
DOUBLE = (
    push(0) + bytes([Op.SLOAD, Op.DUP1, Op.ADD]) + push(1) + bytes([Op.ADD]) + push(0) + bytes([Op.SSTORE])
)
"""Doubles slot 0 and adds one."""


def records(runtime: bytes, number: int = 12) -> tuple[ExportedTransaction, ...]:
    """Return an export of a contract that is called, with the gas that the specification says."""
    machine = Machine()
    given = [creation(runtime), *(record(index, value=index % 2) for index in range(2, number))]
    done = [machine.run(call_of(item), surroundings(item, CHAIN), "istanbul") for item in given]
    return tuple(
        replace(item, gas_used=execution.gas_used, succeeded=execution.succeeded)
        for item, execution in zip(given, done, strict=True)
    )


def imported(
    engine: Engine, given: tuple[ExportedTransaction, ...], observer: Notes
) -> tuple[ImportResult, list[Transaction], bytes]:
    """Import an export; return what was done, the transactions and the machine's state."""
    with TraceStore("sqlite://") as store:
        export = Export(transactions=given, origin="by hand")
        done = import_export(
            store, export, Rulebook(chain_id=CHAIN, fork="istanbul", engine=engine), observer=observer
        )
        replay = store.replay(CHAIN, given[0].hash)
        assert replay is not None
        return done, list(store.transactions(CHAIN, CONTRACT)), replay[2]


@pytest.mark.parametrize("runtime", [COUNT, DOUBLE, FAIL], ids=["count", "double", "fail"])
def test_an_import_is_the_same_with_each_engine(runtime: bytes) -> None:
    given, notes = records(runtime), Notes()
    fast, reference, both = (imported(engine, given, notes) for engine in Engine)
    assert fast == both
    assert fast[0] == reference[0]
    assert fast[2] == reference[2]
    # the specification's machine tells neither what code asked nor what others logged
    assert list(map(told_by_both, fast[1])) == list(map(told_by_both, reference[1]))
    assert all(call.environment is None for item in reference[1] for call in item.invocations)
    assert all(call.environment is not None for item in fast[1] for call in item.invocations)
    assert set(fast[0].fidelity) == {Fidelity.EXACT}
    assert notes.notes == []


@pytest.mark.parametrize("engine", Engine)
def test_what_the_specification_does_not_record_is_said(engine: Engine) -> None:
    with TraceStore("sqlite://") as store:
        export = Export(transactions=records(COUNT, 4), origin="by hand")
        import_export(store, export, Rulebook(chain_id=CHAIN, fork="istanbul", engine=engine))
        said = [limit for limit in store.limits(CHAIN, CONTRACT) if "neither what code asked" in limit]
        told = [
            call.environment is not None
            for item in store.transactions(CHAIN, CONTRACT)
            for call in item.invocations
        ]
    assert len(said) == (engine is Engine.REFERENCE)
    assert all(told) == (engine is not Engine.REFERENCE)


def test_an_import_goes_on_with_another_engine() -> None:
    given, notes = records(COUNT), Notes()
    with TraceStore("sqlite://") as store:
        for engine, number in ((Engine.REFERENCE, 4), (Engine.FAST, 8), (Engine.BOTH, 11)):
            export = Export(transactions=given[:number], origin="by hand")
            rulebook = Rulebook(chain_id=CHAIN, fork="istanbul", engine=engine)
            done = import_export(store, export, rulebook, observer=notes)
            assert done.fidelity == {Fidelity.EXACT: done.executed}
            assert done.executed == {4: 4, 8: 4, 11: 3}[number]
        assert len(list(store.transactions(CHAIN, CONTRACT))) == 11
    assert notes.notes == []


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Offer to make the engine's ADD wrong: it forgets to carry out of the lowest four bits."""

    def forget() -> None:
        instructions.instruction_set.cache_clear()
        recorder._reporting.cache_clear()

    def add(stack: list[int], frame: Any, argument: Any) -> None:
        first, second = stack.pop(), stack[-1]
        stack[-1] = (first + second) & 15

    def begin() -> None:
        monkeypatch.setitem(arithmetic.HANDLERS, Op.ADD, add)
        forget()

    yield begin
    monkeypatch.undo()
    forget()


def test_a_wrong_opcode_is_found_by_both_and_the_specification_counts(plant: Callable[[], None]) -> None:
    given, notes = records(DOUBLE), Notes()
    expected = imported(Engine.REFERENCE, given, notes)
    plant()
    done, transactions, state = imported(Engine.BOTH, given, notes)
    assert (done, state) == (expected[0], expected[2])
    assert list(map(told_by_both, transactions)) == list(map(told_by_both, expected[1]))
    (note,) = notes.notes
    assert note.startswith(
        f"transaction 0x{given[5].hash.hex()}: the engine and the executable specification"
    )
    assert "and writes (" in note
    assert "; step 3 is a write of 0xf to slot 0x0 instead of a write of 0x1f to slot 0x0" in note
    wrong = imported(Engine.FAST, given, notes)
    assert wrong != expected


def test_a_sample_finds_it_too_and_goes_on_with_the_specification(
    plant: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "SHARE", 1.0)
    given, notes = records(DOUBLE), Notes()
    expected = imported(Engine.FAST, given, notes)
    assert notes.notes == []
    plant()
    settled = imported(Engine.FAST, given, notes)
    assert len(notes.notes) == 1
    assert settled[0].fidelity == {Fidelity.EXACT: len(given)}, "the trials are compared as well"
    assert list(map(told_by_both, settled[1])) == list(map(told_by_both, expected[1]))


def test_a_sample_compares_with_what_the_engine_has_become(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts without anything, destroyed ones and assumed ones: each costs other gas."""
    monkeypatch.setattr(checked, "SHARE", 0.5)
    monkeypatch.setattr(checked, "MAX_SAMPLE", 1_000)
    pay = push(0) * 4 + push(1) + push(0xBEEF) + push(30_000) + bytes([Op.CALL])
    balance = push(0xBEEF) + bytes([Op.BALANCE]) + push(0) + bytes([Op.SSTORE])
    notes: list[str] = []
    machine = CheckedMachine(FastMachine(), None, note=notes.append, sample=Random(1))
    machine.install(CONTRACT, pay + balance, balance=1 << 60)
    compared = 0
    for index in range(2, 40):
        machine.state.begin()
        compared += len(machine.machines) - 1
        call = call_of(record(index, value=index))
        assert machine.run(call, surroundings(record(index), CHAIN), "london", [CONTRACT]).succeeded
        if index % 3:
            machine.state.commit()
        else:
            machine.state.reset(0)
            machine.state.forget_fresh()
        assert len(machine.machines) == 1
    assert 10 < compared < 30
    assert notes == []


def test_samples_are_few_and_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def sampled() -> list[int]:
        machine = MachineMaker().make(None, lambda text: None)
        assert isinstance(machine, CheckedMachine)
        machine.install(CONTRACT, COUNT)
        compared = []
        for index in range(4_000):
            machine.state.begin()
            compared += [index] * (len(machine.machines) - 1)
            machine.state.reset(0)
        return compared

    once = sampled()
    assert len(once) == checked.MAX_SAMPLE
    assert sampled() == once


def test_differences_are_named() -> None:
    machines: tuple[VirtualMachine, ...] = (FastMachine(), Machine())
    one, other = (
        machine.run(call_of(creation(COUNT)), surroundings(creation(COUNT), CHAIN), "london", [CONTRACT])
        for machine in machines
    )
    assert describe_difference(one, other) is None
    assert (
        describe_difference(replace(one, gas_used=7), other) == f"gas (7 gas instead of {other.gas_used:,})"
    )
    read = replace(one, steps=(*one.steps, Read(CONTRACT, 1, 2)))
    assert describe_difference(read, other) is None, "what is read shows in what follows"
    write = replace(one, steps=(*one.steps, Write(CONTRACT, 1, None, 2)), succeeded=False)
    assert describe_difference(write, other) == (
        "status and writes; step 3 is a write of 0x2 to slot 0x1 instead of none"
    )


def test_without_the_specification_the_engine_executes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "SHARE", 1.0)
    given, notes = records(COUNT), Notes()
    for name in [name for name in sys.modules if name.startswith("specminer.replay.reference")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [name for name in (*sys.modules, "ethereum") if name.split(".")[0] == "ethereum"]:
        monkeypatch.setitem(sys.modules, name, None)
    done, _, _ = imported(Engine.FAST, given, notes)
    assert done.fidelity == {Fidelity.EXACT: len(given)}
    for engine in (Engine.REFERENCE, Engine.BOTH):
        with pytest.raises(UsageError, match=rf"--engine {engine.value} needs .*'specminer\[reference\]'"):
            imported(engine, given, notes)


def test_the_command_takes_an_engine(tmp_path: Path) -> None:
    (tmp_path / "txlist.json").write_bytes(SHAPES["array"](counted(12)))
    for engine in Engine:
        done = specminer(
            "import", "txlist.json", "--db", f"{engine.value}.db", "--chain-id", "1", "--fork", "istanbul",
            "--engine", engine.value, cwd=tmp_path,
        )  # fmt: skip
        assert done.code == 0, done.text
        assert "executed 12 by the rules of istanbul" in done.out
    done = specminer("import", "txlist.json", "--chain-id", "1", "--engine", "other", cwd=tmp_path)
    assert done.code == 2
    assert "'other' is not one of 'fast', 'reference', 'both'" in done.err


def test_the_choice_of_a_fork_is_checked_as_well(plant: Callable[[], None]) -> None:
    notes = Notes()
    plant()
    choose(records(DOUBLE), CHAIN, MachineMaker(engine=Engine.BOTH), notes.note)
    assert notes.notes
    assert all("the engine and the executable specification differ" in note for note in notes.notes)


class CountingNode:
    """A node that knows one contract, and remembers what it was asked."""

    def __init__(self, code: bytes) -> None:
        self.code = code
        self.asked: list[tuple[str, ...]] = []

    def call(self, method: str, *values: str) -> str:
        """Answer a request."""
        self.asked.append((method, *values))
        return f"0x{self.code.hex()}" if method == "eth_getCode" else f"0x{7:064x}"


def test_both_machines_ask_a_node_once_a_block() -> None:
    node, notes = CountingNode(COUNT), Notes()
    source = NodeSource(node, notes.note)  # type: ignore[arg-type]  # a stand-in
    machine = MachineMaker(engine=Engine.BOTH).make(source, notes.note)
    called = records(COUNT)[1]
    for block in (5, 6):
        source.block = block
        machine.state.refresh()
        machine.use("istanbul")
        execution = machine.run(
            call_of(called), surroundings(called, CHAIN), "istanbul", [CONTRACT], keep=False
        )
        assert execution.succeeded
    assert notes.notes == []
    assert len(node.asked) == len(set(node.asked)) > 2
    assert {question[-1] for question in node.asked} == {"0x4", "0x5"}
