"""Collects a contract's history from a node, in chunks that are complete in themselves.

A chunk holds every transaction of the contract in a range of blocks, traced; whoever stores chunks one
by one, each in one database transaction, may be killed at any moment and continue. Ranges that are
already complete are not read again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from specminer._support.errors import ChainError, InvalidNodeResponse, NodeRefused
from specminer.history.trace import Address, Block, ContractRecord, Gap, Hash, Tracer, Transaction
from specminer.sources import finder
from specminer.sources.anchor import TRIES, Anchor
from specminer.sources.chain_blocks import block_at, code_at
from specminer.sources.chunks import ChainPart, Chunk, RetryResult, cut_span, suspected_hashes
from specminer.sources.code_hashes import CodeHashes
from specminer.sources.contradictions import ContradictionCheck, KnownValues, nothing_known
from specminer.sources.creation import CreationSearch
from specminer.sources.envelopes import TipChanged
from specminer.sources.log_check import LogCheck
from specminer.sources.lookahead import Lookahead
from specminer.sources.node import Node
from specminer.sources.reading_progress import Estimate, Progress
from specminer.sources.state_check import StateCheck
from specminer.sources.trace_matching import Envelope
from specminer.sources.tracing import ORDER, SAMPLES
from specminer.sources.transaction_reading import GROUP, Notes, Reading, TransactionReader
from specminer.sources.way import BlockHits, Way

WORKERS: Final = 64
"""Groups of transactions that are read at the same time."""
AHEAD: Final = 120
"""Groups that are read before it is their turn: about thirteen chunks, so that requests never wait for the database."""
SPANS: Final = 16
"""Parts of the chain that are begun before it is their turn."""

Search = Callable[[Node, tuple[Way, str | None], Address, int, int], Iterator[ChainPart]]
"""Finds a contract's transactions, as :func:`finder.find` does."""


class _BegunPart(NamedTuple):
    """A part of the chain whose transactions are being read."""

    part: ChainPart
    readings: list[Future[Reading]]
    tip: Future[Block]
    """Its last block, read when all of its transactions were, if the anchor still stood then."""


class Collector:
    """Reads one contract's history; ``note`` hears what a user should know, ``progress`` how far it is."""

    def __init__(
        self,
        node: Node,
        contract: Address,
        *,
        note: Callable[[str], None],
        progress: Callable[[Progress | Estimate], None],
        values_before: KnownValues = nothing_known,
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
        self._creation = CreationSearch(node, contract, note)
        self._contradictions = ContradictionCheck(self._tracing, contract, values_before, note)
        self._way: tuple[Way, str | None] | None = None
        self._first = self._last = self._done = self._position = 0
        self._created_in: int | None = None
        self._recorded_any = False
        self._code = -1, b""
        """The contract's code after a block, both of the chain that was read last."""
        self._search = search

    def collect(
        self, first: int, last: int, created_in: int | None, anchor: Block | None = None
    ) -> Generator[Chunk, None, None]:
        """Yield chunks that cover the blocks ``first .. last``; ``created_in`` is the creation's block.

        ``anchor`` is a block at or after ``last``, read before anything else: as long as the chain still
        holds it, all that was read since is of one and the same chain.

        Raises:
            ReplacedBlocks: it does not; everything yielded before is complete, but may be of the old chain.
            ChainError: the node failed; everything yielded before is complete.

        """
        self._anchor = Anchor(self.node, anchor or block_at(self.node, last))
        self._state_check.forget()
        self._created_in = created_in
        way = self._choose(last, created_in)
        self._progress(
            Estimate(blocks=last - first + 1, requests=way[0].requests_for(last - first + 1), way=way[0])
        )
        self._first, self._last, self._done = first, last, 0
        self._contradictions.forget()
        self._position = first
        with Lookahead(WORKERS) as ahead:
            if way[0] is not Way.SCAN:
                self._log_check.begin(ahead, first, min(last, first + way[0].first_span - 1))
            code = ahead.begin(partial(self._code_at, last))
            choosing = ahead.begin(partial(self._choose_tracer, created_in))
            ahead.abandon([code, choosing])
            parts = (part for span in self._find(ahead, first, last, way) for part in cut_span(*span))
            for begun in ahead.feed(self._begin_parts(ahead, parts, choosing), SPANS):
                chunk = self._chunk(ahead, begun, way)
                self._contradictions.advance(chunk.last + 1)
                yield chunk
                self._done += len(chunk.transactions)
                self._position = chunk.last + 1
                self._tell(self._position, self._done)
            self._code = last, code.result()

    def _code_at(self, block: int) -> bytes:
        """Return the contract's code after a block; nothing if it cannot be had."""
        try:
            return code_at(self.node, self.contract, block)
        except ChainError:
            return b""

    def _choose_tracer(self, created_in: int | None) -> None:
        """Choose a tracer by the creation, while other transactions are looked for.

        If that fails, the first transactions that are read decide.
        """
        if created_in is None or self.node.helpers is not None or self._tracing.tracer is not None:
            return
        with suppress(ChainError):
            creations = self._creation.known_in(created_in)
            if creations:
                self._reader.choose_tracer([(created_in, item) for item in creations])

    def _begin_parts(
        self, ahead: Lookahead, parts: Iterable[ChainPart], choosing: Future[None]
    ) -> Iterator[_BegunPart]:
        """Begin to read parts of the chain, as soon as there is room for more, and yield them with their readings.

        The first begins when ``choosing`` a tracer has ended: then traces come with the rest.
        """
        for part in parts:
            choosing.exception()
            ahead.wait_for_room(AHEAD)
            yield self._begin_part(ahead, part, patient=True)

    def _begin_part(self, ahead: Lookahead, part: ChainPart, *, patient: bool) -> _BegunPart:
        readings = self._read(ahead, part[2], patient=patient)
        return _BegunPart(part, readings, ahead.begin_after(readings, partial(self._anchor.check, part[1])))

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

    def _tell_traced(self) -> None:
        self._tell(self._position, self._reader.trace_count)

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
        """
        return self._creation.earlier_life(created, lambda: self._choose(last, created))

    def _find(
        self, ahead: Lookahead, first: int, last: int, way: tuple[Way, str | None]
    ) -> Iterator[ChainPart]:
        """Yield what the finder does, with the creation among it."""
        created_in = self._created_in
        for start, end, traced in ahead.feed(self._search(self.node, way, self.contract, first, last), 1):
            hits = self._log_check.complete(way[0], start, end, traced)
            if way[0] is Way.TRACE_FILTER and not self._state_check.agrees(start, end, hits, created_in):
                hits = self._search_blocks(start, end, hits)
            if created_in is not None and start <= created_in <= end:
                yield start, end, self._creation.add(hits, created_in)
            else:
                yield start, end, hits

    def _search_blocks(self, first: int, last: int, filtered: BlockHits) -> BlockHits:
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

    def _chunk(self, ahead: Lookahead, begun: _BegunPart, way: tuple[Way, str | None]) -> Chunk:
        """Record what was found, and check that the chain is still the one it was found on."""
        first, last, _ = begun.part
        attempt = 1
        while True:
            try:
                transactions, gaps, has_asked = self._record(begun.part, self._results(ahead, begun.readings))
                tip = ahead.take(begun.tip, self._tell_traced)
                return Chunk(
                    first=first,
                    last=last,
                    tip=self._anchor.check(last) if has_asked else tip,
                    transactions=transactions,
                    gaps=gaps,
                    way=way[0],
                    limits=self._log_check.limits(way[0], transactions, gaps),
                )
            except (TipChanged, NodeRefused, InvalidNodeResponse) as error:
                # a replaced transaction has no trace any more: ask whether that is the reason
                self._anchor.check(last)
                if not isinstance(error, TipChanged) or attempt == TRIES:
                    raise
            finally:
                ahead.abandon([*begun.readings, begun.tip])
            attempt += 1
            self._creation.forget()
            self._state_check.forget()
            self._log_check.forget()
            spans = self._find(ahead, first, last, way)
            hits = {number: rows for _, _, of_span in spans for number, rows in of_span.items()}
            begun = self._begin_part(ahead, (first, last, hits), patient=attempt < TRIES)

    def _read(self, ahead: Lookahead, hits: BlockHits, *, patient: bool) -> list[Future[Reading]]:
        """Begin to read what was found, in groups."""
        suspected = suspected_hashes(hits)
        keys = [(number, hash_) for number, rows in hits.items() for hash_ in rows]
        size = -(-len(keys) // max(1, -(-len(keys) // GROUP)))
        return [
            ahead.begin(
                partial(self._reader.read, keys[start : start + size], patient=patient, suspected=suspected)
            )
            for start in range(0, len(keys), size or 1)
        ]

    def _results(self, ahead: Lookahead, readings: Iterable[Future[Reading]]) -> Iterator[Reading]:
        """Yield what was read, in order, and tell of progress while waiting for it."""
        for piece in readings:
            reading = ahead.take(piece, self._tell_traced)
            for text in reading.notes:
                self._note(text)
            yield reading

    def _record(
        self, part: ChainPart, readings: Iterable[Reading]
    ) -> tuple[tuple[Transaction, ...], tuple[Gap, ...], bool]:
        """Return what was found in a part of the chain as it was read, in the chain's order; and what could not be.

        With it comes whether the node was asked after all of it was read.

        Raises:
            NodeRefused, InvalidNodeResponse: nothing could be recorded at all.

        """
        first, _, hits = part
        envelopes: list[Envelope] = []
        recorded: list[Transaction] = []
        gaps: list[Gap] = []
        suspected = {*suspected_hashes(hits)}
        for reading in readings:
            suspected |= reading.of_system
            envelopes += reading.envelopes
            gaps += reading.gaps
            recorded += reading.transactions
            if reading.stop_reason is not None:
                raise NodeRefused(
                    f"{self.node.endpoint.label} has stopped tracing: {reading.stop_reason}; what was collected "
                    "before is kept, try again later"
                )
            if reading.envelopes:
                self._position = max(self._position, reading.envelopes[-1].block.number)
                self._tell(self._position, self._done + len(recorded))
        self._recorded_any = self._recorded_any or bool(recorded)
        real_gaps = [gap for gap in gaps if gap.hash not in suspected]
        if len(real_gaps) > 1 and not self._recorded_any:
            raise InvalidNodeResponse(f"no transaction can be recorded: {real_gaps[0].reason}")
        recorded.sort(key=lambda item: (item.block.number, item.index))
        concerned = [transaction for transaction in recorded if transaction.invocations]
        followed, has_asked = self._contradictions.resolve(concerned, envelopes, first)
        filled = self._code_hashes.fill(followed)
        in_order = tuple(sorted(gaps, key=lambda gap: (gap.block, gap.hash)))
        return filled, in_order, has_asked or self._code_hashes.was_asked

    def retry_stored(self, stored: Mapping[Hash, tuple[int, Tracer | None]]) -> Iterator[RetryResult]:
        """Try transactions again, and yield what came of them, part by part.

        ``stored`` maps them to their block and the tracer that recorded them, ``None`` for gaps. Those that a tracer
        recorded that sees as much as the best that the node runs are left alone.
        """
        candidates = self._worth_another_try(stored)
        if not candidates:
            return
        hits: BlockHits = {}
        for hash_, (block, _) in sorted(candidates.items(), key=lambda item: (item[1][0], item[0])):
            hits.setdefault(block, {})[hash_] = False
        with Lookahead(WORKERS) as ahead:
            yield from self._mended_parts(ahead, cut_span(0, max(hits, default=0), hits), stored)
        self._code_hashes.forget()

    def _mended_parts(
        self, ahead: Lookahead, parts: Iterable[ChainPart], stored: Mapping[Hash, tuple[int, Tracer | None]]
    ) -> Iterator[RetryResult]:
        for _, _, part in parts:
            recorded: list[Transaction] = []
            gaps: list[Gap] = []
            for reading in self._results(ahead, self._read(ahead, part, patient=False)):
                gaps += reading.gaps
                recorded += reading.transactions
            recorded.sort(key=lambda item: (item.block.number, item.index))
            self._code_hashes.forget()
            better = [item for item in recorded if self._is_better(item.tracer, stored[item.hash][1])]
            yield RetryResult(
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
        newest = sorted(stored, key=lambda hash_: stored[hash_][0])[-SAMPLES:]
        samples, _ = self._reader.envelopes([(stored[hash_][0], hash_) for hash_ in newest], patient=False)
        if not samples:
            return {hash_: item for hash_, item in stored.items() if item[1] is None}
        tracer = self._tracing.choose(samples)
        return {hash_: item for hash_, item in stored.items() if self._is_better(tracer, item[1])}

    def _is_better(self, tracer: Tracer, before: Tracer | None) -> bool:
        return before is None or ORDER.index(tracer) < ORDER.index(before)

    def describe(
        self, head: int, chain_id: int, created_in: int | None, implementations: Sequence[Address]
    ) -> ContractRecord:
        """Return what the node knows of the contract itself: its code and that of its implementations."""
        at, code = self._code
        return ContractRecord(
            address=self.contract,
            chain_id=chain_id,
            code=code if at == head and code else code_at(self.node, self.contract, head),
            created_in_block=created_in,
            implementations=tuple(
                (implementation, code_at(self.node, implementation, head))
                for implementation in sorted(set(implementations))
            ),
            codes=self._code_hashes.codes,
        )
