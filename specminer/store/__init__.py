"""The database: schema, migrations, and the one door to it, :class:`TraceStore`."""

from specminer.store.listed_records import ListedRecord
from specminer.store.queries import RecordedRow
from specminer.store.trace_store import ContractPart, RecordedPiece, Replacement, TraceStore

__all__ = ["ContractPart", "ListedRecord", "RecordedPiece", "RecordedRow", "Replacement", "TraceStore"]
