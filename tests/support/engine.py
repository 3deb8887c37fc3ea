"""Histories of block explorers on the engine: a world in which accounts exist unless the history creates them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from specminer.chain.execution.records import call_of, surroundings
from specminer.chain.execution.schedule import Rules
from specminer.chain.exported import ExportedTransaction
from specminer.evm.forks import FORKS
from specminer.evm.frame import BlockContext, Observer
from specminer.evm.transactions import Result, Transaction, execute
from specminer.evm.world import AccountFields, World

RICH = 1 << 200


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
    records: Sequence[ExportedTransaction], rules: Rules, observer: Observer | None = None
) -> Iterator[Result]:
    """Execute records one after another."""
    world = World(Assumed())
    for record in records:
        call, around = call_of(record), surroundings(record, 1)
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
            Transaction(
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
