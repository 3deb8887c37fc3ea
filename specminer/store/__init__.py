"""The database: schema, migrations, and the one door to it, :class:`TraceStore`."""

from specminer.store.listed_records import ListedRecord
from specminer.store.reading import RecordedRow
from specminer.store.store import ContractPart, RecordedPiece, Replacement, TraceStore

__all__ = ["ContractPart", "ListedRecord", "RecordedPiece", "RecordedRow", "Replacement", "TraceStore"]
