"""The database: schema, migrations, and the one door to it, :class:`TraceStore`."""

from specminer.store.listed_records import ListedRecord
from specminer.store.store import Part, Piece, Replacement, TraceStore

__all__ = ["ListedRecord", "Part", "Piece", "Replacement", "TraceStore"]
