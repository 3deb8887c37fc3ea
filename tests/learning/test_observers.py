"""Read-only functions of a contract tell states where storage is known, and nothing where it is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest

from specminer.contracts.artifact import Artifact
from specminer.contracts.enum_members import enum_members
from specminer.evm.forks import FORKS
from specminer.evm.observation import MAX_STEPS, Ending, ViewCode, ViewRuns
from specminer.evm.opcodes import Op
from specminer.history.contract_history import MISSING
from specminer.learning.event_table import EntityVariable, EventTable
from specminer.learning.view_observers import MAX_WORK, Observers
from specminer.pipeline import MineOptions, MiningResult, import_traces
from specminer.pipeline import mine as mine_history
from specminer.pipeline.miner import mine
from specminer.presentation.abstraction_explanation import explanation
from specminer.presentation.summary import summary
from specminer.store import TraceStore
from tests.support.third_party import kinds
from tests.support.third_party.recording import Recording

CONTRACT, OTHER = 0xC0DE, 0xBEEF
RETURN = "5f5260205ff3"
"""Return what is on the stack."""
Recorded = Callable[[str], Recording]


@dataclass
class Known:
    """What is known at a moment, with a list of what was asked for."""

    slots: Mapping[int, int] = field(default_factory=dict)
    now: int | None = None
    answers: Mapping[tuple[int, bytes], tuple[bool, bytes]] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def slot(self, slot: int) -> int | None:
        self.asked.append(slot)
        return self.slots.get(slot)

    def clock(self, opcode: int) -> int | None:
        return self.now if opcode == Op.TIMESTAMP else None

    def answer(self, to: int, data: bytes) -> tuple[bool, bytes] | None:
        return self.answers.get((to, data))


def runs(code: str, data: bytes = b"") -> ViewRuns:
    """Return the runs of a code in hexadecimal."""
    codes = {CONTRACT: bytes.fromhex(code)}
    fork = tuple(FORKS.values())[-1]
    return ViewRuns(ViewCode(contract=CONTRACT, codes=codes, fork=fork, chain_id=7), data)


def value(view: ViewRuns, known: Known) -> int | Ending:
    """Return what a function returns, or else how its run ended."""
    seen, _ = view.observe(known)
    return int.from_bytes(seen.output, "big") if seen.ending is Ending.VALUE else seen.ending


def test_a_function_is_run_on_the_storage_that_is_known() -> None:
    view = runs(f"600254{RETURN}")
    assert value(view, Known({2: 5})) == 5
    assert value(view, Known({2: 0})) == 0
    assert value(view, Known({1: 5})) is Ending.UNKNOWN  # not zero


def test_the_same_answers_need_no_further_run() -> None:
    view = runs(f"60015460025401{RETURN}")
    assert view.observe(Known({1: 4, 2: 5}))[1] > 0
    assert view.observe(Known({1: 4, 2: 5, 3: 9}))[1] == 0
    assert view.observe(Known({1: 4, 2: 6}))[1] > 0
    assert value(view, Known({1: 4, 2: 5})) == 9
    assert value(view, Known({1: 4, 2: 6})) == 10


def test_what_was_not_known_once_may_be_known_later() -> None:
    view = runs(f"60015460025401{RETURN}")
    assert value(view, Known({2: 4})) is Ending.UNKNOWN
    assert view.observe(Known({2: 5}))[1] == 0
    assert value(view, Known({2: 4, 1: 3})) == 7


def test_a_run_asks_for_a_slot_only_where_the_code_reads_it() -> None:
    view = runs(f"60015415600b576002545b{RETURN}")
    assert runs(f"600154{RETURN}").slots == set()
    view.observe(Known({1: 0, 2: 3}))
    assert 1 in view.slots


def test_time_is_the_moments_and_unknown_where_nobody_tells() -> None:
    view = runs(f"42{RETURN}")
    assert value(view, Known(now=1_700_000_000)) == 1_700_000_000
    assert value(view, Known(now=1_700_000_001)) == 1_700_000_001
    assert value(view, Known()) is Ending.UNKNOWN


@pytest.mark.parametrize("opcode", ["3a", "41", "44", "45", "48", "4a", "47"], ids=str)
def test_what_a_history_does_not_tell_is_unknown(opcode: str) -> None:
    assert value(runs(f"{opcode}{RETURN}"), Known(now=1)) is Ending.UNKNOWN


def test_the_chain_is_known() -> None:
    assert value(runs(f"46{RETURN}"), Known()) == 7


CALL = f"60205f60045f61{OTHER:04x}5afa505f51{RETURN}"
"""Return the first word that another contract answers to four zero bytes."""


def test_an_answer_is_known_by_address_and_calldata() -> None:
    answer = (True, (9).to_bytes(32, "big"))
    assert value(runs(CALL), Known(answers={(OTHER, bytes(4)): answer})) == 9
    assert value(runs(CALL), Known(answers={(OTHER, bytes(5)): answer})) is Ending.UNKNOWN
    assert value(runs(CALL), Known(answers={(CONTRACT, bytes(4)): answer})) is Ending.UNKNOWN


@pytest.mark.parametrize(
    "code", ["600160025500", "5f5fa000", "5f5f5ff000", "5f5f5f5f600161beef5af100", "60015f5d00", "5fff"]
)
def test_what_writes_is_no_observer(code: str) -> None:
    assert value(runs(code), Known({2: 0})) is Ending.UNFIT


def test_a_function_that_never_ends_is_stopped() -> None:
    seen, work = runs("5b5f56").observe(Known())
    assert seen.ending is Ending.UNFIT
    assert MAX_STEPS <= work < 2 * MAX_STEPS


def test_a_function_that_reverts_has_no_value() -> None:
    assert value(runs("5f5ffd"), Known()) is Ending.REFUSED
    assert value(runs("fe"), Known()) is Ending.REFUSED


# -- histories ----------------------------------------------------------------------------------------


def with_names(recording: Recording) -> Artifact:
    """Return an artifact with the members of its enums, as the source has them."""
    source = Path(kinds.__file__).with_name("Observed.sol").read_text()
    return replace(recording.artifact(), enums=enum_members({"source": source}))


@pytest.fixture(scope="module")
def mined(third_party: Recorded) -> Callable[..., MiningResult]:
    """Return what is mined of a history."""

    @cache
    def found(name: str, forbid: tuple[str, ...] = (), interactions: str | None = None) -> MiningResult:
        recording = third_party(name)
        with TraceStore("sqlite://") as store:
            record = import_traces(store, recording.trace_file)
            history = store.history(record.chain_id, [record.address])
        options = MineOptions(forbid=forbid, interactions=interactions)
        return mine_history(history, options, artifact=with_names(recording))

    return found


def variable(table: EventTable, name: str) -> tuple[int, EntityVariable]:
    """Return a variable of a table with its row."""
    return next((row, item) for row, item in enumerate(table.variables) if item.name == name)


@pytest.mark.slow
def test_campaigns_are_told_by_their_status(mined: Callable[..., MiningResult]) -> None:
    specification = mined("crowdfunds").specification
    assert {state.name for state in specification.states} == {
        "start",
        "status open",
        "status successful",
        "status failed",
        "status paid out",
    }
    assert specification.abstraction.observers == ("status(uint256 campaignId)",)
    names = {state.id: state.name for state in specification.states}
    steps = {(names[edge.source], edge.event, names[edge.target]) for edge in specification.transitions}
    assert ("status open", "time: deadline reached", "status failed") in steps
    assert ("status open", "pledge", "status successful") in steps
    assert ("status successful", "collect", "status paid out") in steps


@pytest.mark.slow
def test_a_phase_of_the_whole_contract_is_told(mined: Callable[..., MiningResult]) -> None:
    specification = mined("sealed_auction", interactions="whole").specification
    names = {state.name for state in specification.states}
    phases = ("bidding", "revealing", "over", "settled")
    assert all(any(f"phase {phase}" in name for name in names) for phase in phases)


@pytest.mark.slow
def test_it_is_said_which_function_tells_states(mined: Callable[..., MiningResult]) -> None:
    specification = mined("crowdfunds").specification
    text = " ".join(summary(specification).split())
    assert "the contract's own functions return" in text
    assert "status(uint256 campaignId)" in text
    assert "what status(uint256 campaignId) returned" in " ".join(explanation(specification).split())


@pytest.mark.slow
def test_a_function_that_the_clock_changes_tells_states_only_with_its_deadline(
    mined: Callable[..., MiningResult],
) -> None:
    table = mined("passes").table
    _, valid = variable(table, "isValid")
    assert valid.function == "isValid(uint256 passId)"
    assert valid.relies_on == ("expires reached",)
    without = mined("passes", ("expires reached",)).table
    assert "isValid" not in {item.name for item in without.variables}


@pytest.mark.slow
def test_a_function_is_forbidden_by_its_name(mined: Callable[..., MiningResult]) -> None:
    specification = mined("crowdfunds", ("status",)).specification
    assert specification.abstraction.observers == ()


@pytest.mark.slow
def test_what_refuses_has_no_value(mined: Callable[..., MiningResult]) -> None:
    table = mined("crowdfunds").table
    row, _ = variable(table, "status")
    first = table.values[row][table.starts]
    refused = table.rejected[table.starts]
    assert (first[refused] == MISSING).all()  # of campaigns that did not exist
    assert (first[~refused] != MISSING).all()


@pytest.mark.slow
def test_a_getter_is_no_observer(mined: Callable[..., MiningResult]) -> None:
    table = mined("sealed_auction", interactions="whole").table
    functions = {item.function for item in table.variables if item.function is not None}
    assert functions == {"phase()"}  # and neither settled() nor highestBid(), which return variables


@pytest.mark.slow
def test_nothing_is_run_beyond_the_bound(mined: Callable[..., MiningResult]) -> None:
    found = mined("passes")
    observers = Observers(found.context)
    table = replace(found.table, variables=found.table.variables[:-1], values=found.table.values[:-1])
    assert observers.add_to(table, found.interactions).variables[-1].function is not None
    spent = MAX_WORK - observers.work_left
    assert 0 < spent < MAX_WORK
    short = Observers(found.context, work=spent // 2)
    assert all(item.function is None for item in short.add_to(table, found.interactions).variables)


@pytest.mark.slow
def test_governors_and_timelocks_speak_their_own_language(third_party: Recorded) -> None:
    governor, timelock = (
        mine(recording.trace_file, abi=recording.artifact_file).specification
        for recording in map(third_party, ("governor", "timelock"))
    )
    assert {state.name for state in governor.states} >= {
        f"state {name}"
        for name in ("pending", "active", "succeeded", "defeated", "queued", "executed", "canceled")
    }
    assert {state.name for state in timelock.states} == {"start", "not scheduled", "waiting", "ready", "done"}
