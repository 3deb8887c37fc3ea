"""The database: schema, migrations, and the one door to it, :class:`TraceStore`."""

from specminer.store.store import Part, Piece, Replacement, TraceStore

__all__ = ["Part", "Piece", "Replacement", "TraceStore"]
