"""Whether the interactions are independent, checked by executing some of them again, alone.

A sample of interactions is executed on a machine of its own each, from the storage that the constructor left: only the
interaction's own calls and those that belong to none (administration) run, all others are left out. What is no
entity's, the environment (prices, totals, next ids, accounts), each call finds as it was recorded; entities'
storage is only what the calls themselves make of it. A call *holds* if it ends as recorded and leaves the same
values in the storage under the interaction's key. One that does not hold is executed once more from all the
storage that it was recorded to find: if it fails even then, the machine lacks something (another contract, a
balance), and the call is not counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np

from specminer.decoding import HistoryContext
from specminer.history.contract_history import CONSTRUCTOR, KINDS, MISSING
from specminer.history.trace import InvocationKind
from specminer.interaction.interactions import Interactions
from specminer.replay.fast_machine import FastMachine
from specminer.replay.fork_schedule import Rules, rules_of_chain, rules_of_fork
from specminer.replay.machine_calls import FORKS, Call, ExecutedCall, Surroundings

MAX_INTERACTIONS: Final = 30
MAX_CALLS: Final = 200
"""Calls executed at most, over all interactions of the sample."""
GAS: Final = 12_000_000
"""More than a call needs: histories do not keep the gas of each, and running out of it proves nothing."""
BALANCE: Final = 1 << 90
"""Wei that the contract has, so that payments do not fail for what others paid in."""
MAX_STEPS: Final = 2_000_000
INTERNAL: Final = KINDS.index(InvocationKind.INTERNAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCheck:
    """What the sample showed."""

    interactions: int
    calls: int
    """Own calls of these that could be executed here."""
    held_count: int
    """Those whose outcome and effects on their entity did not change without the others."""
    failed_count: int
    """Those that do not run here even from the recorded storage; not among ``calls``."""
    functions: tuple[tuple[str, int], ...]
    """Functions whose calls did not hold, with their number, the most first."""

    @property
    def share(self) -> float:
        """Share of the calls that held."""
        return self.held_count / self.calls if self.calls else 1.0


class Replayer:
    """Executes interactions of one contract's history again."""

    def __init__(self, context: HistoryContext, interactions: Interactions) -> None:
        self._context = context
        self._interactions = interactions
        self._record = context.history.contracts[0]
        self._rules: Rules = rules_of_chain(self._record.chain_id) or rules_of_fork(FORKS[-1])
        accesses = context.accesses
        self._first = np.searchsorted(accesses.invocation, np.arange(len(context.history) + 1))
        self._entities = np.any([holder != MISSING for holder in interactions.holders], axis=0)
        own = np.flatnonzero(~interactions.passive)
        self._events = [
            own[low:high]
            for low, high in zip(
                *(
                    np.searchsorted(interactions.slice[own], np.arange(len(interactions.names)), side=side)
                    for side in ("left", "right")
                ),
                strict=True,
            )
        ]

    def run(self, seed: int, max_calls: int = MAX_CALLS) -> ReplayCheck:
        """Execute a sample of interactions."""
        sample: list[int] = []
        budget = max_calls
        order = np.random.default_rng(seed).permutation(len(self._interactions.names))
        for number in order.tolist():
            size = len(self._events[number])
            if len(sample) >= MAX_INTERACTIONS or size > budget:
                continue
            sample.append(number)
            budget -= size
        calls = matches = failed = 0
        functions: Counter[str] = Counter()
        for number in sample:
            for row, holds in self._alone(number):
                if holds is None:
                    failed += 1
                    continue
                calls += 1
                matches += holds
                if not holds:
                    functions[self._context.calls.name(row)] += 1
        return ReplayCheck(
            interactions=len(sample),
            calls=calls,
            held_count=matches,
            failed_count=failed,
            functions=tuple(sorted(functions.items(), key=lambda item: (-item[1], item[0]))),
        )

    def _alone(self, number: int) -> list[tuple[int, bool | None]]:
        """Execute one interaction; return for each own call whether it held, ``None`` if it cannot run here."""
        context = self._context
        own = self._interactions.invocation[self._events[number]]
        rows = np.concatenate([own, self._interactions.track])
        rows = rows[context.is_call[rows]]
        rows = np.sort(rows)
        rows = rows[rows <= own.max(initial=-1)]
        own_rows = set(own.tolist())
        machine = self._machine()
        self._set_up(machine)
        verdicts: list[tuple[int, bool | None]] = []
        for row in rows.tolist():
            self._put_environment(machine, row)
            execution = machine.run(self._call(row), self._around(row), self._fork(row), (), record=False)
            if row not in own_rows or not self._comparable(row):
                continue
            holds: bool | None = self._as_recorded(machine, row, number, execution)
            if not holds:
                holds = False if self._runs(row, number) else None
                self._put_effects(machine, row)  # one that did not hold must not spoil those behind it
            verdicts.append((row, holds))
        return verdicts

    def _machine(self) -> FastMachine:
        machine = FastMachine(max_steps=MAX_STEPS)
        machine.use(self._rules(self._context.history.last_block, None))
        machine.install(self._record.address, self._record.code, balance=BALANCE)
        for address, code in self._record.implementations:
            machine.install(address, code)
        return machine

    def _set_up(self, machine: FastMachine) -> None:
        """Put what the constructor left, or what the history shows to have been there before it begins."""
        context, accesses = self._context, self._context.accesses
        history = context.history
        slots, first = np.unique(accesses.slot, return_index=True)
        del slots
        # touches stand in order of invocations, so the first of a slot shows what was there
        for row in first[accesses.value_before[first] != MISSING].tolist():
            self._put(machine, accesses.word[row], accesses.value_before[row])
        created = np.flatnonzero(history.accepted & (history.invocation_kind == CONSTRUCTOR))
        for row in created.tolist():
            for touch in range(self._first[row], self._first[row + 1]):
                self._put(machine, accesses.word[touch], accesses.value_after[touch])

    def _put_environment(self, machine: FastMachine, row: int) -> None:
        """Put what a call was recorded to find in storage that is no entity's."""
        accesses = self._context.accesses
        for touch in range(self._first[row], self._first[row + 1]):
            if not self._entities[accesses.slot[touch]] and accesses.value_before[touch] != MISSING:
                self._put(machine, accesses.word[touch], accesses.value_before[touch])

    def _put_effects(self, machine: FastMachine, row: int) -> None:
        accesses = self._context.accesses
        for touch in range(self._first[row], self._first[row + 1]):
            self._put(machine, accesses.word[touch], accesses.value_after[touch])

    def _put(self, machine: FastMachine, slot: int, value: int) -> None:
        words = self._context.history.words
        if value != MISSING and machine.storage(self._record.address, words[slot]) != words[value]:
            machine.put(self._record.address, words[slot], words[value])

    def _comparable(self, row: int) -> bool:
        """Whether it is known how the call ended, and that the contract's code decided it."""
        return bool(self._context.history.accepted[row] or self._context.is_rejected[row])

    def _runs(self, row: int, number: int) -> bool:
        """Whether a call ends as recorded if it finds the storage that it was recorded to find."""
        machine = self._machine()
        accesses = self._context.accesses
        for touch in range(self._first[row], self._first[row + 1]):
            self._put(machine, accesses.word[touch], accesses.value_before[touch])
        execution = machine.run(self._call(row), self._around(row), self._fork(row), (), record=False)
        return self._as_recorded(machine, row, number, execution)

    def _as_recorded(self, machine: FastMachine, row: int, number: int, execution: ExecutedCall) -> bool:
        context = self._context
        if execution.succeeded != bool(context.history.accepted[row]):
            return False
        accesses, words = context.accesses, context.history.words
        for touch in range(self._first[row], self._first[row + 1]):
            if not accesses.effective_write[touch] or not self._hangs(int(accesses.slot[touch]), number):
                continue
            value = machine.storage(self._record.address, words[accesses.word[touch]])
            if accesses.value_after[touch] != MISSING and value != words[accesses.value_after[touch]]:
                return False
        return True

    def _hangs(self, slot: int, number: int) -> bool:
        return any(int(holder[slot]) == number for holder in self._interactions.holders)

    def _call(self, row: int) -> Call:
        history = self._context.history
        transaction = int(history.invocation_transaction[row])
        internal = int(history.invocation_kind[row]) == INTERNAL
        return Call(
            sender=history.addresses[int(history.invocation_sender[row])],
            to=self._record.address,
            value=history.words[int(history.invocation_value[row])],
            data=history.invocation_data[row],
            gas=GAS,
            origin=history.addresses[int(history.transaction_origin[transaction])] if internal else None,
        )

    def _around(self, row: int) -> Surroundings:
        block, time = self._when(row)
        return Surroundings(
            chain_id=self._record.chain_id, number=block, timestamp=time or 0, gas_limit=4 * GAS
        )

    def _fork(self, row: int) -> str:
        return self._rules(*self._when(row))

    def _when(self, row: int) -> tuple[int, int | None]:
        history = self._context.history
        transaction = int(history.invocation_transaction[row])
        time = int(history.transaction_time[transaction])
        return int(history.transaction_block[transaction]), None if time == MISSING else time


def can_replay(context: HistoryContext) -> bool:
    """Whether the history is one contract's and came with its code."""
    return len(context.history.contracts) == 1 and bool(context.history.contracts[0].code)


def replay_sample(
    context: HistoryContext, interactions: Interactions, seed: int = 0, max_calls: int = MAX_CALLS
) -> ReplayCheck | None:
    """Execute a sample of interactions alone; ``None`` where the history came without code."""
    if not can_replay(context) or not len(interactions.names):
        return None
    return Replayer(context, interactions).run(seed, max_calls)
