"""Collects a contract's history from a node, in chunks that are complete in themselves.

A chunk holds every transaction of the contract in a range of blocks, traced; whoever stores chunks one
by one, each in one database transaction, may be killed at any moment and continue. Ranges that are
already complete are not read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from specminer.chain import contract_logs, finder
from specminer.chain.blocks import block_at, code_at, creation_block
from specminer.chain.code_hashes import CodeHashes
from specminer.chain.emptiness import ASKS, check_transactions
from specminer.chain.envelopes import TipChanged
from specminer.chain.finder import Way
from specminer.chain.log_check import LogCheck
from specminer.chain.lookahead import Lookahead, in_parallel
from specminer.chain.matching import Envelope
from specminer.chain.node import Node, octets, result_of
from specminer.chain.progress import Estimate, Progress
from specminer.chain.reading import GROUP, Notes, Reading, TransactionReader
from specminer.chain.slot_values import SlotValues, contradicting
from specminer.chain.state_check import StateCheck
from specminer.chain.tracing import ORDER, SAMPLES
from specminer.errors import ChainError, NodeLied, NodeRefused, NotOnChain
from specminer.trace import Address, Block, ContractRecord, Gap, Hash, Tracer, Transaction

CHUNK: Final = 200
"""Transactions after which a chunk ends, at the next block."""
WORKERS: Final = 32
"""Groups of transactions that are read at the same time."""
AHEAD: Final = 48
"""Groups that are read before it is their turn: about four chunks."""
SPANS: Final = 4
"""Parts of the chain that are searched before it is their turn."""
TRIES: Final = 5
"""Times to read a chunk again whose blocks change under the reader."""
MAX_CONFIRMED: Final = 20
"""Transactions of a chunk in a row that contradict others, are traced again, and were right."""

_Part = tuple[int, int, finder.BlockHits]
"""First and last block of a part of the chain, and what was found there."""
KnownValues = Callable[[int], SlotValues]
"""Returns what the contract's slots held before a block, as far as is known."""

Search = Callable[
    [Node, tuple[Way, str | None], Address, int, int], Iterator[tuple[int, int, finder.BlockHits]]
]
"""Finds a contract's transactions, as :func:`finder.find` does."""


def _nothing_known(_block: int) -> SlotValues:
    return SlotValues()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """The contract's transactions in the blocks ``first .. last``, all of them."""

    first: int
    last: int
    tip: Block
    """The block ``last``, by whose hash a replaced chain is noticed."""
    transactions: tuple[Transaction, ...]
    gaps: tuple[Gap, ...]
    """Transactions that could not be recorded."""
    way: Way
    limits: tuple[str, ...] = ()
    """What the way of finding missed, as sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What came of transactions that are tried again."""

    transactions: tuple[Transaction, ...]
    """Recorded now, or with a tracer that sees more than the one before."""
    gaps: tuple[Gap, ...]
    """Those that could still not be recorded."""
    unconcerned: tuple[Hash, ...]
    """Those that turned out not to concern the contract."""


class Replaced(ChainError):
    """Blocks at or before the end of the range were replaced while it was read; begin anew."""


class Collector:
    """Reads one contract's history; ``note`` hears what a user should know, ``progress`` how far it is."""

    def __init__(
        self,
        node: Node,
        contract: Address,
        *,
        note: Callable[[str], None],
        progress: Callable[[Progress | Estimate], None],
        known: KnownValues = _nothing_known,
        search: Search = finder.find,
    ) -> None:
        self.node = node
        self.contract = contract
        self._note = note
        self._progress = progress
        self._notes = Notes(note)
        self._reader = TransactionReader(node, contract, self._notes)
        self._tracing = self._reader.tracing
        self._code_hashes = CodeHashes(node)
        self._log_check = LogCheck(node, contract, self._notes)
        self._state_check = StateCheck(node, contract)
        self._way: tuple[Way, str | None] | None = None
        self._first = self._last = self._done = self._position = 0
        self._created_in: int | None = None
        self._creation: tuple[int, tuple[list[Any], list[Any]]] | None = None
        """A block, its transactions, and those that created the contract."""
        self._recorded_any = False
        self._known = known
        self._search = search
        self._held = SlotValues()
        self._held_at = -1
        """The block before which the slots held these values."""

    def collect(
        self, first: int, last: int, created_in: int | None, anchor: Block | None = None
    ) -> Iterator[Chunk]:
        """Yield chunks that cover the blocks ``first .. last``; ``created_in`` is the creation's block.

        ``anchor`` is a block at or after ``last``, read before anything else: as long as the chain still
        holds it, all that was read since is of one and the same chain.

        Raises:
            Replaced: it does not; everything yielded before is complete, but may be of the old chain.
            ChainError: the node failed; everything yielded before is complete.

        """
        self._anchor = anchor or block_at(self.node, last)
        self._state_check.forget()
        self._created_in = created_in
        way = self._choose(last, created_in)
        self._progress(
            Estimate(blocks=last - first + 1, requests=way[0].requests_for(last - first + 1), way=way[0])
        )
        self._first, self._last, self._done = first, last, 0
        self._held_at = -1
        self._position = first
        with Lookahead(WORKERS) as ahead:
            parts = (part for span in self._find(first, last, way) for part in _parts(*span))
            for part, readings in ahead.feed(self._begin_parts(ahead, parts), SPANS):
                _, part_last, _ = part
                chunk = self._chunk(ahead, part, way, readings)
                self._held_at = part_last + 1
                yield chunk
                self._done += len(chunk.transactions)
                self._position = part_last + 1
                self._tell(self._position, self._done)

    def _begin_parts(
        self, ahead: Lookahead, parts: Iterable[_Part]
    ) -> Iterator[tuple[_Part, list[Future[Reading]]]]:
        """Begin to read parts of the chain, as soon as there is room for more, and yield them with their readings."""
        for part in parts:
            ahead.wait_for_room(AHEAD)
            yield part, self._read(ahead, part[2], patient=True)

    def _tell(self, block: int, transactions: int) -> None:
        self._progress(
            Progress(
                block=block,
                first=self._first,
                last=self._last,
                transactions=transactions,
                retries=self.node.retries,
            )
        )

    def _choose(self, last: int, created_in: int | None) -> tuple[Way, str | None]:
        """Choose by a block that surely holds a transaction, unless the node no longer traces that far back."""
        if self._way is None:
            for probe in dict.fromkeys((created_in or last, last)):
                self._way = finder.choose(self.node, self.contract, probe, self._note)
                if self._way[0] is not Way.SCAN:
                    break
            assert self._way is not None
            if self._way[0].limit:
                self._note(self._way[0].limit)
        return self._way

    def earlier_life(self, created: int, last: int) -> int | None:
        """Return the first block of an earlier life of a contract that a block created; ``None`` if there was none.

        ``last`` is the last block to be read.

        Only what another contract created can be created again at its address (CREATE2). Where the node filters traces,
        all earlier calls are found, else only logs.
        """
        if created == 0:
            return None
        way, creating = in_parallel(lambda: self._choose(last, created), lambda: self._creating_in(created))
        if creating[1]:
            return None
        try:
            if way[0] is Way.TRACE_FILTER:
                for _, _, hits in finder.find(self.node, way, self.contract, 0, created - 1):
                    if hits:
                        return min(hits)
                return None
            logged = contract_logs.logged(self.node, self.contract, 0, created - 1, asks=ASKS)
            earlier = creation_block(self.node, self.contract, min(logged)) if logged else None
        except ChainError as error:
            self._note(f"whether the contract lived before block {created} cannot be told ({error})")
            return None
        if earlier is not None:
            self._note(
                f"the contract lived before block {created}, where it was created again: it was first created in "
                f"block {earlier}"
            )
        return earlier

    def _creating_in(self, block: int) -> tuple[list[Any], list[Any]]:
        """Return the transactions of a block, and those that created the contract themselves, without another one."""
        if self._creation is None or self._creation[0] != block:
            hashes = self._hashes_in(block)
            self._creation = block, (hashes, self._creating(hashes))
        return self._creation[1]

    def _hashes_in(self, block: int) -> list[Any]:
        def reader(answers: list[Any]) -> list[Any]:
            answer = result_of(answers[0])
            hashes = answer.get("transactions") if isinstance(answer, dict) else None
            if not isinstance(hashes, list):
                raise NodeLied(f"the node returned no block {block}, which created the contract")
            check_transactions(answer)
            return hashes

        return self.node.read([("eth_getBlockByNumber", (hex(block), False))], reader)

    def _creating(self, hashes: Sequence[Any]) -> list[Any]:
        """Return those of some transactions whose receipts name the contract as created."""
        receipts = self.node.batch([("eth_getTransactionReceipt", (text,)) for text in hashes])
        address = f"0x{self.contract.hex()}"
        return [
            text
            for text, receipt in zip(hashes, receipts, strict=True)
            if isinstance(receipt, dict) and str(receipt.get("contractAddress")).lower() == address
        ]

    def _find(self, first: int, last: int, way: tuple[Way, str | None]) -> Iterator[_Part]:
        """Yield what the finder does, with the creation among it."""
        created_in = self._created_in
        for start, end, traced in self._search(self.node, way, self.contract, first, last):
            hits = self._log_check.complete(way[0], start, end, traced)
            if way[0] is Way.TRACE_FILTER and not self._state_check.agrees(start, end, hits, created_in):
                hits = self._search_blocks(start, end, hits)
            if created_in is not None and start <= created_in <= end:
                yield start, end, self._with_creation(hits, created_in)
            else:
                yield start, end, hits

    def _search_blocks(self, first: int, last: int, filtered: finder.BlockHits) -> finder.BlockHits:
        """Go through blocks one by one in which ``trace_filter`` left something out, and add what is found."""
        other = finder.choose_by_block(self.node, self.contract, last)
        self._notes(
            f"trace_filter leaves out transactions in blocks {first} to {last}, in which the contract changed: these "
            f"blocks are searched by {other[0].value}"
        )
        merged = {number: dict(rows) for number, rows in filtered.items()}
        for _, _, hits in finder.find(self.node, other, self.contract, first, last):
            for number, rows in hits.items():
                merged[number] = rows | merged.get(number, {})
        return {number: merged[number] for number in sorted(merged)}

    def _with_creation(self, hits: finder.BlockHits, created_in: int) -> finder.BlockHits:
        """Add the creation: the transaction whose receipt names the contract, else all of that block.

        Ways of finding differ in whether they report creations; a trace decides in the end.
        """
        hashes, direct = self._creating_in(created_in)
        found = [Hash(octets(text, "a transaction hash", 32)) for text in direct or hashes]
        own = hits.get(created_in, {})
        merged = hits | {created_in: dict.fromkeys(found, not direct) | own}
        return {number: merged[number] for number in sorted(merged) if merged[number]}

    def _chunk(
        self,
        ahead: Lookahead,
        part: _Part,
        way: tuple[Way, str | None],
        readings: Iterable[Future[Reading]],
    ) -> Chunk:
        """Record what was found, and check that the chain is still the one it was found on."""
        first, last, hits = part
        attempt = 1
        while True:
            try:
                transactions, gaps = self._record(hits, first, self._results(ahead, readings))
                tip = self._check_anchor(last)
                return Chunk(
                    first=first,
                    last=last,
                    tip=tip,
                    transactions=transactions,
                    gaps=gaps,
                    way=way[0],
                    limits=self._log_check.limits(way[0], transactions, gaps),
                )
            except (TipChanged, NodeRefused, NodeLied) as error:
                # a replaced transaction has no trace any more: ask whether that is the reason
                self._check_anchor(last)
                if not isinstance(error, TipChanged) or attempt == TRIES:
                    raise
            attempt += 1
            self._creation = None
            self._state_check.forget()
            spans = self._find(first, last, way)
            hits = {number: rows for _, _, of_span in spans for number, rows in of_span.items()}
            readings = self._read(ahead, hits, patient=attempt < TRIES)

    def _read(self, ahead: Lookahead, hits: finder.BlockHits, *, patient: bool) -> list[Future[Reading]]:
        """Begin to read what was found, in groups."""
        suspected = _suspected(hits)
        wanted = [(number, found) for number, rows in hits.items() for found in rows]
        return [
            ahead.begin(
                partial(
                    self._reader.read, wanted[start : start + GROUP], patient=patient, suspected=suspected
                )
            )
            for start in range(0, len(wanted), GROUP)
        ]

    def _results(self, ahead: Lookahead, readings: Iterable[Future[Reading]]) -> Iterator[Reading]:
        """Yield what was read, in order, and tell of progress while waiting for it."""
        for piece in readings:
            reading = ahead.take(piece, lambda: self._tell(self._position, self._reader.traced))
            for text in reading.notes:
                self._note(text)
            yield reading

    def _check_anchor(self, tip: int) -> Block:
        """Return the block ``tip`` if the anchor still stands.

        Raises:
            Replaced: it does not.

        """
        anchor = self._anchor
        try:
            blocks = self._reader.blocks(list(dict.fromkeys((tip, anchor.number))))
        except NotOnChain:
            blocks = {}
        if anchor.number not in blocks or blocks[anchor.number].hash != anchor.hash:
            raise Replaced(
                f"the chain was reorganised at or before block {anchor.number} while it was read, {TRIES} times; "
                "try again later, or give a --to-block that is final"
            )
        return blocks[tip]

    def _record(
        self, hits: finder.BlockHits, first: int, readings: Iterable[Reading]
    ) -> tuple[tuple[Transaction, ...], tuple[Gap, ...]]:
        """Return what was found from block ``first`` on as it was read, in the chain's order; and what could not be.

        Raises:
            NodeRefused, NodeLied: nothing could be recorded at all.

        """
        envelopes: list[Envelope] = []
        recorded: list[Transaction] = []
        gaps: list[Gap] = []
        suspected = _suspected(hits)
        for reading in readings:
            envelopes += reading.envelopes
            gaps += reading.gaps
            recorded += reading.transactions
            if reading.stopped is not None:
                raise NodeRefused(
                    f"{self.node.endpoint.label} has stopped tracing: {reading.stopped}; what was collected before is "
                    "kept, try again later"
                )
            if reading.envelopes:
                self._position = max(self._position, reading.envelopes[-1].block.number)
                self._tell(self._position, self._done + len(recorded))
        self._recorded_any = self._recorded_any or bool(recorded)
        lost = [gap for gap in gaps if gap.hash not in suspected]
        if len(lost) > 1 and not self._recorded_any:
            raise NodeLied(f"no transaction can be recorded: {lost[0].reason}")
        recorded.sort(key=lambda item: (item.block.number, item.index))
        concerned = [transaction for transaction in recorded if transaction.invocations]
        followed = self._followed(concerned, envelopes, first)
        return self._code_hashes.fill(followed), tuple(sorted(gaps, key=lambda gap: (gap.block, gap.hash)))

    def _followed(
        self, found: list[Transaction], envelopes: Sequence[Envelope], first: int
    ) -> list[Transaction]:
        """Trace again, one by one, what contradicts what others left; return the transactions as they are then."""
        if self._held_at != first:
            self._held = self._known(first)
        held = self._held.copy()
        doubtful = contradicting(found, self.contract, held)
        known = {envelope.hash: envelope for envelope in envelopes}
        changed, confirmed = False, 0
        for row in sorted(doubtful):
            again = self._tracing.again(known[found[row].hash])
            wrong = again is not None and again.tracer is found[row].tracer and again != found[row]
            if wrong and again is not None:
                found[row] = again
            changed, confirmed = changed or wrong, 0 if wrong else confirmed + 1
            if confirmed >= MAX_CONFIRMED:
                break
        if changed:
            found = [transaction for transaction in found if transaction.invocations]
            self._note(
                "what a node answered to a batch contradicted itself; it was asked for again, one by one"
            )
            held = self._held.copy()
            contradicting(found, self.contract, held)
        self._held, self._held_at = held, -1
        return found

    def mended(self, stored: Mapping[Hash, tuple[int, Tracer | None]]) -> Iterator[Mended]:
        """Try transactions again, and yield what came of them, part by part.

        ``stored`` maps them to their block and the tracer that recorded them, ``None`` for gaps. Those that a tracer
        recorded that sees as much as the best that the node runs are left alone.
        """
        wanted = self._worth_another_try(stored)
        if not wanted:
            return
        hits: finder.BlockHits = {}
        for found, (block, _) in sorted(wanted.items(), key=lambda item: (item[1][0], item[0])):
            hits.setdefault(block, {})[found] = False
        with Lookahead(WORKERS) as ahead:
            yield from self._mended_parts(ahead, _parts(0, max(hits, default=0), hits), stored)
        self._code_hashes.forget()

    def _mended_parts(
        self, ahead: Lookahead, parts: Iterable[_Part], stored: Mapping[Hash, tuple[int, Tracer | None]]
    ) -> Iterator[Mended]:
        for _, _, part in parts:
            recorded: list[Transaction] = []
            gaps: list[Gap] = []
            for reading in self._results(ahead, self._read(ahead, part, patient=False)):
                gaps += reading.gaps
                recorded += reading.transactions
            recorded.sort(key=lambda item: (item.block.number, item.index))
            self._code_hashes.forget()
            better = [item for item in recorded if self._is_better(item.tracer, stored[item.hash][1])]
            yield Mended(
                transactions=self._code_hashes.fill([item for item in better if item.invocations]),
                gaps=tuple(gap for gap in gaps if stored[gap.hash][1] is None),
                unconcerned=tuple(item.hash for item in better if not item.invocations),
            )

    def _worth_another_try(
        self, stored: Mapping[Hash, tuple[int, Tracer | None]]
    ) -> Mapping[Hash, tuple[int, Tracer | None]]:
        """Return the gaps, and what was recorded by a tracer that sees less than the one that this node runs.

        Which one that is, the newest of these transactions tell.
        """
        newest = sorted(stored, key=lambda found: stored[found][0])[-SAMPLES:]
        samples, _ = self._reader.envelopes([(stored[found][0], found) for found in newest], patient=False)
        if not samples:
            return {found: item for found, item in stored.items() if item[1] is None}
        chosen = self._tracing.choose(samples)
        return {found: item for found, item in stored.items() if self._is_better(chosen, item[1])}

    def _is_better(self, tracer: Tracer, before: Tracer | None) -> bool:
        return before is None or ORDER.index(tracer) < ORDER.index(before)

    def describe(
        self, head: int, chain_id: int, created_in: int | None, implementations: Sequence[Address]
    ) -> ContractRecord:
        """Return what the node knows of the contract itself: its code and that of its implementations."""
        return ContractRecord(
            address=self.contract,
            chain_id=chain_id,
            code=code_at(self.node, self.contract, head),
            created_in_block=created_in,
            implementations=tuple(
                (implementation, code_at(self.node, implementation, head))
                for implementation in sorted(set(implementations))
            ),
            codes=self._code_hashes.codes,
        )


def _suspected(hits: finder.BlockHits) -> frozenset[Hash]:
    return frozenset(found for rows in hits.values() for found, only in rows.items() if only)


def _parts(first: int, last: int, hits: finder.BlockHits) -> Iterator[_Part]:
    """Cut a span at block boundaries so that no part holds much more than ``CHUNK`` transactions."""
    start, part, size = first, finder.BlockHits(), 0
    for number, rows in hits.items():
        part[number] = rows
        size += len(rows)
        if size >= CHUNK and number < last:
            yield start, number, part
            start, part, size = number + 1, finder.BlockHits(), 0
    yield start, last, part
