"""Contracts that are called in a world of their own, so that what they decided can be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eth_abi.abi import encode

from specminer._support.keccak import keccak
from specminer.decision import CallRun, Clause, FunctionDecisions, FunctionRuns, PathCondition
from specminer.decision.aliases import evaluate_by_slots, slots_of
from specminer.decision.code_numbers import CodeNumbers
from specminer.decision.exploring import CallReplay
from specminer.decision.versions import decide_by_version, spans_of_runs
from specminer.evm.alone import pursue, recordings
from specminer.evm.execution_recorder import EventRecorder
from specminer.evm.forks import FORKS, Fork
from specminer.evm.frame import BlockContext
from specminer.evm.halts import Halt
from specminer.evm.taped_instructions import taped_instructions
from specminer.evm.transaction_execution import EvmTransaction, Result, execute
from specminer.evm.world import World
from specminer.shadow.arena import OPERANDS, UNKNOWN, Arena
from specminer.shadow.observer import Shadow

ALICE, BOB, CAROL = (0xA11CE << 100, 0xB0B << 108, 0xCA401 << 96)
RICH: Final = 1 << 100


@dataclass(slots=True)
class Stage:
    """A world in which contracts are called; what is recorded can be pursued."""

    fork: Fork = FORKS["prague"]
    time: int = 1_000
    number: int = 10
    world: World = field(default_factory=World)
    replays: list[CallReplay] = field(default_factory=list)
    lasting: list[bool] = field(default_factory=list)
    codes: CodeNumbers = field(default_factory=CodeNumbers)

    def __post_init__(self) -> None:
        for account in (ALICE, BOB, CAROL):
            self.world.set_balance(self.world.account(account), RICH)

    def execute(
        self, to: int | None, data: bytes, sender: int = ALICE, value: int = 0, gas: int = 3_000_000
    ) -> Result:
        """Run a transaction, and keep the recordings of all calls of contracts in it."""
        self.number += 1
        self.time += 12
        block = BlockContext(timestamp=self.time, number=self.number)
        recorder = EventRecorder(None, questions=True)
        transaction = EvmTransaction(sender=sender, to=to, data=data, value=value, gas=gas)
        result = execute(self.world, self.fork, block, transaction, observer=recorder)
        self.world.forget_journal()
        for recording in recordings(recorder.events, None, with_questions=True):
            codes = dict(recorder.codes)
            self.replays.append(CallReplay(recording=recording, fork=self.fork, block=block, codes=codes))
            self.lasting.append(result.succeeded)
        return result

    def deploy(self, code: str | bytes, arguments: bytes = b"", value: int = 0, sender: int = ALICE) -> int:
        """Create a contract and return its address."""
        creation = code if isinstance(code, bytes) else bytes.fromhex(code.removeprefix("0x"))
        result = self.execute(None, creation + arguments, sender, value)
        assert result.succeeded, result
        created = [item.recording.contract for item in self.replays if item.recording.kind.creates]
        return created[-1]

    def put(self, address: int, code: bytes, balance: int = 0) -> int:
        """Put code at an address."""
        self.world.set_code(self.world.account(address), code)
        self.world.set_balance(self.world.account(address), balance)
        return address

    def runs(self, contract: int, selector: bytes) -> FunctionRuns:
        """Return the runs of one function of a contract; none of them leaves its recording."""
        arena = Arena()
        runs = []
        for number, replay in enumerate(self.replays):
            recording = replay.recording
            wanted = recording.contract == contract and recording.data[:4] == selector
            if not wanted or recording.kind.creates or recording.halt is Halt.OUT_OF_GAS:
                continue
            shadow = Shadow([contract], arena, foundation=taped_instructions)
            pursuit = pursue(recording, replay.fork, replay.block, replay.codes, observer=shadow)
            assert pursuit.proved, pursuit.reason
            record = shadow.records[0]
            record.source(replay.block.number, "block")
            runs.append(
                CallRun(
                    invocation=number,
                    record=record,
                    code=self.codes.number(replay.codes, record),
                    halt=pursuit.halt,
                    output=pursuit.output,
                    accepted=pursuit.halt is None and self.lasting[number],
                )
            )
        return FunctionRuns(function=0, arena=arena, runs=tuple(runs), unproved={}, unpursued=0)

    def replay(self, invocation: int) -> CallReplay:
        """Return what it takes to run a call again."""
        return self.replays[invocation]

    def decisions(self, contract: int, selector: bytes, *, forced: bool = True) -> FunctionDecisions:
        """Return what the calls of one function decided, checked."""
        runs = self.runs(contract, selector)
        spans = spans_of_runs([runs], lambda invocation: self.replays[invocation].block.number)
        decisions = decide_by_version(runs, spans, self.replay if forced else None)
        check_clauses(decisions)
        return decisions


@dataclass(slots=True, kw_only=True)
class Contract:
    """A deployed contract that is called by the names of its functions."""

    stage: Stage
    address: int
    abi: Sequence[dict[str, Any]]

    def call(self, name: str, *arguments: object, sender: int = ALICE, value: int = 0) -> Result:
        """Call a function."""
        data = self.data(name, *arguments)
        return self.stage.execute(self.address, data, sender, value)

    def data(self, name: str, *arguments: object) -> bytes:
        """Return the calldata of a call."""
        types = self.types(name)
        return self.selector(name) + encoded(types, arguments)

    def types(self, name: str) -> list[str]:
        """Return the types of a function's arguments."""
        entry = next(item for item in self.abi if item.get("name") == name and item["type"] == "function")
        return [_type(item) for item in entry["inputs"]]

    def decisions(self, name: str, *, forced: bool = True) -> FunctionDecisions:
        """Return what the calls of a function decided."""
        return self.stage.decisions(self.address, self.selector(name), forced=forced)

    def selector(self, name: str) -> bytes:
        """Return a function's selector."""
        return selector_of(f"{name}({','.join(self.types(name))})")

    def clauses(self, name: str, *, forced: bool = True, own: bool = True) -> list[str]:
        """Return the clauses of a function as text; with ``own`` those of the compiler are left out."""
        decisions = self.decisions(name, forced=forced)
        return [
            clause_text(decisions, clause)
            for clause in decisions.clauses
            if not own or clause.check.maker == "contract"
        ]


def encoded(types: Sequence[str], arguments: Sequence[object]) -> bytes:
    """Return arguments as calldata; accounts are integers."""
    return encode(types, [_plain(kind, item) for kind, item in zip(types, arguments, strict=True)])


def _plain(kind: str, argument: object) -> object:
    if kind == "address" and isinstance(argument, int):
        return "0x" + argument.to_bytes(20, "big").hex()
    if kind.endswith("]") and isinstance(argument, list):
        return [_plain(kind[: kind.rindex("[")], item) for item in argument]
    return argument


def _type(item: dict[str, Any]) -> str:
    kind: str = item["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(_type(part) for part in item["components"]) + ")" + kind[5:]
    return kind


def deployed(stage: Stage, output: dict[str, Any], *arguments: object, value: int = 0) -> Contract:
    """Deploy what a compiler put out."""
    constructor: dict[str, Any] = next(
        (item for item in output["abi"] if item["type"] == "constructor"), {"inputs": []}
    )
    types = [_type(item) for item in constructor["inputs"]]
    data = encoded(types, arguments)
    address = stage.deploy(output["evm"]["bytecode"]["object"], data, value)
    return Contract(stage=stage, address=address, abi=output["abi"])


def selector_of(signature: str) -> bytes:
    """Return the first four bytes of calldata that call a function."""
    return keccak(signature.encode())[:4]


def check_clauses(decisions: FunctionDecisions) -> None:
    """Assert what holds for all clauses and causes, by evaluating them."""
    runs = decisions.runs.runs
    by_invocation = {run.invocation: number for number, run in enumerate(runs)}
    for clause in decisions.clauses:
        for number, run in enumerate(runs):
            values = [holds(decisions.runs, condition, number) for condition in clause.conditions]
            if run.halt is None:
                assert True in values, f"{clause_text(decisions, clause)} refuses call {run.invocation}"
        executed = [invocation for invocation in clause.rejected_calls if invocation in by_invocation]
        assert executed or not clause.rejected_calls
        for invocation in () if clause.each else executed:
            values = [holds(decisions.runs, item, by_invocation[invocation]) for item in clause.conditions]
            assert True not in values, f"{clause_text(decisions, clause)} does not stop call {invocation}"
    rejected = [run.invocation for run in runs if run.halt is not None]
    assert [cause.invocation for cause in decisions.causes if cause.invocation in by_invocation] == rejected
    for cause in decisions.causes:
        assert (cause.clause is None) != (cause.reason is None)
        if cause.clause is not None:
            assert cause.invocation in decisions.clauses[cause.clause].rejected_calls


def holds(runs: FunctionRuns, condition: PathCondition, number: int) -> bool | None:
    """Return whether a condition holds in a run; ``None`` if its sources were not read."""
    arena, inputs = runs.arena, runs.runs[number].record.inputs
    node = runs.own_nodes.get(number, {}).get(condition.node, condition.node)
    if node == UNKNOWN:
        return None
    try:
        return (evaluate_by_slots(arena, node, inputs, slots_of(arena, inputs)) != 0) is condition.holds
    except KeyError:
        return None


_SIGNS: Final = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "and": "&", "or": "|", "lt": "<", "eq": "=",
    "slt": "<s",
}  # fmt: skip
_NEGATED: Final = {"lt": ">=", "eq": "!=", "slt": ">=s"}


def clause_text(decisions: FunctionDecisions, clause: Clause) -> str:
    """Return a clause as one line."""
    arena = decisions.runs.arena
    text = " or ".join(condition_text(arena, item) for item in clause.conditions)
    return f"{clause.kind}{' each' if clause.each else ''}: {text}"


def condition_text(arena: Arena, condition: PathCondition) -> str:
    """Return a condition as text."""
    key = arena.key(condition.node)
    if key[0] in _NEGATED and not condition.holds:
        return f"{text_of(arena, key[1])} {_NEGATED[key[0]]} {text_of(arena, key[2])}"
    text = text_of(arena, condition.node)
    if key[0] in _NEGATED:
        return text.removeprefix("(").removesuffix(")")
    return text if condition.holds else f"not {text}"


def text_of(arena: Arena, node: int) -> str:
    """Return an expression as text."""
    kind, *rest = arena.key(node)
    if kind == "constant":
        return str(rest[0]) if rest[0] < 1 << 64 else hex(rest[0])
    if kind in _SIGNS:
        return f"({text_of(arena, rest[0])} {_SIGNS[kind]} {text_of(arena, rest[1])})"
    if kind == "calldata" and len(rest) == 2:
        return f"data[{text_of(arena, rest[0])} + {rest[1]}]"
    if kind == "calldata":
        return f"arg{(rest[0] - 4) // 32}" if rest[0] % 32 == 4 else f"arg@{rest[0]}"
    if kind == "storage":
        return f"S[{text_of(arena, rest[0])}]" + (f"#{rest[1]}" if rest[1] else "")
    if kind == "keccak":
        return "H(" + ",".join(text_of(arena, part[0]) for part in rest[0]) + ")"
    if kind == "iszero":
        return f"!{text_of(arena, rest[0])}"
    count = OPERANDS.get(kind, 0)
    inner = [text_of(arena, item) for item in rest[:count]] + [str(item) for item in rest[count:]]
    return f"{kind}({','.join(inner)})" if inner else str(kind)


def lines(decisions: Iterable[FunctionDecisions]) -> list[str]:
    """Return all clauses with their counts, for a reader."""
    found = []
    for item in decisions:
        for clause in item.clauses:
            counts = f"stopped {len(clause.rejected_calls)} passed {clause.pass_count} undecided {clause.undecided}"
            found.append(f"{clause_text(item, clause)}  [{clause.check}] {counts}")
    return found
