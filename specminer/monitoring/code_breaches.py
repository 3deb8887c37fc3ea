"""Recordings that cannot be true: the contract's code does something else, or storage changed unseen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from specminer.decision.recordings import NotRecorded, Recordings
from specminer.decision.runs import execute_alone
from specminer.history.continuity import unseen_writes
from specminer.history.contract_history import BoolColumn
from specminer.monitoring.judged_calls import JudgedCalls
from specminer.shadow.arena import Arena
from specminer.specification.deviation import Basis, Deviation, Severity

MAX_EXECUTED: Final = 20_000
"""Calls that are executed at most."""
_SLOT: Final = re.compile("slot 0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """The judged calls that are not confirmed, executed again one by one."""

    calls: JudgedCalls
    confirmed: BoolColumn
    """Calls of which is known that executing them proves their recording; shape (n,)."""
    lacks: Counter[str] = field(default_factory=Counter)
    """How many calls could not be executed alone, by the reason."""

    def findings(self) -> Iterator[Deviation]:
        """Yield the calls whose recording their code contradicts, in the order of the chain."""
        context = self.calls.context
        recordings, rows = (
            Recordings(context.history),
            np.flatnonzero(context.is_event & self.calls.is_judged & ~self.confirmed),
        )
        for row in rows[:MAX_EXECUTED].tolist():
            lack = recordings.lack(row)
            if lack is None:
                try:
                    pursuit = execute_alone(recordings.of(row), Arena()).pursuit
                except NotRecorded as error:
                    lack = str(error)
                else:
                    if pursuit.contradicts:
                        yield self._breach(row, pursuit.reason or "")
                        continue
                    lack = pursuit.reason
            if lack is not None:
                self.lacks[_SLOT.sub("slot", lack)] += 1
        if len(rows) > MAX_EXECUTED:
            self.lacks[f"only the first {MAX_EXECUTED:,} are executed"] += len(rows) - MAX_EXECUTED

    def _breach(self, row: int, reason: str) -> Deviation:
        function = self.calls.function(row)
        return Deviation(
            severity=Severity.BROKEN,
            basis=Basis.CODE,
            function=function,
            where=self.calls.where(row),
            invocation=row,
            sentence=f"the contract's code does not do what was recorded of {function}: {reason}",
        )


def unseen_changes(calls: JudgedCalls) -> Iterator[Deviation]:
    """Yield the calls that found another value in storage than the last recorded transaction left there."""
    context = calls.context
    history, writes = context.history, unseen_writes(context.history)
    rows = history.access_invocation[writes.access]
    for index in np.flatnonzero(calls.is_judged[rows]).tolist():
        row, access = int(rows[index]), int(writes.access[index])
        slot = int(context.accesses.slot[context.accesses.touch[access]])
        name = context.locations.text(slot)
        function = calls.function(row)
        yield Deviation(
            severity=Severity.BROKEN,
            basis=Basis.CONTINUITY,
            function=function,
            where=calls.where(row),
            invocation=row,
            sentence=f"{function} found another value in {name} than the last recorded transaction left there",
        )
