"""Histories of block explorers on the engine: a world in which accounts exist unless the history creates them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from specminer.evm import transaction_execution as engine
from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext, FrameObserver
from specminer.evm.transaction_execution import Result, execute
from specminer.evm.world import AccountFields, World
from specminer.history.trace import ExternalCall, Transaction
from specminer.replay.export_replay import ReplayedTransaction
from specminer.replay.fork_schedule import Rules
from specminer.replay.records import call_of, surroundings
from specminer.sources.exported import ExportedTransaction

RICH = 1 << 200


def told_by_both(transaction: Transaction) -> Transaction:
    """Return a transaction without what the specification's machine does not tell.

    That is answers of the environment, logs of others, and the size of the data of calls that never began.
    """
    invocations = tuple(
        replace(item, environment=None, calls=None if item.calls is None else tuple(map(_begun, item.calls)))
        for item in transaction.invocations
    )
    return replace(transaction, invocations=invocations, logs=None)


def _begun(call: ExternalCall) -> ExternalCall:
    began = call.succeeded or call.data or call.output
    return call if began else replace(call, data_size=None)


def comparable(replayed: ReplayedTransaction) -> ReplayedTransaction:
    """Return what was executed again without what the specification's machine does not tell."""
    parts = {key: told_by_both(part) for key, part in replayed.parts.items()}
    return replace(replayed, parts=parts, size=0)  # the size of all that is told


class Assumed:
    """A source in which every account exists, without code."""

    def account(self, address: int) -> AccountFields | None:
        del address
        return AccountFields(balance=1, assumed=1)

    def slot(self, address: int, slot: int) -> int:
        del address, slot
        return 0


def number(data: bytes | None) -> int | None:
    """Return an address as a number."""
    return None if data is None else int.from_bytes(data, "big")


def results(
    records: Sequence[ExportedTransaction],
    rules: Rules,
    observer: FrameObserver | None = None,
    chain_id: int = 1,
) -> Iterator[Result]:
    """Execute records one after another."""
    world = World(Assumed())
    for record in records:
        call, around = call_of(record), surroundings(record, chain_id)
        sender = int.from_bytes(call.sender, "big")
        account = world.account(sender)
        world.make_room(account)
        world.set_balance(account, max(account.balance, RICH))
        yield execute(
            world,
            FORKS[rules(record.block, record.timestamp)],
            BlockContext(
                chain_id=around.chain_id,
                number=around.number,
                timestamp=around.timestamp,
                gas_limit=around.gas_limit,
            ),
            engine.EvmTransaction(
                sender=sender,
                to=number(call.to),
                created=number(call.created),
                value=call.value,
                data=call.data,
                gas=call.gas,
                gas_price=call.gas_price,
                nonce=call.nonce,
            ),
            observer=observer,
        )
        world.forget_journal()
